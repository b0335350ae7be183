// Signing in, and sessions. A link is used up in the transaction that makes the session, so two clicks at once
// give one session.
#include "base/clock.h"
#include "base/mem.h"
#include "meta/person_internal.h"

#include <sodium.h>
#include <stdio.h>

#define DAY_NS (86400 * NS_PER_S)

static void session_csrf(str secret, char ret[44])
{
    uint8_t mac[32];
    // Another kind than the one that is stored, so that the database does not hold it either.
    meta_secret_hash("session header token", secret, mac);
    sodium_bin2base64(ret, 44, mac, sizeof mac, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

// Inside a transaction.
static int session_insert(struct meta *m, struct meta_visitor who, const char *how, struct meta_session *s,
                          char secret[META_SECRET_MAX], struct err *err)
{
    uint8_t hash[META_HASH_LEN];
    char detail[128];
    meta_secret_make("", secret);
    meta_secret_hash("session", str_z(secret), hash);
    session_csrf(str_z(secret), s->csrf);
    s->created_ns = clock_unix_ns();
    s->expires_ns = s->created_ns + META_SESSION_DAYS * DAY_NS;
    snprintf(detail, sizeof detail, "by %s from %.*s", how, STR_ARG(str_slice(who.peer, 0, 64)));
    int r = meta_next_id(m, "sessions", &s->id, err);
    if (r == 0) // the oldest make room: a program that signs in again and again must not fill the disk
        r = db_run(&m->writer, NULL, err,
                   "DELETE FROM sessions WHERE user_id = ? AND id NOT IN (SELECT id FROM sessions WHERE user_id = ? "
                   "ORDER BY id DESC LIMIT ?)",
                   "iii", s->user.id, s->user.id, (int64_t)META_SESSIONS_PER_USER - 1);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO sessions (id, user_id, secret_hash, created_ns, last_used_ns, expires_ns, peer, agent) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   "iibiiitt", s->id, s->user.id, bytes_of(hash, sizeof hash), s->created_ns, s->created_ns,
                   s->expires_ns, str_slice(who.peer, 0, META_NAME_MAX), str_slice(who.agent, 0, 127));
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "UPDATE users SET joined_ns = ? WHERE id = ? AND joined_ns = 0", "ii",
                   s->created_ns, s->user.id);
    if (r == 0)
        r = meta_audit_put(m, str_z(s->user.login), "session.start", str_z(s->user.login), str_z(detail), err);
    return r;
}

static int signin_wait(struct meta *m, str peer, str account, int *ret_retry_s, struct err *err)
{
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&m->throttle_lock);
    int wait = throttle_wait_s(&m->throttle, STR("peer"), peer, now);
    int other = account.len ? throttle_wait_s(&m->throttle, STR("account"), account, now) : 0;
    pthread_mutex_unlock(&m->throttle_lock);
    if (other > wait)
        wait = other;
    if (wait == 0)
        return 0;
    *ret_retry_s = wait;
    return err_set(err, ERR_BUSY, "too_many_attempts", "too many failed attempts: wait %d s", wait);
}

static void signin_outcome(struct meta *m, str peer, str account, int r)
{
    int64_t now = clock_mono_ns();
    if (r != 0 && r != ERR_DENIED)
        return; // our trouble is not the visitor's failure
    pthread_mutex_lock(&m->throttle_lock);
    if (r == 0) {
        throttle_clear(&m->throttle, STR("peer"), peer);
        if (account.len)
            throttle_clear(&m->throttle, STR("account"), account);
    } else {
        throttle_fail(&m->throttle, STR("peer"), peer, now);
        if (account.len)
            throttle_fail(&m->throttle, STR("account"), account, now);
    }
    pthread_mutex_unlock(&m->throttle_lock);
}

int meta_signin_link(struct meta *m, struct meta_visitor who, str link_secret, char ret_secret[META_SECRET_MAX],
                     struct meta_session *ret_session, int *ret_retry_s, struct err *err)
{
    struct meta_session s = { 0 };
    char secret[META_SECRET_MAX];
    uint8_t hash[META_HASH_LEN];
    int r = signin_wait(m, who.peer, STR(""), ret_retry_s, err);
    if (r < 0)
        return r;
    meta_secret_hash("link", str_slice(link_secret, 0, META_SECRET_MAX), hash);
    r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = meta_link_find(&m->writer, hash, false, &s.user, err);
    if (r == 0)
        r = meta_link_use_up(m, s.user.id, err);
    if (r == 0)
        r = session_insert(m, who, "link", &s, secret, err);
    r = meta_finish(m, r, err);
    signin_outcome(m, who.peer, STR(""), r);
    if (r == 0) {
        *ret_session = s;
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}

// Cheap, so that nobody makes this server hash passwords with links that he has made up.
static int invitation_look(struct meta *m, const uint8_t hash[META_HASH_LEN], struct err *err)
{
    struct meta_user u;
    pthread_mutex_lock(&m->reader.lock);
    int r = meta_link_find(&m->reader, hash, true, &u, err);
    pthread_mutex_unlock(&m->reader.lock);
    return r;
}

static int invitation_take(struct meta *m, struct meta_visitor who, const uint8_t hash[META_HASH_LEN],
                           const char *password_hash, struct meta_session *s, char secret[META_SECRET_MAX],
                           struct err *err)
{
    int r = meta_link_find(&m->writer, hash, true, &s->user, err);
    if (r == 0)
        r = meta_link_use_up(m, s->user.id, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "UPDATE users SET password_hash = ? WHERE id = ?", "zi", password_hash,
                   s->user.id);
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "DELETE FROM sessions WHERE user_id = ?", "i", s->user.id);
    if (r == 0)
        r = meta_audit_put(m, str_z(s->user.login), "user.password", str_z(s->user.login),
                           s->user.joined_ns ? STR("by a reset link, other sessions ended") : STR("by an invitation"),
                           err);
    if (r == 0)
        r = session_insert(m, who, s->user.joined_ns ? "reset link" : "invitation", s, secret, err);
    s->user.has_password = true;
    return r;
}

int meta_signin_invited(struct meta *m, struct meta_visitor who, str link_secret, str password,
                        char ret_secret[META_SECRET_MAX], struct meta_session *ret_session, int *ret_retry_s,
                        struct err *err)
{
    struct meta_session s = { 0 };
    char secret[META_SECRET_MAX], password_hash[128];
    uint8_t hash[META_HASH_LEN];
    int r = signin_wait(m, who.peer, STR(""), ret_retry_s, err);
    if (r < 0)
        return r;
    meta_secret_hash("link", str_slice(link_secret, 0, META_SECRET_MAX), hash);
    r = invitation_look(m, hash, err);
    if (r == 0)
        r = meta_password_ok(password, err);
    if (r == 0)
        r = meta_password_hash(m, password, password_hash, err);
    if (r == ERR_BUSY)
        *ret_retry_s = 1;
    if (r == 0)
        r = meta_begin(m, err);
    if (r == 0)
        r = meta_finish(m, invitation_take(m, who, hash, password_hash, &s, secret, err), err);
    signin_outcome(m, who.peer, STR(""), r);
    if (r == 0) {
        *ret_session = s;
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(password_hash, sizeof password_hash);
    return r;
}

int meta_signin_password(struct meta *m, struct meta_visitor who, str login, str password,
                         char ret_secret[META_SECRET_MAX], struct meta_session *ret_session, int *ret_retry_s,
                         struct err *err)
{
    struct meta_session s = { 0 };
    char secret[META_SECRET_MAX];
    login = str_slice(login, 0, META_NAME_MAX + 1);
    int r = signin_wait(m, who.peer, login, ret_retry_s, err);
    if (r < 0)
        return r;
    r = meta_password_check(m, login, str_slice(password, 0, 1024), &s.user, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r == 0) {
        r = session_insert(m, who, "password", &s, secret, err);
        r = meta_finish(m, r, err);
    } else if (r == ERR_BUSY) {
        *ret_retry_s = 1;
    }
    signin_outcome(m, who.peer, login, r);
    if (r == 0) {
        *ret_session = s;
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}

int meta_password_confirm(struct meta *m, struct meta_visitor who, int64_t user, str password, int *ret_retry_s,
                          struct err *err)
{
    struct meta_user u, same;
    int r = meta_user_get(m, user, &u, err);
    if (r == 0)
        r = signin_wait(m, who.peer, str_z(u.login), ret_retry_s, err);
    if (r < 0)
        return r;
    r = meta_password_check(m, str_z(u.login), str_slice(password, 0, 1024), &same, err);
    if (r == ERR_BUSY)
        *ret_retry_s = 1;
    signin_outcome(m, who.peer, str_z(u.login), r);
    return r;
}

static int session_find(struct meta *m, const uint8_t hash[META_HASH_LEN], int64_t now, struct meta_session *s,
                        int64_t *ret_last_used)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, NULL,
                     "SELECT s.id, s.created_ns, s.expires_ns, s.last_used_ns, " META_USER_COLUMNS
                     " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = ? AND s.expires_ns > ? "
                     "AND s.last_used_ns > ? AND u.disabled_ns = 0",
                     "bii", bytes_of(hash, META_HASH_LEN), now, now - META_SESSION_IDLE_DAYS * DAY_NS);
    if (r == 1) {
        s->id = sqlite3_column_int64(stmt, 0);
        s->created_ns = sqlite3_column_int64(stmt, 1);
        s->expires_ns = sqlite3_column_int64(stmt, 2);
        *ret_last_used = sqlite3_column_int64(stmt, 3);
        meta_user_read(stmt, 4, &s->user);
        db_done(stmt);
    }
    pthread_mutex_unlock(&m->reader.lock);
    return r;
}

int meta_session_check(struct meta *m, str secret, struct meta_session *ret_session)
{
    struct meta_session s = { 0 };
    uint8_t hash[META_HASH_LEN];
    int64_t now = clock_unix_ns(), last_used = 0;
    if (secret.len == 0 || secret.len >= META_SECRET_MAX)
        return ERR_DENIED;
    meta_secret_hash("session", secret, hash);
    int r = session_find(m, hash, now, &s, &last_used);
    if (r <= 0)
        return r < 0 ? r : ERR_DENIED;
    session_csrf(secret, s.csrf);
    // Idle time is counted in days: one write in an hour is enough to know it.
    if (now - last_used > 3600 * NS_PER_S && meta_begin(m, NULL) == 0)
        meta_finish(
            m, db_run(&m->writer, NULL, NULL, "UPDATE sessions SET last_used_ns = ? WHERE id = ?", "ii", now, s.id),
            NULL);
    *ret_session = s;
    return 0;
}

bool meta_session_csrf_matches(const struct meta_session *s, str presented)
{
    size_t n = strlen(s->csrf);
    return presented.len == n && sodium_memcmp(presented.ptr, s->csrf, n) == 0;
}

int meta_session_end(struct meta *m, str actor, int64_t session, struct err *err)
{
    int changes = 0;
    char target[32];
    snprintf(target, sizeof target, "session %lld", (long long)session);
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = db_run(&m->writer, &changes, err, "DELETE FROM sessions WHERE id = ?", "i", session);
    if (r == 0 && changes)
        r = meta_audit_put(m, actor, "session.end", str_z(target), STR(""), err);
    return meta_finish(m, r, err);
}

int meta_session_list(struct meta *m, int64_t user, struct meta_session_row **ret_sessions, size_t *ret_n,
                      struct err *err)
{
    struct meta_session_row *list = mem_calloc(META_SESSIONS_PER_USER, sizeof *list);
    int64_t now = clock_unix_ns();
    sqlite3_stmt *stmt;
    size_t n = 0;
    if (!list)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT id, created_ns, last_used_ns, expires_ns, peer, agent FROM sessions WHERE user_id = ? AND "
                     "expires_ns > ? AND last_used_ns > ? ORDER BY id DESC LIMIT ?",
                     "iiii", user, now, now - META_SESSION_IDLE_DAYS * DAY_NS, (int64_t)META_SESSIONS_PER_USER);
    while (r == 1) {
        struct meta_session_row *row = &list[n++];
        row->id = sqlite3_column_int64(stmt, 0);
        row->created_ns = sqlite3_column_int64(stmt, 1);
        row->last_used_ns = sqlite3_column_int64(stmt, 2);
        row->expires_ns = sqlite3_column_int64(stmt, 3);
        db_copy_text(stmt, 4, row->peer, sizeof row->peer);
        db_copy_text(stmt, 5, row->agent, sizeof row->agent);
        r = db_next(&m->reader, stmt, err);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r < 0) {
        mem_free(list);
        return r;
    }
    *ret_sessions = list;
    *ret_n = n;
    return 0;
}

int meta_session_end_of(struct meta *m, str actor, int64_t user, int64_t session, struct err *err)
{
    int changes = 0;
    char target[32];
    snprintf(target, sizeof target, "session %lld", (long long)session);
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = db_run(&m->writer, &changes, err, "DELETE FROM sessions WHERE id = ? AND user_id = ?", "ii", session, user);
    if (r == 0 && !changes)
        r = err_set(err, ERR_NOENT, "no_session", "there is no such session");
    if (r == 0)
        r = meta_audit_put(m, actor, "session.end", str_z(target), STR(""), err);
    return meta_finish(m, r, err);
}

int meta_session_end_all(struct meta *m, str actor, int64_t user, int64_t keep, int *ret_n, struct err *err)
{
    struct meta_user u;
    int changes = 0;
    char detail[64];
    int r = meta_user_get(m, user, &u, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = db_run(&m->writer, &changes, err, "DELETE FROM sessions WHERE user_id = ? AND id <> ?", "ii", user, keep);
    snprintf(detail, sizeof detail, "%d ended", changes);
    if (r == 0 && changes)
        r = meta_audit_put(m, actor, "session.end", str_z(u.login), str_z(detail), err);
    r = meta_finish(m, r, err);
    if (r == 0 && ret_n)
        *ret_n = changes;
    return r;
}
