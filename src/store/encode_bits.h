// Bit packing in groups of 64 values, least significant bits first: a group of width w takes 8 w bytes (less
// when it is not full), so that groups begin at bytes and one large value widens its own group only.
#pragma once
#include "base/bytes.h"

enum { BITS_GROUP = 64 };

static inline unsigned bits_width(uint64_t v) { return v ? 64 - (unsigned)__builtin_clzll(v) : 0; }
static inline size_t bits_bytes(uint32_t n, unsigned width) { return ((size_t)n * width + 7) / 8; }

struct bits_sink {
    uint8_t *p;
    uint64_t acc;
    unsigned have; // bits in acc, < 64
};

static inline void bits_put(struct bits_sink *s, uint64_t v, unsigned width)
{
    s->acc |= v << s->have;
    s->have += width;
    if (s->have >= 64) {
        le64_put(s->p, s->acc);
        s->p += 8;
        s->have -= 64;
        s->acc = s->have ? v >> (width - s->have) : 0;
    }
}

// Writes n values of `width` bits at p (room for bits_bytes() + 8); returns the end.
static inline uint8_t *bits_pack(uint8_t *p, const uint64_t *v, uint32_t n, unsigned width)
{
    struct bits_sink s = { p, 0, 0 };
    uint32_t i = 0;
    if (width == 0)
        return p;
    if (width <= 16) {
        for (; i + 4 <= n; i += 4)
            bits_put(&s, v[i] | v[i + 1] << width | (v[i + 2] | v[i + 3] << width) << (2 * width), 4 * width);
    } else if (width <= 32) {
        for (; i + 2 <= n; i += 2)
            bits_put(&s, v[i] | v[i + 1] << width, 2 * width);
    }
    for (; i < n; i++)
        bits_put(&s, v[i], width);
    le64_put(s.p, s.acc);
    return s.p + (s.have + 7) / 8;
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
