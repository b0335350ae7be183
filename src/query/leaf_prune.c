// What a filter says about a segment or block before it is read.
#include "query/leaf.h"
#include "query/row_id.h"
#include "query/set.h"

static bool is_trace_ids(const struct exec_segment *s, const struct query_filter *leaf)
{
    const struct value_set *set = leaf->kind == QUERY_FILTER_IN ? leaf->in->set : NULL;
    if ((!set && (leaf->kind != QUERY_FILTER_COMPARE || leaf->cmp != QUERY_EQ)) || leaf->ref->slot != QUERY_NO_SLOT)
        return false;
    const struct query_binding *b = &leaf->ref->bind[s->source];
    if (b->kind != QUERY_BIND_FIXED || b->field != QUERY_F_TRACE || b->hop != QUERY_HOP_NONE)
        return false;
    if (set)
        return !set->texts && set->values.values.n <= SET_TRACES_MAX;
    for (uint32_t i = 0; i < leaf->value_count; i++) {
        const struct query_literal *lit = &leaf->values[i];
        if (lit->id_prefix || (lit->id_nibbles != 32 && lit->id_nibbles != 16))
            return false;
    }
    return true;
}

// 16 digits mean a 32-digit id padded with zeros.
static void padded_id(const struct query_literal *lit, uint8_t id[16])
{
    if (lit->id_nibbles == 32) {
        memcpy(id, lit->id, 16);
        return;
    }
    memset(id, 0, 8);
    memcpy(id + 8, lit->id, 8);
}

static bool set_id(const struct qval *v, uint8_t id[16])
{
    memset(id, 0, 16);
    if (v->type == QVAL_ID)
        memcpy(id + 16 - v->id_n, v->id, v->id_n);
    return v->type == QVAL_ID;
}

int leaf_traces(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, bool *ret_is,
                const struct leaf_state **ret)
{
    struct leaf_state *ls;
    *ret_is = is_trace_ids(s, leaf);
    if (!*ret_is)
        return 0;
    int rc = leaf_state_get(x, s, leaf, &ls);
    if (rc < 0)
        return rc;
    *ret = ls;
    if (ls->traces_known)
        return 0;
    const struct value_set *set = leaf->kind == QUERY_FILTER_IN ? leaf->in->set : NULL;
    uint32_t n = set ? set->values.values.n : leaf->value_count;
    ls->traces = arena_alloc_array(&x->arena, n ? n : 1, sizeof *ls->traces);
    if (!ls->traces)
        return exec_nomem(x);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t id[16];
        uint32_t ord;
        if (!set)
            padded_id(&leaf->values[i], id);
        else if (!set_id(&set->values.values.values[i], id))
            continue;
        rc = segment_find_trace(s->seg, id, &ord);
        if (rc == 0)
            ls->traces[ls->traces_n++] = ord;
        else if (rc != ERR_NOENT)
            return exec_fail(x, rc);
    }
    ls->traces_known = true;
    return 0;
}

static bool table_may(const struct query_filter *leaf, const struct place *p, uint32_t from, uint32_t to)
{
    bool odd = false;
    for (uint32_t i = from; i < to && i < p->table_n; i++) {
        if (leaf_match(leaf, &p->table[i], &odd))
            return true;
    }
    return false;
}

static int leaf_may(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, bool *ret)
{
    struct leaf_state *ls;
    const struct leaf_state *traces;
    bool is;
    *ret = true;
    if (leaf->ref && leaf->ref->slot != QUERY_NO_SLOT)
        return 0;
    int rc = leaf_state_get(x, s, leaf, &ls);
    if (rc < 0 || ls->more)
        return rc;
    if (ls->chain->n == 0) {
        *ret = false;
        return 0;
    }
    if (leaf->target == QUERY_TARGET_REF && leaf->ref) {
        rc = leaf_traces(x, s, leaf, &is, &traces);
        if (rc < 0 || is) {
            *ret = rc == 0 && traces->traces_n > 0;
            return rc;
        }
    }
    for (uint32_t k = 0; k < ls->chain->n; k++) {
        const struct place *p = &ls->chain->places[k];
        if ((p->kind != PLACE_ENTITY && p->kind != PLACE_CONST) || table_may(leaf, p, 0, p->table_n))
            return 0;
    }
    *ret = false;
    return 0;
}

static bool id_may(const struct query_filter *leaf, int64_t lo, int64_t hi)
{
    if (leaf->kind != QUERY_FILTER_COMPARE || leaf->cmp != QUERY_EQ)
        return true;
    for (uint32_t k = 0; k < leaf->value_count; k++) {
        int64_t t;
        if (leaf->values[k].wildcard || (row_id_time(leaf->values[k].text, &t) && t >= lo && t <= hi))
            return true;
    }
    return false;
}

static bool place_may(struct exec_segment *s, const struct query_filter *leaf, const struct leaf_state *ls,
                      const struct place *p, uint32_t block)
{
    uint32_t col = p->kind == PLACE_ID ? COL_TIME : p->col;
    int64_t lo, hi, want_lo, want_hi;
    switch ((enum place_kind)p->kind) {
    case PLACE_CONST:
        return table_may(leaf, p, 0, 1);
    case PLACE_ID:
    case PLACE_I64:
    case PLACE_WORD:
    case PLACE_ENTITY:
    case PLACE_TRACE:
        break;
    default:
        return true;
    }
    if (!segment_block_range(s->seg, TABLE_ROWS, block, col, &lo, &hi))
        return true;
    switch ((enum place_kind)p->kind) {
    case PLACE_ID:
        return id_may(leaf, lo, hi);
    case PLACE_I64:
        return !leaf_interval(leaf, p->type, &want_lo, &want_hi) || (want_lo <= hi && want_hi >= lo);
    case PLACE_TRACE:
        for (uint32_t k = 0; k < ls->traces_n; k++) {
            if (ls->traces[k] >= lo && ls->traces[k] <= hi)
                return true;
        }
        return !ls->traces_known;
    default:
        return lo < 0 || hi - lo > 256 || table_may(leaf, p, (uint32_t)lo, (uint32_t)hi + 1);
    }
}

static int leaf_may_block(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, uint32_t block,
                          bool *ret)
{
    struct leaf_state *ls;
    *ret = true;
    if (leaf->ref && leaf->ref->slot != QUERY_NO_SLOT)
        return 0;
    int rc = leaf_state_get(x, s, leaf, &ls);
    if (rc < 0 || ls->more)
        return rc;
    for (uint32_t k = 0; k < ls->chain->n; k++) {
        if (place_may(s, leaf, ls, &ls->chain->places[k], block))
            return 0;
    }
    *ret = false;
    return 0;
}

static int may(struct exec *x, struct exec_segment *s, const struct query_filter *f, bool one_block, uint32_t block,
               bool *ret)
{
    int rc = 0;
    *ret = true;
    switch (f->kind) {
    case QUERY_FILTER_AND:
        for (uint32_t i = 0; i < f->kid_count && rc == 0 && *ret; i++)
            rc = may(x, s, f->kids[i], one_block, block, ret);
        return rc;
    case QUERY_FILTER_OR:
        *ret = f->kid_count == 0;
        for (uint32_t i = 0; i < f->kid_count && rc == 0 && !*ret; i++)
            rc = may(x, s, f->kids[i], one_block, block, ret);
        return rc;
    case QUERY_FILTER_NOT:
    case QUERY_FILTER_TRUE:
        return 0;
    case QUERY_FILTER_CHILD:
        *ret = s->source == QUERY_SPANS && segment_blocks(s->seg, f->links ? TABLE_LINKS : TABLE_EVENTS) > 0;
        return 0;
    default:
        return one_block ? leaf_may_block(x, s, f, block, ret) : leaf_may(x, s, f, ret);
    }
}

int filter_may_match(struct exec *x, struct exec_segment *s, const struct query_filter *f, bool *ret)
{
    return may(x, s, f, false, 0, ret);
}

int filter_may_match_block(struct exec *x, struct exec_segment *s, const struct query_filter *f, uint32_t block,
                           bool *ret)
{
    return may(x, s, f, true, block, ret);
}
