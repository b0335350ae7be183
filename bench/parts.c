// Cost of part files: OTLP -> lanes -> sealed parts -> one merged part. Prints CPU ns and bytes a row for each step,
// where the bytes go, and what look-ups and scans cost. Usage:
// bench_parts [records a part] [parts] [batch] [spans|logs|metrics|all] [dir]
#include "base/clock.h"
#include "base/must.h"
#include "gen.h"
#include "os/disk.h"
#include "store/head.h"
#include "store/part_read.h"
#include "wire/otlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { LANES = 2, PARTS_MAX = 32 };
static const char *const signal_names[] = { "spans", "logs", "metrics" };

struct target {
    struct lane *l;
    struct lane_section sec;
};

static int lane_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    struct target *t = ctx;
    must(lane_intern_entity(t->l, &t->l->resources, resource, &t->sec.resource) == 0);
    must(lane_intern_entity(t->l, &t->l->scopes, scope, &t->sec.scope) == 0);
    return 0;
}

static int lane_record(void *ctx, const struct record *r)
{
    struct target *t = ctx;
    return lane_append(t->l, &t->sec, r);
}

static struct generation *head_fill(const struct payload_set *set, enum otlp_signal signal)
{
    struct generation *g = generation_new(1, LANES);
    struct target t[LANES] = { 0 };
    struct arena scratch;
    arena_init(&scratch, 256u << 20);
    for (int i = 0; i < LANES; i++) {
        g->lane[i] = t[i].l = lane_new();
        t[i].sec.project = 1;
    }
    int64_t now = clock_unix_ns();
    for (size_t i = 0; i < set->count; i++) {
        struct otlp_result result;
        struct err err;
        struct record_sink sink = { &t[i % LANES], lane_section, lane_record };
        t[i % LANES].sec.received = now + (int64_t)i * 317001; // nanoseconds that nothing can foresee
        bytes body = { set->items[i].data, set->items[i].len };
        must(otlp_decode(signal, OTLP_PROTOBUF, body, &otlp_limits_default, &scratch, &sink, &result, &err) == 0);
        arena_reset(&scratch);
    }
    for (int i = 0; i < LANES; i++) {
        struct lane_marks m;
        lane_marks_get(t[i].l, &m);
        lane_commit(t[i].l, &m);
    }
    arena_free(&scratch);
    return g;
}

// Bytes of the file by column, largest first.
static void print_bytes(const struct part *p)
{
    static const char *const fixed[] = { "time",     "duration", "received", "project", "kind", "status",
                                         "severity", "flags",    "resource", "scope",   "name", "trace",
                                         "span",     "parent",   "shape",    "owner" };
    static const char *const kinds[] = {
        "?",        "",        " tails",     " dictionary", " trace ids", " trace rows", " trace index",
        " columns", " shapes", " resources", " scopes"
    };
    uint64_t *sum = calloc(p->series_n, sizeof *sum);
    for (uint32_t i = 0; i < p->series_n; i++) {
        const struct directory *d;
        must(part_directory((struct part *)(uintptr_t)p, i, &d) == 0);
        for (uint32_t k = 0; k < d->n; k++)
            sum[i] += d->e[k].size;
    }
    for (int shown = 0; shown < 40; shown++) {
        uint32_t best = 0;
        for (uint32_t i = 0; i < p->series_n; i++)
            best = sum[i] > sum[best] ? i : best;
        const struct part_series *s = &p->series[best];
        double each = (double)sum[best] / (double)p->s.info.rows;
        if (each < 0.01)
            break;
        char name[100] = "";
        if (s->kind == CHUNK_COLUMN || s->kind == CHUNK_DICT) {
            if (s->column < COL_FIXED)
                snprintf(name, sizeof name, "%s", fixed[s->column]);
            else
                snprintf(name, sizeof name, "%.*s", STR_ARG(p->t[s->table].columns[s->column - COL_FIXED].key));
        }
        printf("      %6.2f  %s%s%s\n", each,
               s->table == TABLE_ROWS ? ""
               : s->table == 1        ? "event "
                                      : "link ",
               name, s->kind < 11 ? kinds[s->kind] : " ?");
        sum[best] = 0;
    }
    free(sum);
}

static void print_part(const char *what, const struct part *p, int64_t cpu)
{
    struct part_facts f;
    part_facts(p, &f);
    printf("  %s: %llu rows, %.1f B a row, %.0f ns CPU a row\n", what, (unsigned long long)f.rows,
           (double)f.bytes / (double)f.rows, (double)cpu / (double)f.rows);
}

static void time_lookups(const struct part *p)
{
    const struct segment *s = part_segment(p);
    uint32_t traces = segment_traces(s), ord;
    uint8_t id[16];
    struct reader *r;
    struct vec v;
    if (traces == 0 || !segment_info(s)->trace_order)
        return;
    for (int warm = 0; warm < 2; warm++) {
        int64_t hit = 0, miss = 0, trace = 0, a;
        for (int i = 0; i < 1000; i++) {
            must(segment_trace(s, (uint32_t)((uint64_t)i * 7919 % traces), id) == 0);
            a = clock_mono_ns();
            must(segment_find_trace(s, id, &ord) == 0);
            hit += clock_mono_ns() - a;
            id[3] ^= 0x55, id[9] ^= 1;
            a = clock_mono_ns();
            must(segment_find_trace(s, id, &ord) == ERR_NOENT);
            miss += clock_mono_ns() - a;
        }
        for (int i = 0; i < 100; i++) {
            uint64_t first, end;
            a = clock_mono_ns();
            must(segment_trace_rows(s, (uint32_t)((uint64_t)i * 104729 % traces), &first, &end) == 0);
            must(reader_open(s, &r) == 0 && reader_seek(r, TABLE_ROWS, (uint32_t)(first / BLOCK_ROWS)) == 0);
            for (uint32_t c = 0; c < COL_FIXED + segment_columns(s, TABLE_ROWS); c++)
                if (c != COL_OWNER)
                    must(reader_column(r, TABLE_ROWS, c, &v) == 0);
            reader_close(r);
            trace += clock_mono_ns() - a;
        }
        printf("  %s: trace found in %.2f us, not found in %.2f us; all columns of its block in %.0f us\n",
               warm ? "warm" : "first time", (double)hit / 1e6, (double)miss / 1e6, (double)trace / 1e5);
    }
}

static void time_scan(const struct part *p, const char *what, const uint32_t *columns, int n)
{
    const struct segment *s = part_segment(p);
    struct reader *r;
    struct vec v;
    must(reader_open(s, &r) == 0);
    for (int round = 0; round < 2; round++) {
        int64_t a = clock_thread_cpu_ns();
        for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
            must(reader_seek(r, TABLE_ROWS, b) == 0);
            for (int i = 0; i < n; i++)
                must(reader_column(r, TABLE_ROWS, columns[i], &v) == 0);
        }
        if (round)
            printf("  scan of %s: %.2f ns a row\n", what,
                   (double)(clock_thread_cpu_ns() - a) / (double)segment_info(s)->rows);
    }
    reader_close(r);
}

static void run(const struct part_env *env, enum otlp_signal signal, uint64_t records, int parts_n, uint32_t batch)
{
    static void (*const gens[])(const struct gen_options *, struct payload_set *,
                                struct gen_facts *) = { gen_traces, gen_logs, gen_metrics };
    static uint64_t id = 1;
    struct part *parts[PARTS_MAX], *merged;
    struct err err;
    int64_t sealing = 0, start = 1767225600ll * NS_PER_S;
    for (int i = 0; i < parts_n; i++) {
        struct payload_set set;
        struct gen_facts facts = { 0 };
        struct gen_options o = { .records = records,
                                 .batch = batch,
                                 .collector = batch > 512,
                                 .seed = (uint64_t)i + 1,
                                 .start_ns = start,
                                 .run_key = (uint64_t)i };
        payload_set_init(&set, 1);
        gens[signal](&o, &set, &facts);
        start += set.span_ns;
        if (i == 0)
            printf("%s: %.0f B each\n", signal_names[signal], (double)set.raw_bytes / (double)set.records);
        struct generation *g = head_fill(&set, signal);
        payload_set_free(&set);
        const struct segment *heads[LANES];
        uint32_t n = 0;
        for (unsigned l = 0; l < LANES; l++) {
            int e;
            struct segment *h = head_segment_new(g, l, signal, &e);
            if (h)
                heads[n++] = h;
        }
        struct part_build_options bo = { .id = id++, .effort = PART_YOUNG };
        int64_t a = clock_thread_cpu_ns();
        must(part_build(env, (uint8_t)signal, heads, n, &bo, &parts[i], &err) == 0);
        int64_t cpu = clock_thread_cpu_ns() - a;
        sealing += cpu;
        if (i == 0) {
            print_part("sealed", parts[0], cpu);
            print_bytes(parts[0]);
            bo.id = id++;
            bo.effort = PART_MERGED;
            a = clock_thread_cpu_ns();
            must(part_build(env, (uint8_t)signal, heads, n, &bo, &merged, &err) == 0);
            print_part("the same packed for keeps", merged, clock_thread_cpu_ns() - a);
            print_bytes(merged);
            part_unlink_when_unused(merged);
            part_unref(merged);
        }
        for (uint32_t l = 0; l < n; l++)
            head_segment_free((struct segment *)(uintptr_t)heads[l]);
        generation_unref(g);
    }
    if (parts_n > 1) {
        const struct segment *inputs[PARTS_MAX];
        for (int i = 0; i < parts_n; i++)
            inputs[i] = part_segment(parts[i]);
        struct part_build_options bo = { .id = id++, .effort = PART_MERGED };
        int64_t a = clock_thread_cpu_ns();
        must(part_build(env, (uint8_t)signal, inputs, (uint32_t)parts_n, &bo, &merged, &err) == 0);
        print_part("merged", merged, clock_thread_cpu_ns() - a);
    } else {
        merged = part_ref(parts[0]);
    }
    time_lookups(merged);
    const uint32_t p99[] = { COL_DURATION, COL_RESOURCE }, search[] = { COL_TIME, COL_RESOURCE, COL_NAME, COL_STATUS };
    time_scan(merged, "duration, resource", p99, 2);
    time_scan(merged, "time, resource, name, status", search, 4);
    part_unlink_when_unused(merged);
    part_unref(merged);
    for (int i = 0; i < parts_n; i++) {
        part_unlink_when_unused(parts[i]);
        part_unref(parts[i]);
    }
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("  most memory so far: %ld MB\n", u.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    int parts = argc > 2 ? atoi(argv[2]) : 1;
    uint32_t batch = argc > 3 ? (uint32_t)atoi(argv[3]) : 8192;
    struct part_env env = { .dir = "." };
    must(parts >= 1 && parts <= PARTS_MAX);
    const char *which = argc > 4 ? argv[4] : "all";
    must(disk_open_root(argc > 5 ? argv[5] : "/tmp/bench_parts", &env.disk) == 0);
    must(part_cache_create(64 << 20, &env.cache) == 0);
    for (int signal = OTLP_TRACES; signal <= OTLP_METRICS; signal++)
        if (strcmp(which, "all") == 0 || strcmp(which, signal_names[signal]) == 0)
            run(&env, (enum otlp_signal)signal, records, parts, batch);
    part_cache_free(env.cache);
    disk_free(env.disk);
    return 0;
}
