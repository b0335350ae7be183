#include "grouping/md5.h"

#include "base/hex.h"

static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t turns[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

void md5_init(struct md5 *m) { *m = (struct md5){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } }; }

static void block_add(uint32_t state[4], const uint8_t *p)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], x[16];
    for (int i = 0; i < 16; i++)
        x[i] = le32_get(p + i * 4);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t f;
        unsigned k;
        switch (i / 16) {
        case 0:
            f = d ^ (b & (c ^ d));
            k = i;
            break;
        case 1:
            f = c ^ (d & (b ^ c));
            k = i * 5 + 1;
            break;
        case 2:
            f = b ^ c ^ d;
            k = i * 3 + 5;
            break;
        default:
            f = c ^ (b | ~d);
            k = i * 7;
        }
        uint32_t sum = a + f + x[k & 15] + sines[i];
        unsigned turn = turns[i / 16][i & 3];
        a = d;
        d = c;
        c = b;
        b += sum << turn | sum >> (32 - turn);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void md5_add(struct md5 *m, str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t left = s.len, in = m->n % MD5_BLOCK;
    m->n += s.len;
    if (in) {
        size_t take = left < MD5_BLOCK - in ? left : MD5_BLOCK - in;
        if (take)
            memcpy(m->block + in, p, take);
        if (in + take < MD5_BLOCK)
            return;
        block_add(m->state, m->block);
        p += take;
        left -= take;
    }
    for (; left >= MD5_BLOCK; left -= MD5_BLOCK, p += MD5_BLOCK)
        block_add(m->state, p);
    if (left)
        memcpy(m->block, p, left);
}

void md5_hex(struct md5 *m, char ret_hex[MD5_HEX_LEN])
{
    uint8_t tail[MD5_BLOCK * 2] = { 0x80 }, digest[MD5_LEN];
    uint64_t bits = m->n * 8;
    size_t in = m->n % MD5_BLOCK, pad = (in < 56 ? 56 : 120) - in;
    le64_put(tail + pad, bits);
    md5_add(m, str_of(tail, pad + 8));
    for (int i = 0; i < 4; i++)
        le32_put(digest + i * 4, m->state[i]);
    hex_encode(ret_hex, digest, sizeof digest);
}
