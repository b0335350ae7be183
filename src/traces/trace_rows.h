// Reading a trace's rows out of segments, in two passes: first where they are and when, so that
// duplicates and what is too much go before anything is copied; then whole.
#pragma once
#include "base/arena.h"
#include "traces/trace.h"

// A row of the trace.
struct trace_row {
    uint32_t segment, row;
    int64_t time;
    uint64_t span, resource; // resource: hash
};

struct trace_segment {
    const struct segment *s;
    struct reader *r;
};

struct trace_loader {
    const struct trace_request *q;
    struct arena *arena; // of the result
    struct trace_segment *segments;
    uint32_t segments_n;
    struct trace_row *rows;
    uint32_t rows_n, rows_cap;
    uint64_t hidden;
    // Entities that were copied already, by hash and (scopes) by segment and ordinal.
    struct trace_entity {
        uint64_t key;
        const struct record_entity *e;
        str service;
    } * entities;
    uint32_t entities_n, entities_cap;
};

enum { TRACE_ROWS_MAX = 4000000 }; // rows of one trace that are looked at

// Adds the trace's rows in segments of this source whose rows can lie in [from, to].
int trace_rows_find(struct trace_loader *l, uint8_t source, int64_t from, int64_t to);
// Drops duplicates (spans) and all but the earliest `max`; sets *ret_cut.
void trace_rows_settle(struct trace_loader *l, bool spans, uint32_t max, bool *ret_cut);
int trace_span_read(struct trace_loader *l, const struct trace_row *row, struct trace_span *ret);
int trace_log_read(struct trace_loader *l, const struct trace_row *row, struct trace_log *ret);
