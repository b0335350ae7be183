#include "query/cursor.h"

#include "base/hex.h"

enum { WORDS = 8 };

static void words_of(const struct cursor *c, uint64_t w[WORDS])
{
    w[0] = (uint64_t)c->by_order << 63 | (uint64_t)c->at.source << 32 | c->at.skip;
    w[1] = (uint64_t)c->at.time;
    w[2] = (uint64_t)c->at.received;
    w[3] = c->at.resource;
    w[4] = c->rows;
    w[5] = (uint64_t)c->from;
    w[6] = (uint64_t)c->to;
    w[7] = c->query;
}

size_t cursor_print(const struct cursor *c, char out[CURSOR_LEN_MAX])
{
    uint64_t w[WORDS];
    uint8_t b[8];
    words_of(c, w);
    for (int i = 0; i < WORDS; i++) {
        be64_put(b, w[i]);
        hex_encode(out + 16 * i, b, 8);
    }
    return (size_t)16 * WORDS;
}

bool cursor_read(str s, struct cursor *ret)
{
    uint8_t b[8 * WORDS];
    if (s.len != (size_t)16 * WORDS || !hex_decode(b, s))
        return false;
    uint64_t head = be64_get(b);
    *ret = (struct cursor){ .by_order = head >> 63,
                            .at = { .source = head >> 32 & 0x7fffffff,
                                    .skip = (uint32_t)head,
                                    .time = (int64_t)be64_get(b + 8),
                                    .received = (int64_t)be64_get(b + 16),
                                    .resource = be64_get(b + 24) },
                            .rows = be64_get(b + 32),
                            .from = (int64_t)be64_get(b + 40),
                            .to = (int64_t)be64_get(b + 48),
                            .query = be64_get(b + 56) };
    return true;
}
