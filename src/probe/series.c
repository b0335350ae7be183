#include "probe/series.h"

#include <math.h>
#include <string.h>

#define DECADE(e) 1e##e, 2e##e, 5e##e
const double probe_series_bounds[PROBE_SERIES_BOUNDS] = {
    1e-6,      2e-6,      5e-6,      1e-5,      2e-5,      5e-5,      1e-4,      2e-4,      5e-4,       1e-3,
    2e-3,      5e-3,      1e-2,      2e-2,      5e-2,      1e-1,      2e-1,      5e-1,      DECADE(0),  DECADE(1),
    DECADE(2), DECADE(3), DECADE(4), DECADE(5), DECADE(6), DECADE(7), DECADE(8), DECADE(9), DECADE(10), DECADE(11),
};
#undef DECADE

void probe_series_part(struct probe_series_key *key, enum probe_series_part kind, const void *p, size_t n,
                       unsigned later)
{
    enum { HEAD = 2, NUMBER = HEAD + 8 };
    size_t room = PROBE_SERIES_KEY - key->len, kept = (size_t)later * NUMBER;
    room = room > kept + HEAD ? room - kept - HEAD : 0;
    if (room > PROBE_SERIES_TEXT)
        room = PROBE_SERIES_TEXT;
    if (n > room) {
        n = room;
        while (n && (((const uint8_t *)p)[n] & 0xc0) == 0x80) // at a character's border
            n--;
    }
    if (PROBE_SERIES_KEY - key->len < HEAD + n)
        return; // more parts than PROBE_SERIES_BY_MAX
    key->bytes[key->len] = (uint8_t)kind;
    key->bytes[key->len + 1] = (uint8_t)n;
    if (n)
        memcpy(key->bytes + key->len + HEAD, p, n);
    key->len += (uint32_t)(HEAD + n);
}

static uint64_t hash_of(const uint8_t *key, uint32_t len)
{
    uint64_t h = 14695981039346656037u;
    for (uint32_t i = 0; i < len; i++)
        h = (h ^ key[i]) * 1099511628211u;
    return h;
}

void probe_series_reset(struct probe_series_table *t, uint64_t owner, int64_t now_unix_ns)
{
    atomic_store_explicit(&t->owner, 0, memory_order_seq_cst);
    memset((uint8_t *)t + sizeof t->owner, 0, sizeof *t - sizeof t->owner);
    t->start_ns = now_unix_ns;
    atomic_store_explicit(&t->owner, owner, memory_order_release);
}

static struct probe_series *series_of(struct probe_series_table *t, const uint8_t *key, uint32_t len)
{
    uint64_t h = hash_of(key, len);
    uint32_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
    if (n > PROBE_SERIES_MAX)
        n = PROBE_SERIES_MAX;
    for (uint32_t i = 0; i < n; i++)
        if (t->hashes[i] == h && t->series[i].key_len == len && memcmp(t->series[i].key, key, len) == 0)
            return &t->series[i];
    if (n == PROBE_SERIES_MAX)
        return &t->series[PROBE_SERIES_MAX];
    struct probe_series *s = &t->series[n];
    t->hashes[n] = h;
    s->key_len = len;
    memcpy(s->key, key, len);
    atomic_store_explicit(&t->n, n + 1, memory_order_release);
    return s;
}

static unsigned bucket_of(double v)
{
    unsigned lo = 0, hi = PROBE_SERIES_BOUNDS;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (v <= probe_series_bounds[mid])
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

void probe_series_add(struct probe_series_table *t, const struct probe_series_key *key, double value, bool buckets)
{
    struct probe_series *s = series_of(t, key->bytes, key->len);
    uint32_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);
    atomic_store_explicit(&s->turn, turn + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    s->min = !s->count || value < s->min ? value : s->min;
    s->max = !s->count || value > s->max ? value : s->max;
    s->count++;
    s->sum += value;
    s->last = value;
    if (buckets)
        s->buckets[bucket_of(value)]++;
    atomic_store_explicit(&s->turn, turn + 2, memory_order_release);
}

// Whether a series can have become this one.
static bool follows(const struct probe_series *now, const struct probe_series *before)
{
    bool other = now->key_len != before->key_len || memcmp(now->key, before->key, now->key_len) != 0;
    if ((before->count && other) || now->count < before->count)
        return false;
    uint64_t left = now->count - before->count;
    for (size_t i = 0; i <= PROBE_SERIES_BOUNDS; i++) {
        if (now->buckets[i] < before->buckets[i] || now->buckets[i] - before->buckets[i] > left)
            return false;
        left -= now->buckets[i] - before->buckets[i];
    }
    return true;
}

bool probe_series_join(struct probe_series_table *all, const struct probe_series *now,
                       const struct probe_series *before, bool overflow)
{
    if (now->key_len > PROBE_SERIES_KEY || now->count > INT64_MAX || !isfinite(now->sum) || !isfinite(now->min) ||
        !isfinite(now->max) || !isfinite(now->last) || !follows(now, before))
        return false;
    if (now->count == before->count)
        return true;
    struct probe_series *s = overflow ? &all->series[PROBE_SERIES_MAX] : series_of(all, now->key, now->key_len);
    s->min = !s->count || now->min < s->min ? now->min : s->min;
    s->max = !s->count || now->max > s->max ? now->max : s->max;
    s->count += now->count - before->count;
    s->sum += now->sum - before->sum;
    s->last = now->last;
    for (size_t i = 0; i <= PROBE_SERIES_BOUNDS; i++)
        s->buckets[i] += now->buckets[i] - before->buckets[i];
    return true;
}
