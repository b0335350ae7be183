// Repositories are named by commits or by hand, once each.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void named_once(void **state)
{
    struct releases_scratch s;
    struct release_commit c = { .id = STR("c1"), .repository = STR("acme/shop") };
    struct release_repository p, *l;
    struct err err;
    size_t n;
    releases_scratch_open(&s);
    int64_t id = releases_scratch_put(&s, 1, "a@1", 0);
    assert_int_equal(releases_set_commits(s.releases, id, &c, 1, &err), 0);
    assert_int_equal(releases_repository_put(s.releases, STR("acme/shop"), STR("https://example.com"), (str){ 0 },
                                             &s.arena, &p, &err),
                     0);
    assert_int_equal(releases_repository_put(s.releases, STR("acme/web"), (str){ 0 }, STR("git"), &s.arena, &p, &err),
                     0);
    assert_int_equal(releases_repository_put(s.releases, (str){ 0 }, (str){ 0 }, STR("git"), &s.arena, &p, &err),
                     ERR_INVALID);
    assert_int_equal(releases_repositories(s.releases, &s.arena, &l, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_true(str_eq(l[0].name, STR("acme/shop")) && str_eq(l[0].provider, STR("unknown")) &&
                str_eq(l[0].url, STR("https://example.com")));
    assert_true(str_eq(l[1].provider, STR("git")) && l[1].id == p.id);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(named_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
