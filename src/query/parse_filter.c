// filter = conj {or conj}; conj = neg {[and] neg}; neg = {not} prim
#include "base/err.h"
#include "query/parse_internal.h"

static int new_filter(struct parser *p, enum query_ast_filter_kind kind, size_t from, struct query_ast_filter **ret_f)
{
    struct query_ast_filter *f = parse_node(p, sizeof *f);
    if (!f)
        return parse_nomem(p);
    f->kind = kind;
    f->pos.off = (uint32_t)from;
    *ret_f = f;
    return 0;
}

static void end_filter(const struct parser *p, struct query_ast_filter *f)
{
    f->pos.len = (uint32_t)(p->at - f->pos.off);
}

static int count_term(struct parser *p, size_t from)
{
    if (++p->terms > QUERY_TERMS_MAX)
        return parse_fail(p, QUERY_E_TOO_MANY_TERMS, from, 1, "more than %d terms", QUERY_TERMS_MAX);
    return 0;
}

// ---- habits from elsewhere
static bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// `-word`: other languages' not.
static int refuse_minus(struct parser *p, size_t from)
{
    size_t n;
    int r = parse_word_len(p, from, &n);
    if (r < 0)
        return r;
    str word = str_slice(p->text, from + 1, from + n);
    r = parse_fail(p, QUERY_E_SYNTAX, from, n, "`-` does not exclude here");
    query_error_hint(p->err, "write: not %.*s (or quote it to search for the text)",
                     (int)(word.len < 80 ? word.len : 80), word.ptr);
    char text[96] = "not ";
    if (word.len < sizeof text - 4) {
        memcpy(text + 4, word.ptr, word.len);
        query_error_suggest(p->err, str_of(text, 4 + word.len));
    }
    return r;
}

// `field like "x%"`: p->at stands at `like`.
static bool like_follows(const struct parser *p, size_t field_end)
{
    size_t at = parse_space_from(p, field_end);
    if (parse_is_keyword(p, at, "not"))
        at = parse_space_from(p, at + 3);
    size_t len = parse_is_keyword(p, at, "like") ? 4 : parse_is_keyword(p, at, "ilike") ? 5 : 0;
    if (!len || at == field_end)
        return false;
    char c = parse_char(p, parse_space_from(p, at + len));
    return c == '"' || c == '\'';
}

static int refuse_like(struct parser *p, size_t field_from, size_t field_end)
{
    size_t at = parse_space_from(p, field_end);
    size_t quote = at;
    while (parse_char(p, quote) != '"' && parse_char(p, quote) != '\'')
        quote++;
    char sign = parse_char(p, quote), text[96];
    size_t n = field_end - field_from, o = 0;
    ptrdiff_t close = str_find_char(p->text, sign, quote + 1);
    int r = parse_fail(p, QUERY_E_SYNTAX, at, 4, "there is no LIKE");
    query_error_hint(p->err, "`*` in a value stands for any text");
    if (close < 0 || n + (size_t)close - quote + 4 > sizeof text)
        return r;
    memcpy(text, p->text.ptr + field_from, n);
    o = n;
    text[o++] = '=';
    text[o++] = '"';
    for (size_t i = quote + 1; i < (size_t)close; i++)
        text[o++] = p->text.ptr[i] == '%' ? '*' : p->text.ptr[i];
    text[o++] = '"';
    query_error_suggest(p->err, str_of(text, o));
    return r;
}

// ---- comparisons
struct op {
    const char *text;
    enum query_ast_filter_kind kind;
    enum query_cmp cmp;
    bool negate;
};

// The operator at `at`, longest first; NULL when there is none.
static const struct op *find_op(const struct parser *p, size_t at)
{
    static const struct op ops[] = {
        { "=~", QUERY_AST_REGEX, QUERY_EQ, false },   { "!~", QUERY_AST_REGEX, QUERY_EQ, true },
        { "==", QUERY_AST_COMPARE, QUERY_EQ, false }, { "!=", QUERY_AST_COMPARE, QUERY_EQ, true },
        { "<=", QUERY_AST_COMPARE, QUERY_LE, false }, { ">=", QUERY_AST_COMPARE, QUERY_GE, false },
        { "=", QUERY_AST_COMPARE, QUERY_EQ, false },  { "<", QUERY_AST_COMPARE, QUERY_LT, false },
        { ">", QUERY_AST_COMPARE, QUERY_GT, false },  { ":", QUERY_AST_CONTAINS, QUERY_EQ, false },
    };
    str rest = str_slice(p->text, at, p->text.len);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_starts(rest, str_z(ops[i].text)))
            return ops[i].kind == QUERY_AST_CONTAINS && str_starts(rest, STR("://")) ? NULL : &ops[i];
    return NULL;
}

static int parse_list(struct parser *p, size_t open, struct query_ast_filter *f)
{
    f->list = true;
    struct query_ast_value **tail = &f->values;
    uint32_t count = 0;
    do {
        if (++count > QUERY_LIST_MAX)
            return parse_fail(p, QUERY_E_TOO_MANY_TERMS, p->at, 1, "more than %d values in one list", QUERY_LIST_MAX);
        int r = parse_value(p, "a value", tail);
        if (r < 0)
            return r;
        tail = &(*tail)->next;
        parse_space(p);
    } while (parse_punct(p, ","));
    if (parse_punct(p, ")"))
        return 0;
    return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed")
                           : parse_expected(p, "`,` or `)`");
}

static int parse_operand(struct parser *p, struct query_ast_filter *f)
{
    parse_space(p);
    size_t at = p->at;
    switch (f->kind) {
    case QUERY_AST_REGEX: {
        char c = parse_char(p, at);
        int r = parse_quoted(p, "a regular expression in quotes", &f->values);
        if (r == ERR_INVALID && c != '"' && c != '\'')
            query_error_hint(p->err, "write the pattern in quotes: name=~\"^GET \"");
        return r;
    }
    case QUERY_AST_CONTAINS: {
        size_t n;
        int r = parse_word_len(p, at, &n);
        if (r < 0)
            return r;
        if (n == 1 && p->text.ptr[at] == '*') {
            f->kind = QUERY_AST_PRESENT;
            p->at++;
            return 0;
        }
        return parse_value(p, "text to search for, or `*`", &f->values);
    }
    default:
        if (f->cmp == QUERY_EQ && parse_punct(p, "("))
            return parse_list(p, at, f);
        return parse_value(p, "a value", &f->values);
    }
}

static int parse_inner_query(struct parser *p, struct query_ast_filter *f)
{
    size_t open = p->at++; // the brace
    int r = parse_enter(p);
    if (r < 0 || (r = parse_query(p, true, &f->query)) < 0)
        return r;
    p->depth--;
    if (!parse_punct(p, "}"))
        return parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the brace is not closed");
    return 0;
}

// A comparison if one begins here: *ret_f stays NULL when it is only text.
static int try_compare(struct parser *p, struct query_ast_filter **ret_f)
{
    size_t from = p->at, end = parse_field_end(p, from, false);
    bool any = parse_char(p, from) == '*' && parse_char(p, from + 1) == ':';
    if (any)
        end = from + 1;
    if (!end)
        return 0;
    size_t at = parse_space_from(p, end);
    const struct op *op = find_op(p, at);
    bool in = !op && at > end && parse_is_keyword(p, at, "in") && parse_char(p, parse_space_from(p, at + 2)) == '{';
    if (!op && !in)
        return like_follows(p, end) ? refuse_like(p, from, end) : 0;
    struct query_ast_filter *f = NULL;
    int r = new_filter(p, in ? QUERY_AST_IN : op->kind, from, &f);
    if (r < 0 || (!any && (r = parse_field(p, false, &f->field)) < 0))
        return r;
    if (in) {
        f->op_pos = parse_pos(at, at + 2);
        p->at = parse_space_from(p, at + 2);
        r = parse_inner_query(p, f);
    } else {
        f->cmp = op->cmp;
        f->negate = op->negate;
        p->at = at + strlen(op->text);
        f->op_pos = parse_pos(at, p->at);
        r = parse_operand(p, f);
    }
    if (r < 0)
        return r;
    end_filter(p, f);
    *ret_f = f;
    return 0;
}

// event{..}, link{..}
static int parse_child(struct parser *p, bool event, struct query_ast_filter **ret_f)
{
    size_t from = p->at;
    p->at = parse_space_from(p, from + (event ? 5 : 4));
    size_t open = p->at++;
    struct query_ast_filter *f = NULL;
    int r = new_filter(p, event ? QUERY_AST_EVENT : QUERY_AST_LINK, from, &f);
    if (r < 0 || (r = parse_filter(p, &f->kids)) < 0)
        return r;
    parse_space(p);
    if (!parse_punct(p, "}"))
        return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the brace is not closed")
                               : parse_expected(p, "`}`");
    end_filter(p, f);
    *ret_f = f;
    return 0;
}

static bool child_follows(const struct parser *p, const char *word)
{
    str ident = parse_peek_ident(p, p->at);
    return str_eq(ident, str_z(word)) && parse_char(p, parse_space_from(p, p->at + ident.len)) == '{';
}

static int parse_group(struct parser *p, struct query_ast_filter **ret_f)
{
    size_t open = p->at++;
    int r = parse_filter(p, ret_f);
    if (r < 0)
        return r;
    parse_space(p);
    if (parse_punct(p, ")"))
        return 0;
    return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed")
                           : parse_expected(p, "`)`");
}

static int parse_prim(struct parser *p, struct query_ast_filter **ret_f)
{
    size_t from = p->at;
    char c = parse_char(p, from);
    if (c == '(')
        return parse_group(p, ret_f);
    int r = count_term(p, from);
    if (r < 0)
        return r;
    if (child_follows(p, "event"))
        return parse_child(p, true, ret_f);
    if (child_follows(p, "link"))
        return parse_child(p, false, ret_f);
    if (c == '{') {
        r = parse_fail(p, QUERY_E_SYNTAX, from, 1, "a set of spans stands alone, right behind the source");
        query_error_hint(p->err, "put the other conditions inside the braces: spans {service=web status=error} > {}");
        return r;
    }
    if (c == '-' && is_letter(parse_char(p, from + 1)))
        return refuse_minus(p, from);
    struct query_ast_filter *f = NULL;
    if (c != '"' && c != '\'') {
        if ((r = try_compare(p, &f)) < 0)
            return r;
        if (f) {
            *ret_f = f;
            return 0;
        }
    }
    if (c == '`') { // nothing but a field begins so
        size_t end = parse_field_end(p, from, false);
        if (!end)
            return parse_fail(p, QUERY_E_UNCLOSED, from, 1, "the back quote is not closed");
        p->at = end;
        return parse_expected(p, "an operator behind the field");
    }
    if ((r = new_filter(p, QUERY_AST_TEXT, from, &f)) < 0 || (r = parse_value(p, "a condition", &f->values)) < 0)
        return r;
    end_filter(p, f);
    *ret_f = f;
    return 0;
}

static int parse_neg(struct parser *p, struct query_ast_filter **ret_f)
{
    parse_space(p);
    size_t from = p->at;
    if (parse_is_keyword(p, from, "and") || parse_is_keyword(p, from, "or")) {
        int r = parse_expected(p, "a condition");
        query_error_hint(p->err, "to search for the word itself, put it in quotes");
        return r;
    }
    if (!parse_keyword(p, "not") && !parse_punct(p, "!"))
        return parse_prim(p, ret_f);
    struct query_ast_filter *f = NULL;
    int r = parse_enter(p);
    if (r < 0 || (r = new_filter(p, QUERY_AST_NOT, from, &f)) < 0 || (r = parse_neg(p, &f->kids)) < 0)
        return r;
    p->depth--;
    end_filter(p, f);
    *ret_f = f;
    return 0;
}

// What ends a row of terms: the end, a closing bracket, a step, `or`.
static bool at_conj_end(const struct parser *p)
{
    char c = parse_char(p, p->at);
    return parse_at_end(p) || c == '|' || c == ')' || c == '}' || c == ',' || parse_is_keyword(p, p->at, "or");
}

// One filter stays itself; several become one node.
static int wrap(struct parser *p, enum query_ast_filter_kind kind, size_t from, struct query_ast_filter *list,
                struct query_ast_filter **ret_f)
{
    if (!list->next) {
        *ret_f = list;
        return 0;
    }
    struct query_ast_filter *f = NULL;
    int r = new_filter(p, kind, from, &f);
    if (r < 0)
        return r;
    f->kids = list;
    end_filter(p, f);
    *ret_f = f;
    return 0;
}

static int parse_conj(struct parser *p, struct query_ast_filter **ret_f)
{
    parse_space(p);
    size_t from = p->at;
    struct query_ast_filter *list = NULL, **tail = &list;
    for (;;) {
        int r = parse_neg(p, tail);
        if (r < 0)
            return r;
        tail = &(*tail)->next;
        size_t end = p->at;
        parse_space(p);
        if (parse_keyword(p, "and") || parse_punct(p, "&&"))
            continue;
        if (!at_conj_end(p))
            continue;
        size_t stop = p->at;
        p->at = end;
        r = wrap(p, QUERY_AST_AND, from, list, ret_f);
        p->at = stop;
        return r;
    }
}

int parse_filter(struct parser *p, struct query_ast_filter **ret_f)
{
    int r = parse_enter(p);
    if (r < 0)
        return r;
    parse_space(p);
    size_t from = p->at;
    struct query_ast_filter *list = NULL, **tail = &list;
    do {
        if ((r = parse_conj(p, tail)) < 0)
            return r;
        tail = &(*tail)->next;
        parse_space(p);
    } while (parse_keyword(p, "or") || parse_punct(p, "||"));
    p->depth--;
    return wrap(p, QUERY_AST_OR, from, list, ret_f);
}
