// One issue, and what people do with issues.
//
// Triage is for everybody who may sign in and see the issue; a token needs `admin`, so that one made to read cannot change.
#include "api/issue_json.h"

#include "base/json_tree.h"
#include "meta/audit.h"

#include <stdio.h>

enum { ACTIVITY_MAX = 200, BODY_DEPTH = 8, BUCKETS_DEFAULT = 60 };

// The issue of the path. false: answered.
static bool of_path(struct api_call *call, const struct query_request *who, int64_t *ret_id, uint32_t *ret_project)
{
    if (issue_named(call, who, call->params[0], ret_id, ret_project))
        return true;
    api_reply_error(call->req, 404, "no_issue", "there is no such issue (or you may not see it)");
    return false;
}

// ---- one issue -----------------------------------------------------------------------------------------

static void put_time(struct json_writer *w, str key, int64_t ns)
{
    json_put_key(w, key);
    api_put_time(w, ns);
}

static void put_series(struct json_writer *w, const struct issue_row *row, int64_t from, int64_t to, uint32_t buckets)
{
    json_put_key(w, STR("series"));
    json_put_object(w);
    json_put_key(w, STR("time"));
    json_put_array(w);
    for (uint32_t i = 0; i < buckets; i++)
        api_put_time(w, from + (int64_t)((__int128)(to - from) * i / buckets));
    json_put_array_end(w);
    json_put_key(w, STR("events"));
    json_put_array(w);
    for (uint32_t i = 0; i < buckets; i++)
        json_put_uint(w, row->spark[i]);
    json_put_array_end(w);
    json_put_object_end(w);
}

static void put_tally(struct json_writer *w, str key, str name, const struct issue_tally_row *rows, size_t n)
{
    json_put_key(w, key);
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(w);
        json_put_key(w, name);
        json_put_str(w, rows[i].name); // empty: the rest
        json_put_key(w, STR("events"));
        json_put_uint(w, rows[i].events);
        put_time(w, STR("first"), rows[i].first);
        put_time(w, STR("last"), rows[i].last);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_groups(struct json_writer *w, const struct issue_detail *d)
{
    json_put_key(w, STR("groups"));
    json_put_array(w);
    for (size_t i = 0; i < d->groups_n; i++) {
        json_put_object(w);
        api_put_text(w, STR("hash"), d->groups[i].hash);
        json_put_key(w, STR("events"));
        json_put_uint(w, d->groups[i].events);
        if (d->groups[i].events) {
            put_time(w, STR("first"), d->groups[i].first);
            put_time(w, STR("last"), d->groups[i].last);
        }
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_users(struct json_writer *w, const struct issue_detail *d)
{
    json_put_key(w, STR("top_users"));
    json_put_array(w);
    for (size_t i = 0; i < d->users_n; i++) {
        json_put_object(w);
        api_put_text(w, STR("id"), d->users[i].id);
        api_put_text(w, STR("label"), d->users[i].label);
        json_put_key(w, STR("events"));
        json_put_uint(w, d->users[i].events);
        put_time(w, STR("last"), d->users[i].last);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_activity(struct json_writer *w, const struct issue_activity *list, size_t n)
{
    json_put_key(w, STR("activity"));
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(w);
        json_put_key(w, STR("id"));
        json_put_int(w, list[i].id);
        put_time(w, STR("time"), list[i].time);
        api_put_text(w, STR("actor"), list[i].actor);
        api_put_text(w, STR("kind"), list[i].kind);
        api_put_text(w, STR("text"), list[i].text);
        if (list[i].data.len) {
            json_put_key(w, STR("data"));
            json_put_raw(w, list[i].data);
        }
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_samples(struct json_writer *w, const struct issue_detail *d)
{
    static const uint8_t none[16];
    const struct {
        str key;
        const uint8_t *id;
    } samples[] = { { STR("latest"), d->row.sample_latest },
                    { STR("oldest"), d->sample_first },
                    { STR("recommended"), d->sample_recommended } };
    json_put_key(w, STR("samples"));
    json_put_object(w);
    for (size_t i = 0; i < 3; i++)
        if (memcmp(samples[i].id, none, 16) != 0) {
            json_put_key(w, samples[i].key);
            json_put_hex(w, bytes_of(samples[i].id, 16));
        }
    json_put_object_end(w);
}

static void reply_issue(struct api_call *call, const struct query_request *who, int status, int64_t id)
{
    struct issue_detail d;
    struct issue_activity *activity;
    struct err err = { 0 };
    struct buf body;
    struct json_writer w;
    uint64_t buckets = BUCKETS_DEFAULT;
    uint32_t projects[META_PROJECTS_MAX > 64 ? 64 : META_PROJECTS_MAX], project;
    int64_t from, to;
    size_t activity_n = 0;
    char actor[META_NAME_MAX + 1];
    struct issues_filter f = { .projects = projects, .projects_n = 1, .who = api_actor(call, actor) };
    if (!api_param_uint(call, STR("buckets"), 2, ISSUE_BUCKETS_MAX, &buckets))
        return;
    f.buckets = (uint32_t)buckets;
    issue_range(who, &from, &to);
    int r = issues_find(call->api->options.issues, id, &id, &project);
    projects[0] = project;
    if (r == 0)
        r = issues_detail(call->api->options.issues, &f, id, from, to, &call->req->arena, &d, &err);
    else
        err_set(&err, r, "no_issue", "there is no such issue");
    if (r == 0)
        r = issues_activity(call->api->options.issues, id, ACTIVITY_MAX, &call->req->arena, &activity, &activity_n,
                            &err);
    if (r < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    issue_put(&w, who, &d.row, (uint32_t)buckets);
    issue_put_causes(call, &w, id, true);
    put_series(&w, &d.row, from, to, (uint32_t)buckets);
    put_tally(&w, STR("releases"), STR("release"), d.releases, d.releases_n);
    put_tally(&w, STR("environments"), STR("environment"), d.environments, d.environments_n);
    put_groups(&w, &d);
    put_users(&w, &d);
    put_samples(&w, &d);
    put_activity(&w, activity, activity_n);
    json_put_object_end(&w);
    api_reply_json_take(call->req, status, &body);
}

void api_issue(struct api_call *call)
{
    struct query_request who;
    int64_t id;
    uint32_t project;
    if (api_query_begin(call, &who) && api_param_range(call, &who) && of_path(call, &who, &id, &project))
        reply_issue(call, &who, 200, id);
}

// ---- changing ------------------------------------------------------------------------------------------

static bool bad(struct api_call *call, const char *member, const char *why)
{
    api_reply_error(call->req, 400, "bad_change", "%s %s", member, why);
    return false;
}

static bool read_until(struct api_call *call, const struct json_node *node, struct issue_until_rule *u)
{
    static const str kinds[] = { STR_INIT("forever"), STR_INIT("escalating"), STR_INIT("time"), STR_INIT("events"),
                                 STR_INIT("users") };
    str kind = json_get_text(node, STR("kind")), time = json_get_text(node, STR("time"));
    const struct json_node *n = json_get(node, STR("n")), *window = json_get(node, STR("window_s"));
    bool known = false;
    for (int i = 0; i < 5; i++)
        if (str_eq(kind, kinds[i])) {
            u->kind = (enum issue_until)i;
            known = true;
        }
    if (!known)
        return bad(call, "until.kind", "is forever, escalating, time, events or users");
    if (time.len && !api_time(time, (str){ 0 }, &u->time))
        return bad(call, "until.time", "is not a time");
    if ((n && !json_int_of(n, &u->n)) || (window && !json_int_of(window, &u->window_s)))
        return bad(call, "until", "has a number that is none");
    return true;
}

static bool read_resolved(struct api_call *call, const struct json_node *node, struct issue_resolution *r)
{
    static const str kinds[] = { STR_INIT("now"), STR_INIT("release"), STR_INIT("next_release"), STR_INIT("commit") };
    str kind = json_get_text(node, STR("kind"));
    bool known = false;
    for (int i = 0; i < 4; i++)
        if (str_eq(kind, kinds[i])) {
            r->kind = (enum issue_resolved)i;
            known = true;
        }
    if (!known)
        return bad(call, "resolved_in.kind", "is now, release, next_release or commit");
    r->release = json_get_text(node, STR("release"));
    r->commit = json_get_text(node, STR("commit"));
    if (r->kind == RESOLVED_COMMIT && !r->commit.len)
        return bad(call, "resolved_in.commit", "is missing");
    return true;
}

// The member, also when it is null.
static const struct json_node *member(const struct json_node *root, str name)
{
    for (const struct json_node *n = root->first; n; n = n->next)
        if (str_eq(n->key, name))
            return n;
    return NULL;
}

static bool read_change(struct api_call *call, const struct json_node *root, struct issue_change *c)
{
    const struct json_node *state = json_get(root, STR("state")), *until = json_get(root, STR("until")),
                           *in = json_get(root, STR("resolved_in")), *assignee = member(root, STR("assignee")),
                           *priority = member(root, STR("priority")), *seen = json_get(root, STR("seen"));
    if (state) {
        c->has_state = true;
        if (!issue_state_of(json_text_of(state), &c->state))
            return bad(call, "state", "is ongoing, archived or resolved");
    }
    if (until && !read_until(call, until, &c->until))
        return false;
    if (!until && c->has_state && c->state == ISSUE_ARCHIVED)
        c->until.kind = UNTIL_ESCALATING;
    if (in && !read_resolved(call, in, &c->resolved))
        return false;
    if (assignee) {
        c->has_assignee = true;
        c->assignee =
            (struct issue_assignee){ json_get_text(assignee, STR("kind")), json_get_text(assignee, STR("name")) };
        if (assignee->type != JSON_NULL && (!c->assignee.kind.len || !c->assignee.name.len))
            return bad(call, "assignee", "is {\"kind\":\"user\" or \"team\",\"name\"} or null");
    }
    if (priority) {
        str word = json_text_of(priority);
        c->has_priority = true;
        c->priority = str_eq(word, STR("high"))     ? PRIORITY_HIGH
                      : str_eq(word, STR("medium")) ? PRIORITY_MEDIUM
                      : str_eq(word, STR("low"))    ? PRIORITY_LOW
                                                    : PRIORITY_AUTO;
        if (priority->type != JSON_NULL && c->priority == PRIORITY_AUTO)
            return bad(call, "priority", "is high, medium, low or null");
    }
    if (seen) {
        c->has_seen = true;
        c->seen = seen->type == JSON_TRUE;
    }
    if (!c->has_state && !c->has_assignee && !c->has_priority && !c->has_seen)
        return bad(call, "the body", "changes nothing: state, assignee, priority or seen");
    return true;
}

// Numbers, or names like SHOP-42.
static bool read_ids(struct api_call *call, const struct query_request *who, const struct json_node *root,
                     int64_t **ret_ids, size_t *ret_n)
{
    const struct json_node *list = json_get(root, STR("ids"));
    size_t n = 0;
    if (!json_is(list, JSON_ARRAY) || list->n == 0 || list->n > ISSUE_CHANGE_MAX)
        return bad(call, "ids", "is an array of 1 to 500 issues");
    int64_t *ids = arena_alloc_array(&call->req->arena, list->n, sizeof *ids);
    for (const struct json_node *i = list->first; i && ids; i = i->next) {
        uint32_t project;
        str name = i->type == JSON_STRING || i->type == JSON_NUMBER ? i->text : (str){ 0 };
        if (!issue_named(call, who, name, &ids[n++], &project)) {
            api_reply_error(call->req, 404, "no_issue", "there is no issue %.*s (or you may not see it)",
                            STR_ARG(str_slice(name, 0, 60)));
            return false;
        }
    }
    *ret_ids = ids;
    *ret_n = n;
    return ids || bad(call, "ids", "are too many");
}

static void put_changed(struct api_call *call, const struct query_request *who, struct json_writer *w, int64_t id)
{
    struct issue_row row;
    uint32_t project;
    int64_t from, to;
    char actor[META_NAME_MAX + 1];
    struct issues_filter f = { .projects = &project, .projects_n = 1, .who = api_actor(call, actor) };
    issue_range(who, &from, &to);
    if (issues_find(call->api->options.issues, id, &id, &project) < 0 ||
        issues_row(call->api->options.issues, &f, id, from, to, &call->req->arena, &row, NULL) < 0)
        return;
    json_put_object(w);
    issue_put(w, who, &row, 0);
    issue_put_causes(call, w, id, false);
    json_put_object_end(w);
}

struct failed {
    int64_t id;
    struct err err;
};

void api_issues_change(struct api_call *call)
{
    const struct json_node *root;
    struct query_request who;
    struct issue_change change = { 0 };
    struct failed *failed;
    struct buf body;
    struct json_writer w;
    int64_t *ids;
    size_t n, failed_n = 0;
    char actor[META_NAME_MAX + 1];
    if (!api_may_change(call, "issues") || !api_query_begin(call, &who) || !api_param_range(call, &who) ||
        !api_body_object(call, BODY_DEPTH, &root) || !read_change(call, root, &change) ||
        !read_ids(call, &who, root, &ids, &n))
        return;
    if (!(failed = arena_alloc_array(&call->req->arena, n, sizeof *failed))) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("issues"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        struct failed *f = &failed[failed_n];
        *f = (struct failed){ .id = ids[i] };
        if (issues_change(call->api->options.issues, api_actor(call, actor), ids[i], &change, &f->err) < 0)
            failed_n++;
        else
            put_changed(call, &who, &w, ids[i]);
    }
    json_put_array_end(&w);
    json_put_key(&w, STR("failed"));
    json_put_array(&w);
    for (size_t i = 0; i < failed_n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("id"));
        json_put_int(&w, failed[i].id);
        json_put_key(&w, STR("error"));
        json_put_object(&w);
        api_put_text(&w, STR("code"), str_z(failed[i].err.slug[0] ? failed[i].err.slug : "error"));
        api_put_text(&w, STR("message"), str_z(failed[i].err.message));
        json_put_object_end(&w);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (failed_n == n) { // none was changed: that is an error, not an answer
        buf_free(&body);
        api_reply_err(call->req, &failed[0].err);
        return;
    }
    api_reply_json_take(call->req, 200, &body);
}

static void audit(struct api_call *call, const char *action, int64_t id, const char *detail)
{
    char actor[META_NAME_MAX + 1], target[32];
    snprintf(target, sizeof target, "issue %lld", (long long)id);
    meta_audit_add(call->api->options.meta, api_actor(call, actor), action, str_z(target), str_z(detail), NULL);
}

void api_issues_merge(struct api_call *call)
{
    const struct json_node *root;
    struct query_request who;
    struct err err = { 0 };
    int64_t *ids, id;
    size_t n, at = 0;
    char actor[META_NAME_MAX + 1], detail[200] = "";
    if (!api_may_change(call, "issues") || !api_query_begin(call, &who) || !api_param_range(call, &who) ||
        !api_body_object(call, BODY_DEPTH, &root) || !read_ids(call, &who, root, &ids, &n))
        return;
    if (issues_merge(call->api->options.issues, api_actor(call, actor), ids, n, &id, &err) < 0) {
        api_reply_member(call->req, &err);
        return;
    }
    for (size_t i = 0; i < n && at < sizeof detail - 24; i++)
        at += (size_t)snprintf(detail + at, sizeof detail - at, "%s%lld", i ? ", " : "of ", (long long)ids[i]);
    audit(call, "issue.merge", id, detail);
    reply_issue(call, &who, 200, id);
}

void api_issue_unmerge(struct api_call *call)
{
    const struct json_node *root;
    struct query_request who;
    struct err err = { 0 };
    str hashes[ISSUE_CHANGE_MAX];
    int64_t id, made;
    uint32_t project;
    size_t n = 0;
    char actor[META_NAME_MAX + 1];
    if (!api_may_change(call, "issues") || !api_query_begin(call, &who) || !api_param_range(call, &who) ||
        !of_path(call, &who, &id, &project) || !api_body_object(call, BODY_DEPTH, &root))
        return;
    const struct json_node *list = json_get(root, STR("hashes"));
    if (!json_is(list, JSON_ARRAY) || list->n > ISSUE_CHANGE_MAX) {
        bad(call, "hashes", "is an array of the issue's hashes");
        return;
    }
    for (const struct json_node *i = list->first; i; i = i->next)
        hashes[n++] = json_text_of(i);
    if (issues_unmerge(call->api->options.issues, api_actor(call, actor), id, hashes, n, &made, &err) < 0) {
        api_reply_member(call->req, &err);
        return;
    }
    audit(call, "issue.unmerge", id, "");
    reply_issue(call, &who, 201, made);
}

static int text_member(void *ctx, str name, struct json_reader *r)
{
    return str_eq(name, STR("text")) ? json_text(r, ctx) : ERR_INVALID;
}

void api_issue_comment(struct api_call *call)
{
    struct query_request who;
    struct err err = { 0 };
    int64_t id, comment;
    uint32_t project;
    str text = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!api_may_change(call, "issues") || !api_query_begin(call, &who) || !api_param_range(call, &who) ||
        !of_path(call, &who, &id, &project) || !api_body_read(call, text_member, &text))
        return;
    if (issues_comment(call->api->options.issues, api_actor(call, actor), id, text, &comment, &err) < 0)
        api_reply_member(call->req, &err);
    else
        reply_issue(call, &who, 201, id);
}

void api_issue_comment_remove(struct api_call *call)
{
    struct query_request who;
    struct err err = { 0 };
    int64_t id, comment;
    uint32_t project;
    char actor[META_NAME_MAX + 1];
    if (!api_may_change(call, "issues") || !api_query_begin(call, &who) || !of_path(call, &who, &id, &project) ||
        !api_path_id(call, 1, "no_comment", &comment))
        return;
    bool any = call->caller.scopes & META_SCOPE_ADMIN;
    if (issues_comment_remove(call->api->options.issues, api_actor(call, actor), any, id, comment, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
