#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "net/grpc.h"

static void test_timeout(void **state)
{
    int64_t ns = 0;
    assert_int_equal(grpc_timeout_parse(STR("100m"), &ns), 0);
    assert_int_equal(ns, 100000000);
    assert_int_equal(grpc_timeout_parse(STR("99999999H"), &ns), 0); // does not fit: endless
    assert_true(ns == INT64_MAX);
    assert_int_equal(grpc_timeout_parse(STR("3n"), &ns), 0);
    assert_int_equal(ns, 3);
    const char *bad[] = { "", "1", "S", "1x", "-1S", "1 S", "123456789S", "1.5S" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(grpc_timeout_parse(str_z(bad[i]), &ns), ERR_MALFORMED);
}

static void test_unframe(void **state)
{
    bool z = false;
    bytes m = { 0 };
    assert_int_equal(grpc_unframe(bytes_of("\1\0\0\0\3abc", 8), 3, &z, &m), 0);
    assert_true(z);
    assert_true(bytes_eq(m, bytes_of("abc", 3)));
    assert_int_equal(grpc_unframe(bytes_of("\0\0\0\0\0", 5), 3, &z, &m), 0);
    assert_int_equal(m.len, 0);
    assert_int_equal(grpc_unframe(bytes_of("\0\0\0\0", 4), 3, &z, &m), ERR_TRUNCATED);
    assert_int_equal(grpc_unframe(bytes_of("\0\0\0\0\3ab", 7), 3, &z, &m), ERR_TRUNCATED);
    assert_int_equal(grpc_unframe(bytes_of("\0\0\0\0\3abcd", 9), 3, &z, &m), ERR_MALFORMED);
    assert_int_equal(grpc_unframe(bytes_of("\2\0\0\0\3abc", 8), 3, &z, &m), ERR_MALFORMED);
    assert_int_equal(grpc_unframe(bytes_of("\0\0\0\0\4abcd", 9), 3, &z, &m), ERR_LIMIT);
    assert_int_equal(grpc_unframe(bytes_of("\0\xff\xff\xff\xff", 5), 1 << 20, &z, &m), ERR_LIMIT);
    uint8_t p[GRPC_PREFIX];
    grpc_prefix_put(p, true, 0x01020304);
    assert_memory_equal(p, "\1\1\2\3\4", 5);
}

static void test_message(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    grpc_message_encode(&b, STR("50% of \xc3\xa4\n"));
    assert_true(str_eq(buf_view(&b), STR("50%25 of %C3%A4%0A")));
    buf_free(&b);
}

// google.rpc.Status with a RetryInfo of 1.5 s, field by field.
static void test_status(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    grpc_status_build(&b, 14, STR("busy"), 1500);
    static const char want[] = "\x08\x0e\x12\x04"
                               "busy"
                               "\x1a\x36\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
                               "\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01";
    assert_int_equal(b.len, sizeof want - 1);
    assert_memory_equal(b.ptr, want, sizeof want - 1);
    buf_clear(&b);
    grpc_status_build(&b, 3, STR(""), -1);
    assert_true(str_eq(buf_view(&b), STR("\x08\x03")));
    buf_clear(&b);
    grpc_status_build(&b, 0, STR(""), -1);
    assert_int_equal(b.len, 0);
    buf_free(&b);
}

static void test_http_mapping(void **state)
{
    assert_int_equal(grpc_status_of_http(503), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_status_of_http(429), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_status_of_http(401), GRPC_UNAUTHENTICATED);
    assert_int_equal(grpc_status_of_http(404), GRPC_UNIMPLEMENTED);
    assert_int_equal(grpc_status_of_http(299), GRPC_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_timeout), cmocka_unit_test(test_unframe),
                                        cmocka_unit_test(test_message), cmocka_unit_test(test_status),
                                        cmocka_unit_test(test_http_mapping) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
