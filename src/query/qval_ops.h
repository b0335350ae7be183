// What queries do with values: order, equality, hashing, and the way to and from the stored form.
#pragma once
#include "base/arena.h"
#include "query/qval.h"
#include "wire/value.h"

// The total order of results: bool < numbers < text < the rest (level, time, duration, id, bytes, list,
// map) < missing. Numbers by value, NaN behind all; text bytewise; lists and maps by their encoding.
int qval_order(const struct qval *a, const struct qval *b);
// Equal for grouping: the same place in the order (1 and 1.0 are one value, so are NaNs).
static inline bool qval_equal(const struct qval *a, const struct qval *b) { return qval_order(a, b) == 0; }
// Equal values have equal hashes.
uint64_t qval_hash(const struct qval *v);

// A stored value; VALUE_NULL is missing.
struct qval qval_of_value(const struct value *v);
// The stored form, for lists and maps that queries make, which has fewer types: durations become ints, times, levels, ids
// and enum words the text that they print as, in *text (33 bytes). Missing: VALUE_NULL.
struct value qval_to_value(const struct qval *v, char text[33]);
// Copies what the value points to. ERR_NOMEM.
int qval_dup(struct arena *a, struct qval *v);
static inline bool qval_points(const struct qval *v)
{
    return v->type == QVAL_STR || v->type == QVAL_ENUM || v->type >= QVAL_BYTES;
}

// An int or double (not a time or duration) as double; false for other types.
bool qval_number(const struct qval *v, double *ret_d);
