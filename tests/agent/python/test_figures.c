// Probes that count: series by what expressions give, exact at any rate, timers of whole calls, and the last word when they are taken out.
#include "order_test.h"
#include "probe/series.h"

static struct arena arena;

static struct probe metric(enum probe_metric_kind kind, const char *value)
{
    struct probe p = line_probe(line_of("done = even and customer and items"));
    p.kind = PROBE_METRIC, p.has_metric = true, p.rate = 1, p.burst = 1; // which is not what counters go by
    p.metric.kind = kind, p.metric.name = STR("orders");
    p.metric.has_value = value != NULL;
    if (value)
        p.metric.value = program_of(&arena, value, false);
    return p;
}

static void by(struct probe *p, const char *text)
{
    struct probe_by *list = arena_zalloc(&arena, sizeof *list);
    *list = (struct probe_by){ STR("key"), program_of(&arena, text, false) };
    p->metric.by = list, p->metric.n_by = 1;
}

static long number_after(const char *json, const char *what)
{
    const char *at = strstr(json, what);
    if (!at)
        fail_msg("no %s in %s", what, json);
    return strtol(at + strlen(what), NULL, 10);
}

// More hits than anybody would capture; what the table has when it is taken out is what the hits were.
static void test_count(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = metric(PROBE_METRIC_COUNT, NULL);
        by(&p, "even");
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"kind\":\"metric\",\"time\":");
        has(seen.captures[0], "\"metric\":{\"kind\":\"count\",\"name\":\"orders\",\"start\":");
        has(seen.captures[0], "\"by\":{\"key\":true},\"new\":true,\"count\":");
        uint64_t first = seen.hits;
        UNTIL(&v, a, seen.hits >= first + 500);
        place(a, NULL);
        has_not(seen.captures[seen.n - 1], "\"new\"");
        long odd = number_after(seen.captures[seen.n - 1], "{\"key\":false},\"count\":"),
             even = number_after(seen.captures[seen.n - 1], "{\"key\":true},\"count\":");
        assert_in_range(odd - even + 1, 0, 2);
        assert_true((uint64_t)(odd + even) >= 500 && seen.rate == 0);
        detach(a);
        hear_restored(&v);
        assert_int_equal(v.called, 0);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

// What stood there before says its last as it was.
static void replace(struct attachment *a, const struct probe *p)
{
    place(a, p);
    forget();
}

// A hit of the probe before that was under way may have had the first word: then once more.
static void fails_with(struct victim *v, struct attachment *a, struct probe *p, const char *why)
{
    for (int i = 0; i < 5; i++, p->revision++) {
        replace(a, p);
        UNTIL(v, a, seen.errors >= 3);
        if (strcmp(seen.first_error, why) == 0)
            return;
    }
    assert_string_equal(seen.first_error, why);
}

static void test_values(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = metric(PROBE_METRIC_HISTOGRAM, "items[0].price");
        by(&p, "customer.name");
        place(a, &p);
        UNTIL(&v, a, seen.errors >= 3);
        assert_int_equal(seen.captured, 0);
        struct probe histogram = metric(PROBE_METRIC_HISTOGRAM, "items[0][\"price\"]");
        by(&histogram, "customer.name");
        histogram.revision = 2;
        replace(a, &histogram);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"by\":{\"key\":\"Zo\xc3\xab\"}");
        has(seen.captures[0], "\"min\":60.5,\"max\":60.5,\"buckets\":[0,0,");
        long n = number_after(seen.captures[0], "\"new\":true,\"count\":");
        char want[64];
        snprintf(want, sizeof want, ",0,%ld,0,", n); // between 50 and 100
        has(seen.captures[0], want);
        struct probe gauge = metric(PROBE_METRIC_GAUGE, "i + 0.5");
        gauge.revision = 3;
        replace(a, &gauge);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"kind\":\"gauge\"");
        has(seen.captures[0], ".5}");
        has_not(seen.captures[0], "buckets");
        // What is no number counts nowhere, and says so.
        struct probe text = metric(PROBE_METRIC_GAUGE, "customer.name");
        text.revision = 4;
        fails_with(&v, a, &text, "the value is no number");
        struct probe below = metric(PROBE_METRIC_COUNT, "0 - i");
        below.revision = 14;
        fails_with(&v, a, &below, "the value of a counter is below 0");
        // A secret names no series.
        struct probe secret = metric(PROBE_METRIC_COUNT, NULL);
        by(&secret, "login[\"password\"]");
        secret.revision = 24;
        replace(a, &secret);
        UNTIL(&v, a, seen.errors >= 3);
        assert_int_equal(seen.n, 0);
        detach(a);
        end(&v);
    }
}

static void test_more_series_than_there_is_room(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = metric(PROBE_METRIC_COUNT, NULL);
        by(&p, "i");
        place(a, &p);
        UNTIL(&v, a, seen.captured > PROBE_SERIES_MAX + 100);
        place(a, NULL);
        const char *last = seen.captures[seen.n - 1];
        const char *others = strstr(last, "{\"overflow\":true,");
        assert_non_null(others);
        assert_true(number_after(others, "\"count\":") >= 100);
        size_t series = 0;
        for (const char *at = last; (at = strstr(at, "\"by\"")); at++)
            series++;
        assert_int_equal(series, PROBE_SERIES_MAX);
        detach(a);
        end(&v);
    }
}

// From the entry to the exit, by a return or an exception.
static void test_timer(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = metric(PROBE_METRIC_HISTOGRAM, NULL);
        p.kind = PROBE_TIMER;
        p.where = (struct probe_where){
            .kind = PROBE_AT_FUNCTION, .file = STR("victim_order.py"), .function = STR("check"), .point = PROBE_EXIT
        };
        place(a, &p);
        UNTIL(&v, a, seen.captured >= 60);
        place(a, NULL);
        const char *last = seen.captures[seen.n - 1];
        has(last, "\"kind\":\"timer\"");
        has(last, "\"unit\":\"s\"");
        has(last, "\"function\":\"check\"");
        assert_true(number_after(last, "\"count\":") >= 60);
        double sum = strtod(strstr(last, "\"sum\":") + 6, NULL);
        assert_true(sum > 0 && sum < 60);
        detach(a);
        end(&v);
    }
}

// What was counted last is told when the process has ended, too.
static void test_an_end(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = metric(PROBE_METRIC_COUNT, NULL);
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        long before = number_after(seen.captures[0], "\"count\":");
        UNTIL(&v, a, seen.hits >= (uint64_t)before + 50);
        end(&v);
        detach(a);
        assert_true(number_after(seen.captures[seen.n - 1], "\"count\":") >= before + 50);
    }
}

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    pythons_find();
    return 0;
}

static int teardown(void **state)
{
    pythons_free();
    arena_free(&arena);
    return 0;
}

static int after(void **state)
{
    forget();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_count, after),
        cmocka_unit_test_teardown(test_values, after),
        cmocka_unit_test_teardown(test_more_series_than_there_is_room, after),
        cmocka_unit_test_teardown(test_timer, after),
        cmocka_unit_test_teardown(test_an_end, after),
    };
    return cmocka_run_group_tests_name("agent_python_figures", tests, setup, teardown);
}
