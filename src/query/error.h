// An error of a query: what the API answers in {"error":{..}} and the CLI underlines. The code is the
// contract; the words may change.
#pragma once
#include "base/bytes.h"

// code (stable slug), HTTP status
#define QUERY_CODES(X)                             \
    X(SYNTAX, "syntax", 400)                       \
    X(UNCLOSED, "unclosed", 400)                   \
    X(BAD_ESCAPE, "bad_escape", 400)               \
    X(BAD_NUMBER, "bad_number", 400)               \
    X(BAD_TIME, "bad_time", 400)                   \
    X(BAD_REGEX, "bad_regex", 400)                 \
    X(BAD_WILDCARD, "bad_wildcard", 400)           \
    X(EMPTY_TEXT, "empty_text", 400)               \
    X(UNKNOWN_SOURCE, "unknown_source", 400)       \
    X(UNKNOWN_STEP, "unknown_step", 400)           \
    X(UNKNOWN_FUNCTION, "unknown_function", 400)   \
    X(BAD_ARGUMENT, "bad_argument", 400)           \
    X(UNKNOWN_COLUMN, "unknown_column", 400)       \
    X(DUPLICATE_COLUMN, "duplicate_column", 400)   \
    X(TYPE_MISMATCH, "type_mismatch", 400)         \
    X(BAD_ENUM, "bad_enum", 400)                   \
    X(NEEDS_UNIT, "needs_unit", 400)               \
    X(NO_UNIT, "no_unit", 400)                     \
    X(NO_COLUMN_FOR_IN, "no_column_for_in", 400)   \
    X(NOT_LIVE, "not_live", 400)                   \
    X(BAD_RANGE, "bad_range", 400)                 \
    X(BAD_CURSOR, "bad_cursor", 400)               \
    X(NOT_YET, "not_yet", 400)                     \
    X(QUERY_TOO_LONG, "query_too_long", 400)       \
    X(TOO_DEEP, "too_deep", 400)                   \
    X(TOO_MANY_TERMS, "too_many_terms", 400)       \
    X(TOO_MANY_STEPS, "too_many_steps", 400)       \
    X(REGEX_TOO_BIG, "regex_too_big", 400)         \
    X(FORBIDDEN_FIELD, "forbidden_field", 403)     \
    X(FORBIDDEN_PROJECT, "forbidden_project", 403) \
    X(NO_PROJECT, "no_project", 404)               \
    X(TOO_MANY_GROUPS, "too_many_groups", 422)     \
    X(TOO_MANY_ROWS, "too_many_rows", 422)         \
    X(SET_TOO_BIG, "set_too_big", 422)             \
    X(MEMORY, "memory", 422)                       \
    X(BUSY, "busy", 429)                           \
    X(STOPPING, "stopping", 503)                   \
    X(TIMEOUT, "timeout", 504)                     \
    X(INTERNAL, "internal", 500)

enum query_code {
    QUERY_OK,
#define QUERY_CODE_ENUM(id, slug, status) QUERY_E_##id,
    QUERY_CODES(QUERY_CODE_ENUM)
#undef QUERY_CODE_ENUM
};

enum { QUERY_SUGGEST_MAX = 10 };

struct query_error {
    enum query_code code;
    int line, column; // from 1 in code points, of the offending token; 0: no place in the text
    int length;       // code points
    char message[320];
    char hint[320]; // "" when there is none
    char suggest[QUERY_SUGGEST_MAX][96];
    int suggest_count;
};

// "needs_unit"; never NULL.
const char *query_code_slug(enum query_code code);
// HTTP status of the code.
int query_code_status(enum query_code code);

// Fills *err if it is not NULL, clearing what it held; returns ERR_INVALID (ERR_LIMIT for the codes
// 'too big', ERR_DENIED for 403, ERR_NOMEM for MEMORY, ERR_TIMEOUT ...), for `return query_fail(..)`.
int query_fail(struct query_error *err, enum query_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// Place: byte offset and length in the query's text; computes line, column, length in code points.
void query_error_at(struct query_error *err, str text, size_t off, size_t len);
void query_error_hint(struct query_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Ignored when there is no more room or the text is there already.
void query_error_suggest(struct query_error *err, str text);

struct buf;
// The object {"code":..,"message":..,"line":..,...} as JSON (without the enclosing {"error":}).
int query_error_json(const struct query_error *err, struct buf *out);
