// People: who there is, invitations, what each may do; one's own sessions.
//
// Who administers does so only for those who may no more than he: else a link made for a stronger user would be a way to
// become that user.
#include "api/api_internal.h"

#include "base/mem.h"

static void put_user(struct json_writer *w, const struct meta_user_row *row)
{
    const struct meta_user *u = &row->user;
    json_put_object(w);
    json_put_key(w, STR("login"));
    json_put_str(w, str_z(u->login));
    json_put_key(w, STR("scopes"));
    api_put_scopes(w, u->scopes);
    json_put_key(w, STR("state"));
    json_put_str(w, u->disabled_ns ? STR("disabled") : u->joined_ns ? STR("active") : STR("invited"));
    json_put_key(w, STR("has_password"));
    json_put_bool(w, u->has_password);
    json_put_key(w, STR("created"));
    api_put_time(w, u->created_ns);
    api_put_optional_time(w, STR("joined"), u->joined_ns);
    api_put_optional_time(w, STR("disabled"), u->disabled_ns);
    json_put_key(w, STR("sessions"));
    json_put_int(w, row->sessions);
    api_put_optional_time(w, STR("last_used"), row->last_used_ns);
    api_put_optional_time(w, STR("link_expires"), row->link_ns);
    json_put_object_end(w);
}

void api_users_list(struct api_call *call)
{
    struct meta_user_row *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    size_t n;
    if (!api_whole_workspace(call))
        return;
    if (meta_user_list(call->api->options.meta, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("users"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_user(&w, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    mem_free(list);
    api_reply_json_take(call->req, 200, &body);
}

// {"login", "scopes", "link", "link_expires"}: the one time that the link is seen.
static void reply_link(struct api_call *call, int status, const struct meta_user *u)
{
    struct err err;
    struct buf body;
    struct json_writer w;
    char actor[META_NAME_MAX + 1], secret[META_SECRET_MAX];
    int64_t expires;
    if (meta_password_link_add(call->api->options.meta, api_actor(call, actor), u->id, secret, &expires, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    // In the name that the caller knows this server by.
    str link = arena_printf(&call->req->arena, "%.*s://%.*s/signin#%s=%s", STR_ARG(call->req->scheme),
                            STR_ARG(call->req->host), u->joined_ns ? "reset" : "invite", secret);
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("login"));
    json_put_str(&w, str_z(u->login));
    json_put_key(&w, STR("scopes"));
    api_put_scopes(&w, u->scopes);
    json_put_key(&w, STR("link"));
    json_put_str(&w, link);
    json_put_key(&w, STR("link_expires"));
    api_put_time(&w, expires);
    json_put_object_end(&w);
    api_reply_json_take(call->req, status, &body);
}

struct user_request {
    str login;
    uint32_t scopes;
    bool bad_scope, has_scopes, has_disabled, disabled;
};

static int add_member(void *ctx, str name, struct json_reader *r)
{
    struct user_request *in = ctx;
    if (str_eq(name, STR("login")))
        return json_text(r, &in->login);
    if (str_eq(name, STR("scopes")))
        return api_scopes_member(r, &in->scopes, &in->bad_scope);
    return ERR_INVALID;
}

void api_users_add(struct api_call *call)
{
    struct user_request in = { { 0 } };
    struct meta_user user;
    struct err err;
    char actor[META_NAME_MAX + 1];
    if (!api_whole_workspace(call) || !api_body_read(call, add_member, &in) ||
        !api_scopes_ok(call, in.scopes, in.bad_scope))
        return;
    if (meta_user_add(call->api->options.meta, api_actor(call, actor), in.login, in.scopes, &user, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply_link(call, 201, &user);
}

// The user of the path, whom this caller may administer; false: answered.
static bool user_of_path(struct api_call *call, struct meta_user *ret_user)
{
    struct err err;
    if (!api_whole_workspace(call))
        return false;
    if (meta_user_find(call->api->options.meta, call->params[0], ret_user, &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    if (!(ret_user->scopes & ~call->caller.scopes))
        return true;
    api_reply_error(call->req, 403, "forbidden", "%s has scopes that you do not have", ret_user->login);
    return false;
}

static int change_member(void *ctx, str name, struct json_reader *r)
{
    struct user_request *in = ctx;
    if (str_eq(name, STR("scopes"))) {
        in->has_scopes = true;
        return api_scopes_member(r, &in->scopes, &in->bad_scope);
    }
    if (str_eq(name, STR("disabled"))) {
        in->has_disabled = true;
        return json_bool(r, &in->disabled);
    }
    return ERR_INVALID;
}

void api_users_change(struct api_call *call)
{
    struct user_request in = { { 0 } };
    struct meta *m = call->api->options.meta;
    struct meta_user user;
    struct err err;
    char actor[META_NAME_MAX + 1];
    if (!user_of_path(call, &user) || !api_body_read(call, change_member, &in) ||
        !api_scopes_ok(call, in.scopes, in.bad_scope))
        return;
    if (in.has_scopes == in.has_disabled) {
        api_reply_error(call->req, 400, "bad_request", "either scopes or disabled");
        return;
    }
    int r = in.has_scopes ? meta_user_set_scopes(m, api_actor(call, actor), user.id, in.scopes, &err)
                          : meta_user_set_disabled(m, api_actor(call, actor), user.id, in.disabled, &err);
    if (r < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_users_remove(struct api_call *call)
{
    struct meta_user user;
    struct err err;
    char actor[META_NAME_MAX + 1];
    if (!user_of_path(call, &user))
        return;
    if (meta_user_remove(call->api->options.meta, api_actor(call, actor), user.id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_users_link(struct api_call *call)
{
    struct meta_user user;
    if (user_of_path(call, &user))
        reply_link(call, 201, &user);
}

void api_users_sessions_end(struct api_call *call)
{
    struct meta_user user;
    struct err err;
    char actor[META_NAME_MAX + 1];
    if (!user_of_path(call, &user))
        return;
    if (meta_session_end_all(call->api->options.meta, api_actor(call, actor), user.id, 0, NULL, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

// --- one's own sessions ---

static bool in_session(struct api_call *call)
{
    if (call->caller.kind == API_SESSION)
        return true;
    api_reply_error(call->req, 403, "forbidden", "a token has no sessions");
    return false;
}

void api_my_sessions(struct api_call *call)
{
    struct meta_session_row *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    size_t n;
    if (!in_session(call))
        return;
    if (meta_session_list(call->api->options.meta, call->caller.session.user.id, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, 1 << 20);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("sessions"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("id"));
        json_put_int(&w, list[i].id);
        json_put_key(&w, STR("current"));
        json_put_bool(&w, list[i].id == call->caller.session.id);
        json_put_key(&w, STR("created"));
        api_put_time(&w, list[i].created_ns);
        json_put_key(&w, STR("last_used"));
        api_put_time(&w, list[i].last_used_ns);
        json_put_key(&w, STR("expires"));
        api_put_time(&w, list[i].expires_ns);
        if (list[i].peer[0]) {
            json_put_key(&w, STR("peer"));
            json_put_str(&w, str_z(list[i].peer));
        }
        if (list[i].agent[0]) {
            json_put_key(&w, STR("agent"));
            json_put_str(&w, str_z(list[i].agent));
        }
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    mem_free(list);
    api_reply_json_take(call->req, 200, &body);
}

void api_my_sessions_end(struct api_call *call)
{
    struct err err;
    int64_t id;
    if (!in_session(call) || !api_path_id(call, 0, "no_session", &id))
        return;
    if (meta_session_end_of(call->api->options.meta, str_z(call->caller.name), call->caller.session.user.id, id, &err) <
        0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_my_sessions_end_others(struct api_call *call)
{
    struct err err;
    if (!in_session(call))
        return;
    if (meta_session_end_all(call->api->options.meta, str_z(call->caller.name), call->caller.session.user.id,
                             call->caller.session.id, NULL, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
