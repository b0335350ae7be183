// Bit packing in groups of 64 values, least significant bits first: a group of width w takes 8 w bytes (less
// when it is not full), so that groups begin at bytes and one large value widens its own group only.
#pragma once
#include "base/bytes.h"

enum { BITS_GROUP = 64 };

static inline unsigned bits_width(uint64_t v) { return v ? 64 - (unsigned)__builtin_clzll(v) : 0; }
static inline size_t bits_bytes(uint32_t n, unsigned width) { return ((size_t)n * width + 7) / 8; }

// Writes n values of `width` bits at p (room for bits_bytes() + 8); returns the end.
static inline uint8_t *bits_pack(uint8_t *p, const uint64_t *v, uint32_t n, unsigned width)
{
    uint64_t acc = 0;
    unsigned have = 0;
    if (width == 0)
        return p;
    for (uint32_t i = 0; i < n; i++) {
        acc |= v[i] << have;
        have += width;
        if (have >= 64) {
            le64_put(p, acc);
            p += 8;
            have -= 64;
            acc = have ? v[i] >> (width - have) : 0;
        }
    }
    le64_put(p, acc);
    return p + (have + 7) / 8;
}

// One value at bit position `bit`; up to 8 bytes behind its last byte are read.
static inline uint64_t bits_at(const uint8_t *p, size_t bit, unsigned width)
{
    uint64_t v = le64_get(p + bit / 8) >> (bit % 8);
    unsigned have = 64 - bit % 8;
    if (width > have)
        v |= (uint64_t)p[bit / 8 + 8] << have;
    return width == 64 ? v : v & ((1ull << width) - 1);
}

static inline void bits_unpack(const uint8_t *p, uint64_t *v, uint32_t n, unsigned width, uint64_t base)
{
    if (width == 0) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = base;
    } else if (width <= 56) {
        uint64_t mask = (1ull << width) - 1;
        size_t bit = 0;
        for (uint32_t i = 0; i < n; i++, bit += width)
            v[i] = base + ((le64_get(p + bit / 8) >> (bit % 8)) & mask);
    } else {
        for (uint32_t i = 0; i < n; i++)
            v[i] = base + bits_at(p, (size_t)i * width, width);
    }
}
