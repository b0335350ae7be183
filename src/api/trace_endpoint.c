// GET /api/v1/traces/{id}: every span of a trace in tree order with its depth, its logs and error events. The rows are
// printed by the query engine (they are what `spans trace=ID` gives); the order and the depth come from
// traces/trace.h.
#include "api/api_internal.h"
#include "api/live_calls.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "traces/trace.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRACE_ROWS_MAX = 100000, TRACE_LOG_ROWS_MAX = 10000 };
#define TRACE_LINES_MAX ((size_t)192 << 20)

// One printed row and what it is found by.
struct printed {
    uint64_t span;
    int64_t time;
    str service, line;
    bool used;
};

struct printed_rows {
    struct buf lines;
    struct printed *rows;
    size_t n;
};

static int lines_write(void *ctx, bytes b)
{
    struct buf *lines = ctx;
    return buf_append(lines, b.ptr, b.len);
}

static int printed_key(str line, struct arena *arena, struct printed *p)
{
    struct json_reader r;
    str name, text;
    uint8_t id[8];
    unsigned seen = 0;
    json_reader_init(&r, line, arena, 64);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        bool span = str_eq(name, STR("span")), time = str_eq(name, STR("time")), service = str_eq(name, STR("service"));
        rc = span || time || service ? json_text(&r, &text) : json_skip(&r, NULL);
        if (rc == 0 && span && text.len == 16 && hex_decode(id, text))
            p->span = be64_get(id);
        else if (rc == 0 && time)
            parse_rfc3339(text, &p->time);
        else if (rc == 0 && service)
            p->service = text;
        if (rc == 0 && (seen |= span ? 1 : time ? 2 : service ? 4 : 0) == 7)
            break;
    }
    return rc < 0 ? rc : 0;
}

static int printed_order(const void *a, const void *b)
{
    const struct printed *x = a, *y = b;
    if (x->span != y->span)
        return x->span < y->span ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return str_cmp(x->service, y->service);
}

static int index_lines(struct printed_rows *p, struct arena *arena)
{
    str lines = buf_view(&p->lines);
    size_t cap = 0;
    for (size_t at = 0; at < lines.len;) {
        ptrdiff_t nl = str_find_char(lines, '\n', at);
        size_t end = nl < 0 ? lines.len : (size_t)nl;
        str line = str_slice(lines, at, end);
        at = end + 1;
        if (line.len < 2 || str_starts(line, STR("{\"_")))
            continue;
        if (p->n == cap) {
            cap = cap ? cap * 2 : 256;
            struct printed *more = mem_reallocarray(p->rows, cap, sizeof *more);
            if (!more)
                return ERR_NOMEM;
            p->rows = more;
        }
        p->rows[p->n] = (struct printed){ .line = line };
        int r = printed_key(line, arena, &p->rows[p->n++]);
        if (r < 0)
            return r;
    }
    return 0;
}

// Runs "KIND trace=ID" over everything stored and keeps the lines, newest first.
static int print_rows(struct api_call *call, const struct query_request *who, struct view *view, const char *kind,
                      const char *hex, struct printed_rows *p, struct query_error *error)
{
    struct query_request q = *who;
    struct query_sink sink = { &p->lines, lines_write };
    bool begun = false;
    q.text = arena_printf(&call->req->arena, "%s trace=%s", kind, hex);
    q.limit = str_eq(str_z(kind), STR("spans")) ? TRACE_ROWS_MAX : TRACE_LOG_ROWS_MAX;
    buf_init(&p->lines, TRACE_LINES_MAX);
    int r = q.text.ptr ? query_run_ndjson(&q, view, &sink, &begun, error) : ERR_NOMEM;
    return r < 0 ? r : index_lines(p, &call->req->arena);
}

static void printed_free(struct printed_rows *p)
{
    mem_free(p->rows);
    buf_free(&p->lines);
}

// The row of a span; rows of one id are told apart by time and service, else taken in turn.
static struct printed *find_row(struct printed_rows *p, const struct trace_span *s)
{
    struct printed *any = NULL;
    size_t lo = 0, hi = p->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (p->rows[mid].span < s->span)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < p->n && p->rows[lo].span == s->span; lo++) {
        struct printed *row = &p->rows[lo];
        if (row->used)
            continue;
        if (row->time == s->time && str_eq(row->service, s->service))
            return row;
        if (!any && row->time == s->time)
            any = row;
    }
    return any;
}

static void put_spans(struct json_writer *w, const struct trace *t, struct printed_rows *p)
{
    json_put_key(w, STR("spans"));
    json_put_array(w);
    for (uint32_t i = 0; i < t->spans_n; i++) {
        struct printed *row = find_row(p, &t->spans[i]);
        if (!row)
            continue;
        row->used = true;
        // The printed row with one member before the others.
        str rest = str_slice(row->line, 1, row->line.len);
        char head[32];
        snprintf(head, sizeof head, "{\"depth\":%u%s", t->spans[i].depth, rest.len > 1 ? "," : "");
        json_put_raw(w, str_z(head));
        buf_str(w->out, rest);
    }
    json_put_array_end(w);
}

static int parent_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Distinct parents that are not there, with how many spans name them.
static void put_missing(struct json_writer *w, const struct trace *t, struct arena *arena)
{
    size_t n = 0;
    uint64_t *parents = arena_alloc_array(arena, t->spans_n, sizeof *parents);
    json_put_key(w, STR("missing"));
    json_put_array(w);
    for (uint32_t i = 0; parents && i < t->spans_n; i++)
        if (t->spans[i].orphan)
            parents[n++] = t->spans[i].parent;
    if (n)
        qsort(parents, n, sizeof *parents, parent_order);
    for (size_t i = 0, end; i < n; i = end) {
        uint8_t id[8];
        for (end = i; end < n && parents[end] == parents[i];)
            end++;
        be64_put(id, parents[i]);
        json_put_object(w);
        json_put_key(w, STR("span"));
        json_put_hex(w, bytes_of(id, 8));
        json_put_key(w, STR("children"));
        json_put_uint(w, end - i);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_rows(struct json_writer *w, str key, const struct printed_rows *p)
{
    json_put_key(w, key);
    json_put_array(w);
    for (size_t i = p->n; i > 0; i--) // as they happened
        json_put_raw(w, p->rows[i - 1].line);
    json_put_array_end(w);
}

static void put_services(struct json_writer *w, const struct trace *t)
{
    json_put_key(w, STR("services"));
    json_put_array(w);
    for (uint32_t i = 0; i < t->services_n; i++) {
        json_put_object(w);
        if (t->services[i].name.len) {
            json_put_key(w, STR("service"));
            json_put_str(w, t->services[i].name);
        }
        json_put_key(w, STR("spans"));
        json_put_uint(w, t->services[i].spans);
        json_put_key(w, STR("errors"));
        json_put_uint(w, t->services[i].errors);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void reply_trace(struct api_call *call, const struct query_request *q, const struct trace *t, const char *hex,
                        struct printed_rows *spans, const struct printed_rows *logs, const struct printed_rows *events,
                        struct view *view)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, TRACE_LINES_MAX * 2);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("trace"));
    json_put_str(&w, str_of(hex, 32));
    json_put_key(&w, STR("time"));
    api_put_time(&w, t->time);
    json_put_key(&w, STR("duration"));
    json_put_int(&w, t->duration);
    json_put_key(&w, STR("complete"));
    json_put_bool(&w, t->complete);
    json_put_key(&w, STR("cut"));
    json_put_bool(&w, t->cut);
    put_spans(&w, t, spans);
    put_missing(&w, t, &call->req->arena);
    put_rows(&w, STR("logs"), logs);
    put_rows(&w, STR("events"), events);
    put_services(&w, t);
    if (api_put_trace_snapshots(call, &w, q, view, hex) < 0)
        log_warn("api", "the snapshots of a trace could not be listed");
    if (api_put_trace_artifacts(call, &w, q, hex) < 0)
        log_warn("api", "the artifacts of a trace could not be listed");
    json_put_key(&w, STR("hidden"));
    json_put_uint(&w, t->hidden);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

static bool left(void *ctx) { return http_request_cancelled(ctx); }

void api_trace(struct api_call *call)
{
    struct query_request q;
    // What the rows say is printed by the query engine: only the tree is wanted from here.
    struct trace_request tr = {
        .spans_max = TRACE_ROWS_MAX, .outline = true, .cancelled = left, .cancelled_ctx = call->req
    };
    struct printed_rows spans = { 0 }, logs = { 0 }, events = { 0 };
    struct query_error error = { 0 };
    struct err err = { 0 };
    struct trace *t = NULL;
    char hex[33] = { 0 };
    if (trace_id_parse(call->params[0], tr.id) < 0) {
        api_reply_error(call->req, 400, "bad_argument", "a trace id has 32 (or 16) hex digits");
        return;
    }
    hex_encode(hex, tr.id, 16);
    if (!api_query_begin(call, &q))
        return;
    struct view *view = api_view(call);
    if (!view)
        return;
    tr.projects = q.projects;
    tr.projects_n = q.projects_n;
    tr.logs = true; // a trace of logs only is one, too
    tr.logs_max = TRACE_LOG_ROWS_MAX;
    tr.memory_max = call->api->options.query_memory_max;
    int r = trace_load(&tr, view, &t, &err);
    bool loaded = r == 0;
    if (r == 0)
        r = print_rows(call, &q, view, "spans", hex, &spans, &error);
    if (r == 0) {
        if (spans.n)
            qsort(spans.rows, spans.n, sizeof spans.rows[0], printed_order);
        r = print_rows(call, &q, view, "logs", hex, &logs, &error);
    }
    if (r == 0 && t->events_n)
        r = print_rows(call, &q, view, "events", hex, &events, &error);
    if (r == 0)
        reply_trace(call, &q, t, hex, &spans, &logs, &events, view);
    else if (r == ERR_NOENT && !loaded)
        api_reply_error(call->req, 404, "no_trace", "no span of this trace is stored (or may be seen by you)");
    else if (error.code != QUERY_OK)
        api_reply_query_error(call->req, &error);
    else
        api_reply_error(call->req, r == ERR_LIMIT ? 422 : 503, r == ERR_LIMIT ? "memory" : "internal", "%s",
                        err.message[0] ? err.message : err_text(r));
    view_unref(view);
    trace_free(t);
    printed_free(&spans);
    printed_free(&logs);
    printed_free(&events);
}
