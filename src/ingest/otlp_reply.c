#include "ingest/otlp_reply.h"

#include "base/clock.h"
#include "base/err.h"
#include "net/grpc.h"

#include <stdio.h>

enum { REPLY_MAX = 16 << 10 };

static str content_type(enum otlp_format format)
{
    return format == OTLP_JSON ? STR("application/json") : STR("application/x-protobuf");
}

enum otlp_format otlp_format_of(const struct http_request *req)
{
    str type = http_media_type(http_request_header(req, STR("content-type")));
    return str_ieq(type, STR("application/json")) ? OTLP_JSON : OTLP_PROTOBUF;
}

static void reply_grpc(struct http_request *req, const struct otlp_refusal *refusal)
{
    struct buf details;
    buf_init(&details, REPLY_MAX);
    // gRPC: only an answer with RetryInfo, or UNAVAILABLE, is tried again; a final one must have neither.
    otlp_status_encode(OTLP_PROTOBUF, refusal->code, refusal->message, refusal->retry_ms * NS_PER_MS, &details);
    grpc_respond(req, (enum grpc_status)refusal->code, refusal->message,
                 details.error ? (bytes){ 0 } : buf_bytes(&details), (bytes){ 0 });
    buf_free(&details);
}

void otlp_reply_refusal(struct http_request *req, enum otlp_format format, const struct otlp_refusal *refusal)
{
    if (req->is_grpc) {
        reply_grpc(req, refusal);
        return;
    }
    struct buf body;
    char retry[16];
    struct http_header headers[3] = { { STR("content-type"), content_type(format) } };
    size_t n = 1;
    buf_init(&body, REPLY_MAX);
    otlp_status_encode(format, refusal->code, refusal->message, refusal->retry_ms * NS_PER_MS, &body);
    if (refusal->retry_ms > 0) {
        int len = snprintf(retry, sizeof retry, "%d", (refusal->retry_ms + 999) / 1000);
        headers[n++] = (struct http_header){ STR("retry-after"), str_of(retry, (size_t)len) };
    }
    if (refusal->status == 401)
        headers[n++] = (struct http_header){ STR("www-authenticate"), STR("Bearer") };
    http_respond(req, refusal->status, headers, n, body.error ? (bytes){ 0 } : buf_bytes(&body));
    buf_free(&body);
}

void otlp_reply_ok(struct http_request *req, enum otlp_format format, bytes body)
{
    if (req->is_grpc) {
        grpc_respond(req, GRPC_OK, (str){ 0 }, (bytes){ 0 }, body);
        return;
    }
    struct http_header header = { STR("content-type"), content_type(format) };
    http_respond(req, 200, &header, 1, body);
}

struct otlp_refusal otlp_refusal_of(int code)
{
    switch (code) {
    case ERR_BUSY:
        return (struct otlp_refusal){ 503, OTLP_CODE_UNAVAILABLE, 1000,
                                      STR("busy: more is waiting to be stored than may wait") };
    case ERR_NOSPC:
        return (struct otlp_refusal){ 503, OTLP_CODE_UNAVAILABLE, 10000, STR("no space left on the disk") };
    case ERR_READONLY:
        return (struct otlp_refusal){ 503, OTLP_CODE_UNAVAILABLE, 30000, STR("the store is read-only at the moment") };
    case ERR_STOPPING:
        return (struct otlp_refusal){ 503, OTLP_CODE_UNAVAILABLE, 2000, STR("the server stops") };
    case ERR_NOMEM:
        return (struct otlp_refusal){ 503, OTLP_CODE_UNAVAILABLE, 2000, STR("out of memory") };
    case ERR_MALFORMED:
    case ERR_TRUNCATED:
        return (struct otlp_refusal){ 400, OTLP_CODE_INVALID_ARGUMENT, 0, STR("the request is malformed") };
    case ERR_LIMIT:
        return (struct otlp_refusal){ 413, OTLP_CODE_INVALID_ARGUMENT, 0,
                                      STR("one request holds more than can be stored at once: send smaller batches") };
    default:
        // A disk error: nobody knows whether it passes, and the client has the data.
        return (struct otlp_refusal){ 503, OTLP_CODE_UNAVAILABLE, 5000, STR("the records could not be stored") };
    }
}
