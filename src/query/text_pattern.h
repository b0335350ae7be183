// The pattern of a text: what varies becomes a placeholder, so that lines written by one statement of a
// program fall together. A pure function of the text: stable, and the same on every machine.
//
// At each place the first rule that fits wins, in this order: quoted strings <str>, URLs <url>, e-mail
// addresses <email>, UUIDs <uuid>, dates and times <time>, IP addresses with their port <ip>, hex of at
// least 8 digits <hex> (with a letter among them: plain decimals are numbers), numbers <num> with a
// unit that touches them. None of them begins inside a word: `utf8` and `s3` stay, `user-42` does not.
// Only the first QUERY_PATTERN_TEXT_MAX bytes are looked at; the rest is cut off, shown by `...`.
#pragma once
#include "base/bytes.h"

struct buf;

// Raised whenever a rule changes: kept beside every stored pattern.
enum { QUERY_PATTERN_VERSION = 1, QUERY_PATTERN_TEXT_MAX = 2048 };

// Appends the pattern; the cap bounds the time. The error is that of the buffer.
int query_text_pattern(str text, struct buf *out);
