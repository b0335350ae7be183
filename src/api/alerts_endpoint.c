// Alerts: rules, channels, what fired and what was sent.
//
// Channels hold secrets and say where records may go: they need `admin`. Rules are anybody's who may sign in; a token
// that changes them needs `admin`, too.
#include "api/api_internal.h"

#include "alerts/alerts.h"
#include "base/clock.h"

enum { RULE_DEPTH = 16, LIST_DEFAULT = 100, LIST_MAX = 500, SNOOZE_MAX_S = 366 * 86400 };

static void reply_begin(struct buf *body, struct json_writer *w)
{
    buf_init(body, API_BODY_MAX);
    json_writer_init(w, body);
}

// Slugs by project.
static str slug_of(struct api_call *call, uint32_t project)
{
    struct meta_project p;
    if (!project || meta_project_get(call->api->options.meta, project, &p, NULL) < 0)
        return (str){ 0 };
    return arena_printf(&call->req->arena, "%s", p.slug);
}

// A caller of one project sees what is that project's.
static bool visible(const struct api_call *call, uint32_t project)
{
    return call->caller.project == 0 || call->caller.project == project;
}

// ---- rules ---------------------------------------------------------------------------------------------

void api_alert_rules(struct api_call *call)
{
    struct alert_rule *rules;
    struct err err;
    struct buf body;
    struct json_writer w;
    size_t n = 0;
    if (alerts_rules(call->api->options.alerts, &call->req->arena, &rules, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    reply_begin(&body, &w);
    json_put_object(&w);
    json_put_key(&w, STR("rules"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        if (visible(call, rules[i].project))
            alert_rule_put(&w, &rules[i], slug_of(call, rules[i].project));
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// The rule of the path. false: answered.
static bool rule_of_path(struct api_call *call, struct alert_rule *ret)
{
    struct err err;
    int64_t id;
    if (!api_path_id(call, 0, "no_rule", &id))
        return false;
    if (alerts_rule(call->api->options.alerts, id, &call->req->arena, ret, &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    if (visible(call, ret->project))
        return true;
    api_reply_error(call->req, 404, "no_rule", "there is no such rule");
    return false;
}

static void reply_rule(struct api_call *call, int status, int64_t id)
{
    struct alert_rule rule;
    struct err err;
    struct buf body;
    struct json_writer w;
    if (alerts_rule(call->api->options.alerts, id, &call->req->arena, &rule, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    reply_begin(&body, &w);
    alert_rule_put(&w, &rule, slug_of(call, rule.project));
    api_reply_json_take(call->req, status, &body);
}

void api_alert_rule(struct api_call *call)
{
    struct alert_rule rule;
    if (rule_of_path(call, &rule))
        reply_rule(call, 200, rule.id);
}

static void rule_save(struct api_call *call, int64_t id)
{
    const struct json_node *root;
    struct alert_rule rule;
    struct err err = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!api_body_object(call, RULE_DEPTH, &root))
        return;
    str slug = json_get_text(root, STR("project"));
    int64_t project = slug.len ? api_project_by_slug(call, slug) : 0;
    if (slug.len && !project)
        return;
    if (!project && !api_whole_workspace(call))
        return;
    if (alert_rule_read(root, &call->req->arena, &rule, &err) < 0) {
        api_reply_member(call->req, &err);
        return;
    }
    rule.id = id;
    rule.project = (uint32_t)project;
    if (alerts_rule_save(call->api->options.alerts, api_actor(call, actor), &rule, &id, &err) < 0)
        api_reply_member(call->req, &err);
    else
        reply_rule(call, rule.id ? 200 : 201, id);
}

void api_alert_rule_add(struct api_call *call)
{
    if (api_may_change(call, "rules"))
        rule_save(call, 0);
}

void api_alert_rule_change(struct api_call *call)
{
    struct alert_rule rule;
    if (api_may_change(call, "rules") && rule_of_path(call, &rule))
        rule_save(call, rule.id);
}

void api_alert_rule_remove(struct api_call *call)
{
    struct alert_rule rule;
    struct err err;
    char actor[META_NAME_MAX + 1];
    if (!api_may_change(call, "rules") || !rule_of_path(call, &rule))
        return;
    if (alerts_rule_remove(call->api->options.alerts, api_actor(call, actor), rule.id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

static int snooze_member(void *ctx, str name, struct json_reader *r)
{
    return str_eq(name, STR("for_s")) ? json_int(r, ctx) : ERR_INVALID;
}

void api_alert_rule_snooze(struct api_call *call)
{
    struct alert_rule rule;
    struct err err;
    int64_t for_s = -1;
    char actor[META_NAME_MAX + 1];
    if (!api_may_change(call, "rules") || !rule_of_path(call, &rule) || !api_body_read(call, snooze_member, &for_s))
        return;
    if (for_s < 0 || for_s > SNOOZE_MAX_S) {
        api_reply_error(call->req, 400, "bad_argument", "for_s is a number of seconds up to a year; 0 ends it");
        return;
    }
    int64_t until = for_s ? clock_unix_ns() + for_s * NS_PER_S : 0;
    if (alerts_rule_snooze(call->api->options.alerts, api_actor(call, actor), rule.id, until, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply_rule(call, 200, rule.id);
}

// ---- channels ------------------------------------------------------------------------------------------

void api_alert_channels(struct api_call *call)
{
    struct alert_channel *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    size_t n = 0;
    if (!api_whole_workspace(call))
        return;
    if (alerts_channels(call->api->options.alerts, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    reply_begin(&body, &w);
    json_put_object(&w);
    json_put_key(&w, STR("channels"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        alert_channel_put(&w, &list[i]);
    json_put_array_end(&w);
    json_put_key(&w, STR("mail"));
    json_put_bool(&w, call->api->options.alerts_mail);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

static void channel_save(struct api_call *call, int64_t id)
{
    const struct json_node *root;
    struct alert_channel channel, saved;
    struct err err = { 0 };
    struct buf body;
    struct json_writer w;
    char actor[META_NAME_MAX + 1];
    if (!api_whole_workspace(call) || !api_body_object(call, RULE_DEPTH, &root))
        return;
    int r = alert_channel_read(root, &call->req->arena, &channel, &err);
    channel.id = id;
    if (r == 0)
        r = alerts_channel_save(call->api->options.alerts, api_actor(call, actor), &channel, &call->req->arena, &saved,
                                &err);
    if (r < 0) {
        api_reply_member(call->req, &err);
        return;
    }
    reply_begin(&body, &w);
    json_put_object(&w);
    json_put_key(&w, STR("channel"));
    alert_channel_put(&w, &saved);
    if (!id && saved.type == CHANNEL_WEBHOOK) { // the one time that it is seen
        json_put_key(&w, STR("secret"));
        json_put_str(&w, saved.secret);
    }
    json_put_object_end(&w);
    api_reply_json_take(call->req, id ? 200 : 201, &body);
}

void api_alert_channel_add(struct api_call *call) { channel_save(call, 0); }

void api_alert_channel_change(struct api_call *call)
{
    int64_t id;
    if (api_path_id(call, 0, "no_channel", &id))
        channel_save(call, id);
}

static void channel_do(struct api_call *call, int (*deed)(struct alerts *, str, int64_t, struct err *))
{
    struct err err;
    int64_t id;
    char actor[META_NAME_MAX + 1];
    if (!api_whole_workspace(call) || !api_path_id(call, 0, "no_channel", &id))
        return;
    if (deed(call->api->options.alerts, api_actor(call, actor), id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_alert_channel_remove(struct api_call *call) { channel_do(call, alerts_channel_remove); }
void api_alert_channel_test(struct api_call *call) { channel_do(call, alerts_channel_test); }

// ---- what happened -------------------------------------------------------------------------------------

static bool list_params(struct api_call *call, uint64_t *ret_rule, uint64_t *ret_before, uint64_t *ret_n)
{
    *ret_rule = *ret_before = 0;
    *ret_n = LIST_DEFAULT;
    return api_param_uint(call, STR("rule"), 0, INT64_MAX, ret_rule) &&
           api_param_uint(call, STR("before"), 0, INT64_MAX, ret_before) &&
           api_param_uint(call, STR("limit"), 1, LIST_MAX, ret_n);
}

static void put_number(struct json_writer *w, str key, int64_t n)
{
    json_put_key(w, key);
    json_put_int(w, n);
}

static void put_firing(struct json_writer *w, struct api_call *call, const struct alert_firing *f)
{
    json_put_object(w);
    put_number(w, STR("id"), f->id);
    put_number(w, STR("rule"), f->rule);
    api_put_text(w, STR("rule_name"), f->rule_name);
    api_put_text(w, STR("kind"), f->kind);
    api_put_text(w, STR("project"), slug_of(call, f->project));
    if (f->issue)
        put_number(w, STR("issue"), f->issue);
    api_put_text(w, STR("subject"), f->issue ? (str){ 0 } : f->subject);
    json_put_key(w, STR("time"));
    api_put_time(w, f->time);
    json_put_key(w, STR("open"));
    json_put_bool(w, f->lasting && !f->closed);
    if (f->lasting) {
        api_put_optional_time(w, STR("closed"), f->closed);
        json_put_key(w, STR("value"));
        json_put_double(w, f->value);
    }
    if (f->has_over_value) {
        json_put_key(w, STR("over_value"));
        json_put_double(w, f->over_value);
    }
    api_put_text(w, STR("title"), f->title);
    api_put_text(w, STR("text"), f->text);
    api_put_text(w, STR("suppressed"), f->suppressed);
    json_put_object_end(w);
}

void api_alert_firings(struct api_call *call)
{
    struct alert_firing *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    uint64_t rule, before, limit;
    size_t n = 0;
    if (!list_params(call, &rule, &before, &limit))
        return;
    if (alerts_firings(call->api->options.alerts, (int64_t)rule, (int64_t)before, limit, &call->req->arena, &list, &n,
                       &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    reply_begin(&body, &w);
    json_put_object(&w);
    json_put_key(&w, STR("firings"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        if (visible(call, list[i].project))
            put_firing(&w, call, &list[i]);
    json_put_array_end(&w);
    if (n == limit)
        put_number(&w, STR("next"), list[n - 1].id);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

static void put_delivery(struct json_writer *w, const struct alert_delivery *d)
{
    json_put_object(w);
    put_number(w, STR("id"), d->id);
    put_number(w, STR("rule"), d->rule);
    api_put_text(w, STR("rule_name"), d->rule_name);
    put_number(w, STR("channel"), d->channel);
    api_put_text(w, STR("channel_name"), d->channel_name);
    api_put_text(w, STR("state"), d->state);
    put_number(w, STR("attempts"), d->attempts);
    put_number(w, STR("firings"), d->firings);
    json_put_key(w, STR("created"));
    api_put_time(w, d->created);
    if (!d->done) {
        json_put_key(w, STR("due"));
        api_put_time(w, d->due);
    }
    api_put_optional_time(w, STR("done"), d->done);
    api_put_text(w, STR("answer"), d->answer);
    json_put_object_end(w);
}

void api_alert_deliveries(struct api_call *call)
{
    struct alert_delivery *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    uint64_t rule, before, limit;
    size_t n = 0;
    if (!api_whole_workspace(call) || !list_params(call, &rule, &before, &limit))
        return;
    if (alerts_deliveries(call->api->options.alerts, (int64_t)rule, (int64_t)before, limit, &call->req->arena, &list,
                          &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    reply_begin(&body, &w);
    json_put_object(&w);
    json_put_key(&w, STR("deliveries"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_delivery(&w, &list[i]);
    json_put_array_end(&w);
    if (n == limit)
        put_number(&w, STR("next"), list[n - 1].id);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
