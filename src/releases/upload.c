// Which bundles, files and debug files were uploaded, and for which release.
#include "releases/releases_internal.h"

#include "base/clock.h"
#include "base/must.h"

static int upload_room(struct releases *r, uint32_t project, struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->writer, &stmt, err, "SELECT count(*) FROM uploads WHERE project = ?", "i", (int64_t)project);
    if (rc <= 0)
        return rc;
    int64_t n = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return n < RELEASE_UPLOADS
               ? 0
               : err_set(err, ERR_LIMIT, "too_many_uploads", "the project has %d uploads", RELEASE_UPLOADS);
}

int releases_upload_put(struct releases *r, struct release_upload *u, struct err *err)
{
    int64_t now = clock_unix_ns();
    MAGIC_CHECK(r, RELEASES_MAGIC);
    int rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    rc = upload_room(r, u->project, err);
    if (rc == 0)
        rc =
            db_run(&r->writer, NULL, err,
                   "INSERT INTO uploads (project, kind, release_id, name, dist, sha1, digest, debug_id, headers, arch, "
                   "size, artifact, created_ns) VALUES (?, ?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "iiitttbtttiii", (int64_t)u->project, (int64_t)u->kind, u->release,
                   releases_cut(u->name, RELEASE_TEXT_MAX), releases_cut(u->dist, RELEASE_TEXT_MAX), u->sha1,
                   bytes_of(u->digest, RELEASE_DIGEST), u->debug_id, u->headers, u->arch, u->size, u->artifact, now);
    int64_t id = sqlite3_last_insert_rowid(r->writer.handle);
    rc = db_finish(&r->writer, rc, err);
    if (rc == 0) {
        u->id = id;
        u->created = now;
    }
    return rc;
}

static int upload_of_row(sqlite3_stmt *stmt, struct arena *arena, struct release_upload *ret_upload)
{
    struct release_upload u = { .id = sqlite3_column_int64(stmt, 0),
                                .project = (uint32_t)sqlite3_column_int64(stmt, 1),
                                .kind = (enum release_upload_kind)sqlite3_column_int64(stmt, 2),
                                .release = sqlite3_column_int64(stmt, 3),
                                .size = sqlite3_column_int64(stmt, 4),
                                .artifact = sqlite3_column_int64(stmt, 5),
                                .created = sqlite3_column_int64(stmt, 6) };
    str *const texts[] = { &u.name, &u.dist, &u.sha1, &u.debug_id, &u.headers, &u.arch };
    bytes digest = db_blob(stmt, 7);
    if (digest.len == RELEASE_DIGEST)
        memcpy(u.digest, digest.ptr, RELEASE_DIGEST);
    for (int i = 0; i < 6; i++) {
        int rc = arena_dup(arena, db_text(stmt, 8 + i), texts[i]);
        if (rc < 0)
            return rc;
    }
    *ret_upload = u;
    return 0;
}

#define UPLOAD_COLUMNS                                                                                             \
    "id, project, kind, coalesce(release_id, 0), size, artifact, created_ns, digest, name, dist, sha1, debug_id, " \
    "headers, arch"
#define UPLOAD_ORDER " ORDER BY name, id DESC"

static int upload_query(struct releases *r, uint32_t project, enum release_upload_kind kind, int64_t release, str sha1,
                        sqlite3_stmt **ret_stmt, struct err *err)
{
    int64_t p = project, k = kind;
    if (sha1.len)
        return db_query(&r->reader, ret_stmt, err,
                        "SELECT " UPLOAD_COLUMNS
                        " FROM uploads WHERE project = ? AND kind = ? AND sha1 = ?" UPLOAD_ORDER,
                        "iit", p, k, sha1);
    if (release > 0)
        return db_query(&r->reader, ret_stmt, err,
                        "SELECT " UPLOAD_COLUMNS
                        " FROM uploads WHERE project = ? AND kind = ? AND release_id = ?" UPLOAD_ORDER,
                        "iii", p, k, release);
    return db_query(&r->reader, ret_stmt, err,
                    "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE project = ? AND kind = ?" UPLOAD_ORDER, "ii", p, k);
}

static int read_uploads(struct releases *r, uint32_t project, enum release_upload_kind kind, int64_t release, str sha1,
                        str name, struct arena *arena, struct release_upload **ret_uploads, size_t *ret_n,
                        struct err *err)
{
    struct release_upload *list = NULL, u;
    size_t n = 0, cap = 0;
    sqlite3_stmt *stmt;
    int rc = upload_query(r, project, kind, release, sha1, &stmt, err);
    while (rc == 1) {
        struct arena_mark mark = arena_mark(arena);
        rc = upload_of_row(stmt, arena, &u);
        bool mine = rc == 0 && (release == 0 || u.release == (release < 0 ? 0 : release)) &&
                    (name.len == 0 || str_eq(name, u.name));
        if (rc == 0 && !mine)
            arena_rewind(arena, mark);
        else if (rc == 0 && (rc = releases_grow(arena, (void **)&list, n, &cap, sizeof *list)) == 0)
            list[n++] = u;
        if (rc < 0) {
            db_done(stmt);
            return releases_no_memory(err);
        }
        rc = db_next(&r->reader, stmt, err);
    }
    *ret_uploads = list;
    *ret_n = n;
    return rc;
}

int releases_uploads(struct releases *r, uint32_t project, enum release_upload_kind kind, int64_t release, str sha1,
                     str name, struct arena *arena, struct release_upload **ret_uploads, size_t *ret_n, struct err *err)
{
    struct release_upload *list = NULL;
    size_t n = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc = read_uploads(r, project, kind, release, sha1, name, arena, &list, &n, err);
    pthread_mutex_unlock(&r->reader.lock);
    if (rc == 0) {
        *ret_uploads = list;
        *ret_n = n;
    }
    return rc;
}

int releases_upload_remove(struct releases *r, int64_t id, struct err *err)
{
    int changes = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    int rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    rc = db_run(&r->writer, &changes, err, "DELETE FROM uploads WHERE id = ?", "i", id);
    if (rc == 0 && changes == 0)
        rc = err_set(err, ERR_NOENT, "no_upload", "there is no such file");
    return db_finish(&r->writer, rc, err);
}
