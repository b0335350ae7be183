#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "net/http.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 1 << 16);
    return 0;
}
static int teardown(void **state)
{
    arena_free(&arena);
    return 0;
}

static void test_path(void **state)
{
    str out = STR("?");
    assert_int_equal(http_path_decode(&arena, STR("/a%2Fb%20+%c3%A4"), &out), 0);
    assert_true(str_eq(out, STR("/a/b +\xc3\xa4")));
    const char *bad[] = { "%", "%2", "%zz", "a%00", "%2%20" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(http_path_decode(&arena, str_z(bad[i]), &out), ERR_MALFORMED);
}

static void test_query(void **state)
{
    str q = STR("a=1&&b=x%26y+z&c&=d&a=2"), v;
    assert_int_equal(http_query_get(&arena, q, STR("a"), &v), 0);
    assert_true(str_eq(v, STR("1")));
    assert_int_equal(http_query_get(&arena, q, STR("b"), &v), 0);
    assert_true(str_eq(v, STR("x&y z")));
    assert_int_equal(http_query_get(&arena, q, STR("c"), &v), 0);
    assert_int_equal(v.len, 0);
    assert_int_equal(http_query_get(&arena, q, STR("d"), &v), ERR_NOENT);
    assert_int_equal(http_query_get(&arena, STR("x=%&a=1"), STR("a"), &v), ERR_MALFORMED);
    size_t at = 0, pairs = 0;
    str n;
    int rc;
    while (http_query_next(&arena, q, &at, &n, &v, &rc))
        pairs++;
    assert_int_equal(rc, 0);
    assert_int_equal(pairs, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_path, setup, teardown),
                                        cmocka_unit_test_setup_teardown(test_query, setup, teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
