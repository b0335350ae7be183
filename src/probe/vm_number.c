// Numbers, equality and order. Ints are exact in 64 bits; what leaves them becomes a float. `/` is always a float, `%` has the
// sign of its left side. An int against a float is compared as it is, without rounding.
#include "probe/vm_internal.h"

static bool is_number(const struct probe_val *v)
{
    return v->kind == PROBE_VAL_INT || v->kind == PROBE_VAL_FLOAT || v->kind == PROBE_VAL_BIG;
}

static double as_double(const struct probe_val *v) { return v->kind == PROBE_VAL_INT ? (double)v->i : v->f; }

static struct probe_val float_val(double f) { return (struct probe_val){ .kind = PROBE_VAL_FLOAT, .f = f }; }

static int exponent_of(uint64_t bits) { return (int)(bits >> 52 & 0x7ff); }

static double with_sign(uint64_t bits, uint64_t sign)
{
    double r;
    bits |= sign;
    memcpy(&r, &bits, 8);
    return r;
}

// fmod() by long division, since libm is not there: exact; some 190 divisions at the most, which cost steps.
static int remainder_of(struct vm *m, double a, double b, double *ret)
{
    enum { ROOM = 11 }; // bits above a significand
    const uint64_t one = 1ull << 52;
    uint64_t x, y;
    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    uint64_t sign = x & 1ull << 63;
    x &= ~(1ull << 63), y &= ~(1ull << 63);
    int ex = exponent_of(x), ey = exponent_of(y);
    *ret = ex == 0x7ff || y > 0x7ffull << 52 || y == 0 ? __builtin_nan("") : a;
    if (*ret != *ret || x < y)
        return 0;
    uint64_t mx = ex ? (x & (one - 1)) | one : x, my = ey ? (y & (one - 1)) | one : y;
    ex = ex ? ex : 1, ey = ey ? ey : 1;
    int r = vm_spend(m, (uint32_t)(ex - ey) / 32);
    if (r)
        return r;
    mx %= my;
    for (int shift; ex > ey && mx; ex -= shift) {
        shift = ex - ey < ROOM ? ex - ey : ROOM;
        mx = (mx << shift) % my;
    }
    for (; mx && mx < one && ey > 1; ey--)
        mx <<= 1;
    *ret = with_sign(mx >= one ? (mx - one) | (uint64_t)ey << 52 : mx, sign);
    return 0;
}

static int arith_int(enum probe_op op, int64_t a, int64_t b, struct probe_val *ret)
{
    int64_t r = 0;
    bool over;
    switch (op) {
    case PROBE_OP_ADD:
        over = __builtin_add_overflow(a, b, &r);
        break;
    case PROBE_OP_SUB:
        over = __builtin_sub_overflow(a, b, &r);
        break;
    case PROBE_OP_MUL:
        over = __builtin_mul_overflow(a, b, &r);
        break;
    case PROBE_OP_MOD:
        if (b == 0)
            return PROBE_FAULT_ZERO;
        *ret = vm_int(b == -1 ? 0 : a % b);
        return 0;
    default:
        over = true;
    }
    if (over)
        return -1;
    *ret = vm_int(r);
    return 0;
}

static int concatenate(struct vm *m, str a, str b, struct probe_val *ret)
{
    if (a.len > PROBE_VM_TEXT_MAX || b.len > PROBE_VM_TEXT_MAX - a.len)
        return PROBE_FAULT_SPACE;
    int r = vm_spend_bytes(m, a.len + b.len);
    if (r)
        return r;
    char *p = probe_scratch_take(m->run->scratch, a.len + b.len);
    if (!p)
        return PROBE_FAULT_SPACE;
    if (a.len)
        memcpy(p, a.ptr, a.len);
    if (b.len)
        memcpy(p + a.len, b.ptr, b.len);
    *ret = vm_str(str_of(p, a.len + b.len));
    return 0;
}

int vm_arith(struct vm *m, enum probe_op op, const struct probe_val *a, const struct probe_val *b,
             struct probe_val *ret)
{
    if (op == PROBE_OP_ADD && a->kind == PROBE_VAL_STR && b->kind == PROBE_VAL_STR)
        return concatenate(m, a->s, b->s, ret);
    if (!is_number(a) || !is_number(b))
        return PROBE_FAULT_TYPE;
    if (a->kind == PROBE_VAL_INT && b->kind == PROBE_VAL_INT && op != PROBE_OP_DIV) {
        int r = arith_int(op, a->i, b->i, ret);
        if (r >= 0)
            return r;
    }
    double x = as_double(a), y = as_double(b), r;
    int fault = 0;
    switch (op) {
    case PROBE_OP_ADD:
        r = x + y;
        break;
    case PROBE_OP_SUB:
        r = x - y;
        break;
    case PROBE_OP_MUL:
        r = x * y;
        break;
    default:
        if (y == 0)
            return PROBE_FAULT_ZERO;
        r = x / y;
        if (op == PROBE_OP_MOD)
            fault = remainder_of(m, x, y, &r);
    }
    *ret = float_val(r);
    return fault;
}

int vm_negate(const struct probe_val *a, struct probe_val *ret)
{
    if (!is_number(a))
        return PROBE_FAULT_TYPE;
    if (a->kind == PROBE_VAL_INT && a->i != INT64_MIN)
        *ret = vm_int(-a->i);
    else
        *ret = float_val(-as_double(a));
    return 0;
}

static int order_doubles(double a, double b) { return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2; }

static int order_int_double(int64_t i, double d)
{
    if (d != d)
        return 2;
    if (d >= 0x1p63)
        return -1;
    if (d < -0x1p63)
        return 1;
    int64_t whole = (int64_t)d;
    if (i != whole)
        return i < whole ? -1 : 1;
    return order_doubles((double)whole, d);
}

static int order_numbers(const struct probe_val *a, const struct probe_val *b, int *ret)
{
    if (a->kind == PROBE_VAL_INT && b->kind == PROBE_VAL_INT) {
        *ret = (a->i > b->i) - (a->i < b->i);
    } else if (a->kind == PROBE_VAL_INT) {
        *ret = order_int_double(a->i, b->f); // a BIG is beyond every int, as its double is, or at the border
        if (b->kind == PROBE_VAL_BIG && *ret == 0)
            *ret = b->f > 0 ? -1 : 1;
    } else if (b->kind == PROBE_VAL_INT) {
        int r = order_numbers(b, a, ret);
        *ret = *ret == 2 ? 2 : -*ret;
        return r;
    } else {
        *ret = order_doubles(a->f, b->f);
        // Of the digits behind the double nothing is known.
        if (*ret == 0 && (a->kind == PROBE_VAL_BIG || b->kind == PROBE_VAL_BIG))
            return PROBE_FAULT_UNSUPPORTED;
    }
    return 0;
}

int vm_equal(struct vm *m, const struct probe_val *a, const struct probe_val *b, bool *ret)
{
    int r, order;
    if (a->kind >= PROBE_VAL_ITEMS || b->kind >= PROBE_VAL_ITEMS)
        return PROBE_FAULT_TYPE;
    if (is_number(a) && is_number(b)) {
        if ((r = order_numbers(a, b, &order)) != 0)
            return r;
        *ret = order == 0;
        return 0;
    }
    if (vm_is_object(a) && vm_is_object(b)) {
        *ret = a->object == b->object;
        return 0;
    }
    *ret = a->kind == b->kind;
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case PROBE_VAL_BOOL:
        *ret = a->b == b->b;
        return 0;
    case PROBE_VAL_STR:
    case PROBE_VAL_BYTES:
        if ((r = vm_spend_bytes(m, a->s.len == b->s.len ? a->s.len : 0)) != 0)
            return r;
        *ret = str_eq(a->s, b->s);
        return 0;
    default:
        return 0; // null
    }
}

int vm_order(struct vm *m, const struct probe_val *a, const struct probe_val *b, int *ret)
{
    if (is_number(a) && is_number(b))
        return order_numbers(a, b, ret);
    if (a->kind != b->kind || (a->kind != PROBE_VAL_STR && a->kind != PROBE_VAL_BYTES))
        return PROBE_FAULT_TYPE;
    int r = vm_spend_bytes(m, a->s.len < b->s.len ? a->s.len : b->s.len);
    if (r)
        return r;
    int c = str_cmp(a->s, b->s);
    *ret = (c > 0) - (c < 0);
    return 0;
}
