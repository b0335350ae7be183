// Hints about names that no record has: what was probably meant.
#include "query/plan.h"

#include "query/suggest.h"

enum { NAMES_MAX = 10000 };

static bool known(const struct query_ref *ref, uint16_t sources, const struct query_catalogue *cat)
{
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        if (!(sources >> s & 1))
            continue;
        const struct query_binding *b = &ref->bind[s];
        if (b->kind == QUERY_BIND_FIXED)
            return true;
        if (s == QUERY_ISSUES) // have no attributes: those of the records are not theirs
            continue;
        if (b->kind == QUERY_BIND_ALIAS) {
            const struct query_alias_group *g = query_alias_get(b->group);
            for (uint32_t i = 0; i < g->key_count; i++)
                if (cat->has(cat->ctx, g->keys[i].key))
                    return true;
        }
        if (b->kind != QUERY_BIND_ATTR)
            continue;
        if (b->level >= QUERY_AT_EVENT) // not in the catalogue of attributes
            return true;
        // a.b.c may lie in a map a.b or a.
        for (size_t n = ref->key[s].len; n > 0; n--)
            if ((n == ref->key[s].len || ref->key[s].ptr[n] == '.') && cat->has(cat->ctx, str_slice(ref->key[s], 0, n)))
                return true;
    }
    return false;
}

// What Sentry's search calls otherwise, where it is not quite the same (the same is in aliases.def).
static str elsewhere(str name)
{
    static const str names[][2] = { { STR_INIT("message"), STR_INIT("title") },
                                    { STR_INIT("age"), STR_INIT("first") } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(names[i][0], name))
            return names[i][1];
    return (str){ 0 };
}

static void nearest(const struct query_plan *plan, const struct query_ref *ref, const struct query_catalogue *cat,
                    struct suggest *s)
{
    *s = (struct suggest){ .word = ref->name };
    for (int k = 0; k < QUERY_SOURCE_COUNT; k++) {
        const struct query_field_info *f;
        for (uint32_t i = 0; plan->sources >> k & 1 && (f = query_field_at((enum query_source)k, i)) != NULL; i++)
            suggest_offer(s, query_field_name(f->id));
    }
    str key;
    if (plan->sources == QS_ISSUES)
        return;
    for (uint32_t i = 0; i < NAMES_MAX && cat->at(cat->ctx, i, &key); i++)
        suggest_offer(s, key);
}

static str said_of(struct arena *arena, const struct query_plan *plan, const struct query_ref *ref,
                   const struct query_catalogue *cat)
{
    struct suggest s;
    bool issues = plan->sources == QS_ISSUES;
    str name = str_slice(ref->name, 0, 100), meant = issues ? elsewhere(ref->name) : (str){ 0 };
    nearest(plan, ref, cat, &s);
    if (!meant.len && s.count)
        meant = s.best[0].text;
    if (meant.len)
        return arena_printf(arena, "`%.*s` is in no %s, did you mean `%.*s`?", STR_ARG(name),
                            issues ? "issue" : "record", STR_ARG(meant));
    if (issues)
        return arena_printf(arena,
                            "`%.*s` is in no issue; of their events: issues id in {events %.*s:* | select issue}",
                            STR_ARG(name), STR_ARG(name));
    return arena_printf(arena, "`%.*s` is in no record of this range", STR_ARG(name));
}

// What stands at one place is said once.
static bool is_said(const struct query_plan *plan, struct query_pos pos)
{
    for (uint32_t i = 0; i < plan->hint_count; i++)
        if (plan->hints[i].pos.off == pos.off)
            return true;
    return false;
}

uint32_t query_plan_unknown_names(struct arena *arena, const struct query_plan *plan, const struct query_catalogue *cat,
                                  struct query_hint *ret_hints, uint32_t max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->ref_count && n < max; i++) {
        const struct query_ref *ref = plan->refs[i];
        if (ref->slot >= 0 || known(ref, plan->sources, cat) || is_said(plan, ref->pos))
            continue;
        str text = said_of(arena, plan, ref, cat);
        if (text.ptr)
            ret_hints[n++] = (struct query_hint){ ref->pos, text };
    }
    return n;
}
