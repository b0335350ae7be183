// When a share is said to have risen: tables of requests and failures a minute.
#include "red/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

enum { SLOTS = 60, EACH = 30 };

struct series {
    uint64_t n[SLOTS], k[SLOTS];
};

static void fill(struct series *s, size_t from, size_t to, uint64_t n, uint64_t k)
{
    for (size_t i = from; i < to; i++) {
        s->n[i] = n;
        s->k[i] = k;
    }
}

static bool find(const struct series *s, struct change *ret_change)
{
    return change_find(s->n, s->k, SLOTS, &change_errors, ret_change);
}

static void test_a_rise_is_found_in_its_minute(void **unused)
{
    struct series s = { 0 };
    struct change c;
    fill(&s, 0, 50, EACH, 0);
    fill(&s, 50, SLOTS, EACH, 12);
    assert_true(find(&s, &c));
    assert_int_equal(c.at, 50);
    assert_int_equal(c.k_after, 120);
    assert_int_equal(c.k_before, 0);
}

static void test_a_rise_over_what_was_usual(void **unused)
{
    struct series s = { 0 };
    struct change c;
    fill(&s, 0, 40, 200, 4);
    fill(&s, 40, SLOTS, 200, 30);
    assert_true(find(&s, &c));
    assert_int_equal(c.at, 40);
}

static void test_noise_is_no_rise(void **unused)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct series s = { 0 };
        struct change c;
        unsigned state = seed * 2654435761u;
        for (size_t i = 0; i < SLOTS; i++) {
            s.n[i] = EACH;
            for (int r = 0; r < EACH; r++) {
                state = state * 1664525u + 1013904223u;
                s.k[i] += state >> 8 < (1u << 24) / 50; // two in a hundred fail, by chance
            }
        }
        assert_false(find(&s, &c));
    }
}

static void test_what_has_passed_is_not_told(void **unused)
{
    struct series s = { 0 };
    struct change c;
    fill(&s, 0, SLOTS, EACH, 0);
    fill(&s, 20, 30, EACH, 15);
    assert_false(find(&s, &c));
}

static void test_too_few_to_say(void **unused)
{
    struct series s = { 0 };
    struct change c;
    fill(&s, 0, 55, EACH, 0);
    fill(&s, 55, SLOTS, 1, 1);
    fill(&s, 57, SLOTS, 0, 0);
    assert_false(find(&s, &c));
    fill(&s, 0, SLOTS, 0, 0);
    assert_false(find(&s, &c));
}

static void test_new_and_failing_from_its_first_moment(void **unused)
{
    struct series s = { 0 };
    struct change c;
    fill(&s, 45, SLOTS, EACH, EACH);
    assert_true(find(&s, &c));
    assert_int_equal(c.at, 45);
    fill(&s, 45, SLOTS, EACH, 0);
    s.k[45] = 1;
    assert_false(find(&s, &c));
}

static void test_a_wilson_interval_holds_the_share(void **unused)
{
    double low, high;
    change_wilson(10, 100, &low, &high);
    assert_true(low > 0.03 && low < 0.1 && high > 0.1 && high < 0.25);
    change_wilson(0, 0, &low, &high);
    assert_true(low == 0 && high == 1);
    assert_true(change_is_rise(1, 1000, 100, 1000, 0.01));
    assert_false(change_is_rise(90, 1000, 100, 1000, 0.01));
    assert_false(change_is_rise(0, 0, 100, 100, 0.01));
}

// Little traffic, a few failures: chance over an hour, but no longer when a deploy points at the minute.
static void test_a_slot_that_is_pointed_at_needs_less(void **state)
{
    uint64_t n[12], k[12] = { 0 };
    struct change c;
    for (int i = 0; i < 12; i++)
        n[i] = 15;
    k[1] = 1;
    for (int i = 6; i < 12; i++)
        k[i] = 2;
    assert_false(change_find(n, k, 12, &change_errors, &c));
    assert_true(change_at(n, k, 12, 6, &change_errors, &c));
    assert_int_equal(c.at, 6);
    assert_int_equal(c.n_after, 90);
    assert_int_equal(c.k_after, 12);
    assert_false(change_at(n, k, 12, 12, &change_errors, &c)); // no such slot
    // What has passed, and what was as bad before, is nobody's fault.
    uint64_t passed[12] = { 0 }, always[12];
    passed[6] = passed[7] = 6;
    for (int i = 0; i < 12; i++)
        always[i] = 2;
    assert_false(change_at(n, passed, 12, 6, &change_errors, &c));
    assert_false(change_at(n, always, 12, 6, &change_errors, &c));
    // Four failures are too few to say.
    uint64_t few[12] = { 0 };
    few[11] = 4;
    assert_false(change_at(n, few, 12, 10, &change_errors, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rise_is_found_in_its_minute),
        cmocka_unit_test(test_a_rise_over_what_was_usual),
        cmocka_unit_test(test_noise_is_no_rise),
        cmocka_unit_test(test_a_slot_that_is_pointed_at_needs_less),
        cmocka_unit_test(test_what_has_passed_is_not_told),
        cmocka_unit_test(test_too_few_to_say),
        cmocka_unit_test(test_new_and_failing_from_its_first_moment),
        cmocka_unit_test(test_a_wilson_interval_holds_the_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
