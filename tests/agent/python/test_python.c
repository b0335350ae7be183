// The back end against real processes on every interpreter of this machine that the build has a part for.
#include "order_test.h"

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

int main(void)
{
    pythons_find();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot), cmocka_unit_test(test_closure), cmocka_unit_test(test_trace),
        cmocka_unit_test(test_no_line),  cmocka_unit_test(test_entry),   cmocka_unit_test(test_hot),
        cmocka_unit_test(test_cycles),   cmocka_unit_test(test_killed),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    pythons_free();
    return rc;
}
