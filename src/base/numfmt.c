// Doubles are rendered by R. Giulietti's Schubfach search: scale the value and the two bounds of its
// rounding interval by one 128-bit power of ten, then pick the shortest decimal inside the interval,
// the nearest one when several are equally short.
#include "base/numfmt.h"

#include "base/pow10_table.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

struct decimal {
    uint64_t digits;
    int exponent; // value = digits * 10^exponent
};

static int floor_log10_pow2(int e) { return (e * 1262611) >> 22; }
static int floor_log10_three_quarters_pow2(int e) { return (e * 1262611 - 524031) >> 22; }
static int floor_log2_pow10(int e) { return (e * 1741647) >> 19; }

// g * c / 2^128 with the lost bits or-ed into the lowest one, so that comparisons stay exact.
static uint64_t scale_round_to_odd(const uint64_t g[2], uint64_t c)
{
    unsigned __int128 low = (unsigned __int128)g[1] * c;
    unsigned __int128 high = (unsigned __int128)g[0] * c;
    high += (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static struct decimal shortest(uint64_t fraction, int biased)
{
    uint64_t c = biased ? fraction | 1ull << 52 : fraction;
    int q = (biased ? biased : 1) - 1075;
    if (q <= 0 && q > -53 && (c & ((1ull << -q) - 1)) == 0)
        return (struct decimal){ c >> -q, 0 }; // an integer below 2^53
    bool even = (c & 1) == 0;
    // Below a power of two the neighbours lie half as far apart.
    bool near_below = fraction == 0 && biased > 1;
    int k = near_below ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    const uint64_t *g = pow10_table[-k - POW10_MIN];
    uint64_t vl = scale_round_to_odd(g, (4 * c - 2 + near_below) << h);
    uint64_t v = scale_round_to_odd(g, (4 * c) << h);
    uint64_t vr = scale_round_to_odd(g, (4 * c + 2) << h);
    uint64_t lower = vl + !even, upper = vr - !even;
    uint64_t s = v / 4;
    if (s >= 10) {
        uint64_t t = s / 10;
        bool down = lower <= 40 * t, up = 40 * t + 40 <= upper;
        if (down != up)
            return (struct decimal){ t + up, k + 1 };
    }
    bool down = lower <= 4 * s, up = 4 * s + 4 <= upper;
    if (down != up)
        return (struct decimal){ s + up, k };
    uint64_t mid = 4 * s + 2;
    return (struct decimal){ s + (v > mid || (v == mid && (s & 1))), k };
}

int fmt_u64(char out[20], uint64_t v)
{
    char tmp[20];
    int n = 0;
    do {
        tmp[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (int i = 0; i < n; i++)
        out[i] = tmp[n - 1 - i];
    return n;
}

int fmt_i64(char out[32], int64_t v)
{
    if (v >= 0)
        return fmt_u64(out, (uint64_t)v);
    char tmp[32];
    int n = fmt_u64(tmp, 0 - (uint64_t)v);
    out[0] = '-';
    memcpy(out + 1, tmp, (size_t)n);
    return n + 1;
}

int fmt_hex(char *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    return (int)(2 * n);
}

static int put_word(char *out, const char *word)
{
    size_t n = strlen(word);
    memcpy(out, word, n);
    return (int)n;
}

static int put_zeros(char *out, int n)
{
    memset(out, '0', (size_t)n);
    return n;
}

// digits d1..dn times 10^(point - n) in JSON's form.
static int lay_out(char *out, const char *digits, int n, int point)
{
    char *o = out;
    if (point > 21 || point <= -6) { // d.ddde+xx
        *o++ = digits[0];
        if (n > 1) {
            *o++ = '.';
            memcpy(o, digits + 1, (size_t)n - 1);
            o += n - 1;
        }
        *o++ = 'e';
        int e = point - 1;
        *o++ = e < 0 ? '-' : '+';
        o += fmt_u64(o, (uint64_t)(e < 0 ? -e : e));
    } else if (point <= 0) { // 0.000ddd
        *o++ = '0', *o++ = '.';
        o += put_zeros(o, -point);
        memcpy(o, digits, (size_t)n);
        o += n;
    } else if (point >= n) { // ddd000
        memcpy(o, digits, (size_t)n);
        o += n;
        o += put_zeros(o, point - n);
    } else { // dd.ddd
        memcpy(o, digits, (size_t)point);
        o += point;
        *o++ = '.';
        memcpy(o, digits + point, (size_t)(n - point));
        o += n - point;
    }
    return (int)(o - out);
}

int fmt_double(char out[32], double v)
{
    uint64_t bits;
    memcpy(&bits, &v, 8);
    int biased = (int)(bits >> 52 & 0x7FF);
    uint64_t fraction = bits & ((1ull << 52) - 1);
    bool negative = bits >> 63;
    if (biased == 0x7FF)
        return put_word(out, fraction ? "NaN" : negative ? "-Infinity" : "Infinity");
    char *o = out;
    if (negative)
        *o++ = '-';
    if (!biased && !fraction) {
        *o++ = '0';
        return (int)(o - out);
    }
    struct decimal d = shortest(fraction, biased);
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    char digits[32];
    int n = fmt_u64(digits, d.digits);
    o += lay_out(o, digits, n, n + d.exponent);
    return (int)(o - out);
}

bool parse_u64(str s, uint64_t *ret_v)
{
    if (s.len == 0 || s.len > 20)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned d = (unsigned)(unsigned char)s.ptr[i] - '0';
        if (d > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v))
            return false;
    }
    *ret_v = v;
    return true;
}

bool parse_i64(str s, int64_t *ret_v)
{
    bool negative = s.len && s.ptr[0] == '-';
    uint64_t v;
    if (!parse_u64(str_slice(s, negative, s.len), &v) || v > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_v = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

// The grammar, and the significand's first 19 digits with the power of ten that they miss.
struct scanned {
    uint64_t digits;
    int64_t exponent;
    bool negative, exact; // exact: no non-zero digit was left out
};

static bool scan_double(str s, struct scanned *ret)
{
    struct scanned d = { .exact = true };
    size_t i = 0;
    if (i < s.len && s.ptr[i] == '-')
        d.negative = true, i++;
    int kept = 0;
    bool any = false, dot = false;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '.' && !dot && any) {
            dot = true;
            any = false; // digits must follow
            continue;
        }
        if (c < '0' || c > '9')
            break;
        any = true;
        if (kept < 19) {
            d.digits = d.digits * 10 + (unsigned)(c - '0');
            kept += d.digits != 0;
            d.exponent -= dot;
        } else {
            d.exact = d.exact && c == '0';
            d.exponent += !dot;
        }
    }
    if (!any)
        return false;
    if (i < s.len) {
        if (s.ptr[i] != 'e' && s.ptr[i] != 'E')
            return false;
        i++;
        bool minus = i < s.len && s.ptr[i] == '-';
        if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
            i++;
        if (i == s.len)
            return false;
        int64_t e = 0;
        for (; i < s.len; i++) {
            if (s.ptr[i] < '0' || s.ptr[i] > '9')
                return false;
            if (e < 1000000)
                e = e * 10 + (s.ptr[i] - '0');
        }
        d.exponent += minus ? -e : e;
    }
    *ret = d;
    return true;
}

static double parse_slow(str s)
{
    // strtod reads the process's locale; a library must not depend on whether somebody set it.
    static locale_t c_locale;
    locale_t loc = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (!loc) {
        locale_t fresh = newlocale(LC_ALL_MASK, "C", NULL), none = NULL;
        if (fresh && !__atomic_compare_exchange_n(&c_locale, &none, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            freelocale(fresh), fresh = none;
        loc = fresh;
    }
    // Digits past the 768th cannot decide the rounding of a double except by being non-zero.
    char tmp[1100];
    size_t n = 0;
    str mantissa = s, exponent = { NULL, 0 };
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == 'e' || s.ptr[i] == 'E') {
            mantissa.len = i;
            exponent = str_slice(s, i + 1, s.len);
            break;
        }
    int64_t shift = 0;
    bool dot = false, sticky = false;
    int kept = 0;
    for (size_t i = 0; i < mantissa.len; i++) {
        char c = mantissa.ptr[i];
        if (c == '.') {
            dot = true;
        } else if (c == '-') {
            tmp[n++] = c;
        } else if (c == '0' && !kept) {
            shift -= dot;
        } else if (kept < 800) {
            tmp[n++] = c;
            kept++;
            shift -= dot;
        } else {
            sticky = sticky || c != '0';
            shift += !dot;
        }
    }
    if (sticky)
        tmp[n++] = '1', shift--;
    int64_t e = 0;
    bool minus = exponent.len && exponent.ptr[0] == '-';
    for (size_t i = 0; i < exponent.len; i++)
        if (exponent.ptr[i] >= '0' && exponent.ptr[i] <= '9' && e < 100000000)
            e = e * 10 + (exponent.ptr[i] - '0');
    shift += minus ? -e : e;
    tmp[n++] = 'e';
    n += (size_t)fmt_i64(tmp + n, shift);
    tmp[n] = 0;
    return loc ? strtod_l(tmp, NULL, loc) : strtod(tmp, NULL);
}

bool parse_double(str s, double *ret_v)
{
    static const double exact_pow10[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    struct scanned d;
    if (!scan_double(s, &d))
        return false;
    double v;
    if (d.digits == 0 && d.exact) {
        v = 0;
    } else if (d.exact && d.digits <= 1ull << 53 && d.exponent >= -22 && d.exponent <= 22) {
        // Both operands are exact, so one rounding gives the right answer.
        v = (double)d.digits;
        v = d.exponent < 0 ? v / exact_pow10[-d.exponent] : v * exact_pow10[d.exponent];
    } else {
        *ret_v = parse_slow(s);
        return true;
    }
    *ret_v = d.negative ? -v : v;
    return true;
}
