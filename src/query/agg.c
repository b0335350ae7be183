#include "query/agg.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

static size_t state_size(enum query_agg_fn fn)
{
    switch (fn) {
    case QUERY_AGG_COUNT:
        return sizeof(uint64_t);
    case QUERY_AGG_SUM:
    case QUERY_AGG_AVG:
    case QUERY_AGG_RATE:
    case QUERY_AGG_INCREASE:
        return sizeof(struct agg_sum);
    case QUERY_AGG_MIN:
    case QUERY_AGG_MAX:
        return sizeof(struct qval);
    case QUERY_AGG_QUANTILE:
        return sizeof(struct sketch);
    case QUERY_AGG_UNIQ:
        return sizeof(struct distinct);
    case QUERY_AGG_FIRST:
    case QUERY_AGG_LAST:
    case QUERY_AGG_ARGMAX:
    case QUERY_AGG_ARGMIN:
        return sizeof(struct agg_pick);
    case QUERY_AGG_HISTOGRAM:
        return sizeof(struct agg_hist);
    case QUERY_AGG_VALUES:
        return 1;
    }
    return 1;
}

int agg_room(struct agg *a, uint32_t n)
{
    size_t size = state_size(a->plan->fn);
    if (n <= a->groups)
        return 0;
    if (n > a->cap) {
        uint32_t cap = a->cap ? a->cap : 16;
        while (cap < n)
            cap *= 2;
        void *p = exec_realloc(a->x, a->states, a->cap * size, cap * size);
        if (!p)
            return exec_nomem(a->x);
        a->states = p;
        a->cap = cap;
    }
    memset((char *)a->states + a->groups * size, 0, (n - a->groups) * size);
    a->groups = n;
    return 0;
}

// ---- sums ----

static void sum_double(struct agg_sum *s, double v)
{
    double t = s->d + v;
    if (isfinite(t)) {
        if (fabs(s->d) >= fabs(v))
            s->carry += (s->d - t) + v;
        else
            s->carry += (v - t) + s->d;
    }
    s->d = t;
}

static bool sum_value(struct agg_sum *s, const struct qval *v)
{
    switch (v->type) {
    case QVAL_INT:
        s->ints += v->i;
        s->plain = true;
        break;
    case QVAL_DURATION:
        s->ints += v->i;
        s->durations = true;
        break;
    case QVAL_DOUBLE:
        sum_double(s, v->d);
        s->plain = s->doubles = true;
        break;
    default:
        return false;
    }
    s->n++;
    return true;
}

static double sum_total(const struct agg_sum *s)
{
    double d = s->d + (isfinite(s->d) ? s->carry : 0);
    return s->doubles ? d + (double)s->ints : (double)s->ints;
}

static struct qval sum_result(const struct agg_sum *s, bool zero)
{
    if (s->n == 0 && !zero)
        return qval_missing();
    bool fits = s->ints >= INT64_MIN && s->ints <= INT64_MAX;
    if (s->doubles || !fits)
        return qval_double(sum_total(s));
    return qval_of(s->durations && !s->plain ? QVAL_DURATION : QVAL_INT, (int64_t)s->ints);
}

static struct qval avg_result(const struct agg_sum *s)
{
    if (s->n == 0)
        return qval_missing();
    if (s->durations && !s->plain) { // rounded half away from zero
        __int128 n = (__int128)s->n, half = n / 2;
        __int128 q = (s->ints + (s->ints < 0 ? -half : half)) / n;
        return qval_of(QVAL_DURATION, (int64_t)q);
    }
    return qval_double(sum_total(s) / (double)s->n);
}

// ---- a value into a state ----

// min and max keep a copy; one buffer a group would be reused, but they change seldom.
static int best_value(struct agg *a, uint32_t g, const struct qval *v)
{
    struct qval *best = &a->best[g];
    bool max = a->plan->fn == QUERY_AGG_MAX;
    if (best->type != QVAL_MISSING) {
        int c = qval_order(v, best);
        if (max ? c <= 0 : c >= 0)
            return 0;
    }
    struct qval kept = *v;
    if (qval_dup(&a->x->arena, &kept) < 0)
        return exec_nomem(a->x);
    *best = kept;
    return 0;
}

// 1: taken, 0: of a wrong type.
static int number_value(struct agg *a, uint32_t g, const struct qval *v)
{
    bool number = v->type == QVAL_INT || v->type == QVAL_DOUBLE || v->type == QVAL_DURATION;
    int rc = 0;
    switch (a->plan->fn) {
    case QUERY_AGG_QUANTILE:
        rc = number ? sketch_add(a->x, &a->sketch[g], v) : 0;
        break;
    case QUERY_AGG_HISTOGRAM:
        rc = number ? agg_hist_add(a->x, &a->hist[g], v, 1) : 0;
        break;
    case QUERY_AGG_MIN:
    case QUERY_AGG_MAX:
        number = v->type != QVAL_LIST && v->type != QVAL_MAP && v->type != QVAL_BYTES;
        rc = number ? best_value(a, g, v) : 0;
        break;
    default:
        number = sum_value(&a->sum[g], v);
        break;
    }
    return rc < 0 ? rc : number;
}

// A list stands for its elements.
static int take_value(struct agg *a, uint32_t g, const struct qval *v)
{
    int rc = 0;
    if (v->type == QVAL_LIST) {
        struct value list = { .type = VALUE_LIST, .s = v->s }, e;
        struct value_reader r;
        uint64_t n;
        if (value_open(&list, &r, &n) < 0)
            return 0;
        for (; n > 0 && rc >= 0 && value_read(&r, &e) == 0; n--) {
            struct qval q = qval_of_value(&e);
            if (q.type != QVAL_MISSING)
                rc = take_value(a, g, &q);
        }
        return rc < 0 ? rc : 0;
    }
    rc = number_value(a, g, v);
    a->x->stats.uncomparable += rc == 0;
    return rc < 0 ? rc : 0;
}

// ---- rows ----

static int rows_values(struct agg *a, const struct cvec *v, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    bool ns = v->kind == CVEC_I64 && v->type == QVAL_DURATION && !v->present;
    int rc = 0;
    if (ns && a->plan->fn == QUERY_AGG_QUANTILE) {
        for (uint32_t k = 0; k < n && rc == 0; k++)
            rc = sketch_add_ns(a->x, &a->sketch[gid ? gid[k] : 0], v->i64[index[k]]);
        return rc;
    }
    if (ns && (a->plan->fn == QUERY_AGG_SUM || a->plan->fn == QUERY_AGG_AVG)) {
        for (uint32_t k = 0; k < n; k++) {
            struct agg_sum *s = &a->sum[gid ? gid[k] : 0];
            s->ints += v->i64[index[k]];
            s->n++;
            s->durations = true;
        }
        return 0;
    }
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        struct qval q = cvec_get(v, index[k]);
        if (q.type != QVAL_MISSING)
            rc = take_value(a, gid ? gid[k] : 0, &q);
    }
    return rc;
}

static void rows_count(struct agg *a, const struct cvec *v, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    if (!v && !gid) {
        a->count[0] += n;
        return;
    }
    for (uint32_t k = 0; k < n; k++)
        a->count[gid ? gid[k] : 0] += !v || !cvec_missing(v, index[k]);
}

// The hash of each ordinal's value, made once. Without groups an ordinal counts once, too.
static int memo_room(struct agg *a, const struct cvec *v)
{
    if (a->memo_identity == v->identity && a->memo_n == v->ords)
        return 0;
    exec_free(a->x, a->memo, (size_t)a->memo_n * sizeof *a->memo);
    a->memo_identity = NULL;
    a->memo = exec_zalloc(a->x, (size_t)v->ords * sizeof *a->memo);
    a->memo_n = a->memo ? v->ords : 0;
    if (!a->memo)
        return exec_nomem(a->x);
    a->memo_identity = v->identity;
    return 0;
}

static int ordinals_distinct(struct agg *a, const struct cvec *v, const uint32_t *index, const uint32_t *gid,
                             uint32_t n)
{
    int rc = memo_room(a, v);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        uint32_t i = index[k], ord = v->kind == CVEC_WORD ? v->u8[i] : v->u32[i];
        struct agg_memo own = { 0 }, *m = ord < a->memo_n ? &a->memo[ord] : &own; // TRACE_NONE is beyond
        if (!cvec_has(v, i))
            continue;
        if (!m->state) {
            struct qval q = cvec_get(v, i);
            m->state = q.type == QVAL_MISSING ? MEMO_MISSING : MEMO_HASH;
            m->hash = q.type == QVAL_MISSING ? 0 : qval_hash(&q);
        }
        if (m->state != MEMO_HASH)
            continue;
        rc = distinct_add(a->x, &a->distinct[gid ? gid[k] : 0], m->hash);
        if (!gid)
            m->state = MEMO_DONE;
    }
    return rc;
}

static int rows_distinct(struct agg *a, const struct cvec *v, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    int rc = 0;
    bool ordinals = v->kind == CVEC_WORD || v->kind == CVEC_TABLE || v->kind == CVEC_STR || v->kind == CVEC_TRACE;
    if (a->plan->ref_count == 1 && ordinals && v->identity && v->ords > 0)
        return ordinals_distinct(a, v, index, gid, n);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        uint64_t hash = 0;
        bool all = true;
        for (uint32_t f = 0; f < a->plan->ref_count && all; f++) {
            struct qval q = cvec_get(&v[f], index[k]);
            all = q.type != QVAL_MISSING;
            hash = f == 0 ? qval_hash(&q) : hash64_int(hash * 0x9e3779b97f4a7c15u + qval_hash(&q));
        }
        if (all)
            rc = distinct_add(a->x, &a->distinct[gid ? gid[k] : 0], hash);
    }
    return rc;
}

static int pick_order(struct agg *a, struct vbatch *b, const struct cvec *time, uint32_t i, struct row_order *order,
                      int64_t *t)
{
    struct qval q = cvec_get(time, i);
    *t = q.type == QVAL_TIME ? q.i : 0;
    return vbatch_order(b, i, order);
}

// Does row i, of value v[0] and extreme v[1], take the place of what the group has?
static int pick_beats(struct agg *a, const struct agg_pick *p, const struct row_order *order, int64_t t,
                      const struct qval *extreme)
{
    enum query_agg_fn fn = a->plan->fn;
    int rows = row_order_compare(a->x, order, &p->order); // < 0: the new one comes first
    if (fn == QUERY_AGG_FIRST || fn == QUERY_AGG_LAST) {
        if (t != p->time)
            return fn == QUERY_AGG_FIRST ? t < p->time : t > p->time;
        return fn == QUERY_AGG_FIRST ? rows < 0 : rows > 0;
    }
    int c = qval_order(extreme, &p->extreme);
    if (c != 0)
        return fn == QUERY_AGG_ARGMAX ? c > 0 : c < 0;
    return rows < 0;
}

static int rows_pick(struct agg *a, struct vbatch *b, const struct cvec *v, const struct cvec *time,
                     const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    bool arg = a->plan->fn == QUERY_AGG_ARGMAX || a->plan->fn == QUERY_AGG_ARGMIN;
    for (uint32_t k = 0; k < n; k++) {
        struct agg_pick *p = &a->pick[gid ? gid[k] : 0];
        struct qval deciding = cvec_get(&v[arg ? 1 : 0], index[k]);
        struct row_order order = { 0 };
        int64_t t = 0;
        if (deciding.type == QVAL_MISSING)
            continue;
        // Most rows lose already by value or time; ties need the whole order.
        if (arg && p->set) {
            int c = qval_order(&deciding, &p->extreme);
            if (a->plan->fn == QUERY_AGG_ARGMAX ? c < 0 : c > 0)
                continue;
        }
        int rc = pick_order(a, b, time, index[k], &order, &t);
        if (rc < 0)
            return rc;
        if (p->set && !pick_beats(a, p, &order, t, &deciding))
            continue;
        struct qval value = cvec_get(&v[0], index[k]);
        if (qval_dup(&a->x->arena, &value) < 0 || (arg && qval_dup(&a->x->arena, &deciding) < 0))
            return exec_nomem(a->x);
        *p = (struct agg_pick){ .set = true, .order = order, .time = t, .value = value, .extreme = deciding };
    }
    return 0;
}

static int too_many(struct agg *a, int rc)
{
    if (rc != ERR_LIMIT)
        return rc;
    query_fail(a->x->err, QUERY_E_TOO_MANY_GROUPS, "values() meets more than %d distinct values", GROUPS_MAX);
    query_error_hint(a->x->err, "narrow the filter, or use uniq() to count them");
    return ERR_LIMIT;
}

static int rows_values_of(struct agg *a, const struct cvec *v, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        struct qval q = cvec_get(v, index[k]);
        uint32_t pair[2] = { gid ? gid[k] : 0, 0 }, id;
        if (q.type == QVAL_MISSING)
            continue;
        int rc = intern_value(&a->seen, &q, GROUPS_MAX, &pair[1]);
        if (rc == 0)
            rc = intern_tuple(&a->pairs, pair, GROUPS_MAX, &id);
        if (rc < 0)
            return too_many(a, rc);
        uint32_t before = a->pair_cap;
        rc = exec_grow(a->x, (void **)&a->pair_count, &a->pair_cap, id, sizeof *a->pair_count);
        if (rc < 0)
            return rc;
        if (a->pair_cap > before)
            memset(a->pair_count + before, 0, (a->pair_cap - before) * sizeof *a->pair_count);
        a->pair_count[id]++;
    }
    return 0;
}

int agg_rows(struct agg *a, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    uint32_t refs = a->plan->ref_count;
    if (a->plan->fn == QUERY_AGG_COUNT && refs && !gid && n == bits_count(b->sel, b->n)) { // all rows of the batch
        uint64_t count;
        int counted = vbatch_count(b, a->plan->refs[0], &count);
        a->count[0] += counted == 0 ? count : 0;
        return counted;
    }
    struct cvec *v = exec_scratch(a->x, refs + 1, sizeof *v);
    int rc = 0;
    if (!v)
        return exec_nomem(a->x);
    a->seen.x = a->pairs.x = a->x;
    a->pairs.width = 2;
    for (uint32_t f = 0; f < refs && rc == 0; f++)
        rc = vbatch_field(b, a->plan->refs[f], &v[f]);
    if (rc < 0)
        return rc;
    switch (a->plan->fn) {
    case QUERY_AGG_COUNT:
        rows_count(a, refs ? v : NULL, index, gid, n);
        return 0;
    case QUERY_AGG_UNIQ:
        return rows_distinct(a, v, index, gid, n);
    case QUERY_AGG_FIRST:
    case QUERY_AGG_LAST:
    case QUERY_AGG_ARGMAX:
    case QUERY_AGG_ARGMIN:
        rc = vbatch_fixed(b, QUERY_F_TIME, &v[refs]);
        return rc < 0 ? rc : rows_pick(a, b, v, &v[refs], index, gid, n);
    case QUERY_AGG_VALUES:
        return rows_values_of(a, v, index, gid, n);
    case QUERY_AGG_RATE:
    case QUERY_AGG_INCREASE:
        if (refs)
            return agg_rate_rows(a, b, index, gid, n);
        for (uint32_t k = 0; k < n; k++) {
            a->sum[gid ? gid[k] : 0].ints++;
            a->sum[gid ? gid[k] : 0].n++;
        }
        return 0;
    default:
        return rows_values(a, v, index, gid, n);
    }
}

// ---- results ----

static int order_pairs(const void *pa, const void *pb, void *ctx)
{
    const struct agg *a = ctx;
    uint32_t x = *(const uint32_t *)pa, y = *(const uint32_t *)pb;
    const uint32_t *p = a->pairs.ids + 2 * (size_t)x, *q = a->pairs.ids + 2 * (size_t)y;
    if (p[0] != q[0])
        return p[0] < q[0] ? -1 : 1;
    if (a->pair_count[x] != a->pair_count[y])
        return a->pair_count[x] > a->pair_count[y] ? -1 : 1;
    return qval_order(&a->seen.values[p[1]], &a->seen.values[q[1]]);
}

static int values_result(struct agg *a, uint32_t group, struct qval *ret)
{
    struct exec *x = a->x;
    uint32_t n = a->pairs.n, lo = 0, hi = n;
    if (n == 0)
        return 0;
    if (!a->pair_order) {
        a->pair_order = arena_alloc_array(&x->arena, n, sizeof *a->pair_order);
        if (!a->pair_order)
            return exec_nomem(x);
        for (uint32_t i = 0; i < n; i++)
            a->pair_order[i] = i;
        qsort_r(a->pair_order, n, sizeof *a->pair_order, order_pairs, a);
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (a->pairs.ids[2 * (size_t)a->pair_order[mid]] < group)
            lo = mid + 1;
        else
            hi = mid;
    }
    struct buf b;
    str kept;
    char id_text[33];
    uint32_t count = 0;
    while (lo + count < n && count < a->plan->n && a->pairs.ids[2 * (size_t)a->pair_order[lo + count]] == group)
        count++;
    if (count == 0)
        return 0;
    buf_init(&b, 64 << 20);
    buf_byte(&b, VALUE_LIST);
    buf_varint(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *pair = a->pairs.ids + 2 * (size_t)a->pair_order[lo + i];
        struct value v = qval_to_value(&a->seen.values[pair[1]], id_text);
        value_encode(&b, &v);
    }
    int rc = b.error ? ERR_NOMEM : arena_dup(&x->scratch, buf_view(&b), &kept);
    buf_free(&b);
    if (rc < 0)
        return exec_nomem(x);
    *ret = (struct qval){ .type = QVAL_LIST, .s = kept };
    return 0;
}

int agg_result(struct agg *a, uint32_t group, double seconds, struct qval *ret)
{
    int rc = 0;
    *ret = qval_missing();
    switch (a->plan->fn) {
    case QUERY_AGG_COUNT:
        *ret = qval_int((int64_t)a->count[group]);
        return 0;
    case QUERY_AGG_SUM:
        *ret = sum_result(&a->sum[group], false);
        return 0;
    case QUERY_AGG_AVG:
        *ret = avg_result(&a->sum[group]);
        return 0;
    case QUERY_AGG_MIN:
    case QUERY_AGG_MAX:
        *ret = a->best[group];
        return 0;
    case QUERY_AGG_QUANTILE:
        *ret = sketch_quantile(&a->sketch[group], a->plan->q);
        return 0;
    case QUERY_AGG_UNIQ:
        *ret = qval_int((int64_t)distinct_count(&a->distinct[group]));
        return 0;
    case QUERY_AGG_RATE:
    case QUERY_AGG_INCREASE:
        rc = agg_rate_finish(a);
        if (rc < 0)
            return rc;
        if (a->plan->ref_count && a->sum[group].n == 0)
            return 0;
        if (a->plan->fn == QUERY_AGG_INCREASE)
            *ret = sum_result(&a->sum[group], true);
        else if (seconds > 0)
            *ret = qval_double(sum_total(&a->sum[group]) / seconds / (a->sum[group].durations ? 1e9 : 1));
        return 0;
    case QUERY_AGG_FIRST:
    case QUERY_AGG_LAST:
    case QUERY_AGG_ARGMAX:
    case QUERY_AGG_ARGMIN:
        *ret = a->pick[group].value;
        return 0;
    case QUERY_AGG_VALUES:
        return values_result(a, group, ret);
    case QUERY_AGG_HISTOGRAM:
        return agg_hist_result(a->x, &a->hist[group], ret);
    }
    return 0;
}

double agg_error(const struct agg *a)
{
    for (uint32_t g = 0; g < a->groups; g++) {
        if (a->plan->fn == QUERY_AGG_QUANTILE && a->sketch[g].sketched)
            return SKETCH_ERROR;
        if (a->plan->fn == QUERY_AGG_UNIQ && a->distinct[g].registers)
            return DISTINCT_ERROR;
    }
    return 0;
}

void agg_free(struct agg *a)
{
    for (uint32_t g = 0; g < a->groups; g++) {
        if (a->plan->fn == QUERY_AGG_QUANTILE)
            sketch_free(a->x, &a->sketch[g]);
        else if (a->plan->fn == QUERY_AGG_UNIQ)
            distinct_free(a->x, &a->distinct[g]);
        else if (a->plan->fn == QUERY_AGG_HISTOGRAM)
            agg_hist_free(a->x, &a->hist[g]);
    }
    exec_free(a->x, a->states, a->cap * state_size(a->plan->fn));
    exec_free(a->x, a->pair_count, a->pair_cap * sizeof *a->pair_count);
    exec_free(a->x, a->memo, (size_t)a->memo_n * sizeof *a->memo);
    a->memo = NULL;
    a->memo_n = 0;
    exec_free(a->x, a->points, a->points_cap * sizeof *a->points);
    intern_free(&a->seen);
    intern_tuples_free(&a->pairs);
    a->states = NULL;
    a->pair_count = NULL;
    a->points = NULL;
    a->groups = a->cap = a->pair_cap = a->points_cap = 0;
}
