// Public (DSN) keys of projects. They stand in web pages, so they are kept as they are; the check is in meta_cache.c.
#include "base/clock.h"
#include "meta/meta_internal.h"

#include <sodium.h>
#include <stdio.h>

static int key_count(struct meta *m, int64_t project, int64_t *ret_good, int64_t *ret_all, struct err *err)
{
    sqlite3_stmt *stmt;
    int r =
        db_query(&m->writer, &stmt, err,
                 "SELECT coalesce(sum(revoked_ns = 0), 0), count(*) FROM dsn_keys WHERE project_id = ?", "i", project);
    if (r <= 0)
        return r;
    *ret_good = sqlite3_column_int64(stmt, 0);
    *ret_all = sqlite3_column_int64(stmt, 1);
    db_done(stmt);
    return 0;
}

// Inside a transaction.
static int key_insert(struct meta *m, str actor, const struct meta_project *p, struct meta_key *k, struct err *err)
{
    uint8_t raw[16];
    char detail[32];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(k->key, sizeof k->key, raw, sizeof raw);
    k->created_ns = clock_unix_ns();
    snprintf(detail, sizeof detail, "ends in %s", k->key + strlen(k->key) - 4);
    int r = meta_next_id(m, "dsn_keys", &k->id, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO dsn_keys (id, project_id, public_key, created_ns, revoked_ns) VALUES (?, ?, ?, ?, 0)",
                   "iizi", k->id, p->id, k->key, k->created_ns);
    if (r == 0)
        r = meta_audit_put(m, actor, "dsn_key.add", str_z(p->slug), str_z(detail), err);
    return r;
}

int meta_key_list(struct meta *m, int64_t project, struct meta_key ret_keys[META_KEYS_PER_PROJECT], struct err *err)
{
    sqlite3_stmt *stmt;
    int n = 0;
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT id, created_ns, public_key FROM dsn_keys WHERE project_id = ? AND revoked_ns = 0 ORDER BY "
                     "id DESC LIMIT ?",
                     "ii", project, (int64_t)META_KEYS_PER_PROJECT);
    while (r == 1) {
        ret_keys[n].id = sqlite3_column_int64(stmt, 0);
        ret_keys[n].created_ns = sqlite3_column_int64(stmt, 1);
        db_copy_text(stmt, 2, ret_keys[n].key, sizeof ret_keys[n].key);
        n++;
        r = db_next(&m->reader, stmt, err);
    }
    pthread_mutex_unlock(&m->reader.lock);
    return r < 0 ? r : n;
}

int meta_key_add(struct meta *m, str actor, int64_t project, struct meta_key *ret_key, struct err *err)
{
    struct meta_project p;
    struct meta_key k = { 0 };
    int64_t good = 0, all = 0;
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = key_count(m, project, &good, &all, err);
    if (r == 0 && good >= META_KEYS_PER_PROJECT)
        r = err_set(err, ERR_LIMIT, "too_many_keys", "a project holds at most %d keys: revoke some",
                    META_KEYS_PER_PROJECT);
    if (r == 0)
        r = key_insert(m, actor, &p, &k, err);
    r = meta_finish(m, r, err);
    if (r == 0) {
        meta_cache_reload(m, NULL); // if this fails, the first use of the key reads again
        *ret_key = k;
    }
    return r;
}

int meta_key_remove(struct meta *m, str actor, int64_t project, int64_t key, struct err *err)
{
    struct meta_project p;
    int changes = 0;
    char detail[32];
    snprintf(detail, sizeof detail, "key %lld", (long long)key);
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = db_run(&m->writer, &changes, err,
               "UPDATE dsn_keys SET revoked_ns = ? WHERE id = ? AND project_id = ? AND revoked_ns = 0", "iii",
               clock_unix_ns(), key, project);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOENT, "no_key", "the project has no such key");
    if (r == 0)
        r = meta_audit_put(m, actor, "dsn_key.remove", str_z(p.slug), str_z(detail), err);
    r = meta_finish(m, r, err);
    return r == 0 ? meta_cache_reload(m, err) : r;
}

static int key_make_first(struct meta *m, str actor, const struct meta_project *p, struct meta_key *k, struct err *err)
{
    int64_t good = 0, all = 0;
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = key_count(m, p->id, &good, &all, err);
    if (r == 0 && all) {
        r = err_set(err, ERR_NOENT, "no_key", "all keys of this project were revoked");
        err_set_hint(err, "make a new one: Settings, Projects");
    }
    if (r == 0)
        r = key_insert(m, actor, p, k, err);
    return meta_finish(m, r, err);
}

int meta_project_dsn_key(struct meta *m, str actor, int64_t project, char ret_key[META_SECRET_MAX], struct err *err)
{
    struct meta_project p;
    struct meta_key keys[META_KEYS_PER_PROJECT];
    int r = meta_project_get(m, project, &p, err);
    if (r == 0)
        r = meta_key_list(m, project, keys, err);
    if (r == 0) {
        r = key_make_first(m, actor, &p, keys, err);
        if (r < 0 && meta_key_list(m, project, keys, NULL) > 0) // somebody else was first
            r = 0;
        else if (r == 0)
            meta_cache_reload(m, NULL);
    }
    if (r < 0)
        return r;
    memcpy(ret_key, keys[0].key, sizeof keys[0].key);
    return 0;
}
