// Code that has come into a program in other ways than by one import: what `python -m` runs, a module that was loaded again, coroutines from before.
#include "order_test.h"

static struct probe probe_in(const char *file, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "/%s", file);
    struct probe p = line_probe(line_in(path, text));
    p.where.file = str_z(file);
    p.rate = 0, p.frames_vars = 1;
    return p;
}

static void test_module_main(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start_module(pythons[i], "victim_package");
        struct attachment *a = attach(&v);
        struct probe p = probe_in("victim_package/__main__.py", "return n, both");
        place(a, &p);
        UNTIL(&v, a, seen.n >= 2 && stands());
        has(seen.captures[0], "\"function\":\"turn\"");
        has(seen.captures[0], "{\"k\":\"tuple\",\"n\":2,\"i\":[{\"k\":\"int\",\"v\":6},{\"k\":\"int\",\"v\":5}]}");
        has(seen.captures[0], "\"function\":\"main\"");
        has(seen.captures[0], "victim_package/__main__.py");
        detach(a);
        end(&v);
    }
}

// Both of them: what was imported by name from the module of before, and what the module has now.
static void test_reloaded(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start_module(pythons[i], "victim_package");
        struct attachment *a = attach(&v);
        struct probe p = probe_in("victim_package/stock.py", "return left");
        place(a, &p);
        UNTIL(&v, a, any_has("\"v\":\"before\"") && any_has("\"v\":\"again\"") && stands());
        detach(a);
        end(&v);
    }
}

// Up to 3.11 those that are under way, or have not begun, go on without the probe, and it says so until they have ended. From 3.12 on they are seen.
static void test_tasks(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start_file(pythons[i], "/victim_tasks.py", NULL);
        struct attachment *a = attach(&v);
        struct probe p = probe_in("victim_tasks.py", "return passed");
        bool older = python_is_older(pythons[i]);
        place(a, &p);
        UNTIL(&v, a, stands());
        assert_string_equal(seen.state, older ? "partial" : "installed");
        assert_string_equal(seen.code, older ? "old_code" : "");
        assert_int_equal(seen.n, 0);
        kill(v.pid, SIGUSR2);
        UNTIL(&v, a, any_has("\"v\":\"later\"") && v.same);
        assert_int_equal(any_has("\"v\":\"waiting\""), !older);
        assert_int_equal(any_has("\"v\":\"never awaited\""), !older);
        UNTIL(&v, a, strcmp(seen.state, "installed") == 0);
        assert_string_equal(seen.code, "");
        detach(a);
        end(&v);
    }
}

int main(void)
{
    if (getenv("CLEW_ONLY"))
        cmocka_set_test_filter(getenv("CLEW_ONLY"));
    pythons_find();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_module_main),
        cmocka_unit_test(test_reloaded),
        cmocka_unit_test(test_tasks),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    pythons_free();
    return rc;
}
