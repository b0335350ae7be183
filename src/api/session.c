// Signing in and out, and who one is.
#include "api/api_internal.h"

#include <stdio.h>

// Where to send to, in the name that the caller knows this server by (the main port takes every protocol).
static void put_addresses(struct json_writer *w, struct api_call *call)
{
    struct meta *m = call->api->options.meta;
    struct meta_project p;
    char key[META_SECRET_MAX];
    str scheme = call->req->scheme, host = call->req->host;
    str url = arena_printf(&call->req->arena, "%.*s://%.*s", STR_ARG(scheme), STR_ARG(host));
    json_put_key(w, STR("otlp_http"));
    json_put_str(w, url);
    json_put_key(w, STR("otlp_grpc"));
    json_put_str(w, url);
    if (meta_project_find(m, STR("default"), &p, NULL) < 0 ||
        meta_project_dsn_key(m, STR("server"), p.id, key, NULL) < 0)
        return;
    json_put_key(w, STR("dsn"));
    json_put_str(w, arena_printf(&call->req->arena, "%.*s://%s@%.*s/%lld", STR_ARG(scheme), key, STR_ARG(host),
                                 (long long)p.id));
}

static void put_me(struct buf *body, struct api_call *call, const struct api_caller *c)
{
    struct json_writer w;
    char words[64];
    json_writer_init(&w, body);
    json_put_object(&w);
    json_put_key(&w, STR("kind"));
    json_put_str(&w, c->kind == API_SESSION ? STR("session") : STR("token"));
    json_put_key(&w, STR("name"));
    json_put_str(&w, str_z(c->name));
    json_put_key(&w, STR("scopes"));
    json_put_array(&w);
    for (uint32_t bit = 1; bit <= META_SCOPE_ADMIN; bit <<= 1)
        if (c->scopes & bit) {
            meta_scopes_text(bit, words);
            json_put_str(&w, str_z(words));
        }
    json_put_array_end(&w);
    json_put_key(&w, STR("workspace"));
    json_put_str(&w, STR("clew"));
    json_put_key(&w, STR("version"));
    json_put_str(&w, str_z(call->api->options.version));
    if (c->project == 0 && (c->scopes & META_SCOPE_READ))
        put_addresses(&w, call);
    if (c->kind == API_SESSION) {
        json_put_key(&w, STR("csrf"));
        json_put_str(&w, str_z(c->session.csrf));
        json_put_key(&w, STR("expires"));
        api_put_time(&w, c->session.expires_ns);
        json_put_key(&w, STR("has_password"));
        json_put_bool(&w, c->session.user.has_password);
    }
    json_put_object_end(&w);
}

struct signin {
    str link, login, password;
};

static int signin_member(void *ctx, str name, struct json_reader *r)
{
    struct signin *in = ctx;
    if (str_eq(name, STR("link")))
        return json_text(r, &in->link);
    if (str_eq(name, STR("login")))
        return json_text(r, &in->login);
    if (str_eq(name, STR("password")))
        return json_text(r, &in->password);
    return ERR_INVALID;
}

static void set_cookie(const struct api *a, const char *secret, int64_t seconds, char out[256])
{
    char name[32];
    bool secure = a->tls;
    for (size_t i = 0; i < a->names.n; i++)
        secure |= str_starts(str_z(a->names.urls[i].origin), STR("https://")) && a->names.n == 1;
    api_cookie_name(a->port, name);
    snprintf(out, 256, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", name, secret, (long long)seconds,
             secure ? "; Secure" : "");
}

static void reply_signed_in(struct api_call *call, const char *secret, const struct meta_session *s)
{
    struct api_caller c = { .kind = API_SESSION, .scopes = s->user.scopes, .session = *s };
    struct http_header h[API_HEADERS_MAX + 1];
    struct buf body;
    char cookie[256];
    memcpy(c.name, s->user.login, sizeof c.name);
    size_t n = api_headers(h, STR("application/json"));
    set_cookie(call->api, secret, META_SESSION_DAYS * 86400LL, cookie);
    h[n++] = (struct http_header){ STR("set-cookie"), str_z(cookie) };
    buf_init(&body, 1 << 16);
    put_me(&body, call, &c);
    http_respond_take(call->req, 200, h, n, &body);
}

static void reply_not_signed_in(struct api_call *call, const struct err *err, int retry_s)
{
    struct http_header h[API_HEADERS_MAX + 1];
    struct buf body;
    struct json_writer w;
    char retry[16];
    if (err->code != ERR_DENIED && err->code != ERR_BUSY) {
        api_reply_err(call->req, err);
        return;
    }
    size_t n = api_headers(h, STR("application/json"));
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("error"));
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_str(&w, str_z(err->slug));
    json_put_key(&w, STR("message"));
    json_put_str(&w, str_z(err->message));
    if (err->hint[0]) {
        json_put_key(&w, STR("hint"));
        json_put_str(&w, str_z(err->hint));
    }
    json_put_object_end(&w);
    json_put_object_end(&w);
    if (err->code == ERR_BUSY) {
        int len = snprintf(retry, sizeof retry, "%d", retry_s);
        h[n++] = (struct http_header){ STR("retry-after"), str_of(retry, (size_t)len) };
    }
    http_respond_take(call->req, err->code == ERR_BUSY ? 429 : 403, h, n, &body);
}

static struct meta_visitor visitor(const struct http_request *req, char peer[SOCKET_ADDRESS_TEXT])
{
    return (struct meta_visitor){ str_of(peer, socket_address_format_host(&req->peer, peer)),
                                  http_request_header(req, STR("user-agent")) };
}

void api_signin(struct api_call *call)
{
    struct signin in = { { 0 } };
    struct meta_session session;
    struct err err = { 0 };
    char secret[META_SECRET_MAX], peer[SOCKET_ADDRESS_TEXT];
    int retry_s = 0;
    // Nobody is to be signed in by another site, as somebody else (login CSRF).
    if (!names_origin_matches(&call->api->names, call->req)) {
        api_reply_error(call->req, 403, "forged", "the request comes from another site (Origin)");
        return;
    }
    if (!api_body_read(call, signin_member, &in))
        return;
    if (!in.link.ptr == !(in.login.ptr && in.password.ptr)) {
        api_reply_error(call->req, 400, "bad_request",
                        "either link (with a password if it sets one), or login and password");
        return;
    }
    struct meta *m = call->api->options.meta;
    struct meta_visitor who = visitor(call->req, peer);
    int r = !in.link.ptr      ? meta_signin_password(m, who, in.login, in.password, secret, &session, &retry_s, &err)
            : in.password.ptr ? meta_signin_invited(m, who, in.link, in.password, secret, &session, &retry_s, &err)
                              : meta_signin_link(m, who, in.link, secret, &session, &retry_s, &err);
    if (r < 0)
        reply_not_signed_in(call, &err, retry_s);
    else
        reply_signed_in(call, secret, &session);
}

void api_signout(struct api_call *call)
{
    struct http_header h[API_HEADERS_MAX + 1];
    struct err err;
    char cookie[256];
    if (call->caller.kind != API_SESSION) {
        api_reply_error(call->req, 400, "bad_request", "a token has no session: revoke it instead");
        return;
    }
    if (meta_session_end(call->api->options.meta, str_z(call->caller.name), call->caller.session.id, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    size_t n = api_headers(h, STR("application/json"));
    set_cookie(call->api, "", 0, cookie);
    h[n++] = (struct http_header){ STR("set-cookie"), str_z(cookie) };
    http_respond(call->req, 204, h + 1, n - 1, (bytes){ 0 });
}

void api_me(struct api_call *call)
{
    struct buf body;
    buf_init(&body, 1 << 16);
    put_me(&body, call, &call->caller);
    api_reply_json_take(call->req, 200, &body);
}

struct password_change {
    str old_password, password;
};

static int password_member(void *ctx, str name, struct json_reader *r)
{
    struct password_change *in = ctx;
    if (str_eq(name, STR("password")))
        return json_text(r, &in->password);
    if (str_eq(name, STR("old")))
        return json_text(r, &in->old_password);
    return ERR_INVALID;
}

void api_password(struct api_call *call)
{
    struct password_change in = { { 0 } };
    struct meta *m = call->api->options.meta;
    struct err err = { 0 };
    char peer[SOCKET_ADDRESS_TEXT];
    int retry_s = 0;
    if (call->caller.kind != API_SESSION) {
        api_reply_error(call->req, 403, "forbidden", "a password is set by its user, in a session");
        return;
    }
    if (!api_body_read(call, password_member, &in))
        return;
    const struct meta_user *u = &call->caller.session.user;
    struct meta_visitor who = visitor(call->req, peer);
    // Who finds an unlocked browser must not be able to take the account over.
    int r = u->has_password ? meta_password_confirm(m, who, u->id, in.old_password, &retry_s, &err) : 0;
    if (r == ERR_DENIED || r == ERR_BUSY) {
        reply_not_signed_in(call, &err, retry_s);
        return;
    }
    if (r == 0)
        r = meta_user_set_password(m, str_z(u->login), u->id, in.password, call->caller.session.id, &err);
    if (r < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
