// Words of the language: functions, operators, types, @names.
#include "probe/expr_internal.h"

static const str functions[PROBE_FUNCTIONS] = {
#define WORD(name, word, least, most, body, type) [name] = STR_INIT(word),
    PROBE_FUNCTION_TABLE(WORD)
#undef WORD
};
static const str specials[PROBE_SPECIALS] = { STR_INIT("hit"),       STR_INIT("duration"), STR_INIT("return"),
                                              STR_INIT("exception"), STR_INIT("thread"),   STR_INIT("trace.id"),
                                              STR_INIT("span.id"),   STR_INIT("service"),  STR_INIT("host") };
static const str types[PROBE_TYPES] = { STR_INIT("any"),   STR_INIT("null"),   STR_INIT("bool"), STR_INIT("int"),
                                        STR_INIT("float"), STR_INIT("number"), STR_INIT("str"),  STR_INIT("list") };
static const str operators[PROBE_NODE_KINDS] = {
    [PROBE_NODE_NOT] = STR_INIT("!"), [PROBE_NODE_NEG] = STR_INIT("neg"), [PROBE_NODE_AND] = STR_INIT("&&"),
    [PROBE_NODE_OR] = STR_INIT("||"), [PROBE_NODE_EQ] = STR_INIT("=="),   [PROBE_NODE_NE] = STR_INIT("!="),
    [PROBE_NODE_LT] = STR_INIT("<"),  [PROBE_NODE_LE] = STR_INIT("<="),   [PROBE_NODE_GT] = STR_INIT(">"),
    [PROBE_NODE_GE] = STR_INIT(">="), [PROBE_NODE_IN] = STR_INIT("in"),   [PROBE_NODE_ADD] = STR_INIT("+"),
    [PROBE_NODE_SUB] = STR_INIT("-"), [PROBE_NODE_MUL] = STR_INIT("*"),   [PROBE_NODE_DIV] = STR_INIT("/"),
    [PROBE_NODE_MOD] = STR_INIT("%"), [PROBE_NODE_IF] = STR_INIT("?:"),
};

static int find(const str *words, int n, str name)
{
    for (int i = 0; i < n; i++)
        if (name.len && str_eq(words[i], name))
            return i;
    return -1;
}

int expr_function_of(str name) { return find(functions, PROBE_FUNCTIONS, name); }
int expr_special_of(str name) { return find(specials, PROBE_SPECIALS, name); }
int expr_operator_of(str name) { return find(operators, PROBE_NODE_KINDS, name); }

str probe_function_name(enum probe_function function) { return functions[function]; }
str probe_special_name(enum probe_special special) { return specials[special]; }
str probe_type_name(enum probe_type type) { return types[type]; }
str probe_operator_name(enum probe_node_kind kind) { return operators[kind]; }
