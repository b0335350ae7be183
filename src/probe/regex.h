// Regular expressions of `matches`: RE2's syntax, compiled where the expression is, run at the hit in time linear in the text, without
// allocation. A program is a Thompson automaton; all its states move on together, one character at a time.
//
// Unanchored, case-sensitive, over code points (what is invalid UTF-8 counts as U+FFFD), `.` without newline. There are
// groups, classes (also \d \w \s and their negations, [[:alpha:]]), alternatives, * + ? {n,m} and their lazy forms (the same, since
// only whether it matches is asked), ^ $ \A \z \b \B, flags (?i) (?s) (?m) (?-i) and (?i:...). \p{...} is not.
//
// Program: u16 states, u16 ranges, u32 zero; then states of 8 bytes: op, flag, u16 x, u16 y, u16 zero; then ranges: u32 first, u32 last.
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum {
    PROBE_REGEX_STATES_MAX = 512,
    PROBE_REGEX_RANGES_MAX = 1024,
    PROBE_REGEX_TEXT_MAX = 512,
    PROBE_REGEX_DEPTH_MAX = 32,
    PROBE_REGEX_REPEAT_MAX = 1000,
};

enum probe_regex_op {
    PROBE_REGEX_MATCH,
    PROBE_REGEX_SET,    // one of the ranges x..x+y, sorted; then the next state
    PROBE_REGEX_SPLIT,  // x and y
    PROBE_REGEX_JUMP,   // x
    PROBE_REGEX_ASSERT, // flag: enum probe_regex_assert; then the next state
    PROBE_REGEX_OPS,
};

enum probe_regex_assert {
    PROBE_REGEX_TEXT_START,
    PROBE_REGEX_TEXT_END,
    PROBE_REGEX_LINE_START,
    PROBE_REGEX_LINE_END,
    PROBE_REGEX_WORD,
    PROBE_REGEX_NOT_WORD,
    PROBE_REGEX_ASSERTS,
};

// Appends a program. err: slug bad_regex or regex_too_big, column inside the pattern.
int probe_regex_compile(str pattern, struct buf *out, struct err *err);
// Any bytes: true when probe_regex_test() can run them. They may stand anywhere, unaligned.
bool probe_regex_verify(bytes program);
// Whether it matches somewhere in s. *steps is taken down by what the search costs; -1 when that is not enough.
int probe_regex_test(bytes program, str s, uint32_t *steps);
