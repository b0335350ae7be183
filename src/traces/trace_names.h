// Names and their numbers, in the order in which they came. A trace may have as many as it has spans, so that they are
// not compared with each other.
#pragma once
#include "base/bytes.h"

struct trace_names {
    str *name; // views
    uint32_t n;
    uint32_t *slots, mask; // number + 1
};

// Room for so many different ones. ERR_NOMEM; trace_names_free() is due in both cases.
int trace_names_init(struct trace_names *x, uint32_t most);
void trace_names_free(struct trace_names *x);
uint32_t trace_names_number(struct trace_names *x, str name);
