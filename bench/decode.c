// Cost of decoding alone: OTLP/protobuf traces into a sink that does nothing.
//   bench_decode [SPANS_PER_REQUEST] [ROUNDS]
// Payload: deterministic, 100 k spans of about 330 bytes with 6 to 8 attributes, 20 services, 10 spans
// a trace; every round decodes all of it. Prints ns of CPU a span.
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/pb.h"
#include "wire/otlp.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPANS = 100000, SERVICES = 20 };

static void put_attr_str(struct buf *b, uint32_t field, str key, str value)
{
    size_t kv = pb_begin(b, field);
    pb_put_str(b, 1, key);
    size_t v = pb_begin(b, 2);
    pb_put_str(b, 1, value);
    pb_end(b, v);
    pb_end(b, kv);
}

static void put_attr_int(struct buf *b, uint32_t field, str key, uint64_t value)
{
    size_t kv = pb_begin(b, field);
    pb_put_str(b, 1, key);
    size_t v = pb_begin(b, 2);
    pb_put_varint(b, 3, value);
    pb_end(b, v);
    pb_end(b, kv);
}

static void put_attr_double(struct buf *b, uint32_t field, str key, double value)
{
    size_t kv = pb_begin(b, field);
    pb_put_str(b, 1, key);
    size_t v = pb_begin(b, 2);
    pb_put_double(b, 4, value);
    pb_end(b, v);
    pb_end(b, kv);
}

static void put_span(struct buf *b, uint64_t i)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE" };
    uint64_t h = hash64_int(i + 1), trace[2] = { hash64_int(i / 10 + 7), hash64_int(i / 10 + 77777) },
             parent = hash64_int(i);
    uint64_t start = 1700000000000000000u + i * 1000003;
    char text[64];
    size_t span = pb_begin(b, 2);
    pb_put_bytes(b, 1, bytes_of(trace, 16));
    pb_put_bytes(b, 2, bytes_of(&h, 8));
    if (i % 10)
        pb_put_bytes(b, 4, bytes_of(&parent, 8));
    int n = snprintf(text, sizeof text, "GET /api/products/{id}/%u", (unsigned)(h % 40));
    pb_put_str(b, 5, str_of(text, (size_t)n));
    pb_put_varint(b, 6, h % 5 + 1);
    pb_put_fixed64(b, 7, start);
    pb_put_fixed64(b, 8, start + h % 500000000);
    put_attr_str(b, 9, STR("http.request.method"), str_z(methods[h >> 8 & 3]));
    n = snprintf(text, sizeof text, "/api/products/%u", (unsigned)(h >> 16 & 0xffff));
    put_attr_str(b, 9, STR("url.path"), str_of(text, (size_t)n));
    put_attr_int(b, 9, STR("http.response.status_code"), h % 50 ? 200 : 500);
    put_attr_str(b, 9, STR("server.address"), STR("shop.internal"));
    n = snprintf(text, sizeof text, "user-%u", (unsigned)(h >> 20 & 0x3ff));
    put_attr_str(b, 9, STR("enduser.id"), str_of(text, (size_t)n));
    put_attr_int(b, 9, STR("thread.id"), h >> 30 & 0x3fff);
    if (i % 3)
        put_attr_double(b, 9, STR("cart.total"), (double)(h % 100000) / 100);
    if (i % 3 == 1)
        put_attr_str(b, 9, STR("user_agent.original"),
                     STR("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0"));
    if (h % 50 == 0) {
        size_t status = pb_begin(b, 15);
        pb_put_str(b, 2, STR("upstream failed"));
        pb_put_varint(b, 3, 2);
        pb_end(b, status);
    }
    pb_put_fixed32(b, 16, 0x101);
    pb_end(b, span);
}

static void put_request(struct buf *b, uint64_t first, uint64_t n)
{
    char text[64];
    size_t rs = pb_begin(b, 1), resource = pb_begin(b, 1);
    int len = snprintf(text, sizeof text, "service-%u", (unsigned)(first / n % SERVICES));
    put_attr_str(b, 1, STR("service.name"), str_of(text, (size_t)len));
    put_attr_str(b, 1, STR("telemetry.sdk.language"), STR("c"));
    pb_end(b, resource);
    size_t ss = pb_begin(b, 2), scope = pb_begin(b, 1);
    pb_put_str(b, 1, STR("bench"));
    pb_end(b, scope);
    for (uint64_t i = 0; i < n; i++)
        put_span(b, first + i);
    pb_end(b, ss);
    pb_end(b, rs);
}

struct seen {
    uint64_t sections, records, attrs;
};

static int on_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    ((struct seen *)ctx)->sections++;
    return 0;
}

static int on_record(void *ctx, const struct record *r)
{
    struct seen *seen = ctx;
    seen->records++;
    seen->attrs += r->attrs_n;
    return 0;
}

struct bench {
    struct buf *requests;
    uint64_t requests_n;
    struct arena scratch;
    struct seen seen;
};

static bool decode(struct bench *b, const struct buf *request)
{
    struct record_sink sink = { &b->seen, on_section, on_record };
    struct otlp_result result;
    struct err err;
    int rc = otlp_decode(OTLP_TRACES, OTLP_PROTOBUF, buf_bytes(request), &otlp_limits_default, &b->scratch, &sink,
                         &result, &err);
    arena_reset(&b->scratch);
    if (rc < 0)
        fprintf(stderr, "%s (%s)\n", err.message, err.place);
    return rc == 0;
}

// hot: the same request again and again, from the cache, as after a socket read; cold: all in turn, from
// memory.
static bool run(struct bench *b, uint64_t rounds, bool hot)
{
    int64_t best = INT64_MAX, all = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        b->seen = (struct seen){ 0 };
        int64_t from = clock_thread_cpu_ns();
        for (uint64_t i = 0; i < b->requests_n; i++)
            if (!decode(b, &b->requests[hot ? 0 : i]))
                return false;
        int64_t took = clock_thread_cpu_ns() - from;
        all += took;
        best = took < best ? took : best;
    }
    double spans = (double)b->seen.records;
    printf("%s: best %.1f ns/span, mean %.1f ns/span\n", hot ? "hot " : "cold", (double)best / spans,
           (double)all / spans / (double)rounds);
    return true;
}

int main(int argc, char **argv)
{
    uint64_t per_request = argc > 1 ? strtoull(argv[1], NULL, 10) : 512,
             rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
    if (per_request == 0 || per_request > SPANS || rounds == 0 || rounds > 10000)
        return 2;
    struct bench b = { .requests_n = SPANS / per_request };
    size_t bytes_all = 0;
    b.requests = mem_calloc(b.requests_n, sizeof *b.requests);
    if (!b.requests)
        return 1;
    for (uint64_t i = 0; i < b.requests_n; i++) {
        buf_init(&b.requests[i], 1u << 30);
        put_request(&b.requests[i], i * per_request, per_request);
        bytes_all += b.requests[i].len;
    }
    arena_init(&b.scratch, 64 << 20);
    bool ok = run(&b, rounds, true) && run(&b, rounds, false);
    double spans = (double)b.seen.records;
    printf("%.0f spans a round, %llu a request, %.0f bytes and %.2f attributes each\n", spans,
           (unsigned long long)per_request, (double)bytes_all / spans, (double)b.seen.attrs / spans);
    for (uint64_t i = 0; i < b.requests_n; i++)
        buf_free(&b.requests[i]);
    mem_free(b.requests);
    arena_free(&b.scratch);
    return ok ? 0 : 1;
}
