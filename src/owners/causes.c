// owners.db: what was found about issues, and how far their activity was read.
#include "base/clock.h"
#include "owners/owners_internal.h"

static const char schema_v1[] =
    "CREATE TABLE causes (issue INTEGER PRIMARY KEY, found_ns BIGINT NOT NULL, owners TEXT NOT NULL, suspect TEXT NOT "
    "NULL);"
    "CREATE TABLE progress (id INTEGER PRIMARY KEY, after BIGINT NOT NULL);"
    "INSERT INTO progress VALUES (1, 0);";
static const char *const versions[] = { schema_v1 };

int causes_open(struct owners *o, struct err *err)
{
    int r = db_open(&o->db, o->o.path, "owners_database", DB_WRITE | DB_CREATE, err);
    return r < 0 ? r : db_migrate(&o->db, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
}

int causes_get(struct owners *o, int64_t issue, struct arena *arena, struct issue_causes *ret, int64_t *ret_time,
               struct err *err)
{
    struct issue_causes c;
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&o->db.lock);
    int r = db_query(&o->db, &stmt, err, "SELECT found_ns, owners, suspect FROM causes WHERE issue = ?", "i", issue);
    if (r == 0)
        r = ERR_NOENT;
    else if (r == 1) {
        *ret_time = sqlite3_column_int64(stmt, 0);
        r = arena_dup(arena, db_text(stmt, 1), &c.owners);
        if (r == 0)
            r = arena_dup(arena, db_text(stmt, 2), &c.suspect);
        if (r < 0)
            err_set(err, r, "memory", "out of memory");
        db_done(stmt);
    }
    pthread_mutex_unlock(&o->db.lock);
    if (r == 0)
        *ret = c;
    return r;
}

int causes_put(struct owners *o, int64_t issue, const struct issue_causes *c, struct err *err)
{
    int r = db_begin(&o->db, err);
    if (r < 0)
        return r;
    r = db_run(
        &o->db, NULL, err,
        "INSERT INTO causes (issue, found_ns, owners, suspect) VALUES (?, ?, ?, ?) ON CONFLICT (issue) DO UPDATE "
        "SET found_ns = excluded.found_ns, owners = excluded.owners, suspect = excluded.suspect",
        "iitt", issue, clock_unix_ns(), c->owners, c->suspect);
    return db_finish(&o->db, r, err);
}

int causes_after(struct owners *o, int64_t *ret_after, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&o->db.lock);
    int r = db_query(&o->db, &stmt, err, "SELECT after FROM progress WHERE id = 1", "");
    if (r == 1) {
        *ret_after = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
        r = 0;
    } else if (r == 0) {
        r = db_corrupt(&o->db, err, "progress has no row");
    }
    pthread_mutex_unlock(&o->db.lock);
    return r;
}

int causes_after_set(struct owners *o, int64_t after, struct err *err)
{
    int r = db_begin(&o->db, err);
    if (r < 0)
        return r;
    return db_finish(&o->db, db_run(&o->db, NULL, err, "UPDATE progress SET after = ? WHERE id = 1", "i", after), err);
}
