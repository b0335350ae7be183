// One-time links: to sign in with, or, as an invitation or a reset, to set a password with. A user has one at most.
#include "base/clock.h"
#include "meta/person_internal.h"

#include <sodium.h>
#include <stdio.h>

#define DAY_NS (86400 * NS_PER_S)

static int link_insert(struct meta *m, str actor, const struct meta_user *u, bool sets_password, int64_t expires_ns,
                       const uint8_t hash[META_HASH_LEN], str detail, struct err *err)
{
    int64_t id;
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = meta_link_use_up(m, u->id, err);
    if (r == 0)
        r = meta_next_id(m, "login_links", &id, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO login_links (id, user_id, secret_hash, expires_ns, sets_password) VALUES (?, ?, ?, ?, "
                   "?)",
                   "iibii", id, u->id, bytes_of(hash, META_HASH_LEN), expires_ns, (int64_t)sets_password);
    if (r == 0)
        r = meta_audit_put(m, actor, "link.add", str_z(u->login), detail, err);
    return meta_finish(m, r, err);
}

static int link_user_ok(const struct meta_user *u, struct err *err)
{
    if (!u->disabled_ns)
        return 0;
    err_set(err, ERR_INVALID, "user_disabled", "the user %s is disabled", u->login);
    err_set_hint(err, "enable the user first");
    return ERR_INVALID;
}

int meta_link_add(struct meta *m, str actor, str login, char ret_secret[META_SECRET_MAX], struct err *err)
{
    struct meta_user u;
    char secret[META_SECRET_MAX];
    uint8_t hash[META_HASH_LEN];
    int r = meta_user_find(m, login, &u, err);
    if (r == 0)
        r = link_user_ok(&u, err);
    if (r < 0)
        return r;
    meta_secret_make("", secret);
    meta_secret_hash("link", str_z(secret), hash);
    r = link_insert(m, actor, &u, false, clock_unix_ns() + META_LINK_SECONDS * NS_PER_S, hash, STR("10 minutes, once"),
                    err);
    if (r == 0)
        memcpy(ret_secret, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    return r;
}

int meta_password_link_add(struct meta *m, str actor, int64_t user, char ret_secret[META_SECRET_MAX],
                           int64_t *ret_expires_ns, struct err *err)
{
    struct meta_user u;
    char secret[META_SECRET_MAX], detail[64];
    uint8_t hash[META_HASH_LEN];
    int r = meta_user_get(m, user, &u, err);
    if (r == 0)
        r = link_user_ok(&u, err);
    if (r < 0)
        return r;
    int days = u.joined_ns ? META_RESET_DAYS : META_INVITATION_DAYS;
    int64_t expires = clock_unix_ns() + days * DAY_NS;
    snprintf(detail, sizeof detail, "%s, %d day%s, once", u.joined_ns ? "reset" : "invitation", days,
             days == 1 ? "" : "s");
    meta_secret_make("", secret);
    meta_secret_hash("link", str_z(secret), hash);
    r = link_insert(m, actor, &u, true, expires, hash, str_z(detail), err);
    if (r == 0) {
        memcpy(ret_secret, secret, sizeof secret);
        *ret_expires_ns = expires;
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}

int meta_link_find(struct db *db, const uint8_t hash[META_HASH_LEN], bool sets_password, struct meta_user *u,
                   struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(db, &stmt, err,
                     "SELECT " META_USER_COLUMNS ", l.sets_password FROM login_links l JOIN users u ON u.id = l.user_id"
                     " WHERE l.secret_hash = ? AND l.expires_ns > ? AND u.disabled_ns = 0",
                     "bi", bytes_of(hash, META_HASH_LEN), clock_unix_ns());
    if (r < 0)
        return r;
    if (r == 0) {
        err_set(err, ERR_DENIED, "bad_link",
                sets_password
                    ? "this link is not valid any more: it works once, for a while, and a newer one replaces it"
                    : "this sign-in link is not valid: it works once, for 10 minutes, and a newer one "
                      "replaces it");
        err_set_hint(err, sets_password ? "ask for a new one" : "`clew login-link` on the server prints a new one");
        return ERR_DENIED;
    }
    bool kind = sqlite3_column_int(stmt, META_USER_COLUMNS_N);
    struct meta_user found;
    meta_user_read(stmt, 0, &found);
    db_done(stmt);
    if (kind != sets_password) // not used up: it is asked for in the wrong way
        return kind ? err_set(err, ERR_INVALID, "needs_password", "this link wants a new password with it")
                    : err_set(err, ERR_INVALID, "bad_request", "this link signs in only; it sets no password");
    *u = found;
    return 0;
}

int meta_link_use_up(struct meta *m, int64_t user, struct err *err)
{
    return db_run(&m->writer, NULL, err, "DELETE FROM login_links WHERE user_id = ?", "i", user);
}
