// Exceptions that nobody catches, in real processes that end of them: on every interpreter of this machine that the build has a part for.
#include "order_test.h"

enum { OUTPUT_MAX = 1 << 16 };

static struct probe uncaught_probe(void)
{
    struct probe p = line_probe(0);
    p.kind = PROBE_EXCEPTION;
    p.where = (struct probe_where){ .kind = PROBE_AT_EXCEPTION, .exception = STR("*"), .uncaught = true };
    p.rate = 0;
    return p;
}

// It ends, at once and unwatched; what it has said since, and how it ended.
static int let_it_end(struct victim *v, char *said)
{
    size_t n = 0, got;
    int status = 0;
    kill(v->pid, SIGUSR1);
    while (n < OUTPUT_MAX - 1 && (got = fread(said + n, 1, OUTPUT_MAX - 1 - n, v->out)) > 0)
        n += got;
    said[n] = 0;
    waitpid(v->pid, &status, 0);
    fclose(v->out);
    has_not(said, "poisoned");
    has_not(said, "changed");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static struct attachment *placed_in(struct victim *v, const char *python, const char *file, const char *how,
                                    const struct probe *p)
{
    *v = start_file(python, file, how);
    struct attachment *a = attach(v);
    place(a, p);
    UNTIL(v, a, strcmp(seen.state, "installed") == 0);
    turns(v, a, 20); // what is caught says nothing
    assert_int_equal(seen.n, 0);
    return a;
}

static struct attachment *placed(struct victim *v, const char *python, const char *how, const struct probe *p)
{
    return placed_in(v, python, "/victim_uncaught.py", how, p);
}

static void is_deep_failure(const char *json)
{
    char line[64];
    has(json, "\"exception\":{\"type\":\"Failure\"");
    has(json, "\"message\":\"deep failure\"");
    has(json, "\"frames\":[{\"function\":\"deep\",");
    has(json, "\"name\":\"total\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":42}");
    has(json, "\"name\":\"order\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":3}"); // of the next one
    snprintf(line, sizeof line, "\"line\":%u", line_in("/victim_uncaught.py", "raise Failure"));
    has(json, line);
    has(json, "\"function\":\"middle\"");
}

static void test_main(void **state)
{
    static char said[OUTPUT_MAX];
    static const char *const modes[] = { "main", "alone" };
    for (size_t i = 0; i < python_count * 2; i++) {
        struct victim v;
        struct probe p = uncaught_probe();
        struct attachment *a = placed(&v, pythons[i / 2], modes[i % 2], &p);
        assert_int_equal(let_it_end(&v, said), 1);
        has(said, "Traceback (most recent call last)");
        has(said, "Failure: deep failure");
        has_not(said, "survived");
        detach(a); // brings what the process has left
        assert_int_equal(seen.n, 1);
        assert_int_equal(seen.captured, 1);
        is_deep_failure(seen.captures[0]);
        has(seen.captures[0], "\"function\":\"<module>\"");
    }
}

// The hook is the program's, and is called as it would be.
static void test_hooked(void **state)
{
    static char said[OUTPUT_MAX];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < python_count; i++) {
        struct victim v;
        struct probe p = uncaught_probe();
        p.where.exception = STR("ValueError"), p.where.function = STR("Deep.deep"),
        p.where.file = STR("victim_uncaught.py");
        p.has_condition = true;
        p.condition = program_of(&arena, "total == 42 && @frame(1).order == 3", true);
        struct attachment *a = placed(&v, pythons[i], "hooked", &p);
        assert_int_equal(let_it_end(&v, said), 1);
        has(said, "hook of the program");
        int64_t next;
        python_backend.poll(a, now_ns(), &next);
        assert_int_equal(seen.n, 1);
        is_deep_failure(seen.captures[0]);
        detach(a);
        assert_int_equal(seen.n, 1);
    }
    arena_free(&arena);
}

static void test_thread(void **state)
{
    static char said[OUTPUT_MAX];
    for (size_t i = 0; i < python_count; i++) {
        struct victim v;
        struct probe p = uncaught_probe();
        struct attachment *a = placed(&v, pythons[i], "thread", &p);
        assert_int_equal(let_it_end(&v, said), 0);
        has(said, "Exception in thread worker");
        has(said, "survived");
        detach(a);
        assert_int_equal(seen.n, 1);
        is_deep_failure(seen.captures[0]);
        has(seen.captures[0], "\"name\":\"worker\"}");
        has(seen.captures[0], "\"function\":\"_bootstrap_inner\"");
    }
}

// These are no errors; nor is what is raised of another type, or elsewhere.
static void test_not(void **state)
{
    static char said[OUTPUT_MAX];
    static const struct {
        const char *how, *type, *function;
        int status;
    } cases[] = { { "exit", "*", "", 3 },
                  { "interrupt", "*", "", -SIGINT },
                  { "main", "KeyError", "", 1 },
                  { "main", "*", "middle", 1 } };
    for (size_t i = 0; i < python_count; i++)
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            struct victim v;
            struct probe p = uncaught_probe();
            p.where.exception = str_z(cases[k].type), p.where.function = str_z(cases[k].function);
            struct attachment *a = placed(&v, pythons[i], cases[k].how, &p);
            assert_int_equal(let_it_end(&v, said), cases[k].status);
            detach(a);
            assert_int_equal(seen.n, 0);
        }
}

// A traceback that is longer than what is kept of it.
static void test_recursion(void **state)
{
    static char said[OUTPUT_MAX];
    for (size_t i = 0; i < python_count; i++) {
        struct victim v;
        struct probe p = uncaught_probe();
        struct attachment *a = placed(&v, pythons[i], "recursion", &p);
        assert_int_equal(let_it_end(&v, said), 1);
        has(said, "RecursionError");
        detach(a);
        assert_int_equal(seen.n, 1);
        has(seen.captures[0], "\"type\":\"RecursionError\"");
        has(seen.captures[0], "\"frames\":[{\"function\":\"ends\",");
        const char *cut = strstr(seen.captures[0], "\"frames_cut\":");
        assert_non_null(cut);
        assert_true(atoi(cut + 13) > 900);
    }
}

// A program without threads and without the module atexit. Placed and taken out before, too.
static void test_bare(void **state)
{
    static char said[OUTPUT_MAX];
    for (size_t i = 0; i < python_count * 2; i++) {
        struct victim v;
        struct probe p = uncaught_probe();
        struct attachment *a = placed_in(&v, pythons[i / 2], "/victim_bare.py", NULL, &p);
        if (i % 2) {
            detach(a);
            forget();
            a = attach(&v);
        }
        assert_int_equal(let_it_end(&v, said), 1);
        has(said, "Failure: deep failure");
        detach(a);
        assert_int_equal(seen.n, i % 2 ? 0 : 1);
        if (seen.n)
            has(seen.captures[0], "\"frames\":[{\"function\":\"deep\",");
    }
}

// Taken out again, it says nothing.
static void test_removed(void **state)
{
    static char said[OUTPUT_MAX];
    for (size_t i = 0; i < python_count; i++) {
        struct victim v;
        struct probe p = uncaught_probe();
        struct attachment *a = placed(&v, pythons[i], "removed", &p);
        detach(a);
        forget();
        a = attach(&v);
        assert_int_equal(let_it_end(&v, said), 1);
        detach(a);
        assert_int_equal(seen.n, 0);
    }
}

int main(void)
{
    if (getenv("CLEW_ONLY"))
        cmocka_set_test_filter(getenv("CLEW_ONLY"));
    pythons_find();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main), cmocka_unit_test(test_hooked),    cmocka_unit_test(test_thread),
        cmocka_unit_test(test_not),  cmocka_unit_test(test_recursion), cmocka_unit_test(test_removed),
        cmocka_unit_test(test_bare),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    pythons_free();
    return rc;
}
