// Events, transactions and containers as records. The JSON is as real SDKs send it, shortened.
#include "wire/sentry.h"

#include "base/mem.h"
#include "otlp_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct sentry_source from = {
    .service = STR_INIT("shop"),
    .peer = STR_INIT("10.0.0.9"),
    .event_id = STR_INIT("9ec79c33ec9942ab8353589fcb2e04dc"),
    .received_ns = 1795881740000000000,
};

struct made {
    struct arena arena;
    struct otlp_dump dump;
    struct sentry_counts counts;
    int result;
};

static void made_free(struct made *m)
{
    buf_free(&m->dump.out);
    arena_free(&m->arena);
}

// type: of a container, NULL for events.
static void make(struct made *m, const char *type, const char *json, const struct sentry_source *source)
{
    const struct json_node *root;
    struct sentry_event e;
    struct sentry_extras extras = { 0 };
    *m = (struct made){ 0 };
    arena_init(&m->arena, 4 << 20);
    otlp_dump_init(&m->dump);
    struct record_sink sink = otlp_dump_sink(&m->dump);
    assert_int_equal(json_tree_read(str_z(json), &m->arena, 64, &root, NULL), 0);
    if (type) {
        m->result = sentry_container_records(str_z(type), root, source, &m->arena, &sink, &m->counts);
    } else {
        assert_int_equal(sentry_event_read(root, &m->arena, &e, NULL), 0);
        m->result = e.transaction ? sentry_transaction_records(&e, source, &m->arena, &sink, &m->counts)
                                  : sentry_error_record(&e, source, &extras, &m->arena, &sink, &m->counts);
    }
    buf_byte(&m->dump.out, 0);
}

static void expect_lines(const struct made *m, const char *const *lines)
{
    assert_int_equal(m->result, 0);
    for (; *lines; lines++)
        if (!strstr((const char *)m->dump.out.ptr, *lines))
            fail_msg("no line with\n%s\nin\n%s", *lines, (const char *)m->dump.out.ptr);
}

static void expect(const char *type, const char *json, const char *const *lines)
{
    struct made m;
    make(&m, type, json, &from);
    expect_lines(&m, lines);
    made_free(&m);
}

static void expect_no(const char *json, const char *text)
{
    struct made m;
    make(&m, NULL, json, &from);
    if (strstr((const char *)m.dump.out.ptr, text))
        fail_msg("%s in\n%s", text, (const char *)m.dump.out.ptr);
    made_free(&m);
}

static void test_an_exception(void **state)
{
    expect(
        NULL,
        "{\"event_id\":\"4513c71f70fc4378a326ed48dfc8ff08\",\"level\":\"fatal\",\"platform\":\"python\",\"timestamp\":"
        "\"2026-11-28T16:02:14.331154Z\",\"release\":\"shop@1.4.2+77\",\"environment\":\"production\",\"server_name\":"
        "\"vm\","
        "\"transaction\":\"POST "
        "/orders\",\"sdk\":{\"name\":\"sentry.python\",\"version\":\"2.0\"},\"user\":{\"id\":42,\"ip_address\":"
        "\"{{auto}}\"},\"tags\":{\"coupon.kind\":\"percent_bp\"},\"extra\":{\"n\":1},\"request\":{\"url\":\"http://h/"
        "o\",\"method\":"
        "\"POST\"},\"contexts\":{\"trace\":{\"trace_id\":\"148b1cde17214baeb7727b75f095f67e\",\"span_id\":"
        "\"82f14336468dd50d\","
        "\"parent_span_id\":\"aaf14336468dd50d\"},\"runtime\":{\"name\":\"CPython\"}},\"exception\":{\"values\":[{"
        "\"type\":\"KeyError\","
        "\"value\":\"'rate'\"},{\"type\":\"TypeError\",\"value\":\"no "
        "rate\\nmore\",\"mechanism\":{\"type\":\"flask\",\"handled\":false},"
        "\"stacktrace\":{\"frames\":[{\"function\":\"view\",\"module\":\"app\",\"filename\":\"app.py\",\"lineno\":7,"
        "\"in_app\":true,"
        "\"vars\":{\"total\":129.5}},{\"function\":\"mul\",\"filename\":\"lib.py\",\"lineno\":99,\"in_app\":false}]}}]}"
        "}",
        (const char *[]){ "\"service.name\"=\"shop\"",
                          "\"service.version\"=\"1.4.2\"",
                          "\"release\"=\"shop@1.4.2+77\"",
                          "\"environment\"=\"production\"",
                          "\"server_name\"=\"vm\"",
                          "\"telemetry.sdk.language\"=\"python\"",
                          "F \"title\"=\"TypeError: no rate\"",
                          "F \"type\"=\"TypeError\"",
                          "F \"message\"=\"no rate\\x0amore\"",
                          "F \"handled\"=false",
                          "F \"mechanism\"=\"flask\"",
                          "F \"culprit\"=\"POST /orders\"",
                          "F \"stack.function\"=[\"mul\", \"view\"]",
                          "F \"stack.line\"=[i:99, i:7]",
                          "F \"stack.in_app\"=[false, true]",
                          "F \"stack.module\"=[null, \"app\"]",
                          "F \"vars\"={\"total\": d:4060300000000000}",
                          "R \"user.id\"=\"42\"",
                          "R \"user.ip_address\"=\"10.0.0.9\"",
                          "R \"coupon.kind\"=\"percent_bp\"",
                          "R \"extra.n\"=i:1",
                          "R \"request.method\"=\"POST\"",
                          "R \"contexts.runtime\"={\"name\": \"CPython\"}",
                          "148b1cde17214baeb7727b75f095f67e",
                          "82f14336468dd50d",
                          "1795881734331154000",
                          NULL });
}

static void test_shapes_of_old_sdks(void **state)
{
    // Lists without {"values"}, pairs, times without a zone, messages under another name, one exception without a list.
    expect(NULL,
           "{\"timestamp\":\"2026-11-28T16:02:14\",\"sentry.interfaces.Message\":{\"message\":\"order %s "
           "failed\",\"params\":[\"7\"],"
           "\"formatted\":\"order 7 failed\"},\"tags\":[[\"a\",\"b\"],[\"service\",\"billing\"]]}",
           (const char *[]){ "\"service.name\"=\"billing\"", "F \"title\"=\"order 7 failed\"", "R \"a\"=\"b\"",
                             "1795881734000000000", NULL });
    expect(NULL, "{\"exception\":{\"type\":\"E\",\"value\":\"v\"},\"level\":\"warning\"}",
           (const char *[]){ "F \"title\"=\"E: v\"", NULL });
    expect(NULL, "{\"exception\":[{\"type\":\"E\"}]}", (const char *[]){ "F \"title\"=\"E\"", NULL });
    expect(NULL, "{\"message\":\"plain\",\"timestamp\":1795881734.5}",
           (const char *[]){ "F \"message\"=\"plain\"", "1795881734500000000", NULL });
    expect(NULL, "{}", (const char *[]){ "F \"title\"=\"<no message>\"", "1795881740000000000", NULL });
}

static void test_where_it_happened(void **state)
{
    static const char frame[] =
        "{\"exception\":[{\"type\":\"E\",\"stacktrace\":{\"frames\":[{\"module\":\"shop.pricing\","
        "\"function\":\"apply\",\"in_app\":true},{\"filename\":\"lib.py\",\"function\":\"f\"}]}}]}";
    expect(NULL, frame, (const char *[]){ "F \"culprit\"=\"shop.pricing in apply\"", NULL });
    // Without an exception: the stack of the thread that crashed.
    expect(NULL,
           "{\"threads\":{\"values\":[{\"id\":1,\"current\":true,\"stacktrace\":{\"frames\":[{\"function\":\"idle\"}]}}"
           ",{\"id\":2,"
           "\"crashed\":true,\"stacktrace\":{\"frames\":[{\"function\":\"boom\"}]}}]}}",
           (const char *[]){ "F \"stack.function\"=[\"boom\"]", NULL });
}

static void test_a_type_that_was_made_up_is_no_title(void **state)
{
    expect(NULL, "{\"exception\":[{\"type\":\"Error\",\"value\":\"it broke\",\"mechanism\":{\"synthetic\":true}}]}",
           (const char *[]){ "F \"title\"=\"it broke\"", NULL });
}

static void test_the_clock_of_the_sender(void **state)
{
    struct made m;
    struct sentry_source behind = from;
    behind.shift_ns = sentry_clock_shift(STR("2026-11-28T15:02:20Z"), from.received_ns);
    assert_int_equal(behind.shift_ns, 3600000000000);
    assert_int_equal(sentry_clock_shift(STR("2026-11-28T16:02:00Z"), from.received_ns), 0); // 20 s: the way here
    assert_int_equal(sentry_clock_shift(STR("yesterday"), from.received_ns), 0);
    make(&m, NULL, "{\"message\":\"x\",\"timestamp\":1795878134.5}", &behind);
    expect_lines(&m, (const char *[]){ "1795881734500000000", NULL });
    made_free(&m);
    // Out of range after correction: when it was received.
    behind.shift_ns = INT64_MAX;
    make(&m, NULL, "{\"message\":\"x\",\"timestamp\":1795878134.5}", &behind);
    expect_lines(&m, (const char *[]){ "1795881740000000000", NULL });
    made_free(&m);
}

static void test_a_transaction(void **state)
{
    expect(NULL,
           "{\"type\":\"transaction\",\"transaction\":\"POST "
           "/orders\",\"platform\":\"python\",\"contexts\":{\"trace\":{\"trace_id\":"
           "\"6d1245d6ba804e2aa74f27a6161567a5\",\"span_id\":\"8c3e11d9942eb7a6\",\"op\":\"http.server\",\"status\":"
           "\"internal_error\","
           "\"data\":{\"thread.name\":\"MainThread\"}}},\"start_timestamp\":1795881734.329257,\"timestamp\":1795881734."
           "331154,"
           "\"spans\":[{\"trace_id\":\"6d1245d6ba804e2aa74f27a6161567a5\",\"span_id\":\"aa57b3261ac1754a\",\"parent_"
           "span_id\":"
           "\"8c3e11d9942eb7a6\",\"op\":\"db\",\"description\":\"SELECT "
           "1\",\"status\":\"ok\",\"start_timestamp\":1795881734.33,"
           "\"timestamp\":1795881734.3301,\"data\":{\"db.system\":\"postgresql\"}},{\"op\":\"no ids\"}]}",
           (const char *[]){ "\"POST /orders\"", "F \"message\"=\"internal_error\"", "R \"sentry.op\"=\"http.server\"",
                             "R \"thread.name\"=\"MainThread\"", "\"SELECT 1\"", "R \"db.query.text\"=\"SELECT 1\"",
                             "R \"db.system\"=\"postgresql\"", "8c3e11d9942eb7a6", "1795881734329257000", NULL });
    struct made m;
    make(&m, NULL, "{\"type\":\"transaction\",\"spans\":[{\"op\":\"no ids\"}]}", &from);
    assert_int_equal(m.result, 0);
    assert_int_equal(m.counts.records, 0);
    assert_int_equal(m.counts.dropped, 2);
    made_free(&m);
}

static void test_containers(void **state)
{
    expect("span",
           "{\"version\":2,\"items\":[{\"name\":\"GET /cart\",\"span_id\":\"a57e7f3fdde7c0e7\",\"trace_id\":"
           "\"5008ec1c8b11408c9da9b5e286e5558b\",\"start_timestamp\":1795881733.9528787,\"end_timestamp\":1795881733."
           "9576817,\"status\":"
           "\"error\",\"attributes\":{\"sentry.op\":{\"value\":\"http.server\",\"type\":\"string\"},\"sentry.status."
           "message\":{\"value\":"
           "\"boom\"},\"a\":{\"value\":1,\"type\":\"integer\"},\"e\":{\"value\":[\"p\",\"q\"],\"type\":\"array\"},"
           "\"sentry.release\":{\"value\":"
           "\"web@5.12.0\"}},\"links\":[{\"trace_id\":\"148b1cde17214baeb7727b75f095f67e\",\"span_id\":"
           "\"82f14336468dd50d\"}]}]}",
           (const char *[]){ "\"service.version\"=\"5.12.0\"", "\"GET /cart\"", "F \"message\"=\"boom\"", "R \"a\"=i:1",
                             "R \"e\"=[\"p\", \"q\"]", "1795881733952878700", "148b1cde17214baeb7727b75f095f67e",
                             NULL });
    expect("log",
           "{\"items\":[{\"timestamp\":1795881733.9561427,\"level\":\"warn\",\"body\":\"hello\",\"trace_id\":"
           "\"5008ec1c8b11408c9da9b5e286e5558b\",\"attributes\":{\"sentry.trace.parent_span_id\":{\"value\":"
           "\"a57e7f3fdde7c0e7\"},"
           "\"server.address\":{\"value\":\"vm\"},\"k\":{\"value\":true},\"password\":\"[Filtered]\"}}]}",
           (const char *[]){ "\"server_name\"=\"vm\"", "\"hello\"", "a57e7f3fdde7c0e7", "R \"k\"=true",
                             "F \"severity_text\"=\"warn\"", "R \"password\"=\"[Filtered]\"", NULL });
    expect("trace_metric",
           "{\"items\":[{\"timestamp\":1795881733.9,\"name\":\"orders\",\"type\":\"counter\",\"value\":2,"
           "\"attributes\":{\"q\":{\"value\":"
           "\"z\"}}},{\"timestamp\":1795881733.9,\"name\":\"lat\",\"type\":\"distribution\",\"unit\":\"millisecond\","
           "\"value\":12.5}]}",
           (const char *[]){ "\"orders\"", "F \"temporality\"=\"delta\"", "F \"value\"=i:2", "R \"q\"=\"z\"",
                             "F \"unit\"=\"millisecond\"", NULL });
    struct made m;
    make(&m, "span", "{\"items\":[{\"name\":\"no ids\"},7]}", &from);
    assert_int_equal(m.result, 0);
    assert_int_equal(m.counts.dropped, 2);
    made_free(&m);
    make(&m, "span", "{\"items\":1}", &from);
    assert_int_equal(m.result, ERR_MALFORMED);
    made_free(&m);
    make(&m, "profile", "{\"items\":[]}", &from);
    assert_int_equal(m.result, ERR_UNSUPPORTED);
    made_free(&m);
}

static void test_too_much_is_left_out_and_counted(void **state)
{
    struct made m;
    struct buf json;
    buf_init(&json, 1 << 20);
    buf_str(&json, STR("{\"message\":\"x\",\"tags\":{"));
    for (int i = 0; i < SENTRY_ATTRS_MAX + 10; i++)
        buf_printf(&json, "%s\"t%d\":\"v\"", i ? "," : "", i);
    buf_str(&json, STR("},\"extra\":{\"large\":\""));
    for (int i = 0; i <= SENTRY_VALUE_MAX; i++)
        buf_byte(&json, 'x');
    buf_append(&json, "\"}}", 4);
    make(&m, NULL, (const char *)json.ptr, &from);
    assert_int_equal(m.result, 0);
    assert_int_equal(m.counts.records, 1);
    assert_in_range(m.counts.dropped, 11, 20);
    made_free(&m);
    buf_free(&json);
    // Keys that come twice: the first one stays.
    expect_no("{\"message\":\"x\",\"tags\":[[\"a\",\"first\"],[\"a\",\"second\"]]}", "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_exception),
        cmocka_unit_test(test_shapes_of_old_sdks),
        cmocka_unit_test(test_where_it_happened),
        cmocka_unit_test(test_a_type_that_was_made_up_is_no_title),
        cmocka_unit_test(test_the_clock_of_the_sender),
        cmocka_unit_test(test_a_transaction),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_too_much_is_left_out_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
