// Does one value of a row satisfy `cmp literal`? One function a type of the value, as the table of
// 'Types and comparison' says. They are pure; engines call them once per distinct value where they
// can. Lists are compared element by element by the caller; a missing value satisfies nothing.
#pragma once
#include "query/literal.h"

// For QUERY_EQ all are decided; for < <= > >= *ret_comparable (may be NULL) is false when value and
// literal cannot be ordered: such rows are counted in _stats.uncomparable.
bool query_compare_string(str v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable);
bool query_compare_int(int64_t v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable);
bool query_compare_double(double v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable);
bool query_compare_bool(bool v, enum query_cmp cmp, const struct query_literal *lit, bool *ret_comparable);
bool query_compare_time(int64_t ns, enum query_cmp cmp, const struct query_literal *lit);
bool query_compare_duration(int64_t ns, enum query_cmp cmp, const struct query_literal *lit);
// severity 0: no level, false for everything.
bool query_compare_level(int severity, enum query_cmp cmp, const struct query_literal *lit);
// id of len bytes (16 or 8). All-zero ids are missing: do not ask.
bool query_compare_id(const uint8_t *id, size_t len, const struct query_literal *lit);

// Mathematically exact order of an int and a double: -1, 0, 1; 2 when d is NaN.
int query_order_int_double(int64_t i, double d);

// Canonical text of values, as `=` of an attribute against text sees it and str() prints it.
// Returns the length; out is not terminated.
size_t query_canonical_int(char out[32], int64_t v);
size_t query_canonical_double(char out[32], double v);
static inline str query_canonical_bool(bool v) { return v ? STR("true") : STR("false"); }
