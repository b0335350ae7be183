// Unary gRPC over HTTP/2 (the gRPC protocol document, "PROTOCOL-HTTP2"): message framing, status and
// its details. The server hands a gRPC call on as a struct http_request with is_grpc set and the one
// message as body, inflated.
#pragma once
#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>

enum grpc_status {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_ALREADY_EXISTS = 6,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_DATA_LOSS = 15,
    GRPC_UNAUTHENTICATED = 16,
};

struct http_request;

// Answers a gRPC request (req->is_grpc), from any thread; the request is gone afterwards.
// GRPC_OK: body is the one message (may be empty bytes: an empty message), copied. Otherwise a
// Trailers-Only answer with message (plain UTF-8; percent-encoded here) and, when not empty, details:
// an encoded google.rpc.Status for grpc-status-details-bin (grpc_status_build).
void grpc_respond(struct http_request *req, enum grpc_status status, str message, bytes details, bytes body);
// UNAVAILABLE with google.rpc.RetryInfo: the refusal that OTLP clients try again after.
void grpc_respond_retry(struct http_request *req, enum grpc_status status, str message, int retry_after_ms);

// --- the pieces, without I/O ---

// Appends an encoded google.rpc.Status; retry_after_ms >= 0 adds a RetryInfo detail. Errors stick to out.
// Also the body of an OTLP/HTTP protobuf error.
void grpc_status_build(struct buf *out, int status, str message, int retry_after_ms);
// The gRPC status that means to a client what an HTTP status of this server means (429, 503: try again).
enum grpc_status grpc_status_of_http(int http_status);
// "100m" -> nanoseconds; ERR_MALFORMED.
int grpc_timeout_parse(str s, int64_t *ret_ns);
// Percent-encodes what is not printable ASCII, and '%'.
void grpc_message_encode(struct buf *out, str message);

// One length-prefixed message out of a call's whole body: exactly one, nothing behind it.
// ret_message is a view into body. ERR_TRUNCATED, ERR_MALFORMED (flag, rest), ERR_LIMIT (longer than max).
int grpc_unframe(bytes body, size_t max, bool *ret_compressed, bytes *ret_message);
enum { GRPC_PREFIX = 5 };
void grpc_prefix_put(uint8_t out[GRPC_PREFIX], bool compressed, uint32_t len);
