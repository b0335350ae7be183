// Probes that count in Node: what is told is what the hits were, and the last of it when the probe is taken out or the process has ended.
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"
#include <cmocka.h>

static struct arena arena;
static struct probe_by key;

static struct probe metric(struct victim *v, enum probe_metric_kind kind, const char *value, const char *by)
{
    struct probe p = probe_at(v, "p1", 23);
    p.kind = PROBE_METRIC, p.has_metric = true, p.rate = 1, p.burst = 1; // which is not what counters go by
    p.metric.kind = kind, p.metric.name = STR("orders");
    p.metric.has_value = value != NULL;
    if (value)
        p.metric.value = program(&arena, value);
    if (by) {
        key = (struct probe_by){ STR("key"), program(&arena, by) };
        p.metric.by = &key, p.metric.n_by = 1;
    }
    return p;
}

static struct probe first_hits(struct probe p, const char *condition)
{
    p.has_condition = true, p.condition = program(&arena, condition);
    return p;
}

static void until_hits(struct attachment *a, uint64_t n)
{
    for (int64_t until = now_ns() + 100 * 1000000000ll; seen.counts.hits < n; polls(a))
        if (now_ns() > until)
            fail_msg("%llu hits; %s %s %s", (unsigned long long)seen.counts.hits, seen.state, seen.code, seen.message);
}

static long number_after(const char *json, const char *what)
{
    const char *at = strstr(json, what);
    if (!at)
        fail_msg("no %s in %s", what, json);
    return strtol(at + strlen(what), NULL, 10);
}

// Its report, the last one, when all hits that it counts are over.
static const char *last_report(struct attachment *a, struct probe *p, uint64_t hits)
{
    forget();
    apply(a, p, 1);
    until_state(a, "installed");
    until_hits(a, hits);
    apply(a, NULL, 0);
    assert_true(seen.n > 0);
    return seen.captures[seen.n - 1];
}

static void counts_are_exact(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], i % 2 ? "victim_order.mjs" : "victim_order.js", "slow");
        struct attachment *a = attach(&v);
        struct probe p = first_hits(metric(&v, PROBE_METRIC_COUNT, NULL, "n % 2 == 0"), "@hit <= 40");
        const char *c = last_report(a, &p, 60);
        has(c, "\"kind\":\"metric\",\"time\":");
        has(c, "\"metric\":{\"kind\":\"count\",\"name\":\"orders\",\"start\":");
        assert_int_equal(number_after(c, "{\"key\":true}"), 0);
        assert_int_equal(number_after(strstr(c, "{\"key\":true}"), "\"count\":"), 20);
        assert_int_equal(number_after(strstr(c, "{\"key\":false}"), "\"count\":"), 20);
        assert_int_equal(seen.counts.errors, 0);
        // More values than series: the rest is one.
        p = first_hits(metric(&v, PROBE_METRIC_COUNT, NULL, "str(n)"), "@hit <= 80"), p.revision = 2;
        c = last_report(a, &p, 100);
        assert_int_equal(number_after(c, "\"overflow\":true,\"new\":true,\"count\":"), 16);
        // Texts that are long, or of other letters.
        p = metric(&v, PROBE_METRIC_COUNT, NULL, "'\u00e9\u4e2d\U0001f600 ' + user.name"), p.revision = 3;
        c = last_report(a, &p, 5);
        has(c, "{\"key\":\"\u00e9\u4e2d\U0001f600 bob\"}");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void values(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_order.js", "slow");
        struct attachment *a = attach(&v);
        struct probe p = first_hits(metric(&v, PROBE_METRIC_HISTOGRAM, "@hit", "user.name"), "@hit <= 10");
        const char *c = last_report(a, &p, 20);
        has(c, "{\"key\":\"bob\"}");
        has(c, "\"count\":10,\"sum\":55");
        has(c, "\"min\":1,\"max\":10");
        has(c, "\"buckets\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,3,5,0,");
        p = first_hits(metric(&v, PROBE_METRIC_GAUGE, "@hit / 2", NULL), "@hit <= 10"), p.revision = 2;
        has(last_report(a, &p, 20), "\"last\":5");
        static const char *const wrong[][3] = {
            { "user.name", NULL, "the value is no number" },
            { "0 - 1", NULL, "below 0" },
            { "1", "user.password", "redacted" },
            { "1", "user.none.x", "user.none" },
            { "o.evil", NULL, "cannot be read" },
        };
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            p = metric(&v, PROBE_METRIC_COUNT, wrong[k][0], wrong[k][1]), p.revision = 3 + (uint32_t)k;
            forget();
            apply(a, &p, 1);
            until_hits(a, 5);
            has(seen.error, wrong[k][2]);
            assert_int_equal(seen.counts.captured, 0);
        }
        apply(a, NULL, 0);
        assert_int_equal(seen.n, 0);
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void timers(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        static const char *const functions[] = { "order", "later" };
        struct victim v = start(nodes[i], "victim_order.js", "slow");
        struct attachment *a = attach(&v);
        for (uint32_t k = 0; k < 2; k++) {
            struct probe p = metric(&v, PROBE_METRIC_HISTOGRAM, NULL, NULL);
            p.kind = PROBE_TIMER, p.revision = k + 1;
            p.where = (struct probe_where){
                .kind = PROBE_AT_FUNCTION, .point = PROBE_EXIT, .file = str_z(v.file), .function = str_z(functions[k])
            };
            const char *c = last_report(a, &p, 20);
            has(c, "\"kind\":\"timer\"");
            assert_true(number_after(c, "\"count\":") >= 19);
            has_not(c, "\"sum\":0,");
            has_not(c, "\"max\":0,");
        }
        // It says when a call begins nowhere.
        struct probe p = metric(&v, PROBE_METRIC_HISTOGRAM, NULL, NULL);
        p.kind = PROBE_TIMER, p.revision = 3;
        p.where = (struct probe_where){
            .kind = PROBE_AT_FUNCTION, .point = PROBE_EXIT, .file = str_z(v.file), .function = STR("short")
        };
        forget();
        apply(a, &p, 1);
        until_state(a, "error");
        has(seen.message, "braces");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void a_process_that_ends_says_its_last(void **state)
{
    struct victim v = start(nodes[0], "victim_order.js", "slow");
    struct attachment *a = attach(&v);
    struct probe p = metric(&v, PROBE_METRIC_COUNT, NULL, NULL);
    apply(a, &p, 1);
    until_captures(a, 1);
    long first = number_after(seen.captures[0], "\"count\":");
    size_t n = seen.n;
    until_hits(a, seen.counts.hits + 600); // some seconds
    assert_int_equal(seen.n, n);
    kill(v.pid, SIGKILL);
    waitpid(v.pid, NULL, 0);
    until_state(a, "lost ended");
    node_backend.detach(a);
    assert_int_equal(seen.n, n + 1);
    assert_true(number_after(seen.captures[n], "\"count\":") >= first + 300);
    fclose(v.out);
    process_done(&v.process);
    arena_free(&v.arena);
    forget();
}

// --- worker threads ---

// In all threads of victim_pool.js, each of which counts its first hits alone.
enum { EACH = 40 };
static struct probe pooled(struct victim *v, enum probe_metric_kind kind, const char *value, const char *by)
{
    struct probe p = first_hits(metric(v, kind, value, by), "@hit <= 40");
    p.where.file = STR("agent/node/victim_shared.js"), p.where.line = 8;
    return p;
}

static long total_of(const char *json)
{
    long n = 0;
    for (const char *at = json; (at = strstr(at, "\"count\":")); at++)
        n += number_after(at, "\"count\":");
    return n;
}

// Until a report comes to that; none goes back, and none beyond.
static const char *until_total(struct victim *v, struct attachment *a, long wanted)
{
    long last = 0;
    size_t k = 0;
    for (int64_t until = now_ns() + 150 * 1000000000ll;; polls(a)) {
        struct pollfd p = { fileno(v->out), POLLIN, 0 };
        char line[256];
        if (poll(&p, 1, 0) > 0 && !fgets(line, sizeof line, v->out)) // who hears nothing makes it wait in the end
            fail_msg("it has ended");
        for (; k < seen.n; k++) {
            long n = total_of(seen.captures[k]);
            if (n < last || n > wanted)
                fail_msg("%ld after %ld, wanted %ld: %s", n, last, wanted, seen.captures[k]);
            last = n;
        }
        if (last == wanted)
            return seen.captures[k - 1];
        if (now_ns() > until)
            fail_msg("%ld of %ld; %s %s %s; %llu hits", last, wanted, seen.state, seen.code, seen.message,
                     (unsigned long long)seen.counts.hits);
    }
}

// They count on without end, and what they count does not.
static void nothing_more(struct attachment *a, long wanted)
{
    size_t n = seen.n;
    until_hits(a, seen.counts.hits + 300);
    apply(a, NULL, 0);
    for (; n < seen.n; n++)
        assert_int_equal(total_of(seen.captures[n]), wanted);
}

static void threads_of_a_pool_count_in_one_sum(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_pool.js", "pool");
        struct attachment *a = attach(&v);
        struct probe p = pooled(&v, PROBE_METRIC_COUNT, NULL, NULL);
        apply(a, &p, 1);
        until_state(a, "installed");
        until_total(&v, a, 5 * EACH);
        assert_string_equal(seen.code, "");
        nothing_more(a, 5 * EACH);
        // One series of each thread, and nobody else's in it.
        p = pooled(&v, PROBE_METRIC_HISTOGRAM, "@hit * n", "where"), p.revision = 2;
        forget();
        apply(a, &p, 1);
        const char *c = until_total(&v, a, 5 * EACH);
        for (int k = 0; k < 5; k++) {
            char name[32];
            snprintf(name, sizeof name, k ? "{\"key\":\"worker %d\"}" : "{\"key\":\"main\"}", k);
            has(c, name);
            const char *at = strstr(c, name);
            assert_int_equal(number_after(at, "\"count\":"), EACH);
            assert_int_equal(number_after(at, "\"sum\":"), (k ? 2 : 1) * EACH * (EACH + 1) / 2);
            assert_int_equal(number_after(at, "\"min\":"), k ? 2 : 1);
            assert_int_equal(number_after(at, "\"max\":"), (k ? 2 : 1) * EACH);
        }
        nothing_more(a, 5 * EACH);
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void what_ended_workers_have_counted_stays(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_pool.js", "pool");
        struct attachment *a = attach(&v);
        struct probe p = pooled(&v, PROBE_METRIC_COUNT, NULL, NULL);
        apply(a, &p, 1);
        until_state(a, "installed");
        until_total(&v, a, 5 * EACH);
        kill(v.pid, SIGHUP);  // one goes,
        kill(v.pid, SIGUSR2); // and one comes
        until_begun(&v, 5);
        until_total(&v, a, 6 * EACH);
        nothing_more(a, 6 * EACH);
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

// Where a place is a breakpoint the main thread counts, and the state says that the others do not.
static void node_18_counts_in_its_main_thread(void **state)
{
    if (!old_node)
        skip();
    struct victim v = start(old_node, "victim_pool.js", "pool");
    struct attachment *a = attach(&v);
    struct probe p = pooled(&v, PROBE_METRIC_COUNT, NULL, NULL);
    apply(a, &p, 1);
    until_code(a, "partial", "worker_threads");
    has(seen.message, "breakpoints are of the main thread alone");
    until_total(&v, a, EACH);
    apply(a, NULL, 0);
    works(&v);
    node_backend.detach(a);
    works(&v);
    end(&v);
}

static void workers_that_come_and_go_all_the_time(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_pool.js", "brief");
        struct attachment *a = attach(&v);
        struct probe p = pooled(&v, PROBE_METRIC_COUNT, NULL, "where");
        p.has_condition = false;
        apply(a, &p, 1);
        until_captures(a, 2);
        assert_true(total_of(seen.captures[1]) > total_of(seen.captures[0]));
        assert_string_not_equal(seen.state, "error");
        assert_int_equal(seen.counts.errors, 0);
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

// Nor do counters tell the values that a host keeps for itself.
static void a_host_that_shows_types_alone(void **state)
{
    struct victim v = start(nodes[0], "victim_order.js", "slow");
    v.process.shapes = true;
    struct attachment *a = attach(&v);
    struct probe p = metric(&v, PROBE_METRIC_COUNT, NULL, "user.name");
    apply(a, &p, 1);
    until_state(a, "error");
    assert_string_equal(seen.code, "policy");
    node_backend.detach(a);
    works(&v);
    end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_exact),
        cmocka_unit_test(values),
        cmocka_unit_test(timers),
        cmocka_unit_test(a_process_that_ends_says_its_last),
        cmocka_unit_test(threads_of_a_pool_count_in_one_sum),
        cmocka_unit_test(what_ended_workers_have_counted_stays),
        cmocka_unit_test(node_18_counts_in_its_main_thread),
        cmocka_unit_test(workers_that_come_and_go_all_the_time),
        cmocka_unit_test(a_host_that_shows_types_alone),
    };
    arena_init(&arena, 16 << 20);
    int rc = victims_run("agent_node_figures", tests, sizeof tests / sizeof *tests);
    arena_free(&arena);
    return rc;
}
