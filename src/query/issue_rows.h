// Issues in a run: the rows of the source `issues`, and the field `issue` of events. Both are asked of query_request.issues
// while the query runs.
#pragma once
#include "query/cvec.h"

// When the plan reads issues: their rows in the plan's range, as one more segment behind x->segs (which has room for it).
int exec_issues(struct exec *x);
void exec_issues_free(struct exec *x);

// Where the issue of the groups in a string column stands.
int issue_place(struct exec *x, uint32_t col, struct place *ret);
// All groups of the issues that a leaf `issue=42` names: events of others cannot satisfy it. *ret_is: it is such a leaf, and
// they are not too many.
int issue_leaf_groups(struct exec *x, const struct query_filter *leaf, const str **ret_groups, uint32_t *ret_n,
                      bool *ret_is);
// The rows of `in` whose group, a string at p, is one of an issue that the leaf names: the only ones whose issue needs to be
// asked for. seen: what is known of an ordinal, kept for the segment, NULL at first. *ret is `in` when that cannot be told.
int issue_leaf_rows(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const struct place *p,
                    uint8_t **seen, uint32_t *seen_n, const uint64_t *in, uint32_t n, const uint64_t **ret);
// The issues of the rows whose groups are the strings v.
int issue_vec(struct exec *x, struct exec_segment *s, const struct place *p, const struct vec *v, const uint64_t *sel,
              uint32_t n, struct cvec *ret);
