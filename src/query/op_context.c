// context: around each input log its n before and n after in the same stream, whatever the range and the filter.
//
// A stream is a resource of a project, or what has equal values in the fields of `by`. The blocks of the input rows
// are read, then only those that may hold a neighbour nearer than the n-th that is known: which that are is
// decided from the blocks' ranges of time and resource. Streams go out by their newest input row, rows of a
// stream by time, each once.
#include "base/hash.h"
#include "query/op.h"
#include "query/scan.h"

#include <stdlib.h>

enum { MATCHES_MAX = 1000000 };

struct stream {
    uint32_t project;
    uint64_t key;           // of the resource or the fields
    struct row_order *rows; // known so far; the first `sorted` are in order
    uint32_t n, cap, sorted;
    struct row_order *matches;
    uint32_t matches_n, matches_cap;
};

// A block that was not read yet.
struct block {
    uint32_t seg, number;
    int64_t oldest, newest;
    uint32_t resource_lo, resource_hi;
};

struct op_context {
    struct row_ref *input;
    uint32_t input_n, input_cap;
    struct stream *streams;
    uint32_t streams_n, streams_cap;
    uint32_t *slots, mask; // hash table over streams by key alone, index + 1
    struct block *blocks;
    uint32_t blocks_n, blocks_cap;
    // Ordinals of each stream's resource in each segment, streams_n * segs_n: lo > hi where it has none.
    struct ordinals {
        uint32_t lo, hi;
    } * ordinals;
    size_t ordinals_n;
    struct row_ref *out;
    uint8_t *out_match;
    uint32_t out_n, out_cap, out_match_cap;
};

int op_context_new(struct op *op)
{
    op->context = arena_zalloc(&op->x->arena, sizeof *op->context);
    return op->context ? 0 : exec_nomem(op->x);
}

int op_context_push(struct op *op, struct vbatch *b)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    for (BITS_EACH(i, b->sel, b->n)) {
        if (c->input_n == MATCHES_MAX) {
            int rc = query_fail(x->err, QUERY_E_TOO_MANY_ROWS, "context takes at most %d rows", MATCHES_MAX);
            query_error_hint(x->err, "narrow the filter, or put a limit before it");
            return rc;
        }
        int rc = exec_grow(x, (void **)&c->input, &c->input_cap, c->input_n, sizeof *c->input);
        if (rc < 0)
            return rc;
        c->input[c->input_n++] = vbatch_ref(b, i);
    }
    return 0;
}

// ---- order ----

static int order_ascending(const struct exec *x, const struct row_order *a, const struct row_order *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return row_order_compare(x, a, b);
}

static int order_rows(const void *a, const void *b, void *ctx) { return order_ascending(ctx, a, b); }

static int order_refs(const void *pa, const void *pb)
{
    const struct row_ref *a = pa, *b = pb;
    if (a->seg != b->seg)
        return a->seg < b->seg ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

// The input row that comes first in the order of results.
static const struct row_order *newest(const struct stream *s)
{
    uint32_t i = s->matches_n - 1;
    while (i > 0 && s->matches[i - 1].time == s->matches[i].time)
        i--;
    return &s->matches[i];
}

static int order_streams(const void *a, const void *b, void *ctx)
{
    return row_order_compare(ctx, newest(a), newest(b));
}

// What came later into its place: the tail is sorted and merged with what is in order.
static int rows_sort(struct exec *x, struct stream *s)
{
    uint32_t tail = s->n - s->sorted, i = s->sorted, k = tail, to = s->n;
    if (tail == 0)
        return 0;
    qsort_r(s->rows + s->sorted, tail, sizeof *s->rows, order_rows, x);
    if (i == 0 || order_ascending(x, &s->rows[i - 1], &s->rows[i]) < 0) {
        s->sorted = s->n;
        return 0;
    }
    struct row_order *moved = exec_alloc(x, tail * sizeof *moved);
    if (!moved)
        return exec_nomem(x);
    memcpy(moved, s->rows + s->sorted, tail * sizeof *moved);
    while (k > 0) {
        bool old = i > 0 && order_ascending(x, &s->rows[i - 1], &moved[k - 1]) > 0;
        s->rows[--to] = old ? s->rows[--i] : moved[--k];
    }
    exec_free(x, moved, tail * sizeof *moved);
    s->sorted = s->n;
    return 0;
}

// How many rows come before o.
static uint32_t rows_before(const struct exec *x, const struct stream *s, const struct row_order *o)
{
    uint32_t lo = 0, hi = s->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (order_ascending(x, &s->rows[mid], o) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

// ---- streams ----

static struct stream *stream_find(const struct op_context *c, uint32_t project, uint64_t key)
{
    for (uint32_t i = (uint32_t)key & c->mask; c->slots && c->slots[i]; i = (i + 1) & c->mask) {
        struct stream *s = &c->streams[c->slots[i] - 1];
        if (s->key == key && s->project == project)
            return s;
    }
    return NULL;
}

static void stream_place(struct op_context *c, uint32_t k)
{
    uint32_t i = (uint32_t)c->streams[k].key & c->mask;
    while (c->slots[i])
        i = (i + 1) & c->mask;
    c->slots[i] = k + 1;
}

static int stream_get(struct op *op, uint32_t project, uint64_t key, struct stream **ret)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    *ret = stream_find(c, project, key);
    if (*ret)
        return 0;
    int rc = exec_grow(x, (void **)&c->streams, &c->streams_cap, c->streams_n, sizeof *c->streams);
    if (rc < 0)
        return rc;
    if (!c->slots || c->streams_n * 2 >= c->mask) {
        uint32_t n = c->slots ? (c->mask + 1) * 2 : 64;
        uint32_t *more = exec_zalloc(x, (size_t)n * 4);
        if (!more)
            return exec_nomem(x);
        if (c->slots)
            exec_free(x, c->slots, ((size_t)c->mask + 1) * 4);
        c->slots = more;
        c->mask = n - 1;
        for (uint32_t i = 0; i < c->streams_n; i++)
            stream_place(c, i);
    }
    c->streams[c->streams_n] = (struct stream){ .project = project, .key = key };
    stream_place(c, c->streams_n);
    *ret = &c->streams[c->streams_n++];
    return 0;
}

// ---- the rows of a block ----

struct block_rows {
    struct vbatch b;
    struct vec time, resource, received, project;
    struct cvec by[CONTEXT_BY_MAX];
};

static int block_open(struct op *op, uint32_t seg, uint32_t block, struct block_rows *r)
{
    struct exec *x = op->x;
    struct exec_segment *s = &x->segs[seg];
    const struct {
        uint32_t col;
        struct vec *to;
    } columns[] = { { COL_TIME, &r->time },
                    { COL_RESOURCE, &r->resource },
                    { COL_RECEIVED, &r->received },
                    { COL_PROJECT, &r->project } };
    arena_reset(&x->scratch);
    x->step = op->step->name;
    int rc = exec_poll(x);
    if (rc == 0)
        rc = exec_seek(x, s, TABLE_ROWS, block);
    if (rc == 0)
        rc = vbatch_init(&r->b, x, VBATCH_BLOCK, segment_block_rows(s->seg, TABLE_ROWS, block));
    if (rc < 0)
        return rc;
    r->b.seg = s;
    s->scanned = true;
    rc = scan_projects(&r->b);
    for (size_t i = 0; i < sizeof columns / sizeof *columns && rc == 0; i++)
        rc = exec_column(x, s, TABLE_ROWS, columns[i].col, columns[i].to);
    for (uint32_t f = 0; f < op->step->by_count && rc == 0; f++)
        rc = vbatch_field(&r->b, op->step->by[f], &r->by[f]);
    return rc;
}

static struct row_order block_order(const struct block_rows *r, uint32_t i)
{
    return (struct row_order){ r->time.i64[i], segment_resource_hash(r->b.seg->seg, r->resource.u32[i]),
                               r->received.i64[i], vbatch_ref(&r->b, i) };
}

// Which stream row i belongs to.
static void block_stream(const struct op *op, const struct block_rows *r, uint32_t i, uint32_t *ret_project,
                         uint64_t *ret_key)
{
    *ret_project = 0;
    *ret_key = 0;
    if (op->step->by_count == 0) {
        *ret_project = r->project.u32[i];
        *ret_key = segment_resource_hash(r->b.seg->seg, r->resource.u32[i]);
    }
    for (uint32_t f = 0; f < op->step->by_count; f++) {
        struct qval q = cvec_get(&r->by[f], i);
        *ret_key = hash64_int(*ret_key * 0x9e3779b97f4a7c15u + qval_hash(&q));
    }
}

// Its rows to the streams that they are of.
static int block_read(struct op *op, uint32_t seg, uint32_t block)
{
    struct exec *x = op->x;
    struct block_rows r;
    struct stream *s = NULL;
    uint32_t project, last_project = 0;
    uint64_t key, last_key = 0;
    bool known = false;
    int rc = block_open(op, seg, block, &r);
    if (rc < 0)
        return rc;
    x->stats.scanned += r.b.n;
    for (BITS_EACH(i, r.b.sel, r.b.n)) {
        block_stream(op, &r, i, &project, &key);
        if (!known || key != last_key || project != last_project) // neighbours mostly are of one stream
            s = stream_find(op->context, project, key);
        known = true;
        last_key = key;
        last_project = project;
        if (!s)
            continue;
        rc = exec_grow(x, (void **)&s->rows, &s->cap, s->n, sizeof *s->rows);
        if (rc < 0)
            return rc;
        s->rows[s->n++] = block_order(&r, i);
    }
    return 0;
}

// ---- input ----

// The streams of the input rows.
static int input_streams(struct op *op)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    int rc = 0;
    qsort(c->input, c->input_n, sizeof *c->input, order_refs);
    for (uint32_t from = 0, to; from < c->input_n && rc == 0; from = to) {
        uint32_t seg = c->input[from].seg, block = c->input[from].row / BLOCK_ROWS;
        struct block_rows r;
        rc = block_open(op, seg, block, &r);
        for (to = from; to < c->input_n && c->input[to].seg == seg && c->input[to].row / BLOCK_ROWS == block; to++) {
            uint32_t project, i = c->input[to].row % BLOCK_ROWS;
            struct stream *s;
            uint64_t key;
            if (rc < 0)
                return rc;
            block_stream(op, &r, i, &project, &key);
            rc = stream_get(op, project, key, &s);
            if (rc == 0)
                rc = exec_grow(x, (void **)&s->matches, &s->matches_cap, s->matches_n, sizeof *s->matches);
            if (rc == 0)
                s->matches[s->matches_n++] = block_order(&r, i);
        }
    }
    for (uint32_t i = 0; i < c->streams_n && rc == 0; i++)
        qsort_r(c->streams[i].matches, c->streams[i].matches_n, sizeof *c->streams[i].matches, order_rows, x);
    return rc;
}

// Where the streams' resources are in each segment.
static int find_ordinals(struct op *op)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    c->ordinals_n = (size_t)c->streams_n * x->segs_n;
    c->ordinals = exec_alloc(x, c->ordinals_n * sizeof *c->ordinals);
    if (!c->ordinals)
        return exec_nomem(x);
    for (size_t i = 0; i < c->ordinals_n; i++)
        c->ordinals[i] = (struct ordinals){ UINT32_MAX, 0 };
    for (uint32_t g = 0; g < x->segs_n; g++) {
        uint32_t n = segment_resources(x->segs[g].seg);
        for (uint32_t r = 0; r < n && x->segs[g].source == QUERY_LOGS; r++) {
            uint64_t key = segment_resource_hash(x->segs[g].seg, r);
            for (uint32_t i = (uint32_t)key & c->mask; c->slots[i]; i = (i + 1) & c->mask) {
                struct ordinals *o = &c->ordinals[(size_t)(c->slots[i] - 1) * x->segs_n + g];
                if (c->streams[c->slots[i] - 1].key != key)
                    continue;
                o->lo = r < o->lo ? r : o->lo;
                o->hi = r > o->hi ? r : o->hi;
            }
        }
    }
    return 0;
}

static bool has_input(const struct op_context *c, uint32_t seg, uint32_t block)
{
    struct row_ref key = { seg, block * BLOCK_ROWS };
    uint32_t lo = 0, hi = c->input_n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (order_refs(&c->input[mid], &key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->input_n && c->input[lo].seg == seg && c->input[lo].row / BLOCK_ROWS == block;
}

// All blocks of logs: those with input rows are read, the others wait.
static int list_blocks(struct op *op)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    int rc = 0;
    for (uint32_t g = 0; g < x->segs_n && rc == 0; g++) {
        const struct exec_segment *s = &x->segs[g];
        uint32_t n = s->source == QUERY_LOGS ? segment_blocks(s->seg, TABLE_ROWS) : 0;
        for (uint32_t k = 0; k < n && rc == 0; k++) {
            struct block b = { .seg = g, .number = k, .resource_hi = UINT32_MAX };
            int64_t lo, hi;
            if (has_input(c, g, k)) {
                rc = block_read(op, g, k);
                continue;
            }
            scan_block_times(s, k, &b.oldest, &b.newest);
            if (segment_block_range(s->seg, TABLE_ROWS, k, COL_RESOURCE, &lo, &hi)) {
                b.resource_lo = (uint32_t)lo;
                b.resource_hi = (uint32_t)hi;
            }
            rc = exec_grow(x, (void **)&c->blocks, &c->blocks_cap, c->blocks_n, sizeof *c->blocks);
            if (rc == 0)
                c->blocks[c->blocks_n++] = b;
        }
    }
    return rc;
}

// ---- neighbours ----

// The waiting block that may hold rows of the stream from `oldest` to `newest` and comes nearest to the end (with
// back) or the begin of this time; blocks_n: none does.
static uint32_t next_block(const struct op *op, uint32_t stream, int64_t oldest, int64_t newest, bool back)
{
    const struct op_context *c = op->context;
    uint32_t best = c->blocks_n;
    for (uint32_t i = 0; i < c->blocks_n; i++) {
        const struct block *b = &c->blocks[i];
        if (b->newest < oldest || b->oldest > newest)
            continue;
        if (c->ordinals) {
            const struct ordinals *o = &c->ordinals[(size_t)stream * op->x->segs_n + b->seg];
            if (o->lo > o->hi || o->lo > b->resource_hi || o->hi < b->resource_lo)
                continue;
        }
        if (best == c->blocks_n || (back ? b->newest > c->blocks[best].newest : b->oldest < c->blocks[best].oldest))
            best = i;
    }
    return best;
}

// Reads until no waiting block can hold one of the n rows next to `o`.
static int read_around(struct op *op, uint32_t stream, const struct row_order *o)
{
    struct op_context *c = op->context;
    struct stream *s = &c->streams[stream];
    uint64_t n = op->step->n;
    for (;;) {
        int rc = rows_sort(op->x, s);
        if (rc < 0 || c->blocks_n == 0 || n == 0)
            return rc;
        uint32_t at = rows_before(op->x, s, o);
        int64_t oldest = at >= n ? s->rows[at - n].time : INT64_MIN;
        int64_t newest = n < s->n - at ? s->rows[at + n].time : INT64_MAX;
        uint32_t k = next_block(op, stream, oldest, o->time, true);
        if (k == c->blocks_n)
            k = next_block(op, stream, o->time, newest, false);
        if (k == c->blocks_n)
            return 0;
        struct block b = c->blocks[k];
        c->blocks[k] = c->blocks[--c->blocks_n];
        rc = block_read(op, b.seg, b.number);
        if (rc < 0)
            return rc;
    }
}

static int out_add(struct op *op, struct row_ref ref, bool match)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    int rc = exec_grow(x, (void **)&c->out, &c->out_cap, c->out_n, sizeof *c->out);
    if (rc == 0)
        rc = exec_grow(x, (void **)&c->out_match, &c->out_match_cap, c->out_n, 1);
    if (rc < 0)
        return rc;
    c->out[c->out_n] = ref;
    c->out_match[c->out_n++] = match;
    return 0;
}

static int stream_out(struct op *op, const struct stream *s)
{
    uint64_t n = op->step->n;
    uint32_t next = 0; // row that was not looked at yet
    int rc = 0;
    for (uint32_t m = 0, input = 0; m < s->matches_n && rc == 0; m++) {
        uint32_t at = rows_before(op->x, s, &s->matches[m]);
        uint32_t from = at > n ? at - (uint32_t)n : 0, to = s->n - at > n ? at + (uint32_t)n + 1 : s->n;
        next = from > next ? from : next;
        for (; next < to && rc == 0; next++) {
            while (input < s->matches_n && order_ascending(op->x, &s->matches[input], &s->rows[next]) < 0)
                input++;
            bool match = input < s->matches_n && order_refs(&s->matches[input].ref, &s->rows[next].ref) == 0;
            rc = out_add(op, s->rows[next].ref, match);
        }
    }
    return rc;
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    b->refs = op->context->out + from;
    int rc = 0;
    for (struct op *o = op->chain; o != op && rc == 0; o = o->next) // the neighbours get the same columns
        rc = op_make_columns(o, b);
    b->slots[op->step->match_slot] =
        (struct cvec){ .kind = CVEC_BOOL, .type = QVAL_BOOL, .u8 = op->context->out_match + from };
    return rc;
}

int op_context_finish(struct op *op)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    x->step = op->step->name;
    int rc = c->input_n ? input_streams(op) : 0;
    if (rc == 0 && c->input_n && op->step->by_count == 0)
        rc = find_ordinals(op);
    if (rc == 0 && c->input_n)
        rc = list_blocks(op);
    for (uint32_t s = 0; s < c->streams_n && rc == 0; s++) {
        for (uint32_t m = 0; m < c->streams[s].matches_n && rc == 0; m++)
            rc = read_around(op, s, &c->streams[s].matches[m]);
    }
    // From here on nothing looks for a stream by its place.
    if (rc == 0 && c->streams_n > 1)
        qsort_r(c->streams, c->streams_n, sizeof *c->streams, order_streams, x);
    for (uint32_t s = 0; s < c->streams_n && rc == 0; s++)
        rc = stream_out(op, &c->streams[s]);
    return rc < 0 ? rc : op_emit(op, c->out_n, fill, VBATCH_REFS);
}

void op_context_free(struct op *op)
{
    struct op_context *c = op->context;
    struct exec *x = op->x;
    if (!c)
        return;
    for (uint32_t s = 0; s < c->streams_n; s++) {
        exec_free(x, c->streams[s].rows, c->streams[s].cap * sizeof *c->streams[s].rows);
        exec_free(x, c->streams[s].matches, c->streams[s].matches_cap * sizeof *c->streams[s].matches);
    }
    exec_free(x, c->streams, c->streams_cap * sizeof *c->streams);
    if (c->slots)
        exec_free(x, c->slots, ((size_t)c->mask + 1) * 4);
    exec_free(x, c->input, c->input_cap * sizeof *c->input);
    exec_free(x, c->blocks, c->blocks_cap * sizeof *c->blocks);
    exec_free(x, c->ordinals, c->ordinals_n * sizeof *c->ordinals);
    exec_free(x, c->out, c->out_cap * sizeof *c->out);
    exec_free(x, c->out_match, c->out_match_cap);
    op->context = NULL;
}
