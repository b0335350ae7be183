// The rules of projects by which events become issues.
#include "base/clock.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <stdio.h>

int meta_project_rules_get(struct meta *m, int64_t project, struct arena *arena, struct meta_rules *ret_rules,
                           struct err *err)
{
    struct meta_rules rules = { 0 };
    sqlite3_stmt *stmt;
    MAGIC_CHECK(m, META_MAGIC);
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT fingerprint, stack, changed_ns, changed_by FROM grouping_rules WHERE project_id = ?", "i",
                     project);
    if (r == 1) {
        r = arena_dup(arena, db_text(stmt, 0), &rules.fingerprint);
        if (r == 0)
            r = arena_dup(arena, db_text(stmt, 1), &rules.stack);
        if (r < 0)
            err_set(err, r, NULL, "out of memory");
        rules.changed_ns = sqlite3_column_int64(stmt, 2);
        db_copy_text(stmt, 3, rules.changed_by, sizeof rules.changed_by);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r == 0)
        *ret_rules = rules;
    return r;
}

// Inside a transaction.
static int rules_put(struct meta *m, str actor, const struct meta_project *p, str fingerprint, str stack,
                     struct err *err)
{
    char detail[96];
    int changes = 0;
    int64_t now = clock_unix_ns();
    int r = db_run(&m->writer, &changes, err,
                   "UPDATE grouping_rules SET fingerprint = ?, stack = ?, changed_ns = ?, changed_by = ? WHERE "
                   "project_id = ?",
                   "ttiti", fingerprint, stack, now, actor, p->id);
    if (r == 0 && changes == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO grouping_rules (project_id, fingerprint, stack, changed_ns, changed_by) VALUES (?, ?, "
                   "?, ?, ?)",
                   "ittit", p->id, fingerprint, stack, now, actor);
    snprintf(detail, sizeof detail, "fingerprint rules of %zu bytes, stack-trace rules of %zu", fingerprint.len,
             stack.len);
    return r < 0 ? r : meta_audit_put(m, actor, "project.grouping", str_z(p->slug), str_z(detail), err);
}

int meta_project_rules_set(struct meta *m, str actor, int64_t project, str fingerprint, str stack, struct err *err)
{
    struct meta_project p;
    MAGIC_CHECK(m, META_MAGIC);
    if (fingerprint.len > META_RULES_TEXT_MAX || stack.len > META_RULES_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "rules_too_long", "rules of one kind are longer than %d bytes",
                       META_RULES_TEXT_MAX);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = meta_finish(m, rules_put(m, actor, &p, fingerprint, stack, err), err);
    if (r == 0)
        m->rules_changes++;
    return r;
}

uint64_t meta_rules_changes(const struct meta *m)
{
    MAGIC_CHECK(m, META_MAGIC);
    return m->rules_changes;
}
