// What is not kept of what was sent: by the project's rules, then by those that hold everywhere.
#include "ingest/sentry_internal.h"

#include "wire/sentry_scrub.h"

int sentry_remove(struct sentry_call *call, const struct json_node *root, struct sentry_removed *ret_removed)
{
    struct arena *arena = sentry_arena(call);
    struct sentry_remarks common;
    struct scrub_remarks *own = arena_alloc(arena, sizeof *own);
    if (!own)
        return ERR_NOMEM;
    int r = scrub_rules_apply(call->rules->scrub, root, arena, own);
    if (r == 0)
        r = sentry_scrub(root, arena, &common);
    if (r < 0 || !ret_removed)
        return r;
    struct sentry_removed removed = { .n = own->n + common.n, .rules_n = own->n };
    str *paths = arena_alloc_array(arena, removed.n + 1, sizeof *paths),
        *rules = arena_alloc_array(arena, own->n + 1, sizeof *rules);
    if (!paths || !rules)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < own->n; i++) {
        paths[i] = own->of[i].path;
        rules[i] = scrub_rule_shown(own->of[i].rule);
    }
    for (uint32_t i = 0; i < common.n; i++)
        paths[own->n + i] = common.path[i];
    removed.paths = paths;
    removed.rules = rules;
    *ret_removed = removed;
    return 0;
}
