// Arithmetic of `let`: exact ints that become doubles when they overflow, times and durations in ns.
#pragma once
#include "query/qval_ops.h"

struct qval expr_negate(const struct qval *v);
struct qval expr_abs(const struct qval *v);
// mode: -1 floor, 0 round half away from zero, 1 ceil. unit: NULL or a width of v's kind to round to multiples of.
struct qval expr_round(const struct qval *v, const struct qval *unit, int mode);
