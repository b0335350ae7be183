// What is refused: a record alone, or the whole request, and what the sender is told.
#include "wire/otlp.h"

#include "base/mem.h"
#include "base/pb.h"
#include "otlp_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct otlp_limits small = { .attrs_max = 4, .children_max = 3, .value_size_max = 300 };

struct outcome {
    int rc;
    struct otlp_result result;
    struct err err;
    struct buf dump;
};

static struct outcome decode(enum otlp_signal signal, enum otlp_format format, bytes body, size_t scratch_cap)
{
    struct outcome o = { 0 };
    struct otlp_dump dump;
    struct arena scratch;
    uint8_t *exact = mem_dup(body.ptr, body.len);
    otlp_dump_init(&dump);
    struct record_sink sink = otlp_dump_sink(&dump);
    arena_init(&scratch, scratch_cap);
    o.rc = otlp_decode(signal, format, bytes_of(exact, body.len), &small, &scratch, &sink, &o.result, &o.err);
    arena_free(&scratch);
    mem_free(exact);
    o.dump = dump.out;
    return o;
}

static struct outcome decode_json(enum otlp_signal signal, const char *text)
{
    return decode(signal, OTLP_JSON, bytes_of(text, strlen(text)), 1 << 20);
}

// Spans of OTLP/JSON between the usual brackets.
static struct outcome decode_spans(const char *spans)
{
    char text[16384];
    int n = snprintf(text, sizeof text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[%s]}]}]}", spans);
    assert_in_range(n, 1, sizeof text - 1);
    return decode_json(OTLP_TRACES, text);
}

static void expect_rejected(const char *span, const char *message)
{
    char spans[8192];
    snprintf(spans, sizeof spans, "{\"name\":\"before\"},%s,{\"name\":\"after\"}", span);
    struct outcome o = decode_spans(spans);
    if (o.rc < 0)
        fail_msg("%s: %s (%s)", span, o.err.message, o.err.place);
    assert_string_equal(o.result.message, message);
    assert_int_equal(o.result.accepted, 2);
    assert_int_equal(o.result.rejected, 1);
    assert_non_null(memmem(o.dump.ptr, o.dump.len, "after", 5));
    buf_free(&o.dump);
}

#define AT "(resourceSpans[0].scopeSpans[0].spans[1])"

static void test_rejected_alone(void **state)
{
    expect_rejected("{\"traceId\":\"00\"}", "1 span rejected: traceId must be 16 bytes " AT);
    expect_rejected("{\"traceId\":\"zz\"}", "1 span rejected: an id is not hexadecimal " AT);
    expect_rejected("{\"spanId\":\"0011\"}", "1 span rejected: spanId must be 8 bytes " AT);
    expect_rejected("{\"parentSpanId\":\"001122334455667788\"}", "1 span rejected: parentSpanId must be 8 bytes " AT);
    expect_rejected("{\"startTimeUnixNano\":\"18446744073709551615\"}",
                    "1 span rejected: a time is beyond the year 2262 " AT);
    expect_rejected("{\"attributes\":[{},{},{},{},{}]}", "1 span rejected: too many attributes " AT);
    expect_rejected("{\"events\":[{\"attributes\":[{},{},{},{},{}]}]}", "1 span rejected: too many attributes " AT);
    expect_rejected("{\"events\":[{},{}],\"links\":[{},{}]}", "1 span rejected: too many events and links " AT);
    expect_rejected("{\"links\":[{\"traceId\":\"01\"}]}", "1 span rejected: traceId must be 16 bytes " AT);
}

static void test_attribute_limit_counts_no_fields(void **state)
{
    struct outcome o =
        decode_spans("{\"traceState\":\"a=b\",\"status\":{\"message\":\"m\"},\"attributes\":[{},{},{},{}],"
                     "\"droppedAttributesCount\":1,\"droppedEventsCount\":1,\"droppedLinksCount\":1,\"kind\":9}");
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.result.accepted, 1);
    assert_non_null(memmem(o.dump.ptr, o.dump.len, "F \"kind_number\"=i:9", 19));
    buf_free(&o.dump);
}

static void test_value_size(void **state)
{
    char big[400], span[600];
    memset(big, 'x', sizeof big);
    big[301] = 0;
    snprintf(span, sizeof span, "{\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"%s\"}}]}", big);
    expect_rejected(span, "1 span rejected: a value is too large " AT);
    snprintf(span, sizeof span, "{\"attributes\":[{\"key\":\"%s\"}]}", big);
    expect_rejected(span, "1 span rejected: a value is too large " AT);
    snprintf(span, sizeof span,
             "{\"attributes\":[{\"key\":\"k\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"%s\"}]}}}]}",
             big);
    expect_rejected(span, "1 span rejected: a value is too large " AT);
    snprintf(span, sizeof span, "{\"name\":\"%s\"}", big);
    expect_rejected(span, "1 span rejected: its name is too large " AT);
    snprintf(span, sizeof span, "{\"status\":{\"message\":\"%s\"}}", big);
    expect_rejected(span, "1 span rejected: a value is too large " AT);
    big[300] = 0;
    snprintf(span, sizeof span, "{\"name\":\"%s\"}", big);
    struct outcome o = decode_spans(span);
    assert_int_equal(o.result.accepted, 1);
    buf_free(&o.dump);
}

static void test_depth(void **state)
{
    char span[8192];
    for (int depth = VALUE_DEPTH_MAX; depth <= VALUE_DEPTH_MAX + 1; depth++) {
        int n = snprintf(span, sizeof span, "{\"attributes\":[{\"key\":\"k\",\"value\":");
        for (int i = 0; i < depth; i++)
            n += snprintf(span + n, sizeof span - (size_t)n, "{\"arrayValue\":{\"values\":[");
        n += snprintf(span + n, sizeof span - (size_t)n, "{}");
        for (int i = 0; i < depth; i++)
            n += snprintf(span + n, sizeof span - (size_t)n, "]}}");
        snprintf(span + n, sizeof span - (size_t)n, "}]}");
        if (depth > VALUE_DEPTH_MAX) {
            expect_rejected(span, "1 span rejected: a value is nested too deeply " AT);
            continue;
        }
        struct outcome o = decode_spans(span);
        assert_int_equal(o.rc, 0);
        assert_int_equal(o.result.accepted, 1);
        buf_free(&o.dump);
    }
}

static void test_depth_protobuf(void **state)
{
    struct buf b;
    size_t at[128];
    buf_init(&b, 1 << 16);
    size_t outer[] = { pb_begin(&b, 1), pb_begin(&b, 2), pb_begin(&b, 2), pb_begin(&b, 9), pb_begin(&b, 2) };
    for (size_t i = 0; i < 128; i += 2) {
        at[i] = pb_begin(&b, 5);
        at[i + 1] = pb_begin(&b, 1);
    }
    for (size_t i = 128; i--;)
        pb_end(&b, at[i]);
    for (size_t i = sizeof outer / sizeof *outer; i--;)
        pb_end(&b, outer[i]);
    struct outcome o = decode(OTLP_TRACES, OTLP_PROTOBUF, buf_bytes(&b), 1 << 20);
    assert_int_equal(o.rc, 0);
    assert_string_equal(o.result.message,
                        "1 span rejected: a value is nested too deeply (resourceSpans[0].scopeSpans[0].spans[0])");
    buf_free(&o.dump);
    buf_free(&b);
}

static void test_reasons_of_many(void **state)
{
    struct outcome o = decode_spans(
        "{\"traceId\":\"00\"},{\"spanId\":\"00\"},{},{\"traceId\":\"01\"},{\"traceId\":\"02\"},{\"traceId\":\"03\"}");
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.result.accepted, 1);
    assert_int_equal(o.result.rejected, 5);
    assert_string_equal(o.result.message,
                        "5 spans rejected: traceId must be 16 bytes (resourceSpans[0].scopeSpans[0].spans[0]); "
                        "spanId must be 8 bytes (resourceSpans[0].scopeSpans[0].spans[1]); "
                        "traceId must be 16 bytes (resourceSpans[0].scopeSpans[0].spans[3]); and more");
    buf_free(&o.dump);
}

static void test_resource_takes_its_records_along(void **state)
{
    struct outcome o = decode_json(
        OTLP_LOGS,
        "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{},{},{},{},{}]},\"scopeLogs\":[{\"logRecords\":[{},{}]},{"
        "\"logRecords\":[{}]}]},"
        "{\"scopeLogs\":[{\"scope\":{\"attributes\":[{},{},{},{},{}]},\"logRecords\":[{}]},{\"logRecords\":[{}]}]}]}");
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.result.accepted, 1);
    assert_int_equal(o.result.rejected, 4);
    assert_non_null(strstr(o.result.message,
                           "4 log records rejected: too many attributes (resourceLogs[0].scopeLogs[0].logRecords[0])"));
    buf_free(&o.dump);
}

static void test_metric_place(void **state)
{
    struct outcome o = decode_json(
        OTLP_METRICS,
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"histogram\":{\"dataPoints\":"
        "[{},{\"count\":\"18446744073709551615\"},{\"exemplars\":[{\"traceId\":\"00\"}]}]}}]}]}]}");
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.result.accepted, 1);
    assert_string_equal(
        o.result.message,
        "2 data points rejected: a count is beyond 63 bits "
        "(resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[1]); "
        "traceId must be 16 bytes (resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[2])");
    buf_free(&o.dump);
}

static void expect_malformed(enum otlp_signal signal, const char *text, const char *message, const char *place)
{
    struct outcome o = decode_json(signal, text);
    assert_int_equal(o.rc, ERR_MALFORMED);
    assert_string_equal(o.err.message, message);
    assert_string_equal(o.err.place, place);
    buf_free(&o.dump);
}

static void test_malformed_json(void **state)
{
    expect_malformed(OTLP_TRACES, "", "malformed OTLP JSON: a part runs past its end", "byte 0");
    expect_malformed(OTLP_TRACES, "[]", "malformed OTLP JSON: expected an object", "byte 0");
    expect_malformed(OTLP_TRACES, "{} x", "malformed OTLP JSON: something follows the value", "byte 3");
    expect_malformed(OTLP_TRACES, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},{\"name\":7}]}]}]}",
                     "malformed OTLP JSON: expected a string", "resourceSpans[0].scopeSpans[0].spans[1], byte 54");
    expect_malformed(
        OTLP_TRACES,
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[{\"value\":{\"intValue\":\"1.5\"}}]}]}]}]}",
        "malformed OTLP JSON: expected an integer of 64 bits",
        "resourceSpans[0].scopeSpans[0].spans[0].attributes[0], byte 84");
    expect_malformed(OTLP_TRACES, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"kind\":\"SPAN_KIND_ODD\"}]}]}]}",
                     "malformed OTLP JSON: unknown name of an enum",
                     "resourceSpans[0].scopeSpans[0].spans[0], byte 66");
    expect_malformed(
        OTLP_LOGS, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"bytesValue\":\"*\"}}]}]}]}",
        "malformed OTLP JSON: expected base64", "resourceLogs[0].scopeLogs[0].logRecords[0].body, byte 71");
    char deep[2000];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"x\":", 5);
    deep[sizeof deep - 1] = 0;
    struct outcome o = decode_json(OTLP_TRACES, deep);
    assert_int_equal(o.rc, ERR_MALFORMED);
    assert_string_equal(o.err.message, "malformed OTLP JSON: nested too deeply");
    buf_free(&o.dump);
}

static void test_json_forms(void **state)
{
    // snake_case, names of enums, null, unknown members, numbers for 64-bit integers, upper-case ids,
    // resource and scope behind their records.
    struct outcome o = decode_json(
        OTLP_TRACES,
        "{\"later\":{\"a\":[1]},\"resource_spans\":[{\"scope_spans\":[{\"spans\":[{\"trace_id\":"
        "\"0AF7651916CD43DD8448EB211C80319C\","
        "\"span_id\":null,\"name\":\"n\",\"kind\":\"SPAN_KIND_CLIENT\",\"start_time_unix_nano\":5,\"endTimeUnixNano\":"
        "\"9\",\"status\":"
        "{\"code\":\"STATUS_CODE_ERROR\"},\"attributes\":null,\"nothing\":\"\\ud83d\\ude00\"}],\"scope\":{\"name\":"
        "\"s\\u0041\"},\"schema_url\":\"u\"}],"
        "\"resource\":{\"attributes\":[{\"value\":{\"int_value\":7},\"key\":\"k\"}]},\"schemaUrl\":\"v\"}]}");
    assert_int_equal(o.rc, 0);
    str want =
        STR("resource schema=\"v\" dropped=0\n  R \"k\"=i:7\nscope name=\"sA\" version=\"\" schema=\"u\" dropped=0\n"
            "record spans kind=3 status=2 severity=0 trace=0af7651916cd43dd8448eb211c80319c span=0000000000000000 "
            "parent=0000000000000000 flags=0 time=5 duration=4 name=\"n\" body=null\n");
    assert_int_equal(o.dump.len, want.len);
    assert_memory_equal(o.dump.ptr, want.ptr, want.len);
    buf_free(&o.dump);
}

// Members of a nested KeyValue in any order and repeated: the last of each counts.
static void test_json_entries_in_any_order(void **state)
{
    struct outcome o = decode_json(
        OTLP_LOGS, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"kvlistValue\":{\"values\":["
                   "{\"value\":{\"intValue\":1},\"key\":\"a\"},{\"key\":\"x\",\"value\":{\"kvlistValue\":{\"values\":[{"
                   "}]}},\"key\":\"b\"},"
                   "{\"key\":\"c\"},{\"value\":{}},{\"key\":\"d\",\"value\":{\"intValue\":1},\"value\":{\"boolValue\":"
                   "true}}]}}}]}]}]}");
    assert_int_equal(o.rc, 0);
    str want = STR("body={\"a\": i:1, \"b\": {\"\": null}, \"c\": null, \"\": null, \"d\": true}\n");
    assert_non_null(memmem(o.dump.ptr, o.dump.len, want.ptr, want.len));
    buf_free(&o.dump);
}

static void test_malformed_protobuf_has_its_place(void **state)
{
    struct buf b;
    buf_init(&b, 1024);
    size_t outer[] = { pb_begin(&b, 1), pb_begin(&b, 2) };
    pb_put_str(&b, 2, STR("")); // a span without anything
    size_t span = pb_begin(&b, 2), attribute = pb_begin(&b, 9);
    size_t value = pb_begin(&b, 2);
    buf_str(&b, STR("\x0a\x7fshort")); // a string of 127 bytes that has 5
    pb_end(&b, value);
    pb_end(&b, attribute);
    pb_end(&b, span);
    pb_end(&b, outer[1]);
    pb_end(&b, outer[0]);
    struct outcome o = decode(OTLP_TRACES, OTLP_PROTOBUF, buf_bytes(&b), 1 << 20);
    assert_int_equal(o.rc, ERR_MALFORMED);
    assert_string_equal(o.err.message, "malformed OTLP protobuf: a part runs past its end");
    assert_string_equal(o.err.place, "resourceSpans[0].scopeSpans[0].spans[1].attributes.value, byte 13");
    buf_free(&o.dump);
    buf_free(&b);
}

// 4096 empty events with 4 attributes each cost 8 kB on the wire: the scratch arena's cap holds, and only
// this span is rejected.
static void test_scratch_cap_rejects_one_record(void **state)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    struct otlp_limits wide = { .attrs_max = 1024, .children_max = 4096, .value_size_max = 1 << 16 };
    size_t outer[] = { pb_begin(&b, 1), pb_begin(&b, 2) };
    size_t span = pb_begin(&b, 2);
    for (int i = 0; i < 4096; i++) {
        size_t event = pb_begin(&b, 11);
        for (int k = 0; k < 20; k++)
            pb_put_str(&b, 3, STR(""));
        pb_end(&b, event);
    }
    pb_end(&b, span);
    pb_put_str(&b, 2, STR(""));
    pb_end(&b, outer[1]);
    pb_end(&b, outer[0]);
    struct otlp_dump dump;
    struct otlp_result result;
    struct err err;
    struct arena scratch;
    otlp_dump_init(&dump);
    struct record_sink sink = otlp_dump_sink(&dump);
    arena_init(&scratch, otlp_scratch_min(&wide));
    assert_int_equal(otlp_decode(OTLP_TRACES, OTLP_PROTOBUF, buf_bytes(&b), &wide, &scratch, &sink, &result, &err), 0);
    assert_true(scratch.used <= otlp_scratch_min(&wide));
    assert_int_equal(result.accepted, 1);
    assert_string_equal(result.message, "1 span rejected: it is too large (resourceSpans[0].scopeSpans[0].spans[0])");
    arena_free(&scratch);
    buf_free(&dump.out);
    buf_free(&b);
}

static int sink_full(void *ctx, const struct record *r) { return ERR_NOSPC; }
static int sink_section(void *ctx, const struct record_entity *r, const struct record_entity *s) { return 0; }

static void test_sink_ends_the_decoding(void **state)
{
    struct record_sink sink = { NULL, sink_section, sink_full };
    struct otlp_result result;
    struct err err = { 0 };
    struct arena scratch;
    str text = STR("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},{}]}]}]}");
    arena_init(&scratch, 1 << 20);
    assert_int_equal(otlp_decode(OTLP_TRACES, OTLP_JSON, bytes_of_str(text), &small, &scratch, &sink, &result, &err),
                     ERR_NOSPC);
    assert_int_equal(err.code, 0); // the sink's to fill
    arena_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rejected_alone),
        cmocka_unit_test(test_attribute_limit_counts_no_fields),
        cmocka_unit_test(test_value_size),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_depth_protobuf),
        cmocka_unit_test(test_reasons_of_many),
        cmocka_unit_test(test_resource_takes_its_records_along),
        cmocka_unit_test(test_metric_place),
        cmocka_unit_test(test_malformed_json),
        cmocka_unit_test(test_json_forms),
        cmocka_unit_test(test_json_entries_in_any_order),
        cmocka_unit_test(test_malformed_protobuf_has_its_place),
        cmocka_unit_test(test_scratch_cap_rejects_one_record),
        cmocka_unit_test(test_sink_ends_the_decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
