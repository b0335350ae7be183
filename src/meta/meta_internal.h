// What the files of this room share: the two connections, transactions, secrets.
// Lock order: writer.lock, then reader.lock, then cache lock. Nothing calls out of the room with one held.
#pragma once
#include "db/db.h"
#include "meta/audit.h"
#include "meta/meta.h"
#include "meta/person.h"
#include "meta/throttle.h"
#include "meta/token.h"

#include <pthread.h>
#include <stdatomic.h>

enum { META_HASH_LEN = 32 };

struct meta_cache;

struct meta {
    uint32_t magic;
    struct db writer; // every change, inside meta_begin .. meta_commit
    struct db reader; // sees what is committed; WAL lets it read while the writer syncs
    struct meta_cache *cache;
    struct throttle throttle;
    pthread_mutex_t throttle_lock;
    pthread_mutex_t pwhash_lock; // one argon2id at a time: each takes 64 MiB
    _Atomic int pwhash_waiting;
    char pwhash_dummy[128];
    int64_t workspace;
    _Atomic int64_t tick_usage_ns;
    _Atomic uint64_t rules_changes;
};
#define META_MAGIC 0x4d455441u

// A write transaction on the writer connection; holds its lock until commit or rollback.
int meta_begin(struct meta *m, struct err *err);
int meta_commit(struct meta *m, struct err *err);
void meta_rollback(struct meta *m);
// commit when r >= 0, else rollback; returns the first error.
int meta_finish(struct meta *m, int r, struct err *err);
// Next id of a named sequence; inside a transaction.
int meta_next_id(struct meta *m, const char *sequence, int64_t *ret_id, struct err *err);
// Audit entry inside the caller's transaction, so that the deed and its record are one.
int meta_audit_put(struct meta *m, str actor, const char *action, str target, str detail, struct err *err);

// What a project has a bounded number of. Both statements take the project twice: with `OR ? = 0`, 0 is all projects.
struct meta_rows {
    const char *count, *list;
    size_t size;                                                     // of what a row is read into
    int (*read)(sqlite3_stmt *stmt, struct arena *arena, void *ret); // 0 or ERR_NOMEM
};
int meta_count(struct db *db, int64_t project, const char *sql, int64_t *ret_n, struct err *err);
// Takes the reader's lock; the list is the arena's.
int meta_rows_list(struct meta *m, int64_t project, const struct meta_rows *rows, struct arena *arena, void **ret_list,
                   size_t *ret_n, struct err *err);

int meta_schema_apply(struct meta *m, struct err *err);

// kind separates the hashes of tokens, links and sessions; secret is the text the caller shows.
void meta_secret_make(const char *prefix, char ret_secret[META_SECRET_MAX]);
void meta_secret_hash(const char *kind, str secret, uint8_t ret_hash[META_HASH_LEN]);
bool meta_name_valid(str name);

int meta_cache_new(struct meta *m, struct meta_cache **ret_cache, struct err *err);
void meta_cache_free(struct meta_cache *c);
// After an own change: read again now, so that "revoked" is true when the call returns.
int meta_cache_reload(struct meta *m, struct err *err);
void meta_cache_poll(struct meta *m);
void meta_cache_flush_usage(struct meta *m);
