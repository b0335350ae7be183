// Segments: how stored rows are read. A segment is a set of rows of one source with dictionaries of
// its own; a head lane and a part file are both segments, and readers need not know which.
//
// A segment holds three tables: the rows themselves and, for spans, their events and links. A table is
// cut in blocks of at most BLOCK_ROWS rows. A row's number is block * BLOCK_ROWS + index in the block
// (blocks of a head may be shorter than BLOCK_ROWS, so numbers may have gaps; order is kept).
//
// A table has fixed columns (enum column_id) and attribute columns, one for each (level, key, type).
// Which attribute columns a row has is its *shape*: an ordered list of columns. A column's presence
// follows from the shapes, so nothing is stored for absent values.
//
// Strings are ordinals into dictionaries. A dictionary may hold a string twice (columns whose values
// hardly repeat): equal ordinals mean equal strings, different ordinals mean nothing by themselves.
//
// Thread safety: segments are immutable to readers and may be shared; a struct reader belongs to one thread.
#pragma once
#include "base/err.h"
#include "wire/record.h"

enum { BLOCK_ROWS = 8192 };
enum segment_table { TABLE_ROWS = 0, TABLE_EVENTS = 1, TABLE_LINKS = 2, TABLE_N };

#define TRACE_NONE UINT32_MAX // ordinal of rows without a trace

// Fixed columns. Child tables (events, links) have OWNER, TIME, NAME and SHAPE only; a link's trace and
// span ids and flags are FIELD attributes "trace", "span" (bytes) and "flags" (int).
enum column_id {
    COL_TIME,     // i64 ns Unix
    COL_DURATION, // i64 ns
    COL_RECEIVED, // i64 ns Unix, when it was accepted
    COL_PROJECT,  // u32 project id
    COL_KIND,     // u8
    COL_STATUS,   // u8
    COL_SEVERITY, // u8
    COL_FLAGS,    // u32
    COL_RESOURCE, // u32, ordinal: segment_resource()
    COL_SCOPE,    // u32, ordinal: segment_scope()
    COL_NAME,     // str, dictionary (the empty string: none)
    COL_TRACE,    // u32, ordinal: segment_trace(); TRACE_NONE
    COL_SPAN,     // u64, be64 of the id's bytes, 0 = none
    COL_PARENT,   // u64, same
    COL_SHAPE,    // u32, ordinal: segment_shape()
    COL_OWNER,    // u32, row number in TABLE_ROWS (child tables only; ascending)
    COL_FIXED     // attribute column i has the id COL_FIXED + i
};
// A log's body is the FIELD attribute "body" (a column for each type that occurs).

enum vec_kind { VEC_I64, VEC_U64, VEC_F64, VEC_U32, VEC_U8, VEC_STR };

// Geometric chunks: entry i stands in chunk k of 64 << k entries. Appending moves nothing, so a reader
// may look at older entries while the owner appends.
struct dict {
    uint32_t n;
    const str *chunk[26];
};
// Entries that may be looked at now; a head's dictionary grows meanwhile.
static inline uint32_t dict_entries(const struct dict *d) { return __atomic_load_n(&d->n, __ATOMIC_ACQUIRE); }
static inline str dict_get(const struct dict *d, uint32_t ord)
{
    uint32_t e = ord + 64;
    int k = 31 - __builtin_clz(e) - 6;
    return d->chunk[k][e - (64u << k)];
}

// One column of one block, decoded. Slots of absent rows hold 0.
struct vec {
    uint8_t kind;            // enum vec_kind
    bool constant;           // all present rows have the value of the first present row
    bool dict_is_block;      // VEC_STR: ordinals mean something in this block only
    uint32_t n;              // rows of the block
    const uint64_t *present; // bitmap of n bits, NULL = every row
    const struct dict *dict; // VEC_STR
    union {
        const int64_t *i64; // INT attributes, times, durations
        const uint64_t *u64;
        const double *f64; // DOUBLE
        const uint32_t *u32;
        const uint8_t *u8;   // also BOOL
        const uint32_t *ord; // VEC_STR: STR, BYTES, LIST, MAP (the latter two as encoded, see wire/value.h)
    };
};
static inline bool vec_has(const struct vec *v, uint32_t i)
{
    return !v->present || (v->present[i >> 6] >> (i & 63) & 1);
}

// An attribute column.
struct column {
    str key;
    uint8_t level; // ATTR_RECORD or ATTR_FIELD
    uint8_t type;  // enum value_type; NULL columns have presence but no values
};

// Ordered attribute columns of a row: indexes of attribute columns (without COL_FIXED), each at most once.
struct shape {
    const uint32_t *columns;
    uint32_t n;
};

struct segment;
struct reader;

struct segment_info {
    uint8_t source; // enum record_source
    bool head;
    uint64_t rows;                      // of TABLE_ROWS
    int64_t time_min, time_max;         // inclusive; own times of the rows, also of clamped ones
    int64_t received_min, received_max; // inclusive
    int64_t duration_max;               // spans: the longest, to bound look-ups around a row
    uint64_t bytes;                     // on disk (0 for heads)
    uint64_t id;                        // of the part file, 0 for heads
    // Sort order: parts of spans are in trace order (a trace's rows are one contiguous run, and
    // segment_trace_rows() works); parts of logs in (resource, time) order; heads in order of arrival.
    bool trace_order;
};

const struct segment_info *segment_info(const struct segment *s);
uint32_t segment_blocks(const struct segment *s, enum segment_table t);
uint32_t segment_block_rows(const struct segment *s, enum segment_table t, uint32_t block);
uint32_t segment_columns(const struct segment *s, enum segment_table t); // attribute columns
struct column segment_column(const struct segment *s, enum segment_table t, uint32_t i);
uint32_t segment_resources(const struct segment *s);
const struct record_entity *segment_resource(const struct segment *s, uint32_t ord);
uint64_t segment_resource_hash(const struct segment *s,
                               uint32_t ord); // of its canonical bytes: the same in every segment
uint32_t segment_scopes(const struct segment *s);
const struct record_entity *segment_scope(const struct segment *s, uint32_t ord);
uint32_t segment_shapes(const struct segment *s, enum segment_table t);
struct shape segment_shape(const struct segment *s, enum segment_table t, uint32_t ord);
uint32_t segment_traces(const struct segment *s);
// Parts read it from disk: a read error leaves an id of zeros.
int segment_trace(const struct segment *s, uint32_t ord, uint8_t ret_id[16]);
// Ordinal of a trace id: 0 and *ret_ord, or ERR_NOENT (this segment has no row of it), or a read error.
int segment_find_trace(const struct segment *s, const uint8_t id[16], uint32_t *ret_ord);
// Rows [*ret_first, *ret_end) of a trace in a segment with trace_order; ERR_UNSUPPORTED otherwise.
int segment_trace_rows(const struct segment *s, uint32_t ord, uint64_t *ret_first, uint64_t *ret_end);
// Sets the bits of the blocks of TABLE_ROWS (a bitmap of segment_blocks() bits) that may hold this string in attribute column
// `column`. ERR_UNSUPPORTED: it has no index, read them all.
int segment_find_string(const struct segment *s, uint32_t column, str value, uint64_t *blocks);
// Range of a block's values in an i64, u64, u32 or u8 column: false when not known (then read it).
bool segment_block_range(const struct segment *s, enum segment_table t, uint32_t block, uint32_t col, int64_t *ret_min,
                         int64_t *ret_max);
// Rows of child table t that belong to row number `row` of TABLE_ROWS: child row numbers [first, end); first == end:
// none.
int segment_children(struct reader *r, enum segment_table t, uint32_t row, uint32_t *ret_first, uint32_t *ret_end);

int reader_open(const struct segment *s, struct reader **ret_reader);
void reader_close(struct reader *r);
// Makes `block` the current one of table t; vecs of the former current block of t become invalid.
int reader_seek(struct reader *r, enum segment_table t, uint32_t block);
// A column of the current block, decoded on first use and kept while the block is current.
int reader_column(struct reader *r, enum segment_table t, uint32_t col, struct vec *ret_vec);
// The same for a column of strings of which only some are wanted (encode.h): what is not may be the empty string. Decoded
// anew each time, the more cheaply the fewer strings are wanted.
struct strings_wanted;
int reader_strings(struct reader *r, enum segment_table t, uint32_t col, const struct strings_wanted *wanted,
                   struct vec *ret_vec);
// The value of attribute column `column` (without COL_FIXED) in one row of the current block; VALUE_NULL when the row's
// shape has no such column. Costs little when few rows of a block are asked for. Strings live until the next seek.
int reader_value(struct reader *r, enum segment_table t, uint32_t column, uint32_t row, struct value *ret_value);
// Bytes read from disk so far (for _stats).
uint64_t reader_bytes(const struct reader *r);
