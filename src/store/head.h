// The head: rows that are not in a part yet, in memory in the form in which they were decoded.
//
// A *generation* is everything between two seals: one set of lanes and its log files. A *lane* belongs to one
// writing thread: its dictionaries and blocks are appended without locks. Rows become visible when the
// log thread, after the fsync, moves a table's committed position (under the store's mutex); readers look
// only below the position that their snapshot holds, so nothing that they see ever changes.
#pragma once
#include "base/mem.h"
#include "store/rows.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    HEAD_BLOCKS_MAX = 4096,        // blocks of a table in one generation: 32 Mi rows
    HEAD_COLUMNS_MAX = 2048,       // attribute columns of a table in one lane; more go to the overflow map
    HEAD_COLUMNS_EXTRA = 256,      // beyond it for FIELD attributes (a closed list) and the overflow map itself
    HEAD_VALUES_PER_BLOCK = 98304, // words: 12 a row; a block that runs out is closed early
    HEAD_RECORD_ATTRS_MAX = 16384, // of one record, so that it fits an empty block
    HEAD_LANES_MAX = 64,
};

// Attributes of keys beyond HEAD_COLUMNS_MAX (and beyond a part's limit) are kept, in one MAP attribute of
// this (otherwise impossible: empty) key at RECORD level; queries look into it.
#define OVERFLOW_KEY ((str){ "", 0 })

// ---- strings -------------------------------------------------------------------------------------------

// Bump storage for dictionary strings; freed with its lane.
struct head_heap {
    struct heap_chunk *chunks;
    uint8_t *cur, *end;
    size_t bytes;
};
void *head_heap_alloc(struct head_heap *h, size_t n, size_t align);
void head_heap_free(struct head_heap *h);

// A growing dictionary with a hash table beside it. When most strings turn out to be new it gives up
// looking them up (raw): cheaper, and the part builder decides for itself.
struct head_dict {
    struct dict d;
    uint64_t *slots; // hash's upper 32 bits, ordinal + 1 below; 0 = free
    uint32_t mask;
    uint32_t last;   // memo: the ordinal returned last
    uint32_t adds;   // look-ups since the dictionary began
    uint32_t logged; // entries that the commit log has
    bool raw;
};
// Ordinal of s, added when it is new. ERR_NOMEM.
int head_dict_intern(struct head_dict *hd, struct head_heap *heap, str s, uint32_t *ret_ord);
// Adds without looking (log replay).
int head_dict_append(struct head_dict *hd, struct head_heap *heap, str s);
void head_dict_free(struct head_dict *hd);

// ---- tables --------------------------------------------------------------------------------------------

struct lane_column {
    struct column c;
    uint32_t stamp; // serial of the record that used it last: finds repeated keys
    struct head_dict dict;
};

struct lane_shape {
    uint32_t n;
    uint32_t columns[];
};

struct lane_block {
    struct rows rows; // arrays of BLOCK_ROWS inside the same allocation
};

// Where a table ends: the last block and its rows (and values), for commits and for taking a batch back.
struct table_mark {
    uint32_t blocks; // started
    uint32_t rows;   // in the last one
    uint32_t values; // in the last one
};

struct lane_table {
    bool child;
    struct lane_block *block[HEAD_BLOCKS_MAX];
    struct table_mark end;       // the lane's thread
    struct table_mark committed; // the log thread, under the store's mutex
    struct head_dict names;
    struct lane_column **columns; // HEAD_COLUMNS_MAX + HEAD_COLUMNS_EXTRA pointers, filled up to columns_n
    _Atomic uint32_t columns_n;
    uint64_t *column_slots; // hash table over columns: hash upper 32 bits, index + 1
    uint32_t column_mask;
    uint32_t columns_logged;
    struct lane_shape **shape_chunk[26]; // geometric, as in struct dict
    _Atomic uint32_t shapes_n;
    uint64_t *shape_slots;
    uint32_t shape_mask;
    uint32_t shapes_logged;
    uint32_t shape_memo[256]; // by name ordinal: the shape that this name had last, + 1
    uint32_t serial;
    // Statistics over committed and uncommitted rows, for pruning (never too narrow).
    int64_t time_min, time_max, received_min, received_max, duration_max;
};

struct lane_source {
    struct lane_table table[TABLE_N];
};

// Interned resources or scopes.
struct lane_entity {
    struct record_entity e; // everything in the lane's heap
    uint64_t hash;          // of the canonical encoding
    str canonical;          // see head_entity.c
};

struct lane_entities {
    struct lane_entity **chunk[26];
    _Atomic uint32_t n;
    uint64_t *slots;
    uint32_t mask;
    uint32_t logged;
};

struct lane_traces {
    uint8_t (*chunk[26])[16];
    _Atomic uint32_t n;
    uint32_t *slots; // ordinal + 1
    uint32_t mask;
    uint32_t last;
    uint32_t logged;
};

struct lane {
    struct head_heap heap;
    struct lane_entities resources, scopes;
    struct lane_traces traces;
    struct lane_source *_Atomic source[RECORD_SOURCES]; // made when the first record comes
    struct buf canonical, overflow, picked;             // scratch of the lane's thread
    size_t table_bytes;                                 // blocks and hash tables (the heap counts itself)
    _Atomic size_t bytes;                               // of everything, roughly: what sealing frees
};

struct lane *lane_new(void);
void lane_free(struct lane *l);
int lane_intern_entity(struct lane *l, struct lane_entities *es, const struct record_entity *e, uint32_t *ret_ord);
int lane_append_entity(struct lane *l, struct lane_entities *es, str canonical); // replay
struct lane_entity *lane_entity_get(const struct lane_entities *es, uint32_t ord);
int lane_intern_trace(struct lane *l, const uint8_t id[16], uint32_t *ret_ord);
int lane_append_trace(struct lane *l, const uint8_t id[16]); // replay
const uint8_t *lane_trace_get(const struct lane_traces *ts, uint32_t ord);
struct lane_shape *lane_shape_get(const struct lane_table *t, uint32_t ord);

// The source's tables, made when missing; NULL without memory.
struct lane_source *lane_source_get(struct lane *l, unsigned source);

// Room for one more row with `values` words: makes t->end point at a block that has it.
// ERR_NOMEM, ERR_BUSY (the generation is full), ERR_LIMIT (values > HEAD_RECORD_ATTRS_MAX).
int lane_table_reserve(struct lane *l, struct lane_table *t, uint32_t values);
// Begins a new block (replay: where the log says that the lane began one).
int lane_table_next_block(struct lane *l, struct lane_table *t);
int lane_column_intern(struct lane *l, struct lane_table *t, str key, unsigned level, unsigned type,
                       uint32_t *ret_index);
int lane_column_append(struct lane *l, struct lane_table *t, str key, unsigned level, unsigned type); // replay
int lane_shape_intern(struct lane *l, struct lane_table *t, const uint32_t *columns, uint32_t n, uint32_t *ret_ord);
int lane_shape_append(struct lane *l, struct lane_table *t, const uint32_t *columns, uint32_t n); // replay

// Readers look while the lane's thread widens: they see the range of some moment, which is never too narrow for rows
// that were committed before.
static inline void lane_least(int64_t *at, int64_t v)
{
    if (v < *at)
        __atomic_store_n(at, v, __ATOMIC_RELAXED);
}
static inline void lane_most(int64_t *at, int64_t v)
{
    if (v > *at)
        __atomic_store_n(at, v, __ATOMIC_RELAXED);
}
static inline void lane_table_widen(struct lane_table *t, int64_t time, int64_t duration, int64_t received)
{
    lane_least(&t->time_min, time);
    lane_most(&t->time_max, time);
    lane_least(&t->received_min, received);
    lane_most(&t->received_max, received);
    lane_most(&t->duration_max, duration);
}

// What stays the same for all records of a section.
struct lane_section {
    uint32_t project, resource, scope;
    int64_t received;
};
// Appends one record with its children. On an error the caller takes the whole batch back.
int lane_append(struct lane *l, const struct lane_section *sec, const struct record *r);

// Marks of all tables of a lane, to take a batch back or to commit it.
struct lane_marks {
    struct table_mark at[RECORD_SOURCES][TABLE_N];
};
void lane_marks_get(const struct lane *l, struct lane_marks *ret_marks);
void lane_rollback(struct lane *l, const struct lane_marks *to);
void lane_commit(struct lane *l, const struct lane_marks *upto);
static inline uint64_t table_mark_rows_end(struct table_mark m)
{
    return m.blocks == 0 ? 0 : (uint64_t)(m.blocks - 1) * BLOCK_ROWS + m.rows;
}

static inline void geo_place(uint32_t i, int *ret_chunk, uint32_t *ret_at)
{
    uint32_t e = i + 64;
    int k = 31 - __builtin_clz(e) - 6;
    *ret_chunk = k;
    *ret_at = e - (64u << k);
}

// ---- generations ---------------------------------------------------------------------------------------

struct log_stream;

struct generation {
    uint32_t magic; // GENERATION_MAGIC
    _Atomic int refs;
    uint64_t id;
    unsigned lanes_n;
    struct lane *_Atomic lane[HEAD_LANES_MAX];
    struct log_stream *log;
    // Under the store's mutex:
    uint32_t in_flight; // batches begun and not ended
    bool closed;        // no new batches
    bool failed;        // its log could not be written: batches in flight are lost (and refused)
    bool sealing;
    uint64_t rows;        // committed
    int64_t first_commit; // monotonic ns of its first committed batch, 0 = none
};
enum { GENERATION_MAGIC = 0x47454e31 };

struct generation *generation_new(uint64_t id, unsigned lanes);
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g);
size_t generation_bytes(const struct generation *g);

// A snapshot of one lane's rows of one source, as a segment; holds a reference to the generation.
// Call with the store's mutex held. NULL and *ret_error = 0 when there are no rows.
struct segment *head_segment_new(struct generation *g, unsigned lane, unsigned source, int *ret_error);
void head_segment_free(struct segment *s);
