// How often each of a few names came, and when first and last: releases, environments, services. What comes when there
// are too many is counted together, under the empty name.
#pragma once
#include "base/buf.h"

struct share {
    char *name; // NULL: the rest
    uint32_t len;
    uint64_t events;
    int64_t first, last;
};
struct shares {
    struct share *rows;
    uint32_t n, cap;
};

void shares_free(struct shares *t);
static inline str share_name(const struct share *r) { return str_of(r->name, r->len); }
// most: different names, without the rest. ERR_NOMEM.
int shares_add(struct shares *t, uint32_t most, str name, uint64_t events, int64_t first, int64_t last);
int shares_merge(struct shares *t, uint32_t most, const struct shares *other);
// The named row that came first (last with `newest`); NULL: none.
const struct share *shares_end(const struct shares *t, bool newest);
bool shares_has(const struct shares *t, str name);
size_t shares_bytes(const struct shares *t);
void shares_encode(const struct shares *t, struct buf *b);
int shares_decode(struct shares *t, bytes *at);
// A text with its length before it; false: there is none, or it is longer than most.
bool issue_text(bytes *at, size_t most, str *ret);
