#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "main/event_text.h"

#include <string.h>

static const char event[] =
    "{\"event_id\":\"0f3b5c1a6b7d4c0e9a8f112233445566\",\"short\":\"SHOP-42\",\"index\":3,\"of\":17,\"title\":"
    "\"CartError: no "
    "price\\u001b[2J\",\"culprit\":\"POST "
    "/cart\",\"level\":\"fatal\",\"handled\":false,\"service\":\"shop\",\"release\":\"shop@1.4\",\"time\":"
    "\"2026-01-01T00:00:00.000000000Z\",\"trace\":\"0af7651916cd43dd8448eb211c80319c\",\"exceptions\":[{\"type\":"
    "\"CartError\",\"value\":\"no "
    "price\",\"frames\":[{\"function\":\"get\",\"file\":\"lib.py\",\"in_app\":false},{\"function\":\"total\",\"file\":"
    "\"cart.py\",\"line\":42,"
    "\"column\":7,\"in_app\":true,\"context\":[[41,\"before\"],[42,\"raise "
    "CartError\"],[43,\"after\"]],\"vars\":{\"price\":129.5,\"item\":{"
    "\"sku\":\"a\"}}}],\"frames_cut\":3},{\"type\":\"KeyError\",\"value\":\"'sku'\",\"frames\":[{\"function\":\"find\","
    "\"in_app\":true,"
    "\"vars_hidden\":true}]}],\"breadcrumbs\":[{\"message\":\"1\"},{\"message\":\"2\"},{\"message\":\"3\"},{"
    "\"message\":\"4\"},{\"message\":\"5\"},"
    "{\"message\":\"6\"},{\"message\":\"7\"},{\"message\":\"8\"},{\"message\":\"9\"},{\"message\":\"10\"},{\"message\":"
    "\"crumb\",\"category\":"
    "\"http\",\"data\":{\"url\":\"/"
    "a\"}}],\"tags\":[{\"key\":\"region\",\"value\":\"eu\"}],\"user\":{\"id\":\"u1\",\"geo\":{}}}";

static char *print(const char *json, struct buf *out, size_t width)
{
    struct event_text_options o = { .width = width };
    buf_init(out, 1 << 20);
    assert_int_equal(event_text_print(str_z(json), &o, out), 0);
    buf_byte(out, 0);
    return (char *)out->ptr;
}

static void what_matters_stands_in_order(void **state)
{
    static const char *const order[] = { "CartError: no price",
                                         "POST /cart",
                                         "fatal \u00b7 not handled \u00b7 shop \u00b7 shop@1.4",
                                         "SHOP-42, event 3 of 17",
                                         "trace 0af7651916cd43dd8448eb211c80319c",
                                         "\nCartError: no price\n",
                                         "  1 frame of libraries\n",
                                         "total  cart.py:42:7",
                                         ">    42  raise CartError",
                                         "price = 129.5",
                                         "item = {\"sku\":\"a\"}",
                                         "  3 frames of libraries\n",
                                         "\ncaused by KeyError: 'sku'\n",
                                         "locals need the permission values",
                                         "Breadcrumbs, the last 10 of 11",
                                         "http  crumb {\"url\":\"/a\"}",
                                         "region=eu",
                                         "id=u1" };
    struct buf out;
    char *text = print(event, &out, 0), *at = text;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        char *next = strstr(at, order[i]);
        if (!next)
            fail_msg("%s is missing, or out of order, in\n%s", order[i], text);
        at = next;
    }
    assert_null(strchr(text, '\x1b')); // neither colours nor foreign escapes
    buf_free(&out);
}

static void lines_of_foreign_text_fit(void **state)
{
    static const char wide[] =
        "{\"event_id\":\"x\",\"title\":\"t\",\"stack\":[{\"in_app\":true,\"line\":1,\"context\":[[1,"
        "\"0123456789012345678901234567890123456789012345678901234567890123456789"
        "\"]],\"vars\":{\"v\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}}]}";
    struct buf out;
    char *text = print(wide, &out, 50);
    assert_null(strstr(text, "0123456789012345678901234567890123456789012345678901234567890123456789"));
    assert_non_null(strstr(text, "\u2026"));
    buf_free(&out);
}

static void what_is_no_event_is_refused(void **state)
{
    struct event_text_options o = { 0 };
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(event_text_print(STR("{}"), &o, &out), ERR_MALFORMED);
    assert_int_equal(event_text_print(STR("[1"), &o, &out), ERR_TRUNCATED);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters_stands_in_order),
        cmocka_unit_test(lines_of_foreign_text_fit),
        cmocka_unit_test(what_is_no_event_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
