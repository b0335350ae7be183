// ExportMetricsServiceRequest in protobuf. A data point is read in one walk for its scalars and one
// more for each list that it has, since a list's count stands before its elements.
#include "wire/otlp_metric.h"
#include "wire/otlp_pb.h"

// Numbers of the fields of a data point; they differ from type to type. 0: it has no such field.
struct point_fields {
    const char *name; // of the metric's member, as in JSON
    uint8_t attributes, exemplars, sum, min, max, bounds, buckets, flags, quantiles;
};

static const struct point_fields point_fields_of[] = {
    [METRIC_GAUGE] = { .name = "gauge", .attributes = 7, .exemplars = 5, .flags = 8 },
    [METRIC_SUM] = { .name = "sum", .attributes = 7, .exemplars = 5, .flags = 8 },
    [METRIC_HISTOGRAM] = { .name = "histogram",
                           .attributes = 9,
                           .exemplars = 8,
                           .sum = 5,
                           .min = 11,
                           .max = 12,
                           .bounds = 7,
                           .buckets = 6,
                           .flags = 10 },
    [METRIC_EXPONENTIAL] = { .name = "exponentialHistogram",
                             .attributes = 1,
                             .exemplars = 11,
                             .sum = 5,
                             .min = 12,
                             .max = 13,
                             .flags = 10 },
    [METRIC_SUMMARY] = { .name = "summary", .attributes = 7, .sum = 5, .flags = 8, .quantiles = 6 },
};

// --- lists of numbers: packed, unpacked or both

enum number_kind {
    NUMBER_DOUBLE = PB_FIXED64 << 1,
    NUMBER_FIXED64 = PB_FIXED64 << 1 | 1,
    NUMBER_VARINT = PB_VARINT << 1
};

static int read_number(struct pb_reader *r, enum number_kind kind, uint64_t *ret_v)
{
    return kind == NUMBER_VARINT ? pb_varint(r, ret_v) : pb_fixed64(r, ret_v);
}

static void enc_number(struct otlp_decoder *d, enum number_kind kind, uint64_t u)
{
    double v;
    if (kind == NUMBER_DOUBLE) {
        memcpy(&v, &u, 8);
        otlp_enc_double(d, v);
    } else {
        otlp_enc_count(d, u);
    }
}

// Counts the elements, or encodes them when encode is set.
static int numbers_walk(struct otlp_decoder *d, struct pb_reader r, uint32_t field, enum number_kind kind, bool encode,
                        uint64_t *ret_n)
{
    uint64_t n = 0, v;
    uint32_t tag, wire = (uint32_t)kind >> 1;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        struct pb_reader packed = { r.p, r.p };
        if (tag == PB_TAG(field, wire)) {
            if ((rc = pb_skip(&r, tag)) == 0)
                packed.end = r.p;
        } else if (tag == PB_TAG(field, PB_LEN)) {
            rc = pb_sub(&r, &packed);
        } else {
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            return otlp_bad(d, r.p, rc);
        for (; packed.p < packed.end; n++) {
            if ((rc = read_number(&packed, kind, &v)) < 0)
                return otlp_bad(d, packed.p, rc);
            if (encode)
                enc_number(d, kind, v);
        }
    }
    *ret_n = n;
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

// Appends the LIST of a repeated number to d->enc; empty: nothing is appended when skip_empty.
static int enc_numbers(struct otlp_decoder *d, struct pb_reader message, uint32_t field, enum number_kind kind,
                       bool skip_empty)
{
    uint64_t n;
    int rc = numbers_walk(d, message, field, kind, false, &n);
    if (rc < 0 || (n == 0 && skip_empty))
        return rc;
    otlp_enc_list(d, n);
    return numbers_walk(d, message, field, kind, true, &n);
}

static int numbers_value(struct otlp_decoder *d, struct pb_reader message, uint32_t field, enum number_kind kind,
                         struct value *ret_v)
{
    int rc = enc_numbers(d, message, field, kind, true);
    return rc < 0 ? rc : otlp_enc_keep(d, ret_v);
}

// --- messages inside points

// ExponentialHistogramDataPoint.Buckets
static int buckets_value(struct otlp_decoder *d, struct pb_reader message, struct value *ret_v)
{
    struct pb_reader r = message;
    uint64_t offset = 0;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0)
        if ((rc = tag == PB_TAG(1, PB_VARINT) ? pb_varint(&r, &offset) : pb_skip(&r, tag)) < 0)
            break;
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    otlp_enc_map(d, 2);
    otlp_enc_key(d, STR("offset"));
    otlp_enc_int(d, (int32_t)pb_zigzag((uint32_t)offset));
    otlp_enc_key(d, STR("counts"));
    if ((rc = enc_numbers(d, message, 2, NUMBER_VARINT, false)) < 0)
        return rc;
    return otlp_enc_keep(d, ret_v);
}

// SummaryDataPoint.ValueAtQuantile
static int enc_quantile(struct otlp_decoder *d, struct pb_reader r)
{
    double quantile = 0, value = 0;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag == PB_TAG(1, PB_FIXED64))
            rc = pb_double(&r, &quantile);
        else if (tag == PB_TAG(2, PB_FIXED64))
            rc = pb_double(&r, &value);
        else
            rc = pb_skip(&r, tag);
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    otlp_enc_map(d, 2);
    otlp_enc_key(d, STR("quantile"));
    otlp_enc_double(d, quantile);
    otlp_enc_key(d, STR("value"));
    otlp_enc_double(d, value);
    return 0;
}

static int enc_exemplar(struct otlp_decoder *d, struct pb_reader message)
{
    struct otlp_exemplar e = { 0 };
    struct pb_reader r = message;
    uint64_t u;
    double v;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(2, PB_FIXED64):
            rc = pb_fixed64(&r, &e.time);
            break;
        case PB_TAG(3, PB_FIXED64):
            if ((rc = pb_double(&r, &v)) == 0)
                e.value = value_double(v);
            break;
        case PB_TAG(4, PB_LEN):
            rc = pb_bytes(&r, &e.span);
            break;
        case PB_TAG(5, PB_LEN):
            rc = pb_bytes(&r, &e.trace);
            break;
        case PB_TAG(6, PB_FIXED64):
            if ((rc = pb_fixed64(&r, &u)) == 0)
                e.value = value_int((int64_t)u);
            break;
        default:
            e.attrs |= tag == PB_TAG(7, PB_LEN);
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    otlp_enc_exemplar(d, &e);
    return e.attrs ? otlp_pb_encode_map(d, message, PB_TAG(7, PB_LEN), 2) : 0;
}

// A repeated message as a LIST; VALUE_NULL when there is none.
static int messages_value(struct otlp_decoder *d, struct pb_reader r, uint32_t field, const char *name,
                          int (*one)(struct otlp_decoder *, struct pb_reader), struct value *ret_v)
{
    struct pb_reader sub;
    uint64_t n;
    uint32_t tag;
    int rc = otlp_pb_count(d, r, PB_TAG(field, PB_LEN), &n);
    if (rc < 0 || n == 0)
        return rc;
    otlp_enc_list(d, n);
    for (int64_t i = 0; (rc = pb_next(&r, &tag)) > 0;) {
        if (tag != PB_TAG(field, PB_LEN)) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &sub)) < 0)
            break;
        if ((rc = one(d, sub)) < 0)
            return otlp_trail(d, rc, name, i);
        i++;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : otlp_enc_keep(d, ret_v);
}

// --- points

// Fields that only one type has, or that mean something else in another.
static int read_number_field(uint32_t tag, struct pb_reader *r, struct otlp_point *p)
{
    uint64_t u;
    double v;
    int rc;
    switch (tag) {
    case PB_TAG(4, PB_FIXED64):
        if ((rc = pb_double(r, &v)) == 0)
            p->value = value_double(v);
        return rc;
    case PB_TAG(6, PB_FIXED64):
        if ((rc = pb_fixed64(r, &u)) == 0)
            p->value = value_int((int64_t)u);
        return rc;
    default:
        return pb_skip(r, tag);
    }
}

static int read_exponential_field(struct otlp_decoder *d, uint32_t tag, struct pb_reader *r, struct otlp_point *p)
{
    struct pb_reader sub;
    uint64_t u;
    int rc;
    switch (tag) {
    case PB_TAG(6, PB_VARINT):
        if ((rc = pb_varint(r, &u)) == 0)
            p->scale = (int32_t)pb_zigzag((uint32_t)u);
        return rc;
    case PB_TAG(7, PB_FIXED64):
        return pb_fixed64(r, &p->zero_count);
    case PB_TAG(8, PB_LEN):
        return (rc = pb_sub(r, &sub)) < 0 ? rc : otlp_trail(d, buckets_value(d, sub, &p->positive), "positive", -1);
    case PB_TAG(9, PB_LEN):
        return (rc = pb_sub(r, &sub)) < 0 ? rc : otlp_trail(d, buckets_value(d, sub, &p->negative), "negative", -1);
    case PB_TAG(14, PB_FIXED64):
        return pb_double(r, &p->zero_threshold);
    default:
        return pb_skip(r, tag);
    }
}

static int read_typed(struct otlp_decoder *d, enum metric_type type, uint32_t tag, struct pb_reader *r,
                      struct otlp_point *p)
{
    if (type == METRIC_GAUGE || type == METRIC_SUM)
        return read_number_field(tag, r, p);
    if (tag == PB_TAG(4, PB_FIXED64))
        return pb_fixed64(r, &p->count);
    return type == METRIC_EXPONENTIAL ? read_exponential_field(d, tag, r, p) : pb_skip(r, tag);
}

static int read_scalars(struct otlp_decoder *d, const struct otlp_metric *m, struct pb_reader r, struct otlp_point *p)
{
    const struct point_fields *f = &point_fields_of[m->type];
    struct pb_reader sub;
    uint64_t u;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        uint32_t field = tag >> 3;
        if (tag == PB_TAG(f->attributes, PB_LEN)) {
            if ((rc = pb_sub(&r, &sub)) == 0 && (rc = otlp_pb_attr(d, sub)) < 0)
                return otlp_trail(d, rc, "attributes", -1);
        } else if (tag == PB_TAG(2, PB_FIXED64)) {
            rc = pb_fixed64(&r, &p->start);
        } else if (tag == PB_TAG(3, PB_FIXED64)) {
            rc = pb_fixed64(&r, &p->time);
        } else if (tag == PB_TAG(f->flags, PB_VARINT)) {
            if ((rc = pb_varint(&r, &u)) == 0)
                d->record.flags = (uint32_t)u;
        } else if ((tag & 7) == PB_FIXED64 && field == f->sum) {
            rc = pb_double(&r, &p->sum);
            p->has |= OTLP_HAS_SUM;
        } else if ((tag & 7) == PB_FIXED64 && field == f->min) {
            rc = pb_double(&r, &p->min);
            p->has |= OTLP_HAS_MIN;
        } else if ((tag & 7) == PB_FIXED64 && field == f->max) {
            rc = pb_double(&r, &p->max);
            p->has |= OTLP_HAS_MAX;
        } else {
            rc = read_typed(d, m->type, tag, &r, p);
        }
        if (rc < 0)
            break;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

static int read_point(struct otlp_decoder *d, const struct otlp_metric *m, struct pb_reader r)
{
    const struct point_fields *f = &point_fields_of[m->type];
    struct otlp_point p = { 0 };
    otlp_record_begin(d, RECORD_METRICS);
    int rc = read_scalars(d, m, r, &p);
    if (rc == 0 && f->bounds)
        rc = otlp_trail(d, numbers_value(d, r, f->bounds, NUMBER_DOUBLE, &p.bounds), "explicitBounds", -1);
    if (rc == 0 && f->buckets)
        rc = otlp_trail(d, numbers_value(d, r, f->buckets, NUMBER_FIXED64, &p.buckets), "bucketCounts", -1);
    if (rc == 0 && f->quantiles)
        rc = messages_value(d, r, f->quantiles, "quantileValues", enc_quantile, &p.quantiles);
    if (rc == 0 && f->exemplars)
        rc = messages_value(d, r, f->exemplars, "exemplars", enc_exemplar, &p.exemplars);
    return rc < 0 ? rc : otlp_point_finish(d, m, &p);
}

// Gauge, Sum, ...: what describes them all, then their points.
static int read_data(struct otlp_decoder *d, struct otlp_metric *m, struct pb_reader message)
{
    struct pb_reader r = message, sub;
    uint64_t u;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag == PB_TAG(2, PB_VARINT)) {
            rc = pb_varint(&r, &m->temporality);
        } else if (tag == PB_TAG(3, PB_VARINT)) {
            if ((rc = pb_varint(&r, &u)) == 0)
                m->monotonic = u != 0;
        } else {
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            return otlp_bad(d, r.p, rc);
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    d->metric_data = point_fields_of[m->type].name;
    d->point_i = 0;
    r = message;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag != PB_TAG(1, PB_LEN)) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &sub)) < 0)
            break;
        if ((rc = read_point(d, m, sub)) < 0)
            return otlp_trail(d, otlp_trail(d, rc, "dataPoints", d->point_i), d->metric_data, -1);
        d->point_i++;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

static int read_metric(struct otlp_decoder *d, struct pb_reader message)
{
    struct otlp_metric m = { .name = STR_INIT("") };
    struct pb_reader r = message, sub, data = { NULL, NULL };
    const char *section_reject = d->section_reject;
    uint64_t metadata_n = 0;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(1, PB_LEN):
            rc = pb_str(&r, &m.name);
            break;
        case PB_TAG(2, PB_LEN):
            rc = pb_str(&r, &m.description);
            break;
        case PB_TAG(3, PB_LEN):
            rc = pb_str(&r, &m.unit);
            break;
        case PB_TAG(5, PB_LEN):
        case PB_TAG(7, PB_LEN):
        case PB_TAG(9, PB_LEN):
        case PB_TAG(10, PB_LEN):
        case PB_TAG(11, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0) {
                data = sub;
                m.type = tag >> 3 == 5 ? METRIC_GAUGE : tag >> 3 == 7 ? METRIC_SUM : METRIC_HISTOGRAM + (tag >> 3) - 9;
            }
            break;
        case PB_TAG(12, PB_LEN):
            metadata_n++;
            rc = pb_skip(&r, tag);
            break;
        default:
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    if (!data.p)
        return 0;
    // The metadata outlives its points, whose memory is taken back one by one.
    struct arena_mark mark = d->mark;
    if (metadata_n) {
        d->reject = NULL;
        if ((rc = otlp_pb_encode_map(d, message, PB_TAG(12, PB_LEN), 0)) < 0)
            return otlp_trail(d, rc, "metadata", -1);
        if ((rc = otlp_enc_keep(d, &m.metadata)) < 0)
            return rc;
        d->section_reject = section_reject ? section_reject : d->reject;
        d->mark = arena_mark(d->arena);
    }
    rc = read_data(d, &m, data);
    d->metric_data = NULL;
    d->section_reject = section_reject;
    d->mark = mark;
    arena_rewind(d->arena, mark);
    return rc;
}

int otlp_pb_metrics(struct otlp_decoder *d) { return otlp_pb_walk(d, read_metric); }
