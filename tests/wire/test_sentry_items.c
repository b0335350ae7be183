// Items beside events: what of them becomes records, and what is refused.
#include "wire/sentry_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;
static const struct sentry_source from = { .service = STR_INIT("shop"), .received_ns = 1795881740000000000 };
static struct {
    uint32_t n;
    int64_t sum, last_time;
    uint8_t source;
} seen;

static int on_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope) { return 0; }
static int on_record(void *ctx, const struct record *r)
{
    seen.n++;
    seen.source = r->source;
    seen.last_time = r->time;
    for (uint32_t i = 0; i < r->attrs_n; i++)
        if (str_eq(r->attrs[i].key, STR("value")) || str_eq(r->attrs[i].key, STR("quantity")))
            seen.sum += r->attrs[i].value.type == VALUE_INT ? r->attrs[i].value.i : (int64_t)r->attrs[i].value.d;
    return 0;
}
static const struct record_sink sink = { NULL, on_section, on_record };
static struct sentry_counts counts;

static int setup(void **unused)
{
    arena_init(&arena, 8 << 20);
    memset(&seen, 0, sizeof seen);
    counts = (struct sentry_counts){ 0 };
    return 0;
}
static int teardown(void **unused)
{
    arena_free(&arena);
    return 0;
}

static const struct json_node *tree(const char *json)
{
    const struct json_node *root;
    assert_int_equal(json_tree_read(str_z(json), &arena, 64, &root, NULL), 0);
    return root;
}

static void statsd_of_every_kind(void **unused)
{
    // Counters add up, distributions are samples, sets say how many, a gauge its last; the rest is dropped and counted.
    static const char lines[] =
        "a@none:1:2:3|c\nb:1.5:2.5|d|#k:v\nc:x:y|s\nd:7:1:9:20:4|g\n\nnothing\ne:1|z\nf:word|c\n:1|c\n";
    assert_int_equal(sentry_statsd_records(str_z(lines), &from, &arena, &sink, &counts), 0);
    assert_int_equal(seen.n, 5);
    assert_int_equal(seen.sum, 6 + 1 + 2 + 2 + 7);
    assert_int_equal(counts.dropped, 4);
    assert_int_equal(seen.source, RECORD_METRICS);
}

static void statsd_times(void **unused)
{
    assert_int_equal(sentry_statsd_records(STR("a:1|c|T1700000000"), &from, &arena, &sink, &counts), 0);
    assert_int_equal(seen.last_time, 1700000000000000000);
    assert_int_equal(sentry_statsd_records(STR("a:1|c|T99999999999"), &from, &arena, &sink, &counts), 0);
    assert_int_equal(seen.last_time, from.received_ns);
}

static void aggregates_are_a_record_a_count(void **unused)
{
    const struct json_node *root =
        tree("{\"aggregates\":[{\"started\":\"2026-01-01T00:00:00Z\",\"exited\":90,\"errored\":0,"
             "\"crashed\":3,\"abnormal\":-1},{\"exited\":1}],\"attrs\":{}}");
    assert_int_equal(sentry_session_records(root, &from, &arena, &sink, &counts), 0);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.sum, 93);
    assert_int_equal(counts.dropped, 1); // it does not say when
}

static void what_is_no_such_item(void **unused)
{
    struct sentry_profile profile;
    struct sentry_replay replay;
    struct sentry_feedback feedback;
    int64_t segment;
    const struct json_node *nothing = tree("{}");
    assert_int_equal(sentry_session_records(nothing, &from, &arena, &sink, &counts), ERR_MALFORMED);
    assert_int_equal(
        sentry_check_record(tree("{\"monitor_slug\":\"m\",\"status\":\"fine\"}"), &from, &arena, &sink, &counts),
        ERR_MALFORMED);
    assert_int_equal(sentry_profile_record(nothing, &from, &arena, &sink, &counts, &profile), ERR_MALFORMED);
    assert_int_equal(sentry_replay_read(nothing, &arena, &replay), ERR_MALFORMED);
    assert_int_equal(sentry_feedback_read(nothing, &arena, &feedback), ERR_MALFORMED);
    assert_int_equal(sentry_recording_segment(bytes_of_str(STR("{\"segment_id\":1}")), &arena, &segment),
                     ERR_MALFORMED);
    assert_int_equal(seen.n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = { T(statsd_of_every_kind), T(statsd_times), T(aggregates_are_a_record_a_count),
                                        T(what_is_no_such_item) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
