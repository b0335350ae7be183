// Tokens, projects, the audit trail.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "meta/audit.h"
#include "query/literal.h"

#include <stdio.h>

// "user:admin" or "token:ci", so that the trail tells them apart.
static str actor_of(const struct api_call *call, char out[META_NAME_MAX + 1])
{
    int n = snprintf(out, META_NAME_MAX + 1, "%s:%s", call->caller.kind == API_SESSION ? "user" : "token",
                     call->caller.name);
    return str_of(out, n > META_NAME_MAX ? META_NAME_MAX : (size_t)n);
}

static void put_scopes(struct json_writer *w, uint32_t scopes)
{
    char words[64];
    json_put_array(w);
    for (uint32_t bit = 1; bit <= META_SCOPE_ADMIN; bit <<= 1)
        if (scopes & bit) {
            meta_scopes_text(bit, words);
            json_put_str(w, str_z(words));
        }
    json_put_array_end(w);
}

static void put_optional_time(struct json_writer *w, str key, int64_t ns)
{
    if (ns == 0)
        return;
    json_put_key(w, key);
    api_put_time(w, ns);
}

static str slug_of(const struct meta_project *projects, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (projects[i].id == id)
            return str_z(projects[i].slug);
    return STR("");
}

static void put_token(struct json_writer *w, const struct meta_token *t, str project, str secret)
{
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, t->id);
    json_put_key(w, STR("name"));
    json_put_str(w, str_z(t->name));
    json_put_key(w, STR("scopes"));
    put_scopes(w, t->scopes);
    if (project.len) {
        json_put_key(w, STR("project"));
        json_put_str(w, project);
    }
    json_put_key(w, STR("ends_in"));
    json_put_str(w, str_z(t->tail));
    json_put_key(w, STR("created"));
    api_put_time(w, t->created_ns);
    json_put_key(w, STR("created_by"));
    json_put_str(w, str_z(t->created_by));
    put_optional_time(w, STR("last_used"), t->last_used_ns);
    put_optional_time(w, STR("expires"), t->expires_ns);
    if (secret.len) {
        json_put_key(w, STR("token"));
        json_put_str(w, secret);
    }
    json_put_object_end(w);
}

// A caller that is confined to a project administers nothing outside it.
static bool whole_workspace(struct api_call *call)
{
    if (call->caller.project == 0)
        return true;
    api_reply_error(call->req, 403, "forbidden", "this token belongs to one project");
    return false;
}

void api_tokens_list(struct api_call *call)
{
    struct meta *m = call->api->options.meta;
    struct meta_token *list = NULL;
    struct meta_project *projects = NULL;
    size_t n = 0, projects_n = 0;
    struct err err;
    if (!whole_workspace(call))
        return;
    int r = meta_token_list(m, &list, &n, &err);
    if (r == 0)
        r = meta_project_list(m, &projects, &projects_n, &err);
    if (r < 0) {
        api_reply_err(call->req, &err);
    } else {
        struct buf body;
        struct json_writer w;
        buf_init(&body, API_BODY_MAX);
        json_writer_init(&w, &body);
        json_put_object(&w);
        json_put_key(&w, STR("tokens"));
        json_put_array(&w);
        for (size_t i = 0; i < n; i++)
            put_token(&w, &list[i], slug_of(projects, projects_n, list[i].project), (str){ 0 });
        json_put_array_end(&w);
        json_put_object_end(&w);
        api_reply_json_take(call->req, 200, &body);
    }
    mem_free(list);
    mem_free(projects);
}

struct token_request {
    struct api_call *call;
    str name, project, ttl;
    uint32_t scopes;
    bool bad_scope;
};

static int scopes_member(struct token_request *in, struct json_reader *r)
{
    str word;
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1) {
        uint32_t bit = 0;
        rc = json_text(r, &word);
        if (rc == 0 && meta_scopes_parse(word, &bit, NULL) < 0)
            in->bad_scope = true;
        in->scopes |= bit;
    }
    return rc;
}

static int token_member(void *ctx, str name, struct json_reader *r)
{
    struct token_request *in = ctx;
    if (str_eq(name, STR("name")))
        return json_text(r, &in->name);
    if (str_eq(name, STR("project")))
        return json_text(r, &in->project);
    if (str_eq(name, STR("ttl")))
        return json_text(r, &in->ttl);
    if (str_eq(name, STR("scopes")))
        return scopes_member(in, r);
    return ERR_INVALID;
}

static bool token_request_ok(struct api_call *call, const struct token_request *in, int64_t *ret_expires)
{
    int64_t ns = 0;
    bool overflow = false;
    if (in->bad_scope) {
        api_reply_error(call->req, 400, "bad_scope",
                        "scopes are ingest, read, values, probe, probe_prod, patch, admin");
        return false;
    }
    // Nobody hands out more than he has.
    if (in->scopes & ~call->caller.scopes) {
        api_reply_error(call->req, 403, "forbidden", "you do not have all of these scopes yourself");
        return false;
    }
    if (in->ttl.len &&
        (!query_duration_read(in->ttl, &ns, &overflow) || overflow || ns <= 0 || ns > INT64_MAX - clock_unix_ns())) {
        api_reply_error(call->req, 400, "bad_time", "ttl is no time (12h, 30d)");
        return false;
    }
    *ret_expires = ns ? clock_unix_ns() + ns : 0;
    return true;
}

void api_tokens_add(struct api_call *call)
{
    struct token_request in = { .call = call };
    struct meta_token token;
    struct err err;
    char secret[META_SECRET_MAX], actor[META_NAME_MAX + 1];
    int64_t expires, project = 0;
    if (!whole_workspace(call) || !api_body_read(call, token_member, &in) || !token_request_ok(call, &in, &expires))
        return;
    if (in.project.len && (project = api_project_by_slug(call, in.project)) == 0)
        return;
    if (meta_token_add(call->api->options.meta, actor_of(call, actor), in.name, in.scopes, project, expires, secret,
                       &token, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    put_token(&w, &token, in.project, str_z(secret));
    api_reply_json_take(call->req, 201, &body);
}

void api_tokens_remove(struct api_call *call)
{
    struct err err;
    char actor[META_NAME_MAX + 1];
    int64_t id;
    if (!whole_workspace(call))
        return;
    if (!parse_i64(call->params[0], &id))
        api_reply_error(call->req, 404, "no_token", "tokens are named by their number");
    else if (meta_token_remove(call->api->options.meta, actor_of(call, actor), id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

static void put_project(struct json_writer *w, struct api_call *call, const struct meta_project *p)
{
    char key[META_SECRET_MAX], actor[META_NAME_MAX + 1];
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, p->id);
    json_put_key(w, STR("slug"));
    json_put_str(w, str_z(p->slug));
    json_put_key(w, STR("created"));
    api_put_time(w, p->created_ns);
    if (meta_project_dsn_key(call->api->options.meta, actor_of(call, actor), p->id, key, NULL) == 0) {
        // The name that the caller knows us by is the one that works for him.
        str host = call->req->host, scheme = call->req->scheme;
        str dsn = arena_printf(&call->req->arena, "%.*s://%s@%.*s/%lld", STR_ARG(scheme), key, STR_ARG(host),
                               (long long)p->id);
        json_put_key(w, STR("dsn"));
        json_put_str(w, dsn);
    }
    json_put_object_end(w);
}

void api_projects_list(struct api_call *call)
{
    struct meta_project *list;
    struct err err;
    size_t n;
    if (meta_project_list(call->api->options.meta, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("projects"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        if (call->caller.project == 0 || call->caller.project == list[i].id)
            put_project(&w, call, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    mem_free(list);
    api_reply_json_take(call->req, 200, &body);
}

static int project_member(void *ctx, str name, struct json_reader *r)
{
    return str_eq(name, STR("slug")) ? json_text(r, ctx) : ERR_INVALID;
}

void api_projects_add(struct api_call *call)
{
    struct meta_project p;
    struct err err;
    str slug = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!whole_workspace(call) || !api_body_read(call, project_member, &slug))
        return;
    if (meta_project_add(call->api->options.meta, actor_of(call, actor), slug, &p, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    put_project(&w, call, &p);
    api_reply_json_take(call->req, 201, &body);
}

void api_audit_list(struct api_call *call)
{
    struct meta_audit_entry *list;
    struct err err;
    uint64_t before = 0, limit = 100;
    size_t n;
    if (!whole_workspace(call) || !api_param_uint(call, STR("before"), 1, INT64_MAX, &before) ||
        !api_param_uint(call, STR("limit"), 1, 1000, &limit))
        return;
    if (meta_audit_list(call->api->options.meta, (int64_t)before, limit, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("entries"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("seq"));
        json_put_int(&w, list[i].seq);
        json_put_key(&w, STR("time"));
        api_put_time(&w, list[i].time_ns);
        json_put_key(&w, STR("actor"));
        json_put_str(&w, str_z(list[i].actor));
        json_put_key(&w, STR("action"));
        json_put_str(&w, str_z(list[i].action));
        json_put_key(&w, STR("target"));
        json_put_str(&w, str_z(list[i].target));
        json_put_key(&w, STR("detail"));
        json_put_str(&w, str_z(list[i].detail));
        json_put_key(&w, STR("hash"));
        json_put_hex(&w, bytes_of(list[i].hash, 32));
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    mem_free(list);
    api_reply_json_take(call->req, 200, &body);
}
