#include "base/base64.h"
#include "base/hex.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const texts[][2] = {
    // RFC 4648, section 10
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

static bool decode(const char *text, char *out, size_t *ret_n)
{
    size_t len = strlen(text);
    char *exact = mem_dup(text, len);
    bool ok = base64_decode(out, (str){ exact, len }, ret_n);
    mem_free(exact);
    return ok;
}

static void test_vectors(void **state)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char out[32];
        size_t n = strlen(texts[i][0]), len = base64_encoded_len(n), got;
        assert_int_equal(len, strlen(texts[i][1]));
        base64_encode(out, texts[i][0], n);
        assert_memory_equal(out, texts[i][1], len);
        assert_true(decode(texts[i][1], out, &got));
        assert_int_equal(got, n);
        assert_memory_equal(out, texts[i][0], n);
    }
}

static void test_forms_and_refusals(void **state)
{
    static const char *const bad[] = { "Z", "Zg=", "Zg===", "=", "==", "====", "Zm9v\n", "Z g=", "Zm9*" };
    char out[32];
    size_t n;
    assert_true(decode("-_8", out, &n) && n == 2 && !memcmp(out, "\xfb\xff", 2));
    assert_true(decode("+/8=", out, &n) && n == 2 && !memcmp(out, "\xfb\xff", 2));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(decode(bad[i], out, &n));
}

static void test_hex(void **state)
{
    char text[8];
    uint8_t b[4];
    hex_encode(text, "\x01\xab\xff\x00", 4);
    assert_memory_equal(text, "01abff00", 8);
    assert_true(hex_decode(b, STR("01AbfF00")));
    assert_memory_equal(b, "\x01\xab\xff\x00", 4);
    assert_false(hex_decode(b, STR("012")));
    assert_false(hex_decode(b, STR("0g")));
    assert_false(hex_decode(b, STR("0\x10")));
    assert_true(hex_decode(b, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_forms_and_refusals),
        cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
