// field in {query}: the inner query is planned when the range of the outer one is known, for it is the same.
#include "query/plan_internal.h"

#include "base/buf.h"

int plan_in(struct planner *pl, const struct query_ast_filter *a, struct query_filter *f)
{
    struct query_plan *plan = pl->plan;
    if (pl->opt->live)
        return plan_fail(pl, a->op_pos, QUERY_E_NOT_LIVE, "`in {..}` cannot follow records as they come");
    int r = plan_ref(pl, a->field, &f->ref);
    if (r < 0 || (r = plan_grow(pl, &plan->ins, plan->in_count, &pl->in_cap, sizeof *plan->ins)) < 0)
        return r;
    struct query_in *in = f->in = plan->ins[plan->in_count] = arena_zalloc(pl->arena, sizeof *in);
    if (!in)
        return plan_nomem(pl);
    plan->in_count++;
    in->ast = a;
    in->ref = f->ref;
    in->pos = (struct query_pos){ a->op_pos.off, a->pos.off + a->pos.len - a->op_pos.off };
    f->target = QUERY_TARGET_REF;
    return 0;
}

// What can be equal at all.
static int class_of(enum query_type t)
{
    switch (t) {
    case QUERY_INT:
    case QUERY_DOUBLE:
    case QUERY_NUMBER:
        return 1;
    case QUERY_STRING:
    case QUERY_ENUM:
        return 2;
    case QUERY_ANY:
    case QUERY_LIST:
        return 0;
    default:
        return 16 + (int)t;
    }
}

static bool comparable(const struct query_ref *a, const struct query_ref *b)
{
    int x = class_of(a->type.type), y = class_of(b->type.type);
    bool id_text = (a->type.type == QUERY_ID && y == 2) || (b->type.type == QUERY_ID && x == 2);
    return x == 0 || y == 0 || x == y || id_text;
}

static int no_column(struct planner *pl, const struct query_in *in, str name)
{
    int r = plan_fail(pl, in->pos, QUERY_E_NO_COLUMN_FOR_IN, "the query in braces has no column `%.*s`",
                      STR_ARG(str_slice(name, 0, 80)));
    query_error_hint(pl->err, "it needs a column of that name, or only one: .. | select %.*s",
                     STR_ARG(str_slice(name, 0, 80)));
    for (uint32_t i = 0; i < pl->visible_count; i++)
        query_error_suggest(pl->err, pl->plan->columns[pl->visible[i]].name);
    return r;
}

// The column of the outer field's name, or the only one.
static int find_column(struct planner *pl, const struct query_in *in, const struct query_ref **ret)
{
    str name;
    int r = plan_field_name(pl, in->ast->field, &name);
    if (r < 0 || pl->open)
        return r < 0 ? r : plan_ref(pl, in->ast->field, ret);
    for (uint32_t i = 0; i < pl->visible_count; i++) {
        if (str_eq(pl->plan->columns[pl->visible[i]].name, name))
            return plan_ref_name(pl, name, in->pos, ret);
    }
    if (pl->visible_count != 1)
        return no_column(pl, in, name);
    return plan_ref_name(pl, pl->plan->columns[pl->visible[0]].name, in->pos, ret);
}

int plan_in_column(struct planner *pl)
{
    const struct query_in *in = pl->in;
    struct query_plan *plan = pl->plan;
    const struct query_ref *ref;
    int32_t slot;
    int r = find_column(pl, in, &ref);
    if (r < 0)
        return r;
    if (!comparable(in->ref, ref)) {
        str a = query_type_name(in->ref->type.type), b = query_type_name(ref->type.type);
        return plan_fail(pl, in->pos, QUERY_E_TYPE_MISMATCH,
                         "`%.*s` is of type %.*s, what is in the braces of type %.*s",
                         STR_ARG(str_slice(in->ref->name, 0, 60)), STR_ARG(a), STR_ARG(b));
    }
    struct query_step *step = &plan->steps[plan->step_count];
    struct query_select_item *item = arena_alloc_array(pl->arena, 1, sizeof *item);
    if (!item)
        return plan_nomem(pl);
    pl->step = plan->step_count;
    uint32_t first = plan->slot_count;
    if ((r = plan_add_column(pl, STR("value"), ref->type, &slot)) < 0)
        return r;
    *item = (struct query_select_item){ ref, slot };
    *step = (struct query_step){ .kind = QUERY_SELECT,
                                 .pos = in->pos,
                                 .name = STR("in"),
                                 .items = item,
                                 .item_count = 1,
                                 .share_slot = QUERY_NO_SLOT };
    plan->step_count++;
    plan->default_limit = 0;
    plan_close_scope(pl, first);
    return 0;
}

int plan_inner(struct planner *pl)
{
    struct query_plan *plan = pl->plan;
    struct query_options opt = *pl->opt;
    opt.has_from = opt.has_to = true; // what the inner query says about the time narrows
    for (uint32_t i = 0; i < plan->in_count; i++) {
        struct query_in *in = plan->ins[i];
        int r = plan_build_inner(pl, &opt, in);
        if (r < 0)
            return r;
        plan->values_hidden |= in->plan->values_hidden;
        plan->values_read |= in->plan->values_read;
        for (uint32_t k = 0; k < in->plan->hint_count && r == 0; k++)
            r = plan_hint(pl, in->plan->hints[k].pos, "%.*s", STR_ARG(in->plan->hints[k].text));
        if (r < 0)
            return r;
    }
    return 0;
}
