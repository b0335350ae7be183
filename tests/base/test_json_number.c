#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_int(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        { "0", 0 },
        { "-0", 0 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "1e3", 1000 },
        { "12.50e2", 1250 },
        { "5.000000000000000000000000", 5 },
        { "1500e-2", 15 },
        { "0e999999999", 0 },
    };
    static const char *const bad[] = { "9223372036854775808",
                                       "-9223372036854775809",
                                       "1.5",
                                       "1e-1",
                                       "1e19",
                                       "",
                                       "-",
                                       "1x",
                                       "0x1",
                                       " 1",
                                       "1 ",
                                       "--1",
                                       "+1",
                                       "1e99999999999999999999" };
    int64_t i;
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        assert_true(json_number_int(str_z(good[k].text), &i));
        assert_int_equal(i, good[k].value);
    }
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(json_number_int(str_z(bad[k]), &i));
}

static void test_uint(void **state)
{
    uint64_t u;
    assert_true(json_number_uint(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_true(json_number_uint(STR("-0"), &u) && u == 0);
    assert_false(json_number_uint(STR("18446744073709551616"), &u));
    assert_false(json_number_uint(STR("-1"), &u));
}

// The C library is the oracle wherever it takes the same text.
static void test_double_as_strtod(void **state)
{
    static const char *const texts[] = { "0",
                                         "-0",
                                         "1",
                                         "0.1",
                                         "1e308",
                                         "1.7976931348623157e308",
                                         "1.7976931348623159e308",
                                         "1e400",
                                         "-1e400",
                                         "5e-324",
                                         "2e-324",
                                         "1e-400",
                                         "0.000000000000000000000000000001",
                                         "123456789012345678901234567890",
                                         "9007199254740993",
                                         "2.2250738585072011e-308",
                                         "1e0000000000000000001",
                                         "0e123456789012345678901234567890" };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        double d;
        assert_true(json_number_double(str_z(texts[k]), &d));
        double want = strtod(texts[k], NULL);
        assert_memory_equal(&d, &want, 8);
    }
}

static void test_double_with_thousands_of_digits(void **state)
{
    // Exactly half way between two doubles, then a 1 far behind: must round up, not to even.
    char text[4000];
    int n = snprintf(text, sizeof text, "9007199254740993.");
    memset(text + n, '0', 3000);
    n += 3000;
    text[n++] = '1';
    double d;
    assert_true(json_number_double((str){ text, (size_t)n }, &d));
    assert_true(d == 9007199254740994.0);
    memset(text, '9', 3000); // an integer of 3000 digits
    assert_true(json_number_double((str){ text, 3000 }, &d));
    assert_true(isinf(d));
    memcpy(text + 3000, "e-2999", 6);
    assert_true(json_number_double((str){ text, 3006 }, &d));
    assert_true(d == 10.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_uint),
        cmocka_unit_test(test_double_as_strtod),
        cmocka_unit_test(test_double_with_thousands_of_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
