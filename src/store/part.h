// Part files: immutable, sorted, compressed. One function writes them, for sealing heads and for merging
// parts alike; a part is read through its segment (segment.h). The format is in docs/formats.md.
//
// Publishing: part_build() returns when the file is complete, synced, under its final name, and the directory is
// synced. It counts for nothing until manifest_commit() (manifest.h) has named it; a file that the manifest does
// not name is removed at the next start (manifest_remove_orphans()).
//
// Order of the rows: spans by (trace, start), traces by (earliest start, id), a trace's rows in one run, rows
// without a trace behind all others; metrics by (series, time), a series being resource, scope, name and
// record attributes; everything else by (resource, time). Rows that compare equal keep the order of the
// inputs, and within an input their own.
//
// Duplicates: of spans with the same trace, span id (not zero), start and resource the first is kept.
#pragma once
#include "store/segment.h"

struct disk;
struct part;
struct part_cache;

// Where parts live. Must outlive its parts; the strings are borrowed.
struct part_env {
    struct disk *disk;
    const char *dir;          // directory of the part files below the disk's root; exists
    struct part_cache *cache; // may be shared by many environments
    uint64_t workspace;       // written into the files; a file of another workspace is refused
    bool unchecked;           // fuzzing only: checksums are not compared
};

// How hard to pack: lz4, or zstd for what will stay.
enum part_effort { PART_YOUNG, PART_MERGED };

struct part_build_options {
    uint64_t id;             // of the new part, never used before: manifest_next_id()
    uint8_t retention_class; // copied into the file (see retention.h)
    enum part_effort effort;
    // Called after each block of rows (thread of the caller): may sleep to leave the machine to others; a
    // negative result ends the build with that code. NULL: never.
    int (*pace)(void *ctx, uint64_t rows_done);
    void *pace_ctx;
};

// Writes the rows of all inputs (1 .. PART_INPUTS_MAX segments of `source`, oldest first) into one new part
// and opens it. ERR_NOENT: the inputs have no rows. ERR_NOSPC, ERR_IO, ERR_NOMEM, ERR_LIMIT (inputs too diverse
// to build within PART_BUILD_MEMORY_MAX), ERR_CORRUPT (of an input), what pace() returned. After a failure nothing is
// left but, where even the removal failed, an orphan.
int part_build(const struct part_env *env, uint8_t source, const struct segment *const *inputs, uint32_t inputs_n,
               const struct part_build_options *options, struct part **ret_part, struct err *err);

enum { PART_INPUTS_MAX = 64 };
#define PART_BUILD_MEMORY_MAX (512ull << 20)
// What one input adds to it.
uint64_t part_build_memory(const struct segment *input);

// Opens part file `id`; checks header, footer and their checksums and reads what readers always need. Columns are
// read and checked when they are used. ERR_NOENT, ERR_CORRUPT, ERR_UNSUPPORTED (written by a later version
// with an incompatible feature), ERR_IO, ERR_NOMEM.
int part_open(const struct part_env *env, uint64_t id, struct part **ret_part, struct err *err);
struct part *part_ref(struct part *p);
// The last one closes the file, and removes it if part_unlink_when_unused() was called.
void part_unref(struct part *p);
// A part that the manifest does not name any more: removed with its last reference.
void part_unlink_when_unused(struct part *p);

// Valid while the caller holds a reference.
const struct segment *part_segment(const struct part *p);

struct part_facts {
    uint64_t id, bytes, rows;
    uint8_t source, retention_class;
    int64_t time_min, time_max, received_min, received_max;
    uint32_t columns, traces; // of all tables; what merging them costs in memory
    uint32_t resources;
    uint64_t duplicates; // rows that were dropped when it was built
};
void part_facts(const struct part *p, struct part_facts *ret_facts);

// Reads the whole file and compares every checksum.
int part_verify(struct part *p, struct err *err);

// The block cache: decompressed pieces of all parts, at most bytes_max in all (what readers use at the moment is
// never evicted, so it may be more for a while). Thread-safe.
int part_cache_create(uint64_t bytes_max, struct part_cache **ret_cache);
void part_cache_free(struct part_cache *c); // after the last part

struct part_cache_stats {
    uint64_t bytes, bytes_max, hits, misses, evictions;
};
void part_cache_stats(struct part_cache *c, struct part_cache_stats *ret_stats);
