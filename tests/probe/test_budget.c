// What a probe may cost: rates, grants that are exact whoever asks at once, sampling by trace, breaches.
#include "probe/budget.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MS 1000000ll
#define S (1000 * MS)

static struct probe_slot slot;
static void setup(double rate, uint32_t burst, int64_t granted)
{
    struct probe_slot_setup s = { .revision = 1, .rate = rate, .burst = burst, .sample = 1, .granted = granted };
    probe_slot_activate(&slot, &s);
}

static void rate(void **state)
{
    unsigned n = 0;
    setup(2, 5, 0);
    while (probe_slot_token(&slot, 100 * S))
        n++;
    assert_int_equal(n, 5);
    assert_false(probe_slot_token(&slot, 100 * S + 499 * MS));
    assert_true(probe_slot_token(&slot, 100 * S + 500 * MS));
    assert_false(probe_slot_token(&slot, 100 * S + 500 * MS));
    n = 0;
    for (int64_t t = 200 * S; t < 210 * S; t += MS)
        n += probe_slot_token(&slot, t);
    assert_int_equal(n, 5 + 19); // what was saved up, and two a second after it
    setup(0, 0, 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(probe_slot_token(&slot, 0));
}

static void *take_all(void *arg)
{
    uintptr_t n = 0;
    while (probe_slot_take(&slot))
        n++;
    return (void *)n;
}

static void grants_are_exact(void **state)
{
    pthread_t t[4];
    uintptr_t sum = 0;
    setup(0, 0, 10000);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, take_all, NULL), 0);
    for (unsigned i = 0; i < 4; i++) {
        void *n;
        pthread_join(t[i], &n);
        sum += (uintptr_t)n;
    }
    assert_int_equal(sum, 10000);
    probe_slot_grant(&slot, 2);
    assert_true(probe_slot_take(&slot));
    probe_slot_untake(&slot);
    assert_true(probe_slot_take(&slot) && probe_slot_take(&slot));
    assert_false(probe_slot_take(&slot));
}

static void conditions_on_the_number(void **state)
{
    assert_true(probe_hit_passes(PROBE_HIT_ALL, 0, 1));
    assert_true(probe_hit_passes(PROBE_HIT_EQUAL, 3, 3));
    assert_false(probe_hit_passes(PROBE_HIT_EQUAL, 3, 4));
    assert_true(probe_hit_passes(PROBE_HIT_FROM, 3, 4));
    assert_false(probe_hit_passes(PROBE_HIT_FROM, 3, 2));
    assert_true(probe_hit_passes(PROBE_HIT_EVERY, 3, 6));
    assert_false(probe_hit_passes(PROBE_HIT_EVERY, 3, 7));
    assert_false(probe_hit_passes(PROBE_HIT_EVERY, 0, 7));
}

static void samples(void **state)
{
    uint8_t trace[16] = { 0 };
    unsigned by_trace = 0, by_number = 0;
    uint64_t threshold = probe_sample_threshold(0.25), half = probe_sample_threshold(0.5);
    for (uint64_t i = 0; i < 20000; i++) {
        bool yes;
        le64_put(trace + 8, i); // ids that are not even random
        yes = probe_sample_passes(threshold, trace, i);
        assert_int_equal(yes, probe_sample_passes(threshold, trace, i + 99)); // all of a trace or none
        assert_true(!yes || probe_sample_passes(half, trace, 0));             // and a larger share has the smaller
        by_trace += yes;
        by_number += probe_sample_passes(threshold, NULL, i);
    }
    assert_in_range(by_trace, 4700, 5300);
    assert_in_range(by_number, 4700, 5300);
    assert_true(probe_sample_passes(probe_sample_threshold(1), trace, 0));
    assert_false(probe_sample_passes(probe_sample_threshold(0), trace, 0));
    // The same in every runtime: vectors.
    memcpy(trace, "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 16);
    assert_false(probe_sample_passes(0x9a2bec18u, trace, 0));
    assert_true(probe_sample_passes(0x9a2bec18u + 1, trace, 0));
}

static void breaches(void **state)
{
    struct probe_cost process = { 0 };
    int64_t now = 50 * S;
    setup(0, 0, 0);
    // 1 % for as long as one likes.
    for (unsigned i = 0; i < 10000; i++, now += 10 * MS)
        assert_true(probe_slot_charge(&slot, &process, 100000, now));
    assert_true(probe_slot_charge(&slot, &process, 9 * MS, now)); // a burst that is forgiven
    now += 2 * S;
    for (unsigned breach = 1; breach <= 3; breach++) {
        unsigned n = 0;
        while (probe_slot_charge(&slot, &process, MS, now)) // a core of its own
            now += MS, n++;
        assert_in_range(n, 9, 11);
        assert_false(probe_slot_runs(&slot));
        assert_int_equal(atomic_load(&slot.activity), breach < 3 ? PROBE_SUSPENDED : PROBE_DISABLED);
        assert_false(probe_slot_resumes(&slot, now + 9 * S));
        now += breach == 1 ? PROBE_SUSPEND_NS_1 : PROBE_SUSPEND_NS_2;
        assert_int_equal(probe_slot_resumes(&slot, now), breach < 3);
        assert_int_equal(probe_slot_runs(&slot), breach < 3);
    }
    setup(0, 0, 0); // given away anew
    assert_true(probe_slot_runs(&slot));
    probe_slot_free(&slot);
    assert_false(probe_slot_runs(&slot));
}

// Ten to the seventh hits a second of 100 ns: suspended long before two seconds, with one in 64 measured.
static void hot_loop(void **state)
{
    struct probe_cost process = { 0 };
    int64_t now = 7 * S;
    setup(0, 0, 0);
    for (; probe_slot_runs(&slot) && now < 9 * S; now += 100)
        if (probe_hit_is_timed(probe_slot_hit(&slot)))
            probe_slot_charge(&slot, &process, 100 * PROBE_COST_EVERY, now);
    assert_in_range(now - 7 * S, 5 * MS, 100 * MS);
}

static void first_error_is_kept(void **state)
{
    setup(0, 0, 0);
    probe_slot_error(&slot, STR("no name total"));
    probe_slot_error(&slot, STR("another"));
    assert_int_equal(atomic_load(&slot.errors), 2);
    assert_int_equal(atomic_load(&slot.error_len), 13);
    assert_memory_equal(slot.error, "no name total", 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate),
        cmocka_unit_test(grants_are_exact),
        cmocka_unit_test(conditions_on_the_number),
        cmocka_unit_test(samples),
        cmocka_unit_test(breaches),
        cmocka_unit_test(hot_loop),
        cmocka_unit_test(first_error_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
