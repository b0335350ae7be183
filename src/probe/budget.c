// Budgets and counters in shared memory: see budget.h. Part of the hit path: no allocation, no locks.
#include "probe/budget.h"

#define RELAXED memory_order_relaxed
enum { NS_S = 1000000000 };

void probe_slot_activate(struct probe_slot *s, const struct probe_slot_setup *setup)
{
    atomic_store_explicit(&s->activity, PROBE_FREE, memory_order_release);
    s->revision = setup->revision;
    s->interval = setup->rate > 0 ? (int64_t)(NS_S / setup->rate) : 0;
    s->burst = s->interval * (setup->burst ? (int64_t)setup->burst - 1 : 0);
    s->sample = probe_sample_threshold(setup->sample);
    s->hit_op = (uint8_t)setup->hit_op;
    s->hit_n = setup->hit_n;
    atomic_store_explicit(&s->breaches, 0, RELAXED);
    atomic_store_explicit(&s->resume, 0, RELAXED);
    atomic_store_explicit(&s->cost.due, 0, RELAXED);
    atomic_store_explicit(&s->bucket, 0, RELAXED);
    atomic_store_explicit(&s->granted, setup->granted, RELAXED);
    atomic_store_explicit(&s->hits, 0, RELAXED);
    atomic_store_explicit(&s->filtered, 0, RELAXED);
    atomic_store_explicit(&s->captured, 0, RELAXED);
    atomic_store_explicit(&s->errors, 0, RELAXED);
    atomic_store_explicit(&s->ns, 0, RELAXED);
    for (unsigned i = 0; i < PROBE_DROP_COUNT; i++)
        atomic_store_explicit(&s->dropped[i], 0, RELAXED);
    atomic_store_explicit(&s->error_len, 0, RELAXED);
    atomic_store_explicit(&s->error_state, 0, RELAXED);
    atomic_store_explicit(&s->activity, PROBE_ACTIVE, memory_order_release);
}

void probe_slot_free(struct probe_slot *s) { atomic_store_explicit(&s->activity, PROBE_FREE, memory_order_release); }

void probe_slot_grant(struct probe_slot *s, int64_t more) { atomic_fetch_add_explicit(&s->granted, more, RELAXED); }

bool probe_slot_resumes(struct probe_slot *s, int64_t now_ns)
{
    uint32_t suspended = PROBE_SUSPENDED;
    if (atomic_load_explicit(&s->activity, memory_order_acquire) != PROBE_SUSPENDED ||
        now_ns < atomic_load_explicit(&s->resume, RELAXED))
        return false;
    atomic_store_explicit(&s->cost.due, 0, RELAXED);
    return atomic_compare_exchange_strong_explicit(&s->activity, &suspended, PROBE_ACTIVE, memory_order_acq_rel,
                                                   RELAXED);
}

bool probe_hit_passes(enum probe_hit_op op, uint32_t n, uint64_t number)
{
    switch (op) {
    case PROBE_HIT_ALL:
        return true;
    case PROBE_HIT_EQUAL:
        return number == n;
    case PROBE_HIT_FROM:
        return number >= n;
    case PROBE_HIT_EVERY:
        return n && number % n == 0;
    }
    return false;
}

static uint32_t fmix32(uint32_t h) // MurmurHash3's finalizer
{
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

bool probe_sample_passes(uint64_t threshold, const uint8_t *trace, uint64_t number)
{
    uint32_t h;
    if (threshold >> 32)
        return true;
    if (trace) {
        uint64_t low = be64_get(trace + 8);
        h = fmix32((uint32_t)(low >> 32) ^ (uint32_t)low);
    } else
        h = fmix32((uint32_t)(number >> 32) ^ fmix32((uint32_t)number));
    return h < threshold;
}

// Generic cell rate algorithm: `at` is when the bucket would be full again, and may lie at most `burst` ahead.
static bool bucket_take(_Atomic int64_t *word, int64_t interval, int64_t burst, int64_t now_ns)
{
    int64_t at = atomic_load_explicit(word, RELAXED), next;
    do {
        next = at > now_ns ? at : now_ns;
        if (next - now_ns > burst)
            return false;
        next += interval;
    } while (!atomic_compare_exchange_weak_explicit(word, &at, next, RELAXED, RELAXED));
    return true;
}

bool probe_slot_token(struct probe_slot *s, int64_t now_ns)
{
    return s->interval <= 0 || bucket_take(&s->bucket, s->interval, s->burst, now_ns);
}

bool probe_slot_take(struct probe_slot *s)
{
    int64_t left = atomic_load_explicit(&s->granted, RELAXED);
    do {
        if (left <= 0)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&s->granted, &left, left - 1, RELAXED, RELAXED));
    return true;
}

void probe_slot_untake(struct probe_slot *s) { atomic_fetch_add_explicit(&s->granted, 1, RELAXED); }

// True: more was spent than may be.
static bool cost_breached(struct probe_cost *c, int64_t cost_ns, int64_t now_ns)
{
    int64_t due = atomic_load_explicit(&c->due, RELAXED), next;
    do {
        // A clock that went back (another process's) must not look like a debt of hours.
        next = due > now_ns && due - now_ns < 1000ll * NS_S ? due : now_ns;
        next += cost_ns * PROBE_COST_SHARE;
    } while (!atomic_compare_exchange_weak_explicit(&c->due, &due, next, RELAXED, RELAXED));
    return next - now_ns > (int64_t)PROBE_COST_BURST_NS * PROBE_COST_SHARE;
}

bool probe_slot_charge(struct probe_slot *s, struct probe_cost *process, int64_t cost_ns, int64_t now_ns)
{
    uint32_t active = PROBE_ACTIVE, n;
    bool over;
    if (cost_ns < 0)
        return true;
    if (cost_ns > NS_S)
        cost_ns = NS_S;
    atomic_fetch_add_explicit(&s->ns, (uint64_t)cost_ns, RELAXED);
    over = cost_breached(&s->cost, cost_ns, now_ns);
    over = (process && cost_breached(process, cost_ns, now_ns)) || over;
    if (!over)
        return true;
    // Whoever changes the state has seen the breach; the others only stop.
    n = atomic_load_explicit(&s->breaches, RELAXED) + 1;
    atomic_store_explicit(&s->resume, now_ns + (n < 2 ? PROBE_SUSPEND_NS_1 : PROBE_SUSPEND_NS_2), RELAXED);
    if (atomic_compare_exchange_strong_explicit(&s->activity, &active,
                                                n >= PROBE_SUSPEND_MAX ? PROBE_DISABLED : PROBE_SUSPENDED,
                                                memory_order_acq_rel, RELAXED)) {
        atomic_fetch_add_explicit(&s->breaches, 1, RELAXED);
        if (process)
            atomic_store_explicit(&process->due, 0, RELAXED); // the probe pays, not the next one
    }
    return false;
}

void probe_slot_error(struct probe_slot *s, str text)
{
    uint32_t none = 0;
    size_t n = text.len < PROBE_ERROR_TEXT ? text.len : PROBE_ERROR_TEXT;
    atomic_fetch_add_explicit(&s->errors, 1, RELAXED);
    if (atomic_load_explicit(&s->error_state, RELAXED) ||
        !atomic_compare_exchange_strong_explicit(&s->error_state, &none, 1, RELAXED, RELAXED))
        return;
    while (n < text.len && n > 0 && ((uint8_t)text.ptr[n] & 0xc0) == 0x80)
        n--;
    if (n)
        memcpy(s->error, text.ptr, n);
    atomic_store_explicit(&s->error_len, (uint32_t)n, RELAXED);
    atomic_store_explicit(&s->error_state, 2, memory_order_release);
}
