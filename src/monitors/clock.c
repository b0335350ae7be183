// What nobody says: that a job did not begin in time, or does not end.
#include "base/mem.h"
#include "monitors/monitors_internal.h"

#include <sodium.h>

enum { LOOK_AT_ONCE = 500 };

struct due {
    uint32_t project;
    char slug[MONITOR_SLUG_MAX + 1];
    char environment[MONITOR_TEXT_MAX + 1];
    int64_t environment_id, time, limit;
    uint8_t id[16];
};

// The same for the same moment, so that what is written twice after a crash is one.
static void missed_id(const struct due *d, uint8_t out[16])
{
    int64_t of[2] = { d->environment_id, d->time };
    crypto_generichash(out, 16, (const uint8_t *)of, sizeof of, NULL, 0);
}

static int look(struct monitors *m, const char *sql, int64_t now, struct due *list, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s;
    size_t n = 0;
    int r = db_query(&m->db, &s, err, sql, "ii", now, (int64_t)LOOK_AT_ONCE);
    while (r == 1 && n < LOOK_AT_ONCE) {
        struct due *d = &list[n++];
        *d = (struct due){ .project = (uint32_t)sqlite3_column_int64(s, 0),
                           .environment_id = sqlite3_column_int64(s, 3),
                           .time = sqlite3_column_int64(s, 4),
                           .limit = sqlite3_column_int64(s, 5) };
        db_copy_text(s, 1, d->slug, sizeof d->slug);
        db_copy_text(s, 2, d->environment, sizeof d->environment);
        bytes id = db_blob(s, 6);
        if (id.len == 16)
            memcpy(d->id, id.ptr, 16);
        r = db_next(&m->db, s, err);
    }
    if (r == 1)
        db_done(s);
    *ret_n = n;
    return r < 0 ? r : 0;
}

static int put(struct monitors *m, const struct due *d, enum check_status status, int64_t now, struct err *err)
{
    struct outbox_entry e = { .project = d->project,
                              .slug = str_z(d->slug),
                              .environment = str_z(d->environment),
                              .status = status,
                              .time = status == CHECK_MISSED ? d->time : now,
                              .expected = status == CHECK_MISSED ? d->time : 0,
                              .duration = status == CHECK_TIMEOUT ? now - d->time : -1 };
    if (status == CHECK_MISSED)
        missed_id(d, e.id);
    else
        memcpy(e.id, d->id, 16);
    return outbox_add(m, &e, err);
}

static int schedule_of(struct monitors *m, const struct due *d, struct schedule *ret, struct err *err)
{
    struct arena arena;
    struct monitor mon;
    arena_init(&arena, 1 << 20);
    int r = monitor_of(m, d->project, str_z(d->slug), &arena, &mon, err);
    if (r == 1)
        r = monitor_schedule(&mon, ret, err) < 0 ? 0 : 1;
    arena_free(&arena);
    return r;
}

static int missed(struct monitors *m, const struct due *d, int64_t now, struct err *err)
{
    struct schedule schedule;
    int r = schedule_of(m, d, &schedule, err);
    if (r < 0)
        return r;
    int64_t next = r == 1 ? schedule_next(&schedule, d->time) : 0;
    // While this server was down nobody could check in: nothing is said about that time.
    bool unknown = d->limit >= m->down_from && d->time <= m->down_to;
    if (unknown && next && next <= m->down_to)
        next = schedule_next(&schedule, m->down_to);
    r = unknown ? 0 : put(m, d, CHECK_MISSED, now, err);
    return r < 0 ? r
                 : db_run(&m->db, NULL, err, "UPDATE environment SET next_ns = ? WHERE id = ? AND next_ns = ?", "iii",
                          next, d->environment_id, d->time);
}

int clock_look(struct monitors *m, int64_t now, struct err *err)
{
    struct due *list = mem_calloc(LOOK_AT_ONCE, sizeof *list);
    size_t n = 0;
    if (!list)
        return monitors_nomem(err);
    int r = db_begin(&m->db, err);
    if (r == 0) {
        r = look(m,
                 "SELECT m.project, m.slug, e.name, e.id, e.next_ns, e.next_ns + m.margin_s * 1000000000, NULL"
                 " FROM environment e JOIN monitor m ON m.id = e.monitor WHERE e.next_ns > 0 AND m.disabled = 0"
                 " AND m.scheduled = 1 AND e.next_ns + m.margin_s * 1000000000 < ? LIMIT ?",
                 now, list, &n, err);
        for (size_t i = 0; i < n && r == 0; i++)
            r = missed(m, &list[i], now, err);
        if (r == 0)
            r = look(m,
                     "SELECT m.project, m.slug, e.name, e.id, c.time_ns, c.time_ns, c.id FROM checkin c"
                     " JOIN environment e ON e.id = c.environment JOIN monitor m ON m.id = e.monitor"
                     " WHERE c.status = 5 AND c.told = 0 AND m.disabled = 0"
                     " AND c.time_ns + m.max_runtime_s * 1000000000 < ? LIMIT ?",
                     now, list, &n, err);
        for (size_t i = 0; i < n && r == 0; i++) {
            r = put(m, &list[i], CHECK_TIMEOUT, now, err);
            if (r == 0)
                r = db_run(&m->db, NULL, err, "UPDATE checkin SET told = 1 WHERE environment = ? AND id = ?", "ib",
                           list[i].environment_id, bytes_of(list[i].id, 16));
        }
        r = db_finish(&m->db, r, err);
    }
    mem_free(list);
    return r;
}
