#include "query/distinct.h"

#include <math.h>

#define REGISTERS (1u << DISTINCT_P)
enum { RANKS = 64 - DISTINCT_P + 1 };

static void registers_add(uint8_t *r, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> (64 - DISTINCT_P));
    uint64_t rest = hash << DISTINCT_P;
    uint8_t rank = rest ? (uint8_t)(__builtin_clzll(rest) + 1) : RANKS;
    if (rank > r[at])
        r[at] = rank;
}

static bool set_add(uint64_t *set, uint32_t mask, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        if (set[i] == hash)
            return false;
        if (set[i] == 0) {
            set[i] = hash;
            return true;
        }
    }
}

static int set_grow(struct exec *x, struct distinct *d)
{
    uint32_t slots = d->set ? (d->mask + 1) * 2 : 8;
    uint64_t *set = exec_zalloc(x, (size_t)slots * 8);
    if (!set)
        return exec_nomem(x);
    for (uint32_t i = 0; d->set && i <= d->mask; i++) {
        if (d->set[i])
            set_add(set, slots - 1, d->set[i]);
    }
    if (d->set)
        exec_free(x, d->set, (size_t)(d->mask + 1) * 8);
    d->set = set;
    d->mask = slots - 1;
    return 0;
}

static int to_registers(struct exec *x, struct distinct *d)
{
    d->registers = exec_zalloc(x, REGISTERS);
    if (!d->registers)
        return exec_nomem(x);
    for (uint32_t i = 0; i <= d->mask; i++) {
        if (d->set[i])
            registers_add(d->registers, d->set[i]);
    }
    exec_free(x, d->set, (size_t)(d->mask + 1) * 8);
    d->set = NULL;
    return 0;
}

int distinct_add(struct exec *x, struct distinct *d, uint64_t hash)
{
    hash += hash == 0;
    if (!d->registers) {
        if (!d->set || d->n * 2 > d->mask) {
            int rc = set_grow(x, d);
            if (rc < 0)
                return rc;
        }
        d->n += set_add(d->set, d->mask, hash);
        return d->n > DISTINCT_EXACT ? to_registers(x, d) : 0;
    }
    registers_add(d->registers, hash);
    return 0;
}

static double sigma(double v)
{
    double y = 1, z = v, before;
    if (v == 1)
        return INFINITY;
    do {
        v *= v;
        before = z;
        z += v * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double v)
{
    double y = 1, z = 1 - v, before;
    if (v == 0 || v == 1)
        return 0;
    do {
        v = sqrt(v);
        before = z;
        y *= 0.5;
        z -= (1 - v) * (1 - v) * y;
    } while (z != before);
    return z / 3;
}

uint64_t distinct_count(const struct distinct *d)
{
    if (!d->registers)
        return d->n;
    double c[RANKS + 1] = { 0 }, m = REGISTERS;
    for (uint32_t i = 0; i < REGISTERS; i++)
        c[d->registers[i]]++;
    double z = m * tau(1 - c[RANKS] / m);
    for (int k = RANKS - 1; k >= 1; k--)
        z = 0.5 * (z + c[k]);
    z += m * sigma(c[0] / m);
    return (uint64_t)llround(m * m / (2 * log(2) * z));
}

void distinct_free(struct exec *x, struct distinct *d)
{
    if (d->set)
        exec_free(x, d->set, (size_t)(d->mask + 1) * 8);
    exec_free(x, d->registers, REGISTERS);
    memset(d, 0, sizeof *d);
}
