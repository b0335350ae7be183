// One trace beside another, or beside many of the same root: a call tree in which spans that are called alike from the
// same place (service, name, kind, below the same row) are one row, and what either side has there.
//
// Time on the critical path is what accounts for a difference: over all rows it adds up to the duration of each root.
#pragma once
#include "base/err.h"
#include "traces/trace.h"

enum {
    COMPARE_ROWS_MAX = 5000,   // further rows are left out, and it is said
    COMPARE_ATTRS_MAX = 96,    // attributes of a row that are looked at
    COMPARE_TRACES_MAX = 200,  // traces of the other side
    COMPARE_VALUES_MAX = 8,    // different values of an attribute on the other side that are told apart
    COMPARE_VALUE_BYTES = 1024 // longer values are left out
};

// What a trace has in a row, its spans together.
struct compare_cell {
    uint32_t spans, errors;
    uint64_t span;                    // the first
    int64_t from, to;                 // ns after the root's start
    int64_t duration, self, critical; // sums
};

struct compare_value {
    str json;
    uint32_t traces;
};

// Of the first span in the row.
struct compare_attr {
    str key;
    bool resource; // else of the span
    str a;         // JSON; empty: not there
    struct compare_value b[COMPARE_VALUES_MAX];
    uint32_t b_n, b_traces; // traces that have it
};

struct compare_row {
    int32_t parent;
    uint32_t depth;
    str service, name;
    str other_service, other_name; // of the root, when the other side calls it differently
    uint8_t kind;                  // enum span_kind
    struct compare_cell a;         // spans 0: it has none
    // The other side: sums over its traces that have the row (of one trace: that trace).
    struct compare_cell b;
    uint32_t traces, error_traces; // how many have it, and with an error
    int64_t *durations, *selfs;    // of each; ascending after compare_end()
    struct compare_attr *attrs;
    uint32_t attrs_n, attrs_cap, samples_cap;
};

struct compare {
    struct compare_row *rows;
    uint32_t rows_n;
    const uint32_t *order; // tree order of rows, after compare_end()
    uint32_t traces;       // of the other side
    int64_t *durations;    // of their roots; ascending after compare_end()
    bool cut;              // more rows than are kept
};

// memory_max: bytes. ERR_NOMEM.
int compare_new(const struct trace *a, size_t memory_max, struct compare **ret_compare);
// Adds a trace to the other side; traces without spans are passed over. ERR_NOMEM, ERR_LIMIT beyond COMPARE_TRACES_MAX.
int compare_add(struct compare *c, const struct trace *b);
int compare_end(struct compare *c);
void compare_free(struct compare *c);
// Does the attribute tell the sides apart? Most of the other side have another value (or it is on one side only).
// A value that nearly every trace has for itself does not.
bool compare_attr_differs(const struct compare_row *row, const struct compare_attr *attr);
// The value most of the other side have; empty: none.
const struct compare_value *compare_attr_usual(const struct compare_attr *attr);
