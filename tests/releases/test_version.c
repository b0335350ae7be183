// Names of releases: which are good, and their order, on vectors of semver.org and of what build tools write.
#include "releases/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void good_and_bad_names(void **state)
{
    static const char *const good[] = { "1", "shop@1.0.2+77", "a b", "release-2024", "\xc3\xa4@1" };
    static const char *const bad[] = { "",     ".",    "..",   "latest", "LATEST", "a/b",
                                       "a\\b", "a\nb", "a\tb", " a",     "a ",     "\x7f" };
    char longest[RELEASE_VERSION_MAX + 1];
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(release_version_valid(str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(release_version_valid(str_z(bad[i])));
    assert_true(release_version_valid(str_of(longest, RELEASE_VERSION_MAX)));
    assert_false(release_version_valid(str_of(longest, RELEASE_VERSION_MAX + 1)));
}

static void parts(void **state)
{
    struct release_version v;
    release_version_parse(STR("com.acme.shop@2.10.3.4-rc.1+77"), &v);
    assert_true(v.ordered);
    assert_true(str_eq(v.package, STR("com.acme.shop")) && str_eq(v.version, STR("2.10.3.4-rc.1+77")));
    assert_true(str_eq(v.number, STR("2.10.3.4")) && str_eq(v.prerelease, STR("rc.1")) && str_eq(v.build, STR("77")));
    assert_true(v.parts[0] == 2 && v.parts[1] == 10 && v.parts[2] == 3 && v.parts[3] == 4);
    release_version_parse(STR("@acme/shop@1"), &v);
    assert_true(v.ordered && str_eq(v.package, STR("@acme/shop")));
    static const char *const none[] = { "1.0.0",     "shop",      "shop@",      "@1.0",
                                        "shop@main", "shop@1.0+", "shop@1.0-!", "shop@1234567890123456789" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        release_version_parse(str_z(none[i]), &v);
        assert_false(v.ordered);
    }
}

// Each is before the next; every pair of them is compared.
static void the_order(void **state)
{
    static const char *const order[] = { "a@0.9",        "a@1.0.0-alpha",  "a@1.0.0-alpha.1", "a@1.0.0-alpha.beta",
                                         "a@1.0.0-beta", "a@1.0.0-beta.2", "a@1.0.0-beta.11", "a@1.0.0-rc.1",
                                         "a@1.0.0",      "a@1.0.0+9",      "a@1.0.0+10",      "a@1.0.0+x",
                                         "a@1.0.0.1",    "a@1.0.2",        "a@1.0.10",        "a@v1.2",
                                         "a@2" };
    enum { N = sizeof order / sizeof order[0] };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            struct release_version x, y;
            release_version_parse(str_z(order[i]), &x);
            release_version_parse(str_z(order[k]), &y);
            assert_true(release_version_comparable(&x, &y));
            int c = release_version_compare(&x, &y);
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
        }
}

static void packages_do_not_mix(void **state)
{
    struct release_version x, y;
    release_version_parse(STR("a@1.0"), &x);
    release_version_parse(STR("b@1.0"), &y);
    assert_false(release_version_comparable(&x, &y));
}

static void short_names(void **state)
{
    assert_true(str_eq(release_version_short(STR("shop@1.4.2")), STR("1.4.2")));
    assert_true(str_eq(release_version_short(STR("nightly")), STR("nightly")));
    assert_true(
        str_eq(release_version_short(STR("shop@0123456789abcdef0123456789abcdef01234567")), STR("0123456789ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(good_and_bad_names), cmocka_unit_test(parts),
                                        cmocka_unit_test(the_order), cmocka_unit_test(packages_do_not_mix),
                                        cmocka_unit_test(short_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
