// What Clew keeps beside its records stands in SQLite files, one a room. This is how all of them are opened and asked:
// hardened, WAL with full syncs, statements prepared once, transactions under a lock, errors in words, and
// migrations. All of SQLite's memory comes through base/mem.h, so that the allocation-failure tests reach it too.
//
// SQL is portable where it can be (PostgreSQL comes with the cluster); what is SQLite's own stands here and in the rooms'
// schemas. Never from an I/O loop: everything here may read and sync the disk.
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#include <pthread.h>
#include <sqlite3.h>

enum { DB_STATEMENTS_MAX = 192 };

// One connection and its prepared statements, which are found again by the address of the SQL literal.
struct db {
    sqlite3 *handle;
    const char *slug; // of its errors: "issues_database"
    pthread_mutex_t lock;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } statements[DB_STATEMENTS_MAX];
    size_t statements_n;
    char path[4096];
};

enum {
    DB_WRITE = 1,  // else it only reads: what is committed, while another connection writes
    DB_CREATE = 2, // makes the file when it is missing; with DB_WRITE
};
// A room has one connection that writes and, where people read beside it, one or more that read; each is used under its
// lock, or by one thread only. The file is its owner's alone (0600). slug: static text. ERR_NOENT: there is no such file.
int db_open(struct db *db, const char *path, const char *slug, unsigned flags, struct err *err);
void db_close(struct db *db); // also of a zeroed one

// `doing`: "cannot save the issues". Returns the code that it set.
int db_error(struct db *db, int rc, struct err *err, const char *doing);
// What stands in the file is not what was written.
int db_corrupt(struct db *db, struct err *err, const char *what);

// Binds by fmt, a letter an argument: i int64_t, d double, t str, b bytes, z const char *; '0' binds NULL and takes none.
// db_query returns 1 with the statement on its first row, 0 when there is none (already reset), or an error.
// After a 1 the caller calls db_next until it is not 1, or db_done to stop early. sql is a literal, or else lives as long
// as the connection.
int db_query(struct db *db, sqlite3_stmt **ret_stmt, struct err *err, const char *sql, const char *fmt, ...);
int db_next(struct db *db, sqlite3_stmt *stmt, struct err *err);
void db_done(sqlite3_stmt *stmt);
// Runs a statement that returns no rows; ret_changes may be NULL.
int db_run(struct db *db, int *ret_changes, struct err *err, const char *sql, const char *fmt, ...);
int db_script(struct db *db, struct err *err, const char *sql);

void db_copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size);
// Views that live until the statement's next step.
str db_text(sqlite3_stmt *stmt, int column);
bytes db_blob(sqlite3_stmt *stmt, int column);

// A write transaction: takes db->lock and holds it until commit or rollback, or its failure.
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
// commit when r >= 0, else rollback; returns the first error.
int db_finish(struct db *db, int r, struct err *err);

// Migration n (from 1) brings a file from version n-1 to n and is never edited once released. All of them happen in one
// transaction; after(ctx, n) fills what a new version needs (NULL: nothing). A file of a newer Clew is refused (ERR_UNSUPPORTED).
int db_migrate(struct db *db, const char *const *versions, size_t n,
               int (*after)(void *ctx, size_t version, struct err *err), void *ctx, struct err *err);
