#include "base/json_tree.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;
static int set_up(void **state) { return arena_init(&arena, 1 << 20), 0; }
static int tear_down(void **state) { return arena_free(&arena), 0; }

static const struct json_node *tree(const char *json)
{
    const struct json_node *root = NULL;
    struct err err;
    if (json_tree_read(str_z(json), &arena, 8, &root, &err) < 0)
        fail_msg("%s: %s", json, err.message);
    assert_non_null(root);
    return root;
}

static void assert_text(str got, const char *want)
{
    if (!str_eq(got, str_z(want)))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_ARG(got), want);
}

static void test_members_in_any_order(void **state)
{
    const struct json_node *t =
        tree("{\"b\":{\"c\":[1,\"two\",true,null,{}]},\"a\":\"x\\ny\",\"n\":null,\"a\":\"last\"}");
    assert_int_equal(t->n, 4);
    assert_text(json_get_text(t, STR("a")), "last");
    assert_null(json_get(t, STR("n")));
    assert_null(json_get(t, STR("z")));
    const struct json_node *c = json_get(json_get(t, STR("b")), STR("c"));
    assert_int_equal(c->n, 5);
    int64_t i = 0;
    assert_true(json_int_of(c->first, &i));
    assert_int_equal(i, 1);
    assert_text(json_text_of(c->first->next), "two");
    assert_true(json_is(c->first->next->next, JSON_TRUE));
    assert_true(json_is(c->first->next->next->next, JSON_NULL));
    assert_true(json_is(c->first->next->next->next->next, JSON_OBJECT));
    assert_null(c->first->next->next->next->next->next);
    assert_text(tree("\"alone\"")->text, "alone");
}

static void test_other_types_hold_nothing(void **state)
{
    const struct json_node *t = tree("[{\"a\":1}]");
    int64_t i;
    assert_null(json_get(t, STR("a")));
    assert_null(json_get(NULL, STR("a")));
    assert_int_equal(json_get_text(t->first, STR("a")).len, 0);
    assert_false(json_int_of(tree("\"1.5\""), &i));
    assert_false(json_int_of(tree("true"), &i));
    assert_true(json_int_of(tree("\"12\""), &i) && i == 12);
    assert_null(json_first_of(tree("{}"), JSON_ARRAY));
}

static void test_written_as_read(void **state)
{
    static const char json[] =
        "{\"a\":[1.50,-0,1e3,\"x\\n\",true,false,null,[],{}],\"b\":{\"c\":{\"d\":123456789012345678901}}}";
    struct buf out;
    struct json_writer w;
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    json_put_tree(&w, tree(json));
    assert_text(buf_view(&out), json);
    buf_free(&out);
}

static void expect_error(const char *json, int code)
{
    const struct json_node *root = NULL;
    struct err err = { 0 };
    assert_int_equal(json_tree_read(str_z(json), &arena, 4, &root, &err), code);
    assert_null(root);
    assert_true(err.message[0]);
}

static void test_errors(void **state)
{
    expect_error("{\"a\":1", ERR_TRUNCATED);
    expect_error("{\"a\":1}}", ERR_MALFORMED);
    expect_error("", ERR_TRUNCATED);
    expect_error("[[[[[1]]]]]", ERR_LIMIT);
}

static void test_memory_is_bounded(void **state)
{
    struct arena small;
    const struct json_node *root = NULL;
    struct err err;
    char json[40000];
    size_t n = 0;
    json[n++] = '[';
    for (int i = 0; i < 9999; i++)
        n += (size_t)snprintf(json + n, sizeof json - n, "1,");
    n += (size_t)snprintf(json + n, sizeof json - n, "1]");
    arena_init(&small, 64 << 10);
    assert_int_equal(json_tree_read(str_of(json, n), &small, 4, &root, &err), ERR_NOMEM);
    arena_free(&small);
    assert_int_equal(json_tree_read(str_of(json, n), &arena, 4, &root, &err), 0);
    assert_int_equal(root->n, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_members_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_types_hold_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_as_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_is_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
