// Throttle of failed attempts: a fixed table in memory, so that an attacker can fill it but not grow
// it. After FREE failures each further one doubles the wait, from 1 s to 5 min; it is forgotten after
// 15 min of quiet. Callers use one key for the peer and one for the account.
#pragma once
#include "base/bytes.h"

enum { THROTTLE_SLOTS = 4096, THROTTLE_FREE = 5, THROTTLE_WAIT_MAX_S = 300, THROTTLE_FORGET_S = 900 };

struct throttle_slot {
    uint64_t key; // 0: empty
    int64_t until_ns, last_ns;
    uint32_t failures;
};
struct throttle {
    struct throttle_slot slots[THROTTLE_SLOTS];
    uint64_t seed; // so that nobody can choose names that share a slot
};

void throttle_init(struct throttle *t, uint64_t seed);
// Seconds to wait before the next attempt, 0: go on. now_ns: monotonic.
int throttle_wait_s(const struct throttle *t, str kind, str name, int64_t now_ns);
void throttle_fail(struct throttle *t, str kind, str name, int64_t now_ns);
void throttle_clear(struct throttle *t, str kind, str name);
