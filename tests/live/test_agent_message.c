#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "live/agent_message.h"

#include <stdlib.h>

static int read_text(str text, struct arena *arena, struct agent_message *m)
{
    struct err err = { 0 };
    int r = agent_message_read(text, arena, m, &err);
    assert_true(r == 0 || (err.code == r && err.message[0]));
    return r;
}

static void test_hello(void **state)
{
    struct arena arena;
    struct agent_message m;
    arena_init(&arena, 1 << 20);
    str text = STR("{\"type\":\"hello\",\"protocol\":1,\"host\":{\"name\":\"web-1\"},\"agent\":{\"version\":\"0.3\"}}");
    assert_int_equal(read_text(text, &arena, &m), 0);
    assert_int_equal(m.kind, AGENT_HELLO);
    assert_true(str_eq(m.hello.host, STR("web-1")) && str_eq(m.hello.version, STR("0.3")) && !m.hello.shapes);
    text = STR("{\"type\":\"hello\",\"protocol\":1,\"host\":{\"name\":\"x\"},\"policy\":{\"shapes\":true}}");
    assert_int_equal(read_text(text, &arena, &m), 0);
    assert_true(m.hello.shapes);
    arena_free(&arena);
}

static void test_states_and_counts(void **state)
{
    struct arena arena;
    struct agent_message m;
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        read_text(STR("{\"type\":\"states\",\"states\":[{\"probe\":\"p7\",\"revision\":3,\"process\":\"1-2\",\"state\":"
                      "\"mismatch\",\"code\":\"source_mismatch\",\"data\":{\"nearest\":[4]},\"line\":9}]}"),
                  &arena, &m),
        0);
    assert_true(m.n == 1 && m.states[0].probe == 7 && m.states[0].revision == 3 && m.states[0].line == 9);
    assert_true(str_eq(m.states[0].code, STR("source_mismatch")) && json_is(m.states[0].data, JSON_OBJECT));
    // Sums that would overflow stop at the end.
    assert_int_equal(
        read_text(STR("{\"type\":\"counts\",\"counts\":[{\"probe\":\"p7\",\"process\":\"1-2\",\"hits\":5,\"errors\":-1,"
                      "\"dropped\":{\"rate\":9223372036854775807,\"ring\":2}}]}"),
                  &arena, &m),
        0);
    assert_true(m.counts[0].hits == 5 && m.counts[0].errors == 0 && m.counts[0].dropped == INT64_MAX);
    arena_free(&arena);
}

static void test_hostile(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        { "", ERR_TRUNCATED },
        { "[]", ERR_MALFORMED },
        { "{\"type\":\"weather\"}", ERR_UNSUPPORTED },
        { "{}", ERR_UNSUPPORTED },
        { "{\"type\":\"hello\",\"protocol\":2,\"host\":{\"name\":\"x\"}}", ERR_MALFORMED },
        { "{\"type\":\"hello\",\"protocol\":1}", ERR_MALFORMED },
        { "{\"type\":\"processes\",\"processes\":[{}]}", ERR_MALFORMED },
        { "{\"type\":\"processes\",\"processes\":{}}", ERR_MALFORMED },
        { "{\"type\":\"processes\",\"processes\":[1]}", ERR_MALFORMED },
        { "{\"type\":\"states\",\"states\":[{\"probe\":\"7\",\"process\":\"1\",\"state\":\"installed\"}]}",
          ERR_MALFORMED },
        { "{\"type\":\"states\",\"states\":[{\"probe\":\"p7\",\"process\":\"1\",\"state\":\"happy\"}]}",
          ERR_MALFORMED },
        { "{\"type\":\"captures\",\"captures\":[{\"probe\":\"p1\"}]}", ERR_MALFORMED },
        { "{\"type\":\"captures\",\"captures\":[{\"id\":\"x\",\"probe\":\"p0\"}]}", ERR_MALFORMED },
        { "{\"type\":\"resolved\",\"ok\":true}", ERR_MALFORMED },
        { "{\"type\":\"policy\"}", ERR_MALFORMED },
        { "{\"type\":\"policy\",\"policy\":{\"users\":{}}}", ERR_MALFORMED },
        { "{\"type\":\"policy\",\"policy\":{\"services\":[7]}}", ERR_MALFORMED },
        { "{\"type\":\"resolved\",\"request\":1,\"ok\":true,\"result\":[]}", ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct agent_message m;
        arena_init(&arena, 1 << 20);
        assert_int_equal(read_text(str_z(cases[i].text), &arena, &m), cases[i].code);
        arena_free(&arena);
    }
}

static void test_lists_are_bounded(void **state)
{
    struct arena arena;
    struct agent_message m;
    struct buf b;
    arena_init(&arena, 64 << 20);
    buf_init(&b, 1 << 20);
    buf_str(&b, STR("{\"type\":\"captures\",\"captures\":["));
    for (int i = 0; i <= AGENT_CAPTURES_MAX; i++)
        buf_printf(&b, "%s{\"id\":\"%d\",\"probe\":\"p1\"}", i ? "," : "", i);
    buf_str(&b, STR("]}"));
    assert_int_equal(read_text(buf_view(&b), &arena, &m), ERR_LIMIT);
    buf_free(&b);
    arena_free(&arena);
}

static void test_traces(void **state)
{
    struct arena arena;
    struct agent_message m;
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        read_text(STR("{\"type\":\"traces\",\"traces\":[{\"trace\":\"000102030405060708090a0b0c0d0e0f\",\"slow\":true,"
                      "\"waited_ms\":7},{\"trace\":\"FF0102030405060708090a0b0c0d0e0f\"}]}"),
                  &arena, &m),
        0);
    assert_true(m.kind == AGENT_TRACES && m.n == 2 && m.traces[0].slow && m.traces[0].waited_ms == 7);
    assert_true(m.traces[0].id[15] == 15 && m.traces[1].id[0] == 0xff && !m.traces[1].slow);
    assert_int_equal(read_text(STR("{\"type\":\"traces\",\"traces\":[{\"trace\":\"00\"}]}"), &arena, &m),
                     ERR_MALFORMED);
    assert_int_equal(read_text(STR("{\"type\":\"traces\",\"traces\":[{}]}"), &arena, &m), ERR_MALFORMED);
    arena_free(&arena);
}

static void test_rules_are_bounded(void **state)
{
    struct arena arena;
    struct agent_message m;
    struct buf b, kept;
    struct json_writer w;
    arena_init(&arena, 64 << 20);
    buf_init(&b, 1 << 20);
    buf_init(&kept, AGENT_RULES_JSON_MAX);
    // Of each list as many as are kept and more, as long as they may be, and of what JSON has to escape.
    static const char *const lists[] = { "users",   "services",        "environments",
                                         "cgroups", "shapes_services", "shapes_environments" };
    buf_str(&b, STR("{\"type\":\"policy\",\"policy\":{\"shapes\":true,\"more\":4,\"patch\":false,\"other\":[1]"));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        buf_printf(&b, ",\"%s\":[\"\",\"a\\u0007\"", lists[i]);
        for (int n = 0; n < AGENT_RULES_MAX + 9; n++) {
            buf_str(&b, STR(",\""));
            for (int k = 0; k < AGENT_RULE_MAX + (n == 0); k++)
                buf_str(&b, STR("\\\""));
            buf_byte(&b, '"');
        }
        buf_byte(&b, ']');
    }
    buf_str(&b, STR("}}"));
    assert_int_equal(read_text(buf_view(&b), &arena, &m), 0);
    assert_true(m.kind == AGENT_POLICY && m.policy.shapes);
    json_writer_init(&w, &kept);
    agent_rules_put(m.policy.json, &w);
    assert_int_equal(kept.error, 0);
    const struct json_node *root;
    assert_int_equal(json_tree_read(buf_view(&kept), &arena, 4, &root, NULL), 0);
    assert_int_equal(root->n, 7);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct json_node *a = json_get(root, str_z(lists[i]));
        assert_int_equal(a->n, AGENT_RULES_MAX);
        assert_int_equal(a->first->text.len, AGENT_RULE_MAX);
    }
    assert_int_equal(json_get_int(root, STR("more")), 4 + 6 * (2 + 9));
    buf_free(&kept);
    buf_free(&b);
    arena_free(&arena);
}

static void test_ids(void **state)
{
    assert_int_equal(probe_id_of(STR("p3")), 3);
    assert_int_equal(probe_id_of(STR("p9223372036854775807")), INT64_MAX);
    static const char *const bad[] = { "", "p", "3", "p0", "p-1", "p3x", "p9223372036854775808", "a3" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(probe_id_of(str_z(bad[i])), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),   cmocka_unit_test(test_states_and_counts),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_traces),  cmocka_unit_test(test_rules_are_bounded),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
