// The head of an HTTP/1.1 request, and W3C trace context. Pure functions over bytes from outside.
#ifndef INVENTORY_REQUEST_H
#define INVENTORY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_HEAD_MAX 8192
#define REQUEST_BODY_MAX 16384

struct text {
    const char *p;
    size_t n;
};

struct trace_context {
    uint8_t trace[16];
    uint8_t span[8]; // the caller's: our parent
    bool known;      // both ids were there and not all zero
    bool sampled;
};

struct request {
    struct text method, path; // the path without its query
    size_t body_length;
    struct trace_context context;
};

// The length of the head, 0 when it is not whole yet, -1 when it is no request that we answer.
long request_parse(const char *p, size_t n, struct request *ret);
// "00-<32 hex>-<16 hex>-<2 hex>"; anything else leaves *ret as "not known, sampled".
void traceparent_parse(struct text value, struct trace_context *ret);
#define TRACEPARENT_SIZE 56
void traceparent_write(const uint8_t trace[16], const uint8_t span[8], char ret[TRACEPARENT_SIZE]);
bool text_is(struct text t, const char *s);

#endif
