// Cells: nothing is lost when they become wider or too many.
#include "issues/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void test_coarse_without_a_loss(void **unused)
{
    struct series s = { 0 };
    const uint32_t now = 1000000 * 10;
    uint64_t sum = 0;
    for (uint32_t age = 0; age < 100 * 1440; age += 7, sum += 3)
        assert_int_equal(series_add(&s, now - age, 3), 0);
    series_coarsen(&s, now);
    assert_int_equal(series_sum(&s, 0, UINT32_MAX), sum);
    assert_true(s.n < SERIES_CELLS_MAX);
    for (uint32_t i = 1; i < s.n; i++)
        assert_true(s.cells[i].minute > s.cells[i - 1].minute);
    uint32_t before = s.n;
    series_coarsen(&s, now);
    assert_int_equal(s.n, before);
    uint64_t parts[7] = { 0 }, all = 0;
    uint32_t from = series_align(now - 30 * 1440, now);
    series_spread(&s, from, now + 1, 7, parts);
    for (int i = 0; i < 7; i++)
        all += parts[i];
    assert_int_equal(all, series_sum(&s, from, now + 1));
    series_free(&s);
}

// What is counted on either side of an edge stays there, however wide the cells become later on.
static void test_nothing_reaches_across_an_edge(void **unused)
{
    const uint32_t now = 1000000 * 10;
    struct series s = { 0 };
    for (uint32_t age = 70 * 1440; age-- > 0;) {
        if (age < 5 * 1440 || age > 55 * 1440) // no more cells than are kept
            assert_int_equal(series_add(&s, now - age, 1), 0);
        if (age % 20 == 0)
            series_coarsen(&s, now - age);
    }
    for (uint32_t age = 1; age < 70 * 1440; age += 11) {
        uint32_t edge = series_edge(now - age, now), later = now + 1 - edge, n = 0;
        assert_true(edge > now - age && edge <= now);
        n += later < 5 * 1440 ? later : 5 * 1440;
        n += later > 55 * 1440 + 1 ? later - 55 * 1440 - 1 : 0;
        assert_int_equal(series_sum(&s, edge, UINT32_MAX), n);
    }
    assert_int_equal(series_edge(UINT32_MAX - 3, UINT32_MAX), UINT32_MAX - 2);
    assert_int_equal(series_edge(UINT32_MAX, UINT32_MAX), UINT32_MAX);
    series_free(&s);
}

static void test_invented_times_are_bounded(void **unused)
{
    struct series s = { 0 };
    for (uint32_t i = 0; i < 200000; i++)
        assert_int_equal(series_add(&s, (i * 2654435761u) % 50000000, 1), 0);
    assert_true(s.n <= SERIES_CELLS_MAX);
    assert_int_equal(series_sum(&s, 0, UINT32_MAX), 200000);
    series_free(&s);
}

static void test_large_counts(void **unused)
{
    struct series s = { 0 };
    assert_int_equal(series_add(&s, 5, 3ull * UINT32_MAX + 17), 0);
    assert_int_equal(series_sum(&s, 5, 6), 3ull * UINT32_MAX + 17);
    series_free(&s);
}

// Whatever age falls between the cells: they stay in order, and what is written is read again.
static void test_every_age_stays_in_order(void **unused)
{
    const uint32_t born = 60 * 500000 + 1;
    const uint32_t ages[] = { SERIES_TEN_AGE, SERIES_HOUR_AGE, SERIES_DAY_AGE };
    for (size_t k = 0; k < sizeof ages / sizeof ages[0]; k++)
        for (uint32_t late = 0; late < 1500; late++) {
            struct series s = { 0 }, again = { 0 };
            struct buf b;
            for (uint32_t i = 0; i < 9; i += 4)
                assert_int_equal(series_add(&s, born + i, 1), 0);
            series_coarsen(&s, born + ages[k] + late);
            for (uint32_t i = 1; i < s.n; i++)
                assert_true(s.cells[i].minute > s.cells[i - 1].minute);
            buf_init(&b, 1 << 16);
            series_encode(&s, &b);
            bytes at = buf_bytes(&b);
            assert_int_equal(series_decode(&again, &at), 0);
            assert_int_equal(series_sum(&again, 0, UINT32_MAX), 3);
            buf_free(&b);
            series_free(&again);
            series_free(&s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coarse_without_a_loss),      cmocka_unit_test(test_nothing_reaches_across_an_edge),
        cmocka_unit_test(test_invented_times_are_bounded), cmocka_unit_test(test_large_counts),
        cmocka_unit_test(test_every_age_stays_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
