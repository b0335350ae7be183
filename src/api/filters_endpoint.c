// What a project does not want of what SDKs send: its filters, others in their place, and what they would have left out.
#include "api/preview.h"

#include "filters/filters.h"

#include <stdio.h>

static const char KIND[] = "filters";

struct filters_call {
    struct meta_project project;
    struct meta_setting kept;
    struct filter_settings settings;
    struct filters *ready;
};

static bool begin(struct api_call *call, struct filters_call *c)
{
    struct err err = { 0 };
    if (!api_project_of_path(call, &c->project))
        return false;
    c->settings = filter_settings_default();
    if (meta_setting_get(call->api->options.meta, c->project.id, KIND, &call->req->arena, &c->kept, &err) == 0 &&
        filter_settings_read(c->kept.text, &call->req->arena, &c->settings, &err) == 0)
        return true;
    api_reply_err(call->req, &err);
    return false;
}

// What the body leaves out is as it was.
static bool body(struct api_call *call, struct filters_call *c)
{
    struct err err = { 0 };
    if (!api_body_read(call, filter_settings_member, &c->settings))
        return false;
    if (filters_new(&c->settings, &c->ready, &err) == 0)
        return true;
    api_reply_text_error(call->req, &err, err.place);
    return false;
}

static void reply(struct api_call *call, const struct filters_call *c)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, API_BODY_MAX);
    json_writer_init(&w, &out);
    json_put_object(&w);
    filter_settings_put(&w, &c->settings);
    api_put_optional_time(&w, STR("changed"), c->kept.changed_ns);
    api_put_text(&w, STR("changed_by"), str_z(c->kept.changed_by));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &out);
}

void api_filters(struct api_call *call)
{
    struct filters_call c;
    if (begin(call, &c))
        reply(call, &c);
}

static int keep(struct api_call *call, struct filters_call *c, struct err *err)
{
    struct buf text;
    struct json_writer w;
    char actor[META_NAME_MAX + 1], detail[256];
    struct meta *meta = call->api->options.meta;
    buf_init(&text, META_SETTING_TEXT_MAX);
    json_writer_init(&w, &text);
    json_put_object(&w);
    filter_settings_put(&w, &c->settings);
    json_put_object_end(&w);
    filter_settings_words(&c->settings, detail, sizeof detail);
    int r = text.error ? err_set(err, text.error, NULL, "the filters are too long") : 0;
    if (r == 0)
        r = meta_setting_set(meta, api_actor(call, actor), c->project.id, KIND, buf_view(&text), str_z(detail), err);
    if (r == 0)
        r = meta_setting_get(meta, c->project.id, KIND, &call->req->arena, &c->kept, err);
    buf_free(&text);
    return r;
}

void api_filters_set(struct api_call *call)
{
    struct filters_call c;
    struct err err = { 0 };
    if (!begin(call, &c) || !body(call, &c))
        return;
    filters_free(c.ready);
    if (keep(call, &c, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply(call, &c);
}

// ---- what they would leave out of the newest events

struct example {
    str id, title;
    int64_t time;
    enum filter_reason reason;
};
struct filtering {
    struct preview preview;
    const struct filters *filters;
    uint32_t counts[FILTER_REASONS_N], filtered;
    struct example examples[PREVIEW_EXAMPLES];
    uint32_t examples_n;
};

static int event_try(void *ctx, const struct event *e, const struct preview_at *at, struct arena *work)
{
    struct filtering *f = ctx;
    const struct json_node *root;
    struct err err;
    int r = json_tree_read(e->json, work, JSON_DEPTH_MAX, &root, &err);
    if (r < 0)
        return r;
    enum filter_reason reason = filters_check(f->filters, FILTER_ERROR, root, e->user_address);
    if (reason == FILTER_NONE)
        return 0;
    f->counts[reason]++;
    f->filtered++;
    if (f->examples_n == PREVIEW_EXAMPLES)
        return 0;
    struct example *x = &f->examples[f->examples_n++];
    *x = (struct example){ .id = at->id, .time = at->time, .reason = reason };
    return preview_title(&f->preview, e->title, &x->title);
}

static void reply_filtering(struct api_call *call, const struct filtering *f)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, API_BODY_MAX);
    json_writer_init(&w, &out);
    json_put_object(&w);
    preview_put(&w, &f->preview);
    json_put_key(&w, STR("filtered"));
    json_put_uint(&w, f->filtered);
    json_put_key(&w, STR("reasons"));
    json_put_array(&w);
    for (int i = FILTER_NONE + 1; i < FILTER_REASONS_N; i++) {
        if (!f->counts[i])
            continue;
        json_put_object(&w);
        api_put_text(&w, STR("reason"), filter_reason_slug((enum filter_reason)i));
        json_put_key(&w, STR("events"));
        json_put_uint(&w, f->counts[i]);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_key(&w, STR("examples"));
    json_put_array(&w);
    for (uint32_t i = 0; i < f->examples_n; i++) {
        const struct example *x = &f->examples[i];
        json_put_object(&w);
        api_put_text(&w, STR("event"), x->id);
        json_put_key(&w, STR("time"));
        api_put_time(&w, x->time);
        json_put_key(&w, STR("title"));
        json_put_str(&w, x->title);
        api_put_text(&w, STR("reason"), filter_reason_slug(x->reason));
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &out);
}

void api_filters_preview(struct api_call *call)
{
    struct filters_call c;
    struct filtering f = { .filtered = 0 };
    if (!begin(call, &c) || !body(call, &c))
        return;
    f.filters = c.ready;
    if (preview_begin(&f.preview, call, c.project.id)) {
        if (preview_each(&f.preview, event_try, &f))
            reply_filtering(call, &f);
        preview_end(&f.preview);
    }
    filters_free(c.ready);
}
