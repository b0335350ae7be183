// Mappings as they are built and kept.
#pragma once
#include "base/buf.h"
#include "wire/sourcemap.h"

enum { BLOCK = 32 }; // segments

// Where its first segment is, whole, and where its bytes begin: those of the first one are here only.
struct sourcemap_block {
    uint32_t line, column; // generated
    uint32_t source, source_line, source_column, name;
    uint32_t at;
};

struct segment {
    uint32_t line, column; // generated
    uint32_t source, source_line, source_column, name;
};

struct mappings {
    struct buf bytes, blocks;
    struct segment last; // the one before; differences are taken to it
    uint32_t n, n_max, in_block;
    struct segment bound; // a section's beginning that is not marked yet
    bool bounded;
};

void mappings_init(struct mappings *m, uint32_t segments_max);
void mappings_free(struct mappings *m);
// In order of line and column. ERR_NOMEM, ERR_LIMIT.
int mappings_add(struct mappings *m, const struct segment *s);

// What holds for one map of an index map: where it begins and ends in the generated code, and where its sources and
// names begin among all.
struct mappings_section {
    uint32_t line, column;         // added: the column to the first line only
    uint32_t end_line, end_column; // the next section's beginning; from there on it has no say
    uint32_t source, source_n, name, name_n;
};
// Where a section begins the one before has no say any more, and this one not yet: a bare segment marks the place, unless
// there is one of the section's own.
// Decodes the text of `mappings`. ERR_MALFORMED: no base64 VLQ of 32 bits, a negative column, a segment of 2 or 3 or
// more than 5 numbers.
int mappings_decode(struct mappings *m, str text, const struct mappings_section *section, struct err *err);
