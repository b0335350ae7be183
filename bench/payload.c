#include "payload.h"

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"

#include <libdeflate.h>
#include <zstd.h>

enum { FRAGMENT_SIZE_MAX = 64 << 20 };

void fragment_init(struct fragment *f)
{
    *f = (struct fragment){ 0 };
    buf_init(&f->bytes, FRAGMENT_SIZE_MAX);
}

void fragment_clear(struct fragment *f)
{
    buf_clear(&f->bytes);
    f->patch_count = 0;
    f->records = 0;
}

void fragment_free(struct fragment *f)
{
    buf_free(&f->bytes);
    mem_free(f->patches);
    f->patches = NULL;
}

static void fragment_patch_at(struct fragment *f, uint32_t patch)
{
    if (f->patch_count == f->patch_cap) {
        f->patch_cap = f->patch_cap ? f->patch_cap * 2 : 64;
        f->patches = mem_reallocarray(f->patches, f->patch_cap, sizeof *f->patches);
        must(f->patches);
    }
    f->patches[f->patch_count++] = patch;
}

void fragment_patch_here(struct fragment *f, enum payload_patch_op op)
{
    fragment_patch_at(f, (uint32_t)f->bytes.len << PATCH_SHIFT | op);
}

void fragment_nest(struct fragment *dst, uint32_t field, const struct fragment *src)
{
    buf_varint(&dst->bytes, PB_TAG(field, PB_LEN));
    buf_varint(&dst->bytes, src->bytes.len);
    uint32_t base = (uint32_t)dst->bytes.len;
    for (size_t i = 0; i < src->patch_count; i++)
        fragment_patch_at(dst, src->patches[i] + (base << PATCH_SHIFT));
    buf_append(&dst->bytes, src->bytes.ptr, src->bytes.len);
    dst->records += src->records;
}

void payload_set_init(struct payload_set *set, uint64_t run_key) { *set = (struct payload_set){ .run_key = run_key }; }

void payload_set_free(struct payload_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        mem_free(set->items[i].data);
        mem_free(set->items[i].patches);
    }
    mem_free(set->items);
    *set = (struct payload_set){ 0 };
}

// The level that the SDKs' clients use by default (zlib's 6; zstd's 3 in the Collector).
static uint32_t payload_compress(const struct buf *raw, enum payload_encoding encoding, uint8_t **ret_data)
{
    size_t len;
    uint8_t *data;
    if (encoding == PAYLOAD_GZIP) {
        static struct libdeflate_compressor *gzip;
        if (!gzip)
            gzip = libdeflate_alloc_compressor(6);
        must(gzip);
        size_t bound = libdeflate_gzip_compress_bound(gzip, raw->len);
        data = mem_alloc(bound);
        must(data);
        len = libdeflate_gzip_compress(gzip, raw->ptr, raw->len, data, bound);
        must(len > 0);
    } else {
        size_t bound = ZSTD_compressBound(raw->len);
        data = mem_alloc(bound);
        must(data);
        len = ZSTD_compress(data, bound, raw->ptr, raw->len, 3);
        must(!ZSTD_isError(len));
    }
    uint8_t *fit = mem_realloc(data, len);
    *ret_data = fit ? fit : data;
    return (uint32_t)len;
}

void payload_set_add(struct payload_set *set, const struct fragment *f, enum payload_encoding encoding)
{
    must(!f->bytes.error);
    if (set->count == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 256;
        set->items = mem_reallocarray(set->items, set->cap, sizeof *set->items);
        must(set->items);
    }
    struct payload *p = &set->items[set->count++];
    *p = (struct payload){ .records = f->records };
    if (encoding == PAYLOAD_IDENTITY) {
        p->data = mem_dup(f->bytes.ptr, f->bytes.len);
        p->len = (uint32_t)f->bytes.len;
        p->patches = mem_dup(f->patches, f->patch_count * sizeof *f->patches);
        p->patch_count = (uint32_t)f->patch_count;
        must(p->data && p->patches);
    } else {
        p->len = payload_compress(&f->bytes, encoding, &p->data);
    }
    set->records += p->records;
    set->bytes += p->len;
    set->raw_bytes += f->bytes.len;
}

uint64_t payload_round_key(const struct payload_set *set, uint32_t round)
{
    return round ? hash64_int(set->run_key + round) : 0;
}

void payload_to_round(const struct payload_set *set, struct payload *p, uint32_t round)
{
    if (p->round == round)
        return;
    must(p->patches && round > p->round);
    uint64_t key = payload_round_key(set, p->round) ^ payload_round_key(set, round);
    uint64_t shift = (uint64_t)set->span_ns * (round - p->round);
    for (uint32_t i = 0; i < p->patch_count; i++) {
        uint8_t *at = p->data + (p->patches[i] >> PATCH_SHIFT), id[8];
        enum payload_patch_op op = p->patches[i] & ((1u << PATCH_SHIFT) - 1);
        if (op == PATCH_HEX) {
            must(hex_decode(id, str_of(at, 16)));
            le64_put(id, le64_get(id) ^ key);
            hex_encode((char *)at, id, sizeof id);
            continue;
        }
        uint64_t v = le64_get(at);
        le64_put(at, op == PATCH_TIME ? v + shift : v ^ key);
    }
    p->round = round;
}

// KeyValue { key = 1; value = 2 }, the value being an AnyValue with one of its fields.
#define ATTR_PUT(name, type, write)                                          \
    void attr_put_##name(struct buf *b, uint32_t field, str key, type value) \
    {                                                                        \
        size_t kv = pb_begin(b, field);                                      \
        pb_put_str(b, 1, key);                                               \
        size_t any = pb_begin(b, 2);                                         \
        write;                                                               \
        pb_end(b, any);                                                      \
        pb_end(b, kv);                                                       \
    }

ATTR_PUT(str, str, pb_put_str(b, 1, value))
ATTR_PUT(bool, bool, pb_put_varint(b, 2, value))
ATTR_PUT(int, int64_t, pb_put_varint(b, 3, (uint64_t)value))
ATTR_PUT(double, double, pb_put_double(b, 4, value))
