// Lines of a source text around one of them, cut as Sentry cuts them: grouping looks at them.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

enum { SOURCE_LINES_SIDE = 5 };

struct source_lines {
    str before[SOURCE_LINES_SIDE], line, after[SOURCE_LINES_SIDE];
    unsigned before_n, after_n;
};
// line from 1, column from 1 (0: not known). Lines longer than 150 characters are cut to 140 around the column. False:
// there is no such line, or no memory.
bool source_lines_get(str text, uint32_t line, uint32_t column, struct arena *arena, struct source_lines *ret);
