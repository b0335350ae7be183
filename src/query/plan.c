#include "query/plan_internal.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>

// ---- what every part of the planner uses
int plan_fail(struct planner *pl, struct query_pos pos, enum query_code code, const char *fmt, ...)
{
    char message[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    int r = query_fail(pl->err, code, "%s", message);
    query_error_at(pl->err, pl->ast->text, pos.off, pos.len);
    return r;
}

int plan_nomem(struct planner *pl) { return query_fail(pl->err, QUERY_E_MEMORY, "no memory to plan the query"); }

int plan_not_yet(struct planner *pl, struct query_pos pos, const char *what, str name)
{
    return plan_fail(pl, pos, QUERY_E_NOT_YET, "%s `%.*s` is not built yet", what, STR_ARG(name));
}

int plan_grow(struct planner *pl, void *list, uint32_t count, uint32_t *cap, size_t size)
{
    void *old;
    memcpy(&old, list, sizeof old);
    if (count < *cap)
        return 0;
    uint32_t want = *cap ? *cap * 2 : 8;
    void *fresh = arena_alloc_array(pl->arena, want, size);
    if (!fresh)
        return plan_nomem(pl);
    if (count)
        memcpy(fresh, old, count * size);
    memcpy(list, &fresh, sizeof fresh);
    *cap = want;
    return 0;
}

int plan_hint(struct planner *pl, struct query_pos pos, const char *fmt, ...)
{
    enum { HINTS_MAX = 16 };
    if (pl->plan->hint_count == HINTS_MAX)
        return 0;
    char text[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct query_hint h = { .pos = pos };
    int r = plan_grow(pl, &pl->plan->hints, pl->plan->hint_count, &pl->hint_cap, sizeof h);
    if (r < 0)
        return r;
    if (arena_dup(pl->arena, str_z(text), &h.text) < 0)
        return plan_nomem(pl);
    pl->plan->hints[pl->plan->hint_count++] = h;
    return 0;
}

int plan_add_column(struct planner *pl, str name, struct query_typeinfo type, int32_t *ret_slot)
{
    int r = plan_grow(pl, &pl->plan->columns, pl->plan->slot_count, &pl->column_cap, sizeof *pl->plan->columns);
    if (r < 0 || (r = plan_grow(pl, &pl->visible, pl->visible_count, &pl->visible_cap, sizeof *pl->visible)) < 0)
        return r;
    int32_t slot = (int32_t)pl->plan->slot_count++;
    pl->plan->columns[slot] = (struct query_column){ name, type, pl->step };
    uint32_t n = 0;
    for (uint32_t i = 0; i < pl->visible_count; i++)
        if (!str_eq(pl->plan->columns[pl->visible[i]].name, name))
            pl->visible[n++] = pl->visible[i];
    pl->visible[n++] = slot;
    pl->visible_count = n;
    *ret_slot = slot;
    return 0;
}

int plan_add_hidden(struct planner *pl, struct query_typeinfo type, int32_t *ret_slot)
{
    int r = plan_grow(pl, &pl->plan->columns, pl->plan->slot_count, &pl->column_cap, sizeof *pl->plan->columns);
    if (r < 0)
        return r;
    *ret_slot = (int32_t)pl->plan->slot_count++;
    pl->plan->columns[*ret_slot] = (struct query_column){ STR(""), type, pl->step };
    return 0;
}

void plan_close_scope(struct planner *pl, uint32_t first)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < pl->visible_count; i++)
        if ((uint32_t)pl->visible[i] >= first)
            pl->visible[n++] = pl->visible[i];
    pl->visible_count = n;
    pl->fields = QUERY_NO_SLOT;
    pl->open = false;
}

int plan_literal(struct planner *pl, const struct query_ast_value *v, struct query_literal *ret_lit)
{
    return query_literal_read(pl->arena, pl->ast->text, v, pl->opt->now_ns, pl->opt->zone, ret_lit, pl->err);
}

int plan_regex(struct planner *pl, const struct query_ast_value *v, struct query_regex **ret_re)
{
    str pattern;
    int r = query_pattern_read(pl->arena, v, &pattern, pl->err);
    if (r < 0 ||
        (r = plan_grow(pl, &pl->plan->regexes, pl->plan->regex_count, &pl->regex_cap, sizeof *pl->plan->regexes)) < 0)
        return r;
    struct query_regex_error e;
    if (query_regex_new(pattern, ret_re, &e) < 0) {
        if (e.fault == QUERY_REGEX_NOMEM)
            return plan_nomem(pl);
        size_t from = query_pattern_offset(v, e.off), to = query_pattern_offset(v, e.off + e.len);
        struct query_pos pos = { (uint32_t)from, (uint32_t)(to > from ? to - from : 1) };
        return plan_fail(pl, pos, e.fault == QUERY_REGEX_TOO_BIG ? QUERY_E_REGEX_TOO_BIG : QUERY_E_BAD_REGEX, "%s",
                         e.message);
    }
    pl->plan->regexes[pl->plan->regex_count++] = *ret_re;
    return 0;
}

// ---- sources
static int plan_sources(struct planner *pl)
{
    uint16_t may = pl->opt->sources ? pl->opt->sources : QS_ALL, sources = 0;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        if (!(pl->ast->sources >> s & 1) || (s == QUERY_ISSUES && pl->ast->star))
            continue; // `*` is every kind of record, and issues are made of records
        if (s == QUERY_ISSUES && pl->opt->live)
            return plan_fail(pl, pl->ast->kind_pos[s], QUERY_E_NOT_LIVE, "issues are no records that come one by one");
        bool built = query_source_level((enum query_source)s) <= (int)pl->level;
        if (!built && !pl->ast->star)
            return plan_not_yet(pl, pl->ast->kind_pos[s], "the source", query_source_name((enum query_source)s));
        if (built && may >> s & 1)
            sources |= (uint16_t)(1 << s);
    }
    if (!sources)
        return plan_fail(pl, pl->ast->source_pos, QUERY_E_FORBIDDEN_PROJECT, "you may not read this kind of record");
    pl->plan->sources = sources;
    return 0;
}

// ---- steps
static bool blocks(enum query_step_kind k)
{
    return k == QUERY_SORT || query_step_groups(k) || k == QUERY_TRACES || k == QUERY_CONTEXT;
}

// Steps that make columns of each row by itself.
static bool makes_columns(enum query_step_kind k)
{
    return k == QUERY_LET || k == QUERY_SELECT || k == QUERY_EXTRACT || k == QUERY_PARSE;
}

// Of a sort whose rows are cut by a limit further on, only the first n are needed.
static void push_limits(struct query_plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].kind != QUERY_SORT)
            continue;
        uint32_t k = i + 1;
        while (k < plan->step_count && makes_columns(plan->steps[k].kind))
            k++;
        if (k < plan->step_count && plan->steps[k].kind == QUERY_LIMIT && plan->steps[k].by_count == 0)
            plan->steps[i].sort_limit = plan->steps[k].n;
    }
}

static bool live_step(enum query_step_kind k)
{
    return k == QUERY_WHERE || k == QUERY_LET || k == QUERY_SELECT || k == QUERY_EXTRACT || k == QUERY_PARSE;
}

static int plan_steps(struct planner *pl)
{
    struct query_plan *plan = pl->plan;
    plan->steps = arena_alloc_array(pl->arena, pl->ast->step_count + 2, sizeof *plan->steps); // one for plan_in_column
    if (!plan->steps)
        return plan_nomem(pl);
    bool leading = true, limited = false;
    plan->first_blocking = pl->ast->step_count;
    for (const struct query_ast_step *s = pl->ast->steps; s; s = s->next) {
        struct query_step *step = &plan->steps[plan->step_count];
        *step = (struct query_step){
            .kind = s->kind, .pos = s->pos, .name = query_step_name(s->kind), .share_slot = QUERY_NO_SLOT
        };
        pl->step = plan->step_count;
        if (pl->opt->live && !live_step(s->kind)) {
            int r = plan_fail(pl, s->name_pos, QUERY_E_NOT_LIVE, "`%.*s` cannot follow records as they come",
                              STR_ARG(step->name));
            query_error_hint(pl->err, "a live tail takes where, let, select, extract and parse");
            return r;
        }
        int r = plan_step(pl, s, step);
        if (r < 0)
            return r;
        leading = leading && s->kind == QUERY_WHERE;
        if (leading)
            plan_range_narrow(pl, step->filter);
        limited =
            limited || (s->kind == QUERY_LIMIT && !s->fields) || query_step_groups(s->kind) || s->kind == QUERY_TRACES;
        if (blocks(s->kind) && plan->first_blocking == pl->ast->step_count)
            plan->first_blocking = plan->step_count;
        plan->step_count++;
    }
    plan->default_limit = limited ? 0 : QUERY_DEFAULT_LIMIT;
    push_limits(plan);
    return pl->in ? plan_in_column(pl) : 0;
}

static int plan_canonical(struct planner *pl)
{
    struct buf b;
    buf_init(&b, 4 * QUERY_TEXT_MAX);
    int r = query_print_canonical(pl->ast, &b);
    if (r == 0)
        r = arena_dup(pl->arena, buf_view(&b), &pl->plan->canonical);
    buf_free(&b);
    return r < 0 ? plan_nomem(pl) : 0;
}

// Names that the data does not have, when the caller knows them.
static int hint_unknown_names(struct planner *pl)
{
    struct query_hint hints[4];
    if (!pl->opt->catalogue)
        return 0;
    uint32_t n = query_plan_unknown_names(pl->arena, pl->plan, pl->opt->catalogue, hints, 4);
    for (uint32_t i = 0; i < n; i++) {
        int r = plan_hint(pl, hints[i].pos, "%.*s", STR_ARG(hints[i].text));
        if (r < 0)
            return r;
    }
    return 0;
}

static int plan_all(struct planner *pl)
{
    const struct query_ast *ast = pl->ast;
    struct query_plan *plan = pl->plan;
    if (ast->sets)
        return plan_fail(pl, ast->sets->pos, QUERY_E_NOT_YET, "structure between sets of spans is not built yet");
    int r = plan_sources(pl);
    if (r < 0 || (r = plan_range_begin(pl)) < 0)
        return r;
    if (ast->filter) {
        if ((r = plan_filter(pl, ast->filter, &plan->filter)) < 0)
            return r;
        plan_range_narrow(pl, plan->filter);
    }
    if ((r = plan_steps(pl)) < 0 || (r = plan_inner(pl)) < 0 || (r = plan_canonical(pl)) < 0 ||
        (r = hint_unknown_names(pl)) < 0)
        return r;
    plan->out_records = pl->open;
    plan->out = pl->visible;
    plan->out_count = pl->visible_count;
    plan->out_fields = pl->fields;
    return 0;
}

static int build(struct planner *pl, struct query_plan **ret_plan)
{
    pl->open = true;
    pl->fields = QUERY_NO_SLOT;
    pl->level = pl->opt->level ? pl->opt->level : QUERY_LEVEL_BUILT;
    struct query_plan *plan = arena_zalloc(pl->arena, sizeof *plan);
    if (!plan)
        return plan_nomem(pl);
    pl->plan = plan;
    plan->magic = QUERY_PLAN_MAGIC;
    plan->text = pl->ast->text;
    plan->now_ns = pl->opt->now_ns;
    plan->zone = pl->opt->zone;
    int r = plan_all(pl);
    if (r < 0) {
        query_plan_free(plan);
        return r;
    }
    *ret_plan = plan;
    return 0;
}

int query_plan_build(struct arena *arena, const struct query_ast *ast, const struct query_options *opt,
                     struct query_plan **ret_plan, struct query_error *err)
{
    struct planner pl = { .arena = arena, .ast = ast, .opt = opt, .err = err };
    return build(&pl, ret_plan);
}

int plan_build_inner(struct planner *outer, const struct query_options *opt, struct query_in *in)
{
    struct planner pl = {
        .arena = outer->arena, .ast = in->ast->query, .opt = opt, .err = outer->err, .outer = outer->plan, .in = in
    };
    return build(&pl, &in->plan);
}

int query_compile(struct arena *arena, str text, const struct query_options *opt, struct query_plan **ret_plan,
                  struct query_error *err)
{
    struct query_ast *ast;
    int r = query_parse(arena, text, &ast, err);
    return r < 0 ? r : query_plan_build(arena, ast, opt, ret_plan, err);
}

void query_plan_free(struct query_plan *plan)
{
    if (!plan)
        return;
    MAGIC_CHECK(plan, QUERY_PLAN_MAGIC);
    for (uint32_t i = 0; i < plan->regex_count; i++)
        query_regex_free(plan->regexes[i]);
    for (uint32_t i = 0; i < plan->in_count; i++)
        query_plan_free(plan->ins[i]->plan);
    plan->magic = 0;
}
