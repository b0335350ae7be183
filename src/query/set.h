// The values that `field in {query}` finds: a run of the inner query inside the outer one, before its rows are read.
#pragma once
#include "query/intern.h"

enum {
    SET_VALUES_MAX = 1000000,
    SET_TRACES_MAX = 4096, // so many ids are looked up in each segment; of more the rows are asked
};

struct value_set {
    struct intern_field values; // in the memory of the outer run; lists stand beside their elements
    bool texts, ids, plain;     // which types there are (plain: numbers and bools)
};

// Equal as `=` compares a field with a literal: an id and its hex digits, an attribute's number and its canonical text.
bool set_has(const struct value_set *s, const struct qval *v);
// Runs all inner queries of the plan, in the order of the text.
int exec_sets(struct exec *x);
void exec_sets_free(struct exec *x);

// The end of an inner query's chain: its one column goes into x->set.
int op_set_push(struct exec *x, struct vbatch *b, int32_t slot);
