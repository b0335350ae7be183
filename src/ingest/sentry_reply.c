#include "ingest/sentry_reply.h"

#include "base/err.h"
#include "base/json.h"

#include <stdio.h>

enum { REPLY_MAX = 4096, HEADERS_MAX = 8 };

static size_t common(struct http_header h[HEADERS_MAX])
{
    size_t n = 0;
    h[n++] = (struct http_header){ STR("content-type"), STR("application/json") };
    h[n++] = (struct http_header){ STR("access-control-allow-origin"), STR("*") };
    h[n++] = (struct http_header){ STR("access-control-expose-headers"),
                                   STR("x-sentry-error, x-sentry-rate-limits, retry-after") };
    h[n++] = (struct http_header){ STR("cross-origin-resource-policy"), STR("cross-origin") };
    return n;
}

static void reply(struct http_request *req, int status, struct http_header *h, size_t n, str key, str text)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, REPLY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    if (text.len) {
        json_put_key(&w, key);
        json_put_str(&w, text);
    }
    json_put_object_end(&w);
    http_respond(req, status, h, n, buf_bytes(&body));
    buf_free(&body);
}

void sentry_reply_ok(struct http_request *req, int status, str id, str limits)
{
    struct http_header h[HEADERS_MAX];
    size_t n = common(h);
    if (limits.len)
        h[n++] = (struct http_header){ STR("x-sentry-rate-limits"), limits };
    reply(req, status, h, n, STR("id"), id);
}

void sentry_reply_refusal(struct http_request *req, int status, int retry_s, str message, str only)
{
    struct http_header h[HEADERS_MAX];
    char retry[16], limits[64];
    size_t n = common(h);
    if (retry_s > 0) {
        int len = snprintf(retry, sizeof retry, "%d", retry_s);
        h[n++] = (struct http_header){ STR("retry-after"), str_of(retry, (size_t)len) };
        // No category named: of all; the scope is the whole workspace.
        len = snprintf(limits, sizeof limits, "%d::organization", retry_s);
        h[n++] = (struct http_header){ STR("x-sentry-rate-limits"), only.len ? only : str_of(limits, (size_t)len) };
    }
    h[n++] = (struct http_header){ STR("x-sentry-error"), message };
    reply(req, status, h, n, STR("detail"), message);
}

void sentry_reply_code(struct http_request *req, int code, str words, str limits)
{
    switch (code) {
    case ERR_MALFORMED:
    case ERR_TRUNCATED:
        sentry_reply_refusal(req, 400, 0, words.len ? words : STR("the envelope is malformed"), limits);
        break;
    case ERR_LIMIT:
        sentry_reply_refusal(req, 413, 0, words.len ? words : STR("the envelope is too large"), limits);
        break;
    case ERR_DENIED:
        sentry_reply_refusal(req, 403, 0, words.len ? words : STR("no such key in this project"), limits);
        break;
    case ERR_NOSPC:
    case ERR_READONLY:
        sentry_reply_refusal(req, 429, 60, STR("nothing can be stored at the moment"), limits);
        break;
    default:
        sentry_reply_refusal(req, 429, 2, STR("busy, try again"), limits);
    }
}

void sentry_reply_preflight(struct http_request *req)
{
    static const struct http_header h[] = {
        { STR_INIT("access-control-allow-origin"), STR_INIT("*") },
        { STR_INIT("access-control-allow-methods"), STR_INIT("POST, GET, OPTIONS") },
        { STR_INIT("access-control-allow-headers"),
          STR_INIT("x-sentry-auth, x-requested-with, origin, accept, content-type, content-encoding, authentication, "
                   "authorization, sentry-trace, baggage, traceparent") },
        { STR_INIT("access-control-max-age"), STR_INIT("86400") },
    };
    http_respond(req, 204, h, sizeof h / sizeof h[0], (bytes){ 0 });
}
