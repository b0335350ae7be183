// W3C Trace Context: the headers `traceparent` and `tracestate` (level 1, with level 2's random flag kept
// in flags as sent).
#pragma once
#include "base/bytes.h"

struct traceparent {
    uint8_t trace[16]; // not all zero
    uint64_t span;     // the caller's span (as be64_get() of the 8 bytes), not 0
    uint8_t flags;     // bit 0: sampled, bit 1: the trace id is random
};

// Surrounding white space is allowed. False, *ret untouched: not a valid header (then a new trace
// begins); versions after 00 are read by their first four fields, version ff is refused.
bool traceparent_parse(str header, struct traceparent *ret);
// Exactly 55 characters, version 00; no NUL is written.
enum { TRACEPARENT_LEN = 55 };
void traceparent_format(char out[TRACEPARENT_LEN], const struct traceparent *t);

// Next list member of a tracestate: true with its key and value, and *rest behind it. Empty members are
// skipped; a malformed one ends the list (the specification lets the whole header be dropped then:
// *ret_ok false).
bool tracestate_next(str *rest, str *ret_key, str *ret_value, bool *ret_ok);
