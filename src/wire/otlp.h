// OTLP (opentelemetry-proto 1.x): export requests into records, and the answers.
//
// Decoding is whole or not at all where the bytes are malformed (the protocol's 400): then what the
// sink has been given of this request must be thrown away. A record that is well-formed but breaks a
// rule or a limit (ids of a wrong length, times beyond int64, too many attributes, too deep a value) is
// rejected alone, counted and named in the partial success. A resource or scope that breaks one takes
// all its records along.
//
// All-zero and absent ids are kept as "none". Strings are kept as received, also invalid UTF-8 (JSON
// must be UTF-8). JSON follows the specification's mapping: ids in hex of either case, bytes in base64,
// 64-bit integers as strings or numbers, enums as numbers (names are taken, too), names in lowerCamelCase
// (snake_case is taken, too), unknown members skipped, null = absent. Repeated members: the last counts,
// lists add up.
//
// What is no fixed column of struct record becomes a FIELD attribute:
//
// | source  | name                | type   | when present                                                        |
// |---------|---------------------|--------|---------------------------------------------------------------------|
// | spans   | message             | str    | the status has a message                                            |
// |         | tracestate          | str    | not empty                                                           |
// |         | dropped_attributes, dropped_events, dropped_links | int | not 0                                  |
// |         | kind_number, status_number | int | an enum value this version does not know (the column holds 0)   |
// | events, links of spans | dropped | int | dropped attributes count, not 0                                     |
// | links   | tracestate          | str    | not empty                                                           |
// | logs    | observed            | int ns | not 0                                                               |
// |         | severity_text       | str    | not empty                                                           |
// |         | severity_number     | int    | outside 0..24 (the column holds 0)                                  |
// |         | dropped_attributes  | int    | not 0                                                               |
// |         | time_unset          | bool   | true, when the time was 0 (the column holds `observed` then)        |
// | metrics | unit, description   | str    | not empty                                                           |
// |         | metadata            | map    | the metric has metadata                                             |
// |         | monotonic           | bool   | sums                                                                |
// |         | temporality         | str    | "delta" or "cumulative"; sums and histograms that say it            |
// |         | start               | int ns | not 0 and equal to the time (else the duration says it)             |
// |         | value               | int, double | gauges and sums that have one                                  |
// |         | count               | int    | histograms, exponential histograms, summaries                       |
// |         | sum                 | double | sent (summaries: always)                                            |
// |         | min, max            | double | sent                                                                |
// |         | bounds              | list of double | histograms, not empty                                       |
// |         | buckets             | list of int    | histograms, not empty                                       |
// |         | scale, zero_count   | int    | exponential histograms                                              |
// |         | zero_threshold      | double | exponential histograms, not 0                                       |
// |         | positive, negative  | map {offset: int, counts: list of int} | exponential histograms, sent        |
// |         | quantiles           | list of map {quantile: double, value: double} | summaries, not empty         |
// |         | exemplars           | list of map {time: int ns, value: int or double, trace: bytes, span: bytes, |
// |         |                     |   attrs: map}  | not empty; in each map only what was sent                   |
//
// Metrics make one record a data point; the first exemplar's ids also fill record.trace and .span.
// A metric without points makes none.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "wire/record.h"

enum otlp_signal { OTLP_TRACES, OTLP_LOGS, OTLP_METRICS };
enum otlp_format { OTLP_PROTOBUF, OTLP_JSON };

struct otlp_limits {
    uint32_t attrs_max;      // of one record, resource, scope, event or link (FIELD attributes not counted)
    uint32_t children_max;   // events and links of one span
    uint32_t value_size_max; // bytes of one string, key, or encoded list or map
};
// 1024 attributes, 2048 events and links, 1 MiB.
extern const struct otlp_limits otlp_limits_default;
// Least cap of the scratch arena: below it every record could fail.
size_t otlp_scratch_min(const struct otlp_limits *limits);

struct otlp_result {
    uint64_t accepted; // records given to the sink
    uint64_t rejected; // spans, log records or data points that were not
    // "2 spans rejected: traceId must be 16 bytes (resourceSpans[0].scopeSpans[1].spans[7]); ...", empty
    // when none was; the first few reasons.
    char message[512];
};

// Decodes one export request of the signal. What the sink sees are views into body and scratch, valid
// until it returns. scratch is used from where it stands and is left so that it can be reset or freed.
// *ret_result is filled on success only. ERR_MALFORMED: the client's request is wrong, for good (HTTP
// 400, gRPC INVALID_ARGUMENT); err says what and where (field path and byte). Any other error is
// the server's: ERR_NOMEM or whatever the sink returned.
int otlp_decode(enum otlp_signal signal, enum otlp_format format, bytes body, const struct otlp_limits *limits,
                struct arena *scratch, const struct record_sink *sink, struct otlp_result *ret_result, struct err *err);
