// Reading LEB128 out of bytes from disk (log blocks, MANIFEST): errors are sticky, so that a reader checks `bad` where
// it is about to rely on what it read. Writing is buf_varint().
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct in {
    const uint8_t *p, *end;
    bool bad;
};

static inline uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static inline int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

static inline uint64_t in_varint(struct in *in)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && in->p < in->end; shift += 7) {
        uint8_t byte = *in->p++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    in->bad = true;
    return 0;
}

// A count of things that take at least one byte each: bounded by what is left.
static inline uint32_t in_count(struct in *in)
{
    uint64_t n = in_varint(in);
    if (n > (uint64_t)(in->end - in->p))
        in->bad = true;
    return in->bad ? 0 : (uint32_t)n;
}
