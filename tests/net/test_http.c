#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "net/http.h"

static void test_words(void **state)
{
    assert_int_equal(http_method_of(STR("PATCH")), HTTP_PATCH);
    assert_int_equal(http_method_of(STR("get")), HTTP_OTHER);
    assert_true(str_eq(http_method_name(HTTP_DELETE), STR("DELETE")));
    assert_string_equal(http_status_text(503), "Service Unavailable");
    assert_string_equal(http_status_text(299), "Unknown");
    assert_true(str_eq(http_media_type(STR(" text/html ; charset=x")), STR("text/html")));
    assert_true(http_token_ok(STR("x-Y_1~")) && !http_token_ok(STR("")) && !http_token_ok(STR("a:")) &&
                !http_token_ok(STR("\xc3")));
    assert_true(http_value_ok(STR("a\tb \xc3")) && !http_value_ok(STR("a\n")) && !http_value_ok(STR("\x7f")));
    char date[HTTP_DATE_LEN + 1];
    http_date(784111777, date);
    assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void test_headers(void **state)
{
    const struct http_header h[] = { { STR_INIT("accept-encoding"), STR_INIT("br, GZIP;q=0.5") },
                                     { STR_INIT("accept-encoding"), STR_INIT("zstd;q=0, deflate;q=0.000") },
                                     { STR_INIT("x"), STR_INIT("") } };
    str name = STR("Accept-Encoding");
    assert_true(str_eq(http_header_get(h, 3, name), h[0].value));
    assert_non_null(http_header_get(h, 3, STR("x")).ptr);
    assert_null(http_header_get(h, 3, STR("y")).ptr);
    assert_int_equal(http_header_count(h, 3, name), 2);
    assert_true(http_header_has_word(h, 3, name, STR("gzip")));
    assert_true(http_header_has_word(h, 3, name, STR("br")));
    assert_false(http_header_has_word(h, 3, name, STR("zstd")));
    assert_false(http_header_has_word(h, 3, name, STR("deflate")));
    assert_false(http_header_has_word(h, 3, name, STR("zip")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_headers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
