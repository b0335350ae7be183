// Issues that a text says it mends: "Fixes SHOP-42", as messages of commits have it.
#pragma once
#include "base/bytes.h"

enum { ISSUE_REFERENCES_MAX = 50 }; // of one text; further ones are not read

struct issue_reference {
    str slug; // of its project, in any case; the text's
    int64_t id;
};
// By Sentry's rule: fix, fixes, fixed, close(s|d) or resolve(s|d) in any case, a colon or none, white space, and then
// short ids among letters, digits, "_", "-", commas and white space; links of Markdown count as their words. Each once.
// Returns how many there are in ret.
size_t issue_references(str text, struct issue_reference ret[ISSUE_REFERENCES_MAX]);
