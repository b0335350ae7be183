#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>

void buf_init(struct buf *b, size_t max) { *b = (struct buf){ .max = max }; }

void buf_free(struct buf *b)
{
    mem_free(b->ptr);
    *b = (struct buf){ .max = b->max };
}

int buf_reserve(struct buf *b, size_t n)
{
    if (b->error)
        return b->error;
    if (b->cap - b->len >= n)
        return 0;
    if (n > b->max || b->len > b->max - n)
        return b->error = ERR_LIMIT;
    size_t cap = b->cap ? b->cap * 2 : 256;
    if (cap < b->len + n)
        cap = b->len + n;
    if (cap > b->max)
        cap = b->max;
    uint8_t *p = mem_realloc(b->ptr, cap);
    if (!p)
        return b->error = ERR_NOMEM;
    b->ptr = p;
    b->cap = cap;
    return 0;
}

uint8_t *buf_extend(struct buf *b, size_t n)
{
    if (buf_reserve(b, n) < 0)
        return NULL;
    uint8_t *p = b->ptr + b->len;
    b->len += n;
    return p;
}

int buf_append(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return b->error;
    uint8_t *q = buf_extend(b, n);
    if (!q)
        return b->error;
    memcpy(q, p, n);
    return 0;
}

int buf_byte(struct buf *b, uint8_t c) { return buf_append(b, &c, 1); }

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, ap2;
    va_start(ap, fmt);
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && buf_reserve(b, (size_t)n + 1) == 0) {
        vsnprintf((char *)b->ptr + b->len, (size_t)n + 1, fmt, ap2);
        b->len += (size_t)n;
    }
    va_end(ap2);
    return b->error;
}

int buf_le16(struct buf *b, uint16_t v) { return buf_append(b, &v, 2); }
int buf_le32(struct buf *b, uint32_t v) { return buf_append(b, &v, 4); }
int buf_le64(struct buf *b, uint64_t v) { return buf_append(b, &v, 8); }

int buf_varint(struct buf *b, uint64_t v)
{
    if (buf_reserve(b, 10) < 0)
        return b->error;
    uint8_t *p = b->ptr + b->len;
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    b->len = (size_t)(p - b->ptr);
    return 0;
}

void buf_consume(struct buf *b, size_t n)
{
    must(n <= b->len);
    if (n && n < b->len)
        memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}
