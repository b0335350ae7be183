// Wildcards: `*` stands for any bytes, also none; the whole value must match. Linear time: every
// literal piece is searched once, left to right, which is exact because `*` has no other meaning.
#pragma once
#include "query/literal.h"

bool query_wildcard_match(const struct query_wildcard *w, str value);
// The literal beginning of every match, for ranges of a dictionary.
str query_wildcard_prefix(const struct query_wildcard *w);
