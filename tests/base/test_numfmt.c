#include "base/numfmt.h"

#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

// No shorter text may read back as the same value.
static void test_nothing_shorter(void **state)
{
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits = hash64_int(i ^ 0x5555);
        double d;
        memcpy(&d, &bits, 8);
        if (i % 4 == 1)
            d = (double)(bits >> 40) / 1000;
        else if (i % 4 == 2)
            d = (double)bits;
        if (!isfinite(d) || d == 0)
            continue;
        char out[32], other[40];
        int n = fmt_double(out, d), digits = 0, seen = 0, zeros = 0;
        for (int k = 0; k < n && out[k] != 'e'; k++) {
            if (out[k] < '0' || out[k] > '9' || (out[k] == '0' && !seen))
                continue;
            seen = 1;
            digits++;
            zeros = out[k] == '0' ? zeros + 1 : 0;
        }
        digits -= zeros;
        assert_in_range(digits, 1, 17);
        if (digits == 1)
            continue;
        snprintf(other, sizeof other, "%.*e", digits - 2, d);
        assert_false(strtod(other, NULL) == d);
        snprintf(other, sizeof other, "%.*e", digits - 1, d);
        double nearest = strtod(other, NULL);
        out[n] = 0;
        double back = strtod(out, NULL), again;
        assert_true(back == d);
        assert_true(parse_double(str_z(out), &again) && again == d);
        assert_true(parse_double(str_z(other), &again) && again == nearest);
    }
}

static void test_parse_double(void **state)
{
    static const char *good[] = {
        "0",
        "-0",
        "1",
        "-1.5",
        "007",
        "1e3",
        "1E+3",
        "1.25e-3",
        "123456789012345678901234567890",
        "9007199254740993",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e400",
        "-1e400",
        "1e-400",
        "0.1e1",
        "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797758720709633028641"
        "66928879109465555478519404026306574886715058206819089020007083836762738548458177115317644757302700698555713669"
        "59622842914819860834936475292719074168444365510704342711559699508093042880",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000000001",
        "8.5e22",
        "1e23"
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double v;
        assert_true(parse_double(str_z(good[i]), &v));
        double want = strtod(good[i], NULL);
        assert_memory_equal(&v, &want, 8);
    }
    static const char *bad[] = { "",    "-",   ".5", "5.", "1e",    "1e+",   "+1",  "0x10",
                                 "inf", "nan", "1 ", " 1", "1.2.3", "1e5.5", "--1", "1_000" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double v;
        assert_false(parse_double(str_z(bad[i]), &v));
    }
    // Rounding is decided by a digit far behind.
    char text[2000] = "9007199254740993.";
    memset(text + 17, '0', 1800);
    double v;
    assert_true(parse_double(str_of(text, 1817), &v) && v == 9007199254740992.0);
    text[1816] = '1';
    assert_true(parse_double(str_of(text, 1817), &v) && v == 9007199254740994.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shortest), cmocka_unit_test(test_round_trip),
                                        cmocka_unit_test(test_nothing_shorter), cmocka_unit_test(test_parse_double),
                                        cmocka_unit_test(test_integers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
