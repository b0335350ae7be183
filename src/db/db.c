// Connections, statements, transactions and migrations.
#include "db/db.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *db_mem_alloc(int n) { return mem_alloc((size_t)n); }
static void db_mem_free(void *p) { mem_free(p); }
static void *db_mem_realloc(void *p, int n) { return mem_realloc(p, (size_t)n); }
static int db_mem_size(void *p) { return p ? (int)malloc_usable_size(p) : 0; }
static int db_mem_roundup(int n) { return (n + 7) & ~7; }
static int db_mem_init(void *unused) { return SQLITE_OK; }
static void db_mem_shutdown(void *unused) {}

enum { DB_VALUE_MAX = 64 << 20 }; // bytes of one value

static void db_configure(void)
{
    static const sqlite3_mem_methods methods = { db_mem_alloc,   db_mem_free, db_mem_realloc,  db_mem_size,
                                                 db_mem_roundup, db_mem_init, db_mem_shutdown, NULL };
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD); // every connection has a lock of ours
}

int db_error(struct db *db, int rc, struct err *err, const char *doing)
{
    const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
    int code;
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        code = ERR_NOMEM;
        break;
    case SQLITE_FULL:
        code = ERR_NOSPC;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = ERR_BUSY;
        break;
    case SQLITE_READONLY:
        code = ERR_READONLY;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = ERR_CORRUPT;
        break;
    case SQLITE_CONSTRAINT:
        code = ERR_EXIST;
        break;
    default:
        code = ERR_IO;
    }
    err_set(err, code, db->slug, "%s: %s", doing, text);
    err_set_place(err, "%s", db->path);
    return code;
}

int db_corrupt(struct db *db, struct err *err, const char *what)
{
    err_set(err, ERR_CORRUPT, db->slug, "%s", what);
    err_set_place(err, "%s", db->path);
    return ERR_CORRUPT;
}

// The file is made before SQLite opens it, so that it, and with it -wal and -shm, is 0600 from its first moment.
static int file_prepare(const char *path, const char *slug, bool create, struct err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    int r = fd < 0 || fchmod(fd, 0600) < 0 ? err_of_errno(errno) : 0;
    if (r < 0) {
        err_set(err, r, slug, "cannot open the database: %s", strerror(errno));
        err_set_place(err, "%s", path);
    }
    if (fd >= 0)
        close(fd);
    return r;
}

int db_open(struct db *db, const char *path, const char *slug, unsigned flags, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, db_configure);
    memset(db, 0, sizeof *db);
    if ((size_t)snprintf(db->path, sizeof db->path, "%s", path) >= sizeof db->path) {
        db->path[0] = 0;
        return err_set(err, ERR_INVALID, slug, "the path of the database is too long");
    }
    must(pthread_mutex_init(&db->lock, NULL) == 0);
    db->slug = slug;
    int r = flags & DB_WRITE ? file_prepare(path, slug, flags & DB_CREATE, err) : 0;
    if (r < 0)
        goto failed;
    int rc = sqlite3_open_v2(path, &db->handle,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
                             NULL);
    if (rc != SQLITE_OK) {
        r = db_error(db, rc, err, "cannot open the database");
        goto failed;
    }
    sqlite3_busy_timeout(db->handle, 5000);
    // Nothing in the file may make us run code or believe in a foreign schema.
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, DB_VALUE_MAX);
    r = db_script(
        db, err,
        flags & DB_WRITE
            ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-4096;"
            : "PRAGMA query_only=ON; PRAGMA cache_size=-4096;");
    if (r == 0)
        return 0;
failed:
    db_close(db);
    return r;
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < db->statements_n; i++)
        sqlite3_finalize(db->statements[i].stmt);
    db->statements_n = 0;
    if (db->handle)
        must(sqlite3_close(db->handle) == SQLITE_OK);
    db->handle = NULL;
    if (db->path[0])
        pthread_mutex_destroy(&db->lock);
    db->path[0] = 0;
}

int db_script(struct db *db, struct err *err, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_error(db, rc, err, "cannot set up the database");
}

static int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret_stmt, struct err *err)
{
    for (size_t i = 0; i < db->statements_n; i++)
        if (db->statements[i].sql == sql) {
            *ret_stmt = db->statements[i].stmt;
            return 0;
        }
    must(db->statements_n < DB_STATEMENTS_MAX);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc != SQLITE_OK)
        return db_error(db, rc, err, "cannot prepare a statement");
    db->statements[db->statements_n].sql = sql;
    db->statements[db->statements_n++].stmt = stmt;
    *ret_stmt = stmt;
    return 0;
}

static int db_bind(struct db *db, sqlite3_stmt *stmt, const char *fmt, va_list ap, struct err *err)
{
    int rc = SQLITE_OK;
    for (int i = 1; *fmt && rc == SQLITE_OK; fmt++, i++) {
        str s;
        bytes b;
        switch (*fmt) {
        case 'i':
            rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
            break;
        case 'd':
            rc = sqlite3_bind_double(stmt, i, va_arg(ap, double));
            break;
        case 't':
            s = va_arg(ap, str);
            rc = sqlite3_bind_text64(stmt, i, s.ptr ? s.ptr : "", s.len, SQLITE_TRANSIENT, SQLITE_UTF8);
            break;
        case 'z':
            rc = sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'b':
            b = va_arg(ap, bytes);
            rc = sqlite3_bind_blob64(stmt, i, b.ptr ? (const void *)b.ptr : "", b.len, SQLITE_TRANSIENT);
            break;
        case '0':
            rc = sqlite3_bind_null(stmt, i);
            break;
        default:
            must(!"known bind letter");
        }
    }
    return rc == SQLITE_OK ? 0 : db_error(db, rc, err, "cannot bind a value");
}

int db_next(struct db *db, sqlite3_stmt *stmt, struct err *err)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    int r = rc == SQLITE_DONE ? 0 : db_error(db, rc, err, "the database refused");
    db_done(stmt);
    return r;
}

void db_done(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt); // bound secrets and texts must not outlive their call
}

static int db_start(struct db *db, sqlite3_stmt **ret_stmt, struct err *err, const char *sql, const char *fmt,
                    va_list ap)
{
    sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db, sql, &stmt, err);
    if (r < 0)
        return r;
    r = db_bind(db, stmt, fmt, ap, err);
    if (r < 0) {
        db_done(stmt);
        return r;
    }
    *ret_stmt = stmt;
    return db_next(db, stmt, err);
}

int db_query(struct db *db, sqlite3_stmt **ret_stmt, struct err *err, const char *sql, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = db_start(db, ret_stmt, err, sql, fmt, ap);
    va_end(ap);
    return r;
}

int db_run(struct db *db, int *ret_changes, struct err *err, const char *sql, const char *fmt, ...)
{
    sqlite3_stmt *stmt;
    va_list ap;
    va_start(ap, fmt);
    int r = db_start(db, &stmt, err, sql, fmt, ap);
    va_end(ap);
    must(r <= 0);
    if (r == 0 && ret_changes)
        *ret_changes = sqlite3_changes(db->handle);
    return r;
}

void db_copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    snprintf(out, size, "%s", text ? text : "");
}

str db_text(sqlite3_stmt *stmt, int column)
{
    const char *p = (const char *)sqlite3_column_text(stmt, column);
    return (str){ p, p ? (size_t)sqlite3_column_bytes(stmt, column) : 0 };
}

bytes db_blob(sqlite3_stmt *stmt, int column)
{
    const uint8_t *p = sqlite3_column_blob(stmt, column);
    return (bytes){ p, p ? (size_t)sqlite3_column_bytes(stmt, column) : 0 };
}

int db_begin(struct db *db, struct err *err)
{
    pthread_mutex_lock(&db->lock);
    // IMMEDIATE: take the write lock now, when waiting for another process is still possible.
    int r = db_run(db, NULL, err, "BEGIN IMMEDIATE", "");
    if (r < 0)
        pthread_mutex_unlock(&db->lock);
    return r;
}

int db_commit(struct db *db, struct err *err)
{
    int r = db_run(db, NULL, err, "COMMIT", "");
    if (r < 0 && !sqlite3_get_autocommit(db->handle))
        db_run(db, NULL, NULL, "ROLLBACK", "");
    pthread_mutex_unlock(&db->lock);
    return r;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) // some errors have rolled back already
        db_run(db, NULL, NULL, "ROLLBACK", "");
    pthread_mutex_unlock(&db->lock);
}

int db_finish(struct db *db, int r, struct err *err)
{
    if (r >= 0)
        return db_commit(db, err);
    db_rollback(db);
    return r;
}

static int version_read(struct db *db, int64_t *ret_version, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(db, &stmt, err, "SELECT coalesce(max(version), 0) FROM schema_versions", "");
    if (r <= 0)
        return r;
    *ret_version = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return 0;
}

static int migrate(struct db *db, const char *const *versions, size_t n,
                   int (*after)(void *ctx, size_t version, struct err *err), void *ctx, struct err *err)
{
    int64_t version = 0;
    int r = version_read(db, &version, err);
    if (r < 0)
        return r;
    if (version < 0 || (size_t)version > n) {
        err_set(err, ERR_UNSUPPORTED, "newer_version",
                "the data was written by a newer Clew (schema %lld, this one knows %zu)", (long long)version, n);
        err_set_place(err, "%s", db->path);
        err_set_hint(err, "run the newer version");
        return ERR_UNSUPPORTED;
    }
    for (size_t v = (size_t)version; r == 0 && v < n; v++) {
        r = db_script(db, err, versions[v]);
        if (r == 0)
            r = db_run(db, NULL, err, "INSERT INTO schema_versions (version, applied_ns) VALUES (?, ?)", "ii",
                       (int64_t)v + 1, clock_unix_ns());
        if (r == 0 && after)
            r = after(ctx, v + 1, err);
    }
    return r;
}

int db_migrate(struct db *db, const char *const *versions, size_t n,
               int (*after)(void *ctx, size_t version, struct err *err), void *ctx, struct err *err)
{
    int r = db_begin(db, err);
    if (r < 0)
        return r;
    r = db_script(
        db, err,
        "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT NOT NULL PRIMARY KEY, applied_ns BIGINT NOT NULL)");
    if (r == 0)
        r = migrate(db, versions, n, after, ctx, err);
    return db_finish(db, r, err);
}
