// A script's text as its source map sees it.
#include "agent/node/map.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 256, NAME_MAX_BYTES = 256 }; // bytes
#define NONE UINT32_MAX

static uint32_t units_of(const char *p, size_t n)
{
    uint32_t units = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)p[i];
        units += (c & 0xc0) != 0x80; // not one that goes on
        units += c >= 0xf0;          // two units
    }
    return units;
}

int map_text_make(str text, struct arena *arena, struct map_text *ret)
{
    struct map_text t = { .text = text };
    uint32_t n = 1, units = 0, line = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    t.lines = arena_alloc_array(arena, n, sizeof *t.lines);
    t.units = arena_alloc_array(arena, text.len / PIECE + 1, sizeof *t.units);
    if (!t.lines || !t.units)
        return ERR_NOMEM;
    t.n_lines = n;
    t.lines[0] = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n')
            t.lines[++line] = (uint32_t)i + 1;
    for (size_t at = 0; at <= text.len; at += PIECE) {
        t.units[at / PIECE] = units;
        units += units_of(text.ptr + at, text.len - at < PIECE ? text.len - at : PIECE);
    }
    *ret = t;
    return 0;
}

static uint32_t units_before(const struct map_text *t, uint32_t at)
{
    uint32_t piece = at / PIECE;
    return t->units[piece] + units_of(t->text.ptr + (size_t)piece * PIECE, at % PIECE);
}

void map_text_place(const struct map_text *t, uint32_t at, uint32_t *ret_line, uint32_t *ret_column)
{
    uint32_t low = 0, high = t->n_lines;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (t->lines[mid] <= at)
            low = mid;
        else
            high = mid;
    }
    *ret_line = low;
    *ret_column = units_before(t, at) - units_before(t, t->lines[low]);
}

static bool blank(str text, uint32_t at, uint32_t n)
{
    for (uint32_t i = 0; i < n && i < at; i++)
        if (text.ptr[at - 1 - i] != ' ' && text.ptr[at - 1 - i] != '\t')
            return false;
    return true;
}

static struct map_place place_at(const struct map_view *v, uint32_t at)
{
    struct sourcemap_place p;
    uint32_t line, column;
    map_text_place(&v->text, at, &line, &column);
    if (!sourcemap_find(v->map, line, column, &p))
        return (struct map_place){ .source = NONE };
    return (struct map_place){ .source = p.source,
                               .line = p.line + 1,
                               .column = p.column + 1,
                               .exact = blank(v->text.text, at, column - p.generated_column) };
}

// What the word was called where the map has something that begins right there.
static str name_at(const struct map_view *v, str word)
{
    struct sourcemap_place p;
    uint32_t line, column;
    str text = v->text.text;
    if (!word.len || word.ptr < text.ptr || word.ptr >= text.ptr + text.len)
        return (str){ 0 };
    map_text_place(&v->text, (uint32_t)(word.ptr - text.ptr), &line, &column);
    if (!sourcemap_find(v->map, line, column, &p) || p.generated_column != column || p.name == SOURCEMAP_NONE)
        return (str){ 0 };
    str name = v->map->names[p.name];
    return name.len <= NAME_MAX_BYTES && !memchr(name.ptr ? name.ptr : "", '\n', name.len) ? name : (str){ 0 };
}

int map_view_make(const struct sourcemap *map, struct scan *scan, struct arena *arena, struct map_view *ret)
{
    struct map_view v = { .map = map, .scan = scan };
    int rc = map_text_make(scan->text, arena, &v.text);
    v.places = arena_alloc_array(arena, scan->n_places + 1, sizeof *v.places);
    v.functions = arena_alloc_array(arena, scan->n_functions + 1, sizeof *v.functions);
    if (rc < 0 || !v.places || !v.functions)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < scan->n_places; i++)
        v.places[i] = place_at(&v, scan->places[i].at);
    for (uint32_t i = 0; i < scan->n_functions; i++) {
        v.functions[i] = place_at(&v, scan->functions[i].start);
        scan->functions[i].original = name_at(&v, scan->functions[i].name);
        scan->functions[i].owner_original = name_at(&v, scan->functions[i].owner);
    }
    for (uint32_t i = 0; i < scan->n_names; i++)
        scan->names[i].original = name_at(&v, scan->names[i].name);
    *ret = v;
    return 0;
}

static bool better(const struct map_view *v, uint32_t i, uint32_t than)
{
    if (than == NONE)
        return true;
    const struct scan *s = v->scan;
    bool in = s->scopes[s->places[i].scope].function != 0, other = s->scopes[s->places[than].scope].function != 0;
    const struct map_place *a = &v->places[i], *b = &v->places[than];
    if (in != other)
        return in;
    if (a->exact != b->exact)
        return a->exact;
    return a->column < b->column;
}

const struct scan_place *map_place_of(const struct map_view *v, uint32_t source, uint32_t line, uint32_t column)
{
    uint32_t best = NONE;
    for (uint32_t i = 0; i < v->scan->n_places; i++) {
        const struct map_place *p = &v->places[i];
        if (p->source == source && p->line == line && line && !(column && p->column < column) && better(v, i, best))
            best = i;
    }
    return best == NONE ? NULL : &v->scan->places[best];
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

int map_lines(const struct map_view *v, uint32_t source, struct arena *arena, uint32_t **ret_lines, uint32_t *ret_n)
{
    const struct scan *s = v->scan;
    uint32_t *lines = arena_alloc_array(arena, s->n_places + 1, sizeof *lines), n = 0, kept = 0;
    if (!lines)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n_places; i++)
        if (v->places[i].source == source && v->places[i].line && s->scopes[s->places[i].scope].function != 0)
            lines[n++] = v->places[i].line;
    qsort(lines, n, sizeof *lines, by_number);
    for (uint32_t i = 0; i < n; i++)
        if (!kept || lines[kept - 1] != lines[i])
            lines[kept++] = lines[i];
    *ret_lines = lines;
    *ret_n = kept;
    return 0;
}
