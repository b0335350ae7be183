// GET /api/v1/overview, /api/v1/map, /api/v1/deploys and Jaeger's dependencies: answers out of the figures that are
// counted as records arrive (red/red.h), so that they cost the same whatever the number of spans.
#include "api/api_internal.h"

#include "base/clock.h"
#include "red/overview.h"

enum { BUCKETS_DEFAULT = 60, BUCKETS_MAX = 240, SERVICES_MAX = 1000, CALLS_MAX = 5000, DEPLOYS_MAX = 500 };
#define OVERVIEW_BYTES_MAX ((size_t)256 << 20)
#define HOUR_NS (3600 * NS_PER_S)

struct overview_call {
    struct red_range range;
    struct red_view view;
    struct red_overview o;
    struct arena arena;
};

// The caller's projects, or the one that is asked for. false: answered.
static bool filter_of(struct api_call *call, const struct query_request *q, struct red_filter *f)
{
    str project;
    if (!api_param(call, STR("project"), &project) || !api_param(call, STR("environment"), &f->environment))
        return false;
    f->has_environment = f->environment.len > 0;
    uint32_t *ids = arena_alloc_array(&call->req->arena, q->projects_n + 1, sizeof *ids), n = 0;
    if (!ids) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < q->projects_n; i++)
        if (project.len == 0 || str_eq(project, q->projects[i].name))
            ids[n++] = q->projects[i].id;
    if (project.len && n == 0) {
        api_reply_error(call->req, 404, "not_found", "there is no project %.*s", STR_ARG(str_slice(project, 0, 60)));
        return false;
    }
    f->projects = ids;
    f->projects_n = n;
    return true;
}

// Reads the figures of [from, to). false: answered; overview_end() is due in both cases.
static bool read_range(struct api_call *call, const struct query_request *q, int64_t from, int64_t to, uint32_t buckets,
                       struct overview_call *c)
{
    struct red_filter filter = { 0 };
    struct err err = { 0 };
    if (!filter_of(call, q, &filter))
        return false;
    red_range_make(from, to, q->now, buckets, &c->range);
    int r = red_read(call->api->options.red, &filter, 1u << RED_SERIES | 1u << RED_EDGE, c->range.read_from,
                     c->range.to, &c->arena, &c->view, &err);
    if (r < 0)
        api_reply_err(call->req, &err);
    return r == 0;
}

static bool overview_begin(struct api_call *call, struct overview_call *c)
{
    struct query_request q;
    uint64_t buckets = BUCKETS_DEFAULT;
    *c = (struct overview_call){ 0 };
    arena_init(&c->arena, OVERVIEW_BYTES_MAX);
    if (!api_query_begin(call, &q) || !api_param_range(call, &q) ||
        !api_param_uint(call, STR("buckets"), 1, BUCKETS_MAX, &buckets))
        return false;
    int64_t to = q.has_to ? q.to : q.now;
    int64_t from = q.has_from ? q.from : to > INT64_MIN + HOUR_NS ? to - HOUR_NS : to;
    return read_range(call, &q, from, to, (uint32_t)buckets, c);
}

static void overview_end(struct overview_call *c) { arena_free(&c->arena); }

static bool failed(struct api_call *call, int r)
{
    if (r < 0)
        api_reply_error(call->req, 503, "memory", "the range holds too much to sum up; a shorter one works");
    return r < 0;
}

static void put_uint(struct json_writer *w, str name, uint64_t n)
{
    json_put_key(w, name);
    json_put_uint(w, n);
}

static void put_double(struct json_writer *w, str name, double d)
{
    json_put_key(w, name);
    json_put_double(w, d);
}

static void put_text(struct json_writer *w, str name, str s)
{
    if (s.len == 0)
        return;
    json_put_key(w, name);
    json_put_str(w, s);
}

static void put_time(struct json_writer *w, str name, int64_t ns)
{
    json_put_key(w, name);
    api_put_time(w, ns);
}

static void put_quantile(struct json_writer *w, str name, const struct red_figures *f, double q)
{
    int64_t ns = durations_quantile(&f->durations, q);
    if (ns < 0)
        return;
    json_put_key(w, name);
    json_put_int(w, ns);
}

// Requests, errors, their share, p50 and p95.
static void put_figures(struct json_writer *w, const struct red_figures *f)
{
    put_uint(w, STR("requests"), f->requests);
    put_uint(w, STR("errors"), f->errors);
    put_double(w, STR("error_ratio"), red_ratio(f));
    put_quantile(w, STR("p50"), f, 0.5);
    put_quantile(w, STR("p95"), f, 0.95);
}

enum figure { REQUESTS, ERRORS, P50, P95 };

static void put_column(struct json_writer *w, str name, const struct red_figures *f, uint32_t n, enum figure which)
{
    json_put_key(w, name);
    json_put_array(w);
    for (uint32_t i = 0; i < n; i++) {
        int64_t v = which == REQUESTS ? (int64_t)f[i].requests
                    : which == ERRORS ? (int64_t)f[i].errors
                                      : durations_quantile(&f[i].durations, which == P50 ? 0.5 : 0.95);
        if (v < 0)
            json_put_null(w);
        else
            json_put_int(w, v);
    }
    json_put_array_end(w);
}

static void put_range(struct json_writer *w, const struct red_range *g)
{
    put_time(w, STR("from"), g->from * (60 * NS_PER_S));
    put_time(w, STR("to"), g->to * (60 * NS_PER_S));
}

static const str node_names[] = { [RED_SERVICE] = STR_INIT("service"),
                                  [RED_DATABASE] = STR_INIT("database"),
                                  [RED_MESSAGING] = STR_INIT("messaging"),
                                  [RED_EXTERNAL] = STR_INIT("external") };

static str node_name(uint8_t kind) { return node_names[kind <= RED_EXTERNAL ? kind : RED_EXTERNAL]; }

static void put_service(struct json_writer *w, const struct red_service *s, const struct red_range *g)
{
    json_put_object(w);
    json_put_key(w, STR("service"));
    json_put_str(w, s->name);
    put_text(w, STR("kind"), node_name(s->kind));
    put_text(w, STR("system"), s->system);
    put_text(w, STR("language"), s->language);
    put_text(w, STR("runtime"), s->runtime);
    if (s->version.len) {
        put_text(w, STR("version"), s->version);
        put_time(w, STR("version_since"), s->version_since);
    }
    if (s->instances)
        put_uint(w, STR("instances"), s->instances);
    put_uint(w, STR("logs"), s->logs);
    put_uint(w, STR("log_errors"), s->log_errors);
    if (s->last != INT64_MIN)
        put_time(w, STR("last"), s->last);
    put_double(w, STR("rate"), red_rate(g, s->now.requests));
    put_figures(w, &s->now);
    if (s->has_before) {
        json_put_key(w, STR("before"));
        json_put_object(w);
        put_figures(w, &s->before);
        json_put_object_end(w);
    }
    json_put_key(w, STR("spark"));
    json_put_object(w);
    put_column(w, STR("requests"), s->buckets, g->buckets, REQUESTS);
    put_column(w, STR("errors"), s->buckets, g->buckets, ERRORS);
    put_column(w, STR("p95"), s->buckets, g->buckets, P95);
    json_put_object_end(w);
    json_put_object_end(w);
}

static void put_change(struct json_writer *w, const struct red_figures *before, const struct red_figures *after)
{
    if (before->requests) {
        put_double(w, STR("error_ratio_before"), red_ratio(before));
        put_quantile(w, STR("p95_before"), before, 0.95);
    }
    put_uint(w, STR("requests"), after->requests);
    put_uint(w, STR("errors"), after->errors);
}

static bool put_deploys(struct json_writer *w, const struct red_overview *o, str service)
{
    size_t n = 0;
    json_put_key(w, STR("deploys"));
    json_put_array(w);
    for (size_t i = 0; i < o->deploys_n && n <= DEPLOYS_MAX; i++) {
        const struct red_deploy *d = &o->deploys[i];
        if ((service.len && !str_eq(service, d->service)) || n++ == DEPLOYS_MAX)
            continue;
        json_put_object(w);
        put_time(w, STR("time"), d->time);
        put_text(w, STR("service"), d->service);
        put_text(w, STR("version"), d->version);
        put_text(w, STR("before"), d->before);
        put_text(w, STR("environment"), d->environment);
        put_change(w, &d->old_figures, &d->new_figures);
        if (d->new_figures.requests) {
            put_double(w, STR("error_ratio_after"), red_ratio(&d->new_figures));
            put_quantile(w, STR("p95_after"), &d->new_figures, 0.95);
        }
        json_put_key(w, STR("worse"));
        json_put_bool(w, d->worse);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    return n > DEPLOYS_MAX;
}

static void put_finding(struct json_writer *w, const struct red_finding *f)
{
    static const str states[] = { [RED_QUIET] = STR_INIT("quiet"),
                                  [RED_HEALTHY] = STR_INIT("healthy"),
                                  [RED_SLOW] = STR_INIT("slow"),
                                  [RED_FAILING] = STR_INIT("failing") };
    json_put_key(w, STR("finding"));
    json_put_object(w);
    put_text(w, STR("state"), states[f->state]);
    if (f->state >= RED_SLOW) {
        put_text(w, STR("service"), f->service);
        put_time(w, STR("since"), f->since);
        if (f->cause) {
            json_put_key(w, STR("cause"));
            json_put_object(w);
            put_text(w, STR("kind"), STR("deploy"));
            put_text(w, STR("service"), f->cause->service);
            put_text(w, STR("version"), f->cause->version);
            put_text(w, STR("before"), f->cause->before);
            json_put_object_end(w);
        }
        put_change(w, &f->before, &f->after);
        put_double(w, STR("error_ratio"), red_ratio(&f->after));
        put_quantile(w, STR("p95"), &f->after, 0.95);
        put_text(w, STR("query"), f->query);
    }
    json_put_object_end(w);
}

static void put_series(struct json_writer *w, const struct red_overview *o, const struct red_range *g)
{
    json_put_key(w, STR("series"));
    json_put_object(w);
    json_put_key(w, STR("time"));
    json_put_array(w);
    for (uint32_t i = 0; i < g->buckets; i++)
        api_put_time(w, (g->from + (int64_t)i * g->step) * (60 * NS_PER_S));
    json_put_array_end(w);
    put_column(w, STR("requests"), o->buckets, g->buckets, REQUESTS);
    put_column(w, STR("errors"), o->buckets, g->buckets, ERRORS);
    put_column(w, STR("p50"), o->buckets, g->buckets, P50);
    put_column(w, STR("p95"), o->buckets, g->buckets, P95);
    json_put_object_end(w);
}

static void answer_begin(struct json_writer *w, struct buf *body)
{
    buf_init(body, API_BODY_MAX);
    json_writer_init(w, body);
    json_put_object(w);
}

static void answer_end(struct api_call *call, struct json_writer *w, struct buf *body, bool more)
{
    json_put_key(w, STR("more"));
    json_put_bool(w, more);
    json_put_object_end(w);
    api_reply_json_take(call->req, 200, body);
}

static void put_overview(struct api_call *call, const struct overview_call *c)
{
    struct json_writer w;
    struct buf body;
    answer_begin(&w, &body);
    put_range(&w, &c->range);
    json_put_key(&w, STR("step"));
    json_put_int(&w, c->range.step * (60 * NS_PER_S));
    put_series(&w, &c->o, &c->range);
    json_put_key(&w, STR("services"));
    json_put_array(&w);
    for (size_t i = 0; i < c->o.services_n && i < SERVICES_MAX; i++)
        put_service(&w, &c->o.services[i], &c->range);
    json_put_array_end(&w);
    bool more = put_deploys(&w, &c->o, (str){ 0 });
    put_finding(&w, &c->o.finding);
    answer_end(call, &w, &body, more || c->o.services_n > SERVICES_MAX);
}

void api_overview(struct api_call *call)
{
    struct overview_call c;
    if (overview_begin(call, &c) && !failed(call, red_overview(&c.view, &c.range, &c.arena, &c.o)))
        put_overview(call, &c);
    overview_end(&c);
}

void api_deploys(struct api_call *call)
{
    struct overview_call c;
    struct json_writer w;
    struct buf body;
    str service;
    if (!api_param(call, STR("service"), &service))
        return;
    if (overview_begin(call, &c) && !failed(call, red_overview(&c.view, &c.range, &c.arena, &c.o))) {
        answer_begin(&w, &body);
        put_range(&w, &c.range);
        bool more = put_deploys(&w, &c.o, service);
        answer_end(call, &w, &body, more);
    }
    overview_end(&c);
}

static void put_node(struct json_writer *w, const struct red_service *s, const struct red_range *g)
{
    json_put_object(w);
    json_put_key(w, STR("service"));
    json_put_str(w, s->name);
    put_text(w, STR("kind"), node_name(s->kind));
    put_text(w, STR("system"), s->system);
    put_double(w, STR("rate"), red_rate(g, s->now.requests));
    put_figures(w, &s->now);
    json_put_object_end(w);
}

static void put_map(struct api_call *call, const struct overview_call *c)
{
    struct json_writer w;
    struct buf body;
    size_t nodes = 0;
    answer_begin(&w, &body);
    put_range(&w, &c->range);
    json_put_key(&w, STR("nodes"));
    json_put_array(&w);
    for (size_t i = 0; i < c->o.services_n; i++) {
        const struct red_service *s = &c->o.services[i];
        bool called = false;
        for (size_t k = 0; k < c->o.calls_n && !called; k++)
            called = c->o.calls[k].from == s || c->o.calls[k].to == s;
        if ((called || s->now.requests) && ++nodes <= SERVICES_MAX)
            put_node(&w, s, &c->range);
    }
    json_put_array_end(&w);
    json_put_key(&w, STR("edges"));
    json_put_array(&w);
    for (size_t i = 0; i < c->o.calls_n && i < CALLS_MAX; i++) {
        const struct red_call *e = &c->o.calls[i];
        json_put_object(&w);
        put_text(&w, STR("from"), e->from->name);
        put_text(&w, STR("to"), e->to->name);
        put_double(&w, STR("rate"), red_rate(&c->range, e->now.requests));
        put_figures(&w, &e->now);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    answer_end(call, &w, &body, nodes > SERVICES_MAX || c->o.calls_n > CALLS_MAX);
}

void api_map(struct api_call *call)
{
    struct overview_call c;
    if (overview_begin(call, &c) && !failed(call, red_services(&c.view, &c.range, &c.arena, &c.o)))
        put_map(call, &c);
    overview_end(&c);
}

// Jaeger's shape: {"data":[{"parent","child","callCount"}], ...}; times are milliseconds, the default is a day.
static void put_dependencies(struct api_call *call, const struct overview_call *c)
{
    struct json_writer w;
    struct buf body;
    answer_begin(&w, &body);
    json_put_key(&w, STR("data"));
    json_put_array(&w);
    size_t n = c->o.calls_n < CALLS_MAX ? c->o.calls_n : CALLS_MAX;
    for (size_t i = 0; i < n; i++) {
        json_put_object(&w);
        put_text(&w, STR("parent"), c->o.calls[i].from->name);
        put_text(&w, STR("child"), c->o.calls[i].to->name);
        put_uint(&w, STR("callCount"), c->o.calls[i].now.requests);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    put_uint(&w, STR("total"), n);
    put_uint(&w, STR("limit"), 0);
    put_uint(&w, STR("offset"), 0);
    json_put_key(&w, STR("errors"));
    json_put_null(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api_jaeger_dependencies(struct api_call *call)
{
    enum { DAY_MS = 86400000 };
    const uint64_t most = INT64_MAX / NS_PER_MS;
    struct query_request q;
    struct overview_call c = { 0 };
    uint64_t end = UINT64_MAX, lookback = DAY_MS;
    arena_init(&c.arena, OVERVIEW_BYTES_MAX);
    if (api_query_begin(call, &q) && api_param_uint(call, STR("endTs"), 0, most, &end) &&
        api_param_uint(call, STR("lookback"), 1, most, &lookback)) {
        int64_t to = end == UINT64_MAX ? q.now : (int64_t)end * NS_PER_MS;
        int64_t from = (int64_t)lookback * NS_PER_MS < to ? to - (int64_t)lookback * NS_PER_MS : 0;
        if (read_range(call, &q, from, to, 1, &c) && !failed(call, red_services(&c.view, &c.range, &c.arena, &c.o)))
            put_dependencies(call, &c);
    }
    overview_end(&c);
}
