// The rules by which the events of a project become issues: what they are, others in their place, and what others would make of
// the newest events.
#include "api/preview.h"

#include "grouping/grouping.h"
#include "symbols/symbols.h"

#include <stdlib.h>

enum {
    PREVIEW_GROUPS = 50, // that merge, or split
    PREVIEW_PARTS = 20,  // of one of them
};

struct texts {
    str fingerprint, stack;
};

static int texts_member(void *ctx, str name, struct json_reader *r)
{
    struct texts *t = ctx;
    if (str_eq(name, STR("fingerprint")))
        return json_text(r, &t->fingerprint);
    return str_eq(name, STR("stack")) ? json_text(r, &t->stack) : ERR_INVALID;
}

// The project of the path, the rules that it has, and those of the body, in which what is left out is as it was.
struct rules_call {
    struct meta_project project;
    struct meta_rules now;
    struct texts texts;
    struct grouping_rules *parsed;
};

static bool project_and_rules(struct api_call *call, struct rules_call *c)
{
    struct err err;
    if (!api_project_of_path(call, &c->project))
        return false;
    if (meta_project_rules_get(call->api->options.meta, c->project.id, &call->req->arena, &c->now, &err) == 0)
        return true;
    api_reply_err(call->req, &err);
    return false;
}

static bool body_and_rules(struct api_call *call, struct rules_call *c)
{
    struct err err;
    c->texts = (struct texts){ c->now.fingerprint, c->now.stack };
    if (!api_body_read(call, texts_member, &c->texts))
        return false;
    if (grouping_rules_parse(c->texts.fingerprint, c->texts.stack, &c->parsed, &err) == 0)
        return true;
    api_reply_text_error(call->req, &err, str_starts(str_z(err.place), STR("fingerprint")) ? "fingerprint" : "stack");
    return false;
}

static void put_texts(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    json_put_str(w, text);
}

static void reply_rules(struct api_call *call, const struct meta_rules *rules)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_texts(&w, STR("algorithm"), STR(GROUPING_ALGORITHM));
    put_texts(&w, STR("fingerprint"), rules->fingerprint);
    put_texts(&w, STR("stack"), rules->stack);
    api_put_optional_time(&w, STR("changed"), rules->changed_ns);
    if (rules->changed_by[0])
        put_texts(&w, STR("changed_by"), str_z(rules->changed_by));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api_grouping(struct api_call *call)
{
    struct rules_call c;
    if (project_and_rules(call, &c))
        reply_rules(call, &c.now);
}

void api_grouping_set(struct api_call *call)
{
    struct rules_call c;
    struct err err;
    char actor[META_NAME_MAX + 1];
    struct meta *meta = call->api->options.meta;
    if (!project_and_rules(call, &c) || !body_and_rules(call, &c))
        return;
    grouping_rules_free(c.parsed);
    if (meta_project_rules_set(meta, api_actor(call, actor), c.project.id, c.texts.fingerprint, c.texts.stack, &err) <
            0 ||
        meta_project_rules_get(meta, c.project.id, &call->req->arena, &c.now, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply_rules(call, &c.now);
}

// ---- what other rules would make of the newest events ----

struct sample {
    char before[GROUPING_HASH_LEN], after[GROUPING_HASH_LEN];
    str id, title, new_title;
    int64_t time;
};

struct grouped {
    struct preview preview;
    struct grouping_rules *rules[2]; // before, after
    struct sample *samples;
    uint32_t n;
};

// As it is grouped by both. ERR_MALFORMED and the like: it cannot be read.
static int sample_run(void *ctx, const struct event *e, const struct preview_at *at, struct arena *work)
{
    struct grouped *p = ctx;
    struct sample *s = &p->samples[p->n];
    const struct json_node *root;
    struct symbols *symbols = p->preview.call->api->options.symbols;
    struct symbols_counts counts;
    struct sentry_event sent;
    struct grouping g[2];
    struct err err;
    int r = json_tree_read(e->json, work, SENTRY_EVENT_DEPTH, &root, &err);
    for (int i = 0; i < 2 && r == 0; i++) {
        // Rules mark frames and the next ones read the marks: each starts with the event as it was sent.
        r = sentry_event_read(root, work, &sent, &err);
        if (r == 0 && symbols)
            r = symbols_event_apply(symbols, e->project, &sent, SYMBOLS_ANY, work, &counts);
        if (r == 0)
            r = grouping_run(p->rules[i], &sent, work, &g[i]);
    }
    if (r < 0)
        return r;
    *s = (struct sample){ .id = at->id, .time = at->time };
    memcpy(s->before, g[0].hashes[0].ptr, GROUPING_HASH_LEN);
    memcpy(s->after, g[1].hashes[0].ptr, GROUPING_HASH_LEN);
    r = preview_title(&p->preview, g[0].title.len ? g[0].title : e->title, &s->title);
    if (r == 0)
        r = preview_title(&p->preview, g[1].title.len ? g[1].title : e->title, &s->new_title);
    p->n += r == 0;
    return r;
}

// By one side's group, then by the other's, then the newest first.
static int order(const char *a, const char *b, const char *c, const char *d, const struct sample *x,
                 const struct sample *y)
{
    int n = memcmp(a, b, GROUPING_HASH_LEN);
    if (n == 0)
        n = memcmp(c, d, GROUPING_HASH_LEN);
    return n ? n : (x->time < y->time) - (x->time > y->time);
}

static int by_before(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return order(x->before, y->before, x->after, y->after, x, y);
}

static int by_after(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return order(x->after, y->after, x->before, y->before, x, y);
}

static int by_time(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return (x->time < y->time) - (x->time > y->time);
}

static const char *side(const struct sample *s, bool after) { return after ? s->after : s->before; }
static bool same(const struct sample *a, const struct sample *b, bool after)
{
    return memcmp(side(a, after), side(b, after), GROUPING_HASH_LEN) == 0;
}

// End of the run of samples from i on that agree on one side, within end.
static uint32_t run_end(const struct sample *s, uint32_t i, uint32_t end, bool after)
{
    uint32_t k = i + 1;
    while (k < end && same(&s[i], &s[k], after))
        k++;
    return k;
}

static void put_group(struct json_writer *w, str key, const struct sample *s, bool after, uint32_t n)
{
    put_texts(w, key, str_of(side(s, after), GROUPING_HASH_LEN));
    put_texts(w, STR("title"), after ? s->new_title : s->title);
    json_put_key(w, STR("events"));
    json_put_uint(w, n);
}

// Groups of one side that are several of the other; returns how many groups that side has. The samples are sorted by it.
static uint32_t put_gatherings(struct json_writer *w, str key, const struct sample *s, uint32_t n, bool after)
{
    uint32_t groups = 0, written = 0;
    json_put_key(w, key);
    json_put_array(w);
    for (uint32_t i = 0, end; i < n; i = end, groups++) {
        end = run_end(s, i, n, after);
        if (same(&s[i], &s[end - 1], !after) || written++ >= PREVIEW_GROUPS)
            continue;
        json_put_object(w);
        put_group(w, STR("group"), &s[i], after, end - i);
        json_put_key(w, after ? STR("from") : STR("into"));
        json_put_array(w);
        for (uint32_t k = i, parts = 0, part_end; k < end && parts < PREVIEW_PARTS; k = part_end, parts++) {
            part_end = run_end(s, k, end, !after);
            json_put_object(w);
            put_group(w, STR("group"), &s[k], !after, part_end - k);
            put_texts(w, STR("example"), s[k].id);
            json_put_object_end(w);
        }
        json_put_array_end(w);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    return groups;
}

static void put_examples(struct json_writer *w, const struct sample *s, uint32_t n)
{
    uint32_t changed = 0;
    json_put_key(w, STR("examples"));
    json_put_array(w);
    for (uint32_t i = 0; i < n; i++) {
        if (memcmp(s[i].before, s[i].after, GROUPING_HASH_LEN) == 0 || changed++ >= PREVIEW_EXAMPLES)
            continue;
        json_put_object(w);
        put_texts(w, STR("event"), s[i].id);
        json_put_key(w, STR("time"));
        api_put_time(w, s[i].time);
        put_texts(w, STR("title"), s[i].title);
        put_texts(w, STR("new_title"), s[i].new_title);
        put_texts(w, STR("before"), str_of(s[i].before, GROUPING_HASH_LEN));
        put_texts(w, STR("after"), str_of(s[i].after, GROUPING_HASH_LEN));
        json_put_object_end(w);
    }
    json_put_array_end(w);
    json_put_key(w, STR("changed"));
    json_put_uint(w, changed);
}

static void reply_preview(struct grouped *p)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    preview_put(&w, &p->preview);
    if (p->n)
        qsort(p->samples, p->n, sizeof *p->samples, by_time);
    put_examples(&w, p->samples, p->n);
    if (p->n)
        qsort(p->samples, p->n, sizeof *p->samples, by_before);
    uint32_t before = put_gatherings(&w, STR("split"), p->samples, p->n, false);
    if (p->n)
        qsort(p->samples, p->n, sizeof *p->samples, by_after);
    uint32_t after = put_gatherings(&w, STR("merged"), p->samples, p->n, true);
    json_put_key(&w, STR("groups_before"));
    json_put_uint(&w, before);
    json_put_key(&w, STR("groups_after"));
    json_put_uint(&w, after);
    json_put_object_end(&w);
    api_reply_json_take(p->preview.call->req, 200, &body);
}

void api_grouping_preview(struct api_call *call)
{
    struct rules_call c;
    struct grouped p = { .n = 0 };
    if (!project_and_rules(call, &c) || !body_and_rules(call, &c))
        return;
    if (preview_begin(&p.preview, call, c.project.id)) {
        p.rules[0] = ingest_grouping_rules(call->api->options.ingest, c.project.id);
        p.rules[1] = c.parsed;
        p.samples = arena_alloc_array(&p.preview.arena, PREVIEW_EVENTS_MAX, sizeof *p.samples);
        if (!p.samples)
            api_reply_error(call->req, 503, "memory", "%s", err_text(ERR_NOMEM));
        else if (preview_each(&p.preview, sample_run, &p))
            reply_preview(&p);
        grouping_rules_free(p.rules[0]);
        preview_end(&p.preview);
    }
    grouping_rules_free(c.parsed);
}
