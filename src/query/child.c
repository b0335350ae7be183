#include "query/child.h"

#include "query/path.h"

static int index_get(struct exec *x, struct exec_segment *s, enum segment_table t, struct child_index **ret)
{
    uint32_t blocks = segment_blocks(s->seg, t);
    if (s->children[t]) {
        *ret = s->children[t];
        return 0;
    }
    struct child_index *ix = arena_zalloc(&x->arena, sizeof *ix + blocks * sizeof ix->at[0]);
    if (!ix)
        return exec_nomem(x);
    ix->blocks = blocks;
    for (uint32_t b = 0; b < blocks; b++) {
        int64_t lo, hi;
        struct vec v;
        if (segment_block_range(s->seg, t, b, COL_OWNER, &lo, &hi)) {
            ix->at[b] = (struct child_span){ (uint32_t)lo, (uint32_t)hi };
            continue;
        }
        int rc = exec_seek(x, s, t, b);
        if (rc == 0)
            rc = exec_column(x, s, t, COL_OWNER, &v);
        if (rc < 0)
            return rc;
        if (v.n > 0)
            ix->at[b] = (struct child_span){ v.u32[0], v.u32[v.n - 1] };
        else
            ix->at[b] = (struct child_span){ UINT32_MAX, 0 };
    }
    *ret = s->children[t] = ix;
    return 0;
}

int child_begin(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t block, struct child_walk *ret)
{
    uint32_t row0 = block * BLOCK_ROWS;
    struct child_index *ix = NULL;
    int rc = index_get(x, s, t, &ix);
    if (rc < 0)
        return rc;
    *ret = (struct child_walk){ .x = x, .s = s, .table = t, .row0 = row0, .row1 = row0 + BLOCK_ROWS };
    // The first child block that ends at or behind row0.
    uint32_t lo = 0, hi = ix->blocks;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (ix->at[mid].last < row0)
            lo = mid + 1;
        else
            hi = mid;
    }
    ret->next = lo;
    return 0;
}

static uint32_t lower_bound(const uint32_t *v, uint32_t n, uint32_t key)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (v[mid] < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int child_next(struct child_walk *w)
{
    const struct child_index *ix = w->s->children[w->table];
    while (w->next < ix->blocks && ix->at[w->next].first < w->row1) {
        uint32_t b = w->next++;
        int rc = exec_seek(w->x, w->s, w->table, b);
        if (rc == 0)
            rc = exec_column(w->x, w->s, w->table, COL_OWNER, &w->owner);
        if (rc < 0)
            return rc;
        w->block = b;
        w->n = w->owner.n;
        w->first = lower_bound(w->owner.u32, w->n, w->row0);
        w->end = lower_bound(w->owner.u32, w->n, w->row1);
        if (w->first < w->end)
            return 1;
    }
    return 0;
}

int child_vec(struct child_walk *w, const struct place *p, const uint64_t *sel, struct cvec *ret)
{
    struct exec *x = w->x;
    struct vec start;
    int rc = chain_vec(x, w->s, w->table, p->child, sel, w->n, ret);
    if (rc < 0 || p->child->n != 1 || p->child->places[0].kind != PLACE_SINCE)
        return rc;
    rc = exec_column(x, w->s, TABLE_ROWS, COL_TIME, &start);
    if (rc < 0)
        return rc;
    int64_t *since = exec_scratch(x, w->n, sizeof *since);
    if (!since)
        return exec_nomem(x);
    for (BITS_EACH(i, sel, w->n))
        since[i] = (int64_t)((uint64_t)ret->i64[i] - (uint64_t)start.i64[child_owner(w, i)]);
    ret->type = QVAL_DURATION;
    ret->i64 = since;
    return 0;
}

// ---- as lists ----

struct list_maker {
    struct buf items;
    uint64_t n;
};

static int list_end(struct exec *x, struct list_maker *m, struct qval *ret)
{
    uint8_t head[16];
    uint32_t h = 0;
    uint64_t n = m->n;
    if (m->n == 0)
        return 0;
    head[h++] = VALUE_LIST;
    do {
        head[h++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>= 7;
    } while (n);
    char *p = m->items.error ? NULL : arena_alloc_bytes(&x->scratch, h + m->items.len);
    if (!p)
        return exec_nomem(x);
    memcpy(p, head, h);
    memcpy(p + h, m->items.ptr, m->items.len);
    *ret = (struct qval){ .type = QVAL_LIST, .s = { p, h + m->items.len } };
    m->n = 0;
    buf_clear(&m->items);
    return 0;
}

static uint64_t *children_of(struct child_walk *w, const uint64_t *sel)
{
    uint64_t *of = exec_bits(w->x, w->n, false);
    for (uint32_t i = w->first; of && i < w->end; i++) {
        if (bit_get(sel, child_owner(w, i)))
            bit_set(of, i);
    }
    return of;
}

int child_lists(struct exec *x, struct exec_segment *s, const struct place *p, const uint64_t *sel, uint32_t n,
                struct cvec *ret)
{
    struct child_walk w;
    struct list_maker m = { 0 };
    struct qval *any = exec_scratch(x, n, sizeof *any);
    uint32_t owner = UINT32_MAX;
    char id_text[33];
    *ret = (struct cvec){ .kind = CVEC_NONE };
    if (!any)
        return exec_nomem(x);
    memset(any, 0, n * sizeof *any);
    int rc = child_begin(x, s, p->child_table, s->block[TABLE_ROWS], &w);
    if (rc < 0)
        return rc;
    buf_init(&m.items, 64 << 20);
    while (rc >= 0 && (rc = child_next(&w)) == 1) {
        uint64_t *of = children_of(&w, sel);
        struct cvec v;
        rc = of ? child_vec(&w, p, of, &v) : exec_nomem(x);
        if (rc < 0)
            break;
        for (BITS_EACH(i, of, w.n)) {
            struct qval q = cvec_get(&v, i);
            if (child_owner(&w, i) != owner) {
                if (owner != UINT32_MAX && (rc = list_end(x, &m, &any[owner])) < 0)
                    break;
                owner = child_owner(&w, i);
            }
            if (q.type == QVAL_MISSING)
                continue;
            struct value item = qval_to_value(&q, id_text);
            value_encode(&m.items, &item);
            m.n++;
        }
    }
    if (rc >= 0 && owner != UINT32_MAX)
        rc = list_end(x, &m, &any[owner]);
    buf_free(&m.items);
    for (BITS_EACH(i, sel, n)) {
        if (rc < 0)
            return rc;
        if (p->path_len == 0 || any[i].type == QVAL_MISSING)
            continue;
        struct value list = { .type = VALUE_LIST, .s = any[i].s };
        if (path_value(&x->scratch, &list, p->path, p->path_len, &any[i]) < 0)
            return exec_nomem(x);
    }
    if (rc < 0)
        return rc;
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}
