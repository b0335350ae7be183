// Makers of prebuilt OTLP requests, one a signal.
#pragma once
#include "shop.h"

struct gen_options {
    uint64_t records; // in the set
    uint32_t batch;   // records a request
    bool collector;   // many resources a request (as a Collector sends); else one (as an SDK does)
    enum payload_encoding encoding;
    uint64_t seed;
    uint64_t run_key;       // makes ids distinct from those of other runs
    int64_t start_ns;       // of the first record
    double stretch;         // of the time between records; 0 is 1
    bool no_trace_ids;      // logs without trace context
    uint32_t issues, users; // that events are of
    size_t event_size;      // bytes of an event, about
};

// How long after the start the n-th (trace, record) comes.
static inline int64_t gen_time(const struct gen_options *o, uint64_t n, int64_t spacing_ns)
{
    return (int64_t)((double)n * (double)spacing_ns * (o->stretch > 0 ? o->stretch : 1));
}

// What a query can be checked against.
struct gen_facts {
    uint64_t by_service[SHOP_SERVICES];
    uint64_t errors, traces;
    uint8_t sample_traces[64][16]; // evenly over the set
    uint32_t sample_spans[64];     // spans of each
    int sample_count;
};

void gen_traces(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts);
void gen_logs(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts);
void gen_events(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts);
void gen_metrics(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts);

// Records wait here for their request: by resource and scope, as an exporter holds them.
struct gen_queue {
    const struct gen_options *options;
    struct payload_set *out;
    struct fragment scopes[SHOP_RESOURCES][SHOP_SCOPES];
    uint32_t queued[SHOP_RESOURCES], queued_total;
    struct fragment request, section; // scratch
};

void gen_queue_init(struct gen_queue *q, const struct gen_options *o, struct payload_set *out);
// Adds a record (field 2 of ScopeSpans/ScopeLogs/ScopeMetrics) and flushes what is full.
void gen_queue_add(struct gen_queue *q, int resource, int scope, const struct fragment *record);
void gen_queue_finish(struct gen_queue *q); // flushes the rest, frees
