// Metrics of OTLP/JSON. What describes a metric may stand behind its points, so every object is
// looked through before the points are read.
#include "wire/otlp_json.h"
#include "wire/otlp_metric.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum number_kind { NUMBER_DOUBLE, NUMBER_COUNT };

// Appends the LIST of an array of numbers to d->enc.
static int enc_numbers(struct otlp_json *j, enum number_kind kind, uint64_t *ret_n)
{
    struct otlp_decoder *d = j->d;
    uint64_t n = 0, u;
    double v;
    int rc = otlp_json_array(j);
    if (rc < 0)
        return rc;
    buf_byte(&d->enc, VALUE_LIST);
    size_t at = d->enc.len;
    for (; (rc = otlp_json_element(j)) > 0; n++) {
        if (kind == NUMBER_DOUBLE) {
            if ((rc = otlp_json_double(j, &v)) == 0)
                otlp_enc_double(d, v);
        } else if ((rc = otlp_json_u64(j, &u)) == 0) {
            otlp_enc_count(d, u);
        }
        if (rc < 0)
            return rc;
    }
    otlp_json_insert_count(d, at, n);
    *ret_n = n;
    return rc;
}

// Keeps what d->enc holds, or VALUE_NULL for a list without elements.
static int keep_list(struct otlp_decoder *d, uint64_t n, struct value *ret_v)
{
    if (n == 0 && !d->enc.error)
        buf_clear(&d->enc);
    return otlp_enc_keep(d, ret_v);
}

static int numbers_value(struct otlp_json *j, enum number_kind kind, struct value *ret_v)
{
    uint64_t n;
    int rc = enc_numbers(j, kind, &n);
    return rc < 0 ? rc : keep_list(j->d, n, ret_v);
}

static int buckets_value(struct otlp_json *j, struct value *ret_v)
{
    static const struct otlp_json_name names[] = { OTLP_JSON_NAME("offset", ""),
                                                   OTLP_JSON_NAME("bucketCounts", "bucket_counts") };
    struct otlp_decoder *d = j->d;
    struct otlp_json counts = { .d = NULL };
    int64_t offset = 0;
    uint64_t n;
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        if (i == 1)
            counts = *j;
        if ((rc = i == 0 ? otlp_json_i64(j, &offset) : otlp_json_skip(j)) < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    otlp_enc_map(d, 2);
    otlp_enc_key(d, STR("offset"));
    otlp_enc_int(d, offset);
    otlp_enc_key(d, STR("counts"));
    if (!counts.d)
        otlp_enc_list(d, 0);
    else if ((rc = enc_numbers(&counts, NUMBER_COUNT, &n)) < 0)
        return rc;
    return otlp_enc_keep(d, ret_v);
}

static int enc_quantile(struct otlp_json *j)
{
    static const struct otlp_json_name names[] = { OTLP_JSON_NAME("quantile", ""), OTLP_JSON_NAME("value", "") };
    double numbers[2] = { 0, 0 };
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0)
        if ((rc = otlp_json_double(j, &numbers[i])) < 0)
            return rc;
    otlp_enc_map(j->d, 2);
    otlp_enc_key(j->d, STR("quantile"));
    otlp_enc_double(j->d, numbers[0]);
    otlp_enc_key(j->d, STR("value"));
    otlp_enc_double(j->d, numbers[1]);
    return rc;
}

static int enc_exemplar(struct otlp_json *j)
{
    enum { ATTRIBUTES, TIME, DOUBLE, INT, SPAN, TRACE };
    static const struct otlp_json_name names[] = {
        [ATTRIBUTES] = OTLP_JSON_NAME("filteredAttributes", "filtered_attributes"),
        [TIME] = OTLP_JSON_NAME("timeUnixNano", "time_unix_nano"),
        [DOUBLE] = OTLP_JSON_NAME("asDouble", "as_double"),
        [INT] = OTLP_JSON_NAME("asInt", "as_int"),
        [SPAN] = OTLP_JSON_NAME("spanId", "span_id"),
        [TRACE] = OTLP_JSON_NAME("traceId", "trace_id"),
    };
    struct otlp_exemplar e = { 0 };
    struct otlp_json attrs = { .d = NULL };
    int64_t n;
    double v;
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        switch (i) {
        case ATTRIBUTES:
            attrs = *j;
            rc = otlp_json_skip(j);
            break;
        case TIME:
            rc = otlp_json_u64(j, &e.time);
            break;
        case DOUBLE:
            if ((rc = otlp_json_double(j, &v)) == 0)
                e.value = value_double(v);
            break;
        case INT:
            if ((rc = otlp_json_i64(j, &n)) == 0)
                e.value = value_int(n);
            break;
        case SPAN:
            rc = otlp_json_id(j, &e.span);
            break;
        case TRACE:
            rc = otlp_json_id(j, &e.trace);
            break;
        }
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    if (attrs.d) { // an empty list is as good as none
        struct json_reader ahead = attrs.r;
        e.attrs = json_array(&ahead) < 0 || json_peek(&ahead) != JSON_ARRAY_END;
    }
    otlp_enc_exemplar(j->d, &e);
    return e.attrs ? otlp_json_encode_map(&attrs, 2) : 0;
}

static int objects_value(struct otlp_json *j, const char *name, int (*one)(struct otlp_json *), struct value *ret_v)
{
    struct otlp_decoder *d = j->d;
    uint64_t n = 0;
    int rc = otlp_json_array(j);
    if (rc < 0)
        return rc;
    buf_byte(&d->enc, VALUE_LIST);
    size_t at = d->enc.len;
    for (; (rc = otlp_json_element(j)) > 0; n++)
        if ((rc = one(j)) < 0)
            return otlp_trail(d, rc, name, (int64_t)n);
    if (rc < 0)
        return rc;
    otlp_json_insert_count(d, at, n);
    return keep_list(d, n, ret_v);
}

// --- points

enum {
    POINT_ATTRIBUTES,
    POINT_START,
    POINT_TIME,
    POINT_DOUBLE,
    POINT_INT,
    POINT_EXEMPLARS,
    POINT_FLAGS,
    POINT_COUNT,
    POINT_SUM,
    POINT_MIN,
    POINT_MAX,
    POINT_BUCKETS,
    POINT_BOUNDS,
    POINT_SCALE,
    POINT_ZERO_COUNT,
    POINT_POSITIVE,
    POINT_NEGATIVE,
    POINT_ZERO_THRESHOLD,
    POINT_QUANTILES,
};

static const struct otlp_json_name point_names[] = {
    [POINT_ATTRIBUTES] = OTLP_JSON_NAME("attributes", ""),
    [POINT_START] = OTLP_JSON_NAME("startTimeUnixNano", "start_time_unix_nano"),
    [POINT_TIME] = OTLP_JSON_NAME("timeUnixNano", "time_unix_nano"),
    [POINT_DOUBLE] = OTLP_JSON_NAME("asDouble", "as_double"),
    [POINT_INT] = OTLP_JSON_NAME("asInt", "as_int"),
    [POINT_EXEMPLARS] = OTLP_JSON_NAME("exemplars", ""),
    [POINT_FLAGS] = OTLP_JSON_NAME("flags", ""),
    [POINT_COUNT] = OTLP_JSON_NAME("count", ""),
    [POINT_SUM] = OTLP_JSON_NAME("sum", ""),
    [POINT_MIN] = OTLP_JSON_NAME("min", ""),
    [POINT_MAX] = OTLP_JSON_NAME("max", ""),
    [POINT_BUCKETS] = OTLP_JSON_NAME("bucketCounts", "bucket_counts"),
    [POINT_BOUNDS] = OTLP_JSON_NAME("explicitBounds", "explicit_bounds"),
    [POINT_SCALE] = OTLP_JSON_NAME("scale", ""),
    [POINT_ZERO_COUNT] = OTLP_JSON_NAME("zeroCount", "zero_count"),
    [POINT_POSITIVE] = OTLP_JSON_NAME("positive", ""),
    [POINT_NEGATIVE] = OTLP_JSON_NAME("negative", ""),
    [POINT_ZERO_THRESHOLD] = OTLP_JSON_NAME("zeroThreshold", "zero_threshold"),
    [POINT_QUANTILES] = OTLP_JSON_NAME("quantileValues", "quantile_values"),
};

// Members that a type does not have are unknown to it.
static bool point_has(enum metric_type type, int i)
{
    static const uint32_t common = 1u << POINT_ATTRIBUTES | 1u << POINT_START | 1u << POINT_TIME | 1u << POINT_FLAGS;
    static const uint32_t number = 1u << POINT_DOUBLE | 1u << POINT_INT | 1u << POINT_EXEMPLARS;
    static const uint32_t histogram =
        1u << POINT_COUNT | 1u << POINT_SUM | 1u << POINT_MIN | 1u << POINT_MAX | 1u << POINT_EXEMPLARS;
    static const uint32_t has[] = {
        [METRIC_GAUGE] = number,
        [METRIC_SUM] = number,
        [METRIC_HISTOGRAM] = histogram | 1u << POINT_BUCKETS | 1u << POINT_BOUNDS,
        [METRIC_EXPONENTIAL] = histogram | 1u << POINT_SCALE | 1u << POINT_ZERO_COUNT | 1u << POINT_POSITIVE |
                               1u << POINT_NEGATIVE | 1u << POINT_ZERO_THRESHOLD,
        [METRIC_SUMMARY] = 1u << POINT_COUNT | 1u << POINT_SUM | 1u << POINT_QUANTILES,
    };
    return (common | has[type]) >> i & 1;
}

static int read_optional(struct otlp_json *j, struct otlp_point *p, enum otlp_point_has has, double *ret_v)
{
    p->has |= has;
    return otlp_json_double(j, ret_v);
}

static int read_point_member(struct otlp_json *j, int i, struct otlp_point *p)
{
    int rc;
    switch (i) {
    case POINT_ATTRIBUTES:
        return otlp_json_record_attrs(j);
    case POINT_START:
        return otlp_json_u64(j, &p->start);
    case POINT_TIME:
        return otlp_json_u64(j, &p->time);
    case POINT_DOUBLE:
        if ((rc = otlp_json_double(j, &p->value.d)) == 0)
            p->value.type = VALUE_DOUBLE;
        return rc;
    case POINT_INT:
        if ((rc = otlp_json_i64(j, &p->value.i)) == 0)
            p->value.type = VALUE_INT;
        return rc;
    case POINT_EXEMPLARS:
        return objects_value(j, "exemplars", enc_exemplar, &p->exemplars);
    case POINT_FLAGS:
        return otlp_json_u32(j, &j->d->record.flags);
    case POINT_COUNT:
        return otlp_json_u64(j, &p->count);
    case POINT_SUM:
        return read_optional(j, p, OTLP_HAS_SUM, &p->sum);
    case POINT_MIN:
        return read_optional(j, p, OTLP_HAS_MIN, &p->min);
    case POINT_MAX:
        return read_optional(j, p, OTLP_HAS_MAX, &p->max);
    case POINT_BUCKETS:
        return otlp_trail(j->d, numbers_value(j, NUMBER_COUNT, &p->buckets), "bucketCounts", -1);
    case POINT_BOUNDS:
        return otlp_trail(j->d, numbers_value(j, NUMBER_DOUBLE, &p->bounds), "explicitBounds", -1);
    case POINT_SCALE:
        return otlp_json_i64(j, &p->scale);
    case POINT_ZERO_COUNT:
        return otlp_json_u64(j, &p->zero_count);
    case POINT_POSITIVE:
        return otlp_trail(j->d, buckets_value(j, &p->positive), "positive", -1);
    case POINT_NEGATIVE:
        return otlp_trail(j->d, buckets_value(j, &p->negative), "negative", -1);
    case POINT_ZERO_THRESHOLD:
        return otlp_json_double(j, &p->zero_threshold);
    default:
        return objects_value(j, "quantileValues", enc_quantile, &p->quantiles);
    }
}

static int read_point(struct otlp_json *j, const struct otlp_metric *m)
{
    struct otlp_point p = { 0 };
    int i, rc;
    otlp_record_begin(j->d, RECORD_METRICS);
    if ((rc = otlp_json_object(j)) < 0)
        return rc;
    while ((rc = otlp_json_member(j, point_names, COUNT(point_names), &i)) > 0)
        if ((rc = point_has(m->type, i) ? read_point_member(j, i, &p) : otlp_json_skip(j)) < 0)
            return rc;
    return rc < 0 ? rc : otlp_point_finish(j->d, m, &p);
}

// --- metrics

static int read_data(struct otlp_json *j, struct otlp_metric *m)
{
    enum { POINTS, TEMPORALITY, MONOTONIC };
    static const struct otlp_json_name names[] = {
        [POINTS] = OTLP_JSON_NAME("dataPoints", "data_points"),
        [TEMPORALITY] = OTLP_JSON_NAME("aggregationTemporality", "aggregation_temporality"),
        [MONOTONIC] = OTLP_JSON_NAME("isMonotonic", "is_monotonic"),
    };
    static const char *const temporalities[] = { "UNSPECIFIED", "DELTA", "CUMULATIVE" };
    struct otlp_decoder *d = j->d;
    struct otlp_json points = { .d = NULL };
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        if (i == TEMPORALITY) {
            rc = otlp_json_enum(j, STR("AGGREGATION_TEMPORALITY_"), temporalities, COUNT(temporalities),
                                &m->temporality);
        } else if (i == MONOTONIC) {
            rc = otlp_json_bool(j, &m->monotonic);
        } else {
            points = *j;
            rc = otlp_json_skip(j);
        }
        if (rc < 0)
            return rc;
    }
    if (rc < 0 || !points.d)
        return rc;
    d->point_i = 0;
    if ((rc = otlp_json_array(&points)) < 0)
        return rc;
    for (; (rc = otlp_json_element(&points)) > 0; d->point_i++)
        if ((rc = read_point(&points, m)) < 0)
            return otlp_trail(d, rc, "dataPoints", d->point_i);
    return rc;
}

enum { METRIC_NAME_, METRIC_DESCRIPTION, METRIC_UNIT, METRIC_METADATA, METRIC_DATA };

static const struct otlp_json_name metric_names[] = {
    [METRIC_NAME_] = OTLP_JSON_NAME("name", ""),
    [METRIC_DESCRIPTION] = OTLP_JSON_NAME("description", ""),
    [METRIC_UNIT] = OTLP_JSON_NAME("unit", ""),
    [METRIC_METADATA] = OTLP_JSON_NAME("metadata", ""),
    [METRIC_DATA + METRIC_GAUGE] = OTLP_JSON_NAME("gauge", ""),
    [METRIC_DATA + METRIC_SUM] = OTLP_JSON_NAME("sum", ""),
    [METRIC_DATA + METRIC_HISTOGRAM] = OTLP_JSON_NAME("histogram", ""),
    [METRIC_DATA + METRIC_EXPONENTIAL] = OTLP_JSON_NAME("exponentialHistogram", "exponential_histogram"),
    [METRIC_DATA + METRIC_SUMMARY] = OTLP_JSON_NAME("summary", ""),
};

static int read_metadata(struct otlp_json *j, struct value *ret_v)
{
    struct json_reader ahead = j->r;
    if (json_array(&ahead) == 0 && json_peek(&ahead) == JSON_ARRAY_END)
        return otlp_json_skip(j);
    int rc = otlp_json_encode_map(j, 0);
    return rc < 0 ? rc : otlp_enc_keep(j->d, ret_v);
}

int otlp_json_metric(struct otlp_json *j)
{
    struct otlp_decoder *d = j->d;
    struct otlp_metric m = { .name = STR_INIT("") };
    struct otlp_json data = { .d = NULL };
    const char *section_reject = d->section_reject;
    struct arena_mark mark = d->mark;
    d->reject = NULL;
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, metric_names, COUNT(metric_names), &i)) > 0) {
        if (i == METRIC_NAME_) {
            rc = otlp_json_str(j, &m.name);
        } else if (i == METRIC_DESCRIPTION || i == METRIC_UNIT) {
            rc = otlp_json_str(j, i == METRIC_UNIT ? &m.unit : &m.description);
        } else if (i == METRIC_METADATA) {
            rc = otlp_trail(d, read_metadata(j, &m.metadata), "metadata", -1);
        } else {
            m.type = (enum metric_type)(i - METRIC_DATA);
            data = *j;
            rc = otlp_json_skip(j);
        }
        if (rc < 0)
            return rc;
    }
    if (rc < 0 || !data.d)
        return rc;
    // What describes the metric outlives its points, whose memory is taken back one by one.
    d->section_reject = section_reject ? section_reject : d->reject;
    d->mark = arena_mark(d->arena);
    d->metric_data = metric_names[METRIC_DATA + m.type].camel.ptr;
    rc = otlp_trail(d, read_data(&data, &m), d->metric_data, -1);
    d->metric_data = NULL;
    d->section_reject = section_reject;
    d->mark = mark;
    arena_rewind(d->arena, mark);
    return rc;
}
