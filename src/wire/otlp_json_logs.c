// Log records of OTLP/JSON.
#include "wire/otlp_json.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum {
    LOG_TIME,
    LOG_OBSERVED,
    LOG_SEVERITY,
    LOG_TEXT,
    LOG_BODY,
    LOG_ATTRIBUTES,
    LOG_DROPPED,
    LOG_FLAGS,
    LOG_TRACE,
    LOG_SPAN,
    LOG_EVENT
};

static const struct otlp_json_name log_names[] = {
    [LOG_TIME] = OTLP_JSON_NAME("timeUnixNano", "time_unix_nano"),
    [LOG_OBSERVED] = OTLP_JSON_NAME("observedTimeUnixNano", "observed_time_unix_nano"),
    [LOG_SEVERITY] = OTLP_JSON_NAME("severityNumber", "severity_number"),
    [LOG_TEXT] = OTLP_JSON_NAME("severityText", "severity_text"),
    [LOG_BODY] = OTLP_JSON_NAME("body", ""),
    [LOG_ATTRIBUTES] = OTLP_JSON_NAME("attributes", ""),
    [LOG_DROPPED] = OTLP_JSON_NAME("droppedAttributesCount", "dropped_attributes_count"),
    [LOG_FLAGS] = OTLP_JSON_NAME("flags", ""),
    [LOG_TRACE] = OTLP_JSON_NAME("traceId", "trace_id"),
    [LOG_SPAN] = OTLP_JSON_NAME("spanId", "span_id"),
    [LOG_EVENT] = OTLP_JSON_NAME("eventName", "event_name"),
};

static const char *const severities[] = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",        "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4",
};

struct log_parts {
    uint64_t time, observed, severity;
    uint32_t dropped;
    str text;
};

static int read_member(struct otlp_json *j, int i, struct log_parts *parts)
{
    struct otlp_decoder *d = j->d;
    bytes id;
    int rc;
    switch (i) {
    case LOG_TIME:
        return otlp_json_u64(j, &parts->time);
    case LOG_OBSERVED:
        return otlp_json_u64(j, &parts->observed);
    case LOG_SEVERITY:
        return otlp_json_enum(j, STR("SEVERITY_NUMBER_"), severities, COUNT(severities), &parts->severity);
    case LOG_TEXT:
        return otlp_json_str(j, &parts->text);
    case LOG_BODY:
        return otlp_trail(d, otlp_json_value(j, &d->record.body), "body", -1);
    case LOG_ATTRIBUTES:
        return otlp_json_record_attrs(j);
    case LOG_DROPPED:
        return otlp_json_u32(j, &parts->dropped);
    case LOG_FLAGS:
        return otlp_json_u32(j, &d->record.flags);
    case LOG_TRACE:
        if ((rc = otlp_json_id(j, &id)) == 0)
            otlp_trace_id(d, id, d->record.trace, &d->record.has_trace);
        return rc;
    case LOG_SPAN:
        if ((rc = otlp_json_id(j, &id)) == 0)
            d->record.span = otlp_span_id(d, id, OTLP_WHY_SPAN_ID);
        return rc;
    default:
        return otlp_json_str(j, &d->record.name);
    }
}

int otlp_json_log(struct otlp_json *j)
{
    struct log_parts parts = { .text = STR_INIT("") };
    int i, rc;
    otlp_record_begin(j->d, RECORD_LOGS);
    if ((rc = otlp_json_object(j)) < 0)
        return rc;
    while ((rc = otlp_json_member(j, log_names, COUNT(log_names), &i)) > 0)
        if ((rc = read_member(j, i, &parts)) < 0)
            return rc;
    if (rc < 0)
        return rc;
    otlp_field_str(j->d, STR("severity_text"), parts.text);
    if (parts.dropped)
        otlp_field_int(j->d, STR("dropped_attributes"), parts.dropped);
    otlp_log_finish(j->d, parts.time, parts.observed, parts.severity);
    return otlp_record_end(j->d);
}
