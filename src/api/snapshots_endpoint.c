// Snapshots: what probes have captured, as lists and one by one. The rows are found by the query engine; what they
// hold is shown to who may read values only, and that is entered in the audit trail first.
#include "api/api_internal.h"
#include "api/live_calls.h"

#include "base/mem.h"

enum { LIST_DEFAULT = 50, TRACE_SNAPSHOTS_MAX = 200, PAYLOAD_DEPTH = 64, PAYLOAD_ARENA = 64 << 20 };

static const char columns[] =
    "capture, probe, time, service, instance, process, host, version, trace, span, file, line,"
    " function, kind, status, bytes, redacted, event";

// 'text', for a query.
static void put_literal(struct buf *b, str s)
{
    buf_byte(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'')
            buf_byte(b, '\'');
        buf_byte(b, (uint8_t)s.ptr[i]);
    }
    buf_byte(b, '\'');
}

struct listing {
    struct json_writer *w;
    struct arena arena; // of one row's payload
};

static void put_cell(struct json_writer *w, const struct query_cell *c)
{
    const struct qval *v = &c->value;
    str key = str_eq(c->name, STR("capture")) ? STR("id") : c->name;
    if (v->type == QVAL_TIME) {
        json_put_key(w, key);
        api_put_time(w, v->i);
    } else if (v->type == QVAL_ID) {
        json_put_key(w, key);
        json_put_hex(w, bytes_of(v->id, v->id_n));
    } else if (v->type == QVAL_INT) {
        json_put_key(w, key);
        json_put_int(w, v->i);
    } else if (v->type == QVAL_STR || v->type == QVAL_ENUM) {
        api_put_text(w, key, v->s);
    }
}

static void put_columns(struct listing *l, str payload)
{
    const struct json_node *root;
    struct err err;
    arena_reset(&l->arena);
    if (json_tree_read(payload, &l->arena, PAYLOAD_DEPTH, &root, &err) < 0)
        return;
    json_put_key(l->w, STR("columns"));
    json_put_object(l->w);
    capture_columns(root, l->w);
    json_put_object_end(l->w);
}

static int put_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct listing *l = ctx;
    json_put_object(l->w);
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(cells[i].name, STR("payload")) && cells[i].value.type == QVAL_STR)
            put_columns(l, cells[i].value.s);
        else
            put_cell(l->w, &cells[i]);
    json_put_object_end(l->w);
    return l->w->out->error;
}

static int put_end(void *ctx, const struct query_stats *stats)
{
    struct listing *l = ctx;
    json_put_array_end(l->w);
    api_put_text(l->w, STR("next"), stats->next);
    return 0;
}

static int trace_end(void *ctx, const struct query_stats *stats) { return 0; }

int api_put_trace_snapshots(struct api_call *call, struct json_writer *w, const struct query_request *who,
                            struct view *view, const char *hex)
{
    struct query_request q = *who;
    struct listing l = { .w = w };
    struct query_error error = { 0 };
    struct query_output out = { &l, put_row, trace_end };
    q.text = arena_printf(&call->req->arena, "snapshots trace=%s | select %s", hex, columns);
    q.limit = TRACE_SNAPSHOTS_MAX;
    json_put_key(w, STR("snapshots"));
    json_put_array(w);
    int r = q.text.ptr ? query_run(&q, view, &out, &error) : ERR_NOMEM;
    json_put_array_end(w);
    return r;
}

// The filters of the URL as a query. false: answered.
static bool filters(struct api_call *call, struct buf *text)
{
    static const char *const names[] = { "probe", "service", "trace", "process" };
    buf_str(text, STR("snapshots"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        str value;
        if (!api_param(call, str_z(names[i]), &value))
            return false;
        if (!value.len)
            continue;
        buf_printf(text, " %s=", names[i]);
        put_literal(text, value);
    }
    return true;
}

static void list(struct api_call *call, struct query_request *q, struct buf *body)
{
    struct json_writer w;
    struct listing l = { .w = &w };
    struct query_error error = { 0 };
    struct query_output out = { &l, put_row, put_end };
    struct view *view = api_view(call);
    if (!view)
        return;
    arena_init(&l.arena, PAYLOAD_ARENA);
    json_writer_init(&w, body);
    json_put_object(&w);
    json_put_key(&w, STR("snapshots"));
    json_put_array(&w);
    int r = query_run(q, view, &out, &error);
    json_put_object_end(&w);
    view_unref(view);
    arena_free(&l.arena);
    if (r == 0)
        api_reply_json_take(call->req, 200, body);
    else if (error.code != QUERY_OK)
        api_reply_query_error(call->req, &error);
    else
        api_reply_error(call->req, 503, "internal", "%s", err_text(r));
}

void api_snapshots(struct api_call *call)
{
    struct query_request q;
    struct buf text, body;
    uint64_t limit = LIST_DEFAULT;
    if (!api_query_begin(call, &q) || !api_param_range(call, &q) || !api_param(call, STR("cursor"), &q.after) ||
        !api_param_uint(call, STR("limit"), 1, LIVE_SNAPSHOTS_MAX, &limit))
        return;
    buf_init(&text, 16 << 10);
    buf_init(&body, API_BODY_MAX);
    if (filters(call, &text)) {
        str detail = str_slice(buf_view(&text), 0, 200);
        bool noted = !q.values || api_values_read(call, STR("snapshots"), detail) == 0;
        buf_printf(&text, " | select %s%s", columns, q.values ? ", payload" : "");
        q.text = buf_view(&text);
        q.limit = limit;
        q.values_read = NULL; // entered above
        if (!noted)
            api_reply_error(call->req, 503, "audit", "reading values could not be entered in the audit trail");
        else if (text.error)
            api_reply_error(call->req, 400, "bad_argument", "the parameters are too long");
        else
            list(call, &q, &body);
    }
    buf_free(&body);
    buf_free(&text);
}

// ---- one -------------------------------------------------------------------------------------------------------

struct one {
    struct json_writer *w;
    struct arena *arena;
    const char *id;
    bool found;
};

// CAPTURE as the agent has made it, with the id that it has here.
static int put_one(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct one *o = ctx;
    const struct json_node *root = NULL;
    struct err err;
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(cells[i].name, STR("payload")) && cells[i].value.type == QVAL_STR &&
            json_tree_read(cells[i].value.s, o->arena, PAYLOAD_DEPTH, &root, &err) < 0)
            return ERR_CORRUPT;
    if (!root || o->found)
        return 0;
    o->found = true;
    json_put_object(o->w);
    api_put_text(o->w, STR("id"), str_z(o->id));
    for (uint32_t i = 0; i < n; i++)
        if (!str_eq(cells[i].name, STR("payload")) && !json_get(root, cells[i].name))
            put_cell(o->w, &cells[i]);
    for (const struct json_node *e = root->first; e; e = e->next) {
        if (str_eq(e->key, STR("id")))
            continue;
        json_put_key(o->w, e->key);
        json_put_tree(o->w, e);
    }
    json_put_object_end(o->w);
    return o->w->out->error;
}

static bool may_read(const struct query_request *q, uint32_t project)
{
    for (uint32_t i = 0; i < q->projects_n; i++)
        if (q->projects[i].id == project)
            return true;
    return false;
}

void api_snapshot(struct api_call *call)
{
    struct query_request q;
    struct live_capture where;
    struct query_error error = { 0 };
    struct err err = { 0 };
    struct buf body;
    struct json_writer w;
    if (!api_query_begin(call, &q))
        return;
    int r = live_capture_find(call->api->options.live, call->params[0], &where, &err);
    if (r < 0 || !may_read(&q, where.project)) {
        if (r < 0 && r != ERR_NOENT)
            api_reply_err(call->req, &err);
        else
            api_reply_error(call->req, 404, "no_snapshot", "there is no such snapshot (or you may not see it)");
        return;
    }
    if (api_values_read(call, STR("snapshot"), str_z(where.id)) < 0) {
        api_reply_error(call->req, 503, "audit", "reading values could not be entered in the audit trail");
        return;
    }
    struct view *view = api_view(call);
    if (!view)
        return;
    struct one o = { .w = &w, .arena = &call->req->arena, .id = where.id };
    struct query_output out = { &o, put_one, trace_end };
    q.text = arena_printf(&call->req->arena,
                          "snapshots capture='%s' | select service, instance, host, version, event, payload", where.id);
    q.has_from = q.has_to = true;
    q.from = where.time;
    q.to = where.time + 1;
    q.values_read = NULL;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    r = q.text.ptr ? query_run(&q, view, &out, &error) : ERR_NOMEM;
    view_unref(view);
    if (r == 0 && o.found)
        api_reply_json_take(call->req, 200, &body);
    else if (r == 0)
        api_reply_error(call->req, 404, "no_snapshot", "the snapshot is not stored any more");
    else if (error.code != QUERY_OK)
        api_reply_query_error(call->req, &error);
    else
        api_reply_error(call->req, 503, "internal", "%s", err_text(r));
    buf_free(&body);
}
