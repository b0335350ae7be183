// What the fields of rows hold, counted: how many rows have each distinct value of each field, in two sets of
// rows (those that satisfy something, and the rest). The ground of `facets` and `differ`.
//
// A row counts once for each distinct element of a list. Numbers are values like others until there are more than
// TALLY_NUMBERS of them; then, when asked for, they are counted in narrow ranges (1/32 of their power of two), of
// which tally_tenths() makes tenths whose bounds are exact.
#pragma once
#include "query/intern.h"

enum {
    TALLY_VALUES_MAX = 10000, // distinct values of a field that nobody named
    TALLY_FIELDS_MAX = 2048,  // fields that nobody named
    TALLY_NUMBERS = 10,
};

struct tally_page;

struct tally_field {
    str name;
    struct intern_field values;
    uint64_t *counts; // two for each value: in the set, in the rest
    uint32_t counts_cap;
    uint32_t max;              // distinct values
    uint64_t rows[2];          // rows with it; right after tally_finish()
    bool over;                 // had more than max distinct values: not counted
    struct tally_page **pages; // ranges of numbers, NULL until there are many
    bool durations, doubles;   // types of the numbers in ranges
};

struct tally {
    struct exec *x;
    bool ranges;     // numbers in ranges
    bool enums_only; // of the fixed fields, those with a few words
    struct tally_field *fields;
    uint32_t n, cap, named; // the first `named` were asked for by name
    uint32_t *slots, mask;  // by name, index + 1
    uint64_t rows[2];
    uint32_t beyond;                 // fields beyond TALLY_FIELDS_MAX
    bool overflow;                   // some record has attributes that have no column of their own
    struct tally_segment **segments; // by exec.segs; what fields its records have
    struct tally_var *vars;          // tally_vars.c
    uint32_t vars_n;
    bool vars_over; // there were more
};

// A name in the variables or expressions of snapshots.
struct tally_var {
    str name;
    uint8_t level; // enum query_attr_level
};

struct tally_segment {
    uint32_t n, vars; // vars: so many of the tally's have been looked for in it
    struct tally_place {
        uint32_t field;
        struct chain *chain;
    } places[];
};

// A field; the same for the same name.
int tally_field_get(struct tally *t, str name, uint32_t max, uint32_t *ret);
bool tally_field_has(const struct tally *t, str name);
// Counts the rows `sel` of a vector; `in`: those of the set. ERR_LIMIT is not answered: the field is `over` then.
int tally_vec(struct tally *t, uint32_t field, const struct cvec *v, const uint64_t *sel, const uint64_t *in,
              uint32_t n);
// The rows of the batch that are still in: fields of the plan, and with `records` every field of the records that has
// few values (tally_fields.c). in: those of the set.
int tally_batch(struct tally *t, struct vbatch *b, const struct query_ref *const *refs, uint32_t refs_n, bool records,
                const uint64_t *in);
// Lists become their elements, numbers ranges, where they are too many; rows of each field are summed up.
int tally_finish(struct tally *t);
void tally_free(struct tally *t);

// A tenth of the rest's distribution of a field of numbers: from <= value < to.
struct tally_tenth {
    bool has_from, has_to;
    double from, to;
    uint64_t counts[2];
};
// At most ten; returns their number.
uint32_t tally_tenths(const struct tally_field *f, struct tally_tenth ret[10]);

// ---- tally_fields.c: the fields of the records of a segment that can be told apart by their values: no ids, no times
int tally_segment_get(struct tally *t, struct exec_segment *s, const struct tally_segment **ret);

// ---- tally_vars.c: takes down what the rows `sel` of the current block hold in variables and expressions, in tally.vars. Nothing where the
// caller may not see values.
int tally_vars_find(struct tally *t, struct exec_segment *s, const uint64_t *sel, uint32_t n);
