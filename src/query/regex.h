// Regular expressions: RE2 syntax without \C, unanchored, case-sensitive, `.` is not a newline, over
// code points; invalid UTF-8 in the text counts as U+FFFD. Linear in the text. At most 1 KiB of
// pattern and 4,000 states. Objects are immutable and may be used by several threads at once.
#pragma once
#include "base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

struct query_regex;

enum { QUERY_REGEX_TEXT_MAX = 1024, QUERY_REGEX_STATES_MAX = 4000 };

enum query_regex_fault { QUERY_REGEX_OK, QUERY_REGEX_BAD, QUERY_REGEX_TOO_BIG, QUERY_REGEX_NOMEM };

struct query_regex_error {
    enum query_regex_fault fault;
    size_t off, len; // byte range inside the pattern
    char message[128];
};

// 0 or a code with *ret_err filled.
int query_regex_new(str pattern, struct query_regex **ret_re, struct query_regex_error *ret_err);
void query_regex_free(struct query_regex *re);
bool query_regex_match(const struct query_regex *re, str text);

// Capture groups of the first match; group 0 is the whole. Views into text where it is valid UTF-8,
// else into scratch (see below). groups: how many of ret_groups to fill; absent ones have ptr NULL.
// Texts with invalid bytes need a copy: scratch is grown with mem_realloc, owned by the caller.
struct query_regex_scratch {
    char *ptr;
    size_t cap;
};
bool query_regex_find(const struct query_regex *re, str text, str *ret_groups, int groups,
                      struct query_regex_scratch *scratch);
int query_regex_group_count(const struct query_regex *re);
// Name of a group from 1, or empty.
str query_regex_group_name(const struct query_regex *re, int group);
// Literal text that every match begins with when the pattern is anchored (`^abc`), else empty.
str query_regex_prefix(const struct query_regex *re);

#ifdef __cplusplus
}
#endif
