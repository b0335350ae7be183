// What the files of the language share. Not for other rooms.
#pragma once
#include "probe/expr.h"

struct expr_builder {
    str text;
    struct arena *arena;
    struct err *err;
    unsigned n_nodes;
};

// Fills err with a slug, words and the place, and returns code.
int expr_fail(struct expr_builder *b, int code, const char *slug, size_t at, size_t len, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void expr_hint(struct expr_builder *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// A node with room for so many arguments; NULL and err when there are too many.
struct probe_node *expr_node(struct expr_builder *b, enum probe_node_kind kind, unsigned n, size_t at, size_t len);
// Numbers its parameters, finds its types, counts. The tree may come from anywhere.
int expr_check(struct expr_builder *b, struct probe_node *root, struct probe_expr **ret);

// --- the lexer ---
enum expr_token_type {
    EXPR_END,
    EXPR_NAME,    // text
    EXPR_QUOTED,  // text: a name in back quotes, without them
    EXPR_STRING,  // text: raw, with its quotes
    EXPR_NUMBER,  // value
    EXPR_SPECIAL, // text: behind the @
    EXPR_PUNCT,   // text
};
struct expr_token {
    enum expr_token_type type;
    size_t at, len;
    str text;
    struct probe_val value;
};
// The token at `at`, white space skipped.
int expr_lex(struct expr_builder *b, size_t at, struct expr_token *ret);
// A string's meaning; as a pattern, only \" is an escape.
int expr_string(struct expr_builder *b, const struct expr_token *t, bool pattern, str *ret);
// Whole texts: `10ms`, `1kb`. False when it is none; *ret_over when it is beyond int64.
bool expr_unit_number(str s, int64_t *ret, bool *ret_over);

int expr_function_of(str name);
int expr_special_of(str name);
int expr_operator_of(str name);
// Its body says true or false.
static inline bool expr_is_condition(unsigned f)
{
    return f == PROBE_FN_ANY || f == PROBE_FN_ALL || f == PROBE_FN_COUNT || f == PROBE_FN_FILTER;
}
