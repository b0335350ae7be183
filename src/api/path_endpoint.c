// GET /api/v1/traces/{id}/path: who the trace's time waits for, and whose it is (traces/trace_path.h).
#include "api/api_internal.h"

#include "base/err.h"
#include "traces/trace_path.h"

static bool left(void *ctx) { return http_request_cancelled(ctx); }

int api_trace_load(struct api_call *call, const struct query_request *who, struct view *view, const uint8_t id[16],
                   uint32_t spans_max, struct trace **ret_trace, struct err *err)
{
    struct trace_request tr = { .spans_max = spans_max,
                                .memory_max = who->memory_max,
                                .projects = who->projects,
                                .projects_n = who->projects_n,
                                .cancelled = left,
                                .cancelled_ctx = call->req };
    memcpy(tr.id, id, 16);
    return trace_load(&tr, view, ret_trace, err);
}

void api_reply_no_trace(struct api_call *call, int rc, const struct err *err)
{
    if (rc == ERR_NOENT)
        api_reply_error(call->req, 404, "no_trace", "no span of this trace is stored (or may be seen by you)");
    else
        api_reply_error(call->req, rc == ERR_LIMIT ? 422 : 503, rc == ERR_LIMIT ? "memory" : "internal", "%s",
                        err->message[0] ? err->message : err_text(rc));
}

static void put_span_id(struct json_writer *w, str key, uint64_t span)
{
    uint8_t id[8];
    be64_put(id, span);
    json_put_key(w, key);
    json_put_hex(w, bytes_of(id, 8));
}

static void put_optional(struct json_writer *w, str key, str s)
{
    if (s.len == 0)
        return;
    json_put_key(w, key);
    json_put_str(w, s);
}

static void put_int(struct json_writer *w, str key, int64_t i)
{
    json_put_key(w, key);
    json_put_int(w, i);
}

static void put_path(struct json_writer *w, const struct trace *t, const struct trace_path *p)
{
    json_put_key(w, STR("segments"));
    json_put_array(w);
    for (uint32_t i = 0; i < p->steps_n; i++) {
        const struct trace_span *s = &t->spans[p->steps[i].span];
        json_put_object(w);
        put_span_id(w, STR("span"), s->span);
        put_optional(w, STR("service"), s->service);
        put_optional(w, STR("name"), s->name);
        put_int(w, STR("from"), p->steps[i].from);
        put_int(w, STR("to"), p->steps[i].to);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    json_put_key(w, STR("services"));
    json_put_array(w);
    for (uint32_t i = 0; i < p->shares_n; i++) {
        const struct trace_share *s = &p->shares[i];
        json_put_object(w);
        put_optional(w, STR("service"), s->service);
        json_put_key(w, STR("external"));
        json_put_bool(w, s->external);
        put_int(w, STR("spans"), s->spans);
        put_int(w, STR("errors"), s->errors);
        put_int(w, STR("self"), s->self);
        put_int(w, STR("critical"), s->critical);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    json_put_key(w, STR("clocks"));
    json_put_array(w);
    for (uint32_t i = 0; i < p->shifts_n; i++) {
        json_put_object(w);
        put_optional(w, STR("service"), p->shifts[i].service);
        put_int(w, STR("shift"), p->shifts[i].shift);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

void api_trace_path(struct api_call *call)
{
    struct query_request q;
    struct err err = { 0 };
    struct trace *t = NULL;
    struct trace_path p;
    struct json_writer w;
    struct buf body;
    uint8_t id[16];
    if (trace_id_parse(call->params[0], id) < 0) {
        api_reply_error(call->req, 400, "bad_argument", "a trace id has 32 (or 16) hex digits");
        return;
    }
    if (!api_query_begin(call, &q))
        return;
    struct view *view = api_view(call);
    if (!view)
        return;
    int rc = api_trace_load(call, &q, view, id, 0, &t, &err);
    view_unref(view);
    if (rc == 0 && t->spans_n == 0)
        rc = ERR_NOENT;
    if (rc == 0)
        rc = trace_path_make(t, &call->req->arena, &p);
    if (rc < 0) {
        trace_free(t);
        api_reply_no_trace(call, rc, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("trace"));
    json_put_hex(&w, bytes_of(t->id, 16));
    put_span_id(&w, STR("root"), t->spans[p.root].span);
    json_put_key(&w, STR("time"));
    api_put_time(&w, p.time);
    put_int(&w, STR("duration"), p.duration);
    put_path(&w, t, &p);
    json_put_key(&w, STR("cut"));
    json_put_bool(&w, t->cut);
    json_put_key(&w, STR("hidden"));
    json_put_uint(&w, t->hidden);
    json_put_object_end(&w);
    trace_free(t);
    api_reply_json_take(call->req, 200, &body);
}
