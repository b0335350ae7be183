#include "base/base64.h"

void base64_encode(char *out, const void *p, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *b = p;
    for (; n >= 3; n -= 3, b += 3, out += 4) {
        out[0] = alphabet[b[0] >> 2];
        out[1] = alphabet[(b[0] & 3) << 4 | b[1] >> 4];
        out[2] = alphabet[(b[1] & 15) << 2 | b[2] >> 6];
        out[3] = alphabet[b[2] & 63];
    }
    if (n) {
        out[0] = alphabet[b[0] >> 2];
        out[1] = alphabet[(b[0] & 3) << 4 | (n > 1 ? b[1] >> 4 : 0)];
        out[2] = n > 1 ? alphabet[(b[1] & 15) << 2] : '=';
        out[3] = '=';
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(void *out, str s, size_t *ret_n)
{
    if (s.len % 4 == 0 && s.len && s.ptr[s.len - 1] == '=')
        s.len -= s.ptr[s.len - 2] == '=' ? 2 : 1;
    if (s.len % 4 == 1)
        return false;
    uint8_t *b = out;
    uint32_t acc = 0;
    for (size_t i = 0; i < s.len; i++) {
        int d = base64_digit(s.ptr[i]);
        if (d < 0)
            return false;
        acc = acc << 6 | (uint32_t)d;
        if (i % 4 == 3) {
            *b++ = (uint8_t)(acc >> 16);
            *b++ = (uint8_t)(acc >> 8);
            *b++ = (uint8_t)acc;
        }
    }
    if (s.len % 4 == 2) {
        *b++ = (uint8_t)(acc >> 4);
    } else if (s.len % 4 == 3) {
        *b++ = (uint8_t)(acc >> 10);
        *b++ = (uint8_t)(acc >> 2);
    }
    *ret_n = (size_t)(b - (uint8_t *)out);
    return true;
}
