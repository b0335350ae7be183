#include "meta/throttle.h"

#include "base/clock.h"
#include "base/hash.h"

enum { THROTTLE_WAYS = 8 };

void throttle_init(struct throttle *t, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->seed = seed;
}

static uint64_t throttle_key(const struct throttle *t, str kind, str name)
{
    uint64_t key = XXH3_64bits_withSeed(name.ptr ? name.ptr : "", name.len, t->seed ^ hash64_str(kind));
    return key ? key : 1;
}

static struct throttle_slot *throttle_find(const struct throttle *t, uint64_t key)
{
    const struct throttle_slot *set = &t->slots[key % (THROTTLE_SLOTS / THROTTLE_WAYS) * THROTTLE_WAYS];
    for (int i = 0; i < THROTTLE_WAYS; i++)
        if (set[i].key == key)
            return (struct throttle_slot *)&set[i];
    return NULL;
}

// The slot for a new key: an empty or forgotten one, else the one with the fewest failures, so that a
// flood of one-off names cannot push out a name under attack.
static struct throttle_slot *throttle_take(struct throttle *t, uint64_t key, int64_t now_ns)
{
    struct throttle_slot *set = &t->slots[key % (THROTTLE_SLOTS / THROTTLE_WAYS) * THROTTLE_WAYS], *best = set;
    for (int i = 0; i < THROTTLE_WAYS; i++) {
        if (!set[i].key || now_ns - set[i].last_ns > THROTTLE_FORGET_S * NS_PER_S) {
            best = &set[i];
            break;
        }
        if (set[i].failures < best->failures)
            best = &set[i];
    }
    *best = (struct throttle_slot){ .key = key };
    return best;
}

int throttle_wait_s(const struct throttle *t, str kind, str name, int64_t now_ns)
{
    const struct throttle_slot *s = throttle_find(t, throttle_key(t, kind, name));
    if (!s || s->until_ns <= now_ns)
        return 0;
    return (int)((s->until_ns - now_ns + NS_PER_S - 1) / NS_PER_S);
}

void throttle_fail(struct throttle *t, str kind, str name, int64_t now_ns)
{
    uint64_t key = throttle_key(t, kind, name);
    struct throttle_slot *s = throttle_find(t, key);
    if (!s || now_ns - s->last_ns > THROTTLE_FORGET_S * NS_PER_S)
        s = throttle_take(t, key, now_ns);
    s->failures++;
    s->last_ns = now_ns;
    if (s->failures < THROTTLE_FREE)
        return;
    uint32_t doublings = s->failures - THROTTLE_FREE;
    int64_t wait = doublings > 8 ? THROTTLE_WAIT_MAX_S : 1LL << doublings;
    s->until_ns = now_ns + (wait > THROTTLE_WAIT_MAX_S ? THROTTLE_WAIT_MAX_S : wait) * NS_PER_S;
}

void throttle_clear(struct throttle *t, str kind, str name)
{
    struct throttle_slot *s = throttle_find(t, throttle_key(t, kind, name));
    if (s)
        *s = (struct throttle_slot){ 0 };
}
