// Issues: lists, one, its events, and changes of many at once.
#include "api/api0_issue.h"

#include "base/clock.h"
#include "base/numfmt.h"

#include <stdio.h>
#include <stdlib.h>

// The projects of a request and all issues of theirs.
struct listing {
    struct meta_project *projects;
    size_t projects_n;
    struct issues_filter filter;
    char who[META_NAME_MAX + 1];
    int64_t from, to;
    struct issue_row *rows;
    size_t n;
};

static bool in_project(const struct api_call *call) { return str_starts(call->req->path, STR("/api/0/projects/")); }

static int order_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool listing_begin(struct api_call *call, struct listing *l)
{
    *l = (struct listing){ .to = clock_unix_ns() + 1 }; // whenever they were seen
    if (in_project(call)) {
        l->projects_n = 1;
        l->projects = arena_alloc(&call->req->arena, sizeof *l->projects);
        if (!l->projects || !api0_project(call, call->params[1], l->projects))
            return false;
    } else if (!api0_projects(call, &l->projects, &l->projects_n)) {
        return false;
    }
    uint32_t *ids = arena_alloc_array(&call->req->arena, l->projects_n, sizeof *ids);
    if (!ids) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    for (size_t i = 0; i < l->projects_n; i++)
        ids[i] = (uint32_t)l->projects[i].id;
    if (l->projects_n)
        qsort(ids, l->projects_n, sizeof *ids, order_id);
    l->filter = (struct issues_filter){ .projects = ids,
                                        .projects_n = (uint32_t)l->projects_n,
                                        .who = api_actor(call, l->who) };
    return true;
}

struct wanting {
    const struct listing *l;
    const struct api0_issue_search *search;
};

static bool want(void *ctx, const struct issue_row *row)
{
    const struct wanting *w = ctx;
    const struct meta_project *p = api0_project_of(w->l->projects, w->l->projects_n, row->project);
    return p && api0_issue_matches(w->search, row, str_z(p->slug), w->l->filter.who);
}

static bool listing_read(struct api_call *call, struct listing *l, const struct api0_issue_search *search)
{
    struct wanting w = { l, search };
    struct err err;
    l->filter.want = want;
    l->filter.ctx = &w;
    int rc =
        issues_rows(call->api->options.issues, &l->filter, l->from, l->to, &call->req->arena, &l->rows, &l->n, &err);
    l->filter.want = NULL;
    if (rc < 0)
        api0_reply_err(call->req, &err);
    return rc >= 0;
}

static int by_last(const void *a, const void *b)
{
    const struct issue_row *x = a, *y = b;
    return x->last != y->last ? (x->last < y->last) - (x->last > y->last) : (x->id < y->id) - (x->id > y->id);
}
static int by_first(const void *a, const void *b)
{
    const struct issue_row *x = a, *y = b;
    return x->first != y->first ? (x->first < y->first) - (x->first > y->first) : (x->id < y->id) - (x->id > y->id);
}
static int by_events(const void *a, const void *b)
{
    const struct issue_row *x = a, *y = b;
    return x->total_events != y->total_events
               ? (x->total_events < y->total_events) - (x->total_events > y->total_events)
               : by_last(a, b);
}
static int by_users(const void *a, const void *b)
{
    const struct issue_row *x = a, *y = b;
    return x->total_users != y->total_users ? (x->total_users < y->total_users) - (x->total_users > y->total_users)
                                            : by_last(a, b);
}

void api0_issues_list(struct api_call *call)
{
    struct api0_issue_search search;
    struct api0_page page;
    struct listing l;
    struct json_writer w;
    struct buf body;
    str sort;
    if (!api0_page_read(call, 100, &page) || !api0_param(call, STR("sort"), &sort) ||
        !api0_issue_search_read(call, "is:unresolved", &search) || !listing_begin(call, &l) ||
        !listing_read(call, &l, &search))
        return;
    if (l.n)
        qsort(l.rows, l.n, sizeof *l.rows,
              str_eq(sort, STR("new"))    ? by_first
              : str_eq(sort, STR("freq")) ? by_events
              : str_eq(sort, STR("user")) ? by_users
                                          : by_last);
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < l.n && i < page.at + page.n; i++)
        api0_put_issue(&w, call, api0_project_of(l.projects, l.projects_n, l.rows[i].project), &l.rows[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, l.n, &body);
}

// The issue of the path: the last segment but one or the last. false: answered.
static bool issue_of_path(struct api_call *call, struct listing *l, struct issue_row *ret_row)
{
    struct err err;
    str text = call->params[str_starts(call->req->path, STR("/api/0/organizations/")) ? 1 : 0], slug;
    if (!listing_begin(call, l))
        return false;
    int64_t id = api0_issue_number(text, &slug);
    int rc =
        id ? issues_row(call->api->options.issues, &l->filter, id, l->from, l->to, &call->req->arena, ret_row, &err)
           : ERR_NOENT;
    const struct meta_project *p = rc == 0 ? api0_project_of(l->projects, l->projects_n, ret_row->project) : NULL;
    if (p && (!slug.len || str_ieq(slug, str_z(p->slug))))
        return true;
    if (rc == 0 || rc == ERR_NOENT)
        api0_error(call->req, 404, "The requested resource does not exist: there is no such issue");
    else
        api0_reply_err(call->req, &err);
    return false;
}

static void reply_issue(struct api_call *call, const struct listing *l, const struct issue_row *row)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    api0_put_issue(&w, call, api0_project_of(l->projects, l->projects_n, row->project), row);
    api_reply_json_take(call->req, 200, &body);
}

void api0_issue_show(struct api_call *call)
{
    struct issue_row row;
    struct listing l;
    if (issue_of_path(call, &l, &row))
        reply_issue(call, &l, &row);
}

void api0_issue_events(struct api_call *call)
{
    struct issue_row row;
    struct listing l;
    if (issue_of_path(call, &l, &row))
        api0_events_of_issue(call, row.project, row.id);
}

// --- changes

static bool bad_change(struct api_call *call, const char *why)
{
    api0_error(call->req, 400, "%s", why);
    return false;
}

// {"ignoreDuration": minutes, "ignoreCount": n, "ignoreWindow": minutes, "ignoreUserCount": n}
static bool read_until(struct api_call *call, const struct json_node *in, struct issue_until_rule *u)
{
    const struct json_node *details = json_get(in, STR("statusDetails"));
    const struct json_node *node;
    int64_t minutes = 0, n = 0, window = 0;
    if (!(node = json_get(in, STR("snoozeDuration"))) && !(node = json_get(in, STR("ignoreDuration"))))
        node = json_get(details, STR("ignoreDuration"));
    if (node && (!json_int_of(node, &minutes) || minutes <= 0 || minutes > 1000000))
        return bad_change(call, "a duration is a number of minutes");
    const struct json_node *count = json_get(details, STR("ignoreCount"));
    const struct json_node *users = json_get(details, STR("ignoreUserCount"));
    if ((count || users) && (!json_int_of(count ? count : users, &n) || n <= 0))
        return bad_change(call, "a count is a whole number above zero");
    if ((node = json_get(details, STR("ignoreWindow"))) &&
        (!json_int_of(node, &window) || window < 0 || window > 1000000))
        return bad_change(call, "a window is a number of minutes");
    *u = (struct issue_until_rule){ .kind = UNTIL_FOREVER, .n = n, .window_s = window * 60 };
    if (minutes) {
        u->kind = UNTIL_TIME;
        u->time = clock_unix_ns() + minutes * 60 * NS_PER_S;
    } else if (count) {
        u->kind = UNTIL_EVENTS;
    } else if (users) {
        u->kind = UNTIL_USERS;
    } else if (str_eq(json_get_text(in, STR("substatus")), STR("archived_until_escalating"))) {
        u->kind = UNTIL_ESCALATING;
    }
    return true;
}

static void read_resolution(const struct json_node *in, str status, struct issue_resolution *r)
{
    const struct json_node *details = json_get(in, STR("statusDetails"));
    const struct json_node *next = json_get(details, STR("inNextRelease")),
                           *commit = json_get(details, STR("inCommit"));
    str release = json_get_text(details, STR("inRelease"));
    *r = (struct issue_resolution){ .kind = RESOLVED_NOW };
    if (str_eq(status, STR("resolvedInNextRelease")) || json_is(next, JSON_TRUE)) {
        r->kind = RESOLVED_NEXT_RELEASE;
    } else if (release.len) {
        r->kind = RESOLVED_RELEASE;
        r->release = release;
    } else if (commit) {
        r->kind = RESOLVED_COMMIT;
        r->commit = json_is(commit, JSON_STRING) ? commit->text : json_get_text(commit, STR("commit"));
    }
}

// "user:name", "team:name", a name, or "" and null for nobody.
static bool read_assignee(struct api_call *call, const struct json_node *in, struct issue_change *c)
{
    const struct json_node *node = NULL;
    for (const struct json_node *m = in->first; m; m = m->next)
        if (str_eq(m->key, STR("assignedTo")))
            node = m;
    if (!node)
        return true;
    if (node->type != JSON_STRING && node->type != JSON_NULL)
        return bad_change(call, "assignedTo is a name, user:NAME, team:NAME or empty");
    str text = node->type == JSON_STRING ? node->text : (str){ 0 };
    ptrdiff_t colon = str_find_char(text, ':', 0);
    c->has_assignee = true;
    if (text.len) {
        str kind = colon < 0 ? STR("user") : str_slice(text, 0, (size_t)colon);
        c->assignee = (struct issue_assignee){ kind, colon < 0 ? text : str_slice(text, (size_t)colon + 1, text.len) };
        if (!str_eq(kind, STR("user")) && !str_eq(kind, STR("team")))
            return bad_change(call, "assignedTo is a name, user:NAME, team:NAME or empty");
    }
    return true;
}

static bool change_read(struct api_call *call, const struct json_node *in, struct issue_change *c)
{
    str status = json_get_text(in, STR("status")), priority = json_get_text(in, STR("priority"));
    const struct json_node *seen = json_get(in, STR("hasSeen"));
    *c = (struct issue_change){ 0 };
    if (!json_is(in, JSON_OBJECT))
        return bad_change(call, "the body is an object");
    if (status.len) {
        c->has_state = true;
        if (str_starts(status, STR("resolved"))) {
            c->state = ISSUE_RESOLVED;
            read_resolution(in, status, &c->resolved);
        } else if (str_eq(status, STR("unresolved"))) {
            c->state = ISSUE_ONGOING;
        } else if (str_eq(status, STR("ignored")) || str_eq(status, STR("muted")) || str_eq(status, STR("archived"))) {
            c->state = ISSUE_ARCHIVED;
            if (!read_until(call, in, &c->until))
                return false;
        } else {
            return bad_change(call, "status must be resolved, resolvedInNextRelease, unresolved or ignored");
        }
    }
    if (priority.len) {
        c->has_priority = true;
        c->priority = str_eq(priority, STR("high"))     ? PRIORITY_HIGH
                      : str_eq(priority, STR("medium")) ? PRIORITY_MEDIUM
                      : str_eq(priority, STR("low"))    ? PRIORITY_LOW
                                                        : PRIORITY_AUTO;
        if (c->priority == PRIORITY_AUTO)
            return bad_change(call, "priority must be high, medium or low");
    }
    if (seen) {
        c->has_seen = true;
        c->seen = seen->type == JSON_TRUE;
    }
    return read_assignee(call, in, c);
}

// "latest" is a matter of the issue's project; what the next release is, the issue knows.
static int change_one(struct api_call *call, const struct listing *l, const struct issue_row *row,
                      const struct issue_change *change, struct err *err)
{
    struct issue_change c = *change;
    bool latest = c.has_state && c.state == ISSUE_RESOLVED && c.resolved.kind == RESOLVED_RELEASE &&
                  str_eq(c.resolved.release, STR("latest"));
    if (latest) {
        int rc =
            releases_latest(call->api->options.releases, row->project, &call->req->arena, &c.resolved.release, err);
        if (rc == ERR_NOENT) // without releases: now
            c.resolved = (struct issue_resolution){ .kind = RESOLVED_NOW };
        else if (rc < 0)
            return rc;
    }
    return issues_change(call->api->options.issues, l->filter.who, row->id, &c, err);
}

static void reply_change(struct api_call *call, const struct issue_change *c)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    json_put_object(&w);
    if (c->has_state)
        api0_put_text(&w, STR("status"), api0_issue_status(c->state));
    if (c->has_priority)
        api0_put_text(&w, STR("priority"), issue_priority_word(c->priority));
    if (c->has_seen) {
        json_put_key(&w, STR("hasSeen"));
        json_put_bool(&w, c->seen);
    }
    json_put_key(&w, STR("statusDetails"));
    json_put_object(&w);
    json_put_object_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api0_issues_change(struct api_call *call)
{
    const struct json_node *in;
    struct api0_issue_search search;
    struct issue_change change;
    struct listing l;
    struct err err;
    if (!api0_issue_search_read(call, "", &search) || !api0_body(call, &in) || !change_read(call, in, &change) ||
        !listing_begin(call, &l) || !listing_read(call, &l, &search))
        return;
    if (l.n > API0_ISSUES_CHANGE) {
        api0_error(call->req, 400, "These are %zu issues: at most %d can be changed at once", l.n, API0_ISSUES_CHANGE);
        return;
    }
    for (size_t i = 0; i < l.n; i++) {
        int rc = change_one(call, &l, &l.rows[i], &change, &err);
        if (rc < 0 && rc != ERR_NOENT) {
            api0_reply_err(call->req, &err);
            return;
        }
    }
    if (l.n)
        reply_change(call, &change);
    else
        api_reply_nothing(call->req, 204);
}

void api0_issue_change(struct api_call *call)
{
    const struct json_node *in;
    struct issue_change change;
    struct issue_row row;
    struct listing l;
    struct err err;
    if (!issue_of_path(call, &l, &row) || !api0_body(call, &in) || !change_read(call, in, &change))
        return;
    int rc = change_one(call, &l, &row, &change, &err);
    if (rc == 0)
        rc = issues_row(call->api->options.issues, &l.filter, row.id, l.from, l.to, &call->req->arena, &row, &err);
    if (rc < 0)
        api0_reply_err(call->req, &err);
    else
        reply_issue(call, &l, &row);
}
