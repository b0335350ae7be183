// What fired, once each, and which messages that makes.
#include "alerts/alerts_internal.h"

// The message of this rule to this channel that was not tried yet takes the firing along. Otherwise a new one goes out
// at once, or when the time to collect after the last one is over.
static int tell(struct alerts *a, const struct alert_rule *rule, int64_t channel, int64_t firing, int64_t now,
                struct err *err)
{
    sqlite3_stmt *s;
    int64_t delivery = 0, last = 0;
    int r = db_query(&a->db, &s, err,
                     "SELECT id, state, attempts, due_ns, created_ns FROM delivery WHERE rule = ? AND channel = ?"
                     " ORDER BY id DESC LIMIT 1",
                     "ii", rule->id, channel);
    if (r < 0)
        return r;
    if (r == 1) {
        bool waits = str_eq(db_text(s, 1), STR("waiting")) && sqlite3_column_int64(s, 2) == 0;
        delivery = waits ? sqlite3_column_int64(s, 0) : 0;
        last = sqlite3_column_int64(s, 3);
        db_done(s);
    }
    if (!delivery) {
        int64_t due = last ? last + rule->collect_s * NS_PER_S : now;
        r = db_run(
            &a->db, NULL, err,
            "INSERT INTO delivery (rule, rule_name, channel, state, attempts, created_ns, due_ns, done_ns, answer)"
            " VALUES (?, ?, ?, 'waiting', 0, ?, ?, 0, '')",
            "itiii", rule->id, rule->name, channel, now, due > now ? due : now);
        if (r < 0)
            return r;
        delivery = sqlite3_last_insert_rowid(a->db.handle);
    }
    return db_run(&a->db, NULL, err, "INSERT OR IGNORE INTO delivery_firing (delivery, firing) VALUES (?, ?)", "ii",
                  delivery, firing);
}

static int tell_all(struct alerts *a, const struct alert_rule *rule, int64_t firing, int64_t now, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < rule->channels_n && r == 0; i++)
        r = tell(a, rule, rule->channels[i], firing, now, err);
    return r;
}

// Was the subject told of within the cool-down?
static int is_cooling(struct alerts *a, const struct firing_new *f, int64_t now, bool *ret, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&a->db, &s, err,
                     "SELECT 1 FROM firing WHERE rule = ? AND subject = ? AND time_ns > ? AND suppressed = '' LIMIT 1",
                     "iti", f->rule->id, f->subject, now - f->rule->cooldown_s * NS_PER_S);
    *ret = r == 1;
    if (r == 1)
        db_done(s);
    return r < 0 ? r : 0;
}

int firing_add(struct alerts *a, const struct firing_new *f, int64_t now, struct err *err)
{
    bool cooling = false;
    int changes = 0, r = is_cooling(a, f, now, &cooling, err);
    if (r < 0)
        return r;
    const char *suppressed = f->rule->snoozed_until > now ? "snoozed" : cooling ? "cooldown" : "";
    r = db_run(&a->db, &changes, err,
               "INSERT OR IGNORE INTO firing (rule, rule_name, key, subject, kind, project, issue, time_ns, closed_ns,"
               " lasting, value, title, text, suppressed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "itttziiiiidttz", f->rule->id, f->rule->name, f->key, f->subject, f->kind, (int64_t)f->project, f->issue,
               now, f->lasting ? (int64_t)0 : now, (int64_t)f->lasting, f->value, f->title, f->text, suppressed);
    if (r < 0 || !changes)
        return r;
    if (suppressed[0]) {
        atomic_fetch_add(&a->suppressed, 1);
        return 0;
    }
    atomic_fetch_add(&a->fired, 1);
    return tell_all(a, f->rule, sqlite3_last_insert_rowid(a->db.handle), now, err);
}

int firings_open(struct alerts *a, int64_t rule, const char *kind, struct arena *arena, struct firing_open **ret,
                 size_t *ret_n, struct err *err)
{
    struct firing_open *list = arena_alloc_array(arena, ALERT_SUBJECTS_MAX * 2, sizeof *list);
    sqlite3_stmt *s;
    size_t n = 0;
    bool failed = !list;
    if (failed)
        return alerts_nomem(err);
    int r = db_query(&a->db, &s, err,
                     "SELECT id, issue, project, subject FROM firing WHERE rule = ? AND closed_ns = 0 AND kind = ?",
                     "iz", rule, kind);
    while (r == 1 && n < ALERT_SUBJECTS_MAX * 2 && !failed) {
        list[n++] = (struct firing_open){ .id = sqlite3_column_int64(s, 0),
                                          .issue = sqlite3_column_int64(s, 1),
                                          .project = (uint32_t)sqlite3_column_int64(s, 2),
                                          .subject = alerts_text(arena, s, 3, &failed) };
        r = db_next(&a->db, s, err);
    }
    if (r == 1)
        db_done(s);
    if (r < 0 || failed)
        return r < 0 ? r : alerts_nomem(err);
    *ret = list;
    *ret_n = n;
    return 0;
}

int firing_close(struct alerts *a, const struct alert_rule *rule, const struct firing_open *f, const double *value,
                 int64_t now, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_run(&a->db, NULL, err, "UPDATE firing SET closed_ns = ? WHERE id = ?", "ii", now, f->id);
    if (r == 0 && value)
        r = db_run(&a->db, NULL, err, "UPDATE firing SET over_value = ? WHERE id = ?", "di", *value, f->id);
    if (r < 0 || !rule->recovery || rule->snoozed_until > now)
        return r;
    // Nobody hears that something is over who did not hear of it.
    r = db_query(&a->db, &s, err, "SELECT 1 FROM firing WHERE id = ? AND suppressed = ''", "i", f->id);
    if (r <= 0)
        return r;
    db_done(s);
    return tell_all(a, rule, f->id, now, err);
}

int firings_trim(struct alerts *a, int64_t now, struct err *err)
{
    int r = db_begin(&a->db, err);
    if (r < 0)
        return r;
    int64_t before = now - ALERT_KEEP_S * NS_PER_S;
    r = db_run(&a->db, NULL, err, "DELETE FROM delivery WHERE state <> 'waiting' AND created_ns < ?", "i", before);
    if (r == 0)
        r = db_run(
            &a->db, NULL, err,
            "DELETE FROM firing WHERE closed_ns <> 0 AND (time_ns < ? OR id <= (SELECT max(id) FROM firing) - ?)", "ii",
            before, (int64_t)ALERT_KEEP_FIRINGS);
    if (r == 0)
        r = db_run(&a->db, NULL, err,
                   "DELETE FROM delivery_firing WHERE delivery NOT IN (SELECT id FROM delivery)"
                   " OR firing NOT IN (SELECT id FROM firing)",
                   "");
    return db_finish(&a->db, r, err);
}

// ---- lists ---------------------------------------------------------------------------------------------

static int list_of(struct alerts *a, const char *sql, int64_t rule, int64_t before, size_t n, struct arena *arena,
                   size_t size, bool (*row)(sqlite3_stmt *s, struct arena *arena, void *at), void **ret, size_t *ret_n,
                   struct err *err)
{
    n = n > ALERT_LIST_MAX ? ALERT_LIST_MAX : n;
    char *list = arena_alloc_array(arena, n + 1, size);
    sqlite3_stmt *s;
    size_t got = 0;
    bool ok = list != NULL;
    if (!ok)
        return alerts_nomem(err);
    pthread_mutex_lock(&a->db.lock);
    int r = db_query(&a->db, &s, err, sql, "iiiii", rule, rule, before, before, (int64_t)n);
    while (r == 1 && got < n && ok) {
        ok = row(s, arena, list + got++ * size);
        r = db_next(&a->db, s, err);
    }
    if (r == 1)
        db_done(s);
    pthread_mutex_unlock(&a->db.lock);
    if (r < 0 || !ok)
        return r < 0 ? r : alerts_nomem(err);
    *ret = list;
    *ret_n = got;
    return 0;
}

static bool firing_row(sqlite3_stmt *s, struct arena *arena, void *at)
{
    bool failed = false;
    *(struct alert_firing *)at = (struct alert_firing){ .id = sqlite3_column_int64(s, 0),
                                                        .rule = sqlite3_column_int64(s, 1),
                                                        .rule_name = alerts_text(arena, s, 2, &failed),
                                                        .subject = alerts_text(arena, s, 3, &failed),
                                                        .kind = alerts_text(arena, s, 4, &failed),
                                                        .project = (uint32_t)sqlite3_column_int64(s, 5),
                                                        .issue = sqlite3_column_int64(s, 6),
                                                        .time = sqlite3_column_int64(s, 7),
                                                        .closed = sqlite3_column_int64(s, 8),
                                                        .lasting = sqlite3_column_int64(s, 9),
                                                        .value = sqlite3_column_double(s, 10),
                                                        .title = alerts_text(arena, s, 11, &failed),
                                                        .text = alerts_text(arena, s, 12, &failed),
                                                        .suppressed = alerts_text(arena, s, 13, &failed),
                                                        .has_over_value = sqlite3_column_type(s, 14) != SQLITE_NULL,
                                                        .over_value = sqlite3_column_double(s, 14) };
    return !failed;
}

#define FIRING_COLUMNS                                                                                                 \
    "id, rule, rule_name, subject, kind, project, issue, time_ns, closed_ns, lasting, value, title, text, suppressed," \
    " over_value"

int alerts_firings(struct alerts *a, int64_t rule, int64_t before, size_t n, struct arena *arena,
                   struct alert_firing **ret_list, size_t *ret_n, struct err *err)
{
    void *list = NULL;
    int r = list_of(a,
                    "SELECT " FIRING_COLUMNS " FROM firing WHERE (? = 0 OR rule = ?) AND (? = 0 OR id < ?)"
                    " ORDER BY id DESC LIMIT ?",
                    rule, before, n, arena, sizeof **ret_list, firing_row, &list, ret_n, err);
    if (r == 0)
        *ret_list = list;
    return r;
}

static bool delivery_row(sqlite3_stmt *s, struct arena *arena, void *at)
{
    bool failed = false;
    *(struct alert_delivery *)at = (struct alert_delivery){ .id = sqlite3_column_int64(s, 0),
                                                            .rule = sqlite3_column_int64(s, 1),
                                                            .rule_name = alerts_text(arena, s, 2, &failed),
                                                            .channel = sqlite3_column_int64(s, 3),
                                                            .channel_name = alerts_text(arena, s, 4, &failed),
                                                            .state = alerts_text(arena, s, 5, &failed),
                                                            .attempts = sqlite3_column_int64(s, 6),
                                                            .created = sqlite3_column_int64(s, 7),
                                                            .due = sqlite3_column_int64(s, 8),
                                                            .done = sqlite3_column_int64(s, 9),
                                                            .answer = alerts_text(arena, s, 10, &failed),
                                                            .firings = sqlite3_column_int64(s, 11) };
    return !failed;
}

int alerts_deliveries(struct alerts *a, int64_t rule, int64_t before, size_t n, struct arena *arena,
                      struct alert_delivery **ret_list, size_t *ret_n, struct err *err)
{
    void *list = NULL;
    int r = list_of(a,
                    "SELECT d.id, d.rule, d.rule_name, d.channel, coalesce(c.name, ''), d.state, d.attempts,"
                    " d.created_ns, d.due_ns, d.done_ns, d.answer,"
                    " (SELECT count(*) FROM delivery_firing x WHERE x.delivery = d.id) FROM delivery d"
                    " LEFT JOIN channel c ON c.id = d.channel WHERE (? = 0 OR d.rule = ?) AND (? = 0 OR d.id < ?)"
                    " ORDER BY d.id DESC LIMIT ?",
                    rule, before, n, arena, sizeof **ret_list, delivery_row, &list, ret_n, err);
    if (r == 0)
        *ret_list = list;
    return r;
}
