// What a monitor is: from Sentry's configuration, from the API, and in the database.
#include "base/json_tree.h"
#include "base/must.h"
#include "monitors/monitors_internal.h"

enum { CONFIG_DEPTH_MAX = 8 };
#define YEAR_2100_S 4102444800LL

int monitors_nomem(struct err *err) { return err_set(err, ERR_NOMEM, NULL, "out of memory"); }

str monitors_text(struct arena *arena, sqlite3_stmt *s, int column, bool *failed)
{
    str copy = { 0 };
    if (arena_dup(arena, db_text(s, column), &copy) < 0)
        *failed = true;
    return copy;
}

str check_status_word(enum check_status s)
{
    static const str words[CHECK_STATUSES] = { STR_INIT("ok"),   STR_INIT("error"),   STR_INIT("missed"),
                                               STR_INIT("late"), STR_INIT("timeout"), STR_INIT("running") };
    return words[s];
}

bool monitor_slug_ok(str slug)
{
    for (size_t i = 0; i < slug.len; i++) {
        char c = slug.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return slug.len > 0 && slug.len <= MONITOR_SLUG_MAX;
}

static int bad(struct err *err, const char *member, const char *why)
{
    err_set(err, ERR_INVALID, "bad_monitor", "%s %s", member, why);
    err_set_place(err, "%s", member);
    return ERR_INVALID;
}

int monitor_schedule(const struct monitor *what, struct schedule *ret, struct err *err)
{
    int r = what->crontab.len ? schedule_crontab(what->crontab, ret, err)
                              : schedule_interval(what->every, schedule_unit_word(what->unit), ret, err);
    return r < 0 ? r : schedule_zone(ret, what->timezone, err);
}

static int check(const struct monitor *w, struct err *err)
{
    struct schedule s;
    int r;
    if (!monitor_slug_ok(w->slug))
        return bad(err, "slug", "is 1 to 50 of a-z, 0-9, - and _");
    if (w->name.len > MONITOR_TEXT_MAX || w->crontab.len > MONITOR_TEXT_MAX || w->timezone.len > MONITOR_TEXT_MAX)
        return bad(err, w->name.len > MONITOR_TEXT_MAX ? "name" : "schedule", "is too long");
    if (w->margin_s < 0 || w->margin_s > MONITOR_MARGIN_MAX_S)
        return bad(err, "margin_s", "is at most a week");
    if (w->max_runtime_s < 1 || w->max_runtime_s > MONITOR_RUNTIME_MAX_S)
        return bad(err, "max_runtime_s", "is 1 to 40 days");
    if (w->failure_threshold < 1 || w->failure_threshold > MONITOR_THRESHOLD_MAX)
        return bad(err, "failure_threshold", "is 1 to 720");
    if (w->recovery_threshold < 1 || w->recovery_threshold > MONITOR_THRESHOLD_MAX)
        return bad(err, "recovery_threshold", "is 1 to 720");
    if (w->scheduled && (r = monitor_schedule(w, &s, err)) < 0) {
        err_set_place(err, "schedule");
        return r;
    }
    // Nor so late that a time behind it could not be told.
    if (w->scheduled && schedule_next(&s, YEAR_2100_S * NS_PER_S) == INT64_MAX)
        return bad(err, "schedule", "is never due");
    return 0;
}

// ---- Sentry's monitor_config ---------------------------------------------------------------------------

static int64_t minutes_of(const struct json_node *root, const char *name, int64_t otherwise_s, int64_t most_s)
{
    int64_t n;
    if (!json_int_of(json_get(root, str_z(name)), &n) || n < 0)
        return otherwise_s;
    return n > most_s / 60 ? most_s : n * 60;
}

static int64_t threshold_of(const struct json_node *root, const char *name)
{
    int64_t n;
    if (!json_int_of(json_get(root, str_z(name)), &n) || n < 1)
        return 1;
    return n > MONITOR_THRESHOLD_MAX ? MONITOR_THRESHOLD_MAX : n;
}

int monitor_config_read(str json, struct arena *arena, struct monitor *w, struct err *err)
{
    const struct json_node *root;
    int r = json_tree_read(json, arena, CONFIG_DEPTH_MAX, &root, err);
    if (r < 0)
        return r;
    const struct json_node *schedule = json_get(root, STR("schedule"));
    str type = json_get_text(schedule, STR("type")), unit = json_get_text(schedule, STR("unit"));
    const struct json_node *value = json_get(schedule, STR("value"));
    w->crontab = (str){ 0 };
    w->scheduled = true;
    w->timezone = json_get_text(root, STR("timezone"));
    w->margin_s = minutes_of(root, "checkin_margin", MARGIN_DEFAULT_S, MONITOR_MARGIN_MAX_S);
    w->max_runtime_s = minutes_of(root, "max_runtime", RUNTIME_DEFAULT_S, MONITOR_RUNTIME_MAX_S);
    if (w->max_runtime_s == 0)
        w->max_runtime_s = RUNTIME_DEFAULT_S;
    w->failure_threshold = threshold_of(root, "failure_issue_threshold");
    w->recovery_threshold = threshold_of(root, "recovery_threshold");
    if (str_eq(type, STR("crontab"))) {
        w->crontab = json_text_of(value);
        return w->crontab.len ? check(w, err) : bad(err, "schedule", "has no value");
    }
    struct schedule s;
    if (!str_eq(type, STR("interval")) || !json_int_of(value, &w->every))
        return bad(err, "schedule", "is neither crontab nor interval");
    if ((r = schedule_interval(w->every, unit, &s, err)) < 0)
        return r;
    w->unit = s.unit;
    return check(w, err);
}

// ---- in the database -----------------------------------------------------------------------------------

#define MONITOR_COLUMNS                                                                            \
    "id, project, slug, name, scheduled, crontab, every, unit, timezone, margin_s, max_runtime_s," \
    " failure_threshold, recovery_threshold, muted, disabled, created_ns, trouble"

static int of_row(sqlite3_stmt *s, struct arena *arena, struct monitor *ret, struct err *err)
{
    bool failed = false;
    int64_t unit = sqlite3_column_int64(s, 7);
    *ret = (struct monitor){ .id = sqlite3_column_int64(s, 0),
                             .project = (uint32_t)sqlite3_column_int64(s, 1),
                             .slug = monitors_text(arena, s, 2, &failed),
                             .name = monitors_text(arena, s, 3, &failed),
                             .scheduled = sqlite3_column_int64(s, 4),
                             .crontab = monitors_text(arena, s, 5, &failed),
                             .every = sqlite3_column_int64(s, 6),
                             .unit = unit >= 0 && unit < UNITS ? (enum schedule_unit)unit : UNIT_DAY,
                             .timezone = monitors_text(arena, s, 8, &failed),
                             .margin_s = sqlite3_column_int64(s, 9),
                             .max_runtime_s = sqlite3_column_int64(s, 10),
                             .failure_threshold = sqlite3_column_int64(s, 11),
                             .recovery_threshold = sqlite3_column_int64(s, 12),
                             .muted = sqlite3_column_int64(s, 13),
                             .disabled = sqlite3_column_int64(s, 14),
                             .created = sqlite3_column_int64(s, 15),
                             .trouble = monitors_text(arena, s, 16, &failed) };
    db_done(s);
    return failed ? monitors_nomem(err) : 1;
}

int monitor_of(struct monitors *m, uint32_t project, str slug, struct arena *arena, struct monitor *ret,
               struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&m->db, &s, err, "SELECT " MONITOR_COLUMNS " FROM monitor WHERE project = ? AND slug = ?", "it",
                     (int64_t)project, slug);
    return r <= 0 ? r : of_row(s, arena, ret, err);
}

int monitor_of_id(struct monitors *m, int64_t id, struct arena *arena, struct monitor *ret, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&m->db, &s, err, "SELECT " MONITOR_COLUMNS " FROM monitor WHERE id = ?", "i", id);
    return r <= 0 ? r : of_row(s, arena, ret, err);
}

static int insert(struct monitors *m, const struct monitor *w, int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&m->db, &s, err, "SELECT count(*) FROM monitor", "");
    if (r < 0)
        return r;
    int64_t n = sqlite3_column_int64(s, 0);
    db_done(s);
    if (n >= MONITORS_MAX)
        return err_set(err, ERR_LIMIT, "too_many_monitors", "there are %d monitors already", MONITORS_MAX);
    r = db_run(&m->db, NULL, err,
               "INSERT INTO monitor (project, slug, name, scheduled, crontab, every, unit, timezone, margin_s,"
               " max_runtime_s, failure_threshold, recovery_threshold, muted, disabled, created_ns, trouble)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "ittitiitiiiiiiit", (int64_t)w->project, w->slug, w->name.len ? w->name : w->slug, (int64_t)w->scheduled,
               w->crontab, w->every, (int64_t)w->unit, w->timezone, w->margin_s, w->max_runtime_s, w->failure_threshold,
               w->recovery_threshold, (int64_t)w->muted, (int64_t)w->disabled, monitors_now(m), w->trouble);
    if (r == ERR_EXIST)
        err_set(err, r, "monitor_exists", "the project has a monitor \"%.*s\" already", STR_ARG(w->slug));
    if (r == 0)
        *ret_id = sqlite3_last_insert_rowid(m->db.handle);
    return r;
}

// A new schedule is counted from the last check-in on.
static int reschedule(struct monitors *m, const struct monitor *w, struct err *err)
{
    struct schedule schedule;
    struct {
        int64_t id, last;
    } list[MONITOR_ENVIRONMENTS_MAX];
    sqlite3_stmt *s;
    size_t n = 0;
    int r = w->scheduled ? monitor_schedule(w, &schedule, err) : 0;
    if (r == 0)
        r = db_query(&m->db, &s, err, "SELECT id, last_ns FROM environment WHERE monitor = ? LIMIT ?", "ii", w->id,
                     (int64_t)MONITOR_ENVIRONMENTS_MAX);
    while (r == 1) {
        list[n].id = sqlite3_column_int64(s, 0);
        list[n++].last = sqlite3_column_int64(s, 1);
        r = db_next(&m->db, s, err);
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        int64_t now = monitors_now(m), next = w->scheduled ? schedule_next(&schedule, list[i].last) : 0;
        if (next && next < now && next != INT64_MAX) // what was not due then was not missed
            next = schedule_next(&schedule, now);
        r = db_run(&m->db, NULL, err, "UPDATE environment SET next_ns = ? WHERE id = ?", "ii", next, list[i].id);
    }
    return r;
}

int monitor_write(struct monitors *m, const struct monitor *w, int64_t *ret_id, struct err *err)
{
    int changes = 0, r = check(w, err);
    if (r < 0)
        return r;
    if (!w->id)
        return insert(m, w, ret_id, err);
    r = db_run(
        &m->db, &changes, err,
        "UPDATE monitor SET slug = ?, name = ?, scheduled = ?, crontab = ?, every = ?, unit = ?, timezone = ?,"
        " margin_s = ?, max_runtime_s = ?, failure_threshold = ?, recovery_threshold = ?, muted = ?, disabled = ?,"
        " trouble = ? WHERE id = ?",
        "ttitiitiiiiiiti", w->slug, w->name.len ? w->name : w->slug, (int64_t)w->scheduled, w->crontab, w->every,
        (int64_t)w->unit, w->timezone, w->margin_s, w->max_runtime_s, w->failure_threshold, w->recovery_threshold,
        (int64_t)w->muted, (int64_t)w->disabled, w->trouble, w->id);
    if (r == 0 && !changes)
        return err_set(err, ERR_NOENT, "no_monitor", "there is no such monitor");
    *ret_id = w->id;
    return r < 0 ? r : reschedule(m, w, err);
}

// A job that was described before it has ever checked in is due from now on: one that never begins is missed, too.
static int wait_for_it(struct monitors *m, const struct monitor *w, int64_t id, struct err *err)
{
    struct schedule schedule;
    int r = w->scheduled ? monitor_schedule(w, &schedule, err) : 0;
    if (r < 0 || !w->scheduled)
        return r;
    return db_run(
        &m->db, NULL, err,
        "INSERT INTO environment (monitor, name, status, last_ns, next_ns, duration_ns, failing_since, failures,"
        " successes, waiting) SELECT ?, 'production', ?, 0, ?, -1, 0, 0, 0, 1"
        " WHERE NOT EXISTS (SELECT 1 FROM environment WHERE monitor = ?)",
        "iiii", id, (int64_t)CHECK_RUNNING, schedule_next(&schedule, monitors_now(m)), id);
}

int monitors_save(struct monitors *m, const struct monitor *what, int64_t *ret_id, struct err *err)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    int64_t id;
    int r = db_begin(&m->db, err);
    if (r < 0)
        return r;
    r = monitor_write(m, what, &id, err);
    if (r == 0)
        r = wait_for_it(m, what, id, err);
    r = db_finish(&m->db, r, err);
    if (r == 0)
        *ret_id = id;
    return r;
}

int monitors_trouble(struct monitors *m, uint32_t project, str slug, struct arena *arena, str *ret_trouble,
                     struct err *err)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    struct monitor mon = { 0 };
    pthread_mutex_lock(&m->db.lock);
    int r = monitor_of(m, project, slug, arena, &mon, err);
    pthread_mutex_unlock(&m->db.lock);
    if (r >= 0)
        *ret_trouble = mon.trouble;
    return r < 0 ? r : 0;
}

int monitors_remove(struct monitors *m, int64_t id, struct err *err)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    int changes = 0, r = db_begin(&m->db, err);
    if (r < 0)
        return r;
    r = db_run(&m->db, NULL, err,
               "DELETE FROM checkin WHERE environment IN (SELECT id FROM environment WHERE monitor = ?)", "i", id);
    if (r == 0)
        r = db_run(&m->db, NULL, err, "DELETE FROM environment WHERE monitor = ?", "i", id);
    if (r == 0)
        r = db_run(&m->db, &changes, err, "DELETE FROM monitor WHERE id = ?", "i", id);
    if (r == 0 && !changes)
        r = err_set(err, ERR_NOENT, "no_monitor", "there is no such monitor");
    return db_finish(&m->db, r, err);
}
