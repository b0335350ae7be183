// Records in the order of the result, newest first, as many as the steps take: blocks are opened in the
// order of their newest row, and a row goes out once no unopened block can hold a newer one.
#pragma once
#include "query/scan.h"

int scan_merge(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first);

// ---- pieces of scan.c
// The blocks of the segment that must be read, as a bitmap in the run's arena; counts parts and blocks.
int scan_blocks(struct exec *x, struct exec_segment *s, uint64_t **ret_blocks);
// Range of the rows' times in the block; false when only the segment's is known.
bool scan_block_times(const struct exec_segment *s, uint32_t block, int64_t *lo, int64_t *hi);
// Empties scratch, reads the block, and leaves the rows that the source and the first filters let through.
int scan_block(struct exec *x, struct exec_segment *s, uint32_t block, const struct query_filter **where,
               uint32_t where_n, struct vbatch *b);
