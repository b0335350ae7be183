// Connections, statements and transactions. All of SQLite's memory comes through base/mem.h, so
// that the allocation-failure tests reach it too.
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>

static void *db_mem_alloc(int n) { return mem_alloc((size_t)n); }
static void db_mem_free(void *p) { mem_free(p); }
static void *db_mem_realloc(void *p, int n) { return mem_realloc(p, (size_t)n); }
static int db_mem_size(void *p) { return p ? (int)malloc_usable_size(p) : 0; }
static int db_mem_roundup(int n) { return (n + 7) & ~7; }
static int db_mem_init(void *unused) { return SQLITE_OK; }
static void db_mem_shutdown(void *unused) {}

static void db_configure(void)
{
    static const sqlite3_mem_methods methods = { db_mem_alloc,   db_mem_free, db_mem_realloc,  db_mem_size,
                                                 db_mem_roundup, db_mem_init, db_mem_shutdown, NULL };
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD); // every connection has a lock of ours
}

int meta_db_error(struct meta_db *db, int rc, struct err *err, const char *doing)
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
    err_set(err, code, "meta_database", "%s: %s", doing, text);
    err_set_place(err, "%s", db->path);
    return code;
}

int meta_db_open(struct meta_db *db, const char *path, bool writable, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, db_configure);
    memset(db, 0, sizeof *db);
    must(pthread_mutex_init(&db->lock, NULL) == 0);
    snprintf(db->path, sizeof db->path, "%s", path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc != SQLITE_OK) {
        int r = meta_db_error(db, rc, err, "cannot open the database");
        meta_db_close(db);
        return r;
    }
    sqlite3_busy_timeout(db->handle, 5000);
    // Nothing in the file may make us run code or believe in a foreign schema.
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, 1 << 20);
    int r = meta_exec_script(
        db, err,
        writable ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-512;"
                 : "PRAGMA query_only=ON; PRAGMA cache_size=-512;");
    if (r < 0)
        meta_db_close(db);
    return r;
}

void meta_db_close(struct meta_db *db)
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

int meta_exec_script(struct meta_db *db, struct err *err, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : meta_db_error(db, rc, err, "cannot set up the database");
}

static int db_prepare(struct meta_db *db, const char *sql, sqlite3_stmt **ret_stmt, struct err *err)
{
    for (size_t i = 0; i < db->statements_n; i++)
        if (db->statements[i].sql == sql) {
            *ret_stmt = db->statements[i].stmt;
            return 0;
        }
    must(db->statements_n < META_STATEMENTS_MAX);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc != SQLITE_OK)
        return meta_db_error(db, rc, err, "cannot prepare a statement");
    db->statements[db->statements_n].sql = sql;
    db->statements[db->statements_n++].stmt = stmt;
    *ret_stmt = stmt;
    return 0;
}

static int db_bind(struct meta_db *db, sqlite3_stmt *stmt, const char *fmt, va_list ap, struct err *err)
{
    int rc = SQLITE_OK;
    for (int i = 1; *fmt && rc == SQLITE_OK; fmt++, i++) {
        str s;
        bytes b;
        switch (*fmt) {
        case 'i':
            rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
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
    return rc == SQLITE_OK ? 0 : meta_db_error(db, rc, err, "cannot bind a value");
}

int meta_next(struct meta_db *db, sqlite3_stmt *stmt, struct err *err)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    int r = rc == SQLITE_DONE ? 0 : meta_db_error(db, rc, err, "the database refused");
    meta_done(stmt);
    return r;
}

void meta_done(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt); // bound secrets and texts must not outlive their call
}

static int db_start(struct meta_db *db, sqlite3_stmt **ret_stmt, struct err *err, const char *sql, const char *fmt,
                    va_list ap)
{
    sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db, sql, &stmt, err);
    if (r < 0)
        return r;
    r = db_bind(db, stmt, fmt, ap, err);
    if (r < 0) {
        meta_done(stmt);
        return r;
    }
    *ret_stmt = stmt;
    return meta_next(db, stmt, err);
}

int meta_query(struct meta_db *db, sqlite3_stmt **ret_stmt, struct err *err, const char *sql, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = db_start(db, ret_stmt, err, sql, fmt, ap);
    va_end(ap);
    return r;
}

int meta_run(struct meta_db *db, int *ret_changes, struct err *err, const char *sql, const char *fmt, ...)
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

void meta_copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    snprintf(out, size, "%s", text ? text : "");
}

int meta_begin(struct meta *m, struct err *err)
{
    pthread_mutex_lock(&m->writer.lock);
    // IMMEDIATE: take the write lock now, when waiting for another process is still possible.
    int r = meta_run(&m->writer, NULL, err, "BEGIN IMMEDIATE", "");
    if (r < 0)
        pthread_mutex_unlock(&m->writer.lock);
    return r;
}

int meta_commit(struct meta *m, struct err *err)
{
    int r = meta_run(&m->writer, NULL, err, "COMMIT", "");
    if (r < 0 && !sqlite3_get_autocommit(m->writer.handle))
        meta_run(&m->writer, NULL, NULL, "ROLLBACK", "");
    pthread_mutex_unlock(&m->writer.lock);
    return r;
}

void meta_rollback(struct meta *m)
{
    if (!sqlite3_get_autocommit(m->writer.handle)) // some errors have rolled back already
        meta_run(&m->writer, NULL, NULL, "ROLLBACK", "");
    pthread_mutex_unlock(&m->writer.lock);
}

int meta_finish(struct meta *m, int r, struct err *err)
{
    if (r >= 0)
        return meta_commit(m, err);
    meta_rollback(m);
    return r;
}

int meta_next_id(struct meta *m, const char *sequence, int64_t *ret_id, struct err *err)
{
    int changes = 0;
    sqlite3_stmt *stmt;
    int r =
        meta_run(&m->writer, &changes, err, "UPDATE sequences SET last_id = last_id + 1 WHERE name = ?", "z", sequence);
    if (r == 0 && changes == 0)
        r = meta_run(&m->writer, NULL, err, "INSERT INTO sequences (name, last_id) VALUES (?, 1)", "z", sequence);
    if (r < 0)
        return r;
    r = meta_query(&m->writer, &stmt, err, "SELECT last_id FROM sequences WHERE name = ?", "z", sequence);
    if (r <= 0)
        return r < 0 ? r : err_set(err, ERR_CORRUPT, "meta_database", "sequence %s is gone", sequence);
    *ret_id = sqlite3_column_int64(stmt, 0);
    meta_done(stmt);
    return 0;
}
