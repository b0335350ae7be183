#include "query/catalogue_names.h"

#include "base/hash.h"
#include "base/mem.h"

void names_init(struct names *n, struct exec *x) { *n = (struct names){ .x = x }; }

void names_free(struct names *n)
{
    mem_free(n->list);
    mem_free(n->slots);
    *n = (struct names){ 0 };
}

static uint32_t slot_of(const struct names *n, str key)
{
    uint32_t i = (uint32_t)hash64_str(key) & n->mask;
    while (n->slots[i] && !str_eq(n->list[n->slots[i] - 1], key))
        i = (i + 1) & n->mask;
    return i;
}

static void add(struct names *n, str key)
{
    if (key.len == 0 || n->n == NAMES_MAX)
        return;
    uint32_t i = slot_of(n, key);
    if (n->slots[i])
        return;
    n->list[n->n] = key;
    n->slots[i] = ++n->n;
}

static void add_entity(struct names *n, const struct record_entity *e)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        add(n, e->attrs[i].key);
}

// Without memory there are no names, and so no suggestions: never an error.
static bool make(struct names *n)
{
    enum { SLOTS = 32768 };
    if (n->made)
        return n->slots != NULL;
    n->made = true;
    n->list = mem_alloc(NAMES_MAX * sizeof *n->list);
    n->slots = n->list ? mem_zalloc(SLOTS * sizeof *n->slots) : NULL;
    n->mask = SLOTS - 1;
    if (!n->slots)
        return false;
    const struct query_plan *plan = n->x->plan;
    for (uint32_t k = 0; k < n->x->segs_n; k++) {
        const struct exec_segment *s = &n->x->segs[k];
        if (plan &&
            (!(plan->sources >> s->source & 1) || s->info->time_max < plan->from || s->info->time_min >= plan->to))
            continue;
        for (int t = 0; t < TABLE_N; t++) {
            for (uint32_t i = 0; i < segment_columns(s->seg, t); i++) {
                struct column c = segment_column(s->seg, t, i);
                if (c.level == ATTR_RECORD)
                    add(n, c.key);
            }
        }
        for (uint32_t i = 0; i < segment_resources(s->seg); i++)
            add_entity(n, segment_resource(s->seg, i));
        for (uint32_t i = 0; i < segment_scopes(s->seg); i++)
            add_entity(n, segment_scope(s->seg, i));
    }
    return true;
}

bool names_has(void *ctx, str key)
{
    struct names *n = ctx;
    return make(n) ? n->slots[slot_of(n, key)] != 0 : true;
}

bool names_at(void *ctx, uint32_t i, str *ret_key)
{
    struct names *n = ctx;
    if (!make(n) || i >= n->n)
        return false;
    *ret_key = n->list[i];
    return true;
}
