#include "red/durations.h"

#include "base/err.h"
#include "store/varint_in.h"

#include <math.h>

enum { SHIFT = 46, ONE = 0x3ff << 6, FIRST_CAP = 8 };

uint16_t durations_bin(int64_t ns)
{
    if (ns <= 0)
        return 0;
    double v = (double)ns;
    uint64_t bits;
    memcpy(&bits, &v, 8);
    return (uint16_t)((bits >> SHIFT) - ONE + 1);
}

static double bound(uint16_t bin)
{
    uint64_t bits = ((uint64_t)bin - 1 + ONE) << SHIFT;
    double v;
    memcpy(&v, &bits, 8);
    return v;
}

int64_t durations_bin_value(uint16_t bin)
{
    if (bin == 0)
        return 0;
    double lo = bound(bin), up = bound(bin + 1), v = round(2 * lo / (1 + lo / up));
    return v < 0x1p63 ? (int64_t)v : INT64_MAX;
}

// The first place whose bin is not below this one.
static uint32_t place_of(const struct durations *d, uint16_t bin)
{
    uint32_t at = 0, n = d->n;
    while (n) { // without a branch on what is found
        uint32_t half = (n + 1) / 2;
        at += d->bin[at + half - 1] < bin ? half : 0;
        n -= half;
    }
    return at;
}

static int grow(struct arena *a, struct durations *d)
{
    uint32_t cap = d->cap ? d->cap * 2u : FIRST_CAP;
    uint32_t *count = arena_alloc(a, cap * (sizeof *d->count + sizeof *d->bin));
    if (!count)
        return ERR_NOMEM;
    uint16_t *bin = (uint16_t *)(count + cap);
    if (d->n) {
        memcpy(count, d->count, d->n * sizeof *count);
        memcpy(bin, d->bin, d->n * sizeof *bin);
    }
    d->count = count;
    d->bin = bin;
    d->cap = (uint16_t)cap;
    return 0;
}

int durations_add(struct arena *a, struct durations *d, uint16_t bin, uint32_t n)
{
    uint32_t at = place_of(d, bin);
    if (at < d->n && d->bin[at] == bin) {
        d->count[at] = d->count[at] > UINT32_MAX - n ? UINT32_MAX : d->count[at] + n;
        return 0;
    }
    if (d->n == d->cap && grow(a, d) < 0)
        return ERR_NOMEM;
    memmove(d->count + at + 1, d->count + at, (d->n - at) * sizeof *d->count);
    memmove(d->bin + at + 1, d->bin + at, (d->n - at) * sizeof *d->bin);
    d->count[at] = n;
    d->bin[at] = bin;
    d->n++;
    return 0;
}

int durations_merge(struct arena *a, struct durations *d, const struct durations *other)
{
    int r = 0;
    for (uint32_t i = 0; i < other->n && r == 0; i++)
        r = durations_add(a, d, other->bin[i], other->count[i]);
    return r;
}

uint64_t durations_count(const struct durations *d)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < d->n; i++)
        sum += d->count[i];
    return sum;
}

uint64_t durations_above(const struct durations *d, uint16_t bin)
{
    uint64_t sum = 0;
    for (uint32_t i = d->n; i-- > 0 && d->bin[i] > bin;)
        sum += d->count[i];
    return sum;
}

int64_t durations_quantile(const struct durations *d, double q)
{
    uint64_t count = durations_count(d), seen = 0;
    if (count == 0)
        return -1;
    double r = ceil(q * (double)count);
    uint64_t rank = r < 1 ? 1 : r > (double)count ? count : (uint64_t)r;
    uint32_t i = 0;
    while (i + 1u < d->n && (seen += d->count[i]) < rank)
        i++;
    return durations_bin_value(d->bin[i]);
}

int durations_encode(const struct durations *d, struct buf *b)
{
    buf_varint(b, d->n);
    for (uint32_t i = 0; i < d->n; i++) {
        buf_varint(b, d->bin[i] - (i ? d->bin[i - 1] : 0u));
        buf_varint(b, d->count[i]);
    }
    return b->error;
}

int durations_decode(struct arena *a, struct durations *d, bytes encoded)
{
    struct in in = { encoded.ptr, encoded.ptr + encoded.len, false };
    uint64_t n = in_varint(&in), bin = 0;
    int r = in.bad || n > DURATIONS_BINS ? ERR_CORRUPT : 0;
    for (uint64_t i = 0; i < n && r == 0; i++) {
        uint64_t step = in_varint(&in), count = in_varint(&in);
        bin += step;
        if (in.bad || (i && step == 0) || step >= DURATIONS_BINS || bin >= DURATIONS_BINS || count > UINT32_MAX)
            return ERR_CORRUPT;
        r = durations_add(a, d, (uint16_t)bin, (uint32_t)count);
    }
    return r == 0 && in.p != in.end ? ERR_CORRUPT : r;
}
