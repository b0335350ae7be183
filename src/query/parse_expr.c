// The expressions of `let`: one function a level of precedence, x1 to x7 of the grammar.
#include "base/err.h"
#include "query/literal.h"
#include "query/parse_internal.h"

// Here a keyword ends where a name ends: `not%a` is no field called not.
static bool keyword_here(const struct parser *p, const char *word)
{
    size_t end = parse_field_end(p, p->at, true);
    return end && str_ieq(str_slice(p->text, p->at, end), str_z(word));
}

static bool take_keyword(struct parser *p, const char *word)
{
    if (!keyword_here(p, word))
        return false;
    p->at += strlen(word);
    return true;
}

static int new_expr(struct parser *p, enum query_expr_op op, size_t from, struct query_ast_expr **ret_x)
{
    struct query_ast_expr *x = parse_node(p, sizeof *x);
    if (!x)
        return parse_nomem(p);
    x->op = op;
    x->pos = parse_pos(from, p->at);
    *ret_x = x;
    return 0;
}

// Puts op above *x and right.
static int join(struct parser *p, enum query_expr_op op, struct query_ast_expr **x, struct query_ast_expr *right)
{
    struct query_ast_expr *left = *x;
    int r = new_expr(p, op, left->pos.off, x);
    if (r < 0)
        return r;
    (*x)->kids = left;
    left->next = right;
    return 0;
}

// A number and what touches it, so that `1m30s` and `1e-5` are one thing and `12x` is an error.
static int parse_number(struct parser *p, struct query_ast_expr **ret_x)
{
    size_t from = p->at, i = from;
    bool plain = true; // no letter yet: an exponent's sign may follow
    for (; i < p->text.len; i++) {
        unsigned char c = (unsigned char)p->text.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if ((c == 'e' || c == 'E') && plain && (parse_char(p, i + 1) == '-' || parse_char(p, i + 1) == '+') &&
            parse_char(p, i + 2) >= '0' && parse_char(p, i + 2) <= '9')
            i++;
        else if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c < 0x80)
            break;
        plain = plain && !letter;
    }
    str s = str_slice(p->text, from, i);
    p->at = i;
    int64_t ignored, days;
    double d;
    uint32_t readings;
    bool over = false;
    enum query_expr_op op = QUERY_X_NUMBER;
    if (!query_number_read(s, &ignored, &d, &readings)) {
        op = QUERY_X_DURATION;
        if (!query_duration_read(s, &ignored, &over) && !query_size_read(s, &ignored, &over)) {
            int r = parse_fail(p, QUERY_E_BAD_NUMBER, from, i - from, "`%.*s` is no number",
                               (int)(s.len < 40 ? s.len : 40), s.ptr);
            query_error_hint(
                p->err,
                "units are ns us ms s m h d w and kb mb gb tb kib mib gib tib; a name cannot begin with a digit");
            return r;
        }
    }
    // 2026-01-01 would be a subtraction.
    if (s.len == 4 && parse_char(p, i) == '-' && query_time_read(str_slice(p->text, from, from + 10), 0, NULL, &days)) {
        int r = parse_fail(p, QUERY_E_BAD_ARGUMENT, from, 10, "a time cannot be written in `let`");
        query_error_hint(p->err, "compare times in a filter: | where time>=%.*s", 10, p->text.ptr + from);
        return r;
    }
    struct query_ast_value *v = parse_node(p, sizeof *v);
    int r = v ? new_expr(p, op, from, ret_x) : parse_nomem(p);
    if (r < 0)
        return r;
    v->form = QUERY_WORD;
    v->raw = s;
    v->pos = parse_pos(from, i);
    (*ret_x)->value = v;
    return 0;
}

static int parse_call(struct parser *p, size_t from, str name, struct query_ast_expr **ret_x)
{
    size_t open = p->at;
    p->at++;
    struct query_ast_expr *kids = NULL, **tail = &kids;
    int r;
    parse_space(p);
    if (parse_char(p, p->at) != ')') {
        do {
            if ((r = parse_expr(p, tail)) < 0)
                return r;
            tail = &(*tail)->next;
            parse_space(p);
        } while (parse_punct(p, ","));
    }
    if (!parse_punct(p, ")"))
        return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed")
                               : parse_expected(p, "`,` or `)`");
    if ((r = new_expr(p, QUERY_X_CALL, from, ret_x)) < 0)
        return r;
    (*ret_x)->name = name;
    (*ret_x)->kids = kids;
    return 0;
}

static int parse_paren(struct parser *p, struct query_ast_expr **ret_x)
{
    size_t open = p->at++;
    int r = parse_expr(p, ret_x);
    if (r < 0)
        return r;
    parse_space(p);
    if (parse_punct(p, ")"))
        return 0;
    return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed")
                           : parse_expected(p, "`)`");
}

static int parse_x7(struct parser *p, struct query_ast_expr **ret_x)
{
    parse_space(p);
    size_t from = p->at;
    char c = parse_char(p, from);
    int r;
    if (c == '-') {
        p->at++;
        parse_space(p);
        if (parse_char(p, p->at) == '-')
            return parse_expected(p, "a value after the sign");
        struct query_ast_expr *kid;
        if ((r = parse_x7(p, &kid)) < 0 || (r = new_expr(p, QUERY_X_NEG, from, ret_x)) < 0)
            return r;
        (*ret_x)->kids = kid;
        return 0;
    }
    if (c >= '0' && c <= '9')
        return parse_number(p, ret_x);
    if (c == '(')
        return parse_paren(p, ret_x);
    if (c == '"' || c == '\'') {
        struct query_ast_value *v;
        if ((r = parse_quoted(p, "a text", &v)) < 0 || (r = new_expr(p, QUERY_X_STRING, from, ret_x)) < 0)
            return r;
        (*ret_x)->value = v;
        return 0;
    }
    size_t end = parse_field_end(p, from, true);
    if (!end || keyword_here(p, "not") || keyword_here(p, "and") || keyword_here(p, "or"))
        return parse_expected(p, "a field, number, text or function");
    str word = str_slice(p->text, from, end);
    str ident = parse_peek_ident(p, from);
    if (ident.len == end - from && parse_char(p, end) == '(') {
        p->at = end;
        return parse_call(p, from, word, ret_x);
    }
    if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
        p->at = end;
        if ((r = new_expr(p, QUERY_X_BOOL, from, ret_x)) < 0)
            return r;
        (*ret_x)->truth = word.len == 4;
        return 0;
    }
    struct query_ast_field *f;
    if ((r = parse_field(p, true, &f)) < 0 || (r = new_expr(p, QUERY_X_FIELD, from, ret_x)) < 0)
        return r;
    (*ret_x)->field = f;
    return 0;
}

// Chains lean to the left and count as nesting: whoever walks the tree recurses as deep.
static int parse_x6(struct parser *p, struct query_ast_expr **ret_x)
{
    int r = parse_x7(p, ret_x);
    uint32_t entered = 0;
    while (r >= 0) {
        parse_space(p);
        enum query_expr_op op;
        if (parse_punct(p, "*"))
            op = QUERY_X_MUL;
        else if (parse_punct(p, "/"))
            op = QUERY_X_DIV;
        else if (parse_punct(p, "%"))
            op = QUERY_X_MOD;
        else
            break;
        struct query_ast_expr *right;
        if ((r = parse_enter(p)) < 0)
            break;
        entered++;
        if ((r = parse_x7(p, &right)) >= 0)
            r = join(p, op, ret_x, right);
    }
    p->depth -= entered;
    return r;
}

static int parse_x5(struct parser *p, struct query_ast_expr **ret_x)
{
    int r = parse_x6(p, ret_x);
    uint32_t entered = 0;
    while (r >= 0) {
        parse_space(p);
        enum query_expr_op op;
        if (parse_punct(p, "+"))
            op = QUERY_X_ADD;
        else if (parse_punct(p, "-"))
            op = QUERY_X_SUB;
        else
            break;
        struct query_ast_expr *right;
        if ((r = parse_enter(p)) < 0)
            break;
        entered++;
        if ((r = parse_x6(p, &right)) >= 0)
            r = join(p, op, ret_x, right);
    }
    p->depth -= entered;
    return r;
}

static bool take_comparison(struct parser *p, enum query_expr_op *ret_op)
{
    static const struct {
        const char *text;
        enum query_expr_op op;
    } ops[] = { { "==", QUERY_X_EQ }, { "!=", QUERY_X_NE }, { "<=", QUERY_X_LE }, { ">=", QUERY_X_GE },
                { "=", QUERY_X_EQ },  { "<", QUERY_X_LT },  { ">", QUERY_X_GT } };
    if (parse_char(p, p->at) == '=' && parse_char(p, p->at + 1) == '~')
        return false;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (parse_punct(p, ops[i].text)) {
            *ret_op = ops[i].op;
            return true;
        }
    return false;
}

static int parse_x4(struct parser *p, struct query_ast_expr **ret_x)
{
    int r = parse_x5(p, ret_x);
    if (r < 0)
        return r;
    parse_space(p);
    size_t at = p->at;
    if (parse_char(p, at) == '=' && parse_char(p, at + 1) == '~') {
        r = parse_fail(p, QUERY_E_SYNTAX, at, 2, "`let` has no `=~`");
        query_error_hint(p->err, "use match(field, \"pattern\")");
        return r;
    }
    enum query_expr_op op;
    if (!take_comparison(p, &op))
        return 0;
    struct query_ast_expr *right;
    if ((r = parse_x5(p, &right)) < 0)
        return r;
    return join(p, op, ret_x, right);
}

static int parse_x3(struct parser *p, struct query_ast_expr **ret_x)
{
    parse_space(p);
    size_t from = p->at;
    if (!take_keyword(p, "not") && !parse_punct(p, "!"))
        return parse_x4(p, ret_x);
    struct query_ast_expr *kid;
    int r = parse_enter(p);
    if (r < 0 || (r = parse_x3(p, &kid)) < 0 || (r = new_expr(p, QUERY_X_NOT, from, ret_x)) < 0)
        return r;
    p->depth--;
    (*ret_x)->kids = kid;
    return 0;
}

// x {sep x} as one flat node.
static int parse_flat(struct parser *p, bool is_or, struct query_ast_expr **ret_x)
{
    parse_space(p);
    size_t from = p->at, end;
    struct query_ast_expr *list = NULL, **tail = &list;
    do {
        int r = is_or ? parse_flat(p, false, tail) : parse_x3(p, tail);
        if (r < 0)
            return r;
        tail = &(*tail)->next;
        end = p->at;
        parse_space(p);
    } while (is_or ? take_keyword(p, "or") || parse_punct(p, "||") : take_keyword(p, "and") || parse_punct(p, "&&"));
    if (!list->next) {
        *ret_x = list;
        return 0;
    }
    int r = new_expr(p, is_or ? QUERY_X_OR : QUERY_X_AND, from, ret_x);
    if (r < 0)
        return r;
    (*ret_x)->pos = parse_pos(from, end);
    (*ret_x)->kids = list;
    return 0;
}

int parse_expr(struct parser *p, struct query_ast_expr **ret_x)
{
    int r = parse_enter(p);
    if (r < 0 || (r = parse_flat(p, true, ret_x)) < 0)
        return r;
    parse_space(p);
    if (parse_punct(p, "?")) {
        struct query_ast_expr *cond = *ret_x, *yes, *no;
        if ((r = parse_expr(p, &yes)) < 0)
            return r;
        parse_space(p);
        if (!parse_punct(p, ":"))
            return parse_expected(p, "`:` and the other value");
        if ((r = parse_expr(p, &no)) < 0 || (r = join(p, QUERY_X_COND, ret_x, yes)) < 0)
            return r;
        yes->next = no;
        (*ret_x)->pos = parse_pos(cond->pos.off, p->at);
    }
    p->depth--;
    return 0;
}
