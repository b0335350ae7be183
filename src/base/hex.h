// Hexadecimal, lower case out, either case in.
#pragma once
#include "base/bytes.h"

// out needs room for 2 * n characters; no NUL is written.
static inline void hex_encode(char *out, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = (const uint8_t *)p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
}

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Exactly s.len / 2 bytes to out. False for an odd length or a character that is no digit.
static inline bool hex_decode(void *out, str s)
{
    uint8_t *b = (uint8_t *)out;
    if (s.len & 1)
        return false;
    for (size_t i = 0; i < s.len / 2; i++) {
        int hi = hex_digit(s.ptr[2 * i]), lo = hex_digit(s.ptr[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        b[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}
