// A part's blocks row-major, for building the next part, and children of a row. And the table of what a part
// answers as a segment.
#include "base/mem.h"
#include "base/must.h"
#include "store/part_reader_internal.h"

// ---- rows ----------------------------------------------------------------------------------------------

static int narrow(struct part_reader *r, enum segment_table t, uint32_t col, unsigned width, void **ret_p)
{
    struct reader_col *c;
    struct reader_table *rt = &r->t[t];
    int e = reader_dense(r, t, col, &c);
    if (e < 0)
        return e;
    if (width == 8) {
        *ret_p = c->dense;
        return 0;
    }
    uint8_t *u8 = arena_alloc_array(&rt->arena, rt->n, width);
    uint32_t *u32 = (uint32_t *)(void *)u8;
    if (!u8)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < rt->n; i++) {
        if (width == 4)
            u32[i] = (uint32_t)c->dense[i];
        else
            u8[i] = (uint8_t)c->dense[i];
    }
    *ret_p = u8;
    return 0;
}

static int fixed_rows(struct part_reader *r, enum segment_table t, struct rows *rows)
{
    const struct {
        uint32_t col;
        unsigned width;
        void **p;
        bool child;
    } all[] = {
        { COL_TIME, 8, (void **)&rows->time, true },          { COL_NAME, 4, (void **)&rows->name, true },
        { COL_SHAPE, 4, (void **)&rows->shape, true },        { COL_DURATION, 8, (void **)&rows->duration, false },
        { COL_RECEIVED, 8, (void **)&rows->received, false }, { COL_SPAN, 8, (void **)&rows->span, false },
        { COL_PARENT, 8, (void **)&rows->parent, false },     { COL_PROJECT, 4, (void **)&rows->project, false },
        { COL_FLAGS, 4, (void **)&rows->flags, false },       { COL_RESOURCE, 4, (void **)&rows->resource, false },
        { COL_SCOPE, 4, (void **)&rows->scope, false },       { COL_TRACE, 4, (void **)&rows->trace, false },
        { COL_KIND, 1, (void **)&rows->kind, false },         { COL_STATUS, 1, (void **)&rows->status, false },
        { COL_SEVERITY, 1, (void **)&rows->severity, false },
    };
    int e = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && e == 0; i++)
        if (all[i].child || t == TABLE_ROWS)
            e = narrow(r, t, all[i].col, all[i].width, all[i].p);
    if (e == 0 && t != TABLE_ROWS)
        e = narrow(r, t, COL_OWNER, 4, (void **)&rows->owner);
    return e;
}

// Dense columns become values side by side: the work goes with the values, not with columns times rows.
static int values_rows(struct part_reader *r, enum segment_table t, struct rows *rows)
{
    struct reader_table *rt = &r->t[t];
    const struct part_table *pt = &r->p->t[t];
    uint64_t total = 0;
    for (uint32_t i = 0; i < rt->shapes_n; i++) {
        struct shape s = pt->shapes[rt->shapes[i].shape];
        total += (uint64_t)s.n * rt->shapes[i].rows;
        for (uint32_t k = 0; k < s.n; k++) {
            struct reader_col *c;
            int e = reader_dense(r, t, COL_FIXED + s.columns[k], &c);
            if (e < 0)
                return e;
        }
    }
    if (total > UINT32_MAX)
        return ERR_LIMIT;
    rows->value_at = arena_alloc_array(&rt->arena, rt->n, sizeof *rows->value_at);
    rows->values = arena_alloc_array(&rt->arena, (size_t)total + 1, sizeof *rows->values);
    uint64_t **cursor = arena_alloc_array(&rt->arena, (size_t)rt->touched_n + 1, sizeof(uint64_t *));
    uint32_t *cursor_of = mem_reallocarray(NULL, pt->columns_n, sizeof *cursor_of);
    if (!rows->value_at || !rows->values || !cursor || !cursor_of) {
        mem_free(cursor_of);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < rt->touched_n; i++) {
        if (rt->touched[i] < COL_FIXED)
            continue;
        cursor[i] = rt->col[rt->touched[i]]->dense;
        cursor_of[rt->touched[i] - COL_FIXED] = i;
    }
    uint64_t *out = rows->values;
    for (uint32_t i = 0; i < rt->n; i++) {
        struct shape s = pt->shapes[rt->shapes[rt->row_shape[i]].shape];
        rows->value_at[i] = (uint32_t)(out - rows->values);
        for (uint32_t k = 0; k < s.n; k++)
            *out++ = *cursor[cursor_of[s.columns[k]]]++;
    }
    mem_free(cursor_of);
    return 0;
}

int part_reader_rows(struct reader *reader, enum segment_table t, struct rows *ret_rows)
{
    struct part_reader *r = (struct part_reader *)reader;
    struct reader_table *rt = &r->t[t];
    MAGIC_CHECK(reader, READER_MAGIC);
    must(rt->block != UINT32_MAX);
    if (!rt->rows_ready) {
        struct rows rows = { .n = rt->n };
        int e = reader_shapes(r, t);
        if (e < 0 || (e = fixed_rows(r, t, &rows)) < 0 || (e = values_rows(r, t, &rows)) < 0)
            return e == ERR_NOENT ? ERR_CORRUPT : e;
        rt->rows = rows;
        rt->rows_ready = true;
    }
    *ret_rows = rt->rows;
    return 0;
}

// ---- children ------------------------------------------------------------------------------------------

static int owners_load(struct part_reader *r, enum segment_table t, uint32_t block, const struct chunk_entry *entry)
{
    struct reader_table *rt = &r->t[t];
    struct cache_entry *c;
    struct arena arena;
    if (rt->owners_block == block)
        return 0;
    if (!rt->owners && !(rt->owners = mem_reallocarray(NULL, BLOCK_ROWS, sizeof *rt->owners)))
        return ERR_NOMEM;
    rt->owners_block = UINT32_MAX;
    int e = part_chunk(r->p, CHUNK_COLUMN, entry, &r->bytes, &c);
    if (e < 0)
        return e;
    struct encode_in in = { c->data, c->data + c->size };
    arena_init(&arena, 1 << 24);
    e = decode_ints(&in, rt->owners, r->p->t[t].block_rows[block], NULL, &arena);
    arena_free(&arena);
    cache_unpin(c);
    if (e == 0)
        rt->owners_block = block;
    return e;
}

// Number of the first child whose owner is not below `row`.
static int owner_bound(struct part_reader *r, enum segment_table t, uint64_t row, uint32_t *ret_number)
{
    const struct part_table *pt = &r->p->t[t];
    const struct directory *d;
    if (pt->blocks == 0 || pt->series[COL_OWNER] == NO_SERIES) {
        *ret_number = 0;
        return pt->blocks ? ERR_CORRUPT : 0;
    }
    int e = part_directory(r->p, pt->series[COL_OWNER], &d);
    if (e < 0)
        return e;
    if (d->n != pt->blocks)
        return ERR_CORRUPT;
    uint32_t lo = 0, hi = d->n; // the first block that has an owner >= row
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (!d->e[mid].has_range || d->e[mid].block != mid)
            return ERR_CORRUPT;
        if (d->e[mid].max < (int64_t)row)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == d->n) {
        *ret_number = lo * BLOCK_ROWS;
        return 0;
    }
    if ((e = owners_load(r, t, lo, &d->e[lo])) < 0)
        return e;
    uint32_t a = 0, b = pt->block_rows[lo];
    while (a < b) {
        uint32_t mid = (a + b) / 2;
        if (r->t[t].owners[mid] < row)
            a = mid + 1;
        else
            b = mid;
    }
    *ret_number = lo * BLOCK_ROWS + a;
    return 0;
}

int part_reader_children(struct reader *reader, enum segment_table t, uint32_t row, uint32_t *ret_first,
                         uint32_t *ret_end)
{
    struct part_reader *r = (struct part_reader *)reader;
    uint32_t first, end;
    MAGIC_CHECK(reader, READER_MAGIC);
    must(t != TABLE_ROWS);
    int e = owner_bound(r, t, row, &first);
    if (e < 0 || (e = owner_bound(r, t, (uint64_t)row + 1, &end)) < 0)
        return e;
    *ret_first = first;
    *ret_end = end > first ? end : first;
    return 0;
}

// ---- the segment ---------------------------------------------------------------------------------------

static uint32_t part_blocks(const struct segment *s, enum segment_table t) { return part_of(s)->t[t].blocks; }
static uint32_t part_block_rows(const struct segment *s, enum segment_table t, uint32_t block)
{
    must(block < part_of(s)->t[t].blocks);
    return part_of(s)->t[t].block_rows[block];
}
static uint32_t part_columns(const struct segment *s, enum segment_table t) { return part_of(s)->t[t].columns_n; }
static struct column part_column(const struct segment *s, enum segment_table t, uint32_t i)
{
    must(i < part_of(s)->t[t].columns_n);
    return part_of(s)->t[t].columns[i];
}
static uint32_t part_resources(const struct segment *s) { return part_of(s)->resources.n; }
static const struct record_entity *part_resource(const struct segment *s, uint32_t i)
{
    must(i < part_of(s)->resources.n);
    return &part_of(s)->resources.e[i];
}
static uint64_t part_resource_hash(const struct segment *s, uint32_t i)
{
    must(i < part_of(s)->resources.n);
    return part_of(s)->resources.hash[i];
}
static uint32_t part_scopes(const struct segment *s) { return part_of(s)->scopes.n; }
static const struct record_entity *part_scope(const struct segment *s, uint32_t i)
{
    must(i < part_of(s)->scopes.n);
    return &part_of(s)->scopes.e[i];
}
static uint64_t part_scope_hash(const struct segment *s, uint32_t i)
{
    must(i < part_of(s)->scopes.n);
    return part_of(s)->scopes.hash[i];
}
static uint32_t part_shapes(const struct segment *s, enum segment_table t) { return part_of(s)->t[t].shapes_n; }
static struct shape part_shape(const struct segment *s, enum segment_table t, uint32_t i)
{
    must(i < part_of(s)->t[t].shapes_n);
    return part_of(s)->t[t].shapes[i];
}
static uint32_t part_traces(const struct segment *s) { return part_of(s)->traces; }
static int part_trace(const struct segment *s, uint32_t ord, uint8_t id[16])
{
    return part_trace_id(part_of(s), ord, id);
}
static int part_find_string(const struct segment *s, uint32_t column, str value, uint64_t *blocks)
{
    return part_key_find(part_of(s), column, value, blocks);
}

static int part_find_trace(const struct segment *s, const uint8_t id[16], uint32_t *ret_ord)
{
    return part_trace_find(part_of(s), id, ret_ord);
}
static int part_trace_rows(const struct segment *s, uint32_t ord, uint64_t *ret_first, uint64_t *ret_end)
{
    return part_trace_run(part_of(s), ord, ret_first, ret_end);
}

static bool part_block_range(const struct segment *s, enum segment_table t, uint32_t block, uint32_t col,
                             int64_t *ret_min, int64_t *ret_max)
{
    struct part *p = part_of(s);
    struct chunk_entry entry;
    if (col >= COL_FIXED + p->t[t].columns_n || p->t[t].blocks == 0)
        return false;
    part_pin(p);
    int e = part_entry(p, p->t[t].series[col], block, &entry);
    part_unpin(p);
    if (e < 0 || !entry.has_range)
        return false;
    *ret_min = entry.min;
    *ret_max = entry.max;
    return true;
}

static const struct dict *part_dict_of(const struct segment *s, enum segment_table t, uint32_t col)
{
    struct part *p = part_of(s);
    const struct dict *d = NULL;
    if (p->t[t].rows == 0 || col >= COL_FIXED + p->t[t].columns_n || p->t[t].dict[col] == NO_SERIES)
        return NULL;
    return part_dict(p, p->t[t].dict[col], &d) < 0 ? NULL : d;
}

const struct segment_ops part_ops = {
    .blocks = part_blocks,
    .block_rows = part_block_rows,
    .columns = part_columns,
    .column = part_column,
    .resources = part_resources,
    .resource = part_resource,
    .resource_hash = part_resource_hash,
    .scopes = part_scopes,
    .scope = part_scope,
    .scope_hash = part_scope_hash,
    .shapes = part_shapes,
    .shape = part_shape,
    .traces = part_traces,
    .trace = part_trace,
    .find_trace = part_find_trace,
    .find_string = part_find_string,
    .trace_rows = part_trace_rows,
    .block_range = part_block_range,
    .dict = part_dict_of,
    .reader_open = part_reader_open,
    .reader_close = part_reader_close,
    .reader_seek = part_reader_seek,
    .reader_column = part_reader_column,
    .reader_strings = part_reader_strings,
    .reader_value = part_reader_value,
    .children = part_reader_children,
    .reader_rows = part_reader_rows,
    .reader_block_dict = part_reader_block_dict,
    .reader_bytes = part_reader_bytes,
};
