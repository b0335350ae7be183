// Login links and sessions. A link is used up in the transaction that makes the session, so two
// clicks at once give one session.
#include "base/clock.h"
#include "meta/person_internal.h"

#include <sodium.h>
#include <stdio.h>

#define DAY_NS (86400 * NS_PER_S)

int meta_link_add(struct meta *m, str actor, str login, char ret_secret[META_SECRET_MAX], struct err *err)
{
    struct meta_user u;
    char secret[META_SECRET_MAX];
    uint8_t hash[META_HASH_LEN];
    int64_t id;
    int r = meta_user_find(m, login, &u, err);
    if (r < 0)
        return r;
    meta_secret_make("", secret);
    meta_secret_hash("link", str_z(secret), hash);
    r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = meta_run(&m->writer, NULL, err, "DELETE FROM login_links WHERE user_id = ?", "i", u.id);
    if (r == 0)
        r = meta_next_id(m, "login_links", &id, err);
    if (r == 0)
        r = meta_run(&m->writer, NULL, err,
                     "INSERT INTO login_links (id, user_id, secret_hash, expires_ns) VALUES (?, ?, ?, ?)", "iibi", id,
                     u.id, bytes_of(hash, sizeof hash), clock_unix_ns() + META_LINK_SECONDS * NS_PER_S);
    if (r == 0)
        r = meta_audit_put(m, actor, "link.add", str_z(u.login), STR("10 minutes, once"), err);
    r = meta_finish(m, r, err);
    if (r == 0)
        memcpy(ret_secret, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    return r;
}

static void session_csrf(str secret, char ret[44])
{
    uint8_t mac[32];
    // Another kind than the one that is stored, so that the database does not hold it either.
    meta_secret_hash("session header token", secret, mac);
    sodium_bin2base64(ret, 44, mac, sizeof mac, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

// Inside a transaction.
static int session_insert(struct meta *m, str peer, const char *how, struct meta_session *s,
                          char secret[META_SECRET_MAX], struct err *err)
{
    uint8_t hash[META_HASH_LEN];
    char detail[128];
    meta_secret_make("", secret);
    meta_secret_hash("session", str_z(secret), hash);
    session_csrf(str_z(secret), s->csrf);
    s->created_ns = clock_unix_ns();
    s->expires_ns = s->created_ns + META_SESSION_DAYS * DAY_NS;
    snprintf(detail, sizeof detail, "by %s from %.*s", how, STR_ARG(str_slice(peer, 0, 64)));
    int r = meta_next_id(m, "sessions", &s->id, err);
    if (r == 0) // the oldest make room: a program that signs in again and again must not fill the disk
        r = meta_run(&m->writer, NULL, err,
                     "DELETE FROM sessions WHERE user_id = ? AND id NOT IN (SELECT id FROM sessions WHERE user_id = ? "
                     "ORDER BY id DESC LIMIT ?)",
                     "iii", s->user.id, s->user.id, (int64_t)META_SESSIONS_PER_USER - 1);
    if (r == 0)
        r = meta_run(&m->writer, NULL, err,
                     "INSERT INTO sessions (id, user_id, secret_hash, created_ns, last_used_ns, expires_ns) VALUES (?, "
                     "?, ?, ?, ?, ?)",
                     "iibiii", s->id, s->user.id, bytes_of(hash, sizeof hash), s->created_ns, s->created_ns,
                     s->expires_ns);
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

// Uses the link up; inside a transaction.
static int link_take(struct meta *m, const uint8_t hash[META_HASH_LEN], struct meta_user *u, struct err *err)
{
    sqlite3_stmt *stmt;
    int changes = 0;
    int r = meta_query(&m->writer, &stmt, err,
                       "SELECT u.id, u.scopes, u.password_hash IS NOT NULL, u.login, u.created_ns FROM login_links l "
                       "JOIN users u ON u.id = l.user_id"
                       " WHERE l.secret_hash = ? AND l.expires_ns > ?",
                       "bi", bytes_of(hash, META_HASH_LEN), clock_unix_ns());
    if (r < 0)
        return r;
    if (r == 0) {
        err_set(err, ERR_DENIED, "bad_link",
                "this sign-in link is not valid: it works once, for 10 minutes, and a newer one replaces it");
        err_set_hint(err, "`clew login-link` on the server prints a new one");
        return ERR_DENIED;
    }
    memset(u, 0, sizeof *u);
    u->id = sqlite3_column_int64(stmt, 0);
    u->scopes = (uint32_t)sqlite3_column_int64(stmt, 1) & META_SCOPES_ALL;
    u->has_password = sqlite3_column_int(stmt, 2);
    meta_copy_text(stmt, 3, u->login, sizeof u->login);
    u->created_ns = sqlite3_column_int64(stmt, 4);
    meta_done(stmt);
    return meta_run(&m->writer, &changes, err, "DELETE FROM login_links WHERE secret_hash = ?", "b",
                    bytes_of(hash, META_HASH_LEN));
}

int meta_signin_link(struct meta *m, str peer, str link_secret, char ret_secret[META_SECRET_MAX],
                     struct meta_session *ret_session, int *ret_retry_s, struct err *err)
{
    struct meta_session s = { 0 };
    char secret[META_SECRET_MAX];
    uint8_t hash[META_HASH_LEN];
    int r = signin_wait(m, peer, STR(""), ret_retry_s, err);
    if (r < 0)
        return r;
    meta_secret_hash("link", str_slice(link_secret, 0, META_SECRET_MAX), hash);
    r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = link_take(m, hash, &s.user, err);
    if (r == 0)
        r = session_insert(m, peer, "link", &s, secret, err);
    r = meta_finish(m, r, err);
    signin_outcome(m, peer, STR(""), r);
    if (r == 0) {
        *ret_session = s;
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}

int meta_signin_password(struct meta *m, str peer, str login, str password, char ret_secret[META_SECRET_MAX],
                         struct meta_session *ret_session, int *ret_retry_s, struct err *err)
{
    struct meta_session s = { 0 };
    char secret[META_SECRET_MAX];
    login = str_slice(login, 0, META_NAME_MAX + 1);
    int r = signin_wait(m, peer, login, ret_retry_s, err);
    if (r < 0)
        return r;
    r = meta_password_check(m, login, str_slice(password, 0, 1024), &s.user, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r == 0) {
        r = session_insert(m, peer, "password", &s, secret, err);
        r = meta_finish(m, r, err);
    } else if (r == ERR_BUSY) {
        *ret_retry_s = 1;
    }
    signin_outcome(m, peer, login, r);
    if (r == 0) {
        *ret_session = s;
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}

int meta_password_confirm(struct meta *m, str peer, int64_t user, str password, int *ret_retry_s, struct err *err)
{
    struct meta_user u, same;
    int r = meta_user_get(m, user, &u, err);
    if (r == 0)
        r = signin_wait(m, peer, str_z(u.login), ret_retry_s, err);
    if (r < 0)
        return r;
    r = meta_password_check(m, str_z(u.login), str_slice(password, 0, 1024), &same, err);
    if (r == ERR_BUSY)
        *ret_retry_s = 1;
    signin_outcome(m, peer, str_z(u.login), r);
    return r;
}

static int session_find(struct meta *m, const uint8_t hash[META_HASH_LEN], int64_t now, struct meta_session *s,
                        int64_t *ret_last_used)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&m->reader.lock);
    int r = meta_query(&m->reader, &stmt, NULL,
                       "SELECT s.id, s.created_ns, s.expires_ns, s.last_used_ns, u.id, u.scopes, u.password_hash IS "
                       "NOT NULL, u.login, u.created_ns"
                       " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = ? AND s.expires_ns > ? "
                       "AND s.last_used_ns > ?",
                       "bii", bytes_of(hash, META_HASH_LEN), now, now - META_SESSION_IDLE_DAYS * DAY_NS);
    if (r == 1) {
        s->id = sqlite3_column_int64(stmt, 0);
        s->created_ns = sqlite3_column_int64(stmt, 1);
        s->expires_ns = sqlite3_column_int64(stmt, 2);
        *ret_last_used = sqlite3_column_int64(stmt, 3);
        s->user.id = sqlite3_column_int64(stmt, 4);
        s->user.scopes = (uint32_t)sqlite3_column_int64(stmt, 5) & META_SCOPES_ALL;
        s->user.has_password = sqlite3_column_int(stmt, 6);
        meta_copy_text(stmt, 7, s->user.login, sizeof s->user.login);
        s->user.created_ns = sqlite3_column_int64(stmt, 8);
        meta_done(stmt);
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
            m, meta_run(&m->writer, NULL, NULL, "UPDATE sessions SET last_used_ns = ? WHERE id = ?", "ii", now, s.id),
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
    r = meta_run(&m->writer, &changes, err, "DELETE FROM sessions WHERE id = ?", "i", session);
    if (r == 0 && changes)
        r = meta_audit_put(m, actor, "session.end", str_z(target), STR(""), err);
    return meta_finish(m, r, err);
}
