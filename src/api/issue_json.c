#include "api/issue_json.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/numfmt.h"
#include "wire/sentry_event.h"

#include <stdio.h>

#define RANGE_DEFAULT_NS (24 * 3600 * NS_PER_S)

static void put_uint(struct json_writer *w, str key, uint64_t n)
{
    json_put_key(w, key);
    json_put_uint(w, n);
}

static str slug_of(const struct query_request *who, uint32_t project)
{
    for (uint32_t i = 0; i < who->projects_n; i++)
        if (who->projects[i].id == project)
            return who->projects[i].name;
    return (str){ 0 };
}

static void put_short(struct json_writer *w, str slug, int64_t id)
{
    char text[META_NAME_MAX + 24];
    size_t n = 0;
    for (; n < slug.len && n < META_NAME_MAX; n++)
        text[n] = (char)(slug.ptr[n] >= 'a' && slug.ptr[n] <= 'z' ? slug.ptr[n] - 32 : slug.ptr[n]);
    n += (size_t)snprintf(text + n, sizeof text - n, "-%lld", (long long)id);
    json_put_key(w, STR("short"));
    json_put_str(w, str_of(text, n));
}

static void put_until(struct json_writer *w, const struct issue_until_rule *u)
{
    static const str kinds[] = { STR_INIT("forever"), STR_INIT("escalating"), STR_INIT("time"), STR_INIT("events"),
                                 STR_INIT("users") };
    json_put_key(w, STR("until"));
    json_put_object(w);
    api_put_text(w, STR("kind"), kinds[u->kind]);
    if (u->kind == UNTIL_TIME)
        api_put_optional_time(w, STR("time"), u->time);
    if (u->n)
        put_uint(w, STR("n"), (uint64_t)u->n);
    if (u->window_s)
        put_uint(w, STR("window_s"), (uint64_t)u->window_s);
    json_put_object_end(w);
}

static void put_resolved(struct json_writer *w, const struct issue_resolution *r)
{
    static const str kinds[] = { STR_INIT("now"), STR_INIT("release"), STR_INIT("next_release"), STR_INIT("commit") };
    json_put_key(w, STR("resolved_in"));
    json_put_object(w);
    api_put_text(w, STR("kind"), kinds[r->kind]);
    api_put_text(w, STR("release"), r->release);
    api_put_text(w, STR("commit"), r->commit);
    json_put_object_end(w);
}

void issue_put(struct json_writer *w, const struct query_request *who, const struct issue_row *row, uint32_t buckets)
{
    str slug = slug_of(who, row->project);
    put_uint(w, STR("id"), (uint64_t)row->id);
    put_short(w, slug, row->id);
    api_put_text(w, STR("project"), slug);
    api_put_text(w, STR("title"), row->title.len ? row->title : STR("<no title>"));
    api_put_text(w, STR("type"), row->type);
    api_put_text(w, STR("value"), row->value);
    api_put_text(w, STR("culprit"), row->culprit);
    api_put_text(w, STR("level"), sentry_level_word(row->severity));
    api_put_text(w, STR("platform"), row->platform);
    if (row->handled >= 0) {
        json_put_key(w, STR("handled"));
        json_put_bool(w, row->handled);
    }
    api_put_text(w, STR("state"), issue_state_word(row->state));
    json_put_key(w, STR("since"));
    api_put_time(w, row->since);
    if (row->state == ISSUE_ARCHIVED)
        put_until(w, &row->until);
    if (row->state == ISSUE_RESOLVED)
        put_resolved(w, &row->resolved);
    api_put_text(w, STR("reason"), row->reason);
    api_put_text(w, STR("priority"), issue_priority_word(row->priority));
    json_put_key(w, STR("priority_set"));
    json_put_bool(w, row->priority_set);
    if (row->assignee.name.len) {
        json_put_key(w, STR("assignee"));
        json_put_object(w);
        api_put_text(w, STR("kind"), row->assignee.kind);
        api_put_text(w, STR("name"), row->assignee.name);
        json_put_object_end(w);
    }
    json_put_key(w, STR("first"));
    api_put_time(w, row->first);
    json_put_key(w, STR("last"));
    api_put_time(w, row->last);
    put_uint(w, STR("events"), row->events);
    put_uint(w, STR("users"), row->users);
    json_put_key(w, STR("users_approx"));
    json_put_bool(w, row->users_approx);
    put_uint(w, STR("total_events"), row->total_events);
    put_uint(w, STR("total_users"), row->total_users);
    if (row->spark) {
        json_put_key(w, STR("spark"));
        json_put_array(w);
        for (uint32_t i = 0; i < buckets; i++)
            json_put_uint(w, row->spark[i]);
        json_put_array_end(w);
    }
    api_put_text(w, STR("first_release"), row->first_release);
    api_put_text(w, STR("last_release"), row->last_release);
    json_put_key(w, STR("services"));
    json_put_array(w);
    for (uint32_t i = 0; i < row->services_n; i++)
        json_put_str(w, row->services[i]);
    json_put_array_end(w);
    json_put_key(w, STR("seen"));
    json_put_bool(w, row->seen);
    put_uint(w, STR("hashes"), row->hashes);
}

// An answer without them is better than none: what went wrong is the server's log's.
void issue_put_causes(struct api_call *call, struct json_writer *w, int64_t issue, bool look)
{
    struct owners *owners = call->api->options.owners;
    struct issue_causes c = { 0 };
    struct err err = { 0 };
    if (!owners)
        return;
    int r = look ? owners_look(owners, issue, &call->req->arena, &c, &err)
                 : owners_kept(owners, issue, &call->req->arena, &c, &err);
    if (r < 0)
        log_warn("issues", "owners of issue %lld: %s", (long long)issue, err.message[0] ? err.message : err_text(r));
    if (c.owners.len) {
        json_put_key(w, STR("owners"));
        json_put_raw(w, c.owners);
    }
    if (c.suspect.len) {
        json_put_key(w, STR("suspect"));
        json_put_raw(w, c.suspect);
    }
}

bool issue_named(struct api_call *call, const struct query_request *who, str name, int64_t *ret_id,
                 uint32_t *ret_project)
{
    size_t at = name.len;
    uint64_t n;
    while (at > 0 && name.ptr[at - 1] != '-')
        at--;
    if (!parse_u64(str_slice(name, at, name.len), &n) || n == 0 || n > INT64_MAX ||
        issues_find(call->api->options.issues, (int64_t)n, ret_id, ret_project) < 0)
        return false;
    str slug = slug_of(who, *ret_project);
    return slug.len && (at == 0 || str_ieq(str_slice(name, 0, at - 1), slug));
}

bool issue_projects(struct api_call *call, const struct query_request *who, const uint32_t **ret_ids, uint32_t *ret_n)
{
    str wanted;
    uint32_t n = 0;
    if (!api_param(call, STR("project"), &wanted))
        return false;
    uint32_t *ids = arena_alloc_array(&call->req->arena, who->projects_n + 1, sizeof *ids);
    if (!ids) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < who->projects_n; i++)
        if (!wanted.len || str_eq(who->projects[i].name, wanted))
            ids[n++] = who->projects[i].id;
    if (wanted.len && !n) {
        api_reply_error(call->req, 404, "no_project", "there is no such project (or you may not see it)");
        return false;
    }
    *ret_ids = ids;
    *ret_n = n;
    return true;
}

void issue_range(const struct query_request *q, int64_t *ret_from, int64_t *ret_to)
{
    *ret_to = q->has_to ? q->to : clock_unix_ns();
    *ret_from = q->has_from ? q->from : *ret_to - RANGE_DEFAULT_NS;
}
