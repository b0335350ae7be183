// POST /api/v1/query: the stream of rows.
#include "api/api_internal.h"

#include "base/clock.h"

struct query_body {
    struct api_call *call;
    str query, from, to, tz, after, ints;
    int64_t limit;
    bool partial;
};

// A time as a member: text, or the number of an epoch.
static int time_member(struct json_reader *r, str *ret)
{
    struct json_token token;
    if (json_null(r))
        return 0;
    int rc = json_next(r, &token);
    if (rc < 0)
        return rc;
    if (token.type != JSON_STRING && token.type != JSON_NUMBER)
        return ERR_INVALID;
    *ret = token.text;
    return 0;
}

static int query_member(void *ctx, str name, struct json_reader *r)
{
    struct query_body *in = ctx;
    if (str_eq(name, STR("query")))
        return json_text(r, &in->query);
    if (str_eq(name, STR("from")))
        return time_member(r, &in->from);
    if (str_eq(name, STR("to")))
        return time_member(r, &in->to);
    if (str_eq(name, STR("partial")))
        return json_bool(r, &in->partial);
    if (json_null(r))
        return str_eq(name, STR("tz")) || str_eq(name, STR("limit")) || str_eq(name, STR("after")) ||
                       str_eq(name, STR("ints"))
                   ? 0
                   : ERR_INVALID;
    if (str_eq(name, STR("tz")))
        return json_text(r, &in->tz);
    if (str_eq(name, STR("limit")))
        return json_int(r, &in->limit);
    if (str_eq(name, STR("after")))
        return json_text(r, &in->after);
    if (str_eq(name, STR("ints")))
        return json_text(r, &in->ints);
    return ERR_INVALID;
}

static bool take_time(struct api_call *call, str name, str text, str tz, bool *ret_has, int64_t *ret_ns)
{
    if (text.len == 0)
        return true;
    if (!api_time(text, tz, ret_ns)) {
        api_reply_error(call->req, 400, "bad_time", "%.*s is not a time: -1h, now/d, 2026-01-01T00:00:00Z, or epoch",
                        STR_ARG(name));
        return false;
    }
    *ret_has = true;
    return true;
}

static bool query_fill(struct api_call *call, const struct query_body *in, struct query_request *q)
{
    if (!take_time(call, STR("from"), in->from, in->tz, &q->has_from, &q->from) ||
        !take_time(call, STR("to"), in->to, in->tz, &q->has_to, &q->to))
        return false;
    if (in->limit < 0 || in->limit > 1000000) {
        api_reply_error(call->req, 400, "bad_argument", "limit is a whole number up to 1,000,000");
        return false;
    }
    if (in->ints.len && !str_eq(in->ints, STR("string")) && !str_eq(in->ints, STR("number"))) {
        api_reply_error(call->req, 400, "bad_argument", "ints is \"string\" or \"number\"");
        return false;
    }
    q->text = in->query;
    q->tz = in->tz;
    q->limit = (uint64_t)in->limit;
    q->after = in->after;
    q->ints_as_strings = str_eq(in->ints, STR("string"));
    q->partial = in->partial;
    return true;
}

struct query_stream {
    struct http_request *req;
    struct http_stream *stream; // from the first byte on
    bool gone;                  // the request is gone: it could not even begin
};

static int stream_write(void *ctx, bytes b)
{
    struct query_stream *s = ctx;
    if (!s->stream) {
        struct http_header h[API_HEADERS_MAX];
        size_t n = api_headers(h, STR("application/x-ndjson"));
        s->stream = http_stream_begin(s->req, 200, h, n);
        s->gone = !s->stream;
        if (s->gone)
            return ERR_CLOSED;
    }
    return http_stream_write_wait(s->stream, b);
}

void api_query(struct api_call *call)
{
    struct query_body in = { .call = call };
    struct query_request q;
    struct query_error error = { 0 };
    bool begun = false;
    if (!api_body_read(call, query_member, &in) || !api_query_begin(call, &q) || !query_fill(call, &in, &q))
        return;
    struct view *view = api_view(call);
    if (!view)
        return;
    struct query_stream stream = { .req = call->req };
    struct query_sink sink = { &stream, stream_write };
    int r = query_run_ndjson(&q, view, &sink, &begun, &error);
    view_unref(view);
    if (stream.gone)
        return;
    if (stream.stream) {
        // With its last line, _stats or _error, the stream is whole; without it the client must see a break.
        http_stream_end(stream.stream, r != ERR_CLOSED && r != ERR_CANCELLED);
        return;
    }
    if (r == ERR_CLOSED || r == ERR_CANCELLED)
        api_reply_error(call->req, 503, "stopping", "cancelled");
    else if (error.code != QUERY_OK)
        api_reply_query_error(call->req, &error);
    else
        api_reply_error(call->req, 500, "internal", "the query gave no answer: %s", err_text(r));
}
