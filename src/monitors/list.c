// What is known, for people.
#include "base/hex.h"
#include "base/must.h"
#include "monitors/monitors_internal.h"

enum { ROWS_MAX = MONITORS_MAX };

static int checks_of(struct monitors *m, int64_t environment, int64_t before, size_t n, struct arena *arena,
                     struct monitor_check **ret, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s;
    size_t got = 0;
    struct monitor_check *list = arena_alloc_array(arena, n + 1, sizeof *list);
    if (!list)
        return monitors_nomem(err);
    int r = db_query(&m->db, &s, err,
                     "SELECT id, status, time_ns, expected_ns, received_ns, duration_ns, trace FROM checkin"
                     " WHERE environment = ? AND (? = 0 OR time_ns < ?) ORDER BY time_ns DESC LIMIT ?",
                     "iiii", environment, before, before, (int64_t)n);
    while (r == 1 && got < n) {
        struct monitor_check *c = &list[got++];
        int64_t status = sqlite3_column_int64(s, 1);
        *c = (struct monitor_check){ .status = status >= 0 && status < CHECK_STATUSES ? (enum check_status)status
                                                                                      : CHECK_ERROR,
                                     .time = sqlite3_column_int64(s, 2),
                                     .expected = sqlite3_column_int64(s, 3),
                                     .received = sqlite3_column_int64(s, 4),
                                     .duration = sqlite3_column_int64(s, 5) };
        bytes id = db_blob(s, 0), trace = db_blob(s, 6);
        if (id.len == 16)
            memcpy(c->id, id.ptr, 16);
        c->has_trace = trace.len == 16;
        if (c->has_trace)
            memcpy(c->trace, trace.ptr, 16);
        r = db_next(&m->db, s, err);
    }
    if (r == 1)
        db_done(s);
    *ret = list;
    *ret_n = got;
    return r < 0 ? r : 0;
}

static int counts_of(struct monitors *m, int64_t environment, int64_t from, int64_t to, uint64_t count[CHECK_STATUSES],
                     struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&m->db, &s, err,
                     "SELECT status, count(*) FROM checkin WHERE environment = ? AND time_ns >= ? AND time_ns < ?"
                     " GROUP BY status",
                     "iii", environment, from, to);
    while (r == 1) {
        int64_t status = sqlite3_column_int64(s, 0);
        if (status >= 0 && status < CHECK_STATUSES)
            count[status] = (uint64_t)sqlite3_column_int64(s, 1);
        r = db_next(&m->db, s, err);
    }
    return r;
}

static int environments_of(struct monitors *m, const struct monitor *mon, int64_t from, int64_t to, size_t checks,
                           struct arena *arena, struct monitor_row *row, struct err *err)
{
    sqlite3_stmt *s;
    int64_t ids[MONITOR_ENVIRONMENTS_MAX];
    size_t n = 0;
    bool failed = false;
    struct monitor_environment *list = arena_alloc_array(arena, MONITOR_ENVIRONMENTS_MAX, sizeof *list);
    if (!list)
        return monitors_nomem(err);
    int r = db_query(&m->db, &s, err,
                     "SELECT id, name, status, last_ns, next_ns, duration_ns, failing_since, failures FROM environment"
                     " WHERE monitor = ? ORDER BY name",
                     "i", mon->id);
    while (r == 1 && n < MONITOR_ENVIRONMENTS_MAX) {
        int64_t status = sqlite3_column_int64(s, 2), next = sqlite3_column_int64(s, 4);
        ids[n] = sqlite3_column_int64(s, 0);
        list[n++] =
            (struct monitor_environment){ .monitor = mon->id,
                                          .name = monitors_text(arena, s, 1, &failed),
                                          .any = sqlite3_column_int64(s, 3) != 0,
                                          .status = status >= 0 && status < CHECK_STATUSES ? (enum check_status)status
                                                                                           : CHECK_ERROR,
                                          .last = sqlite3_column_int64(s, 3),
                                          .next = next == INT64_MAX ? 0 : next,
                                          .late_from = next ? next + mon->margin_s * NS_PER_S : 0,
                                          .duration = sqlite3_column_int64(s, 5),
                                          .failing_since = sqlite3_column_int64(s, 6),
                                          .failures = sqlite3_column_int64(s, 7) };
        r = db_next(&m->db, s, err);
    }
    if (r == 1)
        db_done(s);
    if (r < 0 || failed)
        return r < 0 ? r : monitors_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct monitor_check *c;
        char hash[33];
        monitor_hash(mon, list[i].name, hash);
        list[i].hash = arena_printf(arena, "%s", hash);
        if ((r = checks_of(m, ids[i], 0, checks, arena, &c, &list[i].checks_n, err)) < 0 ||
            (r = counts_of(m, ids[i], from, to, list[i].count, err)) < 0)
            return r;
        list[i].checks = c;
    }
    row->environments = list;
    row->environments_n = n;
    return 0;
}

static bool among(const uint32_t *projects, size_t n, uint32_t project)
{
    for (size_t i = 0; i < n; i++)
        if (projects[i] == project)
            return true;
    return false;
}

static int rows_of(struct monitors *m, const uint32_t *projects, size_t projects_n, int64_t id, struct arena *arena,
                   int64_t **ret_ids, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s;
    size_t n = 0;
    int64_t *ids = arena_alloc_array(arena, ROWS_MAX, sizeof *ids);
    if (!ids)
        return monitors_nomem(err);
    int r = db_query(&m->db, &s, err, "SELECT id, project FROM monitor WHERE ? = 0 OR id = ? ORDER BY project, slug",
                     "ii", id, id);
    while (r == 1 && n < ROWS_MAX) {
        if (among(projects, projects_n, (uint32_t)sqlite3_column_int64(s, 1)))
            ids[n++] = sqlite3_column_int64(s, 0);
        r = db_next(&m->db, s, err);
    }
    if (r == 1)
        db_done(s);
    *ret_ids = ids;
    *ret_n = n;
    return r < 0 ? r : 0;
}

int monitors_list(struct monitors *m, const uint32_t *projects, size_t projects_n, int64_t id, int64_t from, int64_t to,
                  size_t checks, struct arena *arena, struct monitor_row **ret_rows, size_t *ret_n, struct err *err)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    int64_t *ids = NULL;
    size_t n = 0;
    struct monitor_row *rows = NULL;
    pthread_mutex_lock(&m->db.lock);
    int r = rows_of(m, projects, projects_n, id, arena, &ids, &n, err);
    if (r == 0 && !(rows = arena_alloc_array(arena, n + 1, sizeof *rows)))
        r = monitors_nomem(err);
    for (size_t i = 0; i < n && r == 0; i++) {
        rows[i] = (struct monitor_row){ 0 };
        r = monitor_of_id(m, ids[i], arena, &rows[i].monitor, err);
        if (r == 1)
            r = environments_of(m, &rows[i].monitor, from, to,
                                checks > MONITOR_CHECKS_MAX ? MONITOR_CHECKS_MAX : checks, arena, &rows[i], err);
    }
    pthread_mutex_unlock(&m->db.lock);
    if (r < 0)
        return r;
    *ret_rows = rows;
    *ret_n = n;
    return 0;
}

int monitors_checks(struct monitors *m, int64_t id, str environment, int64_t before, size_t n, struct arena *arena,
                    struct monitor_check **ret_checks, size_t *ret_n, struct err *err)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    sqlite3_stmt *s;
    *ret_n = 0;
    n = n > MONITOR_CHECKS_MAX ? MONITOR_CHECKS_MAX : n;
    pthread_mutex_lock(&m->db.lock);
    int r =
        db_query(&m->db, &s, err, "SELECT id FROM environment WHERE monitor = ? AND name = ?", "it", id, environment);
    if (r == 1) {
        int64_t env = sqlite3_column_int64(s, 0);
        db_done(s);
        r = checks_of(m, env, before, n, arena, ret_checks, ret_n, err);
    } else if (r == 0) {
        r = err_set(err, ERR_NOENT, "no_monitor", "there is no such monitor, or it has not checked in there");
    }
    pthread_mutex_unlock(&m->db.lock);
    return r;
}

static uint64_t number_of(struct monitors *m, const char *sql)
{
    sqlite3_stmt *s;
    uint64_t n = 0;
    if (db_query(&m->db, &s, NULL, sql, "") == 1) {
        n = (uint64_t)sqlite3_column_int64(s, 0);
        db_done(s);
    }
    return n;
}

void monitors_stats(struct monitors *m, struct monitors_stats *ret_stats)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    pthread_mutex_lock(&m->db.lock);
    *ret_stats = (struct monitors_stats){
        .monitors = number_of(m, "SELECT count(*) FROM monitor"),
        .failing = number_of(m, "SELECT count(*) FROM environment WHERE failing_since <> 0"),
        .checks = atomic_load(&m->checks),
        .missed = atomic_load(&m->missed),
        .timeouts = atomic_load(&m->timeouts),
    };
    pthread_mutex_unlock(&m->db.lock);
}
