#include "query/regex.h"

#include "base/err.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool matches(const char *pattern, str text)
{
    struct query_regex *re;
    struct query_regex_error err;
    if (query_regex_new(str_z(pattern), &re, &err) < 0)
        fail_msg("%s: %s", pattern, err.message);
    bool found = query_regex_match(re, text);
    query_regex_free(re);
    return found;
}

static void test_match(void **state)
{
    assert_true(matches("^(get|post) ", STR("get x")));
    assert_false(matches("^(get|post) ", STR("GET x")));
    assert_true(matches("(?i)^(get|post) ", STR("GET x")));
    assert_true(matches("order \\d+", STR("the order 17")));
    assert_false(matches("a.b", STR("a\nb")));
    assert_true(matches("(?s)a.b", STR("a\nb")));
    assert_false(matches("^b", STR("a\nb")));
    assert_true(matches("^a.b$", STR("aéb")));
    assert_true(matches("", STR("")));
    assert_true(matches("\\Qa.b\\C\\E", STR("xa.b\\C")));
    assert_true(matches("[\\]C]", STR("C")));
}

static void test_invalid_text(void **state)
{
    assert_true(matches("^a.b$", STR("a\xff"
                                     "b")));
    assert_true(matches("^a\\x{FFFD}b$", STR("a\xff"
                                             "b")));
    assert_true(matches("^..$", STR("\xe6\xb1\xff"))); // one cut character, one stray byte
    assert_true(matches("^a...b$", STR("a\xed\xa0\x80"
                                       "b")));
    assert_false(matches("^a..b$", STR("a\xff"
                                       "b")));
}

static void test_groups(void **state)
{
    struct query_regex *re;
    struct query_regex_error err;
    struct query_regex_scratch scratch = { NULL, 0 };
    str g[4];
    assert_int_equal(query_regex_new(STR("(?P<ip>\\d+\\.\\d+)(x)?"), &re, &err), 0);
    assert_int_equal(query_regex_group_count(re), 2);
    assert_true(str_eq(query_regex_group_name(re, 1), STR("ip")));
    assert_int_equal(query_regex_group_name(re, 2).len, 0);
    assert_true(query_regex_find(re, STR("at 10.20!"), g, 4, &scratch));
    assert_true(str_eq(g[0], STR("10.20")) && str_eq(g[1], STR("10.20")) && !g[2].ptr && !g[3].ptr);
    assert_null(scratch.ptr);
    assert_true(query_regex_find(re, STR("\xff 10.20x"), g, 3, &scratch));
    assert_true(str_eq(g[0], STR("10.20x")) && str_eq(g[2], STR("x")) && scratch.ptr);
    assert_false(query_regex_find(re, STR("10"), g, 3, &scratch));
    mem_free(scratch.ptr);
    query_regex_free(re);
}

static void expect_bad(const char *pattern, enum query_regex_fault fault, size_t off, size_t len)
{
    struct query_regex *re;
    struct query_regex_error err;
    if (query_regex_new(str_z(pattern), &re, &err) >= 0)
        fail_msg("%s was accepted", pattern);
    if (err.fault != fault || err.off != off || err.len != len)
        fail_msg("%s: %d at %zu, %zu long: %s", pattern, err.fault, err.off, err.len, err.message);
}

static void test_bad(void **state)
{
    expect_bad("(a", QUERY_REGEX_BAD, 0, 1);
    expect_bad("x(a(b)", QUERY_REGEX_BAD, 1, 1);
    expect_bad("a)b", QUERY_REGEX_BAD, 1, 1);
    expect_bad("ab[c", QUERY_REGEX_BAD, 2, 1);
    expect_bad("a(?=b)", QUERY_REGEX_BAD, 1, 3);
    expect_bad("a(?<!b)", QUERY_REGEX_BAD, 1, 3);
    expect_bad("(a)\\1", QUERY_REGEX_BAD, 3, 2);
    expect_bad("a\\Cb", QUERY_REGEX_BAD, 1, 2);
    expect_bad("*a", QUERY_REGEX_BAD, 0, 1);
    expect_bad("a**", QUERY_REGEX_BAD, 1, 2);
    expect_bad("a{2000}", QUERY_REGEX_BAD, 1, 6);
    expect_bad("[z-a]", QUERY_REGEX_BAD, 1, 3);
    expect_bad("[a-z]{900}[0-9]{900}[a-z]{900}[0-9]{900}[a-z]{900}", QUERY_REGEX_TOO_BIG, 0, 50);
    expect_bad("[\\pL]{900}", QUERY_REGEX_TOO_BIG, 0, 10);
    char text[1026];
    memset(text, 'a', sizeof text);
    text[1025] = 0;
    expect_bad(text, QUERY_REGEX_TOO_BIG, 1024, 1);
    text[1024] = 0;
    assert_false(matches(text, STR("a")));
}

static void test_prefix(void **state)
{
    static const struct {
        const char *pattern, *text;
    } cases[] = { { "^abc", "abcdef" },
                  { "^abc|^abd", "abd" },
                  { "abc", "xabc" },
                  { "^(?i)abc", "ABC" },
                  { "^\\x{FFFD}a", "\xff"
                                   "a" },
                  { "^", "x" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct query_regex *re;
        struct query_regex_error err;
        assert_int_equal(query_regex_new(str_z(cases[i].pattern), &re, &err), 0);
        assert_true(query_regex_match(re, str_z(cases[i].text)));
        assert_true(str_starts(str_z(cases[i].text), query_regex_prefix(re)));
        query_regex_free(re);
    }
}

// Patterns that explode in a backtracking engine.
static void test_linear(void **state)
{
    static char text[100000];
    memset(text, 'a', sizeof text);
    assert_false(matches("(a*)*b", str_of(text, sizeof text)));
    assert_false(matches("(a|aa)+$b", str_of(text, sizeof text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_match),  cmocka_unit_test(test_invalid_text),
                                        cmocka_unit_test(test_groups), cmocka_unit_test(test_bad),
                                        cmocka_unit_test(test_prefix), cmocka_unit_test(test_linear) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
