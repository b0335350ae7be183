// histogram(): counts between the bounds 1, 2, 5 of each decade, for both signs; zero has a bin of its own.
//
// A bin's number is 3 * decade + 0, 1, 2 for [1, 2), [2, 5), [5, 10) times 10^decade, shifted so that it is
// positive; negative values have the negative of it, zero has 0.
#include "query/agg.h"

#include <math.h>

enum { BIN_SHIFT = 2000 };

static double bound_of(int32_t bin) // of a positive bin
{
    static const double step[] = { 1, 2, 5 };
    int32_t k = bin - BIN_SHIFT;
    int32_t decade = k >= 0 ? k / 3 : -((2 - k) / 3);
    double s = step[k - 3 * decade];
    // Dividing by an exact power is right to the last bit, multiplying with 0.1^n is not.
    return decade < 0 ? s / pow(10, -decade) : s * pow(10, decade);
}

static int32_t bin_of(double v) // v > 0, finite
{
    int32_t bin = BIN_SHIFT + 3 * (int32_t)floor(log10(v));
    while (v >= bound_of(bin + 1))
        bin++;
    while (v < bound_of(bin))
        bin--;
    return bin;
}

int agg_hist_add(struct exec *x, struct agg_hist *h, const struct qval *v, uint64_t times)
{
    double d = v->type == QVAL_DOUBLE ? v->d : (double)v->i;
    if (!isfinite(d))
        return 0;
    int32_t bin = d > 0 ? bin_of(d) : d < 0 ? -bin_of(-d) : 0;
    h->durations |= v->type == QVAL_DURATION;
    h->plain |= v->type != QVAL_DURATION;
    uint32_t lo = 0, hi = h->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (h->bins[mid].bin < bin)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == h->n || h->bins[lo].bin != bin) {
        int rc = exec_grow(x, (void **)&h->bins, &h->cap, h->n, sizeof *h->bins);
        if (rc < 0)
            return rc;
        memmove(h->bins + lo + 1, h->bins + lo, (h->n - lo) * sizeof *h->bins);
        h->bins[lo] = (struct agg_hist_bin){ bin, 0 };
        h->n++;
    }
    h->bins[lo].n += times;
    return 0;
}

static struct value bound_value(double v)
{
    return v == floor(v) && fabs(v) < 0x1p53 ? value_int((int64_t)v) : value_double(v);
}

int agg_hist_result(struct exec *x, const struct agg_hist *h, struct qval *ret)
{
    struct buf b;
    str kept;
    if (h->n == 0)
        return 0;
    buf_init(&b, 1 << 20);
    buf_byte(&b, VALUE_LIST);
    buf_varint(&b, h->n);
    for (uint32_t i = 0; i < h->n; i++) {
        int32_t bin = h->bins[i].bin;
        struct value from = bound_value(bin > 0 ? bound_of(bin) : bin < 0 ? -bound_of(-bin + 1) : 0);
        struct value to = bound_value(bin > 0 ? bound_of(bin + 1) : bin < 0 ? -bound_of(-bin) : 0);
        struct value n = value_int((int64_t)h->bins[i].n);
        buf_byte(&b, VALUE_LIST);
        buf_varint(&b, 3);
        value_encode(&b, &from);
        value_encode(&b, &to);
        value_encode(&b, &n);
    }
    int rc = b.error ? ERR_NOMEM : arena_dup(&x->scratch, buf_view(&b), &kept);
    buf_free(&b);
    if (rc < 0)
        return exec_nomem(x);
    *ret = (struct qval){ .type = QVAL_LIST, .s = kept };
    return 0;
}

void agg_hist_free(struct exec *x, struct agg_hist *h)
{
    exec_free(x, h->bins, h->cap * sizeof *h->bins);
    *h = (struct agg_hist){ 0 };
}
