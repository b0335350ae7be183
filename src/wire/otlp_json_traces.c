// Spans of OTLP/JSON.
#include "wire/otlp_json.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void child_field(struct record_child *c, struct attr *attrs, str key, struct value v)
{
    if (attrs)
        attrs[c->attrs_n++] = (struct attr){ .key = key, .level = ATTR_FIELD, .value = v };
}

static int read_event(struct otlp_json *j, struct record_child *c)
{
    enum { TIME, NAME, ATTRIBUTES, DROPPED };
    static const struct otlp_json_name names[] = {
        [TIME] = OTLP_JSON_NAME("timeUnixNano", "time_unix_nano"),
        [NAME] = OTLP_JSON_NAME("name", ""),
        [ATTRIBUTES] = OTLP_JSON_NAME("attributes", ""),
        [DROPPED] = OTLP_JSON_NAME("droppedAttributesCount", "dropped_attributes_count"),
    };
    struct attr *attrs = NULL;
    uint64_t time = 0;
    uint32_t dropped = 0;
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        switch (i) {
        case TIME:
            rc = otlp_json_u64(j, &time);
            break;
        case NAME:
            rc = otlp_json_str(j, &c->name);
            break;
        case ATTRIBUTES:
            rc = otlp_json_attrs(j, ATTR_RECORD, 1, &attrs, &c->attrs_n);
            break;
        case DROPPED:
            rc = otlp_json_u32(j, &dropped);
            break;
        }
        if (rc < 0)
            return rc;
    }
    if (rc < 0 || (dropped && !attrs && !(attrs = otlp_alloc(j->d, 1, sizeof *attrs, &rc))))
        return rc;
    c->time = otlp_int64(j->d, time, OTLP_WHY_TIME);
    c->attrs = attrs;
    if (dropped)
        child_field(c, attrs, STR("dropped"), value_int(dropped));
    if (c->name.len > j->d->limits->value_size_max)
        otlp_reject(j->d, OTLP_WHY_SIZE);
    return 0;
}

static int read_link(struct otlp_json *j, struct record_child *c)
{
    enum { TRACE, SPAN, STATE, ATTRIBUTES, DROPPED, FLAGS };
    static const struct otlp_json_name names[] = {
        [TRACE] = OTLP_JSON_NAME("traceId", "trace_id"),
        [SPAN] = OTLP_JSON_NAME("spanId", "span_id"),
        [STATE] = OTLP_JSON_NAME("traceState", "trace_state"),
        [ATTRIBUTES] = OTLP_JSON_NAME("attributes", ""),
        [DROPPED] = OTLP_JSON_NAME("droppedAttributesCount", "dropped_attributes_count"),
        [FLAGS] = OTLP_JSON_NAME("flags", ""),
    };
    struct attr *attrs = NULL;
    bytes trace = { NULL, 0 }, span = { NULL, 0 };
    uint32_t dropped = 0;
    str state = STR("");
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        switch (i) {
        case TRACE:
            rc = otlp_json_id(j, &trace);
            break;
        case SPAN:
            rc = otlp_json_id(j, &span);
            break;
        case STATE:
            rc = otlp_json_str(j, &state);
            break;
        case ATTRIBUTES:
            rc = otlp_json_attrs(j, ATTR_RECORD, 2, &attrs, &c->attrs_n);
            break;
        case DROPPED:
            rc = otlp_json_u32(j, &dropped);
            break;
        case FLAGS:
            rc = otlp_json_u32(j, &c->flags);
            break;
        }
        if (rc < 0)
            return rc;
    }
    if (rc < 0 || ((dropped || state.len) && !attrs && !(attrs = otlp_alloc(j->d, 2, sizeof *attrs, &rc))))
        return rc;
    otlp_trace_id(j->d, trace, c->trace, &c->has_trace);
    c->span = otlp_span_id(j->d, span, OTLP_WHY_SPAN_ID);
    c->attrs = attrs;
    if (state.len)
        child_field(c, attrs, STR("tracestate"), value_str(state));
    if (dropped)
        child_field(c, attrs, STR("dropped"), value_int(dropped));
    if (state.len > j->d->limits->value_size_max)
        otlp_reject(j->d, OTLP_WHY_SIZE);
    return 0;
}

static int read_children(struct otlp_json *j, enum record_child_kind kind)
{
    int rc = otlp_json_array(j);
    if (rc < 0)
        return rc;
    for (int64_t i = 0; (rc = otlp_json_element(j)) > 0; i++) {
        struct record_child *c = otlp_child_next(j->d, kind);
        if (!c)
            rc = otlp_json_skip(j);
        else
            rc = kind == CHILD_EVENT ? read_event(j, c) : read_link(j, c);
        if (rc < 0)
            return otlp_trail(j->d, rc, kind == CHILD_EVENT ? "events" : "links", i);
    }
    return rc;
}

static int read_status(struct otlp_json *j, uint64_t *ret_status)
{
    static const struct otlp_json_name names[] = { OTLP_JSON_NAME("code", ""), OTLP_JSON_NAME("message", "") };
    static const char *const codes[] = { "UNSET", "OK", "ERROR" };
    str message = STR("");
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0)
        if ((rc = i ? otlp_json_str(j, &message)
                    : otlp_json_enum(j, STR("STATUS_CODE_"), codes, COUNT(codes), ret_status)) < 0)
            return rc;
    otlp_field_str(j->d, STR("message"), message);
    return rc;
}

enum {
    SPAN_TRACE,
    SPAN_SPAN,
    SPAN_STATE,
    SPAN_PARENT,
    SPAN_NAME,
    SPAN_KIND,
    SPAN_START,
    SPAN_END,
    SPAN_ATTRIBUTES,
    SPAN_DROPPED_ATTRIBUTES,
    SPAN_EVENTS,
    SPAN_DROPPED_EVENTS,
    SPAN_LINKS,
    SPAN_DROPPED_LINKS,
    SPAN_STATUS,
    SPAN_FLAGS,
};

static const struct otlp_json_name span_names[] = {
    [SPAN_TRACE] = OTLP_JSON_NAME("traceId", "trace_id"),
    [SPAN_SPAN] = OTLP_JSON_NAME("spanId", "span_id"),
    [SPAN_STATE] = OTLP_JSON_NAME("traceState", "trace_state"),
    [SPAN_PARENT] = OTLP_JSON_NAME("parentSpanId", "parent_span_id"),
    [SPAN_NAME] = OTLP_JSON_NAME("name", ""),
    [SPAN_KIND] = OTLP_JSON_NAME("kind", ""),
    [SPAN_START] = OTLP_JSON_NAME("startTimeUnixNano", "start_time_unix_nano"),
    [SPAN_END] = OTLP_JSON_NAME("endTimeUnixNano", "end_time_unix_nano"),
    [SPAN_ATTRIBUTES] = OTLP_JSON_NAME("attributes", ""),
    [SPAN_DROPPED_ATTRIBUTES] = OTLP_JSON_NAME("droppedAttributesCount", "dropped_attributes_count"),
    [SPAN_EVENTS] = OTLP_JSON_NAME("events", ""),
    [SPAN_DROPPED_EVENTS] = OTLP_JSON_NAME("droppedEventsCount", "dropped_events_count"),
    [SPAN_LINKS] = OTLP_JSON_NAME("links", ""),
    [SPAN_DROPPED_LINKS] = OTLP_JSON_NAME("droppedLinksCount", "dropped_links_count"),
    [SPAN_STATUS] = OTLP_JSON_NAME("status", ""),
    [SPAN_FLAGS] = OTLP_JSON_NAME("flags", ""),
};

struct span_numbers {
    uint64_t start, end, kind, status;
};

static int read_dropped(struct otlp_json *j, str key)
{
    uint32_t n;
    int rc = otlp_json_u32(j, &n);
    if (rc == 0 && n)
        otlp_field_int(j->d, key, n);
    return rc;
}

static int read_member(struct otlp_json *j, int i, struct span_numbers *n)
{
    static const char *const kinds[] = { "UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER" };
    struct otlp_decoder *d = j->d;
    bytes id;
    str s;
    int rc;
    switch (i) {
    case SPAN_TRACE:
        if ((rc = otlp_json_id(j, &id)) == 0)
            otlp_trace_id(d, id, d->record.trace, &d->record.has_trace);
        return rc;
    case SPAN_SPAN:
        if ((rc = otlp_json_id(j, &id)) == 0)
            d->record.span = otlp_span_id(d, id, OTLP_WHY_SPAN_ID);
        return rc;
    case SPAN_PARENT:
        if ((rc = otlp_json_id(j, &id)) == 0)
            d->record.parent = otlp_span_id(d, id, OTLP_WHY_PARENT_ID);
        return rc;
    case SPAN_STATE:
        if ((rc = otlp_json_str(j, &s)) == 0)
            otlp_field_str(d, STR("tracestate"), s);
        return rc;
    case SPAN_NAME:
        return otlp_json_str(j, &d->record.name);
    case SPAN_KIND:
        return otlp_json_enum(j, STR("SPAN_KIND_"), kinds, COUNT(kinds), &n->kind);
    case SPAN_START:
        return otlp_json_u64(j, &n->start);
    case SPAN_END:
        return otlp_json_u64(j, &n->end);
    case SPAN_ATTRIBUTES:
        return otlp_json_record_attrs(j);
    case SPAN_DROPPED_ATTRIBUTES:
        return read_dropped(j, STR("dropped_attributes"));
    case SPAN_EVENTS:
        return read_children(j, CHILD_EVENT);
    case SPAN_DROPPED_EVENTS:
        return read_dropped(j, STR("dropped_events"));
    case SPAN_LINKS:
        return read_children(j, CHILD_LINK);
    case SPAN_DROPPED_LINKS:
        return read_dropped(j, STR("dropped_links"));
    case SPAN_STATUS:
        return otlp_trail(d, read_status(j, &n->status), "status", -1);
    default:
        return otlp_json_u32(j, &d->record.flags);
    }
}

int otlp_json_span(struct otlp_json *j)
{
    struct span_numbers n = { 0 };
    int i, rc;
    otlp_record_begin(j->d, RECORD_SPANS);
    if ((rc = otlp_json_object(j)) < 0)
        return rc;
    while ((rc = otlp_json_member(j, span_names, COUNT(span_names), &i)) > 0)
        if ((rc = read_member(j, i, &n)) < 0)
            return rc;
    if (rc < 0)
        return rc;
    otlp_span_finish(j->d, n.start, n.end, n.kind, n.status);
    return otlp_record_end(j->d);
}
