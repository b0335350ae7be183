// The two kinds of words of a ring (see ring.h), as both sides read them.
#pragma once
#include "probe/ring.h"

enum {
    UNIT_BITS = 27, // of a unit's number
    LEN_BITS = 13,
    OWNER_BITS = 22,
    STATE_BITS = 2,
};
#define UNIT_MASK ((1ull << UNIT_BITS) - 1)
#define LEN_MASK ((1ull << LEN_BITS) - 1)
#define OWNER_MASK ((1ull << OWNER_BITS) - 1)

enum ring_state { RING_NONE, RING_BUSY, RING_READY, RING_ABANDONED };

// head: next unit, and length and owner of the record before it.
static inline uint64_t head_word(uint64_t unit, uint64_t len, uint64_t owner)
{
    return (unit & UNIT_MASK) | len << UNIT_BITS | (owner & OWNER_MASK) << (UNIT_BITS + LEN_BITS);
}
static inline uint64_t head_unit(uint64_t h) { return h & UNIT_MASK; }
static inline uint64_t head_len(uint64_t h) { return h >> UNIT_BITS & LEN_MASK; }
static inline uint64_t head_owner(uint64_t h) { return h >> (UNIT_BITS + LEN_BITS) & OWNER_MASK; }

// label: the same of one record, and its state on top.
static inline uint64_t label_word(uint64_t unit, uint64_t len, uint64_t owner, enum ring_state state)
{
    return head_word(unit, len, owner) | (uint64_t)state << (UNIT_BITS + LEN_BITS + OWNER_BITS);
}
static inline enum ring_state label_state(uint64_t l) { return (enum ring_state)(l >> 62); }
static inline uint64_t label_as(uint64_t l, enum ring_state state)
{
    return (l & ~(3ull << 62)) | (uint64_t)state << 62;
}
static inline bool label_is_of(uint64_t l, uint64_t unit)
{
    return label_state(l) && head_unit(l) == (unit & UNIT_MASK);
}

static inline uint64_t units_between(uint64_t from, uint64_t to) { return (to - from) & UNIT_MASK; }

static inline _Atomic uint64_t *ring_label(const struct probe_ring *r, uint64_t unit)
{
    return &r->labels[unit & (r->units - 1)];
}

// Labels the last record that `h` tells of, if nobody has. Called by producers before they move `head`, and by the consumer.
static inline void ring_label_last(const struct probe_ring *r, uint64_t h)
{
    uint64_t len = head_len(h), unit = (head_unit(h) - len) & UNIT_MASK;
    _Atomic uint64_t *label = ring_label(r, unit);
    uint64_t old = atomic_load_explicit(label, memory_order_acquire);
    if (!len || label_is_of(old, unit))
        return;
    // While head is still h, what was read is of an older round; once it has moved, the label was set before.
    if (atomic_load_explicit(&r->control->head, memory_order_acquire) != h)
        return;
    atomic_compare_exchange_strong_explicit(label, &old, label_word(unit, len, head_owner(h), RING_BUSY),
                                            memory_order_acq_rel, memory_order_relaxed);
}
