// Rows into the block in the making, and the finished block into chunks.
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/part_build.h"

// ---- rows ----------------------------------------------------------------------------------------------

static int column_grow(struct build_column *c)
{
    uint32_t cap = c->cap ? c->cap * 2 : 64;
    if (c->local && value_is_string(c->c.type)) {
        str *s = mem_reallocarray(c->s, cap, sizeof *s);
        if (!s)
            return ERR_NOMEM;
        c->s = s;
    } else {
        uint64_t *v = mem_reallocarray(c->v, cap, sizeof *v);
        if (!v)
            return ERR_NOMEM;
        c->v = v;
    }
    if (c->c.type == VALUE_INT) {
        uint16_t *row = mem_reallocarray(c->row, cap, sizeof *row);
        if (!row)
            return ERR_NOMEM;
        c->row = row;
    }
    c->cap = cap;
    return 0;
}

static int ordinal_new(struct build *b, struct input_column *ic, uint32_t ord)
{
    return build_dict_intern(&ic->to->dict, &b->keep, dict_get(ic->dict, ord), &ic->map[ord]);
}

// A string that stays in its block. Copied: the input's block may be gone before this one is written.
static int string_add(struct build_table *bt, struct input_column *ic, const struct segment *s, enum segment_table t,
                      uint32_t col, struct reader *reader, uint64_t ord)
{
    struct build_column *c = ic->to;
    const struct dict *d = ic->dict ? ic->dict : s->ops->reader_block_dict(reader, t, col);
    if (!d || ord >= d->n)
        return ERR_CORRUPT;
    if (arena_dup(&bt->strings, dict_get(d, (uint32_t)ord), &c->s[c->n]) < 0)
        return ERR_NOMEM;
    bt->bytes += c->s[c->n++].len;
    return 0;
}

struct row_source {
    struct build *b;
    const struct segment *s;
    enum segment_table t;
    struct reader *reader;
};

// What is rare: growing, new strings, strings that stay in their blocks.
static __attribute__((noinline)) int value_add_slowly(const struct row_source *from, struct input_column *ic,
                                                      uint32_t col, uint64_t v)
{
    struct build_table *bt = &from->b->t[from->t];
    struct build_column *c = ic->to;
    int e = c->n == c->cap ? column_grow(c) : 0;
    if (e < 0)
        return e;
    if (ic->mode == MODE_STRING)
        return string_add(bt, ic, from->s, from->t, col, from->reader, v);
    if (ic->mode == MODE_ORDINAL) {
        if (ic->map[v] == UNMAPPED && (e = ordinal_new(from->b, ic, (uint32_t)v)) < 0)
            return e;
        v = ic->map[v];
    }
    if (ic->mode == MODE_INT)
        c->row[c->n] = (uint16_t)bt->n;
    c->v[c->n++] = v;
    return 0;
}

static inline int value_add(const struct row_source *from, struct input_column *ic, uint32_t col, uint32_t at,
                            uint64_t v)
{
    struct build_column *c = ic->to;
    uint8_t mode = ic->mode;
    if (mode == MODE_NONE)
        return 0;
    if (__builtin_expect(c->n == c->cap || mode == MODE_STRING, 0))
        return value_add_slowly(from, ic, col, v);
    if (mode == MODE_ORDINAL) {
        if (__builtin_expect(ic->map[v] == UNMAPPED, 0))
            return value_add_slowly(from, ic, col, v);
        v = ic->map[v];
    } else if (mode == MODE_INT) {
        c->row[c->n] = (uint16_t)at;
    }
    c->v[c->n++] = v;
    return 0;
}

// The row's trace ordinal in the new part; begins the trace there when it is new.
static int trace_add(struct build *b, struct build_input *in, uint32_t trace, uint64_t *ret_ord)
{
    uint64_t number = (uint64_t)b->t[TABLE_ROWS].blocks * BLOCK_ROWS + b->t[TABLE_ROWS].n;
    if (trace == TRACE_NONE) {
        *ret_ord = TRACE_NONE;
        if (b->source != RECORD_SPANS || b->traces_ended)
            return 0;
        b->traces_ended = true;
        return trace_end(b, number);
    }
    if (b->source != RECORD_SPANS) {
        uint32_t index = 0;
        int e = trace_map_get(b, in, trace, &index);
        *ret_ord = index;
        return e;
    }
    *ret_ord = in->key_a; // its rank, as the rows are ordered by it
    if (*ret_ord + 1 == b->traces_out)
        return 0; // goes on
    if (*ret_ord != b->traces_out)
        return ERR_CORRUPT; // an input's runs are not what it says
    return trace_begin(b, number);
}

static int fixed_add(struct build *b, struct build_input *in, const struct rows *rows, uint32_t i, uint64_t **fixed,
                     uint32_t at)
{
    uint32_t *resource = &in->resource_out[rows->resource[i]], *scope = &in->scope_out[rows->scope[i]];
    if (*resource == UNMAPPED)
        *resource = entities_out(&b->resources, in->resource_map[rows->resource[i]]);
    if (*scope == UNMAPPED)
        *scope = entities_out(&b->scopes, in->scope_map[rows->scope[i]]);
    int e = trace_add(b, in, rows->trace[i], &fixed[COL_TRACE][at]);
    if (e < 0)
        return e;
    fixed[COL_DURATION][at] = (uint64_t)rows->duration[i];
    fixed[COL_RECEIVED][at] = (uint64_t)rows->received[i];
    fixed[COL_PROJECT][at] = rows->project[i];
    fixed[COL_KIND][at] = rows->kind[i];
    fixed[COL_STATUS][at] = rows->status[i];
    fixed[COL_SEVERITY][at] = rows->severity[i];
    fixed[COL_FLAGS][at] = rows->flags[i];
    fixed[COL_RESOURCE][at] = *resource;
    fixed[COL_SCOPE][at] = *scope;
    fixed[COL_SPAN][at] = rows->span[i];
    fixed[COL_PARENT][at] = rows->parent[i];
    return 0;
}

static bool fixed_is_of(enum segment_table t, uint32_t col)
{
    bool child = col == COL_TIME || col == COL_NAME || col == COL_SHAPE || col == COL_OWNER;
    return t == TABLE_ROWS ? col != COL_OWNER : child;
}

static int fixed_open(struct build_table *bt, enum segment_table t)
{
    if (bt->fixed[COL_TIME])
        return 0;
    for (uint32_t c = 0; c < COL_FIXED; c++) {
        bt->fixed_form[c] = (struct form_memory){ .series = UNMAPPED };
        if (c != COL_NAME && fixed_is_of(t, c) &&
            !(bt->fixed[c] = mem_reallocarray(NULL, BLOCK_ROWS, sizeof(uint64_t))))
            return ERR_NOMEM;
    }
    bt->tail_series = UNMAPPED;
    return 0;
}

int block_add(struct build *b, struct build_input *in, enum segment_table t, const struct rows *rows, uint32_t i,
              struct reader *reader, uint32_t owner)
{
    struct build_table *bt = &b->t[t];
    struct input_table *it = &in->t[t];
    int e = bt->n == 0 ? fixed_open(bt, t) : 0;
    if (e < 0)
        return e;
    uint32_t at = bt->n, shape_ord = rows->shape[i];
    struct shape shape = it->shapes[shape_ord];
    if (it->shape_map[shape_ord] == UNMAPPED && (e = shape_out(bt, &b->keep, it, shape, &it->shape_map[shape_ord])) < 0)
        return e;
    bt->fixed[COL_SHAPE][at] = it->shape_map[shape_ord];
    bt->fixed[COL_TIME][at] = (uint64_t)rows->time[i];
    struct row_source from = { b, in->s, t, reader };
    e = value_add(&from, &it->names, COL_NAME, at, rows->name[i]);
    if (e == 0 && t == TABLE_ROWS)
        e = fixed_add(b, in, rows, i, bt->fixed, at);
    else if (e == 0)
        bt->fixed[COL_OWNER][at] = owner;
    const uint64_t *v = rows->values + rows->value_at[i];
    for (uint32_t k = 0; k < shape.n && e == 0; k++)
        e = value_add(&from, &it->columns[shape.columns[k]], COL_FIXED + shape.columns[k], at, v[k]);
    if (e < 0)
        return e;
    bt->n++;
    return bt->n == BLOCK_ROWS || bt->bytes > PART_BLOCK_BYTES ? block_flush(b, t) : 0;
}

// ---- payloads ------------------------------------------------------------------------------------------

// Strings of one block: each once, then which row has which (a flag when each row has its own).
static int payload_local(struct build *b, const struct build_column *c, struct buf *out)
{
    uint32_t n = c->n, mask = 1, k = 0;
    while (mask < n * 2)
        mask *= 2;
    uint64_t *ord = encode_scratch_get(&b->w.scratch, ENCODE_SCRATCH_ORDINALS, n);
    uint32_t *slots = mem_calloc(mask, sizeof *slots);
    str *s = mem_reallocarray(NULL, n, sizeof *s);
    int e = ord && slots && s ? 0 : ERR_NOMEM;
    mask--;
    for (uint32_t i = 0; i < n && e == 0; i++) {
        uint32_t at = (uint32_t)build_hash(c->s[i].ptr, c->s[i].len) & mask;
        while (slots[at] && !str_eq(s[slots[at] - 1], c->s[i]))
            at = (at + 1) & mask;
        if (!slots[at]) {
            s[k] = c->s[i];
            slots[at] = ++k;
        }
        ord[i] = slots[at] - 1;
    }
    if (e == 0) {
        buf_varint(out, k);
        e = encode_strings(out, s, k, &b->w.scratch);
    }
    if (e == 0)
        e = buf_byte(out, k == n);
    if (e == 0 && k != n)
        e = encode_ints((struct encode_out){ .tight = out }, ord, n, false, NULL, &b->w.scratch, NULL);
    mem_free(slots);
    mem_free(s);
    return e;
}

// Times of the rows that have the column, for integers that look like times.
static const uint64_t *times_of(struct build *b, const struct build_table *bt, const struct build_column *c)
{
    if (c->v[0] >> 40 == 0 || c->v[0] >> 63)
        return NULL;
    uint64_t *w = encode_scratch_get(&b->w.scratch, ENCODE_SCRATCH_BESIDE, c->n);
    for (uint32_t i = 0; w && i < c->n; i++)
        w[i] = bt->fixed[COL_TIME][c->row[i]];
    return w;
}

static void range_put(struct chunk_entry *entry, const struct encode_facts *facts)
{
    entry->has_range = true;
    entry->min = (int64_t)facts->min;
    entry->max = (int64_t)facts->max;
}

// Fills in the range where there is one. *ret_cost: bytes of the tight form.
static int payload_of(struct build *b, const struct build_table *bt, const struct build_column *c,
                      struct encode_out out, struct chunk_entry *entry, size_t *ret_cost)
{
    struct encode_facts facts;
    if (value_is_string(c->c.type) && c->local)
        return payload_local(b, c, out.tight);
    if (c->c.type == VALUE_DOUBLE)
        return encode_doubles(out, c->v, c->n, &b->w.scratch, ret_cost);
    struct encode_help help = { .beside = c->c.type == VALUE_INT ? times_of(b, bt, c) : NULL,
                                .ordinals = c->c.type != VALUE_INT };
    int e = encode_ints(out, c->v, c->n, c->c.type == VALUE_INT, &help, &b->w.scratch, &facts);
    if (e < 0)
        return e;
    range_put(entry, &facts);
    *ret_cost = facts.cost;
    return 0;
}

// The row of this trace, in this block, that has the span id; UNMAPPED. Parents stand near, nearly always.
struct parents {
    const uint64_t *span, *trace;
    uint32_t n;
    uint16_t *slots; // row + 1, made when looking near was not enough
};
enum { PARENT_NEAR = 40, PARENT_SLOTS = 2 * BLOCK_ROWS };

static uint32_t parent_slot(const struct parents *p, uint64_t span, uint64_t trace)
{
    uint64_t key[2] = { span, trace };
    uint32_t at = (uint32_t)build_hash(key, sizeof key) & (PARENT_SLOTS - 1);
    while (p->slots[at] && (p->span[p->slots[at] - 1] != span || p->trace[p->slots[at] - 1] != trace))
        at = (at + 1) & (PARENT_SLOTS - 1);
    return at;
}

static int parent_find(struct parents *p, uint32_t row, uint64_t id, uint32_t *ret_row)
{
    uint64_t trace = p->trace[row];
    uint32_t back = row > PARENT_NEAR ? row - PARENT_NEAR : 0, k = row;
    *ret_row = UNMAPPED;
    while (k > back && p->trace[k - 1] == trace) {
        if (p->span[--k] == id) {
            *ret_row = k;
            return 0;
        }
    }
    bool all = k == 0 || p->trace[k - 1] != trace;
    uint32_t ahead = row + PARENT_NEAR < p->n ? row + PARENT_NEAR : p->n;
    for (k = row; k < ahead && p->trace[k] == trace; k++) {
        if (p->span[k] == id) {
            *ret_row = k;
            return 0;
        }
    }
    if (all && (k == p->n || p->trace[k] != trace))
        return 0;
    if (!p->slots) {
        if (!(p->slots = mem_calloc(PARENT_SLOTS, sizeof *p->slots)))
            return ERR_NOMEM;
        for (uint32_t i = 0; i < p->n; i++) {
            uint32_t at = parent_slot(p, p->span[i], p->trace[i]);
            if (!p->slots[at])
                p->slots[at] = (uint16_t)(i + 1);
        }
    }
    uint32_t at = parent_slot(p, id, trace);
    if (p->slots[at])
        *ret_row = p->slots[at] - 1u;
    return 0;
}

// Parents as distances in rows to a span of the same trace in this block: 0 none, 1 elsewhere (its id follows),
// else 2 + zigzag distance.
static int payload_parents(struct build *b, const struct build_table *bt, struct encode_out out, size_t *ret_cost)
{
    const uint64_t *parent = bt->fixed[COL_PARENT];
    struct parents p = { bt->fixed[COL_SPAN], bt->fixed[COL_TRACE], bt->n, NULL };
    uint64_t *code = encode_scratch_get(&b->w.scratch, ENCODE_SCRATCH_ORDINALS, 2 * BLOCK_ROWS);
    uint64_t *far = code + BLOCK_ROWS;
    uint32_t far_n = 0, row;
    int e = code ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; i < bt->n && e == 0; i++) {
        code[i] = 0;
        if (parent[i] == 0)
            continue;
        e = parent_find(&p, i, parent[i], &row);
        code[i] = row != UNMAPPED ? 2 + encode_zigzag((uint64_t)i - row) : 1;
        if (row == UNMAPPED)
            far[far_n++] = parent[i];
    }
    mem_free(p.slots);
    struct encode_facts near_facts, far_facts;
    bool loose = out.loose != NULL;
    if (e == 0)
        e = encode_ints(out, code, bt->n, false, NULL, &b->w.scratch, &near_facts);
    if (e < 0 || (loose && out.loose->len == 0)) { // then the tight form has to do
        *ret_cost = 0;
        out.loose = NULL;
        return e < 0 || !out.tight ? e : encode_ints(out, far, far_n, false, NULL, &b->w.scratch, NULL);
    }
    size_t loose_before = loose ? out.loose->len : 0;
    e = encode_ints(out, far, far_n, false, NULL, &b->w.scratch, &far_facts);
    if (e == 0 && loose && out.loose->len == loose_before) // few: tight in both
        e = encode_ints((struct encode_out){ .tight = out.loose }, far, far_n, false, NULL, &b->w.scratch, NULL);
    *ret_cost = near_facts.cost + far_facts.cost;
    return e;
}

// Span ids are random: 0 and the bytes; or 1 and integers, when they are not.
static int payload_spans(struct build *b, const struct build_table *bt, struct buf *out)
{
    const uint64_t *v = bt->fixed[COL_SPAN];
    bool random = true;
    for (uint32_t i = 0; i < bt->n && random; i++)
        random = v[i] != 0;
    if (!random || b->source != RECORD_SPANS) {
        buf_byte(out, 1);
        int e = encode_ints((struct encode_out){ .tight = out }, v, bt->n, false, NULL, &b->w.scratch, NULL);
        if (e < 0 || out->len < (size_t)bt->n * 8)
            return e;
        buf_clear(out);
    }
    buf_byte(out, 0);
    return buf_append(out, v, sizeof *v * bt->n);
}

// ---- chunks --------------------------------------------------------------------------------------------

static void facts_widen(struct build *b, uint32_t col, int64_t min, int64_t max)
{
    int64_t *lo = col == COL_TIME ? &b->time_min : col == COL_RECEIVED ? &b->received_min : NULL;
    int64_t *hi = col == COL_TIME       ? &b->time_max
                  : col == COL_RECEIVED ? &b->received_max
                  : col == COL_DURATION ? &b->duration_max
                                        : NULL;
    if (lo && min < *lo)
        *lo = min;
    if (hi && max > *hi)
        *hi = max;
}

// The payload of a fixed column (c NULL) or an attribute column or the names.
static int payload_make(struct build *b, enum segment_table t, uint32_t col, const struct build_column *c,
                        const struct encode_help *help, struct encode_out out, struct chunk_entry *entry,
                        size_t *ret_cost)
{
    struct build_table *bt = &b->t[t];
    struct encode_facts facts;
    if (c)
        return payload_of(b, bt, c, out, entry, ret_cost);
    if (col == COL_SPAN)
        return payload_spans(b, bt, out.tight);
    if (col == COL_PARENT)
        return payload_parents(b, bt, out, ret_cost);
    bool is_signed = col == COL_TIME || col == COL_DURATION || col == COL_RECEIVED;
    int e = encode_ints(out, bt->fixed[col], bt->n, is_signed, help, &b->w.scratch, &facts);
    if (e < 0)
        return e;
    range_put(entry, &facts);
    *ret_cost = facts.cost;
    if (t == TABLE_ROWS)
        facts_widen(b, col, entry->min, entry->max);
    return 0;
}

// Which of the two forms of a column was smaller is remembered and believed for a while: making both costs a
// third of the time that a block takes.
static int put_chunk(struct build *b, enum segment_table t, uint32_t col, const struct build_column *c,
                     const struct encode_help *help, struct form_memory *m)
{
    enum { BELIEVED_BLOCKS = 16 };
    struct part_writer *w = &b->w;
    struct chunk_entry entry = { .block = b->t[t].blocks };
    bool local = c && value_is_string(c->c.type) && c->local, plain = local || (!c && col == COL_SPAN);
    size_t cost = 0;
    int e = 0, packed = 0;
    if (m->series == UNMAPPED && (e = part_series_new(w, CHUNK_COLUMN, (uint8_t)t, col, &m->series)) < 0)
        return e;
    if (plain) {
        if ((e = payload_make(b, t, col, c, help, part_writer_tight(w), &entry, &cost)) < 0)
            return e;
        return part_series_write(w, m->series, buf_bytes(&w->tight), local || b->source != RECORD_SPANS, &entry);
    }
    bool again = m->believed == 0;
    struct encode_out out = part_writer_both(w);
    if (!again && m->packed)
        out.tight = NULL;
    else if (!again)
        out.loose = NULL;
    if ((e = payload_make(b, t, col, c, help, out, &entry, &cost)) < 0)
        return e;
    if (w->loose.len)
        packed = part_write_packed(w, CHUNK_COLUMN, buf_bytes(&w->loose), cost - cost / 16, &entry);
    if (packed < 0)
        return packed;
    if (!packed) {
        if (!out.tight && (e = payload_make(b, t, col, c, help, part_writer_tight(w), &entry, &cost)) < 0)
            return e;
        if ((e = part_write_chunk(w, CHUNK_COLUMN, buf_bytes(&w->tight), false, &entry)) < 0)
            return e;
    }
    m->believed = again ? BELIEVED_BLOCKS : m->packed == (packed != 0) ? m->believed - 1 : 0;
    m->packed = packed != 0;
    return part_series_add(w, m->series, &entry);
}

// Columns with few values in this block, and those beyond the limit, one behind the other in one chunk:
// varint columns, and for each: varint columns left out before it, varint values, varint size, payload.
static int put_tail(struct build *b, enum segment_table t)
{
    struct build_table *bt = &b->t[t];
    uint32_t count = 0, next = 0;
    buf_clear(&b->tail);
    for (uint32_t i = 0; i < bt->columns_n; i++) {
        struct build_column *c = &bt->columns[i];
        if (c->n == 0 || (c->typed && c->n > PART_TAIL_VALUES))
            continue;
        struct chunk_entry none;
        size_t cost;
        int e = payload_of(b, bt, c, part_writer_tight(&b->w), &none, &cost);
        if (e < 0)
            return e;
        buf_varint(&b->tail, i - next);
        buf_varint(&b->tail, c->n);
        buf_varint(&b->tail, b->w.tight.len);
        if ((e = buf_append(&b->tail, b->w.tight.ptr, b->w.tight.len)) < 0)
            return e;
        next = i + 1;
        count++;
    }
    if (count == 0)
        return 0;
    struct chunk_entry entry = { .block = bt->blocks };
    int e = bt->tail_series == UNMAPPED ? part_series_new(&b->w, CHUNK_TAIL, (uint8_t)t, 0, &bt->tail_series) : 0;
    if (e < 0)
        return e;
    buf_clear(&b->w.tight);
    buf_varint(&b->w.tight, count);
    if ((e = buf_append(&b->w.tight, b->tail.ptr, b->tail.len)) < 0)
        return e;
    return part_series_write(&b->w, bt->tail_series, buf_bytes(&b->w.tight), true, &entry);
}

// What the rows are ordered by first, so that times can follow each other inside its runs.
static const uint32_t *runs_of(struct build *b, enum segment_table t)
{
    if (t != TABLE_ROWS)
        return NULL;
    const uint64_t *v = b->t[t].fixed[b->source == RECORD_SPANS ? COL_TRACE : COL_RESOURCE];
    uint32_t *runs = (uint32_t *)encode_scratch_get(&b->w.scratch, ENCODE_SCRATCH_BESIDE, BLOCK_ROWS);
    for (uint32_t i = 0; runs && i < b->t[t].n; i++)
        runs[i] = (uint32_t)v[i];
    return runs;
}

static bool is_ordinal(uint32_t col)
{
    switch ((enum column_id)col) {
    case COL_TIME:
    case COL_DURATION:
    case COL_RECEIVED:
    case COL_TRACE: // one up at each trace (logs: nearly so)
    case COL_OWNER:
        return false;
    default:
        return true;
    }
}

static int block_end(struct build_table *bt)
{
    if (bt->blocks == bt->blocks_cap) {
        uint32_t cap = bt->blocks_cap ? bt->blocks_cap * 2 : 16;
        uint16_t *p = mem_reallocarray(bt->block_rows, cap, sizeof *p);
        if (!p)
            return ERR_NOMEM;
        bt->block_rows = p;
        bt->blocks_cap = cap;
    }
    bt->block_rows[bt->blocks++] = (uint16_t)bt->n;
    bt->rows += bt->n;
    bt->n = 0;
    bt->bytes = 0;
    arena_reset(&bt->strings);
    bt->names.n = 0;
    for (uint32_t i = 0; i < bt->columns_n; i++)
        bt->columns[i].n = 0;
    return bt->blocks < PART_BLOCKS_MAX ? 0 : ERR_LIMIT;
}

int block_flush(struct build *b, enum segment_table t)
{
    struct build_table *bt = &b->t[t];
    int e = 0;
    if (bt->n == 0)
        return 0;
    for (uint32_t c = 0; c < COL_FIXED && e == 0; c++) {
        struct encode_help help = { .runs = c == COL_TIME ? runs_of(b, t) : NULL, .ordinals = is_ordinal(c) };
        if (fixed_is_of(t, c))
            e = put_chunk(b, t, c, c == COL_NAME ? &bt->names : NULL, &help, &bt->fixed_form[c]);
    }
    for (uint32_t i = 0; i < bt->columns_n && e == 0; i++)
        if (bt->columns[i].typed && bt->columns[i].n > PART_TAIL_VALUES)
            e = put_chunk(b, t, COL_FIXED + i, &bt->columns[i], NULL, &bt->columns[i].form);
    if (e == 0 && t == TABLE_ROWS)
        e = key_index_add_block(b);
    if (e < 0 || (e = put_tail(b, t)) < 0)
        return e;
    return block_end(bt);
}
