// Jaeger's query API (the HTTP JSON one that its UI and Grafana's data source use), under /jaeger/api/.
// A search becomes a query of ours; each trace found is then loaded whole.
#include "api/api_internal.h"

#include "api/jaeger_json.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "query/fields.h"
#include "query/literal.h"
#include "traces/catalogue.h"

#include <stdio.h>

enum { JAEGER_LIMIT = 20, JAEGER_LIMIT_MAX = 1500, JAEGER_IDS_MAX = 100, JAEGER_TAGS_MAX = 32 };

// {"data":[ ... ],"total":n,"limit":0,"offset":0,"errors":null}
static void answer_begin(struct json_writer *w, struct buf *body)
{
    buf_init(body, API_BODY_MAX);
    json_writer_init(w, body);
    json_put_object(w);
    json_put_key(w, STR("data"));
    json_put_array(w);
}

static void answer_end(struct api_call *call, struct json_writer *w, struct buf *body, size_t total)
{
    json_put_array_end(w);
    json_put_key(w, STR("total"));
    json_put_uint(w, total);
    json_put_key(w, STR("limit"));
    json_put_int(w, 0);
    json_put_key(w, STR("offset"));
    json_put_int(w, 0);
    json_put_key(w, STR("errors"));
    json_put_null(w);
    json_put_object_end(w);
    api_reply_json_take(call->req, 200, body);
}

// Jaeger's clients show errors[].msg.
static void answer_error(struct api_call *call, int status, const char *message)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("data"));
    json_put_null(&w);
    json_put_key(&w, STR("errors"));
    json_put_array(&w);
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_int(&w, status);
    json_put_key(&w, STR("msg"));
    json_put_str(&w, str_z(message));
    json_put_object_end(&w);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, status, &body);
}

static void answer_query_error(struct api_call *call, int r, const struct query_error *error)
{
    if (error->code != QUERY_OK)
        answer_error(call, query_code_status(error->code), error->message);
    else
        answer_error(call, r == ERR_CANCELLED || r == ERR_CLOSED ? 503 : 500, err_text(r));
}

// Everything stored: these lists have no time range in Jaeger's API.
static bool whole_range(struct api_call *call, struct query_request *q, struct view **ret_view)
{
    if (!api_query_begin(call, q))
        return false;
    q->has_from = q->has_to = true;
    q->from = INT64_MIN;
    q->to = INT64_MAX;
    q->limit = 10000;
    *ret_view = api_view(call);
    return *ret_view != NULL;
}

void api_jaeger_services(struct api_call *call)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    size_t n = 0;
    if (!whole_range(call, &q, &view))
        return;
    int r = catalogue_services(&q, view, &c, &error);
    view_unref(view);
    if (r < 0) {
        answer_query_error(call, r, &error);
        return;
    }
    answer_begin(&w, &body);
    for (uint32_t i = 0; i < c.n; i++)
        if (c.services[i].spans && c.services[i].name.len) {
            json_put_str(&w, c.services[i].name);
            n++;
        }
    catalogue_free(&c);
    answer_end(call, &w, &body, n);
}

static void operations(struct api_call *call, str service, str kind, bool names_only)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    size_t n = 0;
    if (!whole_range(call, &q, &view))
        return;
    int r = catalogue_operations(&q, view, service, &c, &error);
    view_unref(view);
    if (r < 0) {
        answer_query_error(call, r, &error);
        return;
    }
    answer_begin(&w, &body);
    for (uint32_t i = 0; i < c.n; i++) {
        const struct catalogue_operation *o = &c.operations[i];
        bool seen = false;
        for (uint32_t k = 0; names_only && k < i && !seen; k++)
            seen = str_eq(c.operations[k].name, o->name); // one name may be there with several kinds
        if (seen || (kind.len && !str_eq(kind, o->kind)))
            continue;
        n++;
        if (names_only) {
            json_put_str(&w, o->name);
            continue;
        }
        json_put_object(&w);
        json_put_key(&w, STR("name"));
        json_put_str(&w, o->name);
        json_put_key(&w, STR("spanKind"));
        json_put_str(&w, o->kind);
        json_put_object_end(&w);
    }
    catalogue_free(&c);
    answer_end(call, &w, &body, n);
}

void api_jaeger_service_operations(struct api_call *call) { operations(call, call->params[0], (str){ 0 }, true); }

void api_jaeger_operations(struct api_call *call)
{
    str service, kind;
    if (!api_param(call, STR("service"), &service) || !api_param(call, STR("spanKind"), &kind))
        return;
    if (service.len == 0)
        answer_error(call, 400, "parameter 'service' is required");
    else
        operations(call, service, kind, false);
}

// --- search ---

// A tag's name as a field: Jaeger's own words become our fixed fields, names that hide behind one of
// them are read as attributes, odd names stand in back quotes.
static bool put_tag_field(struct buf *out, str key)
{
    bool plain = key.len > 0 && key.len <= 256;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
        if (c == '`' || (unsigned char)c < 0x20)
            return false;
        plain = plain && (letter || (i && ((c >= '0' && c <= '9') || c == '-')));
    }
    if (key.len == 0 || key.len > 256)
        return false;
    if (query_field_find(QUERY_SPANS, key) && query_alias_find(QUERY_SPANS, key) < 0)
        buf_str(out, STR("attr."));
    if (plain && key.ptr[0] != '.' && key.ptr[key.len - 1] != '.' && str_find(key, STR("..")) < 0)
        buf_str(out, key);
    else
        buf_printf(out, "`%.*s`", STR_ARG(key));
    return true;
}

static bool put_tag(struct buf *out, str key, str value)
{
    buf_byte(out, ' ');
    if (str_eq(key, STR("error"))) {
        buf_str(out, str_eq(value, STR("true")) ? STR("status=error") : STR("status!=error"));
        return true;
    }
    if (str_eq(key, STR("span.kind"))) {
        static const str kinds[] = { STR_INIT("internal"), STR_INIT("server"), STR_INIT("client"), STR_INIT("producer"),
                                     STR_INIT("consumer") };
        for (size_t i = 0; i < 5; i++)
            if (str_ieq(value, kinds[i])) {
                buf_printf(out, "kind=%s", kinds[i].ptr);
                return true;
            }
        return false;
    }
    if (str_eq(key, STR("otel.status_code"))) {
        buf_str(out, str_ieq(value, STR("ERROR")) ? STR("status=error")
                     : str_ieq(value, STR("OK"))  ? STR("status=ok")
                                                  : STR("status=unset"));
        return true;
    }
    if (str_eq(key, STR("otel.status_description")))
        buf_str(out, STR("message"));
    else if (str_eq(key, STR("otel.scope.name")) || str_eq(key, STR("otel.library.name")))
        buf_str(out, STR("scope.name"));
    else if (!put_tag_field(out, key))
        return false;
    buf_byte(out, '=');
    query_put_literal(out, value);
    return true;
}

// tags={"k":"v",..}
static bool put_tags_object(struct api_call *call, struct buf *out, str json)
{
    struct json_reader r;
    str key;
    int n = 0;
    json_reader_init(&r, json, &call->req->arena, 4);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &key)) == 1) {
        struct json_token value;
        rc = json_next(&r, &value);
        if (rc < 0 || ++n > JAEGER_TAGS_MAX)
            return false;
        str text = value.type == JSON_TRUE ? STR("true") : value.type == JSON_FALSE ? STR("false") : value.text;
        if (value.type == JSON_OBJECT || value.type == JSON_ARRAY || value.type == JSON_NULL ||
            !put_tag(out, key, text))
            return false;
    }
    return rc == 0;
}

// All of: tags=JSON, tag=key:value (repeated).
static bool put_tags(struct api_call *call, struct buf *out)
{
    str name, value;
    size_t at = 0;
    int rc = 0, n = 0;
    while (http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc)) {
        if (str_eq(name, STR("tags")) && value.len && !put_tags_object(call, out, value))
            return false;
        if (!str_eq(name, STR("tag")))
            continue;
        ptrdiff_t colon = str_find_char(value, ':', 0);
        if (colon <= 0 || ++n > JAEGER_TAGS_MAX)
            return false;
        if (!put_tag(out, str_slice(value, 0, (size_t)colon), str_slice(value, (size_t)colon + 1, value.len)))
            return false;
    }
    return rc == 0;
}

static bool put_duration(struct api_call *call, struct buf *out, str name, const char *op)
{
    str text;
    int64_t ns;
    bool overflow;
    if (http_query_get(&call->req->arena, call->req->query, name, &text) < 0 || text.len == 0)
        return true;
    if (!query_duration_read(text, &ns, &overflow) || overflow)
        return false;
    buf_printf(out, " duration%s%lldns", op, (long long)ns);
    return true;
}

// start, end in microseconds; without start the lookback, a duration back from the end.
static bool search_range(struct api_call *call, struct query_request *q)
{
    uint64_t start = 0, end = 0;
    str lookback;
    int64_t back = 3600LL * 1000000000;
    bool overflow = false;
    if (!api_param_uint(call, STR("start"), 0, INT64_MAX / 1000, &start) ||
        !api_param_uint(call, STR("end"), 0, INT64_MAX / 1000, &end) || !api_param(call, STR("lookback"), &lookback))
        return false;
    if (lookback.len && !str_eq(lookback, STR("custom")) &&
        (!query_duration_read(lookback, &back, &overflow) || overflow || back <= 0)) {
        answer_error(call, 400, "parameter 'lookback' is no duration");
        return false;
    }
    q->has_from = q->has_to = true;
    q->to = end ? (int64_t)end * 1000 : q->now;
    q->from = start ? (int64_t)start * 1000 : q->to - back;
    if (q->from >= q->to) {
        answer_error(call, 400, "'start' must be before 'end'");
        return false;
    }
    return true;
}

struct found {
    uint8_t (*ids)[16];
    uint32_t n, max;
};

static int found_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct found *f = ctx;
    for (uint32_t i = 0; i < n; i++)
        if (cells[i].value.type == QVAL_ID && cells[i].value.id_n == 16 && f->n < f->max)
            memcpy(f->ids[f->n++], cells[i].value.id, 16);
    return 0;
}

static int found_end(void *ctx, const struct query_stats *stats) { return 0; }

// The ids of the traces to show: false when the call has been answered.
static bool search(struct api_call *call, struct query_request *q, struct view *view, struct found *f)
{
    struct query_error error = { 0 };
    struct buf text;
    str service, operation;
    uint64_t limit = JAEGER_LIMIT;
    if (!api_param(call, STR("service"), &service) || !api_param(call, STR("operation"), &operation) ||
        !api_param_uint(call, STR("limit"), 0, INT32_MAX, &limit) || !search_range(call, q))
        return false;
    if (service.len == 0) {
        answer_error(call, 400, "parameter 'service' is required");
        return false;
    }
    f->max = limit == 0 ? JAEGER_LIMIT : limit > JAEGER_LIMIT_MAX ? JAEGER_LIMIT_MAX : (uint32_t)limit;
    f->ids = arena_alloc_array(&call->req->arena, f->max, sizeof *f->ids);
    buf_init(&text, 16 << 10);
    buf_str(&text, STR("spans service="));
    query_put_literal(&text, service);
    if (operation.len && !str_eq(operation, STR("all"))) {
        buf_str(&text, STR(" name="));
        query_put_literal(&text, operation);
    }
    bool ok = put_tags(call, &text) && put_duration(call, &text, STR("minDuration"), ">=") &&
              put_duration(call, &text, STR("maxDuration"), "<=");
    // Newest first; one row a trace, which is what the limit counts.
    buf_printf(&text, " trace:* | limit 1 by trace | select trace | limit %u", f->max);
    if (!ok || text.error || !f->ids) {
        buf_free(&text);
        answer_error(call, 400, "the tags or durations of this search cannot be read");
        return false;
    }
    q->text = buf_view(&text);
    struct query_output out = { f, found_row, found_end };
    int r = query_run(q, view, &out, &error);
    buf_free(&text);
    if (r < 0)
        answer_query_error(call, r, &error);
    return r >= 0;
}

// traceID=..&traceID=..: 1 with the ids, 0 when there are none, -1 when answered.
static int wanted_ids(struct api_call *call, struct found *f)
{
    str name, value;
    size_t at = 0;
    int rc = 0;
    f->ids = arena_alloc_array(&call->req->arena, JAEGER_IDS_MAX, sizeof *f->ids);
    while (f->ids && http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc)) {
        if (!str_eq(name, STR("traceID")))
            continue;
        if (f->n == JAEGER_IDS_MAX || trace_id_parse(value, f->ids[f->n]) < 0) {
            answer_error(call, 400, f->n == JAEGER_IDS_MAX ? "too many ids" : "a trace id has 16 or 32 hex digits");
            return -1;
        }
        f->n++;
    }
    if (!f->ids || rc < 0) {
        answer_error(call, 400, "the parameters cannot be read");
        return -1;
    }
    return f->n > 0;
}

static bool left(void *ctx) { return http_request_cancelled(ctx); }

// Loads one trace and writes it: 0, ERR_NOENT, or an error.
static int put_one(struct api_call *call, const struct query_request *q, struct view *view, const uint8_t id[16],
                   struct json_writer *w)
{
    struct trace_request tr = { .memory_max = q->memory_max,
                                .projects = q->projects,
                                .projects_n = q->projects_n,
                                .cancelled = left,
                                .cancelled_ctx = call->req };
    struct trace *t;
    memcpy(tr.id, id, 16);
    int r = trace_load(&tr, view, &t, NULL);
    if (r < 0)
        return r;
    if (t->spans_n)
        r = jaeger_put_trace(w, t);
    else
        r = ERR_NOENT;
    trace_free(t);
    return r;
}

static void reply_traces(struct api_call *call, const struct query_request *q, struct view *view, const struct found *f,
                         bool must_exist)
{
    struct buf body;
    struct json_writer w;
    size_t n = 0;
    int r = 0;
    answer_begin(&w, &body);
    for (uint32_t i = 0; i < f->n && r == 0 && !body.error; i++) {
        r = put_one(call, q, view, f->ids[i], &w);
        n += r == 0;
        if (r == ERR_NOENT)
            r = 0; // it went away meanwhile
    }
    if (r < 0 || (must_exist && n == 0)) {
        buf_free(&body);
        if (r < 0)
            answer_error(call, r == ERR_LIMIT ? 422 : 503, err_text(r));
        else
            answer_error(call, 404, "trace not found");
        return;
    }
    answer_end(call, &w, &body, n);
}

void api_jaeger_search(struct api_call *call)
{
    struct query_request q;
    struct found f = { 0 };
    if (!api_query_begin(call, &q))
        return;
    int r = wanted_ids(call, &f);
    if (r < 0)
        return;
    struct view *view = api_view(call);
    if (!view)
        return;
    f.n = r ? f.n : 0;
    if (r == 1 || search(call, &q, view, &f))
        reply_traces(call, &q, view, &f, r == 1);
    view_unref(view);
}

void api_jaeger_trace(struct api_call *call)
{
    struct query_request q;
    uint8_t id[1][16];
    struct found f = { id, 1, 1 };
    if (trace_id_parse(call->params[0], id[0]) < 0) {
        answer_error(call, 400, "a trace id has 16 or 32 hex digits");
        return;
    }
    if (!api_query_begin(call, &q))
        return;
    struct view *view = api_view(call);
    if (!view)
        return;
    reply_traces(call, &q, view, &f, true);
    view_unref(view);
}
