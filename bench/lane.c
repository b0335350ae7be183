// Cost of ingest without network and disk: OTLP bytes -> records -> lane -> log block. Prints ns a record and
// bytes a record of the log for each step. Usage: bench_lane [records] [batch]
#include "base/clock.h"
#include "base/must.h"
#include "gen.h"
#include "store/head.h"
#include "store/log_block.h"
#include "wire/otlp.h"

#include <stdio.h>
#include <stdlib.h>

static int nothing_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    return 0;
}
static int nothing_record(void *ctx, const struct record *r) { return 0; }

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

int main(int argc, char **argv)
{
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 500000;
    uint32_t batch = argc > 2 ? (uint32_t)atoi(argv[2]) : 512;
    for (int signal = 0; signal < 2; signal++) {
        struct payload_set set;
        struct gen_facts facts = { 0 };
        struct gen_options o = {
            .records = records, .batch = batch, .collector = batch > 512, .seed = 1, .start_ns = clock_unix_ns()
        };
        payload_set_init(&set, 1);
        (signal ? gen_logs : gen_traces)(&o, &set, &facts);
        struct target t = { lane_new(), { .project = 1, .received = clock_unix_ns() } };
        struct arena scratch;
        arena_init(&scratch, 256u << 20);
        struct buf block;
        buf_init(&block, LOG_BLOCK_MAX);
        int64_t decode = 0, all = 0, encode = 0;
        uint64_t n = 0, logged = 0;
        for (size_t i = 0; i < set.count; i++) {
            bytes body = { set.items[i].data, set.items[i].len };
            struct otlp_result result;
            struct err err;
            enum otlp_signal s = signal ? OTLP_LOGS : OTLP_TRACES;
            struct record_sink none = { NULL, nothing_section, nothing_record },
                               sink = { &t, lane_section, lane_record };
            int64_t a = clock_thread_cpu_ns();
            must(otlp_decode(s, OTLP_PROTOBUF, body, &otlp_limits_default, &scratch, &none, &result, &err) == 0);
            arena_reset(&scratch);
            int64_t b = clock_thread_cpu_ns();
            struct lane_marks from, to;
            lane_marks_get(t.l, &from);
            must(otlp_decode(s, OTLP_PROTOBUF, body, &otlp_limits_default, &scratch, &sink, &result, &err) == 0);
            arena_reset(&scratch);
            lane_marks_get(t.l, &to);
            int64_t c = clock_thread_cpu_ns();
            must(log_block_encode(&block, t.l, &t.sec, &from, &to) == 0);
            log_block_seal(&block, (struct log_block_header){ 0 });
            int64_t d = clock_thread_cpu_ns();
            logged += block.len;
            buf_clear(&block);
            n += result.accepted;
            decode += b - a;
            all += c - b;
            encode += d - c;
        }
        printf(
            "%s: %llu records, %.0f B each: decode %.0f ns, decode + lane %.0f ns, log block %.0f ns, %.1f B logged a "
            "record, head %.0f B a record\n",
            signal ? "logs" : "spans", (unsigned long long)n, (double)set.raw_bytes / (double)n,
            (double)decode / (double)n, (double)all / (double)n, (double)encode / (double)n, (double)logged / (double)n,
            (double)(t.l->heap.bytes + t.l->table_bytes) / (double)n);
        lane_free(t.l);
        arena_free(&scratch);
        buf_free(&block);
        payload_set_free(&set);
    }
    return 0;
}
