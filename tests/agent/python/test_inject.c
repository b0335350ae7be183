// Attaching to real interpreters: every one of this machine, named in the output. None is in the tree: where there is no Python, the tests say that
// they were skipped.
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/python/inject.h"
#include <cmocka.h>

enum { PYTHONS_MAX = 16, PATIENCE_S = 60 };

static char *pythons[PYTHONS_MAX];
static size_t python_count;

// Counts on its standard output for as long as it lives: a line each time it gets to it.
#define HELPER "import sys, threading, time\ndef tell(n): sys.stdout.write('%d\\n' % n); sys.stdout.flush()\n"
static const char *const idle = HELPER "n = 0\nwhile True:\n    time.sleep(0.01); n += 1; tell(n)\n";
static const char *const busy = HELPER "n = 0\nlast = 0\ndef f(x): return x + 1\n"
                                       "while True:\n    n = f(n)\n    if n % 20000 == 0: tell(n)\n";
// Threads that fight for the GIL, while the main thread waits for each of them in turn.
static const char *const threads = HELPER "def f(): sum(range(3000))\n"
                                          "n = 0\nwhile True:\n    t = [threading.Thread(target=f) for _ in range(4)]\n"
                                          "    [x.start() for x in t]; [x.join() for x in t]; n += 1; tell(n)\n";

struct victim {
    pid_t pid;
    FILE *out;
};

static struct victim victim_start(const char *python, const char *program)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    struct victim v = { .pid = fork() };
    assert_true(v.pid >= 0);
    if (v.pid == 0) {
        dup2(pipes[1], 1);
        close(pipes[0]), close(pipes[1]);
        unsetenv("LD_PRELOAD");
        execl(python, python, "-S", "-c", program, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    v.out = fdopen(pipes[0], "r");
    assert_non_null(v.out);
    return v;
}

// That it still works: what it says from now on.
static void victim_goes_on(struct victim *v)
{
    char line[64];
    for (int i = 0; i < 5; i++)
        assert_non_null(fgets(line, sizeof line, v->out));
}

static void victim_end(struct victim *v)
{
    kill(v->pid, SIGKILL);
    waitpid(v->pid, NULL, 0);
    fclose(v->out);
}

static int persist(struct inject *in, const struct inject_call *call, struct err *err)
{
    time_t until = time(NULL) + PATIENCE_S;
    for (;;) {
        int rc = call ? inject_begin(in, call, err) : inject_remove(in, err);
        if (rc != ERR_AGAIN || time(NULL) > until)
            return rc;
        usleep(300);
    }
}

static int statement(struct inject *in, const char *text, struct err *err)
{
    struct inject_call call = {
        .fn = in->interp.run_string, .arg_in = { true }, .args = text, .args_len = strlen(text) + 1, .with_gil = true
    };
    int rc = persist(in, &call, err);
    uint64_t result = 1;
    time_t until = time(NULL) + PATIENCE_S;
    for (unsigned i = 1; rc == 0 && (rc = inject_poll(in, &result)) == 0 && time(NULL) < until; i++) {
        usleep(200);
        struct err ignored;
        if (i % 50 == 0)
            inject_again(in, &ignored);
    }
    return rc == 1 ? (int)result : rc ? rc : ERR_TIMEOUT;
}

static void attach_some(const char *program)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = victim_start(pythons[i], program);
        victim_goes_on(&v);
        struct interp interp;
        struct inject in;
        struct err err = { 0 };
        assert_int_equal(interp_find(v.pid, &interp, &err), 0);
        assert_int_equal(inject_open(&in, v.pid, &interp, &err), 0);
        for (int n = 0; n < 50; n++) {
            int rc = statement(&in, "import __main__\n__main__.seen = getattr(__main__, 'seen', 0) + 1\n", &err);
            if (rc)
                print_message("# %s: %d %s\n", pythons[i], rc, err.message);
            assert_int_equal(rc, 0);
        }
        // Exactly once each.
        assert_int_equal(statement(&in, "import __main__\nassert __main__.seen == 50\n", &err), 0);
        assert_int_equal(persist(&in, NULL, &err), 0);
        assert_int_equal(in.page, 0);
        inject_close(&in);
        victim_goes_on(&v);
        victim_end(&v);
    }
}

static void test_idle(void **state) { attach_some(idle); }
static void test_busy(void **state) { attach_some(busy); }
static void test_threads(void **state) { attach_some(threads); }

// The bytes that were borrowed are back, and no memory is left.
static void test_restored(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = victim_start(pythons[i], idle);
        victim_goes_on(&v);
        struct interp interp;
        struct inject in;
        struct err err = { 0 };
        uint8_t before[64], after[64];
        assert_int_equal(interp_find(v.pid, &interp, &err), 0);
        assert_int_equal(inject_open(&in, v.pid, &interp, &err), 0);
        assert_int_equal(pread(in.mem, before, sizeof before, (off_t)interp.entry), sizeof before);
        assert_int_equal(statement(&in, "pass\n", &err), 0);
        uint64_t page = in.page;
        assert_int_equal(persist(&in, NULL, &err), 0);
        assert_int_equal(pread(in.mem, after, sizeof after, (off_t)interp.entry), sizeof after);
        assert_memory_equal(before, after, sizeof before);
        assert_int_equal(pread(in.mem, after, 1, (off_t)page), -1);
        inject_close(&in);
        victim_end(&v);
    }
}

// An agent that is killed at any instruction: the target runs on, and the next agent can attach.
static void test_killed(void **state)
{
    const char *const programs[] = { idle, busy, threads };
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = victim_start(pythons[i], programs[i % 3]);
        victim_goes_on(&v);
        unsigned seed = 12345;
        for (int n = 0; n < 150; n++) {
            pid_t agent = fork();
            assert_true(agent >= 0);
            if (agent == 0) {
                struct interp interp;
                struct inject in;
                struct err err;
                if (interp_find(v.pid, &interp, &err) < 0 || inject_open(&in, v.pid, &interp, &err) < 0)
                    _exit(1);
                for (;;) {
                    statement(&in, "pass\n", &err);
                    persist(&in, NULL, &err);
                }
            }
            usleep(2000 + (useconds_t)rand_r(&seed) % 3000);
            kill(agent, SIGKILL);
            waitpid(agent, NULL, 0);
        }
        victim_goes_on(&v);
        struct interp interp;
        struct inject in;
        struct err err = { 0 };
        assert_int_equal(interp_find(v.pid, &interp, &err), 0);
        assert_int_equal(inject_open(&in, v.pid, &interp, &err), 0);
        assert_int_equal(statement(&in, "pass\n", &err), 0);
        inject_close(&in);
        victim_goes_on(&v);
        victim_end(&v);
    }
}

static void test_other_debugger(void **state)
{
    if (!python_count)
        skip();
    struct victim v = victim_start(pythons[0], idle);
    victim_goes_on(&v);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t debugger = fork();
    if (debugger == 0) {
        if (ptrace(PTRACE_SEIZE, v.pid, 0, 0) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        pause();
    }
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    struct err err = { 0 };
    assert_int_equal(interp_allowed(v.pid, &err), ERR_BUSY);
    assert_string_equal(err.slug, "other_debugger");
    kill(debugger, SIGKILL);
    waitpid(debugger, NULL, 0);
    assert_int_equal(interp_allowed(v.pid, &err), 0);
    close(ready[0]), close(ready[1]);
    victim_end(&v);
}

// The switch of 3.14 and later; without it the same interpreter is attached to above.
static void test_disabled(void **state)
{
    bool any = false;
    for (size_t i = 0; i < python_count; i++) {
        struct interp interp;
        struct err err = { 0 };
        setenv("PYTHON_DISABLE_REMOTE_DEBUG", "", 1);
        struct victim v = victim_start(pythons[i], idle);
        unsetenv("PYTHON_DISABLE_REMOTE_DEBUG");
        victim_goes_on(&v);
        int rc = interp_find(v.pid, &interp, &err);
        assert_int_equal(rc, err.code);
        if (rc < 0) {
            assert_string_equal(err.slug, "runtime_disabled");
            assert_non_null(strstr(err.hint, "PYTHON_DISABLE_REMOTE_DEBUG"));
            any = true;
        } else {
            assert_true(interp.minor < 14);
        }
        victim_end(&v);
    }
    if (!any)
        skip();
}

static void test_no_python(void **state)
{
    struct interp interp;
    assert_int_equal(interp_find(getpid(), &interp, NULL), ERR_NOENT);
    assert_int_equal(interp_find(-5, &interp, NULL), ERR_NOENT);
}

static void python_add(const char *path)
{
    if (python_count < PYTHONS_MAX && access(path, X_OK) == 0)
        pythons[python_count++] = strdup(path);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    python_add("/usr/bin/python3");
    char pattern[512];
    glob_t g = { 0 };
    if (glob(VICTIMS "/../../../.setup/cpython/3.*/bin/python3", 0, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc; i++)
            python_add(g.gl_pathv[i]);
    globfree(&g);
    for (int minor = INTERP_MINOR_MIN; getenv("HOME") && minor <= INTERP_MINOR_MAX; minor++) {
        snprintf(pattern, sizeof pattern, "%s/.pyenv/versions/3.%d.*/bin/python3", getenv("HOME"), minor);
        if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc)
            python_add(g.gl_pathv[g.gl_pathc - 1]);
        globfree(&g);
    }
    for (size_t i = 0; i < python_count; i++)
        printf("# with %s\n", pythons[i]);
    if (!python_count)
        printf("# skipped: no Python 3.%d to 3.%d on this machine\n", INTERP_MINOR_MIN, INTERP_MINOR_MAX);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_python),      cmocka_unit_test(test_idle),     cmocka_unit_test(test_busy),
        cmocka_unit_test(test_threads),        cmocka_unit_test(test_restored), cmocka_unit_test(test_killed),
        cmocka_unit_test(test_other_debugger), cmocka_unit_test(test_disabled),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < python_count; i++)
        free(pythons[i]);
    return rc;
}
