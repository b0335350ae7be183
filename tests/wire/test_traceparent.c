#include "wire/traceparent.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool parse(const char *text, struct traceparent *ret)
{
    size_t n = strlen(text);
    char *exact = mem_dup(text, n);
    bool ok = traceparent_parse((str){ exact, n }, ret);
    mem_free(exact);
    return ok;
}

static void test_good(void **state)
{
    struct traceparent t;
    char out[TRACEPARENT_LEN];
    const char *text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_true(parse(text, &t));
    assert_int_equal(t.trace[0], 0x0a);
    assert_int_equal(t.trace[15], 0x9c);
    assert_true(t.span == 0xb7ad6b7169203331);
    assert_int_equal(t.flags, 1);
    traceparent_format(out, &t);
    assert_memory_equal(out, text, TRACEPARENT_LEN);
    assert_true(parse(" \t00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03 ", &t) && t.flags == 3);
    assert_true(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes", &t));
    assert_true(parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", &t));
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c8031xx-b7ad6b7169203331-01",
        "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    struct traceparent t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse(bad[i], &t));
}

static void test_tracestate(void **state)
{
    str rest = STR(" congo=t61rcWkgMzE , ,rojo@v1=00f0 6,a=!\x7e"), key, value;
    bool ok;
    assert_true(tracestate_next(&rest, &key, &value, &ok) && ok);
    assert_true(str_eq(key, STR("congo")) && str_eq(value, STR("t61rcWkgMzE")));
    assert_true(tracestate_next(&rest, &key, &value, &ok) && ok);
    assert_true(str_eq(key, STR("rojo@v1")) && str_eq(value, STR("00f0 6")));
    assert_true(tracestate_next(&rest, &key, &value, &ok) && ok);
    assert_true(str_eq(key, STR("a")) && str_eq(value, STR("!~")));
    assert_false(tracestate_next(&rest, &key, &value, &ok));
    assert_true(ok);
}

static void test_tracestate_malformed(void **state)
{
    static const char *const bad[] = { "a", "=b", "A=b", "a=", "a=b=c", "a=\x01", "a b=c", "_a=b", "a=\xc3\xa9" };
    str key, value;
    bool ok;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        str rest = str_z(bad[i]);
        assert_false(tracestate_next(&rest, &key, &value, &ok));
        assert_false(ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_tracestate),
        cmocka_unit_test(test_tracestate_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
