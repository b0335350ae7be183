// Events that could not be read when they came, and can be now.
#pragma once
#include "ingest/ingest.h"

struct project_rules;

struct refine {
    struct project_rules *rules;
    struct ingest_issues issues;
};
// A symbols_refined_fn; ctx: a struct refine. The hashes that the event has now join the issue of the one that it was grouped
// by; one that is some issue's already stays there.
int refine_event(void *ctx, uint32_t project, str group, const struct sentry_event *e, struct arena *arena);
