// The pages: files out of the binary, with a policy that allows no script but ours.
#include "api/static.h"

#include "api/api_internal.h"

static const struct static_file *file_find(str path)
{
    size_t lo = 0, hi = static_files_n; // sorted by path
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = str_cmp(static_files[mid].path, path);
        if (c == 0)
            return &static_files[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

// A browser that opens a permalink (/traces/ID): the application finds out which page it is. Programs that
// ask for what is not there are told so.
static bool is_page(const struct http_request *req)
{
    // A name with a dot is that of a file, but below a page it is that of what the page shows (/releases/shop@1.4.2).
    bool below = str_find_char(req->path, '/', 1) > 0;
    for (size_t i = req->path.len; i > 0 && req->path.ptr[i - 1] != '/'; i--)
        if (req->path.ptr[i - 1] == '.' && (!below || str_starts(req->path, STR("/assets/"))))
            return false;
    return str_eq(req->path, STR("/")) ||
           http_header_has_word(req->headers, req->headers_n, STR("accept"), STR("text/html"));
}

// The smallest form that the client takes.
static bytes body_of(const struct static_file *f, const struct http_request *req, str *ret_encoding)
{
    const struct {
        bytes body;
        str name;
    } forms[] = { { f->br, STR("br") }, { f->gzip, STR("gzip") } };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i].body.len &&
            http_header_has_word(req->headers, req->headers_n, STR("accept-encoding"), forms[i].name)) {
            *ret_encoding = forms[i].name;
            return forms[i].body;
        }
    *ret_encoding = STR("");
    return f->plain;
}

void api_static(struct api *a, struct http_request *req)
{
    struct http_header h[12];
    size_t n = 0;
    if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
        static const struct http_header allow = { STR_INIT("allow"), STR_INIT("GET, HEAD") };
        http_respond(req, 405, &allow, 1, (bytes){ 0 });
        return;
    }
    const struct static_file *f = file_find(req->path);
    if (!f && is_page(req))
        f = file_find(STR("/index.html"));
    if (!f) {
        api_reply_error(req, 404, "not_found", "there is no such path");
        return;
    }
    h[n++] = (struct http_header){ STR("content-type"), f->type };
    h[n++] = (struct http_header){ STR("etag"), f->etag };
    h[n++] = (struct http_header){ STR("cache-control"),
                                   f->immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache") };
    h[n++] = (struct http_header){ STR("vary"), STR("accept-encoding") };
    h[n++] = (struct http_header){ STR("x-content-type-options"), STR("nosniff") };
    h[n++] = (struct http_header){ STR("referrer-policy"), STR("no-referrer") };
    h[n++] = (struct http_header){ STR("cross-origin-opener-policy"), STR("same-origin") };
    h[n++] =
        (struct http_header){ STR("content-security-policy"),
                              STR("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                                  "font-src 'self'; connect-src 'self'; "
                                  "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'") };
    if (str_eq(http_request_header(req, STR("if-none-match")), f->etag)) {
        http_respond(req, 304, h, n, (bytes){ 0 });
        return;
    }
    str encoding;
    bytes body = body_of(f, req, &encoding);
    if (encoding.len)
        h[n++] = (struct http_header){ STR("content-encoding"), encoding };
    http_respond_static(req, 200, h, n, body);
}
