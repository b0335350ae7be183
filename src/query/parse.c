// query = source, [sets | filter], {"|", step}
#include "query/parse_internal.h"

#include "base/err.h"
#include "base/unicode.h"
#include "query/suggest.h"

static str const step_names[QUERY_STEP_COUNT] = {
    [QUERY_WHERE] = STR_INIT("where"),       [QUERY_LET] = STR_INIT("let"),
    [QUERY_SELECT] = STR_INIT("select"),     [QUERY_SORT] = STR_INIT("sort"),
    [QUERY_LIMIT] = STR_INIT("limit"),       [QUERY_TOP] = STR_INIT("top"),
    [QUERY_STATS] = STR_INIT("stats"),       [QUERY_BUCKET] = STR_INIT("bucket"),
    [QUERY_TRACES] = STR_INIT("traces"),     [QUERY_FILL] = STR_INIT("fill"),
    [QUERY_EXTRACT] = STR_INIT("extract"),   [QUERY_PARSE] = STR_INIT("parse"),
    [QUERY_PATTERNS] = STR_INIT("patterns"), [QUERY_FACETS] = STR_INIT("facets"),
    [QUERY_CONTEXT] = STR_INIT("context"),   [QUERY_DIFFER] = STR_INIT("differ"),
};

str query_step_name(enum query_step_kind k) { return step_names[k]; }

// What stands where a source should: habits from elsewhere get the right form.
static int unknown_source(struct parser *p, size_t from, size_t len)
{
    str word = str_slice(p->text, from, from + len);
    if (parse_char(p, from) == '{') {
        int r = parse_fail(p, QUERY_E_UNKNOWN_SOURCE, from, 1, "a query begins with its source, before the braces");
        query_error_hint(p->err, "name the kind of record first: spans {service=web}");
        query_error_suggest(p->err, STR("spans"));
        return r;
    }
    if (len == 0)
        return parse_expected(p, "a source (spans, logs, metrics, ... or *)");
    int r = parse_fail(p, QUERY_E_UNKNOWN_SOURCE, from, len, "`%.*s` is no kind of record", (int)(len < 60 ? len : 60),
                       word.ptr);
    if (str_ieq(word, STR("select"))) {
        query_error_hint(p->err, "the source comes first, then the steps: spans | select service, name");
        return r;
    }
    struct suggest s = { .word = word };
    for (int i = 0; i < QUERY_SOURCE_COUNT; i++)
        suggest_offer(&s, query_source_name((enum query_source)i));
    suggest_give(&s, p->err);
    if (s.count == 0) {
        query_error_hint(p->err, "a query begins with what it searches, for example: spans %.*s",
                         (int)(len < 40 ? len : 40), word.ptr);
        query_error_suggest(p->err, STR("spans"));
        query_error_suggest(p->err, STR("logs"));
        query_error_suggest(p->err, STR("*"));
    }
    return r;
}

static int parse_source(struct parser *p, struct query_ast *ast)
{
    parse_space(p);
    size_t from = p->at;
    if (parse_char(p, from) == '*') {
        ast->star = true;
        ast->sources = QS_ALL;
        ast->source_pos = parse_pos(from, ++p->at);
        char c = parse_char(p, p->at);
        if (c == ':' || c == '=') {
            int r = parse_fail(p, QUERY_E_SYNTAX, p->at, 1, "expected a space after the source `*`");
            query_error_hint(p->err, "`*` alone at the front is the source; to search everything write: * *:word");
            return r;
        }
        return 0;
    }
    size_t end = from;
    do {
        parse_space(p);
        str word = parse_peek_ident(p, p->at);
        size_t len = word.len;
        // A word that goes on is no kind: `spans.x`, `span-42`.
        size_t whole;
        int r = parse_word_len(p, p->at, &whole);
        if (r < 0)
            return r;
        int kind = whole == len && len ? query_source_find(word) : -1;
        if (kind < 0)
            return unknown_source(p, p->at, whole);
        ast->sources |= (uint16_t)(1 << kind);
        ast->kind_pos[kind] = parse_pos(p->at, p->at + len);
        end = p->at += len;
        parse_space(p);
    } while (parse_punct(p, ","));
    ast->source_pos = parse_pos(from, end);
    return 0;
}

// ---- sets of spans
static int parse_sets(struct parser *p, struct query_ast_set **ret_set);

static int parse_set_prim(struct parser *p, struct query_ast_set **ret_set)
{
    parse_space(p);
    size_t from = p->at;
    int r = parse_enter(p);
    if (r < 0)
        return r;
    if (parse_punct(p, "(")) {
        if ((r = parse_sets(p, ret_set)) < 0)
            return r;
        parse_space(p);
        if (!parse_punct(p, ")"))
            return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, from, 1, "the parenthesis is not closed")
                                   : parse_expected(p, "`)`");
        p->depth--;
        return 0;
    }
    if (!parse_punct(p, "{"))
        return parse_expected(p, "a set of spans in braces");
    struct query_ast_set *s = parse_node(p, sizeof *s);
    if (!s)
        return parse_nomem(p);
    parse_space(p);
    if (parse_char(p, p->at) != '}' && !parse_at_end(p) && (r = parse_filter(p, &s->filter)) < 0)
        return r;
    parse_space(p);
    if (!parse_punct(p, "}"))
        return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, from, 1, "the brace is not closed")
                               : parse_expected(p, "`}`");
    s->kind = QUERY_SET_FILTER;
    s->pos = parse_pos(from, p->at);
    *ret_set = s;
    p->depth--;
    return 0;
}

static int join_sets(struct parser *p, struct query_ast_set **left, struct query_ast_set *right,
                     struct query_ast_set shape)
{
    struct query_ast_set *s = parse_node(p, sizeof *s);
    if (!s)
        return parse_nomem(p);
    *s = shape;
    s->left = *left;
    s->right = right;
    s->pos = (struct query_pos){ s->left->pos.off, right->pos.off + right->pos.len - s->left->pos.off };
    *left = s;
    return 0;
}

static int parse_set_rel(struct parser *p, struct query_ast_set **ret_set)
{
    int r = parse_set_prim(p, ret_set);
    uint32_t entered = 0;
    while (r >= 0) {
        parse_space(p);
        size_t from = p->at;
        struct query_ast_set shape = { .kind = QUERY_SET_REL, .negate = parse_punct(p, "!") };
        if (parse_punct(p, ">>"))
            shape.rel = QUERY_REL_ANCESTOR;
        else if (parse_punct(p, "<<"))
            shape.rel = QUERY_REL_DESCENDANT;
        else if (parse_punct(p, ">"))
            shape.rel = QUERY_REL_PARENT;
        else if (parse_punct(p, "<"))
            shape.rel = QUERY_REL_CHILD;
        else if (parse_punct(p, "~"))
            shape.rel = QUERY_REL_SIBLING;
        else {
            p->at = from;
            break;
        }
        struct query_ast_set *right;
        if ((r = parse_enter(p)) < 0) // a chain leans to the left, one level an operator
            break;
        entered++;
        if ((r = parse_set_prim(p, &right)) >= 0)
            r = join_sets(p, ret_set, right, shape);
    }
    p->depth -= entered;
    return r;
}

static int parse_sets(struct parser *p, struct query_ast_set **ret_set)
{
    int r = parse_set_rel(p, ret_set);
    uint32_t entered = 0;
    while (r >= 0) {
        parse_space(p);
        if (!parse_punct(p, "&&"))
            break;
        struct query_ast_set *right;
        if ((r = parse_enter(p)) < 0)
            break;
        entered++;
        if ((r = parse_set_rel(p, &right)) >= 0)
            r = join_sets(p, ret_set, right, (struct query_ast_set){ .kind = QUERY_SET_AND });
    }
    p->depth -= entered;
    return r;
}

// Is the next thing a set, perhaps behind opening parentheses?
static bool sets_follow(const struct parser *p)
{
    size_t at = parse_space_from(p, p->at);
    while (parse_char(p, at) == '(')
        at = parse_space_from(p, at + 1);
    return parse_char(p, at) == '{';
}

// ---- the whole
static int parse_steps(struct parser *p, struct query_ast *ast)
{
    struct query_ast_step **tail = &ast->steps;
    for (;;) {
        parse_space(p);
        size_t bar = p->at;
        if (parse_char(p, bar + 1) == '|' || !parse_punct(p, "|"))
            return 0;
        if (++p->steps > QUERY_STEPS_MAX)
            return parse_fail(p, QUERY_E_TOO_MANY_STEPS, bar, 1, "more than %d steps", QUERY_STEPS_MAX);
        int r = parse_step(p, tail);
        if (r < 0)
            return r;
        ast->step_count++;
        tail = &(*tail)->next;
    }
}

static int left_over(struct parser *p, bool sets)
{
    char c = parse_char(p, p->at);
    if (c == ')' || c == '}')
        return parse_fail(p, QUERY_E_SYNTAX, p->at, 1, "`%c` closes nothing that is open", c);
    if (sets) {
        int r = parse_expected(p, "`|` or the end after the sets of spans");
        query_error_hint(p->err, "put further conditions inside the braces, or behind `| where`");
        return r;
    }
    return parse_expected(p, "`|` and a step, or the end");
}

int parse_query(struct parser *p, bool inner, struct query_ast **ret_ast)
{
    struct query_ast *ast = parse_node(p, sizeof *ast);
    if (!ast)
        return parse_nomem(p);
    ast->text = p->text;
    int r = parse_source(p, ast);
    if (r < 0)
        return r;
    parse_space(p);
    char c = parse_char(p, p->at);
    if (sets_follow(p))
        r = parse_sets(p, &ast->sets);
    else if (!parse_at_end(p) && !(c == '|' && parse_char(p, p->at + 1) != '|') && !(inner && c == '}'))
        r = parse_filter(p, &ast->filter);
    if (r < 0 || (r = parse_steps(p, ast)) < 0)
        return r;
    parse_space(p);
    if (!parse_at_end(p) && !(inner && parse_char(p, p->at) == '}'))
        return left_over(p, ast->sets != NULL);
    *ret_ast = ast;
    return 0;
}

int query_parse(struct arena *arena, str text, struct query_ast **ret_ast, struct query_error *err)
{
    struct parser p = { .arena = arena, .text = text, .err = err };
    if (text.len > QUERY_TEXT_MAX)
        return parse_fail(&p, QUERY_E_QUERY_TOO_LONG, QUERY_TEXT_MAX, 1, "the query is longer than %d bytes",
                          QUERY_TEXT_MAX);
    size_t valid = utf8_valid_prefix(text);
    if (valid != text.len)
        return parse_fail(&p, QUERY_E_SYNTAX, valid, 1, "the query is not valid UTF-8 here");
    struct query_ast *ast;
    int r = parse_query(&p, false, &ast);
    if (r < 0)
        return r;
    *ret_ast = ast;
    return 0;
}
