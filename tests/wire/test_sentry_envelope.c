#include "wire/sentry_envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;
static int set_up(void **state) { return arena_init(&arena, 1 << 20), 0; }
static int tear_down(void **state) { return arena_free(&arena), 0; }

// "type:payload|type:payload|" of all items, then what ended them.
static void expect_items(const char *body, const char *want)
{
    char got[1024] = "";
    size_t n = 0;
    struct sentry_envelope e;
    struct sentry_item item;
    struct err err = { 0 };
    int r = sentry_envelope_open(bytes_of_str(str_z(body)), &arena, &e, &err);
    if (r == 0)
        while ((r = sentry_envelope_next(&e, &item, &err)) > 0)
            n += (size_t)snprintf(got + n, sizeof got - n, "%.*s:%.*s|", STR_ARG(item.type),
                                  STR_ARG(str_of_bytes(item.payload)));
    if (r < 0)
        snprintf(got + n, sizeof got - n, "%s (%s)", err.message, err.place);
    assert_string_equal(got, want);
}

static void test_items_with_and_without_length(void **state)
{
    expect_items("{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\"}\n"
                 "{\"type\":\"attachment\",\"length\":7,\"filename\":\"a.txt\"}\nab\ncd\ne\n"
                 "{\"type\":\"event\"}\n{\"message\":\"x\"}\n"
                 "{\"type\":\"client_report\"}\n{}",
                 "attachment:ab\ncd\ne|event:{\"message\":\"x\"}|client_report:{}|");
    expect_items("{}\n{\"type\":\"session\"}\n{\"sid\":1}\n\n\n{\"type\":\"event\",\"length\":0}\n\n",
                 "session:{\"sid\":1}|event:|");
    expect_items("{}\n{\"type\":\"event\",\"length\":\"2\"}\n{}", "event:{}|");
    expect_items("{}\n{\"type\":\"event\"}", "event:|");
    expect_items("{}", "");
    expect_items("{}\n", "");
    // A carriage return is no line's end.
    expect_items("{}\n{\"type\":\"x\"}\na\rb\n", "x:a\rb|");
}

static void test_header(void **state)
{
    struct sentry_envelope e;
    str body = STR("{\"sent_at\":\"2026-01-01T00:00:00Z\",\"dsn\":\"http://k@h/1\",\"trace\":{\"release\":\"a@1\"}}\n");
    assert_int_equal(sentry_envelope_open(bytes_of_str(body), &arena, &e, NULL), 0);
    assert_true(str_eq(e.sent_at, STR("2026-01-01T00:00:00Z")) && str_eq(e.dsn, STR("http://k@h/1")) &&
                !e.event_id.len);
    assert_true(str_eq(json_get_text(json_get(e.header, STR("trace")), STR("release")), STR("a@1")));
}

static void test_what_is_malformed(void **state)
{
    expect_items("", "the envelope header is no JSON object (envelope header)");
    expect_items("[]\n", "the envelope header is no JSON object (envelope header)");
    expect_items("{}\nnothing\n", "the item header is no JSON object (item 0, byte 11)");
    // What came before stands.
    expect_items("{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"a\",\"length\":9}\nshort",
                 "event:{}|`length` says 9 bytes, 5 are there (item 1, byte 47)");
    expect_items("{}\n{\"type\":\"a\",\"length\":2}\nabc",
                 "no line feed stands behind the 2 bytes of `length` (item 0, byte 29)");
    expect_items("{}\n{\"type\":\"a\",\"length\":-1}\n", "`length` is no length (item 0, byte 28)");
    expect_items("{}\n{\"type\":\"a\",\"length\":99999999999999999999}\n", "`length` is no length (item 0, byte 46)");
}

static void test_items_are_bounded(void **state)
{
    char body[40000];
    size_t n = (size_t)snprintf(body, sizeof body, "{}\n");
    for (int i = 0; i <= SENTRY_ITEMS_MAX; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "{\"type\":\"a\"}\n{}\n");
    struct sentry_envelope e;
    struct sentry_item item;
    struct err err;
    int r;
    assert_int_equal(sentry_envelope_open(bytes_of(body, n), &arena, &e, &err), 0);
    while ((r = sentry_envelope_next(&e, &item, &err)) > 0)
        ;
    assert_int_equal(r, ERR_LIMIT);
    assert_int_equal(e.items, SENTRY_ITEMS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_items_with_and_without_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_items_are_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
