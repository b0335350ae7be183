// Rules as people write them: read, written again, and refused with the member that is wrong.
#include "alerts/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct arena arena;

static int read_rule(const char *json, struct alert_rule *r, struct err *err)
{
    const struct json_node *root;
    assert_int_equal(json_tree_read(str_z(json), &arena, 16, &root, NULL), 0);
    return alert_rule_read(root, &arena, r, err);
}

static void test_rules_are_read_as_they_are_written(void **unused)
{
    static const char *const rules[] = {
        "{\"name\":\"n\",\"when\":[{\"kind\":\"new\"},{\"kind\":\"events\",\"n\":100,\"window_s\":3600},"
        "{\"kind\":\"users\",\"n\":5,\"window_s\":60}],\"filter\":\"level>=error\",\"channels\":[1,2]}",
        "{\"name\":\"q\",\"query\":\"logs | stats count() as n\",\"op\":\">=\",\"threshold\":0.25,\"window_s\":300,"
        "\"recovery\":true,\"cooldown_s\":0,\"enabled\":false,\"channels\":[]}",
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct alert_rule r, again;
        struct err err = { 0 };
        struct buf out, second;
        struct json_writer w;
        assert_int_equal(read_rule(rules[i], &r, &err), 0);
        buf_init(&out, 4096);
        json_writer_init(&w, &out);
        alert_rule_put(&w, &r, STR("shop"));
        buf_byte(&out, 0);
        assert_int_equal(read_rule((const char *)out.ptr, &again, &err), 0);
        buf_init(&second, 4096);
        json_writer_init(&w, &second);
        alert_rule_put(&w, &again, STR("shop"));
        buf_byte(&second, 0);
        assert_string_equal((const char *)out.ptr, (const char *)second.ptr);
        buf_free(&out);
        buf_free(&second);
    }
}

static void test_a_filter_may_say_what_it_is_of(void **unused)
{
    static const struct {
        const char *filter, *want;
    } cases[] = { { "issues level=error", "level=error" },
                  { " issues\\t level=error ", "level=error" },
                  { "issues", "" },
                  { "issuesof=1", "issuesof=1" },
                  { "level=error issues", "level=error issues" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[200];
        struct alert_rule r;
        struct err err = { 0 };
        snprintf(json, sizeof json, "{\"name\":\"n\",\"when\":[{\"kind\":\"new\"}],\"filter\":\"%s\",\"channels\":[]}",
                 cases[i].filter);
        assert_int_equal(read_rule(json, &r, &err), 0);
        assert_true(str_eq(r.filter, str_z(cases[i].want)));
    }
}

static void test_what_is_wrong_is_named(void **unused)
{
    static const struct {
        const char *json, *place;
    } cases[] = {
        { "{\"when\":[{\"kind\":\"new\"}],\"channels\":[]}", "name" },
        { "{\"name\":\"n\",\"channels\":[]}", "when" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"new\"}],\"query\":\"logs\",\"channels\":[]}", "when" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"old\"}],\"channels\":[]}", "when" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"new\"},{\"kind\":\"new\"}],\"channels\":[]}", "when" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"events\",\"n\":1}],\"channels\":[]}", "when" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"events\",\"n\":0,\"window_s\":60}],\"channels\":[]}", "n" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"events\",\"n\":1,\"window_s\":1}],\"channels\":[]}", "window_s" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"new\"}]}", "channels" },
        { "{\"name\":\"n\",\"when\":[{\"kind\":\"new\"}],\"channels\":[\"x\"]}", "channels" },
        { "{\"name\":\"n\",\"query\":\"logs\",\"threshold\":1,\"window_s\":60,\"channels\":[]}", "op" },
        { "{\"name\":\"n\",\"query\":\"logs\",\"op\":\">\",\"threshold\":\"1\",\"window_s\":60,\"channels\":[]}",
          "threshold" },
        { "{\"name\":\"n\",\"query\":\"logs\",\"op\":\">\",\"threshold\":1,\"channels\":[]}", "window_s" },
        { "{\"name\":\"n\",\"query\":\"logs\",\"op\":\">\",\"threshold\":1,\"window_s\":60,\"filter\":\"a=b\","
          "\"channels\":[]}",
          "filter" },
        { "[]", "the rule" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alert_rule r;
        struct err err = { 0 };
        assert_int_equal(read_rule(cases[i].json, &r, &err), ERR_INVALID);
        assert_string_equal(err.place, cases[i].place);
    }
}

static int channel(const char *json)
{
    const struct json_node *root;
    struct alert_channel c;
    struct err err = { 0 };
    assert_int_equal(json_tree_read(str_z(json), &arena, 16, &root, NULL), 0);
    return alert_channel_read(root, &arena, &c, &err);
}

static void test_targets(void **unused)
{
    assert_int_equal(channel("{\"type\":\"webhook\",\"name\":\"a\",\"target\":\"https://h.example/x?y=1\"}"), 0);
    assert_int_equal(channel("{\"type\":\"slack\",\"name\":\"a\",\"target\":\"http://127.0.0.1:99/\"}"), 0);
    assert_int_equal(channel("{\"type\":\"mail\",\"name\":\"a\",\"target\":\"a@b.example, c@d.example\"}"), 0);
    static const char *const bad[] = {
        "{\"type\":\"webhook\",\"name\":\"a\",\"target\":\"ftp://h/\"}",
        "{\"type\":\"webhook\",\"name\":\"a\",\"target\":\"https://user:pw@h/\"}",
        "{\"type\":\"webhook\",\"name\":\"a\",\"target\":\"https://h/\\r\\nX: y\"}",
        "{\"type\":\"webhook\",\"name\":\"a\",\"target\":\"https:///x\"}",
        "{\"type\":\"webhook\",\"name\":\"a\",\"target\":\"file:///etc/passwd\"}",
        "{\"type\":\"mail\",\"name\":\"a\",\"target\":\"a@b.example\\r\\nBcc: c@d\"}",
        "{\"type\":\"mail\",\"name\":\"a\",\"target\":\",\"}",
        "{\"type\":\"pager\",\"name\":\"a\",\"target\":\"https://h/\"}",
        "{\"type\":\"slack\",\"target\":\"https://h/\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(channel(bad[i]), ERR_INVALID);
}

static int setup(void **unused)
{
    arena_init(&arena, 4 << 20);
    return 0;
}

static int teardown(void **unused)
{
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_are_read_as_they_are_written),
        cmocka_unit_test(test_a_filter_may_say_what_it_is_of),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
