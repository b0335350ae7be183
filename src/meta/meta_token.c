// Tokens in the database; the check itself is in meta_cache.c.
#include "base/clock.h"
#include "base/mem.h"
#include "meta/meta_internal.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_COLUMNS \
    "id, coalesce(project_id, 0), scopes, name, tail, created_by, created_ns, last_used_ns, expires_ns"

static void token_read(sqlite3_stmt *stmt, struct meta_token *t)
{
    memset(t, 0, sizeof *t);
    t->id = sqlite3_column_int64(stmt, 0);
    t->project = sqlite3_column_int64(stmt, 1);
    t->scopes = (uint32_t)sqlite3_column_int64(stmt, 2) & META_SCOPES_ALL;
    db_copy_text(stmt, 3, t->name, sizeof t->name);
    db_copy_text(stmt, 4, t->tail, sizeof t->tail);
    db_copy_text(stmt, 5, t->created_by, sizeof t->created_by);
    t->created_ns = sqlite3_column_int64(stmt, 6);
    t->last_used_ns = sqlite3_column_int64(stmt, 7);
    t->expires_ns = sqlite3_column_int64(stmt, 8);
}

static int token_room(struct meta *m, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->writer, &stmt, err, "SELECT count(*) FROM tokens WHERE revoked_ns = 0", "");
    if (r <= 0)
        return r;
    int64_t n = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return n < META_TOKENS_MAX ? 0
                               : err_set(err, ERR_LIMIT, "too_many_tokens", "there are %d tokens already: revoke some",
                                         META_TOKENS_MAX);
}

static int token_insert(struct meta *m, const struct meta_token *t, const char *project,
                        const uint8_t hash[META_HASH_LEN], struct err *err)
{
    static const char with_project[] =
        "INSERT INTO tokens (id, workspace_id, project_id, name, secret_hash, tail, scopes, created_by,"
        " created_ns, last_used_ns, expires_ns, revoked_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0)";
    char target[128], detail[160], words[64];
    bytes h = bytes_of(hash, META_HASH_LEN);
    int r;
    if (t->project)
        r = db_run(&m->writer, NULL, err, with_project, "iiizbzizii", t->id, m->workspace, t->project, t->name, h,
                   t->tail, (int64_t)t->scopes, t->created_by, t->created_ns, t->expires_ns);
    else
        r = db_run(&m->writer, NULL, err, with_project, "ii0zbzizii", t->id, m->workspace, t->name, h, t->tail,
                   (int64_t)t->scopes, t->created_by, t->created_ns, t->expires_ns);
    if (r < 0)
        return r;
    meta_scopes_text(t->scopes, words);
    snprintf(target, sizeof target, "#%" PRId64 " %s", t->id, t->name);
    snprintf(detail, sizeof detail, "scopes %s, %s%s", words, t->project ? "project " : "all projects", project);
    return meta_audit_put(m, str_z(t->created_by), "token.add", str_z(target), str_z(detail), err);
}

int meta_token_add(struct meta *m, str actor, str name, uint32_t scopes, int64_t project, int64_t expires_ns,
                   char ret_secret[META_SECRET_MAX], struct meta_token *ret_token, struct err *err)
{
    char secret[META_SECRET_MAX];
    uint8_t hash[META_HASH_LEN];
    struct meta_project p = { 0 };
    struct meta_token t = {
        .project = project, .scopes = scopes, .expires_ns = expires_ns, .created_ns = clock_unix_ns()
    };
    if (!meta_name_valid(name)) {
        err_set(err, ERR_INVALID, "bad_name", "that is not a name for a token");
        err_set_hint(err, "1 to %d printable ASCII characters", META_NAME_MAX);
        return ERR_INVALID;
    }
    if (scopes == 0 || (scopes & ~(uint32_t)META_SCOPES_ALL))
        return err_set(err, ERR_INVALID, "bad_scope", "a token needs at least one scope");
    int r = project ? meta_project_get(m, project, &p, err) : 0;
    if (r < 0)
        return r;
    actor = str_slice(actor, 0, META_NAME_MAX);
    memcpy(t.name, name.ptr, name.len);
    memcpy(t.created_by, actor.ptr, actor.len);
    meta_secret_make("clew_", secret);
    meta_secret_hash("token", str_z(secret), hash);
    memcpy(t.tail, secret + strlen(secret) - 4, 5);
    r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = token_room(m, err);
    if (r == 0)
        r = meta_next_id(m, "tokens", &t.id, err);
    if (r == 0)
        r = token_insert(m, &t, p.slug, hash, err);
    r = meta_finish(m, r, err);
    if (r == 0) {
        meta_cache_reload(m, NULL); // it is made; if this fails, the first use of it reads again
        memcpy(ret_secret, secret, sizeof secret);
        if (ret_token)
            *ret_token = t;
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}

int meta_token_list(struct meta *m, struct meta_token **ret_tokens, size_t *ret_n, struct err *err)
{
    struct meta_token *list = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT " TOKEN_COLUMNS " FROM tokens WHERE workspace_id = ? AND revoked_ns = 0 ORDER BY id", "i",
                     m->workspace);
    while (r == 1) {
        if (n == cap) {
            struct meta_token *more = mem_reallocarray(list, cap ? cap * 2 : 16, sizeof *list);
            if (!more) {
                db_done(stmt);
                r = err_set(err, ERR_NOMEM, NULL, "out of memory");
                break;
            }
            list = more;
            cap = cap ? cap * 2 : 16;
        }
        token_read(stmt, &list[n++]);
        r = db_next(&m->reader, stmt, err);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r < 0) {
        mem_free(list);
        return r;
    }
    *ret_tokens = list;
    *ret_n = n;
    return 0;
}

int meta_token_remove(struct meta *m, str actor, int64_t id, struct err *err)
{
    int changes = 0;
    char target[32];
    snprintf(target, sizeof target, "#%" PRId64, id);
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = db_run(&m->writer, &changes, err,
               "UPDATE tokens SET revoked_ns = ? WHERE id = ? AND workspace_id = ? AND revoked_ns = 0", "iii",
               clock_unix_ns(), id, m->workspace);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOENT, "no_token", "there is no token #%" PRId64, id);
    if (r == 0)
        r = meta_audit_put(m, actor, "token.remove", str_z(target), STR(""), err);
    r = meta_finish(m, r, err);
    return r == 0 ? meta_cache_reload(m, err) : r;
}

// "#3" and "3" are ids; ret is -1 for anything else.
static int64_t token_id_of(str text)
{
    int64_t id = 0;
    if (text.len && text.ptr[0] == '#')
        text = str_slice(text, 1, text.len);
    if (text.len == 0 || text.len > 18)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        id = id * 10 + (text.ptr[i] - '0');
    }
    return id;
}

int meta_token_find(struct meta *m, str id_or_name, struct meta_token *ret_token, struct err *err)
{
    int64_t id = token_id_of(id_or_name);
    struct meta_token *list, *found = NULL;
    size_t n, matches = 0;
    int r = meta_token_list(m, &list, &n, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        if (id >= 0 ? list[i].id == id : str_eq(str_z(list[i].name), id_or_name)) {
            found = &list[i];
            matches++;
        }
    if (matches == 1)
        *ret_token = *found;
    else if (matches == 0)
        r = err_set(err, ERR_NOENT, "no_token", "there is no token \"%.*s\"",
                    STR_ARG(str_slice(id_or_name, 0, META_NAME_MAX)));
    else
        r = err_set(err, ERR_INVALID, "several_tokens", "%zu tokens are named \"%.*s\": give the number instead",
                    matches, STR_ARG(id_or_name));
    mem_free(list);
    return r;
}

int meta_token_by_tail(struct meta *m, str tail, struct meta_token *ret_token, int64_t *ret_revoked_ns)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, NULL,
                     "SELECT " TOKEN_COLUMNS
                     ", revoked_ns FROM tokens WHERE workspace_id = ? AND tail = ? ORDER BY id DESC LIMIT 1",
                     "it", m->workspace, tail);
    if (r == 1) {
        token_read(stmt, ret_token);
        *ret_revoked_ns = sqlite3_column_int64(stmt, 9);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    return r == 1 ? 0 : r < 0 ? r : ERR_NOENT;
}
