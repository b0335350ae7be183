#include "base/unicode.h"

#include "base/unicode_tables.h"

// Lead byte -> length, and the range of the second byte, which is where overlong forms, surrogates
// and code points beyond U+10FFFF show (Unicode 3.9, table 3-7).
uint32_t utf8_decode(const char *s, const char *send, unsigned *ret_len, bool *ret_ok)
{
    const uint8_t *p = (const uint8_t *)s, *end = (const uint8_t *)send;
    uint8_t c = p[0];
    if (c < 0x80) {
        *ret_len = 1, *ret_ok = true;
        return c;
    }
    unsigned need = c >= 0xC2 && c <= 0xDF ? 1 : (c & 0xF0) == 0xE0 ? 2 : c >= 0xF0 && c <= 0xF4 ? 3 : 0;
    uint8_t lo = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    uint8_t hi = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    uint32_t cp = need == 1 ? c & 0x1Fu : need == 2 ? c & 0x0Fu : c & 0x07u;
    unsigned i = 1;
    for (; need && i <= need; i++) {
        if (p + i >= end || p[i] < lo || p[i] > hi)
            break;
        cp = cp << 6 | (p[i] & 0x3Fu);
        lo = 0x80, hi = 0xBF;
    }
    *ret_ok = need && i == need + 1;
    *ret_len = i;
    return *ret_ok ? cp : UNICODE_REPLACEMENT;
}

size_t utf8_valid_prefix(str s)
{
    const char *p = s.ptr, *end = p + s.len;
    while (p < end) {
        while (end - p >= 8 && !(le64_get(p) & 0x8080808080808080u))
            p += 8;
        if (p == end)
            break;
        if ((uint8_t)*p < 0x80) {
            p++;
            continue;
        }
        unsigned n;
        bool ok;
        utf8_decode(p, end, &n, &ok);
        if (!ok)
            break;
        p += n;
    }
    return (size_t)(p - s.ptr);
}

size_t utf8_count(str s)
{
    size_t count = 0;
    for (const char *p = s.ptr, *end = p + s.len; p < end; count++) {
        unsigned n;
        bool ok;
        utf8_decode(p, end, &n, &ok);
        p += n;
    }
    return count;
}

bool unicode_is_token_char(uint32_t cp) { return cp <= UNICODE_MAX && unicode_class(cp) & UNICODE_CLASS_TOKEN; }
bool unicode_is_single_token(uint32_t cp) { return cp <= UNICODE_MAX && unicode_class(cp) & UNICODE_CLASS_SINGLE; }
bool unicode_is_letter(uint32_t cp) { return cp <= UNICODE_MAX && unicode_class(cp) & UNICODE_CLASS_LETTER; }

uint32_t unicode_fold(uint32_t cp) { return cp <= UNICODE_MAX ? (uint32_t)((int32_t)cp + unicode_fold_delta(cp)) : cp; }

uint32_t unicode_upper(uint32_t cp)
{
    return cp <= UNICODE_MAX ? (uint32_t)((int32_t)cp + unicode_upper_delta(cp)) : cp;
}

uint32_t unicode_lower(uint32_t cp)
{
    return cp <= UNICODE_MAX ? (uint32_t)((int32_t)cp + unicode_lower_delta(cp)) : cp;
}
