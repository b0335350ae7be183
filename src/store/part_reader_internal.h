// A reader of a part: what is decoded of the current block of each table.
#pragma once
#include "store/part_read.h"

// A column of the current block.
struct reader_col {
    bool dense_ready, vec_ready;
    bool constant;
    uint32_t n;              // values
    uint8_t *has;            // attributes: by shape of the block; NULL: not known yet
    struct encode_in in;     // the column's bytes, once found for single values
    uint64_t *dense;         // of strings: ordinals
    const struct dict *dict; // strings
    bool dict_is_block;
    struct vec vec;
};

struct reader_shape {
    uint32_t shape, rows;
};

struct reader_table {
    uint32_t block; // UINT32_MAX: none
    uint32_t n;
    struct arena arena;      // of the current block
    struct reader_col **col; // by column id; NULL: not touched in this block
    uint32_t *touched;       // which of them are set
    uint32_t touched_n;
    struct cache_entry **pin; // what views of strings point into
    uint32_t pins_n, pins_cap;
    // The block's shapes.
    bool shapes_ready;
    const uint32_t *shape;       // of each row
    uint16_t *row_shape;         // index in `shapes` of each row
    struct reader_shape *shapes; // distinct
    uint32_t shapes_n;
    uint32_t *shape_slot; // of each shape of the part: index + 1 while in use
    uint16_t *shape_rows; // for single values; NULL: not counted yet
    // The block's tail.
    bool tail_ready;
    struct encode_in tail;
    // Owners of a block of a child table, for children().
    uint32_t owners_block;
    uint64_t *owners;
    struct rows rows;
    bool rows_ready;
};

struct part_reader {
    struct reader r; // first
    struct part *p;
    uint64_t bytes;
    const struct strings_wanted *wanted; // while part_reader_strings() decodes
    struct reader_table t[TABLE_N];
};

int reader_shapes(struct part_reader *r, enum segment_table t);
// Values of a column of the current block, dense; n is how many the shapes say there are.
int reader_dense(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col **ret_col);
// Which shapes of the block have the attribute column (ret_col->has) and how many values that makes; after reader_shapes().
int reader_has(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col **ret_col);
// The bytes of a column of n values in the current block.
int reader_find(struct part_reader *r, enum segment_table t, uint32_t col, uint32_t n, struct encode_in *ret_in);
