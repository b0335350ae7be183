// Requests that were stored in the last minutes, by the hash of their body, so that a request which is sent again
// because its answer was lost is answered and not stored twice. A fixed table: an entry may be
// forgotten early under load, never invented.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { REPEAT_SETS = 16384, REPEAT_WAYS = 4 };
#define REPEAT_KEEP_NS (10ll * 60 * 1000000000)

struct repeat_entry {
    uint64_t tag;  // 0 = free
    int64_t until; // ns Unix
    bool pending;  // not yet durable
};

struct repeat {
    struct repeat_entry entry[REPEAT_SETS][REPEAT_WAYS];
};

enum repeat_state { REPEAT_NEW, REPEAT_PENDING, REPEAT_STORED };

// What is known of this request; a new one is noted as pending.
enum repeat_state repeat_begin(struct repeat *r, const uint64_t hash[2], int64_t now);
// The pending request is durable (stored) or was given up.
void repeat_end(struct repeat *r, const uint64_t hash[2], int64_t now, bool stored);
