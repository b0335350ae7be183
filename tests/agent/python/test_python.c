// The back end against real processes on every interpreter of this machine that the build has a part for.
#include "agent/python/seen.h"
#include "order_test.h"
#include <sys/prctl.h>

static void leave(struct victim *v, struct attachment *a)
{
    detach(a);
    hear_restored(v);
    assert_int_equal(v->same, 1);
    assert_int_equal(v->called, 0);
    end(v);
}

static void test_snapshot(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("del poison.inside"));
        place(a, &p);
        UNTIL(&v, a, seen.n >= 2);
        assert_true(stands()); // "partial" up to 3.11, when a call happened to be under way
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
        detach(a);
        hear_restored(&v);
        assert_int_equal(v.called, 0);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

// What is remembered of a place from hit to hit is what it is called, never what it is.
static void test_turns(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("turned = n"));
        place(a, &p);
        UNTIL(&v, a, seen.n >= 4);
        for (size_t k = 0; k < 4; k++) {
            const char *json = seen.captures[k],
                       *n = strstr(json, "\"name\":\"n\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":");
            char want[128];
            assert_non_null(n);
            int turn = atoi(strstr(n, "\"v\":") + 4);
            snprintf(want, sizeof want, "\"name\":\"turn-%d\"}", turn % 2);
            has(json, want);
            snprintf(want, sizeof want, "\"name\":\"odd\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":%d}", turn);
            if (turn % 2)
                has(json, want);
            else
                has(json, "\"name\":\"odd\",\"kind\":\"local\",\"value\":{\"k\":\"missing\",\"why\":\"uninitialized\"");
        }
        detach(a);
        hear_restored(&v);
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
        detach(a);
        hear_restored(&v);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

static struct probe steps_probe(const char *text)
{
    struct probe p = line_probe(line_in("/victim_steps.py", text));
    p.where.file = STR("victim_steps.py");
    return p;
}

// In a generator that is under way, then in a coroutine behind its await; each with its caller's variables.
static void test_steps(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start_file(pythons[i], "/victim_steps.py", NULL);
        struct attachment *a = attach(&v);
        struct probe p = steps_probe("yield twice");
        place(a, &p);
        UNTIL(&v, a, seen.n >= 3);
        has(seen.captures[0], "\"name\":\"limit\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":3}");
        has(seen.captures[0], "\"name\":\"step\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":0}");
        has(seen.captures[2], "\"name\":\"twice\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":4}");
        has(seen.captures[0], "\"function\":\"awaited\"");
        has(seen.captures[0], "\"name\":\"amount\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":40}");
        place(a, NULL);
        forget();
        p = steps_probe("return total");
        p.revision = 2;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"name\":\"total\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":126}");
        has(seen.captures[0], "{\"k\":\"int\",\"v\":42}");
        has(seen.captures[0], "\"function\":\"main\"");
        detach(a);
        hear(&v);
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
        detach(a);
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
        detach(a);
        end(&v);
    }
}

// It stands in the text that was seen, or says that this is another; what follows stands where its line has gone to.
static void test_seen(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        uint32_t line = line_of("total = quantity * each");
        struct probe p = line_probe(line);
        char hash[SEEN_HASH_HEX + 1], want[32];
        p.where.file = STR(VICTIMS "/victim_order.py");
        p.match = PROBE_MATCH_EXACT, p.source_hash = STR("ab");
        place(a, &p);
        assert_string_equal(seen.state, "mismatch");
        assert_string_equal(seen.code, "source_mismatch");
        seen_line_hash(STR("total = quantity * each"), hash);
        p.match = PROBE_MATCH_FOLLOW, p.line_hash = str_z(hash);
        p.where.line = line - 4, p.revision = 2;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1 && stands());
        snprintf(want, sizeof want, "\"line\":%u", line);
        has(seen.captures[0], want);
        leave(&v, a);
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
        detach(a);
        end(&v);
    }
}

static unsigned times(const char *json, const char *what)
{
    unsigned n = 0;
    while ((json = strstr(json, what)))
        n++, json++;
    return n;
}

// Functions by their qualified name: a method, whose own closure refers to its argument, and one that is made in another.
static void test_qualified(void **state)
{
    static const char self[] = "\"name\":\"self\",\"kind\":\"arg\",\"value\":{\"k\":\"object\",\"t\":\"Basket\"";
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(0);
        p.where = (struct probe_where){ .kind = PROBE_AT_FUNCTION,
                                        .file = STR("victim_order.py"),
                                        .function = STR("Basket.total"),
                                        .point = PROBE_ENTRY };
        p.rate = 0, p.frames_vars = 1;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 4);
        for (size_t k = 0; k < 4; k++) {
            has(seen.captures[k], self);
            has(seen.captures[k], "\"name\":\"quantity\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":3}");
            assert_int_equal(times(seen.captures[k], "\"name\":\"self\""), 1);
        }
        forget();
        p.revision++, p.where.function = STR("closure.<locals>.inner");
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"name\":\"x\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":2}");
        leave(&v, a);
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
        // Nor does it begin anew when another one is placed. (By itself it does, after ten seconds.)
        int64_t since = now_ns();
        struct probe other = line_probe(line_of("return y"));
        const struct probe *both[] = { &p, &other };
        other.id = STR("p2");
        assert_int_equal(python_backend.apply(a, both, 2, NULL), 0);
        UNTIL(&v, a, any_has("\"name\":\"base\""));
        turns(&v, a, 20);
        assert_true(seen.suspended == 1 || now_ns() - since > 8 * 1000000000ll);
        leave(&v, a);
    }
}

// Time in which the process has no processor is not what its hits cost: it is held, longer than a budget holds out, 100 times, also amid a capture.
static void test_held(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("del poison.inside"));
        p.rate = 0, p.grant = 100000;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1 && stands());
        for (int k = 0; k < 100; k++) {
            kill(v.pid, SIGSTOP);
            usleep(PROBE_COST_BURST_NS / 1000 + 2000);
            kill(v.pid, SIGCONT);
            turns(&v, a, 2);
            assert_true(stands());
        }
        leave(&v, a);
    }
}

// A probe that takes the place of another at once, both of the first revision, has nothing of what the other one has captured and counted.
static void test_successor(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe first = line_probe(line_of("y = x + base")), second = first;
        place(a, &first);
        UNTIL(&v, a, seen.n >= 1 && stands());
        for (int k = 0; k < 3; k++)
            hear(&v); // what it captures meanwhile is not read yet
        forget();
        second.id = STR("p2"), second.where.file = STR("not_loaded.py");
        place(a, NULL); // its slot is free at once
        place(a, &second);
        UNTIL(&v, a, strcmp(seen.code, "not_loaded") == 0);
        assert_int_equal(seen.n, 0);
        assert_int_equal(seen.hits, 0);
        leave(&v, a);
    }
}

// So many objects that code is looked for in parts, while the program makes others and collects them: it is found each time, and only then installed.
static void test_heap(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "heap");
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("total = quantity"));
        for (uint32_t k = 1; k <= 12; k++) {
            p.revision = k;
            p.where.line = (uint32_t)line_of(k % 2 ? "total = quantity" : "y = x + base");
            forget();
            place(a, &p);
            UNTIL(&v, a, seen.n >= 1 && stands());
            place(a, NULL);
        }
        // Taken back, or another probe asked for, while it is still looked for.
        for (uint32_t k = 13; k <= 20; k++) {
            p.revision = k;
            forget();
            place(a, &p);
            turns(&v, a, 1);
        }
        UNTIL(&v, a, seen.n >= 1 && stands());
        leave(&v, a);
    }
}

// Memory of its own that is resident, in KiB: what it shares with the agent is not.
static long memory_of(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

// Put in and taken out again and again, with a condition; the very same code after it, and no more memory. CLEW_CYCLES: how often
// (10,000 is what a long-lived process sees); CLEW_ONLY=test_cycles: nothing else.
static void test_cycles(void **state)
{
    const char *asked = getenv("CLEW_CYCLES");
    uint32_t cycles = asked ? (uint32_t)atoi(asked) : 100;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("total = quantity"));
        long before = 0;
        p.has_condition = true;
        p.condition = program_of(&arena, "changed(quantity) && each == 7", true);
        for (uint32_t k = 1; k <= cycles; k++) {
            p.revision = k;
            forget();
            place(a, &p);
            UNTIL(&v, a, stands());
            place(a, NULL);
            if (k == cycles / 4)
                before = memory_of(v.pid);
        }
        long grown = memory_of(v.pid) - before;
        if (grown >= 1024)
            print_message("# %s has grown by %ld KiB\n", pythons[i], grown);
        assert_true(grown < 1024);
        detach(a);
        hear_restored(&v);
        assert_int_equal(v.same, 1);
        assert_int_equal(v.called, 0);
        end(&v);
    }
    arena_free(&arena);
}

// An agent that is killed with probes in place: they are without effect after five seconds, and the next agent takes them out.
static void test_killed(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "collects");
        pid_t agent = fork();
        if (agent == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); // nor does it outlive a test that fails
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
        detach(a);
        hear_restored(&v);
        assert_int_equal(v.same, 1);
        end(&v);
    }
}

static struct probe function_probe(enum probe_point point)
{
    struct probe p = line_probe(0);
    p.where = (struct probe_where){
        .kind = PROBE_AT_FUNCTION, .file = STR("victim_order.py"), .function = STR("check"), .point = point
    };
    p.rate = 0;
    return p;
}

static void test_exit(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = function_probe(PROBE_EXIT);
        bool returned = false, thrown = false;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 6);
        for (size_t k = 0; k < 6; k++) {
            has(seen.captures[k], "\"function\":\"check\"");
            has(seen.captures[k], "\"duration_ns\":");
            returned |= strstr(seen.captures[k], "\"return\":{\"k\":\"dict\",\"n\":1,\"e\":[[{\"k\":\"str\",\"v\":"
                                                 "\"n\"},{\"k\":\"int\",\"v\":") != NULL;
            thrown |= strstr(seen.captures[k], "\"exception\":{\"type\":\"Refused\",\"value\":{") &&
                      strstr(seen.captures[k], "\"message\":\"not today\"");
        }
        assert_true(returned);
        assert_true(thrown);
        leave(&v, a);
    }
}

static void by_type(struct victim *v, struct attachment *a, struct probe *p)
{
    p->revision++;
    place(a, p);
    UNTIL(v, a, seen.n >= 5 && seen.captured >= 5);
    for (size_t k = 0; k < 5; k++) {
        has(seen.captures[k], "\"type\":\"Refused\"");
        has(seen.captures[k], "\"function\":\"check\",\"file\"");
        assert_int_equal(atoi(strstr(strstr(seen.captures[k], "\"name\":\"i\""), "\"v\":") + 4) % 3, 0);
    }
    forget();
    p->revision++, p->where.exception = STR("KeyError");
    place(a, p);
    UNTIL(v, a, stands());
    turns(v, a, 40);
    assert_int_equal(seen.n, 0);
}

static void test_exception(void **state)
{
    char line[32];
    snprintf(line, sizeof line, "\"line\":%u", line_of("raise Refused"));
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = function_probe(PROBE_THROW);
        place(a, &p);
        UNTIL(&v, a, seen.n >= 3);
        has(seen.captures[0], "\"message\":\"not today\"");
        has(seen.captures[0], "\"name\":\"doubled\"");
        has(seen.captures[0], "\"duration_ns\":");
        has(seen.captures[0], line);
        forget();
        // By the name of what it is built on; once, though it passes through two frames.
        p.kind = PROBE_EXCEPTION;
        p.where = (struct probe_where){ .kind = PROBE_AT_EXCEPTION, .exception = STR("ValueError") };
        if (python_is_older(pythons[i])) {
            p.revision++;
            place(a, &p);
            assert_string_equal(seen.state, "error");
            assert_string_equal(seen.code, "runtime_unsupported");
            p.where.file = STR("victim_order.py"), p.where.function = STR("check");
            forget();
        }
        by_type(&v, a, &p);
        leave(&v, a);
    }
}

// The step of a generator, or a call, that is under way when the probe is taken out leaves through the copy: nothing is told of it, and it goes on.
static void test_exit_taken_out(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fast");
        struct attachment *a = attach(&v);
        struct probe p = function_probe(PROBE_EXIT);
        for (uint32_t k = 1; k <= 40; k++) {
            p.revision = k, p.where.function = k % 2 ? STR("check") : STR("checked");
            forget();
            place(a, &p);
            UNTIL(&v, a, stands());
            UNTIL(&v, a, seen.n >= 1);
            place(a, NULL);
        }
        leave(&v, a);
    }
}

static long begun_of(const char *capture)
{
    const char *at = strstr(capture, "\"name\":\"begun\"");
    at = at ? strstr(at, "\"v\":") : NULL;
    assert_non_null(at);
    return strtol(at + 4 + (at[4] == '"'), NULL, 10);
}

// Calls that are under way when another probe comes or goes are captured as all others: there is no gap between them.
static void test_calls_under_way(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "slow");
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("done = begun")), other = line_probe(line_of("x = i + 1"));
        const struct probe *both[] = { &p, &other };
        p.rate = 0;
        other.id = STR("p2");
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        for (uint32_t k = 1; k <= 8; k++) {
            long last = begun_of(seen.captures[seen.n - 1]);
            forget();
            assert_int_equal(python_backend.apply(a, both, 1 + k % 2, NULL), 0);
            UNTIL(&v, a, seen.n >= 3);
            assert_int_equal(begun_of(seen.captures[0]), last + 1);
        }
        leave(&v, a);
    }
}

// Where nothing fits around a function, probes of its exits are refused by name; others stand in it all the same.
static void test_no_room(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe at_exit = function_probe(PROBE_EXIT), in_it = line_probe(line_of("seen.append(i)"));
        const struct probe *both[] = { &in_it, &at_exit };
        const char *minor = strstr(pythons[i], "/3.");
        bool refused = minor && atoi(minor + 3) <= 10;
        at_exit.id = STR("p2"), at_exit.where.function = STR("nest"), in_it.rate = 0, in_it.frames_vars = 0;
        assert_int_equal(python_backend.apply(a, both, 2, NULL), 0);
        UNTIL(&v, a, seen.n >= 8 && (!refused || seen.code[0]));
        unsigned exits = 0;
        for (size_t k = 0; k < seen.n; k++) {
            has(seen.captures[k], "\"function\":\"nest\"");
            exits += strstr(seen.captures[k], "\"return\":") != NULL;
        }
        assert_int_equal(exits > 0, !refused);
        assert_string_equal(seen.code, refused ? "runtime_unsupported" : "");
        leave(&v, a);
    }
}

static void captures_are_of(pid_t pid)
{
    char want[64];
    snprintf(want, sizeof want, "\"thread\":{\"id\":%d,", (int)pid);
    for (size_t i = 0; i < seen.n; i++)
        has(seen.captures[i], want);
}

// A worker that is forked off a probed process says nothing under its name, and is probed under its own.
static void test_fork(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "fork"), child = v;
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("total = quantity"));
        p.rate = 0, p.frames_vars = 0;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        UNTIL(&v, a, (child.pid = child_of(v.pid)) != 0);
        forget();
        UNTIL(&v, a, seen.n >= 30);
        captures_are_of(v.pid);
        struct attachment *b = attach(&child);
        place(b, &p);
        UNTIL(&v, b, seen.n >= 3);
        captures_are_of(child.pid);
        forget();
        UNTIL(&v, a, seen.n >= 20);
        captures_are_of(v.pid);
        detach(b);
        detach(a);
        hear_restored(&v);
        assert_int_equal(v.same, 1);
        kill(child.pid, SIGKILL);
        end(&v);
    }
}

int main(void)
{
    if (getenv("CLEW_ONLY"))
        cmocka_set_test_filter(getenv("CLEW_ONLY"));
    pythons_find();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot),  cmocka_unit_test(test_closure),        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_trace),     cmocka_unit_test(test_no_line),        cmocka_unit_test(test_seen),
        cmocka_unit_test(test_entry),     cmocka_unit_test(test_qualified),      cmocka_unit_test(test_hot),
        cmocka_unit_test(test_cycles),    cmocka_unit_test(test_killed),         cmocka_unit_test(test_fork),
        cmocka_unit_test(test_exit),      cmocka_unit_test(test_no_room),        cmocka_unit_test(test_calls_under_way),
        cmocka_unit_test(test_exception), cmocka_unit_test(test_exit_taken_out), cmocka_unit_test(test_heap),
        cmocka_unit_test(test_turns),     cmocka_unit_test(test_successor),      cmocka_unit_test(test_held),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    pythons_free();
    return rc;
}
