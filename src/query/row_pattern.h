// The field `pattern`: of a row's text, see text_pattern.h. Patterns get numbers for the whole run, so that what groups
// or compares them does so by number; a text that stands in a dictionary of the segment is looked at once.
#pragma once
#include "query/cvec.h"

int row_patterns(struct exec *x, struct exec_segment *s, const struct place *p, const uint64_t *sel, uint32_t n,
                 struct cvec *ret);
void row_patterns_free(struct exec *x);
