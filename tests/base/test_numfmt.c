#include "base/numfmt.h"

#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(double v, const char *text)
{
    char out[32];
    int n = fmt_double(out, v);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(out, text, (size_t)n);
}

static void test_shortest(void **state)
{
    expect(0, "0");
    expect(-0.0, "-0");
    expect(1, "1");
    expect(-12.5, "-12.5");
    expect(0.1, "0.1");
    expect(0.30000000000000004, "0.30000000000000004");
    expect(5e-324, "5e-324");
    expect(1.7976931348623157e308, "1.7976931348623157e+308");
    expect(123456789012345, "123456789012345");
    expect(1e21, "1e+21");
    expect(1e20, "100000000000000000000");
    expect(0.000001, "0.000001");
    expect(0.00000123, "0.00000123");
    expect(1.5e-7, "1.5e-7");
    expect(123456.75, "123456.75");
    expect(1234567890123456.5, "1234567890123456.5");
    expect(-1.2345678901234567e-5, "-0.000012345678901234568");
    expect(NAN, "NaN");
    expect(INFINITY, "Infinity");
    expect(-INFINITY, "-Infinity");
}

static void test_round_trip(void **state)
{
    char out[32];
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t bits = hash64_int(i), back_bits;
        double d, back;
        memcpy(&d, &bits, 8);
        if (isnan(d))
            continue;
        int n = fmt_double(out, d);
        assert_in_range(n, 1, 31);
        out[n] = 0;
        back = strtod(out, NULL);
        memcpy(&back_bits, &back, 8);
        assert_true(bits == back_bits);
    }
}

static void test_integers(void **state)
{
    char out[32];
    int64_t i;
    uint64_t u;
    assert_int_equal(fmt_i64(out, INT64_MIN), 20);
    assert_memory_equal(out, "-9223372036854775808", 20);
    assert_int_equal(fmt_u64(out, UINT64_MAX), 20);
    assert_memory_equal(out, "18446744073709551615", 20);
    assert_int_equal(fmt_u64(out, 0), 1);
    assert_true(parse_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(parse_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(parse_i64(STR("9223372036854775808"), &i) || parse_i64(STR(""), &i) || parse_i64(STR("-"), &i));
    assert_false(parse_i64(STR("1e3"), &i) || parse_i64(STR("1.0"), &i) || parse_u64(STR("-1"), &u));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shortest), cmocka_unit_test(test_round_trip),
                                        cmocka_unit_test(test_integers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
