// What is computed from a whole row: its id and its text.
//
// The id is 16 hex digits of the row's time, '-', and 16 of a hash: for spans of what makes a span one
// span (trace, span id, start, resource), for the rest of everything in the row. So it stays the same
// through merges, and a search for an id knows the time at once.
#pragma once
#include "query/cvec.h"

enum { ROW_ID_LEN = 33 };

int row_ids(struct exec *x, struct exec_segment *s, const uint64_t *sel, uint32_t n, struct cvec *ret);
// The time in an id; false when s is not one.
bool row_id_time(str s, int64_t *ret_time);
// The text as one string, its parts joined by line ends.
int row_texts(struct exec *x, struct exec_segment *s, const uint64_t *sel, uint32_t n, struct cvec *ret);

// Calls fn for every string in v: itself, or those inside a list or map, in order. Stops when fn is true and returns it.
bool qval_strings(const struct qval *v, bool (*fn)(void *ctx, str s), void *ctx);
