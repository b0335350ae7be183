// Which attributes the rows of a query have: counted by shape and entity, so that no value is read.
#pragma once
#include "query/run.h"

struct query_attribute {
    str key;
    uint8_t level;  // enum attr_level: RECORD, RESOURCE, SCOPE
    uint32_t types; // 1 << enum qval_type
    uint64_t rows;
};

// Source and filter of q->text (steps are left out). fn is called once for each key and level, by level and key; views live
// during the call.
int query_attributes(const struct query_request *q, struct view *view,
                     int (*fn)(void *ctx, const struct query_attribute *a), void *ctx, struct query_error *err);
int query_attributes_segments(const struct query_request *q, const struct segment *const *segments, uint32_t n,
                              int (*fn)(void *ctx, const struct query_attribute *a), void *ctx,
                              struct query_error *err);
