#include "query/calendar.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/timefmt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
    int64_t ns = 0;
    assert_true(parse_rfc3339(str_z(text), &ns));
    return ns;
}

static const struct query_zone *zone(const char *name)
{
    const struct query_zone *z = NULL;
    int r = query_zone_get(str_z(name), &z);
    if (r < 0)
        fail_msg("%s: %s", name, err_text(r));
    return z;
}

static void expect_floor(const char *z, enum query_cal_unit unit, uint32_t n, const char *t, const char *begin,
                         const char *next)
{
    char got[32] = { 0 };
    fmt_rfc3339(got, query_calendar_floor(zone(z), unit, n, at(t)));
    if (at(begin) != query_calendar_floor(zone(z), unit, n, at(t)))
        fail_msg("%s in %s begins at %s, expected %s", t, z, got, begin);
    fmt_rfc3339(got, query_calendar_next(zone(z), unit, n, at(t)));
    if (at(next) != query_calendar_next(zone(z), unit, n, at(t)))
        fail_msg("%s in %s ends at %s, expected %s", t, z, got, next);
}

static void test_days(void **state)
{
    expect_floor("UTC", QUERY_CAL_DAY, 1, "2026-01-01T12:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    expect_floor("UTC", QUERY_CAL_DAY, 1, "1969-12-31T23:59:59.999999999Z", "1969-12-31T00:00:00Z",
                 "1970-01-01T00:00:00Z");
    expect_floor("Europe/Berlin", QUERY_CAL_DAY, 1, "2026-01-01T00:00:10Z", "2025-12-31T23:00:00Z",
                 "2026-01-01T23:00:00Z");
    // 23 and 25 hours
    expect_floor("Europe/Berlin", QUERY_CAL_DAY, 1, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z",
                 "2026-03-29T22:00:00Z");
    expect_floor("Europe/Berlin", QUERY_CAL_DAY, 1, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z",
                 "2026-10-25T23:00:00Z");
    // long behind the last change in the file: by the rule
    expect_floor("Europe/Berlin", QUERY_CAL_DAY, 1, "2090-07-01T12:00:00Z", "2090-06-30T22:00:00Z",
                 "2090-07-01T22:00:00Z");
    expect_floor("Australia/Sydney", QUERY_CAL_DAY, 1, "2090-01-10T12:00:00Z", "2090-01-09T13:00:00Z",
                 "2090-01-10T13:00:00Z");
    expect_floor("America/New_York", QUERY_CAL_DAY, 1, "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z",
                 "2026-11-02T05:00:00Z");
    expect_floor("Asia/Kathmandu", QUERY_CAL_DAY, 1, "2026-01-01T00:00:00Z", "2025-12-31T18:15:00Z",
                 "2026-01-01T18:15:00Z");
    expect_floor("+02:00", QUERY_CAL_DAY, 1, "2026-01-01T23:00:00Z", "2026-01-01T22:00:00Z", "2026-01-02T22:00:00Z");
    expect_floor("-04:30", QUERY_CAL_DAY, 1, "2026-01-01T03:00:00Z", "2025-12-31T04:30:00Z", "2026-01-01T04:30:00Z");
    expect_floor("UTC", QUERY_CAL_DAY, 3, "1970-01-05T00:00:00Z", "1970-01-04T00:00:00Z", "1970-01-07T00:00:00Z");
}

static void test_days_that_do_not_begin_at_midnight(void **state)
{
    // The clock jumped from 00:00 to 01:00: the day begins at 01:00.
    expect_floor("America/Sao_Paulo", QUERY_CAL_DAY, 1, "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z",
                 "2018-11-05T02:00:00Z");
    // It fell back from 00:00 to 23:00: the 17th has 25 hours.
    expect_floor("America/Sao_Paulo", QUERY_CAL_DAY, 1, "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z",
                 "2018-02-18T03:00:00Z");
    // A day that does not exist: Samoa went over the date line.
    expect_floor("Pacific/Apia", QUERY_CAL_DAY, 1, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z",
                 "2011-12-30T10:00:00Z");
    expect_floor("Pacific/Apia", QUERY_CAL_DAY, 1, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
                 "2011-12-31T10:00:00Z");
}

static void test_weeks_and_months(void **state)
{
    expect_floor("UTC", QUERY_CAL_WEEK, 1, "2026-07-15T10:00:00Z", "2026-07-13T00:00:00Z", "2026-07-20T00:00:00Z");
    expect_floor("UTC", QUERY_CAL_WEEK, 1, "2026-07-13T00:00:00Z", "2026-07-13T00:00:00Z", "2026-07-20T00:00:00Z");
    expect_floor("Europe/Berlin", QUERY_CAL_WEEK, 1, "2026-03-29T12:00:00Z", "2026-03-22T23:00:00Z",
                 "2026-03-29T22:00:00Z");
    expect_floor("UTC", QUERY_CAL_MONTH, 1, "2024-02-29T10:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
    expect_floor("UTC", QUERY_CAL_MONTH, 1, "1969-12-31T10:00:00Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z");
    expect_floor("UTC", QUERY_CAL_MONTH, 3, "2026-05-31T10:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z");
    expect_floor("Europe/Berlin", QUERY_CAL_MONTH, 1, "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z",
                 "2026-10-31T23:00:00Z");
}

static void test_edges(void **state)
{
    assert_true(query_calendar_floor(NULL, QUERY_CAL_MONTH, 1, INT64_MIN) == INT64_MIN);
    assert_true(query_calendar_next(NULL, QUERY_CAL_MONTH, 1, INT64_MAX) == INT64_MAX);
    assert_true(query_calendar_floor(zone("Europe/Berlin"), QUERY_CAL_MONTH, 1, INT64_MIN) == INT64_MIN);
    assert_true(query_bucket_int(-1, 10) == -10 && query_bucket_int(10, 10) == 10 &&
                query_bucket_int(INT64_MIN, 10) == INT64_MIN);
    assert_true(query_bucket_double(-0.1, 0.5) == -0.5 && query_bucket_double(1.2, 0.5) == 1.0);
}

// Our reader against the C library's, at odd moments over two centuries.
static void test_against_libc(void **state)
{
    static const char *const names[] = { "Europe/Berlin", "America/New_York",  "Australia/Lord_Howe", "Asia/Kolkata",
                                         "Pacific/Apia",  "Africa/Casablanca", "America/St_Johns",    "Europe/Dublin",
                                         "Asia/Tehran",   "America/Sao_Paulo", "Antarctica/Troll",    "UTC" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t s = -2000000000; s < 4200000000; s += 1234567) {
            time_t t = (time_t)s;
            struct tm tm;
            localtime_r(&t, &tm);
            if (query_zone_offset(zone(names[i]), s) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, expected %ld", names[i], (long long)s, query_zone_offset(zone(names[i]), s),
                         tm.tm_gmtoff);
            struct query_civil c = query_civil_at(zone(names[i]), s * NS_PER_S);
            assert_true(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday &&
                        c.hour == tm.tm_hour && c.minute == tm.tm_min && c.second == tm.tm_sec &&
                        c.weekday % 7 == tm.tm_wday);
        }
    }
}

// Every moment lies in its own unit, and units follow each other without gap.
static void test_units_partition_time(void **state)
{
    static const char *const names[] = { "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia",
                                         "UTC" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int unit = 0; unit < 3; unit++) {
            int64_t ns = at("2009-12-31T00:00:00Z");
            for (int k = 0; k < (unit ? 200 : 4000); k++) {
                int64_t from = query_calendar_floor(zone(names[i]), (enum query_cal_unit)unit, 1, ns);
                int64_t to = query_calendar_next(zone(names[i]), (enum query_cal_unit)unit, 1, ns);
                assert_true(from <= ns && to > ns);
                assert_true(query_calendar_floor(zone(names[i]), (enum query_cal_unit)unit, 1, to - 1) == from);
                assert_true(query_calendar_floor(zone(names[i]), (enum query_cal_unit)unit, 1, to) == to);
                ns = to;
            }
        }
}

static void test_names(void **state)
{
    const struct query_zone *z;
    static const char *const unknown[] = { "Europe/Nowhere", "Europe", "Mars" };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(query_zone_get(str_z(unknown[i]), &z), ERR_NOENT);
    static const char *const odd[] = { "",    "../../../etc/passwd", "/etc/passwd", "Europe/Ber lin", "+25:00",
                                       "a.b", "Europe\\Berlin" };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        int r = query_zone_get(str_z(odd[i]), &z);
        if (r != ERR_INVALID && r != ERR_NOENT)
            fail_msg("%s: %d", odd[i], r);
    }
    assert_true(zone("Europe/Berlin") == zone("Europe/Berlin"));
    assert_true(str_eq(query_zone_name(NULL), STR("UTC")) && str_eq(query_zone_name(zone("+02:00")), STR("+02:00")));
    assert_int_equal(query_zone_get(STR("tzdata.zi"), &z), ERR_INVALID);
    assert_int_equal(query_zone_get(STR("leapseconds"), &z), ERR_CORRUPT);
}

static void test_auto(void **state)
{
    static const struct {
        int64_t seconds, width; // width in s, 0: calendar
    } cases[] = { { 1, 1 },
                  { 99, 1 },
                  { 101, 2 },
                  { 900, 10 },
                  { 3600, 60 },
                  { 3000, 30 },
                  { 86400, 900 },
                  { 7 * 86400, 2 * 3600 },
                  { 30 * 86400, 43200 },
                  { 60 * 86400, 0 },
                  { 400 * 86400, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t width;
        enum query_cal_unit unit = QUERY_CAL_MONTH;
        uint32_t count;
        query_bucket_auto(0, cases[i].seconds * NS_PER_S, &width, &unit, &count);
        if (width != cases[i].width * NS_PER_S)
            fail_msg("%lld s: %lld ns", (long long)cases[i].seconds, (long long)width);
        if (width == 0)
            assert_true(count == 1 && unit == (cases[i].seconds > 100 * 86400 ? QUERY_CAL_WEEK : QUERY_CAL_DAY));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_days),
                                        cmocka_unit_test(test_days_that_do_not_begin_at_midnight),
                                        cmocka_unit_test(test_weeks_and_months),
                                        cmocka_unit_test(test_edges),
                                        cmocka_unit_test(test_against_libc),
                                        cmocka_unit_test(test_units_partition_time),
                                        cmocka_unit_test(test_names),
                                        cmocka_unit_test(test_auto) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
