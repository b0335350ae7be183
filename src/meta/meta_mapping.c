// Where in which repository the files of a project's frames stand.
#include "base/clock.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <stdio.h>

static int mapping_read(sqlite3_stmt *stmt, struct arena *arena, void *row)
{
    struct meta_mapping *ret = row;
    str *texts[] = { &ret->stack_root, &ret->source_root, &ret->repository, &ret->branch, &ret->changed_by };
    int r = 0;
    ret->id = sqlite3_column_int64(stmt, 0);
    ret->project = sqlite3_column_int64(stmt, 1);
    ret->changed_ns = sqlite3_column_int64(stmt, 2);
    for (int i = 0; i < 5 && r == 0; i++)
        r = arena_dup(arena, db_text(stmt, 3 + i), texts[i]);
    return r;
}

static const struct meta_rows mapping_rows = {
    "SELECT count(*) FROM code_mappings WHERE project_id = ? AND ? > 0",
    "SELECT id, project_id, changed_ns, stack_root, source_root, repository, branch, changed_by FROM code_mappings "
    "WHERE project_id = ? AND ? > 0 ORDER BY length(stack_root) DESC, id",
    sizeof(struct meta_mapping),
    mapping_read,
};

int meta_mapping_list(struct meta *m, int64_t project, struct arena *arena, struct meta_mapping **ret_list,
                      size_t *ret_n, struct err *err)
{
    void *list;
    MAGIC_CHECK(m, META_MAGIC);
    int r = meta_rows_list(m, project, &mapping_rows, arena, &list, ret_n, err);
    if (r == 0)
        *ret_list = list;
    return r;
}

static int no_mapping(const struct meta_project *p, struct err *err)
{
    return err_set(err, ERR_NOENT, "no_mapping", "project %s has no such code mapping", p->slug);
}

static bool roots_ok(const struct meta_mapping *k)
{
    return k->stack_root.len && k->stack_root.len <= META_ROOT_MAX && k->source_root.len <= META_ROOT_MAX;
}

// Inside a transaction. count: how many the project has. id: of one that is made.
static int mapping_put(struct meta *m, str actor, int64_t project, const struct meta_mapping *k, int64_t *count,
                       int64_t *ret_id, enum meta_mapping_put *ret_put, struct err *err)
{
    int64_t now = clock_unix_ns();
    int changes = 0;
    *ret_put = META_MAPPING_REFUSED;
    if (!roots_ok(k))
        return 0;
    int r = db_run(&m->writer, &changes, err,
                   "UPDATE code_mappings SET repository = ?, branch = ?, changed_ns = ?, changed_by = ? WHERE "
                   "project_id = ? AND stack_root = ? AND source_root = ?",
                   "ttititt", k->repository, k->branch, now, actor, project, k->stack_root, k->source_root);
    if (r < 0 || changes > 0) {
        *ret_put = META_MAPPING_UPDATED;
        return r;
    }
    if (*count >= META_MAPPINGS_MAX)
        return 0;
    r = meta_next_id(m, "code_mappings", ret_id, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO code_mappings (id, project_id, stack_root, source_root, repository, branch, "
                   "changed_ns, changed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   "iittttit", *ret_id, project, k->stack_root, k->source_root, k->repository, k->branch, now, actor);
    *ret_put = META_MAPPING_CREATED;
    ++*count;
    return r;
}

static int mappings_put(struct meta *m, str actor, const struct meta_project *p, const struct meta_mapping *list,
                        size_t n, enum meta_mapping_put *ret_puts, struct err *err)
{
    char detail[96];
    int64_t count, id;
    size_t kept = 0;
    int r = meta_count(&m->writer, p->id, mapping_rows.count, &count, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = mapping_put(m, actor, p->id, &list[i], &count, &id, &ret_puts[i], err);
        kept += ret_puts[i] != META_MAPPING_REFUSED;
    }
    if (r < 0 || kept == 0)
        return r;
    snprintf(detail, sizeof detail, "%zu; the project has %lld", kept, (long long)count);
    return meta_audit_put(m, actor, "project.mapping.add", str_z(p->slug), str_z(detail), err);
}

static int names_ok(const struct meta_mapping *k, struct err *err)
{
    if (k->repository.len == 0 || k->repository.len > META_REPOSITORY_NAME_MAX) {
        err_set(err, ERR_INVALID, "bad_repository", "a repository's name has 1 to %d bytes", META_REPOSITORY_NAME_MAX);
        err_set_place(err, "repository");
        return ERR_INVALID;
    }
    if (k->branch.len == 0 || k->branch.len > META_BRANCH_MAX) {
        err_set(err, ERR_INVALID, "bad_branch", "a branch's name has 1 to %d bytes", META_BRANCH_MAX);
        err_set_place(err, "branch");
        return ERR_INVALID;
    }
    return 0;
}

int meta_mapping_put(struct meta *m, str actor, int64_t project, const struct meta_mapping *list, size_t n,
                     enum meta_mapping_put *ret_puts, struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = names_ok(&list[i], err);
    if (r == 0)
        r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    return r < 0 ? r : meta_finish(m, mappings_put(m, actor, &p, list, n, ret_puts, err), err);
}

// ---- one, by hand ----------------------------------------------------------------------------------------

static bool has_control(str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static int whole_ok(const struct meta_mapping *k, struct err *err)
{
    const struct {
        const char *place;
        str text;
    } texts[] = { { "stack_root", k->stack_root },
                  { "source_root", k->source_root },
                  { "repository", k->repository },
                  { "branch", k->branch } };
    int r = names_ok(k, err);
    if (r == 0 && !roots_ok(k)) {
        bool stack = k->stack_root.len == 0 || k->stack_root.len > META_ROOT_MAX;
        r = stack ? err_set(err, ERR_INVALID, "bad_stack_root", "a stack root has 1 to %d bytes", META_ROOT_MAX)
                  : err_set(err, ERR_INVALID, "bad_source_root", "a source root has at most %d bytes", META_ROOT_MAX);
        err_set_place(err, stack ? "stack_root" : "source_root");
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts && r == 0; i++)
        if (has_control(texts[i].text)) {
            r = err_set(err, ERR_INVALID, "control_character", "a line break or other control character is in it");
            err_set_place(err, "%s", texts[i].place);
        }
    return r;
}

// Another of the project with the same roots.
static int is_free(struct meta *m, const struct meta_project *p, int64_t id, const struct meta_mapping *k,
                   struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->writer, &stmt, err,
                     "SELECT id FROM code_mappings WHERE project_id = ? AND stack_root = ? AND source_root = ? AND "
                     "id <> ?",
                     "itti", p->id, k->stack_root, k->source_root, id);
    if (r <= 0)
        return r;
    db_done(stmt);
    r = err_set(err, ERR_EXIST, "mapping_exists", "project %s has a code mapping of these two roots already", p->slug);
    err_set_hint(err, "change that one, or name another source root");
    return r;
}

static int mapping_add(struct meta *m, str actor, const struct meta_project *p, const struct meta_mapping *k,
                       int64_t *ret_id, struct err *err)
{
    enum meta_mapping_put put;
    int64_t count;
    int r = meta_count(&m->writer, p->id, mapping_rows.count, &count, err);
    if (r == 0)
        r = mapping_put(m, actor, p->id, k, &count, ret_id, &put, err);
    if (r == 0 && put == META_MAPPING_REFUSED)
        r = err_set(err, ERR_LIMIT, "too_many_mappings", "the project has %d code mappings already", META_MAPPINGS_MAX);
    return r;
}

static int mapping_change(struct meta *m, str actor, const struct meta_project *p, int64_t id,
                          const struct meta_mapping *k, struct err *err)
{
    int changes = 0;
    int r =
        db_run(&m->writer, &changes, err,
               "UPDATE code_mappings SET stack_root = ?, source_root = ?, repository = ?, branch = ?, "
               "changed_ns = ?, changed_by = ? WHERE project_id = ? AND id = ?",
               "ttttitii", k->stack_root, k->source_root, k->repository, k->branch, clock_unix_ns(), actor, p->id, id);
    return r < 0 || changes ? r : no_mapping(p, err);
}

static int mapping_set(struct meta *m, str actor, const struct meta_project *p, int64_t id,
                       const struct meta_mapping *k, int64_t *ret_id, struct err *err)
{
    char detail[2 * META_ROOT_MAX + 16];
    int r = is_free(m, p, id, k, err);
    *ret_id = id;
    if (r == 0)
        r = id ? mapping_change(m, actor, p, id, k, err) : mapping_add(m, actor, p, k, ret_id, err);
    if (r < 0)
        return r;
    snprintf(detail, sizeof detail, "%.*s: %.*s", STR_ARG(k->stack_root), STR_ARG(k->source_root));
    return meta_audit_put(m, actor, id ? "project.mapping.change" : "project.mapping.add", str_z(p->slug),
                          str_z(detail), err);
}

int meta_mapping_set(struct meta *m, str actor, int64_t project, int64_t id, const struct meta_mapping *k,
                     int64_t *ret_id, struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    int r = whole_ok(k, err);
    if (r == 0)
        r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    return r < 0 ? r : meta_finish(m, mapping_set(m, actor, &p, id, k, ret_id, err), err);
}

static int mapping_drop(struct meta *m, str actor, const struct meta_project *p, int64_t id, struct err *err)
{
    struct meta_mapping k;
    char detail[2 * META_ROOT_MAX + 16];
    sqlite3_stmt *stmt;
    int r =
        db_query(&m->writer, &stmt, err,
                 "SELECT stack_root, source_root FROM code_mappings WHERE project_id = ? AND id = ?", "ii", p->id, id);
    if (r == 0)
        return no_mapping(p, err);
    if (r < 0)
        return r;
    k = (struct meta_mapping){ .stack_root = db_text(stmt, 0), .source_root = db_text(stmt, 1) };
    snprintf(detail, sizeof detail, "%.*s: %.*s", STR_ARG(k.stack_root), STR_ARG(k.source_root));
    db_done(stmt);
    r = db_run(&m->writer, NULL, err, "DELETE FROM code_mappings WHERE project_id = ? AND id = ?", "ii", p->id, id);
    return r < 0 ? r : meta_audit_put(m, actor, "project.mapping.remove", str_z(p->slug), str_z(detail), err);
}

int meta_mapping_remove(struct meta *m, str actor, int64_t project, int64_t id, struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    return r < 0 ? r : meta_finish(m, mapping_drop(m, actor, &p, id, err), err);
}
