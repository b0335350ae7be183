// Tokens, and what all of administration shares.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "query/literal.h"

#include <stdio.h>

str api_actor(const struct api_call *call, char out[META_NAME_MAX + 1])
{
    int n = snprintf(out, META_NAME_MAX + 1, "%s:%s", call->caller.kind == API_SESSION ? "user" : "token",
                     call->caller.name);
    return str_of(out, n > META_NAME_MAX ? META_NAME_MAX : (size_t)n);
}

void api_put_scopes(struct json_writer *w, uint32_t scopes)
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

void api_put_optional_time(struct json_writer *w, str key, int64_t ns)
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
    api_put_scopes(w, t->scopes);
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
    api_put_optional_time(w, STR("last_used"), t->last_used_ns);
    api_put_optional_time(w, STR("expires"), t->expires_ns);
    if (secret.len) {
        json_put_key(w, STR("token"));
        json_put_str(w, secret);
    }
    json_put_object_end(w);
}

bool api_whole_workspace(struct api_call *call)
{
    if (call->caller.project == 0)
        return true;
    api_reply_error(call->req, 403, "forbidden", "this token belongs to one project");
    return false;
}

bool api_may_change(struct api_call *call, const char *what)
{
    if (call->caller.kind == API_SESSION || call->caller.scopes & META_SCOPE_ADMIN)
        return true;
    api_reply_error(call->req, 403, "forbidden", "a token needs the scope admin to change %s", what);
    return false;
}

void api_tokens_list(struct api_call *call)
{
    struct meta *m = call->api->options.meta;
    struct meta_token *list = NULL;
    struct meta_project *projects = NULL;
    size_t n = 0, projects_n = 0;
    struct err err;
    if (!api_whole_workspace(call))
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

int api_scopes_member(struct json_reader *r, uint32_t *ret_scopes, bool *ret_bad)
{
    str word;
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1) {
        uint32_t bit = 0;
        rc = json_text(r, &word);
        if (rc == 0 && meta_scopes_parse(word, &bit, NULL) < 0)
            *ret_bad = true;
        *ret_scopes |= bit;
    }
    return rc;
}

bool api_scopes_ok(struct api_call *call, uint32_t scopes, bool bad)
{
    if (bad) {
        api_reply_error(call->req, 400, "bad_scope",
                        "scopes are ingest, read, values, probe, probe_prod, patch, admin");
        return false;
    }
    if (scopes & ~call->caller.scopes) {
        api_reply_error(call->req, 403, "forbidden", "you do not have all of these scopes yourself");
        return false;
    }
    return true;
}

bool api_path_id(struct api_call *call, int i, const char *code, int64_t *ret_id)
{
    if (parse_i64(call->params[i], ret_id))
        return true;
    api_reply_error(call->req, 404, code, "they are named by their number");
    return false;
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
        return api_scopes_member(r, &in->scopes, &in->bad_scope);
    return ERR_INVALID;
}

static bool token_request_ok(struct api_call *call, const struct token_request *in, int64_t *ret_expires)
{
    int64_t ns = 0;
    bool overflow = false;
    if (!api_scopes_ok(call, in->scopes, in->bad_scope))
        return false;
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
    if (!api_whole_workspace(call) || !api_body_read(call, token_member, &in) || !token_request_ok(call, &in, &expires))
        return;
    if (in.project.len && (project = api_project_by_slug(call, in.project)) == 0)
        return;
    if (meta_token_add(call->api->options.meta, api_actor(call, actor), in.name, in.scopes, project, expires, secret,
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
    if (!api_whole_workspace(call) || !api_path_id(call, 0, "no_token", &id))
        return;
    if (meta_token_remove(call->api->options.meta, api_actor(call, actor), id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
