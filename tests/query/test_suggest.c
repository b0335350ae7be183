#include "query/suggest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned d;
    } cases[] = { { "", "", 0 },
                  { "a", "", 1 },
                  { "stat", "stats", 1 },
                  { "servce", "service", 1 },
                  { "sevrice", "service", 1 },
                  { "abc", "acb", 1 },
                  { "Service", "service", 0 },
                  { "kitten", "sitting", 3 },
                  { "abcdef", "ab", 3 },
                  { "lmit", "limit", 1 },
                  { "ab", "ba", 1 },
                  { "abcd", "badc", 2 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(suggest_distance(str_z(cases[i].a), str_z(cases[i].b), 2), cases[i].d);
        assert_int_equal(suggest_distance(str_z(cases[i].b), str_z(cases[i].a), 2), cases[i].d);
    }
    char long_word[100];
    memset(long_word, 'a', sizeof long_word);
    assert_int_equal(suggest_distance(str_of(long_word, 64), str_of(long_word, 64), 2), 0);
    assert_int_equal(suggest_distance(str_of(long_word, 65), str_of(long_word, 65), 2), 3); // too long to look at
}

static void test_nearest_first(void **state)
{
    static const char *const words[] = { "sorts", "limit", "sort", "sorted", "short", "top", "sport" };
    struct suggest s = { .word = STR("sort") };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        suggest_offer(&s, str_z(words[i]));
    suggest_offer(&s, STR("sort"));
    struct query_error err = { 0 };
    suggest_give(&s, &err);
    assert_int_equal(err.suggest_count, 3);
    assert_string_equal(err.suggest[0], "sort");
    assert_string_equal(err.suggest[1], "sorts");
    assert_string_equal(err.suggest[2], "short");
    s = (struct suggest){ .word = STR("xy") };
    suggest_offer(&s, STR("ab")); // two edits make any short word
    assert_int_equal(s.count, 0);
}

static void test_error_places(void **state)
{
    struct query_error err;
    query_fail(&err, QUERY_E_SYNTAX, "x");
    query_error_at(&err, STR("ab\nü決c"), 5, 3);
    assert_true(err.line == 2 && err.column == 2 && err.length == 1);
    query_error_at(&err, STR("ab"), 9, 9);
    assert_true(err.line == 1 && err.column == 3 && err.length == 1);
    for (int i = 0; i < 20; i++) {
        char word[3] = { 'a', (char)('a' + i), 0 };
        query_error_suggest(&err, str_z(word));
        query_error_suggest(&err, str_z(word));
    }
    assert_int_equal(err.suggest_count, QUERY_SUGGEST_MAX);
    char text[1000];
    for (int i = 0; i < 998; i += 2)
        memcpy(text + i, "é", 2);
    text[998] = 0;
    query_fail(&err, QUERY_E_SYNTAX, "x%s", text); // cut between characters
    assert_int_equal(strlen(err.message) % 2, 1);
    assert_int_equal(err.suggest_count, 0);
    query_fail(NULL, QUERY_E_SYNTAX, "nobody listens");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_distance), cmocka_unit_test(test_nearest_first),
                                        cmocka_unit_test(test_error_places) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
