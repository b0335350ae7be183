#include "base/pb.h"

struct pb_varint_result pb_varint_slow(const uint8_t *p, const uint8_t *end)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (p == end)
            return (struct pb_varint_result){ NULL, (uint64_t)ERR_TRUNCATED };
        uint8_t c = *p++;
        if (shift == 63 && c > 1) // the tenth byte has one bit left
            break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return (struct pb_varint_result){ p, v };
    }
    return (struct pb_varint_result){ NULL, (uint64_t)ERR_MALFORMED };
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
