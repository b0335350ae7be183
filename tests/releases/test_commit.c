// Commits are set as a whole; what is known of one is filled up and never overwritten.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void set_replaces_and_clears(void **state)
{
    struct releases_scratch s;
    struct release_commit *list, in[] = { { .id = STR("c2"), .repository = STR("r"), .time = 20 },
                                          { .id = STR("c1"), .repository = STR("r"), .time = 10 },
                                          { .id = STR("c2"), .repository = STR("r"), .time = 20 } };
    struct err err;
    size_t n;
    releases_scratch_open(&s);
    int64_t id = releases_scratch_put(&s, 1, "a@1", 0);
    assert_int_equal(releases_set_commits(s.releases, id, in, 3, &err), 0);
    releases_scratch_reopen(&s);
    assert_int_equal(releases_commits(s.releases, id, false, &s.arena, &list, &n, &err), 0);
    assert_true(n == 2 && str_eq(list[0].id, STR("c2")) && str_eq(list[1].id, STR("c1")));
    assert_int_equal(releases_set_commits(s.releases, id, in, 1, &err), 0);
    assert_int_equal(releases_commits(s.releases, id, false, &s.arena, &list, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(releases_set_commits(s.releases, id, NULL, 0, &err), 0);
    assert_int_equal(releases_commits(s.releases, id, false, &s.arena, &list, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(releases_set_commits(s.releases, id + 1, in, 1, &err), ERR_NOENT);
    assert_int_equal(releases_set_commits(s.releases, id, in, RELEASE_COMMITS + 1, &err), ERR_LIMIT);
    in[0].id = (str){ 0 };
    assert_int_equal(releases_set_commits(s.releases, id, in, 1, &err), ERR_INVALID);
    releases_scratch_close(&s);
}

static void a_commit_is_filled_up_and_not_overwritten(void **state)
{
    struct releases_scratch s;
    struct release_file f = { STR("src/a.js"), RELEASE_FILE_ADDED }, other = { STR("evil.js"), RELEASE_FILE_ADDED };
    struct release_commit *list, bare = { .id = STR("c1"), .repository = STR("r") };
    struct release_commit full = { .id = STR("c1"),
                                   .repository = STR("r"),
                                   .message = STR("why"),
                                   .author_name = STR("Ann"),
                                   .time = 7,
                                   .files = &f,
                                   .files_n = 1 };
    struct release_commit forged = {
        .id = STR("c1"), .repository = STR("r"), .message = STR("lie"), .files = &other, .files_n = 1
    };
    struct release_commit *steps[] = { &bare, &full, &forged };
    struct err err;
    size_t n;
    releases_scratch_open(&s);
    int64_t id = releases_scratch_put(&s, 1, "a@1", 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(releases_set_commits(s.releases, id, steps[i], 1, &err), 0);
    assert_int_equal(releases_commits(s.releases, id, true, &s.arena, &list, &n, &err), 0);
    assert_true(n == 1 && str_eq(list[0].message, STR("why")) && str_eq(list[0].author_name, STR("Ann")) &&
                list[0].time == 7);
    assert_true(list[0].files_n == 1 && str_eq(list[0].files[0].path, STR("src/a.js")) &&
                list[0].files[0].change == RELEASE_FILE_ADDED);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(set_replaces_and_clears),
                                        cmocka_unit_test(a_commit_is_filled_up_and_not_overwritten) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
