#include "query/text_fields.h"

#include "query/qval_ops.h"
#include "query/result_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static void put(struct buf *b, const struct value *v)
{
    struct value_reader r;
    struct value e;
    uint64_t left;
    str key;
    bool map = v->type == VALUE_MAP;
    switch (v->type) {
    case VALUE_STR:
        buf_printf(b, "'%.*s'", STR_ARG(v->s));
        return;
    case VALUE_INT:
        buf_printf(b, "%lld", (long long)v->i);
        return;
    case VALUE_DOUBLE:
        buf_printf(b, "%.17gd", v->d);
        return;
    case VALUE_BOOL:
        buf_printf(b, v->b ? "true" : "false");
        return;
    case VALUE_LIST:
    case VALUE_MAP:
        assert_int_equal(value_open(v, &r, &left), 0);
        buf_byte(b, map ? '{' : '[');
        for (uint64_t i = 0; i < left; i++) {
            if (i)
                buf_byte(b, ' ');
            if (map) {
                assert_int_equal(value_read_key(&r, &key), 0);
                buf_printf(b, "%.*s=", STR_ARG(key));
            }
            assert_int_equal(value_read(&r, &e), 0);
            put(b, &e);
        }
        buf_byte(b, map ? '}' : ']');
        return;
    default:
        buf_printf(b, "null");
    }
}

static void expect(bool json, str text, const char *expected, bool cut)
{
    struct value v;
    struct buf b;
    bool was_cut;
    buf_init(&b, 1 << 20);
    assert_int_equal((json ? text_fields_json : text_fields_logfmt)(&arena, text, &v, &was_cut), 0);
    if (v.type == VALUE_MAP)
        assert_int_equal(value_check(bytes_of_str(v.s)), 0);
    put(&b, &v);
    if (!str_eq(buf_view(&b), str_z(expected)))
        fail_msg("%.*s: %.*s, expected %s", STR_ARG(text), STR_ARG(buf_view(&b)), expected);
    assert_int_equal(was_cut, cut);
    buf_free(&b);
    arena_reset(&arena);
}

static void test_json(void **state)
{
    static const char *const cases[][2] = {
        { "{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":1.5,\"e\":null}", "{a=1 b='x' c=true d=1.5d}" },
        { " {\"http\":{\"status\":200,\"url\":{\"path\":\"/\"}}} ", "{http.status=200 http.url.path='/'}" },
        { "{\"l\":[1,\"a\",{\"x\":[true]},null]}", "{l=[1 'a' {x=[true]} null]}" },
        { "{\"a\":1,\"a\":2}", "{a=2}" },
        { "{\"a.b\":1,\"a\":{\"b\":2}}", "{a.b=2}" },
        { "{\"a\":1,\"a\":null}", "null" },
        { "{\"n\":9007199254740993,\"m\":1e3,\"o\":123456789012345678901234567890}",
          "{n=9007199254740993 m=1000d o=1.2345678901234568e+29d}" },
        { "{\"\\u00e9\":\"a\\nb\"}", "{\xC3\xA9='a\nb'}" },
        { "{}", "null" },
        { "{\"a\":{}}", "null" },
        { "[1]", "null" },
        { "1", "null" },
        { "", "null" },
        { "x {\"a\":1}", "null" },
        { "{\"a\":1} x", "null" },
        { "{\"a\":1", "null" },
        { "{\"a\":1,\"b\":}", "null" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(true, str_z(cases[i][0]), cases[i][1], false);
}

static void test_logfmt(void **state)
{
    static const char *const cases[][2] = {
        { "level=info msg=\"order paid\" n=12 ok=true", "{level='info' msg='order paid' n=12 ok=true}" },
        { "12:00 something happened user=anna took=75ms", "{user='anna' took='75ms'}" },
        { "a=1.5 b=-3 c=1.10 d=007 e=1e3 f=-0 g=+1", "{a=1.5d b=-3 c='1.10' d='007' e='1e3' f='-0' g='+1'}" },
        { "a= b=\"\" c=\"x\\\"y\\n\"", "{a='' b='' c='x\"y\n'}" },
        { "a=1 a=2", "{a=2}" },
        { "a=\"not closed", "{a='\"not'}" },
        { "=x == a==b", "{a='=b'}" },
        { "a=b=c", "{a='b=c'}" },
        { "url=/x?y=1", "{url='/x?y=1'}" },
        { "nothing here", "null" },
        { "", "null" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(false, str_z(cases[i][0]), cases[i][1], false);
}

static void test_limits(void **state)
{
    struct buf b, deep;
    struct value v;
    struct value_reader r;
    uint64_t n;
    bool cut;
    buf_init(&b, 1 << 20);
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < TEXT_FIELDS_MAX + 5; i++)
        buf_printf(&b, "k%d=%d ", i, i);
    assert_int_equal(text_fields_logfmt(&arena, buf_view(&b), &v, &cut), 0);
    assert_true(cut);
    assert_int_equal(value_open(&v, &r, &n), 0);
    assert_int_equal(n, TEXT_FIELDS_MAX);
    // 16 deep is read, 17 is not
    for (int depth = TEXT_FIELDS_DEPTH_MAX; depth <= TEXT_FIELDS_DEPTH_MAX + 1; depth++) {
        buf_clear(&deep);
        for (int i = 0; i < depth; i++)
            buf_printf(&deep, "{\"a\":");
        buf_printf(&deep, "1");
        for (int i = 0; i < depth; i++)
            buf_byte(&deep, '}');
        assert_int_equal(text_fields_json(&arena, buf_view(&deep), &v, &cut), 0);
        assert_int_equal(v.type, depth == TEXT_FIELDS_DEPTH_MAX ? VALUE_MAP : VALUE_NULL);
        assert_int_equal(cut, depth > TEXT_FIELDS_DEPTH_MAX);
    }
    buf_free(&b);
    buf_free(&deep);
    arena_reset(&arena);
}

static void test_join(void **state)
{
    struct value a, b, both, none = { .type = VALUE_NULL };
    struct buf text;
    bool cut;
    buf_init(&text, 1 << 16);
    assert_int_equal(text_fields_logfmt(&arena, STR("x=1 y=2"), &a, &cut), 0);
    assert_int_equal(text_fields_json(&arena, STR("{\"y\":3,\"z\":4}"), &b, &cut), 0);
    assert_int_equal(text_fields_join(&arena, &a, &b, &both), 0);
    put(&text, &both);
    assert_true(str_eq(buf_view(&text), STR("{y=2 z=4 x=1}")));
    assert_int_equal(text_fields_join(&arena, &none, &b, &both), 0);
    assert_true(value_same(&both, &b));
    assert_int_equal(text_fields_join(&arena, &a, &none, &both), 0);
    assert_true(value_same(&both, &a));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_json), cmocka_unit_test(test_logfmt),
                                        cmocka_unit_test(test_limits), cmocka_unit_test(test_join) };
    arena_init(&arena, 16 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
