// The time range: the caller's, narrowed or set by what the text says at its top level.
#include "query/plan_internal.h"

#include "base/clock.h"

int plan_range_begin(struct planner *pl)
{
    const struct query_options *opt = pl->opt;
    struct query_plan *plan = pl->plan;
    int64_t hour = 3600 * NS_PER_S;
    if (pl->outer) { // the same range
        plan->range_all = pl->outer->range_all;
        plan->from = pl->outer->from;
        plan->to = pl->outer->to;
        return 0;
    }
    plan->to = opt->has_to ? opt->to : opt->now_ns;
    if (opt->has_from)
        plan->from = opt->from;
    else if (__builtin_sub_overflow(plan->to, hour, &plan->from))
        plan->from = INT64_MIN;
    // A caller's end in the past of its begin is a mistake; without an end, a begin ahead of now is only empty.
    if (opt->has_from && !opt->has_to && plan->to < plan->from)
        plan->to = plan->from;
    if (opt->has_to && plan->from >= plan->to)
        return query_fail(pl->err, QUERY_E_BAD_RANGE, "the range begins at or behind its end");
    return 0;
}

static void narrow_time(struct planner *pl, const struct query_filter *f, bool given)
{
    struct query_plan *plan = pl->plan;
    if (f->value_count != 1)
        return;
    const struct query_literal *lit = f->values;
    int64_t t = lit->readings & QR_TIME ? lit->time : 0, after = t == INT64_MAX ? t : t + 1;
    int64_t from = INT64_MIN, to = INT64_MAX;
    switch (f->cmp) {
    case QUERY_EQ:
        from = t, to = after;
        break;
    case QUERY_GE:
        from = t;
        break;
    case QUERY_GT:
        from = after;
        break;
    case QUERY_LE:
        to = after;
        break;
    case QUERY_LT:
        to = t;
        break;
    }
    if (!given && !pl->range_from_text) { // the text sets it: what it leaves open is open
        plan->from = INT64_MIN;
        plan->to = INT64_MAX;
    }
    pl->range_from_text = true;
    plan->range_all = false;
    plan->from = from > plan->from ? from : plan->from;
    plan->to = to < plan->to ? to : plan->to;
    if (plan->to < plan->from)
        plan->to = plan->from;
}

void plan_range_narrow(struct planner *pl, const struct query_filter *f)
{
    bool given = pl->opt->has_from || pl->opt->has_to;
    if (f->kind == QUERY_FILTER_AND) {
        for (uint32_t i = 0; i < f->kid_count; i++)
            plan_range_narrow(pl, f->kids[i]);
        return;
    }
    if (f->kind != QUERY_FILTER_COMPARE)
        return;
    if (plan_ref_is_field(pl, f->ref, QUERY_F_TIME))
        narrow_time(pl, f, given);
    bool one_thing = plan_ref_is_field(pl, f->ref, QUERY_F_TRACE) || plan_ref_is_field(pl, f->ref, QUERY_F_SPAN) ||
                     plan_ref_is_field(pl, f->ref, QUERY_F_ID);
    if (!given && !pl->range_from_text && one_thing && f->cmp == QUERY_EQ) {
        pl->plan->range_all = true;
        pl->plan->from = INT64_MIN;
        pl->plan->to = INT64_MAX;
    }
}
