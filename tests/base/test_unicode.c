#include "base/unicode.h"

#include "base/hash.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_every_code_point_round_trips(void **state)
{
    for (uint32_t cp = 0; cp <= UNICODE_MAX; cp++) {
        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        char out[4];
        size_t n = utf8_put(out, cp);
        unsigned len;
        bool ok;
        assert_true(utf8_decode(out, out + n, &len, &ok) == cp && ok && len == n);
        for (size_t cut = 1; cut < n; cut++) {
            assert_true(utf8_decode(out, out + cut, &len, &ok) == UNICODE_REPLACEMENT);
            assert_true(!ok && len == cut);
        }
    }
}

static void expect_invalid(const char *s, size_t n, size_t parts)
{
    assert_int_equal(utf8_count(str_of(s, n)), parts);
    assert_false(utf8_is_valid(str_of(s, n)));
}

static void test_invalid(void **state)
{
    expect_invalid("\xC0\x80", 2, 2);         // overlong
    expect_invalid("\xE0\x9F\x80", 3, 3);     // overlong
    expect_invalid("\xED\xA0\x80", 3, 3);     // surrogate
    expect_invalid("\xF4\x90\x80\x80", 4, 4); // beyond the end
    expect_invalid("\xF1\x80\x80", 3, 1);     // cut: one maximal subsequence
    expect_invalid("a\xE4\xB8z", 4, 3);
    expect_invalid("\x80", 1, 1);
    assert_int_equal(utf8_valid_prefix(STR("12345678\xC3\xA9\xFF")), 10);
    assert_true(utf8_is_valid(STR("12345678901234567 Ünïcode 決済失敗 \xF0\x9F\x98\x80")));
}

static void test_tokens(void **state)
{
    assert_true(unicode_is_token_char('a') && unicode_is_token_char('_') && unicode_is_token_char('9'));
    assert_false(unicode_is_token_char('-') || unicode_is_token_char(' ') || unicode_is_token_char('.'));
    assert_true(unicode_is_token_char(0xE9));   // é
    assert_true(unicode_is_token_char(0x301));  // combining acute, a mark
    assert_true(unicode_is_token_char(0x0665)); // Arabic-Indic digit
    assert_true(unicode_is_token_char(0xBD));   // 1/2 is a number (No)
    assert_false(unicode_is_token_char(UNICODE_REPLACEMENT) || unicode_is_token_char(0x1F600));
    static const uint32_t singles[] = { 0x6C7A, 0x3042, 0x30C7,  0x30FC, 0x0E01, 0x0E31, 0x0E81,
                                        0x1780, 0x1000, 0x20000, 0x3005, 0xFF76, 0xF900 };
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        assert_true(unicode_is_single_token(singles[i]) && unicode_is_token_char(singles[i]));
    static const uint32_t others[] = { 'a', 0xE9, 0xAC00 /* Hangul has spaces */, 0x0430, 0x05D0, 0x0621, 0x3001 };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(unicode_is_single_token(others[i]));
    assert_true(unicode_is_letter('x') && unicode_is_letter('_') && unicode_is_letter(0x6C7A));
    assert_false(unicode_is_letter('1') || unicode_is_letter('-') || unicode_is_letter(0x301));
}

static void test_fold(void **state)
{
    assert_int_equal(unicode_fold('A'), 'a');
    assert_int_equal(unicode_fold('z'), 'z');
    assert_int_equal(unicode_fold(0xC9), 0xE9);
    assert_int_equal(unicode_fold(0x1E9E), 0xDF);   // capital sharp s: simple folding
    assert_int_equal(unicode_fold(0x130), 0x130);   // no dotted i outside of Turkish
    assert_int_equal(unicode_fold(0x3C2), 0x3C3);   // final sigma
    assert_int_equal(unicode_fold(0x13A0), 0x13A0); // Cherokee folds to its capitals
    assert_int_equal(unicode_fold(0xAB70), 0x13A0);
    assert_int_equal(unicode_fold(0x1F88), 0x1F80);
    assert_int_equal(unicode_fold(0x10400), 0x10428);
    assert_int_equal(unicode_upper('a'), 'A');
    assert_int_equal(unicode_upper(0xE9), 0xC9);
    assert_int_equal(unicode_upper(0xDF), 0xDF);
    for (uint32_t cp = 0; cp <= UNICODE_MAX; cp++)
        assert_true(unicode_fold(unicode_fold(cp)) == unicode_fold(cp));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_code_point_round_trips),
                                        cmocka_unit_test(test_invalid), cmocka_unit_test(test_tokens),
                                        cmocka_unit_test(test_fold) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
