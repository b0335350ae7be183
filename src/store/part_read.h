// An open part file: what its reading half shares. part_open.c opens, part_chunk.c finds and loads chunks,
// part_trace_find.c answers about traces, part_reader.c reads columns, part_rows.c reads rows.
#pragma once
#include "base/arena.h"
#include "os/disk.h"
#include "store/part_cache.h"
#include "store/part_format.h"
#include "store/part_write.h"
#include "store/rows.h"

#include <pthread.h>
#include <stdatomic.h>

#define NO_SERIES UINT32_MAX

// Entries of a series, ascending by block.
struct directory {
    uint32_t n;
    struct chunk_entry e[];
};

struct part_series {
    uint8_t kind, table;
    uint32_t column, n;
    struct chunk_entry one; // n == 1: the chunk; else the directory
    _Atomic(struct directory *) directory;
    _Atomic(struct part_dict *) dict; // CHUNK_DICT
};

// A dictionary in memory: its strings are views into `payload` and `arena`.
struct part_dict {
    struct dict d;
    uint8_t *payload;
    struct arena arena;
    size_t bytes;
};

struct part_table {
    uint64_t rows;
    uint32_t blocks, columns_n, shapes_n;
    uint16_t *block_rows;
    struct column *columns;
    struct shape *shapes;
    uint32_t *series; // of column id c (COL_TIME ..): index; NO_SERIES
    uint32_t *dict;   // series of its dictionary; NO_SERIES
    uint32_t tail;    // series
};

struct part_entities {
    uint32_t n;
    struct record_entity *e;
    uint64_t *hash;
};

struct part {
    struct segment s; // first: a part is a segment
    uint32_t magic;   // PART_OBJECT_MAGIC
    _Atomic int refs;
    _Atomic bool unlink;
    const struct part_env *env;
    char path[256];
    int file;
    uint64_t size;
    uint64_t number; // in the cache
    uint8_t retention_class;
    uint64_t duplicates;
    uint32_t traces;
    struct part_table t[TABLE_N];
    struct part_entities resources, scopes;
    struct part_series *series;
    uint32_t series_n;
    uint32_t trace_ids, trace_rows, trace_index; // series
    uint32_t key_index[PART_KEYS], key_index_n;  // series, of a column each
    struct arena meta;
    // What is loaded when needed and given back when nobody reads: directories, dictionaries.
    pthread_mutex_t lock;
    _Atomic int users; // -1: being given back
    _Atomic int64_t beside;
};
enum { PART_OBJECT_MAGIC = 0x50415254 };

static inline struct part *part_of(const struct segment *s) { return (struct part *)(uintptr_t)s; }
extern const struct segment_ops part_ops;

// part_chunk.c
// While pinned, directories and dictionaries stay.
void part_pin(struct part *p);
void part_unpin(struct part *p);
void part_drop_loaded(struct part *p);
// The entry of `block` in a series: 0, ERR_NOENT (it has none), or a read error. Pinned.
int part_entry(struct part *p, uint32_t series, uint32_t block, struct chunk_entry *ret_entry);
int part_directory(struct part *p, uint32_t series, const struct directory **ret_directory);
// Reads, checks and unpacks a chunk into memory of its own (mem_free), ENCODE_PAD zero bytes behind it.
int part_chunk_read(struct part *p, enum chunk_kind kind, const struct chunk_entry *entry, uint8_t **ret_data,
                    uint32_t *ret_size);
// The same through the cache; *bytes_read grows by what came from the disk. cache_unpin() it.
int part_chunk(struct part *p, enum chunk_kind kind, const struct chunk_entry *entry, uint64_t *bytes_read,
               struct cache_entry **ret_entry);
int part_dict(struct part *p, uint32_t series, const struct dict **ret_dict);

// Entries stand one behind the other in `strings`: struct dict's chunks are views of it.
static inline void part_dict_view(struct dict *d, const str *strings, uint32_t n)
{
    *d = (struct dict){ .n = n };
    for (int k = 0; k < 26 && (64ull << k) - 64 < n; k++)
        d->chunk[k] = strings + ((64ull << k) - 64);
}

// part_trace_find.c
int part_trace_id(struct part *p, uint32_t ord, uint8_t id[16]);
int part_trace_find(struct part *p, const uint8_t id[16], uint32_t *ret_ord);
int part_trace_run(struct part *p, uint32_t ord, uint64_t *ret_first, uint64_t *ret_end);

// part_key_find.c
// Sets the bits of the blocks of TABLE_ROWS that may hold the string. ERR_UNSUPPORTED: the column has no index.
int part_key_find(struct part *p, uint32_t column, str value, uint64_t *blocks);

// part_reader.c
int part_reader_open(const struct segment *s, struct reader **ret_reader);
void part_reader_close(struct reader *r);
int part_reader_seek(struct reader *r, enum segment_table t, uint32_t block);
int part_reader_column(struct reader *r, enum segment_table t, uint32_t col, struct vec *ret_vec);
int part_reader_strings(struct reader *r, enum segment_table t, uint32_t col, const struct strings_wanted *wanted,
                        struct vec *ret_vec);
int part_reader_value(struct reader *r, enum segment_table t, uint32_t column, uint32_t row, struct value *ret_value);
int part_reader_children(struct reader *r, enum segment_table t, uint32_t row, uint32_t *ret_first, uint32_t *ret_end);
int part_reader_rows(struct reader *r, enum segment_table t, struct rows *ret_rows);
const struct dict *part_reader_block_dict(struct reader *r, enum segment_table t, uint32_t col);
uint64_t part_reader_bytes(const struct reader *r);
