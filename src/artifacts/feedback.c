#include "artifacts/feedback.h"

#include "artifacts/artifacts_internal.h"
#include "base/clock.h"
#include "base/must.h"

static str cut(str s) { return text_cut(s, FEEDBACK_TEXT_MAX); }

int feedback_put(struct artifacts *a, const struct feedback *f, struct err *err)
{
    sqlite3_stmt *s = NULL;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    int r = db_begin(&a->writer, err);
    if (r < 0)
        return r;
    r = db_query(&a->writer, &s, err,
                 "SELECT id FROM feedback WHERE event = ? AND project = ? AND own = ? AND name = ? AND email = ?"
                 " AND comments = ?",
                 "titttt", cut(f->event), (int64_t)f->project, cut(f->own), cut(f->name), cut(f->email),
                 cut(f->comments));
    if (r > 0)
        db_done(s);
    else if (r == 0)
        r = db_run(&a->writer, NULL, err,
                   "INSERT INTO feedback (project, event, own, replay, trace, name, email, comments, url, source, time,"
                   " received) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "itttttttttii", (int64_t)f->project, cut(f->event), cut(f->own), cut(f->replay), cut(f->trace),
                   cut(f->name), cut(f->email), cut(f->comments), cut(f->url), cut(f->source), f->time,
                   f->received ? f->received : clock_unix_ns());
    return db_finish(&a->writer, r < 0 ? r : 0, err);
}

#define COLUMNS \
    "id, project, time, received, event, own, replay, trace, name, email, comments, url, source FROM feedback"

static int row_read(sqlite3_stmt *s, struct arena *arena, struct feedback *out, struct err *err)
{
    *out = (struct feedback){ .id = sqlite3_column_int64(s, 0),
                              .project = (uint32_t)sqlite3_column_int64(s, 1),
                              .time = sqlite3_column_int64(s, 2),
                              .received = sqlite3_column_int64(s, 3) };
    str *const texts[] = { &out->event, &out->own,      &out->replay, &out->trace, &out->name,
                           &out->email, &out->comments, &out->url,    &out->source };
    for (int i = 0; i < 9; i++)
        if (arena_dup(arena, db_text(s, 4 + i), texts[i]) < 0)
            return err_set(err, ERR_NOMEM, NULL, "out of memory");
    return 0;
}

static bool may_see(const uint32_t *projects, size_t n, uint32_t project)
{
    for (size_t i = 0; projects && i < n; i++)
        if (projects[i] == project)
            return true;
    return !projects;
}

// The rest of a search, with its lock held, which is given back.
static int read_all(struct artifacts *a, sqlite3_stmt *s, int r, const uint32_t *projects, size_t projects_n,
                    uint32_t limit, struct arena *arena, struct feedback **ret_feedback, size_t *ret_n, struct err *err)
{
    struct feedback *all = arena_alloc_array(arena, limit, sizeof *all);
    size_t n = 0;
    if (!all && r >= 0)
        r = err_set(err, ERR_NOMEM, NULL, "out of memory");
    while (r > 0 && n < limit) {
        if (may_see(projects, projects_n, (uint32_t)sqlite3_column_int64(s, 1)))
            r = row_read(s, arena, &all[n++], err);
        if (r >= 0)
            r = db_next(&a->reader, s, err);
    }
    if (s)
        db_done(s);
    pthread_mutex_unlock(&a->reader.lock);
    if (r < 0)
        return r;
    *ret_feedback = all;
    *ret_n = n;
    return 0;
}

int feedback_of_event(struct artifacts *a, uint32_t project, str event, struct arena *arena,
                      struct feedback **ret_feedback, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s = NULL;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    pthread_mutex_lock(&a->reader.lock);
    int r =
        db_query(&a->reader, &s, err, "SELECT " COLUMNS " WHERE event = ? AND project = ? ORDER BY time, id LIMIT 1000",
                 "ti", event, (int64_t)project);
    return read_all(a, s, r, NULL, 0, FEEDBACK_LIST_MAX, arena, ret_feedback, ret_n, err);
}

int feedback_newest(struct artifacts *a, const uint32_t *projects, size_t projects_n, uint32_t limit,
                    struct arena *arena, struct feedback **ret_feedback, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s = NULL;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    pthread_mutex_lock(&a->reader.lock);
    int r = db_query(&a->reader, &s, err, "SELECT " COLUMNS " ORDER BY received DESC, id DESC", "");
    return read_all(a, s, r, projects, projects_n, limit && limit < FEEDBACK_LIST_MAX ? limit : FEEDBACK_LIST_MAX,
                    arena, ret_feedback, ret_n, err);
}

int feedback_expire(struct artifacts *a, int64_t before, struct err *err)
{
    int r = db_begin(&a->writer, err);
    if (r < 0)
        return r;
    return db_finish(&a->writer, db_run(&a->writer, NULL, err, "DELETE FROM feedback WHERE received < ?", "i", before),
                     err);
}
