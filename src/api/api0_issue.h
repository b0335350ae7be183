// Issues as Sentry's clients see them.
#pragma once
#include "api/api0_search.h"
#include "issues/issues.h"

enum { API0_ISSUES_CHANGE = 1000 }; // of one request

// What of a search decides about issues.
struct api0_issue_search {
    struct api0_term terms[32];
    size_t n;
    const str *ids; // when there are any, only these
    size_t ids_n;
    str status; // unresolved, resolved, ignored; empty: any
};
// Parameters id, status and query (absent: by_default). false: answered.
bool api0_issue_search_read(struct api_call *call, const char *by_default, struct api0_issue_search *ret);
bool api0_issue_matches(const struct api0_issue_search *s, const struct issue_row *row, str slug, str who);
str api0_issue_status(enum issue_state state); // unresolved, resolved, ignored

// The number of "42" or "SHOP-42"; 0: neither. *ret_slug (may be NULL): "SHOP".
int64_t api0_issue_number(str text, str *ret_slug);

void api0_put_issue(struct json_writer *w, struct api_call *call, const struct meta_project *p,
                    const struct issue_row *row);
