#include "wire/otlp.h"

#include "wire/otlp_internal.h"

#include <stdio.h>

const struct otlp_limits otlp_limits_default = { .attrs_max = 1024, .children_max = 2048, .value_size_max = 1 << 20 };

static const struct otlp_names otlp_names_of[] = {
    [OTLP_TRACES] = { "resourceSpans", "scopeSpans", "spans", "span" },
    [OTLP_LOGS] = { "resourceLogs", "scopeLogs", "logRecords", "log record" },
    [OTLP_METRICS] = { "resourceMetrics", "scopeMetrics", "metrics", "data point" },
};

static size_t scratch_fixed(const struct otlp_limits *limits)
{
    return ((size_t)limits->attrs_max + OTLP_FIELDS_MAX) * sizeof(struct attr) +
           (size_t)limits->children_max * sizeof(struct record_child);
}

size_t otlp_scratch_min(const struct otlp_limits *limits)
{
    // One record of the largest attributes and a nested value of the largest size, beside what is fixed.
    return scratch_fixed(limits) + (size_t)limits->attrs_max * sizeof(struct attr) +
           2 * (size_t)limits->value_size_max + (64 << 10);
}

static int decoder_init(struct otlp_decoder *d, const struct otlp_limits *limits)
{
    d->attrs_cap = limits->attrs_max + OTLP_FIELDS_MAX;
    d->attrs = arena_alloc_array(d->arena, d->attrs_cap, sizeof *d->attrs);
    d->children = arena_alloc_array(d->arena, limits->children_max, sizeof *d->children);
    if (!d->attrs || !d->children)
        return ERR_NOMEM;
    d->mark = arena_mark(d->arena);
    buf_init(&d->enc, limits->value_size_max);
    return 0;
}

static int malformed(const struct otlp_decoder *d, enum otlp_format format, int rc, struct err *err)
{
    const char *why = d->bad_why            ? d->bad_why
                      : rc == ERR_TRUNCATED ? "a part runs past its end"
                                            : "not a valid encoding";
    err_set(err, ERR_MALFORMED, "bad_otlp", "malformed OTLP %s: %s", format == OTLP_JSON ? "JSON" : "protobuf", why);
    err_set_place(err, "%s%sbyte %zu", d->trail, d->trail[0] ? ", " : "", (size_t)(d->bad_at - d->body.ptr));
    return ERR_MALFORMED;
}

int otlp_decode(enum otlp_signal signal, enum otlp_format format, bytes body, const struct otlp_limits *limits,
                struct arena *scratch, const struct record_sink *sink, struct otlp_result *ret_result, struct err *err)
{
    struct otlp_decoder d = { .limits = limits, .arena = scratch, .sink = sink, .body = body };
    if (!d.body.ptr)
        d.body.ptr = (const uint8_t *)"";
    d.names = &otlp_names_of[signal];
    struct arena_mark before = arena_mark(scratch);
    int rc = decoder_init(&d, limits);
    if (rc == 0) {
        if (format == OTLP_JSON)
            rc = otlp_json_request(&d, signal);
        else if (signal == OTLP_TRACES)
            rc = otlp_pb_traces(&d);
        else
            rc = signal == OTLP_LOGS ? otlp_pb_logs(&d) : otlp_pb_metrics(&d);
    }
    buf_free(&d.enc);
    arena_rewind(scratch, before);
    if (rc < 0)
        return d.bad_at ? malformed(&d, format, rc, err) : rc;
    if (d.result.rejected)
        snprintf(d.result.message, sizeof d.result.message, "%llu %s%s rejected: %s",
                 (unsigned long long)d.result.rejected, d.names->noun, d.result.rejected == 1 ? "" : "s", d.reasons);
    *ret_result = d.result;
    return 0;
}

// --- trouble

int otlp_bad(struct otlp_decoder *d, const void *at, int rc)
{
    if (!d->bad_at)
        d->bad_at = at;
    return rc;
}

int otlp_bad_why(struct otlp_decoder *d, const void *at, const char *why)
{
    if (!d->bad_at)
        d->bad_why = why;
    return otlp_bad(d, at, ERR_MALFORMED);
}

int otlp_trail(struct otlp_decoder *d, int rc, const char *name, int64_t index)
{
    if (!d->bad_at) // not the request's fault: nobody will be told a place
        return rc;
    char step[48];
    int n = index < 0 ? snprintf(step, sizeof step, "%s", name)
                      : snprintf(step, sizeof step, "%s[%lld]", name, (long long)index);
    size_t inner = strlen(d->trail), before = (size_t)n + (inner != 0);
    if (before + inner >= sizeof d->trail) // never with the names and depths there are
        return rc;
    memmove(d->trail + before, d->trail, inner + 1);
    memcpy(d->trail, step, (size_t)n);
    if (inner)
        d->trail[n] = '.';
    return rc;
}

void *otlp_alloc(struct otlp_decoder *d, size_t n, size_t size, int *ret_rc)
{
    void *p = arena_alloc_array(d->arena, n, size);
    if (p)
        return p;
    size_t room = d->arena->cap > d->arena->used ? d->arena->cap - d->arena->used : 0;
    bool full = n > room / size || room - n * size < 256;
    if (full)
        otlp_reject(d, "it is too large");
    *ret_rc = full ? 0 : ERR_NOMEM;
    return NULL;
}

static void note_reason(struct otlp_decoder *d, const char *why)
{
    size_t room = sizeof d->reasons - d->reasons_len;
    if (d->result.rejected > OTLP_REASONS_MAX + 1)
        return;
    int n;
    if (d->result.rejected == OTLP_REASONS_MAX + 1) {
        n = snprintf(d->reasons + d->reasons_len, room, "; and more");
    } else {
        char point[64] = "";
        if (d->metric_data)
            snprintf(point, sizeof point, ".%s.dataPoints[%u]", d->metric_data, d->point_i);
        n = snprintf(d->reasons + d->reasons_len, room, "%s%s (%s[%u].%s[%u].%s[%u]%s)", d->reasons_len ? "; " : "",
                     why, d->names->resource, d->resource_i, d->names->scope, d->scope_i, d->names->record, d->record_i,
                     point);
    }
    d->reasons_len += n > 0 && (size_t)n < room ? (size_t)n : 0;
    d->reasons[d->reasons_len] = 0;
}

static const char *reject_reason(const struct otlp_decoder *d)
{
    if (d->section_reject)
        return d->section_reject;
    if (d->reject)
        return d->reject;
    if (d->record.name.len > d->limits->value_size_max)
        return "its name is too large";
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->attrs_n; i++)
        n += d->attrs[i].level == ATTR_RECORD;
    return n > d->limits->attrs_max ? OTLP_WHY_ATTRS : NULL;
}

int otlp_record_reject(struct otlp_decoder *d)
{
    const char *why = reject_reason(d);
    if (!why)
        return 1;
    d->result.rejected++;
    note_reason(d, why);
    arena_rewind(d->arena, d->mark);
    return 0;
}

// --- the record

int otlp_section(struct otlp_decoder *d)
{
    d->section_due = false;
    return d->sink->section(d->sink->ctx, &d->resource, &d->scope);
}

void otlp_field(struct otlp_decoder *d, str key, struct value v)
{
    struct attr *a = NULL;
    for (uint32_t i = 0; i < d->attrs_n && !a; i++)
        if (d->attrs[i].key.ptr == key.ptr)
            a = &d->attrs[i];
    if (!a && !(a = otlp_attr_next(d)))
        return;
    if ((v.type == VALUE_STR || v.type == VALUE_BYTES) && v.s.len > d->limits->value_size_max)
        otlp_reject(d, OTLP_WHY_SIZE);
    *a = (struct attr){ .key = key, .level = ATTR_FIELD, .value = v };
}

struct record_child *otlp_child_next(struct otlp_decoder *d, enum record_child_kind kind)
{
    if (d->children_n == d->limits->children_max) {
        otlp_reject(d, "too many events and links");
        return NULL;
    }
    if (kind == CHILD_EVENT && d->children_n && d->children[d->children_n - 1].kind == CHILD_LINK)
        d->children_mixed = true;
    struct record_child *c = &d->children[d->children_n++];
    *c = (struct record_child){ .kind = (uint8_t)kind };
    return c;
}

// Events first, each kind in the order received. Writers send them so; this is for the one that does not.
int otlp_children_sort(struct otlp_decoder *d)
{
    int rc;
    struct record_child *links = otlp_alloc(d, d->children_n, sizeof *links, &rc);
    if (!links)
        return rc;
    uint32_t events_n = 0, links_n = 0;
    for (uint32_t i = 0; i < d->children_n; i++) {
        if (d->children[i].kind == CHILD_LINK)
            links[links_n++] = d->children[i];
        else
            d->children[events_n++] = d->children[i];
    }
    if (links_n)
        memcpy(d->children + events_n, links, links_n * sizeof *links);
    return 0;
}

void otlp_trace_id(struct otlp_decoder *d, bytes id, uint8_t trace[16], bool *ret_has)
{
    uint64_t halves[2] = { 0, 0 };
    if (id.len == 16)
        memcpy(halves, id.ptr, 16);
    else if (id.len)
        otlp_reject(d, OTLP_WHY_TRACE_ID);
    memcpy(trace, halves, 16);
    *ret_has = (halves[0] | halves[1]) != 0;
}

void otlp_span_finish(struct otlp_decoder *d, uint64_t start, uint64_t end, uint64_t kind, uint64_t status)
{
    d->record.time = otlp_int64(d, start, OTLP_WHY_TIME);
    d->record.duration = otlp_int64(d, end, OTLP_WHY_TIME) - d->record.time;
    if (__builtin_expect(kind <= SPAN_KIND_CONSUMER, 1))
        d->record.kind = (uint8_t)kind;
    else
        otlp_field_int(d, STR("kind_number"), (int64_t)kind);
    if (__builtin_expect(status <= STATUS_ERROR, 1))
        d->record.status = (uint8_t)status;
    else
        otlp_field_int(d, STR("status_number"), (int64_t)status);
}

void otlp_log_finish(struct otlp_decoder *d, uint64_t time, uint64_t observed, uint64_t severity)
{
    d->record.time = otlp_int64(d, time ? time : observed, OTLP_WHY_TIME);
    if (observed)
        otlp_field_int(d, STR("observed"), otlp_int64(d, observed, OTLP_WHY_TIME));
    if (time == 0)
        otlp_field(d, STR("time_unset"), value_bool(true));
    if (__builtin_expect(severity <= 24, 1))
        d->record.severity = (uint8_t)severity;
    else
        otlp_field_int(d, STR("severity_number"), (int64_t)severity);
}

// --- nested values

int otlp_enc_keep(struct otlp_decoder *d, struct value *ret_v)
{
    int rc = d->enc.error;
    *ret_v = (struct value){ .type = VALUE_NULL };
    if (rc == 0 && d->enc.len) {
        uint8_t *p = otlp_alloc(d, d->enc.len, 1, &rc);
        if (p) {
            memcpy(p, d->enc.ptr, d->enc.len);
            *ret_v = (struct value){ .type = p[0], .s = str_of(p, d->enc.len) };
        }
    } else if (rc == ERR_LIMIT) {
        otlp_reject(d, OTLP_WHY_SIZE);
        rc = 0;
    }
    buf_clear(&d->enc);
    return rc;
}
