// Distinct values and tuples of them get numbers from 0: the hash tables of grouping.
#pragma once
#include "query/vbatch.h"

struct intern {
    struct exec *x;
    struct qval *values; // strings are in the run's arena
    uint64_t *hashes;
    uint32_t n, cap;
    uint32_t *slots; // id + 1
    uint32_t mask;
};
#define INTERN_NONE UINT32_MAX
// At most `max` distinct values: beyond, ERR_LIMIT and nothing in x->err.
int intern_value(struct intern *t, const struct qval *v, uint32_t max, uint32_t *ret_id);
uint32_t intern_find(const struct intern *t, const struct qval *v); // INTERN_NONE
void intern_free(struct intern *t);

// A field's values as ids: remembers ordinals of the segment it is in, so that each is looked up once.
struct intern_field {
    struct intern values;
    const void *identity;
    uint32_t *ids, ids_n; // ordinal -> id + 1
};
// ids[k] for the rows index[k], k < n. ERR_LIMIT as above.
int intern_rows(struct intern_field *f, const struct cvec *v, const uint32_t *index, uint32_t n, uint32_t max,
                uint32_t *ids);
void intern_field_free(struct intern_field *f);

// Tuples of `width` ids.
struct intern_tuples {
    struct exec *x;
    uint32_t width;
    uint32_t *ids; // width each
    uint32_t n, cap;
    uint32_t *slots, mask;
};
int intern_tuple(struct intern_tuples *t, const uint32_t *ids, uint32_t max, uint32_t *ret_id);
void intern_tuples_free(struct intern_tuples *t);

enum { GROUPS_MAX = 1000000 };
