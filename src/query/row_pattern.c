#include "query/row_pattern.h"

#include "base/mem.h"
#include "query/intern.h"
#include "query/row_id.h"
#include "query/text_pattern.h"

enum { PATTERN_BYTES_MAX = 64 << 10, TEXT_BYTES_MAX = 1 << 20 };

struct patterns {
    struct intern values;
    // A copy of the values that never moves while a batch looks at it: what is outgrown stays in the arena.
    struct qval *table;
    uint32_t table_n, table_cap;
    // Of the dictionary at hand: pattern + 1 of each ordinal.
    const void *identity;
    uint32_t *of, of_n;
    struct buf pattern, text;
};

static int patterns_get(struct exec *x, struct patterns **ret)
{
    if (!x->patterns) {
        struct patterns *p = x->patterns = arena_zalloc(&x->arena, sizeof *p);
        if (!p)
            return exec_nomem(x);
        p->values.x = x;
        buf_init(&p->pattern, PATTERN_BYTES_MAX);
        buf_init(&p->text, TEXT_BYTES_MAX);
    }
    *ret = x->patterns;
    return 0;
}

void row_patterns_free(struct exec *x)
{
    struct patterns *p = x->patterns;
    if (!p)
        return;
    intern_free(&p->values);
    exec_free(x, p->of, (size_t)p->of_n * 4);
    buf_free(&p->pattern);
    buf_free(&p->text);
    x->patterns = NULL;
}

static int table_follow(struct exec *x, struct patterns *p)
{
    if (p->values.n > p->table_cap) {
        uint32_t cap = p->table_cap ? p->table_cap * 2 : 256;
        struct qval *more = arena_alloc_array(&x->arena, cap, sizeof *more);
        if (!more)
            return exec_nomem(x);
        if (p->table_n)
            memcpy(more, p->table, p->table_n * sizeof *more);
        p->table = more;
        p->table_cap = cap;
    }
    for (; p->table_n < p->values.n; p->table_n++)
        p->table[p->table_n] = p->values.values[p->table_n];
    return 0;
}

static int pattern_of(struct exec *x, struct patterns *p, str text, uint32_t *ret)
{
    buf_clear(&p->pattern);
    if (query_text_pattern(text, &p->pattern) < 0)
        return exec_nomem(x);
    struct qval q = qval_str(buf_view(&p->pattern));
    int rc = intern_value(&p->values, &q, UINT32_MAX - 1, ret);
    return rc < 0 ? rc : table_follow(x, p);
}

static bool join(void *ctx, str s)
{
    struct patterns *p = ctx;
    size_t room = QUERY_PATTERN_TEXT_MAX + 1 - p->text.len; // what is behind is not looked at
    if (p->text.len)
        buf_byte(&p->text, '\n');
    buf_str(&p->text, str_slice(s, 0, room));
    return p->text.len > QUERY_PATTERN_TEXT_MAX;
}

// The text of a value: itself, or the strings in it.
static bool text_of(struct patterns *p, const struct qval *v, str *ret)
{
    if (v->type == QVAL_STR || v->type == QVAL_ENUM) {
        *ret = v->s;
        return true;
    }
    if (v->type != QVAL_LIST && v->type != QVAL_MAP)
        return false;
    buf_clear(&p->text);
    qval_strings(v, join, p);
    *ret = buf_view(&p->text);
    return ret->len > 0;
}

static int dictionary_begin(struct exec *x, struct patterns *p, const struct cvec *v)
{
    if (p->identity == v->identity && p->of_n == v->ords)
        return 0;
    exec_free(x, p->of, (size_t)p->of_n * 4);
    p->of_n = 0;
    p->identity = NULL;
    p->of = exec_zalloc(x, (size_t)(v->ords ? v->ords : 1) * 4);
    if (!p->of)
        return exec_nomem(x);
    p->of_n = v->ords;
    p->identity = v->identity;
    return 0;
}

int row_patterns(struct exec *x, struct exec_segment *s, const struct place *place, const uint64_t *sel, uint32_t n,
                 struct cvec *ret)
{
    struct patterns *p = NULL;
    struct cvec v;
    int rc = patterns_get(x, &p);
    *ret = (struct cvec){ .kind = CVEC_NONE };
    if (rc == 0)
        rc = chain_vec(x, s, TABLE_ROWS, place->child, sel, n, &v);
    if (rc < 0 || v.kind == CVEC_NONE)
        return rc;
    bool dictionary = v.kind == CVEC_STR && v.type == QVAL_STR && v.identity && v.ords > 0;
    uint32_t *ids = exec_scratch(x, n, 4);
    uint64_t *present = exec_bits(x, n, false);
    if (!ids || !present)
        return exec_nomem(x);
    memset(ids, 0, (size_t)n * 4);
    if (dictionary)
        rc = dictionary_begin(x, p, &v);
    for (uint32_t w = 0; w < BITS_WORDS(n) && rc == 0; w++) {
        for (uint64_t rows = sel[w] & (v.present ? v.present[w] : UINT64_MAX); rows && rc == 0; rows &= rows - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(rows);
            uint32_t *known = dictionary && v.u32[i] < p->of_n ? &p->of[v.u32[i]] : NULL;
            if (known && *known) {
                ids[i] = *known - 1;
                bit_set(present, i);
                continue;
            }
            struct qval q = cvec_get(&v, i);
            str text;
            if (!text_of(p, &q, &text))
                continue;
            rc = pattern_of(x, p, text, &ids[i]);
            bit_set(present, i);
            if (known)
                *known = ids[i] + 1;
        }
    }
    if (rc < 0)
        return rc;
    *ret = (struct cvec){ .kind = CVEC_TABLE,
                          .type = QVAL_STR,
                          .present = present,
                          .u32 = ids,
                          .table = p->table,
                          .identity = p->table,
                          .ords = p->table_cap };
    if (p->table_n == 0)
        ret->kind = CVEC_NONE;
    return 0;
}
