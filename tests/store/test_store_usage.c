#include "base/clock.h"
#include "disk_mem.h"
#include "store/store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define HOUR_NS (3600 * NS_PER_S)

static void on_done(void *ctx, int result) { *(_Atomic int *)ctx = result == 0 ? 1 : -1; }

static void put(struct store *s, uint8_t source, int rows)
{
    struct batch *b;
    static const uint64_t none[2];
    struct record_entity entity = { 0 };
    _Atomic int done = 0;
    assert_int_equal(store_batch_begin(s, 0, 1, none, &b), 0);
    struct record_sink sink = batch_sink(b);
    assert_int_equal(sink.section(sink.ctx, &entity, &entity), 0);
    for (int i = 0; i < rows; i++) {
        struct record r = { .source = source, .name = STR("x"), .span = (uint64_t)i + 1, .time = i + 1 };
        assert_int_equal(sink.record(sink.ctx, &r), 0);
    }
    batch_commit_take(b, on_done, (void *)&done);
    while (!done)
        clock_mono_ns();
    assert_int_equal(done, 1);
}

static double sum(const double *hours, int n)
{
    double total = 0;
    for (int i = 0; i < n; i++)
        total += hours[i];
    return total;
}

static void what_is_kept_is_counted_by_source_and_hour(void **state)
{
    struct disk *disk;
    struct store *s;
    struct store_usage u;
    struct err err;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct store_options o = {
        .dir = ".", .disk = disk, .lanes = 1, .manual = true, .retention_ns = { 7, 8 }, .disk_cap_bytes = 1u << 30
    };
    assert_int_equal(store_open(&o, &s, &err), 0);
    assert_int_equal(store_usage(s, clock_unix_ns(), &u), 0);
    assert_int_equal(u.sources[RECORD_SPANS].parts, 0);
    assert_int_equal(u.sources[RECORD_SPANS].retention_ns, 7);
    assert_int_equal(u.sources[RECORD_LOGS].retention_ns, 8);
    assert_int_equal(u.disk_cap_bytes, 1u << 30);
    s->o.retention_ns[RECORD_SPANS] = s->o.retention_ns[RECORD_LOGS] = 0; // nothing is to expire below
    put(s, RECORD_SPANS, 100);
    put(s, RECORD_LOGS, 5);
    assert_int_equal(store_settle(s, &err), 0);
    int64_t now = clock_unix_ns();
    assert_int_equal(store_usage(s, now, &u), 0);
    assert_int_equal(u.sources[RECORD_SPANS].rows, 100);
    assert_int_equal(u.sources[RECORD_LOGS].rows, 5);
    assert_int_equal(u.sources[RECORD_METRICS].parts, 0);
    assert_true(u.sources[RECORD_SPANS].bytes > 0 && u.log_bytes > 0);
    assert_true(u.sources[RECORD_SPANS].received_min <= u.sources[RECORD_SPANS].received_max &&
                u.sources[RECORD_SPANS].received_max <= now);
    // All of it in the newest hour, or the one before if the clock has struck meanwhile.
    double bytes_of_spans = (double)u.sources[RECORD_SPANS].bytes;
    assert_true(sum(u.sources[RECORD_SPANS].hours + STORE_USAGE_HOURS - 2, 2) > bytes_of_spans * 0.999);
    assert_true(sum(u.sources[RECORD_SPANS].hours, STORE_USAGE_HOURS) < bytes_of_spans * 1.001);
    assert_int_equal(u.hours_from % HOUR_NS, 0);
    // As seen a day later it lies a day back, as seen a week later outside.
    assert_int_equal(store_usage(s, now + 24 * HOUR_NS, &u), 0);
    assert_true(sum(u.sources[RECORD_SPANS].hours + STORE_USAGE_HOURS - 26, 2) > bytes_of_spans * 0.999);
    assert_int_equal(store_usage(s, now + 168 * HOUR_NS, &u), 0);
    assert_true(sum(u.sources[RECORD_SPANS].hours, STORE_USAGE_HOURS) == 0);
    store_close(s);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_kept_is_counted_by_source_and_hour) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
