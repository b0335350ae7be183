// Searches as Sentry's tools write them ("is:unresolved level:error checkout"), and as a query of ours.
#pragma once
#include "api/api0.h"

struct api0_term {
    bool not ;
    str key;   // empty: a bare word
    str value; // without its quotes
};
// The next word from *at: false at the end. Never fails: what is no term is a bare word.
bool api0_search_next(str search, size_t *at, struct api0_term *ret_term);
// Appends the terms as a filter of ours. project: narrows q's projects and is left out. false: answered.
bool api0_search_put(struct api_call *call, struct query_request *q, str search, struct buf *out);
// Keeps those of q's projects that are named in the parameters `project`, `projectSlug`. false: answered.
bool api0_search_projects(struct api_call *call, struct query_request *q);
// statsPeriod ("14d"), start and end; default: the last 90 days. false: answered.
bool api0_search_range(struct api_call *call, struct query_request *q);
// Runs it and answers when it fails.
bool api0_search_run(struct api_call *call, const struct query_request *q, const struct query_output *out);
