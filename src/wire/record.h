// The record: what every wire decoder makes out of a foreign format and what the store keeps. All
// strings are views into the request body (or its arena) and live until the sink returns.
//
// A decoder calls section() when resource or scope change and then record() for each record; it does
// not know who called or where the records go.
#pragma once
#include "wire/value.h"

enum record_source {
    RECORD_SPANS = 0,
    RECORD_LOGS = 1,
    RECORD_METRICS = 2,
    RECORD_EVENTS = 3,
    RECORD_SNAPSHOTS = 4,
    RECORD_PROFILES = 5,
    RECORD_CHECKS = 6,
    RECORD_SESSIONS = 7,
    RECORD_SOURCES
};

// Where an attribute lives. FIELD attributes are the source's further fixed fields, under the names of
// the query language ("message", "tracestate", "severity_text", "observed", "unit", "value", ...).
enum attr_level { ATTR_RECORD = 0, ATTR_FIELD = 1, ATTR_RESOURCE = 2, ATTR_SCOPE = 3 };

struct attr {
    str key;
    uint8_t level; // enum attr_level; RECORD or FIELD in records and children, else that of the entity
    struct value value;
};

// Span kinds and metric types both fill record.kind.
enum span_kind {
    SPAN_KIND_UNSPECIFIED,
    SPAN_KIND_INTERNAL,
    SPAN_KIND_SERVER,
    SPAN_KIND_CLIENT,
    SPAN_KIND_PRODUCER,
    SPAN_KIND_CONSUMER
};
enum metric_type { METRIC_NONE, METRIC_GAUGE, METRIC_SUM, METRIC_HISTOGRAM, METRIC_EXPONENTIAL, METRIC_SUMMARY };
// The least number of each level, of OpenTelemetry's 1..24.
enum severity {
    SEVERITY_TRACE = 1,
    SEVERITY_DEBUG = 5,
    SEVERITY_INFO = 9,
    SEVERITY_WARN = 13,
    SEVERITY_ERROR = 17,
    SEVERITY_FATAL = 21,
};
enum span_status { STATUS_UNSET, STATUS_OK, STATUS_ERROR };

// A span event or link.
enum record_child_kind { CHILD_EVENT = 0, CHILD_LINK = 1, CHILD_KINDS };

struct record_child {
    uint8_t kind;             // enum record_child_kind
    bool has_trace;           // links
    uint8_t trace[16];        // links
    uint64_t span;            // links; as be64_get() of the 8 wire bytes, 0 = none
    uint32_t flags;           // links
    int64_t time;             // events, ns Unix
    str name;                 // events
    const struct attr *attrs; // attributes; FIELD: "tracestate", "dropped"
    uint32_t attrs_n;
};

struct record {
    uint8_t source;    // enum record_source
    uint8_t kind;      // enum span_kind or enum metric_type
    uint8_t status;    // enum span_status
    uint8_t severity;  // OTel severity number 0..24 (0: none)
    bool has_trace;    // false: no valid trace id (all-zero or absent)
    uint8_t trace[16]; // 8-byte ids are left-padded with zeros
    uint64_t span;     // as be64_get() of the 8 wire bytes; 0 = none
    uint64_t parent;   // same
    uint32_t flags;    // W3C trace flags and OTLP span flags as sent
    int64_t time;      // ns Unix; spans: start; logs: time, or observed time when 0; metrics: the point
    int64_t duration;  // ns; spans: end - start (may be negative); metrics: time - start time (0 when start is 0)
    str name;          // span, metric or (log) event name; empty when none
    struct value body; // logs: the body (VALUE_NULL when none); other sources: VALUE_NULL
    const struct attr *attrs; // RECORD and FIELD, in the order received
    uint32_t attrs_n;
    const struct record_child *children; // events first, then links; each kind in the order received
    uint32_t children_n;
};

// A resource or a scope, interned by the store as a whole set.
struct record_entity {
    str name, version; // scope only
    str schema_url;
    const struct attr *attrs;
    uint32_t attrs_n;
    uint32_t dropped; // dropped attributes count
};

struct record_sink {
    void *ctx;
    // What follows belongs to these two. 0 or a negative code that ends the decoding (ERR_NOMEM, ERR_LIMIT).
    int (*section)(void *ctx, const struct record_entity *resource, const struct record_entity *scope);
    int (*record)(void *ctx, const struct record *r);
};
