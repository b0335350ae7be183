// What the protobuf and the JSON decoder of OTLP share: the record under construction, why it will be
// rejected, where in the request it stands.
//
// Three kinds of trouble, kept apart:
//   malformed   otlp_bad() notes the byte, the negative code travels up, each level adds its field name
//   rejected    d->reject is set, decoding goes on (what follows may still be malformed)
//   ours        ERR_NOMEM and what the sink returns travel up without otlp_bad()
#pragma once
#include "base/must.h"
#include "wire/otlp.h"

enum {
    OTLP_FIELDS_MAX = 24, // FIELD attributes of one record, at most
    OTLP_REASONS_MAX = 3, // spelled out in a partial success
    OTLP_PLACE_MAX = 128,
};

struct otlp_names {
    const char *resource, *scope, *record, *noun; // as in JSON; what one rejected record is called
};

struct otlp_decoder {
    const struct otlp_limits *limits;
    struct arena *arena;
    const struct record_sink *sink;
    const struct otlp_names *names;
    bytes body;
    struct otlp_result result;

    struct record record;
    struct attr *attrs; // of the record, room for attrs_cap
    uint32_t attrs_n, attrs_cap;
    struct record_child *children; // of the record, room for limits->children_max
    uint32_t children_n;
    bool children_mixed;    // an event came after a link
    struct arena_mark mark; // the record's own memory begins here
    const char *reject;     // why the record will be rejected, NULL if it is well

    struct record_entity resource, scope;
    bool section_due;           // the sink has not seen them yet
    const char *section_reject; // why their records are rejected
    struct buf enc;             // nested values are encoded here, then kept in the arena

    uint32_t resource_i, scope_i, record_i, point_i;
    const char *metric_data;    // "gauge", ..., for the place of a data point
    const uint8_t *bad_at;      // where the request is malformed
    const char *bad_why;        // NULL: its code says all
    char trail[OTLP_PLACE_MAX]; // field path of bad_at, built from the inside out
    char reasons[sizeof((struct otlp_result *)0)->message - 64];
    size_t reasons_len;
};

// Entry points by format; 0 or a negative code as above.
int otlp_pb_traces(struct otlp_decoder *d);
int otlp_pb_logs(struct otlp_decoder *d);
int otlp_pb_metrics(struct otlp_decoder *d);
int otlp_json_request(struct otlp_decoder *d, enum otlp_signal signal);

// --- trouble
// Notes where the request is malformed (the first note stays) and returns rc.
int otlp_bad(struct otlp_decoder *d, const void *at, int rc);
int otlp_bad_why(struct otlp_decoder *d, const void *at, const char *why);
// Puts "name[index]" before the field path of what is malformed; index < 0: no index. Returns rc.
int otlp_trail(struct otlp_decoder *d, int rc, const char *name, int64_t index);
// The first reason counts.
static inline void otlp_reject(struct otlp_decoder *d, const char *why)
{
    if (!d->reject)
        d->reject = why;
}
// Arena memory of the record; NULL: either the record is now rejected (*ret_rc = 0: it does not fit
// the scratch arena) or memory is out (*ret_rc = ERR_NOMEM).
void *otlp_alloc(struct otlp_decoder *d, size_t n, size_t size, int *ret_rc);

// --- the record
static inline void otlp_record_begin(struct otlp_decoder *d, enum record_source source)
{
    d->record = (struct record){ .source = (uint8_t)source };
    d->attrs_n = 0;
    d->children_n = 0;
    d->children_mixed = false;
    d->reject = NULL;
}
// Hands the record to the sink, or counts it as rejected.
int otlp_record_reject(struct otlp_decoder *d);
int otlp_section(struct otlp_decoder *d);
int otlp_children_sort(struct otlp_decoder *d);
static inline int otlp_record_end(struct otlp_decoder *d)
{
    int rc;
    if (__builtin_expect(d->children_mixed, 0) && (rc = otlp_children_sort(d)) < 0)
        return rc;
    if (__builtin_expect(d->reject || d->section_reject || d->attrs_n > d->limits->attrs_max ||
                             d->record.name.len > d->limits->value_size_max,
                         0) &&
        (rc = otlp_record_reject(d)) <= 0)
        return rc;
    if (__builtin_expect(d->section_due, 0) && (rc = otlp_section(d)) < 0)
        return rc;
    d->record.attrs = d->attrs;
    d->record.attrs_n = d->attrs_n;
    d->record.children = d->children;
    d->record.children_n = d->children_n;
    rc = d->sink->record(d->sink->ctx, &d->record);
    if (rc < 0)
        return rc;
    d->result.accepted++;
    arena_rewind(d->arena, d->mark);
    return 0;
}

// The next attribute's place, or NULL when there are too many (the record is rejected then).
static inline struct attr *otlp_attr_next(struct otlp_decoder *d)
{
    if (__builtin_expect(d->attrs_n == d->attrs_cap, 0)) {
        otlp_reject(d, "too many attributes");
        return NULL;
    }
    return &d->attrs[d->attrs_n++];
}
// Sets a FIELD attribute (once: a repeat replaces it). key: a literal, told by its address.
void otlp_field(struct otlp_decoder *d, str key, struct value v);
static inline void otlp_field_int(struct otlp_decoder *d, str key, int64_t i) { otlp_field(d, key, value_int(i)); }
static inline void otlp_field_str(struct otlp_decoder *d, str key, str s)
{
    if (s.len)
        otlp_field(d, key, value_str(s));
}
// The next event or link, zeroed but for its kind; NULL when there are too many.
struct record_child *otlp_child_next(struct otlp_decoder *d, enum record_child_kind kind);

// Ids as bytes: wrong lengths reject the record, all-zero means none.
void otlp_trace_id(struct otlp_decoder *d, bytes id, uint8_t trace[16], bool *ret_has);
static inline uint64_t otlp_span_id(struct otlp_decoder *d, bytes id, const char *why)
{
    if (__builtin_expect(id.len == 8, 1))
        return be64_get(id.ptr);
    if (id.len)
        otlp_reject(d, why);
    return 0;
}
// A time or a count of the wire as int64; what does not fit rejects the record.
static inline int64_t otlp_int64(struct otlp_decoder *d, uint64_t v, const char *why)
{
    if (__builtin_expect(v > INT64_MAX, 0)) {
        otlp_reject(d, why);
        return 0;
    }
    return (int64_t)v;
}

#define OTLP_WHY_TIME "a time is beyond the year 2262"
#define OTLP_WHY_COUNT "a count is beyond 63 bits"
#define OTLP_WHY_SIZE "a value is too large"
#define OTLP_WHY_DEPTH "a value is nested too deeply"
#define OTLP_WHY_ATTRS "too many attributes"
#define OTLP_WHY_SPAN_ID "spanId must be 8 bytes"
#define OTLP_WHY_PARENT_ID "parentSpanId must be 8 bytes"
#define OTLP_WHY_TRACE_ID "traceId must be 16 bytes"

// Finish what both formats do alike once all members have been seen.
void otlp_span_finish(struct otlp_decoder *d, uint64_t start, uint64_t end, uint64_t kind, uint64_t status);
void otlp_log_finish(struct otlp_decoder *d, uint64_t time, uint64_t observed, uint64_t severity);

// --- nested values: built in d->enc, then moved to the arena as a value
// *ret_v = what d->enc holds; clears it. VALUE_NULL when the record is rejected. 0 or ERR_NOMEM.
int otlp_enc_keep(struct otlp_decoder *d, struct value *ret_v);
