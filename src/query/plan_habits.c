// Habits from elsewhere: what VictoriaLogs, TraceQL and Sentry write, and how it is written here.
#include "query/plan_internal.h"

enum { SHOWN_MAX = 80 };

// ---- names
int plan_habit_name(struct planner *pl, const struct query_ref *ref)
{
    if (str_eq(ref->name, STR("_msg")) || str_eq(ref->name, STR("_time"))) {
        bool msg = ref->name.ptr[1] == 'm';
        int r = plan_fail(pl, ref->pos, QUERY_E_UNKNOWN_COLUMN, "`%.*s` has another name here", STR_ARG(ref->name));
        query_error_hint(pl->err, msg ? "bare words search the message; its field is `body`, or `text` for every kind"
                                      : "the time is `time`");
        query_error_suggest(pl->err, msg ? STR("body") : STR("time"));
        return r;
    }
    if (pl->plan->sources == QS_SPANS && ref->path_len > 1 && !ref->path[1].is_index &&
        str_eq(ref->path[0].name, STR("span"))) {
        str rest = str_slice(ref->name, sizeof "span." - 1, ref->name.len), shown = str_slice(rest, 0, SHOWN_MAX);
        int r = plan_fail(pl, ref->pos, QUERY_E_UNKNOWN_COLUMN, "attributes have no prefix `span.` here");
        query_error_hint(pl->err, "write %.*s, or attr.%.*s for the record's own attribute only", STR_ARG(shown),
                         STR_ARG(shown));
        query_error_suggest(pl->err, rest);
        return r;
    }
    return 0;
}

// ---- terms: Sentry's is:, has:, age:
static str state_of(str word)
{
    static const str words[][2] = {
        { STR_INIT("unresolved"), STR_INIT("state!=(archived,resolved)") },
        { STR_INIT("resolved"), STR_INIT("state=resolved") },
        { STR_INIT("archived"), STR_INIT("state=archived") },
        { STR_INIT("ignored"), STR_INIT("state=archived") },
        { STR_INIT("ongoing"), STR_INIT("state=ongoing") },
        { STR_INIT("escalating"), STR_INIT("state=escalating") },
        { STR_INIT("regressed"), STR_INIT("state=regressed") },
        { STR_INIT("for_review"), STR_INIT("state=(new,regressed,escalating)") },
        { STR_INIT("assigned"), STR_INIT("assignee:*") },
        { STR_INIT("unassigned"), STR_INIT("!assignee:*") },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(words[i][0], word))
            return words[i][1];
    return STR("state=new");
}

static int written(struct planner *pl, const struct query_ast_filter *a, const char *what, str here)
{
    int r = plan_fail(pl, a->pos, QUERY_E_SYNTAX, "there is no `%s:`", what);
    query_error_suggest(pl->err, here);
    return r;
}

int plan_habit_term(struct planner *pl, const struct query_ast_filter *a, const struct query_ref *ref)
{
    str word = str_slice(a->values->raw, 0, SHOWN_MAX);
    if (ref->slot >= 0 || a->values->form != QUERY_WORD || !word.len || pl->child)
        return 0;
    if (str_eq(ref->name, STR("is"))) {
        str state = state_of(word);
        int r = written(pl, a, "is", state);
        query_error_hint(pl->err, "issues have a state: issues %.*s", STR_ARG(state));
        return r;
    }
    if (str_eq(ref->name, STR("has"))) {
        str present = arena_printf(pl->arena, "%.*s:*", STR_ARG(word));
        if (!present.ptr)
            return plan_nomem(pl);
        int r = written(pl, a, "has", present);
        query_error_hint(pl->err, "a field is there: %.*s; it is not: not %.*s", STR_ARG(present), STR_ARG(present));
        return r;
    }
    if (str_eq(ref->name, STR("age")) && pl->plan->sources == QS_ISSUES) {
        bool older = word.ptr[0] == '+', ago = older || word.ptr[0] == '-';
        str first = arena_printf(pl->arena, "first%c-%.*s", older ? '<' : '>', STR_ARG(str_slice(word, ago, word.len)));
        if (!first.ptr)
            return plan_nomem(pl);
        int r = written(pl, a, "age", first);
        query_error_hint(pl->err, "`first` is when an issue was seen first: issues %.*s", STR_ARG(first));
        return r;
    }
    return 0;
}

// ---- field:word where the field holds no text
// What TraceQL writes as span:duration is duration here.
static void suggest_intrinsic(struct planner *pl, const struct query_ref *ref, const struct query_ast_value *v)
{
    static const char *const words[] = { "name", "duration",      "status",   "kind",
                                         "id",   "statusMessage", "rootName", "service" };
    if (!str_eq(ref->name, STR("span")) && !str_eq(ref->name, STR("trace")))
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_starts(v->raw, str_z(words[i]))) {
            query_error_hint(pl->err, "fields of a span have no prefix here: name=.., duration>.., status=error");
            query_error_suggest(pl->err, v->raw);
        }
}

int plan_no_text(struct planner *pl, const struct query_ast_filter *a, const struct query_ref *ref, enum query_type t)
{
    str type = query_type_name(t), name = str_slice(ref->name, 0, SHOWN_MAX);
    str word = str_slice(a->values->raw, 0, SHOWN_MAX);
    char first = a->values->form == QUERY_WORD && word.len ? word.ptr[0] : 0;
    int r = plan_fail(pl, a->op_pos, QUERY_E_TYPE_MISMATCH, "`%.*s` is a %.*s and holds no text", STR_ARG(name),
                      STR_ARG(type));
    if (first == '<' || first == '>') // Sentry's timesSeen:>10
        query_error_hint(pl->err, "compare it: %.*s%.*s", STR_ARG(name), STR_ARG(word));
    else if (t == QUERY_TIME && (first == '-' || first == '+')) // Sentry's lastSeen:-2d, seen since then; +2d: before
        query_error_hint(pl->err, "compare it: %.*s%c-%.*s", STR_ARG(name), first == '-' ? '>' : '<',
                         STR_ARG(str_slice(word, 1, word.len)));
    else
        query_error_hint(pl->err, "compare it: %.*s=..", STR_ARG(name));
    suggest_intrinsic(pl, ref, a->values);
    return r;
}
