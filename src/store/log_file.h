// Files of the commit log: made and zero-filled ahead of use, recycled, and read back.
//
// A file belongs to one generation. It begins with a page of header (magic, version, epoch, generation, first
// sequence, checksum); blocks follow from LOG_FILE_BEGIN, each padded to LOG_ALIGN. The epoch grows with every
// use of a file, so that what a former use left behind it is never taken for a block of this one.
#pragma once
#include "base/err.h"
#include "os/disk.h"
#include "store/log_block.h"

#include <pthread.h>

enum { LOG_FILE_BEGIN = 4096, LOG_ALIGN = 8, LOG_SPARES_MAX = 4, LOG_PATH = 40 };

struct log_file {
    int file; // of the disk; -1 = closed
    char path[LOG_PATH];
    uint64_t size;  // usable bytes of the file
    uint64_t epoch; // also its number
    struct log_file *next;
};

struct log_files {
    struct disk *disk;
    pthread_mutex_t mutex;
    uint64_t next_number;
    uint64_t next_size;      // of the next file that is made: grows up to size_max
    uint64_t size_max;       // 64 MiB
    struct log_file *spares; // closed, may be used again
    unsigned spares_n, files_n;
};

int log_files_init(struct log_files *lf, struct disk *disk, uint64_t size_min, uint64_t size_max);
void log_files_free(struct log_files *lf);
// Makes one spare if there is none (slow: writes zeros). The background calls it, so that the log thread
// finds one ready. ERR_NOSPC, ERR_IO.
int log_files_prepare(struct log_files *lf);
bool log_files_have_spare(struct log_files *lf);
// An open file with at least need bytes behind its header, for this generation; header durable. Takes a spare if it can.
int log_files_take(struct log_files *lf, uint64_t generation, uint64_t sequence, uint64_t need,
                   struct log_file **ret_f);
// Its rows are in parts: the file may be used again (or is removed when there are enough).
void log_files_give_back(struct log_files *lf, struct log_file *f);
// Forgets the file but leaves it on the disk.
void log_files_drop(struct log_files *lf, struct log_file *f);

// Files of one generation in the order of writing. Used by the log thread only.
struct log_stream {
    struct log_files *files;
    uint64_t generation, sequence; // of the next block
    struct log_file *first, *last;
    uint64_t at; // where the next block goes in `last`
};

struct log_stream *log_stream_new(struct log_files *files, uint64_t generation);
// Gives the files back (durable = true) or leaves them on the disk for the next start.
void log_stream_free(struct log_stream *s, bool durable);
// Bytes that can be written before another file is needed.
uint64_t log_stream_room(const struct log_stream *s);

struct log_entry {
    struct buf *block;              // encoded, header not yet filled in
    struct log_block_header header; // lane, request hash, received
};
// Seals and writes the blocks with one sync at the end (sync = false: none). When a write or a sync fails the file
// is abandoned and all the blocks are written to a new one, once. On an error nothing may be acknowledged
// and the stream must not be written again.
int log_stream_append(struct log_stream *s, struct log_entry *entries, size_t n, bool sync);

// What is on the disk at start.
struct log_scan_file {
    struct log_file *f;
    uint64_t generation, sequence;
};
// Lists log files with a good header, ascending by (generation, number); others become spares. The array
// is the caller's (mem_free), the files too.
int log_files_scan(struct log_files *lf, struct log_scan_file **ret_files, size_t *ret_n);

struct log_replay {
    uint64_t expected; // next sequence of the generation
    bool hole;         // valid blocks of this epoch follow a damaged place that had been synced
    uint64_t hole_at;  // offset
    int (*block)(void *ctx, bytes block, const struct log_block_header *h);
    void *ctx;
};
// Calls block() for each block of the file from rp->expected on; ends at the first that is invalid.
int log_file_replay(struct log_files *lf, const struct log_scan_file *f, struct log_replay *rp);
