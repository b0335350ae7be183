// /api/0: the management API that sentry-cli and scripts for Sentry speak. One organisation, `clew`; projects by slug or
// number; errors are {"detail": words}; lists are paged by a Link header. Paths may end in a slash or not.
//
// Who may: a token with one of the scopes that an endpoint names, or somebody who is signed in and has one of them. What a
// build does (make releases, set commits, deploy, upload) is open to `ingest`, so that its token need not read anything;
// what cannot be undone needs `admin`, and so do a token's changes of issues; people change these as they do on the pages.
#pragma once
#include "api/api_internal.h"
#include "base/json_tree.h"

enum {
    API0_TO_READ = META_SCOPE_READ | META_SCOPE_ADMIN,
    API0_TO_BUILD = META_SCOPE_INGEST | META_SCOPE_ADMIN,
    API0_SIGNED_IN = 1 << 30, // who is signed in, with any scopes
    API0_TO_TRIAGE = META_SCOPE_ADMIN | API0_SIGNED_IN,
    API0_TICKET = 1 << 29, // nobody is asked who he is: the endpoint checks what the path says
    API0_ANY = META_SCOPE_READ | META_SCOPE_INGEST | META_SCOPE_ADMIN,
};
enum { API0_BODY_MAX = 64 << 10, API0_RELEASE_MAX = 16 << 20, API0_LONG_BODY = 32 << 20, API0_JSON_DEPTH = 16 };

struct api0_endpoint {
    enum http_method method;
    str path;        // behind /api/0, without the last slash; "{}" stands for one segment
    uint32_t scopes; // one of them
    enum api_where where;
    size_t body_max;
    void (*run)(struct api_call *call);
};
extern const struct api0_endpoint api0_endpoints[];
extern const size_t api0_endpoints_n;

bool api0_owns(str path);
void api0_route(struct api *a, struct http_request *req, struct http_route *route);
// A refusal by the server itself (limits, broken bodies).
void api0_refuse(struct http_request *req, int status, int retry_after_s, str message);

// --- answers (api0_reply.c); each ends the call
void api0_error(struct http_request *req, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void api0_reply_err(struct http_request *req, const struct err *err);
void api0_begin(struct json_writer *w, struct buf *body);
// What JSON of theirs has: ids as strings, times with six digits, null for what is not known.
void api0_put_id(struct json_writer *w, str key, int64_t id);
void api0_put_time(struct json_writer *w, str key, int64_t ns);
void api0_put_text(struct json_writer *w, str key, str text);
void api0_put_known(struct json_writer *w, str key, str text); // null when empty
void api0_put_int(struct json_writer *w, str key, int64_t n);

// A page of a list: rows from `at`, at most `n` of them.
struct api0_page {
    size_t at, n;
};
// Parameters cursor and per_page (or limit). false: answered.
bool api0_page_read(struct api_call *call, size_t most, struct api0_page *ret_page);
// total: rows that there are in all (one more than the page's end when that is all that is known).
void api0_reply_page_take(struct api_call *call, const struct api0_page *page, size_t total, struct buf *body);

// --- requests
// Project of a segment: slug or number. One that the caller may not see is not there. false: answered.
bool api0_project(struct api_call *call, str name, struct meta_project *ret_project);
// Those that the caller may see, narrowed by the parameters project, projectSlug (numbers and slugs, repeated). In the
// request's arena. false: answered.
bool api0_projects(struct api_call *call, struct meta_project **ret_projects, size_t *ret_n);
// The body as JSON. false: answered.
bool api0_body(struct api_call *call, const struct json_node **ret_root);
// A time of a body or NULL for none; *ret_ns untouched when there is none. false: not a time.
bool api0_time(const struct json_node *node, int64_t *ret_ns);
// The first value of a parameter; empty when it is not there.
bool api0_param(struct api_call *call, str name, str *ret_value);

// --- releases (api0_release.c): one version, of each of the projects that the caller may see
struct api0_release {
    struct release *rows; // of one version, a project each
    size_t n;
};
const struct meta_project *api0_project_of(const struct meta_project *projects, size_t n, uint32_t id);
// That of the path, org-wide or of the path's project. false: answered (404).
bool api0_release_of(struct api_call *call, struct meta_project **ret_projects, size_t *ret_projects_n,
                     struct api0_release *ret_release);
// JSON of one (api0_release_json.c). 0, or an error of the releases room.
int api0_put_release(struct json_writer *w, struct api_call *call, const struct meta_project *projects,
                     size_t projects_n, const struct api0_release *release, struct err *err);
void api0_put_commit(struct json_writer *w, const struct release_commit *commit);
void api0_put_deploy(struct json_writer *w, const struct release_deploy *deploy);
// Resolves the project's issues that the release's commits say they mend, once for each commit.
int api0_fixes(struct api_call *call, uint32_t project, int64_t release, str version, struct err *err);
// Commits of a body, `commits` or `refs`: *ret_has false: neither stands there. false: answered.
bool api0_read_commits(struct api_call *call, const struct json_node *body, bool *ret_has,
                       struct release_commit **ret_commits, size_t *ret_n);

// --- endpoints
void api0_root(struct api_call *call);
void api0_regions(struct api_call *call);
void api0_organizations(struct api_call *call);
void api0_organization(struct api_call *call);
void api0_projects_list(struct api_call *call);
void api0_project_show(struct api_call *call);
void api0_project_keys(struct api_call *call);
void api0_repositories(struct api_call *call);
void api0_repositories_add(struct api_call *call);
void api0_mappings_list(struct api_call *call);
void api0_build_assemble(struct api_call *call);
void api0_build_install(struct api_call *call);
void api0_build_file(struct api_call *call);
void api0_build_file_open(struct api_call *call);
void api0_images_options(struct api_call *call);
void api0_images_add(struct api_call *call);
void api0_images_latest(struct api_call *call);
void api0_images_archive(struct api_call *call);
void api0_object_batch(struct api_call *call);
void api0_object_put(struct api_call *call);
void api0_mappings_bulk(struct api_call *call);
void api0_releases_list(struct api_call *call);
void api0_releases_add(struct api_call *call);
void api0_release_show(struct api_call *call);
void api0_release_change(struct api_call *call);
void api0_release_remove(struct api_call *call);
void api0_release_previous(struct api_call *call);
void api0_release_commits(struct api_call *call);
void api0_release_commit_files(struct api_call *call);
void api0_deploys_list(struct api_call *call);
void api0_deploys_add(struct api_call *call);
void api0_events_list(struct api_call *call);
void api0_event_show(struct api_call *call);
void api0_event_json(struct api_call *call);
void api0_events_of_issue(struct api_call *call, uint32_t project, int64_t issue);
void api0_issues_list(struct api_call *call);
void api0_issues_change(struct api_call *call);
void api0_issue_show(struct api_call *call);
void api0_issue_change(struct api_call *call);
void api0_issue_events(struct api_call *call);
void api0_monitors_list(struct api_call *call);
void api0_sessions(struct api_call *call);
void api0_rows(struct api_call *call);
void api0_chunk_options(struct api_call *call);
void api0_chunk_upload(struct api_call *call);
void api0_bundle_assemble(struct api_call *call);
void api0_release_assemble(struct api_call *call);
void api0_files_list(struct api_call *call);
void api0_files_add(struct api_call *call);
void api0_files_clear(struct api_call *call);
void api0_file_show(struct api_call *call);
void api0_file_remove(struct api_call *call);
void api0_debug_assemble(struct api_call *call);
void api0_debug_add(struct api_call *call);
void api0_debug_list(struct api_call *call);
void api0_debug_unknown(struct api_call *call);
void api0_debug_remove(struct api_call *call);
