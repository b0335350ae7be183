// Columns of a part's blocks: found, unpacked, checked against what the part has, spread over the rows.
#include "base/mem.h"
#include "base/must.h"
#include "store/part_reader_internal.h"

enum { BLOCK_MEMORY_MAX = 1 << 30 };

static struct part_reader *reader_of(struct reader *r)
{
    MAGIC_CHECK(r, READER_MAGIC);
    return (struct part_reader *)r;
}

// ---- life ----------------------------------------------------------------------------------------------

int part_reader_open(const struct segment *s, struct reader **ret_reader)
{
    struct part_reader *r = mem_zalloc(sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->r = (struct reader){ READER_MAGIC, s };
    r->p = part_ref(part_of(s));
    part_pin(r->p);
    for (int t = 0; t < TABLE_N; t++) {
        r->t[t].block = r->t[t].owners_block = UINT32_MAX;
        arena_init(&r->t[t].arena, BLOCK_MEMORY_MAX);
    }
    *ret_reader = &r->r;
    return 0;
}

static void block_leave(struct reader_table *t)
{
    for (uint32_t i = 0; i < t->touched_n; i++)
        t->col[t->touched[i]] = NULL;
    for (uint32_t i = 0; i < t->shapes_n; i++)
        t->shape_slot[t->shapes[i].shape] = 0;
    for (uint32_t i = 0; i < t->pins_n; i++)
        cache_unpin(t->pin[i]);
    t->touched_n = t->shapes_n = t->pins_n = 0;
    t->shapes_ready = t->tail_ready = t->rows_ready = false;
    t->shape_rows = NULL;
    t->block = UINT32_MAX;
    arena_reset(&t->arena);
}

void part_reader_close(struct reader *reader)
{
    struct part_reader *r = reader_of(reader);
    for (int k = 0; k < TABLE_N; k++) {
        struct reader_table *t = &r->t[k];
        block_leave(t);
        arena_free(&t->arena);
        mem_free(t->col);
        mem_free(t->touched);
        mem_free(t->pin);
        mem_free(t->shape_slot);
        mem_free(t->owners);
    }
    part_unpin(r->p);
    part_unref(r->p);
    r->r.magic = 0;
    mem_free(r);
}

int part_reader_seek(struct reader *reader, enum segment_table t, uint32_t block)
{
    struct part_reader *r = reader_of(reader);
    struct reader_table *rt = &r->t[t];
    const struct part_table *pt = &r->p->t[t];
    must(block < pt->blocks);
    if (rt->block == block)
        return 0;
    if (!rt->col) {
        size_t columns = (size_t)pt->columns_n + COL_FIXED;
        rt->col = mem_calloc(columns, sizeof(struct reader_col *));
        rt->touched = mem_reallocarray(NULL, columns, sizeof *rt->touched);
        rt->shape_slot = mem_calloc(pt->shapes_n, sizeof *rt->shape_slot);
        if (!rt->col || !rt->touched || !rt->shape_slot) {
            mem_free(rt->col);
            mem_free(rt->touched);
            mem_free(rt->shape_slot);
            rt->col = NULL, rt->touched = NULL, rt->shape_slot = NULL;
            return ERR_NOMEM;
        }
    }
    block_leave(rt);
    rt->block = block;
    rt->n = pt->block_rows[block];
    return 0;
}

uint64_t part_reader_bytes(const struct reader *reader) { return ((const struct part_reader *)reader)->bytes; }

static int pin_keep(struct reader_table *t, struct cache_entry *c)
{
    if (t->pins_n == t->pins_cap) {
        uint32_t cap = t->pins_cap ? t->pins_cap * 2 : 16;
        struct cache_entry **p = mem_reallocarray(t->pin, cap, sizeof(struct cache_entry *));
        if (!p) {
            cache_unpin(c);
            return ERR_NOMEM;
        }
        t->pin = p;
        t->pins_cap = cap;
    }
    t->pin[t->pins_n++] = c;
    return 0;
}

// ---- finding a column's bytes --------------------------------------------------------------------------

// Loads a chunk of the current block and keeps it until the next seek.
static int chunk_keep(struct part_reader *r, enum segment_table t, enum chunk_kind kind, uint32_t series,
                      struct encode_in *ret_in)
{
    struct chunk_entry entry;
    struct cache_entry *c;
    int e = part_entry(r->p, series, r->t[t].block, &entry);
    if (e < 0 || (e = part_chunk(r->p, kind, &entry, &r->bytes, &c)) < 0 || (e = pin_keep(&r->t[t], c)) < 0)
        return e;
    *ret_in = (struct encode_in){ c->data, c->data + c->size };
    return 0;
}

// The column's piece of the tail, which has to hold n values.
static int tail_find(struct part_reader *r, enum segment_table t, uint32_t column, uint32_t n, struct encode_in *ret_in)
{
    struct reader_table *rt = &r->t[t];
    int e;
    if (!rt->tail_ready) {
        e = chunk_keep(r, t, CHUNK_TAIL, r->p->t[t].tail, &rt->tail);
        if (e < 0)
            return e == ERR_NOENT ? ERR_CORRUPT : e;
        rt->tail_ready = true;
    }
    struct encode_in in = rt->tail;
    uint64_t count, skip, values, size, at = 0;
    e = encode_varint_get(&in, &count);
    for (uint64_t i = 0; e == 0 && i < count; i++) {
        if (encode_varint_get(&in, &skip) < 0 || encode_varint_get(&in, &values) < 0 ||
            encode_varint_get(&in, &size) < 0 || size > (uint64_t)(in.end - in.p) || skip > UINT32_MAX)
            return ERR_CORRUPT;
        at += skip;
        if (at == column) {
            *ret_in = (struct encode_in){ in.p, in.p + size };
            return values == n ? 0 : ERR_CORRUPT;
        }
        if (at++ > column)
            break;
        in.p += size;
    }
    return ERR_CORRUPT;
}

// ---- values --------------------------------------------------------------------------------------------

static struct reader_col *col_get(struct reader_table *t, uint32_t col)
{
    if (!t->col[col]) {
        struct reader_col *c = arena_zalloc(&t->arena, sizeof *c);
        if (!c)
            return NULL;
        t->col[col] = c;
        t->touched[t->touched_n++] = col;
    }
    return t->col[col];
}

// The top bit is set when v < limit, for limits below 2^63: a form of the comparison that vectors can do.
static inline uint64_t below(uint64_t v, uint64_t limit) { return (v - limit) & ~v; }

static int check_below(const uint64_t *v, uint32_t n, uint64_t limit)
{
    uint64_t good = 1ull << 63;
    for (uint32_t i = 0; i < n; i++)
        good &= below(v[i], limit);
    return good ? 0 : ERR_CORRUPT;
}

static int check_traces(const uint64_t *v, uint32_t n, uint64_t traces)
{
    uint64_t good = 1ull << 63;
    for (uint32_t i = 0; i < n; i++)
        good &= below(v[i], traces) | below(v[i] ^ TRACE_NONE, 1);
    return good ? 0 : ERR_CORRUPT;
}

// Strings: ordinals of the part's dictionary, or the block's own strings.
static int strings_decode(struct part_reader *r, enum segment_table t, uint32_t col, struct encode_in *in,
                          struct reader_col *c)
{
    struct reader_table *rt = &r->t[t];
    uint32_t series = r->p->t[t].dict[col];
    if (series != NO_SERIES) {
        int e = part_dict(r->p, series, &c->dict);
        if (e < 0 || (e = decode_ints(in, c->dense, c->n, NULL, &rt->arena)) < 0)
            return e;
        return check_below(c->dense, c->n, c->dict->n);
    }
    uint64_t k;
    int e = encode_varint_get(in, &k);
    if (e < 0 || k > c->n)
        return ERR_CORRUPT;
    str *s = arena_alloc_array(&rt->arena, (size_t)k + 1, sizeof *s);
    struct dict *d = arena_alloc(&rt->arena, sizeof *d);
    if (!s || !d)
        return ERR_NOMEM;
    if ((e = decode_strings_wanted(in, s, (uint32_t)k, r->wanted, &rt->arena)) < 0)
        return e;
    part_dict_view(d, s, (uint32_t)k);
    c->dict = d;
    c->dict_is_block = true;
    if (in->p == in->end)
        return ERR_CORRUPT;
    if (*in->p++) { // each row has its own
        for (uint32_t i = 0; i < c->n; i++)
            c->dense[i] = i;
        return k == c->n ? 0 : ERR_CORRUPT;
    }
    if ((e = decode_ints(in, c->dense, c->n, NULL, &rt->arena)) < 0)
        return e;
    return check_below(c->dense, c->n, k);
}

static int parents_decode(struct part_reader *r, struct encode_in *in, struct reader_col *c)
{
    struct reader_table *rt = &r->t[TABLE_ROWS];
    struct reader_col *span;
    uint32_t far = 0;
    int e = decode_ints(in, c->dense, c->n, NULL, &rt->arena);
    for (uint32_t i = 0; i < c->n && e == 0; i++)
        far += c->dense[i] == 1;
    uint64_t *id = arena_alloc_array(&rt->arena, (size_t)far + 1, sizeof *id);
    if (e < 0 || !id)
        return e < 0 ? e : ERR_NOMEM;
    if ((e = decode_ints(in, id, far, NULL, &rt->arena)) < 0 || (e = reader_dense(r, TABLE_ROWS, COL_SPAN, &span)) < 0)
        return e;
    far = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->dense[i] == 0)
            continue;
        if (c->dense[i] == 1) {
            c->dense[i] = id[far++];
            continue;
        }
        uint64_t row = i - encode_unzigzag(c->dense[i] - 2);
        if (row >= c->n)
            return ERR_CORRUPT;
        c->dense[i] = span->dense[row];
    }
    return 0;
}

static int spans_decode(struct encode_in *in, struct reader_col *c, struct arena *arena)
{
    if (in->p == in->end)
        return ERR_CORRUPT;
    if (*in->p++ != 0)
        return decode_ints(in, c->dense, c->n, NULL, arena);
    if ((size_t)(in->end - in->p) < sizeof(uint64_t) * c->n)
        return ERR_CORRUPT;
    memcpy(c->dense, in->p, sizeof(uint64_t) * c->n);
    return 0;
}

// Runs of what the rows are ordered by, when the times are told from them.
static int times_decode(struct part_reader *r, enum segment_table t, struct encode_in *in, struct reader_col *c)
{
    struct encode_help help = { 0 };
    struct reader_table *rt = &r->t[t];
    if (t == TABLE_ROWS && in->p < in->end && *in->p == ENCODE_ANCHOR) {
        struct reader_col *order;
        uint32_t by = r->p->s.info.source == RECORD_SPANS ? COL_TRACE : COL_RESOURCE;
        int e = reader_dense(r, t, by, &order);
        uint32_t *runs = e < 0 ? NULL : arena_alloc_array(&rt->arena, c->n, sizeof *runs);
        if (!runs)
            return e < 0 ? e : ERR_NOMEM;
        for (uint32_t i = 0; i < c->n; i++)
            runs[i] = (uint32_t)order->dense[i];
        help.runs = runs;
    }
    return decode_ints(in, c->dense, c->n, &help, &rt->arena);
}

static int fixed_decode(struct part_reader *r, enum segment_table t, uint32_t col, struct encode_in *in,
                        struct reader_col *c)
{
    const struct part *p = r->p;
    struct arena *arena = &r->t[t].arena;
    uint64_t limit;
    int e;
    switch ((enum column_id)col) {
    case COL_TIME:
        return times_decode(r, t, in, c);
    case COL_SPAN:
        return spans_decode(in, c, arena);
    case COL_PARENT:
        return parents_decode(r, in, c);
    case COL_NAME:
        return strings_decode(r, t, col, in, c);
    case COL_DURATION:
    case COL_RECEIVED:
        return decode_ints(in, c->dense, c->n, NULL, arena);
    case COL_KIND:
    case COL_STATUS:
    case COL_SEVERITY:
        limit = 256;
        break;
    case COL_RESOURCE:
        limit = p->resources.n;
        break;
    case COL_SCOPE:
        limit = p->scopes.n;
        break;
    case COL_SHAPE:
        limit = p->t[t].shapes_n;
        break;
    case COL_OWNER:
        limit = (uint64_t)p->t[TABLE_ROWS].blocks * BLOCK_ROWS;
        break;
    default:
        limit = 1ull << 32;
        break;
    }
    e = decode_ints(in, c->dense, c->n, NULL, arena);
    if (e < 0)
        return e;
    return col == COL_TRACE ? check_traces(c->dense, c->n, p->traces) : check_below(c->dense, c->n, limit);
}

// Which shapes of the block have the column; how many rows that makes.
static uint32_t rows_with(const struct part_reader *r, enum segment_table t, uint32_t column, uint8_t *has)
{
    const struct reader_table *rt = &r->t[t];
    uint32_t rows = 0;
    for (uint32_t i = 0; i < rt->shapes_n; i++) {
        struct shape s = r->p->t[t].shapes[rt->shapes[i].shape];
        has[i] = 0;
        for (uint32_t k = 0; k < s.n && !has[i]; k++)
            has[i] = s.columns[k] == column;
        rows += has[i] ? rt->shapes[i].rows : 0;
    }
    return rows;
}

// Times of the rows that have the column.
static int times_beside(struct part_reader *r, enum segment_table t, const uint8_t *has, uint32_t n,
                        struct encode_help *help)
{
    struct reader_table *rt = &r->t[t];
    struct reader_col *time;
    int e = reader_dense(r, t, COL_TIME, &time);
    uint64_t *w = e < 0 ? NULL : arena_alloc_array(&rt->arena, n, sizeof *w);
    if (!w)
        return e < 0 ? e : ERR_NOMEM;
    for (uint32_t i = 0, k = 0; i < rt->n; i++)
        if (has[rt->row_shape[i]])
            w[k++] = time->dense[i];
    help->beside = w;
    return 0;
}

static int attribute_decode(struct part_reader *r, enum segment_table t, uint32_t col, const uint8_t *has,
                            struct encode_in *in, struct reader_col *c)
{
    struct arena *arena = &r->t[t].arena;
    uint8_t type = r->p->t[t].columns[col - COL_FIXED].type;
    if (value_is_string(type))
        return strings_decode(r, t, col, in, c);
    if (type == VALUE_DOUBLE)
        return decode_doubles(in, c->dense, c->n, arena);
    struct encode_help help = { 0 };
    int e = 0;
    if (in->p < in->end && *in->p == ENCODE_BESIDE)
        e = times_beside(r, t, has, c->n, &help);
    if (e == 0)
        e = decode_ints(in, c->dense, c->n, &help, arena);
    return e < 0 || type != VALUE_BOOL ? e : check_below(c->dense, c->n, 2);
}

static bool is_constant(const struct encode_in *in, const struct reader_col *c)
{
    return c->n && in->p < in->end && *in->p == ENCODE_CONST && !c->dict_is_block;
}

static int has_find(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col *c)
{
    struct reader_table *rt = &r->t[t];
    if (c->has)
        return 0;
    uint8_t *has = arena_alloc_bytes(&rt->arena, rt->shapes_n);
    if (!has)
        return ERR_NOMEM;
    c->n = rows_with(r, t, col - COL_FIXED, has);
    c->has = has;
    return 0;
}

int reader_has(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col **ret_col)
{
    struct reader_col *c = col_get(&r->t[t], col);
    int e = c ? has_find(r, t, col, c) : ERR_NOMEM;
    if (e == 0)
        *ret_col = c;
    return e;
}

static int column_has(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col *c)
{
    int e = reader_shapes(r, t);
    return e < 0 ? e : has_find(r, t, col, c);
}

int reader_find(struct part_reader *r, enum segment_table t, uint32_t col, uint32_t n, struct encode_in *ret_in)
{
    int e = chunk_keep(r, t, CHUNK_COLUMN, r->p->t[t].series[col], ret_in);
    if (e == ERR_NOENT)
        e = col >= COL_FIXED ? tail_find(r, t, col - COL_FIXED, n, ret_in) : ERR_CORRUPT;
    return e;
}

static int dense_load(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col *c)
{
    struct reader_table *rt = &r->t[t];
    const struct part_table *pt = &r->p->t[t];
    struct encode_in in = { 0 };
    int e;
    if (col < COL_FIXED)
        c->n = rt->n;
    else if ((e = column_has(r, t, col, c)) < 0)
        return e;
    if (!(c->dense = arena_alloc_array(&rt->arena, (size_t)c->n + 1, sizeof *c->dense)))
        return ERR_NOMEM;
    if (col >= COL_FIXED && (c->n == 0 || pt->columns[col - COL_FIXED].type == VALUE_NULL)) {
        memset(c->dense, 0, sizeof *c->dense * c->n);
        return 0;
    }
    if ((e = reader_find(r, t, col, c->n, &in)) < 0)
        return e;
    struct encode_in begin = in;
    e = col >= COL_FIXED ? attribute_decode(r, t, col, c->has, &in, c) : fixed_decode(r, t, col, &in, c);
    if (e == 0 && col != COL_SPAN && col != COL_PARENT)
        c->constant = is_constant(&begin, c);
    return e;
}

int reader_dense(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col **ret_col)
{
    struct reader_col *c = col_get(&r->t[t], col);
    if (!c)
        return ERR_NOMEM;
    if (!c->dense_ready) {
        int e = dense_load(r, t, col, c);
        if (e < 0)
            return e;
        c->dense_ready = true;
    }
    *ret_col = c;
    return 0;
}

int reader_shapes(struct part_reader *r, enum segment_table t)
{
    struct reader_table *rt = &r->t[t];
    struct reader_col *c;
    if (rt->shapes_ready)
        return 0;
    int e = reader_dense(r, t, COL_SHAPE, &c);
    if (e < 0)
        return e;
    rt->row_shape = arena_alloc_array(&rt->arena, rt->n, sizeof *rt->row_shape);
    rt->shapes = arena_alloc_array(&rt->arena, rt->n, sizeof *rt->shapes);
    if (!rt->row_shape || !rt->shapes)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < rt->n; i++) {
        uint32_t *slot = &rt->shape_slot[c->dense[i]];
        if (!*slot) {
            rt->shapes[rt->shapes_n] = (struct reader_shape){ .shape = (uint32_t)c->dense[i] };
            *slot = ++rt->shapes_n;
        }
        rt->row_shape[i] = (uint16_t)(*slot - 1);
        rt->shapes[*slot - 1].rows++;
    }
    rt->shapes_ready = true;
    return 0;
}

// ---- vectors -------------------------------------------------------------------------------------------

static uint8_t vec_kind_of(const struct part_reader *r, enum segment_table t, uint32_t col)
{
    if (col >= COL_FIXED) {
        uint8_t type = r->p->t[t].columns[col - COL_FIXED].type;
        return type == VALUE_INT ? VEC_I64 : type == VALUE_DOUBLE ? VEC_F64 : value_is_string(type) ? VEC_STR : VEC_U8;
    }
    switch ((enum column_id)col) {
    case COL_TIME:
    case COL_DURATION:
    case COL_RECEIVED:
        return VEC_I64;
    case COL_SPAN:
    case COL_PARENT:
        return VEC_U64;
    case COL_KIND:
    case COL_STATUS:
    case COL_SEVERITY:
        return VEC_U8;
    case COL_NAME:
        return VEC_STR;
    default:
        return VEC_U32;
    }
}

// Which rows have the column, as bits; NULL: all.
static int present_bits(struct part_reader *r, enum segment_table t, uint32_t col, uint64_t **ret_bits)
{
    struct reader_table *rt = &r->t[t];
    uint8_t *has = arena_alloc_bytes(&rt->arena, rt->shapes_n);
    uint64_t *bits = arena_zalloc(&rt->arena, (rt->n + 63) / 64 * sizeof *bits);
    if (!has || !bits)
        return ERR_NOMEM;
    rows_with(r, t, col - COL_FIXED, has);
    for (uint32_t i = 0; i < rt->n; i += 64) {
        uint32_t end = rt->n - i < 64 ? rt->n - i : 64;
        uint64_t word = 0;
        for (uint32_t k = 0; k < end; k++)
            word |= (uint64_t)has[rt->row_shape[i + k]] << k;
        bits[i / 64] = word;
    }
    *ret_bits = bits;
    return 0;
}

// Dense words into slots of the vector's width; absent rows get 0. Without branches on what is present: which rows
// have a column cannot be foreseen.
#define SPREAD(type)                                            \
    do {                                                        \
        type *o = out;                                          \
        for (uint32_t i = 0; i < n; i += 64) {                  \
            uint64_t bits = present[i / 64];                    \
            uint32_t end = n - i < 64 ? n : i + 64;             \
            for (uint32_t at = i; at < end; at++, bits >>= 1) { \
                o[at] = (type)(*dense & -(bits & 1));           \
                dense += bits & 1;                              \
            }                                                   \
        }                                                       \
    } while (0)

// dense has one more word than values (present bits never make it read further).
static void spread(void *out, const uint64_t *dense, const uint64_t *present, uint32_t n, uint8_t kind)
{
    if (kind == VEC_U8)
        SPREAD(uint8_t);
    else if (kind == VEC_U32 || kind == VEC_STR)
        SPREAD(uint32_t);
    else
        SPREAD(uint64_t);
}

static void narrow_all(void *out, const uint64_t *dense, uint32_t n, uint8_t kind)
{
    if (kind == VEC_U8) {
        for (uint32_t i = 0; i < n; i++)
            ((uint8_t *)out)[i] = (uint8_t)dense[i];
    } else {
        for (uint32_t i = 0; i < n; i++)
            ((uint32_t *)out)[i] = (uint32_t)dense[i];
    }
}

static int vec_make(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col *c)
{
    struct reader_table *rt = &r->t[t];
    uint8_t kind = vec_kind_of(r, t, col);
    uint64_t *present = NULL;
    int e = c->n < rt->n ? present_bits(r, t, col, &present) : 0;
    if (e < 0)
        return e;
    c->vec = (struct vec){ .kind = kind,
                           .constant = c->constant,
                           .dict_is_block = c->dict_is_block,
                           .n = rt->n,
                           .present = present,
                           .dict = c->dict };
    bool wide = kind == VEC_I64 || kind == VEC_U64 || kind == VEC_F64;
    if (wide && !present) {
        c->vec.u64 = c->dense;
    } else {
        size_t width = wide ? 8 : kind == VEC_U8 ? 1 : 4;
        void *out = arena_alloc_array(&rt->arena, (size_t)rt->n + 1, width);
        if (!out)
            return ERR_NOMEM;
        if (present)
            spread(out, c->dense, present, rt->n, kind);
        else
            narrow_all(out, c->dense, rt->n, kind);
        c->vec.u64 = out;
    }
    if (kind == VEC_STR && !c->vec.dict) { // no row has it: there may be no dictionary either
        static const struct dict none;
        c->vec.dict = &none;
    }
    return 0;
}

static bool fixed_is_of(enum segment_table t, uint32_t col)
{
    bool child = col == COL_TIME || col == COL_NAME || col == COL_SHAPE || col == COL_OWNER;
    return t == TABLE_ROWS ? col != COL_OWNER : child;
}

int part_reader_column(struct reader *reader, enum segment_table t, uint32_t col, struct vec *ret_vec)
{
    struct part_reader *r = reader_of(reader);
    struct reader_col *c;
    must(r->t[t].block != UINT32_MAX);
    must(col < COL_FIXED + r->p->t[t].columns_n);
    if (col < COL_FIXED && !fixed_is_of(t, col))
        return ERR_NOENT;
    int e = reader_dense(r, t, col, &c);
    if (e == 0 && !c->vec_ready && (e = vec_make(r, t, col, c)) == 0)
        c->vec_ready = true;
    if (e < 0)
        return e == ERR_NOENT ? ERR_CORRUPT : e;
    *ret_vec = c->vec;
    return 0;
}

int part_reader_strings(struct reader *reader, enum segment_table t, uint32_t col, const struct strings_wanted *wanted,
                        struct vec *ret_vec)
{
    struct part_reader *r = reader_of(reader);
    struct reader_table *rt = &r->t[t];
    struct reader_col *known = col < COL_FIXED ? NULL : rt->col[col];
    bool whole = col < COL_FIXED || r->p->t[t].dict[col] != NO_SERIES || (known && known->dense_ready);
    if (whole || !value_is_string(r->p->t[t].columns[col - COL_FIXED].type))
        return part_reader_column(reader, t, col, ret_vec);
    // Apart from what is kept of the column: others want all of it.
    struct reader_col *c = arena_zalloc(&rt->arena, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    r->wanted = wanted;
    int e = dense_load(r, t, col, c);
    r->wanted = NULL;
    if (e == 0)
        e = vec_make(r, t, col, c);
    if (e < 0)
        return e == ERR_NOENT ? ERR_CORRUPT : e;
    *ret_vec = c->vec;
    return 0;
}

const struct dict *part_reader_block_dict(struct reader *reader, enum segment_table t, uint32_t col)
{
    struct part_reader *r = reader_of(reader);
    struct reader_col *c;
    return r->t[t].block != UINT32_MAX && reader_dense(r, t, col, &c) == 0 ? c->dict : NULL;
}
