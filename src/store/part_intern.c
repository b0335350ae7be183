// What the new part has each of once: strings, resources, scopes, columns, shapes.
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/entity.h"
#include "store/part_build.h"

#include <stdatomic.h>

enum { DICTS_BYTES_MAX = 64 << 20 };

uint64_t build_hash(const void *p, size_t n)
{
    static _Atomic uint64_t seed;
    uint64_t s = atomic_load_explicit(&seed, memory_order_relaxed);
    if (!s) {
        uint64_t none = 0;
        s = hash64_int((uint64_t)clock_mono_ns() ^ (uint64_t)(uintptr_t)&none) | 1;
        if (!atomic_compare_exchange_strong(&seed, &none, s))
            s = none; // another thread was first
    }
    return XXH3_64bits_withSeed(p, n, s);
}

// ---- dictionaries --------------------------------------------------------------------------------------

static int dict_grow(struct build_dict *d)
{
    uint32_t cap = d->cap ? d->cap * 2 : 64;
    str *s = mem_reallocarray(d->s, cap, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    d->s = s;
    uint32_t *slots = mem_calloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(d->slots);
    d->slots = slots;
    d->mask = cap * 2 - 1;
    d->cap = cap;
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t at = (uint32_t)build_hash(d->s[i].ptr, d->s[i].len) & d->mask;
        while (slots[at])
            at = (at + 1) & d->mask;
        slots[at] = i + 1;
    }
    return 0;
}

int build_dict_intern(struct build_dict *d, struct arena *arena, str s, uint32_t *ret_ord)
{
    if (d->n == d->cap) {
        if (d->n > UINT32_MAX / 8)
            return ERR_LIMIT;
        int e = dict_grow(d);
        if (e < 0)
            return e;
    }
    uint32_t at = (uint32_t)build_hash(s.ptr, s.len) & d->mask;
    for (; d->slots[at]; at = (at + 1) & d->mask) {
        if (str_eq(d->s[d->slots[at] - 1], s)) {
            *ret_ord = d->slots[at] - 1;
            return 0;
        }
    }
    // Aligned: shapes are strings of u32.
    char *p = arena_alloc_array(arena, (s.len + 3) / 4 + 1, 4);
    if (!p)
        return ERR_NOMEM;
    if (s.len)
        memcpy(p, s.ptr, s.len);
    d->s[d->n] = (str){ p, s.len };
    *ret_ord = d->n++;
    d->slots[at] = d->n;
    return 0;
}

void build_dict_free(struct build_dict *d)
{
    mem_free(d->s);
    mem_free(d->slots);
    *d = (struct build_dict){ 0 };
}

// ---- resources and scopes ------------------------------------------------------------------------------

int entities_add(struct build *b, struct build_entities *es, const struct record_entity *e, uint64_t hash,
                 uint32_t *ret_index)
{
    struct buf buf;
    uint32_t before = es->canonical.n;
    buf_init(&buf, CHUNK_RAW_MAX);
    int rc = entity_encode(&buf, e);
    if (rc == 0)
        rc = build_dict_intern(&es->canonical, &b->keep, buf_view(&buf), ret_index);
    buf_free(&buf);
    if (rc < 0 || es->canonical.n == before)
        return rc;
    if (before == 0 || (before & (before - 1)) == 0) {
        uint64_t *h = mem_reallocarray(es->hash, before ? (size_t)before * 2 : 1, sizeof *h);
        if (!h)
            return ERR_NOMEM;
        es->hash = h;
    }
    es->hash[before] = hash;
    return 0;
}

int entities_rank(struct build_entities *es)
{
    uint32_t n = es->canonical.n;
    int64_t *key = mem_reallocarray(NULL, (size_t)n * 2 + 1, sizeof *key);
    uint32_t *index = mem_reallocarray(NULL, (size_t)n * 2 + 1, sizeof *index);
    es->rank = mem_reallocarray(NULL, n, sizeof *es->rank);
    es->out = mem_reallocarray(NULL, n, sizeof *es->out);
    es->used = mem_reallocarray(NULL, n, sizeof *es->used);
    int e = key && index && es->rank && es->out && es->used ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; i < n && e == 0; i++) {
        key[i] = (int64_t)es->hash[i];
        index[i] = i;
        es->out[i] = UNMAPPED;
    }
    if (e == 0) {
        sort_stable(key, index, n, key + n, index + n);
        for (uint32_t i = 0; i < n; i++)
            es->rank[index[i]] = i;
    }
    mem_free(key);
    mem_free(index);
    return e;
}

uint32_t entities_out(struct build_entities *es, uint32_t index)
{
    if (es->out[index] == UNMAPPED) {
        es->used[es->used_n] = index;
        es->out[index] = es->used_n++;
    }
    return es->out[index];
}

void entities_free(struct build_entities *es)
{
    build_dict_free(&es->canonical);
    mem_free(es->hash);
    mem_free(es->rank);
    mem_free(es->out);
    mem_free(es->used);
}

// ---- columns -------------------------------------------------------------------------------------------

static uint32_t column_hash(struct column c)
{
    return (uint32_t)hash64_int(build_hash(c.key.ptr, c.key.len) + c.level * 8u + c.type);
}

static int columns_grow(struct build_table *t)
{
    uint32_t cap = t->columns_cap ? t->columns_cap * 2 : 32;
    struct build_column *c = mem_reallocarray(t->columns, cap, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    t->columns = c;
    uint32_t *slots = mem_calloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(t->column_slots);
    t->column_slots = slots;
    t->column_mask = cap * 2 - 1;
    t->columns_cap = cap;
    for (uint32_t i = 0; i < t->columns_n; i++) {
        uint32_t at = column_hash(t->columns[i].c) & t->column_mask;
        while (slots[at])
            at = (at + 1) & t->column_mask;
        slots[at] = i + 1;
    }
    return 0;
}

static int column_intern(struct build *b, struct build_table *t, struct column c, uint32_t *ret_i)
{
    int e;
    if (t->columns_n == t->columns_cap && (e = columns_grow(t)) < 0)
        return e;
    uint32_t at = column_hash(c) & t->column_mask;
    for (; t->column_slots[at]; at = (at + 1) & t->column_mask) {
        const struct column *o = &t->columns[t->column_slots[at] - 1].c;
        if (o->level == c.level && o->type == c.type && str_eq(o->key, c.key)) {
            *ret_i = t->column_slots[at] - 1;
            return 0;
        }
    }
    if (t->columns_n == PART_COLUMNS_MAX)
        return ERR_LIMIT;
    struct build_column *bc = &t->columns[t->columns_n];
    *bc = (struct build_column){ .c = c, .typed = true, .form = { .series = UNMAPPED } };
    if (arena_dup(&b->keep, c.key, &bc->c.key) < 0)
        return ERR_NOMEM;
    *ret_i = t->columns_n++;
    t->column_slots[at] = t->columns_n;
    return 0;
}

// One input's dictionary counts towards whether the column keeps one.
static void dict_count(struct build_column *bc, struct input_column *ic)
{
    if (!ic->dict) {
        bc->local = true;
        return;
    }
    bc->entries += ic->dict->n;
    if (bc->entries <= PART_DICT_ENTRIES_MAX)
        for (uint32_t i = 0; i < ic->dict->n; i++)
            bc->dict_bytes += dict_get(ic->dict, i).len;
}

static int columns_of_input(struct build *b, struct build_input *in, enum segment_table t)
{
    struct input_table *it = &in->t[t];
    struct build_table *bt = &b->t[t];
    for (uint32_t s = 0; s < it->shapes_n; s++) {
        if (it->shape_rows[s] == 0)
            continue;
        struct shape shape = it->shapes[s];
        for (uint32_t k = 0; k < shape.n; k++) {
            struct input_column *ic = &it->columns[shape.columns[k]];
            if (ic->out == UNMAPPED) {
                struct column c = segment_column(in->s, t, shape.columns[k]);
                int e = column_intern(b, bt, c, &ic->out);
                if (e < 0)
                    return e;
                if (value_is_string(c.type)) {
                    ic->dict = segment_dict(in->s, t, COL_FIXED + shape.columns[k]);
                    dict_count(&bt->columns[ic->out], ic);
                }
            }
            bt->columns[ic->out].present += it->shape_rows[s];
        }
        bt->names.present += it->shape_rows[s];
    }
    it->names.out = 0;
    it->names.dict = segment_dict(in->s, t, COL_NAME);
    if (segment_blocks(in->s, t))
        dict_count(&bt->names, &it->names);
    return 0;
}

// More than one value in eight is new: what a dictionary would save, its ordinals cost again.
static void dict_decide(struct build_column *bc, uint64_t *budget)
{
    if (bc->entries > PART_DICT_FLOOR && bc->entries > bc->present / 8)
        bc->local = true;
    if (bc->entries > PART_DICT_ENTRIES_MAX || bc->dict_bytes > PART_DICT_BYTES_MAX || bc->dict_bytes > *budget)
        bc->local = true;
    if (!bc->local)
        *budget -= bc->dict_bytes;
}

// How the input's values go into the column, now that it is known what the column is.
static int column_connect(struct build_column *to, struct input_column *ic)
{
    ic->to = to;
    if (to->c.type == VALUE_NULL) {
        ic->mode = MODE_NONE;
    } else if (!value_is_string(to->c.type)) {
        ic->mode = to->c.type == VALUE_INT ? MODE_INT : MODE_WORD;
    } else if (to->local) {
        ic->mode = MODE_STRING;
    } else {
        ic->mode = MODE_ORDINAL;
        ic->map = mem_reallocarray(NULL, ic->dict->n, sizeof *ic->map);
        if (!ic->map)
            return ERR_NOMEM;
        memset(ic->map, 0xff, sizeof *ic->map * ic->dict->n);
    }
    return 0;
}

// With too many columns the ones that most rows have get chunks of their own.
static int columns_choose(struct build_table *t)
{
    if (t->columns_n <= PART_COLUMNS_TYPED)
        return 0;
    uint32_t n = t->columns_n;
    int64_t *key = mem_reallocarray(NULL, (size_t)n * 2, sizeof *key);
    uint32_t *index = mem_reallocarray(NULL, (size_t)n * 2, sizeof *index);
    if (key && index) {
        for (uint32_t i = 0; i < n; i++) {
            key[i] = -(int64_t)t->columns[i].present;
            index[i] = i;
        }
        sort_stable(key, index, n, key + n, index + n);
        for (uint32_t i = PART_COLUMNS_TYPED; i < n; i++)
            t->columns[index[i]].typed = false;
    }
    int e = key && index ? 0 : ERR_NOMEM;
    mem_free(key);
    mem_free(index);
    return e;
}

int columns_plan(struct build *b)
{
    uint64_t budget = DICTS_BYTES_MAX;
    int e = 0;
    for (int t = 0; t < TABLE_N && e == 0; t++) {
        struct build_table *bt = &b->t[t];
        bt->names = (struct build_column){
            .c = { .type = VALUE_STR }, .name = true, .typed = true, .form = { .series = UNMAPPED }
        };
        for (uint32_t i = 0; i < b->inputs_n && e == 0; i++)
            e = columns_of_input(b, &b->inputs[i], (enum segment_table)t);
        dict_decide(&bt->names, &budget);
        for (uint32_t c = 0; c < bt->columns_n; c++)
            if (value_is_string(bt->columns[c].c.type))
                dict_decide(&bt->columns[c], &budget);
        if (e == 0)
            e = columns_choose(bt);
        for (uint32_t i = 0; i < b->inputs_n && e == 0; i++) {
            struct input_table *it = &b->inputs[i].t[t];
            if (segment_blocks(b->inputs[i].s, (enum segment_table)t))
                e = column_connect(&bt->names, &it->names);
            for (uint32_t c = 0; c < it->columns_n && e == 0; c++)
                if (it->columns[c].out != UNMAPPED)
                    e = column_connect(&bt->columns[it->columns[c].out], &it->columns[c]);
        }
    }
    return e;
}

int shape_out(struct build_table *t, struct arena *arena, const struct input_table *it, struct shape shape,
              uint32_t *ret_ord)
{
    uint32_t few[64], *out = few;
    if (shape.n > 64 && !(out = mem_reallocarray(NULL, shape.n, sizeof *out)))
        return ERR_NOMEM;
    for (uint32_t k = 0; k < shape.n; k++)
        out[k] = it->columns[shape.columns[k]].out;
    int e = build_dict_intern(&t->shapes, arena, str_of(out, sizeof *out * shape.n), ret_ord);
    if (out != few)
        mem_free(out);
    return e;
}

void table_free(struct build_table *t)
{
    for (uint32_t i = 0; i <= t->columns_n; i++) {
        struct build_column *c = i < t->columns_n ? &t->columns[i] : &t->names;
        build_dict_free(&c->dict);
        mem_free(c->v);
        mem_free(c->s);
        mem_free(c->row);
    }
    for (int i = 0; i < COL_FIXED; i++)
        mem_free(t->fixed[i]);
    build_dict_free(&t->shapes);
    mem_free(t->columns);
    mem_free(t->column_slots);
    mem_free(t->block_rows);
    arena_free(&t->strings);
}

// ---- writing -------------------------------------------------------------------------------------------

static int put_strings(struct build *b, struct buf *out, const str *s, uint32_t n)
{
    buf_varint(out, n);
    return encode_strings(out, s, n, &b->w.scratch);
}

static int write_dict(struct build *b, uint8_t table, uint32_t column, const struct build_dict *d)
{
    struct buf *out = &b->w.tight;
    if (d->n == 0)
        return 0;
    buf_clear(out);
    int e = put_strings(b, out, d->s, d->n);
    return e < 0 ? e : part_write_single(&b->w, CHUNK_DICT, table, column, buf_bytes(out));
}

static int write_columns(struct build *b, uint8_t table, const struct build_table *t)
{
    struct buf *out = &b->w.tight;
    uint32_t n = t->columns_n;
    uint64_t *v = mem_reallocarray(NULL, n, sizeof *v);
    str *keys = mem_reallocarray(NULL, n, sizeof *keys);
    int e = v && keys ? 0 : ERR_NOMEM;
    buf_clear(out);
    buf_varint(out, n);
    for (uint32_t i = 0; i < n && e == 0; i++)
        v[i] = t->columns[i].c.level, keys[i] = t->columns[i].c.key;
    if (e == 0)
        e = encode_ints((struct encode_out){ .tight = out }, v, n, false, NULL, &b->w.scratch, NULL);
    for (uint32_t i = 0; i < n && e == 0; i++)
        v[i] = t->columns[i].c.type;
    if (e == 0)
        e = encode_ints((struct encode_out){ .tight = out }, v, n, false, NULL, &b->w.scratch, NULL);
    if (e == 0)
        e = encode_strings(out, keys, n, &b->w.scratch);
    mem_free(v);
    mem_free(keys);
    return e < 0 ? e : part_write_single(&b->w, CHUNK_COLUMNS, table, 0, buf_bytes(out));
}

static int write_shapes(struct build *b, uint8_t table, const struct build_dict *shapes)
{
    struct buf *out = &b->w.tight;
    size_t total = 0, most = shapes->n;
    for (uint32_t i = 0; i < shapes->n; i++)
        total += shapes->s[i].len / 4;
    if (total > UINT32_MAX)
        return ERR_LIMIT;
    uint64_t *v = mem_reallocarray(NULL, total > most ? total : most, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    buf_clear(out);
    buf_varint(out, shapes->n);
    for (uint32_t i = 0; i < shapes->n; i++)
        v[i] = shapes->s[i].len / 4;
    int e = encode_ints((struct encode_out){ .tight = out }, v, shapes->n, false, NULL, &b->w.scratch, NULL);
    total = 0;
    for (uint32_t i = 0; i < shapes->n; i++)
        for (size_t k = 0; k < shapes->s[i].len; k += 4)
            v[total++] = le32_get(shapes->s[i].ptr + k);
    if (e == 0)
        e = encode_ints((struct encode_out){ .tight = out }, v, (uint32_t)total, false, NULL, &b->w.scratch, NULL);
    mem_free(v);
    return e < 0 ? e : part_write_single(&b->w, CHUNK_SHAPES, table, 0, buf_bytes(out));
}

static int write_entities(struct build *b, enum chunk_kind kind, const struct build_entities *es)
{
    struct buf *out = &b->w.tight;
    str *s = mem_reallocarray(NULL, es->used_n, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < es->used_n; i++)
        s[i] = es->canonical.s[es->used[i]];
    buf_clear(out);
    int e = put_strings(b, out, s, es->used_n);
    mem_free(s);
    return e < 0 ? e : part_write_single(&b->w, kind, 0, 0, buf_bytes(out));
}

int dictionaries_write(struct build *b)
{
    int e = 0;
    for (uint8_t t = 0; t < TABLE_N && e == 0; t++) {
        struct build_table *bt = &b->t[t];
        if (bt->rows == 0)
            continue;
        for (uint32_t c = 0; c < bt->columns_n && e == 0; c++)
            e = write_dict(b, t, COL_FIXED + c, &bt->columns[c].dict);
        if (e < 0 || (e = write_dict(b, t, COL_NAME, &bt->names.dict)) < 0 || (e = write_columns(b, t, bt)) < 0)
            return e;
        e = write_shapes(b, t, &bt->shapes);
    }
    if (e < 0 || (e = write_entities(b, CHUNK_RESOURCES, &b->resources)) < 0)
        return e;
    return write_entities(b, CHUNK_SCOPES, &b->scopes);
}
