// Events and links of spans: child rows of a segment, found by the row numbers that own them.
#pragma once
#include "query/cvec.h"

// Which owners the blocks of a child table hold.
struct child_index {
    uint32_t blocks;
    struct child_span {
        uint32_t first, last; // owners, as row numbers of TABLE_ROWS
    } at[];
};

// Walks the child rows of one block of TABLE_ROWS, block by block of the child table.
struct child_walk {
    struct exec *x;
    struct exec_segment *s;
    enum segment_table table;
    uint32_t row0, row1; // owners [row0, row1)
    uint32_t next;       // child block
    // The current child block, after child_next() returned 1: its children [first, end) belong to the rows.
    uint32_t block, n, first, end;
    struct vec owner;
};
int child_begin(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t block, struct child_walk *ret);
// 1: a child block with children of the rows is current; 0: no more; or an error.
int child_next(struct child_walk *w);
// Index in the block of TABLE_ROWS of the row that owns child i.
static inline uint32_t child_owner(const struct child_walk *w, uint32_t i) { return w->owner.u32[i] - w->row0; }

// PLACE_CHILD as a value: the list of the values of the row's children that have one; none: missing.
int child_lists(struct exec *x, struct exec_segment *s, const struct place *p, const uint64_t *sel, uint32_t n,
                struct cvec *ret);
// The values of one child block by the place's chain (since: relative to the owners' start).
int child_vec(struct child_walk *w, const struct place *p, const uint64_t *sel, struct cvec *ret);
