// What people set for a project, kept as the text that it is.
#include "base/clock.h"
#include "base/hex.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <stdio.h>
#include <sys/random.h>

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

// ---- the project's key

enum { SECRET = 32 };

// ERR_NOENT: there is none yet.
static int secret_read(struct db *db, int64_t project, uint8_t ret_secret[SECRET], struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(db, &stmt, err, "SELECT text FROM project_settings WHERE project_id = ? AND kind = 'secret'", "i",
                     project);
    if (r != 1)
        return r < 0 ? r : ERR_NOENT;
    str text = db_text(stmt, 0);
    bool good = text.len == 2 * SECRET && hex_decode(ret_secret, text);
    db_done(stmt);
    return good ? 0 : err_set(err, ERR_CORRUPT, NULL, "the project's secret is none");
}

int meta_project_secret(struct meta *m, int64_t project, uint8_t ret_secret[SECRET], struct err *err)
{
    struct meta_project p;
    char text[2 * SECRET];
    MAGIC_CHECK(m, META_MAGIC);
    pthread_mutex_lock(&m->reader.lock);
    int r = secret_read(&m->reader, project, ret_secret, err);
    pthread_mutex_unlock(&m->reader.lock);
    if (r != ERR_NOENT)
        return r;
    r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = secret_read(&m->writer, project, ret_secret, err); // somebody was faster
    if (r == ERR_NOENT) {
        must(getrandom(ret_secret, SECRET, 0) == SECRET);
        hex_encode(text, ret_secret, SECRET);
        r = setting_put(m, STR("server"), project, STR("secret"), str_of(text, sizeof text), err);
    }
    return meta_finish(m, r, err);
}
