// What OTLP exporters are answered: Export{Trace,Logs,Metrics}ServiceResponse on success, and
// google.rpc.Status as the body of every HTTP error and in gRPC's grpc-status-details-bin.
#pragma once
#include "base/buf.h"
#include "wire/otlp.h"

// Codes of google.rpc.Code that an OTLP receiver uses.
enum {
    OTLP_CODE_OK = 0,
    OTLP_CODE_INVALID_ARGUMENT = 3,
    OTLP_CODE_DEADLINE_EXCEEDED = 4,
    OTLP_CODE_NOT_FOUND = 5,
    OTLP_CODE_PERMISSION_DENIED = 7,
    OTLP_CODE_RESOURCE_EXHAUSTED = 8,
    OTLP_CODE_UNIMPLEMENTED = 12,
    OTLP_CODE_INTERNAL = 13,
    OTLP_CODE_UNAVAILABLE = 14,
    OTLP_CODE_UNAUTHENTICATED = 16,
};

// The response message. Nothing rejected: the empty message ("" and "{}").
int otlp_response_encode(enum otlp_signal signal, enum otlp_format format, const struct otlp_result *result,
                         struct buf *out);

// google.rpc.Status. retry_delay_ns > 0 adds a google.rpc.RetryInfo detail: the client should come back
// then (gRPC: retries RESOURCE_EXHAUSTED only with it). Protobuf bytes are also the value of
// grpc-status-details-bin (before its base64).
int otlp_status_encode(enum otlp_format format, int code, str message, int64_t retry_delay_ns, struct buf *out);
