#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meta/person.h"
#include "scratch.h"

static const struct meta_visitor peer = { STR_INIT("127.0.0.1"), STR_INIT("Firefox") };

static void a_link_works_once(void **state)
{
    struct scratch s;
    struct meta_session session, again;
    struct err err;
    int wait = 0;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX], other[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &session, &wait, &err), 0);
    assert_string_equal(session.user.login, "admin");
    assert_int_equal(session.user.scopes, META_SCOPES_ALL);
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), other, &again, &wait, &err), ERR_DENIED);
    assert_int_equal(meta_session_check(s.meta, str_z(secret), &again), 0);
    assert_int_equal(again.id, session.id);
    assert_string_equal(again.csrf, session.csrf);
    assert_int_equal(meta_session_check(s.meta, str_z(link), &again), ERR_DENIED); // a link is no session
    scratch_close(&s);
}

static void a_new_link_revokes_the_old(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct err err;
    int wait = 0;
    char old[META_SECRET_MAX], link[META_SECRET_MAX], secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), old, &err), 0);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(old), secret, &session, &wait, &err), ERR_DENIED);
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &session, &wait, &err), 0);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("nobody"), link, &err), ERR_NOENT);
    scratch_close(&s);
}

static void a_link_ends_after_ten_minutes(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct err err;
    int wait = 0;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
    scratch_sql(&s, "UPDATE login_links SET expires_ns = expires_ns - 600 * 1000000000");
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &session, &wait, &err), ERR_DENIED);
    scratch_close(&s);
}

static void sessions_end(void **state)
{
    static const char *const ends[] = { "UPDATE sessions SET expires_ns = 1",
                                        "UPDATE sessions SET last_used_ns = last_used_ns - 8 * 86400 * 1000000000",
                                        "DELETE FROM sessions" };
    for (size_t i = 0; i < 3; i++) {
        struct scratch s;
        struct meta_session session;
        struct err err;
        int wait = 0;
        char link[META_SECRET_MAX], secret[META_SECRET_MAX];
        scratch_open(&s);
        assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
        assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &session, &wait, &err), 0);
        scratch_sql(&s, ends[i]);
        assert_int_equal(meta_session_check(s.meta, str_z(secret), &session), ERR_DENIED);
        scratch_close(&s);
    }
}

static void signing_out_ends_the_session_at_once(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct err err;
    int wait = 0;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &session, &wait, &err), 0);
    assert_int_equal(meta_session_end(s.meta, STR("admin"), session.id, &err), 0);
    assert_int_equal(meta_session_check(s.meta, str_z(secret), &session), ERR_DENIED);
    scratch_close(&s);
}

static void the_header_token_must_match_whole(void **state)
{
    struct meta_session s = { .csrf = "0123456789012345678901234567890123456789012" };
    assert_true(meta_session_csrf_matches(&s, str_z(s.csrf)));
    assert_false(meta_session_csrf_matches(&s, STR("")));
    assert_false(meta_session_csrf_matches(&s, str_of(s.csrf, 42)));
    assert_false(meta_session_csrf_matches(&s, STR("0123456789012345678901234567890123456789013")));
}

static void passwords_open_and_their_change_ends_other_sessions(void **state)
{
    struct scratch s;
    struct meta_session old, session;
    struct err err;
    int wait = 0;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX], other[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &old, &wait, &err), 0);
    assert_int_equal(meta_user_set_password(s.meta, STR("admin"), old.user.id, STR("short"), 0, &err), ERR_INVALID);
    assert_int_equal(meta_user_set_password(s.meta, STR("admin"), old.user.id, STR("correct horse battery"), 0, &err),
                     0);
    assert_int_equal(meta_session_check(s.meta, str_z(secret), &session), ERR_DENIED);
    assert_int_equal(
        meta_signin_password(s.meta, peer, STR("admin"), STR("correct horse battery"), other, &session, &wait, &err),
        0);
    assert_int_equal(
        meta_signin_password(s.meta, peer, STR("admin"), STR("correct horse batterz"), other, &session, &wait, &err),
        ERR_DENIED);
    assert_string_equal(err.slug, "bad_credentials");
    assert_int_equal(
        meta_signin_password(s.meta, peer, STR("nobody"), STR("correct horse battery"), other, &session, &wait, &err),
        ERR_DENIED);
    assert_string_equal(err.slug, "bad_credentials"); // does not say which was wrong
    scratch_close(&s);
}

static void a_user_without_password_cannot_sign_in_with_one(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct err err;
    int wait = 0;
    char secret[META_SECRET_MAX];
    static const str tries[] = { STR_INIT(""), STR_INIT("no user has this"), STR_INIT("admin") };
    scratch_open(&s);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(meta_signin_password(s.meta, peer, STR("admin"), tries[i], secret, &session, &wait, &err),
                         ERR_DENIED);
    scratch_close(&s);
}

static void failed_attempts_are_throttled(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct err err;
    int wait = 0, r = 0, tries = 0;
    char link[META_SECRET_MAX], secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
    while ((r = meta_signin_link(s.meta, peer, STR("guess"), secret, &session, &wait, &err)) == ERR_DENIED)
        assert_true(++tries < 20);
    assert_int_equal(r, ERR_BUSY);
    assert_true(wait >= 1);
    // The right link waits too, else guessing would go on beside it; another peer does not.
    assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), secret, &session, &wait, &err), ERR_BUSY);
    assert_int_equal(meta_signin_link(s.meta, (struct meta_visitor){ .peer = STR("192.0.2.7") }, str_z(link), secret,
                                      &session, &wait, &err),
                     0);
    scratch_close(&s);
}

static void sessions_of_a_user_are_bounded(void **state)
{
    struct scratch s;
    struct meta_session session;
    struct err err;
    int wait = 0;
    char link[META_SECRET_MAX], first[META_SECRET_MAX], secret[META_SECRET_MAX];
    scratch_open(&s);
    for (int i = 0; i < META_SESSIONS_PER_USER + 1; i++) {
        assert_int_equal(meta_link_add(s.meta, STR("test"), STR("admin"), link, &err), 0);
        assert_int_equal(meta_signin_link(s.meta, peer, str_z(link), i ? secret : first, &session, &wait, &err), 0);
    }
    assert_int_equal(meta_session_check(s.meta, str_z(first), &session), ERR_DENIED);
    assert_int_equal(meta_session_check(s.meta, str_z(secret), &session), 0);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_works_once),
        cmocka_unit_test(a_new_link_revokes_the_old),
        cmocka_unit_test(a_link_ends_after_ten_minutes),
        cmocka_unit_test(sessions_end),
        cmocka_unit_test(signing_out_ends_the_session_at_once),
        cmocka_unit_test(the_header_token_must_match_whole),
        cmocka_unit_test(passwords_open_and_their_change_ends_other_sessions),
        cmocka_unit_test(a_user_without_password_cannot_sign_in_with_one),
        cmocka_unit_test(failed_attempts_are_throttled),
        cmocka_unit_test(sessions_of_a_user_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
