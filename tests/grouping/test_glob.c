#include "grouping/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool matches(const char *pattern, const char *value, unsigned flags)
{
    struct arena arena;
    struct glob g;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_int_equal(glob_parse(str_z(pattern), flags, &arena, &g, &err), 0);
    bool is = glob_match(&g, str_z(value));
    arena_free(&arena);
    return is;
}

static void texts(void **state)
{
    assert_true(matches("hello.py", "hello.py", 0));
    assert_false(matches("hello.py", "hello.pyc", 0));
    assert_true(matches("*.py", "foo/hello.py", 0));
    assert_false(matches("*.js", "hello.py", 0));
    assert_true(matches("java.*", "java.lang.Thread", 0));
    assert_false(matches("java.*", "javax.crypto", 0));
    assert_true(matches("*::operator()*", "a::<lambda>::operator()", 0));
    assert_true(matches("boost::*::thread_proxy", "boost::x::y::thread_proxy", 0));
    assert_true(matches("1.18.[0-4].*", "1.18.4.2153", 0));
    assert_false(matches("1.18.[!0-4].*", "1.18.4.2153", 0));
    assert_true(matches("?[[]KSCrash*", "-[KSCrash install]", 0));
    assert_true(matches("*::\\{dtor\\}", "A::{dtor}", 0));
    assert_true(matches("a{b,cd,}e", "ace", 0) == false && matches("a{b,cd,}e", "acde", 0) &&
                matches("a{b,cd,}e", "ae", 0));
    assert_false(matches("Foo", "foo", 0));
    assert_true(matches("Foo*", "foobar", GLOB_NOCASE));
    assert_false(matches("foo*", "foo\nbar", 0));
    assert_true(matches("foo*", "foo\nbar", GLOB_NEWLINE));
    assert_true(matches("*", "", 0));
    assert_true(matches("", "", 0));
    assert_false(matches("", "x", 0));
    assert_true(matches("@babel/**", "@babel/runtime/helpers", 0));
}

static void paths(void **state)
{
    assert_true(matches("**/site-packages/**", "/usr/lib/python3/site-packages/django/views.py", GLOB_PATH));
    assert_true(matches("**/site-packages/**", "site-packages/x.py", GLOB_PATH));
    assert_false(matches("**/site-packages/**", "/usr/my-site-packages/x.py", GLOB_PATH));
    assert_false(matches("**/site-packages/**", "/usr/site-packages", GLOB_PATH));
    assert_true(matches("**/go/pkg/mod/**", "/go/pkg/mod/github.com/a/b.go", GLOB_PATH));
    assert_true(matches("/usr/lib/**", "/usr/lib/x.so", GLOB_PATH));
    assert_true(matches("/usr/lib/**", "usr/lib/x.so", GLOB_PATH)); // a relative value is tried from / too
    assert_false(matches("*/x.js", "a/b/x.js", GLOB_PATH));
    assert_true(matches("C:/Windows/**", "c:\\WINDOWS\\system32\\kernel32.dll", GLOB_PATH));
    assert_true(matches("a/**/b", "a/b", GLOB_PATH));
    assert_true(matches("a/**/b", "a/x/y/b", GLOB_PATH));
    assert_false(matches("a/**/b", "ab", GLOB_PATH));
    assert_true(matches("**/*newrelic*/**", "/x/node_newrelic_2/lib/a.js", GLOB_PATH));
    assert_true(matches("**/libart.so", "libart.so", GLOB_PATH));
    assert_true(matches("**", "anything/at/all", GLOB_PATH));
}

static void refused(void **state)
{
    struct arena arena;
    struct glob g;
    struct err err;
    char long_pattern[400];
    arena_init(&arena, 1 << 20);
    memset(long_pattern, 'a', sizeof long_pattern);
    assert_int_equal(glob_parse(STR("a{b"), 0, &arena, &g, &err), ERR_INVALID);
    assert_int_equal(glob_parse(STR("a}b"), 0, &arena, &g, &err), ERR_INVALID);
    assert_int_equal(glob_parse(STR("{a,{b,c}}"), 0, &arena, &g, &err), ERR_INVALID);
    assert_int_equal(glob_parse(STR("{a,b}{c,d}{e,f}{g,h}{i,j}"), 0, &arena, &g, &err), ERR_INVALID);
    assert_int_equal(glob_parse(str_of(long_pattern, sizeof long_pattern), 0, &arena, &g, &err), ERR_LIMIT);
    arena_free(&arena);
}

// Patterns that make other matchers run back for ever.
static void hostile(void **state)
{
    struct arena arena;
    struct glob g;
    struct err err;
    char pattern[240], value[8192];
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 2);
    memset(value, 'a', sizeof value);
    value[sizeof value - 1] = 'b';
    assert_int_equal(glob_parse(str_of(pattern, sizeof pattern), 0, &arena, &g, &err), 0);
    assert_false(glob_match(&g, str_of(value, sizeof value)));
    assert_true(glob_match(&g, str_of(value, sizeof value - 1)));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(paths),
        cmocka_unit_test(refused),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
