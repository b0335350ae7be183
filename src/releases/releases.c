// Opening, the tables, and single releases.
#include "releases/releases_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

// Times are Unix nanoseconds, 0: not known. Deploys of several releases at once share `deploy`.
static const char *const schema[] = {
    "CREATE TABLE releases (id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, version TEXT NOT NULL,"
    "  ref TEXT NOT NULL, url TEXT NOT NULL, status INTEGER NOT NULL, created_ns INTEGER NOT NULL,"
    "  started_ns INTEGER NOT NULL, released_ns INTEGER NOT NULL, first_event_ns INTEGER NOT NULL,"
    "  last_event_ns INTEGER NOT NULL, by_event INTEGER NOT NULL, UNIQUE (project, version));"
    "CREATE INDEX releases_by_version ON releases (version);"
    "CREATE TABLE repositories (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL,"
    "  provider TEXT NOT NULL, created_ns INTEGER NOT NULL);"
    "CREATE TABLE commits (id INTEGER PRIMARY KEY AUTOINCREMENT, repository INTEGER NOT NULL REFERENCES repositories "
    "(id),"
    "  hash TEXT NOT NULL, message TEXT NOT NULL, author_name TEXT NOT NULL, author_email TEXT NOT NULL,"
    "  time_ns INTEGER NOT NULL, UNIQUE (repository, hash));"
    "CREATE INDEX commits_by_hash ON commits (hash);"
    "CREATE TABLE commit_files (commit_id INTEGER NOT NULL REFERENCES commits (id) ON DELETE CASCADE, path TEXT NOT "
    "NULL,"
    "  base TEXT NOT NULL, change TEXT NOT NULL, PRIMARY KEY (commit_id, path)) WITHOUT ROWID;"
    "CREATE INDEX commit_files_by_base ON commit_files (base, commit_id);"
    "CREATE TABLE release_commits (release_id INTEGER NOT NULL REFERENCES releases (id) ON DELETE CASCADE,"
    "  position INTEGER NOT NULL, commit_id INTEGER NOT NULL REFERENCES commits (id),"
    "  PRIMARY KEY (release_id, position)) WITHOUT ROWID;"
    "CREATE INDEX release_commits_by_commit ON release_commits (commit_id, release_id);"
    "CREATE TABLE deploys (id INTEGER PRIMARY KEY AUTOINCREMENT, deploy INTEGER NOT NULL,"
    "  release_id INTEGER NOT NULL REFERENCES releases (id) ON DELETE CASCADE, environment TEXT NOT NULL,"
    "  name TEXT NOT NULL, url TEXT NOT NULL, started_ns INTEGER NOT NULL, finished_ns INTEGER NOT NULL);"
    "CREATE INDEX deploys_by_release ON deploys (release_id, finished_ns);",
    // What was uploaded; the bytes are artifacts.
    "CREATE TABLE uploads (id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  release_id INTEGER REFERENCES releases (id) ON DELETE CASCADE, name TEXT NOT NULL, dist TEXT NOT NULL,"
    "  sha1 TEXT NOT NULL, digest BLOB NOT NULL, debug_id TEXT NOT NULL, headers TEXT NOT NULL, arch TEXT NOT NULL,"
    "  size INTEGER NOT NULL, artifact INTEGER NOT NULL, created_ns INTEGER NOT NULL);"
    "CREATE INDEX uploads_by_sha1 ON uploads (project, kind, sha1);"
    "CREATE INDEX uploads_by_release ON uploads (release_id, kind, name);",
    // `passed`: the generation of the store up to which events were read.
    "CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
    // Sessions: users as people_encode() writes them; hours since 1970.
    "CREATE TABLE health (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  release_id INTEGER NOT NULL REFERENCES releases (id) ON DELETE CASCADE, project INTEGER NOT NULL,"
    "  environment TEXT NOT NULL, users BLOB NOT NULL, crashed_users BLOB NOT NULL, UNIQUE (release_id, environment));"
    "CREATE INDEX health_by_project ON health (project, environment);"
    "CREATE TABLE health_hours (health_id INTEGER NOT NULL REFERENCES health (id) ON DELETE CASCADE,"
    "  hour INTEGER NOT NULL, sessions INTEGER NOT NULL, exited INTEGER NOT NULL, crashed INTEGER NOT NULL,"
    "  errored INTEGER NOT NULL, abnormal INTEGER NOT NULL, unhandled INTEGER NOT NULL,"
    "  PRIMARY KEY (health_id, hour)) WITHOUT ROWID;"
    "CREATE INDEX health_hours_by_hour ON health_hours (hour);"
    "CREATE TABLE health_open (project INTEGER NOT NULL, sid INTEGER NOT NULL, said INTEGER NOT NULL,"
    "  minute INTEGER NOT NULL, seen_s INTEGER NOT NULL, PRIMARY KEY (project, sid)) WITHOUT ROWID;"
    "CREATE INDEX health_open_by_seen ON health_open (seen_s);",
    // What SDKs have counted themselves in the generation that is not complete: written anew each time.
    "CREATE TABLE health_hours_open (health_id INTEGER NOT NULL REFERENCES health (id) ON DELETE CASCADE,"
    "  hour INTEGER NOT NULL, sessions INTEGER NOT NULL, exited INTEGER NOT NULL, crashed INTEGER NOT NULL,"
    "  errored INTEGER NOT NULL, abnormal INTEGER NOT NULL, unhandled INTEGER NOT NULL,"
    "  PRIMARY KEY (health_id, hour)) WITHOUT ROWID;",
};

int releases_no_memory(struct err *err) { return err_set(err, ERR_NOMEM, NULL, "out of memory"); }

str releases_cut(str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.ptr[max] & 0xc0) == 0x80) // not inside a character
        max--;
    return str_slice(s, 0, max);
}

int releases_grow(struct arena *arena, void **items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return 0;
    size_t more = *cap ? *cap * 2 : 16;
    void *p = arena_alloc_array(arena, more, size);
    if (!p)
        return ERR_NOMEM;
    if (n)
        memcpy(p, *items, n * size);
    *items = p;
    *cap = more;
    return 0;
}

int releases_open(const struct releases_options *o, struct releases **ret_releases, struct err *err)
{
    struct releases *r = mem_zalloc(sizeof *r);
    if (!r)
        return releases_no_memory(err);
    r->magic = RELEASES_MAGIC;
    r->options = *o;
    r->options.path = NULL; // the caller's
    must(pthread_mutex_init(&r->touch_lock, NULL) == 0);
    r->touched = touched_new();
    int rc = r->touched ? 0 : releases_no_memory(err);
    if (rc == 0)
        rc = db_open(&r->writer, o->path, "releases_database", DB_WRITE | DB_CREATE, err);
    if (rc == 0)
        rc = db_migrate(&r->writer, schema, sizeof schema / sizeof schema[0], NULL, NULL, err);
    if (rc == 0)
        rc = db_open(&r->reader, o->path, "releases_database", 0, err);
    if (rc < 0) {
        releases_close(r);
        return rc;
    }
    *ret_releases = r;
    return 0;
}

void releases_close(struct releases *r)
{
    if (!r)
        return;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    if (r->reader.handle)
        releases_save(r, NULL);
    db_close(&r->reader);
    db_close(&r->writer);
    touched_free(r->touched);
    pthread_mutex_destroy(&r->touch_lock);
    r->magic = 0;
    mem_free(r);
}

int release_of_row(sqlite3_stmt *stmt, struct arena *arena, struct release *ret_release)
{
    struct release x = { .id = sqlite3_column_int64(stmt, 0),
                         .project = (uint32_t)sqlite3_column_int64(stmt, 1),
                         .status = sqlite3_column_int64(stmt, 5) ? RELEASE_ARCHIVED : RELEASE_OPEN,
                         .created = sqlite3_column_int64(stmt, 6),
                         .started = sqlite3_column_int64(stmt, 7),
                         .released = sqlite3_column_int64(stmt, 8),
                         .first_event = sqlite3_column_int64(stmt, 9),
                         .last_event = sqlite3_column_int64(stmt, 10),
                         .by_event = sqlite3_column_int64(stmt, 11) != 0,
                         .commits = (uint32_t)sqlite3_column_int64(stmt, 12),
                         .deploys = (uint32_t)sqlite3_column_int64(stmt, 13) };
    int r = arena_dup(arena, db_text(stmt, 2), &x.version);
    if (r == 0)
        r = arena_dup(arena, db_text(stmt, 3), &x.ref);
    if (r == 0)
        r = arena_dup(arena, db_text(stmt, 4), &x.url);
    if (r == 0)
        *ret_release = x;
    return r;
}

// Inside a transaction: room for one more of the project's?
static int put_room(struct releases *r, uint32_t project, struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->writer, &stmt, err, "SELECT count(*) FROM releases WHERE project = ?", "i", (int64_t)project);
    if (rc <= 0)
        return rc;
    int64_t n = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    if (n < RELEASES_PER_PROJECT)
        return 0;
    err_set(err, ERR_LIMIT, "too_many_releases", "the project has %d releases", RELEASES_PER_PROJECT);
    err_set_hint(err, "delete old ones: sentry-cli releases delete VERSION");
    return ERR_LIMIT;
}

// 1 with *ret_id, 0: there is none.
static int put_find(struct releases *r, uint32_t project, str version, int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->writer, &stmt, err, "SELECT id FROM releases WHERE project = ? AND version = ?", "it",
                      (int64_t)project, version);
    if (rc == 1) {
        *ret_id = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return rc;
}

static int put_change(struct releases *r, int64_t id, const struct release_change *c, struct err *err)
{
    int rc = db_run(&r->writer, NULL, err, "UPDATE releases SET by_event = 0 WHERE id = ?", "i", id);
    if (rc == 0 && c->ref)
        rc = db_run(&r->writer, NULL, err, "UPDATE releases SET ref = ? WHERE id = ?", "ti",
                    releases_cut(*c->ref, RELEASE_TEXT_MAX), id);
    if (rc == 0 && c->url)
        rc = db_run(&r->writer, NULL, err, "UPDATE releases SET url = ? WHERE id = ?", "ti",
                    releases_cut(*c->url, RELEASE_TEXT_MAX), id);
    if (rc == 0 && c->status)
        rc =
            db_run(&r->writer, NULL, err, "UPDATE releases SET status = ? WHERE id = ?", "ii", (int64_t)*c->status, id);
    if (rc == 0 && c->created)
        rc = db_run(&r->writer, NULL, err, "UPDATE releases SET created_ns = ? WHERE id = ?", "ii", *c->created, id);
    if (rc == 0 && c->started)
        rc = db_run(&r->writer, NULL, err, "UPDATE releases SET started_ns = ? WHERE id = ?", "ii", *c->started, id);
    if (rc == 0 && c->released)
        rc = db_run(&r->writer, NULL, err, "UPDATE releases SET released_ns = ? WHERE id = ?", "ii", *c->released, id);
    return rc;
}

static int put(struct releases *r, uint32_t project, str version, const struct release_change *change, int64_t *id,
               bool *made, struct err *err)
{
    int rc = put_find(r, project, version, id, err);
    *made = rc == 0;
    if (rc == 0)
        rc = put_room(r, project, err);
    else if (rc == 1)
        rc = 0;
    if (rc == 0 && *made) {
        rc = db_run(&r->writer, NULL, err,
                    "INSERT INTO releases (project, version, ref, url, status, created_ns, started_ns, released_ns, "
                    "first_event_ns, last_event_ns, by_event) VALUES (?, ?, '', '', 0, ?, 0, 0, 0, 0, 0)",
                    "iti", (int64_t)project, version, clock_unix_ns());
        *id = sqlite3_last_insert_rowid(r->writer.handle);
    }
    return rc == 0 ? put_change(r, *id, change, err) : rc;
}

int release_put(struct releases *r, uint32_t project, str version, const struct release_change *change, int64_t *ret_id,
                bool *ret_made, struct err *err)
{
    int64_t id = 0;
    bool made = false;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    if (!release_version_valid(version)) {
        err_set(err, ERR_INVALID, "bad_version", "\"%.*s\" is no name of a release",
                STR_ARG(releases_cut(version, 100)));
        err_set_hint(err, "1 to %d bytes without slashes and control characters; not \"latest\"", RELEASE_VERSION_MAX);
        return ERR_INVALID;
    }
    int rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    rc = db_finish(&r->writer, put(r, project, version, change, &id, &made, err), err);
    if (rc < 0)
        return rc;
    if (ret_id)
        *ret_id = id;
    if (ret_made)
        *ret_made = made;
    return 0;
}

static int no_release(str version, struct err *err)
{
    return err_set(err, ERR_NOENT, "no_release", "there is no release \"%.*s\"", STR_ARG(releases_cut(version, 100)));
}

int release_find(struct releases *r, uint32_t project, str version, struct arena *arena, struct release *ret_release,
                 struct err *err)
{
    sqlite3_stmt *stmt;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    int rc = releases_save(r, err);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&r->reader.lock);
    rc = db_query(&r->reader, &stmt, err,
                  "SELECT " RELEASE_COLUMNS " FROM releases r WHERE r.project = ? AND r.version = ?", "it",
                  (int64_t)project, version);
    if (rc == 1) {
        rc = release_of_row(stmt, arena, ret_release);
        db_done(stmt);
        if (rc < 0)
            releases_no_memory(err);
    } else if (rc == 0) {
        rc = no_release(version, err);
    }
    pthread_mutex_unlock(&r->reader.lock);
    return rc;
}

int release_remove(struct releases *r, uint32_t project, str version, struct err *err)
{
    int changes = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    int rc = releases_save(r, err);
    if (rc == 0)
        rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    rc = db_run(&r->writer, &changes, err, "DELETE FROM releases WHERE project = ? AND version = ?", "it",
                (int64_t)project, version);
    if (rc == 0 && changes == 0)
        rc = no_release(version, err);
    if (rc == 0) // commits go with their last release
        rc = db_run(&r->writer, NULL, err,
                    "DELETE FROM commits WHERE id NOT IN (SELECT commit_id FROM release_commits)", "");
    if (rc == 0)
        touched_forget(r, project, version);
    return db_finish(&r->writer, rc, err);
}
