#include "ingest/sentry_auth.h"

#include "base/err.h"

static bool number_of(str text, int64_t *ret_n)
{
    enum { DIGITS_MAX = 18 };
    int64_t n = 0;
    if (text.len == 0 || text.len > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
    }
    *ret_n = n;
    return true;
}

bool sentry_path(str path, int64_t *ret_project, str *ret_endpoint)
{
    static const str head = STR_INIT("/api/");
    if (!str_starts(path, head))
        return false;
    str rest = str_slice(path, head.len, path.len);
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    if (slash < 0 || !number_of(str_slice(rest, 0, (size_t)slash), ret_project))
        return false;
    str endpoint = str_slice(rest, (size_t)slash + 1, rest.len);
    if (endpoint.len && endpoint.ptr[endpoint.len - 1] == '/')
        endpoint.len--;
    *ret_endpoint = endpoint;
    return endpoint.len > 0 && str_find_char(endpoint, '/', 0) < 0;
}

// "Sentry sentry_version=7, sentry_key=abc": order and spacing vary.
static str header_key(str value)
{
    static const str scheme = STR_INIT("sentry"), name = STR_INIT("sentry_key");
    value = str_trim(value);
    if (value.len > scheme.len && str_ieq(str_slice(value, 0, scheme.len), scheme) &&
        (value.ptr[scheme.len] == ' ' || value.ptr[scheme.len] == '\t'))
        value = str_slice(value, scheme.len, value.len);
    while (value.len) {
        ptrdiff_t comma = str_find_char(value, ',', 0);
        str pair = str_trim(comma < 0 ? value : str_slice(value, 0, (size_t)comma));
        value = comma < 0 ? (str){ 0 } : str_slice(value, (size_t)comma + 1, value.len);
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        if (equals > 0 && str_ieq(str_trim(str_slice(pair, 0, (size_t)equals)), name))
            return str_trim(str_slice(pair, (size_t)equals + 1, pair.len));
    }
    return (str){ 0 };
}

static bool agree(str *key, str another)
{
    if (!key->len)
        *key = another;
    return !another.len || str_eq(*key, another);
}

int sentry_auth_key(struct http_request *req, str *ret_key)
{
    str key = { 0 }, query;
    bool good = agree(&key, header_key(http_request_header(req, STR("x-sentry-auth"))));
    str authorization = http_request_header(req, STR("authorization"));
    if (authorization.len > 7 && str_ieq(str_slice(authorization, 0, 7), STR("sentry ")))
        good &= agree(&key, header_key(authorization));
    int r = http_query_get(&req->arena, req->query, STR("sentry_key"), &query);
    if (r == ERR_NOMEM)
        return r;
    if (r == 0)
        good &= agree(&key, query);
    if (!good)
        return ERR_DENIED;
    *ret_key = key;
    return 0;
}

bool sentry_dsn_parse(str dsn, str *ret_key, int64_t *ret_project)
{
    ptrdiff_t scheme = str_find(dsn, STR("://"));
    if (scheme < 0)
        return false;
    str rest = str_slice(dsn, (size_t)scheme + 3, dsn.len);
    ptrdiff_t query = str_find_char(rest, '?', 0);
    if (query >= 0)
        rest = str_slice(rest, 0, (size_t)query);
    ptrdiff_t at = str_find_char(rest, '@', 0);
    if (at <= 0)
        return false;
    str user = str_slice(rest, 0, (size_t)at), path = str_slice(rest, (size_t)at + 1, rest.len);
    ptrdiff_t colon = str_find_char(user, ':', 0);
    if (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    if (slash == 0 || !number_of(str_slice(path, slash, path.len), ret_project))
        return false;
    *ret_key = colon < 0 ? user : str_slice(user, 0, (size_t)colon);
    return ret_key->len > 0;
}
