// Traces of an open part: ordinal to id, id to ordinal, ordinal to rows.
#include "base/hash.h"
#include "base/mem.h"
#include "store/part_read.h"

static int page_chunk(struct part *p, uint32_t series, enum chunk_kind kind, uint32_t page,
                      struct cache_entry **ret_entry)
{
    struct chunk_entry entry;
    int e = part_entry(p, series, page, &entry);
    if (e == 0)
        e = part_chunk(p, kind, &entry, NULL, ret_entry);
    return e == ERR_NOENT ? ERR_CORRUPT : e;
}

int part_trace_id(struct part *p, uint32_t ord, uint8_t id[16])
{
    struct cache_entry *c;
    memset(id, 0, 16);
    if (ord >= p->traces)
        return ERR_INVALID;
    part_pin(p);
    int e = page_chunk(p, p->trace_ids, CHUNK_TRACE_IDS, ord / TRACE_PAGE, &c);
    if (e == 0) {
        if (c->size / 16 > ord % TRACE_PAGE)
            memcpy(id, c->data + (size_t)(ord % TRACE_PAGE) * 16, 16);
        else
            e = ERR_CORRUPT;
        cache_unpin(c);
    }
    part_unpin(p);
    return e;
}

// Ordinals of the bucket's entries first .. end-1, compared with the id.
static int bucket_compare(struct part *p, struct encode_in in, uint32_t n, uint32_t first, uint32_t end,
                          const uint8_t id[16], uint32_t *ret_ord)
{
    struct arena arena;
    uint64_t few[2 * TRACE_BUCKET], *ord = few;
    arena_init(&arena, 1 << 26);
    int e = n > 2 * TRACE_BUCKET && !(ord = arena_alloc_array(&arena, n, sizeof *ord)) ? ERR_NOMEM : 0;
    if (e == 0)
        e = decode_ints(&in, ord, n, NULL, &arena);
    bool found = false;
    for (uint32_t i = first; i < end && e == 0 && !found; i++) {
        uint8_t other[16];
        if (ord[i] >= p->traces)
            e = ERR_CORRUPT;
        else if ((e = part_trace_id(p, (uint32_t)ord[i], other)) == 0)
            found = memcmp(id, other, 16) == 0;
        if (found)
            *ret_ord = (uint32_t)ord[i];
    }
    arena_free(&arena);
    return e < 0 ? e : found ? 0 : ERR_NOENT;
}

int part_trace_find(struct part *p, const uint8_t id[16], uint32_t *ret_ord)
{
    if (p->traces == 0)
        return ERR_NOENT;
    uint64_t h = hash64(id, 16), n;
    uint32_t buckets = p->trace_index == NO_SERIES ? 0 : p->series[p->trace_index].n;
    unsigned bits = buckets ? (unsigned)__builtin_ctz(buckets) : 0;
    struct cache_entry *c;
    part_pin(p);
    int e = buckets ? page_chunk(p, p->trace_index, CHUNK_TRACE_INDEX, bits ? (uint32_t)(h >> (64 - bits)) : 0, &c)
                    : ERR_CORRUPT;
    if (e == 0) {
        struct encode_in in = { c->data, c->data + c->size };
        e = encode_varint_get(&in, &n);
        if (e == 0 && n > (uint64_t)(in.end - in.p) / 2)
            e = ERR_CORRUPT;
        if (e == 0) {
            // The fingerprints are the filter: for an id that is not there, nothing else is looked at.
            uint16_t mark = (uint16_t)((h << bits) >> 48);
            const uint8_t *marks = in.p;
            uint32_t first = 0, end;
            while (first < n && le16_get(marks + 2 * (size_t)first) < mark)
                first++;
            for (end = first; end < n && le16_get(marks + 2 * (size_t)end) == mark; end++) {}
            in.p += 2 * n;
            e = first == end ? ERR_NOENT : bucket_compare(p, in, (uint32_t)n, first, end, id, ret_ord);
        }
        cache_unpin(c);
    }
    part_unpin(p);
    return e;
}

// A page of first rows, unpacked: kept in the cache as words, under the chunk's place.
static int rows_page(struct part *p, uint32_t page, struct cache_entry **ret_entry)
{
    struct chunk_entry entry;
    int e = part_entry(p, p->trace_rows, page, &entry);
    if (e < 0)
        return e == ERR_NOENT ? ERR_CORRUPT : e;
    if ((*ret_entry = cache_get(p->env->cache, p->number, entry.offset)) != NULL)
        return 0;
    uint32_t left = p->traces - page * TRACE_PAGE, n = (left < TRACE_PAGE ? left : TRACE_PAGE) + 1, size;
    uint8_t *data, *words = mem_alloc(n * sizeof(uint64_t) + ENCODE_PAD);
    struct arena arena;
    if (!words)
        return ERR_NOMEM;
    if ((e = part_chunk_read(p, CHUNK_TRACE_ROWS, &entry, &data, &size)) < 0) {
        mem_free(words);
        return e;
    }
    struct encode_in in = { data, data + size };
    arena_init(&arena, 1 << 20);
    e = decode_ints(&in, (uint64_t *)(void *)words, n, NULL, &arena);
    arena_free(&arena);
    mem_free(data);
    if (e < 0) {
        mem_free(words);
        return e;
    }
    *ret_entry = cache_put_take(p->env->cache, p->number, entry.offset, words, n * (uint32_t)sizeof(uint64_t));
    return *ret_entry ? 0 : ERR_NOMEM;
}

int part_trace_run(struct part *p, uint32_t ord, uint64_t *ret_first, uint64_t *ret_end)
{
    struct cache_entry *c;
    if (!p->s.info.trace_order)
        return ERR_UNSUPPORTED;
    if (ord >= p->traces)
        return ERR_INVALID;
    part_pin(p);
    int e = rows_page(p, ord / TRACE_PAGE, &c);
    if (e == 0) {
        const uint8_t *words = c->data + (size_t)(ord % TRACE_PAGE) * 8;
        uint64_t first = le64_get(words), end = le64_get(words + 8);
        if (first > end || end > (uint64_t)p->t[TABLE_ROWS].blocks * BLOCK_ROWS) {
            e = ERR_CORRUPT;
        } else {
            *ret_first = first;
            *ret_end = end;
        }
        cache_unpin(c);
    }
    part_unpin(p);
    return e;
}
