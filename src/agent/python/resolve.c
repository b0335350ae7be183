#include "agent/python/resolve.h"
#include "agent/python/source.h"
#include "agent/source.h"
#include <sodium.h>

enum { SOURCE_MAX = 1 << 20, VARIABLES_MAX = 2000, NEAREST = 6, PATH_ROOM = 8192 };

static bool shown(str name, bool folder)
{
    return folder ? !str_eq(name, STR("__pycache__")) : str_ends(name, STR(".py"));
}

static void put_hash(struct json_writer *out, str text)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)(text.ptr ? text.ptr : ""), text.len);
    json_put_key(out, STR("hash")), json_put_hex(out, bytes_of(hash, sizeof hash));
}

static void put_functions(struct json_writer *out, const struct py_source *s, str prefix)
{
    size_t n;
    const struct py_scope *scopes = py_scopes(s, &n);
    json_put_key(out, STR("functions"));
    json_put_array(out);
    for (size_t i = 0; i < n; i++) {
        struct buf name;
        if (scopes[i].kind != PY_FUNCTION)
            continue;
        buf_init(&name, PATH_ROOM);
        if (py_qualified(s, &scopes[i], &name) == 0 &&
            (str_starts(buf_view(&name), prefix) || str_starts(scopes[i].name, prefix))) {
            json_put_object(out);
            json_put_key(out, STR("name")), json_put_str(out, buf_view(&name));
            json_put_key(out, STR("line")), json_put_int(out, scopes[i].line);
            json_put_key(out, STR("end")), json_put_int(out, scopes[i].end);
            put_hash(out, py_text(s, scopes[i].line, scopes[i].end));
            json_put_object_end(out);
        }
        buf_free(&name);
    }
    json_put_array_end(out);
}

static void put_lines(struct json_writer *out, const struct py_source *s)
{
    size_t n;
    const struct py_line *lines = py_lines(s, &n);
    json_put_key(out, STR("lines"));
    json_put_array(out);
    for (size_t i = 0; i < n; i++)
        json_put_int(out, lines[i].line);
    json_put_array_end(out);
}

// The line itself when a probe can stand on it, else those around it, the nearest first.
static void put_nearest(struct json_writer *out, const struct py_source *s, int line)
{
    int nearest[NEAREST], n = py_nearest(s, line, nearest, NEAREST);
    json_put_key(out, STR("nearest"));
    json_put_array(out);
    for (int k = 0; k < n; k++)
        json_put_int(out, nearest[k]);
    json_put_array_end(out);
}

struct variables {
    struct json_writer *out;
    str prefix;
    int n;
};

static void put_variable(void *ctx, str name, enum py_name_kind kind)
{
    static const str kinds[] = { STR_INIT("arg"), STR_INIT("local"), STR_INIT("closure"), STR_INIT("global") };
    struct variables *v = ctx;
    if (!str_starts(name, v->prefix) || v->n++ >= VARIABLES_MAX || kind > PY_GLOBAL)
        return;
    json_put_object(v->out);
    json_put_key(v->out, STR("name")), json_put_str(v->out, name);
    json_put_key(v->out, STR("kind")), json_put_str(v->out, kinds[kind]);
    json_put_object_end(v->out);
}

static void put_variables(struct json_writer *out, const struct py_source *s, int line, str prefix)
{
    json_put_key(out, STR("variables"));
    json_put_array(out);
    py_visible(s, line, put_variable, &(struct variables){ .out = out, .prefix = prefix });
    json_put_array_end(out);
}

int python_resolve(const struct process *p, const struct resolve_request *q, struct json_writer *out, struct err *err)
{
    if (q->what == RESOLVE_FILES)
        return source_list(p, q->path, shown, NULL, out, err);
    if (!str_ends(q->path, STR(".py")))
        return err_set(err, ERR_INVALID, "no_source", "this is no path of a Python source file");
    struct arena arena;
    struct py_source source;
    str text, path;
    arena_init(&arena, SOURCE_MAX + PATH_ROOM);
    int rc = source_find(p, q->path, &arena, &path, err);
    if (rc == 0)
        rc = source_read(p, path, SOURCE_MAX, &arena, &text, err);
    if (rc == 0 && (rc = py_source_read(&source, text)) < 0)
        err_set(err, rc, "no_source", "the file is too large");
    if (rc < 0) {
        arena_free(&arena);
        return rc;
    }
    json_put_object(out);
    switch (q->what) {
    case RESOLVE_SOURCE:
        json_put_key(out, STR("path")), json_put_str(out, path);
        json_put_key(out, STR("text")), json_put_str(out, source.text);
        put_hash(out, source.text);
        put_lines(out, &source);
        put_functions(out, &source, (str){ 0 });
        break;
    case RESOLVE_LINES:
        put_lines(out, &source);
        if (q->line > 0)
            put_nearest(out, &source, q->line);
        break;
    case RESOLVE_VARIABLES:
        put_variables(out, &source, q->line, q->prefix);
        break;
    default:
        put_functions(out, &source, q->prefix);
    }
    json_put_object_end(out);
    py_source_free(&source);
    arena_free(&arena);
    return 0;
}
