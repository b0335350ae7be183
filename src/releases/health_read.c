// Reading what sessions came to.
#include "releases/health.h"

#include "base/clock.h"
#include "base/must.h"
#include "base/people.h"
#include "releases/releases_internal.h"

#define HOUR_NS (3600 * NS_PER_S)
#define MINUTE_NS (60 * NS_PER_S)

// Hours of complete generations, and those of the one that is not.
#define HOURS_OF(columns, table, which)                                                                              \
    "SELECT " columns " FROM health JOIN " table " ON health_id = id WHERE " which " AND (?2 = '' OR environment = " \
    "?2) AND hour >= ?3 AND hour < ?4"
#define EITHER(columns, which) \
    HOURS_OF(columns, "health_hours", which) " UNION ALL " HOURS_OF(columns, "health_hours_open", which)
#define OF_ITS_PROJECT "project = (SELECT project FROM releases WHERE id = ?1)"

static int64_t hours_up(int64_t ns) { return ns / HOUR_NS + (ns % HOUR_NS > 0); }

static uint32_t minute_at(int64_t ns)
{
    int64_t m = ns / MINUTE_NS + (ns % MINUTE_NS > 0);
    return m < 0 ? 0 : m > UINT32_MAX ? UINT32_MAX : (uint32_t)m;
}

struct users {
    struct people all, crashed;
};

static void users_free(struct users *u)
{
    people_free(&u->all);
    people_free(&u->crashed);
}

static int users_merge(struct users *u, bytes all, bytes crashed)
{
    struct users more = { 0 };
    int rc = people_decode(&more.all, &all);
    if (rc == 0)
        rc = people_decode(&more.crashed, &crashed);
    if (rc == 0)
        rc = people_merge(&u->all, &more.all);
    if (rc == 0)
        rc = people_merge(&u->crashed, &more.crashed);
    users_free(&more);
    return rc;
}

// Of one release in all its environments, or one. reader.lock is held.
static int read_users(struct releases *r, int64_t release, str environment, struct users *u, struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->reader, &stmt, err,
                      "SELECT users, crashed_users FROM health WHERE release_id = ?1 AND (?2 = '' OR environment = ?2)",
                      "it", release, environment);
    while (rc == 1) {
        int bad = users_merge(u, db_blob(stmt, 0), db_blob(stmt, 1));
        if (bad < 0) {
            db_done(stmt);
            return bad == ERR_NOMEM ? releases_no_memory(err) : db_corrupt(&r->reader, err, "users of sessions");
        }
        rc = db_next(&r->reader, stmt, err);
    }
    return rc;
}

static void count_users(const struct users *u, int64_t from, int64_t to, uint64_t *ret_all, uint64_t *ret_crashed)
{
    uint64_t all = people_count_in(&u->all, minute_at(from), minute_at(to));
    uint64_t crashed = people_count_in(&u->crashed, minute_at(from), minute_at(to));
    *ret_all = all;
    *ret_crashed = crashed < all ? crashed : all; // both may be estimates
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
    struct users users = { 0 };
    sqlite3_stmt *stmt;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc = db_query(&r->reader, &stmt, err,
                      "SELECT sum(sessions), sum(exited), sum(crashed), sum(errored), sum(abnormal), sum(unhandled) "
                      "FROM (" EITHER("*", "release_id = ?1") ")",
                      "itii", release, environment, hours_up(from), hours_up(to));
    if (rc == 1) {
        h.counts = counts_of(stmt, 0);
        db_done(stmt);
        rc = db_query(&r->reader, &stmt, err, "SELECT sum(sessions) FROM (" EITHER("sessions", OF_ITS_PROJECT) ")",
                      "itii", release, environment, hours_up(from), hours_up(to));
    }
    if (rc == 1) {
        h.of_all = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    if (rc >= 0)
        rc = read_users(r, release, environment, &users, err);
    pthread_mutex_unlock(&r->reader.lock);
    if (rc == 0) {
        count_users(&users, from, to, &h.users, &h.crashed_users);
        h.approx = people_approx(&users.all);
        *ret_health = h;
    }
    users_free(&users);
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
                 EITHER("hour, release_id, sessions, exited, crashed, errored, abnormal, unhandled", OF_ITS_PROJECT),
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

int releases_health_users(struct releases *r, int64_t release, str environment, int64_t from, int64_t step,
                          uint64_t *users, uint64_t *crashed, size_t n, struct err *err)
{
    struct users u = { 0 };
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc = read_users(r, release, environment, &u, err);
    pthread_mutex_unlock(&r->reader.lock);
    for (size_t i = 0; i < n && rc == 0; i++)
        count_users(&u, from, from + (int64_t)(i + 1) * step, &users[i], &crashed[i]);
    users_free(&u);
    return rc;
}
