// Tables of a head lane: blocks of rows, attribute columns, shapes, and the marks that say where they end.
#include "base/hash.h"
#include "base/must.h"
#include "store/head.h"

struct lane *lane_new(void)
{
    struct lane *l = mem_zalloc(sizeof *l);
    if (!l)
        return NULL;
    buf_init(&l->canonical, 16u << 20);
    buf_init(&l->overflow, 64u << 20);
    buf_init(&l->picked, sizeof(uint32_t) * 2 * (HEAD_RECORD_ATTRS_MAX + 1));
    return l;
}

static void table_free(struct lane_table *t)
{
    for (uint32_t i = 0; i < HEAD_BLOCKS_MAX && t->block[i]; i++)
        mem_free(t->block[i]);
    head_dict_free(&t->names);
    for (uint32_t i = 0; i < t->columns_n; i++) {
        head_dict_free(&t->columns[i]->dict);
        mem_free(t->columns[i]);
    }
    mem_free(t->columns);
    mem_free(t->column_slots);
    mem_free(t->shape_slots);
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    for (unsigned s = 0; s < RECORD_SOURCES; s++) {
        struct lane_source *ls = l->source[s];
        for (unsigned t = 0; ls && t < TABLE_N; t++)
            table_free(&ls->table[t]);
        mem_free(ls);
    }
    mem_free(l->resources.slots);
    mem_free(l->scopes.slots);
    mem_free(l->traces.slots);
    buf_free(&l->canonical);
    buf_free(&l->overflow);
    buf_free(&l->picked);
    head_heap_free(&l->heap);
    mem_free(l);
}

struct lane_source *lane_source_get(struct lane *l, unsigned source)
{
    must(source < RECORD_SOURCES);
    struct lane_source *ls = atomic_load_explicit(&l->source[source], memory_order_relaxed);
    if (ls)
        return ls;
    ls = mem_zalloc(sizeof *ls);
    if (!ls)
        return NULL;
    for (unsigned t = 0; t < TABLE_N; t++) {
        struct lane_table *lt = &ls->table[t];
        lt->child = t != TABLE_ROWS;
        lt->time_min = lt->received_min = INT64_MAX;
        lt->time_max = lt->received_max = INT64_MIN;
    }
    atomic_store_explicit(&l->source[source], ls, memory_order_release);
    return ls;
}

// ---- blocks --------------------------------------------------------------------------------------------

static struct lane_block *block_new(bool child, size_t *ret_bytes)
{
    size_t per_row = child ? 8 + 4 + 4 + 4 + 4 : 5 * 8 + 8 * 4 + 3;
    size_t size = sizeof(struct lane_block) + per_row * BLOCK_ROWS + sizeof(uint64_t) * HEAD_VALUES_PER_BLOCK;
    struct lane_block *b = mem_alloc(size); // pages that no row reaches are never touched
    if (!b)
        return NULL;
    *b = (struct lane_block){ 0 };
    struct rows *r = &b->rows;
    uint64_t *w = (uint64_t *)(b + 1);
    r->values = w, w += HEAD_VALUES_PER_BLOCK;
    r->time = (int64_t *)w, w += BLOCK_ROWS;
    if (!child) {
        r->duration = (int64_t *)w, w += BLOCK_ROWS;
        r->received = (int64_t *)w, w += BLOCK_ROWS;
        r->span = w, w += BLOCK_ROWS;
        r->parent = w, w += BLOCK_ROWS;
    }
    uint32_t *h = (uint32_t *)w;
    r->name = h, h += BLOCK_ROWS;
    r->shape = h, h += BLOCK_ROWS;
    r->value_at = h, h += BLOCK_ROWS;
    if (child) {
        r->owner = h;
    } else {
        r->project = h, h += BLOCK_ROWS;
        r->flags = h, h += BLOCK_ROWS;
        r->resource = h, h += BLOCK_ROWS;
        r->scope = h, h += BLOCK_ROWS;
        r->trace = h, h += BLOCK_ROWS;
        r->kind = (uint8_t *)h;
        r->status = r->kind + BLOCK_ROWS;
        r->severity = r->status + BLOCK_ROWS;
    }
    *ret_bytes = per_row * BLOCK_ROWS;
    return b;
}

int lane_table_next_block(struct lane *l, struct lane_table *t)
{
    struct table_mark *m = &t->end;
    if (m->blocks == HEAD_BLOCKS_MAX)
        return ERR_BUSY;
    if (!t->block[m->blocks]) { // else it is there from a batch that was taken back
        size_t block_bytes;
        struct lane_block *b = block_new(t->child, &block_bytes);
        if (!b)
            return ERR_NOMEM;
        l->table_bytes += block_bytes;
        t->block[m->blocks] = b;
    }
    if (m->blocks) {
        t->block[m->blocks - 1]->rows.n = m->rows;
        l->table_bytes += sizeof(uint64_t) * m->values;
    }
    *m = (struct table_mark){ .blocks = m->blocks + 1 };
    return 0;
}

int lane_table_reserve(struct lane *l, struct lane_table *t, uint32_t values)
{
    const struct table_mark *m = &t->end;
    if (values > HEAD_RECORD_ATTRS_MAX)
        return ERR_LIMIT;
    if (m->blocks && m->rows < BLOCK_ROWS && m->values + values <= HEAD_VALUES_PER_BLOCK)
        return 0;
    return lane_table_next_block(l, t);
}

void lane_marks_get(const struct lane *l, struct lane_marks *ret_marks)
{
    memset(ret_marks, 0, sizeof *ret_marks);
    for (unsigned s = 0; s < RECORD_SOURCES; s++)
        for (unsigned t = 0; l->source[s] && t < TABLE_N; t++)
            ret_marks->at[s][t] = l->source[s]->table[t].end;
}

void lane_rollback(struct lane *l, const struct lane_marks *to)
{
    for (unsigned s = 0; s < RECORD_SOURCES; s++)
        for (unsigned t = 0; l->source[s] && t < TABLE_N; t++)
            l->source[s]->table[t].end = to->at[s][t];
}

void lane_commit(struct lane *l, const struct lane_marks *upto)
{
    for (unsigned s = 0; s < RECORD_SOURCES; s++)
        for (unsigned t = 0; l->source[s] && t < TABLE_N; t++)
            l->source[s]->table[t].committed = upto->at[s][t];
}

// ---- columns -------------------------------------------------------------------------------------------

static uint64_t column_hash(str key, unsigned level, unsigned type)
{
    return hash64_int(hash64_str(key) + level * 8 + type) & 0xffffffff00000000u;
}

int lane_column_append(struct lane *l, struct lane_table *t, str key, unsigned level, unsigned type)
{
    uint32_t n = t->columns_n;
    if (n == HEAD_COLUMNS_MAX + HEAD_COLUMNS_EXTRA)
        return ERR_LIMIT;
    if (!t->columns) {
        t->columns = mem_calloc(HEAD_COLUMNS_MAX + HEAD_COLUMNS_EXTRA, sizeof *t->columns);
        if (!t->columns)
            return ERR_NOMEM;
    }
    char *p = head_heap_alloc(&l->heap, key.len + 1, 1);
    struct lane_column *c = p ? mem_zalloc(sizeof *c) : NULL;
    if (!c)
        return ERR_NOMEM;
    memcpy(p, key.ptr, key.len);
    p[key.len] = 0;
    c->c = (struct column){ .key = { p, key.len }, .level = (uint8_t)level, .type = (uint8_t)type };
    l->table_bytes += sizeof *c;
    t->columns[n] = c;
    atomic_store_explicit(&t->columns_n, n + 1, memory_order_release);
    return 0;
}

static int columns_grow(struct lane_table *t)
{
    uint32_t cap = t->column_slots ? (t->column_mask + 1) * 2 : 64;
    uint64_t *slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->columns_n; i++) {
        const struct column *c = &t->columns[i]->c;
        uint64_t h = column_hash(c->key, c->level, c->type);
        uint32_t at = (uint32_t)(h >> 32) & (cap - 1);
        while (slots[at])
            at = (at + 1) & (cap - 1);
        slots[at] = h | (i + 1);
    }
    mem_free(t->column_slots);
    t->column_slots = slots;
    t->column_mask = cap - 1;
    return 0;
}

int lane_column_intern(struct lane *l, struct lane_table *t, str key, unsigned level, unsigned type,
                       uint32_t *ret_index)
{
    if ((t->columns_n + 1) * 2 > (t->column_slots ? t->column_mask + 1 : 0) && columns_grow(t) < 0)
        return ERR_NOMEM;
    uint64_t h = column_hash(key, level, type);
    uint32_t at = (uint32_t)(h >> 32) & t->column_mask;
    for (uint64_t slot; (slot = t->column_slots[at]); at = (at + 1) & t->column_mask) {
        if ((slot & 0xffffffff00000000u) != h)
            continue;
        const struct column *c = &t->columns[(uint32_t)slot - 1]->c;
        if (c->level == level && c->type == type && str_eq(c->key, key)) {
            *ret_index = (uint32_t)slot - 1;
            return 0;
        }
    }
    if (level == ATTR_RECORD && key.len && t->columns_n >= HEAD_COLUMNS_MAX)
        return ERR_LIMIT;
    int e = lane_column_append(l, t, key, level, type);
    if (e < 0)
        return e;
    t->column_slots[at] = h | t->columns_n;
    *ret_index = t->columns_n - 1;
    return 0;
}

// ---- shapes --------------------------------------------------------------------------------------------

struct lane_shape *lane_shape_get(const struct lane_table *t, uint32_t ord)
{
    int k;
    uint32_t at;
    geo_place(ord, &k, &at);
    return t->shape_chunk[k][at];
}

int lane_shape_append(struct lane *l, struct lane_table *t, const uint32_t *columns, uint32_t n)
{
    int k;
    uint32_t at, ord = t->shapes_n;
    geo_place(ord, &k, &at);
    if (!t->shape_chunk[k]) {
        t->shape_chunk[k] = head_heap_alloc(&l->heap, sizeof(struct lane_shape *) * (64u << k), 16);
        if (!t->shape_chunk[k])
            return ERR_NOMEM;
    }
    struct lane_shape *s = head_heap_alloc(&l->heap, sizeof *s + sizeof(uint32_t) * n, 16);
    if (!s)
        return ERR_NOMEM;
    s->n = n;
    if (n)
        memcpy(s->columns, columns, sizeof(uint32_t) * n);
    t->shape_chunk[k][at] = s;
    atomic_store_explicit(&t->shapes_n, ord + 1, memory_order_release);
    return 0;
}

static uint64_t shape_hash(const uint32_t *columns, uint32_t n)
{
    return (n ? hash64(columns, sizeof(uint32_t) * n) : 0) & 0xffffffff00000000u;
}

static int shapes_grow(struct lane_table *t)
{
    uint32_t cap = t->shape_slots ? (t->shape_mask + 1) * 2 : 64;
    uint64_t *slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->shapes_n; i++) {
        const struct lane_shape *s = lane_shape_get(t, i);
        uint64_t h = shape_hash(s->columns, s->n);
        uint32_t at = (uint32_t)(h >> 32) & (cap - 1);
        while (slots[at])
            at = (at + 1) & (cap - 1);
        slots[at] = h | (i + 1);
    }
    mem_free(t->shape_slots);
    t->shape_slots = slots;
    t->shape_mask = cap - 1;
    return 0;
}

int lane_shape_intern(struct lane *l, struct lane_table *t, const uint32_t *columns, uint32_t n, uint32_t *ret_ord)
{
    if ((t->shapes_n + 1) * 2 > (t->shape_slots ? t->shape_mask + 1 : 0) && shapes_grow(t) < 0)
        return ERR_NOMEM;
    uint64_t h = shape_hash(columns, n);
    uint32_t at = (uint32_t)(h >> 32) & t->shape_mask;
    for (uint64_t slot; (slot = t->shape_slots[at]); at = (at + 1) & t->shape_mask) {
        if ((slot & 0xffffffff00000000u) != h)
            continue;
        const struct lane_shape *s = lane_shape_get(t, (uint32_t)slot - 1);
        if (s->n == n && (n == 0 || memcmp(s->columns, columns, sizeof(uint32_t) * n) == 0)) {
            *ret_ord = (uint32_t)slot - 1;
            return 0;
        }
    }
    int e = lane_shape_append(l, t, columns, n);
    if (e < 0)
        return e;
    t->shape_slots[at] = h | t->shapes_n;
    *ret_ord = t->shapes_n - 1;
    return 0;
}
