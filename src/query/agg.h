// Aggregates: one state a group for each aggregate of a `stats` or `top`.
#pragma once
#include "query/distinct.h"
#include "query/intern.h"
#include "query/sketch.h"
#include "query/vbatch.h"

struct agg_sum {
    __int128 ints;   // ints and durations
    double d, carry; // doubles, with Neumaier's compensation
    uint64_t n;
    bool plain, doubles, durations; // plain: something that is no duration
};

struct agg_pick { // first, last, argmax, argmin
    bool set;
    struct row_order order;
    int64_t time;
    struct qval value, extreme;
};

struct agg_hist_bin {
    int32_t bin; // see agg_hist.c
    uint64_t n;
};
struct agg_hist {
    struct agg_hist_bin *bins; // ascending
    uint32_t n, cap;
    bool durations, plain;
};

struct agg_point { // of a cumulative series, for rate and increase
    uint64_t series;
    int64_t time;
    double value;
    uint32_t group, seq;
};

struct agg {
    struct exec *x;
    const struct query_agg *plan;
    uint32_t groups, cap;
    union {
        uint64_t *count;
        struct agg_sum *sum;
        struct qval *best; // min, max
        struct sketch *sketch;
        struct distinct *distinct;
        struct agg_pick *pick;
        struct agg_hist *hist;
        void *states;
    };
    // uniq(): what ordinals of a segment mean
    struct agg_memo {
        uint64_t hash;
        enum { MEMO_UNSEEN, MEMO_MISSING, MEMO_HASH, MEMO_DONE } state;
    } * memo;
    const void *memo_identity;
    uint32_t memo_n;
    // values(): how often each value in each group
    struct intern seen;
    struct intern_tuples pairs; // (group, value)
    uint64_t *pair_count;
    uint32_t pair_cap;
    uint32_t *pair_order; // sorted by group, count desc, value; made at the end
    // rate(), increase() of cumulative metrics
    struct agg_point *points;
    uint32_t points_n, points_cap;
    bool points_done;
};

// Room for groups 0..n-1, new ones empty.
int agg_room(struct agg *a, uint32_t n);
// Rows index[k] of the batch belong to group gid[k] (NULL: all to group 0).
int agg_rows(struct agg *a, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n);
// seconds: covered time of the group, for rates. Lists are made in scratch. May be asked once all rows are in.
int agg_result(struct agg *a, uint32_t group, double seconds, struct qval *ret);
// The relative error of the results, 0 when all are exact.
double agg_error(const struct agg *a);
void agg_free(struct agg *a);

// ---- parts
int agg_hist_add(struct exec *x, struct agg_hist *h, const struct qval *v, uint64_t times);
int agg_hist_result(struct exec *x, const struct agg_hist *h, struct qval *ret);
void agg_hist_free(struct exec *x, struct agg_hist *h);
int agg_rate_rows(struct agg *a, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n);
int agg_rate_finish(struct agg *a);
