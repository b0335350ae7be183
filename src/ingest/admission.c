#include "ingest/admission.h"

#include "base/err.h"

bool admission_host_is_loopback(str host)
{
    static const str names[] = { STR_INIT("127.0.0.1"), STR_INIT("localhost"), STR_INIT("[::1]") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!str_starts(host, names[i]))
            continue;
        str rest = str_slice(host, names[i].len, host.len);
        if (rest.len == 0)
            return true;
        bool digits = rest.ptr[0] == ':' && rest.len >= 2 && rest.len <= 6;
        for (size_t k = 1; k < rest.len && digits; k++)
            digits = rest.ptr[k] >= '0' && rest.ptr[k] <= '9';
        if (digits)
            return true;
    }
    return false;
}

bool admission_is_local(const struct http_request *req)
{
    if (!socket_address_is_loopback(&req->peer) || !socket_address_is_loopback(&req->local))
        return false;
    if (!admission_host_is_loopback(req->host))
        return false;
    for (size_t i = 0; i < req->headers_n; i++) {
        str name = req->headers[i].name;
        if (str_eq(name, STR("origin")) || str_eq(name, STR("forwarded")) || str_starts(name, STR("x-forwarded-")))
            return false;
        // HTTP/2 may carry a Host beside :authority: a second opinion about the name is no clear one.
        if (str_eq(name, STR("host")) && !admission_host_is_loopback(req->headers[i].value))
            return false;
    }
    return true;
}

int admission_bearer(const struct http_request *req, str *ret_token)
{
    static const str scheme = STR_INIT("bearer ");
    str value = http_request_header(req, STR("authorization"));
    if (!value.ptr) {
        *ret_token = (str){ 0 };
        return 0;
    }
    if (http_header_count(req->headers, req->headers_n, STR("authorization")) != 1)
        return ERR_MALFORMED;
    if (value.len <= scheme.len || !str_ieq(str_slice(value, 0, scheme.len), scheme))
        return ERR_MALFORMED;
    *ret_token = str_trim(str_slice(value, scheme.len, value.len));
    return 0;
}

int admission_ingest(struct meta *m, const struct http_request *req, int64_t default_project, int64_t *ret_project,
                     enum door_outcome *ret_refused)
{
    struct meta_grant grant;
    str token;
    int r = admission_bearer(req, &token);
    if (r < 0) {
        *ret_refused = DOOR_BAD_AUTHORIZATION;
        return ERR_DENIED;
    }
    if (!token.ptr) {
        if (!admission_is_local(req)) {
            *ret_refused = DOOR_NO_KEY;
            return ERR_DENIED;
        }
        *ret_project = default_project;
        return 0;
    }
    if (meta_token_check(m, token, &grant) < 0) {
        *ret_refused = DOOR_UNKNOWN_KEY;
        return ERR_DENIED;
    }
    if (!(grant.scopes & META_SCOPE_INGEST)) {
        *ret_refused = DOOR_NO_SCOPE;
        return ERR_INVALID;
    }
    *ret_project = grant.project ? grant.project : default_project;
    return 0;
}
