// Values counted in two sets of rows: what becomes ranges, and that the bounds of tenths say what was counted.
#include "query/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
// cmocka.h needs the four above
#include <cmocka.h>

enum { ROWS = 5000 };

static struct query_request request;
static struct query_error error;

static void run_begin(struct exec *x)
{
    *x = (struct exec){ .q = &request, .err = &error, .cap = 64 << 20, .deadline = INT64_MAX };
    arena_init(&x->arena, x->cap);
    arena_init(&x->scratch, x->cap);
}

static void run_end(struct exec *x, struct tally *t)
{
    tally_free(t);
    assert_int_equal(x->used, 0);
    arena_free(&x->arena);
    arena_free(&x->scratch);
}

// One field of durations; the last tenth of the rows is the set.
static void count(struct tally *t, const int64_t *values, uint32_t n)
{
    uint64_t sel[BITS_WORDS(ROWS)] = { 0 }, in[BITS_WORDS(ROWS)] = { 0 };
    struct cvec v = { .kind = CVEC_I64, .type = QVAL_DURATION, .i64 = values };
    uint32_t field;
    for (uint32_t i = 0; i < n; i++) {
        bit_set(sel, i);
        if (i >= n - n / 10)
            bit_set(in, i);
    }
    assert_int_equal(tally_field_get(t, STR("duration"), TALLY_VALUES_MAX, &field), 0);
    assert_int_equal(tally_vec(t, field, &v, sel, in, n), 0);
    assert_int_equal(tally_finish(t), 0);
}

static void check_tenths(const int64_t *values, uint32_t n)
{
    struct exec x;
    struct tally t = { .x = &x, .ranges = true };
    struct tally_tenth tenths[10];
    run_begin(&x);
    count(&t, values, n);
    assert_non_null(t.fields[0].pages);
    assert_int_equal(t.fields[0].rows[0], n / 10);
    assert_int_equal(t.fields[0].rows[1], n - n / 10);
    uint32_t tenths_n = tally_tenths(&t.fields[0], tenths);
    assert_in_range(tenths_n, 2, 10);
    for (uint32_t k = 0; k < tenths_n; k++) {
        const struct tally_tenth *a = &tenths[k];
        uint64_t counts[2] = { 0, 0 };
        assert_int_equal(a->has_from, k > 0);
        assert_int_equal(a->has_to, k + 1 < tenths_n);
        assert_true(k == 0 || (tenths[k - 1].to == a->from && (!a->has_to || a->from < a->to)));
        for (uint32_t i = 0; i < n; i++) {
            double d = (double)values[i];
            if ((!a->has_from || d >= a->from) && (!a->has_to || d < a->to))
                counts[i < n - n / 10]++;
        }
        assert_int_equal(a->counts[0], counts[0]);
        assert_int_equal(a->counts[1], counts[1]);
    }
    run_end(&x, &t);
}

static void test_tenths_are_what_their_bounds_say(void **state)
{
    static int64_t values[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        values[i] = (int64_t)i * 1000003;
    check_tenths(values, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) // both signs, far apart
        values[i] = ((int64_t)(i * 2654435761u % 4001) - 2000) * ((int64_t)1 << i % 40);
    check_tenths(values, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) // most rows alike
        values[i] = i % 20 ? 1000 : (int64_t)i;
    check_tenths(values, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) // the extremes
        values[i] = i % 3 == 0 ? INT64_MIN : i % 3 == 1 ? INT64_MAX : (int64_t)i;
    check_tenths(values, ROWS);
}

static void test_an_even_distribution_makes_ten(void **state)
{
    static int64_t values[ROWS];
    struct exec x;
    struct tally t = { .x = &x, .ranges = true };
    struct tally_tenth tenths[10];
    for (uint32_t i = 0; i < ROWS; i++)
        values[i] = i % (ROWS / 2) + 1;
    run_begin(&x);
    count(&t, values, ROWS);
    assert_int_equal(tally_tenths(&t.fields[0], tenths), 10);
    for (int k = 0; k < 10; k++) // a range is at most 1/32 of its power of two wide
        assert_in_range(tenths[k].counts[1], 300, 600);
    run_end(&x, &t);
}

static void test_few_numbers_stay_values(void **state)
{
    static int64_t values[ROWS];
    struct exec x;
    struct tally t = { .x = &x, .ranges = true };
    for (uint32_t i = 0; i < ROWS; i++)
        values[i] = i % TALLY_NUMBERS;
    run_begin(&x);
    count(&t, values, ROWS);
    assert_null(t.fields[0].pages);
    assert_int_equal(t.fields[0].values.values.n, TALLY_NUMBERS);
    run_end(&x, &t);
}

static void test_too_many_values_are_not_counted(void **state)
{
    static int64_t values[ROWS];
    struct exec x;
    struct tally t = { .x = &x };
    uint64_t sel[BITS_WORDS(ROWS)];
    struct cvec v = { .kind = CVEC_I64, .type = QVAL_INT, .i64 = values };
    uint32_t field;
    memset(sel, 0, sizeof sel);
    for (uint32_t i = 0; i < ROWS; i++) {
        values[i] = i;
        bit_set(sel, i);
    }
    run_begin(&x);
    assert_int_equal(tally_field_get(&t, STR("n"), ROWS - 1, &field), 0);
    assert_int_equal(tally_vec(&t, field, &v, sel, sel, ROWS), 0);
    assert_true(t.fields[field].over);
    run_end(&x, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenths_are_what_their_bounds_say),
        cmocka_unit_test(test_an_even_distribution_makes_ten),
        cmocka_unit_test(test_few_numbers_stay_values),
        cmocka_unit_test(test_too_many_values_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
