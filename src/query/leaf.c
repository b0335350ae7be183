#include "query/leaf.h"

#include "query/compare.h"
#include "query/issue_rows.h"
#include "query/row_id.h"
#include "query/set.h"
#include "store/encode.h"

#include <math.h>

enum { MEMO_UNKNOWN, MEMO_NO, MEMO_YES, MEMO_UNCOMPARABLE };

// ---- one value ----

struct text_test {
    const struct query_filter *leaf;
};

static bool text_match(void *ctx, str s)
{
    const struct query_filter *leaf = ((struct text_test *)ctx)->leaf;
    if (leaf->kind == QUERY_FILTER_PHRASE)
        return query_phrase_match(&leaf->phrase, s);
    return query_bytes_match(leaf->bytes, s);
}

static bool compare_scalar(const struct query_filter *leaf, const struct query_literal *lit, const struct qval *v,
                           bool *comparable)
{
    switch ((enum qval_type)v->type) {
    case QVAL_STR:
        return query_compare_string(v->s, leaf->cmp, lit, comparable);
    case QVAL_INT:
        return query_compare_int(v->i, leaf->cmp, lit, comparable);
    case QVAL_DOUBLE:
        return query_compare_double(v->d, leaf->cmp, lit, comparable);
    case QVAL_BOOL:
        return query_compare_bool(v->b, leaf->cmp, lit, comparable);
    case QVAL_TIME:
        return query_compare_time(v->i, leaf->cmp, lit);
    case QVAL_DURATION:
        return query_compare_duration(v->i, leaf->cmp, lit);
    case QVAL_LEVEL:
        return query_compare_level((int)v->i, leaf->cmp, lit);
    case QVAL_ID:
        return leaf->cmp == QUERY_EQ && query_compare_id(v->id, v->id_n, lit);
    case QVAL_ENUM:
        return leaf->cmp == QUERY_EQ && str_eq(v->s, lit->text);
    default:
        *comparable = leaf->cmp == QUERY_EQ;
        return false;
    }
}

static bool match_elements(const struct query_filter *leaf, const struct qval *list, bool *uncomparable)
{
    struct value v = { .type = VALUE_LIST, .s = list->s }, e;
    struct value_reader r;
    uint64_t left;
    bool odd = false;
    if (value_open(&v, &r, &left) < 0)
        return false;
    for (; left > 0; left--) {
        if (value_read(&r, &e) < 0)
            return false;
        struct qval q = qval_of_value(&e);
        if (q.type != QVAL_MISSING && leaf_match(leaf, &q, &odd))
            return true;
    }
    *uncomparable |= odd;
    return false;
}

bool leaf_match(const struct query_filter *leaf, const struct qval *v, bool *uncomparable)
{
    struct text_test test = { leaf };
    if (v->type == QVAL_MISSING)
        return false;
    switch (leaf->kind) {
    case QUERY_FILTER_PRESENT:
        return true;
    case QUERY_FILTER_PHRASE:
    case QUERY_FILTER_BYTES:
        return qval_strings(v, text_match, &test);
    case QUERY_FILTER_REGEX:
        if (v->type == QVAL_LIST)
            return match_elements(leaf, v, uncomparable);
        return (v->type == QVAL_STR || v->type == QVAL_ENUM) && query_regex_match(leaf->regex, v->s);
    case QUERY_FILTER_IN:
        return v->type == QVAL_LIST ? match_elements(leaf, v, uncomparable) : set_has(leaf->in->set, v);
    case QUERY_FILTER_COMPARE:
        if (v->type == QVAL_LIST)
            return match_elements(leaf, v, uncomparable);
        for (uint32_t i = 0; i < leaf->value_count; i++) {
            bool comparable = true;
            if (compare_scalar(leaf, &leaf->values[i], v, &comparable))
                return true;
            if (!comparable && leaf->cmp != QUERY_EQ)
                *uncomparable = true;
        }
        return false;
    default:
        return false;
    }
}

static void interval_of(enum query_cmp cmp, int64_t v, int64_t *lo, int64_t *hi)
{
    *lo = INT64_MIN;
    *hi = INT64_MAX;
    bool none = false;
    switch (cmp) {
    case QUERY_EQ:
        *lo = *hi = v;
        break;
    case QUERY_LT:
        none = v == INT64_MIN;
        *hi = none ? v : v - 1;
        break;
    case QUERY_LE:
        *hi = v;
        break;
    case QUERY_GT:
        none = v == INT64_MAX;
        *lo = none ? v : v + 1;
        break;
    case QUERY_GE:
        *lo = v;
        break;
    }
    if (none) {
        *lo = 1;
        *hi = 0;
    }
}

bool leaf_interval(const struct query_filter *leaf, enum qval_type type, int64_t *lo, int64_t *hi)
{
    if (leaf->kind != QUERY_FILTER_COMPARE || leaf->value_count != 1 || leaf->values[0].form != QUERY_WORD)
        return false;
    const struct query_literal *lit = &leaf->values[0];
    if (type == QVAL_INT && (lit->readings & (QR_INT | QR_SIZE)) && !lit->wildcard)
        interval_of(leaf->cmp, lit->i, lo, hi);
    else if (type == QVAL_TIME && (lit->readings & QR_TIME))
        interval_of(leaf->cmp, lit->time, lo, hi);
    else if (type == QVAL_DURATION && (lit->readings & QR_DURATION))
        interval_of(leaf->cmp, lit->duration, lo, hi);
    else
        return false;
    return true;
}

// ---- a vector ----

static bool row_match(struct exec *x, const struct query_filter *leaf, const struct cvec *v, uint32_t i)
{
    bool odd = false;
    struct qval q = cvec_get(v, i);
    bool yes = leaf_match(leaf, &q, &odd);
    x->stats.uncomparable += !yes && odd;
    return yes;
}

static uint8_t memo_ask(const struct query_filter *leaf, const struct cvec *v, uint32_t i)
{
    bool odd = false;
    struct qval q = cvec_get(v, i);
    return leaf_match(leaf, &q, &odd) ? MEMO_YES : odd ? MEMO_UNCOMPARABLE : MEMO_NO;
}

static void vec_by_memo(struct exec *x, const struct query_filter *leaf, const struct cvec *v, uint8_t *memo,
                        uint32_t memo_n, const uint64_t *in, uint32_t n, uint64_t *out)
{
    const uint8_t *words = v->kind == CVEC_WORD ? v->u8 : NULL;
    uint64_t odd = 0;
    for (uint32_t w = 0; w < BITS_WORDS(n); w++) {
        uint64_t hit = 0;
        for (uint64_t rows = in[w] & (v->present ? v->present[w] : UINT64_MAX); rows; rows &= rows - 1) {
            uint32_t k = (uint32_t)__builtin_ctzll(rows), i = w * 64 + k, ord = words ? words[i] : v->u32[i];
            if (ord >= memo_n) { // TRACE_NONE, or an ordinal younger than the memo
                hit |= (uint64_t)row_match(x, leaf, v, i) << k;
                continue;
            }
            uint8_t m = memo[ord];
            if (__builtin_expect(m == MEMO_UNKNOWN, 0))
                m = memo[ord] = memo_ask(leaf, v, i);
            hit |= (uint64_t)(m == MEMO_YES) << k; // no branch: which rows match cannot be foreseen
            odd += m == MEMO_UNCOMPARABLE;
        }
        out[w] |= hit;
    }
    x->stats.uncomparable += odd;
}

static void vec_by_interval(const struct cvec *v, int64_t lo, int64_t hi, const uint64_t *in, uint32_t n, uint64_t *out)
{
    const int64_t *p = v->i64;
    for (uint32_t w = 0; w < BITS_WORDS(n); w++) {
        uint64_t rows = in[w] & (v->present ? v->present[w] : UINT64_MAX), hit = 0;
        if (!rows)
            continue;
        uint32_t base = w * 64, end = n - base < 64 ? n - base : 64;
        for (uint32_t k = 0; k < end; k++)
            hit |= (uint64_t)(p[base + k] >= lo && p[base + k] <= hi) << k;
        out[w] |= hit & rows;
    }
}

int leaf_vec(struct exec *x, const struct query_filter *leaf, const struct cvec *v, uint8_t *memo, uint32_t memo_n,
             const uint64_t *in, uint32_t n, uint64_t *out)
{
    int64_t lo, hi;
    switch ((enum cvec_kind)v->kind) {
    case CVEC_NONE:
        return 0;
    case CVEC_CONST: {
        bool odd = false, yes = leaf_match(leaf, &v->table[0], &odd);
        for (size_t w = 0; yes && w < BITS_WORDS(n); w++)
            out[w] |= in[w];
        if (!yes && odd)
            x->stats.uncomparable += bits_count(in, n);
        return 0;
    }
    case CVEC_I64:
        if (leaf_interval(leaf, v->type, &lo, &hi)) {
            vec_by_interval(v, lo, hi, in, n, out);
            return 0;
        }
        break;
    case CVEC_WORD:
    case CVEC_TABLE:
    case CVEC_STR:
    case CVEC_TRACE:
        if (v->identity && memo) {
            vec_by_memo(x, leaf, v, memo, memo_n, in, n, out);
            return 0;
        }
        break;
    default:
        break;
    }
    for (BITS_EACH(i, in, n)) {
        if (row_match(x, leaf, v, i))
            bit_set(out, i);
    }
    return 0;
}

// ---- a block of a segment ----

int leaf_state_get(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, struct leaf_state **ret)
{
    if (!s->leaves) {
        s->leaves = arena_zalloc(&x->arena, (x->plan->leaf_count + 1) * sizeof(struct leaf_state *));
        if (!s->leaves)
            return exec_nomem(x);
    }
    if (!s->leaves[leaf->index]) {
        struct leaf_state *ls = arena_zalloc(&x->arena, sizeof *ls);
        int rc;
        if (!ls)
            return exec_nomem(x);
        const struct query_binding *b = leaf->ref ? &leaf->ref->bind[s->source] : NULL;
        bool text = leaf->target != QUERY_TARGET_REF ||
                    (b && b->kind == QUERY_BIND_FIXED && b->field == QUERY_F_TEXT); // each string on its own
        rc = text ? chain_text(x, s, &ls->chain) : chain_get(x, s, leaf->ref, &ls->chain);
        ls->every = text;
        if (rc == 0 && text && leaf->target == QUERY_TARGET_ANY)
            rc = chain_strings(x, s, &ls->more);
        if (rc < 0)
            return rc;
        uint32_t places = ls->chain->n + (ls->more ? ls->more->n : 0);
        ls->at = arena_zalloc(&x->arena, (places + 1) * sizeof *ls->at);
        if (!ls->at)
            return exec_nomem(x);
        s->leaves[leaf->index] = ls;
    }
    *ret = s->leaves[leaf->index];
    return 0;
}

// Leaves on records compare a leaf's ref, PRESENT on TARGET_REF included.
static int memo_get(struct exec *x, struct leaf_place *at, const struct cvec *v)
{
    if (at->memo || !v->identity || v->ords == 0)
        return 0;
    at->memo = arena_zalloc(&x->arena, v->ords);
    if (!at->memo)
        return exec_nomem(x);
    at->memo_n = v->ords;
    return 0;
}

static int child_place(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const struct place *p,
                       const uint64_t *in, uint64_t *out)
{
    struct child_walk w;
    int rc = child_begin(x, s, p->child_table, s->block[TABLE_ROWS], &w);
    while (rc >= 0 && (rc = child_next(&w)) == 1) {
        uint64_t *of = exec_bits(x, w.n, false), *hit = exec_bits(x, w.n, false);
        struct cvec v;
        if (!of || !hit)
            return exec_nomem(x);
        for (uint32_t i = w.first; i < w.end; i++) {
            if (bit_get(in, child_owner(&w, i)))
                bit_set(of, i);
        }
        rc = child_vec(&w, p, of, &v);
        if (rc == 0)
            rc = leaf_vec(x, leaf, &v, NULL, 0, of, w.n, hit);
        if (rc < 0)
            return rc;
        for (BITS_EACH(i, hit, w.n))
            bit_set(out, child_owner(&w, i));
    }
    return rc;
}

// An id begins with its row's time: only rows of such a time need theirs computed.
static int rows_of_ids(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const uint64_t *in,
                       uint32_t n, uint64_t **ret)
{
    struct vec time;
    uint64_t *some = exec_bits(x, n, false);
    int rc = exec_column(x, s, TABLE_ROWS, COL_TIME, &time);
    if (rc < 0)
        return rc;
    if (!some)
        return exec_nomem(x);
    for (uint32_t k = 0; k < leaf->value_count; k++) {
        int64_t t;
        if (!row_id_time(leaf->values[k].text, &t))
            continue;
        for (BITS_EACH(i, in, n)) {
            if (time.i64[i] == t)
                bit_set(some, i);
        }
    }
    *ret = some;
    return 0;
}

static bool exact_ids(const struct query_filter *leaf)
{
    if (leaf->kind != QUERY_FILTER_COMPARE || leaf->cmp != QUERY_EQ)
        return false;
    for (uint32_t k = 0; k < leaf->value_count; k++) {
        if (leaf->values[k].wildcard)
            return false;
    }
    return true;
}

// ---- text of which only some can match

static bool form_may(void *ctx, str form)
{
    const struct query_filter *leaf = ctx;
    return leaf->kind == QUERY_FILTER_PHRASE ? query_phrase_may(&leaf->phrase, form)
                                             : query_bytes_may(leaf->bytes, form);
}

static bool searches_text(const struct query_filter *leaf, const struct place *p)
{
    bool text = leaf->kind == QUERY_FILTER_PHRASE || (leaf->kind == QUERY_FILTER_BYTES && leaf->bytes.len > 0);
    return text && p->kind == PLACE_STR && p->type == QVAL_STR;
}

// Strings whose form cannot hold what is looked for stay empty, in which nothing is found.
static int text_vec(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const struct place *p,
                    struct cvec *ret)
{
    struct strings_wanted wanted = { (void *)(uintptr_t)leaf, form_may };
    struct vec v;
    int rc = reader_strings(s->reader, TABLE_ROWS, p->col, &wanted, &v);
    if (rc < 0)
        return exec_fail(x, rc);
    place_str(&v, p, ret);
    return 0;
}

static void vec_by_text(const struct query_filter *leaf, const struct cvec *v, const uint64_t *in, uint32_t n,
                        uint64_t *out)
{
    for (BITS_EACH(i, in, n)) {
        if (!cvec_has(v, i))
            continue;
        str s = dict_get(v->dict, v->u32[i]);
        if (s.len && (leaf->kind == QUERY_FILTER_PHRASE ? query_phrase_match(&leaf->phrase, s)
                                                        : query_bytes_match(leaf->bytes, s)))
            bit_set(out, i);
    }
}

static int place_match(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const struct place *p,
                       struct leaf_place *at, const uint64_t *in, uint32_t n, uint64_t *out, struct cvec *v)
{
    uint64_t *some = NULL;
    int rc = 0;
    *v = (struct cvec){ .kind = CVEC_NONE };
    if (p->kind == PLACE_CHILD && p->path_len == 0)
        return child_place(x, s, leaf, p, in, out);
    if (p->kind == PLACE_ID && exact_ids(leaf)) {
        rc = rows_of_ids(x, s, leaf, in, n, &some);
        in = some;
    }
    if (p->kind == PLACE_ISSUE)
        rc = issue_leaf_rows(x, s, leaf, p, &at->memo, &at->memo_n, in, n, &in);
    bool text = searches_text(leaf, p);
    if (rc == 0)
        rc = text ? text_vec(x, s, leaf, p, v) : place_vec(x, s, TABLE_ROWS, p, in, n, v);
    if (rc == 0 && text && !v->identity) {
        vec_by_text(leaf, v, in, n, out);
        return 0;
    }
    if (p->kind == PLACE_ISSUE)
        return rc < 0 ? rc : leaf_vec(x, leaf, v, NULL, 0, in, n, out);
    if (rc == 0)
        rc = memo_get(x, at, v);
    if (rc == 0)
        rc = leaf_vec(x, leaf, v, at->memo, at->memo_n, in, n, out);
    return rc;
}

static int chain_match(struct exec *x, struct exec_segment *s, const struct query_filter *leaf,
                       const struct leaf_state *ls, const struct chain *c, struct leaf_place *at, uint64_t *left,
                       uint32_t n, uint64_t *out)
{
    for (uint32_t k = 0; k < c->n; k++) {
        struct cvec v;
        int rc = place_match(x, s, leaf, &c->places[k], &at[k], left, n, out, &v);
        if (rc < 0)
            return rc;
        for (size_t w = 0; w < BITS_WORDS(n); w++) {
            if (ls->every) // a row needs one hit only
                left[w] &= ~out[w];
            else if (c->n > 1)
                left[w] &= v.kind == CVEC_NONE ? UINT64_MAX : v.present ? ~v.present[w] : 0;
        }
        if (c->n > 1 && !bits_any(left, n))
            break;
    }
    return 0;
}

int leaf_block(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const uint64_t *in, uint32_t n,
               uint64_t *out)
{
    struct leaf_state *ls;
    int rc = leaf_state_get(x, s, leaf, &ls);
    if (rc < 0)
        return rc;
    memset(out, 0, BITS_WORDS(n) * 8);
    uint64_t *left = exec_bits(x, n, false);
    if (!left)
        return exec_nomem(x);
    memcpy(left, in, BITS_WORDS(n) * 8);
    rc = chain_match(x, s, leaf, ls, ls->chain, ls->at, left, n, out);
    if (rc == 0 && ls->more)
        rc = chain_match(x, s, leaf, ls, ls->more, ls->at + ls->chain->n, left, n, out);
    return rc;
}
