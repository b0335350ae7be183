// Error events: one by its id or by its place in an issue, and the list of an issue's.
#include "api/api_internal.h"
#include "api/live_calls.h"

#include "artifacts/feedback.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/numfmt.h"
#include "events/events.h"
#include "grouping/grouping.h"
#include "issues/issues.h"

#include <stdio.h>

enum { EVENT_ARENA_MAX = 160 << 20, EVENTS_LIMIT = 50, EVENTS_LIMIT_MAX = 200, EVENT_ATTACHMENTS_MAX = 200 };

// What these endpoints have in common while they run.
struct event_call {
    struct api_call *call;
    struct query_request who;
    struct event_request find;
    struct arena arena;
    struct event_counts counts;
    int64_t hint; // parameter `time`
};

static int counted(void *ctx, int64_t issue, int64_t time, struct event_counted *ret)
{
    struct issue_counted n;
    int rc = issues_counted(ctx, issue, time, &n, NULL);
    if (rc == 0)
        *ret = (struct event_counted){ n.total, n.first, n.last, n.edge, n.later };
    return rc;
}

static bool begin(struct event_call *c, struct api_call *call)
{
    str time, tz;
    *c = (struct event_call){ .call = call };
    if (!api_query_begin(call, &c->who) || !api_param(call, STR("time"), &time) || !api_param(call, STR("tz"), &tz))
        return false;
    if (time.len && !api_time(time, tz, &c->hint)) {
        api_reply_error(call->req, 400, "bad_time",
                        "time is about when the event happened: 2026-01-01T00:00:00Z, or epoch");
        return false;
    }
    struct view *view = api_view(call);
    if (!view)
        return false;
    arena_init(&c->arena, EVENT_ARENA_MAX);
    c->counts = (struct event_counts){ call->api->options.issues, counted };
    c->find = (struct event_request){
        .view = view, .who = &c->who, .arena = &c->arena, .counts = c->counts.ctx ? &c->counts : NULL
    };
    return true;
}

static void end(struct event_call *c)
{
    view_unref(c->find.view);
    arena_free(&c->arena);
}

static void reply_query(struct event_call *c, int rc, const struct query_error *error)
{
    if (rc == ERR_NOENT)
        api_reply_error(c->call->req, 404, "no_event", "no event of this issue is stored any more");
    else if (error->code != QUERY_OK)
        api_reply_query_error(c->call->req, error);
    else
        api_reply_error(c->call->req, 503, "stopping", "%s", err_text(rc));
}

static const struct query_project *project_of(const struct event_call *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->who.projects_n; i++)
        if (c->who.projects[i].id == id)
            return &c->who.projects[i];
    return NULL;
}

// ---- issues ----

// "42" or "SHOP-42" -> 42, and "SHOP".
static bool issue_parse(str text, str *ret_slug, int64_t *ret_issue)
{
    size_t at = text.len;
    uint64_t n;
    while (at > 0 && text.ptr[at - 1] != '-')
        at--;
    if (!parse_u64(str_slice(text, at, text.len), &n) || n == 0 || n > INT64_MAX)
        return false;
    *ret_slug = at ? str_slice(text, 0, at - 1) : (str){ 0 };
    *ret_issue = (int64_t)n;
    return true;
}

// The issue in the path, when the caller may read it. false: answered.
static bool issue_of_path(struct event_call *c, int64_t *ret_issue)
{
    const struct query_issues *issues = c->who.issues;
    uint32_t project;
    str slug, *hashes;
    size_t n;
    int rc = ERR_NOENT;
    if (issues && issue_parse(c->call->params[0], &slug, ret_issue))
        rc = issues->hashes(issues->ctx, *ret_issue, &c->arena, &project, &hashes, &n);
    const struct query_project *p = rc == 0 ? project_of(c, project) : NULL;
    if (p && (!slug.len || str_ieq(slug, p->name)))
        return true;
    if (rc < 0 && rc != ERR_NOENT)
        api_reply_error(c->call->req, 503, "internal", "the issue cannot be read: %s", err_text(rc));
    else
        api_reply_error(c->call->req, 404, "no_issue", "there is no such issue (or you may not see it)");
    return false;
}

// 0: it is in none.
static int issue_of_event(const struct event_call *c, const struct event *e, int64_t *ret_issue)
{
    const struct query_issues *issues = c->who.issues;
    *ret_issue = 0;
    if (!issues || !e->group.len)
        return 0;
    int rc = issues->of_hash(issues->ctx, e->project, e->group, ret_issue);
    return rc == ERR_NOENT ? 0 : rc;
}

// ---- one event ----

static void put_uint(struct json_writer *w, str key, uint64_t n)
{
    json_put_key(w, key);
    json_put_uint(w, n);
}

// "SHOP-42"
static void put_issue(struct json_writer *w, int64_t issue, str slug)
{
    char text[80];
    size_t n = 0;
    put_uint(w, STR("issue"), (uint64_t)issue);
    for (; n < slug.len && n < 50; n++)
        text[n] = slug.ptr[n] >= 'a' && slug.ptr[n] <= 'z' ? (char)(slug.ptr[n] - 32) : slug.ptr[n];
    text[n++] = '-';
    n += (size_t)fmt_u64(text + n, (uint64_t)issue);
    api_put_text(w, STR("short"), str_of(text, n));
}

static void put_place(struct json_writer *w, const struct event_place *place)
{
    if (!place->of)
        return;
    put_uint(w, STR("index"), place->index);
    put_uint(w, STR("of"), place->of);
    api_put_text(w, STR("previous"), place->previous);
    api_put_text(w, STR("next"), place->next);
}

// Files that came with the event.
static int put_attachments(struct event_call *c, struct json_writer *w, const struct event *e, struct err *err)
{
    uint32_t project = e->project;
    struct artifact_filter f = { .projects = &project,
                                 .projects_n = 1,
                                 .kinds = artifact_kind_bit(ARTIFACT_ATTACHMENT) |
                                          artifact_kind_bit(ARTIFACT_MINIDUMP) |
                                          artifact_kind_bit(ARTIFACT_APPLE_CRASH_REPORT),
                                 .event = e->id,
                                 .limit = EVENT_ATTACHMENTS_MAX };
    struct artifact *list;
    char url[48];
    size_t n;
    int rc = c->call->api->options.artifacts
                 ? artifact_list(c->call->api->options.artifacts, &f, &c->arena, &list, &n, err)
                 : ERR_NOENT;
    if (rc < 0 || n == 0)
        return rc == ERR_NOENT ? 0 : rc;
    json_put_key(w, STR("attachments"));
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(w);
        put_uint(w, STR("id"), (uint64_t)list[i].id);
        api_put_text(w, STR("name"), list[i].name);
        api_put_text(w, STR("type"), list[i].content_type);
        put_uint(w, STR("size"), list[i].size);
        snprintf(url, sizeof url, "/api/v1/artifacts/%lld", (long long)list[i].id);
        api_put_text(w, STR("url"), str_z(url));
        json_put_object_end(w);
    }
    json_put_array_end(w);
    return 0;
}

// What people wrote about it.
static int put_feedback(struct event_call *c, struct json_writer *w, const struct event *e, struct err *err)
{
    struct feedback *list;
    size_t n;
    if (!c->call->api->options.artifacts)
        return 0;
    int rc = feedback_of_event(c->call->api->options.artifacts, e->project, e->id, &c->arena, &list, &n, err);
    if (rc < 0 || n == 0)
        return rc;
    json_put_key(w, STR("feedback"));
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(w);
        json_put_key(w, STR("time"));
        api_put_time(w, list[i].time);
        api_put_text(w, STR("name"), list[i].name);
        api_put_text(w, STR("email"), list[i].email);
        api_put_text(w, STR("comments"), list[i].comments);
        api_put_text(w, STR("url"), list[i].url);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    return 0;
}

// What probes have captured in the event's trace.
static void put_snapshots(struct event_call *c, struct json_writer *w, const struct event *e)
{
    char hex[33] = { 0 };
    if (!be64_get(e->trace) && !be64_get(e->trace + 8))
        return;
    hex_encode(hex, e->trace, 16);
    int rc = api_put_trace_snapshots(c->call, w, &c->who, c->find.view, hex);
    if (rc < 0)
        log_warn("api", "the snapshots of an event's trace could not be listed");
}

static void reply_event(struct event_call *c, const struct event *e, int64_t issue, const struct event_place *place)
{
    struct grouping_rules *rules = ingest_grouping_rules(c->call->api->options.ingest, e->project);
    struct event_writing how = { .values = c->who.values, .symbols = c->call->api->options.symbols, .grouping = rules };
    if (c->call->api->options.owners) {
        how.source = owners_source;
        how.source_ctx = c->call->api->options.owners;
    }
    const struct query_project *p = project_of(c, e->project);
    struct err err = { 0 };
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    if (issue)
        put_issue(&w, issue, p ? p->name : (str){ 0 });
    api_put_text(&w, STR("project"), p ? p->name : (str){ 0 });
    put_place(&w, place);
    int rc = event_put(&w, e, &how, &c->arena, &err);
    if (rc == 0)
        rc = put_attachments(c, &w, e, &err);
    if (rc == 0)
        rc = put_feedback(c, &w, e, &err);
    if (rc == 0)
        put_snapshots(c, &w, e);
    json_put_object_end(&w);
    grouping_rules_free(rules);
    if (rc == 0) {
        api_reply_json_take(c->call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api_reply_err(c->call->req, &err);
}

// A read of values is entered in the audit trail before it is one. false: answered.
static bool note_values(struct event_call *c, const struct event *e)
{
    struct arena_mark mark = arena_mark(&c->arena);
    bool reads = c->who.values && event_has_vars(e, &c->arena);
    arena_rewind(&c->arena, mark);
    if (!reads)
        return true;
    str target = arena_printf(&c->arena, "event %.*s", STR_ARG(e->id));
    if (target.ptr && api_values_read(c->call, target, STR("")) == 0)
        return true;
    api_reply_error(c->call->req, 503, "audit", "reading values could not be entered in the audit trail");
    return false;
}

static void show_event(struct event_call *c, const struct event *e, int64_t issue)
{
    struct event_place place = { 0 };
    struct query_error error = { 0 };
    if (!note_values(c, e))
        return;
    int rc = issue ? event_place(&c->find, issue, e, &place, &error) : 0;
    if (rc < 0)
        reply_query(c, rc, &error);
    else
        reply_event(c, e, issue, &place);
}

static bool find_event(struct event_call *c, str id, struct event *ret)
{
    struct err err = { 0 };
    if (event_find(&c->find, id, c->hint, ret, &err) == 0)
        return true;
    api_reply_err(c->call->req, &err);
    return false;
}

static bool id_of_path(struct event_call *c, str text, char hex[33])
{
    if (event_id_parse(text, hex))
        return true;
    api_reply_error(c->call->req, 400, "bad_argument", "an event id has 32 hex digits");
    return false;
}

static void event_run(struct event_call *c)
{
    struct event e;
    int64_t issue;
    char hex[33];
    if (!id_of_path(c, c->call->params[0], hex) || !find_event(c, str_z(hex), &e))
        return;
    int rc = issue_of_event(c, &e, &issue);
    if (rc < 0)
        api_reply_error(c->call->req, 503, "internal", "the event's issue cannot be read: %s", err_text(rc));
    else
        show_event(c, &e, issue);
}

void api_event(struct api_call *call)
{
    struct event_call c;
    if (!begin(&c, call))
        return;
    event_run(&c);
    end(&c);
}

static void event_json_run(struct event_call *c)
{
    struct event e;
    struct err err = { 0 };
    struct buf body;
    struct json_writer w;
    char hex[33];
    if (!id_of_path(c, c->call->params[0], hex) || !find_event(c, str_z(hex), &e))
        return;
    if (!e.json.len) {
        api_reply_error(c->call->req, 404, "no_event", "this event came without JSON of its own");
        return;
    }
    if (!note_values(c, &e))
        return;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    int rc = event_put_json(&w, &e, c->who.values, &c->arena, &err);
    if (rc == 0) {
        api_reply_json_take(c->call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api_reply_err(c->call->req, &err);
}

void api_event_json(struct api_call *call)
{
    struct event_call c;
    if (!begin(&c, call))
        return;
    event_json_run(&c);
    end(&c);
}

static void issue_event_run(struct event_call *c)
{
    static const str words[] = { STR_INIT("latest"), STR_INIT("oldest"), STR_INIT("recommended") };
    struct query_error error = { 0 };
    struct event e;
    int64_t issue, found;
    str id = { 0 };
    char hex[33];
    int rc;
    if (!issue_of_path(c, &issue))
        return;
    for (int i = 0; i < 3; i++) {
        if (!str_eq(c->call->params[1], words[i]))
            continue;
        rc = event_pick(&c->find, issue, (enum event_which)i, &id, &c->hint, &error);
        if (rc < 0) {
            reply_query(c, rc, &error);
            return;
        }
    }
    if (!id.len) {
        if (!id_of_path(c, c->call->params[1], hex))
            return;
        id = str_z(hex);
    }
    if (!find_event(c, id, &e))
        return;
    rc = issue_of_event(c, &e, &found);
    if (rc < 0)
        api_reply_error(c->call->req, 503, "internal", "the event's issue cannot be read: %s", err_text(rc));
    else if (found != issue)
        api_reply_error(c->call->req, 404, "no_event", "the event is not one of this issue");
    else
        show_event(c, &e, issue);
}

void api_issue_event(struct api_call *call)
{
    struct event_call c;
    if (!begin(&c, call))
        return;
    issue_event_run(&c);
    end(&c);
}

// ---- the events of an issue ----

static int put_event_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct json_writer *w = ctx;
    json_put_object(w);
    for (uint32_t i = 0; i < n; i++) {
        const struct qval *v = &cells[i].value;
        if (v->type == QVAL_TIME) {
            json_put_key(w, cells[i].name);
            api_put_time(w, v->i);
        } else if (v->type == QVAL_ID) {
            json_put_key(w, cells[i].name);
            json_put_hex(w, bytes_of(v->id, v->id_n));
        } else if (v->type == QVAL_STR) {
            api_put_text(w, cells[i].name, v->s);
        }
    }
    json_put_object_end(w);
    return w->out->error;
}

static int put_events_end(void *ctx, const struct query_stats *stats)
{
    struct json_writer *w = ctx;
    json_put_array_end(w);
    api_put_text(w, STR("next"), stats->next);
    return 0;
}

static void issue_events_run(struct event_call *c)
{
    struct query_request q = c->who;
    struct query_error error = { 0 };
    struct buf body;
    struct json_writer w;
    struct query_output out = { &w, put_event_row, put_events_end };
    uint64_t limit = EVENTS_LIMIT;
    int64_t issue;
    str filter;
    if (!issue_of_path(c, &issue) || !api_param_range(c->call, &q) || !api_param(c->call, STR("query"), &filter) ||
        !api_param(c->call, STR("cursor"), &q.after) ||
        !api_param_uint(c->call, STR("limit"), 1, EVENTS_LIMIT_MAX, &limit))
        return;
    if (!q.has_from) {
        q.has_from = true;
        q.from = INT64_MIN;
    }
    q.limit = limit;
    // The filter on a line of its own: it may end in a comment.
    q.text = arena_printf(&c->arena,
                          "events issue=%lld%s%.*s%s | select event_id, time, title, release, environment, user, "
                          "trace, service",
                          (long long)issue, filter.len ? " | where (" : "", STR_ARG(filter), filter.len ? "\n)" : "");
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("events"));
    json_put_array(&w);
    int rc = q.text.ptr ? query_run(&q, c->find.view, &out, &error) : query_fail(&error, QUERY_E_MEMORY, "no memory");
    json_put_object_end(&w);
    if (rc == 0) {
        api_reply_json_take(c->call->req, 200, &body);
        return;
    }
    buf_free(&body);
    reply_query(c, rc, &error);
}

void api_issue_events(struct api_call *call)
{
    struct event_call c;
    if (!begin(&c, call))
        return;
    issue_events_run(&c);
    end(&c);
}
