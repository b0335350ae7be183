// The query as written: every construct of the grammar, all levels, nothing resolved. All nodes live
// in the arena given to query_parse and point into the query's text, which must live as long.
// Lists are linked by `next` in the order of the text. What the words mean is decided in plan.h.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"
#include "query/error.h"
#include "query/fields.h"

enum {
    QUERY_TEXT_MAX = 16 * 1024, // bytes
    QUERY_DEPTH_MAX = 64,
    QUERY_TERMS_MAX = 1000,
    QUERY_LIST_MAX = 10000,
    QUERY_STEPS_MAX = 32,
};

struct query_pos {
    uint32_t off, len; // bytes in the text
};

// One element of a field's name: a name (back quotes taken off) or a list index.
struct query_ast_seg {
    struct query_ast_seg *next;
    str name;
    uint32_t index;
    bool is_index;
    bool quoted;
};

struct query_ast_field {
    struct query_ast_field *next; // in lists of fields
    struct query_pos pos;
    struct query_ast_seg *segs;
};

enum query_form { QUERY_WORD, QUERY_DQUOTED, QUERY_SQUOTED };

// A value or a text as written: raw is the slice without its quotes, escapes still in it.
struct query_ast_value {
    struct query_ast_value *next;
    struct query_pos pos; // with the quotes
    enum query_form form;
    str raw;
};

enum query_cmp { QUERY_EQ, QUERY_LT, QUERY_LE, QUERY_GT, QUERY_GE };

enum query_ast_filter_kind {
    QUERY_AST_AND,      // kids
    QUERY_AST_OR,       // kids
    QUERY_AST_NOT,      // kids (one)
    QUERY_AST_COMPARE,  // field, cmp, values; negate for != ; list when written in ( )
    QUERY_AST_REGEX,    // field, values (one); negate for !~
    QUERY_AST_CONTAINS, // field (NULL: *), values (one)
    QUERY_AST_PRESENT,  // field (NULL: *)
    QUERY_AST_TEXT,     // values (one): a bare or quoted word
    QUERY_AST_IN,       // field, query
    QUERY_AST_EVENT,    // event{ kids }
    QUERY_AST_LINK,     // link{ kids }
};

struct query_ast_filter {
    struct query_ast_filter *next;
    struct query_pos pos;
    struct query_pos op_pos; // of the operator
    enum query_ast_filter_kind kind;
    enum query_cmp cmp;
    bool negate, list;
    struct query_ast_filter *kids;
    struct query_ast_field *field;
    struct query_ast_value *values;
    struct query_ast *query;
};

enum query_ast_set_kind { QUERY_SET_FILTER, QUERY_SET_AND, QUERY_SET_REL };
enum query_rel {
    QUERY_REL_PARENT,
    QUERY_REL_ANCESTOR,
    QUERY_REL_CHILD,
    QUERY_REL_DESCENDANT,
    QUERY_REL_SIBLING
}; // > >> < << ~

struct query_ast_set {
    struct query_pos pos;
    enum query_ast_set_kind kind;
    struct query_ast_filter *filter; // QUERY_SET_FILTER; NULL for {}
    enum query_rel rel;
    bool negate;
    struct query_ast_set *left, *right;
};

enum query_expr_op {
    QUERY_X_NUMBER,   // value (QUERY_WORD)
    QUERY_X_DURATION, // value (QUERY_WORD): number with a unit of time or size
    QUERY_X_STRING,   // value (quoted)
    QUERY_X_BOOL,     // truth
    QUERY_X_FIELD,    // field
    QUERY_X_CALL,     // name, kids
    QUERY_X_NEG,
    QUERY_X_NOT,
    QUERY_X_AND,
    QUERY_X_OR,
    QUERY_X_EQ,
    QUERY_X_NE,
    QUERY_X_LT,
    QUERY_X_LE,
    QUERY_X_GT,
    QUERY_X_GE,
    QUERY_X_ADD,
    QUERY_X_SUB,
    QUERY_X_MUL,
    QUERY_X_DIV,
    QUERY_X_MOD,
    QUERY_X_COND, // kids: condition, then, else
};

struct query_ast_expr {
    struct query_ast_expr *next;
    struct query_pos pos;
    enum query_expr_op op;
    bool truth;
    str name;
    struct query_ast_value *value;
    struct query_ast_field *field;
    struct query_ast_expr *kids;
};

struct query_ast_arg { // of an aggregate: a field or a number
    struct query_ast_arg *next;
    struct query_ast_field *field;
    struct query_ast_value *number;
};

struct query_ast_agg {
    struct query_ast_agg *next;
    struct query_pos pos;      // whole
    struct query_pos name_pos; // of the function's name
    str name;
    struct query_ast_arg *args;
    struct query_ast_filter *filter; // if (..)
    str as;                          // "" when not given
    struct query_pos as_pos;
};

struct query_ast_item { // let: name = expr; select: field as name; sort: field desc
    struct query_ast_item *next;
    struct query_pos pos;
    struct query_pos name_pos;
    str name; // "" when not given
    struct query_ast_field *field;
    struct query_ast_expr *expr;
    bool desc;
};

enum query_step_kind {
    QUERY_WHERE,
    QUERY_LET,
    QUERY_SELECT,
    QUERY_SORT,
    QUERY_LIMIT,
    QUERY_TOP,
    QUERY_STATS,
    QUERY_BUCKET,
    QUERY_TRACES,
    QUERY_FILL,
    QUERY_EXTRACT,
    QUERY_PARSE,
    QUERY_PATTERNS,
    QUERY_FACETS,
    QUERY_CONTEXT,
    QUERY_DIFFER,
    QUERY_STEP_COUNT
};

struct query_ast_step {
    struct query_ast_step *next;
    enum query_step_kind kind;
    struct query_pos pos;            // of the whole step
    struct query_pos name_pos;       // of its name
    struct query_ast_filter *filter; // where, differ
    struct query_ast_item *items;    // let, select, sort
    bool star;                       // select *
    uint64_t n;                      // limit, top, facets, context
    bool has_n;
    struct query_pos n_pos;
    struct query_ast_field *fields; // limit by, top, stats by, facets, context by; bucket of, extract/parse from
    struct query_ast_agg *aggs;     // stats; top by
    struct query_ast_value *value;  // bucket width, fill value, extract pattern
    struct query_ast_value *tz;     // bucket tz
    bool is_auto;                   // bucket auto
    bool is_regex;                  // extract ~
    bool is_logfmt;                 // parse logfmt (else json)
    str as;                         // bucket as
    struct query_pos as_pos;
};

struct query_ast {
    str text;         // the whole query text
    uint16_t sources; // QS_ bits; QS_ALL for *
    bool star;
    struct query_pos source_pos;
    struct query_pos kind_pos[QUERY_SOURCE_COUNT]; // where each kind is named
    struct query_ast_set *sets;                    // either
    struct query_ast_filter *filter;               // or; both NULL when there is none
    struct query_ast_step *steps;
    uint32_t step_count;
};

// Parses the whole grammar of the language. Returns 0, or a code with *err filled (ERR_INVALID for
// what the text says, ERR_LIMIT for what is too big, ERR_NOMEM for the arena's cap).
int query_parse(struct arena *arena, str text, struct query_ast **ret_ast, struct query_error *err);

// Same constructs in the same order, positions apart.
bool query_ast_equal(const struct query_ast *a, const struct query_ast *b);

struct buf;
// The query as understood, in one line: parsing it gives an equal tree. Also parts, for column names
// and messages.
int query_print(const struct query_ast *ast, struct buf *out);
int query_print_field(const struct query_ast_field *f, struct buf *out);
int query_print_filter(const struct query_ast_filter *f, struct buf *out);
// The same as query_print, but every name of an alias group is printed under the group's first name.
int query_print_canonical(const struct query_ast *ast, struct buf *out);
// Without white space and without `as`: the column's name.
int query_print_agg(const struct query_ast_agg *a, struct buf *out);

str query_step_name(enum query_step_kind k);
