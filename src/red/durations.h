// A sketch of durations: how many fell into each of 64 bins an octave, cut as those of query/sketch.h, so that a
// quantile is within 1/129 of the true one and both engines agree. Kept sparse, because there is one for every
// service, operation and edge of every minute, and most see a few dozen different bins.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

enum { DURATIONS_BINS = 63 * 64 + 2 };

struct durations {
    uint32_t *count; // the bins' counts (they stay at UINT32_MAX) and, behind them, their numbers, ascending
    uint16_t *bin;
    uint16_t n, cap;
};

// 0: not above zero; 1..: from 1 ns on.
uint16_t durations_bin(int64_t ns);
int64_t durations_bin_value(uint16_t bin);
// Memory is the arena's. ERR_NOMEM: nothing was added.
int durations_add(struct arena *a, struct durations *d, uint16_t bin, uint32_t n);
int durations_merge(struct arena *a, struct durations *d, const struct durations *other);
uint64_t durations_count(const struct durations *d);
// Those in bins above this one.
uint64_t durations_above(const struct durations *d, uint16_t bin);
// The value of rank ceil(q * count); -1 when there is none.
int64_t durations_quantile(const struct durations *d, double q);
// Varints: bins, then for each the step from the former one and the count.
int durations_encode(const struct durations *d, struct buf *b);
// Adds what is encoded. ERR_CORRUPT, ERR_NOMEM.
int durations_decode(struct arena *a, struct durations *d, bytes encoded);
