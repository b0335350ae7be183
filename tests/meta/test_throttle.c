#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/throttle.h"

#include <stdio.h>
#include <stdlib.h>

static void waits_double_up_to_the_cap_and_are_forgotten(void **state)
{
    struct throttle *t = malloc(sizeof *t);
    int64_t now = 1000 * NS_PER_S;
    throttle_init(t, 7);
    for (int i = 0; i < THROTTLE_FREE - 1; i++) {
        throttle_fail(t, STR("peer"), STR("a"), now);
        assert_int_equal(throttle_wait_s(t, STR("peer"), STR("a"), now), 0);
    }
    int expect = 1;
    for (int i = 0; i < 40; i++) {
        throttle_fail(t, STR("peer"), STR("a"), now);
        assert_int_equal(throttle_wait_s(t, STR("peer"), STR("a"), now), expect);
        expect = expect * 2 > 256 ? THROTTLE_WAIT_MAX_S : expect * 2;
    }
    assert_int_equal(throttle_wait_s(t, STR("peer"), STR("b"), now), 0);
    assert_int_equal(throttle_wait_s(t, STR("account"), STR("a"), now), 0);
    now += (THROTTLE_FORGET_S + 1) * NS_PER_S;
    assert_int_equal(throttle_wait_s(t, STR("peer"), STR("a"), now), 0);
    throttle_fail(t, STR("peer"), STR("a"), now);
    assert_int_equal(throttle_wait_s(t, STR("peer"), STR("a"), now), 0);
    free(t);
}

static void success_clears(void **state)
{
    struct throttle *t = malloc(sizeof *t);
    throttle_init(t, 7);
    for (int i = 0; i < 10; i++)
        throttle_fail(t, STR("peer"), STR("a"), 1);
    assert_true(throttle_wait_s(t, STR("peer"), STR("a"), 1) > 0);
    throttle_clear(t, STR("peer"), STR("a"));
    assert_int_equal(throttle_wait_s(t, STR("peer"), STR("a"), 1), 0);
    free(t);
}

static void a_flood_of_names_does_not_push_out_one_under_attack(void **state)
{
    struct throttle *t = malloc(sizeof *t);
    throttle_init(t, 7);
    for (int i = 0; i < 10; i++)
        throttle_fail(t, STR("account"), STR("admin"), NS_PER_S);
    for (int i = 0; i < 100000; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "name-%d", i);
        throttle_fail(t, STR("account"), str_of(name, (size_t)n), NS_PER_S);
    }
    assert_true(throttle_wait_s(t, STR("account"), STR("admin"), NS_PER_S) > 0);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_cap_and_are_forgotten),
        cmocka_unit_test(success_clears),
        cmocka_unit_test(a_flood_of_names_does_not_push_out_one_under_attack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
