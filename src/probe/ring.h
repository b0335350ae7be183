// Memory shared by one target and the agent: a page of control, the probes' slots, and a ring of captures with
// many producers (threads of the target) and one consumer (the agent).
//
// The ring is a sequence of units of 256 bytes, numbered without end; unit u lives at place u mod units. A record is a
// run of units. One word, `head`, holds where the next record begins, and the length and owner of the last one: a
// reservation is one compare-and-swap of it. Each unit has a label word beside the data (never inside, so that no
// payload can be taken for one): number, length, owner, state. A record's label is written by whoever comes
// first: its producer, the next producer (before it reserves), or the consumer, all from `head`. So a record
// is known from the moment it is reserved, and a producer that dies at any instruction leaves at worst one record that is
// busy for ever, whose owner is known; the consumer passes over it when its owner is dead.
// A late label cannot do harm: labels name the number of their unit, and one of another round counts as none.
//
// The agent trusts nothing in here: lengths and distances are checked, a record is copied out before it is read, and
// nonsense makes the ring `damaged`, which ends its use.
//
// Liveness: the agent renews `heartbeat` at least once a second; in-process parts do nothing when it is older than
// PROBE_STALE_NS, or when `enabled` is 0.
#pragma once
#include "probe/budget.h"

enum {
    PROBE_RING_MAGIC = 0x31524c43, // CLR1
    PROBE_RING_VERSION = 1,
    PROBE_RING_UNIT = 256,
    PROBE_RING_UNITS_MAX = 1 << 16,     // 16 MiB
    PROBE_RING_RECORD_MAX = 4096 * 256, // 1 MiB, and never more than half of the ring
    PROBE_SLOTS_MAX = 1024,
    PROBE_POLICY_ROOM = 64 * 1024,
};
#define PROBE_STALE_NS (5 * 1000000000ll)

struct probe_control {
    uint32_t magic, version;
    uint32_t slots, units; // fixed when made; units: a power of two
    uint64_t size;         // of the whole
    // Written by the agent.
    _Atomic uint32_t enabled;
    _Atomic uint32_t policy_generation; // of the block in `policy`, 0: none yet
    _Atomic int64_t heartbeat;          // CLOCK_MONOTONIC of the agent, ns
    _Atomic int64_t clock_offset;       // of the target's CLOCK_MONOTONIC (time namespaces)
    _Atomic uint64_t tail;              // unit number up to which all is free again
    // Written by the target.
    _Atomic uint64_t head __attribute__((aligned(64)));
    _Atomic uint64_t lost;      // records that found no room
    _Atomic uint64_t lost_told; // of these, told in a capture's dropped_before
    _Atomic uint32_t wake;      // 1: the agent wants to be woken (by an eventfd or futex of the host)
    struct probe_cost cost __attribute__((aligned(64)));
    _Atomic uint32_t policy_lock; // even: `policy` is whole; odd: being changed
    uint32_t policy_len;
} __attribute__((aligned(64)));

// A mapping, seen from either side.
struct probe_ring {
    struct probe_control *control;
    struct probe_slot *slots;
    uint8_t *policy; // PROBE_POLICY_ROOM
    _Atomic uint64_t *labels;
    uint8_t *data;
    uint32_t n_slots, units; // copies that the other side cannot change
    // The consumer's own.
    uint64_t tail;
    uint64_t abandoned; // records whose producer died
    bool damaged;
};

// Bytes that a mapping needs. 0: not possible.
size_t probe_ring_size(uint32_t slots, uint32_t units);
// Lays out zeroed memory (page-aligned). False: size or numbers are wrong.
bool probe_ring_make(struct probe_ring *r, void *mem, size_t size, uint32_t slots, uint32_t units);
// The other side: checks what is there against the size of the mapping.
bool probe_ring_open(struct probe_ring *r, void *mem, size_t size);

// May the in-process part do anything? now_ns: CLOCK_MONOTONIC of this process.
static inline bool probe_ring_alive(const struct probe_ring *r, int64_t now_ns)
{
    struct probe_control *c = r->control;
    int64_t age;
    if (!atomic_load_explicit(&c->enabled, memory_order_acquire))
        return false;
    age = now_ns - atomic_load_explicit(&c->clock_offset, memory_order_relaxed) -
          atomic_load_explicit(&c->heartbeat, memory_order_acquire);
    return age < PROBE_STALE_NS && age > -PROBE_STALE_NS;
}

// Producer: copies a whole record in. owner: the number (22 bits) by which the consumer can ask whether it lives: the pid.
// False: no room (counted in `lost`); the caller counts the drop in its slot.
bool probe_ring_put(struct probe_ring *r, const void *p, size_t n, uint32_t owner);
// The same in two steps. reserve: false when there is no room.
struct probe_reservation {
    uint64_t unit;
    uint64_t label;
    size_t size; // bytes of room
};
bool probe_ring_reserve(struct probe_ring *r, size_t n, uint32_t owner, struct probe_reservation *ret);
void probe_ring_write(struct probe_ring *r, const struct probe_reservation *v, size_t at, const void *p, size_t n);
bool probe_ring_commit(struct probe_ring *r, const struct probe_reservation *v);
// Records lost since the last call; what a capture says of the ones before it.
uint64_t probe_ring_lost(struct probe_ring *r);

// Consumer (agent). Copies the oldest record to out, which has room for PROBE_RING_RECORD_MAX bytes.
// 1: *ret_n bytes (whole units, the record knows its own length); 0: nothing is there, or the oldest is still being
// written; negative: damaged. alive(ctx, owner) is asked about a record that is being written.
int probe_ring_get(struct probe_ring *r, uint8_t *out, size_t *ret_n, bool (*alive)(void *ctx, uint32_t owner),
                   void *ctx);
void probe_ring_beat(struct probe_ring *r, int64_t now_ns);
void probe_ring_enable(struct probe_ring *r, bool on);
// Hands a compiled policy over (redact.h); readers see the old one or the new one whole. False: too large.
bool probe_ring_set_policy(struct probe_ring *r, bytes block, uint32_t generation);
// In-process: copies the policy to out (PROBE_POLICY_ROOM bytes) when its generation is another than *generation, and
// updates that. False: nothing new, or just being changed: what the caller has still counts.
bool probe_ring_get_policy(struct probe_ring *r, uint8_t *out, size_t *ret_n, uint32_t *generation);
