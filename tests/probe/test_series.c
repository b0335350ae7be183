// What probes count: series by key, room for so many, buckets, and a reader that believes nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "probe/probe.h"
#include "probe/series.h"
#include <cmocka.h>

#define NOW (1700000000ll * 1000000000)
#define S 1000000000ll
enum { OWNER = 77 };

static struct probe_series_table table;
static struct probe_series_told told;
static struct buf out;
static const struct probe_by names[] = { { .name = STR_INIT("a") }, { .name = STR_INIT("b") } };

static struct probe probe_of(enum probe_metric_kind kind, size_t n_by)
{
    struct probe p;
    probe_defaults(&p, PROBE_METRIC);
    p.id = STR("p1"), p.revision = 1, p.has_metric = true;
    p.where = (struct probe_where){ .kind = PROBE_AT_LINE, .file = STR("a.py"), .line = 7 };
    p.metric.kind = kind, p.metric.name = STR("x"), p.metric.by = names, p.metric.n_by = n_by;
    return p;
}

static int begin(void **state)
{
    told = (struct probe_series_told){ 0 };
    probe_series_reset(&table, OWNER, NOW - 60 * S);
    return 0;
}

static void add_int(int64_t i, double value, bool buckets)
{
    struct probe_series_key key = { 0 };
    probe_series_part(&key, PROBE_PART_INT, &i, 8, 0);
    probe_series_add(&table, &key, value, buckets);
}

static int report_of(const struct probe *p, int64_t now, bool again)
{
    struct json_writer w;
    buf_clear(&out);
    json_writer_init(&w, &out);
    int rc = probe_series_json(&table, OWNER, p, now, again, &told, &w);
    buf_byte(&out, 0);
    return rc;
}
#define REPORT(p, now) report_of((p), (now), false)
#define HAS(what)                                             \
    do {                                                      \
        if (!strstr((char *)out.ptr, (what)))                 \
            fail_msg("no %s in %s", (what), (char *)out.ptr); \
    } while (0)

static void keys(void **state)
{
    struct probe p = probe_of(PROBE_METRIC_COUNT, 2);
    bool yes = true;
    double d = 1.5;
    char text[300];
    memset(text, 'x', sizeof text);
    memcpy(text + 95, "\xc3\xa4", 2); // its border is no place to cut
    for (int i = 0; i < 3; i++) {
        struct probe_series_key key = { 0 };
        probe_series_part(&key, PROBE_PART_BOOL, &yes, 1, 1);
        probe_series_part(&key, PROBE_PART_FLOAT, &d, 8, 0);
        probe_series_add(&table, &key, 0, false);
    }
    struct probe_series_key key = { 0 };
    probe_series_part(&key, PROBE_PART_TEXT, text, sizeof text, 1);
    probe_series_part(&key, PROBE_PART_NULL, NULL, 0, 0);
    probe_series_add(&table, &key, 0, false);
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"by\":{\"a\":true,\"b\":1.5},\"new\":true,\"count\":3");
    HAS("x\",\"b\":\"null\"},\"new\":true,\"count\":1");
    text[95] = 0;
    HAS(text);
    // Eight texts share the room.
    key = (struct probe_series_key){ 0 };
    for (unsigned i = 0; i < PROBE_SERIES_BY_MAX; i++)
        probe_series_part(&key, PROBE_PART_TEXT, text, 90, PROBE_SERIES_BY_MAX - 1 - i);
    assert_in_range(key.len, 2 * PROBE_SERIES_BY_MAX, PROBE_SERIES_KEY);
}

static void room(void **state)
{
    struct probe p = probe_of(PROBE_METRIC_COUNT, 1);
    for (int64_t i = 0; i < 3 * PROBE_SERIES_MAX; i++)
        add_int(i, 0, false);
    add_int(5, 0, false);
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"by\":{\"a\":5},\"new\":true,\"count\":2");
    HAS("{\"overflow\":true,\"new\":true,\"count\":128}");
    assert_int_equal(told.hits, 3 * PROBE_SERIES_MAX + 1);
}

static void buckets(void **state)
{
    struct probe p = probe_of(PROBE_METRIC_HISTOGRAM, 0);
    struct probe_series_key key = { 0 };
    for (unsigned i = 0; i < PROBE_SERIES_BOUNDS; i++) {
        assert_true(i == 0 || probe_series_bounds[i] > probe_series_bounds[i - 1]);
        probe_series_add(&table, &key, probe_series_bounds[i], true); // the bound itself is below it
        assert_int_equal(table.series[0].buckets[i], 1);
    }
    probe_series_add(&table, &key, 1e300, true);
    probe_series_add(&table, &key, -3, true);
    assert_int_equal(table.series[0].buckets[PROBE_SERIES_BOUNDS], 1);
    assert_int_equal(table.series[0].buckets[0], 2);
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"min\":-3,\"max\":1e+300,\"buckets\":[2,1,");
}

static void what_was_told(void **state)
{
    struct probe p = probe_of(PROBE_METRIC_COUNT, 1);
    assert_int_equal(REPORT(&p, NOW), 0); // nothing yet
    add_int(1, 0, false);
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"start\":\"2023-11-14T22:12:20.000000000Z\",\"since\":\"2023-11-14T22:12:20.000000000Z\"");
    assert_int_equal(REPORT(&p, NOW + S), 0); // no news
    assert_int_equal(report_of(&p, NOW + S, true), 1);
    add_int(2, 0, false);
    assert_int_equal(REPORT(&p, NOW + 2 * S), 1);
    HAS("\"since\":\"2023-11-14T22:13:21.000000000Z\"");
    HAS("{\"by\":{\"a\":1},\"count\":1},{\"by\":{\"a\":2},\"new\":true,\"count\":1}");
    assert_int_equal(probe_series_json(&table, OWNER + 1, &p, NOW, true, &told, &(struct json_writer){ .out = &out }),
                     0);
}

static void nothing_is_believed(void **state)
{
    struct probe p = probe_of(PROBE_METRIC_HISTOGRAM, 1);
    add_int(1, 2, true);
    table.n = 7000;
    assert_int_equal(REPORT(&p, NOW), 0);
    table.n = 1;
    table.series[0].turn++; // its writer died in it
    assert_int_equal(REPORT(&p, NOW), 0);
    table.series[0].turn++;
    table.series[0].buckets[3] = UINT64_MAX;
    assert_int_equal(REPORT(&p, NOW), 0);
    table.series[0].buckets[3] = 0;
    table.series[0].key_len = PROBE_SERIES_KEY + 1;
    assert_int_equal(REPORT(&p, NOW), 0);
    table.series[0].key_len = 10;
    table.series[0].key[1] = 255; // longer than the key
    table.start_ns = INT64_MAX;
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"by\":{}");
    HAS("\"start\":\"2023-11-14T22:13:20");
    table.series[0].sum = __builtin_inf();
    assert_int_equal(report_of(&p, NOW, true), 0);
}

// --- tables of several threads ---

static struct probe_series_table threads[3];

static void add_in(unsigned thread, int64_t i, double value)
{
    struct probe_series_key key = { 0 };
    probe_series_part(&key, PROBE_PART_INT, &i, 8, 0);
    probe_series_add(&threads[thread], &key, value, true);
}

// What the agent does with each of them, time and again; before: what it read last.
static void join(unsigned thread, struct probe_series before[PROBE_SERIES_MAX + 1])
{
    for (unsigned i = 0; i <= PROBE_SERIES_MAX; i++) {
        const struct probe_series *now = &threads[thread].series[i];
        if (i < threads[thread].n || i == PROBE_SERIES_MAX) {
            assert_true(probe_series_join(&table, now, &before[i], i == PROBE_SERIES_MAX));
            before[i] = *now;
        }
    }
}

static void threads_are_one_sum(void **state)
{
    static struct probe_series before[2][PROBE_SERIES_MAX + 1];
    struct probe p = probe_of(PROBE_METRIC_HISTOGRAM, 1);
    memset(threads, 0, sizeof threads);
    add_in(0, 1, 5), add_in(0, 2, 0.5);
    add_in(1, 2, 7), add_in(1, 2, -1), add_in(1, 1, 2);
    join(0, before[0]), join(1, before[1]);
    join(0, before[0]), join(1, before[1]); // nothing new is nothing more
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"by\":{\"a\":1},\"new\":true,\"count\":2,\"sum\":7,\"min\":2,\"max\":5,");
    HAS("\"by\":{\"a\":2},\"new\":true,\"count\":3,\"sum\":6.5,\"min\":-1,\"max\":7,");
    add_in(1, 2, 20);
    join(0, before[0]), join(1, before[1]);
    add_in(0, 2, 30);
    join(0, before[0]), join(1, before[1]);
    assert_int_equal(REPORT(&p, NOW + S), 1);
    HAS("\"by\":{\"a\":1},\"count\":2,\"sum\":7,");
    HAS("\"by\":{\"a\":2},\"count\":5,\"sum\":56.5,\"min\":-1,\"max\":30,");
    uint64_t all = 0;
    for (size_t i = 0; i <= PROBE_SERIES_BOUNDS; i++)
        all += table.series[1].buckets[i];
    assert_int_equal(all, 5);
    // One that has ended is asked no more, and another one begins.
    memset(&threads[1], 0, sizeof threads[1]), memset(before[1], 0, sizeof before[1]);
    add_in(1, 2, 1);
    join(1, before[1]);
    assert_int_equal(REPORT(&p, NOW + 2 * S), 1);
    HAS("\"by\":{\"a\":2},\"count\":6,\"sum\":57.5,");
}

static void the_last_value_is_of_who_has_set_one(void **state)
{
    static struct probe_series before[2][PROBE_SERIES_MAX + 1];
    struct probe p = probe_of(PROBE_METRIC_GAUGE, 1);
    memset(threads, 0, sizeof threads);
    add_in(0, 1, 5), add_in(1, 1, 6);
    join(0, before[0]), join(1, before[1]);
    assert_int_equal(REPORT(&p, NOW), 1);
    HAS("\"last\":6");
    add_in(0, 1, 4);
    join(0, before[0]), join(1, before[1]);
    assert_int_equal(REPORT(&p, NOW + S), 1);
    HAS("\"last\":4");
}

// Threads that count other series: those that were there first stay, whatever comes.
static void room_for_all_threads(void **state)
{
    static struct probe_series before[3][PROBE_SERIES_MAX + 1];
    struct probe p = probe_of(PROBE_METRIC_COUNT, 1);
    memset(threads, 0, sizeof threads);
    for (int64_t i = 0; i < 40; i++)
        add_in(0, i, 0), add_in(1, 100 + i, 0);
    join(0, before[0]), join(1, before[1]); // 24 of the second one's have room
    for (int64_t i = 0; i < 30; i++)
        add_in(0, 40 + i, 0); // 6 in its own overflow
    for (int64_t i = 0; i < 40; i++)
        add_in(1, 100 + i, 0), add_in(2, 100 + i, 0);
    join(0, before[0]), join(1, before[1]), join(2, before[2]);
    assert_int_equal(REPORT(&p, NOW), 1);
    assert_int_equal(table.n, PROBE_SERIES_MAX);
    HAS("\"by\":{\"a\":39},\"new\":true,\"count\":1}");
    HAS("\"by\":{\"a\":123},\"new\":true,\"count\":3}");
    HAS("{\"overflow\":true,\"new\":true,\"count\":78}"); // 16 * 3 + 30
    assert_int_equal(told.hits, 40 + 40 + 30 + 40 + 40);
}

static void a_thread_is_not_believed_either(void **state)
{
    struct probe_series now = { .key_len = 1, .count = 3, .sum = 3, .buckets = { 3 } }, before = now, bad;
    struct probe_series none = { 0 };
    assert_true(probe_series_join(&table, &now, &none, false));
    now.count = 5, now.buckets[1] = 2;
#define REFUSED(change)                                                \
    do {                                                               \
        bad = now;                                                     \
        change;                                                        \
        assert_false(probe_series_join(&table, &bad, &before, false)); \
    } while (0)
    REFUSED(bad.count = 2);
    REFUSED(bad.count = UINT64_MAX);
    REFUSED(bad.buckets[0] = 2);
    REFUSED(bad.buckets[0] = 4);
    REFUSED(bad.buckets[9] = UINT64_MAX);
    REFUSED(bad.key[0] = 1);
    REFUSED(bad.key_len = 2);
    REFUSED(bad.key_len = PROBE_SERIES_KEY + 1);
    REFUSED(bad.sum = __builtin_inf());
    REFUSED(bad.last = __builtin_nan(""));
    assert_int_equal(table.series[0].count, 3);
    assert_true(probe_series_join(&table, &now, &before, false));
    assert_int_equal(table.series[0].count, 5);
    assert_int_equal(table.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keys, begin),
        cmocka_unit_test_setup(room, begin),
        cmocka_unit_test_setup(buckets, begin),
        cmocka_unit_test_setup(what_was_told, begin),
        cmocka_unit_test_setup(nothing_is_believed, begin),
        cmocka_unit_test_setup(threads_are_one_sum, begin),
        cmocka_unit_test_setup(the_last_value_is_of_who_has_set_one, begin),
        cmocka_unit_test_setup(room_for_all_threads, begin),
        cmocka_unit_test_setup(a_thread_is_not_believed_either, begin),
    };
    buf_init(&out, 1 << 20);
    int rc = cmocka_run_group_tests_name("probe_series", tests, NULL, NULL);
    buf_free(&out);
    return rc;
}
