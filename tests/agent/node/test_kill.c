// The agent is killed, at every step of what it does with a Node process up to the closing of its inspector: the program goes on, the next agent finishes what was begun, and then its source is
// as it was and its inspector is closed. Which steps there are is counted, not listed: the agent kills itself once it has sent its n-th request.
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/node/attachment.h"
#include "agent/node/node.h"
#include "agent/process.h"
#include <cmocka.h>

enum { NODES_MAX = 16, PATIENCE_S = 60, LINE = 5, STEPS_MAX = 200 };

static char *nodes[NODES_MAX];
static size_t node_count;
static bool installed, captured;

static char told[512]; // of its state, last

static void on_state(void *ctx, const struct backend_state *s)
{
    installed = str_eq(s->state, STR("installed"));
    snprintf(told, sizeof told, "%.*s %.*s: %.*s", STR_ARG(s->state), STR_ARG(s->code), STR_ARG(s->message));
}
static void on_capture(void *ctx, str probe, str json) { captured = true; }
static void on_counts(void *ctx, str probe, const struct probe_counts *c) {}
static void on_lost(void *ctx, str code, str message) {}
static const struct backend_events events = { NULL, on_state, on_capture, on_counts, on_lost, on_capture };

struct victim {
    pid_t pid;
    FILE *out;
    struct arena arena;
    struct process process;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static struct victim start(const char *node)
{
    int pipes[2];
    char line[64];
    assert_int_equal(pipe(pipes), 0);
    struct victim v = { .pid = fork() };
    if (v.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipes[1], 1);
        if (!getenv("TEST_VERBOSE"))
            dup2(pipes[1], 2);
        close(pipes[0]), close(pipes[1]);
        unsetenv("LD_PRELOAD");
        unsetenv("NODE_OPTIONS");
        execl(node, node, VICTIMS "/victim_kill.js", (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    v.out = fdopen(pipes[0], "r");
    do
        assert_non_null(fgets(line, sizeof line, v.out));
    while (strcmp(line, "ready\n") != 0);
    arena_init(&v.arena, 1 << 20);
    assert_int_equal(process_read(v.pid, &v.arena, &v.process), 0);
    return v;
}

// It goes on: what it says now it has said after this was called. Whether its function is as it was.
static bool goes_on(struct victim *v, const char *when, int n)
{
    char line[256];
    long calls, first = -1;
    long long at; // of the same clock
    int whole = 0;
    int64_t called = now_ns();
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll;;) {
        if (!fgets(line, sizeof line, v->out)) {
            int status = 0;
            waitpid(v->pid, &status, 0);
            fail_msg("it has ended after a kill %s %d: exit %d signal %d", when, n, WEXITSTATUS(status),
                     WTERMSIG(status));
        }
        bool said = sscanf(line, "%lld calls %ld whole %d", &at, &calls, &whole) == 3 && at > called;
        if (said && first < 0)
            first = calls;
        else if (said && calls > first)
            return whole;
        if (now_ns() > until)
            fail_msg("it stands still after a kill %s %d", when, n);
    }
}

static struct attachment *begin(struct victim *v, const struct probe *p)
{
    struct attachment *a = NULL;
    struct err err = { 0 };
    installed = captured = false;
    if (node_backend.attach(&v->process, &events, &a, &err) < 0 || node_backend.apply(a, &p, 1, &err) < 0)
        fail_msg("%s: %s", err.slug, err.message);
    return a;
}

static void polls(struct attachment *a)
{
    int64_t next;
    node_backend.poll(a, now_ns(), &next);
    usleep(500);
}

static void die(int64_t us)
{
    if (us)
        usleep((useconds_t)us);
    kill(getpid(), SIGKILL);
}

// One agent, in a process of its own. true: it was killed; false: it had installed its probe before it came to that.
static bool agent(struct victim *v, const struct probe *p, int message, enum session_step step, int64_t us)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct attachment *a = begin(v, p);
        for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; now_ns() < until;) {
            polls(a);
            if ((message && session_runs(a) && a->session.message >= message) || (step && a->session.step == step))
                die(us);
            if (captured && !session_runs(a))
                _exit(0);
        }
        fprintf(stderr, "# not killed, and not done: %s; step %d, request %d\n", told, (int)a->session.step,
                a->session.message);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

// The agent after those: everything works, and when it has left everything is as it was.
static void finish(struct victim *v, const struct probe *p, const char *when, int n)
{
    uint64_t left = 0;
    struct attachment *a = begin(v, p);
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; !captured || session_runs(a);) {
        if (now_ns() > until)
            fail_msg("after a kill %s %d the next agent installs nothing: %s", when, n, told);
        polls(a);
    }
    assert_false(goes_on(v, when, n));
    node_backend.detach(a);
    if (!goes_on(v, when, n))
        fail_msg("after a kill %s %d the next agent leaves its function changed", when, n);
    for (int64_t until = now_ns() + 5000000000ll; inspector_port_state(&v->process, &left) != INSPECTOR_FREE;)
        if (now_ns() > until)
            fail_msg("after a kill %s %d the inspector is open still", when, n);
}

static void it_is_killed_at_every_step(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i]);
        struct probe p;
        int kills = 0, n = 0;
        int64_t began = now_ns();
        probe_defaults(&p, PROBE_SNAPSHOT);
        p.id = STR("p1"), p.revision = 1, p.rate = 50, p.burst = 5;
        p.where.kind = PROBE_AT_LINE, p.where.file = STR("agent/node/victim_kill.js"), p.where.line = LINE;
        // The signal is sent, and nobody comes.
        for (int k = 0; k < 6; k++, kills++) {
            assert_true(agent(&v, &p, 0, SESSION_OPENING, k * 4000));
            goes_on(&v, "while it opened", k);
        }
        finish(&v, &p, "while it opened", kills);
        // Each request of a first session, in a process that has not seen one.
        for (n = 1; n < STEPS_MAX; n += i ? 8 : 1, kills++) { // of one Node each, of the others some
            struct victim fresh = start(nodes[i]);
            bool killed = agent(&fresh, &p, n, SESSION_NONE, 0);
            goes_on(&fresh, "at request", n);
            if (killed)
                finish(&fresh, &p, "at request", n);
            kill(fresh.pid, SIGKILL), waitpid(fresh.pid, NULL, 0);
            fclose(fresh.out), process_done(&fresh.process), arena_free(&fresh.arena);
            if (!killed)
                break;
        }
        assert_true(n > 10 && n < STEPS_MAX);
        printf("# %s: %d kills (6 while the inspector opens, %d at a request each), %lld s: none hurt\n", nodes[i],
               kills, kills - 6, (long long)((now_ns() - began) / 1000000000));
        assert_int_equal(waitpid(v.pid, NULL, WNOHANG), 0);
        kill(v.pid, SIGKILL), waitpid(v.pid, NULL, 0);
        fclose(v.out), process_done(&v.process), arena_free(&v.arena);
    }
}

static void find_nodes(void)
{
    static const char *const places[] = { "/usr/bin/node", "/usr/local/bin/node",
                                          NODES "/*/node_modules/node/bin/node" };
    glob_t found;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (glob(places[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc && node_count < NODES_MAX; k++) {
            char *path = realpath(found.gl_pathv[k], NULL);
            bool known = !path || access(path, X_OK) < 0 || strstr(path, "/18/") || strstr(path, "/v18/");
            for (size_t j = 0; j < node_count && !known; j++)
                known = strcmp(nodes[j], path) == 0;
            if (known)
                free(path);
            else
                nodes[node_count++] = path;
        }
        globfree(&found);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(it_is_killed_at_every_step) };
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (getenv("TEST_NODE"))
        nodes[node_count++] = strdup(getenv("TEST_NODE"));
    else
        find_nodes();
    if (!node_count) {
        printf("1..0 # SKIP no Node on this machine\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
