// Deploys: a release was brought to an environment. Said by tools; what telemetry shows of versions is src/red's.
#include "releases/releases_internal.h"

#include "base/clock.h"
#include "base/must.h"

// Inside a transaction.
static int deploy_room(struct releases *r, int64_t release, struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->writer, &stmt, err, "SELECT count(*) FROM deploys WHERE release_id = ?", "i", release);
    if (rc <= 0)
        return rc;
    int64_t n = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return n < RELEASE_DEPLOYS
               ? 0
               : err_set(err, ERR_LIMIT, "too_many_deploys", "the release has %d deploys", RELEASE_DEPLOYS);
}

static int deploy_put(struct releases *r, int64_t release, struct release_deploy *d, struct err *err)
{
    int rc = deploy_room(r, release, err);
    if (rc == 0)
        rc = db_run(&r->writer, NULL, err,
                    "INSERT INTO deploys (deploy, release_id, environment, name, url, started_ns, finished_ns) VALUES "
                    "(?, ?, ?, ?, ?, ?, ?)",
                    "iitttii", d->id, release, releases_cut(d->environment, RELEASE_TEXT_MAX),
                    releases_cut(d->name, RELEASE_TEXT_MAX), releases_cut(d->url, RELEASE_TEXT_MAX), d->started,
                    d->finished);
    if (rc < 0 || d->id)
        return rc;
    // The first row's number is the deploy's.
    d->id = sqlite3_last_insert_rowid(r->writer.handle);
    return db_run(&r->writer, NULL, err, "UPDATE deploys SET deploy = id WHERE id = ?", "i", d->id);
}

int releases_deploy(struct releases *r, const int64_t *releases, size_t n, struct release_deploy *deploy,
                    struct err *err)
{
    struct release_deploy d = *deploy;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    must(n > 0);
    d.id = 0;
    d.release = releases[0];
    if (d.finished == 0)
        d.finished = clock_unix_ns();
    int rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = deploy_put(r, releases[i], &d, err);
    rc = db_finish(&r->writer, rc, err);
    if (rc == 0)
        *deploy = d;
    return rc;
}

static int deploy_of_row(sqlite3_stmt *stmt, struct arena *arena, struct release_deploy *d)
{
    *d = (struct release_deploy){ .id = sqlite3_column_int64(stmt, 0),
                                  .release = sqlite3_column_int64(stmt, 1),
                                  .started = sqlite3_column_int64(stmt, 5),
                                  .finished = sqlite3_column_int64(stmt, 6) };
    int r = arena_dup(arena, db_text(stmt, 2), &d->environment);
    if (r == 0)
        r = arena_dup(arena, db_text(stmt, 3), &d->name);
    return r == 0 ? arena_dup(arena, db_text(stmt, 4), &d->url) : r;
}

static bool listed(const struct release_deploy *list, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id)
            return true;
    return false;
}

// Newest first: into its place among those of the other releases.
static void place(struct release_deploy *list, size_t n, struct release_deploy d)
{
    while (n > 0 &&
           (list[n - 1].finished < d.finished || (list[n - 1].finished == d.finished && list[n - 1].id < d.id))) {
        list[n] = list[n - 1];
        n--;
    }
    list[n] = d;
}

int releases_deploys(struct releases *r, const int64_t *releases, size_t n, struct arena *arena,
                     struct release_deploy **ret_deploys, size_t *ret_n, struct err *err)
{
    struct release_deploy *list = NULL;
    size_t count = 0, cap = 0;
    sqlite3_stmt *stmt;
    int rc = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = db_query(&r->reader, &stmt, err,
                      "SELECT deploy, release_id, environment, name, url, started_ns, finished_ns FROM deploys WHERE "
                      "release_id = ? ORDER BY finished_ns DESC, id DESC LIMIT ?",
                      "ii", releases[i], (int64_t)RELEASE_DEPLOYS);
        while (rc == 1) {
            struct release_deploy d;
            rc = i && listed(list, count, sqlite3_column_int64(stmt, 0)) ? 1 : deploy_of_row(stmt, arena, &d);
            if (rc == 0 && (rc = releases_grow(arena, (void **)&list, count, &cap, sizeof *list)) == 0)
                place(list, count++, d);
            if (rc < 0) {
                db_done(stmt);
                releases_no_memory(err);
                break;
            }
            rc = db_next(&r->reader, stmt, err);
        }
    }
    pthread_mutex_unlock(&r->reader.lock);
    if (rc < 0)
        return rc;
    *ret_deploys = list;
    *ret_n = count;
    return 0;
}
