// What the files of this room share.
//
// Locks, in this order: reading (the database connection of readers), then state. The counting thread holds state for
// a block of rows at a time, and for the moment in which the delta goes and the database has it instead.
#pragma once
#include "db/db.h"
#include "red/cell.h"
#include "red/red.h"
#include "red/window.h"
#include "store/store.h"

#include <pthread.h>

enum { MINUTE_S = 60, COARSE_MINUTES = 10 };
#define MINUTE_NS (MINUTE_S * NS_PER_S)

// Times further from their arrival than the store keeps apart count in the minute of arrival.
#define TIME_EARLY_NS (7 * 86400 * NS_PER_S)
#define TIME_LATE_NS (600 * NS_PER_S)

// Records count from their arrival, cells are of their own time: keys outlive what may still come for them. Cells of
// minutes below *ret_before have served, and keys that were last used below *ret_unused. 0: none so far, with a retention
// that is longer than the clock's past too.
static inline void red_expiry(int64_t now_ns, int64_t retention_ns, uint32_t *ret_before, uint32_t *ret_unused)
{
    const int64_t slack = TIME_EARLY_NS / MINUTE_NS + 2 * KEY_TOUCH_MINUTES;
    int64_t before = (now_ns - retention_ns) / MINUTE_NS;
    *ret_before = before > 0 ? (uint32_t)before : 0;
    *ret_unused = before > slack ? (uint32_t)(before - slack) : 0;
}

// The edge of a caller and a callee (a series' id, or a peer's; ids are of all kinds) that was met lately.
enum { MEMO_EDGES = 1024 };
struct edge_memo {
    uint32_t caller, callee; // + 1
    struct red_key *edge;
};

// What is counted and not in the database yet, and what waits.
struct counts {
    struct edge_memo edges[MEMO_EDGES];
    struct keys keys;
    struct delta delta;
    struct window window;
    uint64_t spans, logs; // since the start, for /metrics
};
void counts_init(struct counts *c);
void counts_free(struct counts *c);
void counts_forget(struct counts *c, int64_t before_minute); // keys_forget(), and who remembers them
// count.c: rows [first, end) of a segment of spans or logs. `state` is held block by block. ERR_NOMEM: the counts are of
// no use any more.
int counts_add(struct counts *c, pthread_mutex_t *state, const struct segment *s, uint64_t first);

// db.c: the database of cells. One writer and one reader, each a connection.
struct red_db {
    struct db db;
    sqlite3_stmt *statement[24];
};
int red_db_open(struct red_db *db, const char *path, bool writer, struct err *err);
void red_db_close(struct red_db *db);
// What is in it: the generation passed, keys, window. Into empty counts.
int red_db_load(struct red_db *db, struct counts *c, uint64_t *ret_passed, uint32_t *ret_coarse_until, struct err *err);
// In one transaction: the delta, new keys, the window, and the generation. `state` is taken for the commit, with
// which the delta is emptied.
int red_db_save(struct red_db *db, struct counts *c, pthread_mutex_t *state, uint64_t generation, uint32_t coarse_until,
                struct err *err);
// One step of making old cells fewer: false when there is nothing (more) to do.
int red_db_coarsen(struct red_db *db, uint32_t *coarse_until, uint32_t until, bool *ret_more, struct err *err);
// Drops cells of minutes before this one, and keys that were not used since the other.
int red_db_expire(struct red_db *db, uint32_t before, uint32_t unused, struct err *err);
// Cells of a kind in [from, to) minutes. cell() says where one goes (empty, with `last` INT64_MIN), or NULL: it is not wanted.
int red_db_read_begin(struct red_db *db, struct err *err);
int red_db_read(struct red_db *db, enum red_kind kind, uint32_t from, uint32_t to, struct arena *arena,
                int (*cell)(void *ctx, uint32_t key, struct cell **ret_cell), void *ctx, struct err *err);
void red_db_read_end(struct red_db *db);

struct red {
    uint32_t magic;
    struct store *store;
    struct red_options o;
    pthread_mutex_t reading, state;
    struct counts counts;
    struct red_db writer, reader;
    struct consumer *consumer;
    uint64_t passed;
    uint32_t coarse_until;
    int64_t upkeep_next;
    _Atomic bool stop;
    pthread_t thread;
    bool running;
};
enum { RED_MAGIC = 0x52454430 };
