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
    assert_string_equal(out, text);
    assert_int_equal(n, strlen(text));
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
    expect(NAN, "nan");
    expect(INFINITY, "inf");
    expect(-INFINITY, "-inf");
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
        assert_true(fmt_double(out, d) < 32);
        back = strtod(out, NULL);
        memcpy(&back_bits, &back, 8);
        assert_true(bits == back_bits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shortest), cmocka_unit_test(test_round_trip) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
