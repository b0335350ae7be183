// Who a trace's time waits for, and whose time it is.
//
// The critical path holds, at every moment of the root, the one span that the end was waiting for: walked from the end
// backwards, the child that ended last before the present moment was waited for, before it the parent itself. A child
// that runs on beyond that moment was not waited for. Spans whose parent never came count below the root.
// Times are those of corrected clocks (see trace_clocks()). The pages compute the same: tests/vectors/paths.json.
#pragma once
#include "base/arena.h"
#include "traces/trace.h"

struct trace_step {
    uint32_t span;    // in trace.spans
    int64_t from, to; // ns after the root's start
};

// Time by service; what a call without a server span of its own waits for is its database's or host's ("external").
struct trace_share {
    str service; // empty: spans without a service
    bool external;
    uint32_t spans, errors;
    int64_t self, critical; // ns
};

struct trace_shift {
    str service;
    int64_t shift; // ns added to its times, the largest
};

struct trace_path {
    int32_t root; // -1: no spans
    int64_t time, duration;
    const struct trace_step *steps; // by time, without gap or overlap: they add up to duration
    uint32_t steps_n;
    const struct trace_share *shares; // most self time first, then by name
    uint32_t shares_n;
    const struct trace_shift *shifts;
    uint32_t shifts_n;
    // By span: start by its corrected clock, duration (a negative one is 0) minus what children cover, time on the path.
    const int64_t *start, *self, *critical;
};

// Everything in *ret_path lives in the arena or the trace. ERR_NOMEM.
int trace_path_make(const struct trace *t, struct arena *arena, struct trace_path *ret_path);

// Clocks of two hosts differ: a server span that lies outside the client span that called it shows by how much, and all of
// its service below it moves along. Less than an ordinary clock can tell is left alone.
#define TRACE_CLOCK_TOLERANCE_NS 1500000
// start, shift: one each span, filled here.
void trace_clocks(const struct trace *t, int64_t *start, int64_t *shift);
