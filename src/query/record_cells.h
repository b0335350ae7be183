// Whole records as cells: what a result row is without `select`.
#pragma once
#include "query/op.h"

struct record_row {
    struct query_cell *cells;
    uint32_t n;
};

// Rows index[0..n) of a VBATCH_REFS batch; everything in scratch. skip(ctx, name): leave a fixed field out,
// because a step has made a column of its name.
int record_rows(struct vbatch *b, const uint32_t *index, uint32_t n, bool (*skip)(void *ctx, str name), void *ctx,
                struct record_row *ret);
// Names of the cells in order, for a kind; i from 0, false after the last.
bool record_cell_name(enum query_source source, uint32_t i, str *ret_name);
