// Releases for the pages and the command line.
#include "api/api_internal.h"
#include "api/release_parts.h"

#include "base/clock.h"
#include "issues/issues.h"

enum { LIST_DEFAULT = 100, LIST_MOST = 1000, AUTHORS_MAX = 20, DETAIL_COMMITS = 1000 };

static str slug_of(const struct query_request *q, uint32_t project)
{
    for (uint32_t i = 0; i < q->projects_n; i++)
        if (q->projects[i].id == project)
            return q->projects[i].name;
    return (str){ 0 };
}

static void put_authors(struct json_writer *w, const struct release_commit *commits, size_t n)
{
    str seen[AUTHORS_MAX];
    size_t count = 0;
    json_put_key(w, STR("authors"));
    json_put_array(w);
    for (size_t i = 0; i < n && count < AUTHORS_MAX; i++) {
        str name = commits[i].author_name.len ? commits[i].author_name : commits[i].author_email;
        bool known = name.len == 0;
        for (size_t k = 0; k < count && !known; k++)
            known = str_eq(seen[k], name);
        if (!known)
            json_put_str(w, seen[count++] = name);
    }
    json_put_array_end(w);
}

static void put_deploys(struct json_writer *w, const struct release_deploy *deploys, size_t n)
{
    json_put_key(w, STR("deploys"));
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(w);
        api_put_text(w, STR("environment"), deploys[i].environment);
        json_put_key(w, STR("time"));
        api_put_time(w, deploys[i].finished);
        api_put_text(w, STR("name"), deploys[i].name);
        api_put_text(w, STR("url"), deploys[i].url);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_commits(struct json_writer *w, const struct release_commit *commits, size_t n)
{
    json_put_key(w, STR("commit_list"));
    json_put_array(w);
    for (size_t i = 0; i < n && i < DETAIL_COMMITS; i++) {
        const struct release_commit *c = &commits[i];
        json_put_object(w);
        api_put_text(w, STR("id"), c->id);
        api_put_text(w, STR("repository"), c->repository);
        api_put_text(w, STR("message"), c->message);
        api_put_text(w, STR("author"), c->author_name);
        api_put_text(w, STR("email"), c->author_email);
        api_put_optional_time(w, STR("time"), c->time);
        json_put_key(w, STR("files"));
        json_put_array(w);
        for (size_t k = 0; k < c->files_n; k++) {
            const char change = (char)c->files[k].change;
            json_put_object(w);
            api_put_text(w, STR("path"), c->files[k].path);
            api_put_text(w, STR("change"), str_of(&change, 1));
            json_put_object_end(w);
        }
        json_put_array_end(w);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

// How many issues were first seen in each release: one pass over the issues, none of which is taken.
struct firsts {
    const struct release *list;
    size_t n;
    uint64_t *counts;
};

static bool count_first(void *ctx, const struct issue_row *row)
{
    const struct firsts *f = ctx;
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].project == row->project && str_eq(f->list[i].version, row->first_release)) {
            f->counts[i]++;
            break;
        }
    return false;
}

static int new_issues(struct api_call *call, const struct release_filter *projects, const struct release *list,
                      size_t n, uint64_t **ret_counts, struct err *err)
{
    struct firsts f = { list, n, arena_zalloc(&call->req->arena, (n + 1) * sizeof *f.counts) };
    struct issues_filter filter = {
        .projects = projects->projects, .projects_n = (uint32_t)projects->projects_n, .want = count_first, .ctx = &f
    };
    struct issue_row *rows;
    size_t rows_n;
    if (!f.counts)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int64_t now = clock_unix_ns();
    *ret_counts = f.counts;
    return issues_rows(call->api->options.issues, &filter, 0, now + 1, &call->req->arena, &rows, &rows_n, err);
}

static int put_release(struct json_writer *w, struct api_call *call, const struct query_request *q,
                       const struct release *x, uint64_t issues, const struct health_asked *asked, bool detail,
                       struct err *err)
{
    struct releases *releases = call->api->options.releases;
    struct arena *arena = &call->req->arena;
    struct release_commit *commits = NULL;
    struct release_deploy *deploys = NULL;
    size_t commits_n = 0, deploys_n = 0;
    int rc = x->commits ? releases_commits(releases, x->id, detail, arena, &commits, &commits_n, err) : 0;
    if (rc == 0 && x->deploys)
        rc = releases_deploys(releases, &x->id, 1, arena, &deploys, &deploys_n, err);
    struct release_health health;
    if (rc == 0)
        rc = releases_health(releases, x->id, asked->environment, asked->from, asked->to, &health, err);
    if (rc < 0)
        return rc;
    json_put_object(w);
    api_put_text(w, STR("version"), x->version);
    api_put_text(w, STR("short"), release_version_short(x->version));
    api_put_text(w, STR("project"), slug_of(q, x->project));
    api_put_text(w, STR("status"), x->status == RELEASE_ARCHIVED ? STR("archived") : STR("open"));
    api_put_text(w, STR("ref"), x->ref);
    api_put_text(w, STR("url"), x->url);
    json_put_key(w, STR("created"));
    api_put_time(w, x->created);
    api_put_optional_time(w, STR("released"), x->released);
    api_put_optional_time(w, STR("first_event"), x->first_event);
    api_put_optional_time(w, STR("last_event"), x->last_event);
    json_put_key(w, STR("new_issues"));
    json_put_uint(w, issues);
    health_put(w, &health);
    json_put_key(w, STR("commits"));
    json_put_uint(w, commits_n);
    put_authors(w, commits, commits_n);
    put_deploys(w, deploys, deploys_n);
    if (detail) {
        put_commits(w, commits, commits_n);
        rc = health_put_series(w, call, x->id, asked, err);
        if (rc == 0)
            rc = release_put_parts(w, call, q, x, asked, err);
    }
    json_put_object_end(w);
    return rc;
}

// Projects of the caller, or the one of the parameter. NULL: answered.
static const uint32_t *projects_of(struct api_call *call, const struct query_request *q, size_t *ret_n)
{
    str slug;
    size_t n = 0;
    if (!api_param(call, STR("project"), &slug))
        return NULL;
    uint32_t *ids = arena_alloc_array(&call->req->arena, q->projects_n, sizeof *ids);
    for (uint32_t i = 0; ids && i < q->projects_n; i++)
        if (slug.len == 0 || str_eq(slug, q->projects[i].name))
            ids[n++] = q->projects[i].id;
    if (!ids)
        api_reply_error(call->req, 503, "memory", "out of memory");
    else if (n == 0 && slug.len)
        api_reply_error(call->req, 404, "no_project", "there is no such project");
    *ret_n = n;
    return n == 0 && slug.len ? NULL : ids;
}

static bool sort_of(struct api_call *call, enum release_sort *ret_sort)
{
    str sort;
    if (!api_param(call, STR("sort"), &sort))
        return false;
    if (sort.len == 0 || str_eq(sort, STR("date")))
        *ret_sort = RELEASE_BY_DATE;
    else if (str_eq(sort, STR("version")))
        *ret_sort = RELEASE_BY_VERSION;
    else if (str_eq(sort, STR("event")))
        *ret_sort = RELEASE_BY_EVENT;
    else {
        api_reply_error(call->req, 400, "bad_argument", "sort is date, version or event");
        return false;
    }
    return true;
}

static void reply_err(struct api_call *call, struct buf *body, const struct err *err)
{
    buf_free(body);
    api_reply_err(call->req, err);
}

void api_releases(struct api_call *call)
{
    struct release_filter f = { 0 };
    struct health_asked asked;
    struct query_request q;
    struct release *list;
    struct json_writer w;
    struct err err;
    struct buf body;
    uint64_t most = LIST_DEFAULT;
    uint64_t *counts;
    size_t n;
    if (!api_query_begin(call, &q) || !api_param_range(call, &q) || !health_ask(call, &q, &asked) ||
        !api_param(call, STR("query"), &f.containing) || !sort_of(call, &f.sort) ||
        !api_param_uint(call, STR("limit"), 1, LIST_MOST, &most) ||
        !(f.projects = projects_of(call, &q, &f.projects_n)))
        return;
    if (q.has_from || q.has_to) {
        f.from = q.has_from ? q.from : 0;
        f.to = q.has_to ? q.to : INT64_MAX;
    }
    if (release_list(call->api->options.releases, &f, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    size_t shown = n < most ? n : (size_t)most;
    if (new_issues(call, &f, list, shown, &counts, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("releases"));
    json_put_array(&w);
    for (size_t i = 0; i < shown; i++)
        if (put_release(&w, call, &q, &list[i], counts[i], &asked, false, &err) < 0) {
            reply_err(call, &body, &err);
            return;
        }
    json_put_array_end(&w);
    json_put_key(&w, STR("total"));
    json_put_uint(&w, n);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api_release(struct api_call *call)
{
    struct release_filter f = { .version = call->params[0], .with_archived = true };
    struct health_asked asked;
    struct query_request q;
    struct release *list;
    struct json_writer w;
    struct err err;
    struct buf body;
    uint64_t *counts;
    size_t n;
    if (!api_query_begin(call, &q) || !api_param_range(call, &q) || !health_ask(call, &q, &asked) ||
        !(f.projects = projects_of(call, &q, &f.projects_n)))
        return;
    if (release_list(call->api->options.releases, &f, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    if (n != 1) {
        if (n == 0)
            api_reply_error(call->req, 404, "no_release", "there is no such release");
        else
            api_reply_error(call->req, 400, "several_releases",
                            "%zu projects have that release: say which with project=", n);
        return;
    }
    if (new_issues(call, &f, list, 1, &counts, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    if (put_release(&w, call, &q, &list[0], counts[0], &asked, true, &err) < 0)
        reply_err(call, &body, &err);
    else
        api_reply_json_take(call->req, 200, &body);
}
