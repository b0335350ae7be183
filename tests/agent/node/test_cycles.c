// A probe that is placed and taken out again and again leaves the program's text as it was, and (told, and bounded) no growth.
// CLEW_CYCLES: how often; a long run is a measurement (docs/experiments/node-cycles.md).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "victim.h"

#include <stdlib.h>
#include <time.h>

enum { CYCLES = 15, STEP_LINE = 5, PATIENCE_S = 60, TOLD_EACH = 500 };
#define HEAP_A_CYCLE 40000 // bytes: what V8 keeps of a changed script is some of this; leaks of scripts are more

struct said {
    long calls, ran, same, heap, rss;
};

// What it says once its function is (or is not) as it was written.
static struct said until_same(struct victim *v, struct attachment *a, long same)
{
    char line[256];
    struct said s = { .same = -1 };
    time_t until = time(NULL) + PATIENCE_S;
    while (s.same != same) {
        if (time(NULL) > until)
            fail_msg("its function stays %s: state %s %s %s", same ? "changed" : "as it was", seen.state, seen.code,
                     seen.message);
        polls(a);
        hears(v, a, line, sizeof line);
        sscanf(line, "calls %ld ran %ld same %ld heap %ld rss %ld", &s.calls, &s.ran, &s.same, &s.heap, &s.rss);
    }
    return s;
}

static void nothing_grows(void **state)
{
    const char *asked = getenv("CLEW_CYCLES");
    static const char *const options[] = { "--expose-gc", NULL };
    int cycles = asked ? atoi(asked) : CYCLES;
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start_with(nodes[i], options, "victim_cycles.js", "");
        struct attachment *a = attach(&v);
        struct said first = { 0 }, last = { 0 };
        int64_t began = 0;
        int warm = cycles / 5 + 1;
        for (int n = 0; n < cycles + warm; n++) {
            struct probe p = probe_at(&v, "p1", STEP_LINE);
            p.revision = (uint32_t)n + 1;
            forget();
            apply(a, &p, 1);
            until_state(a, "installed");
            until_same(&v, a, 0);
            apply(a, NULL, 0);
            last = until_same(&v, a, 1);
            if (n + 1 == warm) {
                first = last;
                began = now_ns();
            } else if (n + 1 == cycles + warm || (n >= warm && (n + 1 - warm) % TOLD_EACH == 0)) {
                int some = n + 1 - warm;
                print_message("# %s: %d cycles of %.0f ms; a cycle leaves %ld bytes of heap, %ld resident\n", nodes[i],
                              some, (double)(now_ns() - began) / 1e6 / some, (last.heap - first.heap) / some,
                              (last.rss - first.rss) / some);
            }
        }
        assert_true(last.heap - first.heap < (long)cycles * HEAP_A_CYCLE);
        node_backend.detach(a);
        end(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_grows) };
    return victims_run("node_cycles", tests, sizeof tests / sizeof *tests);
}
