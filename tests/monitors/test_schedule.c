// When jobs are due: fields, zones, and the two days of the year on which clocks are put forward and back.
#include "base/clock.h"
#include "base/timefmt.h"
#include "monitors/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

// The next `n` times after a moment, "2026-03-29T01:00:00Z" each, with spaces between.
static void check(const char *crontab, const char *zone, const char *after, const char *want)
{
    struct schedule s;
    struct err err = { 0 };
    char got[1024] = "", text[32];
    int64_t t;
    assert_int_equal(schedule_crontab(str_z(crontab), &s, &err), 0);
    assert_int_equal(schedule_zone(&s, str_z(zone), &err), 0);
    assert_true(parse_rfc3339(str_z(after), &t));
    for (size_t n = strlen(want); strlen(got) < n;) {
        t = schedule_next(&s, t);
        if (t == INT64_MAX)
            break;
        fmt_rfc3339(text, t);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.16sZ", got[0] ? " " : "", text);
    }
    assert_string_equal(got, want);
}

static void test_fields(void **unused)
{
    check("*/20 * * * *", "", "2026-01-01T00:05:00Z", "2026-01-01T00:20Z 2026-01-01T00:40Z 2026-01-01T01:00Z");
    check("0 9-17/4 * * mon-fri", "", "2026-01-02T10:00:00Z", "2026-01-02T13:00Z 2026-01-02T17:00Z 2026-01-05T09:00Z");
    check("30 6 1,15 * *", "", "2026-01-15T06:30:00Z", "2026-02-01T06:30Z 2026-02-15T06:30Z");
    check("0 0 13 * 5", "", "2026-02-01T00:00:00Z", "2026-02-06T00:00Z 2026-02-13T00:00Z 2026-02-20T00:00Z");
    check("0 0 29 feb *", "", "2026-01-01T00:00:00Z", "2028-02-29T00:00Z");
    check("0 12 * * 7", "", "2026-01-01T00:00:00Z", "2026-01-04T12:00Z");
    check("0 12 * * fri-sun", "", "2026-01-01T12:00:00Z", "2026-01-02T12:00Z 2026-01-03T12:00Z 2026-01-04T12:00Z");
    check("@weekly", "", "2026-01-01T00:00:00Z", "2026-01-04T00:00Z 2026-01-11T00:00Z");
    check("5/25 * * * *", "", "2026-01-01T00:00:00Z", "2026-01-01T00:05Z 2026-01-01T00:30Z 2026-01-01T00:55Z");
    check("59 23 31 12 *", "", "2026-01-01T00:00:00Z", "2026-12-31T23:59Z");
    check("* * * * *", "", "2026-01-01T00:00:59Z", "2026-01-01T00:01Z");
}

static void test_never(void **unused)
{
    struct schedule s;
    assert_int_equal(schedule_crontab(STR("0 0 30 2 *"), &s, NULL), 0);
    assert_true(schedule_next(&s, 1767225600 * NS_PER_S) == INT64_MAX);
}

static void test_zones(void **unused)
{
    check("0 9 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T08:00Z 2026-01-02T08:00Z");
    check("0 9 * * *", "America/New_York", "2026-07-01T00:00:00Z", "2026-07-01T13:00Z");
    // A day of there, not of here.
    check("30 0 1 * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-31T19:00Z");
}

static void test_clock_put_forward(void **unused)
{
    // Berlin, 29 March 2026: 02:00 is 03:00. What falls into the gap is due right behind it, once.
    check("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z",
          "2026-03-28T01:30Z 2026-03-29T01:00Z 2026-03-30T00:30Z");
    check("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00Z 2026-03-30T01:00Z");
    // What runs all the time has no gap to fill.
    check("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:30Z 2026-03-29T01:30Z");
}

static void test_clock_put_back(void **unused)
{
    // Berlin, 25 October 2026: 03:00 is 02:00 again. An hour of its own comes once, every hour comes twice.
    check("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30Z 2026-10-26T01:30Z");
    check("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z",
          "2026-10-25T00:30Z 2026-10-25T01:30Z 2026-10-25T02:30Z");
}

static void test_intervals(void **unused)
{
    struct schedule s;
    int64_t at = 0, want = 0;
    assert_int_equal(schedule_interval(90, STR("minute"), &s, NULL), 0);
    assert_true(schedule_next(&s, 5) == 90 * 60 * NS_PER_S + 5);
    assert_int_equal(schedule_interval(1, STR("month"), &s, NULL), 0);
    assert_true(parse_rfc3339(STR("2026-01-31T10:00:00Z"), &at) && parse_rfc3339(STR("2026-02-28T10:00:00Z"), &want));
    assert_true(schedule_next(&s, at) == want);
    // The same hour there, whatever the clocks did meanwhile.
    assert_int_equal(schedule_zone(&s, STR("Europe/Berlin"), NULL), 0);
    assert_true(parse_rfc3339(STR("2026-03-15T08:00:00Z"), &at) && parse_rfc3339(STR("2026-04-15T07:00:00Z"), &want));
    assert_true(schedule_next(&s, at) == want);
    // Longer than time goes: never.
    static const char *const units[] = { "day", "week", "month", "year" };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        assert_int_equal(schedule_interval(100000, str_z(units[i]), &s, NULL), 0);
        assert_true(schedule_next(&s, at) == INT64_MAX);
    }
    assert_int_equal(schedule_interval(0, STR("minute"), &s, NULL), ERR_INVALID);
    assert_int_equal(schedule_interval(1, STR("fortnight"), &s, NULL), ERR_INVALID);
}

static void test_what_is_none(void **unused)
{
    static const char *const bad[] = {
        "",           "* * * *",    "* * * * * *", "60 * * * *",   "* 24 * * *", "* * 0 * *",
        "* * 32 * *", "* * * 13 *", "* * * * 8",   "5-1 * * * *",  "a * * * *",  "*/0 * * * *",
        "1, * * * *", ",1 * * * *", "1- * * * *",  "@reboot",      "* * L * *",  "* * * * 5#2",
        "-1 * * * *", "1/ * * * *", "* * * foo *", "99999 * * * *"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct schedule s;
        struct err err = { 0 };
        if (schedule_crontab(str_z(bad[i]), &s, &err) != ERR_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_string_equal(err.slug, "bad_schedule");
    }
    struct schedule s = { 0 };
    assert_int_equal(schedule_zone(&s, STR("Mars/Olympus"), NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),         cmocka_unit_test(test_never),
        cmocka_unit_test(test_zones),          cmocka_unit_test(test_clock_put_forward),
        cmocka_unit_test(test_clock_put_back), cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
