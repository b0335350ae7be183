// The parser's state and the pieces of the grammar that call each other. Recursive descent straight
// over the text: what a character means depends on where it stands (a bare value may hold `=`, a name
// in `let` may not hold `-`), so there is no token stream.
// All functions return 0 or a negative code with p->err filled; p->at stands behind what was read.
#pragma once
#include "query/ast.h"

struct parser {
    struct arena *arena;
    str text;
    size_t at;
    uint32_t depth, terms, steps;
    struct query_error *err;
};

// ---- lex.c
// Error at bytes [off, off + len) of the text.
int parse_fail(struct parser *p, enum query_code code, size_t off, size_t len, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int parse_nomem(struct parser *p);
// "expected WHAT" at p->at, showing what stands there.
int parse_expected(struct parser *p, const char *what);
// One level of nesting more; undone by p->depth--.
int parse_enter(struct parser *p);
void *parse_node(struct parser *p, size_t size); // zeroed

void parse_space(struct parser *p); // white space and comments
size_t parse_space_from(const struct parser *p, size_t at);
static inline char parse_char(const struct parser *p, size_t at) { return at < p->text.len ? p->text.ptr[at] : 0; }
static inline bool parse_at_end(const struct parser *p) { return p->at >= p->text.len; }
static inline struct query_pos parse_pos(size_t from, size_t to)
{
    return (struct query_pos){ (uint32_t)from, (uint32_t)(to - from) };
}
// The punctuation at p->at, and only then: steps over it.
bool parse_punct(struct parser *p, const char *punct);
// Letters, digits and `_` at p->at, ASCII; does not move.
str parse_peek_ident(const struct parser *p, size_t at);
// The keyword as a whole word at p->at, in any case: steps over it.
bool parse_keyword(struct parser *p, const char *word);
bool parse_is_keyword(const struct parser *p, size_t at, const char *word);
// Length of the bare word at `at` (0: none). ERR on a lone backslash at the end.
int parse_word_len(struct parser *p, size_t at, size_t *ret_len);
// A quoted or bare word.
int parse_value(struct parser *p, const char *expected, struct query_ast_value **ret_v);
int parse_quoted(struct parser *p, const char *expected, struct query_ast_value **ret_v);
// End of the field name that begins at `at`, or 0 when there is none. strict: as in `let`, without `-` and `/`.
size_t parse_field_end(const struct parser *p, size_t at, bool strict);
int parse_field(struct parser *p, bool strict, struct query_ast_field **ret_f);
// field {"," field}
int parse_fields(struct parser *p, struct query_ast_field **ret_list);
// A column's own name: one part, plain or in back quotes.
int parse_name(struct parser *p, bool strict, str *ret_name, struct query_pos *ret_pos);
// Could `name` be written without back quotes?
bool parse_plain_name(str name, bool strict);
int parse_digits(struct parser *p, const char *expected, uint64_t *ret_n, struct query_pos *ret_pos);

// ---- parse.c
int parse_query(struct parser *p, bool inner, struct query_ast **ret_ast);
// ---- parse_filter.c
int parse_filter(struct parser *p, struct query_ast_filter **ret_f);
// ---- parse_step.c
int parse_step(struct parser *p, struct query_ast_step **ret_s);
// ---- parse_expr.c
int parse_expr(struct parser *p, struct query_ast_expr **ret_x);
