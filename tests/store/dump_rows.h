// A row as text: everything that a record had, bit for bit, and nothing that depends on how or in which
// segment it is stored. Two segments hold the same records when these texts are the same.
#pragma once
#include "store/segment.h"

// Appends the text of row `index` of the current block of TABLE_ROWS (reader_seek() before), events and links
// included, read through reader_column() or, by_rows, through the row-major way of the part builder.
int dump_row(struct reader *r, uint32_t block, uint32_t index, bool by_rows, struct buf *b);
