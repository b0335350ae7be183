// What events name: made on first sight, first and last kept whatever the order, bounded, expired.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

#include <stdio.h>

static void first_sight_makes_it_and_again_changes_nothing(void **state)
{
    struct releases_scratch s;
    struct release x, y;
    struct err err;
    releases_scratch_open(&s);
    for (int i = 0; i < 2; i++) { // the same again, as after a kill
        releases_touch(s.releases, 1, STR("shop@1"), 50 * NS_PER_S);
        releases_touch(s.releases, 1, STR("shop@1"), 20 * NS_PER_S);
        releases_touch(s.releases, 1, STR("shop@1"), 90 * NS_PER_S);
        releases_touch(s.releases, 2, STR("shop@1"), 10 * NS_PER_S);
        releases_touch(s.releases, 1, STR("no/version"), 10 * NS_PER_S);
        assert_int_equal(releases_save(s.releases, &err), 0);
        releases_scratch_reopen(&s);
        assert_int_equal(release_find(s.releases, 1, STR("shop@1"), &s.arena, &x, &err), 0);
        assert_true(x.by_event && x.first_event == 20 * NS_PER_S && x.last_event == 90 * NS_PER_S);
        assert_true(x.created == 20 * NS_PER_S);
    }
    assert_int_equal(release_find(s.releases, 2, STR("shop@1"), &s.arena, &y, &err), 0);
    assert_true(y.first_event == 10 * NS_PER_S && y.id != x.id);
    assert_int_equal(release_find(s.releases, 1, STR("no/version"), &s.arena, &x, &err), ERR_NOENT);
    releases_scratch_close(&s);
}

static void a_list_sees_what_is_not_saved_yet(void **state)
{
    struct releases_scratch s;
    struct release x;
    struct err err;
    releases_scratch_open(&s);
    releases_scratch_put(&s, 1, "shop@1", 0);
    releases_touch(s.releases, 1, STR("shop@1"), 50 * NS_PER_S);
    assert_int_equal(release_find(s.releases, 1, STR("shop@1"), &s.arena, &x, &err), 0);
    assert_true(!x.by_event && x.first_event == 50 * NS_PER_S);
    releases_scratch_close(&s);
}

// More names than there is memory for, and than a project may have.
static void many_names_are_bounded(void **state)
{
    struct releases_scratch s;
    struct release *list;
    struct err err;
    size_t n;
    uint32_t project = 1;
    char name[32];
    releases_scratch_open(&s);
    for (int i = 0; i < RELEASES_PER_PROJECT + 3000; i++) {
        snprintf(name, sizeof name, "v%d", i);
        releases_touch(s.releases, project, str_z(name), (i + 1) * NS_PER_S);
    }
    struct release_filter f = { .projects = &project, .projects_n = 1 };
    assert_int_equal(release_list(s.releases, &f, &s.arena, &list, &n, &err), 0);
    assert_int_equal(n, RELEASES_PER_PROJECT);
    struct release_change c = { 0 };
    assert_int_equal(release_put(s.releases, project, STR("one more"), &c, NULL, NULL, &err), ERR_LIMIT);
    assert_int_equal(release_put(s.releases, 2, STR("one more"), &c, NULL, NULL, &err), 0);
    releases_scratch_close(&s);
}

static void what_only_events_made_expires(void **state)
{
    struct releases_scratch s;
    struct release x;
    struct err err;
    enum { DAY_S = 86400 };
    releases_scratch_open(&s);
    s.retention_ns = 10 * DAY_S * NS_PER_S;
    releases_scratch_reopen(&s);
    releases_scratch_put(&s, 1, "made", 0);
    releases_touch(s.releases, 1, STR("made"), 1 * DAY_S * NS_PER_S);
    releases_touch(s.releases, 1, STR("old"), 1 * DAY_S * NS_PER_S);
    releases_touch(s.releases, 1, STR("new"), 5 * DAY_S * NS_PER_S);
    assert_int_equal(releases_expire(s.releases, 12 * DAY_S * NS_PER_S, &err), 0);
    assert_int_equal(release_find(s.releases, 1, STR("made"), &s.arena, &x, &err), 0);
    assert_int_equal(release_find(s.releases, 1, STR("new"), &s.arena, &x, &err), 0);
    assert_int_equal(release_find(s.releases, 1, STR("old"), &s.arena, &x, &err), ERR_NOENT);
    releases_touch(s.releases, 1, STR("old"), 11 * DAY_S * NS_PER_S); // it lives again
    assert_int_equal(release_find(s.releases, 1, STR("old"), &s.arena, &x, &err), 0);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(first_sight_makes_it_and_again_changes_nothing),
                                        cmocka_unit_test(a_list_sees_what_is_not_saved_yet),
                                        cmocka_unit_test(many_names_are_bounded),
                                        cmocka_unit_test(what_only_events_made_expires) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
