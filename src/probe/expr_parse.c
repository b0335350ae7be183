// Tokens to a tree, by recursive descent; from the loosest to the tightest: ?: or and not comparison + * - postfix.
#include "base/utf8.h"
#include "probe/expr_internal.h"

#include <stdio.h>

struct scope {
    const struct scope *outer;
    const str *params;
    unsigned n;
};

struct parser {
    struct expr_builder b;
    struct expr_token t; // the one that is next
    size_t end;          // of the one before
    const struct scope *scope;
    unsigned nest;
};

static int parse_expr(struct parser *p, struct probe_node **ret);

struct probe_node *expr_node(struct expr_builder *b, enum probe_node_kind kind, unsigned n, size_t at, size_t len)
{
    if (b->n_nodes >= PROBE_EXPR_NODES_MAX) {
        expr_fail(b, ERR_LIMIT, "too_many_terms", at, len, "more than %d parts", PROBE_EXPR_NODES_MAX);
        return NULL;
    }
    struct probe_node *node = arena_zalloc(b->arena, sizeof *node);
    struct probe_node **args = n ? arena_alloc_array(b->arena, n, sizeof *args) : NULL;
    if (!node || (n && !args)) {
        expr_fail(b, ERR_NOMEM, "memory", at, len, "no memory to read the expression");
        return NULL;
    }
    b->n_nodes++;
    *node =
        (struct probe_node){ .kind = kind, .n = (uint16_t)n, .at = (uint16_t)at, .len = (uint16_t)len, .args = args };
    return node;
}

#define CHECKED(call)  \
    do {               \
        int r_ = call; \
        if (r_)        \
            return r_; \
    } while (0)

static int fail_code(const struct parser *p) { return p->b.err && p->b.err->code ? p->b.err->code : ERR_INVALID; }

static int advance(struct parser *p)
{
    p->end = p->t.at + p->t.len;
    return expr_lex(&p->b, p->end, &p->t);
}

static bool is_punct(const struct parser *p, const char *text)
{
    return p->t.type == EXPR_PUNCT && str_eq(p->t.text, str_z(text));
}
// Keywords are lower or upper case: `In` may be somebody's class.
static bool is_word(const struct parser *p, const char *lower)
{
    if (p->t.type != EXPR_NAME || !str_ieq(p->t.text, str_z(lower)))
        return false;
    bool up = p->t.text.ptr[0] < 'a';
    for (size_t i = 0; i < p->t.text.len; i++)
        if ((p->t.text.ptr[i] < 'a') != up)
            return false;
    return true;
}

static int expected(struct parser *p, const char *what)
{
    if (p->t.type == EXPR_END)
        return expr_fail(&p->b, ERR_INVALID, "syntax", p->t.at, 0, "expected %s, but the expression ends here", what);
    return expr_fail(&p->b, ERR_INVALID, "syntax", p->t.at, p->t.len, "expected %s, not `%.*s`", what,
                     STR_ARG(utf8_cut(str_slice(p->b.text, p->t.at, p->t.at + p->t.len), 40)));
}

static int expect(struct parser *p, const char *punct, const char *what)
{
    return is_punct(p, punct) ? advance(p) : expected(p, what);
}

static int enter(struct parser *p)
{
    if (++p->nest > PROBE_EXPR_NEST_MAX)
        return expr_fail(&p->b, ERR_LIMIT, "too_deep", p->t.at, p->t.len, "nested more than %d levels deep",
                         PROBE_EXPR_NEST_MAX);
    return 0;
}

static int make(struct parser *p, enum probe_node_kind kind, unsigned n, size_t at, struct probe_node **ret)
{
    struct probe_node *node = expr_node(&p->b, kind, n, at, p->end > at ? p->end - at : 0);
    if (!node)
        return fail_code(p);
    *ret = node;
    return 0;
}

static int literal(struct parser *p, struct probe_val v, struct probe_node **ret)
{
    size_t at = p->t.at;
    CHECKED(advance(p));
    CHECKED(make(p, PROBE_NODE_LITERAL, 0, at, ret));
    (*ret)->value = v;
    return 0;
}

static int name_text(struct parser *p, str *ret)
{
    if (p->t.type != EXPR_NAME && p->t.type != EXPR_QUOTED)
        return expected(p, "a name");
    if (p->t.text.len > PROBE_EXPR_NAME_MAX)
        return expr_fail(&p->b, ERR_LIMIT, "too_long", p->t.at, p->t.len, "a name of more than %d bytes",
                         PROBE_EXPR_NAME_MAX);
    *ret = p->t.text;
    return advance(p);
}

// `x =>` or `(k, v) =>` here: n parameters, 0 when there is none; the parser stands behind the arrow then.
static int parse_params(struct parser *p, str params[2], unsigned *ret_n)
{
    struct parser saved = *p;
    bool pair = is_punct(p, "(");
    unsigned n = 0;
    *ret_n = 0;
    if (pair)
        CHECKED(advance(p));
    while (p->t.type == EXPR_NAME && n < 2) {
        params[n++] = p->t.text;
        CHECKED(advance(p));
        if (!pair || !is_punct(p, ","))
            break;
        CHECKED(advance(p));
    }
    bool ok = n > 0 && (!pair || is_punct(p, ")"));
    if (ok && pair)
        CHECKED(advance(p));
    if (!ok || !is_punct(p, "=>")) {
        *p = saved;
        return 0;
    }
    *ret_n = n;
    return advance(p);
}

static int parse_call(struct parser *p, int function, size_t at, struct probe_node **ret)
{
    enum { ARGS_MAX = 8 };
    struct probe_node *args[ARGS_MAX];
    str params[2];
    unsigned n = 0, n_params = 0;
    CHECKED(enter(p));
    CHECKED(advance(p)); // the bracket
    while (!is_punct(p, ")")) {
        if (n == ARGS_MAX)
            return expr_fail(&p->b, ERR_INVALID, "bad_argument", p->t.at, p->t.len, "too many arguments");
        if (n_params)
            return expected(p, "`)`: a function in an argument is the last one");
        CHECKED(parse_params(p, params, &n_params));
        struct scope inner = { p->scope, params, n_params };
        p->scope = &inner;
        int r = parse_expr(p, &args[n]);
        p->scope = inner.outer;
        CHECKED(r);
        n++;
        if (!is_punct(p, ","))
            break;
        CHECKED(advance(p));
    }
    CHECKED(expect(p, ")", "`,` or `)`"));
    p->nest--;
    CHECKED(make(p, PROBE_NODE_CALL, n, at, ret));
    (*ret)->function = (uint8_t)function;
    (*ret)->n_params = (uint8_t)n_params;
    for (unsigned i = 0; i < n_params; i++)
        (*ret)->params[i] = params[i];
    if (n)
        memcpy((*ret)->args, args, n * sizeof *args);
    return 0;
}

static int parse_special(struct parser *p, struct probe_node **ret)
{
    size_t at = p->t.at, len = p->t.len;
    str name = p->t.text;
    bool frame = str_eq(name, STR("frame")), statics = str_eq(name, STR("static"));
    int special = expr_special_of(name);
    if (!frame && !statics && special < 0) {
        int r =
            expr_fail(&p->b, ERR_INVALID, "unknown_name", at, len, "there is no `@%.*s`", STR_ARG(utf8_cut(name, 40)));
        expr_hint(&p->b, "@hit @duration @return @exception @thread @trace.id @span.id @service @host @frame(1).x "
                         "@static(Class).field");
        return r;
    }
    CHECKED(advance(p));
    if (special >= 0) {
        CHECKED(make(p, PROBE_NODE_SPECIAL, 0, at, ret));
        (*ret)->special = (uint8_t)special;
        return 0;
    }
    CHECKED(expect(p, "(", "`(`"));
    int64_t n = 0;
    str text = { 0 };
    if (frame) {
        if (p->t.type != EXPR_NUMBER || p->t.value.kind != PROBE_VAL_INT || p->t.value.i > PROBE_FRAME_MAX)
            return expected(p, "a number of frames up to 127");
        n = p->t.value.i;
        CHECKED(advance(p));
    } else {
        CHECKED(name_text(p, &text));
    }
    CHECKED(expect(p, ")", "`)`"));
    if (frame) {
        CHECKED(expect(p, ".", "`.` and a variable of that frame"));
        CHECKED(name_text(p, &text));
    }
    CHECKED(make(p, frame ? PROBE_NODE_FRAME : PROBE_NODE_STATIC, 0, at, ret));
    (*ret)->frame = (uint8_t)n;
    (*ret)->name = text;
    return 0;
}

static bool constant_of(const struct parser *p, struct probe_val *ret)
{
    static const struct {
        const char *word;
        uint8_t kind;
        bool b;
    } words[] = { { "true", PROBE_VAL_BOOL, true },   { "false", PROBE_VAL_BOOL, false }, { "null", PROBE_VAL_NULL, 0 },
                  { "True", PROBE_VAL_BOOL, true },   { "False", PROBE_VAL_BOOL, false }, { "None", PROBE_VAL_NULL, 0 },
                  { "undefined", PROBE_VAL_NULL, 0 }, { "nil", PROBE_VAL_NULL, 0 } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (p->t.type == EXPR_NAME && str_eq(p->t.text, str_z(words[i].word))) {
            *ret = (struct probe_val){ .kind = words[i].kind, .b = words[i].b };
            return true;
        }
    }
    return false;
}

static int parse_name(struct parser *p, struct probe_node **ret)
{
    struct expr_token name = p->t;
    str text;
    CHECKED(name_text(p, &text));
    if (is_punct(p, "(") && name.type == EXPR_NAME) {
        int function = expr_function_of(text);
        if (function >= 0)
            return parse_call(p, function, name.at, ret);
        int r = expr_fail(&p->b, ERR_INVALID, "unknown_function", name.at, name.len, "there is no function `%.*s`",
                          STR_ARG(utf8_cut(text, 40)));
        expr_hint(&p->b,
                  "functions of the program are never called; these are known: len has empty type str int lower starts "
                  "ends contains any all count filter map min max keys hex changed");
        return r;
    }
    bool bound = false;
    if (name.type == EXPR_NAME)
        for (const struct scope *s = p->scope; s; s = s->outer)
            for (unsigned i = 0; i < s->n; i++)
                bound = bound || str_eq(s->params[i], text);
    CHECKED(make(p, bound ? PROBE_NODE_PARAM : PROBE_NODE_NAME, 0, name.at, ret));
    (*ret)->name = text;
    return 0;
}

static int parse_primary(struct parser *p, struct probe_node **ret)
{
    struct probe_val v = { 0 };
    switch (p->t.type) {
    case EXPR_NUMBER:
        return literal(p, p->t.value, ret);
    case EXPR_STRING:
        v.kind = PROBE_VAL_STR;
        CHECKED(expr_string(&p->b, &p->t, false, &v.s));
        return literal(p, v, ret);
    case EXPR_SPECIAL:
        return parse_special(p, ret);
    case EXPR_NAME:
    case EXPR_QUOTED:
        if (constant_of(p, &v))
            return literal(p, v, ret);
        if (is_word(p, "and") || is_word(p, "or") || is_word(p, "in") || is_word(p, "matches") || is_word(p, "not"))
            return expected(p, "a value");
        return parse_name(p, ret);
    default:
        break;
    }
    if (is_punct(p, "(")) {
        size_t at = p->t.at;
        CHECKED(enter(p));
        CHECKED(advance(p));
        CHECKED(parse_expr(p, ret));
        if (p->t.type == EXPR_END)
            return expr_fail(&p->b, ERR_INVALID, "unclosed", at, 1, "the bracket is not closed");
        p->nest--;
        CHECKED(expect(p, ")", "`)`"));
        (*ret)->at = (uint16_t)at; // messages show it as it was written
        (*ret)->len = (uint16_t)(p->end - at);
        return 0;
    }
    int r = expected(p, "a value");
    if (is_punct(p, "["))
        expr_hint(&p->b, "a list stands right of `in`: status in [500, 502]");
    return r;
}

static int parse_postfix(struct parser *p, struct probe_node **ret)
{
    size_t at = p->t.at;
    struct probe_node *node, *outer;
    CHECKED(parse_primary(p, &node));
    for (;;) {
        bool soft = is_punct(p, "?.") || is_punct(p, "?[");
        if (is_punct(p, ".") || is_punct(p, "->") || is_punct(p, "?.")) {
            str name;
            CHECKED(advance(p));
            CHECKED(name_text(p, &name));
            if (is_punct(p, "(")) {
                int r = expr_fail(&p->b, ERR_INVALID, "unknown_function", p->end - name.len, name.len,
                                  "`%.*s` would be called", STR_ARG(utf8_cut(name, 40)));
                expr_hint(&p->b, "code of the program is never run; fields are read: x.%.*s",
                          STR_ARG(utf8_cut(name, 40)));
                return r;
            }
            CHECKED(make(p, PROBE_NODE_FIELD, 1, at, &outer));
            outer->name = name;
        } else if (is_punct(p, "[") || is_punct(p, "?[")) {
            struct probe_node *key;
            CHECKED(enter(p));
            CHECKED(advance(p));
            CHECKED(parse_expr(p, &key));
            p->nest--;
            CHECKED(expect(p, "]", "`]`"));
            CHECKED(make(p, PROBE_NODE_INDEX, 2, at, &outer));
            outer->args[1] = key;
        } else {
            *ret = node;
            return 0;
        }
        outer->soft = soft;
        outer->args[0] = node;
        node = outer;
    }
}

// The only int whose digits without the sign are beyond 64 bits.
static bool is_least_int(str digits)
{
    str least = STR("9223372036854775808");
    size_t n = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] == '_')
            continue;
        if (n == least.len || digits.ptr[i] != least.ptr[n++])
            return false;
    }
    return n == least.len;
}

static int parse_unary(struct parser *p, struct probe_node **ret)
{
    if (!is_punct(p, "-"))
        return parse_postfix(p, ret);
    size_t at = p->t.at;
    CHECKED(enter(p));
    CHECKED(advance(p));
    struct probe_node *of;
    bool number = p->t.type == EXPR_NUMBER, least = number && is_least_int(p->t.text);
    CHECKED(parse_unary(p, &of));
    p->nest--;
    if (number && of->kind == PROBE_NODE_LITERAL) { // one literal, as it was meant
        if (least)
            of->value = (struct probe_val){ .kind = PROBE_VAL_INT, .i = INT64_MIN };
        else if (of->value.kind == PROBE_VAL_INT)
            of->value.i = -of->value.i;
        else
            of->value.f = -of->value.f;
        of->at = (uint16_t)at, of->len = (uint16_t)(p->end - at);
        *ret = of;
        return 0;
    }
    CHECKED(make(p, PROBE_NODE_NEG, 1, at, ret));
    (*ret)->args[0] = of;
    return 0;
}

struct binary {
    const char *punct, *word;
    uint8_t kind;
};
static const struct binary mul_ops[] = { { "*", NULL, PROBE_NODE_MUL },
                                         { "/", NULL, PROBE_NODE_DIV },
                                         { "%", NULL, PROBE_NODE_MOD } };
static const struct binary add_ops[] = { { "+", NULL, PROBE_NODE_ADD }, { "-", NULL, PROBE_NODE_SUB } };
static const struct binary and_ops[] = { { "&&", "and", PROBE_NODE_AND } };
static const struct binary or_ops[] = { { "||", "or", PROBE_NODE_OR } };
static const struct binary compare_ops[] = {
    { "==", NULL, PROBE_NODE_EQ },           { "=", NULL, PROBE_NODE_EQ },   { "===", NULL, PROBE_NODE_EQ },
    { "!=", NULL, PROBE_NODE_NE },           { "!==", NULL, PROBE_NODE_NE }, { "<", NULL, PROBE_NODE_LT },
    { "<=", NULL, PROBE_NODE_LE },           { ">", NULL, PROBE_NODE_GT },   { ">=", NULL, PROBE_NODE_GE },
    { "=~", "matches", PROBE_NODE_MATCHES }, { NULL, "in", PROBE_NODE_IN },
};
#define N_OF(a) (sizeof(a) / sizeof *(a))

static const struct binary *operator_here(const struct parser *p, const struct binary *ops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((ops[i].punct && is_punct(p, ops[i].punct)) || (ops[i].word && is_word(p, ops[i].word)))
            return &ops[i];
    return NULL;
}

// One level of left-associative operators.
static int parse_chain(struct parser *p, const struct binary *ops, size_t n,
                       int (*tighter)(struct parser *, struct probe_node **), struct probe_node **ret)
{
    size_t at = p->t.at;
    struct probe_node *left, *right, *both;
    const struct binary *op;
    CHECKED(tighter(p, &left));
    while ((op = operator_here(p, ops, n)) != NULL) {
        CHECKED(advance(p));
        CHECKED(tighter(p, &right));
        CHECKED(make(p, (enum probe_node_kind)op->kind, 2, at, &both));
        both->args[0] = left, both->args[1] = right;
        left = both;
    }
    *ret = left;
    return 0;
}

static int parse_mul(struct parser *p, struct probe_node **ret)
{
    return parse_chain(p, mul_ops, N_OF(mul_ops), parse_unary, ret);
}
static int parse_add(struct parser *p, struct probe_node **ret)
{
    return parse_chain(p, add_ops, N_OF(add_ops), parse_mul, ret);
}

// `[a, b]` or `(a, b)` right of `in`.
static int parse_list(struct parser *p, struct probe_node **ret)
{
    struct probe_node *items[PROBE_EXPR_NODES_MAX];
    size_t at = p->t.at;
    unsigned n = 0;
    CHECKED(enter(p));
    CHECKED(advance(p));
    while (!is_punct(p, "]")) {
        if (n == PROBE_EXPR_NODES_MAX)
            return expr_fail(&p->b, ERR_LIMIT, "too_many_terms", p->t.at, p->t.len, "more than %d parts",
                             PROBE_EXPR_NODES_MAX);
        CHECKED(parse_expr(p, &items[n++]));
        if (!is_punct(p, ","))
            break;
        CHECKED(advance(p));
    }
    p->nest--;
    CHECKED(expect(p, "]", "`,` or `]`"));
    CHECKED(make(p, PROBE_NODE_LIST, n, at, ret));
    if (n)
        memcpy((*ret)->args, items, n * sizeof *items);
    return 0;
}

static int parse_pattern(struct parser *p, size_t at, struct probe_node *left, struct probe_node **ret)
{
    str pattern;
    if (p->t.type != EXPR_STRING)
        return expected(p, "a pattern in quotes");
    CHECKED(expr_string(&p->b, &p->t, true, &pattern));
    CHECKED(advance(p));
    CHECKED(make(p, PROBE_NODE_MATCHES, 1, at, ret));
    (*ret)->name = pattern;
    (*ret)->args[0] = left;
    return 0;
}

static int parse_compare(struct parser *p, struct probe_node **ret)
{
    size_t at = p->t.at;
    struct probe_node *left, *right, *node = NULL;
    CHECKED(parse_add(p, &left));
    struct parser saved = *p;
    bool negated = is_word(p, "not") || is_punct(p, "!~");
    const struct binary *op;
    if (is_word(p, "not"))
        CHECKED(advance(p));
    op = is_punct(p, "!~") ? &compare_ops[9] : operator_here(p, compare_ops, N_OF(compare_ops));
    if (!op || (negated && op->kind != PROBE_NODE_IN && op->kind != PROBE_NODE_MATCHES)) {
        *p = saved;
        *ret = left;
        return 0;
    }
    CHECKED(advance(p));
    if (op->kind == PROBE_NODE_MATCHES) {
        CHECKED(parse_pattern(p, at, left, &node));
    } else {
        if (op->kind == PROBE_NODE_IN && is_punct(p, "["))
            CHECKED(parse_list(p, &right));
        else
            CHECKED(parse_add(p, &right));
        CHECKED(make(p, (enum probe_node_kind)op->kind, 2, at, &node));
        node->args[0] = left, node->args[1] = right;
    }
    if (negated) {
        struct probe_node *inner = node;
        CHECKED(make(p, PROBE_NODE_NOT, 1, at, &node));
        node->args[0] = inner;
    }
    if (operator_here(p, compare_ops, N_OF(compare_ops))) {
        int r = expr_fail(&p->b, ERR_INVALID, "syntax", p->t.at, p->t.len, "comparisons cannot follow each other");
        expr_hint(&p->b, "write a < b && b < c");
        return r;
    }
    *ret = node;
    return 0;
}

static int parse_not(struct parser *p, struct probe_node **ret)
{
    if (!is_word(p, "not") && !is_punct(p, "!"))
        return parse_compare(p, ret);
    size_t at = p->t.at;
    struct probe_node *of;
    CHECKED(enter(p));
    CHECKED(advance(p));
    CHECKED(parse_not(p, &of));
    p->nest--;
    CHECKED(make(p, PROBE_NODE_NOT, 1, at, ret));
    (*ret)->args[0] = of;
    return 0;
}

static int parse_and(struct parser *p, struct probe_node **ret) { return parse_chain(p, and_ops, 1, parse_not, ret); }
static int parse_or(struct parser *p, struct probe_node **ret) { return parse_chain(p, or_ops, 1, parse_and, ret); }

static int parse_expr(struct parser *p, struct probe_node **ret)
{
    size_t at = p->t.at;
    struct probe_node *test, *yes, *no;
    CHECKED(parse_or(p, &test));
    if (!is_punct(p, "?")) {
        *ret = test;
        return 0;
    }
    CHECKED(enter(p));
    CHECKED(advance(p));
    CHECKED(parse_expr(p, &yes));
    CHECKED(expect(p, ":", "`:` and what holds otherwise"));
    CHECKED(parse_expr(p, &no));
    p->nest--;
    CHECKED(make(p, PROBE_NODE_IF, 3, at, ret));
    (*ret)->args[0] = test, (*ret)->args[1] = yes, (*ret)->args[2] = no;
    return 0;
}

static void foreign_hint(struct parser *p)
{
    static const struct {
        const char *word, *hint;
    } habits[] = { { "is", "write == null, or x == y: objects are equal when they are the same one" },
                   { "instanceof", "write type(x) == \"Order\"" },
                   { "if", "write condition ? a : b" },
                   { "like", "write x matches \"^a.*\"" },
                   { "startswith", "write starts(x, \"a\")" },
                   { "??", "write x == null ? y : x" },
                   { "**", "there are + - * / %" },
                   { "//", "there are + - * / %; int(a / b) cuts" },
                   { "&", "write &&" },
                   { "|", "write ||" } };
    for (size_t i = 0; i < N_OF(habits); i++)
        if (p->t.type != EXPR_STRING && str_ieq(p->t.text, str_z(habits[i].word)))
            expr_hint(&p->b, "%s", habits[i].hint);
}

// Literals too: what an agent gets goes through JSON, and would not be what was checked here.
static int all_utf8(struct parser *p, str text)
{
    const uint8_t *at = (const uint8_t *)text.ptr, *end = at + text.len;
    for (size_t n; at < end; at += n)
        if (!(n = utf8_char_len(at, end)))
            return expr_fail(&p->b, ERR_INVALID, "syntax", (size_t)(at - (const uint8_t *)text.ptr), 1,
                             "the text is not UTF-8");
    return 0;
}

int probe_expr_parse(str text, struct arena *arena, struct probe_expr **ret, struct err *err)
{
    struct err own = { 0 };
    struct parser p = { .b = { .text = text, .arena = arena, .err = err ? err : &own } };
    struct probe_node *root;
    if (text.len > PROBE_EXPR_TEXT_MAX)
        return expr_fail(&p.b, ERR_LIMIT, "too_long", PROBE_EXPR_TEXT_MAX, 0, "an expression of more than %d bytes",
                         PROBE_EXPR_TEXT_MAX);
    if (text.len && !memchr(text.ptr, 0, text.len))
        CHECKED(arena_dup(arena, text, &p.b.text));
    else if (text.len)
        return expr_fail(&p.b, ERR_INVALID, "syntax", 0, 0, "a NUL byte in the expression");
    CHECKED(all_utf8(&p, text));
    if (str_trim(text).len == 0) {
        int r = expr_fail(&p.b, ERR_INVALID, "syntax", 0, 0, "the expression is empty");
        p.b.err->line = p.b.err->column = 1;
        return r;
    }
    CHECKED(expr_lex(&p.b, 0, &p.t));
    CHECKED(parse_expr(&p, &root));
    if (p.t.type != EXPR_END) {
        int r = expected(&p, "an operator or the end");
        foreign_hint(&p);
        return r;
    }
    return expr_check(&p.b, root, ret);
}

int probe_condition_parse(str text, struct arena *arena, struct probe_expr **ret, struct err *err)
{
    struct err own = { 0 };
    struct probe_expr *e;
    struct expr_builder b = { .text = text, .err = err ? err : &own };
    CHECKED(probe_expr_parse(text, arena, &e, err));
    if (e->type != PROBE_TYPE_BOOL && e->type != PROBE_TYPE_ANY) {
        int r = expr_fail(&b, ERR_INVALID, "type_mismatch", 0, text.len, "a condition is true or false, this is %.*s",
                          STR_ARG(probe_type_name(e->type)));
        expr_hint(&b, "compare it: x > 0, x != null");
        return r;
    }
    *ret = e;
    return 0;
}
