#include "agent/node/resolve.h"
#include "agent/node/map.h"
#include "agent/node/resolve_map.h"
#include "agent/node/scan.h"
#include "agent/source.h"

#include <sodium.h>

static bool is_source(str name)
{
    return str_ends(name, STR(".js")) || str_ends(name, STR(".cjs")) || str_ends(name, STR(".mjs"));
}

static bool shown(str name, bool folder)
{
    return folder || (map_is_source(name) && !str_ends(name, STR(".d.ts")) && !str_ends(name, STR(".d.mts")) &&
                      !str_ends(name, STR(".d.cts")));
}

void source_hash(str text, uint8_t ret[SOURCE_HASH])
{
    _Static_assert(SOURCE_HASH == crypto_hash_sha256_BYTES, "SHA-256");
    crypto_hash_sha256(ret, (const uint8_t *)(text.ptr ? text.ptr : ""), text.len);
}

static void put_hash(struct json_writer *out, str text)
{
    uint8_t hash[SOURCE_HASH];
    source_hash(text, hash);
    json_put_key(out, STR("hash")), json_put_hex(out, bytes_of(hash, sizeof hash));
}

// A file as it is asked about: a script, or what one was made of.
struct asked {
    const struct scan *scan;
    const struct map_view *view; // NULL: it is the script
    uint32_t source;
    str text, script; // script: what was made of it
};

static void put_lines(struct json_writer *out, const struct asked *f, struct arena *arena)
{
    const struct scan *s = f->scan;
    uint32_t last = 0, *lines, n = 0;
    json_put_array(out);
    if (f->view && map_lines(f->view, f->source, arena, &lines, &n) < 0)
        n = 0;
    for (uint32_t i = 0; i < n; i++)
        json_put_int(out, lines[i]);
    for (uint32_t i = 0; i < s->n_places && !f->view; i++)
        if (s->scopes[s->places[i].scope].function != 0 && s->places[i].line != last)
            json_put_int(out, last = s->places[i].line);
    json_put_array_end(out);
}

static void put_functions(struct json_writer *out, const struct asked *a, str prefix)
{
    const struct scan *s = a->scan;
    json_put_array(out);
    for (uint32_t i = 1; i < s->n_functions; i++) {
        const struct scan_function *f = &s->functions[i];
        const struct map_place *at = a->view ? &a->view->functions[i] : NULL;
        str name = f->original.len ? f->original : f->name;
        if (!name.len || !str_starts(name, prefix) || (at && (at->source != a->source || !at->line)))
            continue;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, name);
        if (f->owner.len)
            json_put_key(out, STR("class")), json_put_str(out, f->owner_original.len ? f->owner_original : f->owner);
        json_put_key(out, STR("line")), json_put_int(out, at ? at->line : f->line);
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

static void put_variables(struct json_writer *out, const struct asked *a, int asked_line, str prefix)
{
    const struct scan *s = a->scan;
    uint32_t line = asked_line > 0 ? (uint32_t)asked_line : 0;
    const struct scan_place *at = a->view ? map_place_of(a->view, a->source, line, 0) : js_place_of(s, line, 0);
    json_put_array(out);
    for (uint32_t i = 0; at && i < s->n_names; i++) {
        const struct scan_name *n = &s->names[i];
        str name = n->original.len ? n->original : n->name;
        if (!str_starts(name, prefix) || js_visible(s, at, n->name) != n || (n->kind == SCAN_LET && n->from > at->at))
            continue;
        uint32_t of = s->scopes[n->scope].function;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, name);
        json_put_key(out, STR("kind"));
        json_put_str(out, of == 0                               ? STR("global")
                          : of != s->scopes[at->scope].function ? STR("closure")
                          : n->kind == SCAN_ARG                 ? STR("arg")
                                                                : STR("local"));
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

static void answer(const struct resolve_request *q, const struct asked *f, struct arena *arena, struct json_writer *out)
{
    json_put_object(out);
    if (q->what == RESOLVE_SOURCE) {
        json_put_key(out, STR("path")), json_put_str(out, q->path);
        json_put_key(out, STR("text")), json_put_str(out, f->text);
        put_hash(out, f->text);
        if (f->view)
            json_put_key(out, STR("generated")), json_put_str(out, f->script);
    }
    if (q->what == RESOLVE_SOURCE || q->what == RESOLVE_LINES)
        json_put_key(out, STR("lines")), put_lines(out, f, arena);
    if (q->what == RESOLVE_SOURCE || q->what == RESOLVE_FUNCTIONS)
        json_put_key(out, STR("functions")),
            put_functions(out, f, q->what == RESOLVE_FUNCTIONS ? q->prefix : (str){ 0 });
    if (q->what == RESOLVE_VARIABLES)
        json_put_key(out, STR("variables")), put_variables(out, f, q->line, q->prefix);
    json_put_object_end(out);
}

static int resolve_source(const struct process *p, const struct resolve_request *q, struct arena *arena,
                          struct json_writer *out, struct err *err)
{
    struct made made = { 0 };
    struct map_view view;
    struct scan s;
    str text;
    int rc = made_search(p, q->path, arena, &made, err);
    if (rc == 0 && q->what == RESOLVE_SOURCE && !made.text.ptr)
        rc = err_set(err, ERR_NOENT, "no_source",
                     "%.*s was made of this file, but neither its source map nor the disk has the text",
                     STR_ARG(made.script));
    if (rc == 0)
        rc = map_file_read(p, made.script, SCAN_SOURCE_MAX, arena, &text, NULL, err);
    if (rc == 0)
        rc = js_source(text, arena, &s, err);
    if (rc == 0 && map_view_make(made.map, &s, arena, &view) < 0)
        rc = err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    if (rc == 0) {
        struct asked f = { &s, &view, made.source, made.text, made.script };
        answer(q, &f, arena, out);
    }
    made_done(&made);
    return rc;
}

static int resolve_script(const struct process *p, const struct resolve_request *q, struct arena *arena,
                          struct json_writer *out, struct err *err)
{
    struct scan s;
    str text;
    int rc = source_read(p, q->path, SCAN_SOURCE_MAX, arena, &text, err);
    if (rc < 0)
        return rc;
    if (js_source(text, arena, &s, err) < 0)
        s = (struct scan){ .text = text }; // it is shown all the same
    struct asked f = { .scan = &s, .text = text };
    answer(q, &f, arena, out);
    return 0;
}

int node_resolve(const struct process *p, const struct resolve_request *q, struct json_writer *out, struct err *err)
{
    struct arena arena;
    if (q->what == RESOLVE_FILES)
        return source_list(p, q->path, shown, made_sources, out, err);
    if (!map_is_source(q->path))
        return err_set(err, ERR_INVALID, "no_source",
                       "this is no path of a file in JavaScript, or in a language that is made into it");
    arena_init(&arena, SCAN_ARENA_MAX);
    int rc = is_source(q->path) ? resolve_script(p, q, &arena, out, err) : ERR_NOENT;
    if (rc == ERR_NOENT)
        rc = resolve_source(p, q, &arena, out, err);
    struct resolve_request found = *q;
    if (rc == ERR_NOENT && is_source(q->path) && (rc = source_find(p, q->path, &arena, &found.path, err)) == 0)
        rc = resolve_script(p, &found, &arena, out, err);
    arena_free(&arena);
    return rc;
}
