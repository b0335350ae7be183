// Projects.
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <stdio.h>

#define PROJECT_COLUMNS "id, slug, name, created_ns"

bool meta_slug_valid(str slug)
{
    bool letter = false;
    if (slug.len == 0 || slug.len > META_NAME_MAX || slug.ptr[0] == '-' || slug.ptr[slug.len - 1] == '-')
        return false;
    for (size_t i = 0; i < slug.len; i++) {
        char c = slug.ptr[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && c != '-' && !(c >= 'a' && c <= 'z'))
            return false;
        letter |= !digit;
    }
    return letter;
}

static void project_read(sqlite3_stmt *stmt, struct meta_project *p)
{
    memset(p, 0, sizeof *p);
    p->id = sqlite3_column_int64(stmt, 0);
    db_copy_text(stmt, 1, p->slug, sizeof p->slug);
    db_copy_text(stmt, 2, p->name, sizeof p->name);
    p->created_ns = sqlite3_column_int64(stmt, 3);
}

static int project_insert(struct meta *m, str actor, str slug, struct meta_project *p, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->writer, &stmt, err, "SELECT count(*), sum(slug = ?) FROM projects WHERE workspace_id = ?",
                     "ti", slug, m->workspace);
    if (r <= 0)
        return r;
    int64_t n = sqlite3_column_int64(stmt, 0), same = sqlite3_column_int64(stmt, 1);
    db_done(stmt);
    if (same)
        return err_set(err, ERR_EXIST, "project_exists", "there is a project %.*s already", STR_ARG(slug));
    if (n >= META_PROJECTS_MAX)
        return err_set(err, ERR_LIMIT, "too_many_projects", "a workspace holds at most %d projects", META_PROJECTS_MAX);
    memset(p, 0, sizeof *p);
    p->created_ns = clock_unix_ns();
    memcpy(p->slug, slug.ptr, slug.len);
    memcpy(p->name, slug.ptr, slug.len);
    r = meta_next_id(m, "projects", &p->id, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO projects (id, workspace_id, slug, name, created_ns) VALUES (?, ?, ?, ?, ?)", "iitti",
                   p->id, m->workspace, slug, slug, p->created_ns);
    if (r == 0)
        r = meta_audit_put(m, actor, "project.add", slug, STR(""), err);
    return r;
}

static int slug_ok(str slug, struct err *err)
{
    if (meta_slug_valid(slug))
        return 0;
    err_set(err, ERR_INVALID, "bad_slug", "\"%.*s\" is not a project name", STR_ARG(str_slice(slug, 0, META_NAME_MAX)));
    err_set_hint(err, "1 to %d of a-z, 0-9 and inner dashes, not only digits", META_NAME_MAX);
    return ERR_INVALID;
}

int meta_project_add(struct meta *m, str actor, str slug, struct meta_project *ret_project, struct err *err)
{
    struct meta_project p;
    int r = slug_ok(slug, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = meta_finish(m, project_insert(m, actor, slug, &p, err), err);
    if (r == 0)
        *ret_project = p;
    return r;
}

int meta_project_find(struct meta *m, str slug, struct meta_project *ret_project, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r =
        db_query(&m->reader, &stmt, err, "SELECT " PROJECT_COLUMNS " FROM projects WHERE workspace_id = ? AND slug = ?",
                 "it", m->workspace, slug);
    if (r == 1) {
        project_read(stmt, ret_project);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r != 0)
        return r < 0 ? r : 0;
    err_set(err, ERR_NOENT, "no_project", "there is no project \"%.*s\"", STR_ARG(str_slice(slug, 0, META_NAME_MAX)));
    err_set_hint(err, "`clew project ls` names those that there are");
    return ERR_NOENT;
}

int meta_project_get(struct meta *m, int64_t id, struct meta_project *ret_project, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r =
        db_query(&m->reader, &stmt, err, "SELECT " PROJECT_COLUMNS " FROM projects WHERE workspace_id = ? AND id = ?",
                 "ii", m->workspace, id);
    if (r == 1) {
        project_read(stmt, ret_project);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r != 0)
        return r < 0 ? r : 0;
    return err_set(err, ERR_NOENT, "no_project", "there is no project %lld", (long long)id);
}

int meta_project_list(struct meta *m, struct meta_project **ret_projects, size_t *ret_n, struct err *err)
{
    struct meta_project *list = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r =
        db_query(&m->reader, &stmt, err,
                 "SELECT " PROJECT_COLUMNS " FROM projects WHERE workspace_id = ? ORDER BY slug", "i", m->workspace);
    while (r == 1) {
        if (n == cap) {
            struct meta_project *more = mem_reallocarray(list, cap ? cap * 2 : 16, sizeof *list);
            if (!more) {
                db_done(stmt);
                r = err_set(err, ERR_NOMEM, NULL, "out of memory");
                break;
            }
            list = more;
            cap = cap ? cap * 2 : 16;
        }
        project_read(stmt, &list[n++]);
        r = db_next(&m->reader, stmt, err);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r < 0) {
        mem_free(list);
        return r;
    }
    *ret_projects = list;
    *ret_n = n;
    return 0;
}

static int project_rename(struct meta *m, str actor, struct meta_project *p, str slug, struct err *err)
{
    sqlite3_stmt *stmt;
    char detail[128];
    int r = db_query(&m->writer, &stmt, err, "SELECT id FROM projects WHERE workspace_id = ? AND slug = ?", "it",
                     m->workspace, slug);
    if (r < 0)
        return r;
    if (r == 1) {
        db_done(stmt);
        return err_set(err, ERR_EXIST, "project_exists", "there is a project %.*s already", STR_ARG(slug));
    }
    r = db_run(&m->writer, NULL, err, "UPDATE projects SET slug = ?, name = ? WHERE id = ?", "tti", slug, slug, p->id);
    snprintf(detail, sizeof detail, "now %.*s", STR_ARG(slug));
    return r < 0 ? r : meta_audit_put(m, actor, "project.rename", str_z(p->slug), str_z(detail), err);
}

int meta_project_rename(struct meta *m, str actor, int64_t project, str slug, struct meta_project *ret_project,
                        struct err *err)
{
    struct meta_project p;
    int r = slug_ok(slug, err);
    if (r == 0)
        r = meta_project_get(m, project, &p, err);
    if (r == 0 && strcmp(p.slug, "default") == 0)
        r = err_set(err, ERR_INVALID, "default_project",
                    "the project default keeps its name: senders without a key go there");
    if (r < 0)
        return r;
    if (!str_eq(slug, str_z(p.slug))) {
        r = meta_begin(m, err);
        if (r == 0)
            r = meta_finish(m, project_rename(m, actor, &p, slug, err), err);
    }
    if (r == 0) {
        memset(p.slug, 0, sizeof p.slug);
        memcpy(p.slug, slug.ptr, slug.len);
        memcpy(p.name, p.slug, sizeof p.name);
        *ret_project = p;
    }
    return r;
}
