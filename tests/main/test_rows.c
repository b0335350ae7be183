#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/rows.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print(const char *const *lines, size_t n, size_t width, struct buf *out, struct buf *notes)
{
    struct rows_table t;
    setenv("TZ", "UTC", 1);
    tzset();
    rows_table_init(&t);
    buf_init(out, 1 << 20);
    buf_init(notes, 1 << 16);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows_table_line(&t, str_z(lines[i])), 0);
    assert_int_equal(rows_table_print(&t, width, out, notes), 0);
    buf_byte(out, 0);
    buf_byte(notes, 0);
    rows_table_free(&t);
}

static void groups_are_aligned_and_in_units(void **state)
{
    static const char *const lines[] = {
        "{\"service\":\"checkout\",\"p99\":700000000,\"count()\":2}",
        "{\"service\":\"db\",\"p99\":20000,\"count()\":1234}",
        "{\"_stats\":{\"rows\":2,\"scanned\":8,\"ms\":1.5,\"more\":false,\"partial\":null,\"hints\":[\"look\"],"
        "\"columns\":"
        "[{\"name\":\"service\",\"type\":\"string\"},{\"name\":\"p99\",\"type\":\"duration\"},{\"name\":\"count()\","
        "\"type\":\"int\"}]}}",
    };
    struct buf out, notes;
    print(lines, 3, 80, &out, &notes);
    assert_string_equal((char *)out.ptr, "service     p99  count()\n"
                                         "checkout  700ms        2\n"
                                         "db         20\xc2\xb5s     1234\n");
    assert_string_equal((char *)notes.ptr, "hint: look\n2 rows, 8 read in 1.5 ms\n");
    buf_free(&out);
    buf_free(&notes);
}

static void records_show_what_matters(void **state)
{
    static const char *const lines[] = {
        "{\"source\":\"spans\",\"time\":\"2026-01-01T00:00:00.100000000Z\",\"service\":\"web\",\"name\":\"GET "
        "/\",\"duration\":900000000,\"attr\":{\"a\":1},\"resource\":{}}",
        "{\"_stats\":{\"rows\":1,\"scanned\":1,\"ms\":1,\"more\":true}}",
    };
    struct buf out, notes;
    print(lines, 2, 0, &out, &notes);
    assert_string_equal((char *)out.ptr, "time          service  name   duration\n"
                                         "00:00:00.100  web      GET /     900ms\n");
    assert_non_null(strstr((char *)notes.ptr, "there are more"));
    buf_free(&out);
    buf_free(&notes);
}

static void issues_show_what_they_are_and_whom_they_hit(void **state)
{
    static const char *const lines[] = {
        "{\"source\":\"issues\",\"time\":\"2026-01-01T00:00:00.100000000Z\",\"id\":7,\"short\":\"SHOP-7\",\"level\":"
        "\"error\","
        "\"title\":\"KeyError: 'zone'\",\"state\":\"new\",\"events\":12,\"users\":3}",
        "{\"_stats\":{\"rows\":1,\"scanned\":1,\"ms\":1,\"more\":false,\"columns\":[{\"name\":\"events\",\"type\":"
        "\"int\"},"
        "{\"name\":\"users\",\"type\":\"int\"}]}}",
    };
    struct buf out, notes;
    print(lines, 2, 0, &out, &notes);
    assert_string_equal((char *)out.ptr, "short   state  events  users  title\n"
                                         "SHOP-7  new        12      3  KeyError: 'zone'\n");
    buf_free(&out);
    buf_free(&notes);
}

static void lists_have_no_brackets(void **state)
{
    static const char *const lines[] = {
        "{\"a\":[\"x, \\\"y\",2],\"b\":[],\"c\":[[1]],\"d\":{\"k\":1},\"e\":[true,false]}",
        "{\"_stats\":{\"rows\":1,\"scanned\":1,\"ms\":1,\"more\":false,\"columns\":[]}}",
    };
    struct buf out, notes;
    print(lines, 2, 0, &out, &notes);
    assert_string_equal((char *)out.ptr, "a         b  c      d        e\n"
                                         "x, \"y, 2     [[1]]  {\"k\":1}  true, false\n");
    buf_free(&out);
    buf_free(&notes);
}

static void hostile_cells_stay_on_their_line(void **state)
{
    static const char *const lines[] = { "{\"a\":\"x\\u001b[31m\\ny\",\"b\\u0007\":\"z\"}",
                                         "{\"_stats\":{\"rows\":1}}" };
    struct buf out, notes;
    print(lines, 2, 0, &out, &notes);
    assert_null(strchr((char *)out.ptr, '\x1b'));
    assert_null(strchr((char *)out.ptr, '\a'));
    assert_non_null(strstr((char *)out.ptr, "x\\x1b[31m\\ny"));
    buf_free(&out);
    buf_free(&notes);
}

static void a_narrow_terminal_cuts_the_widest(void **state)
{
    char line[400] = "{\"n\":1,\"text\":\"", *end = line + strlen(line);
    memset(end, 'x', 200);
    memcpy(end + 200, "\"}", 3);
    const char *lines[] = { line, "{\"_stats\":{\"rows\":1}}" };
    struct buf out, notes;
    print(lines, 2, 40, &out, &notes);
    for (char *p = (char *)out.ptr, *nl; (nl = strchr(p, '\n')); p = nl + 1)
        assert_true(nl - p <= 40 + 2); // the ellipsis has three bytes
    buf_free(&out);
    buf_free(&notes);
}

static void a_record_is_one_line_of_a_tail(void **state)
{
    struct buf out;
    setenv("TZ", "UTC", 1);
    tzset();
    buf_init(&out, 1 << 16);
    assert_int_equal(
        rows_record_line(
            STR("{\"source\":\"logs\",\"time\":\"2026-01-01T00:00:00.100000000Z\",\"service\":\"web\",\"level\":"
                "\"error\",\"body\":\"a\\u001b[0mb\"}"),
            false, &out),
        0);
    buf_byte(&out, 0);
    assert_string_equal((char *)out.ptr, "2026-01-01 00:00:00.100 error web  a\\x1b[0mb\n");
    buf_clear(&out);
    assert_true(rows_record_line(STR("not json"), false, &out) < 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_aligned_and_in_units),
        cmocka_unit_test(records_show_what_matters),
        cmocka_unit_test(issues_show_what_they_are_and_whom_they_hit),
        cmocka_unit_test(lists_have_no_brackets),
        cmocka_unit_test(hostile_cells_stay_on_their_line),
        cmocka_unit_test(a_narrow_terminal_cuts_the_widest),
        cmocka_unit_test(a_record_is_one_line_of_a_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
