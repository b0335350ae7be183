#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "meta/audit.h"
#include "meta/person.h"
#include "scratch.h"

#include <stdio.h>

static const struct meta_visitor visitor = { STR_INIT("192.0.2.7"), STR_INIT("Firefox") };
static const str password = STR_INIT("correct horse battery");

static struct meta_user added(struct scratch *s, const char *login, uint32_t scopes)
{
    struct meta_user u;
    assert_int_equal(meta_user_add(s->meta, STR("test"), str_z(login), scopes, &u, NULL), 0);
    return u;
}

// Invites, accepts; the session's secret.
static void joined(struct scratch *s, const struct meta_user *u, char secret[META_SECRET_MAX])
{
    struct meta_session session;
    char link[META_SECRET_MAX];
    int64_t expires;
    int wait = 0;
    assert_int_equal(meta_password_link_add(s->meta, STR("test"), u->id, link, &expires, NULL), 0);
    assert_int_equal(meta_signin_invited(s->meta, visitor, str_z(link), password, secret, &session, &wait, NULL), 0);
}

static void admin_signs_in(struct scratch *s, char secret[META_SECRET_MAX])
{
    struct meta_session session;
    char link[META_SECRET_MAX];
    int wait = 0;
    assert_int_equal(meta_link_add(s->meta, STR("test"), STR("admin"), link, NULL), 0);
    assert_int_equal(meta_signin_link(s->meta, visitor, str_z(link), secret, &session, &wait, NULL), 0);
}

static void names_are_plain(void **state)
{
    static const char *const good[] = { "a", "mara", "mara.lindqvist@example.com", "x+y_z-1" };
    static const char *const bad[] = { "",
                                       "-a",
                                       "@a",
                                       ".a",
                                       "Mara",
                                       "a b",
                                       "a/b",
                                       "a\nb",
                                       "a:b",
                                       "server",
                                       "\xc3\xa4",
                                       "a\"b",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    struct scratch s;
    struct meta_user u;
    scratch_open(&s);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(meta_user_add(s.meta, STR("t"), str_z(good[i]), META_SCOPE_READ, &u, NULL), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(meta_user_add(s.meta, STR("t"), str_z(bad[i]), META_SCOPE_READ, &u, NULL), ERR_INVALID);
    assert_int_equal(meta_user_add(s.meta, STR("t"), STR("mara"), META_SCOPE_READ, &u, NULL), ERR_EXIST);
    assert_int_equal(meta_user_add(s.meta, STR("t"), STR("nothing"), 0, &u, NULL), ERR_INVALID);
    scratch_close(&s);
}

static void an_invitation_sets_a_password_once(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct meta_user u;
    struct err err;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX], other[META_SECRET_MAX];
    int64_t expires;
    int wait = 0;
    scratch_open(&s);
    u = added(&s, "mara", META_SCOPE_READ);
    assert_int_equal(u.joined_ns, 0);
    assert_int_equal(meta_password_link_add(s.meta, STR("test"), u.id, link, &expires, &err), 0);
    // Neither without a password nor with a poor one; neither uses it up.
    assert_int_equal(meta_signin_link(s.meta, visitor, str_z(link), other, &session, &wait, &err), ERR_INVALID);
    assert_string_equal(err.slug, "needs_password");
    assert_int_equal(meta_signin_invited(s.meta, visitor, str_z(link), STR("short"), other, &session, &wait, &err),
                     ERR_INVALID);
    assert_int_equal(meta_signin_invited(s.meta, visitor, str_z(link), password, secret, &session, &wait, &err), 0);
    assert_true(session.user.has_password);
    assert_int_equal(session.user.scopes, META_SCOPE_READ);
    assert_int_equal(meta_signin_invited(s.meta, visitor, str_z(link), password, other, &session, &wait, &err),
                     ERR_DENIED);
    assert_int_equal(meta_session_check(s.meta, str_z(secret), &session), 0);
    assert_int_equal(meta_signin_password(s.meta, visitor, STR("mara"), password, other, &session, &wait, &err), 0);
    assert_int_equal(meta_user_find(s.meta, STR("mara"), &u, &err), 0);
    assert_true(u.joined_ns > 0);
    scratch_close(&s);
}

static void an_invitation_ends(void **state)
{
    struct scratch s;
    struct meta_session session;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX];
    int64_t expires;
    int wait = 0;
    scratch_open(&s);
    struct meta_user u = added(&s, "mara", META_SCOPE_READ);
    assert_int_equal(meta_password_link_add(s.meta, STR("test"), u.id, link, &expires, NULL), 0);
    scratch_sql(&s, "UPDATE login_links SET expires_ns = expires_ns - 7 * 86400 * 1000000000");
    assert_int_equal(meta_signin_invited(s.meta, visitor, str_z(link), password, secret, &session, &wait, NULL),
                     ERR_DENIED);
    scratch_close(&s);
}

static void a_reset_ends_what_was_open(void **state)
{
    struct scratch s;
    struct meta_session session;
    char first[META_SECRET_MAX], link[META_SECRET_MAX], second[META_SECRET_MAX];
    int64_t expires;
    int wait = 0;
    scratch_open(&s);
    struct meta_user u = added(&s, "mara", META_SCOPE_READ);
    joined(&s, &u, first);
    assert_int_equal(meta_password_link_add(s.meta, STR("test"), u.id, link, &expires, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(first), &session), 0); // until it is used
    assert_int_equal(
        meta_signin_invited(s.meta, visitor, str_z(link), STR("another long one"), second, &session, &wait, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(first), &session), ERR_DENIED);
    assert_int_equal(meta_signin_password(s.meta, visitor, STR("mara"), password, second, &session, &wait, NULL),
                     ERR_DENIED);
    assert_int_equal(
        meta_signin_password(s.meta, visitor, STR("mara"), STR("another long one"), second, &session, &wait, NULL), 0);
    scratch_close(&s);
}

static void a_sign_in_link_sets_no_password(void **state)
{
    struct scratch s;
    struct meta_session session;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX];
    int wait = 0;
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, NULL), 0);
    assert_int_equal(meta_signin_invited(s.meta, visitor, str_z(link), password, secret, &session, &wait, NULL),
                     ERR_INVALID);
    assert_int_equal(meta_signin_link(s.meta, visitor, str_z(link), secret, &session, &wait, NULL), 0);
    assert_false(session.user.has_password);
    scratch_close(&s);
}

static void who_is_removed_or_disabled_is_out_at_once(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct meta_user same;
    char open[META_SECRET_MAX], secret[META_SECRET_MAX], link[META_SECRET_MAX];
    int64_t expires;
    int wait = 0;
    scratch_open(&s);
    struct meta_user u = added(&s, "mara", META_SCOPE_READ);
    joined(&s, &u, open);
    assert_int_equal(meta_user_set_disabled(s.meta, STR("test"), u.id, true, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(open), &session), ERR_DENIED);
    assert_int_equal(meta_signin_password(s.meta, visitor, STR("mara"), password, secret, &session, &wait, NULL),
                     ERR_DENIED);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("mara"), link, NULL), ERR_INVALID);
    assert_int_equal(meta_password_link_add(s.meta, STR("test"), u.id, link, &expires, NULL), ERR_INVALID);
    assert_int_equal(meta_user_set_disabled(s.meta, STR("test"), u.id, false, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(open), &session), ERR_DENIED); // what has ended stays so
    assert_int_equal(meta_signin_password(s.meta, visitor, STR("mara"), password, open, &session, &wait, NULL), 0);
    assert_int_equal(meta_user_remove(s.meta, STR("test"), u.id, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(open), &session), ERR_DENIED);
    assert_int_equal(meta_user_find(s.meta, STR("mara"), &same, NULL), ERR_NOENT);
    assert_int_equal(meta_user_remove(s.meta, STR("test"), u.id, NULL), ERR_NOENT);
    scratch_close(&s);
}

static void new_scopes_hold_in_open_sessions(void **state)
{
    struct scratch s;
    struct meta_session session;
    char open[META_SECRET_MAX];
    scratch_open(&s);
    struct meta_user u = added(&s, "mara", META_SCOPE_READ | META_SCOPE_VALUES);
    joined(&s, &u, open);
    assert_int_equal(meta_user_set_scopes(s.meta, STR("test"), u.id, META_SCOPE_READ, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(open), &session), 0);
    assert_int_equal(session.user.scopes, META_SCOPE_READ);
    assert_int_equal(meta_user_set_scopes(s.meta, STR("test"), u.id, 0, NULL), ERR_INVALID);
    scratch_close(&s);
}

static void somebody_is_left_who_administers(void **state)
{
    struct scratch s;
    struct meta_user admin;
    struct err err;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_user_find(s.meta, STR("admin"), &admin, NULL), 0);
    struct meta_user second = added(&s, "second", META_SCOPES_ALL);
    for (int round = 0; round < 2; round++) { // who is only invited does not count, nor who is disabled
        assert_int_equal(meta_user_remove(s.meta, STR("t"), admin.id, &err), ERR_LIMIT);
        assert_string_equal(err.slug, "last_admin");
        assert_int_equal(meta_user_set_disabled(s.meta, STR("t"), admin.id, true, &err), ERR_LIMIT);
        assert_int_equal(meta_user_set_scopes(s.meta, STR("t"), admin.id, META_SCOPE_READ, &err), ERR_LIMIT);
        assert_int_equal(meta_user_set_scopes(s.meta, STR("t"), admin.id, META_SCOPE_READ | META_SCOPE_ADMIN, &err), 0);
        if (round == 0) {
            joined(&s, &second, secret);
            assert_int_equal(meta_user_set_disabled(s.meta, STR("t"), second.id, true, &err), 0);
        }
    }
    assert_int_equal(meta_user_set_disabled(s.meta, STR("t"), second.id, false, &err), 0);
    assert_int_equal(meta_user_remove(s.meta, STR("t"), admin.id, &err), 0);
    assert_int_equal(meta_user_remove(s.meta, STR("t"), second.id, &err), ERR_LIMIT);
    scratch_close(&s);
}

static void sessions_are_listed_and_ended(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct meta_session_row *rows;
    struct meta_user admin;
    char mine[META_SECRET_MAX], other[META_SECRET_MAX], third[META_SECRET_MAX];
    size_t n;
    int ended = 0;
    scratch_open(&s);
    struct meta_user mara = added(&s, "mara", META_SCOPE_READ);
    joined(&s, &mara, third);
    admin_signs_in(&s, mine);
    admin_signs_in(&s, other);
    assert_int_equal(meta_session_check(s.meta, str_z(mine), &session), 0);
    admin = session.user;
    assert_int_equal(meta_session_list(s.meta, admin.id, &rows, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_true(rows[0].id > rows[1].id);
    assert_string_equal(rows[0].peer, "192.0.2.7");
    assert_string_equal(rows[0].agent, "Firefox");
    // Not somebody else's.
    assert_int_equal(meta_session_end_of(s.meta, STR("t"), mara.id, rows[0].id, NULL), ERR_NOENT);
    mem_free(rows);
    assert_int_equal(meta_session_end_all(s.meta, STR("t"), admin.id, session.id, &ended, NULL), 0);
    assert_int_equal(ended, 1);
    assert_int_equal(meta_session_check(s.meta, str_z(other), &session), ERR_DENIED);
    assert_int_equal(meta_session_check(s.meta, str_z(mine), &session), 0);
    assert_int_equal(meta_session_end_of(s.meta, STR("t"), admin.id, session.id, NULL), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(mine), &session), ERR_DENIED);
    assert_int_equal(meta_session_check(s.meta, str_z(third), &session), 0);
    scratch_close(&s);
}

static void all_of_it_is_in_the_trail(void **state)
{
    static const char *const expected[] = { "user.remove",   "user.enable",   "user.disable", "user.scopes",
                                            "session.start", "user.password", "link.add",     "user.add" };
    struct scratch s;
    struct meta_audit_entry *list;
    struct meta_audit_report report;
    char secret[META_SECRET_MAX];
    size_t n;
    scratch_open(&s);
    struct meta_user u = added(&s, "mara", META_SCOPE_READ);
    joined(&s, &u, secret);
    assert_int_equal(meta_user_set_scopes(s.meta, STR("t"), u.id, META_SCOPE_READ | META_SCOPE_VALUES, NULL), 0);
    assert_int_equal(meta_user_set_disabled(s.meta, STR("t"), u.id, true, NULL), 0);
    assert_int_equal(meta_user_set_disabled(s.meta, STR("t"), u.id, false, NULL), 0);
    assert_int_equal(meta_user_remove(s.meta, STR("t"), u.id, NULL), 0);
    assert_int_equal(meta_audit_list(s.meta, 0, STR(""), 8, &list, &n, NULL), 0);
    assert_int_equal(n, 8);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(list[i].action, expected[i]);
        assert_string_equal(list[i].target, "mara");
    }
    mem_free(list);
    assert_int_equal(meta_audit_verify(s.meta, NULL, &report, NULL), 0);
    scratch_close(&s);
}

static void a_file_of_the_first_version_is_brought_up(void **state)
{
    struct scratch s;
    struct meta_user admin;
    scratch_open(&s);
    meta_close(s.meta);
    s.meta = NULL;
    scratch_sql(&s, "ALTER TABLE users DROP COLUMN joined_ns; ALTER TABLE users DROP COLUMN disabled_ns; ALTER TABLE "
                    "login_links DROP "
                    "COLUMN sets_password; ALTER TABLE sessions DROP COLUMN peer; ALTER TABLE sessions DROP COLUMN "
                    "agent; DELETE FROM "
                    "schema_versions WHERE version > 1; DROP TABLE grouping_rules; DROP TABLE owner_rules; DROP TABLE "
                    "repositories; DROP TABLE project_settings; DROP TABLE code_mappings");
    scratch_reopen(&s);
    assert_int_equal(meta_user_find(s.meta, STR("admin"), &admin, NULL), 0);
    assert_int_equal(admin.joined_ns, admin.created_ns);
    assert_int_equal(meta_user_remove(s.meta, STR("t"), admin.id, NULL), ERR_LIMIT);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(an_invitation_sets_a_password_once),
        cmocka_unit_test(an_invitation_ends),
        cmocka_unit_test(a_reset_ends_what_was_open),
        cmocka_unit_test(a_sign_in_link_sets_no_password),
        cmocka_unit_test(who_is_removed_or_disabled_is_out_at_once),
        cmocka_unit_test(new_scopes_hold_in_open_sessions),
        cmocka_unit_test(somebody_is_left_who_administers),
        cmocka_unit_test(sessions_are_listed_and_ended),
        cmocka_unit_test(all_of_it_is_in_the_trail),
        cmocka_unit_test(a_file_of_the_first_version_is_brought_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
