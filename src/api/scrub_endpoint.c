// What a project removes from what SDKs send: its rules, others in their place, and what they would remove.
#include "api/preview.h"

#include "base/hex.h"
#include "base/must.h"
#include "base/utf8.h"
#include "filters/scrub_rules.h"

#include <stdio.h>
#include <sys/random.h>

enum { SECRET_BYTES = SCRUB_SECRET_MAX / 2, VALUE_SHOWN = 160 };
static const char KIND[] = "scrub";

struct scrub_call {
    struct meta_project project;
    struct meta_setting kept;
    struct scrub_settings settings;
    struct scrub_rules *ready;
    char secret[SCRUB_SECRET_MAX];
};

static bool begin(struct api_call *call, struct scrub_call *c)
{
    struct err err = { 0 };
    *c = (struct scrub_call){ 0 };
    if (!api_project_of_path(call, &c->project))
        return false;
    if (meta_setting_get(call->api->options.meta, c->project.id, KIND, &call->req->arena, &c->kept, &err) == 0 &&
        scrub_settings_read(c->kept.text, &call->req->arena, &c->settings, &err) == 0)
        return true;
    api_reply_err(call->req, &err);
    return false;
}

// What hashes are keyed with: made with the first rules, and the same from then on.
static void secret_make(struct scrub_call *c)
{
    uint8_t raw[SECRET_BYTES];
    if (c->settings.secret.len)
        return;
    must(getrandom(raw, sizeof raw, 0) == sizeof raw);
    hex_encode(c->secret, raw, sizeof raw);
    c->settings.secret = str_of(c->secret, sizeof c->secret);
}

// What the body leaves out is as it was.
static bool body(struct api_call *call, struct scrub_call *c)
{
    struct err err = { 0 };
    if (!api_body_read(call, scrub_settings_member, &c->settings))
        return false;
    secret_make(c);
    if (scrub_rules_new(&c->settings, &c->ready, &err) == 0)
        return true;
    api_reply_text_error(call->req, &err, err.place);
    return false;
}

static void reply(struct api_call *call, const struct scrub_call *c)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, API_BODY_MAX);
    json_writer_init(&w, &out);
    json_put_object(&w);
    scrub_settings_put(&w, &c->settings);
    api_put_optional_time(&w, STR("changed"), c->kept.changed_ns);
    api_put_text(&w, STR("changed_by"), str_z(c->kept.changed_by));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &out);
}

void api_scrub(struct api_call *call)
{
    struct scrub_call c;
    if (begin(call, &c))
        reply(call, &c);
}

static int keep(struct api_call *call, struct scrub_call *c, struct err *err)
{
    struct buf text;
    struct json_writer w;
    char actor[META_NAME_MAX + 1], detail[64];
    struct meta *meta = call->api->options.meta;
    buf_init(&text, META_SETTING_TEXT_MAX);
    json_writer_init(&w, &text);
    json_put_object(&w);
    scrub_settings_put(&w, &c->settings);
    json_put_key(&w, STR("secret"));
    json_put_str(&w, c->settings.secret);
    json_put_object_end(&w);
    snprintf(detail, sizeof detail, "rules (%zu bytes)%s", c->settings.rules.len,
             c->settings.addresses ? ", addresses" : "");
    int r = text.error ? err_set(err, text.error, NULL, "the rules are too long") : 0;
    if (r == 0)
        r = meta_setting_set(meta, api_actor(call, actor), c->project.id, KIND, buf_view(&text), str_z(detail), err);
    if (r == 0)
        r = meta_setting_get(meta, c->project.id, KIND, &call->req->arena, &c->kept, err);
    buf_free(&text);
    return r;
}

void api_scrub_set(struct api_call *call)
{
    struct scrub_call c;
    struct err err = { 0 };
    if (!begin(call, &c) || !body(call, &c))
        return;
    scrub_rules_free(c.ready);
    if (keep(call, &c, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply(call, &c);
}

// ---- what they would remove from the newest events

struct example {
    str id, title, path, rule, before, after;
    int64_t time;
};
struct rule_count {
    str rule;
    uint32_t values, events;
    uint32_t last; // event that was counted, from 1
};
struct scrubbing {
    struct preview preview;
    const struct scrub_rules *rules;
    bool values; // local variables, too
    struct scrub_remarks remarks;
    struct rule_count counts[SCRUB_RULES_MAX + 1];
    uint32_t counts_n, changed, tried;
    struct example examples[PREVIEW_EXAMPLES];
    uint32_t examples_n;
};

// A rule is an answer to a question about each value, too: whoever may not read variables does not have them tried.
static void vars_drop(const struct json_node *node)
{
    for (const struct json_node *m = node->first; m; m = m->next) {
        if (str_eq(m->key, STR("vars"))) {
            struct json_node *vars = (struct json_node *)m; // made by json_tree_read(): ours to change
            vars->type = JSON_NULL;
            vars->first = NULL;
            vars->n = 0;
        }
        vars_drop(m);
    }
}

static void count(struct scrubbing *s, str rule)
{
    uint32_t i = 0;
    while (i < s->counts_n && !str_eq(s->counts[i].rule, rule))
        i++;
    if (i == s->counts_n)
        s->counts[s->counts_n++].rule = rule; // at most each rule, and the addresses
    s->counts[i].values++;
    s->counts[i].events += s->counts[i].last != s->tried;
    s->counts[i].last = s->tried;
}

static int value_keep(struct scrubbing *s, str value, str *ret)
{
    return arena_dup(&s->preview.arena, utf8_cut(value, VALUE_SHOWN), ret);
}

static int example_keep(struct scrubbing *s, const struct event *e, const struct preview_at *at,
                        const struct scrub_remark *of)
{
    struct example *x = &s->examples[s->examples_n];
    *x = (struct example){ .id = at->id, .time = at->time, .rule = of->rule };
    int r = preview_title(&s->preview, e->title, &x->title);
    if (r == 0)
        r = arena_dup(&s->preview.arena, of->path, &x->path);
    if (r == 0)
        r = value_keep(s, of->before, &x->before);
    if (r == 0)
        r = value_keep(s, of->after, &x->after);
    s->examples_n += r == 0;
    return r;
}

static int event_try(void *ctx, const struct event *e, const struct preview_at *at, struct arena *work)
{
    enum { OF_ONE_EVENT = 4 };
    struct scrubbing *s = ctx;
    const struct json_node *root;
    struct err err;
    int r = json_tree_read(e->json, work, JSON_DEPTH_MAX, &root, &err);
    if (r < 0)
        return r;
    if (!s->values)
        vars_drop(root);
    if ((r = scrub_rules_apply(s->rules, root, work, &s->remarks)) < 0)
        return r;
    s->tried++;
    s->changed += s->remarks.removed > 0;
    for (uint32_t i = 0; i < s->remarks.n; i++)
        count(s, s->remarks.of[i].rule);
    for (uint32_t i = 0; r == 0 && i < s->remarks.n && i < OF_ONE_EVENT && s->examples_n < PREVIEW_EXAMPLES; i++)
        r = example_keep(s, e, at, &s->remarks.of[i]);
    return r;
}

static void put_counts(struct json_writer *w, const struct scrubbing *s)
{
    json_put_array(w);
    for (uint32_t i = 0; i < s->counts_n; i++) {
        json_put_object(w);
        json_put_key(w, STR("rule"));
        json_put_str(w, s->counts[i].rule);
        json_put_key(w, STR("values"));
        json_put_uint(w, s->counts[i].values);
        json_put_key(w, STR("events"));
        json_put_uint(w, s->counts[i].events);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_example(struct json_writer *w, const struct example *x)
{
    json_put_object(w);
    api_put_text(w, STR("event"), x->id);
    json_put_key(w, STR("time"));
    api_put_time(w, x->time);
    json_put_key(w, STR("title"));
    json_put_str(w, x->title);
    api_put_text(w, STR("path"), x->path);
    api_put_text(w, STR("rule"), x->rule);
    api_put_text(w, STR("before"), x->before);
    api_put_text(w, STR("after"), x->after);
    json_put_object_end(w);
}

static void reply_scrubbing(struct api_call *call, const struct scrubbing *s)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, API_BODY_MAX);
    json_writer_init(&w, &out);
    json_put_object(&w);
    preview_put(&w, &s->preview);
    json_put_key(&w, STR("values"));
    json_put_bool(&w, s->values);
    json_put_key(&w, STR("changed"));
    json_put_uint(&w, s->changed);
    json_put_key(&w, STR("rules"));
    put_counts(&w, s);
    json_put_key(&w, STR("examples"));
    json_put_array(&w);
    for (uint32_t i = 0; i < s->examples_n; i++)
        put_example(&w, &s->examples[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &out);
}

// A read of values is entered in the audit trail before it is one. false: answered.
static bool note_values(struct api_call *call, const struct scrub_call *c, bool values)
{
    str target = arena_printf(&call->req->arena, "scrub preview %s", c->project.slug);
    if (!values || (target.ptr && api_values_read(call, target, utf8_cut(c->settings.rules, VALUE_SHOWN)) == 0))
        return true;
    api_reply_error(call->req, 503, "audit", "reading values could not be entered in the audit trail");
    return false;
}

void api_scrub_preview(struct api_call *call)
{
    struct scrub_call c;
    struct scrubbing s = { .examples_n = 0 }; // outlives the answer: what belongs to the request does not
    if (!begin(call, &c) || !body(call, &c))
        return;
    s.rules = c.ready;
    if (preview_begin(&s.preview, call, c.project.id)) {
        s.values = s.preview.who.values;
        if (note_values(call, &c, s.values) && preview_each(&s.preview, event_try, &s))
            reply_scrubbing(call, &s);
        preview_end(&s.preview);
    }
    scrub_rules_free(c.ready);
}
