// fill: every bucket of the range for every combination of the other keys that was seen.
#include "query/op.h"

#include <stdlib.h>

enum { FILL_ROWS_MAX = 1000000 };

// A combination of the keys beside the bucket.
struct fill_tuple {
    uint32_t first, last, next; // its rows, in the order of their buckets; next: the one that comes now
};

struct fill_out {
    uint32_t tuple, row; // row: INTERN_NONE when there was none
    int64_t bucket;
};

struct op_fill {
    uint32_t width;     // keys, then aggregates
    struct qval *cells; // of all rows
    uint32_t *after;    // the next row of the same tuple
    uint32_t rows, cells_cap, after_cap;
    struct intern *keys; // a key's values
    struct intern_tuples tuples;
    struct fill_tuple *of;
    uint32_t of_cap;
    uint32_t *order; // tuples by their keys
    uint32_t order_n;
    int64_t *buckets;
    uint32_t buckets_n, buckets_cap;
    struct fill_out *out;
    uint32_t out_n, out_cap;
    struct qval *absent; // of each aggregate
};

// What stands for an aggregate that is not there.
static struct qval absent_of(const struct op *op, const struct query_agg *a)
{
    const struct query_literal *v = op->step->fill_value;
    bool duration = op->x->plan->columns[a->slot].type.type == QUERY_DURATION;
    if (!v) {
        switch (a->fn) {
        case QUERY_AGG_COUNT:
        case QUERY_AGG_UNIQ:
            return qval_int(0);
        case QUERY_AGG_SUM:
            return qval_of(duration ? QVAL_DURATION : QVAL_INT, 0);
        case QUERY_AGG_RATE:
        case QUERY_AGG_INCREASE:
            return qval_double(0);
        default:
            return qval_missing();
        }
    }
    if (v->form != QUERY_WORD)
        return qval_str(v->text);
    if (v->readings & QR_INT)
        return qval_of(duration && v->i == 0 ? QVAL_DURATION : QVAL_INT, v->i);
    if (v->readings & QR_DURATION)
        return qval_of(QVAL_DURATION, v->duration);
    if (v->readings & QR_DOUBLE)
        return qval_double(v->d);
    if (v->readings & QR_BOOL)
        return qval_bool(v->truth);
    return v->readings & QR_TIME ? qval_of(QVAL_TIME, v->time) : qval_str(v->text);
}

int op_fill_new(struct op *op)
{
    struct exec *x = op->x;
    const struct query_step *stats = op->step->fill_stats;
    struct op_fill *s = op->fill = arena_zalloc(&x->arena, sizeof *s);
    if (!s)
        return exec_nomem(x);
    s->width = stats->by_count + stats->agg_count;
    s->tuples = (struct intern_tuples){ .x = x, .width = stats->by_count - 1 };
    s->absent = arena_alloc_array(&x->arena, stats->agg_count + 1, sizeof *s->absent);
    struct intern *keys = arena_zalloc(&x->arena, (stats->by_count + 1) * sizeof *keys);
    if (!s->absent || !keys)
        return exec_nomem(x);
    for (uint32_t k = 0; k < stats->by_count; k++)
        keys[k].x = x;
    s->keys = keys;
    for (uint32_t k = 0; k < stats->agg_count; k++)
        s->absent[k] = absent_of(op, &stats->aggs[k]);
    return 0;
}

static int32_t slot_of(const struct query_step *stats, uint32_t c)
{
    return c < stats->by_count ? stats->by_slots[c] : stats->aggs[c - stats->by_count].slot;
}

static const struct qval *row_of(const struct op_fill *s, uint32_t row) { return s->cells + (size_t)row * s->width; }

// ---- rows in ----

static int row_take(struct op *op, struct vbatch *b, uint32_t i)
{
    struct exec *x = op->x;
    struct op_fill *s = op->fill;
    int rc = exec_grow(x, (void **)&s->cells, &s->cells_cap, s->rows, s->width * sizeof *s->cells);
    if (rc == 0)
        rc = exec_grow(x, (void **)&s->after, &s->after_cap, s->rows, sizeof *s->after);
    for (uint32_t c = 0; c < s->width && rc == 0; c++) {
        struct qval *to = &s->cells[(size_t)s->rows * s->width + c];
        *to = cvec_get(&b->slots[slot_of(op->step->fill_stats, c)], i);
        if (qval_dup(&x->arena, to) < 0)
            rc = exec_nomem(x);
    }
    return rc;
}

// Finds the row's tuple and puts it behind the rows that came before.
static int row_place(struct op *op)
{
    struct exec *x = op->x;
    struct op_fill *s = op->fill;
    uint32_t by = op->step->fill_stats->by_count, row = s->rows, k = 0, t, before = s->tuples.n;
    uint32_t *ids = exec_scratch(x, by, 4);
    int rc = 0;
    if (!ids)
        return exec_nomem(x);
    for (uint32_t c = 0; c < by && rc == 0; c++) {
        if (c != op->step->fill_key)
            rc = intern_value(&s->keys[c], &row_of(s, row)[c], UINT32_MAX - 1, &ids[k++]);
    }
    if (rc == 0)
        rc = intern_tuple(&s->tuples, ids, UINT32_MAX - 1, &t);
    if (rc == 0)
        rc = exec_grow(x, (void **)&s->of, &s->of_cap, t, sizeof *s->of);
    if (rc < 0)
        return rc;
    if (s->tuples.n > before)
        s->of[t] = (struct fill_tuple){ row, row, row };
    else
        s->after[s->of[t].last] = row;
    s->of[t].last = row;
    s->after[row] = INTERN_NONE;
    s->rows++;
    return 0;
}

int op_fill_push(struct op *op, struct vbatch *b)
{
    int rc = 0;
    for (BITS_EACH(i, b->sel, b->n)) {
        struct arena_mark mark = arena_mark(&op->x->scratch);
        rc = row_take(op, b, i);
        if (rc == 0)
            rc = row_place(op);
        arena_rewind(&op->x->scratch, mark);
        if (rc < 0)
            break;
    }
    return rc;
}

// ---- buckets ----

static int too_many(struct op *op)
{
    query_fail(op->x->err, QUERY_E_TOO_MANY_GROUPS, "fill makes more than %d rows", FILL_ROWS_MAX);
    query_error_at(op->x->err, op->x->plan->text, op->step->pos.off, op->step->pos.len);
    query_error_hint(op->x->err, "take wider buckets, a shorter range, or fewer keys");
    return ERR_LIMIT;
}

// The range of buckets: of `time` the query's; of another field what was seen.
static void range_of(struct op *op, int64_t *from, int64_t *to)
{
    const struct op_fill *s = op->fill;
    const struct query_bucket *k = op->step->fill_bucket;
    *from = op->x->range_from;
    *to = op->x->range_to;
    if (k->ref->slot == QUERY_NO_SLOT && str_eq(k->ref->printed, STR("time")))
        return;
    *from = INT64_MAX;
    *to = INT64_MIN;
    for (uint32_t r = 0; r < s->rows; r++) {
        const struct qval *v = &row_of(s, r)[op->step->fill_key];
        if (v->type != QVAL_TIME)
            continue;
        *from = v->i < *from ? v->i : *from;
        *to = v->i >= *to && v->i < INT64_MAX ? v->i + 1 : *to;
    }
}

static int buckets_make(struct op *op)
{
    struct op_fill *s = op->fill;
    const struct query_bucket *k = op->step->fill_bucket;
    bool calendar = k->kind == QUERY_BUCKET_CALENDAR;
    int64_t from, to;
    range_of(op, &from, &to);
    if (from >= to)
        return 0;
    int64_t t =
        calendar ? query_calendar_floor(k->zone, k->unit, k->unit_count, from) : query_bucket_int(from, k->width);
    while (t < to) {
        if (s->buckets_n == FILL_ROWS_MAX)
            return too_many(op);
        int rc = exec_grow(op->x, (void **)&s->buckets, &s->buckets_cap, s->buckets_n, sizeof *s->buckets);
        if (rc < 0)
            return rc;
        s->buckets[s->buckets_n++] = t;
        if (calendar)
            t = query_calendar_next(k->zone, k->unit, k->unit_count, t);
        else if (__builtin_add_overflow(t, k->width, &t))
            break;
    }
    return 0;
}

// ---- rows out ----

// By the keys in [from, to), without the bucket.
static int order_keys(const struct op *op, uint32_t a, uint32_t b, uint32_t from, uint32_t to)
{
    const struct op_fill *s = op->fill;
    for (uint32_t c = from; c < to; c++) {
        int d = c == op->step->fill_key ? 0 : qval_order(&row_of(s, s->of[a].first)[c], &row_of(s, s->of[b].first)[c]);
        if (d)
            return d;
    }
    return 0;
}

static int order_tuples(const void *pa, const void *pb, void *ctx)
{
    const struct op *op = ctx;
    return order_keys(op, *(const uint32_t *)pa, *(const uint32_t *)pb, 0, op->step->fill_stats->by_count);
}

static int out_add(struct op *op, uint32_t tuple, uint32_t row, int64_t bucket)
{
    struct op_fill *s = op->fill;
    if (s->out_n == FILL_ROWS_MAX)
        return too_many(op);
    int rc = exec_grow(op->x, (void **)&s->out, &s->out_cap, s->out_n, sizeof *s->out);
    if (rc == 0)
        s->out[s->out_n++] = (struct fill_out){ tuple, row, bucket };
    return rc;
}

// The row of the tuple in the bucket, if it is the next one.
static uint32_t row_next(struct op *op, uint32_t tuple, int64_t bucket)
{
    struct op_fill *s = op->fill;
    uint32_t row = s->of[tuple].next;
    const struct qval *v = row == INTERN_NONE ? NULL : &row_of(s, row)[op->step->fill_key];
    if (!v || v->type != QVAL_TIME || v->i != bucket)
        return INTERN_NONE;
    s->of[tuple].next = s->after[row];
    return row;
}

// Tuples [from, to) agree in the keys in front of the bucket.
static int group_out(struct op *op, uint32_t from, uint32_t to)
{
    struct op_fill *s = op->fill;
    int rc = 0;
    for (uint32_t b = 0; b < s->buckets_n && rc == 0; b++) {
        for (uint32_t k = from; k < to && rc == 0; k++)
            rc = out_add(op, s->order[k], row_next(op, s->order[k], s->buckets[b]), s->buckets[b]);
    }
    for (uint32_t k = from; k < to && rc == 0; k++) { // rows that have no bucket
        for (uint32_t r = s->of[s->order[k]].next; r != INTERN_NONE && rc == 0; r = s->after[r])
            rc = out_add(op, s->order[k], r, 0);
    }
    return rc;
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    const struct op_fill *s = op->fill;
    const struct query_step *stats = op->step->fill_stats;
    for (uint32_t c = 0; c < s->width; c++) {
        struct qval *any = exec_scratch(op->x, b->n, sizeof *any);
        if (!any)
            return exec_nomem(op->x);
        for (uint32_t i = 0; i < b->n; i++) {
            const struct fill_out *o = &s->out[from + i];
            if (o->row != INTERN_NONE)
                any[i] = row_of(s, o->row)[c];
            else if (c == op->step->fill_key)
                any[i] = qval_of(QVAL_TIME, o->bucket);
            else if (c < stats->by_count)
                any[i] = row_of(s, s->of[o->tuple].first)[c];
            else
                any[i] = qval_missing();
            if (c >= stats->by_count && any[i].type == QVAL_MISSING)
                any[i] = s->absent[c - stats->by_count];
        }
        b->slots[slot_of(stats, c)] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    }
    return 0;
}

int op_fill_finish(struct op *op)
{
    struct exec *x = op->x;
    struct op_fill *s = op->fill;
    uint32_t n = s->tuples.n, before = op->step->fill_key;
    x->step = op->step->name;
    arena_reset(&x->scratch);
    int rc = buckets_make(op);
    s->order = rc == 0 ? exec_alloc(x, (size_t)(n + 1) * 4) : NULL;
    if (!s->order)
        return rc < 0 ? rc : exec_nomem(x);
    s->order_n = n + 1;
    for (uint32_t t = 0; t < n; t++)
        s->order[t] = t;
    qsort_r(s->order, n, sizeof *s->order, order_tuples, op);
    for (uint32_t from = 0, to; from < n && rc == 0; from = to) {
        for (to = from + 1; to < n && order_keys(op, s->order[from], s->order[to], 0, before) == 0;)
            to++;
        rc = group_out(op, from, to);
    }
    // Without other keys the buckets are there also when no row was.
    for (uint32_t b = 0; n == 0 && op->step->fill_stats->by_count == 1 && b < s->buckets_n && rc == 0; b++)
        rc = out_add(op, 0, INTERN_NONE, s->buckets[b]);
    return rc < 0 ? rc : op_emit(op, s->out_n, fill, VBATCH_ROWS);
}

void op_fill_free(struct op *op)
{
    struct op_fill *s = op->fill;
    struct exec *x = op->x;
    if (!s)
        return;
    for (uint32_t k = 0; s->keys && k < op->step->fill_stats->by_count; k++)
        intern_free(&s->keys[k]);
    intern_tuples_free(&s->tuples);
    exec_free(x, s->cells, (size_t)s->cells_cap * s->width * sizeof *s->cells);
    exec_free(x, s->after, s->after_cap * sizeof *s->after);
    exec_free(x, s->of, s->of_cap * sizeof *s->of);
    exec_free(x, s->order, (size_t)s->order_n * 4);
    exec_free(x, s->buckets, s->buckets_cap * sizeof *s->buckets);
    exec_free(x, s->out, s->out_cap * sizeof *s->out);
    op->fill = NULL;
}
