// Words in text: tokens, phrases, exact bytes. A token is the longest run of letters, marks, digits
// and `_`; each Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar character is one by itself;
// everything else and invalid UTF-8 separates. Compared after simple case folding.
// The rules are versioned (UNICODE_RULES_VERSION in base/unicode.h).
#pragma once
#include "base/arena.h"
#include "query/error.h"

enum { QUERY_PHRASE_TOKENS_MAX = 256 };

// Tokens in a row, folded; the last one may stand for every token that begins with it.
struct query_phrase {
    const str *tokens;
    uint32_t count;
    bool last_is_prefix;
    // The first token is ASCII, and whether it holds a letter that non-ASCII characters fold to (k: the
    // Kelvin sign, s: the long s). Set by query_phrase_make: they choose how the first token is searched.
    bool first_is_ascii, first_has_twins;
};

// Does text contain the phrase? Allocates nothing, linear for practical phrases; ASCII is fast.
bool query_phrase_match(const struct query_phrase *p, str text);

// Walks the tokens of a text: each call folds the next token into buf. Tokens longer than the buffer
// are cut at a character boundary but consumed whole, *ret_cut tells (an index stores the hash of the
// cut form on both sides). False at the end. *pos begins at 0.
enum { QUERY_TOKEN_MAX = 256 };
bool query_token_next(str text, size_t *pos, char buf[QUERY_TOKEN_MAX], str *ret_token, bool *ret_cut);

// The phrase of a text (folded tokens copied into the arena). ERR_NOMEM, or ERR_LIMIT for more than
// QUERY_PHRASE_TOKENS_MAX. A phrase without tokens has count 0.
int query_phrase_make(struct arena *arena, str text, bool last_is_prefix, struct query_phrase *ret_phrase);

// lower() and upper() of `let`: simple case mapping, no locale, invalid bytes kept. ERR_NOMEM.
int query_text_lower(struct arena *arena, str text, str *ret_out);
int query_text_upper(struct arena *arena, str text, str *ret_out);

// Can a text of this form contain the phrase, or the bytes? In a form each 0 stands for any hex digits, none too
// (store/encode.h, strings_wanted). False only when no text of it can.
bool query_phrase_may(const struct query_phrase *p, str form);
bool query_bytes_may(str needle, str form);

// Exact bytes anywhere.
static inline bool query_bytes_match(str needle, str text) { return str_find(text, needle) >= 0; }
