// Rules: what is wrong in them is said with its place; what they do holds for every order of what has none.
#include "grouping/grouping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void refused(const char *fingerprint, const char *stack, int code, int line, const char *says)
{
    struct grouping_rules *rules;
    struct err err = { 0 };
    int r = grouping_rules_parse(str_z(fingerprint), str_z(stack), &rules, &err);
    if (r == 0)
        fail_msg("was taken: %s%s", fingerprint, stack);
    assert_int_equal(r, code);
    assert_int_equal(err.line, line);
    assert_true(err.column >= 1);
    assert_true(str_find(str_z(err.message), str_z(says)) >= 0);
    assert_true(str_starts(str_z(err.place), fingerprint[0] ? STR("fingerprint") : STR("stack")));
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    refused("type:A", "", ERR_INVALID, 1, "->");
    refused("# remark\n\n  type:A -> ", "", ERR_INVALID, 3, "no fingerprint");
    refused("nothing:A -> a", "", ERR_INVALID, 1, "nothing");
    refused("type:\"A -> a", "", ERR_INVALID, 1, "does not end");
    refused("type:A -> a colour=\"red\"", "", ERR_INVALID, 1, "colour");
    refused("app:perhaps -> a", "", ERR_INVALID, 1, "app");
    refused("", "function:f", ERR_INVALID, 1, "");
    refused("", "function:f -app\nfunction:g -nothing", ERR_INVALID, 2, "nothing");
    refused("", "function:f max-frames=many", ERR_INVALID, 1, "number");
    refused("", "[ function:f -app", ERR_INVALID, 1, "]");
    refused("", "[ type:f ] | function:g -app", ERR_INVALID, 1, "");
}

static void rules_have_limits(void **state)
{
    size_t size = 1 << 20, n = 0;
    char *text = malloc(size);
    for (int i = 0; i <= GROUPING_RULES_MAX; i++)
        n += (size_t)snprintf(text + n, size - n, "function:f%d -app\n", i);
    refused("", text, ERR_LIMIT, GROUPING_RULES_MAX + 1, "rules");
    n = 0;
    for (int i = 0; i <= GROUPING_MATCHERS_MAX; i++)
        n += (size_t)snprintf(text + n, size - n, "function:f%d ", i);
    snprintf(text + n, size - n, "-app");
    refused("", text, ERR_LIMIT, 1, "matchers");
    n = (size_t)snprintf(text, size, "type:A -> ");
    for (int i = 0; i <= GROUPING_VALUES_MAX; i++)
        n += (size_t)snprintf(text + n, size - n, "v%d, ", i);
    snprintf(text + n, size - n, "last");
    refused(text, "", ERR_LIMIT, 1, "values");
    free(text);
}

static struct arena arena;

// The first hash, in the arena.
static str group(const char *json, const char *fingerprint, const char *stack)
{
    const struct json_node *root;
    struct sentry_event e;
    struct grouping_rules *rules;
    struct grouping g;
    str text;
    assert_int_equal(arena_dup(&arena, str_z(json), &text), 0);
    assert_int_equal(json_tree_read(text, &arena, SENTRY_EVENT_DEPTH, &root, NULL), 0);
    assert_int_equal(sentry_event_read(root, &arena, &e, NULL), 0);
    assert_int_equal(grouping_rules_parse(str_z(fingerprint), str_z(stack), &rules, NULL), 0);
    assert_int_equal(grouping_run(rules, &e, &arena, &g), 0);
    grouping_rules_free(rules);
    return g.hashes[0];
}

static const char *message_event(char out[512], const char *message)
{
    snprintf(out, 512, "{\"platform\":\"python\",\"message\":\"%s\"}", message);
    return out;
}

static void what_differs_each_time_makes_no_groups(void **state)
{
    static const char *const pairs[][2] = {
        { "took 17 of 20", "took 99999 of 3" },
        { "user a@example.com left", "user somebody.else@shop.org left" },
        { "no order 9c7f3f64-0d7b-4f7c-8b1f-4d1a9a4dd3b1", "no order 11111111-2222-4333-8444-555555555555" },
        { "peer 10.1.2.3 is gone", "peer 192.168.77.1 is gone" },
        { "at 0xdeadbeef", "at 0x7f001234" },
        { "until 2026-11-28T20:00:01Z", "until 2020-01-02T03:04:05Z" },
        { "see https://example.com/a/b?c=1", "see https://shop.org/" },
    };
    char a[512], b[512];
    arena_init(&arena, 16 << 20);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (!str_eq(group(message_event(a, pairs[i][0]), "", ""), group(message_event(b, pairs[i][1]), "", "")))
            fail_msg("%s", pairs[i][0]);
    assert_false(str_eq(group(message_event(a, "took 17"), "", ""), group(message_event(b, "gave 17"), "", "")));
    arena_free(&arena);
}

static void the_order_of_tags_is_irrelevant(void **state)
{
    static const char rules[] = "tags.a:1 tags.b:2 -> both, {{ tags.a }}\ntags.a:1 -> one";
    arena_init(&arena, 16 << 20);
    str x = group("{\"message\":\"m\",\"tags\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}", rules, "");
    str y = group("{\"message\":\"m\",\"tags\":[[\"c\",\"3\"],[\"b\",\"2\"],[\"a\",\"1\"]]}", rules, "");
    assert_true(str_eq(x, y));
    // The first rule that matches is the one, whatever else would.
    assert_false(str_eq(x, group("{\"message\":\"m\",\"tags\":{\"a\":\"1\"}}", rules, "")));
    arena_free(&arena);
}

// Lines, columns, addresses and versions are not what a frame is.
static void where_code_moved_to_is_irrelevant(void **state)
{
    static const char form[] =
        "{\"platform\":\"python\",\"release\":\"%d\",\"exception\":{\"values\":[{\"type\":\"E\",\"value\":\"v %d\","
        "\"stacktrace\":{\"frames\":[{\"function\":\"f\",\"module\":\"m\",\"filename\":\"m.py\",\"lineno\":%d,"
        "\"colno\":%d,\"in_app\":true}]}}]}}";
    char a[512], b[512];
    snprintf(a, sizeof a, form, 1, 2, 3, 4);
    snprintf(b, sizeof b, form, 50, 60, 70, 80);
    arena_init(&arena, 16 << 20);
    assert_true(str_eq(group(a, "", ""), group(b, "", "")));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),    cmocka_unit_test(rules_have_limits),
        cmocka_unit_test(what_differs_each_time_makes_no_groups), cmocka_unit_test(the_order_of_tags_is_irrelevant),
        cmocka_unit_test(where_code_moved_to_is_irrelevant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
