// The agent's side of the ring: see ring.h. Trusts nothing that is in it.
#include "base/err.h"
#include "probe/ring_internal.h"

enum { TRIES = 4096 };

void probe_ring_beat(struct probe_ring *r, int64_t now_ns)
{
    atomic_store_explicit(&r->control->heartbeat, now_ns, memory_order_release);
}

void probe_ring_enable(struct probe_ring *r, bool on)
{
    atomic_store_explicit(&r->control->enabled, on, memory_order_release);
}

bool probe_ring_set_policy(struct probe_ring *r, bytes block, uint32_t generation)
{
    struct probe_control *c = r->control;
    if (block.len > PROBE_POLICY_ROOM)
        return false;
    atomic_fetch_add_explicit(&c->policy_lock, 1, memory_order_acq_rel);
    atomic_thread_fence(memory_order_release);
    memcpy(r->policy, block.ptr, block.len);
    c->policy_len = (uint32_t)block.len;
    atomic_store_explicit(&c->policy_generation, generation, memory_order_release);
    atomic_fetch_add_explicit(&c->policy_lock, 1, memory_order_release);
    return true;
}

static int damage(struct probe_ring *r)
{
    r->damaged = true;
    probe_ring_enable(r, false);
    return ERR_CORRUPT;
}

static void pass(struct probe_ring *r, uint64_t len)
{
    r->tail = (r->tail + len) & UNIT_MASK;
    atomic_store_explicit(&r->control->tail, r->tail, memory_order_release);
}

int probe_ring_get(struct probe_ring *r, uint8_t *out, size_t *ret_n, bool (*alive)(void *ctx, uint32_t owner),
                   void *ctx)
{
    // Bounded, because the other side may be anything, also one that moves `head` for ever.
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint64_t h = atomic_load_explicit(&r->control->head, memory_order_acquire), used, label, len;
        if (r->damaged)
            return ERR_CORRUPT;
        used = units_between(r->tail, head_unit(h));
        if (used == 0)
            return 0;
        if (used > r->units)
            return damage(r);
        ring_label_last(r, h);
        label = atomic_load_explicit(ring_label(r, r->tail), memory_order_acquire);
        if (!label_is_of(label, r->tail)) {
            if (atomic_load_explicit(&r->control->head, memory_order_acquire) != h)
                continue; // it has got one since
            return damage(r);
        }
        len = head_len(label);
        if (len == 0 || len > used || len > PROBE_RING_RECORD_MAX / PROBE_RING_UNIT)
            return damage(r);
        switch (label_state(label)) {
        case RING_BUSY:
            if (alive(ctx, (uint32_t)head_owner(label)))
                return 0;
            // It may have been finished just before its owner ended.
            if (!atomic_compare_exchange_strong_explicit(ring_label(r, r->tail), &label,
                                                         label_as(label, RING_ABANDONED), memory_order_acq_rel,
                                                         memory_order_acquire))
                continue;
            r->abandoned++;
            pass(r, len);
            continue;
        case RING_READY: {
            size_t size = (size_t)r->units * PROBE_RING_UNIT, n = (size_t)len * PROBE_RING_UNIT;
            size_t from = (r->tail & (r->units - 1)) * PROBE_RING_UNIT, first = n < size - from ? n : size - from;
            memcpy(out, r->data + from, first);
            memcpy(out + first, r->data, n - first);
            *ret_n = n;
            pass(r, len);
            return 1;
        }
        case RING_ABANDONED: // by an agent that ended right then
            pass(r, len);
            continue;
        default:
            return damage(r);
        }
    }
    return 0;
}
