#include "ingest/sentry_auth.h"

#include "base/err.h"
#include "ingest/sentry_internal.h"

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

static str segment_take(str *rest)
{
    ptrdiff_t slash = str_find_char(*rest, '/', 0);
    str head = slash < 0 ? *rest : str_slice(*rest, 0, (size_t)slash);
    *rest = slash < 0 ? (str){ 0 } : str_slice(*rest, (size_t)slash + 1, rest->len);
    return head;
}

bool sentry_project_path(str path, int64_t *ret_project, str *ret_rest)
{
    static const str head = STR_INIT("/api/");
    for (size_t at = 0;; at++) { // behind a prefix
        ptrdiff_t found = str_find(str_slice(path, at, path.len), head);
        if (found < 0)
            return false;
        at += (size_t)found;
        str rest = str_slice(path, at + head.len, path.len);
        if (number_of(segment_take(&rest), ret_project)) {
            *ret_rest = rest;
            return *ret_project > 0;
        }
    }
}

bool sentry_target_of(str path, struct sentry_target *ret_target)
{
    static const struct {
        str name;
        enum sentry_endpoint endpoint;
    } plain[] = { { STR_INIT("envelope"), SENTRY_ENVELOPE }, { STR_INIT("store"), SENTRY_STORE },
                  { STR_INIT("security"), SENTRY_SECURITY }, { STR_INIT("csp-report"), SENTRY_SECURITY },
                  { STR_INIT("nel"), SENTRY_NEL },           { STR_INIT("minidump"), SENTRY_MINIDUMP } };
    struct sentry_target t = { 0 };
    str rest;
    if (!sentry_project_path(path, &t.project, &rest))
        return false;
    str name = segment_take(&rest);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (str_eq(name, plain[i].name) && rest.len == 0) {
            t.endpoint = plain[i].endpoint;
            *ret_target = t;
            return true;
        }
    t.argument = segment_take(&rest);
    if (str_eq(name, STR("cron"))) {
        t.endpoint = SENTRY_CRON;
        t.key = segment_take(&rest);
    } else if (str_eq(name, STR("events")) && str_eq(segment_take(&rest), STR("attachments"))) {
        t.endpoint = SENTRY_ATTACHMENTS;
    } else {
        return false;
    }
    if (!t.argument.len || rest.len)
        return false;
    *ret_target = t;
    return true;
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
