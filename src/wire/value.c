#include "wire/value.h"

#include "base/err.h"

static int value_encode_text(struct buf *b, uint8_t type, str s)
{
    buf_byte(b, type);
    buf_varint(b, s.len);
    return buf_str(b, s);
}

int value_encode(struct buf *b, const struct value *v)
{
    switch (v->type) {
    case VALUE_STR:
    case VALUE_BYTES:
        return value_encode_text(b, v->type, v->s);
    case VALUE_INT:
        buf_byte(b, VALUE_INT);
        return buf_varint(b, ((uint64_t)v->i << 1) ^ (uint64_t)(v->i >> 63));
    case VALUE_DOUBLE: {
        uint64_t bits;
        memcpy(&bits, &v->d, 8);
        buf_byte(b, VALUE_DOUBLE);
        return buf_le64(b, bits);
    }
    case VALUE_BOOL:
        buf_byte(b, VALUE_BOOL);
        return buf_byte(b, v->b);
    case VALUE_LIST:
    case VALUE_MAP:
        return buf_str(b, v->s);
    default:
        return buf_byte(b, VALUE_NULL);
    }
}

// LEB128 in its shortest form only: the encoding is canonical, so that equal values have equal bytes.
static int read_varint(struct value_reader *r, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (r->p == r->end)
            return ERR_TRUNCATED;
        uint8_t c = *r->p++;
        if (shift == 63 && c > 1)
            return ERR_MALFORMED;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            if (c == 0 && shift)
                return ERR_MALFORMED;
            *ret_v = v;
            return 0;
        }
    }
    return ERR_MALFORMED;
}

static int read_text(struct value_reader *r, str *ret_s)
{
    uint64_t n;
    int rc = read_varint(r, &n);
    if (rc < 0)
        return rc;
    if (n > (size_t)(r->end - r->p))
        return ERR_TRUNCATED;
    *ret_s = str_of(r->p, n);
    r->p += n;
    return 0;
}

int value_read_key(struct value_reader *r, str *ret_key) { return read_text(r, ret_key); }

static int read_scalar(struct value_reader *r, uint8_t type, struct value *ret_v)
{
    uint64_t u;
    int rc;
    struct value v = { .type = type };
    switch (type) {
    case VALUE_NULL:
        break;
    case VALUE_STR:
    case VALUE_BYTES:
        if ((rc = read_text(r, &v.s)) < 0)
            return rc;
        break;
    case VALUE_INT:
        if ((rc = read_varint(r, &u)) < 0)
            return rc;
        v.i = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
        break;
    case VALUE_DOUBLE:
        if (r->end - r->p < 8)
            return ERR_TRUNCATED;
        u = le64_get(r->p);
        memcpy(&v.d, &u, 8);
        r->p += 8;
        break;
    case VALUE_BOOL:
        if (r->p == r->end)
            return ERR_TRUNCATED;
        if (*r->p > 1)
            return ERR_MALFORMED;
        v.b = *r->p++;
        break;
    default:
        return ERR_MALFORMED;
    }
    *ret_v = v;
    return 0;
}

// Skips the elements of a list or map whose type byte has been read. Iterative: the open counts are
// kept here, so that depth costs no C stack and is bounded by VALUE_DEPTH_MAX.
static int skip_nested(struct value_reader *r, uint8_t type)
{
    struct {
        uint64_t left;
        bool map;
    } open[VALUE_DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        if (type == VALUE_LIST || type == VALUE_MAP) {
            if (depth == VALUE_DEPTH_MAX)
                return ERR_MALFORMED;
            uint64_t n;
            int rc = read_varint(r, &n);
            if (rc < 0)
                return rc;
            if (n > (size_t)(r->end - r->p)) // every element takes at least one byte
                return ERR_TRUNCATED;
            open[depth].left = n;
            open[depth++].map = type == VALUE_MAP;
        } else {
            struct value v;
            int rc = read_scalar(r, type, &v);
            if (rc < 0)
                return rc;
        }
        while (open[depth - 1].left == 0)
            if (--depth == 0)
                return 0;
        open[depth - 1].left--;
        if (open[depth - 1].map) {
            str key;
            int rc = read_text(r, &key);
            if (rc < 0)
                return rc;
        }
        if (r->p == r->end)
            return ERR_TRUNCATED;
        type = *r->p++;
    }
}

int value_read(struct value_reader *r, struct value *ret_v)
{
    struct value_reader at = *r;
    if (at.p == at.end)
        return ERR_TRUNCATED;
    uint8_t type = *at.p++;
    int rc;
    if (type == VALUE_LIST || type == VALUE_MAP) {
        if ((rc = skip_nested(&at, type)) < 0)
            return rc;
        *ret_v = (struct value){ .type = type, .s = str_of(r->p, (size_t)(at.p - r->p)) };
    } else if ((rc = read_scalar(&at, type, ret_v)) < 0) {
        return rc;
    }
    *r = at;
    return 0;
}

int value_open(const struct value *v, struct value_reader *ret_r, uint64_t *ret_n)
{
    if (v->type != VALUE_LIST && v->type != VALUE_MAP)
        return ERR_INVALID;
    struct value_reader r = value_reader_of(bytes_of_str(v->s));
    if (r.p == r.end)
        return ERR_TRUNCATED;
    if (*r.p++ != v->type)
        return ERR_MALFORMED;
    uint64_t n;
    int rc = read_varint(&r, &n);
    if (rc < 0)
        return rc;
    *ret_r = r;
    *ret_n = n;
    return 0;
}

int value_check(bytes b)
{
    struct value_reader r = value_reader_of(b);
    struct value v;
    int rc = value_read(&r, &v);
    if (rc < 0)
        return rc;
    return r.p == r.end ? 0 : ERR_MALFORMED;
}

bool value_same(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_NULL:
        return true;
    case VALUE_INT:
        return a->i == b->i;
    case VALUE_DOUBLE:
        return memcmp(&a->d, &b->d, 8) == 0;
    case VALUE_BOOL:
        return a->b == b->b;
    default:
        return str_eq(a->s, b->s);
    }
}
