// The steps: what each reads and which columns are there behind it.
#include "query/plan_internal.h"

#include "base/buf.h"

static struct query_typeinfo type_of(enum query_type t) { return (struct query_typeinfo){ t, false, NULL }; }

// A column that one step makes beside others: no name twice.
static int add_output(struct planner *pl, uint32_t first, str name, struct query_typeinfo type, struct query_pos pos,
                      int32_t *ret_slot)
{
    for (uint32_t i = first; i < pl->plan->slot_count; i++)
        if (str_eq(pl->plan->columns[i].name, name)) {
            int r = plan_fail(pl, pos, QUERY_E_DUPLICATE_COLUMN, "there are two columns `%.*s`",
                              STR_ARG(str_slice(name, 0, 80)));
            query_error_hint(pl->err, "give one another name with `as`");
            return r;
        }
    return plan_add_column(pl, name, type, ret_slot);
}

int plan_refs(struct planner *pl, const struct query_ast_field *f, const struct query_ref ***ret_refs,
              uint32_t *ret_count)
{
    uint32_t n = 0;
    for (const struct query_ast_field *k = f; k; k = k->next)
        n++;
    const struct query_ref **refs = arena_alloc_array(pl->arena, n, sizeof *refs);
    if (!refs)
        return plan_nomem(pl);
    n = 0;
    for (; f; f = f->next) {
        int r = plan_ref(pl, f, &refs[n++]);
        if (r < 0)
            return r;
    }
    *ret_refs = refs;
    *ret_count = n;
    return 0;
}

static int step_let(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    uint32_t n = 0;
    for (const struct query_ast_item *i = s->items; i; i = i->next)
        n++;
    step->lets = arena_alloc_array(pl->arena, n, sizeof *step->lets);
    if (!step->lets)
        return plan_nomem(pl);
    for (const struct query_ast_item *i = s->items; i; i = i->next) {
        struct query_let *l = &step->lets[step->let_count++];
        int r = plan_expr(pl, i->expr, &l->expr);
        if (r < 0 || (r = plan_add_column(pl, i->name, l->expr->type, &l->slot)) < 0)
            return r;
    }
    return 0;
}

static int step_select(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    step->star = s->star;
    if (s->star)
        return 0;
    uint32_t n = 0, first = pl->plan->slot_count;
    for (const struct query_ast_item *i = s->items; i; i = i->next)
        n++;
    step->items = arena_alloc_array(pl->arena, n, sizeof *step->items);
    if (!step->items)
        return plan_nomem(pl);
    // All are read from what was there before the step.
    for (const struct query_ast_item *i = s->items; i; i = i->next) {
        int r = plan_ref(pl, i->field, &step->items[step->item_count++].ref);
        if (r < 0)
            return r;
    }
    n = 0;
    for (const struct query_ast_item *i = s->items; i; i = i->next, n++) {
        str name = i->name;
        int r = name.len ? 0 : plan_field_name(pl, i->field, &name);
        if (r < 0 || (r = add_output(pl, first, name, step->items[n].ref->type, i->pos, &step->items[n].slot)) < 0)
            return r;
    }
    plan_close_scope(pl, first);
    return 0;
}

static int step_sort(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    uint32_t n = 0;
    for (const struct query_ast_item *i = s->items; i; i = i->next)
        n++;
    step->keys = arena_alloc_array(pl->arena, n, sizeof *step->keys);
    if (!step->keys)
        return plan_nomem(pl);
    for (const struct query_ast_item *i = s->items; i; i = i->next) {
        struct query_sort_key *k = &step->keys[step->key_count++];
        int r = plan_ref(pl, i->field, &k->ref);
        if (r < 0)
            return r;
        k->desc = i->desc;
    }
    return 0;
}

// Keys and aggregates become the only columns.
static int plan_groups(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    uint32_t first = pl->plan->slot_count, n = 0;
    int r = plan_refs(pl, s->fields, &step->by, &step->by_count);
    if (r < 0)
        return r;
    for (const struct query_ast_agg *a = s->aggs; a; a = a->next)
        n++;
    step->aggs = arena_alloc_array(pl->arena, n + 1, sizeof *step->aggs);
    struct query_typeinfo *types = arena_alloc_array(pl->arena, n + 1, sizeof *types);
    step->by_slots = arena_alloc_array(pl->arena, step->by_count, sizeof *step->by_slots);
    if (!step->aggs || !types || !step->by_slots)
        return plan_nomem(pl);
    for (const struct query_ast_agg *a = s->aggs; a; a = a->next, step->agg_count++)
        if ((r = plan_agg(pl, a, &step->aggs[step->agg_count], &types[step->agg_count])) < 0)
            return r;
    n = 0;
    for (const struct query_ast_field *f = s->fields; f; f = f->next, n++) {
        str name;
        if ((r = plan_field_name(pl, f, &name)) < 0 ||
            (r = add_output(pl, first, name, step->by[n]->type, f->pos, &step->by_slots[n])) < 0)
            return r;
    }
    n = 0;
    for (const struct query_ast_agg *a = s->aggs; a; a = a->next, n++) {
        str name = a->as;
        if (!name.len) {
            struct buf b;
            buf_init(&b, 2 * QUERY_TEXT_MAX);
            r = query_print_agg(a, &b);
            if (r == 0)
                r = arena_dup(pl->arena, buf_view(&b), &name);
            buf_free(&b);
            if (r < 0)
                return plan_nomem(pl);
        }
        if ((r = add_output(pl, first, name, types[n], a->as.len ? a->as_pos : a->pos, &step->aggs[n].slot)) < 0)
            return r;
    }
    plan_close_scope(pl, first);
    return 0;
}

static int step_top(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    uint32_t first = pl->plan->slot_count;
    step->n = s->n;
    int r = plan_groups(pl, s, step);
    if (r < 0)
        return r;
    if (!s->aggs) { // count() as count
        step->aggs[0] = (struct query_agg){ .fn = QUERY_AGG_COUNT, .pos = s->name_pos, .index = pl->plan->agg_count++ };
        step->agg_count = 1;
        if ((r = add_output(pl, first, STR("count"), type_of(QUERY_INT), s->fields->pos, &step->aggs[0].slot)) < 0)
            return r;
    }
    return add_output(pl, first, STR("share"), type_of(QUERY_DOUBLE), s->fields->pos, &step->share_slot);
}

static int step_traces(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    static const struct {
        const char *name;
        enum query_type type;
    } columns[QUERY_TRACES_COLUMNS] = { { "trace", QUERY_ID },          { "time", QUERY_TIME },
                                        { "duration", QUERY_DURATION }, { "service", QUERY_STRING },
                                        { "name", QUERY_STRING },       { "spans", QUERY_INT },
                                        { "errors", QUERY_INT },        { "services", QUERY_INT },
                                        { "matched", QUERY_INT },       { "complete", QUERY_BOOL } };
    uint32_t first = pl->plan->slot_count;
    step->by = arena_alloc_array(pl->arena, 1, sizeof *step->by);
    if (!step->by)
        return plan_nomem(pl);
    int r = plan_ref_named(pl, "trace", s->name_pos, &step->by[0]);
    if (r < 0)
        return r;
    step->by_count = 1;
    for (int i = 0; i < QUERY_TRACES_COLUMNS; i++)
        if ((r = plan_add_column(pl, str_z(columns[i].name), type_of(columns[i].type), &step->trace_slots[i])) < 0)
            return r;
    plan_close_scope(pl, first);
    return 0;
}

int plan_step(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    switch (s->kind) {
    case QUERY_WHERE:
        return plan_filter(pl, s->filter, &step->filter);
    case QUERY_LET:
        return step_let(pl, s, step);
    case QUERY_SELECT:
        return step_select(pl, s, step);
    case QUERY_SORT:
        return step_sort(pl, s, step);
    case QUERY_LIMIT:
        step->n = s->n;
        return plan_refs(pl, s->fields, &step->by, &step->by_count);
    case QUERY_TOP:
        return step_top(pl, s, step);
    case QUERY_STATS:
        return plan_groups(pl, s, step);
    case QUERY_BUCKET:
        return plan_bucket(pl, s, step);
    case QUERY_TRACES:
        return step_traces(pl, s, step);
    case QUERY_FILL:
        return plan_fill(pl, s, step);
    case QUERY_PATTERNS:
        return plan_patterns(pl, s, step);
    case QUERY_FACETS:
        return plan_facets(pl, s, step);
    case QUERY_DIFFER:
        return plan_differ(pl, s, step);
    case QUERY_EXTRACT:
        return plan_extract(pl, s, step);
    case QUERY_PARSE:
        return plan_parse(pl, s, step);
    case QUERY_CONTEXT:
        return plan_context(pl, s, step);
    case QUERY_STEP_COUNT:
        break;
    }
    return plan_not_yet(pl, s->name_pos, "the step", query_step_name(s->kind));
}
