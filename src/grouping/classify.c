// Stack-trace rules over a stack. First they say what kind of code a frame is and whether it is the application's (each rule sees
// what the ones before it did), then which frames contribute.
#include "grouping/grouping_internal.h"

struct view {
    const struct run *run;
    const struct gstack *stack;
    const struct gexception *exception;
    const uint64_t *any; // patterns that match in some frame
    uint64_t categories; // that some frame has
    uint8_t families;
};

static bool bit(const uint64_t *bits, unsigned i) { return bits[i / 64] >> i % 64 & 1; }

// --- which patterns match a frame

static void try(const struct grouping_rules *rules, struct gframe *f, str value, const uint16_t *ids, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct pattern *p = &rules->patterns[ids[i]];
        if (p->families & f->family && glob_match(&p->glob, value))
            f->bits[ids[i] / 64] |= 1ull << ids[i] % 64;
    }
}

static void field_match(const struct grouping_rules *rules, struct gframe *f, uint8_t field, str value)
{
    const struct pattern_index *x = &rules->index[field];
    if (!value.ptr)
        return;
    bool path = field == FIELD_PATH || field == FIELD_PACKAGE;
    uint8_t first = value.len ? (uint8_t)value.ptr[0] : 0;
    if (path)
        first = first == '\\' ? '/' : first >= 'A' && first <= 'Z' ? first | 0x20 : first;
    if (value.len)
        try(rules, f, value, x->by_first[first], x->by_first_n[first]);
    try(rules, f, value, x->by_first[256], x->by_first_n[256]);
    if (!path)
        return;
    if (first != '/')
        try(rules, f, value, x->by_first['/'], x->by_first_n['/']);
    for (size_t i = 0; i < value.len; i++) {
        char before = i ? value.ptr[i - 1] : '/';
        if (before != '/' && before != '\\')
            continue;
        uint8_t c = (uint8_t)value.ptr[i];
        c = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
        try(rules, f, value, x->by_directory[c], x->by_directory_n[c]);
    }
}

static int patterns_match(struct run *run, struct gstack *stack)
{
    const struct grouping_rules *rules = run->rules;
    uint64_t *bits = arena_zalloc(run->arena, (size_t)stack->n * rules->words * sizeof *bits);
    if (!bits)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < stack->n; i++) {
        struct gframe *f = &stack->frames[i];
        f->bits = bits + (size_t)i * rules->words;
        field_match(rules, f, FIELD_FUNCTION, f->function.len ? f->function : STR("<unknown>"));
        field_match(rules, f, FIELD_MODULE, f->module);
        field_match(rules, f, FIELD_PATH, f->abs_path);
        field_match(rules, f, FIELD_PACKAGE, f->package);
    }
    return 0;
}

// --- rules

static bool exception_matches(const struct gexception *x, const struct matcher *m)
{
    str value = { 0 };
    if (x)
        value = m->field == FIELD_TYPE ? x->type : m->field == FIELD_VALUE ? x->value : x->sent->mechanism;
    return m->negated != glob_match(&m->glob, value.len ? value : STR("<unknown>"));
}

static bool frame_matches(const struct gstack *stack, uint32_t i, const struct matcher *m)
{
    bool is = false;
    if ((m->offset < 0 && i == 0) || (m->offset > 0 && i + 1 >= stack->n))
        return false;
    const struct gframe *f = &stack->frames[i + (uint32_t)m->offset];
    if (m->field < FIELDS_OF_PATTERNS)
        is = bit(f->bits, m->pattern);
    else if (m->field == FIELD_CATEGORY)
        is = m->categories >> f->category & 1;
    else if (m->field == FIELD_FAMILY)
        is = m->families & f->family;
    else if (m->field == FIELD_APP)
        is = m->app == (f->in_app == 1);
    return is != m->negated;
}

// Cheap and often no.
static bool may_match(const struct view *v, const struct stack_rule *rule)
{
    if (!(rule->families & v->families) || (rule->pattern >= 0 && !bit(v->any, (unsigned)rule->pattern)))
        return false;
    for (uint8_t i = 0; i < rule->matchers_n; i++) {
        const struct matcher *m = &rule->matchers[i];
        if (m->field == FIELD_CATEGORY && !m->negated && !(m->categories & v->categories))
            return false;
        if (m->field >= FIELD_TYPE && !exception_matches(v->exception, m))
            return false;
    }
    return true;
}

static bool rule_matches(const struct gstack *stack, uint32_t i, const struct stack_rule *rule)
{
    for (uint8_t k = 0; k < rule->matchers_n; k++)
        if (rule->matchers[k].field < FIELD_TYPE && !frame_matches(stack, i, &rule->matchers[k]))
            return false;
    return true;
}

static int view_init(struct view *v, const struct run *run, const struct gstack *stack, const struct gexception *x)
{
    uint32_t words = run->rules->words;
    uint64_t *any = arena_zalloc(run->arena, words * sizeof *any);
    if (!any)
        return ERR_NOMEM;
    *v = (struct view){ .run = run, .stack = stack, .exception = x, .any = any };
    for (uint32_t i = 0; i < stack->n; i++) {
        for (uint32_t w = 0; w < words; w++)
            any[w] |= stack->frames[i].bits[w];
        v->families |= stack->frames[i].family;
        v->categories |= stack->frames[i].category ? 1ull << stack->frames[i].category : 0;
    }
    return 0;
}

static void range(const struct action *a, uint32_t i, uint32_t n, uint32_t *ret_from, uint32_t *ret_to)
{
    *ret_from = a->range > 0 ? i + 1 : a->range < 0 ? 0 : i;
    *ret_to = a->range > 0 ? n : a->range < 0 ? i : i + 1;
}

static void classify(struct view *v, const struct stack_rule *rule, const struct gstack *stack, uint32_t i)
{
    for (uint8_t k = 0; k < rule->actions_n; k++) {
        const struct action *a = &rule->actions[k];
        uint32_t from, to;
        range(a, i, stack->n, &from, &to);
        if (a->kind == ACTION_CATEGORY) {
            stack->frames[i].category = a->category;
            v->categories |= 1ull << a->category;
        }
        for (uint32_t f = from; a->kind == ACTION_APP && f < to; f++)
            if (stack->frames[f].in_app != a->on) {
                stack->frames[f].in_app = a->on;
                stack->frames[f].app_rule = rule;
            }
    }
}

int frames_classify(struct run *run, struct gstack *stack, const struct gexception *x)
{
    const struct grouping_rules *rules = run->rules;
    struct view v;
    uint32_t *hits = arena_alloc_array(run->arena, stack->n ? stack->n : 1, sizeof *hits);
    int r = hits ? patterns_match(run, stack) : ERR_NOMEM;
    if (r == 0)
        r = view_init(&v, run, stack, x);
    for (uint32_t k = 0; r == 0 && k < rules->stack_n; k++) {
        const struct stack_rule *rule = &rules->stack[k];
        uint32_t n = 0;
        if (!rule->classifies || !may_match(&v, rule))
            continue;
        // What it does to a frame must not change whether it matches the next one.
        for (uint32_t i = 0; i < stack->n; i++)
            if (rule_matches(stack, i, rule))
                hits[n++] = i;
        for (uint32_t i = 0; i < n; i++)
            classify(&v, rule, stack, hits[i]);
    }
    for (uint32_t i = 0; r == 0 && i < stack->n; i++) {
        struct gframe *f = &stack->frames[i];
        f->sent->in_app = f->in_app = f->in_app == 1;
    }
    return r;
}

// --- what contributes

struct limits {
    uint32_t max, min;
    const struct stack_rule *max_rule, *min_rule;
};

static void contribute(const struct stack_rule *rule, struct component **frames, uint32_t n, uint32_t i,
                       struct limits *limits)
{
    for (uint8_t k = 0; k < rule->actions_n; k++) {
        const struct action *a = &rule->actions[k];
        uint32_t from, to;
        range(a, i, n, &from, &to);
        if (a->kind == ACTION_MAX_FRAMES) {
            limits->max = a->n;
            limits->max_rule = rule;
        } else if (a->kind == ACTION_MIN_FRAMES) {
            limits->min = a->n;
            limits->min_rule = rule;
        }
        for (uint32_t f = from; a->kind == ACTION_GROUP && f < to; f++)
            if (frames[f]->contributes != a->on) {
                frames[f]->contributes = a->on;
                frames[f]->hint = a->on ? "counted by a rule" : "ignored by a rule";
                frames[f]->rule = rule;
            }
    }
}

static void limits_apply(const struct limits *limits, struct component **frames, uint32_t n, struct component *stack)
{
    uint32_t counted = 0;
    for (uint32_t i = n; i > 0; i--) {
        struct component *f = frames[i - 1];
        if (!f->contributes)
            continue;
        if (!limits->max || counted < limits->max) {
            counted++;
            continue;
        }
        component_ignore(f, "ignored: a rule limits the number of frames");
        f->rule = limits->max_rule;
    }
    stack->contributes = counted > 0;
    if (limits->min && counted && counted < limits->min) {
        component_ignore(stack, "ignored: fewer frames than a rule demands");
        stack->rule = limits->min_rule;
    }
}

int stack_contributions(const struct run *run, const struct gstack *stack, const struct gexception *x,
                        struct component *component)
{
    const struct grouping_rules *rules = run->rules;
    struct limits limits = { 0 };
    struct view v;
    uint32_t n = 0;
    struct component **frames = arena_alloc_array(run->arena, stack->n ? stack->n : 1, sizeof *frames);
    if (!frames || view_init(&v, run, stack, x) < 0)
        return ERR_NOMEM;
    for (struct component *f = component->first; f; f = f->next)
        frames[n++] = f;
    for (uint32_t k = 0; k < rules->stack_n; k++) {
        const struct stack_rule *rule = &rules->stack[k];
        if (!rule->contributes || !may_match(&v, rule))
            continue;
        for (uint32_t i = 0; i < n; i++)
            if (rule_matches(stack, i, rule))
                contribute(rule, frames, n, i, &limits);
    }
    limits_apply(&limits, frames, n, component);
    return 0;
}
