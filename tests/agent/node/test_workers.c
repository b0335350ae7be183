// Worker threads: the back end against processes that have some, on every Node of this machine.
#include "victim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE = 8, PATIENCE_S = 100, THREADS = 64 };

static struct probe shared(const char *id)
{
    static struct victim any = { .file = "agent/node/victim_shared.js" };
    struct probe p = probe_at(&any, id, LINE);
    p.rate =
        5; // its budget of time is no matter here, also where a busy machine makes a capture cost several times as much
    return p;
}

static struct victim pool(size_t i, const char *mode) { return start(nodes[i], "victim_pool.js", mode); }

static void forget_captures(void)
{
    for (size_t i = 0; i < seen.n; i++)
        free(seen.captures[i]);
    seen.n = 0;
}

// Which worker a capture is of, 0: the main thread; it is named by it, and its values are those of that thread.
static unsigned thread_of(const char *capture)
{
    char wanted[64];
    unsigned id = 0;
    const char *at = strstr(capture, "\"thread\":{");
    if (!at || sscanf(at, "\"thread\":{\"id\":%u", &id) != 1)
        fail_msg("no thread in %s", capture);
    if (id)
        snprintf(wanted, sizeof wanted, "\"name\":\"worker %u", id);
    has(at, id ? wanted : "\"name\":\"main\"");
    snprintf(wanted, sizeof wanted, "[\"where\",{\"k\":\"str\",\"v\":\"%s", id ? "worker " : "main\"");
    if (id)
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%u\"", id);
    has(capture, wanted);
    has(capture, id ? "\"name\":\"twice\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":4}"
                    : "\"name\":\"twice\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":2}");
    has(capture, "\"t\":\"accessor\",\"why\":\"unreadable\"");
    return id;
}

// Until captures have come from that many workers, and from the main thread.
static void until_threads(struct attachment *a, size_t workers)
{
    bool from[THREADS] = { false };
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll;;) {
        size_t n = 0;
        for (size_t i = 0; i < seen.n; i++)
            from[thread_of(seen.captures[i]) % THREADS] = true;
        forget_captures();
        for (size_t i = 1; i < THREADS; i++)
            n += from[i];
        if (from[0] && n >= workers)
            return;
        if (now_ns() > until)
            fail_msg("captures of %zu workers; %s %s: %s", n, seen.state, seen.code, seen.message);
        polls(a);
    }
}

// Until so many of its threads run a changed text.
static void until_changed(struct victim *v, struct attachment *a, int wanted)
{
    char line[256];
    int changed = -1;
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; changed != wanted;) {
        for (int k = 0; k < 20; k++)
            polls(a);
        hears(v, a, line, sizeof line);
        sscanf(line, "calls %*d ran %*d changed %d", &changed);
        if (now_ns() > until)
            fail_msg("%d threads run a changed text", changed);
    }
}

// Without probes all its threads run what they ran before.
static void give_back(struct victim *v, struct attachment *a)
{
    works(v);
    apply(a, NULL, 0);
    until_changed(v, a, 0);
    node_backend.detach(a);
    works(v);
    end(v);
}

static void a_pool_of_workers_is_probed_and_restored(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "pool");
        struct attachment *a = attach(&v);
        struct probe p = shared("p1");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_changed(&v, a, 5);
        until_threads(a, 4);
        assert_int_equal(seen.counts.errors, 0);
        works(&v);
        apply(a, NULL, 0);
        until_changed(&v, a, 0);
        apply(a, &p, 1);
        until_threads(a, 4);
        give_back(&v, a);
    }
}

static void a_file_that_a_worker_alone_runs(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_workers.js", "");
        struct attachment *a = attach(&v);
        struct probe p = probe_at(&v, "p1", 4);
        p.where.file = STR("agent/node/victim_worker.js");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_captures(a, 1);
        has(seen.captures[0], "\"thread\":{\"id\":1,\"name\":\"worker 1\"}");
        p = probe_at(&v, "p2", 6); // of which the worker knows nothing
        apply(a, &p, 1);
        forget();
        until_state(a, "installed");
        until_captures(a, 1);
        has(seen.captures[0], "\"thread\":{\"id\":0,\"name\":\"main\"}");
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void one_that_begins_later(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "late");
        struct attachment *a = attach(&v);
        struct probe p = shared("p1");
        apply(a, &p, 1);
        until_state(a, "installed");
        kill(v.pid, SIGUSR2);
        until_begun(&v, 1);
        until_threads(a, 1);
        give_back(&v, a);
    }
}

static void one_that_does_not_answer_is_told_of_and_probed_later(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "busy");
        struct attachment *a = attach(&v);
        struct probe p = shared("p1");
        apply(a, &p, 1);
        until_state(a, "partial");
        assert_string_equal(seen.code, "worker_threads");
        until_threads(a, 1);
        works(&v);
        kill(v.pid, SIGUSR2);
        until_state(a, "installed");
        until_threads(a, 2);
        give_back(&v, a);
    }
}

static void terminated_while_it_is_probed(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "pool");
        struct attachment *a = attach(&v);
        struct probe p = shared("p1");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_threads(a, 4);
        uint64_t hits = seen.counts.hits;
        kill(v.pid, SIGHUP);
        until_changed(&v, a, 4);
        until_threads(a, 3);
        assert_true(seen.counts.hits >= hits); // those of the one that has ended remain
        give_back(&v, a);
    }
}

static void workers_that_come_and_go_all_the_time(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "brief");
        struct attachment *a = attach(&v);
        struct probe p = shared("p1");
        for (int k = 0; k < 4; k++) {
            p.revision++;
            apply(a, &p, 1);
            until_threads(a, 1);
            works(&v);
        }
        give_back(&v, a);
    }
}

static void what_a_killed_agent_leaves_in_workers(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "pool");
        struct probe p = shared("p1");
        int status = 0;
        pid_t agent = fork();
        if (agent == 0) {
            struct attachment *a = attach(&v);
            apply(a, &p, 1);
            until_state(a, "installed");
            until_threads(a, 4);
            kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(agent, &status, 0), agent);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        works(&v); // on its own
        forget();
        struct attachment *a = attach(&v);
        p.revision = 2;
        apply(a, &p, 1);
        until_state(a, "installed");
        until_threads(a, 4);
        give_back(&v, a);
    }
}

static void exits_and_log_lines_in_workers(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = pool(i, "pool");
        struct attachment *a = attach(&v);
        struct probe p = shared("p1");
        struct probe_part parts[] = { { .is_expr = true, .expr = program(&arena, "@thread") },
                                      { .text = STR(" made ") },
                                      { .is_expr = true, .expr = program(&arena, "@return") } };
        p.kind = PROBE_LOG, p.has_log = true, p.log.level = PROBE_INFO;
        p.log.parts = parts, p.log.n_parts = sizeof parts / sizeof *parts;
        p.where.kind = PROBE_AT_FUNCTION, p.where.function = STR("work"), p.where.point = PROBE_EXIT, p.where.line = 0;
        p.has_condition = true;
        p.condition = program(&arena, "where == 'worker 3'");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_captures(a, 2);
        has(seen.captures[1], "\"body\":\"worker 3 (pool-2) made 5\"");
        give_back(&v, a);
    }
    arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_pool_of_workers_is_probed_and_restored),
    cmocka_unit_test(a_file_that_a_worker_alone_runs),
    cmocka_unit_test(one_that_begins_later),
    cmocka_unit_test(one_that_does_not_answer_is_told_of_and_probed_later),
    cmocka_unit_test(terminated_while_it_is_probed),
    cmocka_unit_test(workers_that_come_and_go_all_the_time),
    cmocka_unit_test(what_a_killed_agent_leaves_in_workers),
    cmocka_unit_test(exits_and_log_lines_in_workers),
};

int main(void) { return victims_run("workers", tests, sizeof tests / sizeof *tests); }
