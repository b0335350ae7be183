// Sends prebuilt requests over a number of connections from one thread and measures how long each
// takes to be acknowledged. What a server asks to be retried (429, 502, 503, 504; UNAVAILABLE,
// RESOURCE_EXHAUSTED) is sent again.
#pragma once
#include "payload.h"

#include <netinet/in.h>

enum send_transport { SEND_HTTP, SEND_GRPC };

struct send_options {
    enum send_transport transport;
    struct sockaddr_in to;
    const char *host;  // "127.0.0.1:4318": Host or :authority
    const char *path;  // "/v1/traces" or the gRPC method
    const char *type;  // of the bodies
    const char *token; // ingest key, or NULL
    enum payload_encoding encoding;
    int connections;       // each with one request in flight over HTTP ...
    int streams;           // ... and this many over gRPC
    double rate;           // records a second; 0: as fast as acknowledged
    uint64_t records;      // to send in all; the set is repeated in further rounds
    int64_t stop_after_ns; // no new requests after this time; 0: none
};

struct send_result {
    uint64_t records, requests, bytes; // acknowledged
    uint64_t retries, failures;        // failures: final refusals and lost connections
    uint32_t last_round;
    int64_t elapsed_ns;
    double cpu_s;         // of this process while it sent
    uint32_t *latency_us; // one a request, unordered
    size_t latency_cap;
    char first_failure[256];
};

// Runs to the end. Returns false when no connection could be made.
bool send_run(const struct send_options *o, struct payload_set *set, struct send_result *ret_result);
