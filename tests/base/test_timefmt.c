#include "base/timefmt.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

static void expect_time(int64_t ns, const char *text)
{
    char out[32];
    assert_int_equal(fmt_rfc3339(out, ns), TIME_RFC3339_LEN);
    assert_memory_equal(out, text, TIME_RFC3339_LEN);
    int64_t back;
    assert_true(parse_rfc3339(str_z(text), &back));
    assert_true(back == ns);
}

static void test_format(void **state)
{
    expect_time(0, "1970-01-01T00:00:00.000000000Z");
    expect_time(-1, "1969-12-31T23:59:59.999999999Z");
    expect_time(1767225600123456789, "2026-01-01T00:00:00.123456789Z");
    expect_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    expect_time(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
    expect_time(951782400 * NS_PER_S, "2000-02-29T00:00:00.000000000Z");
}

static void test_civil_against_libc(void **state)
{
    for (int64_t s = -9000000000; s < 9000000000; s += 8639999) {
        time_t t = (time_t)s;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        char want[40], got[32];
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &tm);
        fmt_rfc3339(got, s * NS_PER_S);
        assert_memory_equal(got, want, 19);
    }
}

static void expect_parse(const char *text, const char *utc)
{
    int64_t ns;
    char out[32];
    if (!utc) {
        assert_false(parse_rfc3339(str_z(text), &ns));
        return;
    }
    assert_true(parse_rfc3339(str_z(text), &ns));
    fmt_rfc3339(out, ns);
    assert_memory_equal(out, utc, TIME_RFC3339_LEN);
}

static void test_parse(void **state)
{
    expect_parse("2026-01-01T00:00:05Z", "2026-01-01T00:00:05.000000000Z");
    expect_parse("2026-01-01t00:00:05.5z", "2026-01-01T00:00:05.500000000Z");
    expect_parse("2026-01-01 01:00:05+01:00", "2026-01-01T00:00:05.000000000Z");
    expect_parse("2025-12-31T19:30:05.123456789987-04:30", "2026-01-01T00:00:05.123456789Z");
    expect_parse("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000000Z");
    expect_parse("1677-09-21T00:12:43.145224191Z", NULL);
    expect_parse("2262-04-11T23:47:16.854775808Z", NULL);
    expect_parse("9999-12-31T23:59:59Z", NULL);
    expect_parse("2026-02-29T00:00:00Z", NULL);
    expect_parse("2026-13-01T00:00:00Z", NULL);
    expect_parse("2026-01-01T24:00:00Z", NULL);
    expect_parse("2026-01-01T00:00:61Z", NULL);
    expect_parse("2026-01-01T00:00:00", NULL);
    expect_parse("2026-01-01T00:00:00.Z", NULL);
    expect_parse("2026-01-01T00:00:00+0100", NULL);
    expect_parse("2026-01-01T00:00:00Zx", NULL);
    expect_parse("", NULL);
}

static void test_date(void **state)
{
    int64_t days;
    assert_true(parse_date(STR("2026-01-01"), &days));
    assert_int_equal(days, 20454);
    assert_false(parse_date(STR("2026-1-01"), &days));
    assert_false(parse_date(STR("2026-01-32"), &days));
    assert_false(parse_date(STR("2100-02-29"), &days));
    assert_true(parse_date(STR("2000-02-29"), &days));
}

static void expect_duration(int64_t ns, const char *text)
{
    char out[32];
    int n = fmt_duration(out, ns);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(out, text, (size_t)n);
}

static void test_duration(void **state)
{
    expect_duration(0, "0ns");
    expect_duration(1, "1ns");
    expect_duration(1500, "1.5us");
    expect_duration(20 * NS_PER_MS, "20ms");
    expect_duration(1500 * NS_PER_MS, "1.5s");
    expect_duration(90 * NS_PER_S, "1m30s");
    expect_duration(7200 * NS_PER_S, "2h");
    expect_duration(86400 * NS_PER_S * 3 + 4 * 3600 * NS_PER_S, "3d4h");
    expect_duration(-61 * NS_PER_S - 1, "-1m1.000000001s");
    expect_duration(INT64_MIN, "-106751d23h47m16.854775808s");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_format), cmocka_unit_test(test_civil_against_libc),
                                        cmocka_unit_test(test_parse), cmocka_unit_test(test_date),
                                        cmocka_unit_test(test_duration) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
