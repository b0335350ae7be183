#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api_internal.h"
#include "base/clock.h"

#define HOUR_NS (3600 * NS_PER_S)

static const int64_t began = 500000 * HOUR_NS; // begin of the present hour

// `hours` whole hours of `size` bytes each before the present one, which is half over.
static struct store_usage steady(int hours, double size)
{
    struct store_usage u = { .hours_from = began - (STORE_USAGE_HOURS - 1) * HOUR_NS };
    struct store_source_usage *s = &u.sources[RECORD_LOGS];
    s->parts = 1;
    s->received_min = began - hours * HOUR_NS;
    s->hours[STORE_USAGE_HOURS - 1] = size / 2;
    for (int h = 1; h <= hours && h < STORE_USAGE_HOURS; h++)
        s->hours[STORE_USAGE_HOURS - 1 - h] = size;
    return u;
}

static void a_steady_stream_is_its_rate_however_long_it_runs(void **state)
{
    static const int hours[] = { 0, 1, 5, 23, 24, 40, 47, 100 };
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        struct store_usage u = steady(hours[i], 1e6);
        int64_t span = 0, now = began + HOUR_NS / 2;
        double rate = api_storage_rate(&u, now, &span);
        assert_true(rate > 23.99e6 && rate < 24.01e6);
        assert_true(span <= 24 * HOUR_NS && span >= HOUR_NS / 2);
    }
}

static void ten_minutes_are_the_least_to_say_anything(void **state)
{
    struct store_usage u = steady(0, 1e6);
    int64_t span = -1;
    assert_true(api_storage_rate(&u, began + 599 * NS_PER_S, &span) == 0);
    assert_int_equal(span, -1);
    assert_true(api_storage_rate(&u, began + 600 * NS_PER_S, &span) > 0);
    struct store_usage none = { .hours_from = u.hours_from };
    assert_true(api_storage_rate(&none, began + HOUR_NS / 2, &span) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_stream_is_its_rate_however_long_it_runs),
        cmocka_unit_test(ten_minutes_are_the_least_to_say_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
