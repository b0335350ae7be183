#include "api/caller.h"

#include "ingest/admission.h"

#include <stdio.h>

void api_cookie_name(int port, char ret[32]) { snprintf(ret, 32, "clew_session_%d", port); }

// Value of a cookie by name; the first one counts (RFC 6265: longer paths first, ours has "/" only).
static str cookie_find(const struct http_request *req, str name)
{
    for (size_t i = 0; i < req->headers_n; i++) {
        if (!str_eq(req->headers[i].name, STR("cookie")))
            continue;
        str line = req->headers[i].value;
        for (size_t at = 0; at < line.len;) {
            ptrdiff_t semicolon = str_find_char(line, ';', at);
            size_t end = semicolon < 0 ? line.len : (size_t)semicolon;
            str pair = str_trim(str_slice(line, at, end));
            if (pair.len > name.len && str_starts(pair, name) && pair.ptr[name.len] == '=')
                return str_slice(pair, name.len + 1, pair.len);
            at = end + 1;
        }
    }
    return (str){ 0 };
}

static int by_token(struct meta *m, str token, struct api_caller *c)
{
    struct meta_grant grant;
    int r = meta_token_check(m, token, &grant);
    if (r < 0)
        return ERR_DENIED;
    c->kind = API_TOKEN;
    c->scopes = grant.scopes;
    c->project = grant.project;
    memcpy(c->name, grant.name, sizeof c->name);
    return 0;
}

uint32_t api_caller_token_scopes(struct meta *m, const struct http_request *req)
{
    struct api_caller c;
    str token;
    return admission_bearer(req, &token) == 0 && token.ptr && by_token(m, token, &c) == 0 ? c.scopes : 0;
}

int api_caller_find(struct meta *m, const struct http_request *req, int port, struct api_caller *ret_caller)
{
    struct api_caller c = { 0 };
    char cookie[32];
    str token;
    int r = admission_bearer(req, &token);
    if (r == 0 && token.ptr)
        r = by_token(m, token, &c);
    if (r < 0)
        return ERR_DENIED;
    api_cookie_name(port, cookie);
    str secret = token.ptr ? (str){ 0 } : cookie_find(req, str_z(cookie));
    if (secret.ptr && meta_session_check(m, secret, &c.session) == 0) {
        c.kind = API_SESSION;
        c.scopes = c.session.user.scopes;
        memcpy(c.name, c.session.user.login, sizeof c.name);
    }
    *ret_caller = c;
    return 0;
}

const char *api_caller_forged(const struct api_caller *c, const struct names *names, const struct http_request *req)
{
    bool changes = req->method != HTTP_GET && req->method != HTTP_HEAD;
    if (c->kind != API_SESSION)
        return NULL;
    bool has_origin = http_request_header(req, STR("origin")).ptr != NULL;
    if ((changes || has_origin) && !names_origin_matches(names, req))
        return "the request comes from another site (Origin)";
    if (changes && !meta_session_csrf_matches(&c->session, http_request_header(req, STR("x-clew-csrf"))))
        return "the header X-Clew-CSRF is missing or not this session's";
    return NULL;
}
