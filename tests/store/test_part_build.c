// Parts against a naive model: what was put in comes out, in the order that parts promise, bit for bit; built from
// heads or from parts.
#include "base/err.h"
#include "disk_mem.h"
#include "part_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

static struct part_env env;
static uint64_t next_id = 1;

static int setup(void **state)
{
    assert_int_equal(disk_mem_new(0, &env.disk), 0);
    assert_int_equal(disk_mkdir(env.disk, "parts"), 0);
    env.dir = "parts";
    env.workspace = 7;
    return part_cache_create(4 << 20, &env.cache);
}

static int teardown(void **state)
{
    part_cache_free(env.cache);
    disk_free(env.disk);
    return 0;
}

static struct part *build(uint8_t source, const struct segment *const *inputs, uint32_t n, enum part_effort effort)
{
    struct part_build_options o = { .id = next_id++, .retention_class = 3, .effort = effort };
    struct part *p;
    struct err err;
    int e = part_build(&env, source, inputs, n, &o, &p, &err);
    if (e < 0)
        fail_msg("%s: %s %s", err_text(e), err.message, err.place);
    return p;
}

static void check_part(uint8_t source, const struct part *p, const struct model *want)
{
    for (int by_rows = 0; by_rows < 2; by_rows++) {
        int e;
        struct model got = model_read(part_segment(p), by_rows, &e);
        assert_int_equal(e, 0);
        if (source == RECORD_METRICS)
            model_assert_same_set(want, &got);
        else
            model_assert_same(want, &got);
        model_free(&got);
    }
    struct part_facts f;
    part_facts(p, &f);
    assert_int_equal(f.rows, want->n);
    assert_int_equal(f.duplicates, want->duplicates);
    assert_int_equal(f.retention_class, 3);
    assert_int_equal(f.source, source);
}

static void round_trip(uint8_t source, uint64_t seed, uint32_t rows, uint32_t inputs_n, unsigned keys)
{
    struct record_maker m;
    struct fake_segment *f[8];
    const struct segment *s[8];
    record_maker_init(&m, seed);
    m.keys = keys;
    m.values = seed % 2 ? 50 : 100000;
    m.traces = rows / 10 + 1;
    for (uint32_t i = 0; i < inputs_n; i++) {
        f[i] = fake_segment_new(source, i % 2 ? 0 : 100 + (uint32_t)seed % 500);
        fake_segment_raw(f[i], seed % 3 == 0);
        model_fill(f[i], &m, source, rows);
        s[i] = fake_segment_get(f[i]);
    }
    struct model want = model_of(source, s, inputs_n);
    for (int effort = PART_YOUNG; effort <= PART_MERGED; effort++) {
        struct part *p = build(source, s, inputs_n, (enum part_effort)effort);
        check_part(source, p, &want);
        struct err err;
        assert_int_equal(part_verify(p, &err), 0);
        part_unlink_when_unused(p);
        part_unref(p);
    }
    model_free(&want);
    for (uint32_t i = 0; i < inputs_n; i++)
        fake_segment_free(f[i]);
    record_maker_free(&m);
}

static void test_every_source(void **state)
{
    for (uint8_t source = 0; source < RECORD_SOURCES; source++)
        for (uint64_t seed = 1; seed <= 4; seed++)
            round_trip(source, seed * 100 + source, 150, 1 + (uint32_t)seed % 3, 20);
}

static void test_one_row(void **state)
{
    for (uint8_t source = 0; source < RECORD_SOURCES; source++)
        round_trip(source, 900u + source, 1, 1, 3);
}

static void test_several_blocks(void **state)
{
    round_trip(RECORD_SPANS, 1001, 5000, 3, 12);
    round_trip(RECORD_LOGS, 1002, 5000, 3, 12);
    round_trip(RECORD_METRICS, 1003, 9000, 1, 5);
}

static void test_many_keys(void **state)
{
    // More columns than may have chunks of their own: the rest lives in the tails.
    round_trip(RECORD_SPANS, 2001, 3000, 1, 1500);
}

// A part made of parts is the part made of what they were made of.
static void merge_equals(uint8_t source, uint64_t seed, uint32_t rows)
{
    enum { N = 4 };
    struct record_maker m;
    struct fake_segment *f[N];
    const struct segment *heads[N], *parts[N];
    struct part *p[N];
    record_maker_init(&m, seed);
    m.traces = rows / 5 + 1;
    for (int i = 0; i < N; i++) {
        f[i] = fake_segment_new(source, 300);
        model_fill(f[i], &m, source, rows);
        heads[i] = fake_segment_get(f[i]);
        p[i] = build(source, &heads[i], 1, PART_YOUNG);
        parts[i] = part_segment(p[i]);
    }
    struct part *from_heads = build(source, heads, N, PART_MERGED), *from_parts = build(source, parts, N, PART_MERGED);
    int e;
    struct model a = model_read(part_segment(from_heads), false, &e),
                 b = model_read(part_segment(from_parts), true, &e);
    struct model want = model_of(source, heads, N);
    assert_int_equal(a.n, want.n);
    model_assert_same(&a, &b);
    model_free(&want);
    model_free(&a);
    model_free(&b);
    const struct segment *both[2] = { parts[0], heads[1] }; // parts and heads together
    struct part *mixed = build(source, both, 2, PART_YOUNG);
    want = model_of(source, heads, 2);
    a = model_read(part_segment(mixed), false, &e);
    model_assert_same_set(&want, &a);
    model_free(&want);
    model_free(&a);
    part_unref(mixed);
    part_unref(from_heads);
    part_unref(from_parts);
    for (int i = 0; i < N; i++) {
        part_unref(p[i]);
        fake_segment_free(f[i]);
    }
    record_maker_free(&m);
}

static void test_merging_is_building(void **state)
{
    for (uint8_t source = 0; source < RECORD_SOURCES; source++)
        merge_equals(source, 3000u + source, 200);
    merge_equals(RECORD_SPANS, 3100, 4000);
    merge_equals(RECORD_LOGS, 3101, 4000);
}

static void test_no_rows(void **state)
{
    struct fake_segment *f = fake_segment_new(RECORD_LOGS, 0);
    const struct segment *s = fake_segment_get(f);
    struct part_build_options o = { .id = next_id++ };
    struct part *p;
    struct err err;
    assert_int_equal(part_build(&env, RECORD_LOGS, &s, 1, &o, &p, &err), ERR_NOENT);
    fake_segment_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_every_source),
        cmocka_unit_test(test_several_blocks),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_merging_is_building),
        cmocka_unit_test(test_no_rows),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
