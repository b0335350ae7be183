// The reader of scan.h, in three files: tokens and what is found (scan_token.c), expressions (scan_expr.c), statements (scan.c).
#pragma once
#include "agent/node/scan.h"

#include <string.h>

enum token { T_END, T_NAME, T_PRIVATE, T_NUMBER, T_STRING, T_REGEX, T_TEMPLATE, T_PUNCT };

#define NONE UINT32_MAX

struct scanner {
    str text;
    uint32_t at; // behind the current token
    // The current token.
    enum token t;
    uint32_t start, end, last_end; // last_end: of the token before
    bool newline;                  // stands before it
    // What is found.
    struct arena *arena;
    struct scan *out;
    uint32_t cap_functions, cap_scopes, cap_names, cap_places, cap_returns, cap_memo;
    uint32_t scope; // the current one
    uint32_t depth, quiet;
    uint32_t tail; // of the expression that has ended: where its last part begins
    str pending;   // name of the function that may come next
    str owner;     // and what it is a member of
    // Of each '(' that was looked at: whether an arrow follows its ')'.
    struct memo {
        uint32_t at; // + 1
        bool arrow;
    } * memo;
    uint32_t n_memo, failed;
    int rc;
};

enum { NO_IN = 1, NO_COMMA = 2 };

void js_fail(struct scanner *s, int rc);
void js_next(struct scanner *s);
bool js_is(const struct scanner *s, const char *punct);
bool js_word(const struct scanner *s, const char *w);
bool js_word_of(const struct scanner *s, const char *const *list);
bool js_eat(struct scanner *s, const char *punct);
void js_want(struct scanner *s, const char *punct);
str js_token_text(const struct scanner *s);
void js_rescan_regex(struct scanner *s);
bool js_name_byte(int c);
int js_peek(const struct scanner *s, uint32_t n);
void js_declare(struct scanner *s, str name, enum scan_name_kind kind, uint32_t scope, uint32_t from);
uint32_t js_place_new(struct scanner *s, enum scan_form form, bool entry);
void js_return_new(struct scanner *s, struct scan_return r);
uint32_t js_function_begin(struct scanner *s, enum scan_function_kind kind, uint32_t start, str name,
                           uint32_t *ret_before);
void js_function_end(struct scanner *s, uint32_t f, uint32_t before);
uint32_t js_block_begin(struct scanner *s);
uint32_t js_function_now(const struct scanner *s);
uint32_t js_var_scope(const struct scanner *s);
bool js_deeper(struct scanner *s);
void js_expr(struct scanner *s, unsigned flags);
void js_binding(struct scanner *s, enum scan_name_kind kind, uint32_t scope);
void js_class_rest(struct scanner *s, uint32_t start);
void js_function_rest(struct scanner *s, enum scan_function_kind kind, uint32_t start, str name);
void js_body(struct scanner *s);
void js_block(struct scanner *s);
void js_template(struct scanner *s);
void js_object(struct scanner *s);
void js_key(struct scanner *s);
void js_statements(struct scanner *s, bool directives);
void js_statement(struct scanner *s, bool list);
