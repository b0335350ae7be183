#include "wire/otlp_metric.h"

static void field_set(struct otlp_decoder *d, str key, struct value v)
{
    if (v.type != VALUE_NULL)
        otlp_field(d, key, v);
}

static void number_fields(struct otlp_decoder *d, const struct otlp_metric *m, const struct otlp_point *p)
{
    static const char *const temporalities[] = { "", "delta", "cumulative" };
    field_set(d, STR("value"), p->value);
    if (m->type == METRIC_SUM)
        otlp_field(d, STR("monotonic"), value_bool(m->monotonic));
    if (m->type == METRIC_SUM || m->type == METRIC_HISTOGRAM || m->type == METRIC_EXPONENTIAL)
        otlp_field_str(d, STR("temporality"), str_z(temporalities[m->temporality <= 2 ? m->temporality : 0]));
}

static void histogram_fields(struct otlp_decoder *d, const struct otlp_metric *m, const struct otlp_point *p)
{
    otlp_field_int(d, STR("count"), otlp_int64(d, p->count, OTLP_WHY_COUNT));
    if (m->type == METRIC_SUMMARY || p->has & OTLP_HAS_SUM)
        otlp_field(d, STR("sum"), value_double(p->sum));
    if (p->has & OTLP_HAS_MIN)
        otlp_field(d, STR("min"), value_double(p->min));
    if (p->has & OTLP_HAS_MAX)
        otlp_field(d, STR("max"), value_double(p->max));
    field_set(d, STR("bounds"), p->bounds);
    field_set(d, STR("buckets"), p->buckets);
    if (m->type == METRIC_EXPONENTIAL) {
        otlp_field_int(d, STR("scale"), p->scale);
        otlp_field_int(d, STR("zero_count"), otlp_int64(d, p->zero_count, OTLP_WHY_COUNT));
        if (p->zero_threshold != 0)
            otlp_field(d, STR("zero_threshold"), value_double(p->zero_threshold));
        field_set(d, STR("positive"), p->positive);
        field_set(d, STR("negative"), p->negative);
    }
    field_set(d, STR("quantiles"), p->quantiles);
}

int otlp_point_finish(struct otlp_decoder *d, const struct otlp_metric *m, const struct otlp_point *p)
{
    struct record *rec = &d->record;
    rec->kind = (uint8_t)m->type;
    rec->name = m->name;
    rec->time = otlp_int64(d, p->time, OTLP_WHY_TIME);
    int64_t start = otlp_int64(d, p->start, OTLP_WHY_TIME);
    if (start)
        rec->duration = rec->time - start;
    if (start && rec->duration == 0)
        otlp_field_int(d, STR("start"), start);
    otlp_field_str(d, STR("unit"), m->unit);
    otlp_field_str(d, STR("description"), m->description);
    field_set(d, STR("metadata"), m->metadata);
    number_fields(d, m, p);
    if (m->type >= METRIC_HISTOGRAM)
        histogram_fields(d, m, p);
    field_set(d, STR("exemplars"), p->exemplars);
    return otlp_record_end(d);
}

void otlp_enc_list(struct otlp_decoder *d, uint64_t n)
{
    buf_byte(&d->enc, VALUE_LIST);
    buf_varint(&d->enc, n);
}

void otlp_enc_map(struct otlp_decoder *d, uint64_t n)
{
    buf_byte(&d->enc, VALUE_MAP);
    buf_varint(&d->enc, n);
}

void otlp_enc_key(struct otlp_decoder *d, str key)
{
    buf_varint(&d->enc, key.len);
    buf_str(&d->enc, key);
}

void otlp_enc_int(struct otlp_decoder *d, int64_t i)
{
    struct value v = value_int(i);
    value_encode(&d->enc, &v);
}

void otlp_enc_count(struct otlp_decoder *d, uint64_t count) { otlp_enc_int(d, otlp_int64(d, count, OTLP_WHY_COUNT)); }

void otlp_enc_double(struct otlp_decoder *d, double f)
{
    struct value v = value_double(f);
    value_encode(&d->enc, &v);
}

static void enc_bytes(struct otlp_decoder *d, str key, bytes b)
{
    struct value v = { .type = VALUE_BYTES, .s = str_of_bytes(b) };
    otlp_enc_key(d, key);
    value_encode(&d->enc, &v);
}

void otlp_enc_exemplar(struct otlp_decoder *d, const struct otlp_exemplar *e)
{
    uint8_t trace[16];
    bool has;
    otlp_trace_id(d, e->trace, trace, &has);
    uint64_t span = otlp_span_id(d, e->span, OTLP_WHY_SPAN_ID);
    if (has && !d->record.has_trace) {
        memcpy(d->record.trace, trace, 16);
        d->record.has_trace = true;
        d->record.span = span;
    }
    bool value = e->value.type != VALUE_NULL;
    otlp_enc_map(d, (uint64_t)(e->time != 0) + value + has + (span != 0) + e->attrs);
    if (e->time) {
        otlp_enc_key(d, STR("time"));
        otlp_enc_int(d, otlp_int64(d, e->time, OTLP_WHY_TIME));
    }
    if (value) {
        otlp_enc_key(d, STR("value"));
        value_encode(&d->enc, &e->value);
    }
    if (has)
        enc_bytes(d, STR("trace"), e->trace);
    if (span)
        enc_bytes(d, STR("span"), e->span);
    if (e->attrs)
        otlp_enc_key(d, STR("attrs"));
}
