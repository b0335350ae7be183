// The table of /api/0 and the way to its endpoints.
#include "api/api0_upload.h"

#include "base/must.h"

enum { API0_ARENA_MAX = 96 << 20 };
static const str head = STR_INIT("/api/0");

// clang-format off
const struct api0_endpoint api0_endpoints[] = {
    { HTTP_GET, STR_INIT("/"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_root },
    { HTTP_GET, STR_INIT("/users/me/regions"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_regions },
    { HTTP_GET, STR_INIT("/organizations"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_organizations },
    { HTTP_GET, STR_INIT("/organizations/{}"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_organization },
    { HTTP_GET, STR_INIT("/organizations/{}/projects"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_projects_list },
    { HTTP_GET, STR_INIT("/projects"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_projects_list },
    { HTTP_GET, STR_INIT("/projects/{}/{}"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_project_show },
    { HTTP_GET, STR_INIT("/projects/{}/{}/keys"), API0_TO_READ, API_ON_ADMIN_POOL, 0, api0_project_keys },
    { HTTP_GET, STR_INIT("/organizations/{}/repos"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_repositories },
    { HTTP_POST, STR_INIT("/organizations/{}/repos"), API0_TO_BUILD, API_ON_ADMIN_POOL, API0_BODY_MAX, api0_repositories_add },
    { HTTP_GET, STR_INIT("/organizations/{}/code-mappings"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_mappings_list },
    { HTTP_POST, STR_INIT("/organizations/{}/code-mappings/bulk"), API0_TO_BUILD, API_ON_ADMIN_POOL, 4 * API0_BODY_MAX, api0_mappings_bulk },
    { HTTP_GET, STR_INIT("/organizations/{}/releases"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_releases_list },
    { HTTP_POST, STR_INIT("/organizations/{}/releases"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_RELEASE_MAX, api0_releases_add },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_release_show },
    { HTTP_PUT, STR_INIT("/organizations/{}/releases/{}"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_RELEASE_MAX, api0_release_change },
    { HTTP_DELETE, STR_INIT("/organizations/{}/releases/{}"), META_SCOPE_ADMIN, API_ON_ADMIN_POOL, 0, api0_release_remove },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}/previous-with-commits"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_release_previous },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}/commits"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_release_commits },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}/commitfiles"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_release_commit_files },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}/deploys"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_deploys_list },
    { HTTP_POST, STR_INIT("/organizations/{}/releases/{}/deploys"), API0_TO_BUILD, API_ON_ADMIN_POOL, API0_BODY_MAX, api0_deploys_add },
    { HTTP_GET, STR_INIT("/projects/{}/{}/events"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_events_list },
    { HTTP_GET, STR_INIT("/projects/{}/{}/events/{}"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_event_show },
    { HTTP_GET, STR_INIT("/projects/{}/{}/events/{}/json"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_event_json },
    { HTTP_GET, STR_INIT("/projects/{}/{}/issues"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_issues_list },
    { HTTP_PUT, STR_INIT("/projects/{}/{}/issues"), API0_TO_TRIAGE, API_ON_QUERY_POOL, API0_BODY_MAX, api0_issues_change },
    { HTTP_GET, STR_INIT("/organizations/{}/issues"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_issues_list },
    { HTTP_PUT, STR_INIT("/organizations/{}/issues"), API0_TO_TRIAGE, API_ON_QUERY_POOL, API0_BODY_MAX, api0_issues_change },
    { HTTP_GET, STR_INIT("/organizations/{}/issues/{}"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_issue_show },
    { HTTP_PUT, STR_INIT("/organizations/{}/issues/{}"), API0_TO_TRIAGE, API_ON_QUERY_POOL, API0_BODY_MAX, api0_issue_change },
    { HTTP_GET, STR_INIT("/organizations/{}/issues/{}/events"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_issue_events },
    { HTTP_GET, STR_INIT("/issues/{}"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_issue_show },
    { HTTP_PUT, STR_INIT("/issues/{}"), API0_TO_TRIAGE, API_ON_QUERY_POOL, API0_BODY_MAX, api0_issue_change },
    { HTTP_GET, STR_INIT("/issues/{}/events"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_issue_events },
    { HTTP_GET, STR_INIT("/organizations/{}/sessions"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_sessions },
    { HTTP_GET, STR_INIT("/organizations/{}/monitors"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_monitors_list },
    { HTTP_GET, STR_INIT("/organizations/{}/events"), API0_TO_READ, API_ON_QUERY_POOL, 0, api0_rows },
    { HTTP_GET, STR_INIT("/organizations/{}/chunk-upload"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_chunk_options },
    { HTTP_POST, STR_INIT("/organizations/{}/chunk-upload"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_REQUEST_MAX, api0_chunk_upload },
    { HTTP_POST, STR_INIT("/organizations/{}/artifactbundle/assemble"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_ASSEMBLE_MAX, api0_bundle_assemble },
    { HTTP_POST, STR_INIT("/organizations/{}/releases/{}/assemble"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_ASSEMBLE_MAX, api0_release_assemble },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}/files"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_files_list },
    { HTTP_POST, STR_INIT("/organizations/{}/releases/{}/files"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_REQUEST_MAX, api0_files_add },
    { HTTP_GET, STR_INIT("/organizations/{}/releases/{}/files/{}"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_file_show },
    { HTTP_DELETE, STR_INIT("/organizations/{}/releases/{}/files/{}"), META_SCOPE_ADMIN, API_ON_ADMIN_POOL, 0, api0_file_remove },
    { HTTP_GET, STR_INIT("/projects/{}/{}/releases/{}/files"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_files_list },
    { HTTP_POST, STR_INIT("/projects/{}/{}/releases/{}/files"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_REQUEST_MAX, api0_files_add },
    { HTTP_GET, STR_INIT("/projects/{}/{}/releases/{}/files/{}"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_file_show },
    { HTTP_DELETE, STR_INIT("/projects/{}/{}/releases/{}/files/{}"), META_SCOPE_ADMIN, API_ON_ADMIN_POOL, 0, api0_file_remove },
    { HTTP_DELETE, STR_INIT("/projects/{}/{}/files/source-maps"), META_SCOPE_ADMIN, API_ON_ADMIN_POOL, 0, api0_files_clear },
    { HTTP_POST, STR_INIT("/projects/{}/{}/files/difs/assemble"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_ASSEMBLE_MAX, api0_debug_assemble },
    { HTTP_POST, STR_INIT("/projects/{}/{}/files/preprodartifacts/assemble"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_ASSEMBLE_MAX, api0_build_assemble },
    { HTTP_GET, STR_INIT("/organizations/{}/preprodartifacts/{}/install-details"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_build_install },
    { HTTP_GET, STR_INIT("/organizations/{}/preprodartifacts/{}/file"), API0_ANY, API_ON_QUERY_POOL, 0, api0_build_file },
    { HTTP_GET, STR_INIT("/organizations/{}/preprodartifacts/{}/file/{}"), API0_TICKET, API_ON_QUERY_POOL, 0, api0_build_file_open },
    { HTTP_GET, STR_INIT("/projects/{}/{}/preprodartifacts/snapshots/upload-options"), API0_TO_BUILD, API_ON_ADMIN_POOL, 0, api0_images_options },
    { HTTP_POST, STR_INIT("/projects/{}/{}/preprodartifacts/snapshots"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_ASSEMBLE_MAX, api0_images_add },
    { HTTP_GET, STR_INIT("/organizations/{}/preprodartifacts/snapshots/latest-base"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_images_latest },
    { HTTP_GET, STR_INIT("/organizations/{}/preprodartifacts/snapshots/{}/archive"), API0_ANY, API_ON_QUERY_POOL, 0, api0_images_archive },
    { HTTP_POST, STR_INIT("/objectstore/v1/objects:batch/preprod/{}"), API0_TICKET, API_ON_QUERY_POOL, API0_OBJECTS_MAX, api0_object_batch },
    { HTTP_PUT, STR_INIT("/objectstore/v1/objects/preprod/{}/{}/{}/{}"), API0_TICKET, API_ON_QUERY_POOL, API0_OBJECT_MAX, api0_object_put },
    { HTTP_GET, STR_INIT("/projects/{}/{}/files/dsyms"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_debug_list },
    { HTTP_POST, STR_INIT("/projects/{}/{}/files/dsyms"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_REQUEST_MAX, api0_debug_add },
    { HTTP_DELETE, STR_INIT("/projects/{}/{}/files/dsyms"), META_SCOPE_ADMIN, API_ON_ADMIN_POOL, 0, api0_debug_remove },
    { HTTP_GET, STR_INIT("/projects/{}/{}/files/dsyms/unknown"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_debug_unknown },
    { HTTP_GET, STR_INIT("/projects/{}/{}/releases"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_releases_list },
    { HTTP_POST, STR_INIT("/projects/{}/{}/releases"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_RELEASE_MAX, api0_releases_add },
    { HTTP_GET, STR_INIT("/projects/{}/{}/releases/{}"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_release_show },
    { HTTP_PUT, STR_INIT("/projects/{}/{}/releases/{}"), API0_TO_BUILD, API_ON_QUERY_POOL, API0_RELEASE_MAX, api0_release_change },
    { HTTP_DELETE, STR_INIT("/projects/{}/{}/releases/{}"), META_SCOPE_ADMIN, API_ON_ADMIN_POOL, 0, api0_release_remove },
    { HTTP_GET, STR_INIT("/projects/{}/{}/releases/{}/commits"), API0_ANY, API_ON_ADMIN_POOL, 0, api0_release_commits },
};
// clang-format on
const size_t api0_endpoints_n = sizeof api0_endpoints / sizeof api0_endpoints[0];

bool api0_owns(str path) { return str_eq(path, head) || (str_starts(path, head) && path.ptr[head.len] == '/'); }

// What stands behind /api/0, "/" at least, without a last slash.
static str bare(str path)
{
    str rest = str_slice(path, head.len, path.len);
    while (rest.len > 1 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    return rest.len ? rest : STR("/");
}

static const struct api0_endpoint *find(const struct http_request *req, str params[API_PARAMS_MAX], bool *ret_other)
{
    enum http_method method = req->method == HTTP_HEAD ? HTTP_GET : req->method;
    str path = bare(req->path);
    *ret_other = false;
    for (size_t i = 0; i < api0_endpoints_n; i++) {
        if (!api_path_matches(api0_endpoints[i].path, path, params))
            continue;
        if (api0_endpoints[i].method == method)
            return &api0_endpoints[i];
        *ret_other = true;
    }
    return NULL;
}

static bool allowed(struct api_call *call, const struct api0_endpoint *e)
{
    struct http_request *req = call->req;
    if (e->scopes == API0_TICKET)
        return true;
    if (api_caller_find(call->api->options.meta, req, call->api->port, &call->caller) < 0) {
        api0_error(req, 401, "Invalid token: it is not known here, or was revoked");
        return false;
    }
    if (call->caller.kind == API_NOBODY) {
        api0_error(req, 401, "Authentication credentials were not provided: send Authorization: Bearer TOKEN");
        return false;
    }
    const char *forged = api_caller_forged(&call->caller, &call->api->names, req);
    if (forged) {
        api0_error(req, 403, "%s", forged);
        return false;
    }
    uint32_t has = call->caller.scopes | (call->caller.kind == API_SESSION ? API0_SIGNED_IN : 0u);
    if (has & e->scopes)
        return true;
    char words[64];
    meta_scopes_text(e->scopes, words);
    api0_error(req, 403, "You do not have permission to perform this action: it needs one of the scopes %s", words);
    return false;
}

// There is one organisation. Paths that have none are asked for all the same.
static bool organization_ok(struct api_call *call, const struct api0_endpoint *e)
{
    bool has = str_starts(e->path, STR("/organizations/")) || str_starts(e->path, STR("/projects/"));
    if (!has || str_eq(call->params[0], STR("clew")) || str_eq(call->params[0], STR("1")))
        return true;
    api0_error(call->req, 404, "The requested resource does not exist: the organization here is clew");
    return false;
}

struct api0_way {
    struct api_call call;
    const struct api0_endpoint *endpoint;
};

static void dispatch(struct http_request *req, void *ctx)
{
    struct api0_way *way = ctx;
    MAGIC_CHECK(way->call.api, API_MAGIC);
    if (!allowed(&way->call, way->endpoint))
        return;
    if (!api_path_decode(req, way->call.params))
        api0_error(req, 400, "The path is not well formed");
    else if (organization_ok(&way->call, way->endpoint))
        way->endpoint->run(&way->call);
}

// From the head alone, and from memory: is this somebody whose body may be written to the disk?
static bool is_known(struct api_call *call, const struct api0_endpoint *e)
{
    return e->scopes == API0_TICKET ? api0_object_known(call)
                                    : api_caller_token_scopes(call->api->options.meta, call->req) & e->scopes;
}

void api0_route(struct api *a, struct http_request *req, struct http_route *route)
{
    str params[API_PARAMS_MAX] = { { 0 } };
    bool other;
    const struct api0_endpoint *e = find(req, params, &other);
    if (!e) {
        if (other)
            api0_error(req, 405, "Method \"%.*s\" not allowed.", STR_ARG(str_slice(req->method_name, 0, 20)));
        else
            api0_error(req, 404, "The requested resource does not exist");
        return;
    }
    struct api0_way *way = arena_zalloc(&req->arena, sizeof *way);
    if (!way) {
        api0_error(req, 503, "out of memory");
        return;
    }
    *way = (struct api0_way){ .call = { .api = a, .req = req }, .endpoint = e };
    memcpy(way->call.params, params, sizeof params);
    route->handler = dispatch;
    route->ctx = way;
    route->pool = api_pool(a, e->where);
    route->body_max = e->body_max ? e->body_max : API0_BODY_MAX;
    route->inflated_max = route->body_max;
    route->arena_max = API0_ARENA_MAX;
    if (route->body_max >= API0_LONG_BODY && is_known(&way->call, e))
        route->body_dir = a->options.data;
}
