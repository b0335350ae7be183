// What an SDK sent of an event, in one shape: outermost exception and innermost frame first, source lines with their numbers,
// breadcrumbs by time. All lists and texts have an end.
#include "events/events.h"

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "grouping/grouping.h"
#include "symbols/symbols.h"
#include "wire/sentry_event.h"

#include <stdlib.h>

struct writing {
    struct json_writer *w;
    const struct event_writing *how;
    struct arena *arena;
    const struct event *e;
    struct sentry_event sent;
    int64_t shift; // of the sender's clock, ns
};

// ---- values ----

static void put_text(struct json_writer *w, str key, str text)
{
    if (!text.len)
        return;
    json_put_key(w, key);
    json_put_str(w, utf8_cut(text, EVENT_TEXT_MAX));
}

static void put_uint(struct json_writer *w, str key, uint64_t n)
{
    json_put_key(w, key);
    json_put_uint(w, n);
}

static void put_count(struct json_writer *w, str key, uint64_t n)
{
    if (n)
        put_uint(w, key, n);
}

static void put_time(struct json_writer *w, str key, int64_t ns)
{
    char text[40];
    json_put_key(w, key);
    json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, ns)));
}

static void put_hex(struct json_writer *w, str key, const void *p, size_t n)
{
    json_put_key(w, key);
    json_put_hex(w, bytes_of(p, n));
}

// Whole numbers that JavaScript would round go as text, as everywhere in answers.
static void put_number(struct json_writer *w, str number)
{
    int64_t i, exact = (1LL << 53) - 1;
    bool whole =
        str_find_char(number, '.', 0) < 0 && str_find_char(number, 'e', 0) < 0 && str_find_char(number, 'E', 0) < 0;
    if (whole && (!json_number_int(number, &i) || i > exact || i < -exact))
        json_put_str(w, number);
    else
        json_put_raw(w, number);
}

// Any value as it was sent; depth is bounded by the reader of the tree.
static void put_node(struct json_writer *w, const struct json_node *node)
{
    switch ((enum json_type)node->type) {
    case JSON_OBJECT:
        json_put_object(w);
        for (const struct json_node *m = node->first; m; m = m->next) {
            json_put_key(w, utf8_cut(m->key, EVENT_LINE_MAX));
            put_node(w, m);
        }
        json_put_object_end(w);
        break;
    case JSON_ARRAY:
        json_put_array(w);
        for (const struct json_node *m = node->first; m; m = m->next)
            put_node(w, m);
        json_put_array_end(w);
        break;
    case JSON_STRING:
        json_put_str(w, utf8_cut(node->text, EVENT_TEXT_MAX));
        break;
    case JSON_NUMBER:
        put_number(w, node->text);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_put_bool(w, node->type == JSON_TRUE);
        break;
    default:
        json_put_null(w);
    }
}

// An object's members up to a number; returns how many more there are.
static uint32_t put_members(struct json_writer *w, const struct json_node *object, uint32_t most)
{
    uint32_t n = 0;
    json_put_object(w);
    for (const struct json_node *m = object->first; m && n < most; m = m->next, n++) {
        json_put_key(w, utf8_cut(m->key, EVENT_LINE_MAX));
        put_node(w, m);
    }
    json_put_object_end(w);
    return object->n - n;
}

static void put_object(struct json_writer *w, str key, const struct json_node *node)
{
    if (!json_is(node, JSON_OBJECT) || !node->n)
        return;
    json_put_key(w, key);
    put_members(w, node, EVENT_MEMBERS_MAX);
}

static bool is_scalar(const struct json_node *node)
{
    return json_is(node, JSON_STRING) || json_is(node, JSON_NUMBER) || json_is(node, JSON_TRUE) ||
           json_is(node, JSON_FALSE);
}

static str scalar_text(const struct json_node *node)
{
    if (json_is(node, JSON_STRING) || json_is(node, JSON_NUMBER))
        return node->text;
    return json_is(node, JSON_TRUE) ? STR("true") : json_is(node, JSON_FALSE) ? STR("false") : (str){ 0 };
}

// What SDKs send as an object, as [[name, value], ...] or as [{"key", "value"}, ...]: the next name and value of it.
static bool pair_of(const struct json_node *list, const struct json_node *item, str *ret_name,
                    const struct json_node **ret_value)
{
    if (json_is(list, JSON_OBJECT)) {
        *ret_name = item->key;
        *ret_value = item;
        return true;
    }
    if (json_is(item, JSON_ARRAY) && item->n == 2 && json_is(item->first, JSON_STRING)) {
        *ret_name = item->first->text;
        *ret_value = item->first->next;
        return true;
    }
    *ret_name = json_get_text(item, STR("key"));
    *ret_value = json_get(item, STR("value"));
    return ret_name->len && *ret_value;
}

// ---- frames ----

static void put_line(struct json_writer *w, int64_t number, str text)
{
    json_put_array(w);
    if (number > 0)
        json_put_int(w, number);
    else
        json_put_null(w);
    json_put_str(w, utf8_cut(text, EVENT_LINE_MAX));
    json_put_array_end(w);
}

// The lines around it, those next to it when there are too many.
static void put_source(struct json_writer *w, const struct sentry_lines *s)
{
    json_put_key(w, STR("context"));
    json_put_array(w);
    for (uint32_t i = 0; i < s->n; i++)
        put_line(w, s->first + i, s->lines[i]);
    json_put_array_end(w);
}

static void put_context(struct json_writer *w, const struct sentry_frame *f)
{
    enum { SIDE = (EVENT_CONTEXT_MAX - 1) / 2 };
    const struct json_node *before = json_get(f->node, STR("pre_context")),
                           *own = json_get(f->node, STR("context_line"));
    const struct json_node *after = json_get(f->node, STR("post_context"));
    uint32_t n = json_is(before, JSON_ARRAY) ? before->n : 0, i = 0;
    if (f->source)
        put_source(w, f->source);
    if (f->source || !json_is(own, JSON_STRING))
        return;
    json_put_key(w, STR("context"));
    json_put_array(w);
    for (const struct json_node *l = json_first_of(before, JSON_ARRAY); l; l = l->next, i++)
        if (n - i <= SIDE)
            put_line(w, f->line - (int64_t)(n - i), json_text_of(l));
    put_line(w, f->line, own->text);
    i = 0;
    for (const struct json_node *l = json_first_of(after, JSON_ARRAY); l && i < SIDE; l = l->next, i++)
        put_line(w, f->line > 0 ? f->line + 1 + i : 0, json_text_of(l));
    json_put_array_end(w);
}

static void put_vars(struct json_writer *w, const struct sentry_frame *f, bool values)
{
    const struct json_node *vars = json_get(f->node, STR("vars"));
    if (!json_is(vars, JSON_OBJECT) || !vars->n)
        return;
    if (!values) {
        json_put_key(w, STR("vars_hidden"));
        json_put_bool(w, true);
        return;
    }
    json_put_key(w, STR("vars"));
    put_count(w, STR("vars_cut"), put_members(w, vars, EVENT_VARS_MAX));
}

static void put_where(struct json_writer *w, const struct sentry_frame *f)
{
    put_text(w, STR("function"), f->function.len ? f->function : f->raw_function);
    put_text(w, STR("file"), f->filename.len ? f->filename : f->abs_path);
    if (f->line > 0)
        put_uint(w, STR("line"), (uint64_t)f->line);
    if (f->column > 0)
        put_uint(w, STR("column"), (uint64_t)f->column);
}

// The frame as it was sent, of one that was made readable.
static void put_raw(struct json_writer *w, const struct sentry_frame *raw)
{
    json_put_key(w, STR("raw"));
    json_put_object(w);
    put_where(w, raw);
    json_put_object_end(w);
}

// Where its file stands, as the project's code mappings say.
static void put_code(struct json_writer *w, const struct sentry_frame *f)
{
    if (!f->code_n)
        return;
    json_put_key(w, STR("code"));
    json_put_object(w);
    put_text(w, STR("repository"), f->code->repository);
    put_text(w, STR("branch"), f->code->branch);
    put_text(w, STR("path"), f->code->path);
    json_put_object_end(w);
}

static void put_frame(struct writing *o, const struct sentry_frame *f)
{
    struct json_writer *w = o->w;
    json_put_object(w);
    put_where(w, f);
    put_text(w, STR("abs_path"), f->abs_path);
    put_text(w, STR("module"), f->module.len ? f->module : f->package);
    json_put_key(w, STR("in_app"));
    json_put_bool(w, f->in_app == 1);
    put_context(w, f);
    put_vars(w, f, o->how->values);
    if (f->source || f->raw)
        put_text(w, STR("symbolicated"), f->source ? STR("repository") : STR("sourcemap"));
    if (f->raw)
        put_raw(w, f->raw);
    put_text(w, STR("missing"), f->missing);
    put_code(w, f);
    json_put_object_end(w);
}

// Innermost first. Returns how many were left out between the outermost and the innermost.
static uint32_t put_frames(struct writing *o, str key, const struct sentry_stack *s)
{
    enum { INNER = EVENT_FRAMES_MAX / 4 * 3, OUTER = EVENT_FRAMES_MAX - INNER };
    bool cut = s->n > EVENT_FRAMES_MAX;
    if (!s->n)
        return 0;
    json_put_key(o->w, key);
    json_put_array(o->w);
    for (uint32_t i = s->n; i-- > 0;)
        if (!cut || s->n - i <= INNER || i < OUTER)
            put_frame(o, &s->frames[i]);
    json_put_array_end(o->w);
    return s->cut + (cut ? s->n - EVENT_FRAMES_MAX : 0);
}

// ---- exceptions and threads ----

static void put_exceptions(struct writing *o)
{
    struct json_writer *w = o->w;
    if (!o->sent.exceptions_n)
        return;
    json_put_key(w, STR("exceptions"));
    json_put_array(w);
    for (uint32_t i = o->sent.exceptions_n; i-- > 0;) {
        const struct sentry_exception *x = &o->sent.exceptions[i];
        json_put_object(w);
        put_text(w, STR("type"), x->type);
        put_text(w, STR("value"), x->value);
        put_text(w, STR("module"), x->module);
        put_object(w, STR("mechanism"), json_get(x->node, STR("mechanism")));
        put_count(w, STR("frames_cut"), put_frames(o, STR("frames"), &x->stack));
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_flag(struct json_writer *w, str key, const struct json_node *node)
{
    if (!json_is(node, JSON_TRUE))
        return;
    json_put_key(w, key);
    json_put_bool(w, true);
}

static int put_threads(struct writing *o)
{
    struct json_writer *w = o->w;
    uint32_t n, i = 0;
    const struct json_node *t = sentry_list(json_get(o->sent.node, STR("threads")), &n);
    int rc = 0;
    if (!n)
        return 0;
    json_put_key(w, STR("threads"));
    json_put_array(w);
    for (; t && i < n && i < EVENT_THREADS_MAX && rc == 0; t = t->next, i++) {
        struct sentry_stack stack;
        if (!json_is(t, JSON_OBJECT))
            continue;
        struct symbols_counts counts = { 0 };
        rc = sentry_stack_read(json_get(t, STR("stacktrace")), o->arena, &stack);
        if (rc == 0 && o->how->symbols)
            rc = symbols_stack_apply(o->how->symbols, o->e->project, &o->sent, &stack, SYMBOLS_ANY, o->arena, &counts);
        if (rc < 0)
            break;
        json_put_object(w);
        put_text(w, STR("id"), scalar_text(json_get(t, STR("id"))));
        put_text(w, STR("name"), json_get_text(t, STR("name")));
        put_flag(w, STR("crashed"), json_get(t, STR("crashed")));
        put_flag(w, STR("current"), json_get(t, STR("current")));
        put_count(w, STR("frames_cut"), put_frames(o, STR("frames"), &stack));
        json_put_object_end(w);
    }
    json_put_array_end(w);
    return rc;
}

static void put_stack(struct writing *o)
{
    for (uint32_t i = 0; i < o->sent.exceptions_n; i++)
        if (o->sent.exceptions[i].stack.n)
            return;
    put_count(o->w, STR("stack_cut"), put_frames(o, STR("stack"), &o->sent.stack));
}

// ---- breadcrumbs ----

struct breadcrumb {
    int64_t time;
    uint32_t order;
    bool has_time;
    const struct json_node *node;
};

static int breadcrumb_order(const void *pa, const void *pb)
{
    const struct breadcrumb *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void put_breadcrumb(struct writing *o, const struct breadcrumb *b)
{
    struct json_writer *w = o->w;
    const struct json_node *data = json_get(b->node, STR("data"));
    json_put_object(w);
    if (b->has_time)
        put_time(w, STR("time"), b->time);
    put_text(w, STR("type"), json_get_text(b->node, STR("type")));
    put_text(w, STR("category"), json_get_text(b->node, STR("category")));
    put_text(w, STR("level"), json_get_text(b->node, STR("level")));
    put_text(w, STR("message"), scalar_text(json_get(b->node, STR("message"))));
    if (json_is(data, JSON_OBJECT))
        put_object(w, STR("data"), data);
    json_put_object_end(w);
}

static int put_breadcrumbs(struct writing *o)
{
    uint32_t n, k = 0;
    const struct json_node *node = sentry_list(json_get(o->sent.node, STR("breadcrumbs")), &n);
    int64_t last = INT64_MIN, t;
    if (!n)
        return 0;
    struct breadcrumb *all = arena_alloc_array(o->arena, n, sizeof *all);
    if (!all)
        return ERR_NOMEM;
    for (uint32_t i = 0; node && i < n; node = node->next, i++) {
        if (!json_is(node, JSON_OBJECT))
            continue;
        bool has = sentry_time(json_get(node, STR("timestamp")), &t) && !__builtin_add_overflow(t, o->shift, &t);
        last = has ? t : last; // one without a time stays behind the one before it
        all[k] = (struct breadcrumb){ .time = last, .order = k, .has_time = has, .node = node };
        k++;
    }
    if (k > 1)
        qsort(all, k, sizeof *all, breadcrumb_order);
    uint32_t from = k > EVENT_BREADCRUMBS_MAX ? k - EVENT_BREADCRUMBS_MAX : 0;
    json_put_key(o->w, STR("breadcrumbs"));
    json_put_array(o->w);
    for (uint32_t i = from; i < k; i++)
        put_breadcrumb(o, &all[i]);
    json_put_array_end(o->w);
    put_count(o->w, STR("breadcrumbs_cut"), from);
    return 0;
}

// ---- the rest ----

static void put_tags(struct json_writer *w, const struct json_node *tags)
{
    uint32_t n = 0;
    if (!tags || !tags->n)
        return;
    json_put_key(w, STR("tags"));
    json_put_array(w);
    for (const struct json_node *t = tags->first; t && n < EVENT_TAGS_MAX; t = t->next) {
        const struct json_node *value;
        str name;
        if (!pair_of(tags, t, &name, &value) || !is_scalar(value))
            continue;
        json_put_object(w);
        json_put_key(w, STR("key"));
        json_put_str(w, utf8_cut(name, EVENT_LINE_MAX));
        json_put_key(w, STR("value"));
        json_put_str(w, utf8_cut(scalar_text(value), EVENT_LINE_MAX));
        json_put_object_end(w);
        n++;
    }
    json_put_array_end(w);
}

// Headers, cookies and query strings are objects or pairs, as the SDK likes: one object. Text stays text.
static void put_request(struct json_writer *w, const struct json_node *request)
{
    uint32_t n = 0;
    if (!json_is(request, JSON_OBJECT) || !request->n)
        return;
    json_put_key(w, STR("request"));
    json_put_object(w);
    for (const struct json_node *m = request->first; m && n < EVENT_MEMBERS_MAX; m = m->next, n++) {
        const struct json_node *value;
        uint32_t k = 0;
        str name;
        json_put_key(w, utf8_cut(m->key, EVENT_LINE_MAX));
        if (!json_is(m, JSON_ARRAY) || str_eq(m->key, STR("data"))) {
            put_node(w, m);
            continue;
        }
        json_put_object(w);
        for (const struct json_node *p = m->first; p && k < EVENT_MEMBERS_MAX; p = p->next, k++) {
            if (!pair_of(m, p, &name, &value))
                continue;
            json_put_key(w, utf8_cut(name, EVENT_LINE_MAX));
            put_node(w, value);
        }
        json_put_object_end(w);
    }
    json_put_object_end(w);
}

static void put_user(struct json_writer *w, const struct json_node *user, str address)
{
    uint32_t n = 0;
    if (!json_is(user, JSON_OBJECT) || !user->n)
        return;
    json_put_key(w, STR("user"));
    json_put_object(w);
    for (const struct json_node *m = user->first; m && n < EVENT_MEMBERS_MAX; m = m->next, n++) {
        json_put_key(w, utf8_cut(m->key, EVENT_LINE_MAX));
        if (address.len && str_eq(json_text_of(m), STR("{{auto}}")))
            json_put_str(w, address); // "whoever sent this", as it was found out then
        else
            put_node(w, m);
    }
    json_put_object_end(w);
}

static void put_sdk(struct json_writer *w, const struct sentry_event *s)
{
    if (!s->sdk_name.len)
        return;
    json_put_key(w, STR("sdk"));
    json_put_object(w);
    put_text(w, STR("name"), s->sdk_name);
    put_text(w, STR("version"), s->sdk_version);
    json_put_object_end(w);
}

static void put_scrubbed(struct json_writer *w, const struct value *paths, const struct value *rules)
{
    struct value_reader r, rule_reader;
    struct value v, rule;
    uint64_t left, rules_left = 0;
    if (rules->type == VALUE_LIST && value_open(rules, &rule_reader, &rules_left) < 0)
        rules_left = 0;
    if (paths->type != VALUE_LIST || value_open(paths, &r, &left) < 0 || !left)
        return;
    json_put_key(w, STR("scrubbed"));
    json_put_array(w);
    for (; left > 0 && value_read(&r, &v) == 0; left--) {
        if (v.type != VALUE_STR)
            continue;
        json_put_object(w);
        put_text(w, STR("path"), v.s);
        if (rules_left && value_read(&rule_reader, &rule) == 0 && rule.type == VALUE_STR)
            put_text(w, STR("rule"), rule.s);
        rules_left -= rules_left > 0;
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static str resource_text(const struct event *e, str key)
{
    for (uint32_t i = 0; e->resource && i < e->resource->attrs_n; i++)
        if (e->resource->attrs[i].value.type == VALUE_STR && str_eq(e->resource->attrs[i].key, key))
            return e->resource->attrs[i].value.s;
    return (str){ 0 };
}

static void put_head(struct json_writer *w, const struct event *e)
{
    uint8_t span[8];
    put_text(w, STR("event_id"), e->id);
    put_time(w, STR("time"), e->time);
    put_time(w, STR("received"), e->received);
    put_text(w, STR("title"), e->title);
    put_text(w, STR("type"), e->type);
    put_text(w, STR("message"), e->message);
    put_text(w, STR("culprit"), e->culprit);
    put_text(w, STR("level"), sentry_level_word(e->severity));
    if (e->handled >= 0) {
        json_put_key(w, STR("handled"));
        json_put_bool(w, e->handled);
    }
    put_text(w, STR("platform"), e->platform);
    put_text(w, STR("transaction"), e->transaction);
    put_text(w, STR("mechanism"), e->mechanism);
    put_text(w, STR("release"), resource_text(e, STR("release")));
    put_text(w, STR("environment"), resource_text(e, STR("environment")));
    put_text(w, STR("service"), resource_text(e, STR("service.name")));
    put_text(w, STR("server_name"), resource_text(e, STR("server_name")));
    if (be64_get(e->trace) || be64_get(e->trace + 8))
        put_hex(w, STR("trace"), e->trace, sizeof e->trace);
    if (e->span) {
        be64_put(span, e->span);
        put_hex(w, STR("span"), span, sizeof span);
    }
    if (e->replay.len == 16)
        put_hex(w, STR("replay"), e->replay.ptr, e->replay.len);
    put_scrubbed(w, &e->scrubbed, &e->scrub_rules);
}

static int put_sent(struct writing *o)
{
    struct json_writer *w = o->w;
    const struct sentry_event *s = &o->sent;
    if (s->time && __builtin_sub_overflow(o->e->time, s->time, &o->shift))
        o->shift = 0;
    put_text(w, STR("logger"), s->logger);
    put_text(w, STR("dist"), s->dist);
    put_sdk(w, s);
    put_exceptions(o);
    put_stack(o);
    int rc = put_threads(o);
    if (rc == 0)
        rc = put_breadcrumbs(o);
    put_tags(w, s->tags);
    put_object(w, STR("contexts"), s->contexts);
    put_object(w, STR("extra"), s->extra);
    put_user(w, s->user, o->e->user_address);
    put_request(w, s->request);
    put_object(w, STR("modules"), json_get(s->node, STR("modules")));
    if (rc == 0 && o->how->grouping) {
        json_put_key(w, STR("grouping"));
        rc = grouping_explain(o->how->grouping, s, o->arena, w);
    }
    return rc;
}

// Frames as people know them: of the sources, and of the application or not.
static int make_readable(struct writing *o)
{
    struct symbols_counts counts = { 0 };
    struct grouping grouping;
    int rc = 0;
    if (o->how->symbols)
        rc = symbols_event_apply(o->how->symbols, o->e->project, &o->sent, SYMBOLS_ANY, o->arena, &counts);
    if (rc == 0 && o->how->grouping)
        rc = grouping_run(o->how->grouping, &o->sent, o->arena, &grouping);
    if (rc == 0 && o->how->source)
        rc = o->how->source(o->how->source_ctx, o->e->project, &o->sent, resource_text(o->e, STR("release")), o->arena);
    return rc;
}

static int read_sent(struct writing *o, struct err *err)
{
    const struct json_node *root;
    int rc = json_tree_read(o->e->json, o->arena, SENTRY_EVENT_DEPTH, &root, err);
    return rc < 0 ? rc : sentry_event_read(root, o->arena, &o->sent, err);
}

static str base_name(str path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '/' && path.ptr[at - 1] != '\\')
        at--;
    return str_slice(path, at, path.len);
}

int event_frame_keys(const struct event *e, const struct event_writing *how, struct arena *arena, uint64_t **ret_keys,
                     uint32_t *ret_n, struct err *err)
{
    struct writing o = { .how = how, .arena = arena, .e = e };
    uint32_t n = 0;
    int rc = e->json.len ? read_sent(&o, err) : ERR_NOENT;
    if (rc == 0 && (rc = make_readable(&o)) < 0)
        err_set(err, rc, "memory", "the event does not fit the memory that it may take");
    if (rc < 0 && rc != ERR_NOENT)
        return rc;
    const struct sentry_stack *s = rc == 0 ? sentry_event_stack(&o.sent) : NULL;
    uint64_t *keys = arena_alloc_array(arena, EVENT_FRAME_KEYS_MAX, sizeof *keys);
    if (!keys)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    for (int all = 0; s && all < 2 && n == 0; all++)
        for (uint32_t i = s->n; i > 0 && n < EVENT_FRAME_KEYS_MAX; i--) {
            const struct sentry_frame *f = &s->frames[i - 1];
            str where = f->module.len ? f->module : base_name(f->filename);
            if ((all || f->in_app == 1) && (f->function.len || where.len))
                keys[n++] = hash64_str(f->function) ^ hash64_int(hash64_str(where));
        }
    *ret_keys = keys;
    *ret_n = n;
    return 0;
}

int event_put(struct json_writer *w, const struct event *e, const struct event_writing *how, struct arena *arena,
              struct err *err)
{
    struct writing o = { .w = w, .how = how, .arena = arena, .e = e };
    put_head(w, e);
    if (!e->json.len)
        return 0;
    int rc = read_sent(&o, err);
    if (rc < 0)
        return rc;
    if ((rc = make_readable(&o)) < 0 || (rc = put_sent(&o)) < 0)
        err_set(err, rc, "memory", "the event does not fit the memory that it may take");
    return rc;
}

// ---- as it is stored ----

static bool has_vars(const struct json_node *node, bool frame)
{
    for (const struct json_node *m = node->first; m; m = m->next) {
        bool own = frame && node->type == JSON_OBJECT && str_eq(m->key, STR("vars"));
        bool frames = node->type == JSON_OBJECT ? str_eq(m->key, STR("frames")) : frame;
        if ((own && m->type != JSON_NULL) || has_vars(m, frames))
            return true;
    }
    return false;
}

bool event_has_vars(const struct event *e, struct arena *arena)
{
    const struct json_node *root;
    return json_tree_read(e->json, arena, SENTRY_EVENT_DEPTH, &root, NULL) == 0 && has_vars(root, false);
}

// The tree without what frames hold of variables.
static void put_without_vars(struct json_writer *w, const struct json_node *node, bool frame)
{
    if (node->type == JSON_OBJECT) {
        json_put_object(w);
        for (const struct json_node *m = node->first; m; m = m->next) {
            if (frame && str_eq(m->key, STR("vars"))) {
                json_put_key(w, STR("vars_hidden"));
                json_put_bool(w, true);
                continue;
            }
            json_put_key(w, m->key);
            put_without_vars(w, m, str_eq(m->key, STR("frames")));
        }
        json_put_object_end(w);
    } else if (node->type == JSON_ARRAY) {
        json_put_array(w);
        for (const struct json_node *m = node->first; m; m = m->next)
            put_without_vars(w, m, frame);
        json_put_array_end(w);
    } else {
        json_put_tree(w, node);
    }
}

int event_put_json(struct json_writer *w, const struct event *e, bool values, struct arena *arena, struct err *err)
{
    const struct json_node *root;
    if (values) {
        json_put_raw(w, e->json);
        return 0;
    }
    int rc = json_tree_read(e->json, arena, SENTRY_EVENT_DEPTH, &root, err);
    if (rc == 0)
        put_without_vars(w, root, false);
    return rc;
}
