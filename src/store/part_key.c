// The indexes of a new part's keys: strings by which few rows are looked for among millions (ids and groups of events). From a key's
// hash to the blocks that may hold it, in buckets as those of traces (part_trace.c).
#include "base/hash.h"
#include "base/mem.h"
#include "store/part_build.h"

#include <stdlib.h>

// Upper 40 bits of the hash, then the block.
enum { KEY_BLOCK_BITS = 24 };

static int order(const void *pa, const void *pb)
{
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
    return (a > b) - (a < b);
}

void key_index_plan(struct build *b)
{
    static const str fields[PART_KEYS] = PART_KEY_FIELDS;
    for (int k = 0; k < PART_KEYS; k++) {
        b->keys[k].column = UNMAPPED;
        for (uint32_t i = 0; b->source == RECORD_EVENTS && i < b->t[TABLE_ROWS].columns_n; i++) {
            const struct column *c = &b->t[TABLE_ROWS].columns[i].c;
            if (c->level == ATTR_FIELD && c->type == VALUE_STR && str_eq(c->key, fields[k]))
                b->keys[k].column = i;
        }
    }
}

static int add_column(struct build *b, struct build_keys *k)
{
    struct build_table *bt = &b->t[TABLE_ROWS];
    const struct build_column *c = &bt->columns[k->column];
    if (k->cap - k->n < c->n) {
        uint32_t cap = k->cap ? k->cap * 2 : 2 * BLOCK_ROWS;
        uint64_t *v = cap > 1u << 31 ? NULL : mem_reallocarray(k->v, cap, sizeof *v);
        if (!v)
            return ERR_NOMEM;
        k->v = v;
        k->cap = cap;
    }
    uint64_t *v = k->v + k->n;
    for (uint32_t i = 0; i < c->n; i++) {
        str s = c->local ? c->s[i] : c->dict.s[c->v[i]];
        v[i] = hash64_str(s) >> KEY_BLOCK_BITS << KEY_BLOCK_BITS | bt->blocks;
    }
    // Each once a block: of groups there are few.
    uint32_t kept = 0;
    if (c->n > 1)
        qsort(v, c->n, sizeof *v, order);
    for (uint32_t i = 0; i < c->n; i++)
        if (i == 0 || v[i] != v[i - 1])
            v[kept++] = v[i];
    k->n += kept;
    return 0;
}

int key_index_add_block(struct build *b)
{
    int e = 0;
    for (int k = 0; k < PART_KEYS && e == 0; k++)
        if (b->keys[k].column != UNMAPPED)
            e = add_column(b, &b->keys[k]);
    return e;
}

static int write_bucket(struct build *b, uint32_t series, uint32_t bucket, const uint64_t *keys, uint32_t n,
                        unsigned bits)
{
    struct chunk_entry entry = { .block = bucket };
    struct buf *out = &b->w.tight;
    uint64_t *v = encode_scratch_get(&b->w.scratch, ENCODE_SCRATCH_STRINGS, n);
    if (!v)
        return ERR_NOMEM;
    buf_clear(out);
    buf_varint(out, n);
    for (uint32_t i = 0; i < n; i++) {
        buf_le16(out, (uint16_t)((keys[i] << bits) >> 48));
        v[i] = keys[i] & ((1u << KEY_BLOCK_BITS) - 1);
    }
    int e = encode_ints((struct encode_out){ .tight = out }, v, n, false, NULL, &b->w.scratch, NULL);
    return e < 0 ? e : part_series_write(&b->w, series, buf_bytes(out), false, &entry);
}

static int write_column(struct build *b, struct build_keys *k)
{
    uint32_t series, at = 0;
    unsigned bits = 0;
    while (bits < KEY_BLOCK_BITS && (k->n >> bits) > TRACE_BUCKET)
        bits++;
    qsort(k->v, k->n, sizeof *k->v, order);
    int e = part_series_new(&b->w, CHUNK_KEY_INDEX, TABLE_ROWS, COL_FIXED + k->column, &series);
    for (uint32_t bucket = 0; bucket < 1u << bits && e == 0; bucket++) {
        uint32_t end = at;
        while (end < k->n && (bits ? k->v[end] >> (64 - bits) : 0) == bucket)
            end++;
        e = write_bucket(b, series, bucket, k->v + at, end - at, bits);
        at = end;
    }
    return e;
}

int key_index_write(struct build *b)
{
    int e = 0;
    for (int k = 0; k < PART_KEYS && e == 0; k++)
        if (b->keys[k].n)
            e = write_column(b, &b->keys[k]);
    return e;
}

void key_index_free(struct build *b)
{
    for (int k = 0; k < PART_KEYS; k++)
        mem_free(b->keys[k].v);
}
