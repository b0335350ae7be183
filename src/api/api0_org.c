// The organisation, who calls, projects and repositories.
#include "api/api0.h"

#include <stdio.h>

// Our scopes as the words that clients look for.
static void put_scopes(struct json_writer *w, uint32_t scopes)
{
    static const struct {
        uint32_t scopes;
        str word;
    } words[] = {
        { API0_ANY, STR_INIT("org:read") },
        { API0_ANY, STR_INIT("project:read") },
        { API0_TO_READ, STR_INIT("event:read") },
        { API0_TO_BUILD, STR_INIT("org:ci") },
        { API0_TO_BUILD, STR_INIT("project:releases") },
        { META_SCOPE_ADMIN, STR_INIT("event:write") },
        { META_SCOPE_ADMIN, STR_INIT("event:admin") },
        { META_SCOPE_ADMIN, STR_INIT("project:write") },
        { META_SCOPE_ADMIN, STR_INIT("project:admin") },
    };
    json_put_array(w);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (scopes & words[i].scopes)
            json_put_str(w, words[i].word);
    json_put_array_end(w);
}

void api0_root(struct api_call *call)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_text(&w, STR("version"), STR("0"));
    json_put_key(&w, STR("auth"));
    json_put_object(&w);
    json_put_key(&w, STR("scopes"));
    put_scopes(&w, call->caller.scopes);
    json_put_object_end(&w);
    json_put_key(&w, STR("user"));
    if (call->caller.kind == API_SESSION) {
        json_put_object(&w);
        api0_put_id(&w, STR("id"), call->caller.session.user.id);
        api0_put_text(&w, STR("username"), str_z(call->caller.name));
        api0_put_text(&w, STR("email"),
                      str_z(call->caller.name)); // people sign in with a name, which may be an address
        json_put_object_end(&w);
    } else {
        json_put_null(&w); // a token is nobody's
    }
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// One server has no regions: clients then ask this one.
void api0_regions(struct api_call *call)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("regions"));
    json_put_array(&w);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

static void put_false(struct json_writer *w, str key)
{
    json_put_key(w, key);
    json_put_bool(w, false);
}

// The workspace is as old as its first project.
static bool put_organization(struct json_writer *w, struct api_call *call)
{
    struct meta_project first;
    struct err err;
    if (meta_project_find(call->api->options.meta, STR("default"), &first, &err) < 0) {
        api0_reply_err(call->req, &err);
        return false;
    }
    json_put_object(w);
    api0_put_id(w, STR("id"), 1);
    api0_put_text(w, STR("slug"), STR("clew"));
    api0_put_text(w, STR("name"), STR("clew"));
    api0_put_time(w, STR("dateCreated"), first.created_ns);
    json_put_key(w, STR("status"));
    json_put_object(w);
    api0_put_text(w, STR("id"), STR("active"));
    api0_put_text(w, STR("name"), STR("active"));
    json_put_object_end(w);
    put_false(w, STR("isEarlyAdopter"));
    put_false(w, STR("require2FA"));
    put_false(w, STR("requireEmailVerification"));
    json_put_key(w, STR("avatar"));
    json_put_object(w);
    api0_put_text(w, STR("avatarType"), STR("letter_avatar"));
    api0_put_known(w, STR("avatarUuid"), (str){ 0 });
    json_put_object_end(w);
    json_put_key(w, STR("features"));
    json_put_array(w);
    json_put_array_end(w);
    json_put_object_end(w);
    return true;
}

void api0_organizations(struct api_call *call)
{
    struct api0_page page;
    struct json_writer w;
    struct buf body;
    if (!api0_page_read(call, 100, &page))
        return;
    api0_begin(&w, &body);
    json_put_array(&w);
    if (page.at == 0 && !put_organization(&w, call)) {
        buf_free(&body);
        return;
    }
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, 1, &body);
}

void api0_organization(struct api_call *call)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    if (put_organization(&w, call))
        api_reply_json_take(call->req, 200, &body);
    else
        buf_free(&body);
}

static void put_project(struct json_writer *w, const struct meta_project *p)
{
    json_put_object(w);
    api0_put_id(w, STR("id"), p->id);
    api0_put_text(w, STR("slug"), str_z(p->slug));
    api0_put_text(w, STR("name"), str_z(p->name[0] ? p->name : p->slug));
    api0_put_time(w, STR("dateCreated"), p->created_ns);
    api0_put_text(w, STR("status"), STR("active"));
    api0_put_known(w, STR("platform"), (str){ 0 });
    api0_put_known(w, STR("team"), (str){ 0 });
    json_put_key(w, STR("teams"));
    json_put_array(w);
    json_put_array_end(w);
    json_put_key(w, STR("features"));
    json_put_array(w);
    json_put_array_end(w);
    json_put_key(w, STR("isMember"));
    json_put_bool(w, true);
    json_put_key(w, STR("hasAccess"));
    json_put_bool(w, true);
    json_put_key(w, STR("organization"));
    json_put_object(w);
    api0_put_id(w, STR("id"), 1);
    api0_put_text(w, STR("slug"), STR("clew"));
    api0_put_text(w, STR("name"), STR("clew"));
    json_put_object_end(w);
    json_put_object_end(w);
}

void api0_projects_list(struct api_call *call)
{
    struct meta_project *list;
    struct api0_page page;
    struct json_writer w;
    struct buf body;
    size_t n;
    if (!api0_page_read(call, 100, &page) || !api0_projects(call, &list, &n))
        return;
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < n && i < page.at + page.n; i++)
        put_project(&w, &list[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, n, &body);
}

void api0_project_show(struct api_call *call)
{
    struct meta_project p;
    struct json_writer w;
    struct buf body;
    if (!api0_project(call, call->params[1], &p))
        return;
    api0_begin(&w, &body);
    put_project(&w, &p);
    api_reply_json_take(call->req, 200, &body);
}

static void put_key(struct json_writer *w, struct api_call *call, const struct meta_project *p,
                    const struct meta_key *k)
{
    const struct http_request *req = call->req;
    str dsn = arena_printf(&call->req->arena, "%.*s://%s@%.*s/%lld", STR_ARG(req->scheme), k->key, STR_ARG(req->host),
                           (long long)p->id);
    json_put_object(w);
    api0_put_text(w, STR("id"), str_z(k->key));
    api0_put_text(w, STR("name"), STR("Default"));
    api0_put_text(w, STR("label"), STR("Default"));
    api0_put_text(w, STR("public"), str_z(k->key));
    api0_put_int(w, STR("projectId"), p->id);
    json_put_key(w, STR("isActive"));
    json_put_bool(w, true);
    json_put_key(w, STR("dsn"));
    json_put_object(w);
    api0_put_text(w, STR("public"), dsn);
    json_put_object_end(w);
    api0_put_time(w, STR("dateCreated"), k->created_ns);
    json_put_object_end(w);
}

void api0_project_keys(struct api_call *call)
{
    struct meta_key keys[META_KEYS_PER_PROJECT];
    struct meta_project p;
    struct json_writer w;
    struct err err;
    struct buf body;
    struct api0_page page = { .n = META_KEYS_PER_PROJECT };
    if (!api0_project(call, call->params[1], &p))
        return;
    int n = meta_key_list(call->api->options.meta, p.id, keys, &err);
    if (n < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_array(&w);
    for (int i = 0; i < n; i++)
        put_key(&w, call, &p, &keys[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, (size_t)n, &body);
}

static void put_repository(struct json_writer *w, const struct release_repository *p)
{
    json_put_object(w);
    api0_put_id(w, STR("id"), p->id);
    api0_put_text(w, STR("name"), p->name);
    api0_put_known(w, STR("url"), p->url);
    json_put_key(w, STR("provider"));
    json_put_object(w);
    api0_put_text(w, STR("id"), p->provider);
    api0_put_text(w, STR("name"), str_eq(p->provider, STR("unknown")) ? STR("Unknown Provider") : p->provider);
    json_put_object_end(w);
    api0_put_text(w, STR("status"), STR("active"));
    api0_put_time(w, STR("dateCreated"), p->created);
    json_put_object_end(w);
}

void api0_repositories(struct api_call *call)
{
    struct release_repository *list;
    struct api0_page page;
    struct json_writer w;
    struct err err;
    struct buf body;
    size_t n;
    if (!api0_page_read(call, 100, &page))
        return;
    if (releases_repositories(call->api->options.releases, &call->req->arena, &list, &n, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < n && i < page.at + page.n; i++)
        put_repository(&w, &list[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, n, &body);
}

void api0_repositories_add(struct api_call *call)
{
    const struct json_node *in;
    struct release_repository p;
    struct json_writer w;
    struct err err;
    struct buf body;
    if (!api0_body(call, &in))
        return;
    if (releases_repository_put(call->api->options.releases, json_get_text(in, STR("name")),
                                json_get_text(in, STR("url")), json_get_text(in, STR("provider")), &call->req->arena,
                                &p, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    put_repository(&w, &p);
    api_reply_json_take(call->req, 201, &body);
}
