// The audit trail: append-only and hash-chained. hash(n) = BLAKE2b-256 over hash(n-1) and the
// length-prefixed fields of entry n, so that changing, removing or inserting an entry breaks every
// later hash. Cutting the newest entries off is noticed against the head that the file keeps beside
// them, and against a hash that somebody wrote down (`clew audit verify --head HASH`).
#pragma once
#include "meta/meta.h"

struct meta_audit_entry {
    int64_t seq; // from 1, without gaps
    int64_t time_ns;
    char actor[META_NAME_MAX + 1];
    char action[32];  // "token.add", "session.start", ...
    char target[128]; // what it was done to
    char detail[256]; // in words or JSON; never a secret
    uint8_t hash[32];
};
// actor: who; action: noun.verb. Durable when it returns.
int meta_audit_add(struct meta *m, str actor, const char *action, str target, str detail, struct err *err);
// Newest first, those with seq < before_seq (0: from the newest), at most n. containing: only those whose "actor action
// target detail" holds it (empty: all).
int meta_audit_list(struct meta *m, int64_t before_seq, str containing, size_t n, struct meta_audit_entry **ret_entries,
                    size_t *ret_n, struct err *err);

struct meta_audit_report {
    int64_t entries;
    int64_t bad_seq; // first entry that does not fit, 0: none
    uint8_t head[32];
};
// Recomputes the whole chain. ERR_CORRUPT with the place when it does not hold; expect_head (32 bytes,
// may be NULL): must be the hash of some entry.
int meta_audit_verify(struct meta *m, const uint8_t *expect_head, struct meta_audit_report *ret_report,
                      struct err *err);
