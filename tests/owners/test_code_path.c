#include "owners/code_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void expect(str file, str module, str expected)
{
    struct arena arena;
    struct sentry_frame f = { .filename = file, .module = module };
    str path;
    arena_init(&arena, 1 << 16);
    assert_int_equal(code_path(&f, &arena, &path), 0);
    if (!str_eq(path, expected))
        fail_msg("%.*s: %.*s", STR_ARG(file), STR_ARG(path));
    arena_free(&arena);
}

static void test_path(void **unused)
{
    const str none = { 0 };
    expect(STR("src/cart.py"), none, STR("src/cart.py"));
    expect(STR("./src//./cart.js"), none, STR("src/cart.js"));
    expect(STR("../../lib/a.js"), none, STR("lib/a.js"));
    expect(STR("src/x/../cart.js"), none, STR("src/cart.js"));
    expect(STR("~/static/app.js"), none, STR("static/app.js"));
    expect(STR("webpack://shop/./src/a.ts?1a2b"), none, STR("src/a.ts"));
    expect(STR("webpack:///./src/a.ts"), none, STR("src/a.ts"));
    expect(STR("app:///src/a.js"), none, STR("src/a.js"));
    expect(STR("https://shop.example/static/a.js"), none, STR("static/a.js"));
    expect(STR("file:///srv/app/a.js"), none, STR("srv/app/a.js"));
    expect(STR("C:\\work\\shop\\Cart.cs"), none, STR("work/shop/Cart.cs"));
    expect(STR("Cart.java"), STR("com.shop.Cart$1"), STR("com/shop/Cart.java"));
    expect(STR("cart.py"), STR("shop.cart"), STR("cart.py"));
    expect(STR("<anonymous>"), none, none);
    expect(STR("a\nb.py"), none, none);
    expect(STR("/.."), none, none);
}

static void test_suffixes(void **unused)
{
    str s[CODE_PATH_SUFFIXES];
    assert_int_equal(code_path_suffixes(STR("srv/app/src/a.py"), s), 3);
    assert_true(str_eq(s[0], STR("srv/app/src/a.py")) && str_eq(s[2], STR("src/a.py")));
    assert_int_equal(code_path_suffixes(STR("a.py"), s), 1);
    assert_int_equal(code_path_suffixes((str){ 0 }, s), 0);
}

static void expect_mapped(const struct sentry_frame *f, str stack_root, str source_root, str expected)
{
    struct arena arena;
    str path;
    arena_init(&arena, 1 << 16);
    assert_int_equal(code_path_mapped(f, stack_root, source_root, &arena, &path), 0);
    if (!str_eq(path, expected))
        fail_msg("%.*s -> %.*s: %.*s", STR_ARG(stack_root), STR_ARG(source_root), STR_ARG(path));
    assert_true(path.len == 0 || path.ptr[path.len] == 0);
    arena_free(&arena);
}

static void test_mapped(void **unused)
{
    const str none = { 0 };
    struct sentry_frame js = { .filename = STR("webpack:///./src/a.ts?1a2b"),
                               .abs_path = STR("https://x.example/a.js") };
    expect_mapped(&js, STR("webpack:///./"), STR("web/"), STR("web/src/a.ts"));
    expect_mapped(&js, STR("webpack:///./src"), STR("lib"), STR("lib/a.ts"));
    expect_mapped(&js, STR("https://x.example/"), STR("."), STR("a.js")); // by its address
    expect_mapped(&js, STR("app:///"), STR("."), none);
    struct sentry_frame py = { .filename = STR("src/ab.py") };
    expect_mapped(&py, STR("src/a"), STR("x"), none); // a root ends at a step
    expect_mapped(&py, STR("src"), none, STR("ab.py"));
    expect_mapped(&py, STR("src/ab.py"), STR("x"), none);
    expect_mapped(&py, none, STR("x"), none);
    expect_mapped(&py, STR("src/"), STR("../../etc"), STR("etc/ab.py")); // never above the repository
    struct sentry_frame java = { .filename = STR("Till.java"), .module = STR("com.acme.pay.Till$1") };
    expect_mapped(&java, STR("com/acme"), STR("modules/pay/src/com/acme"),
                  STR("modules/pay/src/com/acme/pay/Till.java"));
    struct sentry_frame cs = { .filename = STR("C:\\work\\shop\\Cart.cs") };
    expect_mapped(&cs, STR("C:/work"), STR("src"), STR("src/shop/Cart.cs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_path), cmocka_unit_test(test_mapped),
                                        cmocka_unit_test(test_suffixes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
