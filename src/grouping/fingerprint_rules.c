// Fingerprint rules: MATCHER... -> VALUE... title="..."
#include "grouping/grouping_internal.h"

// What Sentry counts as one thing by itself, in its own configuration of this version.
const char builtin_fingerprint_rules[] =
    "family:javascript type:ChunkLoadError -> chunkloaderror\n"
    "family:javascript value:ChunkLoadError* -> chunkloaderror\n"
    "family:javascript tags.transaction:* message:\"Hydration failed because the initial UI does not match what was "
    "rendered on "
    "the server.\" -> hydrationerror, {{tags.transaction}}\n"
    "family:javascript tags.transaction:* message:\"The server could not finish this Suspense boundary, likely due to "
    "an error "
    "during server rendering. Switched to client rendering.\" -> hydrationerror, {{tags.transaction}}\n"
    "family:javascript tags.transaction:* message:\"There was an error while hydrating this Suspense boundary. "
    "Switched to client "
    "rendering.\" -> hydrationerror, {{tags.transaction}}\n"
    "family:javascript tags.transaction:* message:\"There was an error while hydrating. Because the error happened "
    "outside of a "
    "Suspense boundary, the entire root will switch to client rendering.\" -> hydrationerror, {{tags.transaction}}\n"
    "family:javascript tags.transaction:* message:\"Text content does not match server-rendered HTML.\" -> "
    "hydrationerror, "
    "{{tags.transaction}}\n";

static const char values_hint[] = "-> then texts, \"quoted texts\" or {{ variables }}, separated by commas or spaces";

// {{ name }}, with any spaces inside
static str variable(struct lex *l)
{
    str rest = str_slice(l->text, l->i, l->text.len);
    ptrdiff_t end = str_starts(rest, STR("{{")) ? str_find(rest, STR("}}")) : -1;
    if (end < 0)
        return (str){ 0 };
    l->i += (size_t)end + 2;
    return str_slice(rest, 0, (size_t)end + 2);
}

static int title_parse(struct lex *l, struct grouping_rules *rules, struct fingerprint_rule *rule, bool *ret_is)
{
    struct lex ahead = *l;
    str key = lex_ident(&ahead);
    *ret_is = key.len && lex_take(&ahead, '=') && ahead.i < ahead.text.len && ahead.text.ptr[ahead.i] == '"';
    if (!*ret_is)
        return 0;
    if (!str_eq(key, STR("title")))
        return lex_error(l, ERR_INVALID, "title=\"...\"", "there is no attribute \"%.*s\"",
                         STR_ARG(str_slice(key, 0, 40)));
    l->i = ahead.i;
    return lex_quoted(l, &rules->arena, &rule->title);
}

static int value_parse(struct lex *l, struct grouping_rules *rules, struct fingerprint_rule *rule)
{
    bool title;
    str value;
    int r = title_parse(l, rules, rule, &title);
    if (r < 0 || title)
        return r;
    if (l->text.ptr[l->i] == '"') {
        if ((r = lex_quoted(l, &rules->arena, &value)) < 0)
            return r;
    } else {
        size_t start = l->i;
        value = variable(l);
        while (!value.len && l->i < l->text.len && !strchr(" \t\r,{", l->text.ptr[l->i]))
            l->i++;
        if (!value.len)
            value = str_slice(l->text, start, l->i);
        if (!value.len)
            return lex_error(l, ERR_INVALID, values_hint, "a value of the fingerprint was expected");
    }
    if (rule->values_n == GROUPING_VALUES_MAX)
        return lex_error(l, ERR_LIMIT, NULL, "a fingerprint has more than %d values", GROUPING_VALUES_MAX);
    rule->values[rule->values_n++] = fingerprint_is_default(value) ? STR("{{ default }}") : value;
    return 0;
}

static int rule_parse(struct lex *l, struct grouping_rules *rules, struct fingerprint_rule *rule)
{
    struct matcher *matchers;
    int r = matchers_parse(l, rules, true, &matchers, &rule->matchers_n);
    if (r < 0)
        return r;
    rule->matchers = matchers;
    lex_space(l);
    if (!lex_take(l, '-') || !lex_take(l, '>'))
        return lex_error(l, ERR_INVALID, values_hint, "-> was expected");
    for (;;) {
        lex_space(l);
        lex_take(l, ',');
        lex_space(l);
        if (l->i >= l->text.len)
            break;
        if ((r = value_parse(l, rules, rule)) < 0)
            return r;
    }
    return rule->values_n ? 0 : lex_error(l, ERR_INVALID, values_hint, "the rule has no fingerprint");
}

static int rule_add(struct grouping_rules *rules, const struct fingerprint_rule *rule, struct err *err)
{
    if (rules->fingerprint_n == rules->fingerprint_cap) {
        uint32_t cap = rules->fingerprint_cap ? rules->fingerprint_cap * 2 : 16;
        struct fingerprint_rule *more = arena_alloc_array(&rules->arena, cap, sizeof *more);
        if (!more)
            return err_set(err, ERR_NOMEM, NULL, "out of memory");
        if (rules->fingerprint_n)
            memcpy(more, rules->fingerprint, rules->fingerprint_n * sizeof *more);
        rules->fingerprint = more;
        rules->fingerprint_cap = cap;
    }
    rules->fingerprint[rules->fingerprint_n++] = *rule;
    return 0;
}

int fingerprint_rules_parse(str text, bool builtin, struct grouping_rules *rules, struct err *err)
{
    struct lex l = { .err = err, .kind = "fingerprint rules" };
    size_t pos = 0, n = 0;
    while (rule_line(text, &pos, &l.line, &l.text)) {
        struct fingerprint_rule rule = { .builtin = builtin, .text = str_trim(l.text) };
        l.i = 0;
        if (!rule.text.len || rule.text.ptr[0] == '#')
            continue;
        if (++n > GROUPING_RULES_MAX)
            return lex_error(&l, ERR_LIMIT, NULL, "there are more than %d rules", GROUPING_RULES_MAX);
        int r = rule_parse(&l, rules, &rule);
        if (r == 0)
            r = rule_add(rules, &rule, err);
        if (r < 0)
            return r;
    }
    return 0;
}
