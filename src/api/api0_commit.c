// Commits of releases, and deploys.
#include "api/api0.h"

#include <stdlib.h>

static bool bad_commits(struct api_call *call, const char *why)
{
    api0_error(call->req, 400, "%s", why);
    return false;
}

static bool read_files(struct api_call *call, const struct json_node *set, struct release_commit *c)
{
    if (!json_is(set, JSON_ARRAY))
        return true;
    struct release_file *files = arena_alloc_array(&call->req->arena, set->n, sizeof *files);
    if (!files)
        return bad_commits(call, "out of memory");
    size_t n = 0;
    for (const struct json_node *f = set->first; f; f = f->next) {
        str type = json_get_text(f, STR("type")), path = json_get_text(f, STR("path"));
        if (path.len == 0)
            return bad_commits(call, "patch_set: an entry has a path and a type (A, M or D)");
        files[n++] = (struct release_file){ path, str_eq(type, STR("A"))   ? RELEASE_FILE_ADDED
                                                  : str_eq(type, STR("D")) ? RELEASE_FILE_DELETED
                                                                           : RELEASE_FILE_MODIFIED };
    }
    c->files = files;
    c->files_n = n;
    return true;
}

static bool read_commit(struct api_call *call, const struct json_node *in, struct release_commit *c)
{
    *c = (struct release_commit){ .id = json_get_text(in, STR("id")),
                                  .repository = json_get_text(in, STR("repository")),
                                  .message = json_get_text(in, STR("message")),
                                  .author_name = json_get_text(in, STR("author_name")),
                                  .author_email = json_get_text(in, STR("author_email")) };
    if (c->id.len == 0 || c->id.len > RELEASE_COMMIT_ID_MAX)
        return bad_commits(call, "commits: each needs an id of at most 64 characters");
    if (c->repository.len == 0) // those that come without one are of one that has no name
        c->repository = STR("unknown");
    if (!api0_time(json_get(in, STR("timestamp")), &c->time))
        return bad_commits(call, "commits: a timestamp must be a time as RFC 3339 has it");
    return read_files(call, json_get(in, STR("patch_set")), c);
}

// A head: "commit" may be a range. What lies between is not known here: no host of code is asked.
static bool read_ref(struct api_call *call, const struct json_node *in, struct release_commit *c)
{
    str commit = json_get_text(in, STR("commit"));
    ptrdiff_t dots = str_find(commit, STR(".."));
    if (dots >= 0)
        commit = str_slice(commit, (size_t)dots + 2, commit.len);
    *c = (struct release_commit){ .id = commit, .repository = json_get_text(in, STR("repository")) };
    return (c->id.len && c->id.len <= RELEASE_COMMIT_ID_MAX && c->repository.len) ||
           bad_commits(call, "refs: each needs a repository and a commit");
}

bool api0_read_commits(struct api_call *call, const struct json_node *body, bool *ret_has,
                       struct release_commit **ret_commits, size_t *ret_n)
{
    const struct json_node *commits = json_get(body, STR("commits")), *refs = json_get(body, STR("refs"));
    const struct json_node *list = commits ? commits : refs;
    *ret_has = list != NULL;
    if (!list)
        return true;
    if (list->type != JSON_ARRAY || list->n > RELEASE_COMMITS)
        return bad_commits(call, "commits and refs are arrays, of 20000 elements at most");
    struct release_commit *out = arena_alloc_array(&call->req->arena, list->n, sizeof *out);
    if (!out)
        return bad_commits(call, "out of memory");
    size_t n = 0;
    for (const struct json_node *c = list->first; c; c = c->next)
        if (!(commits ? read_commit(call, c, &out[n++]) : read_ref(call, c, &out[n++])))
            return false;
    *ret_commits = out;
    *ret_n = n;
    return true;
}

// The row whose commits stand for all: that with most of them.
static const struct release *with_commits(const struct api0_release *release)
{
    const struct release *best = &release->rows[0];
    for (size_t i = 1; i < release->n; i++)
        if (release->rows[i].commits > best->commits)
            best = &release->rows[i];
    return best;
}

static bool commits_of(struct api_call *call, bool files, struct api0_page *page, struct release_commit **ret_commits,
                       size_t *ret_n)
{
    struct meta_project *projects;
    struct api0_release release;
    struct err err;
    size_t n;
    if (!api0_page_read(call, 100, page) || !api0_release_of(call, &projects, &n, &release))
        return false;
    if (releases_commits(call->api->options.releases, with_commits(&release)->id, files, &call->req->arena, ret_commits,
                         ret_n, &err) == 0)
        return true;
    api0_reply_err(call->req, &err);
    return false;
}

void api0_release_commits(struct api_call *call)
{
    struct release_commit *commits;
    struct api0_page page;
    struct json_writer w;
    struct buf body;
    size_t n;
    if (!commits_of(call, false, &page, &commits, &n))
        return;
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < n && i < page.at + page.n; i++)
        api0_put_commit(&w, &commits[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, n, &body);
}

void api0_release_commit_files(struct api_call *call)
{
    struct release_commit *commits;
    struct api0_page page;
    struct json_writer w;
    struct buf body;
    size_t n, at = 0;
    if (!commits_of(call, true, &page, &commits, &n))
        return;
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < commits[i].files_n; k++, at++) {
            if (at < page.at || at >= page.at + page.n)
                continue;
            const char type = (char)commits[i].files[k].change;
            json_put_object(&w);
            api0_put_text(&w, STR("filename"), commits[i].files[k].path);
            api0_put_text(&w, STR("type"), str_of(&type, 1));
            api0_put_text(&w, STR("commitMessage"), commits[i].message);
            api0_put_text(&w, STR("repoName"), commits[i].repository);
            api0_put_text(&w, STR("commitId"), commits[i].id);
            json_put_object_end(&w);
        }
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, at, &body);
}

void api0_release_previous(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_release release, before = { .n = 1 };
    struct release row;
    struct json_writer w;
    struct err err;
    struct buf body;
    size_t n;
    if (!api0_release_of(call, &projects, &n, &release))
        return;
    api0_begin(&w, &body);
    before.rows = &row;
    int rc = releases_previous_with_commits(call->api->options.releases, release.rows[0].project,
                                            release.rows[0].version, &call->req->arena, &row, &err);
    if (rc == 0) {
        rc = api0_put_release(&w, call, projects, n, &before, &err);
    } else if (rc == ERR_NOENT) { // {} is how clients know
        json_put_object(&w);
        json_put_object_end(&w);
        rc = 0;
    }
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
    } else {
        buf_free(&body);
        api0_reply_err(call->req, &err);
    }
}

// --- deploys

static int64_t *ids_of(struct api_call *call, const struct api0_release *release)
{
    int64_t *ids = arena_alloc_array(&call->req->arena, release->n, sizeof *ids);
    for (size_t i = 0; ids && i < release->n; i++)
        ids[i] = release->rows[i].id;
    if (!ids)
        api0_error(call->req, 503, "out of memory");
    return ids;
}

void api0_deploys_list(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_release release;
    struct release_deploy *deploys;
    struct api0_page page;
    struct json_writer w;
    struct err err;
    struct buf body;
    int64_t *ids;
    size_t n;
    if (!api0_page_read(call, 100, &page) || !api0_release_of(call, &projects, &n, &release) ||
        !(ids = ids_of(call, &release)))
        return;
    if (releases_deploys(call->api->options.releases, ids, release.n, &call->req->arena, &deploys, &n, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < n && i < page.at + page.n; i++)
        api0_put_deploy(&w, &deploys[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, n, &body);
}

// Keeps the rows of the projects that the body names. false: answered.
static bool narrow(struct api_call *call, const struct json_node *in, struct api0_release *release)
{
    const struct json_node *list = json_get(in, STR("projects"));
    size_t kept = 0;
    if (!json_is(list, JSON_ARRAY) || list->n == 0)
        return true;
    for (const struct json_node *node = list->first; node; node = node->next) {
        struct meta_project p;
        if (!api0_project(call, node->text, &p))
            return false;
        for (size_t i = kept; i < release->n; i++)
            if (release->rows[i].project == (uint64_t)p.id) {
                struct release row = release->rows[i];
                release->rows[i] = release->rows[kept];
                release->rows[kept++] = row;
                break;
            }
    }
    if (kept == 0)
        api0_error(call->req, 400, "projects: the release is of none of them");
    release->n = kept;
    return kept > 0;
}

void api0_deploys_add(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project *projects;
    struct api0_release release;
    struct json_writer w;
    struct err err;
    struct buf body;
    int64_t *ids;
    size_t n;
    if (!api0_body(call, &in) || !api0_release_of(call, &projects, &n, &release) || !narrow(call, in, &release) ||
        !(ids = ids_of(call, &release)))
        return;
    struct release_deploy d = { .environment = json_get_text(in, STR("environment")),
                                .name = json_get_text(in, STR("name")),
                                .url = json_get_text(in, STR("url")) };
    if (d.environment.len == 0) {
        api0_error(call->req, 400, "environment: this field is required");
        return;
    }
    if (!api0_time(json_get(in, STR("dateStarted")), &d.started) ||
        !api0_time(json_get(in, STR("dateFinished")), &d.finished)) {
        api0_error(call->req, 400, "dateStarted and dateFinished must be times as RFC 3339 has them");
        return;
    }
    if (releases_deploy(call->api->options.releases, ids, release.n, &d, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    api0_put_deploy(&w, &d);
    api_reply_json_take(call->req, 201, &body);
}
