// Writing a part file: bytes, chunks, series of chunks, and publishing. Knows nothing of rows.
#pragma once
#include "os/disk.h"
#include "store/part.h"
#include "store/part_format.h"

// Where a chunk is and the range of its values.
struct chunk_entry {
    uint32_t block;
    uint32_t size; // with its header
    uint64_t offset;
    int64_t min, max; // when has_range
    bool has_range;
};

struct chunk_series {
    uint8_t kind, table;
    uint32_t column;
    uint32_t n, cap;
    struct chunk_entry *entry;
};

struct part_writer {
    const struct part_env *env;
    struct codec *codec;
    struct encode_scratch scratch;
    enum part_effort effort;
    int file; // -1: not open
    char path[256], tmp[264];
    uint64_t offset;                 // of the end of what was written or buffered
    uint64_t flushed;                // up to here it is in the file
    struct buf out;                  // behind it
    struct buf tight, loose, packed; // scratch of chunks
    struct chunk_series *series;
    uint32_t series_n, series_cap;
    int error;
};

// Creates the temporary file and writes the header.
int part_writer_open(struct part_writer *w, const struct part_env *env, uint8_t source,
                     const struct part_build_options *options);
// Closes, and removes the file if it was not published.
void part_writer_done(struct part_writer *w);

// Where the values of a chunk go: w->tight and w->loose, both emptied; and w->tight alone.
struct encode_out part_writer_both(struct part_writer *w);
struct encode_out part_writer_tight(struct part_writer *w);

// Appends a chunk. Fills in offset and size of *entry.
int part_write_chunk(struct part_writer *w, enum chunk_kind kind, bytes payload, bool codec, struct chunk_entry *entry);
// Appends the payload behind a codec if that takes less than `size_max` bytes: 1; else 0, and nothing is appended.
int part_write_packed(struct part_writer *w, enum chunk_kind kind, bytes payload, size_t size_max,
                      struct chunk_entry *entry);
// Index of a new series.
int part_series_new(struct part_writer *w, enum chunk_kind kind, uint8_t table, uint32_t column, uint32_t *ret_index);
int part_series_add(struct part_writer *w, uint32_t series, const struct chunk_entry *entry);
// Writes a chunk into a series at block `entry->block`.
int part_series_write(struct part_writer *w, uint32_t series, bytes payload, bool codec, struct chunk_entry *entry);
// A series of one chunk.
int part_write_single(struct part_writer *w, enum chunk_kind kind, uint8_t table, uint32_t column, bytes payload);

struct part_footer {
    uint64_t word[FOOTER_WORDS];
    uint64_t rows[TABLE_N];
    const uint16_t *block_rows[TABLE_N]; // of each block
    uint32_t blocks[TABLE_N];
};
// Writes directories, footer and trailer, syncs, renames, syncs the directory. Never called twice.
int part_writer_publish(struct part_writer *w, const struct part_footer *footer);
