// Records in the order of the result, newest first, as many as the steps take: blocks are opened in the
// order of their newest row, and a row goes out once no unopened block can hold a newer one.
#pragma once
#include "query/scan.h"

int scan_merge(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first);
