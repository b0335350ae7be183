// Users and their passwords (argon2id, 64 MiB, libsodium's "interactive" cost). One hash is computed
// at a time and few may wait, so that a flood of sign-ins costs one core and 64 MiB at most.
#include "base/clock.h"
#include "base/must.h"
#include "meta/person_internal.h"

#include <sodium.h>
#include <stdio.h>

enum { PWHASH_WAITING_MAX = 8, PASSWORD_MIN = 12, PASSWORD_MAX = 256 };

void meta_user_read(sqlite3_stmt *stmt, int c, struct meta_user *u)
{
    memset(u, 0, sizeof *u);
    u->id = sqlite3_column_int64(stmt, c);
    u->scopes = (uint32_t)sqlite3_column_int64(stmt, c + 1) & META_SCOPES_ALL;
    u->has_password = sqlite3_column_int(stmt, c + 2);
    db_copy_text(stmt, c + 3, u->login, sizeof u->login);
    u->created_ns = sqlite3_column_int64(stmt, c + 4);
    u->joined_ns = sqlite3_column_int64(stmt, c + 5);
    u->disabled_ns = sqlite3_column_int64(stmt, c + 6);
}

int meta_user_find(struct meta *m, str login, struct meta_user *ret_user, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT " META_USER_COLUMNS " FROM users u WHERE workspace_id = ? AND login = ?", "it",
                     m->workspace, login);
    if (r == 1) {
        meta_user_read(stmt, 0, ret_user);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r != 0)
        return r < 0 ? r : 0;
    return err_set(err, ERR_NOENT, "no_user", "there is no user \"%.*s\"", STR_ARG(str_slice(login, 0, META_NAME_MAX)));
}

int meta_user_get(struct meta *m, int64_t id, struct meta_user *ret_user, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r =
        db_query(&m->reader, &stmt, err, "SELECT " META_USER_COLUMNS " FROM users u WHERE workspace_id = ? AND id = ?",
                 "ii", m->workspace, id);
    if (r == 1) {
        meta_user_read(stmt, 0, ret_user);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r != 0)
        return r < 0 ? r : 0;
    return err_set(err, ERR_NOENT, "no_user", "there is no user %lld", (long long)id);
}

// Takes the one place for hashing, or says that too many wait for it.
static int pwhash_enter(struct meta *m)
{
    if (atomic_fetch_add(&m->pwhash_waiting, 1) >= PWHASH_WAITING_MAX) {
        atomic_fetch_sub(&m->pwhash_waiting, 1);
        return ERR_BUSY;
    }
    pthread_mutex_lock(&m->pwhash_lock);
    return 0;
}

static void pwhash_leave(struct meta *m)
{
    pthread_mutex_unlock(&m->pwhash_lock);
    atomic_fetch_sub(&m->pwhash_waiting, 1);
}

static int pwhash_make(str password, char ret_hash[crypto_pwhash_STRBYTES], struct err *err)
{
    if (crypto_pwhash_str_alg(ret_hash, password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return err_set(err, ERR_NOMEM, NULL, "out of memory while hashing a password");
    return 0;
}

int meta_password_ok(str password, struct err *err)
{
    if (password.len >= PASSWORD_MIN && password.len <= PASSWORD_MAX)
        return 0;
    return err_set(err, ERR_INVALID, "bad_password", "a password has %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
}

int meta_password_hash(struct meta *m, str password, char ret_hash[128], struct err *err)
{
    if (pwhash_enter(m) < 0)
        return err_set(err, ERR_BUSY, "busy", "too many passwords are being checked: try again in a second");
    int r = pwhash_make(password, ret_hash, err);
    pwhash_leave(m);
    return r;
}

int meta_user_set_password(struct meta *m, str actor, int64_t user, str password, int64_t keep_session, struct err *err)
{
    char hash[crypto_pwhash_STRBYTES];
    struct meta_user u;
    int r = meta_password_ok(password, err);
    if (r == 0)
        r = meta_user_get(m, user, &u, err);
    if (r == 0)
        r = meta_password_hash(m, password, hash, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = db_run(&m->writer, NULL, err, "UPDATE users SET password_hash = ? WHERE id = ?", "zi", hash, user);
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "DELETE FROM sessions WHERE user_id = ? AND id <> ?", "ii", user,
                   keep_session);
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "DELETE FROM login_links WHERE user_id = ?", "i", user);
    if (r == 0)
        r = meta_audit_put(m, actor, "user.password", str_z(u.login), STR("other sessions ended"), err);
    return meta_finish(m, r, err);
}

int meta_password_check(struct meta *m, str login, str password, struct meta_user *ret_user, struct err *err)
{
    char hash[crypto_pwhash_STRBYTES] = { 0 };
    struct meta_user u = { 0 };
    sqlite3_stmt *stmt;
    if (pwhash_enter(m) < 0)
        return err_set(err, ERR_BUSY, "busy", "too many passwords are being checked: try again in a second");
    int r = 0;
    if (!m->pwhash_dummy[0])
        r = pwhash_make(STR("no user has this"), m->pwhash_dummy, err);
    if (r == 0) {
        pthread_mutex_lock(&m->reader.lock);
        r = db_query(&m->reader, &stmt, err,
                     "SELECT " META_USER_COLUMNS
                     ", password_hash FROM users u WHERE workspace_id = ? AND login = ? AND "
                     "disabled_ns = 0",
                     "it", m->workspace, login);
        if (r == 1) {
            meta_user_read(stmt, 0, &u);
            db_copy_text(stmt, META_USER_COLUMNS_N, hash, sizeof hash);
            db_done(stmt);
        }
        pthread_mutex_unlock(&m->reader.lock);
    }
    // An unknown user, and one without a password, cost the same hash as a known one.
    bool known = r == 1 && hash[0], match = false;
    if (r >= 0)
        match = crypto_pwhash_str_verify(known ? hash : m->pwhash_dummy, password.ptr ? password.ptr : "",
                                         password.len) == 0;
    pwhash_leave(m);
    sodium_memzero(hash, sizeof hash);
    if (r < 0)
        return r;
    if (!known || !match)
        return err_set(err, ERR_DENIED, "bad_credentials", "name or password is wrong");
    *ret_user = u;
    return 0;
}
