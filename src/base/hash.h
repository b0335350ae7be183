// XXH3, the one hash for tables and content in memory and on disk (seed 0, format version 1).
#pragma once
#include "base/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash64(const void *p, size_t n) { return XXH3_64bits(p, n); }
static inline uint64_t hash64_str(str s) { return XXH3_64bits(s.ptr, s.len); }
// Finalizer for integers that are already keys (splitmix64's).
static inline uint64_t hash64_int(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
