// sort: all rows, or the best n when only those are wanted.
#include "query/op.h"

#include <stdlib.h>

enum { SORT_ROWS_MAX = 1000000, SORT_SLACK = 8192 };

struct sort_row {
    struct row_order order;
    struct row_ref ref;
    struct qval cells[]; // the keys, then the slots made before this step
};

struct op_sort {
    char *rows; // of `stride` bytes each
    size_t stride;
    uint32_t n, cap;
    uint32_t keys, slots;
    uint32_t *order; // the rows in order, once sorted
    uint32_t order_n;
    int32_t *slot_ids;
    bool records, have_worst;
    uint32_t worst; // once cut: the last row that was kept
};

static struct sort_row *row_at(const struct op_sort *s, uint32_t i)
{
    return (struct sort_row *)(void *)(s->rows + i * s->stride);
}

static int compare_rows(const void *pa, const void *pb, void *ctx)
{
    struct op *op = ctx;
    const struct sort_row *a = pa, *b = pb;
    for (uint32_t k = 0; k < op->sort->keys; k++) {
        const struct qval *x = &a->cells[k], *y = &b->cells[k];
        if (x->type == QVAL_MISSING || y->type == QVAL_MISSING) {
            if (x->type != y->type)
                return x->type == QVAL_MISSING ? 1 : -1; // missing last, both ways
            continue;
        }
        int c = qval_order(x, y);
        if (c != 0)
            return op->step->keys[k].desc ? -c : c;
    }
    return row_order_compare(op->x, &a->order, &b->order);
}

static int compare_indexes(const void *pa, const void *pb, void *ctx)
{
    struct op *op = ctx;
    return compare_rows(row_at(op->sort, *(const uint32_t *)pa), row_at(op->sort, *(const uint32_t *)pb), ctx);
}

int op_sort_new(struct op *op)
{
    struct exec *x = op->x;
    struct op_sort *s = op->sort = arena_zalloc(&x->arena, sizeof *s);
    if (!s)
        return exec_nomem(x);
    s->slot_ids = arena_alloc_array(&x->arena, x->plan->slot_count + 1, sizeof *s->slot_ids);
    if (!s->slot_ids)
        return exec_nomem(x);
    for (uint32_t i = 0; i < x->plan->slot_count; i++) {
        if (x->plan->columns[i].step < op->step_index)
            s->slot_ids[s->slots++] = (int32_t)i;
    }
    s->keys = op->step->key_count;
    s->stride = sizeof(struct sort_row) + (s->keys + s->slots) * sizeof(struct qval);
    return 0;
}

static int sort_indexes(struct op *op)
{
    struct op_sort *s = op->sort;
    exec_free(op->x, s->order, (size_t)s->order_n * 4);
    s->order_n = 0;
    s->order = exec_alloc(op->x, (size_t)(s->n ? s->n : 1) * 4);
    if (!s->order)
        return exec_nomem(op->x);
    s->order_n = s->n ? s->n : 1;
    for (uint32_t i = 0; i < s->n; i++)
        s->order[i] = i;
    qsort_r(s->order, s->n, sizeof *s->order, compare_indexes, op);
    return 0;
}

// Keeps the best `limit` rows only.
static int cut(struct op *op)
{
    struct op_sort *s = op->sort;
    uint32_t keep = (uint32_t)op->step->sort_limit;
    int rc = sort_indexes(op);
    if (rc < 0)
        return rc;
    char *rows = exec_alloc(op->x, s->cap * s->stride);
    if (!rows)
        return exec_nomem(op->x);
    for (uint32_t i = 0; i < keep; i++)
        memcpy(rows + i * s->stride, row_at(s, s->order[i]), s->stride);
    exec_free(op->x, s->rows, s->cap * s->stride);
    s->rows = rows;
    s->n = keep;
    s->have_worst = keep > 0;
    s->worst = keep - 1;
    return 0;
}

static int too_many(struct op *op)
{
    query_fail(op->x->err, QUERY_E_TOO_MANY_ROWS, "sort meets more than %d rows", SORT_ROWS_MAX);
    query_error_at(op->x->err, op->x->plan->text, op->step->pos.off, op->step->pos.len);
    query_error_hint(op->x->err, "put `| limit n` behind it, or narrow the filter");
    return ERR_LIMIT;
}

int op_sort_push(struct op *op, struct vbatch *b)
{
    struct exec *x = op->x;
    struct op_sort *s = op->sort;
    struct cvec *v = exec_scratch(x, s->keys + s->slots, sizeof *v);
    struct sort_row *row = exec_scratch(x, 1, s->stride);
    uint64_t limit = op->step->sort_limit;
    bool top = limit > 0 && limit <= SORT_ROWS_MAX;
    int rc = 0;
    if (!v || !row)
        return exec_nomem(x);
    s->records |= b->kind != VBATCH_ROWS;
    for (uint32_t k = 0; k < s->keys && rc == 0; k++)
        rc = vbatch_field(b, op->step->keys[k].ref, &v[k]);
    for (uint32_t k = 0; k < s->slots; k++)
        v[s->keys + k] = b->slots[s->slot_ids[k]];
    for (BITS_EACH(i, b->sel, b->n)) {
        if (rc < 0)
            return rc;
        for (uint32_t k = 0; k < s->keys; k++)
            row->cells[k] = cvec_get(&v[k], i);
        row->ref = vbatch_ref(b, i);
        rc = vbatch_order(b, i, &row->order);
        if (rc < 0)
            return rc;
        if (s->have_worst && compare_rows(row, row_at(s, s->worst), op) > 0)
            continue;
        for (uint32_t k = s->keys; k < s->keys + s->slots; k++)
            row->cells[k] = cvec_get(&v[k], i);
        for (uint32_t k = 0; k < s->keys + s->slots; k++) {
            if (qval_dup(&x->arena, &row->cells[k]) < 0)
                return exec_nomem(x);
        }
        if (!top && s->n >= SORT_ROWS_MAX)
            return too_many(op);
        rc = exec_grow(x, (void **)&s->rows, &s->cap, s->n, s->stride);
        if (rc < 0)
            return rc;
        memcpy(row_at(s, s->n++), row, s->stride);
        if (top && s->n >= 2 * limit + SORT_SLACK)
            rc = cut(op);
    }
    return rc;
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    struct op_sort *s = op->sort;
    struct row_ref *refs = exec_scratch(op->x, b->n, sizeof *refs);
    if (!refs)
        return exec_nomem(op->x);
    for (uint32_t i = 0; i < b->n; i++)
        refs[i] = row_at(s, s->order[from + i])->ref;
    b->refs = refs;
    for (uint32_t k = 0; k < s->slots; k++) {
        struct qval *any = exec_scratch(op->x, b->n, sizeof *any);
        if (!any)
            return exec_nomem(op->x);
        for (uint32_t i = 0; i < b->n; i++)
            any[i] = row_at(s, s->order[from + i])->cells[s->keys + k];
        b->slots[s->slot_ids[k]] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    }
    return 0;
}

int op_sort_finish(struct op *op)
{
    struct op_sort *s = op->sort;
    op->x->step = op->step->name;
    int rc = sort_indexes(op);
    uint64_t n = s->n;
    if (op->step->sort_limit && op->step->sort_limit < n)
        n = op->step->sort_limit;
    return rc < 0 ? rc : op_emit(op, n, fill, s->records ? VBATCH_REFS : VBATCH_ROWS);
}

void op_sort_free(struct op *op)
{
    struct op_sort *s = op->sort;
    if (!s)
        return;
    exec_free(op->x, s->rows, s->cap * s->stride);
    exec_free(op->x, s->order, (size_t)s->order_n * 4);
    op->sort = NULL;
}
