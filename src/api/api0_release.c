// Releases: list, make, show, change, delete. One version of several projects is one release to these clients.
#include "api/api0_upload.h"

#include "base/clock.h"
#include "base/numfmt.h"
#include "meta/audit.h"

#include <stdlib.h>

const struct meta_project *api0_project_of(const struct meta_project *projects, size_t n, uint32_t id)
{
    for (size_t i = 0; i < n; i++)
        if ((uint64_t)projects[i].id == id)
            return &projects[i];
    return NULL;
}

static uint32_t *ids_of(struct api_call *call, const struct meta_project *projects, size_t n)
{
    uint32_t *ids = arena_alloc_array(&call->req->arena, n, sizeof *ids);
    for (size_t i = 0; ids && i < n; i++)
        ids[i] = (uint32_t)projects[i].id;
    if (!ids)
        api0_error(call->req, 503, "out of memory");
    return ids;
}

static bool in_project(const struct api_call *call) { return str_starts(call->req->path, STR("/api/0/projects/")); }

// The path's project, or all that the caller may see. false: answered.
static bool scope_of(struct api_call *call, struct meta_project **ret_projects, size_t *ret_n)
{
    if (!in_project(call))
        return api0_projects(call, ret_projects, ret_n);
    struct meta_project *p = arena_alloc(&call->req->arena, sizeof *p);
    if (!p) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    if (!api0_project(call, call->params[1], p))
        return false;
    *ret_projects = p;
    *ret_n = 1;
    return true;
}

static bool find(struct api_call *call, str version, const struct meta_project *projects, size_t n,
                 struct api0_release *ret_release)
{
    struct err err;
    uint32_t *ids = ids_of(call, projects, n);
    if (!ids)
        return false;
    struct release_filter f = { .projects = ids, .projects_n = n, .version = version, .with_archived = true };
    ret_release->n = 0;
    if (n && version.len &&
        release_list(call->api->options.releases, &f, &call->req->arena, &ret_release->rows, &ret_release->n, &err) <
            0) {
        api0_reply_err(call->req, &err);
        return false;
    }
    return true;
}

bool api0_release_of(struct api_call *call, struct meta_project **ret_projects, size_t *ret_projects_n,
                     struct api0_release *ret_release)
{
    str version = call->params[in_project(call) ? 2 : 1];
    if (!scope_of(call, ret_projects, ret_projects_n) ||
        !find(call, version, *ret_projects, *ret_projects_n, ret_release))
        return false;
    if (ret_release->n)
        return true;
    api0_error(call->req, 404, "The requested resource does not exist: there is no such release");
    return false;
}

static void reply_release(struct api_call *call, int status, const struct meta_project *projects, size_t projects_n,
                          const struct api0_release *release)
{
    struct json_writer w;
    struct err err;
    struct buf body;
    api0_begin(&w, &body);
    if (api0_put_release(&w, call, projects, projects_n, release, &err) < 0) {
        buf_free(&body);
        api0_reply_err(call->req, &err);
        return;
    }
    api_reply_json_take(call->req, status, &body);
}

// --- list

// A row on its way into groups of one version, which stand where their first row stood.
struct place {
    struct release *row;
    size_t at, first;
};

static int order_version(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = str_cmp(x->row->version, y->row->version);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int order_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x->at > y->at) - (x->at < y->at);
}

// Rows as groups; NULL: out of memory.
static struct api0_release *group(struct arena *arena, struct release *rows, size_t n, size_t *ret_n)
{
    struct place *places = arena_alloc_array(arena, n, sizeof *places);
    struct release *sorted = arena_alloc_array(arena, n, sizeof *sorted);
    struct api0_release *groups = arena_alloc_array(arena, n, sizeof *groups);
    size_t count = 0;
    if (!places || !sorted || !groups)
        return NULL;
    for (size_t i = 0; i < n; i++)
        places[i] = (struct place){ &rows[i], i, i };
    if (n)
        qsort(places, n, sizeof *places, order_version);
    for (size_t i = 1; i < n; i++)
        if (str_eq(places[i].row->version, places[i - 1].row->version))
            places[i].first = places[i - 1].first;
    if (n)
        qsort(places, n, sizeof *places, order_place);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = *places[i].row;
        if (i == 0 || places[i].first != places[i - 1].first)
            groups[count++] = (struct api0_release){ &sorted[i], 0 };
        groups[count - 1].n++;
    }
    *ret_n = count;
    return groups;
}

// Parameters query, status, sort. false: answered.
static bool filter_read(struct api_call *call, struct release_filter *f)
{
    str status, sort;
    if (!api0_param(call, STR("query"), &f->containing) || !api0_param(call, STR("status"), &status) ||
        !api0_param(call, STR("sort"), &sort))
        return false;
    if (str_starts(f->containing, STR("release:")))
        f->containing = str_slice(f->containing, sizeof "release:" - 1, f->containing.len);
    f->only_archived = str_eq(status, STR("archived"));
    f->with_archived = status.len == 0; // as there: without the parameter all of them
    f->sort = str_eq(sort, STR("semver")) ? RELEASE_BY_VERSION : RELEASE_BY_DATE;
    return true;
}

void api0_releases_list(struct api_call *call)
{
    struct release_filter f = { 0 };
    struct meta_project *projects;
    struct api0_page page;
    struct release *rows = NULL;
    struct json_writer w;
    struct err err;
    struct buf body;
    size_t n = 0;
    if (!api0_page_read(call, 100, &page) || !filter_read(call, &f) || !scope_of(call, &projects, &f.projects_n) ||
        !(f.projects = ids_of(call, projects, f.projects_n)))
        return;
    if (release_list(call->api->options.releases, &f, &call->req->arena, &rows, &n, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    struct api0_release *groups = group(&call->req->arena, rows, n, &n);
    if (!groups) {
        api0_error(call->req, 503, "out of memory");
        return;
    }
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < n && i < page.at + page.n; i++)
        if (api0_put_release(&w, call, projects, f.projects_n, &groups[i], &err) < 0) {
            buf_free(&body);
            api0_reply_err(call->req, &err);
            return;
        }
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, n, &body);
}

void api0_release_show(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_release release;
    size_t n;
    if (api0_release_of(call, &projects, &n, &release))
        reply_release(call, 200, projects, n, &release);
}

// --- change

// Members of a body; the pointers of `change` point into it.
struct change {
    struct release_change change;
    str ref, url;
    enum release_status status;
    int64_t started, released;
    bool has_commits;
    struct release_commit *commits;
    size_t commits_n;
};

static bool change_read(struct api_call *call, const struct json_node *in, struct change *c)
{
    const struct json_node *node;
    str status = json_get_text(in, STR("status"));
    if ((node = json_get(in, STR("ref"))))
        c->ref = json_text_of(node), c->change.ref = &c->ref;
    if ((node = json_get(in, STR("url"))))
        c->url = json_text_of(node), c->change.url = &c->url;
    if (status.len) {
        c->status = str_eq(status, STR("archived")) ? RELEASE_ARCHIVED : RELEASE_OPEN;
        if (c->status == RELEASE_OPEN && !str_eq(status, STR("open"))) {
            api0_error(call->req, 400, "status must be open or archived");
            return false;
        }
        c->change.status = &c->status;
    }
    if (!api0_time(json_get(in, STR("dateStarted")), &c->started) ||
        !api0_time(json_get(in, STR("dateReleased")), &c->released)) {
        api0_error(call->req, 400, "dateStarted and dateReleased must be times as RFC 3339 has them");
        return false;
    }
    if (c->started)
        c->change.started = &c->started;
    if (c->released)
        c->change.released = &c->released;
    return api0_read_commits(call, in, &c->has_commits, &c->commits, &c->commits_n);
}

// 0, or answered and negative.
static int apply(struct api_call *call, uint32_t project, str version, const struct change *c, bool *ret_made)
{
    struct releases *releases = call->api->options.releases;
    struct err err;
    int64_t id;
    int rc = release_put(releases, project, version, &c->change, &id, ret_made, &err);
    if (rc == 0 && c->has_commits)
        rc = releases_set_commits(releases, id, c->commits, c->commits_n, &err);
    if (rc == 0 && c->has_commits)
        rc = api0_fixes(call, project, id, version, &err);
    if (rc < 0)
        api0_reply_err(call->req, &err);
    return rc;
}

static bool text_of_project(struct api_call *call, const struct json_node *node, str *ret_text)
{
    if (node->type == JSON_STRING || node->type == JSON_NUMBER) {
        *ret_text = node->text;
        return true;
    }
    api0_error(call->req, 400, "projects must be an array of slugs or numbers");
    return false;
}

static bool projects_with(struct api_call *call, str version, struct meta_project **ret_projects, size_t *ret_n)
{
    struct meta_project *projects;
    struct api0_release release;
    size_t n, kept = 0;
    if (!scope_of(call, &projects, &n) || !find(call, version, projects, n, &release))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < release.n; k++)
            if (release.rows[k].project == (uint64_t)projects[i].id)
                projects[kept++] = projects[i];
    if (kept == 0)
        api0_error(call->req, 400, "projects: this field is required");
    *ret_projects = projects;
    *ret_n = kept;
    return kept > 0;
}

// Projects that the body names, or the path's; without any, those that have the release (that is how sentry-cli archives one).
// false: answered.
static bool named_projects(struct api_call *call, const struct json_node *in, struct meta_project **ret_projects,
                           size_t *ret_n)
{
    const struct json_node *list = json_get(in, STR("projects"));
    size_t n = 0;
    if (in_project(call))
        return scope_of(call, ret_projects, ret_n);
    if (!json_is(list, JSON_ARRAY) || list->n == 0)
        return projects_with(call, json_get_text(in, STR("version")), ret_projects, ret_n);
    struct meta_project *projects = arena_alloc_array(&call->req->arena, list->n, sizeof *projects);
    if (!projects) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    for (const struct json_node *p = list->first; p; p = p->next) {
        str name;
        if (!text_of_project(call, p, &name) || !api0_project(call, name, &projects[n]))
            return false;
        if (!api0_project_of(projects, n, (uint32_t)projects[n].id))
            n++;
    }
    *ret_projects = projects;
    *ret_n = n;
    return true;
}

void api0_releases_add(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project *projects;
    struct api0_release release;
    struct change c = { 0 };
    bool any_made = false, made;
    size_t n;
    if (!api0_body(call, &in) || !named_projects(call, in, &projects, &n) || !change_read(call, in, &c))
        return;
    str version = json_get_text(in, STR("version"));
    for (size_t i = 0; i < n; i++) {
        if (apply(call, (uint32_t)projects[i].id, version, &c, &made) < 0)
            return;
        any_made |= made;
    }
    if (find(call, version, projects, n, &release))
        reply_release(call, any_made ? 201 : 208, projects, n, &release);
}

void api0_release_change(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project *projects;
    struct api0_release release;
    struct change c = { 0 };
    bool made;
    size_t n;
    if (!api0_body(call, &in) || !api0_release_of(call, &projects, &n, &release) || !change_read(call, in, &c))
        return;
    str version = release.rows[0].version;
    for (size_t i = 0; i < release.n; i++)
        if (apply(call, release.rows[i].project, version, &c, &made) < 0)
            return;
    if (find(call, version, projects, n, &release))
        reply_release(call, 200, projects, n, &release);
}

void api0_release_remove(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_release release;
    struct err err;
    char actor[META_NAME_MAX + 1];
    size_t n;
    if (!api0_release_of(call, &projects, &n, &release))
        return;
    for (size_t i = 0; i < release.n; i++) {
        const struct release *x = &release.rows[i];
        int rc = api0_uploads_drop(call, x, &err);
        if (rc == 0)
            rc = release_remove(call->api->options.releases, x->project, x->version, &err);
        if (rc == 0)
            rc = meta_audit_add(call->api->options.meta, api_actor(call, actor), "release.remove", x->version,
                                str_z(api0_project_of(projects, n, x->project)->slug), &err);
        if (rc < 0 && rc != ERR_NOENT) {
            api0_reply_err(call->req, &err);
            return;
        }
    }
    api_reply_nothing(call->req, 204);
}
