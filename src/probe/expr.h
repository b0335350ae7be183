// The expression language of probes: conditions, captured expressions, `{...}` in messages. For people: docs/probes.md.
//
// One language for all runtimes, without side effects. Text (or JSON) becomes a tree; the tree is checked: names of functions,
// numbers of arguments, types where the text decides them, limits. Only checked trees leave this file. A back end runs
// one either as bytecode (probe_expr_compile, code.h) or lowers the tree to the target's own language.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "probe/vm.h"

enum {
    PROBE_EXPR_TEXT_MAX = 1024,
    PROBE_EXPR_NODES_MAX = 64,
    PROBE_EXPR_DEPTH_MAX = 40,  // nodes from the root to a leaf
    PROBE_EXPR_NEST_MAX = 32,   // brackets in brackets, of the text
    PROBE_EXPR_LOOPS_MAX = 3,   // any(xs, x => any(x.ys, ...)): one in another
    PROBE_EXPR_NAME_MAX = 128,  // bytes of a name
    PROBE_EXPR_JSON_DEPTH = 90, // of the tree's JSON
};

// What is known of a value before it is there.
enum probe_type {
    PROBE_TYPE_ANY,
    PROBE_TYPE_NULL,
    PROBE_TYPE_BOOL,
    PROBE_TYPE_INT,
    PROBE_TYPE_FLOAT,
    PROBE_TYPE_NUMBER, // int or float
    PROBE_TYPE_STR,
    PROBE_TYPE_LIST,
    PROBE_TYPES,
};

enum probe_node_kind {
    PROBE_NODE_LITERAL, // value: NULL, BOOL, INT, FLOAT, STR
    PROBE_NODE_NAME,    // name: a variable of the frame
    PROBE_NODE_PARAM,   // name: a parameter of the function it stands in; local
    PROBE_NODE_SPECIAL, // special
    PROBE_NODE_FRAME,   // frame, name
    PROBE_NODE_STATIC,  // name: of the class
    PROBE_NODE_FIELD,   // args[0]; name; soft
    PROBE_NODE_INDEX,   // args[0], args[1]; soft
    PROBE_NODE_NOT,     // one argument from here on
    PROBE_NODE_NEG,
    PROBE_NODE_MATCHES, // args[0]; name: the pattern
    PROBE_NODE_AND,     // two from here on
    PROBE_NODE_OR,
    PROBE_NODE_EQ,
    PROBE_NODE_NE,
    PROBE_NODE_LT,
    PROBE_NODE_LE,
    PROBE_NODE_GT,
    PROBE_NODE_GE,
    PROBE_NODE_IN, // args[1] may be a LIST
    PROBE_NODE_ADD,
    PROBE_NODE_SUB,
    PROBE_NODE_MUL,
    PROBE_NODE_DIV,
    PROBE_NODE_MOD,
    PROBE_NODE_IF,   // three: condition, then, else
    PROBE_NODE_LIST, // n; only right of `in`
    PROBE_NODE_CALL, // function; args; with params: the last argument is the body of `x => ...`
    PROBE_NODE_KINDS,
};

// name, fewest and most arguments (a body counts as one), whether the last may be a body (1) or must be (2), type
#define PROBE_FUNCTION_TABLE(X)                     \
    X(PROBE_FN_LEN, "len", 1, 1, 0, INT)            \
    X(PROBE_FN_HAS, "has", 1, 1, 0, BOOL)           \
    X(PROBE_FN_EMPTY, "empty", 1, 1, 0, BOOL)       \
    X(PROBE_FN_TYPE, "type", 1, 1, 0, STR)          \
    X(PROBE_FN_STR, "str", 1, 1, 0, STR)            \
    X(PROBE_FN_INT, "int", 1, 1, 0, INT)            \
    X(PROBE_FN_LOWER, "lower", 1, 1, 0, STR)        \
    X(PROBE_FN_STARTS, "starts", 2, 2, 0, BOOL)     \
    X(PROBE_FN_ENDS, "ends", 2, 2, 0, BOOL)         \
    X(PROBE_FN_CONTAINS, "contains", 2, 2, 0, BOOL) \
    X(PROBE_FN_ANY, "any", 2, 2, 2, BOOL)           \
    X(PROBE_FN_ALL, "all", 2, 2, 2, BOOL)           \
    X(PROBE_FN_COUNT, "count", 1, 2, 1, INT)        \
    X(PROBE_FN_FILTER, "filter", 2, 2, 2, LIST)     \
    X(PROBE_FN_MAP, "map", 2, 2, 2, LIST)           \
    X(PROBE_FN_MIN, "min", 1, 8, 1, ANY)            \
    X(PROBE_FN_MAX, "max", 1, 8, 1, ANY)            \
    X(PROBE_FN_KEYS, "keys", 1, 1, 0, LIST)         \
    X(PROBE_FN_HEX, "hex", 1, 1, 0, STR)            \
    X(PROBE_FN_CHANGED, "changed", 1, 1, 0, BOOL)

enum probe_function {
#define PROBE_FN_ENUM(name, word, least, most, body, type) name,
    PROBE_FUNCTION_TABLE(PROBE_FN_ENUM)
#undef PROBE_FN_ENUM
        PROBE_FUNCTIONS,
};

struct probe_node {
    uint8_t kind, function, special, frame, type; // enums of the same names
    bool soft;                                    // `?.` and `?[`: null where there is nothing
    uint8_t local; // PARAM: its place; CALL: that of its first parameter, or which one it is of changed()
    uint8_t n_params;
    uint16_t n;
    uint16_t at, len; // bytes of the text that it stands for
    str name;
    str params[2];
    struct probe_val value;
    struct probe_node **args;
};

struct probe_expr {
    str text; // as written; empty when unknown
    const struct probe_node *root;
    unsigned n_nodes, n_loops, n_changed; // n_loops: in one another, at most
    enum probe_type type;
};

// Reads text. The tree and all its texts live in the arena. err: slug, message, column (from 1, in code points), length, hint;
// code ERR_INVALID for what the text has wrong, ERR_LIMIT where it is too large, ERR_NOMEM. Slugs are the query language's:
// syntax unclosed bad_escape bad_number bad_regex unknown_function bad_argument type_mismatch too_long too_deep too_many_terms.
int probe_expr_parse(str text, struct arena *arena, struct probe_expr **ret, struct err *err);
// The same, and it must be able to be true or false.
int probe_condition_parse(str text, struct arena *arena, struct probe_expr **ret, struct err *err);

// The tree as JSON (docs/probes.md has its form), and back; what is read is checked as text is. text: as written, for messages.
void probe_expr_json(const struct probe_expr *e, struct json_writer *w);
int probe_expr_read(const struct json_node *json, str text, struct arena *arena, struct probe_expr **ret,
                    struct err *err);

// Appends the bytecode. ERR_LIMIT when it does not fit into PROBE_CODE_SIZE_MAX or one of its tables.
int probe_expr_compile(const struct probe_expr *e, struct buf *out, struct err *err);

// "int", "bool", ... "any"
str probe_type_name(enum probe_type type);
str probe_function_name(enum probe_function function);
// "trace.id"
str probe_special_name(enum probe_special special);
// "==" of PROBE_NODE_EQ; empty for what is no operator.
str probe_operator_name(enum probe_node_kind kind);
