// Building a part: what its files share. The way of a row:
//
//   part_input.c   inputs: their blocks row-major, and how their ordinals map to those of the new part
//   part_order.c   which row comes next
//   part_trace.c   trace ids of all inputs, their order, the trace dictionary of the new part
//   part_intern.c  dictionaries, resources and scopes, columns and shapes of the new part
//   part_key.c     the indexes of event ids and groups
//   part_block.c   rows into the block in the making, and the block into chunks
//   part_build.c   the loop, duplicates, footer
//
// Memory: what each input has decoded (a few blocks), one block of output, dictionaries, maps of ordinals, and for
// heads 32 bytes a row while they are sorted. A part's rows are never all in memory.
#pragma once
#include "base/arena.h"
#include "store/part_write.h"
#include "store/rows.h"

#define UNMAPPED UINT32_MAX

// ---- what the new part has -----------------------------------------------------------------------------

// Strings, each once, in the order of their first use. Zero is an empty one.
struct build_dict {
    str *s;
    uint32_t n, cap;
    uint32_t *slots; // ordinal + 1
    uint32_t mask;
};
int build_dict_intern(struct build_dict *d, struct arena *arena, str s, uint32_t *ret_ord);
void build_dict_free(struct build_dict *d);
uint64_t build_hash(const void *p, size_t n); // not the same in every process: tables cannot be made slow on purpose

// What is remembered of a column from block to block.
struct form_memory {
    uint32_t series;  // of its chunks; UNMAPPED until the first
    uint8_t believed; // for so many blocks `packed` is taken for granted
    bool packed;      // the form behind the codec was smaller
};

struct build_column {
    struct column c;
    bool name;        // this is COL_NAME
    bool local;       // strings stay in their blocks
    bool typed;       // may have chunks of its own
    uint64_t present; // rows of the inputs that have it
    uint64_t entries; // of the inputs' dictionaries
    uint64_t dict_bytes;
    uint32_t series; // of its chunks; UNMAPPED until the first
    struct form_memory form;
    struct build_dict dict;
    // The block in the making: n values, dense.
    uint64_t *v;   // words; of local strings nothing
    str *s;        // local strings
    uint16_t *row; // INT: which row of the block
    uint32_t n, cap;
};

struct build_table {
    struct build_column *columns;
    uint32_t columns_n, columns_cap;
    uint32_t *column_slots; // by (level, type, key): index + 1
    uint32_t column_mask;
    struct build_column names;  // COL_NAME
    struct build_dict shapes;   // as strings of u32
    uint64_t *fixed[COL_FIXED]; // the block in the making, BLOCK_ROWS words each; COL_NAME: in names
    struct form_memory fixed_form[COL_FIXED];
    uint32_t tail_series;
    uint32_t n;           // rows in the block
    size_t bytes;         // of its local strings
    struct arena strings; // of the block
    uint64_t rows;
    uint16_t *block_rows; // of each finished block
    uint32_t blocks, blocks_cap;
};

struct build_entities {
    struct build_dict canonical; // all of the inputs, interned
    uint64_t *hash;
    uint32_t *rank; // by (hash, canonical)
    uint32_t *out;  // ordinal in the new part; UNMAPPED while unused
    uint32_t *used; // canonical by ordinal in the new part
    uint32_t used_n;
};

struct trace_table {
    uint8_t (*id)[16];
    int64_t *first; // earliest start (spans)
    uint32_t *rank; // spans: place in the new part
    uint32_t *by_rank;
    uint32_t n, cap;
    uint32_t *slots;
    uint32_t mask;
};

// ---- inputs --------------------------------------------------------------------------------------------

// What is done with a value of an input's column.
enum input_mode { MODE_NONE, MODE_WORD, MODE_INT, MODE_ORDINAL, MODE_STRING };

struct input_column {
    uint8_t mode;            // enum input_mode
    uint32_t out;            // column of the new part; UNMAPPED: no row has it
    struct build_column *to; // the same, when columns are planned
    const struct dict *dict; // NULL: the strings are the blocks' own
    uint32_t *map;           // dictionary ordinal -> ordinal of the new part
};

struct input_table {
    struct input_column *columns;
    uint32_t columns_n;
    struct input_column names;
    struct shape *shapes;
    uint32_t *shape_map;
    uint64_t *shape_rows; // rows of each shape
    uint32_t shapes_n;
    uint64_t *owners; // child tables: bitmap of the row numbers that have children
};

struct series_key {
    uint64_t a, b; // hash of the name, hash of the rest
};

// A reader standing on one block of rows.
struct input_slot {
    struct reader *reader;
    uint32_t block; // UINT32_MAX: none
    uint64_t used;  // when
    struct rows rows;
};

struct build_input {
    const struct segment *s;
    struct input_table t[TABLE_N];
    uint32_t *resource_map, *scope_map; // to build_entities
    uint32_t *resource_out, *scope_out; // to the new part; UNMAPPED until used
    uint32_t *trace_map;                // to the trace table
    uint32_t resources_n, scopes_n, traces_n;
    struct input_slot *slots;
    uint32_t slots_n, slots_open;
    uint16_t *slot_of_block; // + 1; 0 = none
    uint32_t blocks;
    struct reader *child_reader;
    uint32_t child_block[TABLE_N];
    struct rows child_rows[TABLE_N];
    // The stream of its rows in order (part_order.c).
    bool sorted;   // a part: its own order is nearly the one wanted
    uint32_t *row; // heads: sorted
    int64_t *time;
    uint32_t *group;
    struct series_key *series;   // heads of metrics: key by group
    uint32_t *trace_order;       // parts of spans: trace ordinals by rank
    uint32_t at, end;            // heads: index; parts of spans: index of the next trace
    uint32_t number, number_end; // the next row, and parts: end of its run
    bool done, taken;
    uint64_t key_a, key_b;
    int64_t key_time;
};

struct same_span {
    uint64_t span;
    uint64_t resource; // + 1; 0: free
};

struct build_keys {
    uint32_t column; // of TABLE_ROWS; UNMAPPED: there are none
    uint64_t *v;     // of each string of each block
    uint32_t n, cap;
};

struct build {
    const struct part_build_options *options;
    uint8_t source;
    struct build_input *inputs;
    uint32_t inputs_n;
    uint64_t tick; // of slots
    struct part_writer w;
    struct buf tail; // of the block that is being written
    struct build_table t[TABLE_N];
    struct build_entities resources, scopes;
    struct trace_table traces;
    struct arena keep; // keys, strings of dictionaries, canonical entities
    // Order.
    struct build_input **heap;
    uint32_t heap_n;
    struct series_key *series; // metrics: of the head that is being sorted
    uint32_t series_n, series_cap;
    uint32_t *series_slots;
    uint32_t series_mask;
    // The trace dictionary in the making.
    uint32_t traces_out;
    uint64_t trace_first[TRACE_PAGE + 1];
    uint32_t trace_ids_series, trace_rows_series;
    bool traces_ended;
    struct build_keys keys[PART_KEYS];
    // Duplicates among rows of one trace and start.
    uint64_t same_trace; // rank
    int64_t same_time;
    struct same_span *same; // hash table of same_used slots
    uint32_t same_n, same_used, same_cap;
    struct same_span same_first; // the first row of the group, not in the table yet
    uint64_t duplicates;
    int64_t time_min, time_max, received_min, received_max, duration_max;
};

// part_input.c
int input_open(struct build *b, struct build_input *in, const struct segment *s);
void input_close(struct build_input *in);
// Rows of `block`, row-major, and the slot they are in; valid until the next call for this input.
int input_rows(struct build *b, struct build_input *in, uint32_t block, struct input_slot **ret_slot);
int input_child_rows(struct build_input *in, enum segment_table t, uint32_t block, const struct rows **ret_rows);

// part_intern.c
int columns_plan(struct build *b); // columns of the new part, and which leave their dictionaries
int entities_add(struct build *b, struct build_entities *es, const struct record_entity *e, uint64_t hash,
                 uint32_t *ret_index);
int entities_rank(struct build_entities *es);
uint32_t entities_out(struct build_entities *es, uint32_t index); // ordinal in the new part
void entities_free(struct build_entities *es);
int shape_out(struct build_table *t, struct arena *arena, const struct input_table *it, struct shape shape,
              uint32_t *ret_ord);
int dictionaries_write(struct build *b); // columns, shapes, dictionaries, resources, scopes
void table_free(struct build_table *t);

// part_trace.c
int traces_collect(struct build *b); // spans: all traces with their order
int trace_map_get(struct build *b, struct build_input *in, uint32_t ord, uint32_t *ret_index);
int trace_begin(struct build *b, uint64_t first_row); // spans: the next trace of the new part
int trace_end(struct build *b, uint64_t end_row);     // spans: behind the last one
int traces_write(struct build *b);
void traces_free(struct trace_table *tt);
void sort_stable(int64_t *key, uint32_t *value, uint32_t n, int64_t *tmp_key, uint32_t *tmp_value);

// part_key.c
void key_index_plan(struct build *b);
int key_index_add_block(struct build *b); // of the block that is full now
int key_index_write(struct build *b);
void key_index_free(struct build *b);

// part_order.c
int order_prepare(struct build *b);
// 1 and the next row, 0 at the end.
int order_next(struct build *b, struct build_input **ret_in, uint32_t *ret_number);

// part_block.c
int block_add(struct build *b, struct build_input *in, enum segment_table t, const struct rows *rows, uint32_t i,
              struct reader *reader, uint32_t owner);
int block_flush(struct build *b, enum segment_table t);
