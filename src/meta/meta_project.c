// Projects and their public DSN keys.
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <sodium.h>
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
    meta_copy_text(stmt, 1, p->slug, sizeof p->slug);
    meta_copy_text(stmt, 2, p->name, sizeof p->name);
    p->created_ns = sqlite3_column_int64(stmt, 3);
}

static int project_insert(struct meta *m, str actor, str slug, struct meta_project *p, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = meta_query(&m->writer, &stmt, err, "SELECT count(*), sum(slug = ?) FROM projects WHERE workspace_id = ?",
                       "ti", slug, m->workspace);
    if (r <= 0)
        return r;
    int64_t n = sqlite3_column_int64(stmt, 0), same = sqlite3_column_int64(stmt, 1);
    meta_done(stmt);
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
        r = meta_run(&m->writer, NULL, err,
                     "INSERT INTO projects (id, workspace_id, slug, name, created_ns) VALUES (?, ?, ?, ?, ?)", "iitti",
                     p->id, m->workspace, slug, slug, p->created_ns);
    if (r == 0)
        r = meta_audit_put(m, actor, "project.add", slug, STR(""), err);
    return r;
}

int meta_project_add(struct meta *m, str actor, str slug, struct meta_project *ret_project, struct err *err)
{
    struct meta_project p;
    if (!meta_slug_valid(slug)) {
        err_set(err, ERR_INVALID, "bad_slug", "\"%.*s\" is not a project name",
                STR_ARG(str_slice(slug, 0, META_NAME_MAX)));
        err_set_hint(err, "1 to %d of a-z, 0-9 and inner dashes, not only digits", META_NAME_MAX);
        return ERR_INVALID;
    }
    int r = meta_begin(m, err);
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
    int r = meta_query(&m->reader, &stmt, err,
                       "SELECT " PROJECT_COLUMNS " FROM projects WHERE workspace_id = ? AND slug = ?", "it",
                       m->workspace, slug);
    if (r == 1) {
        project_read(stmt, ret_project);
        meta_done(stmt);
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
        meta_query(&m->reader, &stmt, err, "SELECT " PROJECT_COLUMNS " FROM projects WHERE workspace_id = ? AND id = ?",
                   "ii", m->workspace, id);
    if (r == 1) {
        project_read(stmt, ret_project);
        meta_done(stmt);
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
        meta_query(&m->reader, &stmt, err,
                   "SELECT " PROJECT_COLUMNS " FROM projects WHERE workspace_id = ? ORDER BY slug", "i", m->workspace);
    while (r == 1) {
        if (n == cap) {
            struct meta_project *more = mem_reallocarray(list, cap ? cap * 2 : 16, sizeof *list);
            if (!more) {
                meta_done(stmt);
                r = err_set(err, ERR_NOMEM, NULL, "out of memory");
                break;
            }
            list = more;
            cap = cap ? cap * 2 : 16;
        }
        project_read(stmt, &list[n++]);
        r = meta_next(&m->reader, stmt, err);
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

static int dsn_key_get_or_make(struct meta *m, str actor, int64_t project, char *key, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = meta_query(&m->writer, &stmt, err,
                       "SELECT public_key FROM dsn_keys WHERE project_id = ? AND revoked_ns = 0 ORDER BY id LIMIT 1",
                       "i", project);
    if (r < 0)
        return r;
    if (r == 1) {
        meta_copy_text(stmt, 0, key, META_SECRET_MAX);
        meta_done(stmt);
        return 0;
    }
    uint8_t raw[16];
    int64_t id;
    char target[32];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(key, META_SECRET_MAX, raw, sizeof raw);
    snprintf(target, sizeof target, "project %lld", (long long)project);
    r = meta_next_id(m, "dsn_keys", &id, err);
    if (r == 0)
        r = meta_run(&m->writer, NULL, err,
                     "INSERT INTO dsn_keys (id, project_id, public_key, created_ns, revoked_ns) VALUES (?, ?, ?, ?, 0)",
                     "iizi", id, project, key, clock_unix_ns());
    if (r == 0)
        r = meta_audit_put(m, actor, "dsn_key.add", str_z(target), STR(""), err);
    return r;
}

// 1 when the project has one.
static int dsn_key_read(struct meta *m, int64_t project, char *key, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r = meta_query(&m->reader, &stmt, err,
                       "SELECT public_key FROM dsn_keys WHERE project_id = ? AND revoked_ns = 0 ORDER BY id LIMIT 1",
                       "i", project);
    if (r == 1) {
        meta_copy_text(stmt, 0, key, META_SECRET_MAX);
        meta_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    return r;
}

int meta_project_dsn_key(struct meta *m, str actor, int64_t project, char ret_key[META_SECRET_MAX], struct err *err)
{
    struct meta_project p;
    char key[META_SECRET_MAX];
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = dsn_key_read(m, project, key, err);
    if (r == 0) {
        r = meta_begin(m, err);
        if (r == 0)
            r = meta_finish(m, dsn_key_get_or_make(m, actor, project, key, err), err);
        if (r == 0)
            meta_cache_reload(m, NULL); // if this fails, the first use of the key reads again
    }
    if (r < 0)
        return r;
    memcpy(ret_key, key, sizeof key);
    return 0;
}
