// Opening and closing: the data directory's modes, the two connections, the schema, the cache.
#include "meta/meta.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_error(struct err *err, const char *path, const char *doing)
{
    int code = err_of_errno(errno);
    err_set(err, code, "data_directory", "cannot %s: %s", doing, strerror(errno));
    err_set_place(err, "%s", path);
    return code;
}

// May its mode be tightened? Only a directory that is ours already or empty: --data /tmp must not
// lock everybody else out of /tmp.
static bool dir_is_ours(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d)
        return false;
    bool empty = true, ours = false;
    for (struct dirent *e; (e = readdir(d)) && !ours;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        empty = false;
        ours = strcmp(e->d_name, "meta.db") == 0;
    }
    closedir(d);
    return empty || ours;
}

static int dir_prepare(const char *dir, bool create, struct err *err)
{
    struct stat st;
    if (create && mkdir(dir, 0700) < 0 && errno != EEXIST)
        return open_error(err, dir, "make the data directory");
    if (stat(dir, &st) < 0)
        return open_error(err, dir, "find the data directory");
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return open_error(err, dir, "use the data directory");
    }
    if (st.st_uid != geteuid() && geteuid() != 0) {
        errno = EPERM;
        return open_error(err, dir, "use a data directory of another user");
    }
    if ((st.st_mode & 077) == 0)
        return 0;
    if (!dir_is_ours(dir)) {
        err_set(err, ERR_DENIED, "data_directory",
                "the directory is open to other users and holds files that are not Clew's");
        err_set_place(err, "%s", dir);
        err_set_hint(err, "give an empty directory, or one that only its owner may enter (chmod 700)");
        return ERR_DENIED;
    }
    return chmod(dir, 0700) < 0 ? open_error(err, dir, "close the data directory to others") : 0;
}

static int writer_open(struct meta *m, const char *path, bool create, struct err *err)
{
    int r = db_open(&m->writer, path, "meta_database", DB_WRITE | (create ? DB_CREATE : 0), err);
    if (r == ERR_NOENT)
        err_set_hint(err, "is this the data directory of a server? `clew serve --data DIR` makes one");
    if (r == 0)
        sqlite3_limit(m->writer.handle, SQLITE_LIMIT_LENGTH, 1 << 20);
    return r;
}

int meta_begin(struct meta *m, struct err *err) { return db_begin(&m->writer, err); }
int meta_commit(struct meta *m, struct err *err) { return db_commit(&m->writer, err); }
void meta_rollback(struct meta *m) { db_rollback(&m->writer); }
int meta_finish(struct meta *m, int r, struct err *err) { return db_finish(&m->writer, r, err); }

int meta_next_id(struct meta *m, const char *sequence, int64_t *ret_id, struct err *err)
{
    int changes = 0;
    sqlite3_stmt *stmt;
    int r =
        db_run(&m->writer, &changes, err, "UPDATE sequences SET last_id = last_id + 1 WHERE name = ?", "z", sequence);
    if (r == 0 && changes == 0)
        r = db_run(&m->writer, NULL, err, "INSERT INTO sequences (name, last_id) VALUES (?, 1)", "z", sequence);
    if (r < 0)
        return r;
    r = db_query(&m->writer, &stmt, err, "SELECT last_id FROM sequences WHERE name = ?", "z", sequence);
    if (r <= 0)
        return r < 0 ? r : err_set(err, ERR_CORRUPT, "meta_database", "sequence %s is gone", sequence);
    *ret_id = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return 0;
}

static int workspace_read(struct meta *m, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->reader, &stmt, err, "SELECT id FROM workspaces WHERE slug = 'clew'", "");
    if (r == 0)
        return err_set(err, ERR_CORRUPT, "meta_database", "the workspace is gone");
    if (r < 0)
        return r;
    m->workspace = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return 0;
}

int meta_open(const char *dir, bool create, struct meta **ret_meta, struct err *err)
{
    char path[4096];
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "no_random", "the system gives no random numbers");
    if ((size_t)snprintf(path, sizeof path, "%s/meta.db", dir) >= sizeof path)
        return err_set(err, ERR_INVALID, "data_directory", "the path of the data directory is too long");
    int r = dir_prepare(dir, create, err);
    if (r < 0)
        return r;
    struct meta *m = mem_zalloc(sizeof *m);
    if (!m)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    uint64_t seed;
    randombytes_buf(&seed, sizeof seed);
    m->magic = META_MAGIC;
    throttle_init(&m->throttle, seed);
    must(pthread_mutex_init(&m->throttle_lock, NULL) == 0);
    must(pthread_mutex_init(&m->pwhash_lock, NULL) == 0);
    r = writer_open(m, path, create, err);
    if (r == 0)
        r = meta_schema_apply(m, err);
    if (r == 0)
        r = db_open(&m->reader, path, "meta_database", 0, err);
    if (r == 0)
        r = workspace_read(m, err);
    if (r == 0)
        r = meta_cache_new(m, &m->cache, err);
    if (r < 0) {
        meta_close(m);
        return r;
    }
    *ret_meta = m;
    return 0;
}

void meta_close(struct meta *m)
{
    if (!m)
        return;
    MAGIC_CHECK(m, META_MAGIC);
    if (m->cache)
        meta_cache_flush_usage(m);
    meta_cache_free(m->cache);
    db_close(&m->reader);
    db_close(&m->writer);
    pthread_mutex_destroy(&m->throttle_lock);
    pthread_mutex_destroy(&m->pwhash_lock);
    m->magic = 0;
    mem_free(m);
}

void meta_tick(struct meta *m)
{
    MAGIC_CHECK(m, META_MAGIC);
    meta_cache_poll(m);
    int64_t now = clock_mono_ns(), last = atomic_load(&m->tick_usage_ns);
    if (now - last < 60 * NS_PER_S || !atomic_compare_exchange_strong(&m->tick_usage_ns, &last, now))
        return;
    meta_cache_flush_usage(m);
    // What has expired is refused wherever it is read; here it only stops taking room.
    if (meta_begin(m, NULL) < 0)
        return;
    int64_t unix_ns = clock_unix_ns();
    int r = db_run(&m->writer, NULL, NULL, "DELETE FROM sessions WHERE expires_ns < ?", "i", unix_ns);
    if (r == 0)
        r = db_run(&m->writer, NULL, NULL, "DELETE FROM login_links WHERE expires_ns < ?", "i", unix_ns);
    meta_finish(m, r, NULL);
}
