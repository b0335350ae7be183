// Rows of a query's answer as a table for people: durations, sizes and times in their units, foreign text
// without control characters.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

enum { ROWS_LINES_MAX = 256 << 20 };

struct rows_table {
    struct buf lines; // the rows as they came
    struct buf stats; // the last line
};
void rows_table_init(struct rows_table *t);
void rows_table_free(struct rows_table *t);
// A line of the stream; ERR_LIMIT when there are more than a table can hold.
int rows_table_line(struct rows_table *t, str line);
// The table, and what _stats has to say to people (notes: rows, cost, hints, what is missing).
int rows_table_print(struct rows_table *t, size_t width, struct buf *out, struct buf *notes);

// One record on one line: time, level or status, service, text. For tails.
int rows_record_line(str json, bool colours, struct buf *out);
