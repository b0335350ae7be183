// Error events of a project, and rows of logs and events as `sentry-cli logs` and scripts ask for them.
#include "api/api0_search.h"

#include "events/events.h"
#include "monitors/monitors.h"
#include "query/result_json.h"
#include "wire/sentry_event.h"

#include <stdio.h>

enum { EVENTS_PAGE = 100, ROWS_PAGE = 1000, DEEPEST = 10000, FIELDS_MAX = 20 };

// Rows of a page on their way into an array: the first `at` were on pages before.
struct paging {
    struct json_writer *w;
    struct api0_page page;
    size_t seen;
    void (*put)(struct paging *p, const struct query_cell *cells, uint32_t n);
    const struct field *fields;
    size_t fields_n;
    struct api_call *call;
};

static int page_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct paging *p = ctx;
    if (p->seen >= p->page.at && p->seen < p->page.at + p->page.n)
        p->put(p, cells, n);
    p->seen++;
    return 0;
}

static int page_end(void *ctx, const struct query_stats *stats) { return 0; }

static const struct qval *cell_of(const struct query_cell *cells, uint32_t n, str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(cells[i].name, name) && cells[i].value.type != QVAL_MISSING)
            return &cells[i].value;
    return NULL;
}

static str text_of(const struct query_cell *cells, uint32_t n, str name)
{
    const struct qval *v = cell_of(cells, n, name);
    return v && (v->type == QVAL_STR || v->type == QVAL_ENUM) ? v->s : (str){ 0 };
}

// A page of what `text` finds; the writer's array is open. false: answered.
static bool run_page(struct api_call *call, struct query_request *q, struct paging *p, struct buf *text)
{
    struct query_output out = { p, page_row, page_end };
    if (p->page.at + p->page.n > DEEPEST) {
        api0_error(call->req, 400, "Invalid cursor parameter: narrow the search after %d rows", DEEPEST);
        return false;
    }
    buf_printf(text, " | limit %zu", p->page.at + p->page.n + 1);
    if (text->error) {
        api0_error(call->req, 400, "The query is too long");
        return false;
    }
    q->text = buf_view(text);
    return api0_search_run(call, q, &out);
}

static void put_tag(struct json_writer *w, str key, str value)
{
    if (!value.len)
        return;
    json_put_object(w);
    api0_put_text(w, STR("key"), key);
    api0_put_text(w, STR("value"), value);
    json_put_object_end(w);
}

static void put_event(struct paging *p, const struct query_cell *cells, uint32_t n)
{
    static const str tags[] = { STR_INIT("environment"), STR_INIT("release"), STR_INIT("transaction"), STR_INIT("host"),
                                STR_INIT("mechanism") };
    struct json_writer *w = p->w;
    const struct qval *time = cell_of(cells, n, STR("time")), *level = cell_of(cells, n, STR("level"));
    const struct qval *issue = cell_of(cells, n, STR("issue"));
    str id = text_of(cells, n, STR("event_id")), user = text_of(cells, n, STR("user"));
    json_put_object(w);
    api0_put_text(w, STR("id"), id);
    api0_put_text(w, STR("eventID"), id);
    json_put_key(w, STR("groupID"));
    if (issue && issue->type == QVAL_INT) {
        char number[24];
        json_put_str(w, str_of(number, (size_t)snprintf(number, sizeof number, "%lld", (long long)issue->i)));
    } else {
        json_put_null(w);
    }
    api0_put_time(w, STR("dateCreated"), time ? time->i : 0);
    api0_put_text(w, STR("title"), text_of(cells, n, STR("title")));
    api0_put_text(w, STR("message"), text_of(cells, n, STR("message")));
    api0_put_known(w, STR("culprit"), text_of(cells, n, STR("culprit")));
    api0_put_known(w, STR("platform"), text_of(cells, n, STR("platform")));
    api0_put_text(w, STR("event.type"), text_of(cells, n, STR("type")).len ? STR("error") : STR("default"));
    json_put_key(w, STR("tags"));
    json_put_array(w);
    if (level)
        put_tag(w, STR("level"), sentry_level_word(level->i));
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        put_tag(w, tags[i], text_of(cells, n, tags[i]));
    json_put_array_end(w);
    json_put_key(w, STR("user"));
    if (user.len) {
        json_put_object(w);
        api0_put_text(w, STR("id"), user);
        api0_put_known(w, STR("email"), text_of(cells, n, STR("user.email")));
        api0_put_known(w, STR("username"), text_of(cells, n, STR("user.username")));
        api0_put_known(w, STR("ip_address"), text_of(cells, n, STR("user.ip_address")));
        json_put_object_end(w);
    } else {
        json_put_null(w);
    }
    json_put_object_end(w);
}

static const str event_columns =
    STR_INIT(" | select time, event_id, title, message, culprit, platform, type, level, issue, environment, release, "
             "transaction, host, mechanism, user, user.email, user.username, user.ip_address");

// Events of one project, newest first; filter: of ours, may be empty.
static void reply_events(struct api_call *call, struct query_request *q, str filter)
{
    struct paging p = { .put = put_event };
    struct json_writer w;
    struct buf body, text;
    str search;
    if (!api0_page_read(call, EVENTS_PAGE, &p.page) || !api0_param(call, STR("query"), &search) ||
        !api0_search_range(call, q))
        return;
    api0_begin(&w, &body);
    p.w = &w;
    buf_init(&text, 16 << 10);
    buf_str(&text, STR("events"));
    buf_str(&text, filter);
    json_put_array(&w);
    bool ok = api0_search_put(call, q, search, &text);
    buf_str(&text, event_columns);
    ok = ok && run_page(call, q, &p, &text);
    buf_free(&text);
    if (!ok) {
        buf_free(&body);
        return;
    }
    json_put_array_end(&w);
    api0_reply_page_take(call, &p.page, p.seen, &body);
}

void api0_events_list(struct api_call *call)
{
    struct query_request q;
    struct meta_project p;
    if (!api0_project(call, call->params[1], &p) || !api_query_begin(call, &q))
        return;
    struct query_project only = { (uint32_t)p.id, str_z(p.slug) };
    q.projects = &only;
    q.projects_n = 1;
    reply_events(call, &q, (str){ 0 });
}

// The project and the event's id of the path. false: answered.
static bool event_of_path(struct api_call *call, struct query_request *q, struct query_project *only, char hex[33])
{
    struct meta_project p;
    if (!api0_project(call, call->params[1], &p) || !api_query_begin(call, q))
        return false;
    for (uint32_t i = 0; i < q->projects_n; i++)
        if (q->projects[i].id == (uint64_t)p.id)
            *only = q->projects[i];
    q->projects = only;
    q->projects_n = 1;
    if (event_id_parse(call->params[2], hex))
        return true;
    api0_error(call->req, 404, "The requested resource does not exist: an event id has 32 hex digits");
    return false;
}

static void no_event(struct api_call *call)
{
    api0_error(call->req, 404, "The requested resource does not exist: there is no such event");
}

void api0_event_show(struct api_call *call)
{
    struct paging p = { .put = put_event, .page = { 0, 1 } };
    struct query_project only = { 0 };
    struct query_request q;
    struct json_writer w;
    struct buf body, text;
    char hex[33];
    if (!event_of_path(call, &q, &only, hex) || !api0_search_range(call, &q))
        return;
    q.from = 0; // whenever it was
    api0_begin(&w, &body);
    p.w = &w;
    buf_init(&text, 4096);
    buf_printf(&text, "events event_id='%s'%.*s", hex, STR_ARG(event_columns));
    bool ok = run_page(call, &q, &p, &text);
    buf_free(&text);
    if (ok && p.seen) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    if (ok)
        no_event(call);
}

// As it was sent and scrubbed, without local variables: those are read on the pages and in queries, where it is noted.
void api0_event_json(struct api_call *call)
{
    struct query_project only = { 0 };
    struct query_request q;
    struct view *view = NULL;
    struct event e;
    struct err err = { 0 };
    struct json_writer w;
    struct buf body;
    char hex[33];
    if (!event_of_path(call, &q, &only, hex))
        return;
    int rc = store_view(call->api->options.store, &view);
    if (rc < 0) {
        api0_error(call->req, 503, "The store cannot be read: %s", err_text(rc));
        return;
    }
    struct event_request find = { .view = view, .who = &q, .arena = &call->req->arena };
    rc = event_find(&find, str_z(hex), 0, &e, &err);
    api0_begin(&w, &body);
    if (rc == 0)
        rc = e.json.len ? event_put_json(&w, &e, false, &call->req->arena, &err) : ERR_NOENT;
    view_unref(view);
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    if (rc == ERR_NOENT)
        no_event(call);
    else
        api0_reply_err(call->req, &err);
}

void api0_events_of_issue(struct api_call *call, uint32_t project, int64_t issue)
{
    struct query_request q;
    if (!api_query_begin(call, &q))
        return;
    struct query_project only = { 0 };
    for (uint32_t i = 0; i < q.projects_n; i++)
        if (q.projects[i].id == project)
            only = q.projects[i];
    q.projects = &only;
    q.projects_n = only.id != 0;
    char filter[32];
    reply_events(call, &q, str_of(filter, (size_t)snprintf(filter, sizeof filter, " issue=%lld", (long long)issue)));
}

// --- monitors

// Why its configuration is not used: not in Sentry's shape, where a bad one is refused.
static bool trouble_of(struct api_call *call, str project, str slug, str *ret)
{
    struct meta_project found;
    const struct api_options *o = &call->api->options;
    return meta_project_find(o->meta, project, &found, NULL) == 0 &&
           monitors_trouble(o->monitors, (uint32_t)found.id, slug, &call->req->arena, ret, NULL) == 0;
}

static void put_monitor(struct paging *p, const struct query_cell *cells, uint32_t n)
{
    struct json_writer *w = p->w;
    const struct qval *time = cell_of(cells, n, STR("time"));
    str name = text_of(cells, n, STR("name")), project = text_of(cells, n, STR("project")), trouble = { 0 };
    json_put_object(w);
    api0_put_text(w, STR("id"), name);
    api0_put_text(w, STR("slug"), name);
    api0_put_text(w, STR("name"), name);
    api0_put_text(w, STR("status"), STR("active"));
    api0_put_text(w, STR("lastStatus"), text_of(cells, n, STR("status")));
    api0_put_time(w, STR("lastCheckIn"), time ? time->i : 0);
    api0_put_text(w, STR("projectSlug"), project);
    if (trouble_of(p->call, project, name, &trouble) && trouble.len)
        api0_put_text(w, STR("trouble"), trouble);
    json_put_object_end(w);
}

// A monitor is what has checked in: each with its newest check-in.
void api0_monitors_list(struct api_call *call)
{
    struct paging p = { .put = put_monitor, .call = call };
    struct query_request q;
    struct json_writer w;
    struct buf body, text;
    if (!api0_page_read(call, EVENTS_PAGE, &p.page) || !api_query_begin(call, &q) || !api0_search_projects(call, &q) ||
        !api0_search_range(call, &q))
        return;
    api0_begin(&w, &body);
    p.w = &w;
    buf_init(&text, 1024);
    buf_str(&text, STR("checks | limit 1 by project, name | select time, name, status, project"));
    json_put_array(&w);
    bool ok = run_page(call, &q, &p, &text);
    buf_free(&text);
    if (!ok) {
        buf_free(&body);
        return;
    }
    json_put_array_end(&w);
    api0_reply_page_take(call, &p.page, p.seen, &body);
}

// --- rows of a data set

struct field {
    str asked, column;
};

static str column_of(str dataset, str field)
{
    static const struct {
        str field, logs, events;
    } names[] = {
        { STR_INIT("timestamp"), STR_INIT("time"), STR_INIT("time") },
        { STR_INIT("timestamp_precise"), STR_INIT("time"), STR_INIT("time") },
        { STR_INIT("sentry.item_id"), STR_INIT("id"), STR_INIT("event_id") },
        { STR_INIT("id"), STR_INIT("id"), STR_INIT("event_id") },
        { STR_INIT("message"), STR_INIT("body"), STR_INIT("message") },
        { STR_INIT("severity"), STR_INIT("level"), STR_INIT("level") },
        { STR_INIT("project.name"), STR_INIT("project"), STR_INIT("project") },
        { STR_INIT("error.type"), STR_INIT("type"), STR_INIT("type") },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(names[i].field, field))
            return str_eq(dataset, STR("logs")) ? names[i].logs : names[i].events;
    return field;
}

static bool column_ok(str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i && c >= '0' && c <= '9') || c == '_' ||
              (c == '.' && i && i + 1 < name.len)))
            return false;
    }
    return name.len > 0;
}

// Parameters `field`. false: answered.
static bool fields_read(struct api_call *call, str dataset, struct field fields[FIELDS_MAX], size_t *ret_n)
{
    str name, value;
    size_t at = 0, n = 0;
    int rc = 0;
    while (http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc)) {
        if (!str_eq(name, STR("field")))
            continue;
        str column = column_of(dataset, value);
        if (n == FIELDS_MAX || !column_ok(column)) {
            api0_error(call->req, 400, "Invalid field: %.*s (plain names, at most %d)",
                       STR_ARG(str_slice(value, 0, 60)), FIELDS_MAX);
            return false;
        }
        fields[n++] = (struct field){ value, column };
    }
    if (rc < 0 || n == 0) {
        api0_error(call->req, 400, "No columns selected: field=NAME");
        return false;
    }
    *ret_n = n;
    return true;
}

static void put_fields(struct paging *p, const struct query_cell *cells, uint32_t n)
{
    struct result_json rj = { 0 };
    json_put_object(p->w);
    for (size_t i = 0; i < p->fields_n; i++) {
        const struct qval *v = cell_of(cells, n, p->fields[i].column);
        json_put_key(p->w, p->fields[i].asked);
        if (v)
            result_put_value(&rj, p->w, v);
        else
            json_put_null(p->w);
    }
    json_put_object_end(p->w);
}

// A column once, however many fields are it.
static void put_select(struct buf *text, const struct field *fields, size_t n)
{
    buf_str(text, STR(" | select "));
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = str_eq(fields[k].column, fields[i].column);
        if (!again)
            buf_printf(text, "%s%.*s", i ? ", " : "", STR_ARG(fields[i].column));
    }
}

void api0_rows(struct api_call *call)
{
    struct field fields[FIELDS_MAX];
    struct paging p = { .put = put_fields, .fields = fields };
    struct query_request q;
    struct json_writer w;
    struct buf body, text;
    str dataset, search, sort;
    if (!api0_page_read(call, ROWS_PAGE, &p.page) || !api0_param(call, STR("dataset"), &dataset) ||
        !api0_param(call, STR("query"), &search) || !api0_param(call, STR("sort"), &sort))
        return;
    if (str_eq(dataset, STR("ourlogs")))
        dataset = STR("logs");
    bool logs = str_eq(dataset, STR("logs"));
    if (!logs && dataset.len && !str_eq(dataset, STR("errors"))) {
        api0_error(call->req, 400, "dataset must be logs or errors");
        return;
    }
    if (!fields_read(call, dataset, fields, &p.fields_n) || !api_query_begin(call, &q) ||
        !api0_search_projects(call, &q) || !api0_search_range(call, &q))
        return;
    api0_begin(&w, &body);
    p.w = &w;
    buf_init(&text, 16 << 10);
    buf_str(&text, logs ? STR("logs") : STR("events"));
    json_put_object(&w);
    json_put_key(&w, STR("data"));
    json_put_array(&w);
    bool ok = api0_search_put(call, &q, search, &text);
    if (str_eq(sort, STR("timestamp")))
        buf_str(&text, STR(" | sort time"));
    put_select(&text, fields, p.fields_n);
    ok = ok && run_page(call, &q, &p, &text);
    buf_free(&text);
    if (!ok) {
        buf_free(&body);
        return;
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    api0_reply_page_take(call, &p.page, p.seen, &body);
}
