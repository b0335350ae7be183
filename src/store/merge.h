// Which parts to merge, and which to drop: pure policy over facts, and the one function that merges. The
// store's background thread asks, runs, commits the manifest, and swaps the parts in its view.
#pragma once
#include "store/part.h"

// Tiered by rows: 16 neighbours (of one source and retention class, in the order of age) that are of one size or
// smaller become one part, at most MERGE_INPUTS_MAX at a time. With full heads (1 M rows) a row is rewritten once,
// with a trickle of tiny ones three times.
enum { MERGE_INPUTS_MIN = 16, MERGE_INPUTS_MAX = 32 };

struct merge_limits {
    uint64_t rows_max;      // of the result (default 50 M)
    uint64_t bytes_max;     // of the inputs together (default 2 GiB)
    uint64_t traces_max;    // together: the result's trace dictionary is built in memory (default 4 Mi)
    uint64_t columns_max;   // together (default 64 Ki)
    uint64_t resources_max; // together (default 64 Ki)
};
extern const struct merge_limits merge_limits_default;

// parts: live parts oldest first (manifest_part(), any sources mixed); busy[i]: in use by a running merge (NULL:
// none). Returns how many to merge (0: nothing to do) and their indexes, ascending.
uint32_t merge_pick(const struct part_facts *const *parts, uint32_t parts_n, const bool *busy,
                    const struct merge_limits *limits, uint32_t ret_pick[MERGE_INPUTS_MAX]);
// Rows that merge_pick() would rewrite until it has nothing to do.
uint64_t merge_debt_rows(const struct part_facts *const *parts, uint32_t parts_n, const struct merge_limits *limits);

// part_build() over parts, packed for keeps. Inputs oldest first, of one source and retention class.
int merge_run(const struct part_env *env, struct part *const *inputs, uint32_t inputs_n,
              const struct part_build_options *options, struct part **ret_part, struct err *err);
