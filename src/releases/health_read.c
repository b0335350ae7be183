// Reading what sessions came to.
#include "releases/health.h"

#include "base/clock.h"
#include "base/must.h"
#include "base/people.h"
#include "releases/releases_internal.h"

#define HOUR_NS (3600 * NS_PER_S)
#define MINUTE_NS (60 * NS_PER_S)

static int64_t hours_up(int64_t ns) { return ns / HOUR_NS + (ns % HOUR_NS > 0); }

static uint32_t minute_at(int64_t ns)
{
    int64_t m = ns / MINUTE_NS + (ns % MINUTE_NS > 0);
    return m < 0 ? 0 : m > UINT32_MAX ? UINT32_MAX : (uint32_t)m;
}

// Users of one release in all its environments, or one.
static int read_users(struct releases *r, int64_t release, str environment, int64_t from, int64_t to,
                      struct release_health *h, struct err *err)
{
    struct people users = { 0 }, crashed = { 0 };
    sqlite3_stmt *stmt;
    int bad = 0;
    int rc = db_query(&r->reader, &stmt, err,
                      "SELECT users, crashed_users FROM health WHERE release_id = ?1 AND (?2 = '' OR environment = ?2)",
                      "it", release, environment);
    while (rc == 1) {
        bytes u = db_blob(stmt, 0), c = db_blob(stmt, 1);
        struct people more = { 0 }, more_crashed = { 0 };
        bad = people_decode(&more, &u);
        if (bad == 0)
            bad = people_decode(&more_crashed, &c);
        if (bad == 0)
            bad = people_merge(&users, &more);
        if (bad == 0)
            bad = people_merge(&crashed, &more_crashed);
        people_free(&more);
        people_free(&more_crashed);
        if (bad < 0) {
            db_done(stmt);
            break;
        }
        rc = db_next(&r->reader, stmt, err);
    }
    if (bad < 0)
        rc = bad == ERR_NOMEM ? releases_no_memory(err) : db_corrupt(&r->reader, err, "users of sessions");
    if (rc >= 0) {
        h->users = people_count_in(&users, minute_at(from), minute_at(to));
        h->crashed_users = people_count_in(&crashed, minute_at(from), minute_at(to));
        h->approx = people_approx(&users);
        if (h->crashed_users > h->users) // both are estimates
            h->crashed_users = h->users;
    }
    people_free(&users);
    people_free(&crashed);
    return rc < 0 ? rc : 0;
}

static struct health_counts counts_of(sqlite3_stmt *stmt, int at)
{
    struct health_counts c = { .sessions = (uint64_t)sqlite3_column_int64(stmt, at),
                               .exited = (uint64_t)sqlite3_column_int64(stmt, at + 1),
                               .crashed = (uint64_t)sqlite3_column_int64(stmt, at + 2),
                               .errored = (uint64_t)sqlite3_column_int64(stmt, at + 3),
                               .abnormal = (uint64_t)sqlite3_column_int64(stmt, at + 4),
                               .unhandled = (uint64_t)sqlite3_column_int64(stmt, at + 5) };
    return c;
}

int releases_health(struct releases *r, int64_t release, str environment, int64_t from, int64_t to,
                    struct release_health *ret_health, struct err *err)
{
    struct release_health h = { 0 };
    sqlite3_stmt *stmt;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc =
        db_query(&r->reader, &stmt, err,
                 "SELECT sum(sessions), sum(exited), sum(crashed), sum(errored), sum(abnormal), sum(unhandled) FROM "
                 "health JOIN health_hours ON health_id = id WHERE release_id = ?1 AND (?2 = '' OR environment = "
                 "?2) AND hour >= ?3 AND hour < ?4",
                 "itii", release, environment, hours_up(from), hours_up(to));
    if (rc == 1) {
        h.counts = counts_of(stmt, 0);
        db_done(stmt);
        rc =
            db_query(&r->reader, &stmt, err,
                     "SELECT sum(sessions) FROM health JOIN health_hours ON health_id = id WHERE project = (SELECT "
                     "project FROM releases WHERE id = ?1) AND (?2 = '' OR environment = ?2) AND hour >= ?3 AND hour < "
                     "?4",
                     "itii", release, environment, hours_up(from), hours_up(to));
    }
    if (rc == 1) {
        h.of_all = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    if (rc >= 0)
        rc = read_users(r, release, environment, from, to, &h, err);
    pthread_mutex_unlock(&r->reader.lock);
    if (rc == 0)
        *ret_health = h;
    return rc;
}

int releases_health_series(struct releases *r, int64_t release, str environment, int64_t from, int64_t step,
                           struct health_counts *counts, uint64_t *all, size_t n, struct err *err)
{
    sqlite3_stmt *stmt;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc =
        db_query(&r->reader, &stmt, err,
                 "SELECT hour, release_id, sessions, exited, crashed, errored, abnormal, unhandled FROM health JOIN "
                 "health_hours ON health_id = id WHERE project = (SELECT project FROM releases WHERE id = ?1) AND "
                 "(?2 = '' OR environment = ?2) AND hour >= ?3 AND hour < ?4",
                 "itii", release, environment, hours_up(from), hours_up(from + step * (int64_t)n));
    for (; rc == 1; rc = db_next(&r->reader, stmt, err)) {
        size_t i = (size_t)((sqlite3_column_int64(stmt, 0) * HOUR_NS - from) / step);
        struct health_counts c = counts_of(stmt, 2);
        all[i] += c.sessions;
        if (sqlite3_column_int64(stmt, 1) != release)
            continue;
        counts[i].sessions += c.sessions;
        counts[i].exited += c.exited;
        counts[i].crashed += c.crashed;
        counts[i].errored += c.errored;
        counts[i].abnormal += c.abnormal;
        counts[i].unhandled += c.unhandled;
    }
    pthread_mutex_unlock(&r->reader.lock);
    return rc < 0 ? rc : 0;
}
