// Filters: a tree of leaves, each with its reference resolved and its literals read.
#include "query/plan_internal.h"

#include "base/err.h"
#include "base/unicode.h"

static int new_filter(struct planner *pl, enum query_filter_kind kind, struct query_pos pos,
                      struct query_filter **ret_f)
{
    struct query_filter *f = arena_zalloc(pl->arena, sizeof *f);
    if (!f)
        return plan_nomem(pl);
    f->kind = kind;
    f->pos = pos;
    if (kind >= QUERY_FILTER_COMPARE)
        f->index = pl->plan->leaf_count++;
    *ret_f = f;
    return 0;
}

static int negate(struct planner *pl, struct query_filter **f)
{
    struct query_filter *not = NULL, **kid = arena_alloc_array(pl->arena, 1, sizeof *kid);
    int r = kid ? new_filter(pl, QUERY_FILTER_NOT, (*f)->pos, &not ) : plan_nomem(pl);
    if (r < 0)
        return r;
    kid[0] = *f;
    not ->kids = kid;
    not ->kid_count = 1;
    *f = not ;
    return 0;
}

// ---- text
static int bad_wildcard(struct planner *pl, const struct query_literal *lit)
{
    int r = plan_fail(pl, lit->pos, QUERY_E_BAD_WILDCARD, "in text `*` stands only at the end of the last word");
    query_error_hint(pl->err, "search for exact bytes with '..', or match a field with =~\"..\"");
    return r;
}

// Does the text end inside a word, so that a star there is that word's prefix?
static bool ends_in_word(str s)
{
    size_t i = s.len;
    while (i > 0 && ((unsigned char)s.ptr[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0)
        return false;
    unsigned n;
    bool ok;
    return unicode_is_token_char(utf8_decode(s.ptr + i - 1, s.ptr + s.len, &n, &ok)) && ok;
}

static int make_phrase(struct planner *pl, const struct query_literal *lit, struct query_filter *f)
{
    str text = lit->text;
    if (lit->wildcard) {
        text = lit->wildcard->pieces[0];
        if (lit->wildcard->count != 2 || lit->wildcard->pieces[1].len || !ends_in_word(text))
            return bad_wildcard(pl, lit);
    }
    int r = query_phrase_make(pl->arena, text, lit->wildcard != NULL, &f->phrase);
    if (r == ERR_LIMIT)
        return plan_fail(pl, lit->pos, QUERY_E_TOO_MANY_TERMS, "more than %d words in one phrase",
                         QUERY_PHRASE_TOKENS_MAX);
    if (r < 0)
        return plan_nomem(pl);
    if (f->phrase.count)
        return 0;
    r = plan_fail(pl, lit->pos, QUERY_E_EMPTY_TEXT, "there is no word in this text to search for");
    query_error_hint(pl->err, "only letters and digits make words; search for exact bytes with '..'");
    return r;
}

// `contains`: a phrase, or exact bytes when in single quotes.
static int plan_contains(struct planner *pl, const struct query_ast_filter *a, enum query_target target,
                         const struct query_ref *ref, struct query_filter **ret_f)
{
    struct query_literal lit;
    struct query_filter *f = NULL;
    int r = plan_literal(pl, a->values, &lit);
    if (r < 0)
        return r;
    bool exact = a->values->form == QUERY_SQUOTED;
    if ((r = new_filter(pl, exact ? QUERY_FILTER_BYTES : QUERY_FILTER_PHRASE, a->pos, &f)) < 0)
        return r;
    f->target = target;
    f->ref = ref;
    f->bytes = lit.text;
    if (exact && lit.text.len == 0)
        return plan_fail(pl, lit.pos, QUERY_E_EMPTY_TEXT, "there is no text to search for");
    if (!exact && (r = make_phrase(pl, &lit, f)) < 0)
        return r;
    *ret_f = f;
    return 0;
}

// Searching text and everything reads what captured records hold.
static int check_text_permission(struct planner *pl, struct query_pos pos, const char *what)
{
    if (!(pl->plan->sources & QS_SNAPSHOTS) || !pl->open)
        return 0;
    if (pl->opt->may_values) {
        pl->plan->values_read = true;
        return 0;
    }
    pl->plan->values_hidden = true;
    if (pl->plan->sources != QS_SNAPSHOTS)
        return plan_hint(pl, pos, "%s of captured records is left out: it needs the permission `values`", what);
    return plan_fail(pl, pos, QUERY_E_FORBIDDEN_FIELD, "searching %s of captured records needs the permission `values`",
                     what);
}

static int plan_text(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    const struct query_ref *ref;
    if (pl->child) // any text of the event
        return plan_contains(pl, a, QUERY_TARGET_ANY, NULL, ret_f);
    int r = plan_ref_named(pl, "text", a->pos, &ref);
    if (r < 0) {
        if (pl->err && pl->err->code == QUERY_E_UNKNOWN_COLUMN)
            query_error_hint(pl->err,
                             "there is no text left to search behind `select` or `stats`; name a column: column=value");
        return r;
    }
    bool text = plan_ref_is_field(pl, ref, QUERY_F_TEXT);
    return plan_contains(pl, a, text ? QUERY_TARGET_TEXT : QUERY_TARGET_REF, text ? NULL : ref, ret_f);
}

// ---- field:text
// The type that a fixed field has for the first kind that has it, or what is known of a column.
static struct query_typeinfo first_type(const struct planner *pl, const struct query_ref *ref)
{
    if (ref->slot >= 0 || ref->type.type != QUERY_ANY)
        return ref->type;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
        if (pl->plan->sources >> s & 1 && ref->bind[s].kind == QUERY_BIND_FIXED &&
            ref->bind[s].path_from == ref->path_len)
            return query_field_get((enum query_source)s, (enum query_field_id)ref->bind[s].field)->type;
    return ref->type;
}

static int plan_values(struct planner *pl, const struct query_ast_filter *a, struct query_filter *f);

static int plan_field_contains(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    const struct query_ref *ref;
    int r = plan_ref(pl, a->field, &ref);
    if (r < 0)
        return r;
    if ((r = plan_habit_term(pl, a, ref)) < 0)
        return r;
    struct query_typeinfo t = first_type(pl, ref);
    if (plan_ref_is_field(pl, ref, QUERY_F_TEXT))
        return plan_contains(pl, a, QUERY_TARGET_TEXT, NULL, ret_f);
    if (t.type == QUERY_STRING || t.type == QUERY_ANY || t.type == QUERY_LIST)
        return plan_contains(pl, a, QUERY_TARGET_REF, ref, ret_f);
    if (t.type == QUERY_ENUM || t.type == QUERY_LEVEL) { // one word each: to contain it is to be it
        struct query_filter *f = NULL;
        if ((r = new_filter(pl, QUERY_FILTER_COMPARE, a->pos, &f)) < 0)
            return r;
        f->ref = ref;
        f->target = QUERY_TARGET_REF;
        if ((r = plan_values(pl, a, f)) < 0)
            return r;
        *ret_f = f;
        return 0;
    }
    return plan_no_text(pl, a, ref, t.type);
}

// ---- comparisons
// ---- two fields side by side: the right one is only text here
static bool names_a_field(const struct planner *pl, const struct query_ast_value *v, const struct query_literal *lit)
{
    if (v->form != QUERY_WORD || lit->wildcard || lit->readings & ~(uint32_t)QR_LEVEL)
        return false;
    for (uint32_t i = 0; i < pl->visible_count; i++)
        if (str_eq(pl->plan->columns[pl->visible[i]].name, lit->text))
            return true;
    for (int s = 0; s < QUERY_SOURCE_COUNT && pl->open; s++)
        if (pl->plan->sources >> s & 1 && query_field_find((enum query_source)s, lit->text))
            return true;
    return false;
}

// `service=user` is common and right; who writes `==` or an order between two names means something else.
static int hint_two_fields(struct planner *pl, const struct query_ast_filter *a, const struct query_literal *lit)
{
    str op = str_slice(pl->ast->text, a->op_pos.off, a->op_pos.off + a->op_pos.len);
    if (a->list || (a->cmp == QUERY_EQ && !str_eq(op, STR("=="))) || !names_a_field(pl, a->values, lit))
        return 0;
    return plan_hint(pl, lit->pos,
                     "`%.*s` is compared as text; to compare two fields: | let same = %.*s %.*s %.*s | where same=true",
                     STR_ARG(lit->text), (int)a->field->pos.len, pl->ast->text.ptr + a->field->pos.off, STR_ARG(op),
                     STR_ARG(lit->text));
}

static int plan_values(struct planner *pl, const struct query_ast_filter *a, struct query_filter *f)
{
    uint32_t n = 0;
    for (const struct query_ast_value *v = a->values; v; v = v->next)
        n++;
    struct query_literal *lits = arena_alloc_array(pl->arena, n, sizeof *lits);
    if (!lits)
        return plan_nomem(pl);
    n = 0;
    for (const struct query_ast_value *v = a->values; v; v = v->next) {
        int r = plan_literal(pl, v, &lits[n]);
        if (r < 0)
            return r;
        r = plan_check_compare(pl, f->ref, a->cmp, &lits[n]);
        if (r < 0 && names_a_field(pl, v, &lits[n]))
            query_error_hint(pl->err, "a filter compares with what is written; fields are compared in `let`: "
                                      "| let yes = a > b | where yes=true");
        if (r < 0 || (r = hint_two_fields(pl, a, &lits[n])) < 0)
            return r;
        n++;
    }
    f->cmp = a->cmp;
    f->values = lits;
    f->value_count = n;
    return 0;
}

static int plan_compare(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    struct query_filter *f = NULL;
    const struct query_ref *ref;
    int r = plan_ref(pl, a->field, &ref);
    if (r < 0 || (r = new_filter(pl, QUERY_FILTER_COMPARE, a->pos, &f)) < 0)
        return r;
    f->ref = ref;
    f->target = QUERY_TARGET_REF;
    if ((r = plan_values(pl, a, f)) < 0)
        return r;
    *ret_f = f;
    return a->negate ? negate(pl, ret_f) : 0;
}

static int plan_match(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    struct query_filter *f = NULL;
    const struct query_ref *ref;
    int r = plan_ref(pl, a->field, &ref);
    if (r < 0)
        return r;
    struct query_typeinfo t = first_type(pl, ref);
    if (t.type != QUERY_STRING && t.type != QUERY_ANY && t.type != QUERY_LIST) {
        str type = query_type_name(t.type);
        r = plan_fail(pl, a->op_pos, QUERY_E_TYPE_MISMATCH, "`%.*s` is of type %.*s: a pattern matches text",
                      STR_ARG(str_slice(ref->name, 0, 60)), STR_ARG(type));
        query_error_hint(pl->err, t.type == QUERY_ID ? "ids are found by their first digits: 0af7*"
                                                     : "compare it with `=`, or with a list: =(a, b)");
        return r;
    }
    if ((r = new_filter(pl, QUERY_FILTER_REGEX, a->pos, &f)) < 0 || (r = plan_regex(pl, a->values, &f->regex)) < 0)
        return r;
    f->ref = ref;
    f->target = QUERY_TARGET_REF;
    *ret_f = f;
    return a->negate ? negate(pl, ret_f) : 0;
}

static int plan_present(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    if (!a->field) // every record has something
        return new_filter(pl, QUERY_FILTER_TRUE, a->pos, ret_f);
    const struct query_ref *ref;
    struct query_filter *f = NULL;
    int r = plan_ref(pl, a->field, &ref);
    if (r < 0 || (r = new_filter(pl, QUERY_FILTER_PRESENT, a->pos, &f)) < 0)
        return r;
    f->ref = ref;
    f->target = QUERY_TARGET_REF;
    *ret_f = f;
    return 0;
}

static int plan_kids(struct planner *pl, const struct query_ast_filter *a, enum query_filter_kind kind,
                     struct query_filter **ret_f)
{
    uint32_t n = 0;
    for (const struct query_ast_filter *k = a->kids; k; k = k->next)
        n++;
    struct query_filter *f = NULL, **kids = arena_alloc_array(pl->arena, n, sizeof *kids);
    int r = kids ? new_filter(pl, kind, a->pos, &f) : plan_nomem(pl);
    if (r < 0)
        return r;
    n = 0;
    for (const struct query_ast_filter *k = a->kids; k; k = k->next)
        if ((r = plan_filter(pl, k, &kids[n++])) < 0)
            return r;
    f->kids = kids;
    f->kid_count = n;
    *ret_f = f;
    return 0;
}

// ---- event{..}, link{..}
// What inside the braces is no question about one event.
static const struct query_ast_filter *outside_child(const struct query_ast_filter *a)
{
    if (a->kind == QUERY_AST_IN || a->kind == QUERY_AST_EVENT || a->kind == QUERY_AST_LINK)
        return a;
    const struct query_ast_filter *odd = NULL;
    bool group = a->kind == QUERY_AST_AND || a->kind == QUERY_AST_OR || a->kind == QUERY_AST_NOT;
    for (const struct query_ast_filter *k = group ? a->kids : NULL; k && !odd; k = k->next)
        odd = outside_child(k);
    return odd;
}

static int plan_child(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    const char *child = a->kind == QUERY_AST_EVENT ? "event" : "link";
    struct query_pos pos = { a->pos.off, (uint32_t)strlen(child) };
    const struct query_ast_filter *odd = outside_child(a->kids);
    struct query_filter *f = NULL;
    if (odd)
        return plan_fail(pl, odd->pos, QUERY_E_BAD_ARGUMENT, "inside %s{..} stand conditions on one %s alone", child,
                         child);
    if (!pl->open) {
        int r = plan_fail(pl, pos, QUERY_E_UNKNOWN_COLUMN, "there are no records left that could have %ss", child);
        query_error_hint(pl->err, "put %s{..} in front of `select` or `stats`", child);
        return r;
    }
    if (!(pl->plan->sources & QS_SPANS)) {
        int r = plan_fail(pl, pos, QUERY_E_BAD_ARGUMENT, "only spans have %ss", child);
        query_error_suggest(pl->err, STR("spans"));
        return r;
    }
    int r = new_filter(pl, QUERY_FILTER_CHILD, a->pos, &f);
    if (r < 0)
        return r;
    f->links = a->kind == QUERY_AST_LINK;
    f->kids = arena_alloc_array(pl->arena, 1, sizeof *f->kids);
    f->kid_count = 1;
    if (!f->kids)
        return plan_nomem(pl);
    pl->child = child;
    r = plan_filter(pl, a->kids, &f->kids[0]);
    pl->child = NULL;
    *ret_f = f;
    return r;
}

int plan_filter(struct planner *pl, const struct query_ast_filter *a, struct query_filter **ret_f)
{
    int r;
    switch (a->kind) {
    case QUERY_AST_AND:
        return plan_kids(pl, a, QUERY_FILTER_AND, ret_f);
    case QUERY_AST_OR:
        return plan_kids(pl, a, QUERY_FILTER_OR, ret_f);
    case QUERY_AST_NOT:
        return plan_kids(pl, a, QUERY_FILTER_NOT, ret_f);
    case QUERY_AST_COMPARE:
        return plan_compare(pl, a, ret_f);
    case QUERY_AST_REGEX:
        return plan_match(pl, a, ret_f);
    case QUERY_AST_CONTAINS:
        if (a->field)
            return plan_field_contains(pl, a, ret_f);
        if (pl->child)
            return plan_contains(pl, a, QUERY_TARGET_ANY, NULL, ret_f);
        if (!pl->open)
            return plan_fail(pl, a->pos, QUERY_E_UNKNOWN_COLUMN,
                             "`*:` searches records; behind `select` or `stats` name a column");
        if ((r = check_text_permission(pl, a->pos, "all fields")) < 0)
            return r;
        return plan_contains(pl, a, QUERY_TARGET_ANY, NULL, ret_f);
    case QUERY_AST_PRESENT:
        return plan_present(pl, a, ret_f);
    case QUERY_AST_TEXT:
        return plan_text(pl, a, ret_f);
    case QUERY_AST_IN:
        r = new_filter(pl, QUERY_FILTER_IN, a->pos, ret_f);
        return r < 0 ? r : plan_in(pl, a, *ret_f);
    case QUERY_AST_EVENT:
    case QUERY_AST_LINK:
        return plan_child(pl, a, ret_f);
    }
    return 0;
}
