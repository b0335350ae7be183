#include "agent/node/lower.h"
#include "base/json.h"
#include "base/must.h"
#include "probe/redact.h"
#include "probe/regex.h"

#include <inttypes.h>
#include <stdio.h>

enum { SAFE_INT_BITS = 53 };

static void node(const struct lower *l, const struct probe_node *n, struct buf *out);
static void path(const struct lower *l, const struct probe_node *n, struct buf *out);
static void field(const struct lower *l, const struct probe_node *n, bool asked, struct buf *out);
static void index_of(const struct lower *l, const struct probe_node *n, bool asked, struct buf *out);

void lower_text(struct buf *out, str s)
{
    buf_str(out, STR("\""));
    json_escape(out, s);
    buf_str(out, STR("\""));
}

// Which part of the expression's text: see H's faults.
static void where(const struct probe_node *n, struct buf *out)
{
    buf_printf(out, ",%u)", (unsigned)n->at << 11 | (n->len < 2047 ? n->len : 2047));
}

static void fault(const struct probe_node *n, const char *reason, struct buf *out)
{
    buf_printf(out, "H.X(\"%s\"", reason);
    where(n, out);
}

static void call(const struct lower *l, const struct probe_node *n, const char *function, struct buf *out)
{
    buf_printf(out, "H.%s(", function);
    for (unsigned i = 0; i < n->n; i++) {
        if (i)
            buf_str(out, STR(","));
        node(l, n->args[i], out);
    }
    where(n, out);
}

static void truth(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    buf_str(out, STR("H.t("));
    node(l, n, out);
    where(n, out);
}

// Of has(): without `?.`, and what is no path stands aside.
static void path(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    switch (n->kind) {
    case PROBE_NODE_FIELD:
        field(l, n, true, out);
        break;
    case PROBE_NODE_INDEX:
        index_of(l, n, true, out);
        break;
    case PROBE_NODE_NAME:
    case PROBE_NODE_SPECIAL:
    case PROBE_NODE_FRAME:
    case PROBE_NODE_STATIC:
        node(l, n, out);
        break;
    default:
        buf_str(out, STR("H.aside(()=>"));
        node(l, n, out);
        buf_str(out, STR(")"));
    }
}

static void pair(const struct lower *l, const struct probe_node *n, const char *between, struct buf *out)
{
    buf_str(out, STR("("));
    truth(l, n->args[0], out);
    buf_str(out, str_z(between));
    truth(l, n->args[1], out);
    buf_str(out, STR(")"));
}

static void literal(const struct probe_val *v, struct buf *out)
{
    switch (v->kind) {
    case PROBE_VAL_BOOL:
        buf_str(out, v->b ? STR("true") : STR("false"));
        break;
    case PROBE_VAL_INT: {
        bool safe = v->i > -(1ll << SAFE_INT_BITS) && v->i < 1ll << SAFE_INT_BITS;
        buf_printf(out, "(%" PRId64 "%s)", v->i, safe ? "" : "n");
        break;
    }
    case PROBE_VAL_FLOAT:
        buf_printf(out, "(%.17g)", v->f);
        break;
    case PROBE_VAL_STR:
        lower_text(out, v->s);
        break;
    default:
        buf_str(out, STR("null"));
        break;
    }
}

// asked: by has(), about the whole path.
static void index_of(const struct lower *l, const struct probe_node *n, bool asked, struct buf *out)
{
    const struct probe_node *key = n->args[1];
    if (key->kind == PROBE_NODE_LITERAL && key->value.kind == PROBE_VAL_STR &&
        probe_redact_name(l->policy, key->value.s)) {
        fault(n, "redacted", out);
        return;
    }
    if (asked) {
        buf_str(out, STR("H.ih(()=>"));
        path(l, n->args[0], out);
        buf_str(out, STR(",()=>"));
        node(l, key, out);
        where(n, out);
        return;
    }
    buf_str(out, STR("H.i("));
    node(l, n->args[0], out);
    buf_str(out, STR(","));
    node(l, key, out);
    buf_str(out, n->soft ? STR(",1") : STR(",0"));
    where(n, out);
}

static void field(const struct lower *l, const struct probe_node *n, bool asked, struct buf *out)
{
    if (probe_redact_name(l->policy, n->name)) {
        fault(n, "redacted", out);
        return;
    }
    buf_str(out, STR("H.f("));
    (asked ? path : node)(l, n->args[0], out);
    buf_str(out, STR(","));
    lower_text(out, n->name);
    buf_str(out, n->soft && !asked ? STR(",1") : STR(",0"));
    where(n, out);
}

static void variable(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    if (probe_redact_name(l->policy, n->name)) {
        fault(n, "redacted", out);
        return;
    }
    if (l->event)
        buf_str(out, STR("H.v("));
    if (!l->name(l->ctx, n->name, n->kind == PROBE_NODE_STATIC, out)) {
        buf_str(out, STR("H.g("));
        lower_text(out, n->name);
        where(n, out);
    }
    if (l->event)
        where(n, out);
}

static void frame(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    if (n->frame == 0) {
        variable(l, n, out);
    } else {
        l->found->callers = true;
        fault(n, "unsupported", out);
    }
}

// The automaton of src/probe/regex.h as two lists of numbers: the program's own engine takes time without bound for some texts.
static void matches(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    struct buf program;
    buf_init(&program, 64 << 10);
    if (probe_regex_compile(n->name, &program, NULL) < 0) { // the tree's check has compiled it
        fault(n, "unsupported", out);
        buf_free(&program);
        return;
    }
    must(probe_regex_verify(buf_bytes(&program)));
    unsigned states = le16_get(program.ptr), ranges = le16_get(program.ptr + 2);
    const uint8_t *p = program.ptr + 8;
    buf_printf(l->tables, "const r%u=H.re([", l->found->tables);
    for (unsigned i = 0; i < states; i++, p += 8)
        buf_printf(l->tables, "%u,%u,%u,%u,", p[0], p[1], le16_get(p + 2), le16_get(p + 4));
    buf_str(l->tables, STR("],["));
    for (unsigned i = 0; i < ranges; i++, p += 8)
        buf_printf(l->tables, "%u,%u,", le32_get(p), le32_get(p + 4));
    buf_str(l->tables, STR("]);"));
    buf_free(&program);
    buf_printf(out, "H.m(r%u,", l->found->tables++);
    node(l, n->args[0], out);
    where(n, out);
}

static void known_text(str s, struct buf *out)
{
    if (s.len)
        lower_text(out, s);
    else
        buf_str(out, STR("null"));
}

static void special(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    switch (n->special) {
    case PROBE_SPECIAL_HIT:
        buf_str(out, STR("s.hits"));
        break;
    case PROBE_SPECIAL_THREAD:
        buf_str(out, STR("s.thread"));
        break;
    case PROBE_SPECIAL_TRACE_ID:
        buf_str(out, STR("H.span(\"id\")"));
        break;
    case PROBE_SPECIAL_SPAN_ID:
        buf_str(out, STR("H.span(\"part\")"));
        break;
    case PROBE_SPECIAL_SERVICE:
        known_text(l->service, out);
        break;
    case PROBE_SPECIAL_HOST:
        known_text(l->host, out);
        break;
    case PROBE_SPECIAL_DURATION:
    case PROBE_SPECIAL_RETURN:
    case PROBE_SPECIAL_EXCEPTION:
        if (l->event) {
            buf_str(out, n->special == PROBE_SPECIAL_DURATION ? STR("H.took(s")
                         : n->special == PROBE_SPECIAL_RETURN ? STR("H.came(s,1")
                                                              : STR("H.came(s,2"));
            where(n, out);
            break;
        }
        fault(n, "not_in_scope", out);
        break;
    default:
        fault(n, "unsupported", out);
        break;
    }
}

static void in(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    const struct probe_node *right = n->args[1];
    if (right->kind != PROBE_NODE_LIST) {
        call(l, n, "in", out);
        return;
    }
    buf_str(out, STR("(v=>")); // from the left, until one is equal
    for (unsigned i = 0; i < right->n; i++) {
        buf_str(out, STR("H.eq(v,"));
        node(l, right->args[i], out);
        where(n, out);
        buf_str(out, STR("||"));
    }
    buf_str(out, STR("false)("));
    node(l, n->args[0], out);
    buf_str(out, STR(")"));
}

// any(xs, x => c): the helper gives the element, then its key.
static void over(const struct lower *l, const struct probe_node *n, const char *function, struct buf *out)
{
    buf_printf(out, "H.%s(", function);
    node(l, n->args[0], out);
    if (n->n_params == 2)
        buf_printf(out, ",(q%u,q%u)=>", n->local + 1u, (unsigned)n->local);
    else if (n->n_params == 1)
        buf_printf(out, ",q%u=>", (unsigned)n->local);
    else
        buf_str(out, STR(",0"));
    if (n->n_params)
        node(l, n->args[1], out);
    where(n, out);
}

static void extreme(const struct lower *l, const struct probe_node *n, bool least, struct buf *out)
{
    if (n->n_params || n->n == 1) {
        over(l, n, least ? "min" : "max", out);
        return;
    }
    for (unsigned i = 1; i < n->n; i++)
        buf_str(out, STR("H.two("));
    node(l, n->args[0], out);
    for (unsigned i = 1; i < n->n; i++) {
        buf_str(out, STR(","));
        node(l, n->args[i], out);
        buf_str(out, least ? STR(",-1") : STR(",1"));
        where(n, out);
    }
}

static void function(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    char name[32];
    str word = probe_function_name(n->function);
    snprintf(name, sizeof name, "%.*s", STR_ARG(word));
    switch (n->function) {
    case PROBE_FN_HAS:
        buf_str(out, STR("H.has(()=>"));
        path(l, n->args[0], out);
        buf_str(out, STR(")"));
        break;
    case PROBE_FN_ANY:
    case PROBE_FN_ALL:
    case PROBE_FN_COUNT:
    case PROBE_FN_FILTER:
    case PROBE_FN_MAP:
        over(l, n, name, out);
        break;
    case PROBE_FN_MIN:
    case PROBE_FN_MAX:
        extreme(l, n, n->function == PROBE_FN_MIN, out);
        break;
    case PROBE_FN_CHANGED:
        buf_printf(out, "H.changed(s,%u,", (unsigned)n->local);
        node(l, n->args[0], out);
        where(n, out);
        break;
    default:
        call(l, n, name, out);
        break;
    }
}

static void node(const struct lower *l, const struct probe_node *n, struct buf *out)
{
    static const char *const operators[PROBE_NODE_KINDS] = {
        [PROBE_NODE_NEG] = "neg", [PROBE_NODE_EQ] = "eq",   [PROBE_NODE_NE] = "ne",   [PROBE_NODE_LT] = "lt",
        [PROBE_NODE_LE] = "le",   [PROBE_NODE_GT] = "gt",   [PROBE_NODE_GE] = "ge",   [PROBE_NODE_ADD] = "add",
        [PROBE_NODE_SUB] = "sub", [PROBE_NODE_MUL] = "mul", [PROBE_NODE_DIV] = "div", [PROBE_NODE_MOD] = "mod",
    };
    if (operators[n->kind]) {
        call(l, n, operators[n->kind], out);
        return;
    }
    switch (n->kind) {
    case PROBE_NODE_LITERAL:
        literal(&n->value, out);
        break;
    case PROBE_NODE_NAME:
    case PROBE_NODE_STATIC:
        variable(l, n, out);
        break;
    case PROBE_NODE_PARAM:
        buf_printf(out, "q%u", (unsigned)n->local);
        break;
    case PROBE_NODE_SPECIAL:
        special(l, n, out);
        break;
    case PROBE_NODE_FIELD:
        field(l, n, false, out);
        break;
    case PROBE_NODE_INDEX:
        index_of(l, n, false, out);
        break;
    case PROBE_NODE_NOT:
        buf_str(out, STR("!"));
        truth(l, n->args[0], out);
        break;
    case PROBE_NODE_AND:
        pair(l, n, "&&", out);
        break;
    case PROBE_NODE_OR:
        pair(l, n, "||", out);
        break;
    case PROBE_NODE_IN:
        in(l, n, out);
        break;
    case PROBE_NODE_IF:
        buf_str(out, STR("("));
        truth(l, n->args[0], out);
        buf_str(out, STR("?"));
        node(l, n->args[1], out);
        buf_str(out, STR(":"));
        node(l, n->args[2], out);
        buf_str(out, STR(")"));
        break;
    case PROBE_NODE_CALL:
        function(l, n, out);
        break;
    case PROBE_NODE_FRAME:
        frame(l, n, out);
        break;
    case PROBE_NODE_MATCHES:
        matches(l, n, out);
        break;
    default: // a list is the right side of `in`
        fault(n, "unsupported", out);
        break;
    }
}

void lower_expr(const struct lower *l, const struct probe_expr *e, struct buf *out) { node(l, e->root, out); }
