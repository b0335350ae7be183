// A value as queries see it: what a cell of a result holds, what filters compare and aggregates read.
//
// Strings, lists and maps are views; who hands out a qval says how long they live. A list or map is in
// the encoding of wire/value.h, whichever part of the query made it.
#pragma once
#include "base/bytes.h"

enum qval_type {
    QVAL_MISSING = 0, // no value: the only "null" there is
    QVAL_BOOL,        // b
    QVAL_INT,         // i
    QVAL_DOUBLE,      // d
    QVAL_TIME,        // i, ns Unix
    QVAL_DURATION,    // i, ns
    QVAL_STR,         // s, bytes as received (perhaps not UTF-8)
    QVAL_ENUM,        // s, one of the field's words
    QVAL_LEVEL,       // i, a severity number 1..24; those of one level are equal (trace 1-4, debug 5-8, ...)
    QVAL_ID,          // id[0..id_n), 8 or 16 bytes
    QVAL_BYTES,       // s
    QVAL_LIST,        // s, encoded
    QVAL_MAP,         // s, encoded
    QVAL_TYPES
};

struct qval {
    uint8_t type; // enum qval_type
    uint8_t id_n; // QVAL_ID: 8 or 16
    union {
        bool b;
        int64_t i;
        double d;
        str s;
        uint8_t id[16];
    };
};

static inline struct qval qval_missing(void) { return (struct qval){ .type = QVAL_MISSING }; }
static inline struct qval qval_bool(bool b) { return (struct qval){ .type = QVAL_BOOL, .b = b }; }
static inline struct qval qval_int(int64_t i) { return (struct qval){ .type = QVAL_INT, .i = i }; }
static inline struct qval qval_double(double d) { return (struct qval){ .type = QVAL_DOUBLE, .d = d }; }
static inline struct qval qval_str(str s) { return (struct qval){ .type = QVAL_STR, .s = s }; }
static inline struct qval qval_of(enum qval_type t, int64_t i) { return (struct qval){ .type = t, .i = i }; }

// "missing", "bool", "int", "double", "time", "duration", "string", "enum", "level", "id", "bytes", "list", "map":
// the names in _stats.columns and of typeof().
str qval_type_name(enum qval_type t);
