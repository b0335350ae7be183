#include "base/pb.h"

int pb_varint_slow(struct pb_reader *r, uint64_t *ret_v)
{
    const uint8_t *p = r->p;
    uint64_t v = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (p == r->end)
            return ERR_TRUNCATED;
        uint8_t c = *p++;
        if (shift == 63 && c > 1) // the tenth byte has one bit left
            return ERR_MALFORMED;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            r->p = p;
            *ret_v = v;
            return 0;
        }
    }
    return ERR_MALFORMED;
}

int pb_skip(struct pb_reader *r, uint32_t tag)
{
    uint64_t v;
    bytes b;
    switch (tag & 7) {
    case PB_VARINT:
        return pb_varint(r, &v);
    case PB_FIXED64:
        return pb_fixed64(r, &v);
    case PB_LEN:
        return pb_bytes(r, &b);
    case PB_FIXED32: {
        uint32_t w;
        return pb_fixed32(r, &w);
    }
    default:
        return ERR_MALFORMED;
    }
}

void pb_end(struct buf *b, size_t begin)
{
    if (b->error)
        return;
    // The length goes before what is there: write it at the end, then rotate it to its place.
    size_t n = b->len - begin;
    uint8_t len[10];
    size_t k = 0;
    for (uint64_t v = n;; v >>= 7) {
        len[k++] = (uint8_t)(v >= 0x80 ? v | 0x80 : v);
        if (v < 0x80)
            break;
    }
    if (!buf_extend(b, k))
        return;
    memmove(b->ptr + begin + k, b->ptr + begin, n);
    memcpy(b->ptr + begin, len, k);
}
