// What is alike is found, for the reasons that are said, and what only looks busy is not.
#include "issues/similar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct similar_text text_of(str type, str culprit, str message)
{
    struct similar_text t = { type, culprit, { .n = 0 } };
    similar_words(message, &t.words);
    return t;
}

static void test_words(void **unused)
{
    struct similar_words a, b;
    similar_words(STR("Order 4711 of user 9f3a1c not found"), &a);
    similar_words(STR("order 12: of User ab12 NOT found!"), &b);
    assert_int_equal(a.n, 6); // order, of, user, not, found and whatever has digits
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.words, b.words, a.n * sizeof a.words[0]);
    similar_words(STR(""), &a);
    assert_int_equal(a.n, 0);
    char many[4096];
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = i % 3 == 2 ? ' ' : (char)('a' + i * 7 % 26);
    similar_words(str_of(many, sizeof many), &a);
    assert_true(a.n <= SIMILAR_WORDS_MAX);
}

static void test_reasons(void **unused)
{
    struct similar_text a = text_of(STR("TypeError"), STR("cart.js in total"), STR("x is not a function"));
    struct similar_text b = text_of(STR("TypeError"), STR("cart.js in total"), STR("y is not a function"));
    struct similar_text c = text_of(STR("KeyError"), STR("login"), STR("missing"));
    struct similar s = similar_by_text(&a, &b);
    assert_true(s.type && s.culprit);
    assert_int_equal(s.words, 66); // is, not, a, function of these with x and y
    assert_true(similar_enough(&s));
    s = similar_by_text(&a, &a);
    assert_true(s.score > 0.99);
    s = similar_by_text(&a, &c);
    assert_true(!s.type && !s.culprit && s.words == 0 && s.score == 0);
    struct similar_text none = text_of(STR(""), STR(""), STR(""));
    s = similar_by_text(&none, &none); // nothing is no reason
    assert_true(s.score == 0);
}

static void test_stacks(void **unused)
{
    const uint64_t one[] = { 1, 2, 3, 3, 4 }, near[] = { 9, 2, 3, 4 }, far[] = { 7, 8 };
    struct similar_text a = text_of(STR("A"), STR("f"), STR("")), b = text_of(STR("B"), STR("f"), STR(""));
    struct similar s = similar_by_text(&a, &b);
    assert_false(similar_enough(&s));
    similar_by_stack(&s, one, 5, near, 4);
    assert_int_equal(s.frames, 3);
    assert_int_equal(s.frames_of, 5);
    assert_true(similar_enough(&s)); // of another type, out of the same code
    s = similar_by_text(&a, &a);
    similar_by_stack(&s, one, 5, far, 2);
    assert_int_equal(s.frames, 0);
    assert_false(similar_enough(&s)); // the words alone are not it when the stacks say otherwise
    s = similar_by_text(&a, &a);
    double before = s.score;
    similar_by_stack(&s, one, 5, NULL, 0);
    assert_true(s.score == before && s.frames_of == 0);
}

static void test_the_likeliest(void **unused)
{
    struct similar_picks p = { .n = 0 };
    for (int64_t i = 0; i < 10000; i++)
        similar_pick(&p, i, (double)(i * 7919 % 10007) / 10007);
    assert_int_equal(p.n, SIMILAR_CANDIDATES_MAX);
    for (uint32_t i = 0; i < p.n; i++) {
        uint32_t better = 0;
        for (int64_t k = 0; k < 10000; k++)
            better += (double)(k * 7919 % 10007) / 10007 > p.best[i].score;
        assert_int_equal(better, i);
    }
    similar_pick(&p, 1, 0);
    assert_int_equal(p.n, SIMILAR_CANDIDATES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_reasons),
                                        cmocka_unit_test(test_stacks), cmocka_unit_test(test_the_likeliest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
