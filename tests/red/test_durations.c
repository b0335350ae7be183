// Sketches of durations: near the true quantiles, mergeable, the same after writing and reading, and hard to fool.
#include "red/durations.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct arena arena;

static int setup(void **unused)
{
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **unused)
{
    arena_free(&arena);
    return 0;
}

static void near(int64_t got, int64_t want) { assert_true(llabs(got - want) * 100 <= want); }

static void test_quantiles_are_within_a_hundredth(void **unused)
{
    struct durations d = { 0 };
    for (int64_t i = 1; i <= 10000; i++)
        assert_int_equal(durations_add(&arena, &d, durations_bin(i * 12345), 1), 0);
    assert_int_equal(durations_count(&d), 10000);
    near(durations_quantile(&d, 0.5), 5000 * 12345);
    near(durations_quantile(&d, 0.95), 9500 * 12345);
    near(durations_quantile(&d, 1), 10000 * 12345);
    assert_true(durations_above(&d, durations_bin(9500 * 12345)) <= 500);
}

static void test_odd_durations_have_a_bin(void **unused)
{
    assert_int_equal(durations_bin(0), 0);
    assert_int_equal(durations_bin(-5), 0);
    assert_int_equal(durations_bin_value(0), 0);
    assert_int_equal(durations_bin_value(durations_bin(1)), 1);
    assert_true(durations_bin(INT64_MAX) < DURATIONS_BINS);
    assert_true(durations_bin_value(durations_bin(INT64_MAX)) > 0);
    struct durations none = { 0 };
    assert_int_equal(durations_quantile(&none, 0.5), -1);
}

static void test_written_read_and_merged(void **unused)
{
    struct durations a = { 0 }, b = { 0 };
    struct buf out;
    buf_init(&out, 1 << 20);
    for (int64_t i = 1; i < 1 << 20; i *= 3)
        durations_add(&arena, &a, durations_bin(i), (uint32_t)i);
    assert_int_equal(durations_encode(&a, &out), 0);
    assert_int_equal(durations_decode(&arena, &b, buf_bytes(&out)), 0);
    assert_int_equal(durations_count(&a), durations_count(&b));
    assert_int_equal(durations_merge(&arena, &b, &a), 0);
    assert_int_equal(durations_count(&b), 2 * durations_count(&a));
    assert_int_equal(durations_quantile(&b, 0.7), durations_quantile(&a, 0.7));
    for (size_t cut = 0; cut < out.len; cut++)
        assert_int_equal(durations_decode(&arena, &(struct durations){ 0 }, bytes_of(out.ptr, cut)), ERR_CORRUPT);
    buf_free(&out);
}

static void test_nonsense_is_refused(void **unused)
{
    static const uint8_t too_many[] = { 0xff, 0xff, 0x03 }, same_bin[] = { 2, 5, 1, 0, 1 },
                         beyond[] = { 1, 0xff, 0x7f, 1 }, more[] = { 0, 1 };
    struct durations d = { 0 };
    assert_int_equal(durations_decode(&arena, &d, bytes_of(too_many, sizeof too_many)), ERR_CORRUPT);
    assert_int_equal(durations_decode(&arena, &d, bytes_of(same_bin, sizeof same_bin)), ERR_CORRUPT);
    assert_int_equal(durations_decode(&arena, &d, bytes_of(beyond, sizeof beyond)), ERR_CORRUPT);
    assert_int_equal(durations_decode(&arena, &d, bytes_of(more, sizeof more)), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_quantiles_are_within_a_hundredth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_durations_have_a_bin, setup, teardown),
        cmocka_unit_test_setup_teardown(test_written_read_and_merged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
