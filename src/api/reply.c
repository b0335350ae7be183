// Answers of the API.
#include "api/api_internal.h"

#include "base/timefmt.h"

#include <stdarg.h>
#include <stdio.h>

size_t api_headers(struct http_header out[API_HEADERS_MAX], str content_type)
{
    size_t n = 0;
    out[n++] = (struct http_header){ STR("content-type"), content_type };
    out[n++] = (struct http_header){ STR("cache-control"), STR("no-store") };
    out[n++] = (struct http_header){ STR("x-content-type-options"), STR("nosniff") };
    out[n++] = (struct http_header){ STR("referrer-policy"), STR("no-referrer") };
    out[n++] =
        (struct http_header){ STR("content-security-policy"), STR("default-src 'none'; frame-ancestors 'none'") };
    return n;
}

static void reply_overflow(struct http_request *req)
{
    static const str body = STR_INIT("{\"error\":{\"code\":\"memory\",\"message\":\"the answer is too large\"}}");
    struct http_header h[API_HEADERS_MAX];
    size_t n = api_headers(h, STR("application/json"));
    http_respond(req, 422, h, n, bytes_of_str(body));
}

void api_reply_json_take(struct http_request *req, int status, struct buf *body)
{
    struct http_header h[API_HEADERS_MAX];
    size_t n = api_headers(h, STR("application/json"));
    if (body->error) {
        buf_free(body);
        reply_overflow(req);
        return;
    }
    http_respond_take(req, status, h, n, body);
}

static void reply_error(struct http_request *req, int status, const char *code, str message, str hint, int retry_s)
{
    struct buf body;
    struct json_writer w;
    struct http_header h[API_HEADERS_MAX + 2];
    char retry[16];
    size_t n = api_headers(h, STR("application/json"));
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("error"));
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_str(&w, str_z(code));
    json_put_key(&w, STR("message"));
    json_put_str(&w, message);
    if (hint.len) {
        json_put_key(&w, STR("hint"));
        json_put_str(&w, hint);
    }
    json_put_object_end(&w);
    json_put_object_end(&w);
    if (status == 401)
        h[n++] = (struct http_header){ STR("www-authenticate"), STR("Bearer") };
    if (retry_s > 0) {
        int len = snprintf(retry, sizeof retry, "%d", retry_s);
        h[n++] = (struct http_header){ STR("retry-after"), str_of(retry, (size_t)len) };
    }
    http_respond_take(req, status, h, n, &body);
}

void api_reply_error(struct http_request *req, int status, const char *code, const char *fmt, ...)
{
    char message[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    reply_error(req, status, code, str_z(message), (str){ 0 }, status == 429 || status == 503 ? 1 : 0);
}

int api_status_of(int code)
{
    switch (code) {
    case ERR_INVALID:
    case ERR_MALFORMED:
    case ERR_TRUNCATED:
        return 400;
    case ERR_DENIED:
        return 403;
    case ERR_NOENT:
        return 404;
    case ERR_EXIST:
        return 409;
    case ERR_LIMIT:
        return 422;
    case ERR_BUSY:
        return 429;
    case ERR_NOMEM:
    case ERR_NOSPC:
    case ERR_READONLY:
    case ERR_STOPPING:
        return 503;
    case ERR_TIMEOUT:
        return 504;
    default:
        return 500;
    }
}

void api_reply_err(struct http_request *req, const struct err *err)
{
    int status = api_status_of(err->code);
    str message = err->message[0] ? str_z(err->message) : str_z(err_text(err->code));
    // An error of ours may name files of this machine: that is for the log, not for callers.
    if (status == 500)
        message = str_z(err_text(err->code));
    reply_error(req, status, err->slug[0] ? err->slug : "error", message, str_z(err->hint),
                status == 429 || status == 503 ? 1 : 0);
}

void api_reply_text_error(struct http_request *req, const struct err *err, const char *place)
{
    struct buf body;
    struct json_writer w;
    if (err->code == ERR_NOMEM) {
        api_reply_err(req, err);
        return;
    }
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("error"));
    json_put_object(&w);
    api_put_text(&w, STR("code"), str_z(err->slug));
    api_put_text(&w, STR("message"), str_z(err->message));
    api_put_text(&w, STR("place"), str_z(place));
    if (err->line) {
        json_put_key(&w, STR("line"));
        json_put_int(&w, err->line);
    }
    if (err->column) {
        json_put_key(&w, STR("column"));
        json_put_int(&w, err->column);
    }
    api_put_text(&w, STR("hint"), str_z(err->hint));
    json_put_object_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(req, api_status_of(err->code), &body);
}

void api_error_json(struct json_writer *w, const struct query_error *err)
{
    json_put_object(w);
    json_put_key(w, STR("code"));
    json_put_str(w, str_z(query_code_slug(err->code)));
    json_put_key(w, STR("message"));
    json_put_str(w, str_z(err->message));
    if (err->line) {
        json_put_key(w, STR("line"));
        json_put_int(w, err->line);
        json_put_key(w, STR("column"));
        json_put_int(w, err->column);
        json_put_key(w, STR("length"));
        json_put_int(w, err->length);
    }
    if (err->hint[0]) {
        json_put_key(w, STR("hint"));
        json_put_str(w, str_z(err->hint));
    }
    if (err->suggest_count) {
        json_put_key(w, STR("suggest"));
        json_put_array(w);
        for (int i = 0; i < err->suggest_count; i++)
            json_put_str(w, str_z(err->suggest[i]));
        json_put_array_end(w);
    }
    json_put_object_end(w);
}

void api_reply_query_error(struct http_request *req, const struct query_error *err)
{
    struct buf body;
    struct json_writer w;
    struct http_header h[API_HEADERS_MAX + 1];
    size_t n = api_headers(h, STR("application/json"));
    int status = query_code_status(err->code);
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("error"));
    api_error_json(&w, err);
    json_put_object_end(&w);
    if (status == 429 || status == 503)
        h[n++] = (struct http_header){ STR("retry-after"), STR("1") };
    http_respond_take(req, status, h, n, &body);
}

void api_reply_nothing(struct http_request *req, int status)
{
    struct http_header h[API_HEADERS_MAX];
    size_t n = api_headers(h, STR("application/json"));
    http_respond(req, status, h + 1, n - 1, (bytes){ 0 });
}

void api_put_text(struct json_writer *w, str key, str text)
{
    if (!text.len)
        return;
    json_put_key(w, key);
    json_put_str(w, text);
}

void api_put_time(struct json_writer *w, int64_t unix_ns)
{
    char text[32];
    json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, unix_ns)));
}

void api_reply_member(struct http_request *req, const struct err *err)
{
    struct buf body;
    struct json_writer w;
    if (err->code != ERR_INVALID || !err->place[0]) {
        api_reply_err(req, err);
        return;
    }
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
    json_put_key(&w, STR("place"));
    json_put_str(&w, str_z(err->place));
    if (err->line) {
        json_put_key(&w, STR("line"));
        json_put_int(&w, err->line);
        json_put_key(&w, STR("column"));
        json_put_int(&w, err->column);
        json_put_key(&w, STR("length"));
        json_put_int(&w, err->length);
    }
    json_put_object_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(req, 400, &body);
}
