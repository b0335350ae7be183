// The tree of what an event consists of, for grouping.
#pragma once
#include "base/arena.h"
#include "grouping/md5.h"

struct stack_rule;

struct component {
    const char *id;
    struct component *first, *last, *next;
    str value;
    bool leaf; // has a value, and no children
    bool contributes;
    bool in_app;          // of a frame
    const char *hint;     // why it does not contribute, or what was done to the value; NULL: nothing
    const char *app_hint; // of a frame: who said that it is in or out of the application
    const struct stack_rule *rule, *app_rule; // who did it, behind the hint
};

// NULL when memory is out; a child that is NULL is not added.
struct component *component_new(struct arena *arena, const char *id);
struct component *component_text(struct arena *arena, const char *id, str value); // contributes
void component_add(struct component *parent, struct component *child);
// Contributes when one of its children does.
void component_settle(struct component *c);
static inline void component_ignore(struct component *c, const char *hint)
{
    c->contributes = false;
    if (hint)
        c->hint = hint;
}
struct component *component_find(const struct component *c, const char *id); // a child
// Feeds the values that contribute, in order.
void component_hash(const struct component *c, struct md5 *m);
// The same for all that there is, contributing or not: equal exactly for equal trees.
void component_identity(const struct component *c, struct md5 *m);
// A contributing stacktrace is in it.
bool component_has_stack(const struct component *c);
