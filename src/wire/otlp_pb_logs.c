// ExportLogsServiceRequest in protobuf.
#include "wire/otlp_pb.h"

static int read_log(struct otlp_decoder *d, struct pb_reader r)
{
    struct record *rec = &d->record;
    struct pb_reader sub;
    uint64_t time = 0, observed = 0, severity = 0, dropped = 0;
    uint32_t tag;
    bytes id;
    str text = STR("");
    int rc;
    otlp_record_begin(d, RECORD_LOGS);
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(1, PB_FIXED64):
            rc = pb_fixed64(&r, &time);
            break;
        case PB_TAG(2, PB_VARINT):
            rc = pb_varint(&r, &severity);
            break;
        case PB_TAG(3, PB_LEN):
            rc = pb_str(&r, &text);
            break;
        case PB_TAG(5, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0 && (rc = otlp_pb_value(d, sub, &rec->body)) < 0)
                return otlp_trail(d, rc, "body", -1);
            break;
        case PB_TAG(6, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0 && (rc = otlp_pb_attr(d, sub)) < 0)
                return otlp_trail(d, rc, "attributes", -1);
            break;
        case PB_TAG(7, PB_VARINT):
            rc = pb_varint(&r, &dropped);
            break;
        case PB_TAG(8, PB_FIXED32):
            rc = pb_fixed32(&r, &rec->flags);
            break;
        case PB_TAG(9, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                otlp_trace_id(d, id, rec->trace, &rec->has_trace);
            break;
        case PB_TAG(10, PB_LEN):
            if ((rc = pb_bytes(&r, &id)) == 0)
                rec->span = otlp_span_id(d, id, OTLP_WHY_SPAN_ID);
            break;
        case PB_TAG(11, PB_FIXED64):
            rc = pb_fixed64(&r, &observed);
            break;
        case PB_TAG(12, PB_LEN):
            rc = pb_str(&r, &rec->name);
            break;
        default:
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    otlp_field_str(d, STR("severity_text"), text);
    if ((uint32_t)dropped)
        otlp_field_int(d, STR("dropped_attributes"), (int64_t)(uint32_t)dropped);
    otlp_log_finish(d, time, observed, severity);
    return otlp_record_end(d);
}

int otlp_pb_logs(struct otlp_decoder *d) { return otlp_pb_walk(d, read_log); }
