// issues.db: issues and who has done what with them as it happens, figures of groups at the end of each generation.
#include "base/mem.h"
#include "issues/issues_internal.h"

#include <stdio.h>

enum { LOAD_TEXT_MAX = 64 << 10 };

static const char schema_v1[] =
    "CREATE TABLE issue (id INTEGER PRIMARY KEY, project BIGINT NOT NULL, state BIGINT NOT NULL, priority BIGINT NOT "
    "NULL,"
    " created_ns BIGINT NOT NULL, since_ns BIGINT NOT NULL, merged_into BIGINT NOT NULL, more BIGINT NOT NULL,"
    " until_kind BIGINT NOT NULL, until_ns BIGINT NOT NULL, until_n BIGINT NOT NULL, until_window_s BIGINT NOT NULL,"
    " users_base BIGINT NOT NULL, resolved_kind BIGINT NOT NULL, release TEXT NOT NULL, fix TEXT NOT NULL,"
    " reason TEXT NOT NULL, assignee_kind TEXT NOT NULL, assignee TEXT NOT NULL);"
    // What was counted of the state that began at counters_of; with the figures of a generation.
    "CREATE TABLE counters (issue INTEGER PRIMARY KEY, counters_of BIGINT NOT NULL, since_n BIGINT NOT NULL,"
    " hour BIGINT NOT NULL, hour_n BIGINT NOT NULL, window_ns BIGINT NOT NULL, window_n BIGINT NOT NULL);"
    "CREATE TABLE grp (id INTEGER PRIMARY KEY, project BIGINT NOT NULL, issue BIGINT NOT NULL, hash BYTEA NOT NULL,"
    " other BIGINT NOT NULL);"
    "CREATE INDEX grp_issue ON grp (issue);"
    "CREATE TABLE figures (grp INTEGER PRIMARY KEY, events BIGINT NOT NULL, first_ns BIGINT NOT NULL,"
    " last_ns BIGINT NOT NULL, detail BYTEA NOT NULL);"
    "CREATE TABLE activity (id INTEGER PRIMARY KEY AUTOINCREMENT, issue BIGINT NOT NULL, project BIGINT NOT NULL,"
    " time_ns BIGINT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, data TEXT NOT NULL);"
    "CREATE INDEX activity_issue ON activity (issue, id);"
    // By a hash of who and what.
    "CREATE TABLE seen (key INTEGER PRIMARY KEY, time_ns BIGINT NOT NULL);"
    "CREATE TABLE state (name TEXT PRIMARY KEY, value BIGINT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO state VALUES ('passed', 0);";
static const char schema_v2[] = "CREATE INDEX activity_regressed ON activity (data) WHERE kind = 'regressed';";
static const char *const versions[] = { schema_v1, schema_v2 };

int issues_db_open(struct issues *is, bool writer, struct err *err)
{
    struct db *db = writer ? &is->writer : &is->reader;
    int r = db_open(db, is->o.path, "issues_database", writer ? DB_WRITE | DB_CREATE : 0, err);
    if (r == 0 && writer)
        r = db_migrate(db, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
    return r;
}

// ---- reading -------------------------------------------------------------------------------------------

static int corrupt(struct issues *is, struct err *err)
{
    return db_corrupt(&is->writer, err, "the issues: a row is not what was written");
}

static bool in_range(int64_t v, int64_t n) { return v >= 0 && v < n; }

static int more_of_row(struct issue *issue, sqlite3_stmt *s)
{
    struct issue_more *m = issue_more(issue);
    if (!m)
        return ERR_NOMEM;
    if (!in_range(sqlite3_column_int64(s, 8), UNTIL_USERS + 1) ||
        !in_range(sqlite3_column_int64(s, 13), RESOLVED_COMMIT + 1))
        return ERR_CORRUPT;
    m->until = (struct issue_until_rule){ .kind = (enum issue_until)sqlite3_column_int64(s, 8),
                                          .time = sqlite3_column_int64(s, 9),
                                          .n = sqlite3_column_int64(s, 10),
                                          .window_s = sqlite3_column_int64(s, 11) };
    m->users_base = (uint64_t)sqlite3_column_int64(s, 12);
    m->resolved = (enum issue_resolved)sqlite3_column_int64(s, 13);
    char **const texts[] = { &m->release, &m->commit, &m->reason, &m->assignee_kind, &m->assignee };
    for (int i = 0; i < 5; i++)
        if (issue_text_set(texts[i], db_text(s, 14 + i)) < 0)
            return ERR_NOMEM;
    return 0;
}

static int issue_of_row(struct index *x, sqlite3_stmt *s)
{
    int64_t id = sqlite3_column_int64(s, 0), state = sqlite3_column_int64(s, 2), priority = sqlite3_column_int64(s, 3);
    if (id <= 0 || id > UINT32_MAX || !in_range(state, ISSUE_STATES) || !in_range(priority, PRIORITY_HIGH + 1))
        return ERR_CORRUPT;
    struct issue *issue = mem_zalloc(sizeof *issue);
    if (!issue)
        return ERR_NOMEM;
    *issue = (struct issue){ .id = (uint32_t)id,
                             .project = (uint32_t)sqlite3_column_int64(s, 1),
                             .state = (uint8_t)state,
                             .priority = (uint8_t)priority,
                             .created = sqlite3_column_int64(s, 4),
                             .since = sqlite3_column_int64(s, 5),
                             .merged_into = (uint32_t)sqlite3_column_int64(s, 6) };
    issue->counters_of = issue->since;
    int r = index_issue_put(x, issue);
    if (r < 0) {
        mem_free(issue);
        return r;
    }
    return sqlite3_column_int64(s, 7) ? more_of_row(issue, s) : 0;
}

static int group_of_row(struct index *x, sqlite3_stmt *s)
{
    bytes hash = db_blob(s, 3);
    int64_t id = sqlite3_column_int64(s, 0);
    bool figures = sqlite3_column_type(s, 5) != SQLITE_NULL;
    if (hash.len != 16 || id <= 0 || id > UINT32_MAX)
        return ERR_CORRUPT;
    struct group *g = mem_zalloc(sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct group){ .id = (uint32_t)id,
                         .project = (uint32_t)sqlite3_column_int64(s, 1),
                         .issue = (uint32_t)sqlite3_column_int64(s, 2),
                         .other = sqlite3_column_int64(s, 4),
                         .events = figures ? (uint64_t)sqlite3_column_int64(s, 5) : 0,
                         .first = figures ? sqlite3_column_int64(s, 6) : INT64_MAX,
                         .last = figures ? sqlite3_column_int64(s, 7) : INT64_MIN };
    memcpy(g->hash, hash.ptr, 16);
    int r = index_group_put(x, g);
    if (r < 0)
        mem_free(g);
    return r;
}

static int counters_of_row(struct index *x, sqlite3_stmt *s)
{
    struct issue *issue = index_issue(x, (uint64_t)sqlite3_column_int64(s, 0));
    if (!issue)
        return 0; // it is gone
    issue->counters_of = sqlite3_column_int64(s, 1);
    issue->since_n = (uint64_t)sqlite3_column_int64(s, 2);
    issue->hour = (uint32_t)sqlite3_column_int64(s, 3);
    issue->hour_n = (uint64_t)sqlite3_column_int64(s, 4);
    if (issue->more && issue->counters_of == issue->since) {
        issue->more->window_start = sqlite3_column_int64(s, 5);
        issue->more->window_n = (uint64_t)sqlite3_column_int64(s, 6);
    }
    return 0;
}

static int seen_of_row(struct index *x, sqlite3_stmt *s)
{
    return index_seen_set(x, (uint64_t)sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
}

static int each(struct issues *is, const char *sql, int (*row)(struct index *, sqlite3_stmt *), struct index *x,
                struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&is->writer, &s, err, sql, "");
    while (r == 1) {
        int e = row(x, s);
        if (e < 0) {
            db_done(s);
            return e == ERR_CORRUPT ? corrupt(is, err) : err_set(err, e, NULL, "out of memory");
        }
        r = db_next(&is->writer, s, err);
    }
    return r;
}

int issues_db_load(struct issues *is, struct index *x, uint64_t *ret_passed, struct err *err)
{
    sqlite3_stmt *s;
    int r = each(is,
                 "SELECT id, project, state, priority, created_ns, since_ns, merged_into, more, until_kind, until_ns,"
                 " until_n, until_window_s, users_base, resolved_kind, release, fix, reason, assignee_kind, assignee"
                 " FROM issue ORDER BY id",
                 issue_of_row, x, err);
    if (r == 0)
        r = each(is,
                 "SELECT g.id, g.project, g.issue, g.hash, g.other, f.events, f.first_ns, f.last_ns FROM grp g"
                 " LEFT JOIN figures f ON f.grp = g.id ORDER BY g.id",
                 group_of_row, x, err);
    if (r == 0)
        r = each(is, "SELECT issue, counters_of, since_n, hour, hour_n, window_ns, window_n FROM counters",
                 counters_of_row, x, err);
    if (r == 0)
        r = each(is, "SELECT key, time_ns FROM seen", seen_of_row, x, err);
    if (r < 0)
        return r;
    // Numbers are not given twice, whatever has gone.
    if ((r = db_query(&is->writer, &s, err,
                      "SELECT (SELECT value FROM state WHERE name = 'passed'),"
                      " (SELECT coalesce(max(issue), 0) FROM activity), (SELECT coalesce(max(id), 0) FROM issue)",
                      "")) != 1)
        return r < 0 ? r : corrupt(is, err);
    *ret_passed = (uint64_t)sqlite3_column_int64(s, 0);
    db_done(s);
    x->issues_saved = x->issues_end;
    x->groups_saved = x->groups_end;
    return 0;
}

int issues_db_detail(struct db *db, uint32_t group, struct detail **ret_detail, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(db, &s, err, "SELECT detail FROM figures WHERE grp = ?", "i", (int64_t)group);
    if (r <= 0)
        return r;
    r = detail_decode(db_blob(s, 0), ret_detail);
    db_done(s);
    return r == ERR_CORRUPT ? db_corrupt(db, err, "the issues: figures are not what was written")
           : r < 0          ? err_set(err, r, NULL, "out of memory")
                            : 0;
}

// ---- what happens --------------------------------------------------------------------------------------

static int save_issue(struct issues *is, const struct issue *issue, struct err *err)
{
    static const struct issue_more nothing = { 0 };
    const struct issue_more *m = issue->more ? issue->more : &nothing;
    const char *texts[] = { m->release, m->commit, m->reason, m->assignee_kind, m->assignee };
    for (int i = 0; i < 5; i++)
        texts[i] = texts[i] ? texts[i] : "";
    int r = 0;
    if (issue->merged_into) // what people wrote is read where its number leads
        r = db_run(&is->writer, NULL, err, "UPDATE activity SET issue = ? WHERE issue = ? AND kind = 'comment'", "ii",
                   (int64_t)issue->merged_into, (int64_t)issue->id);
    return r < 0
               ? r
               : db_run(
                     &is->writer, NULL, err,
                     "INSERT OR REPLACE INTO issue (id, project, state, priority, created_ns, since_ns, merged_into, "
                     "more,"
                     " until_kind, until_ns, until_n, until_window_s, users_base, resolved_kind, release, fix, reason,"
                     " assignee_kind, assignee) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "iiiiiiiiiiiiiizzzzz", (int64_t)issue->id, (int64_t)issue->project, (int64_t)issue->state,
                     (int64_t)issue->priority, issue->created, issue->since, (int64_t)issue->merged_into,
                     (int64_t)(issue->more != NULL), (int64_t)m->until.kind, m->until.time, m->until.n,
                     m->until.window_s, (int64_t)m->users_base, (int64_t)m->resolved, texts[0], texts[1], texts[2],
                     texts[3], texts[4]);
}

static int save_group(struct issues *is, const struct group *g, struct err *err)
{
    return db_run(&is->writer, NULL, err,
                  "INSERT OR REPLACE INTO grp (id, project, issue, hash, other) VALUES (?, ?, ?, ?, ?)", "iiibi",
                  (int64_t)g->id, (int64_t)g->project, (int64_t)g->issue, bytes_of(g->hash, 16), (int64_t)g->other);
}

static int save_changes(struct issues *is, struct err *err)
{
    struct index *x = &is->index;
    int r = 0;
    for (uint32_t i = 0; i < x->issues_end && r == 0; i++)
        if (x->issues[i] && (x->issues[i]->changed || i >= x->issues_saved))
            r = save_issue(is, x->issues[i], err);
    for (uint32_t i = 0; i < x->groups_end && r == 0; i++)
        if (x->groups[i] && !x->groups[i]->gone && (x->groups[i]->moved || i >= x->groups_saved))
            r = save_group(is, x->groups[i], err);
    for (const struct pending *p = is->pending; p && r == 0; p = p->next) {
        const struct issue *issue = index_issue(x, p->issue);
        r = db_run(
            &is->writer, NULL, err,
            "INSERT INTO activity (issue, project, time_ns, actor, kind, text, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            "iiitttt", (int64_t)p->issue, (int64_t)(issue ? issue->project : 0), p->time, p->actor, p->kind, p->text,
            p->data);
    }
    return r;
}

int issues_db_save_now(struct issues *is, struct err *err)
{
    struct index *x = &is->index;
    int r = db_begin(&is->writer, err);
    if (r < 0)
        return r;
    // Only who holds `writing` changes memory: it can be read without `state`.
    r = db_finish(&is->writer, save_changes(is, err), err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&is->state);
    for (uint32_t i = 0; i < x->issues_end; i++)
        if (x->issues[i])
            x->issues[i]->changed = false;
    for (uint32_t i = 0; i < x->groups_end; i++)
        if (x->groups[i])
            x->groups[i]->moved = false;
    x->issues_saved = x->issues_end;
    x->groups_saved = x->groups_end;
    arena_reset(&is->pending_arena);
    is->pending = NULL;
    is->pending_tail = &is->pending;
    is->anything = false;
    pthread_mutex_unlock(&is->state);
    return 0;
}

int issues_db_seen(struct issues *is, uint64_t key, int64_t time, struct err *err)
{
    int r = db_begin(&is->writer, err);
    if (r < 0)
        return r;
    r = db_run(&is->writer, NULL, err, "INSERT OR REPLACE INTO seen (key, time_ns) VALUES (?, ?)", "ii", (int64_t)key,
               time);
    return db_finish(&is->writer, r, err);
}

// ---- figures -------------------------------------------------------------------------------------------

static int save_figures(struct issues *is, uint64_t generation, struct err *err)
{
    struct index *x = &is->index;
    struct buf blob;
    int r = 0;
    uint32_t now = minute_of(issues_now(is));
    buf_init(&blob, DETAIL_BLOB_MAX);
    for (uint32_t i = 0; i < x->groups_end && r == 0; i++) {
        struct group *g = x->groups[i];
        if (!g || !g->dirty || g->gone || !g->detail)
            continue;
        pthread_mutex_lock(&is->state);
        series_coarsen(&g->detail->series, now);
        pthread_mutex_unlock(&is->state);
        buf_clear(&blob);
        detail_encode(g->detail, &blob);
        r = blob.error ? err_set(err, blob.error, NULL, "out of memory")
                       : db_run(&is->writer, NULL, err,
                                "INSERT OR REPLACE INTO figures (grp, events, first_ns, last_ns, detail)"
                                " VALUES (?, ?, ?, ?, ?)",
                                "iiiib", (int64_t)g->id, (int64_t)g->events, g->first, g->last, buf_bytes(&blob));
    }
    buf_free(&blob);
    for (uint32_t i = 0; i < x->issues_end && r == 0; i++) {
        const struct issue *issue = x->issues[i];
        if (issue && issue->counted)
            r = db_run(
                &is->writer, NULL, err,
                "INSERT OR REPLACE INTO counters (issue, counters_of, since_n, hour, hour_n, window_ns, window_n)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                "iiiiiii", (int64_t)issue->id, issue->counters_of, (int64_t)issue->since_n, (int64_t)issue->hour,
                (int64_t)issue->hour_n, issue->more ? issue->more->window_start : (int64_t)0,
                issue->more ? (int64_t)issue->more->window_n : (int64_t)0);
    }
    if (r == 0)
        r = db_run(&is->writer, NULL, err, "UPDATE state SET value = ? WHERE name = 'passed'", "i",
                   (int64_t)generation);
    return r;
}

int issues_db_save_figures(struct issues *is, uint64_t generation, struct err *err)
{
    struct index *x = &is->index;
    int r = db_begin(&is->writer, err);
    if (r < 0)
        return r;
    r = db_finish(&is->writer, save_figures(is, generation, err), err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&is->state);
    for (uint32_t i = 0; i < x->groups_end; i++) {
        struct group *g = x->groups[i];
        if (!g || !g->dirty)
            continue;
        g->dirty = false;
        if (g->detail) { // it has grown since it was counted
            x->detail_bytes -= g->detail->bytes;
            g->detail->bytes = detail_bytes(g->detail);
            x->detail_bytes += g->detail->bytes;
        }
    }
    for (uint32_t i = 0; i < x->issues_end; i++)
        if (x->issues[i])
            x->issues[i]->counted = false;
    is->serial++;
    index_evict(x, is->serial, DETAIL_BYTES_MAX);
    pthread_mutex_unlock(&is->state);
    return 0;
}

// ---- retention -----------------------------------------------------------------------------------------

static bool is_over(const struct index *x, const struct issue *issue, int64_t before)
{
    if (!issue || issue->id >= x->issues_saved || issue->changed || issue->since >= before)
        return false;
    for (uint32_t id = issue->groups; id; id = x->groups[id]->next)
        if (x->groups[id]->last >= before || x->groups[id]->dirty || id >= x->groups_saved)
            return false;
    return true;
}

static int expire_rows(struct issues *is, int64_t before, struct err *err)
{
    struct index *x = &is->index;
    int r = 0;
    for (uint32_t i = 0; i < x->issues_end && r == 0; i++) {
        if (!is_over(x, x->issues[i], before))
            continue;
        r = db_run(&is->writer, NULL, err, "DELETE FROM figures WHERE grp IN (SELECT id FROM grp WHERE issue = ?)", "i",
                   (int64_t)i);
        if (r == 0)
            r = db_run(&is->writer, NULL, err, "DELETE FROM grp WHERE issue = ?", "i", (int64_t)i);
        if (r == 0)
            r = db_run(&is->writer, NULL, err, "DELETE FROM counters WHERE issue = ?", "i", (int64_t)i);
        if (r == 0)
            r = db_run(&is->writer, NULL, err, "DELETE FROM activity WHERE issue = ?", "i", (int64_t)i);
        // The newest stay as numbers that are taken.
        if (r == 0 && i + 1 < x->issues_end)
            r = db_run(&is->writer, NULL, err, "DELETE FROM issue WHERE id = ?", "i", (int64_t)i);
    }
    return r;
}

int issues_db_expire(struct issues *is, int64_t before, struct err *err)
{
    struct index *x = &is->index;
    int r = db_begin(&is->writer, err);
    if (r < 0)
        return r;
    r = db_finish(&is->writer, expire_rows(is, before, err), err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&is->state);
    for (uint32_t i = 0; i < x->issues_end; i++) {
        struct issue *issue = x->issues[i];
        if (!is_over(x, issue, before))
            continue;
        for (uint32_t id = issue->groups; id; id = x->groups[id]->next) {
            x->groups[id]->gone = true;
            index_detail_set(x, x->groups[id], NULL);
        }
        issue->groups = issue->groups_n = 0;
        if (i + 1 < x->issues_end) {
            index_issue_free(issue);
            x->issues[i] = NULL;
        }
    }
    pthread_mutex_unlock(&is->state);
    return 0;
}
