// A deploy of several releases is one deploy.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void newest_first_and_once(void **state)
{
    struct releases_scratch s;
    struct release_deploy *l, first = { .environment = STR("staging"), .finished = 10 * NS_PER_S },
                              second = { .environment = STR("prod"), .name = STR("n"), .finished = 20 * NS_PER_S };
    struct err err;
    size_t n;
    releases_scratch_open(&s);
    int64_t ids[] = { releases_scratch_put(&s, 1, "a@1", 0), releases_scratch_put(&s, 2, "a@1", 0) };
    assert_int_equal(releases_deploy(s.releases, ids, 2, &first, &err), 0);
    assert_int_equal(releases_deploy(s.releases, ids + 1, 1, &second, &err), 0);
    releases_scratch_reopen(&s);
    assert_int_equal(releases_deploys(s.releases, ids, 2, &s.arena, &l, &n, &err), 0);
    assert_true(n == 2 && l[0].id == second.id && l[1].id == first.id && first.id != second.id);
    assert_true(str_eq(l[0].environment, STR("prod")) && str_eq(l[0].name, STR("n")) && l[0].finished == 20 * NS_PER_S);
    assert_int_equal(releases_deploys(s.releases, ids, 1, &s.arena, &l, &n, &err), 0);
    assert_int_equal(n, 1);
    releases_scratch_close(&s);
}

static void the_end_is_now_when_nobody_says(void **state)
{
    struct releases_scratch s;
    struct release_deploy d = { .environment = STR("prod") };
    struct err err;
    releases_scratch_open(&s);
    int64_t id = releases_scratch_put(&s, 1, "a@1", 0), before = clock_unix_ns();
    assert_int_equal(releases_deploy(s.releases, &id, 1, &d, &err), 0);
    assert_true(d.finished >= before && d.id > 0);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(newest_first_and_once),
                                        cmocka_unit_test(the_end_is_now_when_nobody_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
