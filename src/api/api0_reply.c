// Answers of /api/0, pages, and what requests have in common.
#include "api/api0.h"

#include "base/mem.h"
#include "base/numfmt.h"
#include "base/timefmt.h"

#include <stdarg.h>
#include <stdio.h>

enum { PAGE_DEFAULT = 100, LINK_MAX = 16 << 10 };

static void reply_detail(struct http_request *req, int status, int retry_s, str message)
{
    struct http_header h[API_HEADERS_MAX + 2];
    struct json_writer w;
    struct buf body;
    char retry[16];
    size_t n = api_headers(h, STR("application/json"));
    buf_init(&body, 1 << 14);
    json_writer_init(&w, &body);
    json_put_object(&w);
    api0_put_text(&w, STR("detail"), message);
    json_put_object_end(&w);
    if (status == 401)
        h[n++] = (struct http_header){ STR("www-authenticate"), STR("Bearer") };
    if (retry_s > 0)
        h[n++] = (struct http_header){ STR("retry-after"),
                                       str_of(retry, (size_t)snprintf(retry, sizeof retry, "%d", retry_s)) };
    http_respond_take(req, status, h, n, &body);
}

void api0_error(struct http_request *req, int status, const char *fmt, ...)
{
    char message[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    reply_detail(req, status, status == 429 || status == 503 ? 1 : 0, str_z(message));
}

void api0_reply_err(struct http_request *req, const struct err *err)
{
    int status = api_status_of(err->code);
    const char *message = status != 500 && err->message[0] ? err->message : err_text(err->code);
    if (err->hint[0] && status != 500)
        api0_error(req, status, "%s: %s", message, err->hint);
    else
        api0_error(req, status, "%s", message);
}

void api0_refuse(struct http_request *req, int status, int retry_after_s, str message)
{
    reply_detail(req, status, retry_after_s, message);
}

void api0_begin(struct json_writer *w, struct buf *body)
{
    buf_init(body, API_BODY_MAX);
    json_writer_init(w, body);
}

void api0_put_id(struct json_writer *w, str key, int64_t id)
{
    char text[24];
    json_put_key(w, key);
    json_put_str(w, str_of(text, (size_t)snprintf(text, sizeof text, "%lld", (long long)id)));
}

void api0_put_time(struct json_writer *w, str key, int64_t ns)
{
    enum { MICROSECONDS = 26 };
    char text[32];
    json_put_key(w, key);
    if (ns == 0) {
        json_put_null(w);
        return;
    }
    fmt_rfc3339(text, ns);
    text[MICROSECONDS] = 'Z';
    json_put_str(w, str_of(text, MICROSECONDS + 1));
}

void api0_put_text(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    json_put_str(w, text);
}

void api0_put_known(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    if (text.len)
        json_put_str(w, text);
    else
        json_put_null(w);
}

void api0_put_int(struct json_writer *w, str key, int64_t n)
{
    json_put_key(w, key);
    json_put_int(w, n);
}

bool api0_param(struct api_call *call, str name, str *ret_value)
{
    str value = { 0 };
    int r = http_query_get(&call->req->arena, call->req->query, name, &value);
    if (r < 0 && r != ERR_NOENT) {
        api0_error(call->req, 400, "The parameters of the URL are not well formed");
        return false;
    }
    *ret_value = value;
    return true;
}

// "0:OFFSET:0"; sentry-cli begins with an empty one.
static bool cursor_parse(str cursor, size_t *ret_at)
{
    ptrdiff_t first = str_find_char(cursor, ':', 0);
    ptrdiff_t second = first < 0 ? -1 : str_find_char(cursor, ':', (size_t)first + 1);
    uint64_t at;
    if (cursor.len == 0)
        return true;
    if (second < 0 || !parse_u64(str_slice(cursor, (size_t)first + 1, (size_t)second), &at) || at > UINT32_MAX)
        return false;
    *ret_at = (size_t)at;
    return true;
}

bool api0_page_read(struct api_call *call, size_t most, struct api0_page *ret_page)
{
    struct api0_page page = { .n = most < PAGE_DEFAULT ? most : PAGE_DEFAULT };
    str cursor, count;
    uint64_t n;
    if (!api0_param(call, STR("cursor"), &cursor) || !api0_param(call, STR("per_page"), &count))
        return false;
    if (count.len == 0 && !api0_param(call, STR("limit"), &count))
        return false;
    if (!cursor_parse(cursor, &page.at)) {
        api0_error(call->req, 400, "Invalid cursor parameter.");
        return false;
    }
    if (count.len) {
        if (!parse_u64(count, &n) || n == 0) {
            api0_error(call->req, 400, "Invalid per_page parameter: a number from 1 to %zu", most);
            return false;
        }
        page.n = n > most ? most : (size_t)n;
    }
    *ret_page = page;
    return true;
}

// The request's own URL with another cursor.
static void put_link(struct buf *out, struct api_call *call, const char *rel, bool results, size_t at)
{
    const struct http_request *req = call->req;
    buf_printf(out, "<%.*s://%.*s%.*s?", STR_ARG(req->scheme), STR_ARG(req->host), STR_ARG(req->path));
    for (size_t i = 0; i < req->query.len;) {
        ptrdiff_t amp = str_find_char(req->query, '&', i);
        size_t end = amp < 0 ? req->query.len : (size_t)amp;
        str pair = str_slice(req->query, i, end);
        if (pair.len && !str_starts(pair, STR("cursor=")))
            buf_printf(out, "%.*s&", STR_ARG(pair));
        i = end + 1;
    }
    buf_printf(out, "cursor=0:%zu:%d>; rel=\"%s\"; results=\"%s\"; cursor=\"0:%zu:%d\"", at, rel[0] == 'p', rel,
               results ? "true" : "false", at, rel[0] == 'p');
}

void api0_reply_page_take(struct api_call *call, const struct api0_page *page, size_t total, struct buf *body)
{
    struct http_header h[API_HEADERS_MAX + 1];
    struct buf link;
    size_t n = api_headers(h, STR("application/json"));
    size_t end = page->at + page->n;
    if (body->error) {
        buf_free(body);
        api0_error(call->req, 422, "The answer is too large: ask for fewer with per_page");
        return;
    }
    buf_init(&link, LINK_MAX);
    put_link(&link, call, "previous", page->at > 0, page->at > page->n ? page->at - page->n : 0);
    buf_str(&link, STR(", "));
    put_link(&link, call, "next", end < total, end);
    // Who has sent a query that cannot stand in a header gets the page without links.
    if (!link.error && http_value_ok(buf_view(&link)))
        h[n++] = (struct http_header){ STR("link"), buf_view(&link) };
    http_respond_take(call->req, 200, h, n, body);
    buf_free(&link);
}

static bool project_is(const struct meta_project *p, str name)
{
    uint64_t id;
    return str_eq(name, str_z(p->slug)) || (parse_u64(name, &id) && id == (uint64_t)p->id);
}

static bool all_projects(struct api_call *call, struct meta_project **ret_projects, size_t *ret_n)
{
    struct meta_project *list, *own;
    struct err err;
    size_t n, kept = 0;
    if (meta_project_list(call->api->options.meta, &list, &n, &err) < 0) {
        api0_reply_err(call->req, &err);
        return false;
    }
    own = arena_alloc_array(&call->req->arena, n, sizeof *own);
    for (size_t i = 0; own && i < n; i++)
        if (call->caller.project == 0 || call->caller.project == list[i].id)
            own[kept++] = list[i];
    mem_free(list);
    if (!own) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    *ret_projects = own;
    *ret_n = kept;
    return true;
}

bool api0_project(struct api_call *call, str name, struct meta_project *ret_project)
{
    struct meta_project *list;
    size_t n;
    if (!all_projects(call, &list, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (project_is(&list[i], name)) {
            *ret_project = list[i];
            return true;
        }
    api0_error(call->req, 404, "The requested resource does not exist: there is no project \"%.*s\"",
               STR_ARG(str_slice(name, 0, META_NAME_MAX)));
    return false;
}

bool api0_projects(struct api_call *call, struct meta_project **ret_projects, size_t *ret_n)
{
    struct meta_project *list, *chosen;
    str name, value;
    size_t n, at = 0, kept = 0;
    int rc = 0;
    bool narrowed = false;
    if (!all_projects(call, &list, &n))
        return false;
    bool *wanted = arena_zalloc(&call->req->arena, n + 1);
    chosen = arena_alloc_array(&call->req->arena, n, sizeof *chosen);
    if (!wanted || !chosen) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    while (http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc)) {
        if (!str_eq(name, STR("project")) && !str_eq(name, STR("projectSlug")) && !str_eq(name, STR("project_id")))
            continue;
        if (str_eq(value, STR("-1")) || value.len == 0) // all
            continue;
        bool found = false;
        for (size_t i = 0; i < n; i++)
            if (project_is(&list[i], value))
                wanted[i] = found = true;
        if (!found) {
            api0_error(call->req, 404, "The requested resource does not exist: there is no project \"%.*s\"",
                       STR_ARG(str_slice(value, 0, META_NAME_MAX)));
            return false;
        }
        narrowed = true;
    }
    if (rc < 0) {
        api0_error(call->req, 400, "The parameters of the URL are not well formed");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!narrowed || wanted[i])
            chosen[kept++] = list[i];
    *ret_projects = chosen;
    *ret_n = kept;
    return true;
}

bool api0_body(struct api_call *call, const struct json_node **ret_root)
{
    struct err err;
    str type = http_media_type(http_request_header(call->req, STR("content-type")));
    if (!str_ieq(type, STR("application/json"))) {
        api0_error(call->req, 415, "Unsupported media type: it must be application/json");
        return false;
    }
    int rc = json_tree_read(str_of_bytes(call->req->body), &call->req->arena, API0_JSON_DEPTH, ret_root, &err);
    if (rc < 0)
        api0_error(call->req, rc == ERR_NOMEM ? 413 : 400, "JSON parse error: %s (%s)", err.message, err.place);
    return rc == 0;
}

bool api0_time(const struct json_node *node, int64_t *ret_ns)
{
    char zoned[64];
    str text = json_text_of(node);
    if (!node || node->type == JSON_NULL)
        return true;
    if (parse_rfc3339(text, ret_ns))
        return true;
    // Python's isoformat() without a zone.
    if (text.len == 0 || text.len + 1 > sizeof zoned)
        return false;
    memcpy(zoned, text.ptr, text.len);
    zoned[text.len] = 'Z';
    return parse_rfc3339(str_of(zoned, text.len + 1), ret_ns);
}
