// Cursors: where a result goes on. A text that means nothing to its reader; it holds the place, the range
// and a mark of the query, so that the next page is of the same answer.
#pragma once
#include "query/scan.h"

struct cursor {
    bool by_order;         // else by number of rows
    struct scan_cursor at; // by_order
    uint64_t rows;         // rows of the result that were answered
    int64_t from, to;      // the range as understood
    uint64_t query;        // hash of the query
};

enum { CURSOR_LEN_MAX = 160 };
size_t cursor_print(const struct cursor *c, char out[CURSOR_LEN_MAX]);
bool cursor_read(str s, struct cursor *ret);
