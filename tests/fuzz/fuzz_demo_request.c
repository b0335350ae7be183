// The head of a request as the demo's inventory reads it, and the trace context in it.
#include "request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct request r;
    long head = request_parse(p, size, &r);
    struct trace_context c;
    traceparent_parse((struct text){ p, size }, &c);
    if (c.known) {
        char again[TRACEPARENT_SIZE];
        traceparent_write(c.trace, c.span, again);
        check(memcmp(again, p, 53) == 0);
    }
    if (head <= 0)
        return 0;
    check((size_t)head <= size && head <= REQUEST_HEAD_MAX && r.body_length <= REQUEST_BODY_MAX);
    check(r.method.p == p && r.path.p > p && r.path.p + r.path.n < p + head && *r.path.p == '/');
    // What comes after the head is not read.
    struct request again;
    check(request_parse(p, (size_t)head, &again) == head && again.body_length == r.body_length);
    return 0;
}
