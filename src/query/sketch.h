// Quantiles: exact while there are few values, then a sketch with a relative error below 1 %.
//
// The sketch is a DDSketch (Masson, Rim, Lee 2019) whose bins are cut linearly inside each power of two:
// 64 bins an octave, found by shifting the bits of the double, [L, U) answered by 2LU/(L+U), which is within
// (U-L)/(U+L) <= 1/129 of every value in the bin. Any sign; sketches of equal kind can be added.
#pragma once
#include "query/exec.h"

enum { SKETCH_EXACT = 1024 };
#define SKETCH_ERROR 0.01

struct sketch_bins {
    uint64_t *count;
    uint32_t base, n; // bins base..base + n
};

struct sketch {
    union {
        int64_t i;
        double d;
    } * exact; // NULL once it is a sketch
    uint32_t n, cap;
    bool sketched, doubles, durations, plain; // doubles: values are in .d; plain: not all are durations
    struct sketch_bins pos, neg;
    uint64_t zeros, nans, count;
};

// v: int, double or duration. ERR_NOMEM with x->err filled.
int sketch_add(struct exec *x, struct sketch *s, const struct qval *v);
int sketch_add_ns(struct exec *x, struct sketch *s, int64_t ns); // a duration
// The value of rank ceil(q * count); missing when there is none. Sorts the exact values.
struct qval sketch_quantile(struct sketch *s, double q);
void sketch_free(struct exec *x, struct sketch *s);
