#include "query/vbatch.h"

#include "query/child_filter.h"
#include "query/path.h"

#include <stdlib.h>

int vbatch_init(struct vbatch *b, struct exec *x, enum vbatch_kind kind, uint32_t n)
{
    *b = (struct vbatch){ .x = x, .kind = kind, .n = n };
    b->slots = exec_scratch(x, x->plan->slot_count, sizeof *b->slots);
    b->fields = exec_scratch(x, x->plan->ref_count, sizeof *b->fields);
    b->sel = exec_bits(x, n, true);
    if (!b->slots || !b->fields || !b->sel)
        return exec_nomem(x);
    memset(b->slots, 0, x->plan->slot_count * sizeof *b->slots);
    memset(b->fields, 0, x->plan->ref_count * sizeof *b->fields);
    return 0;
}

// ---- the order of records ----

int row_order_compare(const struct exec *x, const struct row_order *a, const struct row_order *b)
{
    if (a->time != b->time)
        return a->time > b->time ? -1 : 1;
    if (a->ref.seg != b->ref.seg && a->ref.seg < x->segs_n && b->ref.seg < x->segs_n) {
        int sa = (int)x->segs[a->ref.seg].source, sb = (int)x->segs[b->ref.seg].source;
        if (sa != sb)
            return sa < sb ? -1 : 1;
    }
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    if (a->received != b->received)
        return a->received < b->received ? -1 : 1;
    if (a->ref.seg != b->ref.seg)
        return a->ref.seg < b->ref.seg ? -1 : 1;
    return (a->ref.row > b->ref.row) - (a->ref.row < b->ref.row);
}

int vbatch_order(struct vbatch *b, uint32_t i, struct row_order *ret)
{
    struct vec time, resource, received;
    if (b->ordered || b->kind != VBATCH_BLOCK) {
        *ret = (struct row_order){ .time = -(int64_t)(b->number + i) };
        return 0;
    }
    int rc = exec_column(b->x, b->seg, TABLE_ROWS, COL_TIME, &time);
    if (rc == 0)
        rc = exec_column(b->x, b->seg, TABLE_ROWS, COL_RESOURCE, &resource);
    if (rc == 0)
        rc = exec_column(b->x, b->seg, TABLE_ROWS, COL_RECEIVED, &received);
    if (rc < 0)
        return rc;
    *ret = (struct row_order){ .time = time.i64[i],
                               .resource = segment_resource_hash(b->seg->seg, resource.u32[i]),
                               .received = received.i64[i],
                               .ref = vbatch_ref(b, i) };
    return 0;
}

// ---- references to records, block by block ----

struct ref_place {
    uint64_t key; // segment, row
    uint32_t index;
};

static int ref_place_order(const void *a, const void *b)
{
    const struct ref_place *p = a, *q = b;
    if (p->key != q->key)
        return p->key < q->key ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

int vbatch_by_block(struct vbatch *b, const uint64_t *in,
                    int (*fn)(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n),
                    void *ctx)
{
    struct exec *x = b->x;
    uint32_t n = bits_count(in, b->n), k = 0;
    struct ref_place *p = exec_scratch(x, n, sizeof *p);
    uint32_t *index = exec_scratch(x, n, sizeof *index), *at = exec_scratch(x, n, sizeof *at);
    int rc = 0;
    if (!p || !index || !at)
        return exec_nomem(x);
    for (BITS_EACH(i, in, b->n))
        p[k++] = (struct ref_place){ (uint64_t)b->refs[i].seg << 32 | b->refs[i].row, i };
    qsort(p, n, sizeof *p, ref_place_order);
    for (uint32_t from = 0, to; from < n && rc == 0; from = to) {
        uint64_t block = p[from].key / BLOCK_ROWS;
        for (to = from; to < n && p[to].key / BLOCK_ROWS == block; to++) {
            index[to] = p[to].index;
            at[to] = (uint32_t)(p[to].key % BLOCK_ROWS);
        }
        struct exec_segment *s = &x->segs[p[from].key >> 32];
        rc = exec_seek(x, s, TABLE_ROWS, (uint32_t)p[from].key / BLOCK_ROWS);
        if (rc == 0)
            rc = fn(ctx, s, index + from, at + from, to - from);
    }
    return rc;
}

// The rows at[0..n) of the current block as a bitmap.
static uint64_t *rows_bits(struct exec *x, struct exec_segment *s, const uint32_t *at, uint32_t n, uint32_t *ret_rows)
{
    *ret_rows = segment_block_rows(s->seg, TABLE_ROWS, s->block[TABLE_ROWS]);
    uint64_t *bits = exec_bits(x, *ret_rows, false);
    for (uint32_t i = 0; bits && i < n; i++)
        bit_set(bits, at[i]);
    return bits;
}

// ---- fields ----

struct gather {
    struct exec *x;
    const struct query_ref *ref; // or
    enum query_field_id field;
    struct qval *any;
};

static int gather_block(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n)
{
    struct gather *g = ctx;
    struct chain *c;
    struct cvec v;
    uint32_t rows;
    uint64_t *sel = rows_bits(g->x, s, at, n, &rows);
    if (!sel)
        return exec_nomem(g->x);
    int rc = g->ref ? chain_get(g->x, s, g->ref, &c) : chain_field(g->x, s, g->field, &c);
    if (rc == 0)
        rc = chain_vec(g->x, s, TABLE_ROWS, c, sel, rows, &v);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < n; i++) {
        g->any[index[i]] = cvec_get(&v, at[i]);
        if (qval_dup(&g->x->scratch, &g->any[index[i]]) < 0)
            return exec_nomem(g->x);
    }
    return 0;
}

static int gather_all(struct vbatch *b, struct gather *g, struct cvec *ret)
{
    g->any = exec_scratch(b->x, b->n, sizeof(struct qval));
    if (!g->any)
        return exec_nomem(b->x);
    memset(g->any, 0, b->n * sizeof *g->any);
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = g->any };
    return vbatch_by_block(b, b->sel, gather_block, g);
}

int vbatch_fixed(struct vbatch *b, enum query_field_id field, struct cvec *ret)
{
    struct gather g = { .x = b->x, .field = field };
    struct chain *c;
    *ret = (struct cvec){ .kind = CVEC_NONE };
    if (b->kind == VBATCH_ROWS)
        return 0;
    if (b->kind == VBATCH_REFS)
        return gather_all(b, &g, ret);
    int rc = chain_field(b->x, b->seg, field, &c);
    return rc < 0 ? rc : chain_vec(b->x, b->seg, TABLE_ROWS, c, b->sel, b->n, ret);
}

// A path into a column that a step has made.
static int slot_path(struct vbatch *b, const struct query_ref *ref, struct cvec *v)
{
    uint32_t n = ref->path_len - ref->path_from_slot;
    const struct query_path_item *path = ref->path + ref->path_from_slot;
    if (n == 0)
        return 0;
    struct qval *any = exec_scratch(b->x, b->n, sizeof *any);
    if (!any)
        return exec_nomem(b->x);
    memset(any, 0, b->n * sizeof *any);
    for (BITS_EACH(i, b->sel, b->n)) {
        struct qval q = cvec_get(v, i);
        if (q.type != QVAL_LIST && q.type != QVAL_MAP)
            continue;
        struct value value = { .type = q.type == QVAL_LIST ? VALUE_LIST : VALUE_MAP, .s = q.s };
        if (path_value(&b->x->scratch, &value, path, n, &any[i]) < 0)
            return exec_nomem(b->x);
    }
    *v = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}

// What the records hold, whatever steps have made.
static int record_field(struct vbatch *b, const struct query_ref *ref, struct cvec *ret)
{
    struct gather g = { .x = b->x, .ref = ref };
    struct chain *c;
    *ret = (struct cvec){ .kind = CVEC_NONE };
    if (b->kind == VBATCH_ROWS)
        return 0;
    if (b->kind == VBATCH_REFS)
        return gather_all(b, &g, ret);
    int rc = chain_get(b->x, b->seg, ref, &c);
    return rc < 0 ? rc : chain_vec(b->x, b->seg, TABLE_ROWS, c, b->sel, b->n, ret);
}

// Fields of a text stand before what the record has under the same name.
static int or_record(struct vbatch *b, const struct query_ref *ref, struct cvec *v)
{
    struct cvec own;
    int rc = record_field(b, ref, &own);
    if (rc < 0 || own.kind == CVEC_NONE)
        return rc;
    if (v->kind == CVEC_NONE) {
        *v = own;
        return 0;
    }
    struct qval *any = exec_scratch(b->x, b->n, sizeof *any);
    if (!any)
        return exec_nomem(b->x);
    memset(any, 0, b->n * sizeof *any);
    for (BITS_EACH(i, b->sel, b->n)) {
        any[i] = cvec_get(v, i);
        if (any[i].type == QVAL_MISSING)
            any[i] = cvec_get(&own, i);
    }
    *v = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}

int vbatch_field(struct vbatch *b, const struct query_ref *ref, struct cvec *ret)
{
    int rc = 0;
    if (b->fields[ref->index]) {
        *ret = *b->fields[ref->index];
        return 0;
    }
    *ret = (struct cvec){ .kind = CVEC_NONE };
    if (ref->slot != QUERY_NO_SLOT) {
        *ret = b->slots[ref->slot];
        rc = slot_path(b, ref, ret);
        if (rc == 0 && ref->or_record)
            rc = or_record(b, ref, ret);
    } else {
        rc = record_field(b, ref, ret);
    }
    if (rc < 0)
        return rc;
    struct cvec *keep = exec_scratch(b->x, 1, sizeof *keep);
    if (!keep)
        return exec_nomem(b->x);
    *keep = *ret;
    b->fields[ref->index] = keep;
    return 0;
}

// ---- how many rows have a field ----

// Does a row's shape tell whether it has a value here?
static bool shape_tells(const struct place *p)
{
    bool strings = p->kind == PLACE_STR && !p->empty_missing && p->type != QVAL_ID;
    return p->col >= COL_FIXED && (strings || p->kind == PLACE_I64 || p->kind == PLACE_F64 || p->kind == PLACE_BOOL);
}

static bool shape_has(struct shape s, uint32_t column)
{
    for (uint32_t k = 0; k < s.n; k++) {
        if (s.columns[k] == column)
            return true;
    }
    return false;
}

// Rows of each shape of the batch, counted once.
static int shapes_count(struct vbatch *b)
{
    struct vec shape;
    uint32_t n = segment_shapes(b->seg->seg, TABLE_ROWS);
    if (b->shape_rows)
        return 0;
    int rc = exec_column(b->x, b->seg, TABLE_ROWS, COL_SHAPE, &shape);
    uint32_t *rows = exec_scratch(b->x, n, sizeof *rows), *shapes = exec_scratch(b->x, n, sizeof *shapes);
    if (rc < 0)
        return rc;
    if (!rows || !shapes)
        return exec_nomem(b->x);
    memset(rows, 0, n * sizeof *rows);
    for (BITS_EACH(i, b->sel, b->n)) {
        if (rows[shape.u32[i]]++ == 0)
            shapes[b->shapes_n++] = shape.u32[i];
    }
    b->shape_rows = rows;
    b->shapes = shapes;
    return 0;
}

static int count_by_shape(struct vbatch *b, const struct chain *c, uint64_t *ret)
{
    int rc = shapes_count(b);
    for (uint32_t i = 0; i < b->shapes_n && rc == 0; i++) {
        struct shape s = segment_shape(b->seg->seg, TABLE_ROWS, b->shapes[i]);
        bool has = false;
        for (uint32_t k = 0; k < c->n && !has; k++)
            has = shape_has(s, c->places[k].col - COL_FIXED);
        *ret += has ? b->shape_rows[b->shapes[i]] : 0;
    }
    return rc;
}

// A row counts once, in whichever place it has a value.
static int count_by_place(struct vbatch *b, const struct chain *c, uint64_t *ret)
{
    static const struct qval yes = { .type = QVAL_BOOL, .b = true };
    size_t words = BITS_WORDS(b->n);
    uint64_t *left = exec_bits(b->x, b->n, false), *has = exec_bits(b->x, b->n, false);
    if (!left || !has)
        return exec_nomem(b->x);
    memcpy(left, b->sel, words * 8);
    for (uint32_t k = 0; k < c->n && bits_any(left, b->n); k++) {
        struct cvec v = { .kind = CVEC_CONST, .table = &yes };
        // Every row is of a project and has these times: no need to look.
        bool always =
            c->places[k].kind == PLACE_PROJECT || (c->places[k].kind == PLACE_I64 && c->places[k].col < COL_FIXED);
        int rc = always ? 0 : place_vec(b->x, b->seg, TABLE_ROWS, &c->places[k], left, b->n, &v);
        if (rc < 0)
            return rc;
        cvec_present(&v, left, b->n, has);
        *ret += bits_count(has, b->n);
        for (size_t w = 0; w < words; w++)
            left[w] &= ~has[w];
    }
    return 0;
}

int vbatch_count(struct vbatch *b, const struct query_ref *ref, uint64_t *ret)
{
    struct chain *c;
    struct cvec v;
    *ret = 0;
    if (b->kind == VBATCH_BLOCK && ref->slot == QUERY_NO_SLOT && !b->fields[ref->index]) {
        int rc = chain_get(b->x, b->seg, ref, &c);
        bool tell = true;
        for (uint32_t i = 0; rc == 0 && i < c->n; i++)
            tell &= shape_tells(&c->places[i]);
        return rc < 0 ? rc : tell ? count_by_shape(b, c, ret) : count_by_place(b, c, ret);
    }
    uint64_t *has = exec_bits(b->x, b->n, false);
    int rc = has ? vbatch_field(b, ref, &v) : exec_nomem(b->x);
    if (rc < 0)
        return rc;
    cvec_present(&v, b->sel, b->n, has);
    *ret = bits_count(has, b->n);
    return 0;
}

// ---- filters ----

static int filter_block(struct exec *x, struct exec_segment *s, const struct query_filter *f, const uint64_t *in,
                        uint32_t n, uint64_t *out)
{
    return f->kind == QUERY_FILTER_CHILD ? child_filter_block(x, s, f, in, n, out) : leaf_block(x, s, f, in, n, out);
}

struct leaf_gather {
    struct exec *x;
    const struct query_filter *leaf;
    uint64_t *out;
};

static int leaf_gather_block(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n)
{
    struct leaf_gather *g = ctx;
    uint32_t rows;
    uint64_t *sel = rows_bits(g->x, s, at, n, &rows), *hit = exec_bits(g->x, rows, false);
    if (!sel || !hit)
        return exec_nomem(g->x);
    int rc = filter_block(g->x, s, g->leaf, sel, rows, hit);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        if (bit_get(hit, at[i]))
            bit_set(g->out, index[i]);
    }
    return rc;
}

static int filter_leaf(struct vbatch *b, const struct query_filter *f, const uint64_t *in, uint64_t *out)
{
    struct cvec v;
    if (f->ref && f->ref->slot != QUERY_NO_SLOT) {
        int rc = vbatch_field(b, f->ref, &v);
        return rc < 0 ? rc : leaf_vec(b->x, f, &v, NULL, 0, in, b->n, out);
    }
    if (b->kind == VBATCH_BLOCK)
        return filter_block(b->x, b->seg, f, in, b->n, out);
    if (b->kind == VBATCH_REFS) {
        struct leaf_gather g = { b->x, f, out };
        return vbatch_by_block(b, in, leaf_gather_block, &g);
    }
    return 0;
}

int vbatch_filter(struct vbatch *b, const struct query_filter *f, const uint64_t *in, uint64_t **ret_out)
{
    struct exec *x = b->x;
    size_t words = BITS_WORDS(b->n);
    uint64_t *out = exec_bits(x, b->n, false), *kid, *rest;
    int rc = 0;
    if (!out)
        return exec_nomem(x);
    switch (f->kind) {
    case QUERY_FILTER_TRUE:
        memcpy(out, in, words * 8);
        break;
    case QUERY_FILTER_AND:
        memcpy(out, in, words * 8);
        for (uint32_t i = 0; i < f->kid_count && rc == 0 && bits_any(out, b->n); i++) {
            rc = vbatch_filter(b, f->kids[i], out, &kid);
            if (rc == 0)
                out = kid;
        }
        break;
    case QUERY_FILTER_OR:
        rest = exec_bits(x, b->n, false);
        if (!rest)
            return exec_nomem(x);
        memcpy(rest, in, words * 8);
        for (uint32_t i = 0; i < f->kid_count && rc == 0 && bits_any(rest, b->n); i++) {
            rc = vbatch_filter(b, f->kids[i], rest, &kid);
            for (size_t w = 0; rc == 0 && w < words; w++) {
                out[w] |= kid[w];
                rest[w] &= ~kid[w];
            }
        }
        break;
    case QUERY_FILTER_NOT:
        rc = vbatch_filter(b, f->kids[0], in, &kid);
        for (size_t w = 0; rc == 0 && w < words; w++)
            out[w] = in[w] & ~kid[w];
        break;
    default:
        rc = filter_leaf(b, f, in, out);
        break;
    }
    *ret_out = out;
    return rc;
}
