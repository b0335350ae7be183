// Aligned tables on a terminal: rows are collected, then columns get the width of what they hold, and the
// widest text column gives way when the terminal is too narrow.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

enum { GRID_COLUMNS_MAX = 64 };

struct grid {
    struct arena *arena;
    struct grid_column {
        str title;
        bool right; // numbers
        bool keep;  // never cut: times, ids
        size_t width;
    } columns[GRID_COLUMNS_MAX];
    size_t columns_n;
    struct grid_row *first, *last;
    size_t rows_n;
};

void grid_init(struct grid *g, struct arena *arena);
// Index of the column; a second call with the same title finds it. GRID_COLUMNS_MAX when there is no room.
size_t grid_column(struct grid *g, str title, bool right);
// Begins a row; 0 or ERR_NOMEM.
int grid_row(struct grid *g);
// A cell of the newest row; text is copied with control characters escaped.
int grid_cell(struct grid *g, size_t column, str text);
// The same in the column of that title.
int grid_put(struct grid *g, const char *title, bool right, str text);
// width: columns of the terminal, 0: no limit.
void grid_print(struct grid *g, struct buf *out, size_t width, bool titles);
