// Typed values of attributes and log bodies, as OpenTelemetry's AnyValue has them, and the compact
// encoding in which nested ones (lists, maps) travel and are stored.
//
// Encoding (format version 1; canonical: one value has one encoding):
//   value  = type byte, payload
//   NULL   nothing        BOOL one byte 0/1        INT zigzag LEB128       DOUBLE 8 bytes little-endian (bits kept:
//   NaN, -0) STR    LEB128 length, bytes (as received, also invalid UTF-8)          BYTES same LIST   LEB128 count,
//   values                    MAP LEB128 count, (LEB128 key length, key bytes, value)*; order and repeats kept
// Nesting is at most VALUE_DEPTH_MAX; readers refuse more.
#pragma once
#include "base/buf.h"
#include "base/bytes.h"

enum value_type {
    VALUE_NULL = 0, // an AnyValue without a value: kept for fidelity, missing to queries
    VALUE_STR = 1,
    VALUE_INT = 2,
    VALUE_DOUBLE = 3,
    VALUE_BOOL = 4,
    VALUE_BYTES = 5,
    VALUE_LIST = 6,
    VALUE_MAP = 7,
};

enum { VALUE_DEPTH_MAX = 32 };

struct value {
    uint8_t type; // enum value_type
    union {
        str s;     // STR: the text; BYTES: the bytes; LIST, MAP: the encoding above, from its type byte on
        int64_t i; // INT
        double d;  // DOUBLE
        bool b;    // BOOL
    };
};

// Appends the encoding. LIST and MAP values are copied as they are.
int value_encode(struct buf *b, const struct value *v);

// Pull reader over an encoding: checks every length against the end, never reads past it.
struct value_reader {
    const uint8_t *p, *end;
};
static inline struct value_reader value_reader_of(bytes b) { return (struct value_reader){ b.ptr, b.ptr + b.len }; }
// Next value; a LIST or MAP comes whole as the view of its encoding (skipped over). ERR_TRUNCATED, ERR_MALFORMED.
int value_read(struct value_reader *r, struct value *ret_v);
// Opens a LIST or MAP value (as read) for its elements: *ret_n elements follow in *ret_r.
// For a MAP call value_read_key() before each value_read().
int value_open(const struct value *v, struct value_reader *ret_r, uint64_t *ret_n);
int value_read_key(struct value_reader *r, str *ret_key);
// Whole encoding is well formed, canonical in its lengths and within VALUE_DEPTH_MAX.
int value_check(bytes b);
// Same type and same bits (NaN equals itself, 0.0 and -0.0 differ).
bool value_same(const struct value *a, const struct value *b);

static inline struct value value_str(str s) { return (struct value){ .type = VALUE_STR, .s = s }; }
static inline struct value value_int(int64_t i) { return (struct value){ .type = VALUE_INT, .i = i }; }
static inline struct value value_double(double d) { return (struct value){ .type = VALUE_DOUBLE, .d = d }; }
static inline struct value value_bool(bool b) { return (struct value){ .type = VALUE_BOOL, .b = b }; }
