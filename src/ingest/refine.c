#include "ingest/refine.h"

#include "grouping/grouping.h"
#include "ingest/project_rules.h"

int refine_event(void *ctx, uint32_t project, str group, const struct sentry_event *e, struct arena *arena)
{
    const struct refine *f = ctx;
    struct grouping grouping;
    int64_t issue;
    int r = f->issues.of_hash(f->issues.ctx, project, group, &issue);
    if (r == ERR_NOENT) // issues follow the log; it may not be counted yet
        return ERR_AGAIN;
    if (r < 0)
        return r;
    struct grouping_rules *rules = project_rules_grouping(f->rules, project);
    r = grouping_run(rules, e, arena, &grouping);
    grouping_rules_free(rules);
    for (uint32_t i = 0; i < grouping.hashes_n && r == 0; i++) {
        if (str_eq(grouping.hashes[i], group))
            continue;
        r = f->issues.hash_add(f->issues.ctx, issue, grouping.hashes[i]);
        if (r == ERR_EXIST)
            r = 0;
        if (r == ERR_BUSY || r == ERR_IO || r == ERR_NOSPC)
            r = ERR_AGAIN;
    }
    return r;
}
