// Issues as the API writes them (docs/openapi.json: Issue), for the list, the page and what changes them.
#pragma once
#include "api/api_internal.h"
#include "issues/issues.h"

// Members of an issue, without the braces. buckets: of row->spark.
void issue_put(struct json_writer *w, const struct query_request *who, const struct issue_row *row, uint32_t buckets);
// "owners" and "suspect". look: they are found anew when they may have changed, else what is kept will do.
void issue_put_causes(struct api_call *call, struct json_writer *w, int64_t issue, bool look);
// "42", "SHOP-42" with the right project; *ret_project is one that the caller may read. false: there is none.
bool issue_named(struct api_call *call, const struct query_request *who, str name, int64_t *ret_id,
                 uint32_t *ret_project);
// The ids of the caller's projects, ascending, or of the one that the parameter `project` names. false: answered.
bool issue_projects(struct api_call *call, const struct query_request *who, const uint32_t **ret_ids, uint32_t *ret_n);
// from and to of the request, the last day by default.
void issue_range(const struct query_request *q, int64_t *ret_from, int64_t *ret_to);
