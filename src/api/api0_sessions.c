// GET organizations/{}/sessions: how healthy releases are, in time and in all, as scripts ask for it.
//
// What a release has is exact. Users of several releases in one group may be the same people, so that their number is not known
// there (null): group by release.
#include "api/api0_search.h"
#include "base/clock.h"
#include "query/literal.h"
#include "releases/health.h"
#include "releases/releases.h"

#include <stdlib.h>

enum { POINTS_MAX = 10000, FIELDS_MAX = 8, STATUSES = 5 };
#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS (24 * HOUR_NS)

enum field { SUM_SESSION, COUNT_USER, CRASH_SESSION, CRASH_USER, FREE_SESSION, FREE_USER, FIELDS };
static const str fields[FIELDS] = {
    STR_INIT("sum(session)"),     STR_INIT("count_unique(user)"),       STR_INIT("crash_rate(session)"),
    STR_INIT("crash_rate(user)"), STR_INIT("crash_free_rate(session)"), STR_INIT("crash_free_rate(user)")
};
static const str statuses[STATUSES] = { STR_INIT("healthy"), STR_INIT("errored"), STR_INIT("unhandled"),
                                        STR_INIT("abnormal"), STR_INIT("crashed") };

struct asked {
    enum field fields[FIELDS_MAX];
    size_t fields_n;
    bool by_release, by_project, by_status, totals, series;
    str environment;
    int64_t from, to, step;
    size_t intervals;
};

struct tally {
    struct health_counts counts;
    uint64_t users, crashed_users;
    uint32_t releases; // with users
};
struct group {
    uint32_t project;
    str version;
    struct tally *cells; // of each interval, then of all
};

static bool one_of(struct api_call *call, struct asked *a, str name, str value)
{
    if (str_eq(name, STR("groupBy"))) {
        a->by_release |= str_eq(value, STR("release"));
        a->by_project |= str_eq(value, STR("project"));
        a->by_status |= str_eq(value, STR("session.status"));
        if (str_eq(value, STR("release")) || str_eq(value, STR("project")) || str_eq(value, STR("session.status")))
            return true;
        api0_error(call->req, 400, "Invalid groupBy: release, project, session.status");
        return false;
    }
    if (!str_eq(name, STR("field")))
        return true;
    for (int i = 0; i < FIELDS; i++)
        if (str_eq(value, fields[i]) && a->fields_n < FIELDS_MAX) {
            a->fields[a->fields_n++] = (enum field)i;
            return true;
        }
    api0_error(call->req, 400, "Invalid field: %.*s", STR_ARG(str_slice(value, 0, 60)));
    return false;
}

static bool ask(struct api_call *call, struct asked *a)
{
    struct query_request q;
    str interval, totals, series, name, value;
    size_t at = 0;
    bool overflow = false;
    int rc = 0;
    while (http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc))
        if (!one_of(call, a, name, value))
            return false;
    if (rc < 0 || !a->fields_n) {
        api0_error(call->req, 400, "Request is missing a \"field\"");
        return false;
    }
    if (!api_query_begin(call, &q) || !api0_search_range(call, &q) || !api0_param(call, STR("interval"), &interval) ||
        !api0_param(call, STR("includeTotals"), &totals) || !api0_param(call, STR("includeSeries"), &series) ||
        !api0_param(call, STR("environment"), &a->environment))
        return false;
    a->totals = !str_eq(totals, STR("0"));
    a->series = !str_eq(series, STR("0"));
    a->step = q.to - q.from <= 7 * DAY_NS ? HOUR_NS : DAY_NS;
    if (interval.len && (!query_duration_read(interval, &a->step, &overflow) || overflow || a->step < HOUR_NS ||
                         DAY_NS % a->step != 0)) {
        api0_error(call->req, 400, "The interval has to be 1h to 1d, and to divide a day");
        return false;
    }
    a->from = q.from > 0 ? q.from - q.from % a->step : 0;
    a->to = q.to > a->from ? q.to : a->from + 1;
    if ((a->to - a->from) / a->step >= POINTS_MAX) {
        api0_error(call->req, 400, "Your interval and date range would create too many results");
        return false;
    }
    a->intervals = (size_t)((a->to - a->from + a->step - 1) / a->step);
    a->to = a->from + (int64_t)a->intervals * a->step;
    return true;
}

static void add(struct tally *c, const struct release_health *h)
{
    c->counts.sessions += h->counts.sessions;
    c->counts.crashed += h->counts.crashed;
    c->counts.errored += h->counts.errored;
    c->counts.abnormal += h->counts.abnormal;
    c->counts.unhandled += h->counts.unhandled;
    c->users += h->users;
    c->crashed_users += h->crashed_users;
    c->releases += h->users > 0;
}

static struct group *group_of(struct api_call *call, const struct asked *a, struct group *groups, size_t *n,
                              const struct release *r)
{
    struct group want = { .project = a->by_project ? r->project : 0,
                          .version = a->by_release ? r->version : (str){ 0 } };
    for (size_t i = 0; i < *n; i++)
        if (groups[i].project == want.project && str_eq(groups[i].version, want.version))
            return &groups[i];
    want.cells = arena_zalloc(&call->req->arena, (a->intervals + 1) * sizeof *want.cells);
    if (!want.cells)
        return NULL;
    groups[*n] = want;
    return &groups[(*n)++];
}

static int read_release(struct api_call *call, const struct asked *a, const struct release *r, struct group *g,
                        struct err *err)
{
    struct releases *releases = call->api->options.releases;
    struct release_health h;
    int rc = releases_health(releases, r->id, a->environment, a->from, a->to, &h, err);
    if (rc < 0)
        return rc;
    add(&g->cells[a->intervals], &h);
    bool any = h.counts.sessions > 0;
    for (size_t i = 0; i < a->intervals && a->series && any && rc == 0; i++) {
        int64_t from = a->from + (int64_t)i * a->step;
        rc = releases_health(releases, r->id, a->environment, from, from + a->step, &h, err);
        if (rc == 0)
            add(&g->cells[i], &h);
    }
    return rc;
}

// Each session has one.
static uint64_t of_status(const struct health_counts *c, int status)
{
    uint64_t worse = c->crashed + c->abnormal + c->unhandled;
    return status == 0   ? c->sessions - (c->errored < c->sessions ? c->errored : c->sessions)
           : status == 1 ? c->errored - (worse < c->errored ? worse : c->errored)
           : status == 2 ? c->unhandled
           : status == 3 ? c->abnormal
                         : c->crashed;
}

static void put_value(struct json_writer *w, enum field f, const struct tally *c, int status)
{
    bool of_users = f == COUNT_USER || f == CRASH_USER || f == FREE_USER;
    uint64_t all = of_users ? c->users : c->counts.sessions, bad = of_users ? c->crashed_users : c->counts.crashed;
    if (f == SUM_SESSION)
        json_put_uint(w, status < 0 ? all : of_status(&c->counts, status));
    else if (status >= 0 || (of_users && c->releases > 1))
        json_put_null(w);
    else if (f == COUNT_USER)
        json_put_uint(w, all);
    else if (!all)
        json_put_null(w);
    else
        json_put_double(w, f == CRASH_SESSION || f == CRASH_USER ? (double)bad / (double)all
                           : bad >= all                          ? 0
                                                                 : 1 - (double)bad / (double)all);
}

static void put_group(struct json_writer *w, const struct asked *a, const struct group *g, int status)
{
    json_put_object(w);
    json_put_key(w, STR("by"));
    json_put_object(w);
    if (a->by_project)
        api0_put_int(w, STR("project"), g->project);
    if (a->by_release)
        api0_put_text(w, STR("release"), g->version);
    if (a->by_status)
        api0_put_text(w, STR("session.status"), statuses[status]);
    json_put_object_end(w);
    for (int k = 0; k < 2; k++) {
        if (!(k ? a->series : a->totals))
            continue;
        json_put_key(w, k ? STR("series") : STR("totals"));
        json_put_object(w);
        for (size_t f = 0; f < a->fields_n; f++) {
            json_put_key(w, fields[a->fields[f]]);
            if (k)
                json_put_array(w);
            for (size_t i = k ? 0 : a->intervals; i < a->intervals + !k; i++)
                put_value(w, a->fields[f], &g->cells[i], status);
            if (k)
                json_put_array_end(w);
        }
        json_put_object_end(w);
    }
    json_put_object_end(w);
}

static void answer(struct api_call *call, const struct asked *a, const struct group *groups, size_t n)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_time(&w, STR("start"), a->from);
    api0_put_time(&w, STR("end"), a->to);
    api0_put_text(&w, STR("query"), STR(""));
    json_put_key(&w, STR("intervals"));
    json_put_array(&w);
    for (size_t i = 0; i < a->intervals; i++)
        api_put_time(&w, a->from + (int64_t)i * a->step);
    json_put_array_end(&w);
    json_put_key(&w, STR("groups"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        for (int s = a->by_status ? 0 : -1; s < (a->by_status ? STATUSES : 0); s++)
            put_group(&w, a, &groups[i], s);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api0_sessions(struct api_call *call)
{
    struct asked a = { .fields_n = 0 };
    struct release_filter f = { .with_archived = true };
    struct meta_project *projects;
    struct release *list = NULL;
    struct group *groups;
    struct err err = { 0 };
    size_t projects_n, n = 0, groups_n = 0;
    if (!ask(call, &a) || !api0_projects(call, &projects, &projects_n))
        return;
    uint32_t *ids = arena_alloc_array(&call->req->arena, projects_n + 1, sizeof *ids);
    for (size_t i = 0; ids && i < projects_n; i++)
        ids[i] = (uint32_t)projects[i].id;
    f.projects = ids;
    f.projects_n = projects_n;
    f.from = a.from;
    f.to = a.to;
    int rc = !ids ? ERR_NOMEM
             : projects_n && call->api->options.releases
                 ? release_list(call->api->options.releases, &f, &call->req->arena, &list, &n, &err)
                 : 0;
    if (rc == 0 && n * (a.series ? a.intervals + 1 : 1) > POINTS_MAX) {
        api0_error(call->req, 400, "Your interval and date range would create too many results: %zu releases", n);
        return;
    }
    groups = arena_alloc_array(&call->req->arena, n + 1, sizeof *groups);
    if (rc == 0 && !groups)
        rc = ERR_NOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct group *g = group_of(call, &a, groups, &groups_n, &list[i]);
        rc = g ? read_release(call, &a, &list[i], g, &err) : ERR_NOMEM;
    }
    if (rc == ERR_NOMEM)
        err_set(&err, rc, "memory", "out of memory");
    if (rc < 0)
        api0_reply_err(call->req, &err);
    else
        answer(call, &a, groups, groups_n);
}
