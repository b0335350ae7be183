// Where something can be inserted into JavaScript, and which names are known there. Statements are parsed as the grammar has them
// (with automatic semicolons), expressions are only skimmed for what is inside them: functions, classes, templates, regular
// expressions. The text is what the engine runs, so that it is well-formed; it may be anything all the same, and every depth and
// count is bounded. What is made of a wrong reading is compiled by the engine before it replaces anything.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
    SCAN_SOURCE_MAX = 4 << 20,
    SCAN_ARENA_MAX = 128 << 20,
    SCAN_DEPTH_MAX = 400, // of constructs in one another
};

enum scan_function_kind { SCAN_PROGRAM, SCAN_FUNCTION, SCAN_METHOD, SCAN_ARROW, SCAN_ARROW_EXPR, SCAN_INITIALIZER };
enum scan_name_kind { SCAN_ARG, SCAN_VAR, SCAN_LET };
enum scan_form {
    SCAN_STATEMENT, // of a list: something may stand in front
    SCAN_BODY,      // of if, for, ...: needs braces around both
    SCAN_EXPR,      // of an arrow without braces
};

struct scan_function {
    uint32_t start, end, parent;
    uint32_t line, scope; // its first scope
    uint32_t entry;       // place of its first statement, UINT32_MAX: none
    uint32_t body, close; // of one in braces: where its statements begin, behind directives, and its '}'; close 0: none
    uint32_t last;        // end of what stands before the '}'
    uint8_t kind;
    str name;                  // empty: none
    str original;              // what it was called in the source, by its map; empty: that is not known
    str owner, owner_original; // the class or object that it is a member of, where that has a name
};

struct scan_scope {
    uint32_t parent, function; // parent UINT32_MAX: none
    bool cases;                // of a switch: what is declared above may not have been reached
};

struct scan_name {
    str name;
    uint32_t scope;
    uint32_t from; // LET: known from this offset on
    uint8_t kind;
    bool constant;
    str original; // as a function's
};

struct scan_return {
    uint32_t at, end; // of the statement
    uint32_t value;   // where what it returns begins: behind the last comma; 0: nothing
    uint32_t scope;
};

struct scan_place {
    uint32_t at, end;      // offsets; end of the statement, for BODY
    uint32_t line, column; // from 1, in bytes
    uint32_t scope;
    uint8_t form;
};

struct scan {
    str text;
    struct scan_function *functions; // [0] is the program
    struct scan_scope *scopes;
    struct scan_name *names;
    struct scan_place *places; // by offset
    struct scan_return *returns;
    uint32_t n_functions, n_scopes, n_names, n_places, n_returns;
};

// ERR_MALFORMED: it is not understood (err.place: line); ERR_LIMIT, ERR_NOMEM. text must outlive ret.
int js_source(str text, struct arena *arena, struct scan *ret, struct err *err);
// The place of a line: the first one that is in a function, else the first one. column 0: any, else the first one from there.
const struct scan_place *js_place_of(const struct scan *s, uint32_t line, uint32_t column);
// The outermost loop around a place that is in no function. NULL: there is none, it runs once.
const struct scan_place *js_loop_around(const struct scan *s, const struct scan_place *at);
// The word stands in the text from start to end, not behind a dot.
bool js_mentions(str text, uint32_t start, uint32_t end, str word);
// Whether name may be read at the place without an error, and how it is known there: the innermost declaration counts.
const struct scan_name *js_visible(const struct scan *s, const struct scan_place *at, str name);
// The same by the name that people know: the original one, where there is one.
const struct scan_name *js_known(const struct scan *s, const struct scan_place *at, str name);
