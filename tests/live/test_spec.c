#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "live/live_internal.h"

#define WHERE "\"where\":{\"file\":\"a.py\",\"line\":3}"

static int write_spec(const char *old, const char *body, struct buf *out, struct err *err)
{
    struct arena arena;
    struct json_writer w;
    struct spec_context c = { .old = NULL };
    arena_init(&arena, 1 << 20);
    if (old)
        assert_int_equal(json_tree_read(str_z(old), &arena, 16, &c.old, NULL), 0);
    assert_int_equal(json_tree_read(str_z(body), &arena, 16, &c.body, NULL), 0);
    buf_init(out, 1 << 20);
    json_writer_init(&w, out);
    int r = spec_write(&c, &w, err);
    arena_free(&arena);
    return r;
}

static void expect(const char *old, const char *body, const char *want)
{
    struct buf out;
    struct err err = { 0 };
    assert_int_equal(write_spec(old, body, &out, &err), 0);
    if (!str_eq(buf_view(&out), str_z(want)))
        fail_msg("%.*s", STR_ARG(buf_view(&out)));
    buf_free(&out);
}

static void expect_bad(const char *body, const char *place)
{
    struct buf out;
    struct err err = { 0 };
    assert_int_equal(write_spec(NULL, body, &out, &err), ERR_INVALID);
    assert_string_equal(err.place, place);
    buf_free(&out);
}

// In the order of the table whatever the body's is, so that equal probes have equal specs.
static void test_the_form_is_one(void **state)
{
    expect(NULL, "{\"depth\":4," WHERE "}", "{\"kind\":\"snapshot\"," WHERE ",\"depth\":4}");
    expect(NULL, "{\"kind\":\"timer\",\"where\":{\"function\":\"f\",\"at\":\"exit\"},\"paused\":true,\"ttl_s\":5}",
           "{\"kind\":\"timer\",\"where\":{\"function\":\"f\",\"at\":\"exit\"}}");
}

static void test_a_change_keeps_the_rest(void **state)
{
    static const char old[] = "{\"kind\":\"snapshot\"," WHERE ",\"hit\":\"==3\",\"depth\":4}";
    expect(old, "{\"depth\":5}", "{\"kind\":\"snapshot\"," WHERE ",\"hit\":\"==3\",\"depth\":5}");
    expect(old, "{\"hit\":null}", "{\"kind\":\"snapshot\"," WHERE ",\"depth\":4}");
}

static void test_what_is_wrong_has_a_place(void **state)
{
    expect_bad("{}", "where");
    expect_bad("{\"where\":{\"line\":3}}", "where");
    expect_bad("{\"where\":{\"file\":\"a\",\"line\":3,\"x\":1}}", "where.x");
    expect_bad("{\"where\":{\"file\":3,\"line\":3}}", "where.file");
    expect_bad("{" WHERE ",\"frames\":1.5}", "frames");
    expect_bad("{" WHERE ",\"frames\":129}", "frames");
    expect_bad("{" WHERE ",\"sample\":-0.1}", "sample");
    expect_bad("{" WHERE ",\"hit\":\"<3\"}", "hit");
    expect_bad("{" WHERE ",\"hit\":\"==0\"}", "hit");
    expect_bad("{" WHERE ",\"locals\":1}", "locals");
    expect_bad("{" WHERE ",\"scope\":{\"pid\":0}}", "scope.pid");
    expect_bad("{" WHERE ",\"scope\":{\"instances\":\"101%\"}}", "scope.instances");
    expect_bad("{" WHERE ",\"metric\":{\"kind\":\"sum\",\"name\":\"x\"}}", "metric.kind");
    expect_bad("{" WHERE ",\"kind\":\"metric\"}", "metric");
    expect_bad("{" WHERE ",\"exprs\":[\"a\",3]}", "exprs[1]");
    expect_bad("{" WHERE ",\"patch\":\"x\"}", "patch");
}

static void test_templates(void **state)
{
    static const struct {
        const char *text, *want; // NULL: refused
    } cases[] = { { "", "[]" }, { "a {{b}}", "[{\"text\":\"a {b}\"}]" }, { "a {b", NULL }, { "}", NULL } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        struct json_writer w;
        struct err err = { 0 };
        struct arena arena;
        arena_init(&arena, 1 << 20);
        buf_init(&out, 1 << 16);
        json_writer_init(&w, &out);
        int r = language_parts(str_z(cases[i].text), &arena, &w, &err);
        assert_int_equal(r, cases[i].want ? 0 : ERR_INVALID);
        if (cases[i].want)
            assert_true(str_eq(buf_view(&out), str_z(cases[i].want)));
        else
            assert_true(err.column > 0 && err.hint[0]);
        buf_free(&out);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_form_is_one),
        cmocka_unit_test(test_a_change_keeps_the_rest),
        cmocka_unit_test(test_what_is_wrong_has_a_place),
        cmocka_unit_test(test_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
