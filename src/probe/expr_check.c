// What a tree must be, wherever it came from: parameters that exist, numbers of arguments, types that fit where the text
// decides them, limits. After this no back end can meet a tree that it does not know.
#include "base/utf8.h"
#include "probe/code.h"
#include "probe/expr_internal.h"
#include "probe/regex.h"

struct scope {
    const struct scope *outer;
    const struct probe_node *call;
};

struct checker {
    struct expr_builder *b;
    struct probe_expr *e;
    const struct scope *scope;
    unsigned depth, loops, changed, patterns;
};

static const struct {
    uint8_t least, most, body, type;
} functions[PROBE_FUNCTIONS] = {
#define ROW(name, word, least, most, body, type) [name] = { least, most, body, PROBE_TYPE_##type },
    PROBE_FUNCTION_TABLE(ROW)
#undef ROW
};

static int check(struct checker *c, struct probe_node *node);

#define FAIL(node, code, slug, ...) expr_fail(c->b, code, slug, (node)->at, (node)->len, __VA_ARGS__)

static bool is_number(unsigned type)
{
    return type == PROBE_TYPE_INT || type == PROBE_TYPE_FLOAT || type == PROBE_TYPE_NUMBER;
}

static int mismatch(struct checker *c, const struct probe_node *node, const char *wanted)
{
    return FAIL(node, ERR_INVALID, "type_mismatch", "expected %s, this is %.*s", wanted,
                STR_ARG(probe_type_name(node->type)));
}

static int want_bool(struct checker *c, const struct probe_node *node)
{
    if (node->type == PROBE_TYPE_ANY || node->type == PROBE_TYPE_BOOL)
        return 0;
    int r = mismatch(c, node, "true or false");
    expr_hint(c->b, "nothing is true by itself: compare it, as in x != 0, x != null, !empty(x)");
    return r;
}

static int want_number(struct checker *c, const struct probe_node *node)
{
    return node->type == PROBE_TYPE_ANY || is_number(node->type) ? 0 : mismatch(c, node, "a number");
}

static int want_text(struct checker *c, const struct probe_node *node)
{
    return node->type == PROBE_TYPE_ANY || node->type == PROBE_TYPE_STR ? 0 : mismatch(c, node, "a text");
}

// Two sides that can be compared at all; equal: also null and bools.
static int want_alike(struct checker *c, const struct probe_node *node, const struct probe_node *a,
                      const struct probe_node *b, bool equal)
{
    if (a->type == PROBE_TYPE_LIST || b->type == PROBE_TYPE_LIST)
        return mismatch(c, a->type == PROBE_TYPE_LIST ? a : b, "a single value");
    if (!equal && (a->type == PROBE_TYPE_BOOL || a->type == PROBE_TYPE_NULL))
        return mismatch(c, a, "a number or a text");
    if (!equal && (b->type == PROBE_TYPE_BOOL || b->type == PROBE_TYPE_NULL))
        return mismatch(c, b, "a number or a text");
    if (a->type == PROBE_TYPE_ANY || b->type == PROBE_TYPE_ANY || a->type == b->type ||
        (is_number(a->type) && is_number(b->type)) ||
        (equal && (a->type == PROBE_TYPE_NULL || b->type == PROBE_TYPE_NULL)))
        return 0;
    int r = FAIL(node, ERR_INVALID, "type_mismatch", "%.*s against %.*s: that is never equal",
                 STR_ARG(probe_type_name(a->type)), STR_ARG(probe_type_name(b->type)));
    expr_hint(c->b, "int(x) reads a text as a number, str(n) writes one");
    return r;
}

static int check_literal(struct checker *c, struct probe_node *node)
{
    static const uint8_t types[] = { PROBE_TYPE_NULL, PROBE_TYPE_BOOL,  PROBE_TYPE_INT,
                                     PROBE_TYPE_INT,  PROBE_TYPE_FLOAT, PROBE_TYPE_STR };
    if (node->value.kind > PROBE_VAL_STR || node->value.kind == PROBE_VAL_BIG)
        return FAIL(node, ERR_INVALID, "syntax", "no literal of the language");
    node->type = types[node->value.kind];
    return 0;
}

static int check_param(struct checker *c, struct probe_node *node)
{
    for (const struct scope *s = c->scope; s; s = s->outer) {
        for (unsigned i = 0; i < s->call->n_params; i++) {
            if (str_eq(s->call->params[i], node->name)) {
                node->local = (uint8_t)(s->call->local + i);
                return 0;
            }
        }
    }
    return FAIL(node, ERR_INVALID, "unknown_name", "`%.*s` is no parameter here", STR_ARG(utf8_cut(node->name, 40)));
}

static int check_special(struct checker *c, struct probe_node *node)
{
    if (node->special >= PROBE_SPECIALS)
        return FAIL(node, ERR_INVALID, "unknown_name", "there is no such @name");
    if (node->special == PROBE_SPECIAL_HIT || node->special == PROBE_SPECIAL_DURATION)
        node->type = PROBE_TYPE_INT;
    else if (node->special == PROBE_SPECIAL_SERVICE || node->special == PROBE_SPECIAL_HOST)
        node->type = PROBE_TYPE_STR;
    return 0;
}

static bool is_path(const struct probe_node *node)
{
    return node->kind == PROBE_NODE_NAME || node->kind == PROBE_NODE_FIELD || node->kind == PROBE_NODE_INDEX ||
           node->kind == PROBE_NODE_SPECIAL || node->kind == PROBE_NODE_FRAME || node->kind == PROBE_NODE_STATIC;
}

// Of functions whose arguments say more than how many there are.
static int check_arguments(struct checker *c, struct probe_node *node)
{
    const struct probe_node *a = node->args[0], *b = node->n > 1 ? node->args[1] : NULL;
    int r = 0;
    switch (node->function) {
    case PROBE_FN_HAS:
        if (is_path(a))
            return 0;
        r = FAIL(a, ERR_INVALID, "bad_argument", "has() asks for a name, a field or an element");
        expr_hint(c->b, "has(order.customer), has(headers[\"host\"])");
        return r;
    case PROBE_FN_TYPE:
        return 0;
    case PROBE_FN_LEN:
    case PROBE_FN_EMPTY:
        return a->type == PROBE_TYPE_ANY || a->type == PROBE_TYPE_STR || a->type == PROBE_TYPE_LIST ||
                       (a->type == PROBE_TYPE_NULL && node->function == PROBE_FN_EMPTY)
                   ? 0
                   : mismatch(c, a, "a text or a collection");
    case PROBE_FN_STR:
        return a->type == PROBE_TYPE_LIST || a->type == PROBE_TYPE_FLOAT ? mismatch(c, a, "an int, a bool or null") : 0;
    case PROBE_FN_INT:
        return a->type == PROBE_TYPE_LIST || a->type == PROBE_TYPE_NULL ? mismatch(c, a, "a number or a text") : 0;
    case PROBE_FN_LOWER:
        return want_text(c, a);
    case PROBE_FN_STARTS:
    case PROBE_FN_ENDS:
        r = want_text(c, a);
        return r ? r : want_text(c, b);
    case PROBE_FN_CONTAINS:
        return a->type == PROBE_TYPE_ANY || a->type == PROBE_TYPE_STR || a->type == PROBE_TYPE_LIST
                   ? a->type == PROBE_TYPE_STR ? want_text(c, b) : 0
                   : mismatch(c, a, "a text or a collection");
    case PROBE_FN_HEX:
        return a->type == PROBE_TYPE_ANY || a->type == PROBE_TYPE_INT || a->type == PROBE_TYPE_NUMBER
                   ? 0
                   : mismatch(c, a, "an int");
    case PROBE_FN_KEYS:
        return a->type == PROBE_TYPE_ANY ? 0 : mismatch(c, a, "a dictionary or an object");
    case PROBE_FN_CHANGED:
        if (c->loops)
            return FAIL(node, ERR_INVALID, "bad_argument", "changed() cannot stand in a loop: it remembers one value");
        if (c->changed == PROBE_CODE_CHANGED_MAX)
            return FAIL(node, ERR_LIMIT, "too_many_terms", "changed() more than %d times", PROBE_CODE_CHANGED_MAX);
        node->local = (uint8_t)c->changed++;
        return a->type == PROBE_TYPE_LIST ? mismatch(c, a, "a value") : 0;
    case PROBE_FN_MIN:
    case PROBE_FN_MAX:
        for (unsigned i = 1; i < node->n; i++)
            if (!node->n_params && (r = want_alike(c, node, a, node->args[i], false)) != 0)
                return r;
        break;
    default:
        break;
    }
    if (a->type == PROBE_TYPE_ANY || a->type == PROBE_TYPE_LIST || (node->n > 1 && !node->n_params))
        return 0;
    return mismatch(c, a, "a collection");
}

static bool loops(const struct probe_node *node)
{
    return node->n_params || ((node->function == PROBE_FN_MIN || node->function == PROBE_FN_MAX) && node->n == 1);
}

static int check_call(struct checker *c, struct probe_node *node)
{
    if (node->function >= PROBE_FUNCTIONS || node->n_params > 2)
        return FAIL(node, ERR_INVALID, "unknown_function", "there is no such function");
    str word = probe_function_name(node->function);
    unsigned least = functions[node->function].least, most = functions[node->function].most;
    unsigned body = functions[node->function].body;
    if (node->n < least || node->n > most || (node->n_params && (body == 0 || node->n != 2)) ||
        (body == 2 && !node->n_params) || (node->function == PROBE_FN_COUNT && node->n == 2 && !node->n_params)) {
        bool takes = body == 2 || (node->n_params && body);
        int r = takes
                    ? FAIL(node, ERR_INVALID, "bad_argument", "%.*s() takes a collection and a function", STR_ARG(word))
                    : FAIL(node, ERR_INVALID, "bad_argument", "%.*s() takes %u argument%s", STR_ARG(word), least,
                           least == 1 ? "" : "s");
        if (body)
            expr_hint(c->b, "%.*s(order.items, x => x.price %s)", STR_ARG(word),
                      expr_is_condition(node->function) ? "> 100" : "* x.count");
        return r;
    }
    for (unsigned i = 0; i < node->n_params; i++)
        if (node->params[i].len == 0 || node->params[i].len > PROBE_EXPR_NAME_MAX)
            return FAIL(node, ERR_INVALID, "bad_argument", "a parameter without a name, or with one too long");
    if (node->n_params == 2 && str_eq(node->params[0], node->params[1]))
        return FAIL(node, ERR_INVALID, "bad_argument", "two parameters of one name");
    if (loops(node) && c->loops == PROBE_EXPR_LOOPS_MAX)
        return FAIL(node, ERR_LIMIT, "too_deep", "more than %d loops in one another", PROBE_EXPR_LOOPS_MAX);
    node->type = functions[node->function].type;
    node->local = loops(node) ? (uint8_t)(2 * c->loops) : 0; // inner loops' parameters lie above
    for (unsigned i = 0; i < node->n; i++) {
        if (node->args[i]->kind == PROBE_NODE_LIST)
            return FAIL(node->args[i], ERR_INVALID, "syntax", "a list stands right of `in` only");
        struct scope inner = { c->scope, node };
        bool in_body = node->n_params && i + 1 == node->n;
        c->scope = in_body ? &inner : c->scope;
        c->loops += in_body;
        int r = check(c, node->args[i]);
        c->loops -= in_body;
        c->scope = in_body ? inner.outer : c->scope;
        if (r)
            return r;
    }
    // A loop over what another loop makes runs after it: both may use the same places.
    unsigned nested = c->loops + loops(node);
    c->e->n_loops = nested > c->e->n_loops ? nested : c->e->n_loops;
    if (node->n_params) {
        const struct probe_node *made = node->args[1];
        if (expr_is_condition(node->function)) {
            int r = want_bool(c, made);
            if (r)
                return r;
        } else if (made->type == PROBE_TYPE_LIST) {
            return mismatch(c, made, "a single value");
        }
    }
    return check_arguments(c, node);
}

static int check_in(struct checker *c, struct probe_node *node)
{
    struct probe_node *of = node->args[1];
    node->type = PROBE_TYPE_BOOL;
    if (of->kind == PROBE_NODE_LIST) {
        for (unsigned i = 0; i < of->n; i++) {
            int r = want_alike(c, of->args[i], node->args[0], of->args[i], true);
            if (r)
                return r;
        }
        return 0;
    }
    if (of->type == PROBE_TYPE_STR)
        return want_text(c, node->args[0]);
    return of->type == PROBE_TYPE_ANY || of->type == PROBE_TYPE_LIST ? 0 : mismatch(c, of, "a text or a collection");
}

static int check_pattern(struct checker *c, struct probe_node *node)
{
    struct buf program;
    struct err own = { 0 }, *err = c->b->err ? c->b->err : &own;
    if (c->patterns++ == PROBE_CODE_RES_MAX)
        return FAIL(node, ERR_LIMIT, "too_many_terms", "more than %d patterns", PROBE_CODE_RES_MAX);
    buf_init(&program, PROBE_CODE_SIZE_MAX);
    int r = probe_regex_compile(node->name, &program, err);
    buf_free(&program);
    if (r) {
        // Its column counts in the pattern; people see the whole text, so the pattern as a whole is pointed at.
        char message[sizeof err->message], slug[sizeof err->slug];
        memcpy(message, err->message, sizeof message);
        memcpy(slug, err->slug, sizeof slug);
        return FAIL(node, r, slug, "%s", message);
    }
    node->type = PROBE_TYPE_BOOL;
    return want_text(c, node->args[0]);
}

static int check_operator(struct checker *c, struct probe_node *node)
{
    struct probe_node *a = node->args[0], *b = node->n > 1 ? node->args[1] : NULL;
    int r = 0;
    switch (node->kind) {
    case PROBE_NODE_FIELD:
    case PROBE_NODE_INDEX:
        if (a->type != PROBE_TYPE_ANY &&
            !(node->kind == PROBE_NODE_INDEX && (a->type == PROBE_TYPE_STR || a->type == PROBE_TYPE_LIST)))
            return mismatch(c, a, "something with fields or elements");
        return b && (b->type == PROBE_TYPE_LIST || b->type == PROBE_TYPE_NULL) ? mismatch(c, b, "a number or a text")
                                                                               : 0;
    case PROBE_NODE_NOT:
        node->type = PROBE_TYPE_BOOL;
        return want_bool(c, a);
    case PROBE_NODE_AND:
    case PROBE_NODE_OR:
        node->type = PROBE_TYPE_BOOL;
        return (r = want_bool(c, a)) != 0 ? r : want_bool(c, b);
    case PROBE_NODE_EQ:
    case PROBE_NODE_NE:
    case PROBE_NODE_LT:
    case PROBE_NODE_LE:
    case PROBE_NODE_GT:
    case PROBE_NODE_GE:
        node->type = PROBE_TYPE_BOOL;
        return want_alike(c, node, a, b, node->kind == PROBE_NODE_EQ || node->kind == PROBE_NODE_NE);
    case PROBE_NODE_IN:
        return check_in(c, node);
    case PROBE_NODE_MATCHES:
        return check_pattern(c, node);
    case PROBE_NODE_NEG:
        node->type =
            is_number(a->type) ? (a->type == PROBE_TYPE_FLOAT ? PROBE_TYPE_FLOAT : PROBE_TYPE_NUMBER) : PROBE_TYPE_ANY;
        return want_number(c, a);
    case PROBE_NODE_ADD:
        if (a->type == PROBE_TYPE_STR || b->type == PROBE_TYPE_STR) {
            node->type = PROBE_TYPE_STR;
            r = (r = want_text(c, a)) != 0 ? r : want_text(c, b);
            if (r)
                expr_hint(c->b, "str(n) makes a text of an int");
            return r;
        }
        if (a->type == PROBE_TYPE_ANY && b->type == PROBE_TYPE_ANY)
            return 0;
        break;
    case PROBE_NODE_IF:
        node->type = b->type == node->args[2]->type ? b->type : PROBE_TYPE_ANY;
        return want_bool(c, a);
    default:
        break;
    }
    node->type = node->kind == PROBE_NODE_DIV || a->type == PROBE_TYPE_FLOAT || b->type == PROBE_TYPE_FLOAT
                     ? PROBE_TYPE_FLOAT
                     : PROBE_TYPE_NUMBER;
    return (r = want_number(c, a)) != 0 ? r : want_number(c, b);
}

static int check(struct checker *c, struct probe_node *node)
{
    int r = 0;
    if (++c->depth > PROBE_EXPR_DEPTH_MAX)
        return FAIL(node, ERR_LIMIT, "too_deep", "nested more than %d levels deep", PROBE_EXPR_DEPTH_MAX);
    node->type = PROBE_TYPE_ANY;
    for (unsigned i = 0; node->kind != PROBE_NODE_CALL && i < node->n; i++) {
        struct probe_node *arg = node->args[i];
        if (arg->kind == PROBE_NODE_LIST && !(node->kind == PROBE_NODE_IN && i == 1))
            return FAIL(arg, ERR_INVALID, "syntax", "a list stands right of `in` only");
        if ((r = check(c, arg)) != 0)
            return r;
    }
    switch (node->kind) {
    case PROBE_NODE_LITERAL:
        r = check_literal(c, node);
        break;
    case PROBE_NODE_NAME:
    case PROBE_NODE_STATIC:
    case PROBE_NODE_FRAME:
        break;
    case PROBE_NODE_PARAM:
        r = check_param(c, node);
        break;
    case PROBE_NODE_SPECIAL:
        r = check_special(c, node);
        break;
    case PROBE_NODE_LIST:
        node->type = PROBE_TYPE_LIST;
        break;
    case PROBE_NODE_CALL:
        r = check_call(c, node);
        break;
    default:
        r = check_operator(c, node);
    }
    c->depth--;
    return r;
}

int expr_check(struct expr_builder *b, struct probe_node *root, struct probe_expr **ret)
{
    struct probe_expr *e = arena_zalloc(b->arena, sizeof *e);
    if (!e)
        return expr_fail(b, ERR_NOMEM, "memory", 0, 0, "no memory to check the expression");
    struct checker c = { .b = b, .e = e };
    if (root->kind == PROBE_NODE_LIST)
        return expr_fail(b, ERR_INVALID, "syntax", root->at, root->len, "a list stands right of `in` only");
    int r = check(&c, root);
    if (r)
        return r;
    e->text = b->text;
    e->root = root;
    e->n_nodes = b->n_nodes;
    e->n_changed = c.changed;
    e->type = root->type;
    *ret = e;
    return 0;
}
