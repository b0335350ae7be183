// Expressions of `let`, typed as far as the text tells.
#include "query/plan_internal.h"

static const struct {
    str name;
    uint8_t min, max;
} functions[QUERY_FN_COUNT] = {
#define QUERY_FN(id, name, min, max) [QUERY_FN_##id] = { STR_INIT(name), min, max },
#include "query/functions.def"
};

str query_fn_name(enum query_fn fn) { return functions[fn].name; }

static struct query_typeinfo type_of(enum query_type t) { return (struct query_typeinfo){ t, false, NULL }; }
static bool is_any(const struct query_expr *x) { return x->type.type == QUERY_ANY && !x->type.list; }
static bool is(const struct query_expr *x, enum query_type t) { return x->type.type == t && !x->type.list; }
static bool is_numeric(const struct query_expr *x) { return plan_is_number(x->type.type) && !x->type.list; }
// Text and what prints as one word of text.
static bool is_textual(const struct query_expr *x)
{
    enum query_type t = x->type.type;
    return !x->type.list && (t == QUERY_STRING || t == QUERY_ENUM || t == QUERY_LEVEL || t == QUERY_ID);
}

static int mixed(struct planner *pl, const struct query_expr *x, const struct query_expr *a, const struct query_expr *b,
                 const char *verb)
{
    str ta = a->type.list ? STR("list") : query_type_name(a->type.type),
        tb = b->type.list ? STR("list") : query_type_name(b->type.type);
    return plan_fail(pl, x->pos, QUERY_E_TYPE_MISMATCH, "%.*s and %.*s cannot be %s", STR_ARG(ta), STR_ARG(tb), verb);
}

// ---- operators
static int type_sum(struct planner *pl, struct query_expr *x)
{
    const struct query_expr *a = x->kids[0], *b = x->kids[1];
    bool minus = x->op == QUERY_X_SUB;
    if (is_any(a) || is_any(b))
        x->type = type_of(QUERY_ANY);
    else if (is_numeric(a) && is_numeric(b))
        x->type = type_of(is(a, QUERY_DOUBLE) || is(b, QUERY_DOUBLE) ? QUERY_DOUBLE : QUERY_NUMBER);
    else if (is(a, QUERY_DURATION) && is(b, QUERY_DURATION))
        x->type = type_of(QUERY_DURATION);
    else if (is(a, QUERY_TIME) && is(b, QUERY_DURATION))
        x->type = type_of(QUERY_TIME);
    else if (!minus && is(a, QUERY_DURATION) && is(b, QUERY_TIME))
        x->type = type_of(QUERY_TIME);
    else if (minus && is(a, QUERY_TIME) && is(b, QUERY_TIME))
        x->type = type_of(QUERY_DURATION);
    else
        return mixed(pl, x, a, b, minus ? "subtracted" : "added");
    return 0;
}

static int type_product(struct planner *pl, struct query_expr *x)
{
    const struct query_expr *a = x->kids[0], *b = x->kids[1];
    bool div = x->op == QUERY_X_DIV, mul = x->op == QUERY_X_MUL;
    if (is_any(a) || is_any(b))
        x->type = type_of(QUERY_ANY);
    else if (is_numeric(a) && is_numeric(b))
        x->type = type_of(div || is(a, QUERY_DOUBLE) || is(b, QUERY_DOUBLE) ? QUERY_DOUBLE : QUERY_NUMBER);
    else if ((mul || div) && is(a, QUERY_DURATION) && is_numeric(b))
        x->type = type_of(QUERY_DURATION);
    else if (mul && is_numeric(a) && is(b, QUERY_DURATION))
        x->type = type_of(QUERY_DURATION);
    else if (div && is(a, QUERY_DURATION) && is(b, QUERY_DURATION))
        x->type = type_of(QUERY_DOUBLE);
    else
        return mixed(pl, x, a, b, mul ? "multiplied" : "divided");
    return 0;
}

static int check_enum_text(struct planner *pl, const struct query_expr *e, const struct query_expr *text)
{
    if (!is(e, QUERY_ENUM) || !e->type.words || text->op != QUERY_X_STRING ||
        query_word_find(e->type.words, text->lit->text))
        return 0;
    int r =
        plan_fail(pl, text->pos, QUERY_E_BAD_ENUM, "it is never `%.*s`", STR_ARG(str_slice(text->lit->text, 0, 60)));
    for (uint32_t i = 0; i < e->type.words->count; i++)
        query_error_suggest(pl->err, e->type.words->words[i].word);
    return r;
}

static int check_unit(struct planner *pl, const struct query_expr *d, const struct query_expr *n)
{
    if ((!is(d, QUERY_DURATION) && !is(d, QUERY_TIME)) || n->op != QUERY_X_NUMBER ||
        (n->lit->readings & QR_INT && n->lit->i == 0))
        return 0;
    int r = plan_fail(pl, n->pos, QUERY_E_NEEDS_UNIT, "`%.*s` needs a unit to be compared with a %s",
                      STR_ARG(n->lit->text), is(d, QUERY_TIME) ? "time" : "duration");
    query_error_hint(pl->err, "units are ns us ms s m h d w");
    return r;
}

static int type_comparison(struct planner *pl, struct query_expr *x)
{
    const struct query_expr *a = x->kids[0], *b = x->kids[1];
    int r;
    x->type = type_of(QUERY_BOOL);
    if ((r = check_unit(pl, a, b)) < 0 || (r = check_unit(pl, b, a)) < 0 || (r = check_enum_text(pl, a, b)) < 0 ||
        (r = check_enum_text(pl, b, a)) < 0)
        return r;
    bool zero = (a->op == QUERY_X_NUMBER || b->op == QUERY_X_NUMBER) &&
                (is(a, QUERY_DURATION) || is(b, QUERY_DURATION) || is(a, QUERY_TIME) || is(b, QUERY_TIME));
    if (is_any(a) || is_any(b) || (is_numeric(a) && is_numeric(b)) || (is_textual(a) && is_textual(b)) || zero)
        return 0;
    bool order = x->op != QUERY_X_EQ && x->op != QUERY_X_NE;
    if (a->type.type == b->type.type && a->type.list == b->type.list && !(order && (is(a, QUERY_BOOL) || a->type.list)))
        return 0;
    return mixed(pl, x, a, b, "compared");
}

static int want_bool(struct planner *pl, const struct query_expr *x)
{
    if (is_any(x) || is(x, QUERY_BOOL))
        return 0;
    return plan_fail(pl, x->pos, QUERY_E_TYPE_MISMATCH, "expected true or false, not a %.*s",
                     STR_ARG(query_type_name(x->type.type)));
}

// What two branches or arguments have in common.
static struct query_typeinfo unify(struct query_typeinfo a, struct query_typeinfo b)
{
    if (a.type == b.type && a.list == b.list)
        return (struct query_typeinfo){ a.type, a.list, a.words == b.words ? a.words : NULL };
    if (!a.list && !b.list && plan_is_number(a.type) && plan_is_number(b.type))
        return type_of(QUERY_NUMBER);
    return type_of(QUERY_ANY);
}

static int type_operator(struct planner *pl, struct query_expr *x)
{
    int r;
    switch (x->op) {
    case QUERY_X_NEG:
        x->type = x->kids[0]->type;
        if (is_any(x->kids[0]) || is_numeric(x->kids[0]) || is(x->kids[0], QUERY_DURATION))
            return 0;
        return plan_fail(pl, x->pos, QUERY_E_TYPE_MISMATCH, "a %.*s has no sign",
                         STR_ARG(query_type_name(x->kids[0]->type.type)));
    case QUERY_X_NOT:
    case QUERY_X_AND:
    case QUERY_X_OR:
        x->type = type_of(QUERY_BOOL);
        for (uint32_t i = 0; i < x->kid_count; i++)
            if ((r = want_bool(pl, x->kids[i])) < 0)
                return r;
        return 0;
    case QUERY_X_ADD:
    case QUERY_X_SUB:
        return type_sum(pl, x);
    case QUERY_X_MUL:
    case QUERY_X_DIV:
    case QUERY_X_MOD:
        return type_product(pl, x);
    case QUERY_X_COND:
        x->type = unify(x->kids[1]->type, x->kids[2]->type);
        return want_bool(pl, x->kids[0]);
    default:
        return type_comparison(pl, x);
    }
}

// ---- functions
enum want {
    W_ANY,
    W_TEXT,
    W_NUMBER,
    W_NUMERIC /* number, duration or time */,
    W_DURATION,
    W_TIME,
    W_LIST,
    W_TEXT_OR_LIST
};

static bool suits(const struct query_expr *x, enum want w)
{
    if (is_any(x) || w == W_ANY)
        return true;
    switch (w) {
    case W_TEXT:
        return is_textual(x);
    case W_NUMBER:
        return is_numeric(x);
    case W_NUMERIC:
        return is_numeric(x) || is(x, QUERY_DURATION) || is(x, QUERY_TIME);
    case W_DURATION:
        return is(x, QUERY_DURATION);
    case W_TIME:
        return is(x, QUERY_TIME);
    case W_LIST:
        return x->type.list || is(x, QUERY_LIST);
    case W_TEXT_OR_LIST:
        return is_textual(x) || x->type.list || is(x, QUERY_LIST) || is(x, QUERY_MAP);
    case W_ANY:
        break;
    }
    return true;
}

struct signature {
    enum want args[3]; // the last one holds for all further arguments
    enum query_type result;
    bool result_list, like_args; // like_args: the common type of all arguments (or of the first)
};

static const struct signature signatures[QUERY_FN_COUNT] = {
    [QUERY_FN_LEN] = { { W_TEXT_OR_LIST }, QUERY_INT, false, false },
    [QUERY_FN_LOWER] = { { W_TEXT }, QUERY_STRING, false, false },
    [QUERY_FN_UPPER] = { { W_TEXT }, QUERY_STRING, false, false },
    [QUERY_FN_SUBSTR] = { { W_TEXT, W_NUMBER, W_NUMBER }, QUERY_STRING, false, false },
    [QUERY_FN_REPLACE] = { { W_TEXT, W_TEXT, W_TEXT }, QUERY_STRING, false, false },
    [QUERY_FN_CONTAINS] = { { W_TEXT, W_TEXT }, QUERY_BOOL, false, false },
    [QUERY_FN_STARTS] = { { W_TEXT, W_TEXT }, QUERY_BOOL, false, false },
    [QUERY_FN_ENDS] = { { W_TEXT, W_TEXT }, QUERY_BOOL, false, false },
    [QUERY_FN_SPLIT] = { { W_TEXT, W_TEXT }, QUERY_STRING, true, false },
    [QUERY_FN_JOIN] = { { W_LIST, W_TEXT }, QUERY_STRING, false, false },
    [QUERY_FN_MATCH] = { { W_TEXT, W_TEXT, W_NUMBER }, QUERY_BOOL, false, false },
    [QUERY_FN_INT] = { { W_ANY }, QUERY_INT, false, false },
    [QUERY_FN_FLOAT] = { { W_ANY }, QUERY_DOUBLE, false, false },
    [QUERY_FN_STR] = { { W_ANY }, QUERY_STRING, false, false },
    [QUERY_FN_BOOL] = { { W_ANY }, QUERY_BOOL, false, false },
    [QUERY_FN_ABS] = { { W_NUMERIC }, QUERY_ANY, false, true },
    [QUERY_FN_FLOOR] = { { W_NUMERIC, W_NUMERIC }, QUERY_ANY, false, true },
    [QUERY_FN_CEIL] = { { W_NUMERIC }, QUERY_ANY, false, true },
    [QUERY_FN_ROUND] = { { W_NUMERIC }, QUERY_ANY, false, true },
    [QUERY_FN_MIN] = { { W_ANY, W_ANY }, QUERY_ANY, false, true },
    [QUERY_FN_MAX] = { { W_ANY, W_ANY }, QUERY_ANY, false, true },
    [QUERY_FN_LOG] = { { W_NUMBER }, QUERY_DOUBLE, false, false },
    [QUERY_FN_EXP] = { { W_NUMBER }, QUERY_DOUBLE, false, false },
    [QUERY_FN_COALESCE] = { { W_ANY, W_ANY }, QUERY_ANY, false, true },
    [QUERY_FN_HAS] = { { W_ANY }, QUERY_BOOL, false, false },
    [QUERY_FN_TYPEOF] = { { W_ANY }, QUERY_STRING, false, false },
    [QUERY_FN_MS] = { { W_DURATION }, QUERY_DOUBLE, false, false },
    [QUERY_FN_S] = { { W_DURATION }, QUERY_DOUBLE, false, false },
    [QUERY_FN_HOUR] = { { W_TIME }, QUERY_INT, false, false },
    [QUERY_FN_WEEKDAY] = { { W_TIME }, QUERY_INT, false, false },
    [QUERY_FN_DAY] = { { W_TIME }, QUERY_INT, false, false },
    [QUERY_FN_NOW] = { { W_ANY }, QUERY_TIME, false, false },
};

static int unknown_function(struct planner *pl, const struct query_ast_expr *a)
{
    struct query_pos pos = { a->pos.off, (uint32_t)a->name.len };
    int r =
        plan_fail(pl, pos, QUERY_E_UNKNOWN_FUNCTION, "there is no function `%.*s`", STR_ARG(str_slice(a->name, 0, 60)));
    struct suggest s = { .word = a->name };
    for (int i = 1; i < QUERY_FN_COUNT; i++)
        suggest_offer(&s, functions[i].name);
    suggest_give(&s, pl->err);
    static const char *const aggregates[] = { "count", "sum", "avg", "uniq",  "rate", "p50",
                                              "p90",   "p95", "p99", "first", "last" };
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
        if (str_eq(a->name, str_z(aggregates[i])))
            query_error_hint(pl->err, "aggregates stand in `stats`: | stats %s(..) by service", aggregates[i]);
    return r;
}

static int check_args(struct planner *pl, const struct query_ast_expr *a, struct query_expr *x)
{
    str name = functions[x->fn].name;
    unsigned min = functions[x->fn].min, max = functions[x->fn].max;
    if (x->kid_count < min || x->kid_count > max) {
        int r = plan_fail(pl, a->pos, QUERY_E_BAD_ARGUMENT, "%.*s() cannot take %u argument%s", STR_ARG(name),
                          x->kid_count, x->kid_count == 1 ? "" : "s");
        if (min == max)
            query_error_hint(pl->err, "it takes %u", min);
        else
            query_error_hint(pl->err, "it takes %u to %u", min, max);
        return r;
    }
    const struct signature *sig = &signatures[x->fn];
    for (uint32_t i = 0; i < x->kid_count; i++) {
        const struct query_expr *k = x->kids[i];
        if (suits(k, sig->args[i < 3 ? i : 2 - (max > 3)]))
            continue;
        str type = k->type.list ? STR("list") : query_type_name(k->type.type);
        return plan_fail(pl, k->pos, QUERY_E_TYPE_MISMATCH, "%.*s() cannot take a %.*s here", STR_ARG(name),
                         STR_ARG(type));
    }
    return 0;
}

// match(s, "re"[, group]): the pattern is compiled now, so it must be written.
static int plan_match_call(struct planner *pl, const struct query_ast_expr *a, struct query_expr *x)
{
    const struct query_ast_expr *pattern = a->kids->next, *group = pattern->next;
    if (pattern->op != QUERY_X_STRING)
        return plan_fail(pl, pattern->pos, QUERY_E_BAD_ARGUMENT, "match() needs its pattern in quotes");
    int r = plan_regex(pl, pattern->value, &x->regex);
    if (r < 0 || !group)
        return r;
    const struct query_literal *lit = x->kids[2]->lit;
    if (group->op != QUERY_X_NUMBER || !(lit->readings & QR_INT) || lit->i < 0 ||
        lit->i > query_regex_group_count(x->regex))
        return plan_fail(pl, group->pos, QUERY_E_BAD_ARGUMENT, "the group is a number from 0 to %d",
                         query_regex_group_count(x->regex));
    x->type = type_of(QUERY_STRING);
    return 0;
}

static int plan_call(struct planner *pl, const struct query_ast_expr *a, struct query_expr *x)
{
    for (int i = 1; i < QUERY_FN_COUNT; i++)
        if (str_eq(functions[i].name, a->name))
            x->fn = (enum query_fn)i;
    if (x->fn == QUERY_FN_NONE)
        return unknown_function(pl, a);
    int r = check_args(pl, a, x);
    if (r < 0)
        return r;
    const struct signature *sig = &signatures[x->fn];
    x->type = (struct query_typeinfo){ sig->result, sig->result_list, NULL };
    if (sig->like_args) {
        x->type = x->kids[0]->type;
        for (uint32_t i = 1; i < x->kid_count && x->fn != QUERY_FN_FLOOR; i++)
            x->type = unify(x->type, x->kids[i]->type);
    }
    return x->fn == QUERY_FN_MATCH ? plan_match_call(pl, a, x) : 0;
}

// ---- the tree
static int plan_constant(struct planner *pl, const struct query_ast_expr *a, struct query_expr *x)
{
    struct query_literal *lit = arena_zalloc(pl->arena, sizeof *lit);
    if (!lit)
        return plan_nomem(pl);
    int r = plan_literal(pl, a->value, lit);
    if (r < 0)
        return r;
    x->lit = lit;
    if (a->op == QUERY_X_STRING) {
        x->type = type_of(QUERY_STRING);
        return 0;
    }
    if (lit->readings & QR_OVER)
        return plan_fail(pl, a->pos, QUERY_E_BAD_NUMBER, "`%.*s` is out of range",
                         STR_ARG(str_slice(lit->text, 0, 60)));
    x->type = type_of(lit->readings & QR_DURATION ? QUERY_DURATION : lit->readings & QR_INT ? QUERY_INT : QUERY_DOUBLE);
    if (lit->readings & QR_BIG)
        return plan_hint(pl, a->pos, "`%.*s` is beyond 64-bit integers and counts as a double",
                         STR_ARG(str_slice(lit->text, 0, 60)));
    return 0;
}

static int plan_expr_kids(struct planner *pl, const struct query_ast_expr *a, struct query_expr *x)
{
    uint32_t n = 0;
    for (const struct query_ast_expr *k = a->kids; k; k = k->next)
        n++;
    x->kids = arena_alloc_array(pl->arena, n, sizeof *x->kids);
    if (!x->kids)
        return plan_nomem(pl);
    for (const struct query_ast_expr *k = a->kids; k; k = k->next) {
        // The pattern of match() has its own escapes.
        bool pattern =
            a->op == QUERY_X_CALL && str_eq(a->name, STR("match")) && k == a->kids->next && k->op == QUERY_X_STRING;
        int r = 0;
        if (pattern) {
            x->kids[x->kid_count] = arena_zalloc(pl->arena, sizeof **x->kids);
            if (!x->kids[x->kid_count])
                return plan_nomem(pl);
            *x->kids[x->kid_count] =
                (struct query_expr){ .op = QUERY_X_STRING, .type = type_of(QUERY_STRING), .pos = k->pos };
        } else {
            r = plan_expr(pl, k, &x->kids[x->kid_count]);
        }
        if (r < 0)
            return r;
        x->kid_count++;
    }
    return 0;
}

int plan_expr(struct planner *pl, const struct query_ast_expr *a, struct query_expr **ret_x)
{
    struct query_expr *x = arena_zalloc(pl->arena, sizeof *x);
    if (!x)
        return plan_nomem(pl);
    x->op = a->op;
    x->pos = a->pos;
    x->truth = a->truth;
    int r = plan_expr_kids(pl, a, x);
    if (r < 0)
        return r;
    switch (a->op) {
    case QUERY_X_NUMBER:
    case QUERY_X_DURATION:
    case QUERY_X_STRING:
        r = plan_constant(pl, a, x);
        break;
    case QUERY_X_BOOL:
        x->type = type_of(QUERY_BOOL);
        break;
    case QUERY_X_FIELD:
        if ((r = plan_ref(pl, a->field, &x->ref)) >= 0)
            x->type = x->ref->type;
        break;
    case QUERY_X_CALL:
        r = plan_call(pl, a, x);
        break;
    default:
        r = type_operator(pl, x);
    }
    if (r < 0)
        return r;
    *ret_x = x;
    return 0;
}
