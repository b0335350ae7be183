// Policies of merging and retention, simulated over weeks: bounded rewrites, bounded numbers of parts.
#include "store/merge.h"
#include "store/retention.h"

#include <setjmp.h>
#include <stdarg.h>
// cmocka.h needs these before it
#include <cmocka.h>

struct sim {
    struct part_facts p[4096];
    const struct part_facts *order[4096];
    uint32_t n;
    uint64_t rewritten, arrived;
};

static void sim_add(struct sim *s, uint8_t source, uint64_t rows)
{
    s->p[s->n] = (struct part_facts){ .id = s->n, .rows = rows, .bytes = rows * 30, .source = source, .columns = 40 };
    s->n++;
    s->arrived += rows;
}

// As the background does it: the result stands where the first input stood.
static void sim_settle(struct sim *s)
{
    uint32_t pick[MERGE_INPUTS_MAX], n;
    for (;;) {
        for (uint32_t i = 0; i < s->n; i++)
            s->order[i] = &s->p[i];
        if (!(n = merge_pick(s->order, s->n, NULL, &merge_limits_default, pick)))
            break;
        assert_in_range(n, MERGE_INPUTS_MIN, MERGE_INPUTS_MAX);
        for (uint32_t k = 0; k < n; k++) {
            s->rewritten += s->p[pick[k]].rows;
            assert_int_equal(s->p[pick[k]].source, s->p[pick[0]].source);
            if (k) {
                s->p[pick[0]].rows += s->p[pick[k]].rows;
                s->p[pick[0]].bytes += s->p[pick[k]].bytes;
            }
        }
        uint32_t kept = 0;
        for (uint32_t i = 0, k = 1; i < s->n; i++) {
            if (k < n && i == pick[k])
                k++;
            else
                s->p[kept++] = s->p[i];
        }
        s->n = kept;
    }
}

static void test_full_heads_are_rewritten_once(void **state)
{
    static struct sim s;
    s = (struct sim){ 0 };
    for (int i = 0; i < 400; i++) {
        sim_add(&s, 0, 1u << 20);
        sim_settle(&s);
    }
    assert_true(s.rewritten <= s.arrived * 11 / 10);
    assert_true(s.n < 50);
}

static void test_a_trickle_of_three_sources(void **state)
{
    static struct sim s;
    s = (struct sim){ 0 };
    for (int i = 0; i < 3000; i++) {
        sim_add(&s, (uint8_t)(i % 3), 50 + (uint64_t)(i * 7919 % 100));
        sim_settle(&s);
        assert_true(s.n < 200);
    }
    assert_true(s.rewritten <= s.arrived * 4);
}

static void test_debt_is_what_will_be_rewritten(void **state)
{
    static struct sim s;
    s = (struct sim){ 0 };
    for (int i = 0; i < 40; i++)
        sim_add(&s, 0, 1000);
    for (uint32_t i = 0; i < s.n; i++)
        s.order[i] = &s.p[i];
    uint64_t debt = merge_debt_rows(s.order, s.n, &merge_limits_default);
    sim_settle(&s);
    assert_int_equal(debt, s.rewritten);
    assert_true(debt > 0);
}

static void test_busy_and_too_large_are_left(void **state)
{
    static struct sim s;
    s = (struct sim){ 0 };
    for (int i = 0; i < 20; i++)
        sim_add(&s, 0, 1000);
    bool busy[20] = { [10] = true };
    uint32_t pick[MERGE_INPUTS_MAX];
    for (uint32_t i = 0; i < s.n; i++)
        s.order[i] = &s.p[i];
    assert_int_equal(merge_pick(s.order, s.n, busy, &merge_limits_default, pick), 0);
    for (int i = 0; i < 20; i++)
        s.p[i].rows = s.p[i].bytes = 30u << 20;
    assert_int_equal(merge_pick(s.order, s.n, NULL, &merge_limits_default, pick), 0);
}

static void test_retention(void **state)
{
    struct part_facts p[4] = {
        { .bytes = 100, .received_max = 10 },
        { .bytes = 100, .received_max = 20 },
        { .bytes = 100, .received_max = 30 },
        { .bytes = 100, .received_max = 40 },
    };
    const struct part_facts *order[] = { &p[2], &p[0], &p[3], &p[1] };
    bool drop[4];
    struct retention_limits l = { .now = 45, .keep_ns = { 20 } };
    assert_int_equal(retention_pick(order, 4, NULL, &l, drop), 2);
    assert_true(!drop[0] && drop[1] && !drop[2] && drop[3]);
    p[0].source = p[3].source = RECORD_SNAPSHOTS; // each source has its own age
    l = (struct retention_limits){ .now = 45, .keep_ns = { [RECORD_SNAPSHOTS] = 1 } };
    assert_int_equal(retention_pick(order, 4, NULL, &l, drop), 2);
    assert_true(!drop[0] && drop[1] && drop[2] && !drop[3]);
    l = (struct retention_limits){ .now = 45, .disk_cap_bytes = 250 };
    assert_int_equal(retention_pick(order, 4, NULL, &l, drop), 2);
    assert_true(!drop[0] && drop[1] && !drop[2] && drop[3]);
    l.other_bytes = 200; // the log counts too; the oldest is busy
    bool busy[4] = { [1] = true };
    assert_int_equal(retention_pick(order, 4, busy, &l, drop), 3);
    assert_false(drop[1]);
    l = (struct retention_limits){ .now = 1 << 30 };
    assert_int_equal(retention_pick(order, 4, NULL, &l, drop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_heads_are_rewritten_once),
        cmocka_unit_test(test_a_trickle_of_three_sources),
        cmocka_unit_test(test_debt_is_what_will_be_rewritten),
        cmocka_unit_test(test_busy_and_too_large_are_left),
        cmocka_unit_test(test_retention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
