#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "main/waterfall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char trace[] =
    "{\"trace\":\"0af7651916cd43dd8448eb211c80319c\",\"time\":\"2026-01-01T00:00:00.000000000Z\",\"duration\":"
    "900000000,"
    "\"complete\":true,\"cut\":false,\"spans\":["
    "{\"depth\":0,\"source\":\"spans\",\"time\":\"2026-01-01T00:00:00.000000000Z\",\"service\":\"web\",\"name\":\"GET "
    "/cart\","
    "\"status\":\"unset\",\"duration\":900000000,\"span\":\"00000000000000a1\"},"
    "{\"depth\":1,\"source\":\"spans\",\"time\":\"2026-01-01T00:00:00.100000000Z\",\"service\":\"checkout\",\"name\":"
    "\"POST "
    "/order\",\"status\":\"error\",\"message\":\"db "
    "timeout\",\"duration\":\"700000000\",\"span\":\"00000000000000a2\"}],"
    "\"missing\":[],\"logs\":[{\"time\":\"2026-01-01T00:00:00.790000000Z\",\"span\":\"00000000000000a2\",\"level\":"
    "\"error\","
    "\"body\":\"Connection refused\\u001b[2J\"},{\"time\":\"2026-01-01T00:00:00.500000000Z\",\"body\":{\"a\":1}}],"
    "\"services\":[{\"service\":\"web\",\"spans\":1,\"errors\":0},{\"service\":\"checkout\",\"spans\":1,\"errors\":1}],"
    "\"hidden\":0}";

static void spans_errors_and_logs_stand_in_place(void **state)
{
    struct waterfall_options o = { .width = 80 };
    struct buf out;
    setenv("TZ", "UTC", 1);
    tzset();
    buf_init(&out, 1 << 20);
    assert_int_equal(waterfall_print(str_z(trace), &o, &out), 0);
    buf_byte(&out, 0);
    char *text = (char *)out.ptr;
    char *web = strstr(text, "GET /cart"), *order = strstr(text, "POST /order"), *why = strstr(text, "db timeout");
    char *log = strstr(text, "Connection refused"), *other = strstr(text, "logs of no stored span");
    assert_non_null(web);
    assert_true(web < order && order < why && why < log && log < other);
    assert_non_null(strstr(text, "+790ms"));
    assert_non_null(strstr(text, "{\"a\":1}"));
    assert_non_null(strstr(text, "2 spans, 2 services, 1 error, 2 logs"));
    assert_null(strchr(text, '\x1b')); // neither colours nor foreign escapes
    buf_free(&out);
}

static void error_events_stand_in_place(void **state)
{
    static const char events[] =
        "{\"trace\":\"0af7651916cd43dd8448eb211c80319c\",\"time\":\"2026-01-01T00:00:00.000000000Z\",\"duration\":"
        "900000000,\"spans\":[{\"time\":\"2026-01-01T00:00:00.000000000Z\",\"service\":\"web\",\"name\":\"outer\","
        "\"duration\":900000000,\"span\":\"00000000000000a1\"},{\"depth\":1,\"time\":\"2026-01-01T00:00:00."
        "000000000Z\","
        "\"service\":\"web\",\"name\":\"inner\",\"duration\":9,\"span\":\"00000000000000a2\"}],"
        "\"logs\":[{\"time\":\"2026-01-01T00:00:00.200000000Z\",\"span\":\"00000000000000a1\",\"level\":\"info\","
        "\"body\":\"after it\"}],\"events\":[{\"time\":\"2026-01-01T00:00:00.100000000Z\",\"span\":"
        "\"00000000000000a1\",\"level\":\"error\",\"title\":\"TypeError: no \\u001b[2J\",\"culprit\":\"total in cart\","
        "\"handled\":false,\"stack.line\":[1,null]},{\"time\":\"2026-01-01T00:00:00.300000000Z\",\"level\":\"info\","
        "\"title\":\"the shop is open\",\"handled\":true}]}";
    struct waterfall_options o = { .width = 80 };
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(waterfall_print(str_z(events), &o, &out), 0);
    buf_byte(&out, 0);
    char *text = (char *)out.ptr;
    char *outer = strstr(text, "outer"), *error = strstr(text, "\xe2\x9c\x97 +100ms TypeError: no "),
         *log = strstr(text, "after it"), *inner = strstr(text, "inner");
    assert_non_null(error);
    assert_true(outer < error && error < log && log < inner);
    assert_non_null(strstr(error, "total in cart  not handled\n"));
    assert_non_null(strstr(inner, "\nerrors of no stored span:\n"));
    assert_non_null(strstr(inner, "+300ms info the shop is open\n"));
    assert_non_null(strstr(text, "2 spans, 0 services, 0 errors, 1 log, 2 error events\n"));
    assert_null(strchr(text, '\x1b'));
    buf_free(&out);
}

// An error whose spans were not sampled: time counts from it, and there is no duration to speak of.
static void errors_without_spans(void **state)
{
    static const char alone[] =
        "{\"trace\":\"0af7651916cd43dd8448eb211c80319c\",\"time\":\"1970-01-01T00:00:00.000000000Z\",\"duration\":0,"
        "\"spans\":[],\"events\":[{\"time\":\"2026-01-01T00:00:01.000000000Z\",\"level\":\"error\",\"title\":"
        "\"second\"},"
        "{\"time\":\"2026-01-01T00:00:00.000000000Z\",\"level\":\"error\",\"title\":\"first\"}],\"logs\":[],"
        "\"missing\":[],\"services\":[],\"hidden\":0}";
    struct waterfall_options o = { .width = 80 };
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(waterfall_print(str_z(alone), &o, &out), 0);
    buf_byte(&out, 0);
    char *text = (char *)out.ptr;
    assert_non_null(strstr(text, "2026-01-01"));
    assert_non_null(strstr(text, "+1s"));
    assert_null(strstr(text, "never"));
    buf_free(&out);
}

static void bars_are_as_long_as_their_spans(void **state)
{
    struct waterfall_options o = { .width = 80 };
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(waterfall_print(str_z(trace), &o, &out), 0);
    buf_byte(&out, 0);
    size_t cells[2] = { 0 };
    char *lines[2] = { strstr((char *)out.ptr, "GET /cart"), strstr((char *)out.ptr, "POST /order") };
    for (int i = 0; i < 2; i++)
        for (char *p = lines[i]; *p != '\n'; p++)
            cells[i] += strncmp(p, "\xe2\x96\x88", 3) == 0;
    assert_true(cells[0] > 10);
    assert_in_range(cells[1] * 9, cells[0] * 7 - 9, cells[0] * 7 + 9); // 700 of 900 ms
    buf_free(&out);
}

static void guides_join_siblings_only(void **state)
{
    static const int depths[] = { 0, 1, 2, 1, 2, 0 };
    static const char *const expect[] = {
        "s0", "\xe2\x94\x9c s1", "\xe2\x94\x82 \xe2\x94\x94 s2", "\xe2\x94\x94 s3", "  \xe2\x94\x94 s4", "s5"
    };
    struct waterfall_options o = { .width = 80 };
    struct buf json, out;
    buf_init(&json, 1 << 16);
    buf_init(&out, 1 << 20);
    buf_printf(&json, "{\"spans\":[");
    for (int i = 0; i < 6; i++)
        buf_printf(&json, "%s{\"depth\":%d,\"name\":\"s%d\",\"service\":\"x\"}", i ? "," : "", depths[i], i);
    buf_printf(&json, "]}");
    assert_int_equal(waterfall_print(buf_view(&json), &o, &out), 0);
    buf_byte(&out, 0);
    char *line = strstr((char *)out.ptr, "x    s0");
    for (int i = 0; i < 6; i++) {
        assert_non_null(line);
        assert_memory_equal(line + 5, expect[i], strlen(expect[i]));
        line = strchr(line, '\n') + 1;
    }
    buf_free(&json);
    buf_free(&out);
}

static void colours_only_when_asked(void **state)
{
    struct waterfall_options o = { .width = 80, .colours = true };
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(waterfall_print(str_z(trace), &o, &out), 0);
    assert_non_null(memchr(out.ptr, '\x1b', out.len));
    assert_null(memmem(out.ptr, out.len, "\x1b[2J", 4));
    buf_free(&out);
}

static void what_is_no_trace_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "[]", "{\"spans\":[{\"time\":\"yesterday\"}]}", "{\"spans\":[1]}", "{} x", "{\"duration\":\"x\"}"
    };
    struct waterfall_options o = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        assert_true(waterfall_print(str_z(bad[i]), &o, &out) < 0);
        buf_free(&out);
    }
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(waterfall_print(STR("{}"), &o, &out), 0); // empty is not broken
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_errors_and_logs_stand_in_place),
        cmocka_unit_test(error_events_stand_in_place),
        cmocka_unit_test(errors_without_spans),
        cmocka_unit_test(bars_are_as_long_as_their_spans),
        cmocka_unit_test(guides_join_siblings_only),
        cmocka_unit_test(colours_only_when_asked),
        cmocka_unit_test(what_is_no_trace_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
