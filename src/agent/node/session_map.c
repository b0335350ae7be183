#include "agent/node/session_map.h"
#include "agent/node/session.h"

#include <stdio.h>

enum { LOOKED_AT_MAX = 1000, LOOKED_AT_BYTES_MAX = 64 << 20 }; // maps, in one session

bool session_url_matches(str url, str file)
{
    if (str_starts(url, STR("file://")))
        url = str_slice(url, 7, url.len);
    if (str_starts(file, STR("file://")))
        file = str_slice(file, 7, file.len);
    while (str_starts(file, STR("./")))
        file = str_slice(file, 2, file.len);
    if (!str_ends(url, file) || file.len == 0)
        return false;
    return url.len == file.len || file.ptr[0] == '/' || url.ptr[url.len - file.len - 1] == '/';
}

// --- which scripts ---

static bool is_loaded(const struct session *s, str file)
{
    for (size_t i = 0; i < s->n_scripts; i++)
        if (!s->scripts[i].native && session_url_matches(s->scripts[i].url, file))
            return true;
    return false;
}

static str name_of(str path)
{
    for (ptrdiff_t slash; (slash = str_find_char(path, '/', 0)) >= 0;)
        path = str_slice(path, (size_t)slash + 1, path.len);
    return path;
}

static void candidate(struct placed *p, str url)
{
    struct map_candidates *c = p->maps;
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->urls[i], url))
            return;
    if (c->n < CANDIDATES_MAX)
        c->urls[c->n++] = url;
}

static bool third_party(str path) { return str_find(path, STR("/node_modules/")) >= 0; }

static void look_at(struct attachment *a, const struct session_script *script, size_t *read)
{
    struct arena arena;
    struct sourcemap *map = NULL;
    struct err err;
    str json, base, url = script->map_url, text;
    bool parsed = false;
    arena_init(&arena, MAP_ARENA_MAX);
    str path = map_path_of_url(&arena, script->url);
    int rc = path.ptr ? 0 : ERR_NOMEM;
    if (rc == 0 && !url.len && (rc = map_file_read(&a->process, path, SCAN_SOURCE_MAX, &arena, &text, NULL, &err)) == 0)
        url = map_url_of(text);
    if (rc == 0)
        rc = map_read(&a->process, path, url, &arena, &json, &base, &err);
    if (rc == 0)
        *read += json.len;
    for (size_t i = 0; i < PLACED_MAX && rc == 0; i++) {
        struct placed *p = &a->placed[i];
        uint32_t source;
        bool more;
        if (!p->used || !p->maps || (third_party(path) && !third_party(p->probe->where.file)) ||
            str_find(json, name_of(p->probe->where.file)) < 0)
            continue;
        if (!parsed)
            rc = map_parse(json, SOURCEMAP_CONTENT_NONE, &map, &err);
        parsed = true;
        if (rc == 0 && map_source_of(map, base, p->probe->where.file, &source, &more))
            candidate(p, script->url);
    }
    sourcemap_free(map);
    arena_free(&arena);
}

void session_maps_find(struct attachment *a)
{
    struct session *s = &a->session;
    size_t read = 0;
    bool any = false, far = false;
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        p->maps = NULL;
        if (!p->used || p->refused || placed_without_file(p->probe) || is_loaded(s, p->probe->where.file))
            continue;
        p->maps = arena_zalloc(&s->arena, sizeof *p->maps);
        any |= p->maps != NULL;
        far |= third_party(p->probe->where.file);
    }
    size_t looked = 0;
    for (size_t i = 0; any && i < s->n_scripts && looked < LOOKED_AT_MAX && read < LOOKED_AT_BYTES_MAX; i++) {
        const struct session_script *script = &s->scripts[i];
        if (script->native || !script->mapped || (third_party(script->url) && !far))
            continue;
        look_at(a, script, &read);
        looked++;
    }
}

// --- the script whose text is known ---

// What runs is what its map is of.
static int check_text(struct attachment *a, str path, struct err *err)
{
    struct arena arena;
    str text;
    arena_init(&arena, SCAN_SOURCE_MAX + (1 << 20));
    int rc = map_file_read(&a->process, path, SCAN_SOURCE_MAX, &arena, &text, NULL, err);
    if (rc == 0 && str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len);
    if (rc == 0 && !str_eq(text, a->session.original))
        rc = err_set(err, ERR_CORRUPT, "source_mismatch",
                     "the process runs another version of %.*s than the one that the source map beside it is of",
                     STR_ARG(path));
    arena_free(&arena);
    return rc;
}

static int view_make(struct attachment *a, struct arena *arena, struct err *err)
{
    struct session *s = &a->session;
    struct sourcemap *map = NULL;
    str json, base, path = map_path_of_url(&s->arena, s->scripts[s->script].url), url = map_url_of(s->original);
    int rc = path.ptr ? map_read(&a->process, path, url, arena, &json, &base, err) : ERR_NOMEM;
    if (rc == 0 && !str_starts(url, STR("data:")))
        rc = check_text(a, path, err);
    if (rc == 0)
        rc = map_parse(json, SOURCEMAP_CONTENT_NONE, &map, err);
    if (rc == 0)
        rc = map_files_put(&a->files, path, base, map, err);
    if (rc < 0)
        return rc;
    struct map_view *v = arena_alloc(&s->arena, sizeof *v);
    base = session_keep(a, base);
    if (!v || !base.ptr || map_view_make(map, &s->scan, &s->arena, v) < 0)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    map_files_functions(&a->files, path, v);
    s->view = v, s->base = base, s->script_path = path;
    return 0;
}

int session_map_of(struct attachment *a, const struct placed *p, const struct map_view **ret_view, uint32_t *ret_source,
                   struct err *err)
{
    struct session *s = &a->session;
    struct arena arena;
    bool more, by_map = p->maps && p->maps->n;
    // A loader that compiles in memory calls the script by the file that it was made of.
    if (!by_map && !str_starts(map_url_of(s->original), STR("data:")))
        return 0;
    if (!s->view && !s->view_err.code) {
        arena_init(&arena, MAP_ARENA_MAX);
        int rc = view_make(a, &arena, &s->view_err);
        s->view_err.code = rc < 0 ? rc : 0;
        arena_free(&arena);
    }
    if (!s->view) {
        if (!by_map)
            return 0;
        *err = s->view_err;
        return err->code;
    }
    str file = by_map ? p->probe->where.file : s->script_path;
    if (!map_source_of(s->view->map, s->base, file, ret_source, &more))
        return by_map ? err_set(err, ERR_CORRUPT, "source_mismatch", "the source map has changed") : 0;
    if (!by_map) {
        str path = map_source_path(&s->arena, s->base, s->view->map->sources[*ret_source].name);
        if (!str_eq(path, s->script_path))
            return 0;
    }
    if (more)
        return err_set(err, ERR_EXIST, "ambiguous_file", "several sources of %.*s are called so: give more of the path",
                       STR_ARG(s->script_path));
    *ret_view = s->view;
    return 1;
}

int session_map_content(struct attachment *a, uint32_t source, str *ret_text, struct err *err)
{
    struct session *s = &a->session;
    struct arena arena;
    struct sourcemap *map = NULL;
    str json, base;
    arena_init(&arena, MAP_ARENA_MAX);
    int rc = map_read(&a->process, s->script_path, map_url_of(s->original), &arena, &json, &base, err);
    if (rc == 0)
        rc = map_parse(json, source, &map, err);
    if (rc == 0 && source < map->sources_n)
        rc = map_content_of(&a->process, map, base, source, &arena, ret_text, err);
    if (rc == 0)
        *ret_text = session_keep(a, *ret_text);
    sourcemap_free(map);
    arena_free(&arena);
    return rc;
}

void session_map_placed(struct attachment *a, struct placed *p, const struct edit_probe *e)
{
    struct session *s = &a->session;
    struct json_writer w;
    struct buf out;
    uint32_t line, column;
    p->at_line = e->line;
    p->at[0] = 0;
    if (!e->view)
        return;
    map_text_place(&e->view->text, e->place->at, &line, &column);
    buf_init(&out, sizeof p->at - 1);
    json_writer_init(&w, &out);
    json_put_object(&w);
    json_put_key(&w, STR("generated"));
    json_put_object(&w);
    json_put_key(&w, STR("file")), json_put_str(&w, s->script_path);
    json_put_key(&w, STR("line")), json_put_int(&w, line + 1);
    json_put_key(&w, STR("column")), json_put_int(&w, column + 1);
    json_put_object_end(&w);
    json_put_object_end(&w);
    if (!out.error)
        snprintf(p->at, sizeof p->at, "%.*s", STR_ARG(buf_view(&out)));
    buf_free(&out);
}

void session_map_edited(struct attachment *a, str text)
{
    if (a->session.view)
        map_files_edited(&a->files, a->session.script_path, text);
}

void session_map_end(struct attachment *a)
{
    a->session.view = NULL;
    a->session.view_err = (struct err){ 0 };
}
