// Dotted paths into maps and lists: a literal key a.b.c first, else c in map a.b, else b.c in map a; a
// list stands for its elements; [n] is one element.
#pragma once
#include "query/plan.h"
#include "query/qval_ops.h"
#include "wire/record.h"

// Is key the first n names of the path, joined by dots?
bool path_key_is(str key, const struct query_path_item *path, uint32_t n);
// Number of names before the first index.
uint32_t path_names(const struct query_path_item *path, uint32_t n);
// What the path leads to in v: one value, a list of what was found when it led through a list, or
// missing. Lists are made in the arena; everything else points into v. ERR_NOMEM.
int path_value(struct arena *a, const struct value *v, const struct query_path_item *path, uint32_t n,
               struct qval *ret);
// The same in a set of attributes, as if they were a map.
int path_attrs(struct arena *a, const struct attr *attrs, uint32_t attrs_n, const struct query_path_item *path,
               uint32_t n, struct qval *ret);
// The parts of a dotted key as a path.
int path_of_key(struct arena *a, str key, struct query_path_item **ret_path, uint32_t *ret_n);
