// What people set for a project, kept as the text that it is.
#include "base/clock.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <stdio.h>

int meta_setting_get(struct meta *m, int64_t project, const char *kind, struct arena *arena,
                     struct meta_setting *ret_setting, struct err *err)
{
    struct meta_setting s = { 0 };
    sqlite3_stmt *stmt;
    MAGIC_CHECK(m, META_MAGIC);
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT text, changed_ns, changed_by FROM project_settings WHERE project_id = ? AND kind = ?",
                     "it", project, str_z(kind));
    if (r == 1) {
        r = arena_dup(arena, db_text(stmt, 0), &s.text);
        if (r < 0)
            err_set(err, r, NULL, "out of memory");
        s.changed_ns = sqlite3_column_int64(stmt, 1);
        db_copy_text(stmt, 2, s.changed_by, sizeof s.changed_by);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r == 0)
        *ret_setting = s;
    return r;
}

// Inside a transaction.
static int setting_put(struct meta *m, str actor, int64_t project, str kind, str text, struct err *err)
{
    int changes = 0;
    int64_t now = clock_unix_ns();
    int r = db_run(&m->writer, &changes, err,
                   "UPDATE project_settings SET text = ?, changed_ns = ?, changed_by = ? WHERE project_id = ? AND kind "
                   "= ?",
                   "titit", text, now, actor, project, kind);
    if (r == 0 && changes == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO project_settings (project_id, kind, text, changed_ns, changed_by) VALUES (?, ?, ?, ?, "
                   "?)",
                   "ittit", project, kind, text, now, actor);
    return r;
}

int meta_setting_set(struct meta *m, str actor, int64_t project, const char *kind, str text, str detail,
                     struct err *err)
{
    struct meta_project p;
    char action[32];
    MAGIC_CHECK(m, META_MAGIC);
    if (text.len > META_SETTING_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "too_long", "what is set is longer than %d bytes", META_SETTING_TEXT_MAX);
    snprintf(action, sizeof action, "project.%s", kind);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = setting_put(m, actor, project, str_z(kind), text, err);
    if (r == 0)
        r = meta_audit_put(m, actor, action, str_z(p.slug), detail, err);
    r = meta_finish(m, r, err);
    if (r == 0)
        m->rules_changes++;
    return r;
}
