// Protocol Buffers wire format, zero-copy and inline: the reader hands out views into the message,
// the writer appends to a struct buf. Knows wire types, not schemas.
//
// The reader refuses what a conforming one must: varints over 10 bytes, field number 0, lengths past
// the end, wire types 6 and 7; and groups (3, 4), which no protocol here uses. Unknown fields are
// skipped. Nesting needs no counting here: every level is an explicit pb_sub() of the caller.
#pragma once
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_LEN = 2, PB_FIXED32 = 5 };

// A tag as it stands on the wire: for `case PB_TAG(3, PB_LEN):`.
#define PB_TAG(field, wire) ((uint32_t)(field) << 3 | (uint32_t)(wire))

struct pb_reader {
    const uint8_t *p, *end;
};

static inline struct pb_reader pb_reader_of(bytes b) { return (struct pb_reader){ b.ptr, b.ptr + b.len }; }

// By value in registers: a reader whose address escapes would live in memory, and every field would
// wait for a store. p is NULL on failure and v the (negative) code then.
struct pb_varint_result {
    const uint8_t *p;
    uint64_t v;
};
struct pb_varint_result pb_varint_slow(const uint8_t *p, const uint8_t *end);

// 0, ERR_TRUNCATED or ERR_MALFORMED, as all below; after an error the reader stands where it was.
static inline __attribute__((always_inline)) int pb_varint(struct pb_reader *r, uint64_t *ret_v)
{
    if (__builtin_expect(r->p < r->end && *r->p < 0x80, 1)) {
        *ret_v = *r->p++;
        return 0;
    }
    if (r->end - r->p >= 2 && r->p[1] < 0x80) {
        *ret_v = (uint64_t)(r->p[0] & 0x7f) | (uint64_t)r->p[1] << 7;
        r->p += 2;
        return 0;
    }
    struct pb_varint_result slow = pb_varint_slow(r->p, r->end);
    if (!slow.p)
        return slow.v == (uint64_t)ERR_TRUNCATED ? ERR_TRUNCATED : ERR_MALFORMED;
    r->p = slow.p;
    *ret_v = slow.v;
    return 0;
}

// Next field: 1 with its tag, 0 at the end of the message, or an error.
static inline __attribute__((always_inline)) int pb_next(struct pb_reader *r, uint32_t *ret_tag)
{
    if (r->p == r->end)
        return 0;
    const uint8_t *at = r->p;
    uint64_t v;
    int rc = pb_varint(r, &v);
    if (rc < 0)
        return rc;
    if (__builtin_expect(v < 8 || v > UINT32_MAX, 0)) {
        r->p = at;
        return ERR_MALFORMED;
    }
    *ret_tag = (uint32_t)v;
    return 1;
}

static inline __attribute__((always_inline)) int pb_bytes(struct pb_reader *r, bytes *ret_b)
{
    const uint8_t *at = r->p;
    uint64_t n;
    int rc = pb_varint(r, &n);
    if (rc < 0)
        return rc;
    if (__builtin_expect(n > (size_t)(r->end - r->p), 0)) {
        r->p = at;
        return ERR_TRUNCATED;
    }
    *ret_b = (bytes){ r->p, n };
    r->p += n;
    return 0;
}

static inline __attribute__((always_inline)) int pb_str(struct pb_reader *r, str *ret_s)
{
    bytes b;
    int rc = pb_bytes(r, &b);
    if (rc == 0)
        *ret_s = str_of_bytes(b);
    return rc;
}

// A nested message (or a packed field) as a reader of its own.
static inline __attribute__((always_inline)) int pb_sub(struct pb_reader *r, struct pb_reader *ret_r)
{
    bytes b;
    int rc = pb_bytes(r, &b);
    if (rc == 0)
        *ret_r = pb_reader_of(b);
    return rc;
}

static inline __attribute__((always_inline)) int pb_fixed64(struct pb_reader *r, uint64_t *ret_v)
{
    if (__builtin_expect(r->end - r->p < 8, 0))
        return ERR_TRUNCATED;
    *ret_v = le64_get(r->p);
    r->p += 8;
    return 0;
}

static inline __attribute__((always_inline)) int pb_fixed32(struct pb_reader *r, uint32_t *ret_v)
{
    if (r->end - r->p < 4)
        return ERR_TRUNCATED;
    *ret_v = le32_get(r->p);
    r->p += 4;
    return 0;
}

static inline __attribute__((always_inline)) int pb_double(struct pb_reader *r, double *ret_v)
{
    uint64_t u;
    int rc = pb_fixed64(r, &u);
    if (rc == 0)
        memcpy(ret_v, &u, 8);
    return rc;
}

static inline int64_t pb_zigzag(uint64_t u) { return (int64_t)(u >> 1) ^ -(int64_t)(u & 1); }

// Skips the payload of a field whose tag has been read.
static inline __attribute__((always_inline)) int pb_skip(struct pb_reader *r, uint32_t tag)
{
    uint64_t v;
    uint32_t w;
    bytes b;
    switch (tag & 7) {
    case PB_VARINT:
        return pb_varint(r, &v);
    case PB_FIXED64:
        return pb_fixed64(r, &v);
    case PB_LEN:
        return pb_bytes(r, &b);
    case PB_FIXED32:
        return pb_fixed32(r, &w);
    default:
        return ERR_MALFORMED;
    }
}

// Writer. Errors stick to the buffer (buf.h): check once at the end.
static inline void pb_put_varint(struct buf *b, uint32_t field, uint64_t v)
{
    buf_varint(b, PB_TAG(field, PB_VARINT));
    buf_varint(b, v);
}
static inline void pb_put_fixed64(struct buf *b, uint32_t field, uint64_t v)
{
    buf_varint(b, PB_TAG(field, PB_FIXED64));
    buf_le64(b, v);
}
static inline void pb_put_fixed32(struct buf *b, uint32_t field, uint32_t v)
{
    buf_varint(b, PB_TAG(field, PB_FIXED32));
    buf_le32(b, v);
}
static inline void pb_put_double(struct buf *b, uint32_t field, double d)
{
    uint64_t u;
    memcpy(&u, &d, 8);
    pb_put_fixed64(b, field, u);
}
static inline void pb_put_bytes(struct buf *b, uint32_t field, bytes v)
{
    buf_varint(b, PB_TAG(field, PB_LEN));
    buf_varint(b, v.len);
    buf_append(b, v.ptr, v.len);
}
static inline void pb_put_str(struct buf *b, uint32_t field, str s) { pb_put_bytes(b, field, bytes_of_str(s)); }
// A nested message: what is written between begin and end becomes its payload.
static inline size_t pb_begin(struct buf *b, uint32_t field)
{
    buf_varint(b, PB_TAG(field, PB_LEN));
    return b->len;
}
void pb_end(struct buf *b, size_t begin);
