// Any text is a source map or is refused; what a map says stays inside its arrays, and each segment is found where it
// begins.
#include "base/must.h"
#include "wire/sourcemap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sourcemap *map;
    struct sourcemap_cursor c;
    struct sourcemap_place p, last = { 0 };
    uint32_t n = 0;
    if (sourcemap_parse(str_of(data, size), &map, NULL) < 0)
        return 0;
    sourcemap_walk(map, &c);
    for (; sourcemap_next(&c); n++) {
        must(c.place.generated_line > last.generated_line ||
             (c.place.generated_line == last.generated_line && c.place.generated_column >= last.generated_column));
        last = c.place;
        if (!sourcemap_find(map, last.generated_line, last.generated_column, &p))
            continue;
        must(p.generated_line == last.generated_line && p.generated_column == last.generated_column);
        must(p.source < map->sources_n && (p.name < map->names_n || p.name == SOURCEMAP_NONE));
    }
    must(n == map->segments_n);
    sourcemap_find(map, UINT32_MAX, UINT32_MAX, &p);
    sourcemap_free(map);
    return 0;
}
