// Steps that read a row's text (extract, parse), and the one that reads what stands around a log (context).
#include "query/plan_internal.h"

#include "base/err.h"

enum { CONTEXT_MAX = 1000 };

static struct query_typeinfo type_of(enum query_type t) { return (struct query_typeinfo){ t, false, NULL }; }

// The text that is read: `from` a field, else the record's own.
static int plan_from(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    int r = s->fields ? plan_ref(pl, s->fields, &step->from) : plan_ref_named(pl, "text", s->name_pos, &step->from);
    if (r < 0) {
        if (!s->fields && pl->err && pl->err->code == QUERY_E_UNKNOWN_COLUMN)
            query_error_hint(pl->err, "there is no text left behind `select` or `stats`; name a column: from column");
        return r;
    }
    switch (step->from->type.type) {
    case QUERY_STRING:
    case QUERY_ANY:
    case QUERY_LIST:
    case QUERY_MAP:
        return 0;
    default:
        break;
    }
    str type = query_type_name(step->from->type.type);
    return plan_fail(pl, step->from->pos, QUERY_E_TYPE_MISMATCH, "`%.*s` is a %.*s and holds no text",
                     STR_ARG(str_slice(step->from->name, 0, 60)), STR_ARG(type));
}

// ---- extract

static int bad_pattern(struct planner *pl, const struct query_ast_value *v, str text, const struct extract_fault *f)
{
    struct query_pos pos = v->pos;
    if (v->raw.len == text.len && f->len < text.len) { // no escapes: a byte of the pattern is one of the query
        pos.off += 1 + (uint32_t)f->off;
        pos.len = (uint32_t)f->len;
    }
    int r = plan_fail(pl, pos, f->code, "%s", f->message);
    if (f->hint)
        query_error_hint(pl->err, "%s", f->hint);
    return r;
}

static int plan_places(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    static const enum query_type types[EXTRACT_TYPES] = { [EXTRACT_STRING] = QUERY_STRING,
                                                          [EXTRACT_INT] = QUERY_INT,
                                                          [EXTRACT_FLOAT] = QUERY_DOUBLE,
                                                          [EXTRACT_DURATION] = QUERY_DURATION,
                                                          [EXTRACT_TIME] = QUERY_TIME };
    struct query_literal lit;
    struct extract_fault fault;
    int r = plan_literal(pl, s->value, &lit);
    if (r < 0)
        return r;
    r = extract_compile(pl->arena, lit.text, &step->pattern, &fault);
    if (r < 0)
        return r == ERR_NOMEM ? plan_nomem(pl) : bad_pattern(pl, s->value, lit.text, &fault);
    step->place_count = step->pattern.count;
    step->place_slots = arena_alloc_array(pl->arena, step->place_count, sizeof *step->place_slots);
    if (!step->place_slots)
        return plan_nomem(pl);
    for (uint32_t i = 0; i < step->place_count && r == 0; i++) {
        const struct extract_place *p = &step->pattern.places[i];
        step->place_slots[i] = QUERY_NO_SLOT;
        if (p->name.len)
            r = plan_add_column(pl, p->name, type_of(types[p->type]), &step->place_slots[i]);
    }
    return r;
}

// place_slots[i] is of group i + 1.
static int plan_groups(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    bool any = false;
    int r = plan_regex(pl, s->value, &step->regex);
    if (r < 0)
        return r;
    step->place_count = (uint32_t)query_regex_group_count(step->regex);
    if (step->place_count > EXTRACT_PLACES_MAX)
        return plan_fail(pl, s->value->pos, QUERY_E_TOO_MANY_TERMS, "more than %d groups in one pattern",
                         EXTRACT_PLACES_MAX);
    step->place_slots = arena_alloc_array(pl->arena, step->place_count + 1, sizeof *step->place_slots);
    if (!step->place_slots)
        return plan_nomem(pl);
    for (uint32_t i = 0; i < step->place_count && r == 0; i++) {
        str name;
        step->place_slots[i] = QUERY_NO_SLOT;
        if (query_regex_group_name(step->regex, (int)i + 1).len == 0)
            continue;
        any = true;
        if (arena_dup(pl->arena, query_regex_group_name(step->regex, (int)i + 1), &name) < 0)
            return plan_nomem(pl);
        r = plan_add_column(pl, name, type_of(QUERY_STRING), &step->place_slots[i]);
    }
    if (r < 0 || any)
        return r;
    r = plan_fail(pl, s->value->pos, QUERY_E_BAD_ARGUMENT, "the pattern has no named group");
    query_error_hint(pl->err, "name what is to become a column: ~\"(?P<ip>\\d+\\.\\d+\\.\\d+\\.\\d+)\"");
    return r;
}

int plan_extract(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    int r = plan_from(pl, s, step);
    if (r < 0)
        return r;
    return s->is_regex ? plan_groups(pl, s, step) : plan_places(pl, s, step);
}

// ---- parse

int plan_parse(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    int r = plan_from(pl, s, step);
    if (r < 0)
        return r;
    step->is_logfmt = s->is_logfmt;
    step->fields_before = pl->fields;
    if ((r = plan_add_hidden(pl, type_of(QUERY_MAP), &step->fields_slot)) < 0)
        return r;
    pl->fields = step->fields_slot;
    return 0;
}

// ---- context

int plan_context(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    if (pl->plan->sources != QS_LOGS) {
        int r = plan_fail(pl, s->name_pos, QUERY_E_BAD_ARGUMENT, "`context` shows logs around logs");
        query_error_hint(pl->err, "begin with `logs`; what surrounds a span is its trace: | traces");
        return r;
    }
    if (!pl->open) {
        int r = plan_fail(pl, s->name_pos, QUERY_E_UNKNOWN_COLUMN, "there are no logs left that could have neighbours");
        query_error_hint(pl->err, "put `context` in front of `select` or `stats`");
        return r;
    }
    if (s->n > CONTEXT_MAX)
        return plan_fail(pl, s->n_pos, QUERY_E_BAD_ARGUMENT, "`context` takes at most %d logs on each side",
                         CONTEXT_MAX);
    step->n = s->n;
    for (const struct query_ast_field *f = s->fields; f; f = f->next)
        step->by_count++;
    if (step->by_count > CONTEXT_BY_MAX)
        return plan_fail(pl, s->name_pos, QUERY_E_TOO_MANY_TERMS, "more than %d fields to tell streams apart",
                         CONTEXT_BY_MAX);
    step->by = arena_alloc_array(pl->arena, step->by_count + 1, sizeof *step->by);
    if (!step->by)
        return plan_nomem(pl);
    step->by_count = 0;
    for (const struct query_ast_field *f = s->fields; f; f = f->next) {
        int r = plan_ref(pl, f, &step->by[step->by_count++]);
        if (r < 0)
            return r;
        if (step->by[step->by_count - 1]->slot >= 0) {
            r = plan_fail(pl, f->pos, QUERY_E_BAD_ARGUMENT,
                          "neighbours are found by what logs hold, not by columns of steps");
            query_error_hint(pl->err, "name a field or an attribute: context 10 by service");
            return r;
        }
    }
    return plan_add_column(pl, STR("match"), type_of(QUERY_BOOL), &step->match_slot);
}
