// Forecasts in Node: hits are counted, whatever they are, and nothing is captured.
#include "victim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { HOT = 37, RUN = 5, BURST = 777, ORDER = 23, SHARED = 8, PATIENCE_S = 100 };

static struct probe forecast(struct victim *v, uint32_t line)
{
    struct probe p = probe_at(v, "p1", line);
    p.count_only = true;
    return p;
}

static void until_hits(struct attachment *a, uint64_t n)
{
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; seen.counts.hits < n; polls(a))
        if (now_ns() > until)
            fail_msg("%llu hits; %s %s %s", (unsigned long long)seen.counts.hits, seen.state, seen.code, seen.message);
}

static void nothing_came_of_it(struct victim *v, struct attachment *a)
{
    assert_int_equal(seen.n, 0);
    assert_int_equal(seen.counts.captured, 0);
    assert_int_equal(seen.counts.errors, 0);
    works(v);
    apply(a, NULL, 0);
    node_backend.detach(a);
    works(v);
    end(v);
}

static void hits_are_counted_and_nothing_is_captured(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], i % 2 ? "victim_order.mjs" : "victim_order.js", "slow");
        struct attachment *a = attach(&v);
        struct probe p = forecast(&v, ORDER);
        apply(a, &p, 1);
        until_state(a, "installed");
        until_hits(a, 50);
        assert_true(seen.counts.ns > 0);
        nothing_came_of_it(&v, a);
    }
}

// The count is whole also when nothing follows that could tell it.
static void the_last_hit_is_told_too(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_burst.js", "");
        struct attachment *a = attach(&v);
        struct probe p = forecast(&v, RUN);
        apply(a, &p, 1);
        until_state(a, "installed");
        for (uint64_t k = 1; k <= 3; k++) {
            kill(v.pid, SIGUSR2);
            until_hits(a, k * BURST);
            assert_int_equal(seen.counts.hits, k * BURST);
        }
        nothing_came_of_it(&v, a);
    }
}

// What costs more than a probe may is suspended, and counted on.
static void a_hot_place_is_counted_on(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_order.js", "hot");
        struct attachment *a = attach(&v);
        struct probe p = forecast(&v, HOT);
        apply(a, &p, 1);
        until_state(a, "suspended");
        uint64_t hits = seen.counts.hits;
        until_hits(a, hits + 2000000);
        nothing_came_of_it(&v, a);
    }
}

static void threads_are_counted_together(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_pool.js", "pool"), any = { .file = "agent/node/victim_shared.js" };
        struct attachment *a = attach(&v);
        struct probe p = forecast(&any, SHARED);
        char line[256];
        long before = -1, calls = 0;
        apply(a, &p, 1);
        until_state(a, "installed");
        while (before < 0) {
            hears(&v, a, line, sizeof line);
            sscanf(line, "calls %ld", &before);
        }
        uint64_t hits = seen.counts.hits;
        // Calls of the workers alone are counted there: of those hits the main thread had a few.
        while (calls < before + 1000) {
            hears(&v, a, line, sizeof line);
            sscanf(line, "calls %ld", &calls);
        }
        until_hits(a, hits + (uint64_t)(calls - before) / 2);
        nothing_came_of_it(&v, a);
    }
}

static void where_a_breakpoint_stands(void **state)
{
    if (!old_node)
        skip();
    struct victim v = start(old_node, "victim_order.js", "slow");
    struct attachment *a = attach(&v);
    struct probe p = forecast(&v, ORDER);
    apply(a, &p, 1);
    until_code(a, "installed", "breakpoint");
    until_hits(a, 20);
    assert_true(seen.counts.ns > seen.counts.hits * 10000);
    nothing_came_of_it(&v, a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hits_are_counted_and_nothing_is_captured),
    cmocka_unit_test(the_last_hit_is_told_too),
    cmocka_unit_test(a_hot_place_is_counted_on),
    cmocka_unit_test(threads_are_counted_together),
    cmocka_unit_test(where_a_breakpoint_stands),
};

int main(void) { return victims_run("forecast", tests, sizeof tests / sizeof *tests); }
