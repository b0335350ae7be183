// From an event to the hashes by which events become issues: the published algorithm newstyle:2026-01-20 of Sentry, so that groups
// stay as they were for who moves. Pure: no I/O, no state but the rules.
//
// An event has *variants* (app: what the application did; system: all frames; default: what has neither exception nor stack), each a
// tree of *components* (exception > type, value, stacktrace > frame > module, function ...). A variant's hash is MD5 over the values
// of those that contribute. A fingerprint, of the SDK or of a rule, replaces or joins them.
//
// Two kinds of rules, a line each, # for remarks:
//   stack-trace rules    MATCHER... ACTION...        path:**/vendor/** -app      function:panic ^-group -group      max-frames=3
//   fingerprint rules    MATCHER... -> VALUE...      type:DatabaseError -> database, {{ transaction }} title="Database is down"
// A matcher is KEY:PATTERN, !KEY:PATTERN, or (of the frame before or behind) [ KEY:PATTERN ] | ... | [ KEY:PATTERN ]; patterns are
// globs (glob.h). Built-in rules come before those of a project (stack trace) or behind them (fingerprint).
//
// Time is linear in the event, times the rules that can apply to it; nothing recurses.
#pragma once
#include "wire/sentry_event.h"

#define GROUPING_ALGORITHM "newstyle:2026-01-20"

enum {
    GROUPING_TEXT_MAX = 64 << 10, // bytes of rules of one kind
    GROUPING_RULES_MAX = 500,     // of one kind
    GROUPING_MATCHERS_MAX = 10,   // of one rule
    GROUPING_ACTIONS_MAX = 8,
    GROUPING_VALUES_MAX = 32, // of a fingerprint
    GROUPING_HASH_LEN = 32,
    GROUPING_HASHES_MAX = 3,
};

// Rules of a project with the built-in ones; immutable, shared by threads, freed with their last user.
struct grouping_rules;
// Both texts may be empty. ERR_INVALID, ERR_LIMIT: err has line and column (err->line, from 1), which kind (place) and a hint; ERR_NOMEM.
int grouping_rules_parse(str fingerprint_rules, str stack_rules, struct grouping_rules **ret_rules, struct err *err);
// One more user, who calls grouping_rules_free() too.
struct grouping_rules *grouping_rules_share(struct grouping_rules *rules);
void grouping_rules_free(struct grouping_rules *rules); // NULL is allowed

struct grouping {
    str hashes[GROUPING_HASHES_MAX]; // 32 hex digits each; the first is the group's name
    uint32_t hashes_n;               // at least 1
    str title;                       // of the fingerprint rule that matched; empty: none
    uint32_t main_exception;         // index of the exception that names the event (of a group: the one that matters)
};

// Marks the event's frames as in or out of the application (sentry_frame.in_app becomes 0 or 1) and gives its hashes. Texts are in the
// arena. ERR_NOMEM.
int grouping_run(const struct grouping_rules *rules, const struct sentry_event *e, struct arena *arena,
                 struct grouping *ret_grouping);

// Why: {"algorithm","variants":[{"type","hash","contributes","description","hint","components":{"id","name","contributes","hint",
// "values":[component or text..]}}],"fingerprint":[..],"rule":text}; keys that say nothing are absent. ERR_NOMEM, ERR_LIMIT (out).
int grouping_explain(const struct grouping_rules *rules, const struct sentry_event *e, struct arena *arena,
                     struct json_writer *w);
