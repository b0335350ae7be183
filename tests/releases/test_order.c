// Lists, their filters, and which release is before which.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static int compare(struct releases_scratch *s, const char *a, const char *b)
{
    int order;
    assert_int_equal(releases_compare(s->releases, 1, str_z(a), str_z(b), &order), 0);
    return (order > 0) - (order < 0);
}

static void versions_by_number_and_all_else_by_date(void **state)
{
    struct releases_scratch s;
    releases_scratch_open(&s);
    releases_scratch_put(&s, 1, "shop@1.10", 10 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@1.9", 20 * NS_PER_S); // an older branch, later
    releases_scratch_put(&s, 1, "b0ff", 30 * NS_PER_S);
    releases_scratch_put(&s, 1, "a0ff", 40 * NS_PER_S);
    assert_int_equal(compare(&s, "shop@1.9", "shop@1.10"), -1);
    assert_int_equal(compare(&s, "shop@1.10", "shop@1.9"), 1);
    assert_int_equal(compare(&s, "b0ff", "a0ff"), -1);
    assert_int_equal(compare(&s, "a0ff", "a0ff"), 0);
    assert_int_equal(compare(&s, "shop@1.10", "b0ff"), -1);
    assert_int_equal(compare(&s, "never-seen", "a0ff"), 1); // it cannot have been before
    assert_int_equal(compare(&s, "a0ff", "never-seen"), -1);
    assert_int_equal(compare(&s, "shop@1.11", "shop@1.10"), 1); // known or not
    releases_scratch_close(&s);
}

static void the_day_of_release_counts_before_the_day_it_was_made(void **state)
{
    struct releases_scratch s;
    struct err err;
    int64_t later = 50 * NS_PER_S;
    struct release_change c = { .released = &later };
    releases_scratch_open(&s);
    releases_scratch_put(&s, 1, "one", 10 * NS_PER_S);
    releases_scratch_put(&s, 1, "two", 20 * NS_PER_S);
    assert_int_equal(release_put(s.releases, 1, STR("one"), &c, NULL, NULL, &err), 0);
    assert_int_equal(compare(&s, "one", "two"), 1);
    releases_scratch_close(&s);
}

static void the_latest(void **state)
{
    struct releases_scratch s;
    struct err err;
    str latest;
    releases_scratch_open(&s);
    assert_int_equal(releases_latest(s.releases, 1, &s.arena, &latest, &err), ERR_NOENT);
    releases_scratch_put(&s, 1, "shop@2.0", 10 * NS_PER_S);
    releases_scratch_put(&s, 1, "other@9.0", 11 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@1.9.1", 20 * NS_PER_S);
    assert_int_equal(releases_latest(s.releases, 1, &s.arena, &latest, &err), 0);
    assert_true(str_eq(latest, STR("shop@2.0")));
    releases_scratch_put(&s, 1, "nightly", 30 * NS_PER_S);
    assert_int_equal(releases_latest(s.releases, 1, &s.arena, &latest, &err), 0);
    assert_true(str_eq(latest, STR("nightly")));
    releases_scratch_close(&s);
}

static void newest_of(struct releases_scratch *s, const char *like, const char *expected)
{
    struct err err;
    str version;
    assert_int_equal(releases_newest_of(s->releases, 1, str_z(like), &s->arena, &version, &err), 0);
    assert_true(str_eq(version, str_z(expected)));
}

static void the_newest_of_a_package(void **state)
{
    struct releases_scratch s;
    releases_scratch_open(&s);
    newest_of(&s, "shop@1.0", "shop@1.0");
    releases_scratch_put(&s, 1, "shop@2.0", 10 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@1.9.1", 20 * NS_PER_S); // of an older branch
    releases_scratch_put(&s, 1, "b0ff", 30 * NS_PER_S);
    releases_scratch_put(&s, 1, "c0ff", 40 * NS_PER_S);
    releases_scratch_put(&s, 1, "search@7.0", 50 * NS_PER_S);
    releases_scratch_put(&s, 2, "shop@9.0", 60 * NS_PER_S);
    newest_of(&s, "shop@1.0", "shop@2.0");
    newest_of(&s, "shop@2.1", "shop@2.1");
    newest_of(&s, "b0ff", "c0ff");
    newest_of(&s, "search@7.0", "search@7.0");
    releases_scratch_close(&s);
}

static void is_before(struct releases_scratch *s, const char *version, const char *expected)
{
    struct release before;
    struct err err;
    int rc = releases_before(s->releases, 1, str_z(version), &s->arena, &before, &err);
    assert_int_equal(rc, expected ? 0 : ERR_NOENT);
    if (expected)
        assert_true(str_eq(before.version, str_z(expected)));
}

static void the_one_before(void **state)
{
    struct releases_scratch s;
    releases_scratch_open(&s);
    releases_scratch_put(&s, 1, "shop@1.9", 10 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@2.0", 20 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@1.9.1", 30 * NS_PER_S); // of an older branch
    releases_scratch_put(&s, 1, "b0ff", 40 * NS_PER_S);
    releases_scratch_put(&s, 2, "shop@1.9.5", 15 * NS_PER_S);
    is_before(&s, "shop@2.0", "shop@1.9.1");
    is_before(&s, "shop@1.9.1", "shop@1.9");
    is_before(&s, "shop@1.9", NULL);
    is_before(&s, "b0ff", "shop@1.9.1");
    is_before(&s, "unheard-of", NULL);
    releases_scratch_put(&s, 1, "search@7.0", 50 * NS_PER_S);
    releases_scratch_put(&s, 1, "search@nightly", 60 * NS_PER_S);
    is_before(&s, "search@7.0", NULL); // the others are of another package
    is_before(&s, "search@nightly", "search@7.0");
    releases_scratch_close(&s);
}

static size_t list(struct releases_scratch *s, struct release_filter f, struct release **ret_list)
{
    static const uint32_t both[] = { 1, 2 };
    struct err err;
    size_t n;
    if (!f.projects) {
        f.projects = both;
        f.projects_n = 2;
    }
    assert_int_equal(release_list(s->releases, &f, &s->arena, ret_list, &n, &err), 0);
    return n;
}

static void lists_are_sorted_and_filtered(void **state)
{
    struct releases_scratch s;
    struct release *l;
    struct err err;
    enum release_status archived = RELEASE_ARCHIVED;
    uint32_t two = 2;
    struct release_change c = { .status = &archived };
    releases_scratch_open(&s);
    releases_scratch_put(&s, 1, "shop@1.2", 10 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@1.10", 20 * NS_PER_S);
    releases_scratch_put(&s, 2, "shop@1.10", 5 * NS_PER_S);
    releases_scratch_put(&s, 2, "Web", 30 * NS_PER_S);
    releases_touch(s.releases, 1, STR("shop@1.2"), 90 * NS_PER_S);
    assert_int_equal(list(&s, (struct release_filter){ 0 }, &l), 4);
    assert_true(str_eq(l[0].version, STR("Web")) && l[3].project == 2);
    assert_int_equal(list(&s, (struct release_filter){ .sort = RELEASE_BY_VERSION }, &l), 4);
    assert_true(str_eq(l[0].version, STR("shop@1.10")) && str_eq(l[2].version, STR("shop@1.2")));
    assert_int_equal(list(&s, (struct release_filter){ .sort = RELEASE_BY_EVENT }, &l), 4);
    assert_true(str_eq(l[0].version, STR("shop@1.2")));
    assert_int_equal(list(&s, (struct release_filter){ .containing = STR("wEB") }, &l), 1);
    assert_int_equal(list(&s, (struct release_filter){ .version = STR("shop@1.10") }, &l), 2);
    assert_int_equal(
        list(&s, (struct release_filter){ .version = STR("shop@1.10"), .projects = &two, .projects_n = 1 }, &l), 1);
    assert_int_equal(list(&s, (struct release_filter){ .from = 80 * NS_PER_S, .to = 100 * NS_PER_S }, &l), 1);
    assert_int_equal(list(&s, (struct release_filter){ .from = 30 * NS_PER_S, .to = 31 * NS_PER_S }, &l), 1);
    releases_touch(s.releases, 1, STR("shop@1.2"), 12 * NS_PER_S); // its events span the range now
    assert_int_equal(list(&s, (struct release_filter){ .from = 30 * NS_PER_S, .to = 31 * NS_PER_S }, &l), 2);
    assert_int_equal(release_put(s.releases, 2, STR("Web"), &c, NULL, NULL, &err), 0);
    assert_int_equal(list(&s, (struct release_filter){ 0 }, &l), 3);
    assert_int_equal(list(&s, (struct release_filter){ .with_archived = true }, &l), 4);
    assert_int_equal(list(&s, (struct release_filter){ .only_archived = true }, &l), 1);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(versions_by_number_and_all_else_by_date),
                                        cmocka_unit_test(the_day_of_release_counts_before_the_day_it_was_made),
                                        cmocka_unit_test(the_latest),
                                        cmocka_unit_test(the_newest_of_a_package),
                                        cmocka_unit_test(the_one_before),
                                        cmocka_unit_test(lists_are_sorted_and_filtered) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
