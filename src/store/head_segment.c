// A head lane's committed rows of one source as a segment. Fixed columns are handed out in place; attribute
// columns are gathered from the rows through their shapes.
#include "base/must.h"
#include "store/head.h"

struct head_segment {
    struct segment s;
    struct generation *g;
    struct lane *lane;
    struct lane_source *source;
    struct table_mark end[TABLE_N];
    uint32_t columns_n[TABLE_N], shapes_n[TABLE_N];
    uint32_t resources_n, scopes_n, traces_n;
};

// A gathered attribute column; place[shape] is its position in the shape, or NOT_THERE.
struct gathered {
    uint16_t *place;
    uint64_t *words; // BLOCK_ROWS of the widest type
    uint64_t present[BLOCK_ROWS / 64];
    struct vec vec;
    bool current;
};
enum { NOT_THERE = UINT16_MAX };

struct head_reader {
    struct reader r;
    const struct head_segment *hs;
    uint32_t block[TABLE_N];
    struct gathered **columns[TABLE_N];
};

static const struct head_segment *head_of(const struct segment *s) { return (const struct head_segment *)s; }

static const struct lane_table *table_of(const struct segment *s, enum segment_table t)
{
    return &head_of(s)->source->table[t];
}

static uint32_t head_blocks(const struct segment *s, enum segment_table t) { return head_of(s)->end[t].blocks; }

static uint32_t head_block_rows(const struct segment *s, enum segment_table t, uint32_t block)
{
    const struct table_mark *end = &head_of(s)->end[t];
    must(block < end->blocks);
    return block + 1 == end->blocks ? end->rows : table_of(s, t)->block[block]->rows.n;
}

static uint32_t head_columns(const struct segment *s, enum segment_table t) { return head_of(s)->columns_n[t]; }

static struct column head_column(const struct segment *s, enum segment_table t, uint32_t i)
{
    must(i < head_of(s)->columns_n[t]);
    return table_of(s, t)->columns[i]->c;
}

static uint32_t head_resources(const struct segment *s) { return head_of(s)->resources_n; }
static uint32_t head_scopes(const struct segment *s) { return head_of(s)->scopes_n; }

static const struct record_entity *head_resource(const struct segment *s, uint32_t ord)
{
    return &lane_entity_get(&head_of(s)->lane->resources, ord)->e;
}

static uint64_t head_resource_hash(const struct segment *s, uint32_t ord)
{
    return lane_entity_get(&head_of(s)->lane->resources, ord)->hash;
}

static const struct record_entity *head_scope(const struct segment *s, uint32_t ord)
{
    return &lane_entity_get(&head_of(s)->lane->scopes, ord)->e;
}

static uint64_t head_scope_hash(const struct segment *s, uint32_t ord)
{
    return lane_entity_get(&head_of(s)->lane->scopes, ord)->hash;
}

static uint32_t head_shapes(const struct segment *s, enum segment_table t) { return head_of(s)->shapes_n[t]; }

static struct shape head_shape(const struct segment *s, enum segment_table t, uint32_t ord)
{
    const struct lane_shape *ls = lane_shape_get(table_of(s, t), ord);
    return (struct shape){ ls->columns, ls->n };
}

static uint32_t head_traces(const struct segment *s) { return head_of(s)->traces_n; }

static int head_trace(const struct segment *s, uint32_t ord, uint8_t id[16])
{
    memcpy(id, lane_trace_get(&head_of(s)->lane->traces, ord), 16);
    return 0;
}

// The lane's hash table moves under its writer, so readers walk the ids: 16 B each, 100 k in a tenth of a ms.
static int head_find_trace(const struct segment *s, const uint8_t id[16], uint32_t *ret_ord)
{
    const struct lane_traces *ts = &head_of(s)->lane->traces;
    uint32_t n = head_of(s)->traces_n;
    uint64_t a = le64_get(id), b = le64_get(id + 8);
    for (uint32_t first = 0, k = 0; first < n; first += 64u << k, k++) {
        uint32_t in_chunk = n - first < 64u << k ? n - first : 64u << k;
        for (uint32_t i = 0; i < in_chunk; i++) {
            const uint8_t *p = ts->chunk[k][i];
            if (le64_get(p) == a && le64_get(p + 8) == b) {
                *ret_ord = first + i;
                return 0;
            }
        }
    }
    return ERR_NOENT;
}

static int head_trace_rows(const struct segment *s, uint32_t ord, uint64_t *ret_first, uint64_t *ret_end)
{
    return ERR_UNSUPPORTED;
}

static bool head_block_range(const struct segment *s, enum segment_table t, uint32_t block, uint32_t col,
                             int64_t *ret_min, int64_t *ret_max)
{
    return false;
}

static bool type_is_string(uint8_t type)
{
    return type == VALUE_STR || type == VALUE_BYTES || type == VALUE_LIST || type == VALUE_MAP;
}

static const struct dict *head_dict_of(const struct segment *s, enum segment_table t, uint32_t col)
{
    const struct lane_table *lt = table_of(s, t);
    if (col == COL_NAME)
        return &lt->names.d;
    if (col < COL_FIXED || col - COL_FIXED >= head_of(s)->columns_n[t])
        return NULL;
    const struct lane_column *c = lt->columns[col - COL_FIXED];
    return type_is_string(c->c.type) ? &c->dict.d : NULL;
}

// ---- readers -------------------------------------------------------------------------------------------

static int head_reader_open(const struct segment *s, struct reader **ret_reader)
{
    struct head_reader *r = mem_zalloc(sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->r = (struct reader){ READER_MAGIC, s };
    r->hs = head_of(s);
    for (unsigned t = 0; t < TABLE_N; t++)
        r->block[t] = UINT32_MAX;
    *ret_reader = &r->r;
    return 0;
}

static void head_reader_close(struct reader *reader)
{
    struct head_reader *r = (struct head_reader *)reader;
    for (unsigned t = 0; t < TABLE_N; t++) {
        for (uint32_t i = 0; r->columns[t] && i < r->hs->columns_n[t]; i++) {
            if (!r->columns[t][i])
                continue;
            mem_free(r->columns[t][i]->place);
            mem_free(r->columns[t][i]->words);
            mem_free(r->columns[t][i]);
        }
        mem_free(r->columns[t]);
    }
    r->r.magic = 0;
    mem_free(r);
}

static int head_reader_seek(struct reader *reader, enum segment_table t, uint32_t block)
{
    struct head_reader *r = (struct head_reader *)reader;
    must(block < r->hs->end[t].blocks);
    if (r->block[t] == block)
        return 0;
    r->block[t] = block;
    for (uint32_t i = 0; r->columns[t] && i < r->hs->columns_n[t]; i++)
        if (r->columns[t][i])
            r->columns[t][i]->current = false;
    return 0;
}

static struct gathered *gathered_get(struct head_reader *r, enum segment_table t, uint32_t column)
{
    if (!r->columns[t] && !(r->columns[t] = mem_calloc(r->hs->columns_n[t], sizeof(struct gathered *))))
        return NULL;
    struct gathered *g = r->columns[t][column];
    if (g)
        return g;
    uint32_t shapes = r->hs->shapes_n[t];
    g = mem_zalloc(sizeof *g);
    uint16_t *place = mem_alloc(sizeof *place * shapes);
    uint64_t *words = mem_alloc(sizeof *words * BLOCK_ROWS);
    if (!g || !place || !words) {
        mem_free(g);
        mem_free(place);
        mem_free(words);
        return NULL;
    }
    const struct lane_table *lt = &r->hs->source->table[t];
    for (uint32_t s = 0; s < shapes; s++) {
        const struct lane_shape *shape = lane_shape_get(lt, s);
        place[s] = NOT_THERE;
        for (uint32_t i = 0; i < shape->n; i++)
            if (shape->columns[i] == column)
                place[s] = (uint16_t)i;
    }
    g->place = place;
    g->words = words;
    r->columns[t][column] = g;
    return g;
}

// Gathers the column's values of the current block; absent rows get 0.
static void gather(struct head_reader *r, enum segment_table t, uint32_t column, struct gathered *g)
{
    const struct segment *s = &r->hs->s;
    const struct lane_column *c = r->hs->source->table[t].columns[column];
    const struct rows *rows = &r->hs->source->table[t].block[r->block[t]]->rows;
    uint32_t n = head_block_rows(s, t, r->block[t]);
    memset(g->present, 0, sizeof g->present);
    struct vec *v = &g->vec;
    *v = (struct vec){ .n = n, .present = g->present };
    uint32_t *u32 = (uint32_t *)g->words;
    uint8_t *u8 = (uint8_t *)g->words;
    uint32_t found = 0;
    bool wide = c->c.type == VALUE_INT || c->c.type == VALUE_DOUBLE, narrow = c->c.type == VALUE_BOOL;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t place = g->place[rows->shape[i]];
        uint64_t w = 0;
        if (place != NOT_THERE) {
            w = rows->values[rows->value_at[i] + place];
            g->present[i >> 6] |= 1ull << (i & 63);
            found++;
        }
        if (wide)
            g->words[i] = w;
        else if (narrow)
            u8[i] = (uint8_t)w;
        else
            u32[i] = (uint32_t)w;
    }
    if (found == n)
        v->present = NULL;
    v->u64 = g->words; // the union's other views share the pointer
    v->kind = c->c.type == VALUE_INT      ? VEC_I64
              : c->c.type == VALUE_DOUBLE ? VEC_F64
              : type_is_string(c->c.type) ? VEC_STR
                                          : VEC_U8; // BOOL; NULL has presence only
    if (v->kind == VEC_STR)
        v->dict = &c->dict.d;
    g->current = true;
}

static int head_reader_column(struct reader *reader, enum segment_table t, uint32_t col, struct vec *ret_vec)
{
    struct head_reader *r = (struct head_reader *)reader;
    must(r->block[t] != UINT32_MAX);
    const struct lane_table *lt = &r->hs->source->table[t];
    const struct rows *rows = &lt->block[r->block[t]]->rows;
    struct vec v = { .n = head_block_rows(&r->hs->s, t, r->block[t]) };
    if (col >= COL_FIXED) {
        must(col - COL_FIXED < r->hs->columns_n[t]);
        struct gathered *g = gathered_get(r, t, col - COL_FIXED);
        if (!g)
            return ERR_NOMEM;
        if (!g->current)
            gather(r, t, col - COL_FIXED, g);
        *ret_vec = g->vec;
        return 0;
    }
    const void *p = NULL;
    switch ((enum column_id)col) {
    case COL_TIME:
        v.kind = VEC_I64, p = rows->time;
        break;
    case COL_DURATION:
        v.kind = VEC_I64, p = rows->duration;
        break;
    case COL_RECEIVED:
        v.kind = VEC_I64, p = rows->received;
        break;
    case COL_PROJECT:
        v.kind = VEC_U32, p = rows->project;
        break;
    case COL_KIND:
        v.kind = VEC_U8, p = rows->kind;
        break;
    case COL_STATUS:
        v.kind = VEC_U8, p = rows->status;
        break;
    case COL_SEVERITY:
        v.kind = VEC_U8, p = rows->severity;
        break;
    case COL_FLAGS:
        v.kind = VEC_U32, p = rows->flags;
        break;
    case COL_RESOURCE:
        v.kind = VEC_U32, p = rows->resource;
        break;
    case COL_SCOPE:
        v.kind = VEC_U32, p = rows->scope;
        break;
    case COL_NAME:
        v.kind = VEC_STR, p = rows->name, v.dict = &lt->names.d;
        break;
    case COL_TRACE:
        v.kind = VEC_U32, p = rows->trace;
        break;
    case COL_SPAN:
        v.kind = VEC_U64, p = rows->span;
        break;
    case COL_PARENT:
        v.kind = VEC_U64, p = rows->parent;
        break;
    case COL_SHAPE:
        v.kind = VEC_U32, p = rows->shape;
        break;
    case COL_OWNER:
        v.kind = VEC_U32, p = rows->owner;
        break;
    case COL_FIXED:
        break;
    }
    if (!p)
        return ERR_NOENT;
    v.u64 = p;
    *ret_vec = v;
    return 0;
}

// First child row number whose owner is not below `row`.
static uint32_t owner_lower_bound(const struct head_segment *hs, enum segment_table t, uint64_t row)
{
    const struct lane_table *lt = &hs->source->table[t];
    uint32_t lo = 0, hi = hs->end[t].blocks; // the first block whose last owner is >= row
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2, n = head_block_rows(&hs->s, t, mid);
        if (n == 0 || lt->block[mid]->rows.owner[n - 1] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == hs->end[t].blocks)
        return lo * BLOCK_ROWS;
    uint32_t a = 0, b = head_block_rows(&hs->s, t, lo);
    while (a < b) {
        uint32_t mid = (a + b) / 2;
        if (lt->block[lo]->rows.owner[mid] < row)
            a = mid + 1;
        else
            b = mid;
    }
    return lo * BLOCK_ROWS + a;
}

static int head_children(struct reader *reader, enum segment_table t, uint32_t row, uint32_t *ret_first,
                         uint32_t *ret_end)
{
    const struct head_segment *hs = ((struct head_reader *)reader)->hs;
    *ret_first = owner_lower_bound(hs, t, row);
    *ret_end = owner_lower_bound(hs, t, (uint64_t)row + 1);
    return 0;
}

static int head_reader_rows(struct reader *reader, enum segment_table t, struct rows *ret_rows)
{
    struct head_reader *r = (struct head_reader *)reader;
    must(r->block[t] != UINT32_MAX);
    *ret_rows = r->hs->source->table[t].block[r->block[t]]->rows;
    ret_rows->n = head_block_rows(&r->hs->s, t, r->block[t]);
    return 0;
}

static const struct dict *head_block_dict(struct reader *reader, enum segment_table t, uint32_t col) { return NULL; }
static uint64_t head_reader_bytes(const struct reader *reader) { return 0; }

static const struct segment_ops head_ops = {
    .blocks = head_blocks,
    .block_rows = head_block_rows,
    .columns = head_columns,
    .column = head_column,
    .resources = head_resources,
    .resource = head_resource,
    .resource_hash = head_resource_hash,
    .scopes = head_scopes,
    .scope = head_scope,
    .scope_hash = head_scope_hash,
    .shapes = head_shapes,
    .shape = head_shape,
    .traces = head_traces,
    .trace = head_trace,
    .find_trace = head_find_trace,
    .trace_rows = head_trace_rows,
    .block_range = head_block_range,
    .dict = head_dict_of,
    .reader_open = head_reader_open,
    .reader_close = head_reader_close,
    .reader_seek = head_reader_seek,
    .reader_column = head_reader_column,
    .children = head_children,
    .reader_rows = head_reader_rows,
    .reader_block_dict = head_block_dict,
    .reader_bytes = head_reader_bytes,
};

struct segment *head_segment_new(struct generation *g, unsigned lane, unsigned source, int *ret_error)
{
    *ret_error = 0;
    struct lane *l = atomic_load_explicit(&g->lane[lane], memory_order_acquire);
    struct lane_source *ls = l ? atomic_load_explicit(&l->source[source], memory_order_acquire) : NULL;
    if (!ls || table_mark_rows_end(ls->table[TABLE_ROWS].committed) == 0)
        return NULL;
    struct head_segment *hs = mem_zalloc(sizeof *hs);
    if (!hs) {
        *ret_error = ERR_NOMEM;
        return NULL;
    }
    hs->g = generation_ref(g);
    hs->lane = l;
    hs->source = ls;
    // Read after the committed marks, so never less than what committed rows refer to.
    for (unsigned t = 0; t < TABLE_N; t++) {
        hs->end[t] = ls->table[t].committed;
        hs->columns_n[t] = atomic_load_explicit(&ls->table[t].columns_n, memory_order_acquire);
        hs->shapes_n[t] = atomic_load_explicit(&ls->table[t].shapes_n, memory_order_acquire);
    }
    hs->resources_n = atomic_load_explicit(&l->resources.n, memory_order_acquire);
    hs->scopes_n = atomic_load_explicit(&l->scopes.n, memory_order_acquire);
    hs->traces_n = atomic_load_explicit(&l->traces.n, memory_order_acquire);
    const struct lane_table *t = &ls->table[TABLE_ROWS];
    hs->s = (struct segment){ .magic = SEGMENT_MAGIC,
                              .ops = &head_ops,
                              .info = { .source = (uint8_t)source,
                                        .head = true,
                                        .time_min = __atomic_load_n(&t->time_min, __ATOMIC_RELAXED),
                                        .time_max = __atomic_load_n(&t->time_max, __ATOMIC_RELAXED),
                                        .received_min = __atomic_load_n(&t->received_min, __ATOMIC_RELAXED),
                                        .received_max = __atomic_load_n(&t->received_max, __ATOMIC_RELAXED),
                                        .duration_max = __atomic_load_n(&t->duration_max, __ATOMIC_RELAXED) } };
    for (uint32_t b = 0; b < hs->end[TABLE_ROWS].blocks; b++)
        hs->s.info.rows += head_block_rows(&hs->s, TABLE_ROWS, b);
    return &hs->s;
}

void head_segment_free(struct segment *s)
{
    if (!s)
        return;
    MAGIC_CHECK(s, SEGMENT_MAGIC);
    struct head_segment *hs = (struct head_segment *)s;
    generation_unref(hs->g);
    hs->s.magic = 0;
    mem_free(hs);
}
