// Whom something happened to: known by hash, exactly up to PEOPLE_EXACT, and each with the first and last minute, so that
// the users of a range can be counted, too. Beyond that the number is a HyperLogLog's (2^15 registers: a standard error
// of 0.6 %), and those with the smallest hashes stay as a sample that says what share of them was there in a range.
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum { PEOPLE_EXACT = 1000, PEOPLE_LOG2M = 15, PEOPLE_REGISTERS = 1 << PEOPLE_LOG2M };

struct person {
    uint64_t hash;
    uint32_t first, last; // minutes
};
struct people {
    struct person *list; // by hash
    uint8_t *registers;  // NULL: the list is all
    uint32_t n, cap;
};

void people_free(struct people *p);
// ERR_NOMEM.
int people_add(struct people *p, uint64_t hash, uint32_t first, uint32_t last);
// Those of other too.
int people_merge(struct people *p, const struct people *other);
uint64_t people_count(const struct people *p);
// Those who were there in [from, to) minutes.
uint64_t people_count_in(const struct people *p, uint32_t from, uint32_t to);
static inline bool people_approx(const struct people *p) { return p->registers != NULL; }
size_t people_bytes(const struct people *p);
void people_encode(const struct people *p, struct buf *b);
int people_decode(struct people *p, bytes *at);
