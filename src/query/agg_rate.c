// rate(f) and increase(f). Values of cumulative monotonic metrics are counters: what counts is how much they
// rose, series by series in time order; a drop is a restart that counts from 0. A rise belongs to the group
// of the later of its two points. Deltas and what is no metric are summed.
#include "query/agg.h"

#include "base/hash.h"

#include <stdlib.h>

// What decides how the points of a block are taken.
struct metric_block {
    struct exec *x;
    struct exec_segment *s;
    struct vec kind, time, resource, scope, name, shape;
    struct cvec temporality, monotonic;
};

static int metric_block_get(struct exec *x, struct exec_segment *s, const uint64_t *sel, uint32_t n,
                            struct metric_block *m)
{
    struct chain *c;
    *m = (struct metric_block){ .x = x, .s = s };
    const struct {
        uint32_t col;
        struct vec *to;
    } all[] = { { COL_KIND, &m->kind },   { COL_TIME, &m->time }, { COL_RESOURCE, &m->resource },
                { COL_SCOPE, &m->scope }, { COL_NAME, &m->name }, { COL_SHAPE, &m->shape } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int rc = exec_column(x, s, TABLE_ROWS, all[i].col, all[i].to);
        if (rc < 0)
            return rc;
    }
    int rc = chain_field(x, s, QUERY_F_TEMPORALITY, &c);
    if (rc == 0)
        rc = chain_vec(x, s, TABLE_ROWS, c, sel, n, &m->temporality);
    if (rc == 0)
        rc = chain_field(x, s, QUERY_F_MONOTONIC, &c);
    if (rc == 0)
        rc = chain_vec(x, s, TABLE_ROWS, c, sel, n, &m->monotonic);
    return rc;
}

// Name, resource, scope and attributes of a point: its series.
static int series_of(struct metric_block *m, uint32_t i, uint64_t *ret)
{
    const struct record_entity *scope = segment_scope(m->s->seg, m->scope.u32[i]);
    struct shape shape = segment_shape(m->s->seg, TABLE_ROWS, m->shape.u32[i]);
    uint64_t h = segment_resource_hash(m->s->seg, m->resource.u32[i]), sum = 0;
    h = hash64_int(h ^ hash64_str(dict_get(m->name.dict, m->name.ord[i])) * 3);
    h = hash64_int(h ^ hash64_str(scope->name) * 5 ^ hash64_str(scope->version) * 7);
    for (uint32_t k = 0; k < shape.n; k++) {
        struct column c = segment_column(m->s->seg, TABLE_ROWS, shape.columns[k]);
        struct vec v;
        if (c.level != ATTR_RECORD)
            continue;
        int rc = exec_column(m->x, m->s, TABLE_ROWS, COL_FIXED + shape.columns[k], &v);
        if (rc < 0)
            return rc;
        uint64_t value = c.type == VALUE_NULL ? 0
                         : v.kind == VEC_STR  ? hash64_str(dict_get(v.dict, v.ord[i]))
                         : v.kind == VEC_U8   ? v.u8[i]
                                              : v.u64[i];
        sum += hash64_int(hash64_str(c.key) * 0x9e3779b97f4a7c15u + value + c.type); // in any order
    }
    *ret = hash64_int(h ^ sum);
    return 0;
}

enum taking { TAKE_SUM, TAKE_COUNTER, TAKE_NOT };

static enum taking taking_of(const struct metric_block *m, uint32_t i)
{
    struct qval t = cvec_get(&m->temporality, i), mono = cvec_get(&m->monotonic, i);
    if (m->kind.u8[i] == METRIC_GAUGE || m->kind.u8[i] == METRIC_NONE)
        return TAKE_NOT;
    bool text = t.type == QVAL_ENUM || t.type == QVAL_STR;
    if (text && str_eq(t.s, STR("delta")))
        return TAKE_SUM;
    if (m->kind.u8[i] == METRIC_SUM && !(mono.type == QVAL_BOOL && mono.b))
        return TAKE_NOT;
    return TAKE_COUNTER;
}

static int add_point(struct agg *a, struct metric_block *m, uint32_t i, uint32_t group, double value)
{
    struct agg_point p = { .time = m->time.i64[i], .value = value, .group = group, .seq = a->points_n };
    int rc = series_of(m, i, &p.series);
    if (rc == 0)
        rc = exec_grow(a->x, (void **)&a->points, &a->points_cap, a->points_n, sizeof p);
    if (rc == 0)
        a->points[a->points_n++] = p;
    return rc;
}

static int add_sum(struct agg *a, uint32_t group, const struct qval *v)
{
    struct agg_sum *s = &a->sum[group];
    switch (v->type) {
    case QVAL_INT:
    case QVAL_DURATION:
        s->ints += v->i;
        break;
    case QVAL_DOUBLE: {
        double t = s->d + v->d;
        s->carry += (s->d >= 0 ? s->d : -s->d) >= (v->d >= 0 ? v->d : -v->d) ? (s->d - t) + v->d : (v->d - t) + s->d;
        s->d = t;
        s->doubles = true;
        break;
    }
    default:
        a->x->stats.uncomparable++;
        return 0;
    }
    s->plain |= v->type != QVAL_DURATION;
    s->durations |= v->type == QVAL_DURATION;
    s->n++;
    return 0;
}

// One block's rows: index in the batch (for values and groups), at in the block.
struct rate_rows {
    struct agg *a;
    const struct cvec *values;
    const uint32_t *group_at; // by index in the batch
};

static int rate_block(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n)
{
    struct rate_rows *r = ctx;
    struct agg *a = r->a;
    struct metric_block m;
    bool metrics = s->source == QUERY_METRICS;
    uint32_t rows = segment_block_rows(s->seg, TABLE_ROWS, s->block[TABLE_ROWS]);
    uint64_t *sel = exec_bits(a->x, rows, false);
    int rc = 0;
    if (!sel)
        return exec_nomem(a->x);
    for (uint32_t k = 0; k < n; k++)
        bit_set(sel, at[k]);
    if (metrics)
        rc = metric_block_get(a->x, s, sel, rows, &m);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        struct qval v = cvec_get(r->values, index[k]);
        uint32_t group = r->group_at ? r->group_at[index[k]] : 0;
        double d;
        enum taking t = metrics ? taking_of(&m, at[k]) : TAKE_SUM;
        if (v.type == QVAL_MISSING)
            continue;
        if (t == TAKE_SUM)
            rc = add_sum(a, group, &v);
        else if (t == TAKE_COUNTER && qval_number(&v, &d))
            rc = add_point(a, &m, at[k], group, d);
        else
            a->x->stats.uncomparable++;
    }
    return rc;
}

int agg_rate_rows(struct agg *a, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    struct cvec v;
    uint32_t *group_at = NULL;
    int rc = vbatch_field(b, a->plan->refs[0], &v);
    if (rc < 0)
        return rc;
    if (b->kind == VBATCH_ROWS) {
        for (uint32_t k = 0; k < n && rc == 0; k++) {
            struct qval q = cvec_get(&v, index[k]);
            if (q.type != QVAL_MISSING)
                rc = add_sum(a, gid ? gid[k] : 0, &q);
        }
        return rc;
    }
    if (gid) {
        group_at = exec_scratch(a->x, b->n, sizeof *group_at);
        if (!group_at)
            return exec_nomem(a->x);
        for (uint32_t k = 0; k < n; k++)
            group_at[index[k]] = gid[k];
    }
    struct rate_rows r = { a, &v, group_at };
    if (b->kind == VBATCH_BLOCK)
        return rate_block(&r, b->seg, index, index, n);
    uint64_t *in = exec_bits(a->x, b->n, false);
    if (!in)
        return exec_nomem(a->x);
    for (uint32_t k = 0; k < n; k++)
        bit_set(in, index[k]);
    return vbatch_by_block(b, in, rate_block, &r);
}

static int order_points(const void *pa, const void *pb)
{
    const struct agg_point *a = pa, *b = pb;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

int agg_rate_finish(struct agg *a)
{
    if (a->points_done)
        return 0;
    a->points_done = true;
    if (a->points_n > 0)
        qsort(a->points, a->points_n, sizeof *a->points, order_points);
    for (uint32_t i = 0; i < a->points_n; i++) {
        const struct agg_point *p = &a->points[i], *before = i ? p - 1 : NULL;
        struct qval rise = qval_double(0);
        if (before && before->series == p->series)
            rise.d = p->value >= before->value ? p->value - before->value : p->value;
        add_sum(a, p->group, &rise);
    }
    return 0;
}
