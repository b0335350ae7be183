// The table of 'Types and comparison', as far as it is known from the text: which literal may stand
// against which type, and what to say when it may not.
#include "base/numfmt.h"
#include "query/plan_internal.h"

static str cut(str s) { return str_slice(s, 0, 60); }

static int mismatch(struct planner *pl, const struct query_literal *lit, const struct query_ref *ref, const char *what)
{
    str name = cut(ref->name), text = cut(lit->text);
    return plan_fail(pl, lit->pos, QUERY_E_TYPE_MISMATCH, "`%.*s` is %s, `%.*s` is not", STR_ARG(name), what,
                     STR_ARG(text));
}

static int no_order(struct planner *pl, const struct query_literal *lit, const struct query_ref *ref, const char *what)
{
    str name = cut(ref->name);
    int r = plan_fail(pl, lit->pos, QUERY_E_TYPE_MISMATCH, "`%.*s` is %s: it has no order", STR_ARG(name), what);
    query_error_hint(pl->err, "compare it with `=` or `!=`");
    return r;
}

static int beyond(struct planner *pl, const struct query_literal *lit, const char *what)
{
    str text = cut(lit->text);
    return plan_fail(pl, lit->pos, QUERY_E_BAD_NUMBER, "`%.*s` is beyond %s", STR_ARG(text), what);
}

static int suggest_with(struct planner *pl, int r, str text, const char *tail)
{
    char out[96];
    size_t n = strlen(tail);
    if (text.len + n < sizeof out) {
        memcpy(out, text.ptr, text.len);
        memcpy(out + text.len, tail, n);
        query_error_suggest(pl->err, str_of(out, text.len + n));
    }
    return r;
}

static bool is_issue(const struct query_ref *ref)
{
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
        if (ref->bind[s].kind == QUERY_BIND_FIXED && ref->bind[s].field == QUERY_F_ISSUE)
            return true;
    return false;
}

// Issues are numbered through all projects: SHOP-42, as pages show it, is 42.
static bool read_short(struct query_literal *lit)
{
    uint64_t number;
    size_t at = lit->text.len;
    while (at > 0 && lit->text.ptr[at - 1] >= '0' && lit->text.ptr[at - 1] <= '9')
        at--;
    if (at < 2 || lit->text.ptr[at - 1] != '-' || !parse_u64(str_slice(lit->text, at, lit->text.len), &number) ||
        number > INT64_MAX)
        return false;
    lit->readings |= QR_INT | QR_DOUBLE;
    lit->i = (int64_t)number;
    lit->d = (double)number;
    return true;
}

// ---- one function a type
static int check_number(struct planner *pl, const struct query_ref *ref, struct query_literal *lit)
{
    if (lit->readings & QR_DOUBLE || (is_issue(ref) && read_short(lit)))
        return 0;
    if (lit->readings & QR_OVER)
        return beyond(pl, lit, "the range of integers");
    if (lit->readings & QR_DURATION) {
        int r = plan_fail(pl, lit->pos, QUERY_E_NO_UNIT, "`%.*s` is a plain number, it has no unit of time",
                          STR_ARG(cut(ref->name)));
        query_error_hint(pl->err, "write the number alone");
        return r;
    }
    int r = mismatch(pl, lit, ref, "a number");
    if (lit->form != QUERY_WORD)
        query_error_hint(pl->err, "numbers are written without quotes");
    return r;
}

static int check_bool(struct planner *pl, const struct query_ref *ref, enum query_cmp cmp, struct query_literal *lit)
{
    if (cmp != QUERY_EQ)
        return no_order(pl, lit, ref, "true or false");
    if (lit->readings & QR_BOOL)
        return 0;
    int r = mismatch(pl, lit, ref, "true or false");
    query_error_suggest(pl->err, STR("true"));
    query_error_suggest(pl->err, STR("false"));
    return r;
}

static int check_duration(struct planner *pl, const struct query_ref *ref, struct query_literal *lit)
{
    bool over = false;
    // Quotes cannot mean anything else here: a program may quote every value.
    if (lit->form != QUERY_WORD && !lit->wildcard && query_duration_read(lit->text, &lit->duration, &over) && !over)
        lit->readings |= QR_DURATION;
    if (lit->readings & QR_DURATION || (lit->readings & QR_INT && !(lit->readings & QR_SIZE) && lit->i == 0))
        return 0;
    if (over || lit->readings & QR_OVER)
        return beyond(pl, lit, "the range of durations (292 years)");
    if (lit->readings & QR_DOUBLE && !(lit->readings & QR_SIZE)) {
        int r = plan_fail(pl, lit->pos, QUERY_E_NEEDS_UNIT, "`%.*s` is a duration: `%.*s` needs a unit",
                          STR_ARG(cut(ref->name)), STR_ARG(cut(lit->text)));
        query_error_hint(pl->err, "units are ns us ms s m h d w");
        r = suggest_with(pl, r, lit->text, "ms");
        return suggest_with(pl, r, lit->text, "s");
    }
    int r = mismatch(pl, lit, ref, "a duration");
    query_error_hint(pl->err, "write for example 200ms or 1m30s");
    return r;
}

static int check_time(struct planner *pl, const struct query_ref *ref, struct query_literal *lit)
{
    if (lit->form != QUERY_WORD && !lit->wildcard &&
        query_time_read(lit->text, pl->opt->now_ns, pl->opt->zone, &lit->time))
        lit->readings |= QR_TIME;
    if (lit->readings & QR_TIME || (lit->readings & QR_INT && !(lit->readings & QR_SIZE) && lit->i == 0))
        return 0;
    if (lit->readings & QR_DOUBLE && !(lit->readings & QR_SIZE)) {
        int r = plan_fail(pl, lit->pos, QUERY_E_NEEDS_UNIT, "`%.*s` is a time: a plain number says nothing",
                          STR_ARG(cut(ref->name)));
        query_error_hint(pl->err, "write 2026-01-01T00:00:00Z, 2026-01-01, now/d or -15m");
        return r;
    }
    int r = plan_fail(pl, lit->pos, QUERY_E_BAD_TIME, "`%.*s` is no time", STR_ARG(cut(lit->text)));
    query_error_hint(pl->err, "write 2026-01-01T00:00:00Z (the offset is needed), 2026-01-01, now/d or -15m");
    if (lit->readings & QR_DURATION) {
        char text[96] = "-";
        if (lit->text.len < sizeof text - 1) {
            memcpy(text + 1, lit->text.ptr, lit->text.len);
            query_error_suggest(pl->err, str_of(text, lit->text.len + 1));
        }
    } else if (lit->text.len >= 19 && lit->text.ptr[10] == 'T') {
        r = suggest_with(pl, r, lit->text, "Z");
    }
    return r;
}

static unsigned id_digits(const struct planner *pl, const struct query_ref *ref)
{
    static const enum query_field_id wide[] = { QUERY_F_TRACE, QUERY_F_LINK_TRACE, QUERY_F_REPLAY };
    static const enum query_field_id narrow[] = { QUERY_F_SPAN, QUERY_F_PARENT, QUERY_F_LINK_SPAN };
    for (size_t i = 0; i < 3; i++) {
        if (plan_ref_is_field(pl, ref, wide[i]))
            return 32;
        if (plan_ref_is_field(pl, ref, narrow[i]))
            return 16;
    }
    return 0; // a column: either
}

static int check_id(struct planner *pl, const struct query_ref *ref, enum query_cmp cmp, struct query_literal *lit)
{
    if (cmp != QUERY_EQ)
        return no_order(pl, lit, ref, "an id");
    str text = lit->text;
    if (lit->wildcard) {
        if (lit->wildcard->count != 2 || lit->wildcard->pieces[1].len) {
            int r = plan_fail(pl, lit->pos, QUERY_E_BAD_WILDCARD, "in an id `*` stands only at the end");
            query_error_hint(pl->err, "write the first digits and then *: 0af7*");
            return r;
        }
        text = lit->wildcard->pieces[0];
        lit->id_prefix = true;
    }
    unsigned digits = id_digits(pl, ref);
    if (!query_id_read(text, lit->id, &lit->id_nibbles)) {
        int r = mismatch(pl, lit, ref, "an id of hex digits");
        query_error_hint(pl->err, "ids are written in hex, dashes do not matter");
        return r;
    }
    bool fits = lit->id_prefix ? !digits || lit->id_nibbles <= digits
                               : lit->id_nibbles == 16 || (lit->id_nibbles == 32 && digits != 16);
    if (fits)
        return 0;
    int r = plan_fail(pl, lit->pos, QUERY_E_TYPE_MISMATCH, "an id has %s hex digits, `%.*s` has %u",
                      digits == 16   ? "16"
                      : digits == 32 ? "32 (or 16)"
                                     : "16 or 32",
                      STR_ARG(cut(lit->text)), lit->id_nibbles);
    if (lit->id_nibbles < (digits ? digits : 32)) {
        query_error_hint(pl->err, "a `*` behind the first digits finds all ids that begin so");
        r = suggest_with(pl, r, lit->text, "*");
    }
    return r;
}

static void suggest_words(struct planner *pl, const struct query_words *words, str text)
{
    struct suggest s = { .word = text };
    for (uint32_t i = 0; i < words->count; i++)
        suggest_offer(&s, words->words[i].word);
    suggest_give(&s, pl->err);
    for (uint32_t i = 0; i < words->count; i++)
        query_error_suggest(pl->err, words->words[i].word);
}

static int bad_enum(struct planner *pl, const struct query_ref *ref, const struct query_literal *lit)
{
    return plan_fail(pl, lit->pos, QUERY_E_BAD_ENUM, "`%.*s` is never `%.*s`", STR_ARG(cut(ref->name)),
                     STR_ARG(cut(lit->text)));
}

static int check_enum(struct planner *pl, const struct query_ref *ref, const struct query_words *words,
                      enum query_cmp cmp, struct query_literal *lit)
{
    if (cmp != QUERY_EQ)
        return no_order(pl, lit, ref, "one of a few words");
    const struct query_word *w = lit->wildcard ? NULL : query_word_find(words, lit->text);
    if (w) {
        lit->word = w->value;
        return 0;
    }
    int r = bad_enum(pl, ref, lit);
    suggest_words(pl, words, lit->text);
    return r;
}

static int check_level(struct planner *pl, const struct query_ref *ref, struct query_literal *lit)
{
    if (lit->readings & QR_LEVEL || (lit->readings & QR_DOUBLE && !(lit->readings & QR_SIZE)))
        return 0;
    int r = bad_enum(pl, ref, lit);
    struct suggest s = { .word = lit->text };
    for (int i = 1; i <= 21; i += 4)
        suggest_offer(&s, query_level_word(i));
    suggest_give(&s, pl->err);
    for (int i = 1; i <= 21; i += 4)
        query_error_suggest(pl->err, query_level_word(i));
    return r;
}

// Attributes and other values whose type only the row knows.
static int check_any(struct planner *pl, const struct query_ref *ref, enum query_cmp cmp, struct query_literal *lit)
{
    if (cmp == QUERY_EQ)
        return 0;
    if (lit->wildcard) {
        int r = plan_fail(pl, lit->pos, QUERY_E_BAD_WILDCARD, "`*` has no place in an order");
        query_error_hint(pl->err, "escape it as \\* if it is meant itself");
        return r;
    }
    if (!(lit->readings & (QR_DURATION | QR_OVER)))
        return 0;
    int r = plan_fail(pl, lit->pos, QUERY_E_NO_UNIT, "`%.*s` is an attribute, which carries no unit",
                      STR_ARG(cut(ref->name)));
    query_error_hint(pl->err, "write the number alone, in the unit that the attribute is in");
    size_t n = 0;
    while (n < lit->text.len &&
           (lit->text.ptr[n] == '-' || lit->text.ptr[n] == '.' || (lit->text.ptr[n] >= '0' && lit->text.ptr[n] <= '9')))
        n++;
    query_error_suggest(pl->err, str_slice(lit->text, 0, n));
    return r;
}

static int check_type(struct planner *pl, const struct query_ref *ref, struct query_typeinfo t, enum query_cmp cmp,
                      struct query_literal *lit)
{
    switch (t.type) {
    case QUERY_INT:
    case QUERY_DOUBLE:
    case QUERY_NUMBER:
        return check_number(pl, ref, lit);
    case QUERY_BOOL:
        return check_bool(pl, ref, cmp, lit);
    case QUERY_DURATION:
        return check_duration(pl, ref, lit);
    case QUERY_TIME:
        return check_time(pl, ref, lit);
    case QUERY_ID:
        return check_id(pl, ref, cmp, lit);
    case QUERY_ENUM:
        return t.words ? check_enum(pl, ref, t.words, cmp, lit) : 0;
    case QUERY_LEVEL:
        return check_level(pl, ref, lit);
    case QUERY_BYTES:
    case QUERY_MAP:
        return mismatch(pl, lit, ref, "a whole that cannot be compared");
    case QUERY_STRING:
        if (cmp != QUERY_EQ && lit->wildcard)
            return check_any(pl, ref, cmp, lit);
        return 0;
    case QUERY_ANY:
    case QUERY_LIST:
        return check_any(pl, ref, cmp, lit);
    }
    return 0;
}

// Several kinds with the same enum field: a word of any of them will do.
static int check_kinds(struct planner *pl, const struct query_ref *ref, enum query_cmp cmp, struct query_literal *lit)
{
    const struct query_words *words[QUERY_SOURCE_COUNT];
    uint32_t enums = 0;
    bool known = false;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        if (!(pl->plan->sources >> s & 1))
            continue;
        struct query_typeinfo t = { QUERY_ANY, false, NULL };
        if (ref->bind[s].kind == QUERY_BIND_FIXED && ref->bind[s].path_from == ref->path_len)
            t = query_field_get((enum query_source)s, (enum query_field_id)ref->bind[s].field)->type;
        if (t.type == QUERY_ENUM && cmp == QUERY_EQ) {
            const struct query_word *w = query_word_find(t.words, lit->text);
            words[enums++] = t.words;
            known = known || w;
            if (w)
                lit->word = w->value;
            continue;
        }
        // An attribute of one kind may hold anything: only what is fixed somewhere can be wrong.
        int r = t.type == QUERY_ANY ? 0 : check_type(pl, ref, t, cmp, lit);
        if (r < 0)
            return r;
    }
    if (!enums || known)
        return 0;
    int r = bad_enum(pl, ref, lit);
    for (uint32_t i = 0; i < enums; i++)
        suggest_words(pl, words[i], lit->text);
    return r;
}

int plan_check_compare(struct planner *pl, const struct query_ref *ref, enum query_cmp cmp, struct query_literal *lit)
{
    if (lit->readings & QR_BIG) {
        int r = plan_hint(pl, lit->pos, "`%.*s` is beyond 64-bit integers and is compared as a double",
                          STR_ARG(cut(lit->text)));
        if (r < 0)
            return r;
    }
    if (ref->slot >= 0 || ref->type.type != QUERY_ANY)
        return check_type(pl, ref, ref->type, cmp, lit);
    int r = check_kinds(pl, ref, cmp, lit);
    if (r < 0)
        return r;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
        if (pl->plan->sources >> s & 1 && ref->bind[s].kind == QUERY_BIND_FIXED &&
            query_field_get((enum query_source)s, (enum query_field_id)ref->bind[s].field)->type.type == QUERY_DURATION)
            return 0; // a unit is right for one of the kinds
    return check_any(pl, ref, cmp, lit);
}
