#include "query/ast.h"

// Walks two lists together; both must end together.
#define SAME_LIST(type, a, b, same)                    \
    do {                                               \
        const type *x_ = (a), *y_ = (b);               \
        for (; x_ && y_; x_ = x_->next, y_ = y_->next) \
            if (!same(x_, y_))                         \
                return false;                          \
        if (x_ || y_)                                  \
            return false;                              \
    } while (0)

static bool same_seg(const struct query_ast_seg *a, const struct query_ast_seg *b)
{
    return a->is_index == b->is_index && a->index == b->index && str_eq(a->name, b->name);
}

static bool same_field(const struct query_ast_field *a, const struct query_ast_field *b)
{
    SAME_LIST(struct query_ast_seg, a->segs, b->segs, same_seg);
    return true;
}

static bool same_fields(const struct query_ast_field *a, const struct query_ast_field *b)
{
    SAME_LIST(struct query_ast_field, a, b, same_field);
    return true;
}

static bool same_value(const struct query_ast_value *a, const struct query_ast_value *b)
{
    return a->form == b->form && str_eq(a->raw, b->raw);
}

static bool same_values(const struct query_ast_value *a, const struct query_ast_value *b)
{
    SAME_LIST(struct query_ast_value, a, b, same_value);
    return true;
}

// Single members that may be absent.
#define SAME_OPT(same, a, b) ((a) && (b) ? same(a, b) : (a) == (b))

static bool same_filter(const struct query_ast_filter *a, const struct query_ast_filter *b)
{
    SAME_LIST(struct query_ast_filter, a->kids, b->kids, same_filter);
    return a->kind == b->kind && a->cmp == b->cmp && a->negate == b->negate && a->list == b->list &&
           SAME_OPT(same_field, a->field, b->field) && same_values(a->values, b->values) &&
           SAME_OPT(query_ast_equal, a->query, b->query);
}

static bool same_set(const struct query_ast_set *a, const struct query_ast_set *b)
{
    return a->kind == b->kind && a->rel == b->rel && a->negate == b->negate &&
           SAME_OPT(same_filter, a->filter, b->filter) && SAME_OPT(same_set, a->left, b->left) &&
           SAME_OPT(same_set, a->right, b->right);
}

static bool same_expr(const struct query_ast_expr *a, const struct query_ast_expr *b)
{
    SAME_LIST(struct query_ast_expr, a->kids, b->kids, same_expr);
    return a->op == b->op && a->truth == b->truth && str_eq(a->name, b->name) &&
           SAME_OPT(same_value, a->value, b->value) && SAME_OPT(same_field, a->field, b->field);
}

static bool same_arg(const struct query_ast_arg *a, const struct query_ast_arg *b)
{
    return SAME_OPT(same_field, a->field, b->field) && SAME_OPT(same_value, a->number, b->number);
}

static bool same_agg(const struct query_ast_agg *a, const struct query_ast_agg *b)
{
    SAME_LIST(struct query_ast_arg, a->args, b->args, same_arg);
    return str_eq(a->name, b->name) && SAME_OPT(same_filter, a->filter, b->filter) && str_eq(a->as, b->as);
}

static bool same_item(const struct query_ast_item *a, const struct query_ast_item *b)
{
    return str_eq(a->name, b->name) && SAME_OPT(same_field, a->field, b->field) &&
           SAME_OPT(same_expr, a->expr, b->expr) && a->desc == b->desc;
}

static bool same_step(const struct query_ast_step *a, const struct query_ast_step *b)
{
    SAME_LIST(struct query_ast_item, a->items, b->items, same_item);
    SAME_LIST(struct query_ast_agg, a->aggs, b->aggs, same_agg);
    return a->kind == b->kind && SAME_OPT(same_filter, a->filter, b->filter) && a->star == b->star && a->n == b->n &&
           a->has_n == b->has_n && same_fields(a->fields, b->fields) && SAME_OPT(same_value, a->value, b->value) &&
           SAME_OPT(same_value, a->tz, b->tz) && a->is_auto == b->is_auto && a->is_regex == b->is_regex &&
           a->is_logfmt == b->is_logfmt && str_eq(a->as, b->as);
}

bool query_ast_equal(const struct query_ast *a, const struct query_ast *b)
{
    SAME_LIST(struct query_ast_step, a->steps, b->steps, same_step);
    return a->star == b->star && a->sources == b->sources && SAME_OPT(same_set, a->sets, b->sets) &&
           SAME_OPT(same_filter, a->filter, b->filter);
}
