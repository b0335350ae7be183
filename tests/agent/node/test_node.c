// The back end against real processes, on every Node of this machine.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/python/seen.h"
#include "victim.h"
#include <cmocka.h>

static const char *const files[] = { "victim_order.js", "victim_order.mjs" };

// --- tests ---

static void snapshots_have_the_values_and_run_nothing(void **state)
{
    for (size_t i = 0; i < node_count * 2; i++) {
        struct victim v = start(nodes[i / 2], files[i % 2], "slow");
        struct attachment *a = attach(&v);
        struct probe p = probe_at(&v, "p1", 23);
        p.hits = 3;
        apply(a, &p, 1);
        until_state(a, "installed");
        assert_int_equal(seen.line, 23);
        until_captures(a, 3);
        const char *c = seen.captures[0];
        has(c, "\"function\":\"order\"");
        has(c, "\"name\":\"n\",\"kind\":\"arg\"");
        has(c, "\"name\":\"total\",\"kind\":\"local\"");
        has(c, "[\"name\",{\"k\":\"str\",\"v\":\"bob\"}]");
        has(c, "[\"password\",{\"k\":\"missing\",\"why\":\"redacted\"");
        has(c, "[\"evil\",{\"k\":\"missing\",\"t\":\"accessor\",\"why\":\"unreadable\"");
        has(c, "\"t\":\"Proxy\"");
        has(c, "12345678901234567890");
        has_not(c, "hunter2");
        // How many may be taken is the helper's business, which is granted more of them while the probe stands.
        until_captures(a, 6);
        assert_int_equal(seen.counts.dropped.grant, 0);
        apply(a, NULL, 0);
        for (int k = 0; k < 500; k++)
            polls(a);
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void conditions_expressions_and_log_lines(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        struct victim v = start(nodes[i], files[i % 2], "slow");
        struct attachment *a = attach(&v);
        struct probe p[3] = { probe_at(&v, "p1", 23), probe_at(&v, "p2", 23), probe_at(&v, "p3", 23) };
        struct probe_program exprs[] = { program(&arena, "o.user.name + '!'"),
                                         program(&arena, "any(o.items, x => x.price > 5)"),
                                         program(&arena, "o.money.total"),
                                         program(&arena, "o.user.password"),
                                         program(&arena, "o.trap.a"),
                                         program(&arena, "state.calls >= 0"),
                                         program(&arena, "len(user.tags) * 2 + 0x10 % 7") };
        p[0].has_condition = true;
        p[0].condition =
            program(&arena, "o.id % 10 == 3 && o.user?.name in ['bob', 'eve'] && !(o.nothing?.x > 3 || false)");
        // `null > 3` fails: it is false, counted, and said.
        p[1].has_condition = true;
        p[1].condition = program(&arena, "o.id % 10 == 3 && o.user?.name in ['bob', 'eve']");
        p[1].exprs = exprs, p[1].n_exprs = sizeof exprs / sizeof *exprs, p[1].hits = 2;
        apply(a, p, 2);
        until_state(a, "installed");
        until_captures(a, 2);
        const char *c = seen.captures[0];
        has(c, "\"text\":\"o.user.name + '!'\",\"value\":{\"k\":\"str\",\"v\":\"bob!\"}");
        has(c, "\"text\":\"any(o.items, x => x.price > 5)\",\"value\":{\"k\":\"bool\",\"v\":true}");
        has(c, "`o.money.total` cannot be read");
        has(c, "`o.user.password` is redacted");
        has(c, "`o.trap.a` cannot be read");
        has(c, "\"text\":\"state.calls >= 0\",\"value\":{\"k\":\"bool\",\"v\":true}");
        has(c, "\"text\":\"len(user.tags) * 2 + 0x10 % 7\",\"value\":{\"k\":\"int\",\"v\":6}");
        forget();
        struct probe_part parts[] = { { .text = STR("order "), .is_expr = false },
                                      { .is_expr = true, .expr = program(&arena, "o.id") },
                                      { .text = STR(" of "), .is_expr = false },
                                      { .is_expr = true, .expr = program(&arena, "o.user.name") } };
        p[2].kind = PROBE_LOG, p[2].has_log = true, p[2].log.level = PROBE_INFO;
        p[2].log.parts = parts, p[2].log.n_parts = 4;
        apply(a, p + 2, 1);
        until_captures(a, 2);
        has(seen.captures[0], "\"log\":{\"level\":\"info\",\"body\":\"order ");
        has(seen.captures[0], " of bob\"}");
        has_not(seen.captures[0], "\"vars\"");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

// No value leaves the host, nor can the hits of a condition tell one.
static void a_host_that_shows_types_alone(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct victim v = start(nodes[0], files[0], "slow");
    v.process.shapes = true;
    struct attachment *a = attach(&v);
    struct probe p[2] = { probe_at(&v, "p1", 23), probe_at(&v, "p2", 23) };
    p[0].has_condition = true;
    p[0].condition = program(&arena, "o.user.name == 'bob'");
    apply(a, p, 1);
    until_state(a, "error");
    assert_string_equal(seen.code, "policy");
    apply(a, p + 1, 1);
    until_captures(a, 1);
    has(seen.captures[0], "[\"name\",{\"k\":\"str\",\"n\":3}]");
    has_not(seen.captures[0], "bob");
    has_not(seen.captures[0], "12345678901234567890");
    node_backend.detach(a);
    works(&v);
    end(&v);
    arena_free(&arena);
}

static void patterns_and_names_of_the_agent(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        struct victim v = start(nodes[i], files[i % 2], "slow");
        struct attachment *a = attach(&v);
        struct probe p[2] = { probe_at(&v, "p1", 23), probe_at(&v, "p2", 23) };
        struct probe_program exprs[] = { program(&arena, "@service"),
                                         program(&arena, "@static(state).calls >= 0"),
                                         program(&arena, "@frame(0).total > 0"),
                                         program(&arena, "@return"),
                                         program(&arena, "has(o.user.age) || o.user.name matches '(?i)^B.b$'"),
                                         program(&arena, "len(@host) > 0") };
        p[0].has_condition = true;
        p[0].condition = program(&arena, "o.user.name matches 'b+$' && !(o.user.name matches '^o')");
        p[0].exprs = exprs, p[0].n_exprs = sizeof exprs / sizeof *exprs;
        p[0].scope.service = STR("shop");
        apply(a, p, 1);
        until_captures(a, 1);
        has(seen.captures[0], "\"text\":\"@service\",\"value\":{\"k\":\"str\",\"v\":\"shop\"}");
        has(seen.captures[0], "\"text\":\"@static(state).calls >= 0\",\"value\":{\"k\":\"bool\",\"v\":true}");
        has(seen.captures[0], "\"text\":\"@frame(0).total > 0\",\"value\":{\"k\":\"bool\",\"v\":true}");
        has(seen.captures[0], "'(?i)^B.b$'\",\"value\":{\"k\":\"bool\",\"v\":true}");
        has(seen.captures[0], "\"text\":\"len(@host) > 0\",\"value\":{\"k\":\"bool\",\"v\":true}");
        has(seen.captures[0], "\"text\":\"@return\",\"error\"");
        // Nothing inside the process can read them.
        p[1].has_condition = true;
        p[1].condition = program(&arena, "@frame(1).x == 1");
        apply(a, p + 1, 1);
        until_state(a, "error");
        assert_string_equal(seen.code, "unsupported");
        has(seen.message, "callers");
        node_backend.detach(a);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

static void another_version_of_the_file_is_not_probed(void **state)
{
    struct victim v = start(nodes[0], files[0], "slow");
    struct attachment *a = attach(&v);
    struct probe p[2] = { probe_at(&v, "p1", 23), probe_at(&v, "p2", 23) };
    struct resolve_request q = { RESOLVE_SOURCE, .path = STR(VICTIMS "/victim_order.js") };
    struct buf out;
    struct json_writer w;
    struct err err;
    buf_init(&out, 1 << 20);
    json_writer_init(&w, &out);
    assert_int_equal(node_backend.resolve(&v.process, &q, &w, &err), 0);
    ptrdiff_t at = str_find(buf_view(&out), STR("\"hash\":\""));
    assert_true(at > 0);
    p[1].match = p[0].match = PROBE_MATCH_EXACT;
    p[1].source_hash = str_slice(buf_view(&out), (size_t)at + 8, (size_t)at + 8 + 64);
    p[0].source_hash = STR("00000000000000000000000000000000000000000000000000000000000000ff");
    apply(a, p, 1);
    until_state(a, "mismatch");
    assert_string_equal(seen.code, "source_mismatch");
    apply(a, p + 1, 1);
    until_state(a, "installed");
    until_captures(a, 1);
    buf_free(&out);
    node_backend.detach(a);
    works(&v);
    end(&v);
}

// The same as it says itself, without its being asked.
static void its_version_is_known(void **state)
{
    for (int i = 0; nodes[i]; i++) {
        struct victim v = start(nodes[i], files[0], "slow");
        struct process_facts facts;
        char command[4200], want[64] = "";
        snprintf(command, sizeof command, "'%s' --version", nodes[i]);
        FILE *f = popen(command, "r");
        assert_non_null(f);
        assert_non_null(fgets(want, sizeof want, f));
        pclose(f);
        want[strcspn(want, "\n")] = 0;
        assert_int_equal(node_backend.examine(&v.process, &facts), 1);
        assert_string_equal(facts.version, want);
        end(&v);
    }
}

// A line that other lines have been put in front of, in the process or since it was seen.
static void a_probe_follows_its_line(void **state)
{
    char hash[SEEN_HASH_HEX + 1];
    struct victim v = start(nodes[0], files[0], "slow");
    struct attachment *a = attach(&v);
    struct probe p[4];
    seen_line_hash(STR("total   += item.length; "), hash);
    for (uint32_t i = 0; i < 4; i++) {
        p[i] = probe_at(&v, "p1", i == 3 ? 24 : 18);
        p[i].revision = i + 1, p[i].match = PROBE_MATCH_FOLLOW;
        p[i].source_hash = STR("00"), p[i].line_hash = str_z(hash);
        p[i].follow_function = i == 1 ? STR("short") : STR("order");
    }
    apply(a, p, 1);
    until_state(a, "installed");
    assert_int_equal(seen.line, 20);
    until_captures(a, 1);
    has(seen.captures[0], "victim_order.js\",\"line\":20");
    has(seen.captures[0], "\"name\":\"item\"");
    // In another function it is another line.
    apply(a, p + 1, 1);
    until_state(a, "mismatch");
    assert_string_equal(seen.code, "source_mismatch");
    has(seen.data, "{\"nearest\":[");
    // The text is nowhere.
    p[2].line_hash = STR("00000000000000000000000000000000000000000000000000000000000000ff");
    forget();
    apply(a, p + 2, 1);
    until_state(a, "mismatch");
    // From behind.
    forget();
    apply(a, p + 3, 1);
    until_state(a, "installed");
    assert_int_equal(seen.line, 20);
    node_backend.detach(a);
    works(&v);
    end(&v);
}

// Its functions have the text that they had at the beginning.
static void is_as_it_was(struct victim *v)
{
    char line[256];
    long calls, ran, same = 0;
    for (int i = 0; i < 40 && !same; i++)
        if (fgets(line, sizeof line, v->out) && sscanf(line, "calls %ld ran %ld same %ld", &calls, &ran, &same) == 3)
            assert_int_equal(ran, 0);
    assert_int_equal(same, 1);
}

// In one of the captures: which of two probes, or which way out of a function, comes first is nobody's business.
static void until_said(struct attachment *a, const char *part)
{
    for (size_t looked = 0;;) {
        for (; looked < seen.n; looked++)
            if (strstr(seen.captures[looked], part))
                return;
        if (seen.n == CAPTURES_MAX)
            fail_msg("no %s in %d captures, as in %s", part, CAPTURES_MAX, seen.captures[0]);
        until_captures(a, seen.n + 1);
    }
}

static void exits_of_functions(void **state)
{
    static const struct {
        const char *function;
        enum probe_point point;
        const char *has[4];
    } cases[] = {
        { "price",
          PROBE_EXIT,
          { "\"return\":{\"k\":", "\"name\":\"doubled\"", "\"name\":\"tag\"", "\"duration_ns\":" } },
        { "charge", PROBE_EXIT, { "\"name\":\"card\"", "\"name\":\"old\"" } },
        { "charge",
          PROBE_THROW,
          { "\"type\":\"Refused\"", "\"message\":\"refused ",
            "\"name\":\"card\",\"kind\":\"local\",\"value\":{\"k\":\"str\"", "\"name\":\"later\"" } },
        { "delayed", PROBE_THROW, { "\"type\":\"RangeError\"", "\"message\":\"odd\"" } },
        { "delayed", PROBE_EXIT, { "\"name\":\"n\"" } },
        { "twice", PROBE_EXIT, { "\"return\":{\"k\":\"int\"" } },
        { "pair", PROBE_EXIT, { "\"return\":{\"k\":\"object\"" } },
        { "total", PROBE_EXIT, { "\"return\":{\"k\":\"int\"", "\"name\":\"this\"" } },
        { "nothing", PROBE_EXIT, { "\"return\":{\"k\":\"null\"" } },
        { "count", PROBE_EXIT, { "\"return\":{\"k\":\"int\"" } },
        { "closed", PROBE_EXIT, { "\"return\":{\"k\":\"int\"", "\"name\":\"captured\"", "\"name\":\"inner\"" } },
        { "hoisted", PROBE_EXIT, { "\"return\":{\"k\":\"int\"" } },
        { "cleanup", PROBE_EXIT, { "\"return\":{\"k\":\"int\"", "\"name\":\"n\"" } },
        { "lines", PROBE_EXIT, { "\"return\":{\"k\":\"int\"", "\"name\":\"n\"" } },
    };
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_exit.js", "x");
        struct attachment *a = attach(&v);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        // They stay until the next set, or the end.
        struct probe p[2];
        struct probe_program exprs[2];
        char id[16];
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            if (k >= 3 && (k + i) % node_count) // each on one of them
                continue;
            snprintf(id, sizeof id, "p%zu", k);
            p[0] = probe_at(&v, id, 0), p[1] = probe_at(&v, "other", 0);
            exprs[0] = program(&arena, "@duration >= 0");
            exprs[1] = program(&arena, "has(@exception) || has(@return)");
            for (int j = 0; j < 2; j++) {
                p[j].where.kind = PROBE_AT_FUNCTION, p[j].where.function = str_z(cases[k].function);
                p[j].where.point = cases[k].point;
                p[j].frames = 3, p[j].depth = 1, p[j].rate = 10; // the budget is for all of them
            }
            p[0].exprs = exprs, p[0].n_exprs = 2;
            p[1].revision = (uint32_t)k + 1;
            apply(a, p, k < 3 ? 2 : 1); // two at one function do not see each other
            until_captures(a, 4);
            for (size_t j = 0; j < 4 && cases[k].has[j]; j++)
                until_said(a, cases[k].has[j]);
            until_said(a, "has(@return)\",\"value\":{\"k\":\"bool\",\"v\":true}");
            forget();
            if (k % 3 == 2) { // a budget of its own
                node_backend.detach(a);
                is_as_it_was(&v);
                end(&v);
                v = start(nodes[i], "victim_exit.js", "x");
                a = attach(&v);
            }
        }
        node_backend.detach(a);
        is_as_it_was(&v);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

static void exceptions_of_a_type(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "victim_exit.js", "x");
        struct attachment *a = attach(&v);
        struct probe p[2] = { probe_at(&v, "p1", 0), probe_at(&v, "p2", 0) };
        for (int k = 0; k < 2; k++) {
            p[k].where =
                (struct probe_where){ .kind = PROBE_AT_EXCEPTION, .file = str_z(v.file), .function = STR("charge") };
            p[k].kind = PROBE_EXCEPTION;
        }
        p[0].where.exception = STR("RangeError"), p[1].where.exception = STR("TypeError"); // what it is built on
        apply(a, p, 2);
        until_captures(a, 2);
        has(seen.captures[0], "\"type\":\"Refused\"");
        assert_null(strstr(seen.captures[1], "RangeError"));
        p[0].revision++;
        p[0].where.file = p[0].where.function = (str){ 0 };
        apply(a, p, 1);
        until_state(a, "error");
        assert_string_equal(seen.code, "unsupported");
        node_backend.detach(a);
        is_as_it_was(&v);
        end(&v);
    }
}

static void exceptions_that_nobody_catches(void **state)
{
    static const char *const modes[] = { "dies", "rejects" };
    for (size_t i = 0; i < node_count * 2; i++) {
        struct victim v = start(nodes[i / 2], "victim_exit.js", modes[i % 2]);
        struct attachment *a = attach(&v);
        struct probe p = probe_at(&v, "p1", 0);
        p.kind = PROBE_EXCEPTION;
        p.where = (struct probe_where){ .kind = PROBE_AT_EXCEPTION, .exception = STR("TypeError"), .uncaught = true };
        apply(a, &p, 1);
        until_state(a, "installed");
        while (node_backend.fd(a) < 0) // the inspector is open
            polls(a);
        assert_int_equal(kill(v.pid, SIGUSR2), 0); // now it may
        until_captures(a, 1);
        has(seen.captures[0], "\"type\":\"Refused\"");
        if (i % 2 == 0)
            has(seen.captures[0], "\"function\":\"dies\"");
        node_backend.detach(a);
        int status;
        waitpid(v.pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), 1); // as it would have ended
        fclose(v.out);
        process_done(&v.process);
        arena_free(&v.arena);
        forget();
    }
}

static void arrows_async_functions_and_entries(void **state)
{
    static const uint32_t lines[] = { 25, 28, 19, 20 };
    for (size_t i = 0; i < node_count * 4; i++) {
        struct victim v = start(nodes[i / 4], files[0], "slow");
        struct attachment *a = attach(&v);
        struct probe p = probe_at(&v, "p1", lines[i % 4]);
        if (i % 4 == 2)
            p.where.kind = PROBE_AT_FUNCTION, p.where.function = STR("order");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_captures(a, 1);
        has(seen.captures[0], "\"name\":\"n\"");
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void what_cannot_be_placed_says_why(void **state)
{
    struct victim v = start(nodes[0], files[0], "slow");
    struct attachment *a = attach(&v);
    struct probe p = probe_at(&v, "p1", 2);
    apply(a, &p, 1);
    until_state(a, "unresolvable");
    assert_string_equal(seen.code, "no_code_at_line");
    has(seen.data, "\"nearest\":[4");
    p = probe_at(&v, "p2", 1);
    p.where.file = STR("no/such/file.js");
    apply(a, &p, 1);
    until_code(a, "waiting", "module_not_loaded");
    node_backend.detach(a);
    works(&v);
    end(&v);
}

static void a_hot_loop_is_suspended(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], files[0], "hot");
        struct attachment *a = attach(&v);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct probe p = probe_at(&v, "p1", 38);
        p.has_condition = true;
        p.condition = program(&arena, "i < 0");
        apply(a, &p, 1);
        until_state(a, "installed");
        until_state(a, "suspended");
        assert_string_equal(seen.code, "budget");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

// The agent is killed: its calls do nothing more, and the next one takes them out.
static void a_killed_agent_leaves_nothing_that_runs(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], files[i % 2], "slow");
        struct probe p = probe_at(&v, "p1", 23);
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
        p.where.line = 20;
        apply(a, &p, 1);
        until_state(a, "installed");
        assert_int_equal(seen.line, 20);
        until_captures(a, 1);
        has_not(seen.captures[0], "\"line\":23");
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void it_is_refused_where_the_signal_is_not_free(void **state)
{
    struct attachment *a = NULL;
    struct err err = { 0 };
    struct process_facts facts;
    struct victim v = start(nodes[0], "victim_handler.js", "x");
    assert_int_equal(node_backend.attach(&v.process, &events, &a, &err), ERR_DENIED);
    assert_string_equal(err.slug, "runtime_disabled");
    works(&v);
    end(&v);
    v = start_with(nodes[0], (const char *const[]){ "--inspect=0", NULL }, files[0], "slow");
    assert_int_equal(node_backend.examine(&v.process, &facts), 1);
    assert_false(facts.attachable);
    assert_string_equal(facts.code, "other_debugger");
    end(&v);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_have_the_values_and_run_nothing),
        cmocka_unit_test(conditions_expressions_and_log_lines),
        cmocka_unit_test(patterns_and_names_of_the_agent),
        cmocka_unit_test(a_host_that_shows_types_alone),
        cmocka_unit_test(another_version_of_the_file_is_not_probed),
        cmocka_unit_test(a_probe_follows_its_line),
        cmocka_unit_test(its_version_is_known),
        cmocka_unit_test(exits_of_functions),
        cmocka_unit_test(exceptions_of_a_type),
        cmocka_unit_test(exceptions_that_nobody_catches),
        cmocka_unit_test(arrows_async_functions_and_entries),
        cmocka_unit_test(what_cannot_be_placed_says_why),
        cmocka_unit_test(a_hot_loop_is_suspended),
        cmocka_unit_test(a_killed_agent_leaves_nothing_that_runs),
        cmocka_unit_test(it_is_refused_where_the_signal_is_not_free),
    };
    return victims_run("node", tests, sizeof tests / sizeof *tests);
}
