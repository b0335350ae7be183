// Leaves of filters: does a value satisfy it, and which rows of a block do.
#pragma once
#include "query/child.h"

// Does one value satisfy the leaf? Lists by their elements; missing never. *uncomparable is set when < > could
// not be decided.
bool leaf_match(const struct query_filter *leaf, const struct qval *v, bool *uncomparable);
// As an interval of integers of this type, when it is one: value in [*lo, *hi] (empty: lo > hi).
bool leaf_interval(const struct query_filter *leaf, enum qval_type type, int64_t *lo, int64_t *hi);
// out: the rows of `in` whose value in v satisfies the leaf. memo: one byte an ordinal of v, or NULL.
int leaf_vec(struct exec *x, const struct query_filter *leaf, const struct cvec *v, uint8_t *memo, uint32_t memo_n,
             const uint64_t *in, uint32_t n, uint64_t *out);
// The rows of `in` of the current block of TABLE_ROWS that satisfy a leaf on records. out is written whole.
int leaf_block(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const uint64_t *in, uint32_t n,
               uint64_t *out);
// A leaf in one segment.
struct leaf_place {
    uint8_t *memo; // one byte an ordinal
    uint32_t memo_n;
};
struct leaf_state {
    struct chain *chain; // first present value counts
    struct chain *more;  // with QUERY_TARGET_ANY: further places
    bool every;          // every place counts, not only the first present
    bool traces_known;   // `trace=` whole ids: their ordinals here
    uint32_t *traces, traces_n;
    struct leaf_place *at; // of the places of chain, then of more
};
int leaf_state_get(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, struct leaf_state **ret);
// Ordinals in this segment of a leaf `trace=ID`; false in *ret_is when it is no such leaf.
int leaf_traces(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, bool *ret_is,
                const struct leaf_state **ret);

// False when no row of the segment, or of its block, can satisfy the filter. Cheap and never wrong, not complete.
int filter_may_match(struct exec *x, struct exec_segment *s, const struct query_filter *f, bool *ret);
int filter_may_match_block(struct exec *x, struct exec_segment *s, const struct query_filter *f, uint32_t block,
                           bool *ret);
