// The back end against real processes on every interpreter of this machine that the build has a part for.
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/python/interp.h"
#include "agent/python/python.h"
#include "probe/probe.h"
#include <cmocka.h>

enum { PYTHONS_MAX = 16, PATIENCE_S = 30, CAPTURES_MAX = 64 };

static char *pythons[PYTHONS_MAX];
static size_t python_count;

static struct seen {
    char state[32], code[32], data[256];
    char *captures[CAPTURES_MAX];
    size_t n;
    uint64_t hits, captured, rate;
} seen;

static void on_state(void *ctx, const struct backend_state *s)
{
    snprintf(seen.state, sizeof seen.state, "%.*s", STR_ARG(s->state));
    snprintf(seen.code, sizeof seen.code, "%.*s", STR_ARG(s->code));
    snprintf(seen.data, sizeof seen.data, "%.*s", STR_ARG(s->data));
}
static void on_capture(void *ctx, str probe, str json)
{
    if (seen.n < CAPTURES_MAX)
        seen.captures[seen.n++] = strndup(json.ptr, json.len);
}
static void on_counts(void *ctx, str probe, const struct probe_counts *c)
{
    seen.hits = c->hits, seen.captured = c->captured, seen.rate = c->dropped.rate;
}
static void on_lost(void *ctx, str code, str message)
{
    snprintf(seen.state, sizeof seen.state, "lost %.*s", STR_ARG(code));
}
static const struct backend_events events = { NULL, on_state, on_capture, on_counts, on_lost };

static void forget(void)
{
    for (size_t i = 0; i < seen.n; i++)
        free(seen.captures[i]);
    seen = (struct seen){ 0 };
}

struct victim {
    pid_t pid;
    FILE *out;
    long n, called, same;
};

static struct victim start(const char *python, const char *mode)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    struct victim v = { .pid = fork() };
    if (v.pid == 0) {
        dup2(pipes[1], 1);
        close(pipes[0]), close(pipes[1]);
        unsetenv("LD_PRELOAD");
        execl(python, python, VICTIMS "/victim_order.py", mode, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    v.out = fdopen(pipes[0], "r");
    char line[64];
    assert_non_null(fgets(line, sizeof line, v.out));
    return v;
}

static void hear(struct victim *v)
{
    char line[128];
    assert_non_null(fgets(line, sizeof line, v->out));
    assert_int_equal(sscanf(line, "%ld %ld %ld", &v->n, &v->called, &v->same), 3);
}

static void end(struct victim *v)
{
    kill(v->pid, SIGKILL);
    waitpid(v->pid, NULL, 0);
    fclose(v->out);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Polls, and reads what the victim says, until the condition holds.
#define UNTIL(v, a, condition)                                           \
    do {                                                                 \
        time_t until_ = time(NULL) + PATIENCE_S;                         \
        while (!(condition)) {                                           \
            int64_t next_;                                               \
            if (time(NULL) > until_)                                     \
                print_message("# state %s %s\n", seen.state, seen.code); \
            assert_true(time(NULL) <= until_);                           \
            python_backend.poll((a), now_ns(), &next_);                  \
            hear(v);                                                     \
        }                                                                \
    } while (0)

static struct probe line_probe(uint32_t line)
{
    struct probe p;
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.id = STR("p1"), p.revision = 1;
    p.where = (struct probe_where){ .kind = PROBE_AT_LINE, .file = STR("python/victim_order.py"), .line = line };
    p.grant = 1000;
    return p;
}

static uint32_t line_of(const char *text)
{
    FILE *f = fopen(VICTIMS "/victim_order.py", "r");
    char line[256];
    uint32_t n = 0, found = 0;
    assert_non_null(f);
    while (!found && fgets(line, sizeof line, f))
        n++, found = strstr(line, text) ? n : 0;
    fclose(f);
    return found;
}

static struct attachment *attach(const struct victim *v)
{
    struct process p = { .pid = v->pid };
    struct attachment *a = NULL;
    struct err err = { 0 };
    struct process_facts facts;
    assert_int_equal(python_backend.examine(&p, &facts), 1);
    assert_true(facts.attachable);
    int rc = python_backend.attach(&p, &events, &a, &err);
    if (rc < 0)
        print_message("# %s: %s\n", err.slug, err.message);
    assert_int_equal(rc, 0);
    forget();
    return a;
}

static void place(struct attachment *a, const struct probe *p)
{
    assert_int_equal(python_backend.apply(a, &p, p ? 1 : 0, NULL), 0);
}

static void has(const char *json, const char *what)
{
    if (!strstr(json, what))
        print_message("# no %s in %s\n", what, json);
    assert_non_null(strstr(json, what));
}

static void test_snapshot(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("del poison.inside"));
        place(a, &p);
        UNTIL(&v, a, seen.n >= 2);
        assert_string_equal(seen.state, "installed");
        const char *json = seen.captures[0];
        has(json, "\"function\":\"price\"");
        has(json, "\"name\":\"each\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":7}");
        has(json, "\"zwei\xc3\xa4\"");
        has(json, "\"0x100000000000000000000\"");
        has(json, "\"slot\"");
        has(json, "\"seen\""); // as it was at the hit
        has(json, "\"184.50\"");
        has(json, "\"-0.005\"");
        has(json, "\"12345678901234567890123456789.1\"");
        has(json, "\"2026-05-04T03:02:01.000042\"");
        has(json, "\"k\":\"ref\"");
        assert_null(strstr(json, "changed"));
        assert_null(strstr(json, "hunter2"));
        assert_null(strstr(json, "danger"));
        place(a, NULL);
        int64_t next;
        do {
            python_backend.poll(a, now_ns(), &next);
            hear(&v);
        } while (v.n < 400 && !v.same);
        python_backend.detach(a);
        for (int k = 0; k < 20; k++)
            hear(&v);
        assert_int_equal(v.called, 0);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

static void test_closure(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("return y"));
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"name\":\"y\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":42}");
        has(seen.captures[0], "\"name\":\"base\",\"kind\":\"closure\",\"value\":{\"k\":\"int\",\"v\":40}");
        python_backend.detach(a);
        for (int k = 0; k < 20; k++)
            hear(&v);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

// The trace of the moment, as the SDK itself says it in a variable beside.
static void test_trace(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("return here"));
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        const char *ids = strstr(seen.captures[0], "\"name\":\"ids_seen\"");
        assert_non_null(ids);
        ids = strstr(ids, "\"v\":\"") + 5;
        char want[64];
        snprintf(want, sizeof want, "\"trace\":\"%.32s\"", ids);
        has(seen.captures[0], want);
        snprintf(want, sizeof want, "\"span\":\"%.16s\"", ids + 33);
        has(seen.captures[0], want);
        python_backend.detach(a);
        end(&v);
    }
}

static void test_no_line(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("def price") - 1);
        place(a, &p);
        UNTIL(&v, a, seen.code[0] && strcmp(seen.state, "waiting") != 0);
        assert_string_equal(seen.state, "unresolvable");
        assert_string_equal(seen.code, "no_code_at_line");
        char want[64];
        snprintf(want, sizeof want, "%u", line_of("poison = Poison()"));
        has(seen.data, want);
        python_backend.detach(a);
        end(&v);
    }
}

static void test_entry(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(0);
        p.where = (struct probe_where){
            .kind = PROBE_AT_FUNCTION, .file = STR("victim_order.py"), .function = STR("price"), .point = PROBE_ENTRY
        };
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"name\":\"total\",\"kind\":\"local\",\"value\":{\"k\":\"missing\"");
        python_backend.detach(a);
        end(&v);
    }
}

// Millions of hits a second: the budget ends it, seen by counts.
static void test_hot(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "hot");
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("x = i + 1"));
        place(a, &p);
        UNTIL(&v, a, strcmp(seen.state, "suspended") == 0);
        assert_string_equal(seen.code, "budget");
        python_backend.detach(a);
        for (int k = 0; k < 5; k++)
            hear(&v);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

// Put in and taken out again and again; the very same code after it.
static void test_cycles(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("total = quantity"));
        for (uint32_t k = 1; k <= 100; k++) {
            p.revision = k;
            forget();
            place(a, &p);
            UNTIL(&v, a, strcmp(seen.state, "installed") == 0 || strcmp(seen.state, "partial") == 0);
            place(a, NULL);
        }
        python_backend.detach(a);
        for (int k = 0; k < 20; k++)
            hear(&v);
        assert_int_equal(v.same, 1);
        assert_int_equal(v.called, 0);
        end(&v);
    }
}

// An agent that is killed with probes in place: they are without effect after five seconds, and the next agent takes them out.
static void test_killed(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        pid_t agent = fork();
        if (agent == 0) {
            struct attachment *a = attach(&v);
            struct probe p = line_probe(line_of("total = quantity"));
            place(a, &p);
            for (;;) {
                int64_t next;
                python_backend.poll(a, now_ns(), &next);
                usleep(500);
            }
        }
        do {
            hear(&v);
        } while (v.n < 700);
        kill(agent, SIGKILL);
        waitpid(agent, NULL, 0);
        for (int k = 0; k < 20; k++)
            hear(&v);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("total = quantity"));
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        python_backend.detach(a);
        for (int k = 0; k < 20; k++)
            hear(&v);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

static void python_add(const char *path)
{
    if (python_count == PYTHONS_MAX || access(path, X_OK) != 0)
        return;
    pythons[python_count] = strdup(path);
    struct victim v = start(path, NULL);
    struct process p = { .pid = v.pid };
    struct process_facts facts = { 0 };
    int rc = python_backend.examine(&p, &facts);
    end(&v);
    if (rc == 1 && facts.attachable) {
        printf("# with %s %s\n", path, facts.version);
        python_count++;
    } else {
        printf("# skipped %s %s: %s\n", path, facts.version, facts.code);
        free(pythons[python_count]);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    python_add("/usr/bin/python3");
    // Environments that have the SDKs, where an experiment has made some.
    glob_t g = { 0 };
    if (glob(VICTIMS "/../../../.setup/venvs/3.1[123]*/bin/python", 0, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc; i++)
            python_add(g.gl_pathv[i]);
    globfree(&g);
    bool environments = python_count > 1;
    for (int minor = INTERP_MINOR_MIN; !environments && getenv("HOME") && minor <= INTERP_MINOR_MAX; minor++) {
        char pattern[512];
        snprintf(pattern, sizeof pattern, "%s/.pyenv/versions/3.%d.*/bin/python3", getenv("HOME"), minor);
        if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc)
            python_add(g.gl_pathv[g.gl_pathc - 1]);
        globfree(&g);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot), cmocka_unit_test(test_closure), cmocka_unit_test(test_trace),
        cmocka_unit_test(test_no_line),  cmocka_unit_test(test_entry),   cmocka_unit_test(test_hot),
        cmocka_unit_test(test_cycles),   cmocka_unit_test(test_killed),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    forget();
    for (size_t i = 0; i < python_count; i++)
        free(pythons[i]);
    return rc;
}
