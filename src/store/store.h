// The store: records in, durable, found again. See docs/formats.md for the files.
//
// Writing. A worker thread opens a batch on its own lane, feeds decoded records through the batch's sink
// and commits. The done callback comes on the log thread after the batch is on disk and visible to
// queries; until then nothing of it is. A lane belongs to one thread at a time.
//
// Reading. A view is everything acknowledged before it was taken, and nothing else, until it is released.
#pragma once
#include "store/segment.h"
#include "wire/record.h"

struct disk;
struct store;
struct batch;
struct view;

struct store_options {
    const char *dir;                      // data directory; created when missing (0700)
    const struct disk *disk;              // NULL: the real one
    unsigned lanes;                       // writing threads, 1..64
    bool durability_os;                   // acknowledge without fsync: for comparisons only
    int64_t retention_ns[RECORD_SOURCES]; // 0: keep for ever
    uint64_t disk_cap_bytes;              // 0: none; over it the oldest parts go
    uint32_t seal_rows;                   // rows of a head generation before it is sealed (default 1 Mi)
    int64_t seal_age_ns;                  // age of its oldest row before it is sealed (default 30 s)
    uint64_t cache_bytes;                 // block cache of the parts (default 64 MiB)
    bool allow_hole;                      // start writable although the log is damaged in the middle
    uint32_t consumers; // bits 1 << enum store_consumer: rows stay in the log until each of these has passed them
    bool manual;        // tests: no background seal, merge, retention; see store_step()
};

int store_open(const struct store_options *o, struct store **ret_store, struct err *err);
// Stops the log thread after what was committed, then the background work.
void store_close(struct store *s);

// ERR_BUSY: too much is waiting to be sealed; ERR_NOSPC: the disk is full; ERR_READONLY; ERR_STOPPING. All pass.
// ERR_EXIST: a batch with the same request_hash (two words, 0,0 = none) was committed within the last
// minutes: the sender did not hear the answer and sent again; answer as before, store nothing.
int store_batch_begin(struct store *s, unsigned lane, uint32_t project, const uint64_t request_hash[2],
                      struct batch **ret_batch);
// Its record() says ERR_LIMIT when the batch holds as much as one may.
struct record_sink batch_sink(struct batch *b);
uint32_t batch_rows(const struct batch *b);
// Moves the batch in. done(ctx, 0) when durable and visible, done(ctx, code) when it is not and will not be;
// called exactly once, on the log thread (must not block). An empty batch is done at once.
void batch_commit_take(struct batch *b, void (*done)(void *ctx, int result), void *ctx);
// Forgets the batch: nothing of it will be seen.
void batch_abort_take(struct batch *b);

int store_view(struct store *s, struct view **ret_view);
void view_unref(struct view *v);
struct view *view_ref(struct view *v);
uint32_t view_segments(const struct view *v);
const struct segment *view_segment(const struct view *v, uint32_t i); // parts oldest first, then heads

// Called on the log thread after each commit group (must not block): wakes live tails. NULL: nobody; when
// it returns the former one is not called any more.
void store_on_commit(struct store *s, void (*fn)(void *ctx, uint64_t commit_sequence), void *ctx);

// A tail sees every row that is committed after it was opened, once (unless it looks so rarely that the
// rows have gone from the head to parts meanwhile). One thread at a time.
struct tail;
int store_tail_open(struct store *s, struct tail **ret_tail);
void store_tail_close(struct tail *t);
// A view with the segments that have new rows: those from row number view_segment_first() on.
int store_tail_next(struct tail *t, struct view **ret_view);
uint64_t view_segment_first(const struct view *v, uint32_t i);

// A consumer derives figures of its own from the records and must not miss one over any crash. It sees what is
// committed, generation by generation (a generation: what one seal makes parts of), each row once and those of one
// lane in their order. When a generation is complete it makes what came of it durable, together with the
// generation's number, and passes it; a generation is sealed, and its log recycled, only after all consumers have
// done that. At its next start each says which one it passed last and is given all later ones from their beginning.
struct consumer;
// Who there may be; the numbers mean nothing by themselves.
enum store_consumer { CONSUMER_RED, CONSUMER_ISSUES, CONSUMER_RELEASES, CONSUMER_MONITORS, CONSUMERS_MAX };
struct consumer_rows {
    const struct segment *segment;
    uint64_t first; // row numbers below were seen before
};
struct consumer_news {
    uint64_t generation;
    bool complete; // nothing more comes of this generation
    uint32_t n;
    struct consumer_rows *rows;
};
// One of each at a time, and of those that the store was opened with: before its first batch begins, or after the former
// one was closed. sources: bits 1 << enum record_source.
int store_consumer_open(struct store *s, enum store_consumer who, uint64_t passed, uint32_t sources,
                        struct consumer **ret_consumer);
void store_consumer_close(struct consumer *c);
// What came since; ERR_AGAIN: nothing within wait_ns, or store_consumer_wake() was called. After an error nothing was
// taken, and after news that could not be used the way back is to close and to open again.
int store_consumer_next(struct consumer *c, int64_t wait_ns, struct consumer_news *ret_news);
void consumer_news_free(struct consumer_news *news);
void store_consumer_pass(struct consumer *c, uint64_t generation);
void store_consumer_wake(struct consumer *c); // any thread; the next wait ends at once too

struct store_stats {
    uint64_t rows_committed, batches_committed, batches_failed, batches_repeated, log_bytes, log_syncs;
    uint64_t head_rows, head_bytes, parts, part_rows, part_bytes, log_files;
    uint64_t merge_debt_rows; // rows that background work (sealing, merging) still has to rewrite
    uint64_t seals, merges, parts_expired, duplicates_dropped;
    uint64_t disk_free_bytes; // of the file system; 0: unknown
    uint64_t disk_cap_bytes;  // store_options'
    bool read_only, disk_full;
    char why[160]; // of read_only or disk_full
};
void store_stats(struct store *s, struct store_stats *ret_stats);

// What is kept and what it takes, for people: by source, and how much came when.
enum { STORE_USAGE_HOURS = 48 };
struct store_usage {
    struct store_source_usage {
        uint64_t parts, rows, bytes;        // on disk
        int64_t received_min, received_max; // ns Unix; 0: there are no parts
        int64_t retention_ns;               // as opened
        // Bytes on disk by the hour in which their rows were received, ending with the hour of `now`. A part spreads evenly over
        // the time that it covers, since what it takes is known as a whole only.
        double hours[STORE_USAGE_HOURS];
    } sources[RECORD_SOURCES];
    int64_t hours_from;             // ns Unix, begin of hours[0]; whole hours
    uint64_t log_bytes;             // files of the commit log, also spare ones
    uint64_t disk_total, disk_free; // of the file system; 0: not known
    uint64_t disk_cap_bytes;        // as opened
};
int store_usage(struct store *s, int64_t now, struct store_usage *ret_usage);
// Tests and the bench: seal everything, merge until there is nothing to merge, apply retention. Blocks.
int store_settle(struct store *s, struct err *err);
