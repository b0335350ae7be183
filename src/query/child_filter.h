// event{..} and link{..}: rows of which one event or link satisfies the whole filter.
#pragma once
#include "query/leaf.h"

// The rows of `in` of the current block of TABLE_ROWS that have such a child; out is written whole.
int child_filter_block(struct exec *x, struct exec_segment *s, const struct query_filter *f, const uint64_t *in,
                       uint32_t n, uint64_t *out);
