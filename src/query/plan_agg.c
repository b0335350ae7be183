// Aggregates: which there are, what they take, what type comes out.
#include "query/plan_internal.h"

#include "base/numfmt.h"

enum takes { T_ANY, T_NUMERIC, T_ORDERED };

static const struct agg_info {
    const char *name;
    enum query_agg_fn fn;
    uint8_t min, max; // fields
    enum takes takes;
} infos[] = {
    { "count", QUERY_AGG_COUNT, 0, 1, T_ANY },       { "sum", QUERY_AGG_SUM, 1, 1, T_NUMERIC },
    { "avg", QUERY_AGG_AVG, 1, 1, T_NUMERIC },       { "min", QUERY_AGG_MIN, 1, 1, T_ORDERED },
    { "max", QUERY_AGG_MAX, 1, 1, T_ORDERED },       { "uniq", QUERY_AGG_UNIQ, 1, 16, T_ANY },
    { "rate", QUERY_AGG_RATE, 0, 1, T_NUMERIC },     { "increase", QUERY_AGG_INCREASE, 1, 1, T_NUMERIC },
    { "first", QUERY_AGG_FIRST, 1, 1, T_ANY },       { "last", QUERY_AGG_LAST, 1, 1, T_ANY },
    { "argmax", QUERY_AGG_ARGMAX, 2, 2, T_ORDERED }, { "argmin", QUERY_AGG_ARGMIN, 2, 2, T_ORDERED },
    { "values", QUERY_AGG_VALUES, 1, 1, T_ANY },     { "histogram", QUERY_AGG_HISTOGRAM, 1, 1, T_NUMERIC },
};

static const struct agg_info quantile_info = { "p..", QUERY_AGG_QUANTILE, 1, 1, T_NUMERIC };

enum { VALUES_DEFAULT = 10, VALUES_MAX = 1000 };

// p50 .. p99.9
static bool read_quantile(str name, double *ret_q)
{
    double percent;
    if (name.len < 2 || name.ptr[0] != 'p' || !parse_double(str_slice(name, 1, name.len), &percent) || percent < 0 ||
        percent > 100)
        return false;
    // The decimal as written, not its double divided: p99.9 is 0.999.
    char text[64] = { 0 };
    if (name.len + 3 > sizeof text)
        return false;
    memcpy(text, name.ptr + 1, name.len - 1);
    memcpy(text + name.len - 1, "e-2", 3);
    return parse_double(str_of(text, name.len + 2), ret_q);
}

static int unknown_agg(struct planner *pl, const struct query_ast_agg *a)
{
    static const struct {
        const char *elsewhere, *here;
    } habits[] = {
        { "mean", "avg" },        { "average", "avg" },      { "median", "p50" },     { "distinct", "uniq" },
        { "dc", "uniq" },         { "cardinality", "uniq" }, { "dcount", "uniq" },    { "count_distinct", "uniq" },
        { "count_uniq", "uniq" }, { "quantile", "p99" },     { "percentile", "p99" }, { "stddev", "histogram" },
        { "any", "first" },       { "latest", "last" },      { "earliest", "first" }, { "topk", "values" },
        { "collect", "values" },  { "arg_max", "argmax" },   { "arg_min", "argmin" }
    };
    int r = plan_fail(pl, a->name_pos, QUERY_E_UNKNOWN_FUNCTION, "there is no aggregate `%.*s`",
                      STR_ARG(str_slice(a->name, 0, 60)));
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (str_ieq(a->name, str_z(habits[i].elsewhere)))
            query_error_suggest(pl->err, str_z(habits[i].here));
    struct suggest s = { .word = a->name };
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
        suggest_offer(&s, str_z(infos[i].name));
    suggest_give(&s, pl->err);
    if (pl->err && pl->err->suggest_count == 0)
        query_error_hint(
            pl->err,
            "there are count sum avg min max p50..p99.9 uniq rate increase first last argmax argmin values histogram");
    return r;
}

static int bad_count(struct planner *pl, const struct query_ast_agg *a, const struct agg_info *info)
{
    int r;
    if (info->min == info->max)
        r = plan_fail(pl, a->pos, QUERY_E_BAD_ARGUMENT, "%.*s() takes %u field%s", STR_ARG(a->name), info->min,
                      info->min == 1 ? "" : "s");
    else
        r = plan_fail(pl, a->pos, QUERY_E_BAD_ARGUMENT, "%.*s() takes %u to %u fields", STR_ARG(a->name), info->min,
                      info->max);
    return r;
}

static bool suits(struct query_typeinfo t, enum takes takes)
{
    if (takes == T_ANY || t.type == QUERY_ANY)
        return true;
    if (plan_is_number(t.type) || t.type == QUERY_DURATION)
        return true;
    return takes == T_ORDERED &&
           (t.type == QUERY_TIME || t.type == QUERY_STRING || t.type == QUERY_ENUM || t.type == QUERY_LEVEL);
}

static int check_types(struct planner *pl, const struct query_ast_agg *a, const struct agg_info *info,
                       const struct query_agg *agg)
{
    bool arg = info->fn == QUERY_AGG_ARGMAX || info->fn == QUERY_AGG_ARGMIN;
    for (uint32_t i = arg; i < agg->ref_count; i++) {
        struct query_typeinfo t = agg->refs[i]->type;
        if (suits(t, info->takes))
            continue;
        const struct query_ast_arg *g = a->args;
        for (uint32_t k = 0; k < i; k++)
            g = g->next;
        return plan_fail(pl, g->field->pos, QUERY_E_TYPE_MISMATCH, "%.*s() cannot take a %.*s", STR_ARG(a->name),
                         STR_ARG(query_type_name(t.type)));
    }
    return 0;
}

// rate and increase of a gauge mean nothing; known when the filter says type=gauge.
static bool asks_for_gauges(const struct planner *pl, const struct query_filter *f)
{
    if (!f)
        return false;
    if (f->kind == QUERY_FILTER_AND) {
        for (uint32_t i = 0; i < f->kid_count; i++)
            if (asks_for_gauges(pl, f->kids[i]))
                return true;
        return false;
    }
    return f->kind == QUERY_FILTER_COMPARE && f->cmp == QUERY_EQ && f->value_count == 1 &&
           plan_ref_is_field(pl, f->ref, QUERY_F_TYPE) && str_eq(f->values[0].text, STR("gauge"));
}

static int read_args(struct planner *pl, const struct query_ast_agg *a, const struct agg_info *info,
                     struct query_agg *agg)
{
    uint32_t n = 0;
    for (const struct query_ast_arg *g = a->args; g; g = g->next)
        n++;
    agg->refs = arena_alloc_array(pl->arena, n, sizeof *agg->refs);
    if (!agg->refs)
        return plan_nomem(pl);
    for (const struct query_ast_arg *g = a->args; g; g = g->next) {
        if (g->field) {
            int r = plan_ref(pl, g->field, &agg->refs[agg->ref_count]);
            if (r < 0)
                return r;
            agg->ref_count++;
            continue;
        }
        struct query_literal lit;
        int r = plan_literal(pl, g->number, &lit);
        if (r < 0)
            return r;
        if (info->fn != QUERY_AGG_VALUES || g != a->args->next || g->next)
            return plan_fail(pl, g->number->pos, QUERY_E_BAD_ARGUMENT, "%.*s() takes no number here", STR_ARG(a->name));
        if (!(lit.readings & QR_INT) || lit.i < 1 || lit.i > VALUES_MAX)
            return plan_fail(pl, g->number->pos, QUERY_E_BAD_ARGUMENT, "values() takes 1 to %d values", VALUES_MAX);
        agg->n = (uint32_t)lit.i;
    }
    return agg->ref_count < info->min || agg->ref_count > info->max ? bad_count(pl, a, info) : 0;
}

static struct query_typeinfo result_type(const struct query_agg *agg)
{
    struct query_typeinfo f = agg->ref_count ? agg->refs[0]->type : (struct query_typeinfo){ QUERY_ANY, false, NULL };
    struct query_typeinfo one = { f.type, false, f.words };
    switch (agg->fn) {
    case QUERY_AGG_COUNT:
    case QUERY_AGG_UNIQ:
        return (struct query_typeinfo){ QUERY_INT, false, NULL };
    case QUERY_AGG_RATE:
        return (struct query_typeinfo){ QUERY_DOUBLE, false, NULL };
    case QUERY_AGG_AVG:
        return (struct query_typeinfo){ plan_is_number(f.type) ? QUERY_DOUBLE : f.type, false, NULL };
    case QUERY_AGG_SUM: // beyond int64 it is a double
        return (struct query_typeinfo){ f.type == QUERY_INT ? QUERY_NUMBER : f.type, false, NULL };
    case QUERY_AGG_VALUES:
        one.list = true;
        return one;
    case QUERY_AGG_HISTOGRAM:
        return (struct query_typeinfo){ QUERY_LIST, false, NULL };
    case QUERY_AGG_FIRST:
    case QUERY_AGG_LAST:
    case QUERY_AGG_ARGMAX:
    case QUERY_AGG_ARGMIN:
        return f;
    default:
        return one;
    }
}

int plan_agg(struct planner *pl, const struct query_ast_agg *a, struct query_agg *ret_agg,
             struct query_typeinfo *ret_type)
{
    struct query_agg agg = { .pos = a->pos, .n = VALUES_DEFAULT, .slot = QUERY_NO_SLOT, .index = pl->plan->agg_count };
    const struct agg_info *info = NULL;
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
        if (str_eq(a->name, str_z(infos[i].name)))
            info = &infos[i];
    if (!info && read_quantile(a->name, &agg.q))
        info = &quantile_info;
    if (!info)
        return unknown_agg(pl, a);
    agg.fn = info->fn;
    int r = read_args(pl, a, info, &agg);
    if (r < 0 || (r = check_types(pl, a, info, &agg)) < 0)
        return r;
    if ((agg.fn == QUERY_AGG_RATE || agg.fn == QUERY_AGG_INCREASE) && agg.ref_count &&
        pl->plan->sources == QS_METRICS && asks_for_gauges(pl, pl->plan->filter))
        return plan_fail(pl, a->pos, QUERY_E_TYPE_MISMATCH, "%.*s() of a gauge means nothing: it does not count up",
                         STR_ARG(a->name));
    if (a->filter && (r = plan_filter(pl, a->filter, &agg.filter)) < 0)
        return r;
    pl->plan->agg_count++;
    *ret_type = result_type(&agg);
    *ret_agg = agg;
    return 0;
}
