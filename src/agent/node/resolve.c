#include "agent/node/resolve.h"
#include "agent/node/scan.h"
#include "agent/source.h"

#include <sodium.h>

static bool is_source(str name)
{
    return str_ends(name, STR(".js")) || str_ends(name, STR(".cjs")) || str_ends(name, STR(".mjs"));
}

static bool shown(str name, bool folder) { return folder || is_source(name); }

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

static void put_lines(struct json_writer *out, const struct scan *s)
{
    uint32_t last = 0;
    json_put_array(out);
    for (uint32_t i = 0; i < s->n_places; i++)
        if (s->scopes[s->places[i].scope].function != 0 && s->places[i].line != last)
            json_put_int(out, last = s->places[i].line);
    json_put_array_end(out);
}

static void put_functions(struct json_writer *out, const struct scan *s, str prefix)
{
    json_put_array(out);
    for (uint32_t i = 1; i < s->n_functions; i++) {
        const struct scan_function *f = &s->functions[i];
        if (!f->name.len || !str_starts(f->name, prefix))
            continue;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, f->name);
        json_put_key(out, STR("line")), json_put_int(out, f->line);
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

static void put_variables(struct json_writer *out, const struct scan *s, int line, str prefix)
{
    const struct scan_place *at = js_place_of(s, line > 0 ? (uint32_t)line : 0, 0);
    json_put_array(out);
    for (uint32_t i = 0; at && i < s->n_names; i++) {
        const struct scan_name *n = &s->names[i];
        if (!str_starts(n->name, prefix) || js_visible(s, at, n->name) != n ||
            (n->kind == SCAN_LET && n->from > at->at))
            continue;
        uint32_t of = s->scopes[n->scope].function;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, n->name);
        json_put_key(out, STR("kind"));
        json_put_str(out, of == 0                               ? STR("global")
                          : of != s->scopes[at->scope].function ? STR("closure")
                          : n->kind == SCAN_ARG                 ? STR("arg")
                                                                : STR("local"));
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

static void answer(const struct resolve_request *q, const struct scan *s, struct json_writer *out)
{
    json_put_object(out);
    if (q->what == RESOLVE_SOURCE) {
        json_put_key(out, STR("path")), json_put_str(out, q->path);
        json_put_key(out, STR("text")), json_put_str(out, s->text);
        put_hash(out, s->text);
    }
    if (q->what == RESOLVE_SOURCE || q->what == RESOLVE_LINES)
        json_put_key(out, STR("lines")), put_lines(out, s);
    if (q->what == RESOLVE_SOURCE || q->what == RESOLVE_FUNCTIONS)
        json_put_key(out, STR("functions")),
            put_functions(out, s, q->what == RESOLVE_FUNCTIONS ? q->prefix : (str){ 0 });
    if (q->what == RESOLVE_VARIABLES)
        json_put_key(out, STR("variables")), put_variables(out, s, q->line, q->prefix);
    json_put_object_end(out);
}

int node_resolve(const struct process *p, const struct resolve_request *q, struct json_writer *out, struct err *err)
{
    struct arena arena;
    struct scan s;
    str text;
    if (q->what == RESOLVE_FILES)
        return source_list(p, q->path, shown, out, err);
    if (!is_source(q->path))
        return err_set(err, ERR_INVALID, "no_source", "this is no path of a JavaScript file");
    arena_init(&arena, SCAN_ARENA_MAX);
    int rc = source_read(p, q->path, SCAN_SOURCE_MAX, &arena, &text, err);
    if (rc == 0 && js_source(text, &arena, &s, err) < 0)
        s = (struct scan){ .text = text }; // it is shown all the same
    if (rc == 0)
        answer(q, &s, out);
    arena_free(&arena);
    return rc;
}
