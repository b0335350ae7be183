// A data point of any metric type between reading (protobuf, JSON) and its record: one place decides
// which FIELD attributes it gets.
#pragma once
#include "wire/otlp_internal.h"

struct otlp_metric {
    str name, unit, description;
    struct value metadata; // MAP or NULL
    enum metric_type type;
    uint64_t temporality;
    bool monotonic;
};

enum otlp_point_has { OTLP_HAS_SUM = 1, OTLP_HAS_MIN = 2, OTLP_HAS_MAX = 4 };

struct otlp_point {
    uint64_t start, time, count, zero_count;
    double sum, min, max, zero_threshold;
    int64_t scale;
    uint32_t has;                      // enum otlp_point_has
    struct value value;                // gauge, sum
    struct value bounds, buckets;      // LIST or NULL, as the others
    struct value positive, negative;   // MAP
    struct value quantiles, exemplars; // LIST
};

// Adds the point's FIELD attributes and times to the record and ends it.
int otlp_point_finish(struct otlp_decoder *d, const struct otlp_metric *m, const struct otlp_point *p);

// Pieces of nested FIELD values, appended to d->enc.
void otlp_enc_list(struct otlp_decoder *d, uint64_t n);
void otlp_enc_map(struct otlp_decoder *d, uint64_t n);
void otlp_enc_key(struct otlp_decoder *d, str key);
void otlp_enc_int(struct otlp_decoder *d, int64_t i);
void otlp_enc_count(struct otlp_decoder *d, uint64_t count); // rejects beyond 63 bits
void otlp_enc_double(struct otlp_decoder *d, double v);

// An exemplar's parts; what was not sent is empty.
struct otlp_exemplar {
    uint64_t time;
    struct value value;
    bytes trace, span;
    bool attrs; // its "attrs" map follows
};
// Starts the map of one exemplar in d->enc; if e->attrs, the caller appends that map's encoding at once.
// The record's first exemplar with valid ids fills record.trace and .span.
void otlp_enc_exemplar(struct otlp_decoder *d, const struct otlp_exemplar *e);
