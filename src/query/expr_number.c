#include "query/expr_number.h"

#include "query/compare.h"
#include "query/expr_eval.h"

#include <math.h>

static bool is_number(const struct qval *v) { return v->type == QVAL_INT || v->type == QVAL_DOUBLE; }

static double as_double(const struct qval *v) { return v->type == QVAL_INT ? (double)v->i : v->d; }

// A duration from a computed number of ns; beyond int64 there is none.
static struct qval duration_of(double ns)
{
    if (!(ns >= -0x1p63 && ns < 0x1p63))
        return qval_missing();
    return qval_of(QVAL_DURATION, (int64_t)llround(ns));
}

static struct qval arith_int(enum query_expr_op op, int64_t a, int64_t b)
{
    int64_t r;
    switch (op) {
    case QUERY_X_ADD:
        return __builtin_add_overflow(a, b, &r) ? qval_double((double)a + (double)b) : qval_int(r);
    case QUERY_X_SUB:
        return __builtin_sub_overflow(a, b, &r) ? qval_double((double)a - (double)b) : qval_int(r);
    case QUERY_X_MUL:
        return __builtin_mul_overflow(a, b, &r) ? qval_double((double)a * (double)b) : qval_int(r);
    case QUERY_X_DIV:
        return b == 0 ? qval_missing() : qval_double((double)a / (double)b);
    default:
        return b == 0 ? qval_missing() : qval_int(b == -1 ? 0 : a % b);
    }
}

static struct qval arith_double(enum query_expr_op op, double a, double b)
{
    switch (op) {
    case QUERY_X_ADD:
        return qval_double(a + b);
    case QUERY_X_SUB:
        return qval_double(a - b);
    case QUERY_X_MUL:
        return qval_double(a * b);
    case QUERY_X_DIV:
        return b == 0 ? qval_missing() : qval_double(a / b);
    default:
        return b == 0 ? qval_missing() : qval_double(fmod(a, b));
    }
}

// Sum or difference of ns counts; overflow: no value.
static struct qval arith_ns(enum query_expr_op op, enum qval_type type, int64_t a, int64_t b)
{
    int64_t r;
    bool over = op == QUERY_X_ADD ? __builtin_add_overflow(a, b, &r) : __builtin_sub_overflow(a, b, &r);
    return over ? qval_missing() : qval_of(type, r);
}

static struct qval scale(int64_t ns, const struct qval *by)
{
    int64_t r;
    if (by->type == QVAL_INT)
        return __builtin_mul_overflow(ns, by->i, &r) ? qval_missing() : qval_of(QVAL_DURATION, r);
    return duration_of((double)ns * by->d);
}

struct qval expr_arith(enum query_expr_op op, const struct qval *a, const struct qval *b)
{
    enum qval_type ta = a->type, tb = b->type;
    bool sum = op == QUERY_X_ADD || op == QUERY_X_SUB;
    if (ta == QVAL_INT && tb == QVAL_INT)
        return arith_int(op, a->i, b->i);
    if (is_number(a) && is_number(b))
        return arith_double(op, as_double(a), as_double(b));
    if (ta == QVAL_DURATION && tb == QVAL_DURATION) {
        if (sum)
            return arith_ns(op, QVAL_DURATION, a->i, b->i);
        if (op == QUERY_X_DIV)
            return b->i == 0 ? qval_missing() : qval_double((double)a->i / (double)b->i);
    }
    if (ta == QVAL_TIME && tb == QVAL_TIME && op == QUERY_X_SUB)
        return arith_ns(op, QVAL_DURATION, a->i, b->i);
    if (ta == QVAL_TIME && tb == QVAL_DURATION && sum)
        return arith_ns(op, QVAL_TIME, a->i, b->i);
    if (ta == QVAL_DURATION && tb == QVAL_TIME && op == QUERY_X_ADD)
        return arith_ns(op, QVAL_TIME, a->i, b->i);
    if (ta == QVAL_DURATION && is_number(b) && op == QUERY_X_MUL)
        return scale(a->i, b);
    if (is_number(a) && tb == QVAL_DURATION && op == QUERY_X_MUL)
        return scale(b->i, a);
    if (ta == QVAL_DURATION && is_number(b) && op == QUERY_X_DIV)
        return as_double(b) == 0 ? qval_missing() : duration_of((double)a->i / as_double(b));
    return qval_missing();
}

struct qval expr_negate(const struct qval *v)
{
    switch (v->type) {
    case QVAL_INT:
        return v->i == INT64_MIN ? qval_double(0x1p63) : qval_int(-v->i);
    case QVAL_DURATION:
        return v->i == INT64_MIN ? qval_missing() : qval_of(QVAL_DURATION, -v->i);
    case QVAL_DOUBLE:
        return qval_double(-v->d);
    default:
        return qval_missing();
    }
}

struct qval expr_abs(const struct qval *v)
{
    if (v->type == QVAL_DOUBLE)
        return qval_double(fabs(v->d));
    if (v->type != QVAL_INT && v->type != QVAL_DURATION)
        return qval_missing();
    return v->i < 0 ? expr_negate(v) : *v;
}

// To a multiple of width > 0; overflow: no value.
static struct qval round_int(enum qval_type type, int64_t v, int64_t width, int mode)
{
    int64_t rest = v % width;
    if (rest < 0)
        rest += width; // v = k * width + rest, 0 <= rest < width
    int64_t low, up;
    if (__builtin_sub_overflow(v, rest, &low))
        return qval_missing();
    bool raise = rest != 0 && (mode > 0 || (mode == 0 && (rest > width - rest || (rest == width - rest && v > 0))));
    if (!raise)
        return qval_of(type, low);
    return __builtin_add_overflow(low, width, &up) ? qval_missing() : qval_of(type, up);
}

static double round_double(double v, int mode) { return mode < 0 ? floor(v) : mode > 0 ? ceil(v) : round(v); }

struct qval expr_round(const struct qval *v, const struct qval *unit, int mode)
{
    bool ns = v->type == QVAL_TIME || v->type == QVAL_DURATION;
    if (ns && unit && unit->type == QVAL_DURATION && unit->i > 0)
        return round_int(v->type, v->i, unit->i, mode);
    if (ns && !unit)
        return *v;
    if (!is_number(v) || (unit && !is_number(unit)))
        return qval_missing();
    if (v->type == QVAL_INT && (!unit || unit->type == QVAL_INT))
        return !unit ? *v : unit->i > 0 ? round_int(QVAL_INT, v->i, unit->i, mode) : qval_missing();
    double w = unit ? as_double(unit) : 1;
    if (!(w > 0))
        return qval_missing();
    return qval_double(w == 1 ? round_double(as_double(v), mode) : round_double(as_double(v) / w, mode) * w);
}

// ---- comparison ----

static int sign(int c) { return (c > 0) - (c < 0); }

// -1, 0, 1; 2: no order between these (NaN, other types); 3: unequal for sure but without an order.
static int order_of(const struct qval *a, const struct qval *b)
{
    bool text_a = a->type == QVAL_STR || a->type == QVAL_ENUM, text_b = b->type == QVAL_STR || b->type == QVAL_ENUM;
    int lo, hi;
    if (is_number(a) && is_number(b)) {
        if ((a->type == QVAL_DOUBLE && isnan(a->d)) || (b->type == QVAL_DOUBLE && isnan(b->d)))
            return 2;
        return sign(qval_order(a, b));
    }
    if (text_a && text_b)
        return sign(str_cmp(a->s, b->s));
    if (a->type == QVAL_LEVEL && text_b && query_level_range(b->s, &lo, &hi))
        return a->i < lo ? -1 : a->i > hi;
    if (b->type == QVAL_LEVEL && text_a && query_level_range(a->s, &lo, &hi))
        return b->i < lo ? 1 : b->i > hi ? -1 : 0;
    if (a->type == QVAL_ID && text_b) {
        struct qval id = { .type = QVAL_ID };
        uint8_t raw[16], nibbles;
        if (!query_id_read(b->s, raw, &nibbles) || (nibbles != 16 && nibbles != 32))
            return 3;
        id.id_n = nibbles / 2;
        memcpy(id.id, raw, id.id_n);
        return qval_order(a, &id) == 0 ? 0 : 3;
    }
    if (b->type == QVAL_ID && text_a)
        return order_of(b, a);
    bool ns_a = a->type == QVAL_DURATION || a->type == QVAL_TIME,
         ns_b = b->type == QVAL_DURATION || b->type == QVAL_TIME;
    if ((ns_a && b->type == QVAL_INT && b->i == 0) || (ns_b && a->type == QVAL_INT && a->i == 0)) // 0 needs no unit
        return (a->i > b->i) - (a->i < b->i);
    if (a->type != b->type)
        return 3;
    return sign(qval_order(a, b));
}

bool expr_compare(enum query_expr_op op, const struct qval *a, const struct qval *b)
{
    if (a->type == QVAL_MISSING || b->type == QVAL_MISSING)
        return false;
    int c = order_of(a, b);
    switch (op) {
    case QUERY_X_EQ:
        return c == 0;
    case QUERY_X_NE:
        return c != 0;
    case QUERY_X_LT:
        return c < 0;
    case QUERY_X_LE:
        return c <= 0;
    case QUERY_X_GT:
        return c == 1;
    default:
        return c == 0 || c == 1;
    }
}
