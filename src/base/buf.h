// Growable byte buffer with a maximum given at creation. Errors are sticky: after a failed append
// the buffer stays failed (buf.error), further appends do nothing, and one check at the end suffices.
#pragma once
#include "base/bytes.h"

struct buf {
    uint8_t *ptr;
    size_t len, cap;
    size_t max;
    int error; // 0, ERR_NOMEM or ERR_LIMIT
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
static inline void buf_clear(struct buf *b) { b->len = 0, b->error = 0; }
// Room for n more bytes at ptr + len, or an error. Does not change len.
int buf_reserve(struct buf *b, size_t n);
// Takes n bytes at the end and returns them to be written, or NULL.
uint8_t *buf_extend(struct buf *b, size_t n);
int buf_append(struct buf *b, const void *p, size_t n);
static inline int buf_str(struct buf *b, str s) { return buf_append(b, s.ptr, s.len); }
int buf_byte(struct buf *b, uint8_t c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_le16(struct buf *b, uint16_t v);
int buf_le32(struct buf *b, uint32_t v);
int buf_le64(struct buf *b, uint64_t v);
// LEB128, at most 10 bytes.
int buf_varint(struct buf *b, uint64_t v);
// Drops n bytes from the front (moves the rest down).
void buf_consume(struct buf *b, size_t n);
static inline bytes buf_bytes(const struct buf *b) { return (bytes){ b->ptr, b->len }; }
static inline str buf_view(const struct buf *b) { return (str){ (const char *)b->ptr, b->len }; }
