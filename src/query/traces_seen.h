// Traces of matched spans by the ordinals of their segments: counting rows reads no trace id. Ids are asked for
// later, and when only the newest traces are wanted, for few of them.
#pragma once
#include "query/exec.h"

struct seen_trace {
    int64_t oldest; // of its matched spans: the trace began then or before
    uint32_t matched;
};

struct seen_next {
    int64_t oldest;
    uint32_t seg, ord; // exec.segs, trace ordinal there
};

struct traces_seen {
    struct exec *x;
    struct seen_segment {
        struct seen_trace *at; // by ordinal; NULL: none of its rows matched
        uint32_t n;
    } * segs; // by segment
    uint32_t segs_n;
    struct seen_next *left; // not yet taken; the newest first: a heap
    uint32_t left_n, left_cap;
    bool newest_first;
};

// Rows `sel` of the current block of s: their trace ordinals and times. *without grows by the rows without a trace.
int seen_rows(struct traces_seen *t, struct exec_segment *s, const uint32_t *ord, const int64_t *time,
              const uint64_t *sel, uint32_t n, uint64_t *without);
// No more rows: what was seen can be taken. newest_first: by `oldest`, else in any order.
int seen_finish(struct traces_seen *t, bool newest_first);
// A trace that is in several segments is seen in each. left_n must not be 0.
struct seen_next seen_take(struct traces_seen *t);
uint32_t seen_matched(const struct traces_seen *t, uint32_t seg, uint32_t ord);
void seen_free(struct traces_seen *t);
