// Releases are made once, changed in part, found by project, and go with what is theirs.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void made_once_and_changed_in_part(void **state)
{
    struct releases_scratch s;
    struct release x;
    struct err err;
    int64_t first, second, time = 1700000000 * NS_PER_S;
    bool made;
    str url = STR("https://example.com/1");
    releases_scratch_open(&s);
    struct release_change c = { .url = &url };
    assert_int_equal(release_put(s.releases, 1, STR("shop@1"), &c, &first, &made, &err), 0);
    assert_true(made);
    c = (struct release_change){ .released = &time };
    assert_int_equal(release_put(s.releases, 1, STR("shop@1"), &c, &second, &made, &err), 0);
    assert_true(!made && first == second);
    releases_scratch_reopen(&s);
    assert_int_equal(release_find(s.releases, 1, STR("shop@1"), &s.arena, &x, &err), 0);
    assert_true(x.released == time && str_eq(x.url, url) && x.created > 0 && x.status == RELEASE_OPEN && !x.by_event);
    assert_int_equal(release_find(s.releases, 2, STR("shop@1"), &s.arena, &x, &err), ERR_NOENT);
    assert_int_equal(release_put(s.releases, 1, STR("a/b"), &c, NULL, NULL, &err), ERR_INVALID);
    releases_scratch_close(&s);
}

static void one_that_is_removed_is_gone(void **state)
{
    struct releases_scratch s;
    struct release x;
    struct err err;
    str version;
    releases_scratch_open(&s);
    int64_t id = releases_scratch_put(&s, 1, "a@1", 0);
    struct release_commit c = { .id = STR("c1"), .repository = STR("r") };
    struct release_deploy d = { .environment = STR("prod") };
    assert_int_equal(releases_set_commits(s.releases, id, &c, 1, &err), 0);
    assert_int_equal(releases_deploy(s.releases, &id, 1, &d, &err), 0);
    assert_int_equal(release_remove(s.releases, 1, STR("a@1"), &err), 0);
    assert_int_equal(release_remove(s.releases, 1, STR("a@1"), &err), ERR_NOENT);
    assert_int_equal(release_find(s.releases, 1, STR("a@1"), &s.arena, &x, &err), ERR_NOENT);
    assert_int_equal(releases_commit_release(s.releases, 1, STR("c1"), &s.arena, &version, &err), ERR_NOENT);
    releases_touch(s.releases, 1, STR("a@1"), NS_PER_S); // and comes back when an event names it
    assert_int_equal(release_find(s.releases, 1, STR("a@1"), &s.arena, &x, &err), 0);
    assert_true(x.by_event && x.id != id && x.commits == 0 && x.deploys == 0);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(made_once_and_changed_in_part),
                                        cmocka_unit_test(one_that_is_removed_is_gone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
