#include "query/attributes.h"

#include "base/mem.h"
#include "query/error.h"
#include "query/scan.h"

#include <stdlib.h>

// One key at one level.
struct counted {
    str key;
    uint8_t level;
    uint32_t types;
    uint64_t rows;
};

struct counting {
    struct exec x;
    struct counted *all;
    uint32_t n, cap;
    // Of the segment at hand: rows by shape, resource and scope.
    uint64_t *shapes, *resources, *scopes;
};

static enum qval_type type_of(uint8_t value_type)
{
    static const uint8_t types[] = {
        [VALUE_NULL] = QVAL_MISSING, [VALUE_STR] = QVAL_STR,     [VALUE_INT] = QVAL_INT,   [VALUE_DOUBLE] = QVAL_DOUBLE,
        [VALUE_BOOL] = QVAL_BOOL,    [VALUE_BYTES] = QVAL_BYTES, [VALUE_LIST] = QVAL_LIST, [VALUE_MAP] = QVAL_MAP
    };
    return value_type <= VALUE_MAP ? types[value_type] : QVAL_MISSING;
}

static int note(struct counting *c, str key, uint8_t level, uint8_t type, uint64_t rows)
{
    enum qval_type t = type_of(type);
    if (t == QVAL_MISSING || rows == 0)
        return 0;
    int rc = exec_grow(&c->x, (void **)&c->all, &c->cap, c->n, sizeof *c->all);
    if (rc == 0)
        c->all[c->n++] = (struct counted){ key, level, 1u << t, rows };
    return rc;
}

static int count_rows(struct counting *c, struct vbatch *b)
{
    struct vec shape, resource, scope;
    int rc = exec_column(&c->x, b->seg, TABLE_ROWS, COL_SHAPE, &shape);
    if (rc == 0)
        rc = exec_column(&c->x, b->seg, TABLE_ROWS, COL_RESOURCE, &resource);
    if (rc == 0)
        rc = exec_column(&c->x, b->seg, TABLE_ROWS, COL_SCOPE, &scope);
    for (BITS_EACH(i, b->sel, b->n)) {
        if (rc < 0)
            break;
        c->shapes[shape.u32[i]]++;
        c->resources[resource.u32[i]]++;
        c->scopes[scope.u32[i]]++;
    }
    return rc;
}

static int note_entities(struct counting *c, const struct exec_segment *s, bool resources)
{
    uint32_t n = resources ? segment_resources(s->seg) : segment_scopes(s->seg);
    const uint64_t *rows = resources ? c->resources : c->scopes;
    int rc = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const struct record_entity *e = resources ? segment_resource(s->seg, i) : segment_scope(s->seg, i);
        for (uint32_t k = 0; k < e->attrs_n && rc == 0; k++)
            rc = note(c, e->attrs[k].key, resources ? ATTR_RESOURCE : ATTR_SCOPE, e->attrs[k].value.type, rows[i]);
    }
    return rc;
}

static int note_columns(struct counting *c, const struct exec_segment *s)
{
    uint32_t n = segment_columns(s->seg, TABLE_ROWS);
    uint64_t *rows = arena_zalloc(&c->x.arena, (n + 1) * sizeof *rows);
    int rc = rows ? 0 : exec_nomem(&c->x);
    for (uint32_t i = 0; i < segment_shapes(s->seg, TABLE_ROWS) && rc == 0; i++) {
        struct shape sh = segment_shape(s->seg, TABLE_ROWS, i);
        for (uint32_t k = 0; k < sh.n && c->shapes[i]; k++)
            rows[sh.columns[k]] += c->shapes[i];
    }
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        struct column col = segment_column(s->seg, TABLE_ROWS, i);
        if (col.level == ATTR_RECORD && col.key.len)
            rc = note(c, col.key, ATTR_RECORD, col.type, rows[i]);
    }
    return rc;
}

static int count_segment(struct counting *c, struct exec_segment *s)
{
    struct exec *x = &c->x;
    uint32_t blocks = segment_blocks(s->seg, TABLE_ROWS);
    uint64_t *some;
    arena_reset(&x->scratch);
    int rc = scan_blocks(x, s, &some);
    if (rc < 0 || !bits_any(some, blocks))
        return rc;
    c->shapes = arena_zalloc(&x->arena, (segment_shapes(s->seg, TABLE_ROWS) + 1) * sizeof(uint64_t));
    c->resources = arena_zalloc(&x->arena, (segment_resources(s->seg) + 1) * sizeof(uint64_t));
    c->scopes = arena_zalloc(&x->arena, (segment_scopes(s->seg) + 1) * sizeof(uint64_t));
    if (!c->shapes || !c->resources || !c->scopes)
        return exec_nomem(x);
    for (BITS_EACH(b, some, blocks)) {
        struct vbatch batch;
        rc = scan_block(x, s, b, NULL, 0, &batch);
        if (rc == 0)
            rc = count_rows(c, &batch);
        if (rc < 0)
            return rc;
    }
    rc = note_columns(c, s);
    if (rc == 0)
        rc = note_entities(c, s, true);
    return rc < 0 ? rc : note_entities(c, s, false);
}

static int order_counted(const void *pa, const void *pb)
{
    const struct counted *a = pa, *b = pb;
    return a->level != b->level ? (a->level < b->level ? -1 : 1) : str_cmp(a->key, b->key);
}

// Equal keys of a level as one.
static int report(struct counting *c, int (*fn)(void *ctx, const struct query_attribute *a), void *ctx)
{
    int rc = 0;
    if (c->n > 1)
        qsort(c->all, c->n, sizeof *c->all, order_counted);
    for (uint32_t from = 0, to; from < c->n && rc == 0; from = to) {
        struct query_attribute a = { .key = c->all[from].key, .level = c->all[from].level };
        for (to = from; to < c->n && order_counted(&c->all[from], &c->all[to]) == 0; to++) {
            a.types |= c->all[to].types;
            a.rows += c->all[to].rows;
        }
        rc = fn(ctx, &a);
    }
    return rc < 0 ? exec_fail(&c->x, rc) : 0;
}

int query_attributes_segments(const struct query_request *q, const struct segment *const *segments, uint32_t n,
                              int (*fn)(void *ctx, const struct query_attribute *a), void *ctx, struct query_error *err)
{
    struct counting c = { 0 };
    int rc = exec_begin(&c.x, q, segments, NULL, n, err);
    for (uint32_t i = 0; i < c.x.segs_n && rc == 0; i++)
        rc = count_segment(&c, &c.x.segs[i]);
    if (rc == 0)
        rc = report(&c, fn, ctx);
    exec_free(&c.x, c.all, c.cap * sizeof *c.all);
    return exec_end(&c.x, rc);
}
