// What the files of this room share.
#pragma once
#include "db/db.h"
#include "releases/health.h"
#include "releases/releases.h"

#include <pthread.h>

#define RELEASES_MAGIC 0x52454c53u

struct touched;

struct releases {
    uint32_t magic;
    struct releases_options options;
    struct db writer;           // its lock is held by db_begin() .. db_finish()
    struct db reader;           // under its lock
    pthread_mutex_t touch_lock; // taken alone, or inside the writer's
    struct touched *touched;
    int64_t expired_at;
    int64_t forgot_hour; // under the writer's lock
};

// Columns of a release, as release_of_row() reads them.
#define RELEASE_COLUMNS                                                                               \
    "r.id, r.project, r.version, r.ref, r.url, r.status, r.created_ns, r.started_ns, r.released_ns, " \
    "r.first_event_ns, r.last_event_ns, r.by_event, "                                                 \
    "(SELECT count(*) FROM release_commits c WHERE c.release_id = r.id), "                            \
    "(SELECT count(*) FROM deploys d WHERE d.release_id = r.id)"
int release_of_row(sqlite3_stmt *stmt, struct arena *arena, struct release *ret_release);
// When it counts as released.
static inline int64_t release_date(const struct release *r) { return r->released ? r->released : r->created; }

// --- touch.c
struct touched *touched_new(void);
void touched_free(struct touched *t);
// It is removed: the next event makes it again.
void touched_forget(struct releases *r, uint32_t project, str version);

str release_file_base(str path); // behind the last slash

// Inside a transaction: the id of the repository of that name, which is made on first sight.
int repository_put(struct releases *r, str name, int64_t *ret_id, struct err *err);

// The generation that was passed last; 0: none.
int releases_passed(struct releases *r, uint64_t *ret_generation, struct err *err);
// releases_save(), what sessions came to and that this generation is passed (0: it is not complete), in one.
int releases_save_passed(struct releases *r, uint64_t generation, struct health_pending *sessions, struct err *err);
// Inside a transaction, after the releases were saved.
int health_save(struct releases *r, struct health_pending *p, bool complete, int64_t now, struct err *err);

int releases_no_memory(struct err *err);
str releases_cut(str s, size_t max);
// A list that grows in an arena; *items may move. ERR_NOMEM.
int releases_grow(struct arena *arena, void **items, size_t n, size_t *cap, size_t size);
