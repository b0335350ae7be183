#include "base/crc32c.h"

#include <string.h>

#if defined(__SSE4_2__)
#include <nmmintrin.h>

uint32_t crc32c_more(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t c = crc ^ 0xffffffffu;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c = _mm_crc32_u64(c, v);
    }
    for (; n; p++, n--)
        c = _mm_crc32_u8((uint32_t)c, *p);
    return (uint32_t)c ^ 0xffffffffu;
}
#else
uint32_t crc32c_more(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    crc ^= 0xffffffffu;
    for (; n; p++, n--) {
        crc ^= *p;
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
    }
    return crc ^ 0xffffffffu;
}
#endif

uint32_t crc32c(const void *p, size_t n) { return crc32c_more(0, p, n); }
