#include "query/compare.h"

#include "base/numfmt.h"
#include "query/wildcard.h"

#include <math.h>

static bool holds(int order, enum query_cmp cmp)
{
    switch (cmp) {
    case QUERY_EQ:
        return order == 0;
    case QUERY_LT:
        return order < 0;
    case QUERY_LE:
        return order <= 0;
    case QUERY_GT:
        return order > 0;
    case QUERY_GE:
        return order >= 0;
    }
    return false;
}

static int order_ints(int64_t a, int64_t b) { return (a > b) - (a < b); }
static int order_doubles(double a, double b) { return isnan(a) || isnan(b) ? 2 : (a > b) - (a < b); }

int query_order_int_double(int64_t i, double d)
{
    if (isnan(d))
        return 2;
    if (d >= 9223372036854775808.0)
        return -1;
    if (d < -9223372036854775808.0)
        return 1;
    double floor_d = floor(d);
    int64_t whole = (int64_t)floor_d;
    if (i != whole)
        return i < whole ? -1 : 1;
    return d > floor_d ? -1 : 0;
}

// The literal's number against an int or a double; 2 when there is no order.
static int order_int(int64_t v, const struct query_literal *lit)
{
    return lit->readings & QR_INT ? order_ints(v, lit->i) : query_order_int_double(v, lit->d);
}

static int order_double(double v, const struct query_literal *lit)
{
    if (!(lit->readings & QR_INT))
        return order_doubles(v, lit->d);
    int o = query_order_int_double(lit->i, v);
    return o == 2 ? 2 : -o;
}

static bool comparable(bool *ret, bool yes)
{
    if (ret)
        *ret = yes;
    return yes;
}

static bool text_equal(str v, const struct query_literal *lit)
{
    return lit->wildcard ? query_wildcard_match(lit->wildcard, v) : str_eq(v, lit->text);
}

bool query_compare_string(str v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable)
{
    comparable(ret_comparable, true);
    if (cmp == QUERY_EQ)
        return text_equal(v, lit);
    if (!(lit->readings & QR_DOUBLE))
        return holds(str_cmp(v, lit->text), cmp);
    int64_t i;
    double d;
    bool is_int;
    if (!query_decimal_read(v, &i, &d, &is_int))
        return comparable(ret_comparable, false);
    int order = is_int ? order_int(i, lit) : order_double(d, lit);
    return order != 2 && holds(order, cmp);
}

bool query_compare_int(int64_t v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable)
{
    if (lit->readings & QR_DOUBLE) {
        comparable(ret_comparable, true);
        int order = order_int(v, lit);
        return order != 2 && holds(order, cmp);
    }
    comparable(ret_comparable, cmp == QUERY_EQ);
    char text[32];
    return cmp == QUERY_EQ && text_equal(str_of(text, query_canonical_int(text, v)), lit);
}

bool query_compare_double(double v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable)
{
    if (lit->readings & QR_DOUBLE) {
        comparable(ret_comparable, true);
        int order = order_double(v, lit);
        return order != 2 && holds(order, cmp);
    }
    comparable(ret_comparable, cmp == QUERY_EQ);
    char text[32];
    return cmp == QUERY_EQ && text_equal(str_of(text, query_canonical_double(text, v)), lit);
}

bool query_compare_bool(bool v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable)
{
    if (!comparable(ret_comparable, cmp == QUERY_EQ))
        return false;
    return lit->readings & QR_BOOL ? v == lit->truth : text_equal(query_canonical_bool(v), lit);
}

bool query_compare_time(int64_t ns, enum query_cmp cmp, const struct query_literal *lit)
{
    if (lit->readings & QR_TIME)
        return holds(order_ints(ns, lit->time), cmp);
    return lit->readings & QR_INT && lit->i == 0 && holds(order_ints(ns, 0), cmp);
}

bool query_compare_duration(int64_t ns, enum query_cmp cmp, const struct query_literal *lit)
{
    if (lit->readings & QR_DURATION)
        return holds(order_ints(ns, lit->duration), cmp);
    return lit->readings & QR_INT && lit->i == 0 && holds(order_ints(ns, 0), cmp);
}

bool query_compare_level(int severity, enum query_cmp cmp, const struct query_literal *lit)
{
    if (severity <= 0)
        return false;
    if (!(lit->readings & QR_LEVEL)) {
        int order = lit->readings & QR_DOUBLE ? order_int(severity, lit) : 2;
        return order != 2 && holds(order, cmp);
    }
    switch (cmp) {
    case QUERY_EQ:
        return severity >= lit->level_lo && severity <= lit->level_hi;
    case QUERY_LT:
        return severity < lit->level_lo;
    case QUERY_LE:
        return severity <= lit->level_hi;
    case QUERY_GT:
        return severity > lit->level_hi;
    case QUERY_GE:
        return severity >= lit->level_lo;
    }
    return false;
}

bool query_compare_id(const uint8_t *id, size_t len, const struct query_literal *lit)
{
    uint8_t wide[16] = { 0 };
    const uint8_t *want = lit->id;
    unsigned nibbles = lit->id_nibbles;
    if (!lit->id_prefix && len == 16 && nibbles == 16) { // an 8-byte trace id, padded with zeros in front
        memcpy(wide + 8, lit->id, 8);
        want = wide;
        nibbles = 32;
    }
    if (!lit->id_prefix && nibbles != 2 * len)
        return false;
    if (nibbles > 2 * len || memcmp(id, want, nibbles / 2) != 0)
        return false;
    return nibbles % 2 == 0 || (id[nibbles / 2] & 0xF0) == (want[nibbles / 2] & 0xF0);
}

size_t query_canonical_int(char out[32], int64_t v) { return (size_t)fmt_i64(out, v); }
size_t query_canonical_double(char out[32], double v) { return (size_t)fmt_double(out, v); }
