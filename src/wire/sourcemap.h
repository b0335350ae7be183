// Source maps of JavaScript (ECMA-426, "revision 3"): from a place in generated code to the place in the source that
// it was made of. Index maps (sections) are flattened as they are read.
//
// In memory a map is its names, its sources with their texts, and the mappings: blocks of BLOCK segments, each block
// with the whole position of its first segment, the others as differences in a few bytes. A bundle of a million
// segments takes some 7 MB, and one look-up walks one block.
//
// A map comes from outside: every size, count and depth is bounded, and what a segment says beyond the arrays is as if
// it said nothing.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
    SOURCEMAP_TEXT_MAX = 128 << 20,    // bytes of JSON
    SOURCEMAP_SEGMENTS_MAX = 16 << 20, // in the whole map
    SOURCEMAP_LINE_MAX = 1 << 20,      // segments of one generated line that are out of order
    SOURCEMAP_SOURCES_MAX = 1 << 18,
    SOURCEMAP_NAMES_MAX = 1 << 21,
    SOURCEMAP_SECTIONS_MAX = 1 << 14, // all levels together
    SOURCEMAP_NESTING_MAX = 8,
    SOURCEMAP_POSITION_MAX = 0x7fffffff, // lines and columns, as the specification has it
};
#define SOURCEMAP_NONE UINT32_MAX

struct sourcemap_source {
    str name;     // with its root in front; as written otherwise
    str content;  // ptr is NULL: the map does not hold it
    bool ignored; // of third parties, the map says (ignoreList)
};

struct sourcemap_block;

struct sourcemap {
    struct arena arena; // of all texts and arrays but the mappings
    str file;
    str debug_id; // as written; empty: none
    struct sourcemap_source *sources;
    uint32_t sources_n;
    str *names;
    uint32_t names_n;
    struct sourcemap_block *blocks;
    uint32_t blocks_n;
    uint8_t *segments; // the blocks' bytes
    size_t segments_len;
    uint32_t segments_n;
    size_t bytes; // memory that it takes
};

// All counted from 0; columns in UTF-16 code units.
struct sourcemap_place {
    uint32_t line, column;                     // of the source
    uint32_t source;                           // index
    uint32_t name;                             // index; SOURCEMAP_NONE: the segment has none
    uint32_t generated_line, generated_column; // where the segment begins
};

// The text may begin with ")]}'". It is not needed afterwards. ERR_MALFORMED, ERR_TRUNCATED, ERR_LIMIT, ERR_NOMEM,
// ERR_UNSUPPORTED (another version, sections by URL).
int sourcemap_parse(str text, struct sourcemap **ret_map, struct err *err);

#define SOURCEMAP_CONTENT_ALL UINT32_MAX
#define SOURCEMAP_CONTENT_NONE (UINT32_MAX - 1)
// For whoever has less to spend than the server: what is beyond is ERR_LIMIT, before memory is taken for it.
struct sourcemap_limits {
    size_t text, memory; // bytes: of JSON, and of names and contents
    uint32_t segments;
    uint32_t content; // index of the one source whose text is wanted; SOURCEMAP_CONTENT_ALL, SOURCEMAP_CONTENT_NONE
};
int sourcemap_parse_within(str text, const struct sourcemap_limits *limits, struct sourcemap **ret_map,
                           struct err *err);
void sourcemap_free(struct sourcemap *map); // NULL is allowed

// The segment that the place lies in: the last one of that generated line that does not begin behind it, but the first
// of those that begin right there. False when there is none, or it has no source.
bool sourcemap_find(const struct sourcemap *map, uint32_t line, uint32_t column, struct sourcemap_place *ret_place);

// All segments in order, also those without a source (source is SOURCEMAP_NONE): for tests and for what is made of a map.
struct sourcemap_cursor {
    const struct sourcemap *map;
    uint32_t block, left;
    const uint8_t *p;
    uint32_t source, name; // the last ones that there were
    struct sourcemap_place place;
};
void sourcemap_walk(const struct sourcemap *map, struct sourcemap_cursor *ret_cursor);
bool sourcemap_next(struct sourcemap_cursor *cursor);
