// Repositories: names that commits are told apart by. Clew asks no host of code: what is listed is what tools have named.
#include "releases/releases_internal.h"

#include "base/clock.h"
#include "base/must.h"

#define REPOSITORY_COLUMNS "id, name, url, provider, created_ns"

static int repository_of_row(sqlite3_stmt *stmt, struct arena *arena, struct release_repository *ret_repository)
{
    struct release_repository p = { .id = sqlite3_column_int64(stmt, 0), .created = sqlite3_column_int64(stmt, 4) };
    int r = arena_dup(arena, db_text(stmt, 1), &p.name);
    if (r == 0)
        r = arena_dup(arena, db_text(stmt, 2), &p.url);
    if (r == 0)
        r = arena_dup(arena, db_text(stmt, 3), &p.provider);
    if (r == 0)
        *ret_repository = p;
    return r;
}

static int read_all(struct releases *r, struct arena *arena, struct release_repository **ret_repositories,
                    size_t *ret_n, struct err *err)
{
    struct release_repository *list = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *stmt;
    int rc = db_query(&r->reader, &stmt, err, "SELECT " REPOSITORY_COLUMNS " FROM repositories ORDER BY name, id", "");
    while (rc == 1) {
        rc = releases_grow(arena, (void **)&list, n, &cap, sizeof *list);
        if (rc == 0)
            rc = repository_of_row(stmt, arena, &list[n]);
        if (rc < 0) {
            db_done(stmt);
            return releases_no_memory(err);
        }
        n++;
        rc = db_next(&r->reader, stmt, err);
    }
    *ret_repositories = list;
    *ret_n = n;
    return rc;
}

int releases_repositories(struct releases *r, struct arena *arena, struct release_repository **ret_repositories,
                          size_t *ret_n, struct err *err)
{
    struct release_repository *list = NULL;
    size_t n = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc = read_all(r, arena, &list, &n, err);
    pthread_mutex_unlock(&r->reader.lock);
    if (rc == 0) {
        *ret_repositories = list;
        *ret_n = n;
    }
    return rc;
}

int repository_put(struct releases *r, str name, int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *stmt;
    name = releases_cut(name, RELEASE_TEXT_MAX);
    int rc = db_query(&r->writer, &stmt, err, "SELECT id FROM repositories WHERE name = ?", "t", name);
    if (rc == 1) {
        *ret_id = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
        return 0;
    }
    int changes = 0;
    if (rc == 0)
        rc = db_run(&r->writer, &changes, err,
                    "INSERT INTO repositories (name, url, provider, created_ns) SELECT ?, '', 'unknown', ? WHERE "
                    "(SELECT count(*) FROM repositories) < ?",
                    "tii", name, clock_unix_ns(), (int64_t)RELEASES_REPOSITORIES);
    if (rc == 0 && changes == 0)
        rc = err_set(err, ERR_LIMIT, "too_many_repositories", "there are %d repositories", RELEASES_REPOSITORIES);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(r->writer.handle);
    return rc;
}

int releases_repository_put(struct releases *r, str name, str url, str provider, struct arena *arena,
                            struct release_repository *ret_repository, struct err *err)
{
    sqlite3_stmt *stmt;
    int64_t id = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    if (name.len == 0)
        return err_set(err, ERR_INVALID, "bad_repository", "a repository needs a name");
    int rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    rc = repository_put(r, name, &id, err);
    if (rc == 0 && url.len)
        rc = db_run(&r->writer, NULL, err, "UPDATE repositories SET url = ? WHERE id = ?", "ti",
                    releases_cut(url, RELEASE_TEXT_MAX), id);
    if (rc == 0 && provider.len)
        rc = db_run(&r->writer, NULL, err, "UPDATE repositories SET provider = ? WHERE id = ?", "ti",
                    releases_cut(provider, RELEASE_TEXT_MAX), id);
    if (rc == 0)
        rc = db_query(&r->writer, &stmt, err, "SELECT " REPOSITORY_COLUMNS " FROM repositories WHERE id = ?", "i", id);
    if (rc == 1) {
        rc = repository_of_row(stmt, arena, ret_repository) < 0 ? releases_no_memory(err) : 0;
        db_done(stmt);
    }
    return db_finish(&r->writer, rc, err);
}
