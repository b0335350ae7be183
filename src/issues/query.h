// What the query language asks about issues, answered by this room.
#pragma once
#include "meta/meta.h"
#include "query/issues.h"

struct issues;

struct issues_for_queries {
    struct query_issues query;
    struct issues *issues;
    struct meta *meta;
};
// *q lives as long as queries run.
void issues_for_queries(struct issues_for_queries *q, struct issues *issues, struct meta *meta);

// "SHOP-42"; empty when the project is gone or memory is out.
str issue_short_id(struct meta *meta, uint32_t project, int64_t id, struct arena *arena);
