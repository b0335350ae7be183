// The agent is killed, at every step of what it does with a Node process: the program goes on, the next agent finishes what was begun, and then its source is
// as it was and its inspector is closed. Which steps there are is counted, not listed: the agent kills itself once it has sent its n-th request.
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

#include "agent/node/attachment.h"
#include <cmocka.h>

enum { PATIENCE_S = 60, LINE = 5, STEPS_MAX = 200, CLOSINGS = 14 };

static struct victim start_it(const char *node) { return start(node, "victim_kill.js", ""); }

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
    forget();
    struct attachment *a = attach(v);
    apply(a, p, 1);
    return a;
}

// Unlike polls(): what an agent comes to that finds what a killed one left is looked at by the caller.
static void turn(struct attachment *a)
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
            turn(a);
            if ((message && session_runs(a) && a->session.message >= message) || (step && a->session.step == step))
                die(us);
            if (seen.n && !session_runs(a))
                _exit(0);
        }
        fprintf(stderr, "# not killed, and not done: %s %s: %s; step %d, request %d\n", seen.state, seen.code,
                seen.message, (int)a->session.step, a->session.message);
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
    struct inspector_sockets own;
    struct attachment *a = begin(v, p);
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; !seen.n || session_runs(a);) {
        if (now_ns() > until)
            fail_msg("after a kill %s %d the next agent installs nothing: %s %s: %s", when, n, seen.state, seen.code,
                     seen.message);
        turn(a);
    }
    assert_false(goes_on(v, when, n));
    node_backend.detach(a);
    if (!goes_on(v, when, n))
        fail_msg("after a kill %s %d the next agent leaves its function changed", when, n);
    for (int64_t until = now_ns() + 30000000000ll; inspector_port_state(&v->process, &left, &own) != INSPECTOR_FREE;)
        if (now_ns() > until)
            fail_msg("after a kill %s %d the inspector is open still", when, n);
}

static void it_is_killed_at_every_step(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start_it(nodes[i]);
        struct probe p = probe_at(&v, "p1", LINE);
        int kills = 0, n = 0;
        int64_t began = now_ns();
        // The signal is sent, and nobody comes.
        for (int k = 0; k < 6; k++, kills++) {
            assert_true(agent(&v, &p, 0, SESSION_OPENING, k * 4000));
            goes_on(&v, "while it opened", k);
        }
        finish(&v, &p, "while it opened", kills);
        // It has left, and the process is about to close its inspector: the next one comes before, while and after that is done.
        for (int k = 0; k < CLOSINGS; k++, kills++) {
            assert_true(agent(&v, &p, 0, SESSION_CLOSED, k * 8000));
            goes_on(&v, "while it closed", k);
        }
        finish(&v, &p, "while it closed", kills);
        // Each request of a first session, in a process that has not seen one.
        for (n = 1; n < STEPS_MAX; n += i ? 8 : 1, kills++) { // of one Node each, of the others some
            struct victim fresh = start_it(nodes[i]);
            bool killed = agent(&fresh, &p, n, SESSION_NONE, 0);
            goes_on(&fresh, "at request", n);
            if (killed)
                finish(&fresh, &p, "at request", n);
            end(&fresh);
            if (!killed)
                break;
        }
        assert_true(n > 10 && n < STEPS_MAX);
        printf("# %s: %d kills (6 while the inspector opens, %d while it closes, %d at a request each), %lld s: none "
               "hurt\n",
               nodes[i], kills, CLOSINGS, kills - 6 - CLOSINGS, (long long)((now_ns() - began) / 1000000000));
        end(&v);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(it_is_killed_at_every_step) };
    return victims_run("kill", tests, sizeof tests / sizeof *tests);
}
