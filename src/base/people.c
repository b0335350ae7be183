#include "base/people.h"

#include "base/mem.h"
#include "base/pb.h"

#include <math.h>

void people_free(struct people *p)
{
    mem_free(p->list);
    mem_free(p->registers);
    *p = (struct people){ 0 };
}

static void registers_put(uint8_t *registers, uint64_t hash)
{
    uint32_t i = (uint32_t)(hash >> (64 - PEOPLE_LOG2M));
    uint64_t rest = hash << PEOPLE_LOG2M;
    uint8_t rank = rest ? (uint8_t)(__builtin_clzll(rest) + 1) : 64 - PEOPLE_LOG2M + 1;
    if (rank > registers[i])
        registers[i] = rank;
}

static uint32_t lower(const struct people *p, uint64_t hash)
{
    uint32_t lo = 0, hi = p->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (p->list[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int sketch(struct people *p)
{
    if (!(p->registers = mem_zalloc(PEOPLE_REGISTERS)))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < p->n; i++)
        registers_put(p->registers, p->list[i].hash);
    return 0;
}

int people_add(struct people *p, uint64_t hash, uint32_t first, uint32_t last)
{
    uint32_t i = lower(p, hash);
    if (i < p->n && p->list[i].hash == hash) {
        if (first < p->list[i].first)
            p->list[i].first = first;
        if (last > p->list[i].last)
            p->list[i].last = last;
        return 0;
    }
    if (p->n == PEOPLE_EXACT && !p->registers && sketch(p) < 0)
        return ERR_NOMEM;
    if (p->registers)
        registers_put(p->registers, hash);
    if (p->n == PEOPLE_EXACT) {
        if (i == p->n)
            return 0; // not of the sample
        p->n--;       // the largest leaves it
    } else if (p->n == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 2;
        struct person *list = mem_reallocarray(p->list, cap, sizeof *list);
        if (!list)
            return ERR_NOMEM;
        p->list = list;
        p->cap = cap;
    }
    memmove(&p->list[i + 1], &p->list[i], (p->n - i) * sizeof p->list[0]);
    p->list[i] = (struct person){ hash, first, last };
    p->n++;
    return 0;
}

int people_merge(struct people *p, const struct people *other)
{
    int r = 0;
    if (other->registers && !p->registers)
        r = sketch(p);
    for (uint32_t i = 0; i < other->n && r == 0; i++)
        r = people_add(p, other->list[i].hash, other->list[i].first, other->list[i].last);
    for (uint32_t i = 0; other->registers && i < PEOPLE_REGISTERS && r == 0; i++)
        if (other->registers[i] > p->registers[i])
            p->registers[i] = other->registers[i];
    return r;
}

// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017): one estimator for the whole range.
static double sigma(double x)
{
    double y = 1, z = x, before;
    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

uint64_t people_count(const struct people *p)
{
    enum { Q = 64 - PEOPLE_LOG2M };
    uint32_t of_rank[Q + 2] = { 0 };
    const double m = PEOPLE_REGISTERS;
    if (!p->registers)
        return p->n;
    for (uint32_t i = 0; i < PEOPLE_REGISTERS; i++)
        of_rank[p->registers[i]]++;
    double z = m * tau(1 - of_rank[Q + 1] / m);
    for (int k = Q; k >= 1; k--)
        z = 0.5 * (z + of_rank[k]);
    z += m * sigma(of_rank[0] / m);
    return (uint64_t)(m / (2 * M_LN2) * m / z + 0.5);
}

uint64_t people_count_in(const struct people *p, uint32_t from, uint32_t to)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        n += p->list[i].last >= from && p->list[i].first < to;
    if (!p->registers || p->n == 0)
        return n;
    return n == p->n ? people_count(p) : (uint64_t)((double)people_count(p) * (double)n / (double)p->n + 0.5);
}

size_t people_bytes(const struct people *p)
{
    return p->cap * sizeof p->list[0] + (p->registers ? PEOPLE_REGISTERS : 0);
}

void people_encode(const struct people *p, struct buf *b)
{
    uint64_t before = 0;
    buf_varint(b, p->n);
    for (uint32_t i = 0; i < p->n; before = p->list[i++].hash) {
        buf_varint(b, p->list[i].hash - before);
        buf_varint(b, p->list[i].first);
        buf_varint(b, p->list[i].last - p->list[i].first);
    }
    buf_byte(b, p->registers != NULL);
    if (p->registers)
        buf_append(b, p->registers, PEOPLE_REGISTERS);
}

static bool take_varint(bytes *at, uint64_t *ret)
{
    struct pb_reader r = { at->ptr, at->ptr + at->len };
    if (pb_varint(&r, ret) < 0)
        return false;
    *at = bytes_of(r.p, (size_t)(r.end - r.p));
    return true;
}

int people_decode(struct people *p, bytes *at)
{
    uint64_t n, gap, first, stay, hash = 0;
    if (!take_varint(at, &n) || n > PEOPLE_EXACT)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        if (!take_varint(at, &gap) || !take_varint(at, &first) || !take_varint(at, &stay) || first > UINT32_MAX ||
            stay > UINT32_MAX - first || (i && gap == 0))
            return ERR_CORRUPT;
        hash += gap;
        if (people_add(p, hash, (uint32_t)first, (uint32_t)(first + stay)) < 0)
            return ERR_NOMEM;
    }
    if (at->len == 0 || at->ptr[0] > 1)
        return ERR_CORRUPT;
    bool registers = at->ptr[0];
    *at = bytes_of(at->ptr + 1, at->len - 1);
    if (!registers)
        return 0;
    if (at->len < PEOPLE_REGISTERS)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < PEOPLE_REGISTERS; i++)
        if (at->ptr[i] > 64 - PEOPLE_LOG2M + 1)
            return ERR_CORRUPT;
    if (!(p->registers = mem_dup(at->ptr, PEOPLE_REGISTERS)))
        return ERR_NOMEM;
    *at = bytes_of(at->ptr + PEOPLE_REGISTERS, at->len - PEOPLE_REGISTERS);
    return 0;
}
