// facets, differ, patterns: steps that count values and answer in columns of their own.
#include "query/plan_internal.h"

struct out_column {
    const char *name;
    enum query_type type;
};

static int add_columns(struct planner *pl, const struct out_column *c, uint32_t n, struct query_step *step)
{
    uint32_t first = pl->plan->slot_count;
    for (uint32_t i = 0; i < n; i++) {
        int r = plan_add_column(pl, str_z(c[i].name), (struct query_typeinfo){ c[i].type, false, NULL },
                                &step->out_slots[i]);
        if (r < 0)
            return r;
    }
    plan_close_scope(pl, first);
    return 0;
}

// Columns of steps, and behind them whatever the records have.
static int all_fields(struct planner *pl, struct query_pos pos, bool compared, struct query_step *step)
{
    step->records = pl->open;
    step->by = arena_alloc_array(pl->arena, pl->visible_count + 1, sizeof *step->by);
    if (!step->by)
        return plan_nomem(pl);
    for (uint32_t i = 0; i < pl->visible_count; i++) {
        const struct query_column *c = &pl->plan->columns[pl->visible[i]];
        if (compared && (c->type.type == QUERY_ID || c->type.type == QUERY_TIME))
            continue;
        int r = plan_ref_name(pl, c->name, pos, &step->by[step->by_count++]);
        if (r < 0)
            return r;
    }
    if (!pl->open || !(pl->plan->sources & QS_SNAPSHOTS))
        return 0;
    if (pl->opt->may_values) {
        pl->plan->values_read = true;
        return 0;
    }
    pl->plan->values_hidden = true;
    return plan_hint(pl, pos, "values of captured records are left out: they need the permission `values`");
}

int plan_facets(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    static const struct out_column columns[] = {
        { "field", QUERY_STRING }, { "value", QUERY_ANY }, { "count", QUERY_INT }, { "share", QUERY_DOUBLE }
    };
    enum { VALUES_DEFAULT = 10 };
    int r = s->fields ? plan_refs(pl, s->fields, &step->by, &step->by_count) : all_fields(pl, s->name_pos, false, step);
    step->n = s->has_n ? s->n : VALUES_DEFAULT;
    uint32_t n = 0; // a field named twice is one
    for (uint32_t i = 0; r == 0 && i < step->by_count; i++) {
        uint32_t k = 0;
        while (k < n && !str_eq(step->by[k]->name, step->by[i]->name))
            k++;
        if (k == n)
            step->by[n++] = step->by[i];
    }
    step->by_count = r == 0 ? n : 0;
    return r < 0 ? r : add_columns(pl, columns, 4, step);
}

int plan_differ(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    static const struct out_column columns[QUERY_DIFFER_COLUMNS] = { { "field", QUERY_STRING }, { "value", QUERY_ANY },
                                                                     { "in", QUERY_DOUBLE },    { "out", QUERY_DOUBLE },
                                                                     { "score", QUERY_DOUBLE }, { "from", QUERY_ANY },
                                                                     { "to", QUERY_ANY } };
    int r = plan_filter(pl, s->filter, &step->filter);
    if (r == 0)
        r = all_fields(pl, s->name_pos, true, step);
    return r < 0 ? r : add_columns(pl, columns, QUERY_DIFFER_COLUMNS, step);
}

// Behind `select` only what was kept of them is there.
static bool is_there(const struct planner *pl, const char *name)
{
    for (uint32_t i = 0; i < pl->visible_count; i++) {
        if (str_eq(pl->plan->columns[pl->visible[i]].name, str_z(name)))
            return true;
    }
    return pl->open;
}

int plan_patterns(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    static const char *const reads[] = { "pattern", "level", "service", "time", "id" };
    enum { READS = sizeof reads / sizeof *reads };
    static const struct out_column columns[QUERY_PATTERNS_COLUMNS] = {
        { "pattern", QUERY_STRING }, { "count", QUERY_INT },   { "share", QUERY_DOUBLE }, { "first", QUERY_TIME },
        { "last", QUERY_TIME },      { "level", QUERY_LEVEL }, { "services", QUERY_INT }, { "example", QUERY_STRING }
    };
    step->by = arena_zalloc(pl->arena, READS * sizeof *step->by);
    if (!step->by)
        return plan_nomem(pl);
    bool leveled = !pl->open;
    for (int k = 0; k < QUERY_SOURCE_COUNT; k++)
        leveled |= (pl->plan->sources >> k & 1) && query_field_find((enum query_source)k, STR("level"));
    for (uint32_t i = 0; i < READS; i++) {
        int r = i == 0 || (is_there(pl, reads[i]) && (i != 1 || leveled))
                    ? plan_ref_named(pl, reads[i], s->name_pos, &step->by[i])
                    : 0;
        if (r < 0)
            return r;
    }
    step->by_count = READS;
    return add_columns(pl, columns, QUERY_PATTERNS_COLUMNS, step);
}
