#include "query/record_cells.h"

#include "base/hex.h"
#include "base/timefmt.h"

enum { RECORD_BYTES_MAX = 64 << 20, SPECIAL_CELLS = 5 };

static const str special_names[SPECIAL_CELLS] = { STR_INIT("attr"), STR_INIT("resource"), STR_INIT("scope"),
                                                  STR_INIT("events"), STR_INIT("links") };

// What search and structure know but a record does not show: it stands elsewhere in the row.
static bool shown(const struct query_field_info *f)
{
    switch (f->id) {
    case QUERY_F_TEXT:
    case QUERY_F_PATTERN:
    case QUERY_F_EVENT_NAME:
    case QUERY_F_EVENT_TIME:
    case QUERY_F_EVENT_SINCE:
    case QUERY_F_LINK_TRACE:
    case QUERY_F_LINK_SPAN:
        return false;
    default:
        // Captured values are read by who names them, not by who looks at the rows.
        return f->level <= QUERY_LEVEL_BUILT && !(f->flags & QUERY_FF_VALUES);
    }
}

// source and time first, then the order of the table.
static const struct query_field_info *field_at(enum query_source source, uint32_t i)
{
    if (i < 2)
        return query_field_get(source, i == 0 ? QUERY_F_SOURCE : QUERY_F_TIME);
    uint32_t seen = 2;
    const struct query_field_info *f;
    for (uint32_t k = 0; (f = query_field_at(source, k)); k++) {
        if (f->id == QUERY_F_SOURCE || f->id == QUERY_F_TIME || !shown(f))
            continue;
        if (seen++ == i)
            return f;
    }
    return NULL;
}

bool record_cell_name(enum query_source source, uint32_t i, str *ret_name)
{
    uint32_t fixed = 0;
    const struct query_field_info *f = field_at(source, i);
    if (f) {
        *ret_name = query_field_name(f->id);
        return true;
    }
    while (field_at(source, fixed))
        fixed++;
    if (i < fixed || i - fixed >= SPECIAL_CELLS || (i - fixed >= 3 && source != QUERY_SPANS))
        return false;
    *ret_name = special_names[i - fixed];
    return true;
}

// ---- maps ----

static void put_pair(struct buf *b, str key, const struct value *v)
{
    buf_varint(b, key.len);
    buf_str(b, key);
    value_encode(b, v);
}

// The value of an attribute column that row i has.
static int column_value(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t col, uint32_t i,
                        struct value *ret)
{
    int rc = reader_value(s->reader, t, col, i, ret);
    return rc < 0 ? exec_fail(x, rc) : 0;
}

// Keys that did not fit into columns are in one map: its pairs go where the others are.
static uint64_t put_overflow(struct buf *b, const struct value *map)
{
    struct value_reader r;
    struct value v;
    uint64_t n = 0, left;
    str key;
    if (value_open(map, &r, &left) < 0)
        return 0;
    for (; left > 0 && value_read_key(&r, &key) == 0 && value_read(&r, &v) == 0; left--, n++)
        put_pair(b, key, &v);
    return n;
}

static int close_map(struct exec *x, struct buf *pairs, uint64_t n, struct qval *ret)
{
    uint8_t head[16];
    uint32_t h = 0;
    if (n == 0)
        return 0;
    head[h++] = VALUE_MAP;
    for (uint64_t v = n; h == 1 || v; v >>= 7)
        head[h++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
    char *p = pairs->error ? NULL : arena_alloc_bytes(&x->scratch, h + pairs->len);
    if (!p)
        return exec_nomem(x);
    memcpy(p, head, h);
    memcpy(p + h, pairs->ptr, pairs->len);
    *ret = (struct qval){ .type = QVAL_MAP, .s = { p, h + pairs->len } };
    return 0;
}

// Attributes of level RECORD of row i of the current block of t.
static int attr_map(struct exec *x, struct exec_segment *s, enum segment_table t, struct shape shape, uint32_t i,
                    struct buf *pairs, struct qval *ret)
{
    uint64_t n = 0;
    buf_clear(pairs);
    for (uint32_t k = 0; k < shape.n; k++) {
        struct column c = segment_column(s->seg, t, shape.columns[k]);
        struct value v;
        if (c.level != ATTR_RECORD)
            continue;
        int rc = column_value(x, s, t, shape.columns[k], i, &v);
        if (rc < 0)
            return rc;
        if (c.key.len == 0 && c.type == VALUE_MAP) {
            n += put_overflow(pairs, &v);
        } else {
            put_pair(pairs, c.key, &v);
            n++;
        }
    }
    return close_map(x, pairs, n, ret);
}

static int entity_map(struct exec *x, const struct record_entity *e, struct buf *pairs, struct qval *ret)
{
    buf_clear(pairs);
    for (uint32_t k = 0; k < e->attrs_n; k++)
        put_pair(pairs, e->attrs[k].key, &e->attrs[k].value);
    return close_map(x, pairs, e->attrs_n, ret);
}

// ---- events and links ----

static int child_map(struct child_walk *w, uint32_t i, struct buf *pairs, struct qval *ret)
{
    struct exec *x = w->x;
    struct vec time, name, shape;
    struct qval attrs = { 0 };
    char text[40];
    uint64_t n = 0;
    bool event = w->table == TABLE_EVENTS;
    int rc = exec_column(x, w->s, w->table, COL_SHAPE, &shape);
    if (rc == 0)
        rc = exec_column(x, w->s, w->table, COL_TIME, &time);
    if (rc == 0)
        rc = exec_column(x, w->s, w->table, COL_NAME, &name);
    if (rc < 0)
        return rc;
    struct shape sh = segment_shape(w->s->seg, w->table, shape.u32[i]);
    rc = attr_map(x, w->s, w->table, sh, i, pairs, &attrs);
    buf_clear(pairs);
    if (rc == 0 && event) {
        struct value v = value_str(str_of(text, (size_t)fmt_rfc3339(text, time.i64[i])));
        put_pair(pairs, STR("time"), &v);
        v = value_str(dict_get(name.dict, name.ord[i]));
        put_pair(pairs, STR("name"), &v);
        n = 2;
    }
    for (uint32_t k = 0; k < sh.n && rc == 0; k++) {
        struct column c = segment_column(w->s->seg, w->table, sh.columns[k]);
        struct value v;
        if (c.level != ATTR_FIELD)
            continue;
        rc = column_value(x, w->s, w->table, sh.columns[k], i, &v);
        if (v.type == VALUE_BYTES && v.s.len <= 16) { // ids
            hex_encode(text, v.s.ptr, v.s.len);
            v = value_str(str_of(text, 2 * v.s.len));
        }
        put_pair(pairs, c.key, &v);
        n++;
    }
    if (rc == 0 && attrs.type == QVAL_MAP) {
        struct value v = { .type = VALUE_MAP, .s = attrs.s };
        put_pair(pairs, STR("attr"), &v);
        n++;
    }
    // A link to nowhere is a link still: an empty map, never a missing one.
    static const char none[] = { VALUE_MAP, 0 };
    if (rc == 0 && n == 0)
        *ret = (struct qval){ .type = QVAL_MAP, .s = { none, sizeof none } };
    return rc < 0 ? rc : close_map(x, pairs, n, ret);
}

static int close_list(struct exec *x, struct buf *items, uint64_t n, struct qval *ret)
{
    int rc = close_map(x, items, n, ret); // the same form but for the first byte
    if (rc == 0 && ret->type == QVAL_MAP) {
        ((char *)(uintptr_t)ret->s.ptr)[0] = VALUE_LIST;
        ret->type = QVAL_LIST;
    }
    buf_clear(items);
    return rc;
}

// lists[i]: the children of row i of the block.
static int children_lists(struct exec *x, struct exec_segment *s, enum segment_table t, const uint64_t *sel,
                          struct buf *pairs, struct qval *lists)
{
    struct child_walk w;
    struct buf items;
    uint32_t owner = UINT32_MAX;
    uint64_t n = 0;
    int rc = child_begin(x, s, t, s->block[TABLE_ROWS], &w);
    if (rc < 0)
        return rc;
    buf_init(&items, RECORD_BYTES_MAX);
    while (rc >= 0 && (rc = child_next(&w)) == 1) {
        for (uint32_t i = w.first; i < w.end && rc >= 0; i++) {
            struct qval map = { 0 };
            uint32_t o = child_owner(&w, i);
            if (!bit_get(sel, o))
                continue;
            if (o != owner && owner != UINT32_MAX)
                rc = close_list(x, &items, n, &lists[owner]);
            n = o != owner ? 0 : n;
            owner = o;
            if (rc >= 0)
                rc = child_map(&w, i, pairs, &map);
            if (rc >= 0 && map.type == QVAL_MAP) {
                buf_str(&items, map.s);
                n++;
            }
        }
    }
    if (rc >= 0 && owner != UINT32_MAX)
        rc = close_list(x, &items, n, &lists[owner]);
    buf_free(&items);
    return rc;
}

// ---- rows ----

struct collector {
    struct exec *x;
    bool (*skip)(void *ctx, str name);
    void *ctx;
    struct record_row *rows; // by index in the batch
    struct buf pairs;
};

static void put_cell(struct record_row *r, str name, struct qval v)
{
    if (v.type != QVAL_MISSING)
        r->cells[r->n++] = (struct query_cell){ name, v };
}

static int fixed_cells(struct collector *c, struct exec_segment *s, const uint64_t *sel, uint32_t rows,
                       const uint32_t *index, const uint32_t *at, uint32_t n)
{
    const struct query_field_info *f;
    for (uint32_t k = 0; (f = field_at(s->source, k)); k++) {
        str name = query_field_name(f->id);
        struct chain *chain;
        struct cvec v;
        if ((f->flags & QUERY_FF_VALUES && c->x->plan->values_hidden) || c->skip(c->ctx, name))
            continue;
        int rc = chain_field(c->x, s, f->id, &chain);
        if (rc == 0 && chain->n > 0)
            rc = chain_vec(c->x, s, TABLE_ROWS, chain, sel, rows, &v);
        if (rc < 0)
            return rc;
        for (uint32_t i = 0; i < n && chain->n > 0; i++) {
            struct qval q = cvec_get(&v, at[i]);
            if (qval_dup(&c->x->scratch, &q) < 0)
                return exec_nomem(c->x);
            put_cell(&c->rows[index[i]], name, q);
        }
    }
    return 0;
}

static int special_cells(struct collector *c, struct exec_segment *s, const uint64_t *sel, uint32_t rows,
                         const uint32_t *index, const uint32_t *at, uint32_t n)
{
    struct exec *x = c->x;
    struct vec shape, resource, scope;
    struct qval *lists[2] = { NULL, NULL };
    int rc = exec_column(x, s, TABLE_ROWS, COL_SHAPE, &shape);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_RESOURCE, &resource);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_SCOPE, &scope);
    for (int t = 0; t < 2 && rc == 0 && s->source == QUERY_SPANS; t++) {
        lists[t] = exec_scratch(x, rows, sizeof **lists);
        if (!lists[t])
            return exec_nomem(x);
        memset(lists[t], 0, rows * sizeof **lists);
        rc = children_lists(x, s, TABLE_EVENTS + t, sel, &c->pairs, lists[t]);
    }
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        struct record_row *row = &c->rows[index[i]];
        struct qval v[3] = { 0 };
        rc = attr_map(x, s, TABLE_ROWS, segment_shape(s->seg, TABLE_ROWS, shape.u32[at[i]]), at[i], &c->pairs, &v[0]);
        if (rc == 0)
            rc = entity_map(x, segment_resource(s->seg, resource.u32[at[i]]), &c->pairs, &v[1]);
        if (rc == 0)
            rc = entity_map(x, segment_scope(s->seg, scope.u32[at[i]]), &c->pairs, &v[2]);
        for (int k = 0; k < 3 && rc == 0; k++)
            put_cell(row, special_names[k], v[k]);
        for (int t = 0; t < 2 && lists[t] && rc == 0; t++)
            put_cell(row, special_names[3 + t], lists[t][at[i]]);
    }
    return rc;
}

static int collect_block(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n)
{
    struct collector *c = ctx;
    struct exec *x = c->x;
    uint32_t rows = segment_block_rows(s->seg, TABLE_ROWS, s->block[TABLE_ROWS]), fixed = 0;
    uint64_t *sel = exec_bits(x, rows, false);
    if (!sel)
        return exec_nomem(x);
    while (field_at(s->source, fixed))
        fixed++;
    for (uint32_t i = 0; i < n; i++) {
        bit_set(sel, at[i]);
        struct record_row *r = &c->rows[index[i]];
        r->cells = exec_scratch(x, fixed + SPECIAL_CELLS, sizeof *r->cells);
        r->n = 0;
        if (!r->cells)
            return exec_nomem(x);
    }
    int rc = fixed_cells(c, s, sel, rows, index, at, n);
    return rc < 0 ? rc : special_cells(c, s, sel, rows, index, at, n);
}

int record_rows(struct vbatch *b, const uint32_t *index, uint32_t n, bool (*skip)(void *ctx, str name), void *ctx,
                struct record_row *ret)
{
    struct collector c = { .x = b->x, .skip = skip, .ctx = ctx, .rows = exec_scratch(b->x, b->n, sizeof *ret) };
    uint64_t *in = exec_bits(b->x, b->n, false);
    if (!c.rows || !in)
        return exec_nomem(b->x);
    memset(c.rows, 0, b->n * sizeof *c.rows);
    for (uint32_t i = 0; i < n; i++)
        bit_set(in, index[i]);
    buf_init(&c.pairs, RECORD_BYTES_MAX);
    int rc = vbatch_by_block(b, in, collect_block, &c);
    buf_free(&c.pairs);
    for (uint32_t i = 0; i < n && rc == 0; i++)
        ret[i] = c.rows[index[i]];
    return rc;
}
