#include "query/text.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/unicode.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(&arena);
    return 0;
}

static bool matches(const char *phrase, str text)
{
    str p = str_z(phrase);
    bool prefix = p.len && p.ptr[p.len - 1] == '*';
    struct query_phrase ph;
    assert_int_equal(query_phrase_make(&arena, str_slice(p, 0, p.len - prefix), prefix, &ph), 0);
    return query_phrase_match(&ph, text);
}

#define YES(phrase, text) assert_true(matches(phrase, STR(text)))
#define NO(phrase, text) assert_false(matches(phrase, STR(text)))

// The examples of the language's text section.
static void test_words_and_phrases(void **state)
{
    YES("refused", "Connection refused: 10.0.0.1:5432");
    YES("REFUSED", "Connection refused: 10.0.0.1:5432");
    NO("refuse", "Connection refused: 10.0.0.1:5432");
    YES("refuse*", "Connection refused: 10.0.0.1:5432");
    YES("connection refused", "Connection refused: 10.0.0.1:5432");
    YES("connection ref*", "Connection refused: 10.0.0.1:5432");
    NO("connect* refused", "Connection refused: 10.0.0.1:5432"); // only at the end
    NO("refused connection", "Connection refused: 10.0.0.1:5432");
    YES("10.0.0.1:5432", "Connection refused: 10.0.0.1:5432");
    YES("10 0 0 1", "Connection refused: 10.0.0.1:5432");
    NO("10.0.0.15", "Connection refused: 10.0.0.1:5432");
    YES("user-42", "order 1001 received from user-42");
    YES("user-42", "USER 42!");
    NO("user-42", "user 421");
    NO("user-42", "user x 42");
    YES("échec", "ÉCHEC du paiement 決済失敗");
    NO("echec", "ÉCHEC du paiement 決済失敗");
    YES("決済", "ÉCHEC du paiement 決済失敗");
    NO("済決", "ÉCHEC du paiement 決済失敗");
    YES("失", "ÉCHEC du paiement 決済失敗");
    YES("決済失*", "ÉCHEC du paiement 決済失敗");
    YES("ünïcode", "job Ünïcode");
    YES("a_b", "x a_b y");
    NO("a b", "a_b");
    YES("a b a c", "a b a b a c");
    NO("x", "");
    NO("", "x");
}

static void test_boundaries(void **state)
{
    YES("b", "決b失");
    YES("b失", "決b失");
    NO("決", "x");
    YES("ab", "\xff"
              "ab\xff");
    NO("ab", "a\xff"
             "b");
    YES("a b", "a\xff"
               "b");
    YES("データ", "データ");
    YES("สวัสดี", "xสวัสดีy");
    NO("sure", "measured");
    YES("straße", "STRAßE");
    YES("ΣΑΣ", "σας");                     // final sigma folds
    YES("task", "TA\xC5\xBF\xE2\x84\xAA"); // long s and Kelvin sign
    YES("a_b_c_d_e_f_g_h_i_j_k", "........................ A_B_C_D_E_F_G_H_I_J_K ..........");
    NO("b", "éb");
    NO("b", "bé");
    YES("b*", "bé");
    YES("b", "\xA9"
             "b"); // a stray byte separates
    YES("b", "\xE6\xB1"
             "b"); // so does a cut character
}

static void test_tokens(void **state)
{
    static const char text[] = "  Connection-Refused: 10.x 決済a ÉCHEC_1\xff!!";
    static const char *const want[] = { "connection", "refused", "10", "x", "決", "済", "a", "échec_1" };
    char buf[QUERY_TOKEN_MAX];
    size_t pos = 0;
    str t;
    bool cut;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(query_token_next(STR(text), &pos, buf, &t, &cut));
        assert_true(str_eq(t, str_z(want[i])) && !cut);
    }
    assert_false(query_token_next(STR(text), &pos, buf, &t, &cut));
    char *long_text = arena_alloc_bytes(&arena, 600);
    memset(long_text, 'a', 600);
    memcpy(long_text + 255, "é", 2);
    long_text[300] = ' ';
    pos = 0;
    assert_true(query_token_next(str_of(long_text, 600), &pos, buf, &t, &cut));
    assert_true(cut && t.len == 255 && pos == 300);
    assert_true(query_token_next(str_of(long_text, 600), &pos, buf, &t, &cut));
    assert_true(cut && t.len == 256 && pos == 600);
}

static void test_limits(void **state)
{
    char text[600];
    for (int i = 0; i < 600; i++)
        text[i] = i % 2 ? ' ' : 'a';
    struct query_phrase ph;
    assert_int_equal(query_phrase_make(&arena, str_of(text, 511), false, &ph), 0);
    assert_int_equal(ph.count, 256);
    assert_int_equal(query_phrase_make(&arena, str_of(text, 513), false, &ph), ERR_LIMIT);
    assert_int_equal(query_phrase_make(&arena, STR("!! - \xff"), false, &ph), 0);
    assert_int_equal(ph.count, 0);
}

// The streaming matcher against the obvious one: lists of tokens.
static void test_against_lists(void **state)
{
    static const char *const parts[] = { "a",    "A",   "b", " ", "-", "é", "É",        "決",
                                         "\xff", "_",   "ß", "1", "k", "S", "\xC5\xBF", "\xE2\x84\xAA",
                                         "\x7f", "\xE6" };
    enum { PARTS = sizeof parts / sizeof *parts, LONG = 40 };
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[256], phrase[64];
        size_t n = 0, m = 0;
        for (int i = 0; i < (round % 2 ? 12 : LONG); i++) {
            const char *p = parts[(seed = hash64_int(seed + 1)) % PARTS];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
        }
        for (int i = 0; i < 1 + round % 4; i++) {
            const char *p = parts[(seed = hash64_int(seed + 1)) % PARTS];
            memcpy(phrase + m, p, strlen(p));
            m += strlen(p);
        }
        arena_reset(&arena);
        struct query_phrase ph, list;
        assert_int_equal(query_phrase_make(&arena, str_of(phrase, m), round & 1, &ph), 0);
        assert_int_equal(query_phrase_make(&arena, str_of(text, n), false, &list), 0);
        bool want = false;
        for (uint32_t i = 0; ph.count && i + ph.count <= list.count && !want; i++) {
            want = true;
            for (uint32_t k = 0; k < ph.count && want; k++)
                want = ph.last_is_prefix && k + 1 == ph.count ? str_starts(list.tokens[i + k], ph.tokens[k])
                                                              : str_eq(list.tokens[i + k], ph.tokens[k]);
        }
        assert_true(query_phrase_match(&ph, str_of(text, n)) == want);
        char buf[QUERY_TOKEN_MAX];
        size_t pos = 0;
        str t;
        bool cut;
        for (uint32_t i = 0; i < list.count; i++) {
            assert_true(query_token_next(str_of(text, n), &pos, buf, &t, &cut));
            assert_true(str_eq(t, list.tokens[i]));
        }
        assert_false(query_token_next(str_of(text, n), &pos, buf, &t, &cut));
    }
}

// A phrase's folded tokens fit the room that they are given, whatever the characters.
static void test_folding_fits(void **state)
{
    for (uint32_t cp = 1; cp <= UNICODE_MAX; cp++) {
        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        char a[4], b[4];
        size_t n = utf8_put(a, cp);
        assert_true(utf8_put(b, unicode_fold(cp)) <= 2 * n && utf8_put(b, unicode_upper(cp)) <= 2 * n &&
                    utf8_put(b, unicode_lower(cp)) <= 2 * n);
    }
    str out;
    assert_int_equal(query_text_lower(&arena, STR("ÀBC ẞ İ\xff"), &out), 0);
    assert_true(str_eq(out, STR("àbc ß İ\xff")));
    assert_int_equal(query_text_upper(&arena, STR("àbc ß"), &out), 0);
    assert_true(str_eq(out, STR("ÀBC ß")));
    assert_true(query_bytes_match(STR("refused: 10"), STR("Connection refused: 10.0")));
    assert_false(query_bytes_match(STR("Refused"), STR("Connection refused: 10.0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words_and_phrases),
                                        cmocka_unit_test(test_boundaries),
                                        cmocka_unit_test(test_tokens),
                                        cmocka_unit_test(test_limits),
                                        cmocka_unit_test(test_against_lists),
                                        cmocka_unit_test(test_folding_fits) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
