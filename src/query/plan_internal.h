// The planner's state: what is visible where, and the lists that the plan collects.
// All functions return 0 or a negative code with pl->err filled.
#pragma once
#include "query/plan.h"
#include "query/suggest.h"

struct planner {
    struct arena *arena;
    const struct query_ast *ast;
    const struct query_options *opt;
    struct query_error *err;
    struct query_plan *plan;
    unsigned level;
    uint32_t ref_cap, column_cap, hint_cap, regex_cap, in_cap;
    // Columns that a step sees, by slot, oldest first; open: the record's own fields are there too.
    bool open;
    int32_t fields;    // map of the last `parse`; QUERY_NO_SLOT: none
    const char *child; // "event" or "link" inside event{..} and link{..}, else NULL
    int32_t *visible;
    uint32_t visible_count, visible_cap;
    const struct query_plan *outer; // of a query in braces, and where it stands
    const struct query_in *in;
    bool range_from_text; // a top-level `time` comparison has set or narrowed the range
    uint32_t step;        // index of the step being planned
};

// ---- plan.c
int plan_fail(struct planner *pl, struct query_pos pos, enum query_code code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int plan_nomem(struct planner *pl);
// not_yet: "the step `fill`"
int plan_not_yet(struct planner *pl, struct query_pos pos, const char *what, str name);
int plan_hint(struct planner *pl, struct query_pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
// Room for one more item in an arena-backed list.
int plan_grow(struct planner *pl, void *list, uint32_t count, uint32_t *cap, size_t size);
// A new column; it becomes visible, hiding one of the same name.
int plan_add_column(struct planner *pl, str name, struct query_typeinfo type, int32_t *ret_slot);
// One that no name leads to.
int plan_add_hidden(struct planner *pl, struct query_typeinfo type, int32_t *ret_slot);
// From here on only the columns with a slot from `first` on are visible.
void plan_close_scope(struct planner *pl, uint32_t first);
int plan_regex(struct planner *pl, const struct query_ast_value *v, struct query_regex **ret_re);
int plan_literal(struct planner *pl, const struct query_ast_value *v, struct query_literal *ret_lit);

// ---- plan_ref.c
int plan_ref(struct planner *pl, const struct query_ast_field *f, const struct query_ref **ret_ref);
// The same for a name of ours ("time", "trace"); pos: who needs it.
int plan_ref_named(struct planner *pl, const char *name, struct query_pos pos, const struct query_ref **ret_ref);
int plan_ref_name(struct planner *pl, str name, struct query_pos pos, const struct query_ref **ret_ref);
// The name as written, dotted, without back quotes.
int plan_field_name(struct planner *pl, const struct query_ast_field *f, str *ret_name);
// Is this ref, for every kind of record, the fixed field id itself?
bool plan_ref_is_field(const struct planner *pl, const struct query_ref *ref, enum query_field_id id);

// ---- plan_in.c
int plan_in(struct planner *pl, const struct query_ast_filter *a, struct query_filter *f);
// The inner queries of a plan whose range is known.
int plan_inner(struct planner *pl);
// In the inner query, behind its last step: only the column of values is left.
int plan_in_column(struct planner *pl);
int plan_build_inner(struct planner *outer, const struct query_options *opt, struct query_in *in);
// ---- plan_filter.c
int plan_filter(struct planner *pl, const struct query_ast_filter *f, struct query_filter **ret_f);
// ---- plan_habits.c: what other tools write. Errors that say how it is written here; 0: nothing of the kind.
int plan_habit_name(struct planner *pl, const struct query_ref *ref);
int plan_habit_term(struct planner *pl, const struct query_ast_filter *a, const struct query_ref *ref);
// `field:word` of a field of type t, which holds no text: the error.
int plan_no_text(struct planner *pl, const struct query_ast_filter *a, const struct query_ref *ref, enum query_type t);
// ---- plan_check.c: may values of this type be compared with the literal? Takes the readings that the
// type needs (word, id, a quoted time).
int plan_check_compare(struct planner *pl, const struct query_ref *ref, enum query_cmp cmp, struct query_literal *lit);
// ---- plan_expr.c
int plan_expr(struct planner *pl, const struct query_ast_expr *x, struct query_expr **ret_x);
// ---- plan_agg.c
int plan_agg(struct planner *pl, const struct query_ast_agg *a, struct query_agg *ret_agg,
             struct query_typeinfo *ret_type);
// ---- plan_bucket.c
int plan_bucket(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
// ---- plan_text_step.c: extract, parse, context
int plan_extract(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
int plan_parse(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
int plan_context(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
// ---- plan_step.c
int plan_step(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
// The fields of a list, as an array in the arena.
int plan_refs(struct planner *pl, const struct query_ast_field *f, const struct query_ref ***ret_refs,
              uint32_t *ret_count);
// ---- plan_fill.c
int plan_fill(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
// ---- plan_compare.c
int plan_facets(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
int plan_patterns(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
int plan_differ(struct planner *pl, const struct query_ast_step *s, struct query_step *ret_step);
// ---- plan_range.c
int plan_range_begin(struct planner *pl);
// What top-level conditions of a filter over records say about the range.
void plan_range_narrow(struct planner *pl, const struct query_filter *f);

static inline bool plan_is_number(enum query_type t)
{
    return t == QUERY_INT || t == QUERY_DOUBLE || t == QUERY_NUMBER;
}
