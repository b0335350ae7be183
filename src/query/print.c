// A tree back into text. Brackets are printed only where precedence needs them, `and` only where two
// terms side by side would read as something else.
#include "base/buf.h"
#include "query/parse_internal.h"

struct printer {
    struct buf *out;
    uint16_t rename; // kinds whose alias groups decide the printed name; 0: names as written
};

static void put(struct printer *w, const char *z) { buf_str(w->out, str_z(z)); }

static void put_name(struct printer *w, str name)
{
    bool plain = parse_plain_name(name, true);
    if (!plain)
        put(w, "`");
    buf_str(w->out, name);
    if (!plain)
        put(w, "`");
}

// The group's first name when the field is a name of the same group for every kind.
static bool put_renamed(struct printer *w, const struct query_ast_field *f)
{
    char joined[64];
    size_t n = 0;
    for (const struct query_ast_seg *s = f->segs; s; s = s->next) {
        if (s->is_index || s->quoted || n + s->name.len + 1 >= sizeof joined)
            return false;
        if (n)
            joined[n++] = '.';
        memcpy(joined + n, s->name.ptr, s->name.len);
        n += s->name.len;
    }
    int group = -1;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        if (!(w->rename >> s & 1))
            continue;
        int g = query_alias_find((enum query_source)s, str_of(joined, n));
        if (g < 0 || (group >= 0 && g != group))
            return false;
        group = g;
    }
    if (group < 0)
        return false;
    buf_str(w->out, query_alias_get((uint32_t)group)->name);
    return true;
}

static void put_field(struct printer *w, const struct query_ast_field *f)
{
    if (w->rename && put_renamed(w, f))
        return;
    for (const struct query_ast_seg *s = f->segs; s; s = s->next) {
        if (s->is_index) {
            buf_printf(w->out, "[%u]", s->index);
            continue;
        }
        if (s != f->segs)
            put(w, ".");
        if (s->quoted)
            put(w, "`");
        buf_str(w->out, s->name);
        if (s->quoted)
            put(w, "`");
    }
}

static void put_fields(struct printer *w, const struct query_ast_field *f)
{
    for (; f; f = f->next) {
        put_field(w, f);
        if (f->next)
            put(w, ", ");
    }
}

static void put_value(struct printer *w, const struct query_ast_value *v)
{
    const char *quote = v->form == QUERY_WORD ? "" : v->form == QUERY_DQUOTED ? "\"" : "'";
    put(w, quote);
    buf_str(w->out, v->raw);
    put(w, quote);
}

// ---- filters
static void put_query(struct printer *w, const struct query_ast *ast);
static void put_filter(struct printer *w, const struct query_ast_filter *f);

static void put_operator(struct printer *w, const struct query_ast_filter *f)
{
    static const char *const cmps[] = {
        [QUERY_EQ] = "=", [QUERY_LT] = "<", [QUERY_LE] = "<=", [QUERY_GT] = ">", [QUERY_GE] = ">="
    };
    if (f->kind == QUERY_AST_REGEX)
        put(w, f->negate ? "!~" : "=~");
    else if (f->kind == QUERY_AST_CONTAINS)
        put(w, ":");
    else
        put(w, f->negate ? "!=" : cmps[f->cmp]);
    // A bare value that would make the operator a longer one stands apart.
    if (f->list || f->values->form != QUERY_WORD)
        return;
    char c = f->values->raw.ptr[0];
    if (c == '=' || c == '~' || (c == '/' && f->kind == QUERY_AST_CONTAINS))
        put(w, " ");
}

static void put_leaf(struct printer *w, const struct query_ast_filter *f)
{
    if (f->kind == QUERY_AST_TEXT) {
        put_value(w, f->values);
        return;
    }
    if (f->field)
        put_field(w, f->field);
    else
        put(w, "*");
    if (f->kind == QUERY_AST_PRESENT) {
        put(w, ":*");
        return;
    }
    if (f->kind == QUERY_AST_IN) {
        put(w, " in {");
        put_query(w, f->query);
        put(w, "}");
        return;
    }
    put_operator(w, f);
    if (f->list)
        put(w, "(");
    for (const struct query_ast_value *v = f->values; v; v = v->next) {
        put_value(w, v);
        if (v->next)
            put(w, ", ");
    }
    if (f->list)
        put(w, ")");
}

static void put_grouped(struct printer *w, const struct query_ast_filter *f, bool group)
{
    if (group)
        put(w, "(");
    put_filter(w, f);
    if (group)
        put(w, ")");
}

// Would the text, standing right behind another term, be read as that term's operator?
static bool needs_and(const struct query_ast_filter *f)
{
    while (f->kind == QUERY_AST_NOT) // `a not like "x"` is SQL, too
        f = f->kids;
    if (f->kind != QUERY_AST_TEXT || f->values->form != QUERY_WORD)
        return false;
    str raw = f->values->raw;
    return memchr("=!<>:&", raw.ptr[0], 6) || str_ieq(raw, STR("like")) || str_ieq(raw, STR("ilike"));
}

static void put_filter(struct printer *w, const struct query_ast_filter *f)
{
    switch (f->kind) {
    case QUERY_AST_AND:
        for (const struct query_ast_filter *k = f->kids; k; k = k->next) {
            if (k != f->kids)
                put(w, needs_and(k) ? " and " : " ");
            put_grouped(w, k, k->kind == QUERY_AST_AND || k->kind == QUERY_AST_OR);
        }
        break;
    case QUERY_AST_OR:
        for (const struct query_ast_filter *k = f->kids; k; k = k->next) {
            if (k != f->kids)
                put(w, " or ");
            put_grouped(w, k, k->kind == QUERY_AST_OR);
        }
        break;
    case QUERY_AST_NOT:
        put(w, "not ");
        put_grouped(w, f->kids, f->kids->kind == QUERY_AST_AND || f->kids->kind == QUERY_AST_OR);
        break;
    case QUERY_AST_EVENT:
    case QUERY_AST_LINK:
        put(w, f->kind == QUERY_AST_EVENT ? "event{" : "link{");
        put_filter(&(struct printer){ .out = w->out }, f->kids); // attributes of events have no other names
        put(w, "}");
        break;
    default:
        put_leaf(w, f);
    }
}

// ---- sets
static void put_set(struct printer *w, const struct query_ast_set *s, bool group)
{
    static const char *const rels[] = { [QUERY_REL_PARENT] = ">",
                                        [QUERY_REL_ANCESTOR] = ">>",
                                        [QUERY_REL_CHILD] = "<",
                                        [QUERY_REL_DESCENDANT] = "<<",
                                        [QUERY_REL_SIBLING] = "~" };
    if (s->kind == QUERY_SET_FILTER) {
        put(w, "{");
        if (s->filter)
            put_filter(w, s->filter);
        put(w, "}");
        return;
    }
    if (group)
        put(w, "(");
    bool is_and = s->kind == QUERY_SET_AND;
    put_set(w, s->left, !is_and && s->left->kind == QUERY_SET_AND);
    put(w, is_and ? " && " : s->negate ? " !" : " ");
    if (!is_and) {
        put(w, rels[s->rel]);
        put(w, " ");
    }
    put_set(w, s->right, is_and ? s->right->kind == QUERY_SET_AND : true);
    if (group)
        put(w, ")");
}

// ---- expressions
static int precedence(const struct query_ast_expr *x)
{
    switch (x->op) {
    case QUERY_X_COND:
        return 0;
    case QUERY_X_OR:
        return 1;
    case QUERY_X_AND:
        return 2;
    case QUERY_X_NOT:
        return 3;
    case QUERY_X_EQ:
    case QUERY_X_NE:
    case QUERY_X_LT:
    case QUERY_X_LE:
    case QUERY_X_GT:
    case QUERY_X_GE:
        return 4;
    case QUERY_X_ADD:
    case QUERY_X_SUB:
        return 5;
    case QUERY_X_MUL:
    case QUERY_X_DIV:
    case QUERY_X_MOD:
        return 6;
    case QUERY_X_NEG:
        return 7;
    default:
        return 8;
    }
}

static void put_expr(struct printer *w, const struct query_ast_expr *x, int least);

static void put_joined(struct printer *w, const struct query_ast_expr *kids, const char *between, int least)
{
    for (const struct query_ast_expr *k = kids; k; k = k->next) {
        if (k != kids)
            put(w, between);
        put_expr(w, k, least);
    }
}

static void put_atom(struct printer *w, const struct query_ast_expr *x)
{
    switch (x->op) {
    case QUERY_X_BOOL:
        put(w, x->truth ? "true" : "false");
        break;
    case QUERY_X_FIELD:
        put_field(w, x->field);
        break;
    case QUERY_X_CALL:
        buf_str(w->out, x->name);
        put(w, "(");
        put_joined(w, x->kids, ", ", 0);
        put(w, ")");
        break;
    default:
        put_value(w, x->value);
    }
}

static void put_expr(struct printer *w, const struct query_ast_expr *x, int least)
{
    static const char *const signs[] = {
        [QUERY_X_EQ] = " = ",  [QUERY_X_NE] = " != ", [QUERY_X_LT] = " < ",  [QUERY_X_LE] = " <= ",
        [QUERY_X_GT] = " > ",  [QUERY_X_GE] = " >= ", [QUERY_X_ADD] = " + ", [QUERY_X_SUB] = " - ",
        [QUERY_X_MUL] = " * ", [QUERY_X_DIV] = " / ", [QUERY_X_MOD] = " % "
    };
    int own = precedence(x);
    if (own < least)
        put(w, "(");
    switch (x->op) {
    case QUERY_X_COND:
        put_expr(w, x->kids, 1);
        put(w, " ? ");
        put_expr(w, x->kids->next, 0);
        put(w, " : ");
        put_expr(w, x->kids->next->next, 0);
        break;
    case QUERY_X_OR:
        put_joined(w, x->kids, " or ", 2);
        break;
    case QUERY_X_AND:
        put_joined(w, x->kids, " and ", 3);
        break;
    case QUERY_X_NOT:
        put(w, "not ");
        put_expr(w, x->kids, 3);
        break;
    case QUERY_X_NEG:
        put(w, "-");
        put_expr(w, x->kids, 8);
        break;
    default:
        if (own == 8) {
            put_atom(w, x);
            break;
        }
        put_expr(w, x->kids, own == 4 ? 5 : own);
        put(w, signs[x->op]);
        put_expr(w, x->kids->next, own + 1);
    }
    if (own < least)
        put(w, ")");
}

// ---- steps
static void put_agg(struct printer *w, const struct query_ast_agg *a, bool with_as)
{
    buf_str(w->out, a->name);
    put(w, "(");
    for (const struct query_ast_arg *g = a->args; g; g = g->next) {
        if (g->field)
            put_field(w, g->field);
        else
            put_value(w, g->number);
        if (g->next)
            put(w, ", ");
    }
    put(w, ")");
    if (a->filter) {
        put(w, " if (");
        put_filter(w, a->filter);
        put(w, ")");
    }
    if (with_as && a->as.len) {
        put(w, " as ");
        put_name(w, a->as);
    }
}

static void put_aggs(struct printer *w, const struct query_ast_agg *a)
{
    for (; a; a = a->next) {
        put_agg(w, a, true);
        if (a->next)
            put(w, ", ");
    }
}

static void put_items(struct printer *w, const struct query_ast_step *s)
{
    for (const struct query_ast_item *i = s->items; i; i = i->next) {
        if (s->kind == QUERY_LET) {
            put_name(w, i->name);
            put(w, " = ");
            put_expr(w, i->expr, 0);
        } else {
            put_field(w, i->field);
        }
        if (s->kind == QUERY_SELECT && i->name.len) {
            put(w, " as ");
            put_name(w, i->name);
        }
        if (s->kind == QUERY_SORT && i->desc)
            put(w, " desc");
        if (i->next)
            put(w, ", ");
    }
}

static void put_list(struct printer *w, const char *word, const struct query_ast_field *fields)
{
    if (!fields)
        return;
    put(w, word);
    put_fields(w, fields);
}

static void put_bucket(struct printer *w, const struct query_ast_step *s)
{
    if (s->is_auto)
        put(w, "auto");
    else
        put_value(w, s->value);
    put_list(w, " of ", s->fields);
    if (s->tz) {
        put(w, " tz ");
        put_value(w, s->tz);
    }
    if (s->as.len) {
        put(w, " as ");
        put_name(w, s->as);
    }
}

static void put_step(struct printer *w, const struct query_ast_step *s)
{
    buf_str(w->out, query_step_name(s->kind));
    bool bare = s->kind == QUERY_TRACES || s->kind == QUERY_PATTERNS || (s->kind == QUERY_FILL && !s->value) ||
                (s->kind == QUERY_FACETS && !s->has_n && !s->fields);
    if (!bare)
        put(w, " ");
    if (s->has_n)
        buf_printf(w->out, "%llu", (unsigned long long)s->n);
    switch (s->kind) {
    case QUERY_WHERE:
    case QUERY_DIFFER:
        put_filter(w, s->filter);
        break;
    case QUERY_LET:
    case QUERY_SORT:
    case QUERY_SELECT:
        if (s->star)
            put(w, "*");
        put_items(w, s);
        break;
    case QUERY_LIMIT:
    case QUERY_CONTEXT:
        put_list(w, " by ", s->fields);
        break;
    case QUERY_TOP:
        put_list(w, " ", s->fields);
        if (s->aggs)
            put(w, " by ");
        put_aggs(w, s->aggs);
        break;
    case QUERY_STATS:
        put_aggs(w, s->aggs);
        put_list(w, " by ", s->fields);
        break;
    case QUERY_BUCKET:
        put_bucket(w, s);
        break;
    case QUERY_FILL:
        if (s->value)
            put_value(w, s->value);
        break;
    case QUERY_EXTRACT:
        if (s->is_regex)
            put(w, "~");
        put_value(w, s->value);
        put_list(w, " from ", s->fields);
        break;
    case QUERY_PARSE:
        put(w, s->is_logfmt ? "logfmt" : "json");
        put_list(w, " from ", s->fields);
        break;
    case QUERY_FACETS:
        put_list(w, s->has_n ? " " : "", s->fields);
        break;
    default:
        break;
    }
}

static void put_query(struct printer *w, const struct query_ast *ast)
{
    if (ast->star)
        put(w, "*");
    bool first = true;
    for (int s = 0; s < QUERY_SOURCE_COUNT && !ast->star; s++) {
        if (!(ast->sources >> s & 1))
            continue;
        put(w, first ? "" : ",");
        buf_str(w->out, query_source_name((enum query_source)s));
        first = false;
    }
    if (ast->filter || ast->sets)
        put(w, " ");
    if (ast->filter)
        put_filter(w, ast->filter);
    if (ast->sets)
        put_set(w, ast->sets, false);
    for (const struct query_ast_step *s = ast->steps; s; s = s->next) {
        put(w, " | ");
        put_step(w, s);
    }
}

int query_print(const struct query_ast *ast, struct buf *out)
{
    put_query(&(struct printer){ .out = out }, ast);
    return out->error;
}

int query_print_canonical(const struct query_ast *ast, struct buf *out)
{
    put_query(&(struct printer){ .out = out, .rename = ast->sources }, ast);
    return out->error;
}

int query_print_field(const struct query_ast_field *f, struct buf *out)
{
    put_field(&(struct printer){ .out = out }, f);
    return out->error;
}

int query_print_filter(const struct query_ast_filter *f, struct buf *out)
{
    put_filter(&(struct printer){ .out = out }, f);
    return out->error;
}

int query_print_agg(const struct query_ast_agg *a, struct buf *out)
{
    size_t from = out->len;
    put_agg(&(struct printer){ .out = out }, a, false);
    if (out->error)
        return out->error;
    // The column's name has no spaces, except inside quotes.
    char quote = 0;
    size_t o = from;
    for (size_t i = from; i < out->len; i++) {
        char c = (char)out->ptr[i];
        if (quote ? c == quote : c == '"' || c == '\'' || c == '`')
            quote = quote ? 0 : c;
        if (c != ' ' || quote)
            out->ptr[o++] = (uint8_t)c;
    }
    out->len = o;
    return 0;
}
