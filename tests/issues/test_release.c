#include "issues/issues_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void test_versions(void **unused)
{
    static const char *const ascending[] = { "shop@0.9",          "shop@1.0.0-alpha",   "shop@1.0.0-alpha.1",
                                             "shop@1.0.0-beta.2", "shop@1.0.0-beta.11", "shop@1.0.0",
                                             "shop@1.0.10",       "shop@1.2.0",         "shop@10.0" };
    enum { N = sizeof ascending / sizeof ascending[0] };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            int c = release_order(str_z(ascending[i]), str_z(ascending[k]), 0, 0);
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
        }
    assert_int_equal(release_order(STR("shop@1.0+7"), STR("shop@1.0.0+9"), 0, 0), 0);
}

// What is no version, or one of another package, is newer when it came later.
static void test_by_time(void **unused)
{
    assert_true(release_order(STR("abcdef0"), STR("1234567"), 20, 10) > 0);
    assert_true(release_order(STR("abcdef0"), STR("1234567"), 5, 10) < 0);
    assert_true(release_order(STR("web@1.0"), STR("shop@2.0"), 20, 10) > 0);
    assert_int_equal(release_order(STR("abcdef0"), STR("abcdef0"), 20, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_versions), cmocka_unit_test(test_by_time) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
