#include "base/numfmt.h"

#include "base/hex.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int put_uint(char *out, uint64_t v)
{
    char text[20];
    size_t n = sizeof text;
    do
        text[--n] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    memcpy(out, text + n, sizeof text - n);
    return (int)(sizeof text - n);
}

int fmt_u64(char out[32], uint64_t v) { return put_uint(out, v); }

int fmt_i64(char out[32], int64_t v)
{
    if (v >= 0)
        return put_uint(out, (uint64_t)v);
    out[0] = '-';
    return 1 + put_uint(out + 1, 0 - (uint64_t)v);
}

int fmt_hex(char *out, const uint8_t *p, size_t n)
{
    hex_encode(out, p, n);
    return (int)(2 * n);
}

// The fewest significant digits that read back as v > 0: digits without point, and the power of ten
// of the first. Returns their number.
static int shortest(char digits[20], double v, int *ret_exponent)
{
    // 15 digits always survive text -> double -> text for normal numbers, so 15 without trailing zeros
    // is the shortest if it reads back; subnormals have fewer digits and start from 1.
    char text[40];
    int precision = v < 2.3e-308 ? 1 : 15;
    do
        snprintf(text, sizeof text, "%.*e", precision - 1, v);
    while (precision++ < 17 && strtod(text, NULL) != v);
    int n = 0;
    char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9') // the point may be a comma elsewhere
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *ret_exponent = (int)strtol(p + 1, NULL, 10);
    return n;
}

static int put(char *out, const char *s, size_t n)
{
    memcpy(out, s, n);
    return (int)n;
}

static int put_zeros(char *out, int n)
{
    memset(out, '0', (size_t)n);
    return n;
}

int fmt_double(char out[32], double v)
{
    if (isnan(v))
        return put(out, "NaN", 3);
    int n = 0;
    if (signbit(v))
        out[n++] = '-';
    v = fabs(v);
    if (isinf(v))
        return n + put(out + n, "Infinity", 8);
    if (v < 1e15 && v == trunc(v)) // most doubles seen are whole: skip the search
        return n + put_uint(out + n, (uint64_t)v);
    char digits[20];
    int exponent, count = shortest(digits, v, &exponent), whole = exponent + 1;
    if (exponent >= 21 || exponent < -6) {
        out[n++] = digits[0];
        if (count > 1) {
            out[n++] = '.';
            n += put(out + n, digits + 1, (size_t)count - 1);
        }
        out[n++] = 'e';
        out[n++] = exponent < 0 ? '-' : '+';
        return n + put_uint(out + n, (uint64_t)abs(exponent));
    }
    if (exponent < 0) {
        n += put(out + n, "0.", 2);
        n += put_zeros(out + n, -whole);
        return n + put(out + n, digits, (size_t)count);
    }
    if (count <= whole) {
        n += put(out + n, digits, (size_t)count);
        return n + put_zeros(out + n, whole - count);
    }
    n += put(out + n, digits, (size_t)whole);
    out[n++] = '.';
    return n + put(out + n, digits + whole, (size_t)(count - whole));
}

bool parse_double(str s, double *ret_v) { return json_number_double(s, ret_v); }

static bool only_digits(str s)
{
    for (size_t i = s.len && s.ptr[0] == '-'; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return true;
}

bool parse_i64(str s, int64_t *ret_v) { return only_digits(s) && json_number_int(s, ret_v); }
bool parse_u64(str s, uint64_t *ret_v) { return only_digits(s) && json_number_uint(s, ret_v); }
