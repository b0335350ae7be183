// The steps behind `|`, and aggregates.
#include "base/err.h"
#include "query/parse_internal.h"
#include "query/suggest.h"

// ---- aggregates
static str agg_name(const struct parser *p, size_t at)
{
    size_t n = parse_peek_ident(p, at).len;
    if (n == 0)
        return (str){ "", 0 };
    // p99.9
    while (parse_char(p, at + n) == '.' && parse_char(p, at + n + 1) >= '0' && parse_char(p, at + n + 1) <= '9') {
        n++;
        while (parse_char(p, at + n) >= '0' && parse_char(p, at + n) <= '9')
            n++;
    }
    return str_slice(p->text, at, at + n);
}

static int parse_args(struct parser *p, size_t open, struct query_ast_agg *a)
{
    struct query_ast_arg **tail = &a->args;
    parse_space(p);
    if (parse_char(p, p->at) == '*') {
        int r = parse_fail(p, QUERY_E_SYNTAX, p->at, 1, "`*` is no argument");
        query_error_hint(p->err, "rows are counted with count()");
        query_error_suggest(p->err, STR("count()"));
        return r;
    }
    while (parse_char(p, p->at) != ')') {
        struct query_ast_arg *arg = parse_node(p, sizeof *arg);
        if (!arg)
            return parse_nomem(p);
        char c = parse_char(p, p->at);
        int r = c == '-' || (c >= '0' && c <= '9') ? parse_value(p, "a number", &arg->number)
                                                   : parse_field(p, false, &arg->field);
        if (r < 0)
            return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed") : r;
        *tail = arg;
        tail = &arg->next;
        parse_space(p);
        if (!parse_punct(p, ","))
            break;
        parse_space(p);
        if (parse_char(p, p->at) == ')')
            return parse_expected(p, "a field or number");
    }
    if (parse_punct(p, ")"))
        return 0;
    return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed")
                           : parse_expected(p, "`,` or `)`");
}

static int parse_agg_if(struct parser *p, struct query_ast_agg *a)
{
    parse_space(p);
    size_t at = p->at;
    if (!parse_keyword(p, "if"))
        return 0;
    parse_space(p);
    size_t open = p->at;
    if (!parse_punct(p, "(")) {
        int r = parse_expected(p, "`(` after `if`");
        query_error_hint(p->err, "write the condition in parentheses: count() if (status=error)");
        return r;
    }
    int r = parse_filter(p, &a->filter);
    if (r < 0)
        return r;
    parse_space(p);
    if (!parse_punct(p, ")"))
        return parse_at_end(p) ? parse_fail(p, QUERY_E_UNCLOSED, open, 1, "the parenthesis is not closed")
                               : parse_expected(p, "`)`");
    a->pos = parse_pos(a->pos.off, p->at);
    (void)at;
    return 0;
}

static int parse_as(struct parser *p, str *ret_name, struct query_pos *ret_pos)
{
    parse_space(p);
    return parse_keyword(p, "as") ? parse_name(p, false, ret_name, ret_pos) : 0;
}

static int parse_agg(struct parser *p, struct query_ast_agg **ret_a)
{
    parse_space(p);
    size_t from = p->at;
    str name = agg_name(p, from);
    if (name.len == 0)
        return parse_expected(p, "an aggregate like count() or p99(duration)");
    p->at += name.len;
    size_t open = p->at;
    if (!parse_punct(p, "(")) {
        int r =
            parse_fail(p, QUERY_E_SYNTAX, from, name.len, "expected an aggregate, which is written with parentheses");
        query_error_hint(p->err, "write count(), p99(duration), uniq(user), ...");
        char text[96];
        if (name.len + 2 < sizeof text) {
            memcpy(text, name.ptr, name.len);
            memcpy(text + name.len, "()", 2);
            query_error_suggest(p->err, str_of(text, name.len + 2));
        }
        return r;
    }
    struct query_ast_agg *a = parse_node(p, sizeof *a);
    if (!a)
        return parse_nomem(p);
    a->name = name;
    a->name_pos = parse_pos(from, from + name.len);
    int r = parse_args(p, open, a);
    if (r < 0)
        return r;
    a->pos = parse_pos(from, p->at);
    if ((r = parse_agg_if(p, a)) < 0 || (r = parse_as(p, &a->as, &a->as_pos)) < 0)
        return r;
    *ret_a = a;
    return 0;
}

static int parse_by(struct parser *p, struct query_ast_field **ret_list)
{
    parse_space(p);
    return parse_keyword(p, "by") ? parse_fields(p, ret_list) : 0;
}

// ---- one function a step
static int step_where(struct parser *p, struct query_ast_step *s) { return parse_filter(p, &s->filter); }

// item {"," item}
static int parse_items(struct parser *p, struct query_ast_step *s,
                       int (*item)(struct parser *, struct query_ast_item *))
{
    struct query_ast_item **tail = &s->items;
    do {
        struct query_ast_item *i = parse_node(p, sizeof *i);
        if (!i)
            return parse_nomem(p);
        parse_space(p);
        size_t from = p->at;
        int r = item(p, i);
        if (r < 0)
            return r;
        i->pos = parse_pos(from, p->at);
        *tail = i;
        tail = &i->next;
        parse_space(p);
    } while (parse_punct(p, ","));
    return 0;
}

static int let_item(struct parser *p, struct query_ast_item *i)
{
    int r = parse_name(p, true, &i->name, &i->name_pos);
    if (r < 0)
        return r;
    parse_space(p);
    if (parse_char(p, p->at + 1) == '=' || !parse_punct(p, "="))
        return parse_expected(p, "`=` and an expression");
    return parse_expr(p, &i->expr);
}

static int select_item(struct parser *p, struct query_ast_item *i)
{
    int r = parse_field(p, false, &i->field);
    if (r < 0)
        return r;
    parse_space(p);
    if (parse_is_keyword(p, p->at, "from")) {
        r = parse_expected(p, "`,` or the next step");
        query_error_hint(p->err, "the source stands at the front: spans | select name, duration");
        return r;
    }
    return parse_as(p, &i->name, &i->name_pos);
}

static int sort_item(struct parser *p, struct query_ast_item *i)
{
    int r = parse_field(p, false, &i->field);
    if (r < 0)
        return r;
    parse_space(p);
    i->desc = parse_keyword(p, "desc");
    if (!i->desc)
        parse_keyword(p, "asc");
    return 0;
}

static int step_let(struct parser *p, struct query_ast_step *s) { return parse_items(p, s, let_item); }
static int step_sort(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    if (parse_is_keyword(p, p->at, "by")) {
        int r = parse_expected(p, "a field name");
        query_error_hint(p->err, "`sort` takes the fields at once: sort duration desc");
        return r;
    }
    return parse_items(p, s, sort_item);
}

static int step_select(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    if (parse_punct(p, "*")) {
        s->star = true;
        return 0;
    }
    return parse_items(p, s, select_item);
}

static int step_limit(struct parser *p, struct query_ast_step *s)
{
    int r = parse_digits(p, "a number of rows", &s->n, &s->n_pos);
    s->has_n = true;
    return r < 0 ? r : parse_by(p, &s->fields);
}

static int step_top(struct parser *p, struct query_ast_step *s)
{
    int r = parse_digits(p, "a number of rows", &s->n, &s->n_pos);
    s->has_n = true;
    if (r < 0 || (r = parse_fields(p, &s->fields)) < 0)
        return r;
    parse_space(p);
    return parse_keyword(p, "by") ? parse_agg(p, &s->aggs) : 0;
}

static int step_stats(struct parser *p, struct query_ast_step *s)
{
    struct query_ast_agg **tail = &s->aggs;
    do {
        int r = parse_agg(p, tail);
        if (r < 0)
            return r;
        tail = &(*tail)->next;
        parse_space(p);
    } while (parse_punct(p, ","));
    return parse_by(p, &s->fields);
}

static int step_bucket(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    int r;
    if (parse_keyword(p, "auto"))
        s->is_auto = true;
    else if ((r = parse_value(p, "a width like 1m, a number, or `auto`", &s->value)) < 0)
        return r;
    parse_space(p);
    if (parse_keyword(p, "of") && (r = parse_field(p, false, &s->fields)) < 0)
        return r;
    parse_space(p);
    if (parse_keyword(p, "tz")) {
        parse_space(p);
        if ((r = parse_quoted(p, "a time zone in quotes like \"Europe/Berlin\"", &s->tz)) < 0)
            return r;
    }
    return parse_as(p, &s->as, &s->as_pos);
}

static int step_traces(struct parser *p, struct query_ast_step *s) { return 0; }

static bool at_step_end(struct parser *p)
{
    parse_space(p);
    char c = parse_char(p, p->at);
    return parse_at_end(p) || c == '|' || c == '}';
}

static int step_fill(struct parser *p, struct query_ast_step *s)
{
    return at_step_end(p) ? 0 : parse_value(p, "a value", &s->value);
}

static int parse_from(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    return parse_keyword(p, "from") ? parse_field(p, false, &s->fields) : 0;
}

static int step_extract(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    s->is_regex = parse_punct(p, "~");
    parse_space(p);
    int r = parse_quoted(p, "a pattern in quotes", &s->value);
    return r < 0 ? r : parse_from(p, s);
}

static int step_parse(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    s->is_logfmt = parse_keyword(p, "logfmt");
    if (!s->is_logfmt && !parse_keyword(p, "json"))
        return parse_expected(p, "`json` or `logfmt`");
    return parse_from(p, s);
}

static int step_facets(struct parser *p, struct query_ast_step *s)
{
    parse_space(p);
    char c = parse_char(p, p->at);
    if (c >= '0' && c <= '9') {
        int r = parse_digits(p, "a number of values", &s->n, &s->n_pos);
        if (r < 0)
            return r;
        s->has_n = true;
    }
    return at_step_end(p) ? 0 : parse_fields(p, &s->fields);
}

static int step_context(struct parser *p, struct query_ast_step *s)
{
    int r = parse_digits(p, "a number of lines", &s->n, &s->n_pos);
    s->has_n = true;
    return r < 0 ? r : parse_by(p, &s->fields);
}

static int unknown_step(struct parser *p, size_t from, str word)
{
    if (word.len == 0)
        return parse_expected(p, "a step like where, stats, sort or limit");
    static const char *const later[] = { "join", "union", "series" };
    for (size_t i = 0; i < 3; i++)
        if (str_eq(word, str_z(later[i]))) {
            int r = parse_fail(p, QUERY_E_NOT_YET, from, word.len, "the step `%s` is not built yet", later[i]);
            query_error_hint(p->err, "`trace in {..}` and `span in {..}` do most of what others need a join for");
            return r;
        }
    int r = parse_fail(p, QUERY_E_UNKNOWN_STEP, from, word.len, "there is no step `%.*s`",
                       (int)(word.len < 60 ? word.len : 60), word.ptr);
    struct suggest s = { .word = word };
    for (int i = 0; i < QUERY_STEP_COUNT; i++)
        suggest_offer(&s, query_step_name((enum query_step_kind)i));
    // What the same thing is called elsewhere.
    static const struct {
        const char *elsewhere, *here;
    } habits[] = { { "filter", "where" },    { "search", "where" }, { "eval", "let" },         { "extend", "let" },
                   { "summarize", "stats" }, { "group", "stats" },  { "count", "stats" },      { "project", "select" },
                   { "fields", "select" },   { "table", "select" }, { "order", "sort" },       { "head", "limit" },
                   { "take", "limit" },      { "bin", "bucket" },   { "timechart", "bucket" }, { "rex", "extract" },
                   { "by", "stats" },        { "uniq", "stats" },   { "rate", "stats" } };
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (str_ieq(word, str_z(habits[i].elsewhere)))
            query_error_suggest(p->err, str_z(habits[i].here));
    suggest_give(&s, p->err);
    return r;
}

int parse_step(struct parser *p, struct query_ast_step **ret_s)
{
    static int (*const steps[QUERY_STEP_COUNT])(struct parser *, struct query_ast_step *) = {
        [QUERY_WHERE] = step_where,     [QUERY_LET] = step_let,         [QUERY_SELECT] = step_select,
        [QUERY_SORT] = step_sort,       [QUERY_LIMIT] = step_limit,     [QUERY_TOP] = step_top,
        [QUERY_STATS] = step_stats,     [QUERY_BUCKET] = step_bucket,   [QUERY_TRACES] = step_traces,
        [QUERY_FILL] = step_fill,       [QUERY_EXTRACT] = step_extract, [QUERY_PARSE] = step_parse,
        [QUERY_PATTERNS] = step_traces, [QUERY_FACETS] = step_facets,   [QUERY_CONTEXT] = step_context,
        [QUERY_DIFFER] = step_where,
    };
    parse_space(p);
    size_t from = p->at;
    str word = parse_peek_ident(p, from);
    int kind = 0;
    while (kind < QUERY_STEP_COUNT && !str_eq(word, query_step_name((enum query_step_kind)kind)))
        kind++;
    if (kind == QUERY_STEP_COUNT || !parse_is_keyword(p, from, query_step_name((enum query_step_kind)kind).ptr))
        if (!(kind == QUERY_EXTRACT && parse_char(p, from + word.len) == '~'))
            return unknown_step(p, from, word);
    struct query_ast_step *s = parse_node(p, sizeof *s);
    if (!s)
        return parse_nomem(p);
    s->kind = (enum query_step_kind)kind;
    s->name_pos = parse_pos(from, from + word.len);
    p->at += word.len;
    int r = steps[kind](p, s);
    if (r < 0)
        return r;
    s->pos = parse_pos(from, p->at);
    *ret_s = s;
    return 0;
}
