// Globs of rules: `*` (in paths: not over a /), `**` (whole directories), `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\x`. Compiled to states
// that are followed side by side: time is length of the value times length of the pattern, whatever somebody writes.
#pragma once
#include "base/arena.h"
#include "base/err.h"

enum {
    GLOB_PATTERN_MAX = 256,     // bytes
    GLOB_ALTERNATIVES_MAX = 16, // that braces multiply to
    GLOB_VALUE_MAX = 8192,      // bytes of a value that are looked at
};

enum glob_flags {
    GLOB_PATH = 1,    // * stays in a directory, \ is /, upper case is lower case, a relative value is tried from / too
    GLOB_NOCASE = 2,  // ASCII
    GLOB_NEWLINE = 4, // * and ? match line ends
};

struct glob_sequence;
struct glob {
    const struct glob_sequence *sequences;
    uint8_t n, flags;
};

// ERR_INVALID, ERR_LIMIT (err says what is wrong with the pattern), ERR_NOMEM. Everything is in the arena.
int glob_parse(str pattern, unsigned flags, struct arena *arena, struct glob *ret_glob, struct err *err);
bool glob_match(const struct glob *g, str value);
// The text that every match begins with (folded as the flags say); empty: none, or braces.
str glob_prefix(const struct glob *g);
