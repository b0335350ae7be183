// A trace (the JSON of /api/v1/traces/ID) as a tree with bars for a terminal: spans in tree order, logs and
// errors in place under the span that they belong to.
#pragma once
#include "base/buf.h"

struct critical;

struct waterfall_options {
    size_t width; // columns; 0: 120
    bool colours;
    const struct critical
        *critical; // may be NULL: else bars are solid where the end waited for them, and shaded elsewhere
};
// ERR_MALFORMED when the JSON is not a trace.
int waterfall_print(str json, const struct waterfall_options *o, struct buf *out);
