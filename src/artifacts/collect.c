// What goes: references whose time is over, contents without references, files without rows. A file goes before its row: what
// a crash leaves in between is a row that nobody refers to, which goes the next time.
#include "artifacts/artifacts_internal.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/must.h"

enum { STEP = 256, ROOM_STEPS_MAX = 4096 };

int collect_contents(struct artifacts *a, struct err *err)
{
    struct {
        int64_t id;
        uint8_t digest[ARTIFACT_DIGEST];
        uint64_t size, stored;
    } gone[STEP];
    size_t n;
    int r;
    do {
        sqlite3_stmt *s = NULL;
        uint64_t size = 0, stored = 0;
        n = 0;
        if ((r = db_begin(&a->writer, err)) < 0)
            return r;
        r = db_query(&a->writer, &s, err, "SELECT id, digest, size, stored FROM blob WHERE refs = 0 LIMIT 256", "");
        for (; r > 0; r = db_next(&a->writer, s, err)) {
            bytes digest = db_blob(s, 1);
            if (digest.len != ARTIFACT_DIGEST || n == STEP)
                continue;
            gone[n].id = sqlite3_column_int64(s, 0);
            memcpy(gone[n].digest, digest.ptr, ARTIFACT_DIGEST);
            gone[n].size = (uint64_t)sqlite3_column_int64(s, 2);
            gone[n++].stored = (uint64_t)sqlite3_column_int64(s, 3);
        }
        for (size_t i = 0; i < n && r == 0; i++) {
            char path[BLOB_PATH_MAX];
            blob_path(gone[i].digest, path);
            int e = disk_unlink(a->disk, path);
            if (e < 0 && e != ERR_NOENT)
                r = blob_error(e, "a content cannot be removed", path, err);
            else
                r = db_run(&a->writer, NULL, err, "DELETE FROM blob WHERE id = ?", "i", gone[i].id);
            size += gone[i].size;
            stored += gone[i].stored;
        }
        if ((r = db_finish(&a->writer, r, err)) < 0)
            return r;
        a->contents -= n;
        a->bytes -= size;
        a->stored_bytes -= stored;
        a->collected += n;
    } while (n == STEP);
    return 0;
}

// References that a query names, up to STEP of them; *ret_n says how many there were.
static int remove_found(struct artifacts *a, const char *sql, const char *fmt, int64_t value, size_t *ret_n,
                        struct err *err)
{
    int64_t ids[STEP];
    size_t n = 0;
    sqlite3_stmt *s = NULL;
    int r = db_begin(&a->writer, err);
    if (r < 0)
        return r;
    r = db_query(&a->writer, &s, err, sql, fmt, value);
    for (; r > 0; r = db_next(&a->writer, s, err))
        if (n < STEP)
            ids[n++] = sqlite3_column_int64(s, 0);
    for (size_t i = 0; i < n && r == 0; i++)
        r = reference_remove(a, ids[i], err);
    if ((r = db_finish(&a->writer, r, err)) < 0)
        return r;
    a->references -= n;
    *ret_n = n;
    return 0;
}

static int remove_all(struct artifacts *a, const char *sql, int64_t value, struct err *err)
{
    size_t n = STEP;
    int r = 0;
    while (n == STEP && r == 0)
        r = remove_found(a, sql, "i", value, &n, err);
    return r;
}

int collect_make_room(struct artifacts *a, uint64_t size, struct err *err)
{
    uint64_t cap = a->options.cap_bytes;
    if (!cap || a->stored_bytes + size <= cap)
        return 0;
    int r = 0;
    size_t n = 1;
    for (int i = 0; size <= cap && a->stored_bytes + size > cap && n && i < ROOM_STEPS_MAX; i++) {
        r = remove_found(a, "SELECT id FROM artifact WHERE of_records = 1 ORDER BY received LIMIT 8", "", 0, &n, err);
        if (r == 0)
            r = collect_contents(a, err);
        if (r < 0)
            return r;
    }
    if (a->stored_bytes + size <= cap)
        return 0;
    err_set(err, ERR_NOSPC, "artifacts_full", "artifacts take as much room as they may (%llu bytes)",
            (unsigned long long)cap);
    err_set_hint(err, "the setting artifact_cap allows more");
    return ERR_NOSPC;
}

// ---- files that belong to nothing

struct sweep {
    struct artifacts *a;
    char dir[sizeof BLOB_DIR + 4];
    struct err *err;
};

static int sweep_file(void *ctx, str name, enum disk_kind kind)
{
    struct sweep *s = ctx;
    char path[BLOB_PATH_MAX];
    uint8_t digest[ARTIFACT_DIGEST];
    sqlite3_stmt *stmt;
    if (kind != DISK_KIND_FILE || name.len != (size_t)2 * ARTIFACT_DIGEST || !hex_decode(digest, name))
        return 0; // not ours
    int r = db_query(&s->a->writer, &stmt, s->err, "SELECT id FROM blob WHERE digest = ?", "b", bytes_of(digest, 32));
    if (r != 0) {
        if (r > 0)
            db_done(stmt);
        return r < 0 ? r : 0;
    }
    blob_path(digest, path);
    disk_unlink(s->a->disk, path);
    return 0;
}

// A directory under the lock: a content that is being put has its row when the lock is free again.
static int sweep(struct artifacts *a, struct err *err)
{
    for (unsigned i = 0; i < 256; i++) {
        struct sweep s = { .a = a, .err = err };
        uint8_t byte = (uint8_t)i;
        memcpy(s.dir, BLOB_DIR "/", sizeof BLOB_DIR);
        hex_encode(s.dir + sizeof BLOB_DIR, &byte, 1);
        int r = db_begin(&a->writer, err);
        if (r < 0)
            return r;
        r = disk_list(a->disk, s.dir, sweep_file, &s);
        db_rollback(&a->writer); // nothing was written
        if (r < 0 && r != ERR_NOENT)
            return blob_error(r, "the contents cannot be listed", s.dir, err);
    }
    return 0;
}

int artifacts_collect(struct artifacts *a, int64_t now, struct err *err)
{
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    int r = remove_all(a, "SELECT id FROM artifact WHERE expires <> 0 AND expires < ? LIMIT 256", now, err);
    if (r == 0 && a->options.retention_ns) {
        int64_t before = now - a->options.retention_ns;
        r = remove_all(a, "SELECT id FROM artifact WHERE of_records = 1 AND received < ? LIMIT 256", before, err);
        if (r == 0)
            r = feedback_expire(a, before, err);
    }
    if (r == 0)
        r = collect_contents(a, err);
    if (r == 0 && !a->swept) {
        r = sweep(a, err);
        a->swept = r == 0;
    }
    return r;
}
