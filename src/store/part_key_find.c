// Which blocks of an open part may hold a key.
#include "base/hash.h"
#include "base/mem.h"
#include "store/part_read.h"

// Blocks of the bucket's entries first .. end-1.
static int bucket_blocks(const struct part *p, struct encode_in in, uint32_t n, uint32_t first, uint32_t end,
                         uint64_t *blocks)
{
    struct arena arena;
    arena_init(&arena, 1 << 26);
    uint64_t *v = arena_alloc_array(&arena, n, sizeof *v);
    int e = v ? decode_ints(&in, v, n, NULL, &arena) : ERR_NOMEM;
    for (uint32_t i = first; i < end && e == 0; i++) {
        if (v[i] >= p->t[TABLE_ROWS].blocks)
            e = ERR_CORRUPT;
        else
            blocks[v[i] / 64] |= 1ull << (v[i] % 64);
    }
    arena_free(&arena);
    return e;
}

int part_key_find(struct part *p, uint32_t column, str value, uint64_t *blocks)
{
    uint32_t k = 0;
    while (k < p->key_index_n && p->series[p->key_index[k]].column != COL_FIXED + column)
        k++;
    if (k == p->key_index_n)
        return ERR_UNSUPPORTED;
    uint64_t h = hash64_str(value), n;
    uint32_t series = p->key_index[k], buckets = p->series[series].n;
    unsigned bits = (unsigned)__builtin_ctz(buckets);
    struct chunk_entry entry;
    struct cache_entry *c;
    part_pin(p);
    int e = part_entry(p, series, bits ? (uint32_t)(h >> (64 - bits)) : 0, &entry);
    e = e == ERR_NOENT ? ERR_CORRUPT : e;
    if (e == 0)
        e = part_chunk(p, CHUNK_KEY_INDEX, &entry, NULL, &c);
    if (e == 0) {
        struct encode_in in = { c->data, c->data + c->size };
        e = encode_varint_get(&in, &n);
        if (e == 0 && n > (uint64_t)(in.end - in.p) / 2)
            e = ERR_CORRUPT;
        if (e == 0) {
            uint16_t mark = (uint16_t)((h << bits) >> 48);
            const uint8_t *marks = in.p;
            uint32_t first = 0, end;
            while (first < n && le16_get(marks + 2 * (size_t)first) < mark)
                first++;
            for (end = first; end < n && le16_get(marks + 2 * (size_t)end) == mark; end++) {}
            in.p += 2 * n;
            e = first == end ? 0 : bucket_blocks(p, in, (uint32_t)n, first, end, blocks);
        }
        cache_unpin(c);
    }
    part_unpin(p);
    return e == ERR_TRUNCATED || e == ERR_MALFORMED ? ERR_CORRUPT : e;
}
