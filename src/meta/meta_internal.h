// What the files of this room share: the two connections (and how to open a further one), statements, transactions, secrets.
// Lock order: writer.lock, then reader.lock, then cache lock. Nothing calls out of the room with one held.
#pragma once
#include "meta/audit.h"
#include "meta/meta.h"
#include "meta/person.h"
#include "meta/throttle.h"
#include "meta/token.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

enum { META_STATEMENTS_MAX = 128, META_HASH_LEN = 32 };

// One connection and its prepared statements; found again by the address of the SQL literal.
struct meta_db {
    sqlite3 *handle;
    pthread_mutex_t lock;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } statements[META_STATEMENTS_MAX];
    size_t statements_n;
    char path[4096];
};

struct meta_cache;

struct meta {
    uint32_t magic;
    struct meta_db writer; // every change, inside meta_begin .. meta_commit
    struct meta_db reader; // sees what is committed; WAL lets it read while the writer syncs
    struct meta_cache *cache;
    struct throttle throttle;
    pthread_mutex_t throttle_lock;
    pthread_mutex_t pwhash_lock; // one argon2id at a time: each takes 64 MiB
    _Atomic int pwhash_waiting;
    char pwhash_dummy[128];
    int64_t workspace;
    _Atomic int64_t tick_usage_ns;
};
#define META_MAGIC 0x4d455441u

int meta_db_open(struct meta_db *db, const char *path, bool writable, struct err *err);
void meta_db_close(struct meta_db *db);
int meta_db_error(struct meta_db *db, int rc, struct err *err, const char *doing);

// Binds by fmt, a letter an argument: i int64_t, t str, b bytes, z const char *; '0' binds NULL and takes none.
// meta_query returns 1 with the statement on its first row, 0 when there is none (already reset), or an error.
// After a 1 the caller calls meta_next until it is not 1, or meta_done to stop early.
int meta_query(struct meta_db *db, sqlite3_stmt **ret_stmt, struct err *err, const char *sql, const char *fmt, ...);
int meta_next(struct meta_db *db, sqlite3_stmt *stmt, struct err *err);
void meta_done(sqlite3_stmt *stmt);
// Runs a statement that returns no rows; ret_changes may be NULL.
int meta_run(struct meta_db *db, int *ret_changes, struct err *err, const char *sql, const char *fmt, ...);
int meta_exec_script(struct meta_db *db, struct err *err, const char *sql);

void meta_copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size);

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
