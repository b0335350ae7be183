// Monitors: jobs, when they are due, and how they went.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "issues/issues.h"
#include "monitors/monitors.h"

enum { MONITOR_DEPTH = 8, CHECKS_DEFAULT = 50, LIST_DEFAULT = 100 };

static void put_number(struct json_writer *w, str key, int64_t n)
{
    json_put_key(w, key);
    json_put_int(w, n);
}

static str slug_of(struct api_call *call, uint32_t project)
{
    struct meta_project p;
    if (meta_project_get(call->api->options.meta, project, &p, NULL) < 0)
        return (str){ 0 };
    return arena_printf(&call->req->arena, "%s", p.slug);
}

static void put_check(struct json_writer *w, const struct monitor_check *c)
{
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_hex(w, bytes_of(c->id, 16));
    api_put_text(w, STR("status"), check_status_word(c->status));
    json_put_key(w, STR("time"));
    api_put_time(w, c->time);
    api_put_optional_time(w, STR("expected"), c->expected);
    if (c->duration >= 0)
        put_number(w, STR("duration"), c->duration);
    if (c->has_trace) {
        json_put_key(w, STR("trace"));
        json_put_hex(w, bytes_of(c->trace, 16));
    }
    json_put_object_end(w);
}

static void put_issue(struct json_writer *w, struct api_call *call, const struct monitor_row *row,
                      const struct monitor_environment *e)
{
    int64_t issue;
    if (issues_of_hash(call->api->options.issues, row->monitor.project, e->hash, &issue) == 0)
        put_number(w, STR("issue"), issue);
}

static void put_environment(struct json_writer *w, struct api_call *call, const struct monitor_row *row,
                            const struct monitor_environment *e)
{
    json_put_object(w);
    api_put_text(w, STR("environment"), e->name);
    api_put_text(w, STR("status"), e->any ? check_status_word(e->status) : STR("waiting"));
    api_put_optional_time(w, STR("last"), e->last);
    api_put_optional_time(w, STR("next"), e->next);
    if (e->duration >= 0)
        put_number(w, STR("duration"), e->duration);
    api_put_optional_time(w, STR("failing_since"), e->failing_since);
    put_number(w, STR("failures"), e->failures);
    put_issue(w, call, row, e);
    json_put_key(w, STR("counts"));
    json_put_object(w);
    for (int s = 0; s < CHECK_STATUSES; s++)
        put_number(w, check_status_word((enum check_status)s), (int64_t)e->count[s]);
    json_put_object_end(w);
    json_put_key(w, STR("checks"));
    json_put_array(w);
    for (size_t i = 0; i < e->checks_n; i++)
        put_check(w, &e->checks[i]);
    json_put_array_end(w);
    json_put_object_end(w);
}

static void put_schedule(struct json_writer *w, const struct monitor *m)
{
    if (!m->scheduled)
        return;
    json_put_key(w, STR("schedule"));
    json_put_object(w);
    api_put_text(w, STR("type"), m->crontab.len ? STR("crontab") : STR("interval"));
    if (m->crontab.len) {
        api_put_text(w, STR("value"), m->crontab);
    } else {
        put_number(w, STR("every"), m->every);
        api_put_text(w, STR("unit"), schedule_unit_word(m->unit));
    }
    api_put_text(w, STR("timezone"), m->timezone.len ? m->timezone : STR("UTC"));
    json_put_object_end(w);
}

static void put_monitor(struct json_writer *w, struct api_call *call, const struct monitor_row *row)
{
    const struct monitor *m = &row->monitor;
    json_put_object(w);
    put_number(w, STR("id"), m->id);
    api_put_text(w, STR("slug"), m->slug);
    api_put_text(w, STR("name"), m->name);
    api_put_text(w, STR("project"), slug_of(call, m->project));
    put_schedule(w, m);
    if (m->trouble.len)
        api_put_text(w, STR("trouble"), m->trouble);
    put_number(w, STR("margin_s"), m->margin_s);
    put_number(w, STR("max_runtime_s"), m->max_runtime_s);
    put_number(w, STR("failure_threshold"), m->failure_threshold);
    put_number(w, STR("recovery_threshold"), m->recovery_threshold);
    json_put_key(w, STR("muted"));
    json_put_bool(w, m->muted);
    json_put_key(w, STR("disabled"));
    json_put_bool(w, m->disabled);
    json_put_key(w, STR("created"));
    api_put_time(w, m->created);
    json_put_key(w, STR("environments"));
    json_put_array(w);
    for (size_t i = 0; i < row->environments_n; i++)
        put_environment(w, call, row, &row->environments[i]);
    json_put_array_end(w);
    json_put_object_end(w);
}

// The projects that the caller may see, or the one that it asks for. false: answered.
static bool projects_of(struct api_call *call, uint32_t **ret_ids, size_t *ret_n)
{
    struct meta_project *list = NULL;
    struct err err;
    str slug;
    size_t n = 0, kept = 0;
    if (!api_param(call, STR("project"), &slug))
        return false;
    if (meta_project_list(call->api->options.meta, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    uint32_t *ids = arena_alloc_array(&call->req->arena, n + 1, sizeof *ids);
    for (size_t i = 0; i < n && ids; i++)
        if ((call->caller.project == 0 || call->caller.project == list[i].id) &&
            (slug.len == 0 || str_eq(slug, str_z(list[i].slug))))
            ids[kept++] = (uint32_t)list[i].id;
    mem_free(list);
    if (!ids || (slug.len && !kept)) {
        api_reply_error(call->req, ids ? 404 : 503, ids ? "no_project" : "memory",
                        ids ? "there is no such project" : "out of memory");
        return false;
    }
    *ret_ids = ids;
    *ret_n = kept;
    return true;
}

// id 0: all.
static bool rows_of(struct api_call *call, int64_t id, size_t checks, struct monitor_row **ret, size_t *ret_n)
{
    struct query_request range = { 0 };
    struct err err;
    uint32_t *projects;
    size_t n;
    int64_t now = clock_unix_ns();
    if (!projects_of(call, &projects, &n) || !api_param_range(call, &range))
        return false;
    int64_t from = range.has_from ? range.from : now - 86400 * NS_PER_S, to = range.has_to ? range.to : now;
    if (monitors_list(call->api->options.monitors, projects, n, id, from, to, checks, &call->req->arena, ret, ret_n,
                      &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    return true;
}

void api_monitors(struct api_call *call)
{
    struct monitor_row *rows;
    struct buf body;
    struct json_writer w;
    uint64_t checks = CHECKS_DEFAULT;
    size_t n = 0;
    if (!api_param_uint(call, STR("checks"), 0, MONITOR_CHECKS_MAX, &checks) || !rows_of(call, 0, checks, &rows, &n))
        return;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("monitors"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_monitor(&w, call, &rows[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// The monitor of the path, which the caller may see. false: answered.
static bool of_path(struct api_call *call, struct monitor_row *ret)
{
    struct monitor_row *rows;
    int64_t id;
    size_t n = 0;
    if (!api_path_id(call, 0, "no_monitor", &id) || !rows_of(call, id > 0 ? id : -1, CHECKS_DEFAULT, &rows, &n))
        return false;
    if (n == 0) {
        api_reply_error(call->req, 404, "no_monitor", "there is no such monitor");
        return false;
    }
    *ret = rows[0];
    return true;
}

static void reply_monitor(struct api_call *call, int status, int64_t id)
{
    struct monitor_row *rows;
    struct buf body;
    struct json_writer w;
    size_t n = 0;
    if (!rows_of(call, id, CHECKS_DEFAULT, &rows, &n))
        return;
    if (n == 0) {
        api_reply_error(call->req, 404, "no_monitor", "there is no such monitor");
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    put_monitor(&w, call, &rows[0]);
    api_reply_json_take(call->req, status, &body);
}

void api_monitor(struct api_call *call)
{
    int64_t id;
    if (api_path_id(call, 0, "no_monitor", &id))
        reply_monitor(call, 200, id > 0 ? id : -1);
}

// ---- changing ------------------------------------------------------------------------------------------

static bool take_int(struct api_call *call, const struct json_node *root, const char *name, int64_t *ret)
{
    const struct json_node *n = json_get(root, str_z(name));
    if (!n || json_int_of(n, ret))
        return true;
    api_reply_error(call->req, 400, "bad_monitor", "%s must be a whole number", name);
    return false;
}

// What is not in the body stays as it is.
static bool take_monitor(struct api_call *call, const struct json_node *root, struct monitor *m)
{
    const struct json_node *schedule = json_get(root, STR("schedule"));
    str slug = json_get_text(root, STR("slug")), name = json_get_text(root, STR("name"));
    m->slug = slug.len ? slug : m->slug;
    m->name = name.len ? name : m->name;
    if (!take_int(call, root, "margin_s", &m->margin_s) || !take_int(call, root, "max_runtime_s", &m->max_runtime_s) ||
        !take_int(call, root, "failure_threshold", &m->failure_threshold) ||
        !take_int(call, root, "recovery_threshold", &m->recovery_threshold))
        return false;
    if (!schedule)
        return true;
    m->trouble = (str){ 0 }; // what the job brings is no longer what counts, until it brings it again
    m->scheduled = true;
    m->timezone = json_get_text(schedule, STR("timezone"));
    if (str_eq(m->timezone, STR("UTC")))
        m->timezone = (str){ 0 };
    m->crontab = (str){ 0 };
    if (str_eq(json_get_text(schedule, STR("type")), STR("crontab"))) {
        m->crontab = json_get_text(schedule, STR("value"));
        if (m->crontab.len)
            return true;
        api_reply_error(call->req, 400, "bad_monitor", "schedule.value is missing");
        return false;
    }
    struct schedule s;
    struct err err = { 0 };
    m->every = 0;
    if (!take_int(call, schedule, "every", &m->every))
        return false;
    if (schedule_interval(m->every, json_get_text(schedule, STR("unit")), &s, &err) < 0) {
        err_set_place(&err, "schedule");
        api_reply_member(call->req, &err);
        return false;
    }
    m->unit = s.unit;
    return true;
}

static void save(struct api_call *call, struct monitor *m, const struct json_node *root)
{
    struct err err = { 0 };
    int64_t id;
    if (!take_monitor(call, root, m))
        return;
    if (monitors_save(call->api->options.monitors, m, &id, &err) < 0)
        api_reply_member(call->req, &err);
    else
        reply_monitor(call, m->id ? 200 : 201, id);
}

void api_monitor_add(struct api_call *call)
{
    const struct json_node *root;
    struct monitor m = { .margin_s = 60, .max_runtime_s = 1800, .failure_threshold = 1, .recovery_threshold = 1 };
    if (!api_may_change(call, "monitors") || !api_body_object(call, MONITOR_DEPTH, &root))
        return;
    m.project = (uint32_t)api_project_by_slug(call, json_get_text(root, STR("project")));
    if (m.project)
        save(call, &m, root);
}

void api_monitor_change(struct api_call *call)
{
    const struct json_node *root;
    struct monitor_row row;
    if (!api_may_change(call, "monitors") || !api_body_object(call, MONITOR_DEPTH, &root) || !of_path(call, &row))
        return;
    const struct json_node *muted = json_get(root, STR("muted")), *disabled = json_get(root, STR("disabled"));
    row.monitor.muted = muted ? muted->type == JSON_TRUE : row.monitor.muted;
    row.monitor.disabled = disabled ? disabled->type == JSON_TRUE : row.monitor.disabled;
    save(call, &row.monitor, root);
}

void api_monitor_remove(struct api_call *call)
{
    struct monitor_row row;
    struct err err;
    if (!api_may_change(call, "monitors") || !of_path(call, &row))
        return;
    if (monitors_remove(call->api->options.monitors, row.monitor.id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_monitor_checks(struct api_call *call)
{
    struct monitor_row row;
    struct monitor_check *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    str environment, before_text;
    uint64_t limit = LIST_DEFAULT;
    int64_t before = 0;
    size_t n = 0;
    if (!of_path(call, &row) || !api_param(call, STR("environment"), &environment) ||
        !api_param(call, STR("before"), &before_text) ||
        !api_param_uint(call, STR("limit"), 1, MONITOR_CHECKS_MAX, &limit))
        return;
    if (before_text.len && !api_time(before_text, (str){ 0 }, &before)) {
        api_reply_error(call->req, 400, "bad_time", "before is not a time");
        return;
    }
    if (monitors_checks(call->api->options.monitors, row.monitor.id, environment.len ? environment : STR("production"),
                        before, limit, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("checks"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_check(&w, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
