// The critical path of a trace (the JSON of /api/v1/traces/ID/path) for a terminal: which moments of which span are on
// it, and time by service as a table.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

struct critical_step {
    str span, service;
    int64_t from, to; // ns Unix, by the clock of the span's own service
};

struct critical_share {
    str service;
    bool external;
    int64_t spans, errors, self, critical;
};

struct critical {
    struct critical_step *steps; // by span, then by time
    struct critical_share *shares;
    uint32_t steps_n, shares_n;
    int64_t duration;
};

// Everything lives in the arena or the JSON. ERR_MALFORMED: it is none.
int critical_read(str json, struct arena *arena, struct critical *ret);
// Is anything of the span on the path between these moments?
bool critical_covers(const struct critical *c, str span, int64_t from, int64_t to);
// "service  spans  errors  self  critical path", most of the path first.
void critical_table(const struct critical *c, struct buf *out);
