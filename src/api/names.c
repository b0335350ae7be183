#include "api/names.h"

#include "ingest/admission.h"

#include <stdio.h>

static str host_without_port(str authority)
{
    if (authority.len && authority.ptr[0] == '[') {
        ptrdiff_t close = str_find_char(authority, ']', 0);
        return close < 0 ? authority : str_slice(authority, 0, (size_t)close + 1);
    }
    ptrdiff_t colon = str_find_char(authority, ':', 0);
    return colon < 0 ? authority : str_slice(authority, 0, (size_t)colon);
}

static int url_add(struct names *names, str url, struct err *err)
{
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    bool tls = str_starts(url, STR("https://")), plain = str_starts(url, STR("http://"));
    str authority = str_slice(url, tls ? 8 : 7, url.len);
    bool ok = (tls || plain) && authority.len && url.len < sizeof names->urls[0].origin;
    for (size_t i = 0; i < authority.len && ok; i++) {
        char c = authority.ptr[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(".-:[]", c);
    }
    if (!ok || names->n == NAMES_MAX) {
        err_set(err, ERR_INVALID, "bad_setting", "public_url: \"%.*s\" is not an address",
                STR_ARG(str_slice(url, 0, 100)));
        err_set_hint(err, "https://clew.example.com, without a path; at most %d", NAMES_MAX);
        return ERR_INVALID;
    }
    // A browser leaves the scheme's own port out of an Origin.
    str usual = tls ? STR(":443") : STR(":80");
    if (str_ends(url, usual))
        url.len -= usual.len;
    struct names_url *u = &names->urls[names->n++];
    size_t at = tls ? 8 : 7;
    for (size_t i = 0; i < url.len; i++)
        u->origin[i] = (char)(url.ptr[i] >= 'A' && url.ptr[i] <= 'Z' ? url.ptr[i] + 32 : url.ptr[i]);
    u->origin[url.len] = 0;
    u->host = host_without_port(str_of(u->origin + at, url.len - at));
    return 0;
}

int names_parse(struct names *names, str urls, struct err *err)
{
    memset(names, 0, sizeof *names);
    for (size_t at = 0; at < urls.len;) {
        ptrdiff_t comma = str_find_char(urls, ',', at);
        size_t end = comma < 0 ? urls.len : (size_t)comma;
        str url = str_trim(str_slice(urls, at, end));
        int r = url.len ? url_add(names, url, err) : 0;
        if (r < 0)
            return r;
        at = end + 1;
    }
    return 0;
}

static bool host_ok(const struct names *names, str host)
{
    if (admission_host_is_loopback(host))
        return true;
    str bare = host_without_port(host);
    for (size_t i = 0; i < names->n; i++)
        if (str_ieq(bare, names->urls[i].host))
            return true;
    return false;
}

bool names_host_ok(const struct names *names, const struct http_request *req)
{
    if (!host_ok(names, req->host))
        return false;
    // Beside :authority or an absolute target a Host line may say something else: both must be ours.
    for (size_t i = 0; i < req->headers_n; i++)
        if (str_eq(req->headers[i].name, STR("host")) && !host_ok(names, req->headers[i].value))
            return false;
    return true;
}

bool names_origin_matches(const struct names *names, const struct http_request *req)
{
    str origin = http_request_header(req, STR("origin"));
    if (!origin.ptr || http_header_count(req->headers, req->headers_n, STR("origin")) != 1)
        return false;
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(origin, str_z(names->urls[i].origin)))
            return true;
    str scheme = str_eq(req->scheme, STR("https")) ? STR("https://") : STR("http://");
    return str_starts(origin, scheme) && str_ieq(str_slice(origin, scheme.len, origin.len), req->host) &&
           admission_host_is_loopback(req->host);
}
