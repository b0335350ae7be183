#include "agent/node/map_files.h"
#include "agent/node/edit.h"
#include "base/mem.h"

#include <string.h>

enum { FUNCTIONS_MAX = 1 << 16, PIECES_MAX = 4096, FILE_ARENA = 8 << 20 };

struct function {
    uint32_t line, column, end_line, end_column;
    str name; // empty: as the engine has it
};
struct piece { // of text that was put in
    uint32_t line, column, length;
};
struct map_file {
    struct arena arena;
    struct buf pieces;
    str path, base;
    struct sourcemap *map; // NULL: it has none, or none that can be read
    struct function *functions;
    uint32_t n_functions;
    size_t bytes;
    bool held; // by a probe
};

static size_t bytes_of_all; // there is one thread

static void file_free(struct map_file *f)
{
    bytes_of_all -= f->bytes;
    sourcemap_free(f->map);
    buf_free(&f->pieces);
    arena_free(&f->arena);
    mem_free(f);
}

void map_files_free(struct map_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        file_free(files->list[i]);
    files->n = 0;
}

static struct map_file *find(const struct map_files *files, str path)
{
    for (size_t i = 0; i < files->n; i++)
        if (str_eq(files->list[i]->path, path))
            return files->list[i];
    return NULL;
}

static void drop(struct map_files *files, size_t i)
{
    file_free(files->list[i]);
    files->list[i] = files->list[--files->n];
}

// Those that were only met in stacks make room.
static bool make_room(struct map_files *files, size_t size)
{
    for (size_t i = files->n; i-- > 0 && (bytes_of_all + size > MAP_FILES_BYTES_MAX || files->n == MAP_FILES_MAX);)
        if (!files->list[i]->held)
            drop(files, i);
    return bytes_of_all + size <= MAP_FILES_BYTES_MAX && files->n < MAP_FILES_MAX;
}

// map may be NULL. Takes it.
static struct map_file *add(struct map_files *files, str path, str base, struct sourcemap *map, bool held)
{
    size_t size = sizeof(struct map_file) + (map ? map->bytes : 0);
    bool room = held ? make_room(files, size) : files->n < MAP_FILES_MAX && bytes_of_all + size <= MAP_FILES_BYTES_MAX;
    struct map_file *f = room ? mem_zalloc(sizeof *f) : NULL;
    if (f) {
        arena_init(&f->arena, FILE_ARENA);
        buf_init(&f->pieces, PIECES_MAX * sizeof(struct piece));
        if (arena_dup(&f->arena, path, &f->path) < 0 || arena_dup(&f->arena, base, &f->base) < 0) {
            arena_free(&f->arena);
            mem_free(f);
            f = NULL;
        }
    }
    if (!f) {
        sourcemap_free(map);
        return NULL;
    }
    f->map = map, f->held = held, f->bytes = size;
    bytes_of_all += size;
    return files->list[files->n++] = f;
}

int map_files_put(struct map_files *files, str script, str base, struct sourcemap *map, struct err *err)
{
    for (size_t i = 0; i < files->n; i++)
        if (str_eq(files->list[i]->path, script))
            drop(files, i--);
    return add(files, script, base, map, true)
               ? 0
               : err_set(err, ERR_LIMIT, "no_source_map",
                         "the source maps of the probes on this host would take more than %d MiB",
                         MAP_FILES_BYTES_MAX >> 20);
}

void map_files_functions(struct map_files *files, str script, const struct map_view *view)
{
    struct map_file *f = find(files, script);
    const struct scan *s = view->scan;
    bool any = false;
    if (!f)
        return;
    for (uint32_t i = 1; i < s->n_functions; i++)
        any |= s->functions[i].original.len && !str_eq(s->functions[i].original, s->functions[i].name);
    size_t size = s->n_functions * sizeof *f->functions;
    if (!any || s->n_functions > FUNCTIONS_MAX || bytes_of_all + size > MAP_FILES_BYTES_MAX)
        return;
    f->functions = arena_alloc_array(&f->arena, s->n_functions, sizeof *f->functions);
    f->n_functions = 0;
    for (uint32_t i = 1; f->functions && i < s->n_functions; i++) {
        struct function *to = &f->functions[f->n_functions++];
        map_text_place(&view->text, s->functions[i].start, &to->line, &to->column);
        map_text_place(&view->text, s->functions[i].end, &to->end_line, &to->end_column);
        to->name = s->functions[i].original; // in the map, which is kept as long
    }
    f->bytes += size, bytes_of_all += size;
}

void map_files_edited(struct map_files *files, str script, str text)
{
    struct map_file *f = find(files, script);
    struct arena arena;
    struct map_text t;
    if (!f)
        return;
    buf_clear(&f->pieces);
    arena_init(&arena, MAP_ARENA_MAX);
    size_t at = 0, end;
    uint32_t line = UINT32_MAX, shift = 0;
    if (map_text_make(text, &arena, &t) == 0)
        while (edit_piece_next(text, &at, &end)) {
            struct piece p;
            uint32_t last;
            map_text_place(&t, (uint32_t)at, &p.line, &p.column);
            map_text_place(&t, (uint32_t)end, &last, &p.length);
            p.length -= p.column; // it has no line of its own
            if (p.line != line)
                line = p.line, shift = 0;
            p.column -= shift;
            shift += p.length;
            if (buf_append(&f->pieces, &p, sizeof p) < 0)
                break;
            at = end;
        }
    f->pieces.error = 0;
    arena_free(&arena);
}

static struct map_file *met(struct map_files *files, const struct process *p, str path)
{
    struct arena arena;
    struct sourcemap *map = NULL;
    struct err err;
    str text, json, base = { 0 };
    int64_t changed = 0;
    arena_init(&arena, MAP_ARENA_MAX);
    // A file that was written after the process began may be another one than the one that runs.
    if (map_file_read(p, path, SCAN_SOURCE_MAX, &arena, &text, &changed, &err) == 0 &&
        changed <= p->started_unix_ns / 1000000000 &&
        map_read(p, path, map_url_of(text), &arena, &json, &base, &err) == 0)
        map_parse(json, SOURCEMAP_CONTENT_NONE, &map, &err);
    struct map_file *f = add(files, path, base, map, false);
    arena_free(&arena);
    return f;
}

// In the text as it was before anything was put in.
static uint32_t column_before(const struct map_file *f, uint32_t line, uint32_t column)
{
    const struct piece *p = (const struct piece *)f->pieces.ptr;
    uint32_t shift = 0;
    for (size_t i = 0; i < f->pieces.len / sizeof *p; i++) {
        if (p[i].line != line || column < p[i].column + shift)
            continue;
        if (column < p[i].column + shift + p[i].length)
            return p[i].column;
        shift += p[i].length;
    }
    return column - shift;
}

static bool before(uint32_t line, uint32_t column, uint32_t than_line, uint32_t than_column)
{
    return line < than_line || (line == than_line && column < than_column);
}

// The innermost function begins last.
static str function_at(const struct map_file *f, uint32_t line, uint32_t column)
{
    for (uint32_t i = f->n_functions; i-- > 0;) {
        const struct function *n = &f->functions[i];
        if (!before(line, column, n->line, n->column) && before(line, column, n->end_line, n->end_column))
            return n->name;
    }
    return (str){ 0 };
}

bool map_files_frame(struct map_files *files, const struct process *p, struct map_frame *frame, struct arena *arena)
{
    struct sourcemap_place place;
    if (!frame->line || frame->file.len < 2 || frame->file.ptr[0] != '/' ||
        str_find(frame->file, STR("/node_modules/")) >= 0)
        return false;
    struct map_file *f = find(files, frame->file);
    if (!f)
        f = met(files, p, frame->file);
    if (!f || !f->map)
        return false;
    uint32_t line = frame->line - 1;
    uint32_t column = frame->column ? column_before(f, line, frame->column - 1) : SOURCEMAP_POSITION_MAX;
    if (!sourcemap_find(f->map, line, column, &place))
        return false;
    str path = map_source_path(arena, f->base, f->map->sources[place.source].name);
    if (!path.ptr)
        return false;
    str name = frame->column ? function_at(f, line, column) : (str){ 0 };
    if (name.len)
        frame->function = name;
    frame->file = path;
    frame->line = place.line + 1, frame->column = place.column + 1;
    frame->third_party = f->map->sources[place.source].ignored;
    return true;
}
