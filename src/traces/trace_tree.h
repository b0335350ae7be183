// The order of a trace's spans: a tree by parent ids, written down from the root.
#pragma once
#include "base/arena.h"
#include "traces/trace.h"

// Reorders t->spans (given by start), fills depth, parents, descendants, orphan, cycle, and root, missing, complete, services, errors,
// time, duration of the trace. ERR_NOMEM.
int trace_tree_make(struct trace *t, struct arena *arena);
// The span that a child or log of this service means by id; -1: none. not: an index that is not meant (-1: none).
struct trace_ids {
    uint32_t *slots, mask; // index + 1
};
int trace_ids_make(const struct trace *t, struct trace_ids *ret); // free with trace_ids_free()
void trace_ids_free(struct trace_ids *ids);
int32_t trace_ids_find(const struct trace *t, const struct trace_ids *ids, uint64_t span, str service, int32_t except);
