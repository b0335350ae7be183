// Depth is at most five (chain, exception, stack, frame, value): recursion has that bound.
#include "grouping/component.h"

struct component *component_new(struct arena *arena, const char *id)
{
    struct component *c = arena_zalloc(arena, sizeof *c);
    if (c)
        c->id = id;
    return c;
}

struct component *component_text(struct arena *arena, const char *id, str value)
{
    struct component *c = component_new(arena, id);
    if (c) {
        c->value = value;
        c->leaf = c->contributes = true;
    }
    return c;
}

void component_add(struct component *parent, struct component *child)
{
    if (!child)
        return;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

void component_settle(struct component *c)
{
    c->contributes = c->leaf;
    for (const struct component *k = c->first; k && !c->contributes; k = k->next)
        c->contributes = k->contributes;
}

struct component *component_find(const struct component *c, const char *id)
{
    for (struct component *k = c->first; k; k = k->next)
        if (strcmp(k->id, id) == 0)
            return k;
    return NULL;
}

void component_hash(const struct component *c, struct md5 *m)
{
    if (!c->contributes)
        return;
    if (c->leaf)
        md5_add(m, c->value);
    for (const struct component *k = c->first; k; k = k->next)
        component_hash(k, m);
}

void component_identity(const struct component *c, struct md5 *m)
{
    md5_add(m, str_z(c->id));
    md5_add(m, c->contributes ? STR("\1") : STR("\2"));
    if (c->hint)
        md5_add(m, str_z(c->hint));
    if (c->leaf)
        md5_add(m, c->value);
    for (const struct component *k = c->first; k; k = k->next)
        component_identity(k, m);
    md5_add(m, STR("\3"));
}

bool component_has_stack(const struct component *c)
{
    for (const struct component *k = c->first; k; k = k->next)
        if (k->contributes && (strcmp(k->id, "stacktrace") == 0 || component_has_stack(k)))
            return true;
    return false;
}
