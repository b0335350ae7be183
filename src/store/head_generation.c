// Generations: one set of lanes between two seals.
#include "base/must.h"
#include "store/head.h"

struct generation *generation_new(uint64_t id, unsigned lanes)
{
    must(lanes > 0 && lanes <= HEAD_LANES_MAX);
    struct generation *g = mem_zalloc(sizeof *g);
    if (!g)
        return NULL;
    g->magic = GENERATION_MAGIC;
    g->refs = 1;
    g->id = id;
    g->lanes_n = lanes;
    return g;
}

struct generation *generation_ref(struct generation *g)
{
    MAGIC_CHECK(g, GENERATION_MAGIC);
    atomic_fetch_add(&g->refs, 1);
    return g;
}

void generation_unref(struct generation *g)
{
    if (!g)
        return;
    MAGIC_CHECK(g, GENERATION_MAGIC);
    if (atomic_fetch_sub(&g->refs, 1) != 1)
        return;
    must(!g->log);
    for (unsigned i = 0; i < g->lanes_n; i++)
        lane_free(g->lane[i]);
    g->magic = 0;
    mem_free(g);
}

size_t generation_bytes(const struct generation *g)
{
    size_t sum = 0;
    for (unsigned i = 0; i < g->lanes_n; i++) {
        const struct lane *l = atomic_load_explicit(&g->lane[i], memory_order_acquire);
        sum += l ? atomic_load_explicit(&l->bytes, memory_order_relaxed) : 0;
    }
    return sum;
}
