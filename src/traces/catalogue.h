// What there is: services, operations, fields and their values with counts, and a query's histogram. For
// completion, for pickers, and for Jaeger's API. Everything is exact over the range.
#pragma once
#include "query/run.h"

// Which rows: range, permissions, caps (text is ignored by all but catalogue_histogram()).
// All lists are freed with catalogue_free().
struct catalogue_service {
    str name; // empty: rows without a service
    uint64_t spans, errors, logs;
    int64_t last; // time of its newest row
};

struct catalogue_operation {
    str service, name, kind; // kind: the word; empty when unspecified
    uint64_t spans, errors;
};

struct catalogue_field {
    str name;       // as a query says it: "duration", "http.request.method"
    str level;      // "fixed", "attr", "resource", "scope", "event", "link"
    uint32_t types; // 1 << enum qval_type for each type in the data
    uint64_t rows;  // rows that have it (for "event", "link": children)
};

struct catalogue_value {
    struct qval value;
    uint64_t rows;
};

struct catalogue_bucket {
    int64_t time;          // start
    uint64_t rows, errors; // errors: status error, or level error and above
};

struct catalogue {
    struct catalogue_service *services;
    struct catalogue_operation *operations;
    struct catalogue_field *fields;
    struct catalogue_value *values;
    struct catalogue_bucket *buckets;
    uint32_t n;   // of the list that was asked for
    bool more;    // the list was cut at its limit
    int64_t step; // buckets: ns
    void *memory; // its own
};

// By rows, most first, then name.
int catalogue_services(const struct query_request *q, struct view *view, struct catalogue *ret,
                       struct query_error *err);
// service empty: of all.
int catalogue_operations(const struct query_request *q, struct view *view, str service, struct catalogue *ret,
                         struct query_error *err);
// Fixed fields in their order, then attributes by name. source: "spans", "logs", ... or "*".
int catalogue_fields(const struct query_request *q, struct view *view, str source, struct catalogue *ret,
                     struct query_error *err);
// The most frequent values of a field; prefix: only strings that begin so. q->limit values (default 100).
int catalogue_values(const struct query_request *q, struct view *view, str source, str field, str prefix,
                     struct catalogue *ret, struct query_error *err);
// Rows of q->text (source and filter; steps after it are left out) over time in at most `buckets` intervals.
int catalogue_histogram(const struct query_request *q, struct view *view, uint32_t buckets, struct catalogue *ret,
                        struct query_error *err);
void catalogue_free(struct catalogue *c);
