// traces: one row for each distinct trace of the rows, from all stored spans of the trace, whatever the range.
#include "base/hash.h"
#include "base/hex.h"
#include "query/op.h"
#include "query/scan.h"
#include "query/traces_seen.h"

#include <stdlib.h>

struct wanted {
    uint8_t id[16];
    uint64_t matched;
};

// A span, as much as the summary needs.
struct span_note {
    uint32_t trace;   // in op_traces.wanted
    uint32_t service; // in op_traces.services, INTERN_NONE
    uint64_t span, parent, resource;
    int64_t time, end;
    struct row_ref ref;
    bool error;
};

struct summary {
    uint32_t trace;
    uint32_t first, spans, errors, services; // first: in op_traces.notes
    int64_t time, end;
    uint32_t service;
    struct row_ref root;
    bool complete, found;
};

struct op_traces {
    struct traces_seen seen; // by blocks of spans; all other rows go into wanted at once
    struct wanted *wanted;
    uint32_t n, cap, from; // from: those before have their summary
    uint32_t *slots, mask; // hash table over wanted, index + 1
    struct span_note *notes;
    uint32_t notes_n, notes_cap;
    struct intern services;
    struct summary *out;
    uint32_t out_n, out_cap;
};

int op_traces_new(struct op *op)
{
    op->traces = arena_zalloc(&op->x->arena, sizeof *op->traces);
    if (!op->traces)
        return exec_nomem(op->x);
    op->traces->services.x = op->traces->seen.x = op->x;
    return 0;
}

// ---- which traces ----

static uint32_t wanted_find(const struct op_traces *t, const uint8_t id[16])
{
    for (uint32_t i = (uint32_t)hash64(id, 16) & t->mask; t->slots && t->slots[i]; i = (i + 1) & t->mask) {
        if (memcmp(t->wanted[t->slots[i] - 1].id, id, 16) == 0)
            return t->slots[i] - 1;
    }
    return INTERN_NONE;
}

static void wanted_place(struct op_traces *t, uint32_t k)
{
    uint32_t i = (uint32_t)hash64(t->wanted[k].id, 16) & t->mask;
    while (t->slots[i])
        i = (i + 1) & t->mask;
    t->slots[i] = k + 1;
}

static int wanted_add(struct op *op, const uint8_t id[16], uint32_t matched)
{
    struct op_traces *t = op->traces;
    uint32_t k = wanted_find(t, id);
    if (k == INTERN_NONE) {
        int rc = exec_grow(op->x, (void **)&t->wanted, &t->cap, t->n, sizeof *t->wanted);
        if (rc < 0)
            return rc;
        if (!t->slots || t->n * 2 > t->mask) {
            uint32_t slots = t->slots ? (t->mask + 1) * 2 : 64;
            uint32_t *more = exec_zalloc(op->x, (size_t)slots * 4);
            if (!more)
                return exec_nomem(op->x);
            if (t->slots)
                exec_free(op->x, t->slots, ((size_t)t->mask + 1) * 4);
            t->slots = more;
            t->mask = slots - 1;
            for (uint32_t i = 0; i < t->n; i++)
                wanted_place(t, i);
        }
        k = t->n++;
        memcpy(t->wanted[k].id, id, 16);
        t->wanted[k].matched = 0;
        wanted_place(t, k);
    }
    t->wanted[k].matched += matched;
    return 0;
}

static bool id_of(const struct qval *v, uint8_t id[16])
{
    memset(id, 0, 16);
    if (v->type == QVAL_ID)
        memcpy(id + 16 - v->id_n, v->id, v->id_n);
    else if (v->type == QVAL_STR && v->s.len == 32)
        return hex_decode(id, v->s);
    else
        return false;
    return true;
}

int op_traces_push(struct op *op, struct vbatch *b)
{
    struct cvec v;
    struct vec time;
    int rc = vbatch_field(b, op->step->by[0], &v);
    if (rc == 0 && b->kind == VBATCH_BLOCK && b->seg->source == QUERY_SPANS && v.kind == CVEC_TRACE) {
        rc = exec_column(op->x, b->seg, TABLE_ROWS, COL_TIME, &time);
        if (rc < 0)
            return rc;
        return seen_rows(&op->traces->seen, b->seg, v.u32, time.i64, b->sel, b->n, &op->x->stats.without_trace);
    }
    for (BITS_EACH(i, b->sel, b->n)) {
        struct qval q = cvec_get(&v, i);
        uint8_t id[16];
        if (rc < 0)
            return rc;
        if (id_of(&q, id))
            rc = wanted_add(op, id, 1);
        else
            op->x->stats.without_trace++;
    }
    return rc;
}

// ---- their spans ----

// The wanted trace of each trace ordinal of the segment, INTERN_NONE for those that nobody waits for; NULL when it
// has none.
static int ordinals_of(struct op *op, struct exec_segment *s, uint32_t **ret)
{
    struct op_traces *t = op->traces;
    uint32_t n = segment_traces(s->seg);
    uint32_t *of = exec_alloc(op->x, (size_t)(n ? n : 1) * 4);
    bool any = false;
    if (!of)
        return exec_nomem(op->x);
    memset(of, 0xff, (size_t)n * 4);
    if (t->n - t->from < n / 4) {
        for (uint32_t k = t->from; k < t->n; k++) {
            uint32_t ord;
            int rc = segment_find_trace(s->seg, t->wanted[k].id, &ord);
            if (rc == ERR_NOENT)
                continue;
            if (rc < 0) {
                exec_free(op->x, of, (size_t)(n ? n : 1) * 4);
                return exec_fail(op->x, rc);
            }
            if (ord < n) {
                of[ord] = k;
                any = true;
            }
        }
    } else {
        for (uint32_t ord = 0; ord < n; ord++) {
            uint8_t id[16];
            segment_trace(s->seg, ord, id);
            uint32_t k = wanted_find(t, id);
            if (k == INTERN_NONE || k < t->from)
                continue;
            of[ord] = k;
            any = true;
        }
    }
    if (!any) {
        exec_free(op->x, of, (size_t)(n ? n : 1) * 4);
        of = NULL;
    }
    *ret = of;
    return 0;
}

// Blocks with rows of wanted traces: in trace order known from their ranges, else all.
static int blocks_of(struct op *op, struct exec_segment *s, const uint32_t *of, uint64_t **ret)
{
    uint32_t blocks = segment_blocks(s->seg, TABLE_ROWS), n = segment_traces(s->seg);
    bool ranges = s->info->trace_order;
    uint64_t *bits = arena_zalloc(&op->x->arena, (BITS_WORDS(blocks) + 1) * 8);
    if (!bits)
        return exec_nomem(op->x);
    for (uint32_t ord = 0; ord < n && ranges; ord++) {
        uint64_t first, end;
        if (of[ord] == INTERN_NONE)
            continue;
        int rc = segment_trace_rows(s->seg, ord, &first, &end);
        if (rc == ERR_UNSUPPORTED)
            ranges = false;
        else if (rc < 0)
            return exec_fail(op->x, rc);
        for (uint64_t b = first / BLOCK_ROWS; ranges && first < end && b <= (end - 1) / BLOCK_ROWS && b < blocks; b++)
            bit_set(bits, (uint32_t)b);
    }
    for (uint32_t b = 0; b < blocks && !ranges; b++)
        bit_set(bits, b);
    *ret = bits;
    return 0;
}

static int note_block(struct op *op, struct exec_segment *s, uint32_t block, const uint32_t *of)
{
    struct exec *x = op->x;
    struct op_traces *t = op->traces;
    struct vec trace, span, parent, time, duration, status, resource;
    const struct {
        uint32_t col;
        struct vec *to;
    } all[] = { { COL_SPAN, &span },         { COL_PARENT, &parent }, { COL_TIME, &time },
                { COL_DURATION, &duration }, { COL_STATUS, &status }, { COL_RESOURCE, &resource } };
    uint32_t n = segment_block_rows(s->seg, TABLE_ROWS, block);
    struct vbatch b;
    struct cvec service;
    int rc = exec_poll(x);
    arena_reset(&x->scratch);
    if (rc == 0)
        rc = exec_seek(x, s, TABLE_ROWS, block);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_TRACE, &trace);
    if (rc == 0)
        rc = vbatch_init(&b, x, VBATCH_BLOCK, n);
    if (rc < 0)
        return rc;
    b.seg = s;
    for (uint32_t i = 0; i < n; i++) {
        if (trace.u32[i] == TRACE_NONE || of[trace.u32[i]] == INTERN_NONE)
            bit_clear(b.sel, i);
    }
    if (!bits_any(b.sel, n))
        return 0;
    x->stats.scanned += n;
    uint32_t before = bits_count(b.sel, n);
    rc = scan_projects(&b);
    if (rc < 0)
        return rc;
    x->stats.hidden += before - bits_count(b.sel, n);
    for (size_t k = 0; k < sizeof all / sizeof *all && rc == 0; k++)
        rc = exec_column(x, s, TABLE_ROWS, all[k].col, all[k].to);
    if (rc == 0)
        rc = vbatch_fixed(&b, QUERY_F_SERVICE, &service);
    for (BITS_EACH(i, b.sel, n)) {
        struct qval name = rc == 0 ? cvec_get(&service, i) : qval_missing();
        if (rc == 0)
            rc = exec_grow(x, (void **)&t->notes, &t->notes_cap, t->notes_n, sizeof *t->notes);
        if (rc < 0)
            return rc;
        struct span_note *note = &t->notes[t->notes_n];
        *note = (struct span_note){ .trace = of[trace.u32[i]],
                                    .service = INTERN_NONE,
                                    .span = span.u64[i],
                                    .parent = parent.u64[i],
                                    .resource = segment_resource_hash(s->seg, resource.u32[i]),
                                    .time = time.i64[i],
                                    .ref = vbatch_ref(&b, i),
                                    .error = status.u8[i] == STATUS_ERROR };
        if (__builtin_add_overflow(time.i64[i], duration.i64[i], &note->end))
            note->end = duration.i64[i] < 0 ? INT64_MIN : INT64_MAX;
        if (name.type != QVAL_MISSING)
            rc = intern_value(&t->services, &name, UINT32_MAX - 1, &note->service);
        t->notes_n++;
    }
    return rc;
}

static int note_segment(struct op *op, struct exec_segment *s)
{
    uint32_t *of, n = segment_traces(s->seg);
    uint64_t *blocks = NULL;
    int rc = ordinals_of(op, s, &of);
    if (rc < 0 || !of)
        return rc;
    for (uint32_t ord = 0; ord < n; ord++) {
        if (of[ord] != INTERN_NONE)
            op->traces->wanted[of[ord]].matched += seen_matched(&op->traces->seen, s->index, ord);
    }
    rc = blocks_of(op, s, of, &blocks);
    for (uint32_t b = 0; b < segment_blocks(s->seg, TABLE_ROWS) && rc == 0; b++) {
        if (bit_get(blocks, b))
            rc = note_block(op, s, b, of);
    }
    exec_free(op->x, of, (size_t)(n ? n : 1) * 4);
    return rc;
}

// ---- summaries ----

static int order_notes(const void *pa, const void *pb)
{
    const struct span_note *a = pa, *b = pb;
    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    if (a->span != b->span)
        return a->span < b->span ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    if (a->ref.seg != b->ref.seg)
        return a->ref.seg < b->ref.seg ? -1 : 1;
    return (a->ref.row > b->ref.row) - (a->ref.row < b->ref.row);
}

static bool note_twin(const struct span_note *a, const struct span_note *b)
{
    return a->span && a->trace == b->trace && a->span == b->span && a->time == b->time && a->resource == b->resource;
}

static bool has_span(const struct span_note *notes, uint32_t n, uint64_t span)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (notes[mid].span < span)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && notes[lo].span == span;
}

static int order_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int services_of(struct exec *x, const struct span_note *notes, uint32_t n, uint32_t *ret)
{
    uint32_t *ids = exec_alloc(x, (size_t)n * 4), k = 0, distinct = 0;
    if (!ids)
        return exec_nomem(x);
    for (uint32_t i = 0; i < n; i++) {
        if (notes[i].service != INTERN_NONE)
            ids[k++] = notes[i].service;
    }
    qsort(ids, k, sizeof *ids, order_u32);
    for (uint32_t i = 0; i < k; i++)
        distinct += i == 0 || ids[i] != ids[i - 1];
    exec_free(x, ids, (size_t)n * 4);
    *ret = distinct;
    return 0;
}

// Better as the trace's root: roots before orphans before the rest, then earlier.
static int root_rank(const struct span_note *s, const struct span_note *notes, uint32_t n)
{
    return s->parent == 0 ? 0 : !has_span(notes, n, s->parent) ? 1 : 2;
}

static int summarise(struct op *op, struct span_note *notes, uint32_t n)
{
    struct exec *x = op->x;
    struct op_traces *t = op->traces;
    struct summary m = { .trace = notes[0].trace, .time = INT64_MAX, .end = INT64_MIN, .found = true };
    const struct span_note *root = NULL;
    uint32_t roots = 0, best = 3, missing = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct span_note *s = &notes[i];
        uint32_t rank = (uint32_t)root_rank(s, notes, n);
        m.errors += s->error;
        m.time = s->time < m.time ? s->time : m.time;
        m.end = s->end > m.end ? s->end : m.end;
        roots += rank == 0;
        missing += rank == 1;
        if (!root || rank < best || (rank == best && s->time < root->time)) {
            root = s;
            best = rank;
        }
    }
    m.spans = n;
    m.root = root->ref;
    m.service = root->service;
    m.complete = roots == 1 && missing == 0;
    int rc = services_of(x, notes, n, &m.services);
    if (rc == 0)
        rc = exec_grow(x, (void **)&t->out, &t->out_cap, t->out_n, sizeof m);
    if (rc == 0)
        t->out[t->out_n++] = m;
    return rc;
}

static int summaries(struct op *op)
{
    struct op_traces *t = op->traces;
    uint32_t kept = 0;
    int rc = 0;
    if (t->notes_n == 0)
        return 0;
    qsort(t->notes, t->notes_n, sizeof *t->notes, order_notes);
    for (uint32_t i = 0; i < t->notes_n; i++) {
        if (kept == 0 || !note_twin(&t->notes[kept - 1], &t->notes[i]))
            t->notes[kept++] = t->notes[i];
    }
    t->notes_n = kept;
    for (uint32_t from = 0, to; from < kept && rc == 0; from = to) {
        for (to = from; to < kept && t->notes[to].trace == t->notes[from].trace; to++)
            ;
        rc = summarise(op, t->notes + from, to - from);
    }
    return rc;
}

// Traces that only logs speak of.
static int without_spans(struct op *op)
{
    struct op_traces *t = op->traces;
    uint64_t *seen = arena_zalloc(&op->x->arena, (BITS_WORDS(t->n) + 1) * 8);
    if (!seen)
        return exec_nomem(op->x);
    for (uint32_t i = 0; i < t->out_n; i++)
        bit_set(seen, t->out[i].trace);
    for (uint32_t k = 0; k < t->n; k++) {
        if (bit_get(seen, k))
            continue;
        int rc = exec_grow(op->x, (void **)&t->out, &t->out_cap, t->out_n, sizeof *t->out);
        if (rc < 0)
            return rc;
        t->out[t->out_n++] = (struct summary){ .trace = k, .time = INT64_MIN, .service = INTERN_NONE };
    }
    return 0;
}

static int order_summaries(const void *pa, const void *pb, void *ctx)
{
    const struct op_traces *t = ctx;
    const struct summary *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time > b->time ? -1 : 1;
    return memcmp(t->wanted[a->trace].id, t->wanted[b->trace].id, 16);
}

// ---- rows ----

enum { T_TRACE, T_TIME, T_DURATION, T_SERVICE, T_NAME, T_SPANS, T_ERRORS, T_SERVICES, T_MATCHED, T_COMPLETE };

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    struct exec *x = op->x;
    const struct op_traces *t = op->traces;
    struct qval *any[QUERY_TRACES_COLUMNS];
    struct row_ref *refs = exec_scratch(x, b->n, sizeof *refs);
    struct cvec name;
    for (int c = 0; c < QUERY_TRACES_COLUMNS; c++) {
        any[c] = exec_scratch(x, b->n, sizeof **any);
        if (!any[c])
            return exec_nomem(x);
        memset(any[c], 0, b->n * sizeof **any);
        b->slots[op->step->trace_slots[c]] = (struct cvec){ .kind = CVEC_ANY, .any = any[c] };
    }
    if (!refs)
        return exec_nomem(x);
    uint64_t *all = exec_bits(x, b->n, true);
    if (!all)
        return exec_nomem(x);
    for (uint32_t i = 0; i < b->n; i++) {
        refs[i] = t->out[from + i].root;
        if (!t->out[from + i].found)
            bit_clear(b->sel, i);
    }
    b->refs = refs;
    b->kind = VBATCH_REFS; // for the roots' names only
    int rc = vbatch_fixed(b, QUERY_F_NAME, &name);
    b->kind = VBATCH_ROWS;
    b->refs = NULL;
    b->sel = all;
    for (uint32_t i = 0; i < b->n && rc == 0; i++) {
        const struct summary *m = &t->out[from + i];
        struct qval id = { .type = QVAL_ID, .id_n = 16 };
        int64_t length;
        memcpy(id.id, t->wanted[m->trace].id, 16);
        if (__builtin_sub_overflow(m->end, m->time, &length))
            length = INT64_MAX;
        any[T_TRACE][i] = id;
        if (m->found) {
            any[T_TIME][i] = qval_of(QVAL_TIME, m->time);
            any[T_DURATION][i] = qval_of(QVAL_DURATION, length);
        }
        if (m->service != INTERN_NONE)
            any[T_SERVICE][i] = t->services.values[m->service];
        any[T_NAME][i] = cvec_get(&name, i);
        any[T_SPANS][i] = qval_int(m->spans);
        any[T_ERRORS][i] = qval_int(m->errors);
        any[T_SERVICES][i] = qval_int(m->services);
        any[T_MATCHED][i] = qval_int((int64_t)t->wanted[m->trace].matched);
        any[T_COMPLETE][i] = qval_bool(m->complete);
    }
    return rc;
}

// The next of the traces that were seen become wanted: at least `few`, or all.
static int want_more(struct op *op, uint64_t few)
{
    struct op_traces *t = op->traces;
    int rc = 0;
    for (uint64_t k = 0; k < few && t->seen.left_n > 0 && rc == 0; k++) {
        struct seen_next next = seen_take(&t->seen);
        uint8_t id[16];
        segment_trace(op->x->segs[next.seg].seg, next.ord, id);
        rc = wanted_add(op, id, 0); // its matches are counted in note_segment(), for all segments
    }
    return rc;
}

// The rows are ordered by when traces began: once as many as are wanted began after the earliest known span of any
// trace that is left, no other one can come before them.
static bool enough(const struct op_traces *t, uint64_t rows)
{
    return t->seen.left_n == 0 || rows == 0 || (rows <= t->out_n && t->out[rows - 1].time > t->seen.left[0].oldest);
}

// Reads the spans of the traces that are wanted since the last time.
static int summarise_wanted(struct op *op)
{
    struct exec *x = op->x;
    struct op_traces *t = op->traces;
    int rc = 0;
    t->notes_n = 0;
    for (uint32_t i = 0; i < x->segs_n && rc == 0 && t->n > t->from; i++) {
        if (x->segs[i].source == QUERY_SPANS)
            rc = note_segment(op, &x->segs[i]);
    }
    if (rc == 0)
        rc = summaries(op);
    t->from = t->n;
    return rc;
}

static void order_out(struct op_traces *t)
{
    if (t->out_n > 1)
        qsort_r(t->out, t->out_n, sizeof *t->out, order_summaries, t);
}

int op_traces_finish(struct op *op)
{
    struct exec *x = op->x;
    struct op_traces *t = op->traces;
    x->step = op->step->name;
    // Of traces that other rows than spans speak of it is not known when they began.
    uint64_t rows = t->n == 0 ? op_wanted(op->next) : UINT64_MAX, few = rows;
    int rc = seen_finish(&t->seen, rows != UINT64_MAX);
    do {
        if (rc == 0)
            rc = want_more(op, few);
        if (rc == 0)
            rc = summarise_wanted(op);
        order_out(t);
        few = few < UINT64_MAX / 4 ? few * 4 : few;
    } while (rc == 0 && !enough(t, rows) && !x->cut_time);
    if (rc == 0)
        rc = without_spans(op);
    if (rc < 0)
        return rc;
    order_out(t);
    return op_emit(op, t->out_n, fill, VBATCH_ROWS);
}

void op_traces_free(struct op *op)
{
    struct op_traces *t = op->traces;
    if (!t)
        return;
    exec_free(op->x, t->wanted, t->cap * sizeof *t->wanted);
    if (t->slots)
        exec_free(op->x, t->slots, ((size_t)t->mask + 1) * 4);
    exec_free(op->x, t->notes, t->notes_cap * sizeof *t->notes);
    exec_free(op->x, t->out, t->out_cap * sizeof *t->out);
    intern_free(&t->services);
    seen_free(&t->seen);
    op->traces = NULL;
}
