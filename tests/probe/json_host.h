// A target made of JSON, for tests, fuzzing and benchmarks of expressions: numbers of digits alone beyond int64 are BIG,
// {"$type":"T",..} is an object, {"$bytes":"text"} bytes, {"$set":[..]} a set, {"$other":"T"} an OTHER, "$redacted" (or another word of vm.h's faults behind the dollar) cannot be read.
#pragma once
#include "base/json_tree.h"
#include "probe/vm.h"

struct json_host {
    const struct json_node *root;    // an object: its members are the variables; "@hit" and so on the @names
    const struct json_node *callers; // an array of such, may be NULL: @frame(1) is its first
    unsigned calls;                  // made so far
};

extern const struct probe_host json_host;
