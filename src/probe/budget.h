// What a probe may cost, counted where it costs: in memory that the target and the agent share, without locks.
//
// Each probe of a process has a slot with its counters, its token bucket, the hits it was granted and its time
// budget; the process has a time budget of its own. Buckets are one word each (the virtual time of the generic cell
// rate algorithm), so a decision is one compare-and-swap and cannot be torn by a producer that dies.
//
// Time: hits are charged with what they cost; a bucket that drains with 1 % of a core and holds 10 ms bounds both the
// share (1 %) and the pause (20 ms in any second). A breach suspends the probe (10 s, then 60 s), the third
// disables it until the agent gives the slot away anew.
#pragma once
#include "base/bytes.h"
#include <stdatomic.h>

enum {
    PROBE_COST_SHARE = 100,                   // one part in so many of a core
    PROBE_COST_BURST_NS = 10 * 1000 * 1000,   // pause that is forgiven at once
    PROBE_SUSPEND_MAX = 3,                    // breaches until it is over
    PROBE_CONDITION_NS_MAX = 1000 * 1000,     // one condition
    PROBE_CAPTURE_NS_SOFT = 5 * 1000 * 1000,  // a walk stops taking more in
    PROBE_CAPTURE_NS_HARD = 20 * 1000 * 1000, // and ends
    PROBE_COST_EVERY = 64,                    // filtered hits: one in so many is timed
    PROBE_ERROR_TEXT = 112,
};
#define PROBE_SUSPEND_NS_1 (10 * 1000000000ll)
#define PROBE_SUSPEND_NS_2 (60 * 1000000000ll)

enum probe_drop { // why a hit that passed its condition is not there
    PROBE_DROP_RATE,
    PROBE_DROP_RING,
    PROBE_DROP_SPOOL, // the agent's
    PROBE_DROP_BUDGET,
    PROBE_DROP_GRANT,
    PROBE_DROP_COUNT,
};

enum probe_activity { PROBE_FREE, PROBE_ACTIVE, PROBE_SUSPENDED, PROBE_DISABLED };

// A time budget: one of each probe and one of the process.
struct probe_cost {
    _Atomic int64_t due; // virtual time, ns; it is ahead of the clock by what was spent and not yet earned
};

// One probe in one process; all fields may change at any time, none is trusted by the agent.
struct probe_slot {
    _Atomic uint32_t activity; // enum probe_activity
    _Atomic uint32_t breaches;
    _Atomic int64_t resume; // of SUSPENDED: clock at which it goes on
    struct probe_cost cost;
    _Atomic int64_t bucket;  // virtual time of the token bucket
    _Atomic int64_t granted; // hits that may still be taken
    // Set by the agent before the slot becomes active.
    int64_t interval; // ns between tokens, 0: no limit
    int64_t burst;    // ns that may be saved up
    uint64_t sample;  // threshold of 2^32, 2^32: all
    uint32_t hit_n, revision;
    uint8_t hit_op; // enum probe_hit_op
    uint8_t reserved[7];
    // Counters, absolute since the slot became active.
    _Atomic uint64_t hits, filtered, captured, errors, ns;
    _Atomic uint64_t dropped[PROBE_DROP_COUNT];
    _Atomic uint32_t error_state; // 0 none, 1 being written, 2 there
    _Atomic uint32_t error_len;
    char error[PROBE_ERROR_TEXT]; // the first one
} __attribute__((aligned(64)));

enum probe_hit_op { PROBE_HIT_ALL, PROBE_HIT_EQUAL, PROBE_HIT_FROM, PROBE_HIT_EVERY };

struct probe_slot_setup {
    uint32_t revision;
    double rate; // tokens a second, 0: no limit
    uint32_t burst;
    double sample; // 0..1
    enum probe_hit_op hit_op;
    uint32_t hit_n;
    int64_t granted;
};
// The agent's side: makes the slot ready and active (counters zero), or free.
void probe_slot_activate(struct probe_slot *s, const struct probe_slot_setup *setup);
void probe_slot_free(struct probe_slot *s);
void probe_slot_grant(struct probe_slot *s, int64_t more);

// The life of a hit, in this order; each answers whether it goes on.
// 1. May it do anything at all: one relaxed load in the usual case. now_ns: any monotonic clock, asked for only when suspended.
static inline bool probe_slot_runs(const struct probe_slot *s)
{
    return atomic_load_explicit(&s->activity, memory_order_relaxed) == PROBE_ACTIVE;
}
// True when a suspension is over (and ends it).
bool probe_slot_resumes(struct probe_slot *s, int64_t now_ns);
// 2. Counts the hit and returns its number, from 1.
static inline uint64_t probe_slot_hit(struct probe_slot *s)
{
    return atomic_fetch_add_explicit(&s->hits, 1, memory_order_relaxed) + 1;
}
// Hits whose cost is measured for all: true for the first and every 64th after it.
static inline bool probe_hit_is_timed(uint64_t number) { return (number & (PROBE_COST_EVERY - 1)) == 1; }
// 3. The hit condition, on the number of hits whose expression was true.
bool probe_hit_passes(enum probe_hit_op op, uint32_t n, uint64_t number);
// 4. Sampling: the same answer for all hits of a trace, on every host and in every runtime. trace: 16 bytes or NULL (then
// the hit's number decides). It takes fmix32 of the last two big-endian words, one xor the other, below the threshold.
bool probe_sample_passes(uint64_t threshold, const uint8_t *trace, uint64_t number);
static inline uint64_t probe_sample_threshold(double share)
{
    return share >= 1 ? 1ull << 32 : share <= 0 ? 0 : (uint64_t)(share * 4294967296.0);
}
// 5. The rate.
bool probe_slot_token(struct probe_slot *s, int64_t now_ns);
// 6. One of the granted hits; exact, whoever asks at once.
bool probe_slot_take(struct probe_slot *s);
// Gives one back (nothing came of it).
void probe_slot_untake(struct probe_slot *s);
// 7. What it cost. False: the budget was breached just now, and the probe is suspended or disabled.
bool probe_slot_charge(struct probe_slot *s, struct probe_cost *process, int64_t cost_ns, int64_t now_ns);
static inline void probe_slot_drop(struct probe_slot *s, enum probe_drop why)
{
    atomic_fetch_add_explicit(&s->dropped[why], 1, memory_order_relaxed);
}
// Counts an error of the condition; the first one's text is kept.
void probe_slot_error(struct probe_slot *s, str text);
