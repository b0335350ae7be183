#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/human.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define assert_text(out, expect)                             \
    do {                                                     \
        assert_int_equal((out)->len, strlen(expect));        \
        assert_memory_equal((out)->ptr, expect, (out)->len); \
    } while (0)

static void one_is_no_plural(void **state)
{
    struct buf out;
    buf_init(&out, 100);
    for (int n = 0; n < 3; n++) {
        human_plural(&out, n, "event");
        buf_byte(&out, ' ');
    }
    assert_text(&out, "0 events 1 event 2 events ");
    buf_free(&out);
}

static void durations_have_three_digits(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = { { 0, "0ns" },
                  { 999, "999ns" },
                  { 1500, "1.5\xc2\xb5s" },
                  { 842000000, "842ms" },
                  { 1240000000, "1.24s" },
                  { 400000000, "400ms" },
                  { 192000000000, "3m12s" },
                  { 7260000000000, "2h01m" },
                  { 90000000000000, "1d01h" },
                  { -5000000, "-5ms" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        human_duration(&out, cases[i].ns);
        assert_text(&out, cases[i].text);
        buf_free(&out);
    }
}

static void sizes_and_times_are_readable(void **state)
{
    struct buf out;
    buf_init(&out, 100);
    human_size(&out, 999);
    assert_text(&out, "999B");
    buf_clear(&out);
    human_size(&out, 1536000);
    assert_text(&out, "1.54MB");
    buf_clear(&out);
    setenv("TZ", "UTC", 1);
    tzset();
    human_time(&out, 1767225600123000000);
    assert_text(&out, "2026-01-01 00:00:00.123");
    buf_clear(&out);
    human_time(&out, -1); // before 1970 is a time, too
    assert_text(&out, "1969-12-31 23:59:59.999");
    buf_clear(&out);
    human_ago(&out, 0, 5);
    assert_text(&out, "never");
    buf_free(&out);
}

static void cutting_counts_columns_not_bytes(void **state)
{
    struct buf out;
    assert_int_equal(human_width(STR("\xe6\xb1\xba\xe6\xb8\x88")), 4);
    assert_int_equal(human_width(STR("e\xcc\x81")), 1);
    buf_init(&out, 100);
    human_cut(&out, STR("\xe6\xb1\xba\xe6\xb8\x88\xe6\xb1\xba"), 5);
    assert_text(&out, "\xe6\xb1\xba\xe6\xb8\x88\xe2\x80\xa6");
    buf_clear(&out);
    human_cut(&out, STR("short"), 5);
    assert_text(&out, "short");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_no_plural),
        cmocka_unit_test(durations_have_three_digits),
        cmocka_unit_test(sizes_and_times_are_readable),
        cmocka_unit_test(cutting_counts_columns_not_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
