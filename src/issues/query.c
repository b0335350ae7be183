// What the query language asks about issues.
#include "issues/query.h"

#include "base/arena.h"
#include "base/mem.h"
#include "issues/issues.h"

#include <ctype.h>

static int of_hash(void *ctx, uint32_t project, str hash, int64_t *ret_issue)
{
    const struct issues_for_queries *q = ctx;
    return issues_of_hash(q->issues, project, hash, ret_issue);
}

static int hashes_of(void *ctx, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                     size_t *ret_n)
{
    const struct issues_for_queries *q = ctx;
    return issues_hashes(q->issues, issue, arena, ret_project, ret_hashes, ret_n);
}

str issue_short_id(struct meta *meta, uint32_t project, int64_t id, struct arena *arena)
{
    struct meta_project p;
    if (meta_project_get(meta, project, &p, NULL) < 0)
        return (str){ 0 };
    for (char *c = p.slug; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return arena_printf(arena, "%s-%lld", p.slug, (long long)id);
}

// Of few projects there are many issues.
struct slugs {
    struct meta *meta;
    uint32_t project;
    char slug[META_NAME_MAX + 1];
};

static str short_id(struct slugs *s, uint32_t project, int64_t id, struct arena *arena)
{
    struct meta_project p;
    if (s->project != project) {
        if (meta_project_get(s->meta, project, &p, NULL) < 0)
            return (str){ 0 };
        s->project = project;
        for (size_t i = 0; i <= strlen(p.slug); i++)
            s->slug[i] = (char)toupper((unsigned char)p.slug[i]);
    }
    return arena_printf(arena, "%s-%lld", s->slug, (long long)id);
}

static int rows_of(void *ctx, const uint32_t *projects, size_t projects_n, int64_t from, int64_t to,
                   struct arena *arena, struct query_issue **ret_rows, size_t *ret_n)
{
    const struct issues_for_queries *q = ctx;
    struct issues_filter f = { .projects = projects, .projects_n = (uint32_t)projects_n };
    struct slugs slugs = { .meta = q->meta };
    struct issue_row *rows;
    size_t n = 0;
    int r = issues_rows(q->issues, &f, from, to, arena, &rows, &n, NULL);
    if (r < 0)
        return r;
    struct query_issue *out = arena_alloc_array(arena, n + 1, sizeof *out);
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct issue_row *row = &rows[i];
        out[i] = (struct query_issue){ .id = row->id,
                                       .project = row->project,
                                       .short_id = short_id(&slugs, row->project, row->id, arena),
                                       .title = row->title,
                                       .type = row->type,
                                       .culprit = row->culprit,
                                       .assignee = row->assignee.name,
                                       .first_release = row->first_release,
                                       .state = issue_state_word(row->state),
                                       .priority = issue_priority_word(row->priority),
                                       .severity = row->severity,
                                       .first = row->first,
                                       .last = row->last,
                                       .events = row->events,
                                       .users = row->users,
                                       .services = row->services,
                                       .services_n = row->services_n,
                                       .releases = row->releases,
                                       .releases_n = row->releases_n,
                                       .environments = row->environments,
                                       .environments_n = row->environments_n };
    }
    *ret_rows = out;
    *ret_n = n;
    return 0;
}

void issues_for_queries(struct issues_for_queries *q, struct issues *issues, struct meta *meta)
{
    q->issues = issues;
    q->meta = meta;
    q->query = (struct query_issues){ .ctx = q, .of_hash = of_hash, .hashes = hashes_of, .rows = rows_of };
}
