// What the files of this room share. One lock: db.lock, the connection's.
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "monitors/monitors.h"
#include "store/store.h"

#include <stdatomic.h>

enum {
    MONITORS_ARENA_MAX = 16 << 20,
    MARGIN_DEFAULT_S = 60,
    RUNTIME_DEFAULT_S = 1800,
    CHECKS_KEEP_S = 90 * 86400,
};

struct monitors {
    uint32_t magic;
    struct monitors_options o;
    struct db db;
    struct consumer *consumer;
    int64_t clock_next, upkeep_next; // ns Unix
    int64_t down_from, down_to;      // when nobody could have told us
    _Atomic bool stop;
    _Atomic uint64_t checks, missed, timeouts;
    pthread_t thread;
    bool running;
};
#define MONITORS_MAGIC 0x4d4f4e49u

static inline int64_t monitors_now(const struct monitors *m) { return m->o.now ? m->o.now() : clock_unix_ns(); }
int monitors_nomem(struct err *err);
str monitors_text(struct arena *arena, sqlite3_stmt *s, int column, bool *failed);

// --- check.c
// A check-in as its record has it.
struct check_in {
    uint32_t project;
    str slug, environment, config; // config: Sentry's monitor_config as JSON; may be empty
    uint8_t id[16];                // zeros: the one that runs
    enum check_status status;
    int64_t time, received, duration; // duration -1: not known
    bool has_trace;
    uint8_t trace[16];
};
// Inside a transaction.
int check_apply(struct monitors *m, const struct check_in *said, struct err *err);

// The group of the issue that its failures make: the same for ever, without anything being kept.
void monitor_hash(const struct monitor *mon, str environment, char out[33]);

// --- read.c: rows of a segment
int checks_read(struct monitors *m, const struct segment *s, uint64_t first, struct err *err);

// --- monitor.c
int monitor_of(struct monitors *m, uint32_t project, str slug, struct arena *arena, struct monitor *ret,
               struct err *err); // 1: there is one; inside the lock
int monitor_of_id(struct monitors *m, int64_t id, struct arena *arena, struct monitor *ret, struct err *err);
int monitor_write(struct monitors *m, const struct monitor *what, int64_t *ret_id, struct err *err);
int monitor_config_read(str json, struct arena *arena, struct monitor *what, struct err *err);
// Its schedule; only of one that is scheduled.
int monitor_schedule(const struct monitor *what, struct schedule *ret, struct err *err);

// --- clock.c
int clock_look(struct monitors *m, int64_t now, struct err *err);

// --- outbox.c: records that are to be written, kept until they are
struct outbox_entry {
    bool event; // of an issue; else a check
    uint32_t project;
    str slug, name, environment, hash;
    uint8_t id[16]; // of the check-in
    enum check_status status;
    int64_t time, expected, duration;
    bool has_trace;
    uint8_t trace[16];
};
int outbox_add(struct monitors *m, const struct outbox_entry *e, struct err *err); // inside a transaction
// Issues of these hashes are resolved when their turn comes, behind the events that were to be written before.
int outbox_resolve(struct monitors *m, uint32_t project, str hash, struct err *err);
// 1: something was written.
int outbox_write(struct monitors *m, struct err *err);
