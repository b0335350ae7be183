// Logs: 160 templates (8 a service) with fresh variables, a severity, two to four attributes, with
// or without the ids of the trace that they were written in.
#include "gen.h"

#include "base/hash.h"

#include <stdio.h>

enum { TEMPLATES = 8, LOG_SPACING_NS = 10000, TRACE_LOGS = 5 };

struct template
{
    int severity;
    const char *text, *format; // severity text; %u: fresh variables
};

static const struct template templates[TEMPLATES] = {
    { 9, "INFO", "order %u received from user-%u in %u ms" },
    { 9, "INFO", "request %u finished: status 200, %u bytes, %u us" },
    { 5, "DEBUG", "cache lookup for key item:%u took %u us (shard %u)" },
    { 13, "WARN", "slow query on %s: %u ms, %u rows" },
    { 9, "INFO", "user user-%u logged in from 10.1.%u.%u" },
    { 17, "ERROR", "connection to 10.0.0.%u:%u refused after %u attempts" },
    { 9, "INFO", "published message %u to topic events, partition %u, offset %u" },
    { 5, "DEBUG", "retrying in %u ms, attempt %u of %u" },
};
// How often each template is written, of 100.
static const int weights[TEMPLATES] = { 22, 30, 14, 5, 10, 2, 12, 5 };

static int template_pick(struct rng *r)
{
    int at = (int)rng_below(r, 100), i = 0;
    while (at >= weights[i])
        at -= weights[i++];
    return i;
}

static void body_make(struct rng *r, int service, int which, char *text, size_t size)
{
    uint32_t a = rng_skewed(r, 100000), b = rng_skewed(r, 10000) % 251, c = rng_skewed(r, 2000) % 199;
    str name = shop_services[service].name;
    int n = snprintf(text, size, "%.*s: ", STR_ARG(name));
    if (which == 3)
        snprintf(text + n, size - (size_t)n, templates[which].format,
                 shop_services[service].table.len ? shop_services[service].table.ptr : "cache", b + 200, c);
    else
        snprintf(text + n, size - (size_t)n, templates[which].format, a, b, c);
}

static void log_encode(struct rng *r, const struct gen_options *o, int service, int64_t time_ns,
                       const uint8_t trace[16], struct fragment *f)
{
    struct buf *b = &f->bytes;
    char text[256];
    int which = template_pick(r);
    fragment_clear(f);
    f->records = 1;
    buf_varint(b, PB_TAG(1, PB_FIXED64));
    fragment_patch_here(f, PATCH_TIME);
    buf_le64(b, (uint64_t)time_ns);
    pb_put_varint(b, 2, (uint64_t)templates[which].severity);
    pb_put_str(b, 3, str_z(templates[which].text));
    body_make(r, service, which, text, sizeof text);
    size_t body = pb_begin(b, 5);
    pb_put_str(b, 1, str_z(text));
    pb_end(b, body);
    attr_put_str(b, 6, STR("code.function.name"), shop_services[service].routes[which % SHOP_OPS]);
    attr_put_int(b, 6, STR("thread.id"), rng_below(r, 16));
    if (which == 5)
        attr_put_str(b, 6, STR("exception.type"), STR("ConnectionRefused"));
    if (which < 2) {
        snprintf(text, sizeof text, "user-%u", rng_skewed(r, 10000));
        attr_put_str(b, 6, STR("user.id"), str_z(text));
    }
    if (!o->no_trace_ids) {
        pb_put_fixed32(b, 8, 1);
        buf_varint(b, PB_TAG(9, PB_LEN));
        buf_varint(b, 16);
        buf_append(b, trace, 8);
        fragment_patch_here(f, PATCH_ID);
        buf_append(b, trace + 8, 8);
        buf_varint(b, PB_TAG(10, PB_LEN));
        buf_varint(b, 8);
        fragment_patch_here(f, PATCH_ID);
        buf_le64(b, rng_next(r));
    }
    buf_varint(b, PB_TAG(11, PB_FIXED64));
    fragment_patch_here(f, PATCH_TIME);
    buf_le64(b, (uint64_t)time_ns + 20000);
}

void gen_logs(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts)
{
    struct rng r = { o->seed };
    struct gen_queue q;
    struct fragment record;
    uint8_t trace[16] = { 0 };
    uint64_t key = hash64_int(o->run_key);
    fragment_init(&record);
    gen_queue_init(&q, o, out);
    for (uint64_t i = 0; i < o->records; i++) {
        if (i % TRACE_LOGS == 0) {
            le64_put(trace, rng_next(&r) ^ key);
            le64_put(trace + 8, rng_next(&r));
            facts->traces++;
        }
        int service = (int)rng_below(&r, SHOP_SERVICES);
        log_encode(&r, o, service, o->start_ns + gen_time(o, i, LOG_SPACING_NS), trace, &record);
        gen_queue_add(&q, service * SHOP_INSTANCES + (int)rng_below(&r, SHOP_INSTANCES), SHOP_SCOPE_OWN, &record);
        facts->by_service[service]++;
    }
    gen_queue_finish(&q);
    fragment_free(&record);
    out->span_ns = gen_time(o, o->records, LOG_SPACING_NS);
}
