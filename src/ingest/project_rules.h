// What a project has set about the way in, ready for use: its grouping rules, its filters, what it removes. Kept until it changes; what all
// projects without settings have is shared. Any thread; reads the disk when something may have changed, so not from an I/O loop.
#pragma once
#include "filters/filters.h"
#include "filters/scrub_rules.h"
#include "grouping/grouping.h"
#include "meta/meta.h"

enum {
    PROJECT_RULES_MAX = 256
}; // projects with settings of their own in memory; those of further ones are read in turns

// Immutable.
struct rule_set {
    _Atomic uint32_t shares;
    struct grouping_rules *grouping;
    struct filters *filters;
    struct scrub_rules *scrub;
};

struct project_rules;
int project_rules_new(struct meta *meta, struct project_rules **ret_rules, struct err *err);
void project_rules_free(struct project_rules *p);
// Shared: the caller gives it back. Never NULL: what cannot be read (of another version of Clew, or no memory) is what was known
// last, else what holds without settings, since an event is worth more than its group.
struct rule_set *project_rules_get(struct project_rules *p, int64_t project);
void project_rules_done(struct rule_set *set); // NULL is allowed
// Of them the grouping rules alone; the caller frees them.
struct grouping_rules *project_rules_grouping(struct project_rules *p, int64_t project);
