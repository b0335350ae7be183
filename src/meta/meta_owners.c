// Who owns the code of projects, and the repositories that it lies in.
#include "base/clock.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <stdio.h>

// ---- rules ---------------------------------------------------------------------------------------------

int meta_owner_rules_get(struct meta *m, int64_t project, struct arena *arena, struct meta_owner_rules *ret_rules,
                         struct err *err)
{
    struct meta_owner_rules rules = { .auto_assign = true };
    sqlite3_stmt *stmt;
    MAGIC_CHECK(m, META_MAGIC);
    pthread_mutex_lock(&m->reader.lock);
    int r =
        db_query(&m->reader, &stmt, err,
                 "SELECT rules, codeowners, auto_assign, changed_ns, changed_by FROM owner_rules WHERE project_id = ?",
                 "i", project);
    if (r == 1) {
        r = arena_dup(arena, db_text(stmt, 0), &rules.rules);
        if (r == 0)
            r = arena_dup(arena, db_text(stmt, 1), &rules.codeowners);
        if (r < 0)
            err_set(err, r, NULL, "out of memory");
        rules.auto_assign = sqlite3_column_int64(stmt, 2) != 0;
        rules.changed_ns = sqlite3_column_int64(stmt, 3);
        db_copy_text(stmt, 4, rules.changed_by, sizeof rules.changed_by);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r == 0)
        *ret_rules = rules;
    return r;
}

// Inside a transaction.
static int rules_put(struct meta *m, str actor, const struct meta_project *p, const struct meta_owner_rules *rules,
                     struct err *err)
{
    char detail[128];
    int changes = 0;
    int64_t now = clock_unix_ns();
    int r = db_run(&m->writer, &changes, err,
                   "UPDATE owner_rules SET rules = ?, codeowners = ?, auto_assign = ?, changed_ns = ?, changed_by = ? "
                   "WHERE project_id = ?",
                   "ttiiti", rules->rules, rules->codeowners, (int64_t)rules->auto_assign, now, actor, p->id);
    if (r == 0 && changes == 0)
        r = db_run(
            &m->writer, NULL, err,
            "INSERT INTO owner_rules (project_id, rules, codeowners, auto_assign, changed_ns, changed_by) VALUES "
            "(?, ?, ?, ?, ?, ?)",
            "ittiit", p->id, rules->rules, rules->codeowners, (int64_t)rules->auto_assign, now, actor);
    snprintf(detail, sizeof detail, "rules of %zu bytes, CODEOWNERS of %zu, new issues are %s", rules->rules.len,
             rules->codeowners.len, rules->auto_assign ? "assigned" : "not assigned");
    return r < 0 ? r : meta_audit_put(m, actor, "project.owners", str_z(p->slug), str_z(detail), err);
}

int meta_owner_rules_set(struct meta *m, str actor, int64_t project, const struct meta_owner_rules *rules,
                         struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    if (rules->rules.len > META_RULES_TEXT_MAX || rules->codeowners.len > META_RULES_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "rules_too_long", "rules of one kind are longer than %d bytes",
                       META_RULES_TEXT_MAX);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    return r < 0 ? r : meta_finish(m, rules_put(m, actor, &p, rules, err), err);
}

// ---- repositories --------------------------------------------------------------------------------------

static int repository_read(sqlite3_stmt *stmt, struct arena *arena, void *row)
{
    struct meta_repository *ret = row;
    ret->id = sqlite3_column_int64(stmt, 0);
    ret->project = sqlite3_column_int64(stmt, 1);
    ret->created_ns = sqlite3_column_int64(stmt, 2);
    int r = arena_dup(arena, db_text(stmt, 3), &ret->path);
    return r < 0 ? r : arena_dup(arena, db_text(stmt, 4), &ret->prefix);
}

static const struct meta_rows repository_rows = {
    "SELECT count(*) FROM repositories WHERE project_id = ? OR ? = 0",
    "SELECT id, project_id, created_ns, path, prefix FROM repositories WHERE project_id = ? OR ? = 0 ORDER BY id",
    sizeof(struct meta_repository),
    repository_read,
};

int meta_repository_list(struct meta *m, int64_t project, struct arena *arena, struct meta_repository **ret_list,
                         size_t *ret_n, struct err *err)
{
    void *list;
    MAGIC_CHECK(m, META_MAGIC);
    int r = meta_rows_list(m, project, &repository_rows, arena, &list, ret_n, err);
    if (r == 0)
        *ret_list = list;
    return r;
}

static int repository_put(struct meta *m, str actor, const struct meta_project *p, str path, str prefix,
                          struct err *err)
{
    int64_t n, id;
    int changes = 0;
    int r = db_run(&m->writer, &changes, err, "UPDATE repositories SET prefix = ? WHERE project_id = ? AND path = ?",
                   "tit", prefix, p->id, path);
    if (r == 0 && changes == 0) {
        r = meta_count(&m->writer, p->id, repository_rows.count, &n, err);
        if (r == 0 && n >= META_REPOSITORIES_MAX)
            r = err_set(err, ERR_LIMIT, "too_many", "a project has at most %d repositories", META_REPOSITORIES_MAX);
        if (r == 0)
            r = meta_next_id(m, "repositories", &id, err);
        if (r == 0)
            r = db_run(&m->writer, NULL, err,
                       "INSERT INTO repositories (id, project_id, path, prefix, created_ns) VALUES (?, ?, ?, ?, ?)",
                       "iitti", id, p->id, path, prefix, clock_unix_ns());
    }
    return r < 0 ? r : meta_audit_put(m, actor, "project.repo.add", str_z(p->slug), path, err);
}

int meta_repository_add(struct meta *m, str actor, int64_t project, str path, str prefix, struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    if (path.len == 0 || path.len > META_PATH_MAX || prefix.len > META_PATH_MAX)
        return err_set(err, ERR_INVALID, "bad_path", "a path has 1 to %d bytes", META_PATH_MAX);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    return r < 0 ? r : meta_finish(m, repository_put(m, actor, &p, path, prefix, err), err);
}

static int repository_drop(struct meta *m, str actor, const struct meta_project *p, str path, struct err *err)
{
    int changes = 0;
    int r = db_run(&m->writer, &changes, err, "DELETE FROM repositories WHERE project_id = ? AND path = ?", "it", p->id,
                   path);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOENT, "no_repository", "project %s has no repository %.*s", p->slug, STR_ARG(path));
    return r < 0 ? r : meta_audit_put(m, actor, "project.repo.remove", str_z(p->slug), path, err);
}

int meta_repository_remove(struct meta *m, str actor, int64_t project, str path, struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    return r < 0 ? r : meta_finish(m, repository_drop(m, actor, &p, path, err), err);
}
