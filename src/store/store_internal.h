// The store's own state; only files of this room include it.
//
// Locks, in this order: store.mutex (generations, parts, views, batches' beginnings and ends), then log_files.mutex.
// log_mutex guards the queue to the log thread, on_commit_mutex who is told of commits; each is taken alone. The manifest belongs to the background
// thread (to the caller of store_settle() in manual mode).
#pragma once
#include "os/disk.h"
#include "store/head.h"
#include "store/log_file.h"
#include "store/manifest.h"
#include "store/merge.h"
#include "store/repeat.h"
#include "store/retention.h"
#include "store/store.h"

enum {
    STORE_GENERATIONS_MAX = 16, // beyond: ERR_BUSY until some are sealed
    STORE_MARK_SEALED = 0,      // manifest mark: generations up to this one are in parts
    STORE_BLOCKS_SPARE = 64,    // encoded-block buffers kept for reuse
};
// Records of one batch, with their events and links. A record may take two bytes of a request and a hundred in the
// head, so a limit of bytes is none of memory; and what one lane holds must be less than a part can be built of.
#define STORE_BATCH_RECORDS_MAX (512u << 10)
#define STORE_HEAD_BYTES_MAX (400ull << 20) // of all generations: beyond, ERR_BUSY
#define STORE_SEAL_BYTES (128ull << 20)     // of one generation
#define STORE_SEAL_FEW_ROWS 32768           // fewer rows than this wait ten times as long, to make fewer parts

struct batch {
    uint32_t magic; // BATCH_MAGIC
    struct store *store;
    struct generation *g;
    struct lane *lane;
    unsigned lane_index;
    struct lane_section section;
    struct lane_marks from, to;
    uint32_t rows, records; // records: rows and their children
    uint64_t request_hash[2];
    struct buf block;
    void (*done)(void *ctx, int result);
    void *ctx;
    int result;
    struct batch *next;
};
enum { BATCH_MAGIC = 0x42415443 };

struct view {
    uint32_t magic; // VIEW_MAGIC
    _Atomic int refs;
    uint32_t parts_n, heads_n;
    struct part **parts;
    struct segment **heads;
    uint64_t *head_first; // of a tail's view: first row number that is new; NULL otherwise
};
enum { VIEW_MAGIC = 0x56494557 };

struct store {
    uint32_t magic; // STORE_MAGIC
    struct store_options o;
    struct disk *disk;
    bool own_disk;
    int lock_file;
    struct log_files log_files;
    struct part_cache *cache;
    struct part_env env;
    struct manifest *manifest;
    struct repeat *repeat;

    pthread_mutex_t mutex;
    struct generation *gens[STORE_GENERATIONS_MAX]; // oldest first; the last is the current one
    unsigned gens_n;
    uint64_t next_generation;
    struct part **parts; // as in the manifest, oldest first
    uint32_t parts_n, parts_cap;
    struct batch *spare_batches;
    struct tail *tails;
    unsigned spare_batches_n;
    bool stopping, disk_full, read_only;
    char why[160];
    struct store_stats stats;
    struct consumer *consumers[CONSUMERS_MAX]; // NULL: not open now
    uint64_t passed[CONSUMERS_MAX];
    pthread_mutex_t on_commit_mutex; // held while it is called
    void (*on_commit)(void *ctx, uint64_t sequence);
    void *on_commit_ctx;

    pthread_mutex_t log_mutex;
    pthread_cond_t log_cond;
    struct batch *log_head, **log_tail;
    bool log_stop, log_running;
    pthread_t log_thread;

    pthread_cond_t work_cond, settled_cond; // with mutex
    _Atomic bool work_stop;
    bool work_running, settle, settle_failed;
    struct err settle_err;
    pthread_t work_thread;
    int64_t retention_next, retry_next; // monotonic ns
};
enum { STORE_MAGIC = 0x53544f52 };

// store_write.c
int store_rotate_locked(struct store *s); // closes the current generation and begins the next
void store_fail_generation_locked(struct store *s, struct generation *g, int code);
int store_log_start(struct store *s);
void store_log_stop(struct store *s);

// store_view.c: before the oldest generation goes, tails that have not seen it take hold of it.
void store_tails_follow_locked(struct store *s);

// store_consumer.c: may the generation's log go?
bool store_passed_locked(const struct store *s, const struct generation *g);
// Rows were committed, or a generation came to its end: wakes those for whom this is news.
void store_consumers_wake_locked(struct store *s);

// store_recover.c: generations that are in the log only, as closed generations in s->gens.
int store_recover(struct store *s, struct err *err);

// store_work.c
int store_work_start(struct store *s);
void store_work_stop(struct store *s);
void store_trouble_locked(struct store *s, int code, const char *what); // full disk and other troubles that pass
