// Where a share began to rise: of n requests in each slot of time k were bad (failed, or slow), and at some slot the
// share became, and stayed, larger than can be chance. Pure; knows no clock.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct change_rule {
    uint64_t requests_min; // after the change, or nothing is said
    uint64_t bad_min;
    double rise_min;   // by which the share must have grown, absolute
    double factor_min; // and relative
};
extern const struct change_rule change_errors, change_slow;

struct change {
    size_t at; // first slot of the time after
    uint64_t n_before, k_before, n_after, k_after;
    double score; // log-likelihood won by telling before and after apart
};
// True: there was a rise and it has not passed: the newest requests still show it.
bool change_find(const uint64_t *n, const uint64_t *k, size_t slots, const struct change_rule *rule,
                 struct change *ret_change);
// The same for one slot that something else points at (a deploy): one place is looked at and not all, so less is needed.
bool change_at(const uint64_t *n, const uint64_t *k, size_t slots, size_t at, const struct change_rule *rule,
               struct change *ret_change);
// Bounds of a share that k of n are a sample of (Wilson), at 3 standard deviations: many places are looked at, so chance
// has many chances. Of nothing nothing is known: 0 and 1.
void change_wilson(uint64_t k, uint64_t n, double *ret_low, double *ret_high);
// b of B is more than a of A by more than chance and by at least this.
bool change_is_rise(uint64_t a, uint64_t A, uint64_t b, uint64_t B, double rise_min);
