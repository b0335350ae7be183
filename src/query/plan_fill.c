// fill: stands directly behind `stats .. by` with one bucket of time among its keys.
#include "query/plan_internal.h"

static bool is_time_bucket(const struct query_plan *plan, const struct query_ref *ref)
{
    if (ref->slot == QUERY_NO_SLOT || ref->path_from_slot != ref->path_len ||
        plan->columns[ref->slot].step >= plan->step_count)
        return false;
    const struct query_step *made = &plan->steps[plan->columns[ref->slot].step];
    return made->kind == QUERY_BUCKET && made->bucket.slot == ref->slot &&
           (made->bucket.kind == QUERY_BUCKET_TIME || made->bucket.kind == QUERY_BUCKET_CALENDAR);
}

int plan_fill(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    const struct query_plan *plan = pl->plan;
    const struct query_step *stats = pl->step > 0 ? &plan->steps[pl->step - 1] : NULL;
    uint32_t buckets = 0;
    for (uint32_t k = 0; stats && stats->kind == QUERY_STATS && k < stats->by_count; k++) {
        if (!is_time_bucket(plan, stats->by[k]))
            continue;
        step->fill_key = k;
        step->fill_bucket = &plan->steps[plan->columns[stats->by[k]->slot].step].bucket;
        buckets++;
    }
    if (buckets != 1) {
        int r = plan_fail(pl, s->name_pos, QUERY_E_BAD_ARGUMENT,
                          "`fill` needs `stats` with one bucket of time among its keys right before it");
        query_error_hint(pl->err, "| bucket 1m | stats count() by bucket | fill");
        return r;
    }
    step->fill_stats = stats;
    if (!s->value)
        return 0;
    step->fill_value = arena_alloc(pl->arena, sizeof *step->fill_value);
    return step->fill_value ? plan_literal(pl, s->value, step->fill_value) : plan_nomem(pl);
}
