// From segments to batches: which segments and blocks to read, the source's filter, and the order in
// which records go to the steps.
#pragma once
#include "query/op.h"

// Reads everything that the plan's source selects and pushes it into the chain, then finishes it.
// where: filters of the steps that stand first; they are applied with the source's own.
int scan_run(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first);
// Takes rows of projects out that the caller may not read (of a VBATCH_BLOCK).
int scan_projects(struct vbatch *b);

// Where a result goes on: the order of its last row and how many rows of exactly that order came before.
struct scan_cursor {
    bool set;
    int64_t time, received;
    uint64_t resource;
    uint32_t source, skip;
};
