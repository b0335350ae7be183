#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "live/event.h"

#include <stdlib.h>

#define ID "0123456789abcdef0123456789abcdef"
#define RAISED "\"reporter\":\"none\",\"exception\":{\"type\":\"ValueError\",\"message\":\"no such tier\"}"

static struct capture_origin origin(void)
{
    return (struct capture_origin){
        .probe = 7,
        .project = 1,
        .host = STR("web-1"),
        .exception = true,
        .process = { .id = STR("9-100"),
                     .service = STR("checkout"),
                     .environment = STR("test"),
                     .version = STR("1.4.2"),
                     .runtime = STR("python"),
                     .runtime_version = STR("3.12") },
    };
}

static int make(const struct capture_origin *o, str capture, struct arena *arena, struct buf *text,
                const struct json_node **ret_event)
{
    const struct json_node *root;
    assert_int_equal(json_tree_read(capture, arena, 64, &root, NULL), 0);
    buf_init(text, 0);
    int r = capture_event(o, STR(ID), 1700000000000000007, root, text);
    if (r == 0)
        assert_int_equal(json_tree_read(buf_view(text), arena, 64, ret_event, NULL), 0);
    return r;
}

static const struct json_node *raised(const struct json_node *event)
{
    return json_first_of(json_get(json_get(event, STR("exception")), STR("values")), JSON_ARRAY);
}

static const struct json_node *frames(const struct json_node *event)
{
    return json_get(json_get(raised(event), STR("stacktrace")), STR("frames"));
}

static void expect(const struct json_node *n, const char *want)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1 << 20);
    json_writer_init(&w, &b);
    json_put_tree(&w, n);
    if (!str_eq(buf_view(&b), str_z(want)))
        fail_msg("%.*s", STR_ARG(buf_view(&b)));
    buf_free(&b);
}

static void test_what_was_captured_is_told_as_an_sdk_would(void **state)
{
    struct arena arena;
    struct buf text;
    const struct json_node *event;
    struct capture_origin o = origin();
    arena_init(&arena, 4 << 20);
    assert_int_equal(make(&o,
                          STR("{" RAISED ",\"trace\":\"" ID
                              "\",\"span\":\"0123456789abcdef\",\"thread\":{\"id\":7,\"name\":\"MainThread\"},"
                              "\"frames\":[{\"function\":\"tier\",\"file\":\"/app/"
                              "pricing.py\",\"line\":87,\"module\":\"app.pricing\",\"in_app\":true,"
                              "\"vars\":[{\"name\":\"order\",\"kind\":\"arg\",\"value\":{\"k\":\"object\",\"t\":"
                              "\"Order\",\"f\":[[\"total\",{\"k\":\"float\",\"v\":1.5}],"
                              "[\"card\",{\"k\":\"missing\",\"why\":\"redacted\"}]]}}]},{\"function\":\"buy\",\"file\":"
                              "\"views.py\",\"line\":12,\"in_app\":false}]}"),
                          &arena, &text, &event),
                     0);
    expect(raised(event), "{\"type\":\"ValueError\",\"value\":\"no such "
                          "tier\",\"mechanism\":{\"type\":\"clew.probe\"},\"stacktrace\":{\"frames\":["
                          "{\"function\":\"buy\",\"filename\":\"views.py\",\"lineno\":12,\"in_app\":false},"
                          "{\"function\":\"tier\",\"module\":\"app.pricing\",\"filename\":\"/app/"
                          "pricing.py\",\"abs_path\":\"/app/pricing.py\",\"lineno\":87,"
                          "\"in_app\":true,\"vars\":{\"order\":{\"total\":1.5,\"card\":\"<redacted>\"}}}]}}");
    expect(json_get(event, STR("contexts")),
           "{\"trace\":{\"trace_id\":\"" ID
           "\",\"span_id\":\"0123456789abcdef\"},\"runtime\":{\"name\":\"python\",\"version\":\"3.12\"},"
           "\"probe\":{\"id\":\"p7\",\"snapshot\":\"" ID "\",\"process\":\"9-100\",\"thread\":\"MainThread\"}}");
    expect(json_get(event, STR("tags")), "{\"clew.probe\":\"p7\"}");
    expect(json_get(event, STR("timestamp")), "1700000000.000000007");
    static const char *const texts[][2] = { { "event_id", ID },     { "platform", "python" },
                                            { "level", "error" },   { "server_name", "web-1" },
                                            { "release", "1.4.2" }, { "environment", "test" } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(str_eq(json_get_text(event, str_z(texts[i][0])), str_z(texts[i][1])));
    buf_free(&text);
    arena_free(&arena);
}

static void expect_vars(const char *value, const char *want)
{
    struct arena arena;
    struct buf text, capture;
    const struct json_node *event;
    struct capture_origin o = origin();
    arena_init(&arena, 4 << 20);
    buf_init(&capture, 1 << 20);
    buf_printf(&capture, "{" RAISED ",\"frames\":[{\"function\":\"f\",\"vars\":[{\"name\":\"x\",\"value\":%s}]}]}",
               value);
    assert_int_equal(make(&o, buf_view(&capture), &arena, &text, &event), 0);
    expect(json_get(json_get(json_first_of(frames(event), JSON_ARRAY), STR("vars")), STR("x")), want);
    buf_free(&capture);
    buf_free(&text);
    arena_free(&arena);
}

static void test_values_are_plain_json_and_what_is_missing_says_why(void **state)
{
    expect_vars("{\"k\":\"int\",\"v\":\"9007199254740993\"}", "\"9007199254740993\"");
    expect_vars("{\"k\":\"bool\",\"v\":true}", "true");
    expect_vars(
        "{\"k\":\"list\",\"t\":\"list\",\"i\":[{\"k\":\"null\"},{\"k\":\"str\",\"v\":\"a\"}],\"cut\":\"items\"}",
        "[null,\"a\"]");
    expect_vars("{\"k\":\"dict\",\"e\":[[{\"k\":\"int\",\"v\":1},{\"k\":\"ref\",\"v\":3,\"t\":\"Order\"}],[1]]}",
                "{\"1\":\"<Order>\"}");
    expect_vars("{\"k\":\"object\",\"t\":\"Order\",\"f\":[]}", "\"<Order>\"");
    expect_vars("{\"k\":\"dict\",\"t\":\"dict\",\"e\":[]}", "{}");
    // A host that tells shapes alone.
    expect_vars("{\"k\":\"str\",\"t\":\"str\",\"n\":12}", "\"<str 12>\"");
    expect_vars("{\"k\":\"int\",\"t\":\"int\"}", "\"<int>\"");
    expect_vars("7", "\"<>\"");
}

static void test_a_message_of_several_arguments(void **state)
{
    struct arena arena;
    struct buf text;
    const struct json_node *event;
    struct capture_origin o = origin();
    o.uncaught = true;
    arena_init(&arena, 4 << 20);
    assert_int_equal(make(&o,
                          STR("{\"exception\":{\"type\":\"OSError\",\"message\":\"\",\"value\":{\"k\":\"object\",\"f\":"
                              "[[\"args\",{\"k\":\"tuple\","
                              "\"i\":[{\"k\":\"int\",\"v\":2},{\"k\":\"str\",\"v\":\"No such file\"}]}]]}}}"),
                          &arena, &text, &event),
                     0);
    expect(raised(event), "{\"type\":\"OSError\",\"value\":\"2, \\\"No such "
                          "file\\\"\",\"mechanism\":{\"type\":\"clew.probe\",\"handled\":false}}");
    buf_free(&text);
    arena_free(&arena);
}

// What an agent may say is cut, whatever it is.
static void test_what_is_too_much_is_cut(void **state)
{
    struct arena arena;
    struct buf text, capture;
    const struct json_node *event;
    struct capture_origin o = origin();
    char *x = malloc(1 << 20);
    assert_non_null(x);
    memset(x, 'x', 1 << 20);
    arena_init(&arena, 64 << 20);
    buf_init(&capture, 16 << 20);
    buf_printf(&capture, "{\"exception\":{\"type\":\"%.*s\",\"message\":\"%.*s\"},\"frames\":[", 1 << 20, x, 1 << 20,
               x);
    for (int i = 0; i < 3000; i++)
        buf_printf(&capture,
                   "%s{\"function\":\"f%d\",\"file\":\"%.*s\",\"vars\":[{\"name\":\"%.*s\",\"value\":{\"k\":\"str\","
                   "\"v\":\"%.*s\"}}]}",
                   i ? "," : "", i, 2000, x, 1000, x, 1000, x);
    buf_str(&capture, STR("]}"));
    assert_int_equal(make(&o, buf_view(&capture), &arena, &text, &event), 0);
    assert_true(text.len <= EVENT_BYTES_MAX);
    assert_int_equal(json_get_text(raised(event), STR("type")).len, EVENT_TYPE_MAX);
    assert_int_equal(json_get_text(raised(event), STR("value")).len, EVENT_VALUE_MAX);
    assert_int_equal(frames(event)->n, EVENT_FRAMES_MAX);
    const struct json_node *last = frames(event)->first;
    while (last->next)
        last = last->next;
    assert_true(str_eq(json_get_text(last, STR("function")), STR("f0"))); // the innermost stay
    assert_int_equal(json_get_text(last, STR("filename")).len, EVENT_PATH_MAX);
    assert_int_equal(json_get(last, STR("vars"))->first->key.len, LIVE_NAME_MAX);
    assert_null(
        json_get(frames(event)->first, STR("vars"))); // and where all values are too many, those of the callers go
    buf_free(&capture);
    buf_free(&text);
    arena_free(&arena);
    free(x);
}

static void test_one_value_that_is_too_large_leaves_the_rest(void **state)
{
    struct arena arena;
    struct buf text, capture;
    const struct json_node *event;
    struct capture_origin o = origin();
    arena_init(&arena, 64 << 20);
    buf_init(&capture, 16 << 20);
    buf_str(
        &capture,
        STR("{" RAISED ",\"frames\":[{\"function\":\"f\",\"vars\":[{\"name\":\"x\",\"value\":{\"k\":\"list\",\"i\":["));
    for (int i = 0; i < 20000; i++)
        buf_printf(&capture, "%s{\"k\":\"str\",\"v\":\"0123456789abcdef\"}", i ? "," : "");
    buf_str(&capture, STR("]}}]}]}"));
    assert_int_equal(make(&o, buf_view(&capture), &arena, &text, &event), 0);
    assert_true(str_eq(json_get_text(frames(event)->first, STR("function")), STR("f")));
    assert_null(json_get(frames(event)->first, STR("vars")));
    buf_free(&capture);
    buf_free(&text);
    arena_free(&arena);
}

static void expect_event(bool want, bool exception, const char *capture)
{
    struct arena arena;
    const struct json_node *root;
    struct capture_origin o = origin();
    o.exception = exception;
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_tree_read(str_z(capture), &arena, 64, &root, NULL), 0);
    assert_int_equal(capture_is_event(&o, root), want);
    arena_free(&arena);
}

static void test_what_becomes_an_event(void **state)
{
    expect_event(true, true, "{" RAISED "}");
    expect_event(false, false, "{" RAISED "}");
    expect_event(false, true, "{" RAISED ",\"log\":{\"level\":\"info\",\"body\":\"x\"}}");
    expect_event(false, true, "{\"reporter\":\"none\"}");
    expect_event(false, true, "{\"reporter\":\"none\",\"exception\":\"x\"}");
    // An SDK tells of it, or nobody knows whether one does.
    expect_event(false, true, "{\"reporter\":\"sentry\",\"exception\":{\"type\":\"E\"}}");
    expect_event(false, true, "{\"exception\":{\"type\":\"E\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_captured_is_told_as_an_sdk_would),
        cmocka_unit_test(test_values_are_plain_json_and_what_is_missing_says_why),
        cmocka_unit_test(test_a_message_of_several_arguments),
        cmocka_unit_test(test_what_is_too_much_is_cut),
        cmocka_unit_test(test_one_value_that_is_too_large_leaves_the_rest),
        cmocka_unit_test(test_what_becomes_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
