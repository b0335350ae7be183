#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "os/queue.h"
#include "os/timer.h"

#include <stdlib.h>

struct item {
    struct timer timer;
    struct timer_wheel *wheel;
    int64_t want, fired_at;
    int fired;
    struct item *kill; // cleared when this one fires
    int64_t again;     // set anew with this delay
};

static void on_item(struct timer *t)
{
    struct item *i = OS_CONTAINER(t, struct item, timer);
    i->fired++;
    i->fired_at = i->wheel->now_ms;
    if (i->kill)
        timer_clear(i->wheel, &i->kill->timer);
    if (i->again)
        timer_set(i->wheel, t, i->wheel->now_ms + i->again);
}

// Every timer fires exactly at its tick, whatever the steps in which time moves.
static void test_random(void **state)
{
    enum { N = 2000 };
    static struct item items[N];
    for (unsigned round = 0; round < 20; round++) {
        srand(round);
        struct timer_wheel w;
        int64_t start = rand() % 2 ? 1000000007LL * (rand() % 1000) : 4096 - 5;
        timer_wheel_init(&w, start);
        int64_t now = start, last = start;
        for (int i = 0; i < N; i++) {
            int64_t span = 1ll << (rand() % 28);
            items[i] = (struct item){ .timer.fn = on_item, .wheel = &w, .want = start + 1 + rand() % span };
            timer_set(&w, &items[i].timer, items[i].want);
            if (i % 7 == 0)
                timer_clear(&w, &items[i].timer);
            else if (items[i].want > last)
                last = items[i].want;
        }
        while (timer_wheel_wait_ms(&w) >= 0) {
            int64_t wait = timer_wheel_wait_ms(&w);
            now += rand() % 4 ? wait : rand() % (2 * wait + 1);
            timer_wheel_advance(&w, now);
        }
        assert_true(now >= last);
        for (int i = 0; i < N; i++) {
            assert_int_equal(items[i].fired, i % 7 ? 1 : 0);
            if (i % 7)
                assert_int_equal(items[i].fired_at, items[i].want);
            assert_false(timer_is_set(&items[i].timer));
        }
    }
}

static void test_callbacks_change_timers(void **state)
{
    struct timer_wheel w;
    timer_wheel_init(&w, 0);
    struct item a = { .timer.fn = on_item, .wheel = &w }, b = a, c = a;
    a.kill = &b, b.kill = &a; // same tick: whichever comes first kills the other
    c.again = 100;
    timer_set(&w, &a.timer, 5);
    timer_set(&w, &b.timer, 5);
    timer_set(&w, &c.timer, 5);
    timer_wheel_advance(&w, 1005);
    assert_int_equal(a.fired + b.fired, 1);
    assert_int_equal(c.fired, 11);
    timer_clear(&w, &c.timer);
    timer_clear(&w, &c.timer);
    timer_set(&w, &a.timer, 0); // in the past: the next tick
    timer_wheel_advance(&w, 1006);
    assert_int_equal(a.fired_at, 1006);
}

static void test_far_is_cut(void **state)
{
    struct timer_wheel w;
    timer_wheel_init(&w, 77);
    struct item a = { .timer.fn = on_item, .wheel = &w };
    timer_set(&w, &a.timer, INT64_MAX);
    timer_wheel_advance(&w, 77 + (1ll << 30) - 2);
    assert_int_equal(a.fired, 0);
    timer_wheel_advance(&w, 77 + (1ll << 30));
    assert_int_equal(a.fired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_callbacks_change_timers),
                                        cmocka_unit_test(test_far_is_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
