// The producers' side of the ring, and its layout: see ring.h. Part of the hit path: no allocation, no locks.
#include "probe/ring_internal.h"

enum { PAGE = 4096 };

static size_t page_up(size_t n) { return (n + PAGE - 1) & ~(size_t)(PAGE - 1); }

struct layout {
    size_t slots, policy, labels, data, size;
};

static bool layout_of(uint32_t slots, uint32_t units, struct layout *l)
{
    if (!slots || slots > PROBE_SLOTS_MAX || units < 16 || units > PROBE_RING_UNITS_MAX || (units & (units - 1)))
        return false;
    l->slots = PAGE;
    l->policy = page_up(l->slots + slots * sizeof(struct probe_slot));
    l->labels = l->policy + PROBE_POLICY_ROOM;
    l->data = page_up(l->labels + units * sizeof(uint64_t));
    l->size = l->data + (size_t)units * PROBE_RING_UNIT;
    return true;
}

size_t probe_ring_size(uint32_t slots, uint32_t units)
{
    struct layout l;
    return layout_of(slots, units, &l) ? l.size : 0;
}

static void view(struct probe_ring *r, uint8_t *mem, const struct layout *l, uint32_t slots, uint32_t units)
{
    *r = (struct probe_ring){
        .control = (struct probe_control *)mem,
        .slots = (struct probe_slot *)(mem + l->slots),
        .policy = mem + l->policy,
        .labels = (_Atomic uint64_t *)(mem + l->labels),
        .data = mem + l->data,
        .n_slots = slots,
        .units = units,
    };
}

bool probe_ring_make(struct probe_ring *r, void *mem, size_t size, uint32_t slots, uint32_t units)
{
    struct layout l;
    struct probe_control *c = (struct probe_control *)mem;
    if (!layout_of(slots, units, &l) || size < l.size)
        return false;
    view(r, (uint8_t *)mem, &l, slots, units);
    c->version = PROBE_RING_VERSION;
    c->slots = slots;
    c->units = units;
    c->size = l.size;
    c->magic = PROBE_RING_MAGIC;
    return true;
}

bool probe_ring_open(struct probe_ring *r, void *mem, size_t size)
{
    const struct probe_control *c = (const struct probe_control *)mem;
    struct layout l;
    uint32_t slots, units;
    if (size < PAGE || c->magic != PROBE_RING_MAGIC || c->version != PROBE_RING_VERSION)
        return false;
    slots = *(const volatile uint32_t *)&c->slots;
    units = *(const volatile uint32_t *)&c->units;
    if (!layout_of(slots, units, &l) || size < l.size)
        return false;
    view(r, (uint8_t *)mem, &l, slots, units);
    r->tail = atomic_load_explicit(&c->tail, memory_order_acquire);
    return true;
}

bool probe_ring_reserve(struct probe_ring *r, size_t n, uint32_t owner, struct probe_reservation *ret)
{
    struct probe_control *c = r->control;
    uint64_t need = (n + PROBE_RING_UNIT - 1) / PROBE_RING_UNIT, h, tail, unit;
    if (n == 0 || n > PROBE_RING_RECORD_MAX || need > r->units / 2) {
        atomic_fetch_add_explicit(&c->lost, 1, memory_order_relaxed);
        return false;
    }
    h = atomic_load_explicit(&c->head, memory_order_acquire);
    do {
        unit = head_unit(h);
        tail = atomic_load_explicit(&c->tail, memory_order_acquire);
        if (units_between(tail, unit) + need > r->units) {
            // A tail that is older than head looks like a full ring as well: only if head stands is it full.
            uint64_t now = atomic_load_explicit(&c->head, memory_order_acquire);
            if (now == h) {
                atomic_fetch_add_explicit(&c->lost, 1, memory_order_relaxed);
                return false;
            }
            h = now;
            continue;
        }
        ring_label_last(r, h);
        if (atomic_compare_exchange_strong_explicit(&c->head, &h, head_word(unit + need, need, owner),
                                                    memory_order_acq_rel, memory_order_acquire))
            break;
    } while (true);
    ring_label_last(r, head_word(unit + need, need, owner));
    *ret = (struct probe_reservation){ unit, label_word(unit, need, owner, RING_BUSY), (size_t)need * PROBE_RING_UNIT };
    return true;
}

void probe_ring_write(struct probe_ring *r, const struct probe_reservation *v, size_t at, const void *p, size_t n)
{
    size_t size = (size_t)r->units * PROBE_RING_UNIT, from, first;
    if (at > v->size || n > v->size - at)
        return;
    from = ((v->unit & (r->units - 1)) * PROBE_RING_UNIT + at) & (size - 1);
    first = n < size - from ? n : size - from;
    memcpy(r->data + from, p, first);
    if (n > first)
        memcpy(r->data, (const uint8_t *)p + first, n - first);
}

bool probe_ring_commit(struct probe_ring *r, const struct probe_reservation *v)
{
    uint64_t label = v->label;
    return atomic_compare_exchange_strong_explicit(ring_label(r, v->unit), &label, label_as(label, RING_READY),
                                                   memory_order_release, memory_order_relaxed);
}

bool probe_ring_put(struct probe_ring *r, const void *p, size_t n, uint32_t owner)
{
    struct probe_reservation v;
    if (!probe_ring_reserve(r, n, owner, &v))
        return false;
    probe_ring_write(r, &v, 0, p, n);
    return probe_ring_commit(r, &v);
}

uint64_t probe_ring_lost(struct probe_ring *r)
{
    uint64_t lost = atomic_load_explicit(&r->control->lost, memory_order_relaxed);
    if (lost == atomic_load_explicit(&r->control->lost_told, memory_order_relaxed))
        return 0; // nearly always: without the cost of an exchange
    uint64_t told = atomic_exchange_explicit(&r->control->lost_told, lost, memory_order_relaxed);
    return lost > told ? lost - told : 0;
}

bool probe_ring_get_policy(struct probe_ring *r, uint8_t *out, size_t *ret_n, uint32_t *generation)
{
    struct probe_control *c = r->control;
    uint32_t now = atomic_load_explicit(&c->policy_generation, memory_order_acquire), lock, n;
    if (now == *generation)
        return false;
    lock = atomic_load_explicit(&c->policy_lock, memory_order_acquire);
    n = *(volatile uint32_t *)&c->policy_len;
    if (lock & 1 || n > PROBE_POLICY_ROOM)
        return false;
    memcpy(out, r->policy, n);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&c->policy_lock, memory_order_relaxed) != lock ||
        atomic_load_explicit(&c->policy_generation, memory_order_relaxed) != now)
        return false;
    *ret_n = n;
    *generation = now;
    return true;
}
