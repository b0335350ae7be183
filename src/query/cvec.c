#include "query/cvec.h"

#include "query/child.h"
#include "query/issue_rows.h"
#include "query/path.h"
#include "query/row_id.h"
#include "query/row_pattern.h"

#include <stdio.h>

struct qval cvec_get(const struct cvec *v, uint32_t i)
{
    struct qval q = { 0 };
    if (v->kind == CVEC_NONE || !cvec_has(v, i))
        return q;
    switch ((enum cvec_kind)v->kind) {
    case CVEC_NONE:
        break;
    case CVEC_CONST:
        return v->table[0];
    case CVEC_I64:
        return qval_of(v->type, v->i64[i]);
    case CVEC_F64:
        return qval_double(v->f64[i]);
    case CVEC_BOOL:
        return qval_bool(v->u8[i]);
    case CVEC_U32:
        return qval_int(v->u32[i]);
    case CVEC_WORD:
        return v->table[v->u8[i]];
    case CVEC_TABLE:
        return v->table[v->u32[i]];
    case CVEC_STR: {
        str s = dict_get(v->dict, v->u32[i]);
        if (s.len || !v->empty_missing)
            q = (struct qval){ .type = v->type, .s = s };
        if (v->type == QVAL_ID) { // an id that is kept as bytes
            q = (struct qval){ 0 };
            if (s.len == 8 || s.len == 16) {
                q = (struct qval){ .type = QVAL_ID, .id_n = (uint8_t)s.len };
                memcpy(q.id, s.ptr, s.len);
            }
        }
        break;
    }
    case CVEC_TRACE:
        if (v->u32[i] != TRACE_NONE) {
            q = (struct qval){ .type = QVAL_ID, .id_n = 16 };
            segment_trace(v->seg, v->u32[i], q.id);
        }
        break;
    case CVEC_SPAN:
        if (v->u64[i] != 0) {
            q = (struct qval){ .type = QVAL_ID, .id_n = 8 };
            be64_put(q.id, v->u64[i]);
        }
        break;
    case CVEC_ROOT:
        return qval_bool(v->u64[i] == 0);
    case CVEC_ANY:
        return v->any[i];
    }
    return q;
}

bool cvec_missing(const struct cvec *v, uint32_t i)
{
    if (v->kind == CVEC_NONE || !cvec_has(v, i))
        return true;
    switch ((enum cvec_kind)v->kind) {
    case CVEC_I64:
    case CVEC_F64:
    case CVEC_BOOL:
    case CVEC_U32:
    case CVEC_ROOT:
    case CVEC_TABLE: // made with `present`
        return false;
    case CVEC_WORD:
        return v->table[v->u8[i]].type == QVAL_MISSING;
    case CVEC_TRACE:
        return v->u32[i] == TRACE_NONE;
    case CVEC_SPAN:
        return v->u64[i] == 0;
    case CVEC_CONST:
        return v->table[0].type == QVAL_MISSING;
    case CVEC_ANY:
        return v->any[i].type == QVAL_MISSING;
    default:
        return cvec_get(v, i).type == QVAL_MISSING;
    }
}

// Rows of which the bitmap `present` alone tells whether they have a value.
static bool present_tells(const struct cvec *v)
{
    if (v->kind == CVEC_CONST)
        return v->table[0].type != QVAL_MISSING;
    return v->kind == CVEC_I64 || v->kind == CVEC_F64 || v->kind == CVEC_BOOL || v->kind == CVEC_U32 ||
           v->kind == CVEC_ROOT || v->kind == CVEC_TABLE ||
           (v->kind == CVEC_STR && !v->empty_missing && v->type != QVAL_ID);
}

// Of words, traces and spans, without a branch a row; others one by one.
static uint64_t present_word(const struct cvec *v, const uint8_t *named, uint32_t base, uint64_t rows)
{
    uint64_t out = 0;
    for (; rows; rows &= rows - 1) {
        uint32_t k = (uint32_t)__builtin_ctzll(rows), i = base + k;
        bool has = named                   ? named[v->u8[i]]
                   : v->kind == CVEC_TRACE ? v->u32[i] != TRACE_NONE
                   : v->kind == CVEC_SPAN  ? v->u64[i] != 0
                                           : !cvec_missing(v, i);
        out |= (uint64_t)has << k;
    }
    return out;
}

void cvec_present(const struct cvec *v, const uint64_t *sel, uint32_t n, uint64_t *out)
{
    uint8_t named[256];
    bool tells = present_tells(v);
    for (uint32_t i = 0; v->kind == CVEC_WORD && i < 256; i++)
        named[i] = v->table[i].type != QVAL_MISSING;
    for (uint32_t w = 0; w < BITS_WORDS(n); w++) {
        uint64_t rows = v->kind == CVEC_NONE ? 0 : sel[w] & (v->present ? v->present[w] : UINT64_MAX);
        out[w] = tells ? rows : present_word(v, v->kind == CVEC_WORD ? named : NULL, w * 64, rows);
    }
}

// ---- one place ----

static struct qval *any_new(struct exec *x, uint32_t n)
{
    struct qval *any = exec_scratch(x, n, sizeof *any);
    if (any)
        memset(any, 0, (n ? n : 1) * sizeof *any);
    return any;
}

static int path_vec(struct exec *x, const struct vec *v, const struct place *p, const uint64_t *sel, uint32_t n,
                    struct cvec *ret)
{
    struct qval *any = any_new(x, n);
    uint64_t *present = exec_bits(x, n, false);
    if (!any || !present)
        return exec_nomem(x);
    for (BITS_EACH(i, sel, n)) {
        if (!vec_has(v, i))
            continue;
        str enc = dict_get(v->dict, v->ord[i]);
        struct value value = { .type = enc.len ? (uint8_t)enc.ptr[0] : 0, .s = enc };
        if (path_value(&x->scratch, &value, p->path, p->path_len, &any[i]) < 0)
            return exec_nomem(x);
        if (any[i].type != QVAL_MISSING)
            bit_set(present, i);
    }
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any, .present = present };
    return 0;
}

static int dropped_vec(struct exec *x, struct exec_segment *s, const struct place *p, const uint64_t *sel, uint32_t n,
                       struct cvec *ret)
{
    struct qval *any = any_new(x, n);
    if (!any)
        return exec_nomem(x);
    for (uint32_t k = 0; k < p->cols_n; k++) {
        struct vec v;
        int rc = exec_column(x, s, TABLE_ROWS, p->cols[k], &v);
        if (rc < 0)
            return rc;
        for (BITS_EACH(i, sel, n)) {
            if (vec_has(&v, i))
                any[i] = qval_int((int64_t)((any[i].type == QVAL_INT ? (uint64_t)any[i].i : 0) + (uint64_t)v.i64[i]));
        }
    }
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}

// The projects' names are given with the request.
static int project_vec(struct exec *x, const struct vec *v, const uint64_t *sel, uint32_t n, struct cvec *ret)
{
    struct qval *any = any_new(x, n);
    if (!any)
        return exec_nomem(x);
    uint32_t last = 0;
    const struct qval *known = NULL;
    for (BITS_EACH(i, sel, n)) {
        uint32_t id = v->u32[i];
        if (known && id == last) {
            any[i] = *known;
            continue;
        }
        for (uint32_t k = 0; k < x->q->projects_n; k++) {
            if (x->q->projects[k].id == id)
                any[i] = qval_str(x->q->projects[k].name);
        }
        if (any[i].type == QVAL_MISSING) {
            str s = arena_printf(&x->scratch, "%u", id);
            if (!s.ptr)
                return exec_nomem(x);
            any[i] = qval_str(s);
        }
        known = &any[i];
        last = id;
    }
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}

static int entity_vec(struct exec *x, const struct vec *v, const struct place *p, const uint64_t *sel, uint32_t n,
                      struct cvec *ret)
{
    *ret = (struct cvec){ .kind = CVEC_TABLE, .u32 = v->u32, .table = p->table, .identity = p, .ords = p->table_n };
    if (p->full)
        return 0;
    uint64_t *present = exec_bits(x, n, false);
    if (!present)
        return exec_nomem(x);
    for (BITS_EACH(i, sel, n)) {
        if (p->table[v->u32[i]].type != QVAL_MISSING)
            bit_set(present, i);
    }
    ret->present = present;
    return 0;
}

void place_str(const struct vec *v, const struct place *p, struct cvec *ret)
{
    *ret = (struct cvec){ .kind = CVEC_STR,
                          .type = p->type,
                          .present = v->present,
                          .u32 = v->ord,
                          .dict = v->dict,
                          .empty_missing = p->empty_missing,
                          .identity = v->dict_is_block ? NULL : p,
                          .ords = v->dict ? dict_entries(v->dict) : 0 };
}

int place_vec(struct exec *x, struct exec_segment *s, enum segment_table t, const struct place *p, const uint64_t *sel,
              uint32_t n, struct cvec *ret)
{
    struct vec v;
    *ret = (struct cvec){ .kind = CVEC_NONE };
    switch ((enum place_kind)p->kind) {
    case PLACE_CONST:
        *ret = (struct cvec){ .kind = CVEC_CONST, .table = p->table };
        return 0;
    case PLACE_ID:
        return row_ids(x, s, sel, n, ret);
    case PLACE_TEXT:
        return row_texts(x, s, sel, n, ret);
    case PLACE_PATTERN:
        return row_patterns(x, s, p, sel, n, ret);
    case PLACE_CHILD:
        return child_lists(x, s, p, sel, n, ret);
    case PLACE_DROPPED:
        return dropped_vec(x, s, p, sel, n, ret);
    default:
        break;
    }
    int rc = exec_column(x, s, t, p->col, &v);
    if (rc < 0)
        return rc;
    ret->present = v.present;
    switch ((enum place_kind)p->kind) {
    case PLACE_I64:
        ret->kind = CVEC_I64;
        ret->type = p->type;
        ret->i64 = v.i64;
        return 0;
    case PLACE_SINCE: // the caller makes it relative
        ret->kind = CVEC_I64;
        ret->type = QVAL_TIME;
        ret->i64 = v.i64;
        return 0;
    case PLACE_F64:
        ret->kind = CVEC_F64;
        ret->f64 = v.f64;
        return 0;
    case PLACE_BOOL:
        ret->kind = CVEC_BOOL;
        ret->u8 = v.u8;
        return 0;
    case PLACE_WORD:
        *ret = (struct cvec){
            .kind = CVEC_WORD, .u8 = v.u8, .present = v.present, .table = p->table, .identity = p, .ords = 256
        };
        return 0;
    case PLACE_COUNT:
        ret->kind = CVEC_U32;
        ret->u32 = v.u32;
        return 0;
    case PLACE_ISSUE:
        return issue_vec(x, s, p, &v, sel, n, ret);
    case PLACE_PROJECT:
        return project_vec(x, &v, sel, n, ret);
    case PLACE_TRACE:
        *ret = (struct cvec){ .kind = CVEC_TRACE,
                              .u32 = v.u32,
                              .present = v.present,
                              .seg = s->seg,
                              .identity = p,
                              .ords = segment_traces(s->seg) };
        return 0;
    case PLACE_SPAN:
    case PLACE_ROOT:
        ret->kind = p->kind == PLACE_SPAN ? CVEC_SPAN : CVEC_ROOT;
        ret->u64 = v.u64;
        return 0;
    case PLACE_STR:
        place_str(&v, p, ret);
        return 0;
    case PLACE_PATH:
        return path_vec(x, &v, p, sel, n, ret);
    case PLACE_ENTITY:
        return entity_vec(x, &v, p, sel, n, ret);
    default:
        return 0;
    }
}

// ---- the chain ----

static bool rows_in_both(const uint64_t *a, const uint64_t *b, uint32_t n)
{
    for (size_t w = 0; w < BITS_WORDS(n); w++) {
        if (a[w] & b[w])
            return true;
    }
    return false;
}

int chain_vec(struct exec *x, struct exec_segment *s, enum segment_table t, const struct chain *c, const uint64_t *sel,
              uint32_t n, struct cvec *ret)
{
    struct qval *any = NULL;
    uint64_t *left = NULL; // rows without a value so far
    *ret = (struct cvec){ .kind = CVEC_NONE };
    if (c->n == 1)
        return place_vec(x, s, t, &c->places[0], sel, n, ret);
    for (uint32_t k = 0; k < c->n; k++) {
        struct cvec v;
        int rc = place_vec(x, s, t, &c->places[k], left ? left : sel, n, &v);
        if (rc < 0)
            return rc;
        if (v.kind == CVEC_NONE || (v.present && !rows_in_both(v.present, left ? left : sel, n)))
            continue;
        if (!any && (!v.present || k == c->n - 1)) { // nothing before it, and it has all or nothing follows
            *ret = v;
            return 0;
        }
        if (!any) {
            any = any_new(x, n);
            left = exec_bits(x, n, false);
            if (!any || !left)
                return exec_nomem(x);
            memcpy(left, sel, BITS_WORDS(n) * 8);
        }
        for (BITS_EACH(i, left, n)) {
            struct qval q = cvec_get(&v, i);
            if (q.type == QVAL_MISSING)
                continue;
            any[i] = q;
            bit_clear(left, i);
        }
        if (!bits_any(left, n))
            break;
    }
    if (any)
        *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}
