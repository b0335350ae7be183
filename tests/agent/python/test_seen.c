// Whether a file of a process (this one) is what somebody saw, and where a line of it has gone to.
#include "agent/process.h"
#include "agent/python/python.h"
#include "agent/python/seen.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SOURCE "def f(a):\n    b  =   a\n    return b\n\n\ndef g(a):\n    b = a\t \n    c = b\n    return c\n"
// Of the above.
#define HASH "ee365e266ce2cd3b2ecb100fc41ff010bee2b799aa8eb6dd5dd0539d67e5e5ec"

static char folder[] = "/tmp/clew-seen-XXXXXX", path[64];

static int set_up(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/app.py", folder);
    FILE *f = fopen(path, "w");
    fputs(SOURCE, f);
    fclose(f);
    return 0;
}
static int tear_down(void **state)
{
    unlink(path), rmdir(folder);
    return 0;
}

static struct seen_answer check(const struct probe *probe, bool older)
{
    struct arena arena;
    struct process p;
    struct seen_answer s;
    arena_init(&arena, 1 << 20);
    assert_int_equal(process_read(getpid(), &arena, &p), 0);
    // The process began before the file was written, or long after.
    p.started_unix_ns = older ? 1 : INT64_MAX / 2;
    seen_check(&p, probe, &s);
    process_done(&p);
    arena_free(&arena);
    return s;
}

static struct probe at(int line)
{
    struct probe p = { .match = PROBE_MATCH_EXACT,
                       .where = { .kind = PROBE_AT_LINE, .file = str_z(path), .line = (uint32_t)line } };
    return p;
}

static void exact(void **state)
{
    struct probe p = at(3);
    assert_false(check(&p, true).mismatch); // nothing was said
    p.source_hash = STR(HASH);
    assert_false(check(&p, false).mismatch);
    assert_int_equal(check(&p, false).line, 0);
    assert_true(check(&p, true).mismatch);
    assert_non_null(strstr(check(&p, true).message, "has changed since"));
    p.source_hash = STR("00" HASH);
    assert_true(check(&p, false).mismatch);
    p.source_hash = STR(HASH), p.where.file = STR("/nowhere/app.py");
    assert_true(check(&p, false).mismatch);
    p.match = PROBE_MATCH_FOLLOW; // the text that was seen is of no matter then
    assert_false(check(&p, false).mismatch);
}

static void line_hash(void **state)
{
    char one[SEEN_HASH_HEX + 1], other[SEEN_HASH_HEX + 1];
    seen_line_hash(STR("b = a"), one);
    assert_string_equal(one, "65c8d18c6cb8422f926624dddd015ff7e180604547b95a966dff90cb4ba4dadc");
    seen_line_hash(STR("  \tb\t =    a \r\n"), other);
    assert_string_equal(one, other);
    seen_line_hash(STR("b =a"), other);
    assert_string_not_equal(one, other);
}

static void follow(void **state)
{
    char hash[SEEN_HASH_HEX + 1];
    struct probe p = at(3);
    seen_line_hash(STR("b = a"), hash);
    p.match = PROBE_MATCH_FOLLOW, p.line_hash = str_z(hash);
    assert_int_equal(check(&p, false).line, 2); // the nearest
    p.where.line = 60;
    assert_int_equal(check(&p, false).line, 7);
    p.follow_function = STR("f");
    assert_int_equal(check(&p, false).line, 2);
    // What runs may be another text: it stays where it was.
    assert_int_equal(check(&p, true).line, 0);
    assert_false(check(&p, true).mismatch);
    p.source_hash = STR(HASH);
    assert_int_equal(check(&p, false).line, 0); // nothing has moved
    p.source_hash = (str){ 0 };
    p.follow_function = STR("h"), p.where.line = 3;
    struct seen_answer s = check(&p, false);
    assert_true(s.mismatch);
    assert_int_equal(s.n_nearest, 1);
    assert_int_equal(s.nearest[0], 3);
    p.where.file = STR("/nowhere/app.py"); // cannot be known: as it says
    assert_false(check(&p, false).mismatch);
}

// 1: examine() says that this process of another user is a Python.
static int is_python(const char *exe, const char *argv)
{
    pid_t root = getpid(), child = fork();
    if (child == 0) {
        struct process p = { .pid = root, .exe = str_z(exe), .argv = str_of(argv, strlen(argv) + 1), .dir = -1 };
        struct process_facts facts;
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        _exit(python_backend.examine(&p, &facts));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void processes_that_may_not_be_looked_into(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(is_python("", "/usr/bin/python3"), 1);
    assert_int_equal(is_python("/opt/python3.11/bin/python3.11", "gunicorn: worker"), 1);
    assert_int_equal(is_python("", "/sbin/init"), 0);
    assert_int_equal(is_python("/usr/sbin/nginx", "python3"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(exact), cmocka_unit_test(line_hash), cmocka_unit_test(follow),
                                        cmocka_unit_test(processes_that_may_not_be_looked_into) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
