// Places that the engine takes no change of are probed by breakpoints inside the process, and so is all of Node 18: real processes.
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
#include "victim.h"
#include <cmocka.h>

enum { PATIENCE_S = 100 };
#define FILE_ "victim_stop.js"

// Each Node, the one among them that has breakpoints alone, too.
static const char *node_at(size_t i) { return i < node_count ? nodes[i] : i == node_count ? old_node : NULL; }

static struct probe probe_in(struct victim *v, uint32_t line)
{
    struct probe p = probe_at(v, "p1", line);
    p.rate = 20, p.burst = 2;
    return p;
}

static void stands(struct attachment *a)
{
    until_state(a, "installed");
    assert_string_equal(seen.code, "breakpoint");
    has(seen.message, "by a breakpoint");
}

// It has left, and everything is as it was: nobody listens, and what ran runs on.
static void leaves(struct victim *v, struct attachment *a)
{
    uint64_t left = 0;
    struct inspector_sockets own;
    works(v);
    node_backend.detach(a);
    works(v);
    // The thread that serves it sees a moment later that the agent has gone.
    int64_t until = now_ns() + 10 * 1000000000ll;
    while (inspector_port_state(&v->process, &left, &own) != INSPECTOR_FREE && now_ns() < until)
        usleep(10000);
    assert_int_equal(inspector_port_state(&v->process, &left, &own), INSPECTOR_FREE);
    end(v);
}

static void a_function_that_never_returns(void **state)
{
    const char *node;
    for (size_t i = 0; (node = node_at(i)); i++) {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        struct victim v = start(node, FILE_, "main");
        struct attachment *a = attach(&v);
        struct probe p = probe_in(&v, 14);
        struct probe_program exprs[] = { program(&arena, "user.name + '!'") };
        p.has_condition = true;
        p.condition = program(&arena, "round % 2 == 1");
        p.exprs = exprs, p.n_exprs = 1;
        apply(a, &p, 1);
        stands(a);
        assert_int_equal(seen.line, 14);
        until_captures(a, 2);
        has(seen.captures[0], "\"function\":\"main\"");
        has(seen.captures[0], "\"line\":14");
        has(seen.captures[0], "\"name\":\"round\",\"kind\":\"local\"");
        has(seen.captures[0], "[\"name\",{\"k\":\"str\",\"v\":\"bob\"}]");
        has(seen.captures[0], "\"text\":\"user.name + '!'\",\"value\":{\"k\":\"str\",\"v\":\"bob!\"}");
        has_not(seen.captures[0], "__clew"); // nothing of ours is a variable of the program
        assert_true(seen.counts.filtered > 0);
        leaves(&v, a);
        arena_free(&arena);
    }
}

// It runs millions of times a second: the process itself takes the breakpoint away.
static void a_hot_loop_is_released(void **state)
{
    const char *node;
    for (size_t i = 0; (node = node_at(i)); i++) {
        struct victim v = start(node, FILE_, "hot");
        struct attachment *a = attach(&v);
        struct probe p = probe_in(&v, 22);
        apply(a, &p, 1);
        until_state(a, "suspended");
        assert_string_equal(seen.code, "budget");
        assert_in_range(seen.counts.hits, 1, 400);
        leaves(&v, a);
    }
}

// `debugger` stops nothing, neither alone nor while the agent is connected; nor does the process wait for whom nobody sent.
static void a_function_that_waits_and_has_a_debugger_statement(void **state)
{
    const char *node;
    for (size_t i = 0; (node = node_at(i)); i++) {
        struct victim v = start(node, FILE_, "waits");
        struct attachment *a = attach(&v);
        struct probe p[2] = { probe_in(&v, 29), probe_in(&v, 8) };
        apply(a, p, 1);
        stands(a);
        until_captures(a, 2);
        has(seen.captures[0], "\"function\":\"waits\"");
        has(seen.captures[0], "\"name\":\"pause\",\"kind\":\"arg\"");
        works(&v);
        p[1].id = STR("p2");
        seen.state[0] = 0;
        apply(a, p, 2); // connects once more
        until_state(a, "installed");
        size_t n = seen.n;
        until_captures(a, n + 2);
        leaves(&v, a);
    }
}

static unsigned open_inspector(struct victim *v)
{
    struct inspector_sockets none = { 0 };
    uint64_t listener;
    unsigned port = 0;
    kill(v->pid, SIGUSR1);
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; !port;
         port = inspector_opened(&v->process, &none, &listener)) {
        assert_true(now_ns() < until);
        usleep(10000);
    }
    return port;
}

static void say(struct ws_client *ws, const char *request)
{
    assert_int_equal(ws_client_send(ws, true, bytes_of(request, strlen(request))), 0);
}

// Until the process has told that.
static void until_told(struct ws_client *ws, const char *what)
{
    struct ws_event event;
    struct err err;
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll;;) {
        assert_true(now_ns() < until);
        if (ws_client_next(ws, &event, &err) != 1)
            usleep(1000);
        else if (event.what == WS_TEXT && memmem(event.data.ptr, event.data.len, what, strlen(what)))
            return;
    }
}

// Somebody else's debugger comes while a breakpoint stands: the process does not wait for it where it asks for nothing, it may debug, and it may leave.
static void another_debugger_comes_and_goes(void **state)
{
    const char *node;
    for (size_t i = 0; (node = node_at(i)); i++) {
        struct ws_client *ws = NULL;
        struct err err = { 0 };
        struct victim v = start(node, FILE_, "waits");
        struct attachment *a = attach(&v);
        struct probe p = probe_in(&v, 29);
        apply(a, &p, 1);
        stands(a);
        until_captures(a, 1);
        while (session_runs(a))
            polls(a);
        assert_int_equal(inspector_connect(&v.process, open_inspector(&v), &ws, &err), 0);
        say(ws, "{\"id\":1,\"method\":\"Runtime.enable\"}");
        until_told(ws, "\"id\":1");
        works(&v);
        until_captures(a, seen.n + 2);
        say(ws, "{\"id\":2,\"method\":\"Debugger.enable\"}");
        until_told(ws, "Debugger.paused"); // at the program's own `debugger`, as it asks for
        ws_client_close(ws, WS_NORMAL, (str){ 0 });
        works(&v);
        until_captures(a, seen.n + 2);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void a_line_that_is_too_long_and_a_loop_outside_of_functions(void **state)
{
    const char *node;
    for (size_t i = 0; (node = node_at(i)); i++) {
        struct victim v = start(node, FILE_, "minified");
        struct attachment *a = attach(&v);
        struct probe p = probe_in(&v, 0);
        p.where.kind = PROBE_AT_FUNCTION, p.where.function = STR("minified");
        apply(a, &p, 1);
        stands(a);
        until_captures(a, 2);
        has(seen.captures[0], "\"function\":\"minified\"");
        has(seen.captures[0], "\"name\":\"n\",\"kind\":\"arg\"");
        leaves(&v, a);
        v = start(node, FILE_, "top");
        a = attach(&v);
        p = probe_in(&v, 46);
        apply(a, &p, 1);
        stands(a);
        until_captures(a, 1);
        has(seen.captures[0], "\"name\":\"round\"");
        has(seen.captures[0], "\"name\":\"state\"");
        has_not(seen.captures[0], "\"name\":\"hot\"");
        leaves(&v, a);
    }
}

// Nothing but the process itself takes the breakpoint away then. The next agent finds it as it was written.
static void a_killed_agent_leaves_no_breakpoint(void **state)
{
    const char *node;
    for (size_t i = 0; (node = node_at(i)); i++) {
        static const char *const modes[] = { "main", "waits" };
        for (size_t m = 0; m < 2; m++) {
            struct victim v = start(node, FILE_, modes[m]);
            struct probe p = probe_in(&v, m ? 29 : 14);
            int ready[2];
            char c;
            assert_int_equal(pipe(ready), 0);
            pid_t agent = fork();
            if (agent == 0) {
                struct attachment *a = attach(&v);
                apply(a, &p, 1);
                until_captures(a, 1);
                if (write(ready[1], "x", 1) != 1)
                    _exit(1);
                for (;;)
                    polls(a);
            }
            assert_int_equal(read(ready[0], &c, 1), 1);
            kill(agent, SIGKILL);
            waitpid(agent, NULL, 0);
            close(ready[0]), close(ready[1]);
            works(&v);
            struct attachment *a = attach(&v);
            p.revision++;
            apply(a, &p, 1);
            until_captures(a, 1);
            leaves(&v, a);
        }
    }
}

// Nothing of its scripts is changed: the text of the function stays as it was written, and the exits of functions are refused by name.
static void node_18_has_breakpoints_alone(void **state)
{
    const char *node = old_node ? old_node : strstr(nodes[0], "/18/") ? nodes[0] : NULL; // TEST_NODE
    if (!node)
        return;
    struct victim v = start(node, FILE_, "served");
    struct attachment *a = attach(&v);
    struct probe p[2] = { probe_in(&v, 8), probe_in(&v, 0) };
    apply(a, p, 1);
    stands(a);
    has(seen.message, "Node 18");
    until_captures(a, 2);
    has(seen.captures[0], "\"name\":\"total\",\"kind\":\"local\"");
    p[1].id = STR("p2");
    p[1].where.kind = PROBE_AT_FUNCTION, p[1].where.point = PROBE_EXIT, p[1].where.function = STR("order");
    apply(a, p, 2);
    until_state(a, "error");
    assert_string_equal(seen.code, "runtime_unsupported");
    has(seen.message, "exits");
    leaves(&v, a);
}

static void until_stops(struct victim *v, struct attachment *a, int wanted)
{
    char line[256];
    int stops = -1;
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; stops != wanted;) {
        hears(v, a, line, sizeof line);
        polls(a);
        sscanf(line, "calls %*d ran %*d stops %d", &stops);
        if (now_ns() > until)
            fail_msg("%d probes stand at breakpoints", stops);
    }
}

// V8 would stop the program for longer, the more functions the file has: by the square of their number.
static void a_file_of_very_many_functions_is_not_changed(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_many.js", "3100");
        struct attachment *a = attach(&v);
        struct probe p[2] = { probe_in(&v, 3), probe_in(&v, 0) };
        p[0].where.file = p[1].where.file = STR("many.js");
        apply(a, p, 1);
        stands(a);
        has(seen.message, "functions");
        until_captures(a, 1);
        has(seen.captures[0], "\"name\":\"total\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":6}");
        until_stops(&v, a, 1);
        apply(a, NULL, 0); // the agent stays
        until_stops(&v, a, 0);
        p[1].id = STR("p2");
        p[1].where.kind = PROBE_AT_FUNCTION, p[1].where.point = PROBE_EXIT, p[1].where.function = STR("step");
        apply(a, p, 2);
        until_state(a, "error");
        assert_string_equal(seen.code, "unsupported");
        has(seen.message, "functions");
        leaves(&v, a);
        v = start(nodes[i], "victim_many.js", "1000");
        a = attach(&v);
        p[0] = probe_in(&v, 3), p[0].where.file = STR("many.js");
        apply(a, p, 1);
        until_state(a, "installed");
        assert_string_equal(seen.code, "");
        leaves(&v, a);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_that_never_returns),
        cmocka_unit_test(a_hot_loop_is_released),
        cmocka_unit_test(a_function_that_waits_and_has_a_debugger_statement),
        cmocka_unit_test(another_debugger_comes_and_goes),
        cmocka_unit_test(a_line_that_is_too_long_and_a_loop_outside_of_functions),
        cmocka_unit_test(a_killed_agent_leaves_no_breakpoint),
        cmocka_unit_test(a_file_of_very_many_functions_is_not_changed),
        cmocka_unit_test(node_18_has_breakpoints_alone),
    };
    return victims_run("breakpoint", tests, sizeof tests / sizeof *tests);
}
