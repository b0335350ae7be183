// Parts of OTLP's protobuf messages that all three signals have: attributes, values, resource and scope.
#pragma once
#include "base/pb.h"
#include "wire/otlp_internal.h"

// KeyValue, whatever its order and size.
int otlp_pb_attr_slow(struct otlp_decoder *d, struct pb_reader kv, struct attr *a);

// A KeyValue as every SDK writes it: key of less than 128 bytes, value of one scalar, nothing else. False:
// take the slow way. level is left alone.
static inline __attribute__((always_inline)) bool otlp_pb_attr_fast(struct pb_reader kv, struct attr *a)
{
    const uint8_t *p = kv.p;
    size_t n = (size_t)(kv.end - p);
    if (n < 6 || p[0] != PB_TAG(1, PB_LEN))
        return false;
    size_t key_len = p[1]; // a longer one has its high bit set and fails the next check or the sum below
    if (key_len >= 0x80 || key_len + 6 > n)
        return false;
    const uint8_t *q = p + 2 + key_len;
    size_t value_len = q[1]; // at least 2 for what follows to be read
    if (q[0] != PB_TAG(2, PB_LEN) || value_len >= 0x80 || key_len + 4 + value_len != n)
        return false;
    a->key = str_of(p + 2, key_len);
    switch (q[2]) {
    case PB_TAG(1, PB_LEN):
        if (q[3] + 2u != value_len)
            return false;
        a->value.type = VALUE_STR;
        a->value.s = str_of(q + 4, q[3]);
        return true;
    case PB_TAG(3, PB_VARINT): {
        uint64_t v = q[3] & 0x7f;
        const uint8_t *end = q + 2 + value_len, *at = q + 4;
        for (unsigned shift = 7; at[-1] >= 0x80; shift += 7) {
            if (at == end || shift > 56) // the tenth byte goes the slow way
                return false;
            v |= (uint64_t)(*at++ & 0x7f) << shift;
        }
        a->value.type = VALUE_INT;
        a->value.i = (int64_t)v;
        return at == end;
    }
    case PB_TAG(2, PB_VARINT):
        if (value_len != 2 || q[3] > 1)
            return false;
        a->value.type = VALUE_BOOL;
        a->value.b = q[3];
        return true;
    case PB_TAG(4, PB_FIXED64): {
        if (value_len != 9)
            return false;
        uint64_t bits = le64_get(q + 3);
        a->value.type = VALUE_DOUBLE;
        memcpy(&a->value.d, &bits, 8);
        return true;
    }
    default:
        return false;
    }
}

// Appends a KeyValue to the record's attributes.
static inline __attribute__((always_inline)) int otlp_pb_attr(struct otlp_decoder *d, struct pb_reader kv)
{
    struct attr *a = otlp_attr_next(d);
    if (__builtin_expect(!a, 0))
        return 0;
    a->level = ATTR_RECORD;
    if (__builtin_expect(otlp_pb_attr_fast(kv, a), 1))
        return 0;
    return otlp_pb_attr_slow(d, kv, a);
}

// All KeyValues with this tag in a message, as an array in the arena with room for `extra` more
// behind them. Too many: rejected and none.
int otlp_pb_attrs(struct otlp_decoder *d, struct pb_reader message, uint32_t tag, enum attr_level level, uint32_t extra,
                  struct attr **ret_attrs, uint32_t *ret_n);
// AnyValue.
int otlp_pb_value(struct otlp_decoder *d, struct pb_reader any, struct value *ret_v);
// Appends to d->enc: an AnyValue; all KeyValues with this tag in a message, as a MAP. depth: lists and
// maps open around it.
int otlp_pb_encode_value(struct otlp_decoder *d, struct pb_reader any, unsigned depth);
int otlp_pb_encode_map(struct otlp_decoder *d, struct pb_reader message, uint32_t tag, unsigned depth);
// How many fields of the message have this tag.
int otlp_pb_count(struct otlp_decoder *d, struct pb_reader message, uint32_t tag, uint64_t *ret_n);

// Walks Export*ServiceRequest, ResourceX, ScopeX; calls one for each record message (span, log record, metric).
int otlp_pb_walk(struct otlp_decoder *d, int (*one)(struct otlp_decoder *d, struct pb_reader message));
