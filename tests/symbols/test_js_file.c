#include "symbols/js_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_comments(void **state)
{
    str js = STR("//# sourceMappingURL=old.map\ncode('//# sourceMappingURL=no')\n//# debugId=6f3e\r\n"
                 "//# sourceMappingURL=app.js.map?x=1#y  \r\n\n");
    assert_true(str_eq(js_source_mapping_url(js), STR("app.js.map")));
    assert_true(str_eq(js_debug_id(js), STR("6f3e")));
    assert_true(str_eq(js_source_mapping_url(STR("//@ sourceMappingURL=a.map")), STR("a.map")));
    assert_false(js_source_mapping_url(STR("code //# sourceMappingURL=a.map")).len);
    assert_false(js_source_mapping_url((str){ 0 }).len);
    assert_true(str_eq(js_source_mapping_url(STR("//# sourceMappingURL=data:x,a?b#c")), STR("data:x,a?b#c")));
}

static void data(const char *url, int code, const char *want)
{
    struct buf out;
    buf_init(&out, 64);
    assert_int_equal(js_data_url(str_z(url), &out), code);
    if (code == 0)
        assert_true(str_eq(buf_view(&out), str_z(want)));
    buf_free(&out);
}

static void test_data_urls(void **state)
{
    data("data:application/json;charset=utf-8;base64,eyJhIjoxfQ==", 0, "{\"a\":1}");
    data("data:application/json,%7B%22a%22:1%7d", 0, "{\"a\":1}");
    data("data:,", 0, "");
    data("data:application/json;base64,e!", ERR_MALFORMED, NULL);
    data("data:,%", ERR_MALFORMED, NULL);
    data("data:,%1", ERR_MALFORMED, NULL);
    data("data:,%1g", ERR_MALFORMED, NULL);
    data("http://x/y,z", ERR_UNSUPPORTED, NULL);
    data("data:nocomma", ERR_UNSUPPORTED, NULL);
    data("data:,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ERR_LIMIT,
         NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_comments), cmocka_unit_test(test_data_urls) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
