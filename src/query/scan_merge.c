#include "query/scan_merge.h"

#include "base/hash.h"

#include <stdlib.h>

enum { OUT_MIN = 256, OUT_MAX = 4096 };

// A block that was not opened yet.
struct closed_block {
    int64_t newest;
    uint32_t seg, block;
};

// The rows of an opened block that are still to go out, in order.
struct run {
    struct row_order *rows;
    uint64_t *prints; // fingerprints of (trace, span), only made when rows of equal order meet
    uint32_t n, cap, at;
    struct closed_block from;
    bool cut; // only its first rows are here
};

struct merge {
    struct exec *x;
    const struct query_filter **where;
    uint32_t where_n;
    struct op *first;
    struct closed_block *closed;
    uint32_t closed_n, closed_cap, opened;
    struct run **heap; // by the order of their next row
    uint32_t heap_n, heap_cap;
    struct row_order *out; // collected for the next batch
    uint32_t *ties;        // of each, see vbatch.ties
    uint32_t out_n, out_max;
    uint64_t wanted, number;
    // Duplicates: fingerprints of spans that went out with the same time and resource as the last row.
    struct row_order last;
    bool have_last;
    uint32_t tie; // rows of last's order so far
    uint64_t *prints;
    uint32_t prints_n, prints_cap;
};

static int order_closed(const void *pa, const void *pb)
{
    const struct closed_block *a = pa, *b = pb;
    if (a->newest != b->newest)
        return a->newest > b->newest ? -1 : 1;
    if (a->seg != b->seg)
        return a->seg < b->seg ? -1 : 1;
    return (a->block > b->block) - (a->block < b->block);
}

static int order_rows(const void *a, const void *b, void *ctx) { return row_order_compare(ctx, a, b); }

// Hoare's partition of v[lo..hi), two rows at least: v[lo..j] <= v[j + 1..hi), both parts not empty. Returns j.
static uint32_t partition(struct exec *x, struct row_order *v, uint32_t lo, uint32_t hi)
{
    struct row_order pivot = v[lo + (hi - 1 - lo) / 2];
    for (uint32_t i = lo, j = hi - 1;; i++, j--) {
        while (row_order_compare(x, &v[i], &pivot) < 0)
            i++;
        while (row_order_compare(x, &pivot, &v[j]) < 0)
            j--;
        if (i >= j)
            return j;
        struct row_order t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}

// The first k rows of the order to the front, in any order among themselves.
static void select_rows(struct exec *x, struct row_order *v, uint32_t n, uint32_t k)
{
    uint32_t lo = 0, hi = n;
    while (hi - lo > 1 && lo < k && k < hi) {
        uint32_t j = partition(x, v, lo, hi);
        if (k <= j)
            hi = j + 1;
        else
            lo = j + 1;
    }
}

// ---- runs ----

static void run_free(struct exec *x, struct run *r)
{
    exec_free(x, r->rows, r->cap * sizeof *r->rows);
    exec_free(x, r->prints, r->n * sizeof *r->prints);
    exec_free(x, r, sizeof *r);
}

static bool run_before(const struct merge *m, const struct run *a, const struct run *b)
{
    return row_order_compare(m->x, &a->rows[a->at], &b->rows[b->at]) < 0;
}

static void heap_sink(struct merge *m, uint32_t i)
{
    for (;;) {
        uint32_t best = i, l = 2 * i + 1, r = l + 1;
        if (l < m->heap_n && run_before(m, m->heap[l], m->heap[best]))
            best = l;
        if (r < m->heap_n && run_before(m, m->heap[r], m->heap[best]))
            best = r;
        if (best == i)
            return;
        struct run *t = m->heap[i];
        m->heap[i] = m->heap[best];
        m->heap[best] = t;
        i = best;
    }
}

static int heap_add(struct merge *m, struct run *r)
{
    int rc = exec_grow(m->x, (void **)&m->heap, &m->heap_cap, m->heap_n, sizeof *m->heap);
    if (rc < 0)
        return rc;
    uint32_t i = m->heap_n++;
    m->heap[i] = r;
    while (i > 0 && run_before(m, m->heap[i], m->heap[(i - 1) / 2])) {
        struct run *t = m->heap[i];
        m->heap[i] = m->heap[(i - 1) / 2];
        m->heap[(i - 1) / 2] = t;
        i = (i - 1) / 2;
    }
    return 0;
}

// Not before the cursor; rows equal to it are counted off later.
static int cursor_side(const struct exec *x, const struct row_order *o)
{
    const struct scan_cursor *c = x->cursor;
    uint32_t source = (uint32_t)x->segs[o->ref.seg].source;
    if (o->time != c->time)
        return o->time < c->time ? 1 : -1;
    if (source != c->source)
        return source > c->source ? 1 : -1;
    if (o->resource != c->resource)
        return o->resource > c->resource ? 1 : -1;
    if (o->received != c->received)
        return o->received > c->received ? 1 : -1;
    return 0;
}

// after: only the rows behind it, all of them; NULL: as many as may be wanted.
static int run_open(struct merge *m, const struct closed_block *c, const struct row_order *after)
{
    struct exec *x = m->x;
    struct exec_segment *s = &x->segs[c->seg];
    struct vec time, resource, received;
    struct vbatch b;
    int rc = scan_block(x, s, c->block, m->where, m->where_n, &b);
    if (rc < 0 || !bits_any(b.sel, b.n))
        return rc;
    rc = exec_column(x, s, TABLE_ROWS, COL_TIME, &time);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_RESOURCE, &resource);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_RECEIVED, &received);
    if (rc < 0)
        return rc;
    struct run *r = exec_zalloc(x, sizeof *r);
    if (!r)
        return exec_nomem(x);
    r->cap = bits_count(b.sel, b.n);
    r->rows = exec_alloc(x, r->cap * sizeof *r->rows);
    if (!r->rows) {
        r->cap = 0;
        run_free(x, r);
        return exec_nomem(x);
    }
    for (BITS_EACH(i, b.sel, b.n)) {
        struct row_order o = { time.i64[i], segment_resource_hash(s->seg, resource.u32[i]), received.i64[i],
                               vbatch_ref(&b, i) };
        if ((!x->cursor || cursor_side(x, &o) >= 0) && (!after || row_order_compare(x, after, &o) < 0))
            r->rows[r->n++] = o;
    }
    r->from = *c;
    if (!after && m->wanted < r->n / 2) { // some more, for duplicates
        uint32_t want = (uint32_t)m->wanted + 16;
        r->cut = want < r->n;
        if (r->cut) {
            select_rows(x, r->rows, r->n, want);
            r->n = want;
        }
    }
    if (r->n == 0) {
        run_free(x, r);
        return 0;
    }
    qsort_r(r->rows, r->n, sizeof *r->rows, order_rows, x);
    rc = heap_add(m, r);
    if (rc < 0)
        run_free(x, r);
    return rc;
}

// ---- duplicates ----

// Fingerprints of the spans of a run: its block is read once more, and only when there are twins to tell apart.
static int run_prints(struct merge *m, struct run *r)
{
    struct exec *x = m->x;
    struct exec_segment *s = &x->segs[r->rows[0].ref.seg];
    struct vec trace, span;
    if (r->prints)
        return 0;
    int rc = exec_seek(x, s, TABLE_ROWS, r->rows[0].ref.row / BLOCK_ROWS);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_TRACE, &trace);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_SPAN, &span);
    if (rc < 0)
        return rc;
    r->prints = exec_alloc(x, r->n * sizeof *r->prints);
    if (!r->prints)
        return exec_nomem(x);
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t row = r->rows[i].ref.row % BLOCK_ROWS;
        uint8_t id[16] = { 0 };
        if (trace.u32[row] != TRACE_NONE)
            segment_trace(s->seg, trace.u32[row], id);
        r->prints[i] = span.u64[row] ? hash64(id, 16) ^ hash64_int(span.u64[row]) : 0; // 0: never a duplicate
    }
    return 0;
}

// Is the next row of r a span that has gone out already? Twins share time and resource, so they are neighbours.
static int is_twin(struct merge *m, struct run *r, bool *ret)
{
    struct exec *x = m->x;
    const struct row_order *o = &r->rows[r->at];
    bool spans = x->segs[o->ref.seg].source == QUERY_SPANS;
    bool tie = m->have_last && m->last.time == o->time && m->last.resource == o->resource &&
               x->segs[m->last.ref.seg].source == QUERY_SPANS;
    *ret = false;
    if (!spans)
        return 0;
    bool next_ties = (r->at + 1 < r->n && r->rows[r->at + 1].time == o->time) ||
                     (m->heap_n > 1 && m->heap[1]->rows[m->heap[1]->at].time == o->time) ||
                     (m->heap_n > 2 && m->heap[2]->rows[m->heap[2]->at].time == o->time);
    if (!tie)
        m->prints_n = 0;
    if (!tie && !next_ties)
        return 0;
    int rc = run_prints(m, r);
    if (rc < 0)
        return rc;
    uint64_t print = r->prints[r->at];
    for (uint32_t i = 0; i < m->prints_n && print; i++) {
        if (m->prints[i] == print) {
            *ret = true;
            return 0;
        }
    }
    rc = exec_grow(x, (void **)&m->prints, &m->prints_cap, m->prints_n, sizeof *m->prints);
    if (rc == 0)
        m->prints[m->prints_n++] = print;
    return rc;
}

// ---- out ----

static int flush(struct merge *m)
{
    struct exec *x = m->x;
    struct vbatch b;
    if (m->out_n == 0)
        return 0;
    arena_reset(&x->scratch);
    int rc = exec_poll(x);
    if (rc == 0)
        rc = vbatch_init(&b, x, VBATCH_REFS, m->out_n);
    if (rc < 0)
        return rc;
    struct row_ref *refs = exec_scratch(x, m->out_n, sizeof *refs);
    if (!refs)
        return exec_nomem(x);
    for (uint32_t i = 0; i < m->out_n; i++)
        refs[i] = m->out[i].ref;
    b.refs = refs;
    b.orders = m->out;
    b.ties = m->ties;
    b.ordered = true;
    b.number = m->number;
    m->number += m->out_n;
    rc = op_push(m->first, &b);
    m->out_n = 0;
    if (m->out_max < OUT_MAX)
        m->out_max = m->out_max * 4 > OUT_MAX ? OUT_MAX : m->out_max * 4;
    return rc;
}

static bool same_order(const struct exec *x, const struct row_order *a, const struct row_order *b)
{
    return a->time == b->time && a->resource == b->resource && a->received == b->received &&
           x->segs[a->ref.seg].source == x->segs[b->ref.seg].source;
}

// The next row of a run is out.
static int run_advance(struct merge *m, struct run *r)
{
    int rc = 0;
    if (++r->at == r->n) {
        m->heap[0] = m->heap[--m->heap_n];
        heap_sink(m, 0);
        if (r->cut)
            rc = run_open(m, &r->from, &r->rows[r->n - 1]);
        run_free(m->x, r);
        return rc;
    }
    heap_sink(m, 0);
    return 0;
}

static int emit(struct merge *m)
{
    struct exec *x = m->x;
    struct run *r = m->heap[0];
    struct row_order o = r->rows[r->at];
    bool twin;
    int rc = is_twin(m, r, &twin);
    if (rc < 0)
        return rc;
    if (!twin) {
        m->tie = m->have_last && same_order(x, &m->last, &o) ? m->tie + 1 : 0;
        m->last = o;
        m->have_last = true;
        bool seen = x->cursor && m->tie < x->cursor->skip && cursor_side(x, &o) == 0;
        if (!seen) {
            m->ties[m->out_n] = m->tie;
            m->out[m->out_n++] = o;
        }
    }
    rc = run_advance(m, r);
    return rc == 0 && m->out_n == m->out_max ? flush(m) : rc;
}

static int merge_rows(struct merge *m)
{
    struct exec *x = m->x;
    int rc = 0;
    while (rc == 0 && !x->cut_time && !op_done(m->first)) {
        bool more = m->opened < m->closed_n;
        if (m->heap_n == 0 && !more)
            break;
        // A block with a row as new as the newest known one may hold one that comes before it.
        if (more && (m->heap_n == 0 || m->closed[m->opened].newest >= m->heap[0]->rows[m->heap[0]->at].time)) {
            rc = run_open(m, &m->closed[m->opened++], NULL);
            continue;
        }
        rc = emit(m);
        if (rc == 0 && m->number + m->out_n >= m->wanted)
            break;
    }
    return rc == 0 && !op_done(m->first) ? flush(m) : rc;
}

static int blocks_list(struct merge *m)
{
    struct exec *x = m->x;
    int rc = 0;
    for (uint32_t i = 0; i < x->segs_n && rc == 0; i++) {
        struct exec_segment *s = &x->segs[i];
        uint64_t *blocks;
        rc = scan_blocks(x, s, &blocks);
        uint32_t n = segment_blocks(s->seg, TABLE_ROWS);
        for (uint32_t b = 0; b < n && rc == 0; b++) {
            int64_t lo, hi;
            if (!bit_get(blocks, b))
                continue;
            scan_block_times(s, b, &lo, &hi);
            if (x->cursor && lo > x->cursor->time)
                continue;
            rc = exec_grow(x, (void **)&m->closed, &m->closed_cap, m->closed_n, sizeof *m->closed);
            if (rc == 0)
                m->closed[m->closed_n++] = (struct closed_block){ hi, i, b };
        }
    }
    if (m->closed_n > 1)
        qsort(m->closed, m->closed_n, sizeof *m->closed, order_closed);
    return rc;
}

int scan_merge(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first)
{
    struct merge m = { .x = x, .where = where, .where_n = where_n, .first = first, .out_max = OUT_MIN };
    m.wanted = op_wanted(first);
    if (m.wanted > OUT_MIN && m.wanted != UINT64_MAX)
        m.out_max = m.wanted < OUT_MAX ? (uint32_t)m.wanted : OUT_MAX;
    m.out = exec_alloc(x, OUT_MAX * sizeof *m.out);
    m.ties = exec_alloc(x, OUT_MAX * sizeof *m.ties);
    int rc = m.out && m.ties ? blocks_list(&m) : exec_nomem(x);
    if (rc == 0)
        rc = merge_rows(&m);
    for (uint32_t i = 0; i < m.heap_n; i++)
        run_free(x, m.heap[i]);
    exec_free(x, m.heap, m.heap_cap * sizeof *m.heap);
    exec_free(x, m.closed, m.closed_cap * sizeof *m.closed);
    exec_free(x, m.prints, m.prints_cap * sizeof *m.prints);
    exec_free(x, m.out, OUT_MAX * sizeof *m.out);
    exec_free(x, m.ties, OUT_MAX * sizeof *m.ties);
    return rc;
}
