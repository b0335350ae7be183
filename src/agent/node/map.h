// Source maps in the agent: where a script says that its own is, and what it makes of the places, names and functions of the script's text.
//
// A map is as hostile as the process. It is taken from the script's own text, or from a file beside or below it in the process' own view of the disk that
// the process' user may read; no other address is followed. Sizes and counts are limited before memory is spent. Names of sources are texts to compare and
// to show: no file is opened because a map names it.
#pragma once
#include "agent/backend.h"
#include "agent/node/scan.h"
#include "wire/sourcemap.h"

enum {
    MAP_TEXT_MAX = 16 << 20,   // JSON
    MAP_MEMORY_MAX = 16 << 20, // names, and the one text that is asked for
    MAP_SEGMENTS_MAX = 1 << 20,
    MAP_ARENA_MAX = 2 * MAP_TEXT_MAX + (1 << 20), // for reading one
};

// --- where it is ---

// "file:///a%20b.js" -> "/a b.js". ptr is NULL: there is no memory.
str map_path_of_url(struct arena *arena, str url);
// What the comment at the end of a script says; empty: nothing.
str map_url_of(str text);
// A regular file that the user of the process may read, as the process sees it.
int map_file_read(const struct process *p, str path, size_t size_max, struct arena *arena, str *ret_text,
                  int64_t *ret_changed_s, struct err *err);
// The JSON that url, of the script at that path, stands for; *ret_base is the folder that its sources are named from. ERR_NOENT, ERR_UNSUPPORTED (an address
// that is not followed), ERR_LIMIT, ERR_MALFORMED.
int map_read(const struct process *p, str script, str url, struct arena *arena, str *ret_json, str *ret_base,
             struct err *err);
// content: of sourcemap_limits.
int map_parse(str json, uint32_t content, struct sourcemap **ret_map, struct err *err);
// A source as a path: absolute where that is known, without "." and "..". ptr is NULL: there is no memory.
str map_source_path(struct arena *arena, str base, str name);
// path is the file, or ends with it: "/srv/app/src/a.ts" is "src/a.ts" and "./src/a.ts".
bool map_path_is(str path, str file);
// Of a file in a language that is made into JavaScript, or of JavaScript.
bool map_is_source(str name);
// The index of the source that is the file. False: none; *ret_more: another one is, too.
bool map_source_of(const struct sourcemap *map, str base, str file, uint32_t *ret_source, bool *ret_more);
// The text of a source: of a map that was parsed with it, or a file of that name which the process' user may read. ERR_NOENT.
int map_content_of(const struct process *p, const struct sourcemap *map, str base, uint32_t source, struct arena *arena,
                   str *ret_text, struct err *err);

// --- what it says of a script's text ---

// Places in a text, counted as maps count them: from 0, in units of UTF-16.
struct map_text {
    str text;
    uint32_t *lines, *units; // where lines begin; how many units there are in front of each piece of the text
    uint32_t n_lines;
};
int map_text_make(str text, struct arena *arena, struct map_text *ret);
void map_text_place(const struct map_text *t, uint32_t at, uint32_t *ret_line, uint32_t *ret_column);

struct map_place {         // of the source; counted from 1
    uint32_t source, line; // line 0: it comes from nowhere
    uint32_t column;
    bool exact; // nothing but blanks is between the place and where the map has it
};

struct map_view {
    const struct sourcemap *map;
    const struct scan *scan;
    struct map_text text;
    struct map_place *places;    // one for each of scan's
    struct map_place *functions; // and of its functions
};
// Gives the names of the scan those that they had in the source, where the map says them.
int map_view_make(const struct sourcemap *map, struct scan *scan, struct arena *arena, struct map_view *ret);
// The place of a line of a source, as js_place_of() has it; column 0: any.
const struct scan_place *map_place_of(const struct map_view *v, uint32_t source, uint32_t line, uint32_t column);
// The lines of a source that have a place in a function, in order, each once. In the arena.
int map_lines(const struct map_view *v, uint32_t source, struct arena *arena, uint32_t **ret_lines, uint32_t *ret_n);
