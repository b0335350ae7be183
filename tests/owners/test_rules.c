#include "owners/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static const char event[] =
    "{\"platform\":\"python\",\"request\":{\"url\":\"http://shop.example/settings/card\"},\"tags\":{\"sku\":\"pro\"},"
    "\"exception\":[{\"type\":\"E\",\"value\":\"x\",\"stacktrace\":{\"frames\":["
    "{\"filename\":\"/usr/lib/python3/flask/app.py\",\"module\":\"flask.app\",\"in_app\":false},"
    "{\"filename\":\"src/web/views.py\",\"module\":\"web.views\",\"in_app\":true},"
    "{\"filename\":\"src/cart/total.py\",\"abs_path\":\"/srv/shop/src/cart/total.py\",\"module\":\"cart.total\","
    "\"in_app\":true},"
    "{\"filename\":\"/usr/lib/python3/decimal.py\",\"module\":\"decimal\",\"in_app\":false}]}}]}";

// "ada(path:src/*) #web(...)" of what the rules say about the event.
static void expect_of(const char *json, const char *rules, const char *codeowners, const char *prefix,
                      const char *expected)
{
    struct arena arena;
    struct owner_rules *r;
    struct err err = { 0 };
    const struct json_node *root;
    struct sentry_event e;
    struct owner *list;
    size_t n, at = 0;
    char text[2000] = "";
    arena_init(&arena, 1 << 20);
    if (owner_rules_parse(str_z(rules), str_z(codeowners), &r, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(json_tree_read(str_z(json), &arena, SENTRY_EVENT_DEPTH, &root, NULL), 0);
    assert_int_equal(sentry_event_read(root, &arena, &e, NULL), 0);
    assert_int_equal(owner_rules_match(r, &e, str_z(prefix), &arena, &list, &n), 0);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%.*s(%.*s)", i ? " " : "",
                               list[i].kind == OWNER_TEAM ? "#" : "", STR_ARG(list[i].name), STR_ARG(list[i].rule));
    assert_string_equal(text, expected);
    owner_rules_free(r);
    arena_free(&arena);
}

static void expect(const char *rules, const char *codeowners, const char *expected)
{
    expect_of(event, rules, codeowners, "", expected);
}

static void test_rules(void **unused)
{
    expect("", "", "");
    expect("path:src/cart/* ada@example.com #pay\n", "", "ada@example.com(path:src/cart/*) #pay(path:src/cart/*)");
    expect("path:*/total.py ada", "", "ada(path:*/total.py)");
    expect("path:/srv/shop/* ada", "", "ada(path:/srv/shop/*)");
    expect("path:SRC/Cart/* ada", "", "ada(path:SRC/Cart/*)");
    expect("path:src/car bob", "", "");
    expect("path:/usr/lib/* bob", "", ""); // not of the application
    expect("module:cart.* ada", "", "ada(module:cart.*)");
    expect("url:*/settings/* bob", "", "bob(url:*/settings/*)");
    expect("tags.sku:p?o bob", "", "bob(tags.sku:p?o)");
    expect("tags.sku:free bob\ntags.none:* bob", "", "");
    expect("codeowners:/src/web bob", "", "bob(codeowners:/src/web)");
    expect("# comment\n\n path:\"src/cart/*\"  ada # rest\r\n", "", "ada(path:src/cart/*)");
}

// The last rule that matches is the first owner; nobody comes twice.
static void test_order(void **unused)
{
    expect("path:src/* ada\npath:src/cart/* #pay ada\n", "", "#pay(path:src/cart/*) ada(path:src/cart/*)");
    expect("path:src/* ada\n", "* @bob @ada\n", "ada(path:src/*) bob(codeowners:*)");
}

static void test_codeowners(void **unused)
{
    expect("", "* @all\n/src/web/ @web\n", "all(codeowners:*)"); // the innermost frame decides
    expect("", "/src/web/ @web\n", "web(codeowners:/src/web/)");
    expect("", "/src/cart/ @org/pay ada@example.com # why\n* @all\n", "all(codeowners:*)");
    expect("", "* @all\n/src/cart/ @org/pay ada@example.com # why\n",
           "#org/pay(codeowners:/src/cart/) ada@example.com(codeowners:/src/cart/)");
    expect("", "*.py @py\n*.js @js\n", "py(codeowners:*.py)");
    expect("", "cart/ @pay\n", "pay(codeowners:cart/)"); // anywhere
    expect("", "/cart/ @pay\n", "");                     // at the root
    expect("", "/src/* @src\n", "");                     // not what is below
    expect("", "/src/** @src\n", "src(codeowners:/src/**)");
    expect("", "/src @src\n", "src(codeowners:/src)");
    expect("", "src/**/total.py @ada\n", "ada(codeowners:src/**/total.py)");
    expect("", "* @all\n/src/cart/total.py\n", ""); // nobody's
    expect("", "* @all\n!/src/cart/\n", "");
}

static void test_sections(void **unused)
{
    expect("", "[Code] @dev\n*.py\n/src/cart/ @pay\n^[Docs][2] @docs\n*.md\n*.py @writer\n",
           "writer(codeowners:*.py) pay(codeowners:/src/cart/)");
    expect("", "[Code] @dev\n*.py\n", "dev(codeowners:*.py)");
    expect("", "[a-z]otal.py @ada\n", "ada(codeowners:[a-z]otal.py)");
}

static void test_places(void **unused)
{
    static const char deep[] = "{\"stacktrace\":{\"frames\":[{\"filename\":\"/srv/shop/src/cart/total.py\"}]}}";
    static const char webpack[] =
        "{\"stacktrace\":{\"frames\":[{\"filename\":\"webpack://shop/./cart/total.ts\",\"in_app\":true}]}}";
    expect_of(deep, "", "/src/cart/ @pay\n", "", "pay(codeowners:/src/cart/)");
    expect_of(webpack, "", "/cart/ @pay\n", "", "pay(codeowners:/cart/)");
    expect_of(webpack, "", "/web/cart/ @pay\n/cart/ @other\n", "web/", "pay(codeowners:/web/cart/)");
    expect_of("{\"message\":\"x\"}", "path:* ada", "* @bob", "", "");
}

static void refuse(const char *rules, const char *codeowners, const char *place, int line, int code)
{
    struct owner_rules *r;
    struct err err = { 0 };
    assert_int_equal(owner_rules_parse(str_z(rules), str_z(codeowners), &r, &err), code);
    assert_string_equal(err.place, place);
    assert_int_equal(err.line, line);
    assert_true(err.message[0] && err.hint[0]);
}

static void test_errors(void **unused)
{
    refuse("\npath:src/*\n", "", "rules", 2, ERR_INVALID);
    refuse("src/* ada\n", "", "rules", 1, ERR_INVALID);
    refuse("file:src/* ada\n", "", "rules", 1, ERR_INVALID);
    refuse("tags.:x ada\n", "", "rules", 1, ERR_INVALID);
    refuse("path: ada\n", "", "rules", 1, ERR_INVALID);
    refuse("path:{a ada\n", "", "rules", 1, ERR_INVALID);
    refuse("path:a #\"\"<b>\n", "", "rules", 1, ERR_INVALID);
    refuse("path:a @\n", "", "rules", 1, ERR_INVALID);
    refuse("path:a ada", "\n\n*.py <b>", "codeowners", 3, ERR_INVALID);
    char many[OWNER_RULES_MAX * 8 + 100], *at = many;
    for (int i = 0; i <= OWNER_RULES_MAX; i++)
        at += sprintf(at, "* @a\n");
    refuse("", many, "codeowners", OWNER_RULES_MAX + 1, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules),      cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_codeowners), cmocka_unit_test(test_sections),
                                        cmocka_unit_test(test_places),     cmocka_unit_test(test_errors) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
