// Row-major blocks: how rows are held in a head lane and how the part builder takes them. The columns of
// a segment as arrays, attribute values side by side a row (in the order of the row's shape).
#pragma once
#include "store/segment.h"

// One block of one table. Ordinals refer to the segment's dictionaries. In child tables only time, name,
// shape, owner and the values are there (the others are NULL).
struct rows {
    uint32_t n;
    int64_t *time, *duration, *received;
    uint64_t *span, *parent;
    uint32_t *project, *flags, *resource, *scope, *name, *trace, *shape, *owner;
    uint8_t *kind, *status, *severity;
    // values[value_at[i]] .. one word an attribute of the shape: STR, BYTES, LIST, MAP: the ordinal in
    // the column's dictionary; INT, DOUBLE (bits), BOOL: itself; NULL: 0.
    uint32_t *value_at;
    uint64_t *values;
};

// Dictionary of column col (COL_NAME or an attribute column of a string type). NULL: the values are in dictionaries of
// their blocks (or, for a part, could not be read now: then reader_column() says why). A part's dictionary is valid
// while a reader of the part is open; entries of a part's dictionary are all different.
const struct dict *segment_dict(const struct segment *s, enum segment_table t, uint32_t col);

// The current block of a table row-major, and the dictionary that its string column's ordinals refer to. Valid until
// the next seek.
int reader_rows(struct reader *r, enum segment_table t, struct rows *ret_rows);
const struct dict *reader_dict(struct reader *r, enum segment_table t, uint32_t col);

// How a segment answers: the head (head_segment.c) and part files (part_read.c) each fill one.
struct segment_ops {
    uint32_t (*blocks)(const struct segment *, enum segment_table);
    uint32_t (*block_rows)(const struct segment *, enum segment_table, uint32_t block);
    uint32_t (*columns)(const struct segment *, enum segment_table);
    struct column (*column)(const struct segment *, enum segment_table, uint32_t);
    uint32_t (*resources)(const struct segment *);
    const struct record_entity *(*resource)(const struct segment *, uint32_t);
    uint64_t (*resource_hash)(const struct segment *, uint32_t);
    uint32_t (*scopes)(const struct segment *);
    const struct record_entity *(*scope)(const struct segment *, uint32_t);
    uint64_t (*scope_hash)(const struct segment *, uint32_t);
    uint32_t (*shapes)(const struct segment *, enum segment_table);
    struct shape (*shape)(const struct segment *, enum segment_table, uint32_t);
    uint32_t (*traces)(const struct segment *);
    int (*trace)(const struct segment *, uint32_t, uint8_t id[16]);
    int (*find_trace)(const struct segment *, const uint8_t id[16], uint32_t *);
    int (*trace_rows)(const struct segment *, uint32_t, uint64_t *, uint64_t *);
    int (*find_string)(const struct segment *, uint32_t column, str value, uint64_t *blocks); // NULL: never
    bool (*block_range)(const struct segment *, enum segment_table, uint32_t block, uint32_t col, int64_t *, int64_t *);
    const struct dict *(*dict)(const struct segment *, enum segment_table,
                               uint32_t col); // NULL: values are not in a dictionary of the segment
    int (*reader_open)(const struct segment *, struct reader **);
    void (*reader_close)(struct reader *);
    int (*reader_seek)(struct reader *, enum segment_table, uint32_t block);
    int (*reader_column)(struct reader *, enum segment_table, uint32_t col, struct vec *);
    int (*reader_strings)(struct reader *, enum segment_table, uint32_t col, const struct strings_wanted *,
                          struct vec *); // NULL: as reader_column
    // NULL: out of the column.
    int (*reader_value)(struct reader *, enum segment_table, uint32_t column, uint32_t row, struct value *);
    int (*children)(struct reader *, enum segment_table, uint32_t row, uint32_t *, uint32_t *);
    // The current block row-major, for the part builder. For string columns whose dictionary is the block's
    // own (segment_dict() is NULL) ordinals refer to reader_block_dict(). Valid until the next seek.
    int (*reader_rows)(struct reader *, enum segment_table, struct rows *ret_rows);
    const struct dict *(*reader_block_dict)(struct reader *, enum segment_table, uint32_t col);
    uint64_t (*reader_bytes)(const struct reader *);
};

struct segment {
    uint32_t magic; // SEGMENT_MAGIC
    const struct segment_ops *ops;
    struct segment_info info;
};
enum { SEGMENT_MAGIC = 0x5345474d };

struct reader {
    uint32_t magic; // READER_MAGIC
    const struct segment *segment;
};
enum { READER_MAGIC = 0x52454452 };
