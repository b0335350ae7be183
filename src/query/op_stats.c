// stats and top: rows into groups, groups into rows.
#include "query/op.h"

#include <stdlib.h>

struct op_stats {
    struct agg *aggs;
    struct intern_field *keys; // by_count
    struct intern_tuples tuples;
    uint32_t groups;
    uint64_t *rows, all; // rows of each group (top), of all
    uint32_t rows_cap;
    uint32_t *order, order_n; // groups as they come out
    struct qval *measure;     // top: the aggregate of each group
};

int op_stats_new(struct op *op)
{
    struct exec *x = op->x;
    const struct query_step *step = op->step;
    struct op_stats *s = op->stats = arena_zalloc(&x->arena, sizeof *s);
    if (!s)
        return exec_nomem(x);
    s->aggs = arena_zalloc(&x->arena, (step->agg_count + 1) * sizeof *s->aggs);
    s->keys = arena_zalloc(&x->arena, (step->by_count + 1) * sizeof *s->keys);
    if (!s->aggs || !s->keys) {
        s->aggs = NULL;
        s->keys = NULL;
        return exec_nomem(x);
    }
    for (uint32_t i = 0; i < step->agg_count; i++) {
        s->aggs[i].x = s->aggs[i].seen.x = s->aggs[i].pairs.x = x;
        s->aggs[i].plan = &step->aggs[i];
    }
    for (uint32_t f = 0; f < step->by_count; f++)
        s->keys[f].values.x = x;
    s->tuples = (struct intern_tuples){ .x = x, .width = step->by_count };
    return 0;
}

static int too_many(struct op *op)
{
    query_fail(op->x->err, QUERY_E_TOO_MANY_GROUPS, "%.*s makes more than %d groups", STR_ARG(op->step->name),
               GROUPS_MAX);
    query_error_at(op->x->err, op->x->plan->text, op->step->pos.off, op->step->pos.len);
    query_error_hint(op->x->err, "group by fewer or coarser fields, or narrow the filter");
    return ERR_LIMIT;
}

// The group of each row; NULL without keys.
static int groups_of(struct op *op, struct vbatch *b, const uint32_t *index, uint32_t n, uint32_t **ret_gid)
{
    struct exec *x = op->x;
    struct op_stats *s = op->stats;
    uint32_t width = op->step->by_count;
    uint32_t *ids = exec_scratch(x, (size_t)n * width, 4), *tuple = exec_scratch(x, width, 4);
    uint32_t last[4] = { INTERN_NONE, INTERN_NONE, INTERN_NONE, INTERN_NONE }, last_gid = 0;
    int rc = 0;
    *ret_gid = NULL;
    if (width == 0) {
        s->groups = 1;
        return 0;
    }
    uint32_t *gid = exec_scratch(x, n, sizeof *gid);
    if (!ids || !tuple || !gid)
        return exec_nomem(x);
    for (uint32_t f = 0; f < width && rc == 0; f++) {
        struct cvec v;
        rc = vbatch_field(b, op->step->by[f], &v);
        if (rc == 0)
            rc = intern_rows(&s->keys[f], &v, index, n, GROUPS_MAX, ids + (size_t)f * n);
    }
    if (rc == 0 && width == 1) { // a value is a group
        s->groups = s->keys[0].values.n;
        *ret_gid = ids;
        return 0;
    }
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        bool same = width <= 4;
        for (uint32_t f = 0; f < width; f++) {
            tuple[f] = ids[(size_t)f * n + k];
            same = same && tuple[f] == last[f];
        }
        if (!same) {
            rc = intern_tuple(&s->tuples, tuple, GROUPS_MAX, &last_gid);
            for (uint32_t f = 0; f < width && f < 4; f++)
                last[f] = tuple[f];
        }
        gid[k] = last_gid;
    }
    if (rc < 0)
        return rc == ERR_LIMIT ? too_many(op) : rc;
    s->groups = s->tuples.n;
    *ret_gid = gid;
    return 0;
}

static int count_rows(struct op *op, const uint32_t *gid, uint32_t n)
{
    struct op_stats *s = op->stats;
    s->all += n;
    if (op->step->kind != QUERY_TOP)
        return 0;
    while (s->rows_cap < s->groups) {
        uint32_t before = s->rows_cap;
        int rc = exec_grow(op->x, (void **)&s->rows, &s->rows_cap, s->rows_cap, sizeof *s->rows);
        if (rc < 0)
            return rc;
        memset(s->rows + before, 0, (s->rows_cap - before) * sizeof *s->rows);
    }
    for (uint32_t k = 0; k < n; k++)
        s->rows[gid ? gid[k] : 0]++;
    return 0;
}

// The rows that an aggregate's own filter lets through.
static int filtered(struct vbatch *b, const struct query_filter *f, const uint32_t *gid_at, uint32_t **ret_index,
                    uint32_t **ret_gid, uint32_t *ret_n)
{
    uint64_t *some;
    int rc = vbatch_filter(b, f, b->sel, &some);
    if (rc == 0)
        rc = op_indexes(b, some, ret_index, ret_n);
    if (rc < 0 || !gid_at)
        return rc;
    uint32_t *gid = exec_scratch(b->x, *ret_n, sizeof *gid);
    if (!gid)
        return exec_nomem(b->x);
    for (uint32_t k = 0; k < *ret_n; k++)
        gid[k] = gid_at[(*ret_index)[k]];
    *ret_gid = gid;
    return 0;
}

int op_stats_push(struct op *op, struct vbatch *b)
{
    struct exec *x = op->x;
    struct op_stats *s = op->stats;
    uint32_t *index, *gid, n, *gid_at = NULL;
    int rc = op_indexes(b, b->sel, &index, &n);
    if (rc == 0)
        rc = groups_of(op, b, index, n, &gid);
    if (rc == ERR_LIMIT && x->err->code == QUERY_OK)
        rc = too_many(op);
    if (rc == 0)
        rc = count_rows(op, gid, n);
    for (uint32_t i = 0; i < op->step->agg_count && rc == 0; i++) {
        struct agg *a = &s->aggs[i];
        uint32_t *some = index, *some_gid = gid, some_n = n;
        rc = agg_room(a, s->groups);
        if (rc == 0 && a->plan->filter) {
            if (gid && !gid_at) { // groups by row of the batch
                gid_at = exec_scratch(x, b->n, sizeof *gid_at);
                if (!gid_at)
                    return exec_nomem(x);
                for (uint32_t k = 0; k < n; k++)
                    gid_at[index[k]] = gid[k];
            }
            rc = filtered(b, a->plan->filter, gid_at, &some, &some_gid, &some_n);
        }
        if (rc == 0)
            rc = agg_rows(a, b, some, some_gid, some_n);
    }
    return rc;
}

// ---- groups into rows ----

static const struct qval *key_of(const struct op *op, uint32_t group, uint32_t f)
{
    const struct op_stats *s = op->stats;
    uint32_t id = op->step->by_count == 1 ? group : s->tuples.ids[(size_t)group * op->step->by_count + f];
    return &s->keys[f].values.values[id];
}

static int order_groups(const void *pa, const void *pb, void *ctx)
{
    const struct op *op = ctx;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    if (op->step->kind == QUERY_TOP) {
        const struct qval *x = &op->stats->measure[a], *y = &op->stats->measure[b];
        if ((x->type == QVAL_MISSING) != (y->type == QVAL_MISSING))
            return x->type == QVAL_MISSING ? 1 : -1;
        int c = qval_order(y, x);
        if (c != 0)
            return c;
    }
    for (uint32_t f = 0; f < op->step->by_count; f++) {
        int c = qval_order(key_of(op, a, f), key_of(op, b, f));
        if (c != 0)
            return c;
    }
    return 0;
}

// Seconds that a group stands for: its time bucket inside the range, else the range.
static double seconds_of(const struct op *op, uint32_t group)
{
    const struct query_plan *plan = op->x->plan;
    int64_t from = op->x->range_from, to = op->x->range_to;
    for (uint32_t f = 0; f < op->step->by_count; f++) {
        int32_t slot = op->step->by[f]->slot;
        if (slot == QUERY_NO_SLOT || plan->columns[slot].step >= plan->step_count)
            continue;
        const struct query_step *made = &plan->steps[plan->columns[slot].step];
        const struct qval *key = key_of(op, group, f);
        if (made->kind != QUERY_BUCKET || key->type != QVAL_TIME)
            continue;
        const struct query_bucket *k = &made->bucket;
        int64_t next;
        if (k->kind == QUERY_BUCKET_CALENDAR)
            next = query_calendar_next(k->zone, k->unit, k->unit_count, key->i);
        else if (__builtin_add_overflow(key->i, k->width, &next))
            next = INT64_MAX;
        from = key->i > from ? key->i : from;
        to = next < to ? next : to;
    }
    return from < to ? ((double)to - (double)from) / 1e9 : 0;
}

static int measure(struct op *op)
{
    struct op_stats *s = op->stats;
    s->measure = arena_alloc_array(&op->x->arena, s->groups + 1, sizeof *s->measure);
    if (!s->measure)
        return exec_nomem(op->x);
    for (uint32_t g = 0; g < s->groups; g++) {
        int rc = agg_result(&s->aggs[0], g, seconds_of(op, g), &s->measure[g]);
        if (rc < 0)
            return rc;
        if (qval_dup(&op->x->arena, &s->measure[g]) < 0)
            return exec_nomem(op->x);
    }
    return 0;
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    struct exec *x = op->x;
    struct op_stats *s = op->stats;
    const struct query_step *step = op->step;
    for (uint32_t f = 0; f < step->by_count; f++) {
        struct qval *any = exec_scratch(x, b->n, sizeof *any);
        if (!any)
            return exec_nomem(x);
        for (uint32_t i = 0; i < b->n; i++)
            any[i] = *key_of(op, s->order[from + i], f);
        b->slots[step->by_slots[f]] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    }
    for (uint32_t k = 0; k < step->agg_count; k++) {
        struct qval *any = exec_scratch(x, b->n, sizeof *any);
        if (!any)
            return exec_nomem(x);
        for (uint32_t i = 0; i < b->n; i++) {
            uint32_t g = s->order[from + i];
            int rc = s->measure ? 0 : agg_result(&s->aggs[k], g, seconds_of(op, g), &any[i]);
            if (rc < 0)
                return rc;
            if (s->measure)
                any[i] = s->measure[g];
        }
        b->slots[step->aggs[k].slot] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    }
    if (step->kind == QUERY_TOP) {
        struct qval *any = exec_scratch(x, b->n, sizeof *any);
        if (!any)
            return exec_nomem(x);
        for (uint32_t i = 0; i < b->n; i++)
            any[i] = qval_double((double)s->rows[s->order[from + i]] / (double)s->all);
        b->slots[step->share_slot] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    }
    return 0;
}

// Which columns are not exact, and by how much.
static int approx_note(struct op *op)
{
    struct exec *x = op->x;
    for (uint32_t k = 0; k < op->step->agg_count; k++) {
        double error = agg_error(&op->stats->aggs[k]);
        if (error == 0)
            continue;
        struct query_approx *more = arena_alloc_array(&x->arena, x->stats.approx_n + 1, sizeof *more);
        if (!more)
            return exec_nomem(x);
        if (x->stats.approx_n)
            memcpy(more, x->stats.approx, x->stats.approx_n * sizeof *more);
        more[x->stats.approx_n++] = (struct query_approx){ x->plan->columns[op->step->aggs[k].slot].name, error };
        x->stats.approx = more;
    }
    return 0;
}

int op_stats_finish(struct op *op)
{
    struct exec *x = op->x;
    struct op_stats *s = op->stats;
    int rc = 0;
    x->step = op->step->name;
    arena_reset(&x->scratch);
    if (op->step->by_count == 0)
        s->groups = 1; // one row, also for no input
    for (uint32_t k = 0; k < op->step->agg_count && rc == 0; k++)
        rc = agg_room(&s->aggs[k], s->groups);
    if (rc == 0 && op->step->kind == QUERY_TOP)
        rc = measure(op);
    if (rc == 0)
        rc = approx_note(op);
    if (rc < 0)
        return rc;
    s->order = exec_alloc(x, (size_t)(s->groups + 1) * 4);
    if (!s->order)
        return exec_nomem(x);
    s->order_n = s->groups + 1;
    for (uint32_t g = 0; g < s->groups; g++)
        s->order[g] = g;
    qsort_r(s->order, s->groups, sizeof *s->order, order_groups, op);
    uint64_t n = s->groups;
    if (op->step->kind == QUERY_TOP && op->step->n < n)
        n = op->step->n;
    return op_emit(op, n, fill, VBATCH_ROWS);
}

void op_stats_free(struct op *op)
{
    struct op_stats *s = op->stats;
    if (!s)
        return;
    for (uint32_t k = 0; s->aggs && k < op->step->agg_count; k++)
        agg_free(&s->aggs[k]);
    for (uint32_t f = 0; s->keys && f < op->step->by_count; f++)
        intern_field_free(&s->keys[f]);
    intern_tuples_free(&s->tuples);
    exec_free(op->x, s->rows, s->rows_cap * sizeof *s->rows);
    exec_free(op->x, s->order, (size_t)s->order_n * 4);
    op->stats = NULL;
}
