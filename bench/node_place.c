// Places a probe in a running Node process and takes it out, again and again: what docs/experiments/node-cycles.md counts.
// node_place PID FILE LINE N -> one line of JSON, in ms: how long it took until the agent knew, and how long the process' main thread computed for it (the
// kernel's count; the program itself is to be idle).
#include "agent/backend.h"
#include "agent/node/node.h"
#include "agent/process.h"
#include "base/clock.h"
#include "probe/probe.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 10000, PATIENCE_S = 60, WARM = 3, STILL_MS = 100 };

static char state[32], message[300];
static void on_state(void *ctx, const struct backend_state *s)
{
    snprintf(state, sizeof state, "%.*s", STR_ARG(s->state));
    snprintf(message, sizeof message, "%.*s %.*s", STR_ARG(s->code), (int)s->message.len, s->message.ptr);
}
static void on_text(void *ctx, str probe, str json) {}
static void on_counts(void *ctx, str probe, const struct probe_counts *c) {}
static void on_lost(void *ctx, str code, str text) { snprintf(state, sizeof state, "lost"); }
static const struct backend_events events = { NULL, on_state, on_text, on_counts, on_lost, on_text };

static double computed_ms(int pid)
{
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, pid);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%llu", &ns) != 1)
        exit(1);
    fclose(f);
    return (double)ns / 1e6;
}

static double now_ms(void) { return (double)clock_mono_ns() / 1e6; }

static void turn(struct attachment *a, bool *ret_busy)
{
    int64_t now = clock_mono_ns(), next = 0;
    node_backend.poll(a, now, &next);
    *ret_busy = next - now < 10000000; // a session is under way
    poll(NULL, 0, 1);
}

// Until the session that made it so is over, and its inspector is closed.
static void settle(struct attachment *a, const char *wanted)
{
    bool busy = true;
    double until = now_ms() + PATIENCE_S * 1e3;
    for (bool begun = false; !begun || busy || (wanted && strcmp(state, wanted) != 0); begun |= busy) {
        turn(a, &busy);
        if (now_ms() > until) {
            fprintf(stderr, "node_place: %s %s\n", state, message);
            exit(1);
        }
    }
}

static void still(struct attachment *a)
{
    bool busy;
    for (double until = now_ms() + STILL_MS; now_ms() < until;)
        turn(a, &busy);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, double *v, int n, char end)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    printf("\"%s\":[%.1f,%.1f]%c", name, v[n / 2], v[n * 99 / 100], end);
}

int main(int argc, char **argv)
{
    static double in[ROUNDS_MAX], in_cpu[ROUNDS_MAX], out[ROUNDS_MAX], out_cpu[ROUNDS_MAX];
    int pid = argc == 5 ? atoi(argv[1]) : 0, n = argc == 5 ? atoi(argv[4]) : 0;
    if (pid <= 0 || n < 1 || n > ROUNDS_MAX) {
        fprintf(stderr, "usage: node_place PID FILE LINE N\n");
        return 2;
    }
    struct process process;
    struct arena arena;
    struct attachment *a;
    struct err err = { 0 };
    struct probe p;
    const struct probe *set[] = { &p };
    arena_init(&arena, 1 << 20);
    if (process_read(pid, &arena, &process) < 0 || node_backend.attach(&process, &events, &a, &err) < 0) {
        fprintf(stderr, "node_place: %s\n", err.message);
        return 1;
    }
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.id = STR("p"), p.where.kind = PROBE_AT_LINE, p.where.file = str_z(argv[2]),
    p.where.line = (uint32_t)atoi(argv[3]);
    for (int i = -WARM; i < n; i++) {
        p.revision = (uint32_t)(i + WARM + 1);
        state[0] = 0;
        double began = now_ms(), before = computed_ms(pid);
        node_backend.apply(a, set, 1, &err);
        settle(a, "installed");
        double at = now_ms(), after = computed_ms(pid);
        if (i >= 0)
            in[i] = at - began, in_cpu[i] = after - before;
        still(a);
        began = now_ms(), before = computed_ms(pid);
        node_backend.apply(a, NULL, 0, &err);
        settle(a, NULL);
        at = now_ms(), after = computed_ms(pid);
        if (i >= 0)
            out[i] = at - began, out_cpu[i] = after - before;
        still(a);
    }
    node_backend.detach(a);
    printf("{");
    print("placed", in, n, ','), print("placed_computed", in_cpu, n, ',');
    print("taken", out, n, ','), print("taken_computed", out_cpu, n, '}');
    printf("\n");
    process_done(&process);
    arena_free(&arena);
    return 0;
}
