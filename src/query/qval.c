#include "query/qval_ops.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/timefmt.h"
#include "query/compare.h"

#include <math.h>

str qval_type_name(enum qval_type t)
{
    static const str names[QVAL_TYPES] = {
        [QVAL_MISSING] = STR_INIT("missing"), [QVAL_BOOL] = STR_INIT("bool"),   [QVAL_INT] = STR_INIT("int"),
        [QVAL_DOUBLE] = STR_INIT("double"),   [QVAL_TIME] = STR_INIT("time"),   [QVAL_DURATION] = STR_INIT("duration"),
        [QVAL_STR] = STR_INIT("string"),      [QVAL_ENUM] = STR_INIT("enum"),   [QVAL_LEVEL] = STR_INIT("level"),
        [QVAL_ID] = STR_INIT("id"),           [QVAL_BYTES] = STR_INIT("bytes"), [QVAL_LIST] = STR_INIT("list"),
        [QVAL_MAP] = STR_INIT("map"),
    };
    return t < QVAL_TYPES ? names[t] : STR("?");
}

static int rank_of(const struct qval *v)
{
    static const uint8_t rank[QVAL_TYPES] = {
        [QVAL_BOOL] = 0,  [QVAL_INT] = 1,  [QVAL_DOUBLE] = 1,   [QVAL_STR] = 2, [QVAL_ENUM] = 2,
        [QVAL_LEVEL] = 3, [QVAL_TIME] = 4, [QVAL_DURATION] = 5, [QVAL_ID] = 6,  [QVAL_BYTES] = 7,
        [QVAL_LIST] = 8,  [QVAL_MAP] = 9,  [QVAL_MISSING] = 10,
    };
    return rank[v->type];
}

static int order_i64(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int order_double(double a, double b)
{
    if (isnan(a) || isnan(b))
        return !!isnan(a) - !!isnan(b);
    return (a > b) - (a < b);
}

static int order_number(const struct qval *a, const struct qval *b)
{
    if (a->type == QVAL_INT && b->type == QVAL_INT)
        return order_i64(a->i, b->i);
    if (a->type == QVAL_DOUBLE && b->type == QVAL_DOUBLE)
        return order_double(a->d, b->d);
    int c = a->type == QVAL_INT ? query_order_int_double(a->i, b->d) : -query_order_int_double(b->i, a->d);
    if (c == 2 || c == -2) // NaN stands behind every number
        return a->type == QVAL_INT ? -1 : 1;
    return c;
}

// Four severity numbers are one level.
static int64_t level_of(const struct qval *v) { return (v->i + 3) / 4; }

static void id_padded(const struct qval *v, uint8_t out[16])
{
    memset(out, 0, 16);
    memcpy(out + 16 - v->id_n, v->id, v->id_n);
}

static int order_id(const struct qval *a, const struct qval *b)
{
    uint8_t x[16], y[16];
    id_padded(a, x);
    id_padded(b, y);
    return memcmp(x, y, 16);
}

int qval_order(const struct qval *a, const struct qval *b)
{
    int ra = rank_of(a), rb = rank_of(b);
    if (ra != rb)
        return ra < rb ? -1 : 1;
    switch (a->type) {
    case QVAL_MISSING:
        return 0;
    case QVAL_BOOL:
        return a->b - b->b;
    case QVAL_INT:
    case QVAL_DOUBLE:
        return order_number(a, b);
    case QVAL_TIME:
    case QVAL_DURATION:
        return order_i64(a->i, b->i);
    case QVAL_LEVEL:
        return order_i64(level_of(a), level_of(b));
    case QVAL_ID:
        return order_id(a, b);
    default:
        return str_cmp(a->s, b->s);
    }
}

uint64_t qval_hash(const struct qval *v)
{
    uint64_t salt = (uint64_t)rank_of(v) * 0x9e3779b97f4a7c15u;
    uint8_t id[16];
    switch (v->type) {
    case QVAL_MISSING:
        return salt;
    case QVAL_BOOL:
        return hash64_int(salt + v->b);
    case QVAL_DOUBLE: {
        // Whole doubles within int64 hash as the int that they equal; one hash for all NaNs.
        if (v->d >= -0x1p63 && v->d < 0x1p63 && v->d == floor(v->d))
            return hash64_int(salt + (uint64_t)(int64_t)v->d);
        double d = isnan(v->d) ? (double)NAN : v->d;
        uint64_t bits;
        memcpy(&bits, &d, 8);
        return hash64_int(salt ^ (bits * 3));
    }
    case QVAL_INT:
    case QVAL_TIME:
    case QVAL_DURATION:
        return hash64_int(salt + (uint64_t)v->i);
    case QVAL_LEVEL:
        return hash64_int(salt + (uint64_t)level_of(v));
    case QVAL_ID:
        id_padded(v, id);
        return hash64(id, 16) ^ salt;
    default:
        return hash64_str(v->s) ^ salt;
    }
}

struct qval qval_of_value(const struct value *v)
{
    switch (v->type) {
    case VALUE_STR:
        return qval_str(v->s);
    case VALUE_INT:
        return qval_int(v->i);
    case VALUE_DOUBLE:
        return qval_double(v->d);
    case VALUE_BOOL:
        return qval_bool(v->b);
    case VALUE_BYTES:
        return (struct qval){ .type = QVAL_BYTES, .s = v->s };
    case VALUE_LIST:
        return (struct qval){ .type = QVAL_LIST, .s = v->s };
    case VALUE_MAP:
        return (struct qval){ .type = QVAL_MAP, .s = v->s };
    default:
        return qval_missing();
    }
}

struct value qval_to_value(const struct qval *v, char text[33])
{
    static const str level_names[] = { STR_INIT(""),     STR_INIT("trace"), STR_INIT("debug"), STR_INIT("info"),
                                       STR_INIT("warn"), STR_INIT("error"), STR_INIT("fatal") };
    switch (v->type) {
    case QVAL_BOOL:
        return value_bool(v->b);
    case QVAL_INT:
    case QVAL_DURATION:
        return value_int(v->i);
    case QVAL_TIME:
        return value_str(str_of(text, (size_t)fmt_rfc3339(text, v->i)));
    case QVAL_LEVEL:
        return value_str(level_names[v->i < 1 || v->i > 24 ? 0 : (v->i + 3) / 4]);
    case QVAL_DOUBLE:
        return value_double(v->d);
    case QVAL_STR:
    case QVAL_ENUM:
        return value_str(v->s);
    case QVAL_ID:
        hex_encode(text, v->id, v->id_n);
        return value_str(str_of(text, 2 * (size_t)v->id_n));
    case QVAL_BYTES:
        return (struct value){ .type = VALUE_BYTES, .s = v->s };
    case QVAL_LIST:
        return (struct value){ .type = VALUE_LIST, .s = v->s };
    case QVAL_MAP:
        return (struct value){ .type = VALUE_MAP, .s = v->s };
    default:
        return (struct value){ .type = VALUE_NULL };
    }
}

int qval_dup(struct arena *a, struct qval *v)
{
    if (!qval_points(v))
        return 0;
    char *p = arena_alloc_bytes(a, v->s.len ? v->s.len : 1);
    if (!p)
        return ERR_NOMEM;
    if (v->s.len)
        memcpy(p, v->s.ptr, v->s.len);
    v->s.ptr = p;
    return 0;
}

bool qval_number(const struct qval *v, double *ret_d)
{
    if (v->type == QVAL_INT)
        *ret_d = (double)v->i;
    else if (v->type == QVAL_DOUBLE)
        *ret_d = v->d;
    else
        return false;
    return true;
}
