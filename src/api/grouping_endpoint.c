// The rules by which the events of a project become issues: what they are, others in their place, and what others would make of
// the newest events.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "events/events.h"
#include "grouping/grouping.h"
#include "symbols/symbols.h"

#include <stdlib.h>

enum {
    PREVIEW_EVENTS = 200,
    PREVIEW_EVENTS_MAX = 1000,
    PREVIEW_EXAMPLES = 20,
    PREVIEW_GROUPS = 50, // that merge, or split
    PREVIEW_PARTS = 20,  // of one of them
    PREVIEW_TITLE_MAX = 200,
    PREVIEW_ARENA_MAX = 160 << 20,
};
#define PREVIEW_TIME_MAX_NS (20 * NS_PER_S)

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

// Where in which text: for an editor that underlines it.
static void reply_rules_error(struct api_call *call, const struct err *err)
{
    struct buf body;
    struct json_writer w;
    if (err->code == ERR_NOMEM) {
        api_reply_err(call->req, err);
        return;
    }
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("error"));
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_str(&w, str_z(err->slug));
    json_put_key(&w, STR("message"));
    json_put_str(&w, str_z(err->message));
    json_put_key(&w, STR("place"));
    json_put_str(&w, str_starts(str_z(err->place), STR("fingerprint")) ? STR("fingerprint") : STR("stack"));
    if (err->line) {
        json_put_key(&w, STR("line"));
        json_put_int(&w, err->line);
        json_put_key(&w, STR("column"));
        json_put_int(&w, err->column);
    }
    if (err->hint[0]) {
        json_put_key(&w, STR("hint"));
        json_put_str(&w, str_z(err->hint));
    }
    json_put_object_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, api_status_of(err->code), &body);
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
    reply_rules_error(call, &err);
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

struct preview {
    struct api_call *call;
    struct query_request who;
    struct view *view;
    struct arena arena;
    struct grouping_rules *rules[2]; // before, after
    struct sample *samples;
    uint32_t n, found, unreadable;
    bool partial; // stopped at the time cap
};

static int sample_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct preview *p = ctx;
    struct sample *s = &p->samples[p->n];
    if (p->n == PREVIEW_EVENTS_MAX || n != 2 || cells[0].value.type != QVAL_STR || cells[1].value.type != QVAL_TIME)
        return 0;
    *s = (struct sample){ .time = cells[1].value.i };
    p->n++;
    return arena_dup(&p->arena, cells[0].value.s, &s->id);
}

static int sample_end(void *ctx, const struct query_stats *stats) { return 0; }

static int samples_find(struct preview *p, uint64_t most, struct query_error *error)
{
    struct query_request q = p->who;
    const struct query_output out = { p, sample_row, sample_end };
    if (!q.has_from) {
        q.has_from = true;
        q.from = INT64_MIN;
    }
    q.limit = most;
    q.text = STR("events | select event_id, time");
    p->samples = arena_alloc_array(&p->arena, PREVIEW_EVENTS_MAX, sizeof *p->samples);
    return p->samples ? query_run(&q, p->view, &out, error) : query_fail(error, QUERY_E_MEMORY, "no memory");
}

static int title_dup(struct preview *p, str title, str *ret)
{
    return arena_dup(&p->arena, utf8_cut(title, PREVIEW_TITLE_MAX), ret);
}

// As it is grouped by both. ERR_MALFORMED and the like: it cannot be read.
static int sample_run(struct preview *p, const struct event *e, struct arena *work, struct sample *s)
{
    const struct json_node *root;
    struct symbols *symbols = p->call->api->options.symbols;
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
    memcpy(s->before, g[0].hashes[0].ptr, GROUPING_HASH_LEN);
    memcpy(s->after, g[1].hashes[0].ptr, GROUPING_HASH_LEN);
    r = title_dup(p, g[0].title.len ? g[0].title : e->title, &s->title);
    return r < 0 ? r : title_dup(p, g[1].title.len ? g[1].title : e->title, &s->new_title);
}

// Reads the events; those that cannot be read are counted and left out.
static int samples_read(struct preview *p)
{
    struct arena work;
    int64_t began = clock_mono_ns();
    uint32_t kept = 0;
    int r = 0;
    arena_init(&work, PREVIEW_ARENA_MAX);
    p->found = p->n;
    for (uint32_t i = 0; i < p->n && r != ERR_NOMEM; i++) {
        struct event_request find = { .view = p->view, .who = &p->who, .arena = &work };
        struct event e;
        struct err err;
        if (p->who.cancelled(p->who.cancelled_ctx)) {
            r = ERR_CANCELLED;
            break;
        }
        if (clock_mono_ns() - began > PREVIEW_TIME_MAX_NS) {
            p->partial = true;
            break;
        }
        r = event_find(&find, p->samples[i].id, p->samples[i].time, &e, &err);
        if (r == 0)
            r = e.json.len ? sample_run(p, &e, &work, &p->samples[i]) : ERR_NOENT;
        if (r == 0)
            p->samples[kept++] = p->samples[i];
        else
            p->unreadable++;
        arena_reset(&work);
    }
    arena_free(&work);
    p->n = kept;
    return r == ERR_NOMEM || r == ERR_CANCELLED ? r : 0;
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

static void reply_preview(struct preview *p)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("events"));
    json_put_uint(&w, p->n);
    json_put_key(&w, STR("unreadable"));
    json_put_uint(&w, p->unreadable);
    json_put_key(&w, STR("partial"));
    json_put_bool(&w, p->partial);
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
    api_reply_json_take(p->call->req, 200, &body);
}

// Only the project's events exist for the query.
static bool preview_begin(struct preview *p, struct api_call *call, int64_t project, uint64_t *ret_most)
{
    *p = (struct preview){ .call = call };
    *ret_most = PREVIEW_EVENTS;
    if (!api_query_begin(call, &p->who) || !api_param_range(call, &p->who) ||
        !api_param_uint(call, STR("limit"), 1, PREVIEW_EVENTS_MAX, ret_most) || !(p->view = api_view(call)))
        return false;
    uint32_t i = 0;
    while (i < p->who.projects_n && p->who.projects[i].id != (uint32_t)project)
        i++;
    p->who.projects += i;
    p->who.projects_n = i < p->who.projects_n;
    arena_init(&p->arena, PREVIEW_ARENA_MAX);
    return true;
}

void api_grouping_preview(struct api_call *call)
{
    struct rules_call c;
    struct preview p;
    struct query_error error = { 0 };
    uint64_t most;
    if (!project_and_rules(call, &c) || !body_and_rules(call, &c))
        return;
    if (preview_begin(&p, call, c.project.id, &most)) {
        p.rules[0] = ingest_grouping_rules(call->api->options.ingest, c.project.id);
        p.rules[1] = c.parsed;
        int r = samples_find(&p, most, &error);
        if (r == 0)
            r = samples_read(&p);
        if (r == 0)
            reply_preview(&p);
        else if (error.code != QUERY_OK)
            api_reply_query_error(call->req, &error);
        else
            api_reply_error(call->req, 503, r == ERR_NOMEM ? "memory" : "stopping", "%s", err_text(r));
        grouping_rules_free(p.rules[0]);
        view_unref(p.view);
        arena_free(&p.arena);
    }
    grouping_rules_free(c.parsed);
}
