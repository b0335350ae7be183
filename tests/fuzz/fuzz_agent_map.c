// A script and a source map of it, with a NUL between them: the map is refused, or every place that it gives the script's has a line, and is found by that.
#include "agent/node/map.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct sourcemap *map, struct scan *s, struct arena *arena)
{
    struct map_view v;
    uint32_t *lines, n;
    if (map_view_make(map, s, arena, &v) < 0)
        return;
    for (uint32_t i = 0; i < s->n_places; i++) {
        const struct map_place *p = &v.places[i];
        if (!p->line)
            continue;
        must(p->source < map->sources_n);
        const struct scan_place *found = map_place_of(&v, p->source, p->line, p->column);
        must(found && v.places[found - s->places].line == p->line);
    }
    for (uint32_t i = 0; i < map->sources_n && i < 8; i++) {
        str path = map_source_path(arena, STR("/srv/app/"), map->sources[i].name);
        must(str_find(path, STR("/../")) < 0 && !str_starts(path, STR("../")));
        if (map_lines(&v, i, arena, &lines, &n) == 0)
            for (uint32_t k = 0; k < n; k++)
                must(map_place_of(&v, i, lines[k], 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct sourcemap *map = NULL;
    struct scan s;
    struct err err;
    str all = str_of(data, size), json, base;
    ptrdiff_t nul = str_find_char(all, 0, 0);
    str script = str_slice(all, 0, nul < 0 ? size : (size_t)nul);
    struct process nobody = { .dir = -1 };
    arena_init(&arena, SCAN_ARENA_MAX);
    str url = map_url_of(script);
    if (str_starts(url, STR("data:")) && map_read(&nobody, STR("/a.js"), url, &arena, &json, &base, &err) == 0)
        must(json.len <= MAP_TEXT_MAX);
    if (nul >= 0 && js_source(script, &arena, &s, &err) == 0 &&
        map_parse(str_slice(all, (size_t)nul + 1, size), SOURCEMAP_CONTENT_NONE, &map, &err) == 0)
        look(map, &s, &arena);
    sourcemap_free(map);
    arena_free(&arena);
    return 0;
}
