// Literals: one written value and everything it can be read as. Which reading counts depends on the
// type of what stands left of the operator, often only per row, so all are taken once, here.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "query/ast.h"

struct query_zone;

enum {               // readings
    QR_INT = 1,      // i
    QR_DOUBLE = 2,   // d (set also when QR_INT is: the nearest double)
    QR_DURATION = 4, // duration, ns
    QR_SIZE = 8,     // i too: a number of bytes written with a unit
    QR_TIME = 16,    // time, Unix ns
    QR_BOOL = 32,    // truth
    QR_LEVEL = 64,   // level_lo..level_hi
    QR_OVER = 256,   // a duration or size beyond its range: no other reading
    QR_BIG = 128,    // an integer beyond int64: only d is set, deserves a hint
};

// A wildcard pattern: literal pieces with any bytes between them; count pieces, count - 1 stars.
struct query_wildcard {
    const str *pieces;
    uint32_t count;
};

struct query_literal {
    struct query_pos pos;
    enum query_form form;
    str text;          // escapes undone; with wildcards the stars are in it as written
    uint32_t readings; // QR_ bits; 0 for single-quoted
    int64_t i;
    double d;
    int64_t duration, time;
    bool truth;
    int level_lo, level_hi;
    const struct query_wildcard *wildcard; // NULL when it has no star
    // Set by the planner for fields of a fixed type:
    int32_t word;       // QUERY_ENUM: the word's value
    uint8_t id[16];     // QUERY_ID, big-endian as received
    uint8_t id_nibbles; // hex digits given (32 for a trace, 16 for a span, fewer with id_prefix)
    bool id_prefix;
};

// Undoes the escapes of a value or text as written and takes all readings. now_ns and zone are for
// relative times. Errors: bad_escape, ERR_NOMEM.
int query_literal_read(struct arena *arena, str query_text, const struct query_ast_value *v, int64_t now_ns,
                       const struct query_zone *zone, struct query_literal *ret_lit, struct query_error *err);

// A regular expression as written: only \" (or '') is undone, every other backslash is the pattern's.
int query_pattern_read(struct arena *arena, const struct query_ast_value *v, str *ret_pattern, struct query_error *err);
// Byte off of such a pattern -> byte of the query's text.
size_t query_pattern_offset(const struct query_ast_value *v, size_t off);

// The pieces below are pure; they return false when s is not such a literal as a whole.
// Sets QR_INT|QR_DOUBLE, QR_DOUBLE, or QR_DOUBLE|QR_BIG in *ret_readings.
bool query_number_read(str s, int64_t *ret_i, double *ret_d, uint32_t *ret_readings);
// A decimal number as data has it: no underscores, no hex; -? digits [. digits] [e digits].
bool query_decimal_read(str s, int64_t *ret_i, double *ret_d, bool *ret_is_int);
// "1m30s", "-5ms". *ret_overflow: it is one, but beyond the range of int64 ns.
bool query_duration_read(str s, int64_t *ret_ns, bool *ret_overflow);
// "10kb", "1.5MiB", "7b": bytes, always with a unit, in any case.
bool query_size_read(str s, int64_t *ret_bytes, bool *ret_overflow);
// RFC 3339 date or date-time, or relative ("now", "-15m", "now-1d/d", "now/mo").
bool query_time_read(str s, int64_t now_ns, const struct query_zone *zone, int64_t *ret_ns);
// Also epoch seconds, ms, us or ns by 10, 13, 16 or 19 digits: for parameters of the API.
bool query_time_param(str s, int64_t now_ns, const struct query_zone *zone, int64_t *ret_ns);
// Hex digits with dashes between, any case -> nibbles. False for anything else or more than 32.
bool query_id_read(str s, uint8_t ret_id[16], uint8_t *ret_nibbles);

// Writing, for programs that make queries. A text as a literal: in single quotes, whatever is in it.
void query_put_literal(struct buf *out, str text);
// The same, for a query that a person will read: bare where nothing in it could be taken for something else.
void query_put_value(struct buf *out, str text);
