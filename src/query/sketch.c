#include "query/sketch.h"

#include <math.h>
#include <stdlib.h>

enum { BIN_SHIFT = 46, BIN_CHUNK = 64 };

static uint32_t bin_of(double v) // v > 0
{
    uint64_t bits;
    memcpy(&bits, &v, 8);
    return (uint32_t)(bits >> BIN_SHIFT);
}

static double bin_bound(uint32_t bin)
{
    uint64_t bits = (uint64_t)bin << BIN_SHIFT;
    double v;
    memcpy(&v, &bits, 8);
    return v;
}

static double bin_value(uint32_t bin)
{
    double lo = bin_bound(bin), up = bin_bound(bin + 1);
    if (isinf(lo))
        return lo;
    if (isinf(up))
        return lo;
    return lo <= 0 ? 0 : 2 * lo / (1 + lo / up);
}

static int bins_room(struct exec *x, struct sketch_bins *b, uint32_t bin)
{
    uint32_t first = bin / BIN_CHUNK * BIN_CHUNK, end = first + BIN_CHUNK;
    if (b->n) {
        first = first < b->base ? first : b->base;
        end = end > b->base + b->n ? end : b->base + b->n;
    }
    uint64_t *count = exec_zalloc(x, (size_t)(end - first) * 8);
    if (!count)
        return exec_nomem(x);
    if (b->n)
        memcpy(count + (b->base - first), b->count, (size_t)b->n * 8);
    exec_free(x, b->count, (size_t)b->n * 8);
    *b = (struct sketch_bins){ count, first, end - first };
    return 0;
}

static inline int bins_add(struct exec *x, struct sketch_bins *b, uint32_t bin)
{
    if (__builtin_expect(bin - b->base >= b->n, 0)) {
        int rc = bins_room(x, b, bin);
        if (rc < 0)
            return rc;
    }
    b->count[bin - b->base]++;
    return 0;
}

static inline int sketch_bin(struct exec *x, struct sketch *s, double v)
{
    if (v > 0)
        return bins_add(x, &s->pos, bin_of(v));
    if (v < 0)
        return bins_add(x, &s->neg, bin_of(-v));
    if (v == 0)
        s->zeros++;
    else
        s->nans++;
    return 0;
}

static void to_doubles(struct sketch *s)
{
    if (s->doubles)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        s->exact[i].d = (double)s->exact[i].i;
    s->doubles = true;
}

static int to_sketch(struct exec *x, struct sketch *s)
{
    int rc = 0;
    for (uint32_t i = 0; i < s->n && rc == 0; i++)
        rc = sketch_bin(x, s, s->doubles ? s->exact[i].d : (double)s->exact[i].i);
    exec_free(x, s->exact, (size_t)s->cap * 8);
    s->exact = NULL;
    s->n = s->cap = 0;
    s->sketched = true;
    return rc;
}

static int exact_room(struct exec *x, struct sketch *s)
{
    if (s->n < s->cap)
        return 0;
    uint32_t cap = s->cap ? s->cap * 2 : 8;
    void *p = exec_realloc(x, s->exact, (size_t)s->cap * 8, (size_t)cap * 8);
    if (!p)
        return exec_nomem(x);
    s->exact = p;
    s->cap = cap;
    return 0;
}

static int add(struct exec *x, struct sketch *s, bool is_double, int64_t i, double d)
{
    if (!s->sketched && s->count == SKETCH_EXACT) {
        int rc = to_sketch(x, s);
        if (rc < 0)
            return rc;
    }
    s->count++;
    if (s->sketched) {
        s->doubles |= is_double;
        return sketch_bin(x, s, is_double ? d : (double)i);
    }
    int rc = exact_room(x, s);
    if (rc < 0)
        return rc;
    if (is_double)
        to_doubles(s);
    if (s->doubles)
        s->exact[s->n++].d = is_double ? d : (double)i;
    else
        s->exact[s->n++].i = i;
    return 0;
}

int sketch_add(struct exec *x, struct sketch *s, const struct qval *v)
{
    if (v->type == QVAL_DURATION)
        return sketch_add_ns(x, s, v->i);
    s->plain = true;
    return add(x, s, v->type == QVAL_DOUBLE, v->i, v->d);
}

int sketch_add_ns(struct exec *x, struct sketch *s, int64_t ns)
{
    s->durations = true;
    if (s->sketched) {
        s->count++;
        return sketch_bin(x, s, (double)ns);
    }
    return add(x, s, false, ns, 0);
}

// ---- answers ----

static int order_ints(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int order_doubles(const void *a, const void *b)
{
    struct qval x = qval_double(*(const double *)a), y = qval_double(*(const double *)b);
    return qval_order(&x, &y);
}

static struct qval answer(const struct sketch *s, double v)
{
    bool ns = s->durations && !s->plain;
    if (!ns && (s->doubles || s->durations))
        return qval_double(v);
    double r = round(v);
    if (!(r >= -0x1p63 && r < 0x1p63))
        r = r < 0 ? -0x1p63 : 0x1.fffffffffffffp62;
    return qval_of(ns ? QVAL_DURATION : QVAL_INT, (int64_t)r);
}

static struct qval sketched_quantile(const struct sketch *s, uint64_t rank)
{
    uint64_t seen = 0;
    for (uint32_t i = s->neg.n; i-- > 0;) {
        seen += s->neg.count[i];
        if (seen >= rank)
            return answer(s, -bin_value(s->neg.base + i));
    }
    seen += s->zeros;
    if (seen >= rank)
        return answer(s, 0);
    for (uint32_t i = 0; i < s->pos.n; i++) {
        seen += s->pos.count[i];
        if (seen >= rank)
            return answer(s, bin_value(s->pos.base + i));
    }
    return qval_double((double)NAN);
}

struct qval sketch_quantile(struct sketch *s, double q)
{
    if (s->count == 0)
        return qval_missing();
    double r = ceil(q * (double)s->count);
    uint64_t rank = r < 1 ? 1 : r > (double)s->count ? s->count : (uint64_t)r;
    if (s->sketched)
        return sketched_quantile(s, rank);
    qsort(s->exact, s->n, 8, s->doubles ? order_doubles : order_ints);
    if (s->doubles)
        return qval_double(s->exact[rank - 1].d);
    return qval_of(s->durations && !s->plain ? QVAL_DURATION : QVAL_INT, s->exact[rank - 1].i);
}

void sketch_free(struct exec *x, struct sketch *s)
{
    exec_free(x, s->exact, (size_t)s->cap * 8);
    exec_free(x, s->pos.count, (size_t)s->pos.n * 8);
    exec_free(x, s->neg.count, (size_t)s->neg.n * 8);
    memset(s, 0, sizeof *s);
}
