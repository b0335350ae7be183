// Events made readable: each frame of generated code is looked up and written anew.
//
// Names of functions, in this order, as Sentry's: the function of the generated code that the place lies in, named by the
// map where its name stands; when it is anonymous, what the calling frame calls (the name of the segment there); else the
// name that was sent. Without the generated code at hand the caller's word comes first.
#include "symbols/symbols_internal.h"

#include "symbols/js_name.h"
#include "symbols/js_scopes.h"
#include "symbols/source_lines.h"

#include <stdarg.h>
#include <stdio.h>

struct applying {
    struct lookup lookup;
    enum symbols_use use;
    struct symbols_counts *counts;
    str caller; // what the frame outside of this one calls
    str event_platform;
    // The last map: frames of one stack are mostly of one file.
    struct module *module;
    struct found found;
};

// ---- JSON: an object with other members ----

struct members {
    struct arena *arena;
    struct json_node *object;
    struct json_node *last;
    bool failed;
};

static struct json_node *member_add(struct members *m, str key, enum json_type type, str text)
{
    struct json_node *n = arena_zalloc(m->arena, sizeof *n);
    if (!n) {
        m->failed = true;
        return NULL;
    }
    *n = (struct json_node){ .type = (uint8_t)type, .key = key, .text = text };
    if (m->last)
        m->last->next = n;
    else
        m->object->first = n;
    m->last = n;
    m->object->n++;
    return n;
}

static void member_text(struct members *m, str key, str text)
{
    if (text.len)
        member_add(m, key, JSON_STRING, text);
}

static void member_number(struct members *m, str key, uint64_t n)
{
    str text = arena_printf(m->arena, "%llu", (unsigned long long)n);
    if (text.ptr)
        member_add(m, key, JSON_NUMBER, text);
    else
        m->failed = true;
}

static void member_lines(struct members *m, str key, const str *lines, unsigned n)
{
    struct json_node *list = member_add(m, key, JSON_ARRAY, (str){ 0 });
    struct members inner = { .arena = m->arena, .object = list };
    for (unsigned i = 0; list && i < n; i++)
        member_add(&inner, (str){ 0 }, JSON_STRING, lines[i]);
    m->failed |= inner.failed;
}

// The frame's object, without what is written anew.
static struct members members_of(struct arena *arena, const struct json_node *node)
{
    static const str anew[] = { STR_INIT("function"),     STR_INIT("raw_function"), STR_INIT("module"),
                                STR_INIT("filename"),     STR_INIT("abs_path"),     STR_INIT("lineno"),
                                STR_INIT("colno"),        STR_INIT("in_app"),       STR_INIT("pre_context"),
                                STR_INIT("context_line"), STR_INIT("post_context") };
    struct members m = { .arena = arena, .object = arena_zalloc(arena, sizeof *m.object) };
    if (!m.object) {
        m.failed = true;
        return m;
    }
    *m.object = (struct json_node){ .type = JSON_OBJECT, .key = node->key };
    for (const struct json_node *o = json_first_of(node, JSON_OBJECT); o && !m.failed; o = o->next) {
        bool keep = true;
        for (size_t i = 0; i < sizeof anew / sizeof anew[0] && keep; i++)
            keep = !str_eq(o->key, anew[i]);
        struct json_node *n = keep ? member_add(&m, o->key, (enum json_type)o->type, o->text) : NULL;
        if (n)
            n->first = o->first, n->n = o->n;
    }
    return m;
}

static int node_rewrite(struct arena *arena, struct sentry_frame *f, const struct source_lines *lines)
{
    struct members m = members_of(arena, f->node);
    if (m.failed)
        return ERR_NOMEM;
    member_text(&m, STR("function"), f->function);
    member_text(&m, STR("module"), f->module);
    member_text(&m, STR("filename"), f->filename);
    member_text(&m, STR("abs_path"), f->abs_path);
    member_number(&m, STR("lineno"), (uint64_t)f->line);
    member_number(&m, STR("colno"), (uint64_t)f->column);
    if (f->in_app >= 0)
        member_add(&m, STR("in_app"), f->in_app ? JSON_TRUE : JSON_FALSE, (str){ 0 });
    if (lines) {
        member_lines(&m, STR("pre_context"), lines->before, lines->before_n);
        member_add(&m, STR("context_line"), JSON_STRING, lines->line);
        member_lines(&m, STR("post_context"), lines->after, lines->after_n);
    }
    f->node = m.object;
    return m.failed ? ERR_NOMEM : 0;
}

// ---- names ----

static bool says_nothing(str function)
{
    return str_eq(function, STR("<anonymous>")) || str_eq(function, STR("__webpack_require__")) ||
           str_eq(function, STR("__webpack_modules__"));
}

static str function_of(const struct applying *a, const struct module *m, const struct sentry_frame *f)
{
    str scope = { 0 };
    bool inside = m->scopes &&
                  js_scopes_find(m->scopes, (uint32_t)f->line - 1, f->column > 0 ? (uint32_t)f->column - 1 : 0, &scope);
    if (m->scopes && !inside) // of no function: the file's own code
        scope = f->function.len ? f->function : STR("<unknown>");
    else if (m->scopes && !scope.len)
        scope = STR("<anonymous>");
    if (scope.len && !says_nothing(scope))
        return scope;
    if (a->caller.len)
        return a->caller;
    return f->function.len ? f->function : scope.len ? scope : STR("<unknown>");
}

static bool on_the_web(str abs_path)
{
    static const str schemes[] = { STR_INIT("http:"), STR_INIT("https:"), STR_INIT("webpack:"), STR_INIT("app:") };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_starts(abs_path, schemes[i]))
            return true;
    return false;
}

// The map may go; its texts stay with the event.
static int lines_keep(struct arena *arena, struct source_lines *l)
{
    int r = arena_dup(arena, l->line, &l->line);
    for (unsigned i = 0; i < l->before_n && r == 0; i++)
        r = arena_dup(arena, l->before[i], &l->before[i]);
    for (unsigned i = 0; i < l->after_n && r == 0; i++)
        r = arena_dup(arena, l->after[i], &l->after[i]);
    return r;
}

static int frame_rewrite(struct applying *a, const struct module *m, const struct sourcemap_place *p,
                         const struct sentry_frame *raw, struct sentry_frame *f)
{
    struct arena *arena = a->lookup.arena;
    const struct sourcemap_source *source = &m->map->sources[p->source];
    struct source_lines lines;
    str name, function;
    if (arena_dup(arena, source->name, &name) < 0 || arena_dup(arena, function_of(a, m, raw), &function) < 0)
        return ERR_NOMEM;
    f->raw_function = (str){ 0 };
    f->function = js_function_folded(arena, function);
    // Relative to the map, which lies where the file does unless its name says otherwise.
    bool map_elsewhere = m->url.len && !str_starts(m->url, STR("~")) && str_find(m->url, STR("://")) > 0;
    f->abs_path = js_url_join(arena, map_elsewhere ? m->url : raw->abs_path, name);
    f->filename = name;
    if (str_starts(name, STR("webpack:"))) {
        f->filename = js_webpack_path(arena, name);
        f->module = js_module(f->filename);
    } else if (!f->module.len && on_the_web(f->abs_path)) {
        f->module = js_module(f->abs_path);
    }
    int in_app = js_in_app(f->abs_path, f->filename);
    if (in_app < 0 && source->ignored)
        in_app = 0;
    if (in_app >= 0)
        f->in_app = (int8_t)in_app;
    f->line = (int64_t)p->line + 1;
    f->column = (int64_t)p->column + 1;
    bool has = source->content.ptr && source_lines_get(source->content, p->line + 1, p->column + 1, arena, &lines);
    if (has && lines_keep(arena, &lines) < 0)
        return ERR_NOMEM;
    f->context_line = has ? lines.line : (str){ 0 };
    if (!f->function.ptr || !f->abs_path.ptr)
        return ERR_NOMEM;
    return node_rewrite(arena, f, has ? &lines : NULL);
}

// ---- one frame ----

static void missing(struct applying *a, struct sentry_frame *f, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void missing(struct applying *a, struct sentry_frame *f, const char *fmt, ...)
{
    char text[512];
    str kept;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    a->counts->missing++;
    n = n < (int)sizeof text ? n : (int)sizeof text - 1;
    if (n > 0 && arena_dup(a->lookup.arena, str_of(text, (size_t)n), &kept) == 0)
        f->missing = kept;
}

static void no_map(struct applying *a, struct sentry_frame *f, str abs_path, const struct found *found)
{
    const struct image *image = lookup_image(&a->lookup, abs_path);
    char id[DEBUG_ID_TEXT];
    str release = str_slice(a->lookup.release, 0, 100), path = str_slice(abs_path, 0, 200);
    if (image) {
        debug_id_format(image->debug_id, id);
        missing(a, f, "no source map for debug id %.*s: upload it with sentry-cli sourcemaps upload", DEBUG_ID_TEXT,
                id);
    } else if (found->minified) {
        missing(a, f, "release %.*s has %.*s, but not the source map that it names", STR_ARG(release), STR_ARG(path));
    } else if (release.len) {
        missing(a, f,
                "no debug id, and release %.*s has no source map for %.*s: sentry-cli sourcemaps inject and upload",
                STR_ARG(release), STR_ARG(path));
    } else {
        missing(a, f, "neither a debug id nor a release: sentry-cli sourcemaps inject and upload");
    }
}

// Code that a map could be for. Code that runs as it was written says so with its source lines.
static bool is_generated(const struct applying *a, const struct sentry_frame *f)
{
    str platform = json_get_text(f->node, STR("platform"));
    platform = platform.len ? platform : a->event_platform;
    if (f->line <= 0 || f->line > UINT32_MAX || f->column > UINT32_MAX || !f->abs_path.len)
        return false;
    if (!str_eq(platform, STR("javascript")) && !str_eq(platform, STR("node")))
        return false;
    if (str_starts(f->abs_path, STR("node:")) || str_starts(f->abs_path, STR("<")) ||
        str_eq(f->abs_path, STR("native")) || str_starts(f->abs_path, STR("[native")))
        return false;
    return true;
}

static int module_of(struct applying *a, struct found found)
{
    if (a->module && a->found.map == found.map && a->found.minified == found.minified)
        return 0;
    module_unref(a->lookup.s, a->module);
    a->module = NULL;
    a->found = found;
    return module_get(a->lookup.s, found, a->use, &a->module);
}

// sent: the same frame, kept as `raw`.
static int frame_apply(struct applying *a, const struct sentry_frame *sent, struct sentry_frame *f)
{
    struct sentry_frame where = *sent;
    const struct sentry_frame *raw = &where;
    if (!where.abs_path.len) // of code that no browser has fetched
        where.abs_path = where.filename;
    struct found found;
    struct sourcemap_place p;
    if (!is_generated(a, raw)) {
        a->caller = (str){ 0 };
        return 0;
    }
    int r = lookup_find(&a->lookup, raw->abs_path, &found);
    if (r == ERR_NOMEM)
        return r;
    bool written = raw->context_line.len && !lookup_image(&a->lookup, raw->abs_path);
    if (r < 0 || !found.map) {
        a->caller = (str){ 0 };
        if (!written) {
            a->counts->frames++;
            r < 0 ? missing(a, f, "the database of source maps cannot be read") : no_map(a, f, raw->abs_path, &found);
        }
        return 0;
    }
    a->counts->frames++;
    r = module_of(a, found);
    if (r == ERR_NOMEM)
        return r;
    if (r < 0 || !a->module->map) {
        a->caller = (str){ 0 };
        if (r == ERR_AGAIN)
            a->counts->unparsed++;
        else
            missing(a, f, "the source map cannot be used: %s", r < 0 ? err_text(r) : a->module->why);
        return 0;
    }
    if (!sourcemap_find(a->module->map, (uint32_t)raw->line - 1, raw->column > 0 ? (uint32_t)raw->column - 1 : 0, &p)) {
        a->caller = (str){ 0 };
        missing(a, f, "there is a source map, but line %lld, column %lld is not in it: it may be of another build",
                (long long)raw->line, (long long)raw->column);
        return 0;
    }
    a->counts->symbolicated++;
    r = frame_rewrite(a, a->module, &p, raw, f);
    f->raw = sent;
    a->caller = p.name == SOURCEMAP_NONE ? (str){ 0 } : a->module->map->names[p.name];
    if (r == 0)
        r = arena_dup(a->lookup.arena, a->caller, &a->caller);
    return r;
}

static int stack_apply(struct applying *a, struct sentry_stack *s)
{
    if (!s->n)
        return 0;
    struct sentry_frame *frames = arena_alloc_array(a->lookup.arena, s->n, sizeof *frames);
    if (!frames)
        return ERR_NOMEM;
    memcpy(frames, s->frames, s->n * sizeof *frames);
    a->caller = (str){ 0 };
    for (uint32_t i = 0; i < s->n; i++) {
        int r = frame_apply(a, &s->frames[i], &frames[i]);
        if (r < 0)
            return r;
    }
    s->frames = frames;
    return 0;
}

static bool has_frames(const struct sentry_event *e)
{
    bool any = e->stack.n > 0;
    for (uint32_t i = 0; i < e->exceptions_n; i++)
        any |= e->exceptions[i].stack.n > 0;
    return any;
}

static int applying_begin(struct applying *a, struct symbols *s, uint32_t project, const struct sentry_event *e,
                          enum symbols_use use, struct arena *arena, struct symbols_counts *counts)
{
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    *a = (struct applying){ .use = use, .counts = counts, .event_platform = e->platform };
    return lookup_begin(&a->lookup, s, project, e, arena);
}

int symbols_stack_apply(struct symbols *s, uint32_t project, const struct sentry_event *e, struct sentry_stack *stack,
                        enum symbols_use use, struct arena *arena, struct symbols_counts *counts)
{
    struct applying a;
    int r = applying_begin(&a, s, project, e, use, arena, counts);
    if (r == 0)
        r = stack_apply(&a, stack);
    module_unref(s, a.module);
    return r;
}

int symbols_event_apply(struct symbols *s, uint32_t project, struct sentry_event *e, enum symbols_use use,
                        struct arena *arena, struct symbols_counts *ret_counts)
{
    struct symbols_counts counts = { 0 };
    struct applying a;
    struct sentry_exception *all = NULL;
    struct sentry_stack own = e->stack;
    *ret_counts = counts;
    if (!has_frames(e))
        return 0;
    int r = applying_begin(&a, s, project, e, use, arena, &counts);
    if (r == 0 && e->exceptions_n) {
        all = arena_alloc_array(arena, e->exceptions_n, sizeof *all);
        r = all ? 0 : ERR_NOMEM;
    }
    if (r == 0 && all)
        memcpy(all, e->exceptions, e->exceptions_n * sizeof *all);
    for (uint32_t i = 0; i < e->exceptions_n && r == 0; i++)
        r = stack_apply(&a, &all[i].stack);
    if (r == 0)
        r = stack_apply(&a, &own);
    module_unref(s, a.module);
    if (r < 0)
        return r;
    if (all)
        e->exceptions = all;
    e->stack = own;
    *ret_counts = counts;
    return 0;
}
