// The grouping rules of projects, parsed: kept until they change, the built-in ones alone shared by all projects without rules of
// their own. Any thread; reads the disk when rules may have changed, so not from an I/O loop.
#pragma once
#include "grouping/grouping.h"
#include "meta/meta.h"

enum {
    PROJECT_RULES_MAX = 256
}; // sets of projects' own rules in memory; those of further projects are parsed in turns

struct project_rules;
int project_rules_new(struct meta *meta, struct project_rules **ret_rules, struct err *err);
void project_rules_free(struct project_rules *p);
// Shared: the caller frees them. Never NULL: rules that cannot be read (of another version of Clew, or no memory) are those that were
// known last, else the built-in ones, since an event is worth more than its group.
struct grouping_rules *project_rules_get(struct project_rules *p, int64_t project);
