#include "wire/otlp_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void expect(struct buf *b, str want)
{
    assert_int_equal(b->error, 0);
    assert_int_equal(b->len, want.len);
    if (want.len)
        assert_memory_equal(b->ptr, want.ptr, want.len);
    buf_clear(b);
}

static void test_nothing_rejected(void **state)
{
    struct buf b;
    struct otlp_result result = { .accepted = 5 };
    buf_init(&b, 1024);
    otlp_response_encode(OTLP_TRACES, OTLP_PROTOBUF, &result, &b);
    expect(&b, STR(""));
    otlp_response_encode(OTLP_TRACES, OTLP_JSON, &result, &b);
    expect(&b, STR("{}"));
    buf_free(&b);
}

static void test_partial_success(void **state)
{
    struct buf b;
    struct otlp_result result = { .accepted = 5, .rejected = 300, .message = "say \"why\"" };
    buf_init(&b, 1024);
    otlp_response_encode(OTLP_LOGS, OTLP_PROTOBUF, &result, &b);
    expect(&b, STR("\x0a\x0e\x08\xac\x02\x12\x09say \"why\""));
    otlp_response_encode(OTLP_TRACES, OTLP_JSON, &result, &b);
    expect(&b, STR("{\"partialSuccess\":{\"rejectedSpans\":\"300\",\"errorMessage\":\"say \\\"why\\\"\"}}"));
    otlp_response_encode(OTLP_LOGS, OTLP_JSON, &result, &b);
    expect(&b, STR("{\"partialSuccess\":{\"rejectedLogRecords\":\"300\",\"errorMessage\":\"say \\\"why\\\"\"}}"));
    otlp_response_encode(OTLP_METRICS, OTLP_JSON, &result, &b);
    expect(&b, STR("{\"partialSuccess\":{\"rejectedDataPoints\":\"300\",\"errorMessage\":\"say \\\"why\\\"\"}}"));
    buf_free(&b);
}

static void test_status(void **state)
{
    struct buf b;
    buf_init(&b, 1024);
    otlp_status_encode(OTLP_PROTOBUF, OTLP_CODE_INVALID_ARGUMENT, STR("no"), 0, &b);
    expect(&b, STR("\x08\x03\x12\x02no"));
    otlp_status_encode(OTLP_JSON, OTLP_CODE_INVALID_ARGUMENT, STR("no"), 0, &b);
    expect(&b, STR("{\"code\":3,\"message\":\"no\"}"));
    otlp_status_encode(OTLP_PROTOBUF, OTLP_CODE_UNAVAILABLE, STR("full"), 1500000000, &b);
    expect(&b, STR("\x08\x0e\x12\x04"
                   "full\x1a\x36\x0a\x28type.googleapis.com/"
                   "google.rpc.RetryInfo\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01"));
    static const struct {
        int64_t ns;
        const char *text;
    } delays[] = { { 2000000000, "2s" }, { 1500000000, "1.500s" }, { 1000, "0.000001s" }, { 1, "0.000000001s" } };
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        char want[256];
        snprintf(want, sizeof want,
                 "{\"code\":14,\"message\":\"\",\"details\":[{\"@type\":\"type.googleapis.com/"
                 "google.rpc.RetryInfo\",\"retryDelay\":\"%s\"}]}",
                 delays[i].text);
        otlp_status_encode(OTLP_JSON, OTLP_CODE_UNAVAILABLE, STR(""), delays[i].ns, &b);
        expect(&b, str_z(want));
    }
    buf_free(&b);
}

static void test_too_small_a_buffer(void **state)
{
    struct buf b;
    struct otlp_result result = { .rejected = 1, .message = "a message" };
    for (size_t max = 0; max < 12; max++)
        for (int format = OTLP_PROTOBUF; format <= OTLP_JSON; format++) {
            buf_init(&b, max);
            assert_int_equal(otlp_response_encode(OTLP_TRACES, (enum otlp_format)format, &result, &b), -2);
            buf_free(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_rejected),
        cmocka_unit_test(test_partial_success),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_too_small_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
