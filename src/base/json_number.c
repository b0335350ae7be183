// Numbers of JSON as exact integers and as doubles.
#include "base/json.h"

#include <stdlib.h>

static size_t digits(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

size_t json_number_len(const char *p, const char *end)
{
    const char *q = p;
    if (q < end && *q == '-')
        q++;
    size_t n = digits(q, end);
    if (n == 0 || (n > 1 && *q == '0'))
        return 0;
    q += n;
    if (q < end && *q == '.') {
        if ((n = digits(q + 1, end)) == 0)
            return 0;
        q += 1 + n;
    }
    if (q < end && (*q == 'e' || *q == 'E')) {
        q++;
        if (q < end && (*q == '+' || *q == '-'))
            q++;
        if ((n = digits(q, end)) == 0)
            return 0;
        q += n;
    }
    return (size_t)(q - p);
}

// The value of "e-12" at p, 0 at the end; cut far outside of what any number here can use.
static int64_t exponent_of(const char *p, const char *end)
{
    if (p == end)
        return 0;
    bool minus = *++p == '-';
    p += minus || *p == '+';
    int64_t e = 0;
    for (; p < end && e < 100000000; p++)
        e = e * 10 + (*p - '0');
    return minus ? -e : e;
}

// |number| if it is whole and fits 64 bits; also 5.0, 12e2 and 1500e-2, which are whole.
static bool whole(str s, bool *ret_negative, uint64_t *ret_u)
{
    const char *p = s.ptr, *end = p + s.len;
    if (s.len == 0 || json_number_len(p, end) != s.len)
        return false;
    bool negative = *p == '-', fraction = false;
    p += negative;
    uint64_t u = 0;
    int64_t scale = 0; // power of ten still to apply
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        uint64_t next;
        if (__builtin_mul_overflow(u, 10u, &next) || __builtin_add_overflow(next, (uint64_t)(*p - '0'), &next)) {
            // More digits than fit: whole only if the rest are zeros behind the point.
            if (!fraction || *p != '0')
                return false;
            continue;
        }
        u = next;
        scale -= fraction;
    }
    scale += exponent_of(p, end);
    if (u == 0)
        scale = 0;
    for (; scale < 0; scale++, u /= 10)
        if (u % 10)
            return false;
    for (; scale > 0; scale--)
        if (__builtin_mul_overflow(u, 10u, &u))
            return false;
    *ret_negative = negative;
    *ret_u = u;
    return true;
}

bool json_number_int(str number, int64_t *ret_i)
{
    bool negative;
    uint64_t u;
    if (!whole(number, &negative, &u) || u > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_i = negative ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

bool json_number_uint(str number, uint64_t *ret_u)
{
    bool negative;
    uint64_t u;
    if (!whole(number, &negative, &u) || (negative && u))
        return false;
    *ret_u = u;
    return true;
}

bool json_number_double(str number, double *ret_d)
{
    // strtod() needs a NUL. No double needs more than 767 significant digits to be told from its
    // neighbour, so digits behind that only keep the exponent right; they are cut to a sticky '1'.
    char text[1100];
    size_t n = 0, significant = 0;
    int64_t dropped = 0;
    const char *p = number.ptr, *end = p + number.len;
    bool fraction = false, sticky = false;
    if (number.len == 0 || json_number_len(p, end) != number.len)
        return false;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '-') {
            text[n++] = '-';
            continue;
        }
        if (*p == '.') {
            fraction = true;
            continue;
        }
        significant += significant || *p != '0';
        if (significant > 800) {
            sticky |= *p != '0';
            dropped += !fraction;
        } else {
            if (significant)
                text[n++] = *p;
            dropped -= fraction;
        }
    }
    int64_t exponent = exponent_of(p, end) + dropped;
    if (significant == 0)
        text[n++] = '0';
    if (sticky) {
        text[n++] = '1';
        exponent--;
    }
    if (exponent > 999999999)
        exponent = 999999999;
    if (exponent < -999999999)
        exponent = -999999999;
    text[n++] = 'e';
    if (exponent < 0) {
        text[n++] = '-';
        exponent = -exponent;
    }
    char text_of[12];
    size_t k = 0;
    do
        text_of[k++] = (char)('0' + exponent % 10);
    while ((exponent /= 10) > 0);
    while (k)
        text[n++] = text_of[--k];
    text[n] = 0;
    *ret_d = strtod(text, NULL);
    return true;
}
