#include "wire/sentry_payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char event[] =
    "{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\",\"platform\":\"python\",\"exception\":{\"values\":[{\"type\":"
    "\"ValueError\","
    "\"value\":\"no "
    "rate\",\"stacktrace\":{\"frames\":[{\"filename\":\"app.py\",\"function\":\"price\",\"lineno\":12,\"in_app\":true,"
    "\"vars\":{\"rate\":null}}]}}]},\"contexts\":{\"runtime\":{\"name\":\"CPython\",\"version\":\"3.11.2\"}}}";

static struct sentry_packer packer;
static struct arena arena;
static int set_up(void **state) { return arena_init(&arena, 1 << 20), sentry_packer_init(&packer), 0; }
static int tear_down(void **state) { return arena_free(&arena), sentry_packer_free(&packer), 0; }

static bytes packed(void)
{
    const struct json_node *root;
    bytes b;
    assert_int_equal(json_tree_read(STR(event), &arena, 16, &root, NULL), 0);
    assert_int_equal(sentry_payload_pack(&packer, root, &b), 0);
    return b;
}

static void test_comes_back_the_same(void **state)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 3; i++) { // the packer is used again
        buf_clear(&out);
        bytes b = packed();
        assert_true(b.len < sizeof event / 2); // a small event, too
        assert_int_equal(sentry_payload_open(b, &out), 0);
        assert_true(str_eq(buf_view(&out), STR(event)));
    }
    buf_free(&out);
}

static void test_damage_is_noticed(void **state)
{
    struct buf out;
    uint8_t copy[1024];
    bytes b = packed();
    buf_init(&out, 1 << 20);
    memcpy(copy, b.ptr, b.len);
    assert_int_equal(sentry_payload_open(bytes_of(copy, 0), &out), ERR_CORRUPT);
    for (size_t n = 1; n < b.len; n++)
        assert_int_equal(sentry_payload_open(bytes_of(copy, n), &out), ERR_CORRUPT);
    copy[0] = 2;
    assert_int_equal(sentry_payload_open(bytes_of(copy, b.len), &out), ERR_UNSUPPORTED);
    copy[0] = 1;
    // A frame that says it is huge: refused before memory is taken.
    static const uint8_t huge[] = { 1, 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0 };
    assert_int_equal(sentry_payload_open(bytes_of(huge, sizeof huge), &out), ERR_CORRUPT);
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_comes_back_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_is_noticed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
