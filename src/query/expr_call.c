// The functions of `let`. A missing or odd argument gives a missing result, never an error.
#include "base/hex.h"
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "base/unicode.h"
#include "query/compare.h"
#include "query/expr_eval.h"
#include "query/expr_number.h"

#include <math.h>

enum { TEXT_MAX = 16 << 20 }; // bytes of one made text

static bool is_text(const struct qval *v) { return v->type == QVAL_STR || v->type == QVAL_ENUM; }

static int keep(struct arena *a, struct buf *b, enum qval_type type, struct qval *ret)
{
    str s;
    int rc = b->error ? ERR_NOMEM : arena_dup(a, buf_view(b), &s);
    if (rc == 0)
        *ret = (struct qval){ .type = type, .s = s };
    return rc < 0 ? ERR_NOMEM : 0;
}

// ---- conversions ----

int expr_text(struct arena *a, const struct qval *v, struct qval *ret)
{
    char room[64];
    size_t n = 0;
    str s = { room, 0 };
    *ret = qval_missing();
    switch (v->type) {
    case QVAL_STR:
    case QVAL_ENUM:
        *ret = qval_str(v->s);
        return 0;
    case QVAL_BOOL:
        *ret = qval_str(query_canonical_bool(v->b));
        return 0;
    case QVAL_LEVEL:
        *ret = qval_str(query_level_word((int)v->i));
        return 0;
    case QVAL_INT:
        n = query_canonical_int(room, v->i);
        break;
    case QVAL_DOUBLE:
        n = query_canonical_double(room, v->d);
        break;
    case QVAL_TIME:
        n = (size_t)fmt_rfc3339(room, v->i);
        break;
    case QVAL_DURATION:
        n = (size_t)fmt_duration(room, v->i);
        break;
    case QVAL_ID:
        hex_encode(room, v->id, v->id_n);
        n = 2 * (size_t)v->id_n;
        break;
    default:
        return 0;
    }
    s.len = n;
    if (arena_dup(a, s, &s) < 0)
        return ERR_NOMEM;
    *ret = qval_str(s);
    return 0;
}

static struct qval to_int(const struct qval *v)
{
    int64_t i;
    double d;
    bool whole;
    switch (v->type) {
    case QVAL_INT:
        return *v;
    case QVAL_BOOL:
        return qval_int(v->b);
    case QVAL_TIME:
    case QVAL_DURATION:
    case QVAL_LEVEL:
        return qval_int(v->i);
    case QVAL_STR:
        if (!query_decimal_read(v->s, &i, &d, &whole))
            return qval_missing();
        if (whole)
            return qval_int(i);
        break;
    case QVAL_DOUBLE:
        d = v->d;
        break;
    default:
        return qval_missing();
    }
    d = trunc(d);
    return d >= -0x1p63 && d < 0x1p63 ? qval_int((int64_t)d) : qval_missing();
}

static struct qval to_float(const struct qval *v)
{
    int64_t i;
    double d;
    bool whole;
    switch (v->type) {
    case QVAL_DOUBLE:
        return *v;
    case QVAL_STR:
        return query_decimal_read(v->s, &i, &d, &whole) ? qval_double(whole ? (double)i : d) : qval_missing();
    case QVAL_BOOL:
        return qval_double(v->b);
    case QVAL_INT:
    case QVAL_TIME:
    case QVAL_DURATION:
        return qval_double((double)v->i);
    default:
        return qval_missing();
    }
}

static struct qval to_bool(const struct qval *v)
{
    switch (v->type) {
    case QVAL_BOOL:
        return *v;
    case QVAL_INT:
        return qval_bool(v->i != 0);
    case QVAL_DOUBLE:
        return qval_bool(v->d != 0);
    case QVAL_STR:
        if (str_eq(v->s, STR("true")) || str_eq(v->s, STR("false")))
            return qval_bool(v->s.len == 4);
        return qval_missing();
    default:
        return qval_missing();
    }
}

// ---- text ----

static struct qval length_of(const struct qval *v)
{
    struct value nested = { .type = v->type == QVAL_LIST ? VALUE_LIST : VALUE_MAP, .s = v->s };
    struct value_reader r;
    uint64_t n;
    if (is_text(v))
        return qval_int((int64_t)utf8_count(v->s));
    if (v->type == QVAL_BYTES)
        return qval_int((int64_t)v->s.len);
    if ((v->type == QVAL_LIST || v->type == QVAL_MAP) && value_open(&nested, &r, &n) == 0)
        return qval_int((int64_t)n);
    return qval_missing();
}

// Byte offset of code point n, at most the end.
static size_t offset_of(str s, int64_t n)
{
    size_t at = 0;
    while (at < s.len && n-- > 0) {
        unsigned len;
        bool ok;
        utf8_decode(s.ptr + at, s.ptr + s.len, &len, &ok);
        at += len;
    }
    return at;
}

// In code points, from 0; a negative start counts from the end.
static struct qval substring(const struct qval *v, const struct qval *from, const struct qval *n)
{
    if (!is_text(v) || from->type != QVAL_INT || (n && n->type != QVAL_INT))
        return qval_missing();
    int64_t start = from->i;
    if (start < 0) {
        start += (int64_t)utf8_count(v->s);
        if (start < 0)
            start = 0;
    }
    str rest = v->s;
    size_t skip = offset_of(rest, start);
    rest = str_slice(rest, skip, rest.len);
    if (n)
        rest = str_slice(rest, 0, offset_of(rest, n->i < 0 ? 0 : n->i));
    return qval_str(rest);
}

static int replace_in(struct arena *a, str s, str from, str to, struct qval *ret)
{
    struct buf b;
    if (from.len == 0) {
        *ret = qval_str(s);
        return 0;
    }
    buf_init(&b, TEXT_MAX);
    for (;;) {
        ptrdiff_t at = str_find(s, from);
        if (at < 0)
            break;
        buf_str(&b, str_slice(s, 0, (size_t)at));
        buf_str(&b, to);
        s = str_slice(s, (size_t)at + from.len, s.len);
    }
    buf_str(&b, s);
    int rc = keep(a, &b, QVAL_STR, ret);
    buf_free(&b);
    return rc;
}

static int split_text(struct arena *a, str s, str sep, struct qval *ret)
{
    struct buf head, items;
    uint64_t n = 0;
    buf_init(&head, TEXT_MAX);
    buf_init(&items, TEXT_MAX);
    for (bool more = true; more; n++) {
        ptrdiff_t at = sep.len ? str_find(s, sep) : -1;
        struct value part = value_str(at < 0 ? s : str_slice(s, 0, (size_t)at));
        value_encode(&items, &part);
        more = at >= 0;
        if (more)
            s = str_slice(s, (size_t)at + sep.len, s.len);
    }
    buf_byte(&head, VALUE_LIST);
    buf_varint(&head, n);
    buf_str(&head, buf_view(&items));
    int rc = items.error ? ERR_NOMEM : keep(a, &head, QVAL_LIST, ret);
    buf_free(&head);
    buf_free(&items);
    return rc;
}

static int join_list(struct arena *a, const struct qval *list, str sep, struct qval *ret)
{
    struct value v = { .type = VALUE_LIST, .s = list->s }, e;
    struct value_reader r;
    struct buf b;
    uint64_t n;
    int rc = 0;
    if (value_open(&v, &r, &n) < 0)
        return 0;
    buf_init(&b, TEXT_MAX);
    for (uint64_t i = 0; i < n && rc == 0 && value_read(&r, &e) == 0; i++) {
        struct qval q = qval_of_value(&e), text;
        if (i > 0)
            buf_str(&b, sep);
        rc = expr_text(a, &q, &text);
        if (rc == 0 && text.type == QVAL_STR)
            buf_str(&b, text.s);
    }
    if (rc == 0)
        rc = keep(a, &b, QVAL_STR, ret);
    buf_free(&b);
    return rc;
}

static bool list_has(const struct qval *list, const struct qval *what)
{
    struct value v = { .type = VALUE_LIST, .s = list->s }, e;
    struct value_reader r;
    uint64_t n;
    if (value_open(&v, &r, &n) < 0)
        return false;
    for (; n > 0 && value_read(&r, &e) == 0; n--) {
        struct qval q = qval_of_value(&e);
        if (expr_compare(QUERY_X_EQ, &q, what))
            return true;
    }
    return false;
}

static int match_group(struct expr_env *env, const struct query_expr *e, const struct qval *args, uint32_t n,
                       struct qval *ret)
{
    str groups[32] = { 0 }, kept;
    int64_t group = 0;
    if (!is_text(&args[0]) || !e->regex)
        return 0;
    if (n == 2) {
        *ret = qval_bool(query_regex_match(e->regex, args[0].s));
        return 0;
    }
    if (args[2].type == QVAL_INT) {
        group = args[2].i;
    } else if (is_text(&args[2])) {
        group = -1;
        for (int i = query_regex_group_count(e->regex); i > 0; i--) {
            if (str_eq(query_regex_group_name(e->regex, i), args[2].s))
                group = i;
        }
    }
    if (group < 0 || group > query_regex_group_count(e->regex) || group >= 32 ||
        !query_regex_find(e->regex, args[0].s, groups, (int)group + 1, &env->regex) || !groups[group].ptr)
        return 0;
    if (arena_dup(env->arena, groups[group], &kept) < 0) // the scratch of the next row overwrites it
        return ERR_NOMEM;
    *ret = qval_str(kept);
    return 0;
}

static int text_call(struct expr_env *env, enum query_fn fn, const struct qval *args, uint32_t n, struct qval *ret)
{
    str s = args[0].s;
    if (fn == QUERY_FN_JOIN && args[0].type == QVAL_LIST && is_text(&args[1]))
        return join_list(env->arena, &args[0], args[1].s, ret);
    if (fn == QUERY_FN_CONTAINS && args[0].type == QVAL_LIST) {
        if (args[1].type != QVAL_MISSING)
            *ret = qval_bool(list_has(&args[0], &args[1]));
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!is_text(&args[i]))
            return 0;
    }
    switch (fn) {
    case QUERY_FN_LOWER:
        ret->type = QVAL_STR;
        return query_text_lower(env->arena, s, &ret->s) < 0 ? ERR_NOMEM : 0;
    case QUERY_FN_UPPER:
        ret->type = QVAL_STR;
        return query_text_upper(env->arena, s, &ret->s) < 0 ? ERR_NOMEM : 0;
    case QUERY_FN_REPLACE:
        return replace_in(env->arena, s, args[1].s, args[2].s, ret);
    case QUERY_FN_CONTAINS:
        *ret = qval_bool(str_find(s, args[1].s) >= 0);
        return 0;
    case QUERY_FN_STARTS:
        *ret = qval_bool(str_starts(s, args[1].s));
        return 0;
    case QUERY_FN_ENDS:
        *ret = qval_bool(str_ends(s, args[1].s));
        return 0;
    case QUERY_FN_SPLIT:
        return split_text(env->arena, s, args[1].s, ret);
    default:
        return 0;
    }
}

// ---- numbers and times ----

static struct qval extreme(const struct qval *args, uint32_t n, bool max)
{
    struct qval best = args[0];
    for (uint32_t i = 0; i < n; i++) {
        if (args[i].type == QVAL_MISSING)
            return qval_missing();
        int c = qval_order(&args[i], &best);
        if (max ? c > 0 : c < 0)
            best = args[i];
    }
    return best;
}

static struct qval clock_part(struct expr_env *env, enum query_fn fn, const struct qval *v)
{
    if (v->type != QVAL_TIME)
        return qval_missing();
    struct query_civil c = query_civil_at(env->zone, v->i);
    return qval_int(fn == QUERY_FN_HOUR ? c.hour : fn == QUERY_FN_WEEKDAY ? c.weekday : c.day);
}

// What prints as one word is text to the functions of text.
static int words_as_text(struct arena *a, struct qval *args, uint32_t n)
{
    int rc = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        struct qval v = args[i];
        if (v.type == QVAL_LEVEL || v.type == QVAL_ID)
            rc = expr_text(a, &v, &args[i]);
    }
    return rc;
}

int expr_call(struct expr_env *env, const struct query_expr *e, struct qval *args, uint32_t n, struct qval *ret)
{
    double d;
    *ret = qval_missing();
    if (e->fn >= QUERY_FN_LEN && e->fn <= QUERY_FN_MATCH && words_as_text(env->arena, args, n) < 0)
        return ERR_NOMEM;
    switch (e->fn) {
    case QUERY_FN_LEN:
        *ret = length_of(&args[0]);
        return 0;
    case QUERY_FN_SUBSTR:
        *ret = substring(&args[0], &args[1], n > 2 ? &args[2] : NULL);
        return 0;
    case QUERY_FN_MATCH:
        return match_group(env, e, args, n, ret);
    case QUERY_FN_INT:
        *ret = to_int(&args[0]);
        return 0;
    case QUERY_FN_FLOAT:
        *ret = to_float(&args[0]);
        return 0;
    case QUERY_FN_STR:
        return expr_text(env->arena, &args[0], ret);
    case QUERY_FN_BOOL:
        *ret = to_bool(&args[0]);
        return 0;
    case QUERY_FN_ABS:
        *ret = expr_abs(&args[0]);
        return 0;
    case QUERY_FN_FLOOR:
        *ret = expr_round(&args[0], n > 1 ? &args[1] : NULL, -1);
        return 0;
    case QUERY_FN_CEIL:
        *ret = expr_round(&args[0], NULL, 1);
        return 0;
    case QUERY_FN_ROUND:
        *ret = expr_round(&args[0], NULL, 0);
        return 0;
    case QUERY_FN_MIN:
    case QUERY_FN_MAX:
        *ret = extreme(args, n, e->fn == QUERY_FN_MAX);
        return 0;
    case QUERY_FN_LOG:
        if (qval_number(&args[0], &d) && d > 0)
            *ret = qval_double(log(d));
        return 0;
    case QUERY_FN_EXP:
        if (qval_number(&args[0], &d))
            *ret = qval_double(exp(d));
        return 0;
    case QUERY_FN_COALESCE: // the caller has looked already
        return 0;
    case QUERY_FN_HAS:
        *ret = qval_bool(args[0].type != QVAL_MISSING);
        return 0;
    case QUERY_FN_TYPEOF:
        *ret = qval_str(qval_type_name(args[0].type));
        return 0;
    case QUERY_FN_MS:
    case QUERY_FN_S:
        if (args[0].type == QVAL_DURATION)
            *ret = qval_double((double)args[0].i / (e->fn == QUERY_FN_MS ? 1e6 : 1e9));
        return 0;
    case QUERY_FN_HOUR:
    case QUERY_FN_WEEKDAY:
    case QUERY_FN_DAY:
        *ret = clock_part(env, e->fn, &args[0]);
        return 0;
    case QUERY_FN_NOW:
        *ret = qval_of(QVAL_TIME, env->now);
        return 0;
    default:
        return text_call(env, e->fn, args, n, ret);
    }
}
