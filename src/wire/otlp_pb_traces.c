// ExportTraceServiceRequest in protobuf: the path of every span, counted in nanoseconds (bench/decode.c).
#include "wire/otlp_pb.h"

static int read_event(struct otlp_decoder *d, struct pb_reader message, struct record_child *c)
{
    struct pb_reader r = message;
    struct attr *attrs;
    uint64_t v = 0, dropped = 0;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(1, PB_FIXED64):
            if ((rc = pb_fixed64(&r, &v)) == 0)
                c->time = otlp_int64(d, v, OTLP_WHY_TIME);
            break;
        case PB_TAG(2, PB_LEN):
            rc = pb_str(&r, &c->name);
            break;
        case PB_TAG(4, PB_VARINT):
            rc = pb_varint(&r, &dropped);
            break;
        default:
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    dropped = (uint32_t)dropped;
    if ((rc = otlp_pb_attrs(d, message, PB_TAG(3, PB_LEN), ATTR_RECORD, dropped != 0, &attrs, &c->attrs_n)) < 0)
        return rc;
    if (attrs && dropped)
        attrs[c->attrs_n++] =
            (struct attr){ .key = STR("dropped"), .level = ATTR_FIELD, .value = value_int((int64_t)dropped) };
    c->attrs = attrs;
    if (c->name.len > d->limits->value_size_max)
        otlp_reject(d, OTLP_WHY_SIZE);
    return 0;
}

static int read_link(struct otlp_decoder *d, struct pb_reader message, struct record_child *c)
{
    struct pb_reader r = message;
    struct attr *attrs;
    uint64_t dropped = 0;
    uint32_t tag;
    str tracestate = STR("");
    bytes id;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(1, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                otlp_trace_id(d, id, c->trace, &c->has_trace);
            break;
        case PB_TAG(2, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                c->span = otlp_span_id(d, id, OTLP_WHY_SPAN_ID);
            break;
        case PB_TAG(3, PB_LEN):
            rc = pb_str(&r, &tracestate);
            break;
        case PB_TAG(5, PB_VARINT):
            rc = pb_varint(&r, &dropped);
            break;
        case PB_TAG(6, PB_FIXED32):
            rc = pb_fixed32(&r, &c->flags);
            break;
        default:
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    dropped = (uint32_t)dropped;
    uint32_t extra = (dropped != 0) + (tracestate.len != 0);
    if ((rc = otlp_pb_attrs(d, message, PB_TAG(4, PB_LEN), ATTR_RECORD, extra, &attrs, &c->attrs_n)) < 0)
        return rc;
    if (attrs && tracestate.len)
        attrs[c->attrs_n++] =
            (struct attr){ .key = STR("tracestate"), .level = ATTR_FIELD, .value = value_str(tracestate) };
    if (attrs && dropped)
        attrs[c->attrs_n++] =
            (struct attr){ .key = STR("dropped"), .level = ATTR_FIELD, .value = value_int((int64_t)dropped) };
    c->attrs = attrs;
    if (tracestate.len > d->limits->value_size_max)
        otlp_reject(d, OTLP_WHY_SIZE);
    return 0;
}

static int read_status(struct otlp_decoder *d, struct pb_reader r, uint64_t *status)
{
    str message = STR("");
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag == PB_TAG(3, PB_VARINT))
            rc = pb_varint(&r, status);
        else if (tag == PB_TAG(2, PB_LEN))
            rc = pb_str(&r, &message);
        else
            rc = pb_skip(&r, tag);
        if (rc < 0)
            break;
    }
    otlp_field_str(d, STR("message"), message);
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

// What most spans do not have, kept out of the loop below.
static __attribute__((noinline)) int read_rare(struct otlp_decoder *d, uint32_t tag, struct pb_reader sub,
                                               uint64_t *status)
{
    struct record_child *c;
    switch (tag) {
    case PB_TAG(3, PB_LEN):
        otlp_field_str(d, STR("tracestate"), str_of(sub.p, (size_t)(sub.end - sub.p)));
        return 0;
    case PB_TAG(11, PB_LEN):
        c = otlp_child_next(d, CHILD_EVENT);
        return c ? otlp_trail(d, read_event(d, sub, c), "events", -1) : 0;
    case PB_TAG(13, PB_LEN):
        c = otlp_child_next(d, CHILD_LINK);
        return c ? otlp_trail(d, read_link(d, sub, c), "links", -1) : 0;
    case PB_TAG(15, PB_LEN):
        return otlp_trail(d, read_status(d, sub, status), "status", -1);
    default:
        return 0;
    }
}

static __attribute__((noinline)) void set_dropped(struct otlp_decoder *d, uint32_t tag, uint64_t count)
{
    count = (uint32_t)count;
    if (count == 0)
        return;
    if (tag == PB_TAG(10, PB_VARINT))
        otlp_field_int(d, STR("dropped_attributes"), (int64_t)count);
    else if (tag == PB_TAG(12, PB_VARINT))
        otlp_field_int(d, STR("dropped_events"), (int64_t)count);
    else
        otlp_field_int(d, STR("dropped_links"), (int64_t)count);
}

static int read_span(struct otlp_decoder *d, struct pb_reader r)
{
    struct record *rec = &d->record;
    struct pb_reader sub;
    uint64_t start = 0, end = 0, kind = 0, status = 0, count;
    uint32_t tag;
    bytes id;
    int rc;
    otlp_record_begin(d, RECORD_SPANS);
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(1, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                otlp_trace_id(d, id, rec->trace, &rec->has_trace);
            break;
        case PB_TAG(2, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                rec->span = otlp_span_id(d, id, OTLP_WHY_SPAN_ID);
            break;
        case PB_TAG(4, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                rec->parent = otlp_span_id(d, id, OTLP_WHY_PARENT_ID);
            break;
        case PB_TAG(5, PB_LEN):
            rc = pb_str(&r, &rec->name);
            break;
        case PB_TAG(6, PB_VARINT):
            rc = pb_varint(&r, &kind);
            break;
        case PB_TAG(7, PB_FIXED64):
            rc = pb_fixed64(&r, &start);
            break;
        case PB_TAG(8, PB_FIXED64):
            rc = pb_fixed64(&r, &end);
            break;
        case PB_TAG(9, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0 && (rc = otlp_pb_attr(d, sub)) < 0)
                return otlp_trail(d, rc, "attributes", -1);
            break;
        case PB_TAG(3, PB_LEN):
        case PB_TAG(11, PB_LEN):
        case PB_TAG(13, PB_LEN):
        case PB_TAG(15, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0 &&
                (sub.p < sub.end || tag != PB_TAG(15, PB_LEN))) { // most have an empty status
                uint64_t s = status;
                if ((rc = read_rare(d, tag, sub, &s)) < 0)
                    return rc;
                status = s;
            }
            break;
        case PB_TAG(10, PB_VARINT):
        case PB_TAG(12, PB_VARINT):
        case PB_TAG(14, PB_VARINT):
            if ((rc = pb_varint(&r, &count)) == 0)
                set_dropped(d, tag, count);
            break;
        case PB_TAG(16, PB_FIXED32):
            rc = pb_fixed32(&r, &rec->flags);
            break;
        default:
            rc = pb_skip(&r, tag);
        }
        if (__builtin_expect(rc < 0, 0))
            break;
    }
    if (__builtin_expect(rc < 0, 0))
        return otlp_bad(d, r.p, rc);
    otlp_span_finish(d, start, end, kind, status);
    return otlp_record_end(d);
}

int otlp_pb_traces(struct otlp_decoder *d) { return otlp_pb_walk(d, read_span); }
