// Places a probe in a running Python and takes it out again, on command, beside the agent: what bench/python_hit.py measures with.
// python_hit PID, then lines on stdin, each answered by one line of JSON:
//   place FILE LINE CONDITION   CONDITION: an expression, or -
//   ready                       budgets and counters as new, the ring empty; says what there was
//   arm FILE LINE N             places and removes it N times; times in microseconds, and `stops`, a number: looks at a bad moment are among them
//   remove
// `process` is processor time of the thread that was called; the other times are of this process's clock.
#include "agent/python/load.h"
#include "agent/python/order.h"
#include "agent/python/orders.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "probe/expr.h"
#include "probe/probe.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 30, CYCLES_MAX = 100000, PROBE = 1 };

static struct load load;
static struct interp interp;
static uint8_t record[PROBE_RING_RECORD_MAX];
static uint32_t revision;
// Of the last orders, the longest of their stops: since it was asked for, since the thread was seen to stand, and the longest call in it; how many stops.
static int64_t stopped, stood, stops, process_ns;

static void rest_us(long us) { nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL); }

static int stop_with(const char *what, int rc, const struct err *err)
{
    fprintf(stderr, "python_hit: %s: %s %s %s\n", what, err_text(rc), err->slug, err->message);
    exit(1);
}

static void noted(void)
{
    stopped = load.inject.pause_ns > stopped ? load.inject.pause_ns : stopped;
    stood = load.inject.stood_ns > stood ? load.inject.stood_ns : stood;
    stops += load.inject.pauses, load.inject.pauses = 0;
}

// Steps until a call has come back, or the part is ready.
static void settle(bool ready)
{
    int64_t until = clock_mono_ns() + PATIENCE_S * 1000000000LL;
    for (;;) {
        int rc = load_step(&load, clock_mono_ns());
        if (load.inject.pauses)
            noted();
        if (rc < 0 || clock_mono_ns() > until)
            stop_with("load", rc < 0 ? rc : ERR_TIMEOUT, &load.failed);
        if (ready ? load.phase == LOAD_READY : rc == 1)
            return;
        rest_us(50);
    }
}

static void hand_over(uint32_t n)
{
    struct clew_orders *orders = load_orders(&load);
    orders->n = n;
    stopped = stood = stops = 0;
    probe_ring_beat(&load.ring, clock_mono_ns());
    while (load_apply(&load, clock_mono_ns()) < 0) {
        noted(); // a look at a bad moment: the thread was let go at once
        rest_us(200);
    }
    settle(false);
    process_ns = (int64_t)load_orders(&load)->ns;
}

static void activate(void)
{
    struct probe_slot_setup setup = { .revision = clew_stamp(PROBE, revision), .sample = 1, .granted = INT64_MAX };
    size_t n;
    probe_slot_activate(&load.ring.slots[0], &setup);
    atomic_store(&load.ring.control->cost.due, 0);
    while (probe_ring_get(&load.ring, record, &n, NULL, NULL) == 1)
        ;
    probe_ring_beat(&load.ring, clock_mono_ns());
}

static bool condition_of(const char *text, struct arena *arena, struct buf *code, struct probe *p)
{
    struct probe_expr *e;
    struct err err = { 0 };
    if (strcmp(text, "-") == 0)
        return true;
    buf_init(code, PROBE_CODE_MAX);
    if (probe_condition_parse(str_z(text), arena, &e, &err) < 0 || probe_expr_compile(e, code, &err) < 0)
        return false;
    p->has_condition = true;
    p->condition = (struct probe_program){ .text = str_z(text), .code = buf_bytes(code) };
    return true;
}

static void place(const char *file, int line, const char *condition)
{
    struct arena arena;
    struct buf code = { 0 };
    struct probe p;
    struct clew_orders *orders = load_orders(&load);
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.id = STR("bench"), p.revision = ++revision, p.frames = p.frames_vars = 1;
    p.where = (struct probe_where){ .kind = PROBE_AT_LINE, .file = str_z(file), .line = (uint32_t)line };
    arena_init(&arena, 1 << 20);
    if (!condition_of(condition, &arena, &code, &p) ||
        !order_put((uint8_t *)(orders + 1), CLEW_ORDERS_BYTES - sizeof *orders, &p, 0, 0, PROBE, "host"))
        stop_with("place", ERR_INVALID, &(struct err){ 0 });
    buf_free(&code);
    arena_free(&arena);
    activate();
    hand_over(1);
    struct clew_order o;
    memcpy(&o, orders + 1, sizeof o);
    if (o.outcome != CLEW_INSTALLED)
        stop_with("place", ERR_NOENT, &(struct err){ 0 });
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, int64_t *v, long n)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    printf("\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, (double)v[n / 2] / 1e3,
           (double)v[n * 99 / 100] / 1e3, (double)v[n - 1] / 1e3);
}

static void arm(const char *file, int line, long n)
{
    static int64_t held[CYCLES_MAX], stand[CYCLES_MAX], looks[CYCLES_MAX], taken[CYCLES_MAX], whole[CYCLES_MAX];
    for (long i = 0; i < n; i++) {
        int64_t begun = clock_mono_ns();
        place(file, line, "-");
        whole[i] = clock_mono_ns() - begun, held[i] = stopped, stand[i] = stood, looks[i] = stops * 1000,
        taken[i] = process_ns;
        hand_over(0);
    }
    printf("{");
    print("stopped", held, n), printf(",");
    print("stood", stand, n), printf(",");
    print("stops", looks, n), printf(",");
    print("process", taken, n), printf(",");
    print("whole", whole, n), printf("}\n");
}

int main(int argc, char **argv)
{
    char line[4096], file[2048], condition[1024];
    struct err err = { 0 };
    int at;
    long n;
    pid_t pid = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
    int rc = pid ? interp_find(pid, &interp, &err) : ERR_INVALID;
    if (rc == 0)
        rc = load_begin(&load, pid, &interp, &err);
    if (rc < 0)
        stop_with("attach", rc, &err);
    settle(true);
    probe_ring_enable(&load.ring, true);
    printf("{\"version\":\"3.%d.%d\"}\n", interp.minor, interp.micro);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        const struct probe_slot *s = &load.ring.slots[0];
        if (sscanf(line, "place %2047s %d %1023[^\n]", file, &at, condition) == 3) {
            place(file, at, condition);
            printf("{\"process\":%.1f}\n", (double)process_ns / 1e3);
        } else if (sscanf(line, "arm %2047s %d %ld", file, &at, &n) == 3 && n > 0 && n <= CYCLES_MAX) {
            arm(file, at, n);
        } else if (strcmp(line, "remove\n") == 0) {
            hand_over(0);
            printf("{}\n");
        } else {
            printf("{\"hits\":%" PRIu64 ",\"filtered\":%" PRIu64 ",\"captured\":%" PRIu64 ",\"lost\":%" PRIu64
                   ",\"active\":%d}\n",
                   s->hits, s->filtered, s->captured, s->dropped[PROBE_DROP_RING], probe_slot_runs(s));
            activate();
        }
        fflush(stdout);
    }
    hand_over(0);
    load_end(&load);
    return 0;
}
