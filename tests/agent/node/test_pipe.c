// The pipe that captures leave by: what a process may do to it, and that the agent learns of it.
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

enum { LINE = 6, PATIENCE_S = 100 };

static void until_hits(struct attachment *a, uint64_t n)
{
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; seen.counts.hits < n; polls(a))
        if (now_ns() > until)
            fail_msg("%llu hits; %s %s %s", (unsigned long long)seen.counts.hits, seen.state, seen.code, seen.message);
}

static void something_else_happens_in_the_midst_of_a_hit(void **state)
{
    for (size_t i = 0; i < node_count + (old_node != NULL); i++) {
        const char *node = i < node_count ? nodes[i] : old_node;
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            execl(node, node, VICTIMS "/run_pipe.js", (char *)NULL);
            _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status)
            fail_msg("%s: exit %d signal %d", node, WEXITSTATUS(status), WTERMSIG(status));
    }
}

static void a_program_that_closes_it_is_probed_again(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_closes.js", "");
        struct attachment *a = attach(&v);
        struct probe p = probe_at(&v, "p1", LINE);
        apply(a, &p, 1);
        for (int k = 0; k < 2; k++) {
            until_state(a, "installed");
            until_captures(a, seen.n + 2);
            uint64_t hits = seen.counts.hits;
            kill(v.pid, SIGUSR2);
            until_state(a, "waiting");
            has(seen.message, "has closed the probes' pipe");
            assert_true(seen.counts.hits >= hits);
            until_state(a, "installed");
            until_hits(a, hits + 20); // what was counted before is not forgotten
            until_captures(a, seen.n + 2);
        }
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static long count_in(const char *report)
{
    const char *at = strstr(report, "\"count\":");
    if (!at)
        fail_msg("no count in %s", report);
    return strtol(at + strlen("\"count\":"), NULL, 10);
}

// What a metric has counted before stays in the sum.
static void so_is_one_that_counts(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_closes.js", "");
        struct attachment *a = attach(&v);
        struct probe p = probe_at(&v, "p1", LINE);
        p.kind = PROBE_METRIC, p.has_metric = true;
        p.metric.kind = PROBE_METRIC_COUNT, p.metric.name = STR("steps");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_hits(a, 20);
        kill(v.pid, SIGUSR2);
        until_state(a, "waiting");
        assert_true(seen.n > 0);
        size_t n = seen.n;
        long before = count_in(seen.captures[n - 1]);
        until_state(a, "installed");
        until_hits(a, seen.counts.hits + 20);
        apply(a, NULL, 0);
        assert_true(seen.n > n);
        assert_true(count_in(seen.captures[seen.n - 1]) >= before + 20);
        has_not(seen.captures[seen.n - 1], "\"new\":true");
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(something_else_happens_in_the_midst_of_a_hit),
    cmocka_unit_test(a_program_that_closes_it_is_probed_again),
    cmocka_unit_test(so_is_one_that_counts),
};

int main(void) { return victims_run("pipe", tests, sizeof tests / sizeof *tests); }
