#include "symbols/js_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static void same(str got, const char *want)
{
    char text[512];
    snprintf(text, sizeof text, "%.*s", STR_ARG(got));
    assert_string_equal(text, want);
}

static void test_join(void **state)
{
    static const char *const cases[][3] = {
        { "http://a.example/js/app.js", "../src/x.ts", "http://a.example/src/x.ts" },
        { "http://a.example/js/app.js", "./x.ts", "http://a.example/js/x.ts" },
        { "http://a.example/app.js", "../../x.ts", "http://a.example/x.ts" },
        { "http://a.example/js/app.js", "/x.ts", "http://a.example/x.ts" },
        { "http://a.example/js/app.js", "//cdn.example/x.ts", "http://cdn.example/x.ts" },
        { "http://a.example/js/app.js", "~/x.ts", "http://a.example/x.ts" },
        { "http://a.example/js/app.js", "webpack:///./x.ts", "webpack:///./x.ts" },
        { "http://a.example/js/app.js", "https://b.example/x.ts", "https://b.example/x.ts" },
        { "/srv/app/dist/app.js", "../src/x.ts", "/srv/app/src/x.ts" },
        { "/srv/app/dist/app.js", "/other/x.ts", "/other/x.ts" },
        { "app:///dist/app.js", "app.js.map", "app:///dist/app.js.map" },
        { "app.js", "x.ts", "/x.ts" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        same(js_url_join(&arena, str_z(cases[i][0]), str_z(cases[i][1])), cases[i][2]);
}

static void test_webpack(void **state)
{
    same(js_webpack_path(&arena, STR("webpack:///./src/x.ts")), "./src/x.ts");
    same(js_webpack_path(&arena, STR("webpack:///src/x.ts")), "src/x.ts");
    same(js_webpack_path(&arena, STR("webpack://my-app@1.0/./src/x.ts")), "./src/x.ts");
    same(js_webpack_path(&arena, STR("webpack://my-app/src/x.ts")), "webpack://my-app/src/x.ts");
    same(js_webpack_path(&arena, STR("webpack:///a/~/b/c.js")), "~/b/c.js");
    same(js_webpack_path(&arena, STR("src/x.ts")), "src/x.ts");
}

static void test_in_app(void **state)
{
    assert_int_equal(js_in_app(STR("webpack:///./src/x.ts"), STR("./src/x.ts")), 1);
    assert_int_equal(js_in_app(STR("webpack:///./node_modules/a/x.js"), STR("./node_modules/a/x.js")), 0);
    assert_int_equal(js_in_app(STR("webpack:///webpack/bootstrap"), STR("webpack/bootstrap")), 0);
    assert_int_equal(js_in_app(STR("app:///x.js"), STR("x.js")), 1);
    assert_int_equal(js_in_app(STR("app:///node_modules/a.js"), STR("/node_modules/a.js")), 0);
    assert_int_equal(js_in_app(STR("https://x/node_modules/a.js"), STR("../node_modules/a.js")), 0);
    assert_int_equal(js_in_app(STR("https://x/src/a.js"), STR("../src/a.js")), -1);
}

static void test_module(void **state)
{
    static const char *const cases[][2] = {
        { "http://example.com/foo.js", "foo" },
        { "http://example.com/foo/bar.js", "foo/bar" },
        { "http://example.com/js/foo/bar.js", "foo/bar" },
        { "http://example.com/javascript/foo/bar.js", "foo/bar" },
        { "http://example.com/1.0/foo/bar.js", "foo/bar" },
        { "http://example.com/v1/foo/bar.min.js", "foo/bar" },
        { "http://example.com/v1.0.0/foo/bar.js?a=b#c", "foo/bar" },
        { "http://example.com/_baz/foo/bar.js", "foo/bar" },
        { "http://example.com/1/2/3/foo/bar.js", "foo/bar" },
        { "http://example.com/abcdef0/foo/bar.js", "foo/bar" },
        { "http://example.com/92cd589eca8235e7b373bf5ae94ebf898e3b949c/foo/bar.js", "foo/bar" },
        { "http://example.com/x/7d6d00eae0ceccdc7ee689659585d95f/foo/bar.js", "foo/bar" },
        { "http://example.com/foo/bar-7d6d00eae0ceccdc7ee689659585d95f.js", "foo/bar" },
        { "http://example.com/foo/bar.7d6d00e.js", "foo/bar" },
        { "~/app/main.js", "app/main" },
        { "./src/shop.ts", "src/shop" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        same(js_module(str_z(cases[i][0])), cases[i][1]);
}

static void test_folded(void **state)
{
    same(js_function_folded(&arena, STR("foo")), "foo");
    same(js_function_folded(&arena, STR("foo.foo")), "foo.foo");
    same(js_function_folded(&arena, STR("foo.foo.foo")), "{foo#2}.foo");
    same(js_function_folded(&arena, STR("bar.foo.foo.bar.bar.onError")), "bar.{foo#2}.{bar#2}.onError");
    same(js_function_folded(&arena, STR("a..b")), "a..b");
    same(js_function_folded(&arena, STR("")), "");
}

static void test_candidates(void **state)
{
    str urls[JS_URLS_MAX];
    assert_int_equal(js_url_candidates(&arena, STR("https://a.example/x/app.js?v=1#top"), urls), 4);
    same(urls[0], "https://a.example/x/app.js?v=1");
    same(urls[1], "https://a.example/x/app.js");
    same(urls[2], "~/x/app.js?v=1");
    same(urls[3], "~/x/app.js");
    assert_int_equal(js_url_candidates(&arena, STR("app:///x.js"), urls), 2);
    same(urls[1], "~/x.js");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),   cmocka_unit_test(test_webpack), cmocka_unit_test(test_in_app),
        cmocka_unit_test(test_module), cmocka_unit_test(test_folded),  cmocka_unit_test(test_candidates),
    };
    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
