// Which release has a commit, and which commits changed a file: what suspect commits rest on.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void fill(struct releases_scratch *s)
{
    struct release_file cart = { STR("web/src/cart.js"), RELEASE_FILE_MODIFIED },
                        both[] = { { STR("web/src/cart.js"), RELEASE_FILE_ADDED },
                                   { STR("lib/cart.js"), RELEASE_FILE_ADDED } };
    struct release_commit one[] = {
        { .id = STR("c1"), .repository = STR("r"), .time = 10, .files = both, .files_n = 2 }
    };
    struct release_commit two[] = {
        { .id = STR("c2"), .repository = STR("r"), .time = 20, .files = &cart, .files_n = 1 },
        { .id = STR("c1"), .repository = STR("r") }
    };
    struct err err;
    int64_t first = releases_scratch_put(s, 1, "shop@1", 100 * NS_PER_S),
            second = releases_scratch_put(s, 1, "shop@2", 200 * NS_PER_S);
    int64_t other = releases_scratch_put(s, 2, "shop@1", 300 * NS_PER_S);
    assert_int_equal(releases_set_commits(s->releases, second, two, 2, &err), 0);
    assert_int_equal(releases_set_commits(s->releases, first, one, 1, &err), 0);
    assert_int_equal(releases_set_commits(s->releases, other, two, 1, &err), 0);
}

static void a_commit_came_with_the_earliest_release(void **state)
{
    struct releases_scratch s;
    struct err err;
    str version;
    releases_scratch_open(&s);
    fill(&s);
    assert_int_equal(releases_commit_release(s.releases, 1, STR("c1"), &s.arena, &version, &err), 0);
    assert_true(str_eq(version, STR("shop@1")));
    assert_int_equal(releases_commit_release(s.releases, 1, STR("c2"), &s.arena, &version, &err), 0);
    assert_true(str_eq(version, STR("shop@2")));
    assert_int_equal(releases_commit_release(s.releases, 3, STR("c1"), &s.arena, &version, &err), ERR_NOENT);
    releases_scratch_close(&s);
}

static void a_commit_is_known_by_the_beginning_of_its_hash(void **state)
{
    struct releases_scratch s;
    struct err err;
    str version;
    releases_scratch_open(&s);
    const struct release_commit c = { .id = STR("a41f9c2be1d06f3c5f4bb1a4dd3c6a2a19c0ffee"), .message = STR("m") };
    int64_t id = releases_scratch_put(&s, 1, "shop@3", 400 * NS_PER_S);
    assert_int_equal(releases_set_commits(s.releases, id, &c, 1, &err), 0);
    static const str known[] = { STR_INIT("a41f9c2"), STR_INIT("A41F9C2BE1"),
                                 STR_INIT("a41f9c2be1d06f3c5f4bb1a4dd3c6a2a19c0ffee") };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(releases_commit_release(s.releases, 1, known[i], &s.arena, &version, &err), 0);
        assert_true(str_eq(version, STR("shop@3")));
    }
    static const str others[] = { STR_INIT("a41f9c"), STR_INIT("a41f9c3"), STR_INIT("a41f9c2bf"),
                                  STR_INIT("a41f9c2x") };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(releases_commit_release(s.releases, 1, others[i], &s.arena, &version, &err), ERR_NOENT);
    releases_scratch_close(&s);
}

static size_t changers(struct releases_scratch *s, const char *version, const char *path,
                       struct release_commit **ret_list)
{
    struct err err;
    size_t n;
    assert_int_equal(
        releases_files_of_commits(s->releases, 1, str_z(version), str_z(path), 10, &s->arena, ret_list, &n, &err), 0);
    return n;
}

static void what_changed_a_file(void **state)
{
    struct releases_scratch s;
    struct release_commit *l;
    releases_scratch_open(&s);
    fill(&s);
    assert_int_equal(changers(&s, "shop@2", "src/cart.js", &l), 2);
    assert_true(str_eq(l[0].id, STR("c2")) && str_eq(l[0].version, STR("shop@2")) &&
                str_eq(l[0].files[0].path, STR("web/src/cart.js")));
    assert_true(str_eq(l[1].id, STR("c1")) && str_eq(l[1].version, STR("shop@1")));
    assert_int_equal(changers(&s, "shop@1", "./src/cart.js", &l), 1); // not what came later
    assert_true(str_eq(l[0].id, STR("c1")));
    assert_int_equal(changers(&s, "", "/app/web/src/cart.js", &l), 2); // where it runs, paths are longer
    assert_int_equal(changers(&s, "", "rc/cart.js", &l), 0);
    assert_int_equal(changers(&s, "", "src/", &l), 0);
    assert_int_equal(changers(&s, "", "cart.js", &l), 2);
    releases_scratch_close(&s);
}

static void the_release_before_with_commits(void **state)
{
    struct releases_scratch s;
    struct release x;
    struct err err;
    releases_scratch_open(&s);
    fill(&s);
    releases_scratch_put(&s, 1, "shop@3", 400 * NS_PER_S);
    releases_scratch_put(&s, 1, "shop@4", 500 * NS_PER_S);
    assert_int_equal(releases_previous_with_commits(s.releases, 1, STR("shop@4"), &s.arena, &x, &err), 0);
    assert_true(str_eq(x.version, STR("shop@2")));
    assert_int_equal(releases_previous_with_commits(s.releases, 1, STR("shop@2"), &s.arena, &x, &err), 0);
    assert_true(str_eq(x.version, STR("shop@1")));
    assert_int_equal(releases_previous_with_commits(s.releases, 1, STR("shop@1"), &s.arena, &x, &err), ERR_NOENT);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_commit_came_with_the_earliest_release),
                                        cmocka_unit_test(a_commit_is_known_by_the_beginning_of_its_hash),
                                        cmocka_unit_test(what_changed_a_file),
                                        cmocka_unit_test(the_release_before_with_commits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
