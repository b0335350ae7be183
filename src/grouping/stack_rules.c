// Stack-trace rules: MATCHER... ACTION...
#include "grouping/grouping_internal.h"

static int category_number(struct lex *l, struct grouping_rules *rules, str name, uint8_t *ret)
{
    for (uint32_t i = 1; i <= rules->categories_n; i++)
        if (str_eq(rules->categories[i], name)) {
            *ret = (uint8_t)i;
            return 0;
        }
    if (rules->categories_n + 1 >= CATEGORIES_MAX)
        return lex_error(l, ERR_LIMIT, NULL, "there are more than %d categories", CATEGORIES_MAX - 1);
    rules->categories[++rules->categories_n] = name;
    *ret = (uint8_t)rules->categories_n;
    return 0;
}

static const char actions_hint[] = "+app, -app, +group, -group; ^ before one for all frames called later, v for all "
                                   "before; category=NAME, max-frames=N, "
                                   "min-frames=N";

// max-frames=3, min-frames=2, category=system
static int variable_parse(struct lex *l, struct grouping_rules *rules, struct action *a)
{
    str name = lex_ident(l), value;
    lex_space(l);
    if (!lex_take(l, '='))
        return lex_error(l, ERR_INVALID, actions_hint, "an action was expected");
    lex_space(l);
    value = lex_ident(l);
    if (str_eq(name, STR("category"))) {
        a->kind = ACTION_CATEGORY;
        return value.len ? category_number(l, rules, value, &a->category)
                         : lex_error(l, ERR_INVALID, NULL, "a category's name was expected");
    }
    a->kind = str_eq(name, STR("max-frames")) ? ACTION_MAX_FRAMES : ACTION_MIN_FRAMES;
    if (a->kind == ACTION_MIN_FRAMES && !str_eq(name, STR("min-frames")))
        return lex_error(l, ERR_INVALID, actions_hint, "there is no action \"%.*s\"", STR_ARG(str_slice(name, 0, 40)));
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9' || a->n > SENTRY_FRAMES_MAX)
            value.len = 0;
        else
            a->n = a->n * 10 + (uint32_t)(value.ptr[i] - '0');
    }
    return value.len ? 0 : lex_error(l, ERR_INVALID, NULL, "a number from 0 to %d was expected", SENTRY_FRAMES_MAX);
}

static int action_parse(struct lex *l, struct grouping_rules *rules, struct action *a)
{
    *a = (struct action){ 0 };
    char c = l->text.ptr[l->i], next = l->i + 1 < l->text.len ? l->text.ptr[l->i + 1] : 0;
    if (c == '^' || (c == 'v' && (next == '+' || next == '-'))) {
        a->range = c == '^' ? 1 : -1;
        l->i++;
        c = next;
    }
    if (c != '+' && c != '-')
        return a->range ? lex_error(l, ERR_INVALID, actions_hint, "+ or - was expected") : variable_parse(l, rules, a);
    l->i++;
    a->on = c == '+';
    str name = lex_ident(l);
    a->kind = str_eq(name, STR("app")) ? ACTION_APP : ACTION_GROUP;
    return a->kind == ACTION_GROUP && !str_eq(name, STR("group"))
               ? lex_error(l, ERR_INVALID, actions_hint, "there is no action \"%c%.*s\"", c,
                           STR_ARG(str_slice(name, 0, 40)))
               : 0;
}

static int actions_parse(struct lex *l, struct grouping_rules *rules, struct stack_rule *rule)
{
    struct action all[GROUPING_ACTIONS_MAX];
    uint8_t n = 0;
    for (lex_space(l); l->i < l->text.len && l->text.ptr[l->i] != '#'; lex_space(l)) {
        if (n == GROUPING_ACTIONS_MAX)
            return lex_error(l, ERR_LIMIT, NULL, "a rule has more than %d actions", GROUPING_ACTIONS_MAX);
        int r = action_parse(l, rules, &all[n]);
        if (r < 0)
            return r;
        bool classifies = all[n].kind == ACTION_APP || all[n].kind == ACTION_CATEGORY;
        rule->classifies |= classifies;
        rule->contributes |= !classifies;
        n++;
    }
    if (!n)
        return lex_error(l, ERR_INVALID, actions_hint, "the rule does nothing");
    struct action *copy = arena_alloc_array(&rules->arena, n, sizeof *copy);
    if (!copy)
        return err_set(l->err, ERR_NOMEM, NULL, "out of memory");
    memcpy(copy, all, n * sizeof *copy);
    rule->actions = copy;
    rule->actions_n = n;
    return 0;
}

static int rule_add(struct grouping_rules *rules, const struct stack_rule *rule, struct err *err)
{
    if (rules->stack_n == rules->stack_cap) {
        uint32_t cap = rules->stack_cap ? rules->stack_cap * 2 : 512;
        struct stack_rule *more = arena_alloc_array(&rules->arena, cap, sizeof *more);
        if (!more)
            return err_set(err, ERR_NOMEM, NULL, "out of memory");
        if (rules->stack_n)
            memcpy(more, rules->stack, rules->stack_n * sizeof *more);
        rules->stack = more;
        rules->stack_cap = cap;
    }
    rules->stack[rules->stack_n++] = *rule;
    return 0;
}

int stack_rules_parse(str text, bool builtin, struct grouping_rules *rules, struct err *err)
{
    struct lex l = { .err = err, .kind = "stack-trace rules" };
    size_t pos = 0, n = 0;
    while (rule_line(text, &pos, &l.line, &l.text)) {
        struct stack_rule rule = { .builtin = builtin, .text = str_trim(l.text) };
        l.i = 0;
        if (!rule.text.len || rule.text.ptr[0] == '#')
            continue;
        if (++n > GROUPING_RULES_MAX && !builtin)
            return lex_error(&l, ERR_LIMIT, NULL, "there are more than %d rules", GROUPING_RULES_MAX);
        int r = matchers_parse(&l, rules, false, &rule.matchers, &rule.matchers_n);
        if (r == 0)
            r = actions_parse(&l, rules, &rule);
        if (r == 0)
            r = rule_add(rules, &rule, err);
        if (r < 0)
            return r;
    }
    return 0;
}
