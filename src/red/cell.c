#include "red/cell.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

void delta_init(struct delta *d)
{
    *d = (struct delta){ .serial = 1 };
    arena_init(&d->arena, DELTA_BYTES_MAX);
}

void delta_clear(struct delta *d)
{
    arena_reset(&d->arena);
    if (d->slots)
        memset(d->slots, 0, (size_t)(d->mask + 1) * sizeof *d->slots);
    d->all = NULL;
    d->n = 0;
    d->serial++;
}

void delta_free(struct delta *d)
{
    arena_free(&d->arena);
    mem_free(d->slots);
    *d = (struct delta){ 0 };
}

static uint32_t slot_of(const struct delta *d, const struct red_key *key, uint32_t minute)
{
    return (uint32_t)hash64_int((uint64_t)minute << 32 | key->id) & d->mask;
}

static int room(struct delta *d)
{
    if (d->slots && (d->n + 1) * 3ull < d->mask * 2ull)
        return 0;
    uint32_t size = d->slots ? (d->mask + 1) * 2 : 256;
    struct cell **slots = mem_calloc(size, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(d->slots);
    d->slots = slots;
    d->mask = size - 1;
    for (struct cell *c = d->all; c; c = c->next) {
        uint32_t i = slot_of(d, c->key, c->minute);
        while (slots[i])
            i = (i + 1) & d->mask;
        slots[i] = c;
    }
    return 0;
}

int delta_cell_slow(struct delta *d, struct red_key *key, uint32_t minute, struct cell **ret_cell)
{
    if (room(d) < 0)
        return ERR_NOMEM;
    uint32_t i = slot_of(d, key, minute);
    while (d->slots[i] && (d->slots[i]->key != key || d->slots[i]->minute != minute))
        i = (i + 1) & d->mask;
    struct cell *c = d->slots[i];
    if (!c) {
        if (!(c = arena_zalloc(&d->arena, sizeof *c)))
            return ERR_NOMEM;
        *c = (struct cell){ .minute = minute, .key = key, .last = INT64_MIN, .next = d->all };
        d->all = d->slots[i] = c;
        d->n++;
    }
    key->cell = c;
    key->delta = d->serial;
    *ret_cell = c;
    return 0;
}

int cell_instance(struct arena *a, struct cell *c, uint32_t instance)
{
    for (unsigned i = 0; i < c->instances_n; i++)
        if (c->instances[i] == instance)
            return 0;
    if (c->instances_n == CELL_INSTANCES_MAX)
        return 0;
    if (c->instances_n == c->instances_cap) {
        unsigned cap = c->instances_cap ? c->instances_cap * 2u : 4;
        uint32_t *p = arena_alloc_array(a, cap, sizeof *p);
        if (!p)
            return ERR_NOMEM;
        if (c->instances_n)
            memcpy(p, c->instances, c->instances_n * sizeof *p);
        c->instances = p;
        c->instances_cap = (uint16_t)cap;
    }
    c->instances[c->instances_n++] = instance;
    return 0;
}

int cell_merge(struct arena *a, struct cell *c, const struct cell *other)
{
    c->requests += other->requests;
    c->errors += other->errors;
    c->logs += other->logs;
    c->log_errors += other->log_errors;
    if (other->last > c->last)
        c->last = other->last;
    for (unsigned i = 0; i < other->instances_n; i++)
        if (cell_instance(a, c, other->instances[i]) < 0)
            return ERR_NOMEM;
    return durations_merge(a, &c->durations, &other->durations);
}
