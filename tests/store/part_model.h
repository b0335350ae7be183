// What a part must hold, worked out the slow way from its inputs.
#pragma once
#include "fake_segment.h"
#include "records.h"
#include "store/part.h"

struct model_row {
    str text; // dump_row()
    bool has_trace;
    uint8_t trace[16];
    int64_t time;
    uint64_t span, resource;
    uint32_t arrived;
    int64_t trace_first; // of its trace, and when that came first
    uint32_t trace_arrived;
};

struct model {
    struct model_row *row;
    uint32_t n, duplicates;
};

// Adds n random records of a source to f.
void model_fill(struct fake_segment *f, struct record_maker *m, uint8_t source, uint32_t n);
// All rows of the inputs, in the order and without the duplicates of a part (metrics: order of arrival).
struct model model_of(uint8_t source, const struct segment *const *inputs, uint32_t inputs_n);
// The rows of a segment in its own order; by_rows: read the part builder's way.
struct model model_read(const struct segment *s, bool by_rows, int *ret_error);
void model_free(struct model *m);
// Same texts in the same order (in any order).
void model_assert_same(const struct model *a, const struct model *b);
void model_assert_same_set(const struct model *a, const struct model *b);
