// What a message says beside the values that happen to be in it: "Error with order 1231" -> "Error with order <int>". The kinds and
// their order are those of the published algorithm in mid-2026; what its validity checks decide beyond its patterns (host names, random
// ids in several parts) is followed as far as it is described. By hand and in one pass: no pattern runs back.
#pragma once
#include "base/arena.h"

enum { MESSAGE_SCAN_MAX = 8192 }; // a longer text is left as it is

// Texts without a value come back as they are. ERR_NOMEM.
int message_parameterize(str text, struct arena *arena, str *ret);
// The first two lines that are not empty ("..." behind them when that is not all), parameterized.
int message_normalize(str text, struct arena *arena, str *ret);

// A date, a time of day or both at i, in one of the forms that log messages have: its end, or 0.
size_t message_date(str s, size_t i);
// What regular expressions call a word: letters, digits and _, also beyond ASCII.
bool message_word_at(str s, size_t i);
bool message_word_before(str s, size_t i);
// Bytes of the white space at i, 0 when there is none.
size_t message_space_at(str s, size_t i);
