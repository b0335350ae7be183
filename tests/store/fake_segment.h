// A segment made by hand, row by row, in plain arrays: what tests build parts from, compare them with,
// and run queries on. Nothing here is fast and nothing fails (it aborts without memory); its own
// allocations do not go through base/mem.h, so that injected failures hit the code under test only.
#pragma once
#include "store/segment.h"

struct fake_segment;

// block_rows: rows a block, 1 .. BLOCK_ROWS (0: BLOCK_ROWS); smaller ones make gaps in the row numbers, as
// heads have them.
struct fake_segment *fake_segment_new(uint8_t source, uint32_t block_rows);
void fake_segment_free(struct fake_segment *f);
// From now on strings of attribute columns are appended without looking for equal ones, as heads do with
// columns whose values hardly repeat.
void fake_segment_raw(struct fake_segment *f, bool raw);
// Copies the record with its children. Returns its row number. NULL resource or scope: an empty one.
uint32_t fake_segment_add(struct fake_segment *f, uint32_t project, int64_t received,
                          const struct record_entity *resource, const struct record_entity *scope,
                          const struct record *r);
const struct segment *fake_segment_get(const struct fake_segment *f);
