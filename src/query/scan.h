// From segments to batches: which segments and blocks to read, the source's filter, and the order in
// which records go to the steps.
#pragma once
#include "query/op.h"

// Reads everything that the plan's source selects and pushes it into the chain, then finishes it.
// where: filters of the steps that stand first; they are applied with the source's own.
int scan_run(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first);
// Takes rows of projects out that the caller may not read (of a VBATCH_BLOCK).
int scan_projects(struct vbatch *b);
// Empties scratch, reads the block, and leaves the rows that the source and the filters `where` let through.
int scan_block(struct exec *x, struct exec_segment *s, uint32_t block, const struct query_filter **where,
               uint32_t where_n, struct vbatch *b);
// The blocks of the segment that must be read, as a bitmap in the run's arena; counts parts and blocks.
int scan_blocks(struct exec *x, struct exec_segment *s, uint64_t **ret_blocks);
// Range of the rows' times in the block; false when only the segment's is known.
bool scan_block_times(const struct exec_segment *s, uint32_t block, int64_t *lo, int64_t *hi);
