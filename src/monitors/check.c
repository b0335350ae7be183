// A check-in and what follows from it.
#include "base/hex.h"
#include "base/utf8.h"
#include "monitors/monitors_internal.h"

#include <sodium.h>
#include <stdio.h>

struct environment {
    int64_t id, last, next, failing_since, failures, successes;
};

void monitor_hash(const struct monitor *mon, str environment, char out[33])
{
    char text[512];
    uint8_t hash[16];
    int n = snprintf(text, sizeof text, "monitor:%u:%lld:%.*s", mon->project, (long long)mon->id, STR_ARG(environment));
    crypto_generichash(hash, sizeof hash, (const uint8_t *)text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1,
                       NULL, 0);
    hex_encode(out, hash, sizeof hash);
    out[32] = 0;
}

// A monitor that was described by hand is due before anybody has checked in, in an environment that is guessed: the first
// job to do so says what it is called. What was missed until then is over.
static int waiting_take(struct monitors *m, const struct monitor *mon, str name, struct err *err)
{
    char was[MONITOR_TEXT_MAX + 1], hash[33];
    sqlite3_stmt *s;
    int r = db_query(&m->db, &s, err,
                     "SELECT id, name, failing_since FROM environment WHERE monitor = ? AND waiting = 1", "i", mon->id);
    if (r <= 0)
        return r;
    int64_t id = sqlite3_column_int64(s, 0), failing_since = sqlite3_column_int64(s, 2);
    db_copy_text(s, 1, was, sizeof was);
    db_done(s);
    if (str_eq(str_z(was), name)) // an incident goes on until enough are good
        return db_run(&m->db, NULL, err, "UPDATE environment SET waiting = 0 WHERE id = ?", "i", id);
    monitor_hash(mon, str_z(was), hash);
    r = failing_since ? outbox_resolve(m, mon->project, str_of(hash, 32), err) : 0;
    return r < 0 ? r
                 : db_run(&m->db, NULL, err,
                          "UPDATE environment SET waiting = 0, name = ?, failing_since = 0, failures = 0 WHERE id = ?",
                          "ti", name, id);
}

static int environment_of(struct monitors *m, const struct monitor *mon, str name, bool said, struct environment *ret,
                          struct err *err)
{
    sqlite3_stmt *s;
    int taken = said ? waiting_take(m, mon, name, err) : 0;
    if (taken < 0)
        return taken;
    int r = db_query(&m->db, &s, err,
                     "SELECT id, last_ns, next_ns, failing_since, failures, successes FROM environment"
                     " WHERE monitor = ? AND name = ?",
                     "it", mon->id, name);
    if (r < 0)
        return r;
    if (r == 1) {
        *ret =
            (struct environment){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
                                  sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 5) };
        db_done(s);
        return 0;
    }
    r = db_query(&m->db, &s, err, "SELECT count(*) FROM environment WHERE monitor = ?", "i", mon->id);
    if (r < 0)
        return r;
    int64_t n = sqlite3_column_int64(s, 0);
    db_done(s);
    if (n >= MONITOR_ENVIRONMENTS_MAX)
        return ERR_LIMIT;
    r = db_run(&m->db, NULL, err,
               "INSERT INTO environment (monitor, name, status, last_ns, next_ns, duration_ns, failing_since, failures,"
               " successes) VALUES (?, ?, ?, 0, 0, -1, 0, 0, 0)",
               "iti", mon->id, name, (int64_t)CHECK_RUNNING);
    *ret = (struct environment){ .id = sqlite3_last_insert_rowid(m->db.handle) };
    return r;
}

static str trouble_of(const struct err *why, struct arena *arena)
{
    return arena_printf(arena, "%s%s%s", why->message[0] ? why->message : err_text(why->code), why->hint[0] ? ": " : "",
                        why->hint);
}

// A check-in without a configuration says nothing about it: what was wrong stays wrong.
static int trouble_keep(struct monitors *m, struct monitor *mon, str trouble, struct err *err)
{
    if (!trouble.len || str_eq(trouble, mon->trouble))
        return 0;
    mon->trouble = trouble;
    return db_run(&m->db, NULL, err, "UPDATE monitor SET trouble = ? WHERE id = ?", "ti", trouble, mon->id);
}

// What a check-in says about the monitor itself comes first: an unknown one is made, a changed one changed.
static int monitor_for(struct monitors *m, const struct check_in *c, struct arena *arena, struct monitor *ret,
                       struct err *err)
{
    const struct monitor plain = { .project = c->project,
                                   .slug = c->slug,
                                   .margin_s = MARGIN_DEFAULT_S,
                                   .max_runtime_s = RUNTIME_DEFAULT_S,
                                   .failure_threshold = 1,
                                   .recovery_threshold = 1 };
    struct monitor config = plain;
    struct err why = { 0 };
    int64_t id;
    int r = monitor_of(m, c->project, c->slug, arena, ret, err);
    if (r < 0)
        return r;
    bool known = r == 1;
    bool configured = c->config.len && monitor_config_read(c->config, arena, &config, &why) == 0;
    if (!configured) { // nothing of what was half read
        config = plain;
        if (c->config.len)
            config.trouble = trouble_of(&why, arena);
    }
    if (known && !configured)
        return trouble_keep(m, ret, config.trouble, err);
    if (known) {
        config.id = ret->id;
        config.name = ret->name;
        config.muted = ret->muted;
        config.disabled = ret->disabled;
        bool same = ret->scheduled && str_eq(config.crontab, ret->crontab) &&
                    (config.crontab.len || (config.every == ret->every && config.unit == ret->unit)) &&
                    str_eq(config.timezone, ret->timezone) && config.margin_s == ret->margin_s &&
                    config.max_runtime_s == ret->max_runtime_s && config.failure_threshold == ret->failure_threshold &&
                    config.recovery_threshold == ret->recovery_threshold;
        if (same && !ret->trouble.len)
            return 0;
    }
    r = monitor_write(m, &config, &id, err);
    if (r == 0)
        r = monitor_of_id(m, id, arena, ret, err);
    return r < 0 ? r : 0;
}

// The row that it updates, and whether there is anything new in it. 1: apply it.
static int row_of(struct monitors *m, const struct environment *env, const struct check_in *c, uint8_t id[16],
                  int64_t *ret_started, int64_t *ret_expected, bool *ret_ended, struct err *err)
{
    static const uint8_t none[16];
    sqlite3_stmt *s;
    memcpy(id, c->id, 16);
    *ret_started = c->time;
    *ret_expected = 0;
    *ret_ended = false;
    if (memcmp(id, none, 16) == 0) { // the one that runs
        int r = db_query(&m->db, &s, err,
                         "SELECT id FROM checkin WHERE environment = ? AND status = ? ORDER BY time_ns DESC LIMIT 1",
                         "ii", env->id, (int64_t)CHECK_RUNNING);
        if (r < 0)
            return r;
        if (r == 1) {
            bytes b = db_blob(s, 0);
            if (b.len == 16)
                memcpy(id, b.ptr, 16);
            db_done(s);
        } else { // its own, and the same when it is read again
            crypto_generichash(id, 16, (const uint8_t *)&c->received, sizeof c->received, NULL, 0);
        }
    }
    int r = db_query(&m->db, &s, err,
                     "SELECT status, received_ns, time_ns, expected_ns FROM checkin WHERE environment = ? AND id = ?",
                     "ib", env->id, bytes_of(id, 16));
    if (r <= 0)
        return r < 0 ? r : 1;
    int64_t status = sqlite3_column_int64(s, 0), received = sqlite3_column_int64(s, 1);
    *ret_started = sqlite3_column_int64(s, 2);
    *ret_expected = sqlite3_column_int64(s, 3);
    *ret_ended = status != CHECK_RUNNING;
    db_done(s);
    // Read again after a crash, or overtaken by what came later.
    if (received >= c->received)
        return 0;
    // Only what runs may end; that it was too late or took too long remains said.
    return status == CHECK_RUNNING || (status == CHECK_TIMEOUT && c->status != CHECK_RUNNING);
}

static bool fails(enum check_status s) { return s == CHECK_ERROR || s == CHECK_MISSED || s == CHECK_TIMEOUT; }

static int put_event(struct monitors *m, const struct monitor *mon, const struct check_in *c, const uint8_t id[16],
                     enum check_status status, int64_t expected, str hash, struct err *err)
{
    struct outbox_entry e = { .event = true,
                              .project = mon->project,
                              .slug = mon->slug,
                              .name = mon->name,
                              .environment = c->environment,
                              .hash = hash,
                              .status = status,
                              .time = c->received,
                              .expected = expected,
                              .duration = c->duration,
                              .has_trace = c->has_trace };
    memcpy(e.id, id, 16);
    memcpy(e.trace, c->trace, 16);
    return outbox_add(m, &e, err);
}

// Incidents: so many failures in a row open one, so many good ones close it.
static int count(struct monitors *m, const struct monitor *mon, struct environment *env, const struct check_in *c,
                 const uint8_t id[16], enum check_status status, int64_t expected, struct err *err)
{
    char hash[33];
    monitor_hash(mon, c->environment, hash);
    if (fails(status)) {
        env->failures++;
        env->successes = 0;
        if (!env->failing_since && env->failures >= mon->failure_threshold)
            env->failing_since = c->time;
        if (env->failing_since && !mon->muted)
            return put_event(m, mon, c, id, status, expected, str_of(hash, 32), err);
        return 0;
    }
    env->successes++;
    env->failures = 0;
    if (!env->failing_since || env->successes < mon->recovery_threshold)
        return 0;
    env->failing_since = 0;
    return outbox_resolve(m, mon->project, str_of(hash, 32), err);
}

static int apply(struct monitors *m, const struct monitor *mon, struct environment *env, const struct check_in *c,
                 struct err *err)
{
    struct schedule schedule;
    uint8_t id[16];
    bool ended;
    int64_t started, expected, duration = c->duration;
    enum check_status status = c->status;
    int r = row_of(m, env, c, id, &started, &expected, &ended, err);
    if (r <= 0)
        return r;
    bool first = !expected && started == c->time && !ended;
    if (!expected && mon->scheduled)
        expected = status == CHECK_MISSED ? c->time : env->next && env->next <= c->time ? env->next : c->time;
    if (duration < 0 && status != CHECK_RUNNING && status != CHECK_MISSED && c->time > started)
        duration = c->time - started;
    if (status == CHECK_OK && expected && started > expected + mon->margin_s * NS_PER_S)
        status = CHECK_LATE;
    r = db_run(
        &m->db, NULL, err,
        "INSERT OR REPLACE INTO checkin (environment, id, status, time_ns, expected_ns, received_ns, duration_ns,"
        " trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        "ibiiiiib", env->id, bytes_of(id, 16), (int64_t)status, started, expected, c->received, duration,
        bytes_of(c->trace, c->has_trace ? 16 : 0));
    if (r == 0 && status != CHECK_RUNNING && !ended)
        r = count(m, mon, env, c, id, status, expected, err);
    // The next one is counted from when this one was due (a crontab has its own times) or began.
    if (r == 0 && mon->scheduled && first && monitor_schedule(mon, &schedule, NULL) == 0) {
        int64_t from = mon->crontab.len || status == CHECK_MISSED ? c->time : started;
        int64_t next = schedule_next(&schedule, from);
        env->next = next > env->next ? next : env->next;
    }
    env->last = started > env->last ? started : env->last;
    if (r == 0)
        r = db_run(&m->db, NULL, err,
                   "UPDATE environment SET status = ?, last_ns = ?, next_ns = ?, failing_since = ?, failures = ?,"
                   " successes = ?, duration_ns = CASE WHEN ? >= 0 THEN ? ELSE duration_ns END WHERE id = ?",
                   "iiiiiiiii", (int64_t)status, env->last, mon->scheduled ? env->next : 0, env->failing_since,
                   env->failures, env->successes, duration, duration, env->id);
    if (r == 0) {
        atomic_fetch_add(&m->checks, 1);
        if (status == CHECK_MISSED)
            atomic_fetch_add(&m->missed, 1);
        if (status == CHECK_TIMEOUT)
            atomic_fetch_add(&m->timeouts, 1);
    }
    return r;
}

int check_apply(struct monitors *m, const struct check_in *said, struct err *err)
{
    struct check_in in = *said, *c = &in;
    struct arena arena;
    struct monitor mon;
    struct environment env;
    if (!monitor_slug_ok(c->slug) || c->status >= CHECK_STATUSES)
        return 0;
    if (!c->environment.len)
        c->environment = STR("production");
    c->environment = utf8_cut(c->environment, MONITOR_TEXT_MAX);
    arena_init(&arena, 1 << 20);
    int r = monitor_for(m, c, &arena, &mon, err);
    if (r == 0 && !mon.disabled) {
        r = environment_of(m, &mon, c->environment, c->status != CHECK_MISSED && c->status != CHECK_TIMEOUT, &env, err);
        if (r == 0)
            r = apply(m, &mon, &env, c, err);
    }
    arena_free(&arena);
    // One monitor too many, or one that cannot be, is nothing that could be waited out; the record of it is there.
    return r == ERR_LIMIT || r == ERR_INVALID ? 0 : r;
}
