// Administration of people: who there is, what each may do, and that somebody is left who can administer.
#include "base/clock.h"
#include "base/mem.h"
#include "meta/person_internal.h"

#include <stdio.h>

static bool login_valid(str login)
{
    if (login.len == 0 || login.len > META_NAME_MAX ||
        str_eq(login, STR("server"))) // the server's own name in the trail
        return false;
    for (size_t i = 0; i < login.len; i++) {
        char c = login.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || !(c == '.' || c == '_' || c == '+' || c == '-' || c == '@')))
            return false;
    }
    return true;
}

static int scopes_ok(uint32_t scopes, struct err *err)
{
    if (scopes && !(scopes & ~(uint32_t)META_SCOPES_ALL))
        return 0;
    return err_set(err, ERR_INVALID, "bad_scope", "a user needs at least one scope");
}

static int user_insert(struct meta *m, str actor, struct meta_user *u, struct err *err)
{
    sqlite3_stmt *stmt;
    char words[64], detail[80];
    str login = str_z(u->login);
    int r = db_query(&m->writer, &stmt, err, "SELECT count(*), sum(login = ?) FROM users", "t", login);
    if (r <= 0)
        return r;
    int64_t n = sqlite3_column_int64(stmt, 0), same = sqlite3_column_int64(stmt, 1);
    db_done(stmt);
    if (same)
        return err_set(err, ERR_EXIST, "user_exists", "there is a user %s already", u->login);
    if (n >= META_USERS_MAX)
        return err_set(err, ERR_LIMIT, "too_many_users", "a workspace holds at most %d users", META_USERS_MAX);
    meta_scopes_text(u->scopes, words);
    snprintf(detail, sizeof detail, "scopes %s", words);
    r = meta_next_id(m, "users", &u->id, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO users (id, workspace_id, login, scopes, password_hash, created_ns) VALUES (?, ?, ?, ?, "
                   "NULL, ?)",
                   "iitii", u->id, m->workspace, login, (int64_t)u->scopes, u->created_ns);
    if (r == 0)
        r = meta_audit_put(m, actor, "user.add", login, str_z(detail), err);
    return r;
}

int meta_user_add(struct meta *m, str actor, str login, uint32_t scopes, struct meta_user *ret_user, struct err *err)
{
    struct meta_user u = { .scopes = scopes, .created_ns = clock_unix_ns() };
    if (!login_valid(login)) {
        err_set(err, ERR_INVALID, "bad_login", "\"%.*s\" is not a name for a user",
                STR_ARG(str_slice(login, 0, META_NAME_MAX)));
        err_set_hint(err, "1 to %d of a-z, 0-9 and . _ + - @, beginning with a letter or digit", META_NAME_MAX);
        return ERR_INVALID;
    }
    int r = scopes_ok(scopes, err);
    if (r < 0)
        return r;
    memcpy(u.login, login.ptr, login.len);
    r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = meta_finish(m, user_insert(m, actor, &u, err), err);
    if (r == 0)
        *ret_user = u;
    return r;
}

int meta_user_list(struct meta *m, struct meta_user_row **ret_users, size_t *ret_n, struct err *err)
{
    struct meta_user_row *list = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *stmt;
    int64_t now = clock_unix_ns();
    pthread_mutex_lock(&m->reader.lock);
    int r =
        db_query(&m->reader, &stmt, err,
                 "SELECT " META_USER_COLUMNS ", count(s.id), coalesce(max(s.last_used_ns), 0),"
                 " coalesce((SELECT max(expires_ns) FROM login_links l WHERE l.user_id = u.id AND l.sets_password = 1 "
                 "AND l.expires_ns > ?), 0)"
                 " FROM users u LEFT JOIN sessions s ON s.user_id = u.id AND s.expires_ns > ? AND s.last_used_ns > ?"
                 " WHERE u.workspace_id = ? GROUP BY u.id ORDER BY u.login",
                 "iiii", now, now, now - META_SESSION_IDLE_DAYS * 86400 * NS_PER_S, m->workspace);
    while (r == 1) {
        if (n == cap) {
            struct meta_user_row *more = mem_reallocarray(list, cap ? cap * 2 : 16, sizeof *list);
            if (!more) {
                db_done(stmt);
                r = err_set(err, ERR_NOMEM, NULL, "out of memory");
                break;
            }
            list = more;
            cap = cap ? cap * 2 : 16;
        }
        struct meta_user_row *row = &list[n++];
        meta_user_read(stmt, 0, &row->user);
        row->sessions = sqlite3_column_int64(stmt, META_USER_COLUMNS_N);
        row->last_used_ns = sqlite3_column_int64(stmt, META_USER_COLUMNS_N + 1);
        row->link_ns = sqlite3_column_int64(stmt, META_USER_COLUMNS_N + 2);
        r = db_next(&m->reader, stmt, err);
    }
    pthread_mutex_unlock(&m->reader.lock);
    if (r < 0) {
        mem_free(list);
        return r;
    }
    *ret_users = list;
    *ret_n = n;
    return 0;
}

// Inside a transaction. Reads the user there, where nobody else changes anything.
static int user_for_change(struct meta *m, int64_t id, struct meta_user *u, struct err *err)
{
    sqlite3_stmt *stmt;
    int r =
        db_query(&m->writer, &stmt, err, "SELECT " META_USER_COLUMNS " FROM users u WHERE workspace_id = ? AND id = ?",
                 "ii", m->workspace, id);
    if (r < 0)
        return r;
    if (r == 0)
        return err_set(err, ERR_NOENT, "no_user", "there is no user %lld", (long long)id);
    meta_user_read(stmt, 0, u);
    db_done(stmt);
    return 0;
}

// Is anybody else left who administers? Who has been invited only does not count: the invitation may be lost.
static int another_admin(struct meta *m, const struct meta_user *u, struct err *err)
{
    sqlite3_stmt *stmt;
    if (!(u->scopes & META_SCOPE_ADMIN) || u->disabled_ns)
        return 0;
    int r = db_query(&m->writer, &stmt, err,
                     "SELECT count(*) FROM users WHERE workspace_id = ? AND id <> ? AND (scopes & ?) <> 0 AND "
                     "disabled_ns = 0 AND joined_ns <> 0",
                     "iii", m->workspace, u->id, (int64_t)META_SCOPE_ADMIN);
    if (r <= 0)
        return r;
    int64_t others = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    if (others)
        return 0;
    err_set(err, ERR_LIMIT, "last_admin", "%s is the last user who may administer", u->login);
    err_set_hint(err, "give somebody else who has signed in the scope admin first");
    return ERR_LIMIT;
}

static int user_shut_out(struct meta *m, int64_t user, struct err *err)
{
    int r = db_run(&m->writer, NULL, err, "DELETE FROM sessions WHERE user_id = ?", "i", user);
    return r == 0 ? meta_link_use_up(m, user, err) : r;
}

int meta_user_set_scopes(struct meta *m, str actor, int64_t user, uint32_t scopes, struct err *err)
{
    struct meta_user u;
    char was[64], now[64], detail[160];
    int r = scopes_ok(scopes, err);
    if (r == 0)
        r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = user_for_change(m, user, &u, err);
    if (r == 0 && !(scopes & META_SCOPE_ADMIN))
        r = another_admin(m, &u, err);
    if (r == 0 && scopes != u.scopes) {
        meta_scopes_text(u.scopes, was);
        meta_scopes_text(scopes, now);
        snprintf(detail, sizeof detail, "%s, was %s", now, was);
        r = db_run(&m->writer, NULL, err, "UPDATE users SET scopes = ? WHERE id = ?", "ii", (int64_t)scopes, user);
        if (r == 0)
            r = meta_audit_put(m, actor, "user.scopes", str_z(u.login), str_z(detail), err);
    }
    return meta_finish(m, r, err);
}

int meta_user_set_disabled(struct meta *m, str actor, int64_t user, bool disabled, struct err *err)
{
    struct meta_user u;
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = user_for_change(m, user, &u, err);
    if (r == 0 && disabled)
        r = another_admin(m, &u, err);
    if (r == 0 && disabled != (u.disabled_ns != 0)) {
        r = db_run(&m->writer, NULL, err, "UPDATE users SET disabled_ns = ? WHERE id = ?", "ii",
                   disabled ? clock_unix_ns() : (int64_t)0, user);
        if (r == 0 && disabled)
            r = user_shut_out(m, user, err);
        if (r == 0)
            r = meta_audit_put(m, actor, disabled ? "user.disable" : "user.enable", str_z(u.login),
                               disabled ? STR("sessions and links ended") : STR(""), err);
    }
    return meta_finish(m, r, err);
}

int meta_user_remove(struct meta *m, str actor, int64_t user, struct err *err)
{
    struct meta_user u;
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    r = user_for_change(m, user, &u, err);
    if (r == 0)
        r = another_admin(m, &u, err);
    if (r == 0)
        r = user_shut_out(m, user, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "DELETE FROM users WHERE id = ?", "i", user);
    if (r == 0)
        r = meta_audit_put(m, actor, "user.remove", str_z(u.login), STR("sessions and links ended"), err);
    return meta_finish(m, r, err);
}
