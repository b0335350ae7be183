// GET /api/v1/compare?a=TRACE&b=TRACE, or &with=population: a trace beside another, or beside others of the same root
// (traces/compare.h). Both sides are what the caller may read.
#include "api/api_internal.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "query/literal.h"
#include "traces/compare.h"
#include "traces/trace_path.h"

#include <stdlib.h>

enum {
    POPULATION_SEEN_MAX = 20000,   // newest traces of the root that are chosen from
    POPULATION_TRACES_MAX = 100,   // of these, at most, are compared with
    POPULATION_SPANS_MAX = 200000, // all their spans together; after that no further trace is read
    POPULATION_TRACE_SPANS_MAX = 20000
};
#define POPULATION_AROUND_NS (3600 * 1000000000LL)

struct side {
    struct trace *t;
    struct trace_path path;
};

struct population {
    str service, name;
    int64_t from, to;
    uint8_t (*ids)[16];
    uint32_t seen; // traces that were found
    bool more;     // there are further ones
};

static void key_int(struct json_writer *w, str key, int64_t i)
{
    json_put_key(w, key);
    json_put_int(w, i);
}

static void key_str(struct json_writer *w, str key, str s)
{
    if (s.len == 0)
        return;
    json_put_key(w, key);
    json_put_str(w, s);
}

static void key_span(struct json_writer *w, str key, uint64_t span)
{
    uint8_t id[8];
    be64_put(id, span);
    json_put_key(w, key);
    json_put_hex(w, bytes_of(id, 8));
}

static void key_double(struct json_writer *w, str key, double d)
{
    json_put_key(w, key);
    json_put_double(w, d);
}

static void key_bool(struct json_writer *w, str key, bool b)
{
    json_put_key(w, key);
    json_put_bool(w, b);
}

static void put_side(struct json_writer *w, str key, const struct side *s)
{
    const struct trace_span *root = &s->t->spans[s->path.root];
    json_put_key(w, key);
    json_put_object(w);
    json_put_key(w, STR("trace"));
    json_put_hex(w, bytes_of(s->t->id, 16));
    key_span(w, STR("root"), root->span);
    key_str(w, STR("service"), root->service);
    key_str(w, STR("name"), root->name);
    json_put_key(w, STR("time"));
    api_put_time(w, s->path.time);
    key_int(w, STR("duration"), s->path.duration);
    key_int(w, STR("spans"), s->t->spans_n);
    key_int(w, STR("errors"), s->t->errors);
    key_int(w, STR("services"), s->t->services_n);
    key_bool(w, STR("complete"), s->t->complete);
    key_bool(w, STR("cut"), s->t->cut);
    key_int(w, STR("hidden"), (int64_t)s->t->hidden);
    json_put_object_end(w);
}

static int64_t percentile(const int64_t *sorted, uint32_t n, unsigned percent)
{
    uint64_t rank = ((uint64_t)n * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

static void put_percentiles(struct json_writer *w, str key, const int64_t *sorted, uint32_t n)
{
    json_put_key(w, key);
    json_put_object(w);
    key_int(w, STR("p50"), percentile(sorted, n, 50));
    key_int(w, STR("p95"), percentile(sorted, n, 95));
    json_put_object_end(w);
}

static void put_population(struct json_writer *w, const struct population *p, const struct compare *c,
                           int64_t a_duration)
{
    uint32_t faster = 0;
    while (faster < c->traces && c->durations[faster] < a_duration)
        faster++;
    json_put_key(w, STR("population"));
    json_put_object(w);
    key_str(w, STR("service"), p->service);
    key_str(w, STR("name"), p->name);
    json_put_key(w, STR("from"));
    api_put_time(w, p->from);
    json_put_key(w, STR("to"));
    api_put_time(w, p->to);
    key_int(w, STR("found"), p->seen);
    key_bool(w, STR("more"), p->more);
    key_int(w, STR("compared"), c->traces);
    key_int(w, STR("compared_max"), POPULATION_TRACES_MAX);
    key_int(w, STR("faster"), faster);
    if (c->traces)
        put_percentiles(w, STR("duration"), c->durations, c->traces);
    json_put_object_end(w);
}

static void put_cell(struct json_writer *w, str key, const struct compare_cell *c)
{
    json_put_key(w, key);
    json_put_object(w);
    key_span(w, STR("span"), c->span);
    key_int(w, STR("spans"), c->spans);
    key_int(w, STR("errors"), c->errors);
    key_int(w, STR("from"), c->from);
    key_int(w, STR("to"), c->to);
    key_int(w, STR("duration"), c->duration);
    key_int(w, STR("self"), c->self);
    key_int(w, STR("critical"), c->critical);
    json_put_object_end(w);
}

static void put_many(struct json_writer *w, const struct compare *c, const struct compare_row *row)
{
    json_put_key(w, STR("b"));
    json_put_object(w);
    key_int(w, STR("traces"), row->traces);
    key_int(w, STR("error_traces"), row->error_traces);
    key_double(w, STR("spans"), (double)row->b.spans / row->traces);
    // Of all traces, also of those without the row: so these add up to their mean duration.
    key_int(w, STR("critical"), row->b.critical / c->traces);
    put_percentiles(w, STR("duration"), row->durations, row->traces);
    put_percentiles(w, STR("self"), row->selfs, row->traces);
    json_put_object_end(w);
}

static void put_attrs(struct json_writer *w, const struct compare_row *row, bool many)
{
    json_put_key(w, STR("attributes"));
    json_put_array(w);
    for (uint32_t i = 0; i < row->attrs_n; i++) {
        const struct compare_attr *a = &row->attrs[i];
        const struct compare_value *usual = compare_attr_usual(a);
        if (!compare_attr_differs(row, a))
            continue;
        json_put_object(w);
        key_str(w, STR("key"), a->key);
        json_put_key(w, STR("level"));
        json_put_str(w, a->resource ? STR("resource") : STR("attr"));
        if (a->a.len) {
            json_put_key(w, STR("a"));
            json_put_raw(w, a->a);
        }
        if (usual) {
            json_put_key(w, STR("b"));
            json_put_raw(w, usual->json);
        }
        if (many)
            key_int(w, STR("b_traces"), usual ? usual->traces : 0);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_row(struct json_writer *w, const struct compare *c, const struct compare_row *row, bool many)
{
    static const str kinds[] = { STR_INIT(""),       STR_INIT("internal"), STR_INIT("server"),
                                 STR_INIT("client"), STR_INIT("producer"), STR_INIT("consumer") };
    json_put_object(w);
    key_int(w, STR("depth"), row->depth);
    key_str(w, STR("service"), row->service);
    key_str(w, STR("name"), row->name);
    key_str(w, STR("kind"), kinds[row->kind < 6 ? row->kind : 0]);
    key_str(w, STR("b_service"), row->other_service);
    key_str(w, STR("b_name"), row->other_name);
    if (row->a.spans)
        put_cell(w, STR("a"), &row->a);
    if (row->traces && many)
        put_many(w, c, row);
    else if (row->traces)
        put_cell(w, STR("b"), &row->b);
    put_attrs(w, row, many);
    json_put_object_end(w);
}

static void reply(struct api_call *call, const struct compare *c, const struct side *a, const struct side *b,
                  const struct population *p)
{
    struct json_writer w;
    struct buf body;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_side(&w, STR("a"), a);
    if (p)
        put_population(&w, p, c, a->path.duration);
    else
        put_side(&w, STR("b"), b);
    json_put_key(&w, STR("rows"));
    json_put_array(&w);
    for (uint32_t i = 0; i < c->rows_n; i++)
        put_row(&w, c, &c->rows[c->order[i]], p != NULL);
    json_put_array_end(&w);
    key_bool(&w, STR("cut"), c->cut);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// ---- the other traces of a root ----

struct found {
    uint8_t (*ids)[16];
    uint32_t n;
};

static int found_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct found *f = ctx;
    for (uint32_t i = 0; i < n; i++)
        if (cells[i].value.type == QVAL_ID && cells[i].value.id_n == 16 && f->n <= POPULATION_SEEN_MAX)
            memcpy(f->ids[f->n++], cells[i].value.id, 16);
    return 0;
}

static int found_end(void *ctx, const struct query_stats *stats) { return 0; }

// By a hash of the id: the same traces each time, and no kind of them more than another.
static int order_sample(const void *a, const void *b)
{
    uint64_t x = hash64_str(str_of(a, 16)), y = hash64_str(str_of(b, 16));
    return x != y ? (x < y ? -1 : 1) : memcmp(a, b, 16);
}

// false: answered.
static bool find_population(struct api_call *call, struct query_request *q, struct view *view, const struct side *a,
                            struct population *p)
{
    const struct trace_span *root = &a->t->spans[a->path.root];
    struct found f = { arena_alloc_array(&call->req->arena, POPULATION_SEEN_MAX + 1, 16), 0 };
    struct query_output out = { &f, found_row, found_end };
    struct query_error error = { 0 };
    struct buf text;
    *p = (struct population){ .service = root->service, .name = root->name, .from = q->from, .to = q->to };
    buf_init(&text, 64 << 10);
    buf_str(&text, root->parent ? STR("spans name=") : STR("spans root=true name="));
    query_put_literal(&text, root->name);
    if (root->service.len) {
        buf_str(&text, STR(" service="));
        query_put_literal(&text, root->service);
    }
    buf_printf(&text, " trace:* | limit 1 by trace | select trace | limit %d", POPULATION_SEEN_MAX + 1);
    q->text = buf_view(&text);
    q->limit = POPULATION_SEEN_MAX + 1;
    int rc = !f.ids || text.error ? ERR_NOMEM : query_run(q, view, &out, &error);
    buf_free(&text);
    if (rc < 0) {
        if (error.code != QUERY_OK)
            api_reply_query_error(call->req, &error);
        else
            api_reply_error(call->req, 503, "memory", "no memory to look for traces");
        return false;
    }
    p->more = f.n > POPULATION_SEEN_MAX;
    for (uint32_t i = 0; i < f.n; i++)
        if (memcmp(f.ids[i], a->t->id, 16) != 0)
            memmove(f.ids[p->seen++], f.ids[i], 16);
    p->seen = p->seen > POPULATION_SEEN_MAX ? POPULATION_SEEN_MAX : p->seen;
    p->ids = f.ids;
    if (p->seen > 1)
        qsort(p->ids, p->seen, 16, order_sample);
    return true;
}

static int add_population(struct api_call *call, const struct query_request *q, struct view *view, struct population *p,
                          struct compare *c, struct err *err)
{
    uint32_t spans = 0;
    for (uint32_t i = 0; i < p->seen && i < POPULATION_TRACES_MAX && spans < POPULATION_SPANS_MAX; i++) {
        struct trace *t = NULL;
        int rc = api_trace_load(call, q, view, p->ids[i], POPULATION_TRACE_SPANS_MAX, &t, err);
        if (rc == ERR_NOENT || rc == ERR_LIMIT)
            continue; // removed since it was found, or of a size that is no measure for others
        if (rc == 0) {
            spans += t->spans_n;
            rc = compare_add(c, t);
        }
        trace_free(t);
        if (rc < 0)
            return rc;
    }
    return 0;
}

// ---- the call ----

static bool id_param(struct api_call *call, str name, uint8_t ret_id[16])
{
    str text;
    if (!api_param(call, name, &text))
        return false;
    if (trace_id_parse(text, ret_id) == 0)
        return true;
    api_reply_error(call->req, 400, "bad_argument", "%.*s must be a trace id of 32 (or 16) hex digits", STR_ARG(name));
    return false;
}

// false: answered.
static bool load_side(struct api_call *call, const struct query_request *q, struct view *view, const char *which,
                      const uint8_t id[16], struct side *ret)
{
    struct err err = { 0 };
    int rc = api_trace_load(call, q, view, id, 0, &ret->t, &err);
    if (rc == 0 && ret->t->spans_n == 0)
        rc = ERR_NOENT;
    if (rc == 0)
        rc = trace_path_make(ret->t, &call->req->arena, &ret->path);
    if (rc == ERR_NOENT)
        api_reply_error(call->req, 404, "no_trace", "no span of trace %s is stored (or may be seen by you)", which);
    else if (rc < 0)
        api_reply_no_trace(call, rc, &err);
    return rc == 0;
}

static void compare_sides(struct api_call *call, struct query_request *q, struct view *view, struct side *a,
                          struct side *b, bool many)
{
    struct population p;
    struct compare *c = NULL;
    struct err err = { 0 };
    if (many && !q->has_from)
        q->from = a->path.time - POPULATION_AROUND_NS;
    if (many && !q->has_to)
        q->to = a->path.time + POPULATION_AROUND_NS;
    q->has_from = q->has_to = true;
    if (many && q->from >= q->to) {
        api_reply_error(call->req, 400, "bad_range", "from must be before to");
        return;
    }
    if (many && !find_population(call, q, view, a, &p))
        return;
    int rc = compare_new(a->t, q->memory_max, &c);
    if (rc == 0)
        rc = many ? add_population(call, q, view, &p, c, &err) : compare_add(c, b->t);
    if (rc == 0)
        rc = compare_end(c);
    if (rc == 0)
        reply(call, c, a, b, many ? &p : NULL);
    else
        api_reply_no_trace(call, rc, &err);
    compare_free(c);
}

void api_compare(struct api_call *call)
{
    struct query_request q;
    struct side a = { 0 }, b = { 0 };
    uint8_t a_id[16], b_id[16] = { 0 };
    str with;
    if (!id_param(call, STR("a"), a_id) || !api_param(call, STR("with"), &with))
        return;
    bool many = str_eq(with, STR("population"));
    if (with.len && !many) {
        api_reply_error(call->req, 400, "bad_argument", "with can be population only; name another trace as b");
        return;
    }
    if ((!many && !id_param(call, STR("b"), b_id)) || !api_query_begin(call, &q) || !api_param_range(call, &q))
        return;
    struct view *view = api_view(call);
    if (!view)
        return;
    if (load_side(call, &q, view, "a", a_id, &a) && (many || load_side(call, &q, view, "b", b_id, &b)))
        compare_sides(call, &q, view, &a, &b, many);
    view_unref(view);
    trace_free(a.t);
    trace_free(b.t);
}
