// Neighbours of an event in its issue, asked of the query engine.
#include "events/events.h"

#include "base/clock.h"
#include "query/error.h"
#include "query/qval_ops.h"

enum { CELLS_MAX = 8, STEP_GROWS = 16 };
#define STEP_NS (60 * NS_PER_S)
#define STEP_NS_MAX (100 * 24 * 3600 * NS_PER_S)

// The first row that a query answers.
struct answer {
    struct arena *arena;
    struct query_cell cells[CELLS_MAX];
    uint32_t n;
    bool some;
};

static int take_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct answer *a = ctx;
    if (a->some)
        return 0;
    a->some = true;
    for (uint32_t i = 0; i < n && i < CELLS_MAX; i++) {
        a->cells[i] = cells[i];
        if (arena_dup(a->arena, cells[i].name, &a->cells[i].name) < 0 || qval_dup(a->arena, &a->cells[i].value) < 0)
            return ERR_NOMEM;
        a->n++;
    }
    return 0;
}

static const struct qval *cell(const struct answer *a, const char *name)
{
    static const struct qval missing;
    for (uint32_t i = 0; i < a->n; i++)
        if (str_eq(a->cells[i].name, str_z(name)))
            return &a->cells[i].value;
    return &missing;
}

static uint64_t number(const struct answer *a, const char *name)
{
    const struct qval *v = cell(a, name);
    return v->type == QVAL_INT && v->i > 0 ? (uint64_t)v->i : 0;
}

static str text(const struct answer *a, const char *name)
{
    const struct qval *v = cell(a, name);
    return v->type == QVAL_STR ? v->s : (str){ 0 };
}

static int ask_in(const struct event_request *q, str query, int64_t from, int64_t to, struct answer *a,
                  struct query_error *err)
{
    struct query_request run = *q->who;
    struct query_output out = { .ctx = a, .row = take_row };
    *a = (struct answer){ .arena = q->arena };
    if (!query.ptr)
        return query_fail(err, QUERY_E_MEMORY, "no memory");
    if (from >= to)
        return 0;
    run.text = query;
    run.has_from = run.has_to = true;
    run.from = from;
    run.to = to;
    run.after = (str){ 0 };
    run.limit = 0;
    return query_run(&run, q->view, &out, err);
}

// Of everything that is stored.
static int ask(const struct event_request *q, str query, struct answer *a, struct query_error *err)
{
    return ask_in(q, query, INT64_MIN, INT64_MAX, a, err);
}

// The first or last id among the issue's events of one moment, which more may share.
static int at_moment(const struct event_request *q, int64_t issue, const struct qval *time, const char *which, str *ret,
                     struct query_error *err)
{
    struct answer a;
    if (time->type != QVAL_TIME || time->i == INT64_MAX)
        return 0;
    int rc = ask_in(q, arena_printf(q->arena, "events issue=%lld | stats %s(event_id) as id", (long long)issue, which),
                    time->i, time->i + 1, &a, err);
    if (rc == 0)
        *ret = text(&a, "id");
    return rc;
}

// The newest of the issue's events before `to`: reading ends at it.
static int newest_before(const struct event_request *q, int64_t issue, int64_t to, struct qval *ret_time,
                         struct query_error *err)
{
    struct answer a;
    int rc = ask_in(q, arena_printf(q->arena, "events issue=%lld | limit 1 | select time", (long long)issue), INT64_MIN,
                    to, &a, err);
    if (rc == 0)
        *ret_time = *cell(&a, "time");
    return rc;
}

// The oldest at or after `from`. Records are read from the newest on, so the way ahead is searched in growing steps: what is
// read lies not much further than what is found.
static int oldest_after(const struct event_request *q, int64_t issue, int64_t from, int64_t step, struct qval *ret_time,
                        struct query_error *err)
{
    int64_t to;
    struct answer a;
    *ret_time = (struct qval){ 0 };
    for (;; from = to, step *= STEP_GROWS) {
        bool end = step > STEP_NS_MAX || __builtin_add_overflow(from, step, &to);
        if (end)
            to = INT64_MAX;
        int rc = ask_in(q, arena_printf(q->arena, "events issue=%lld | stats min(time) as time", (long long)issue),
                        from, to, &a, err);
        if (rc < 0)
            return rc;
        *ret_time = *cell(&a, "time");
        if (end || ret_time->type == QVAL_TIME)
            return 0;
    }
}

// How many of the issue's events are in [from, to).
static int count_in(const struct event_request *q, int64_t issue, int64_t from, int64_t to, uint64_t *ret,
                    struct query_error *err)
{
    struct answer a;
    int rc = ask_in(q, arena_printf(q->arena, "events issue=%lld | stats count() as n", (long long)issue), from, to, &a,
                    err);
    if (rc == 0)
        *ret = number(&a, "n");
    return rc;
}

// Among the events of the same moment: how many there are, how many up to this one, and its neighbours.
static int among_same(const struct event_request *q, int64_t issue, const struct event *e, uint64_t *ret_upto,
                      uint64_t *ret_all, struct event_place *place, struct query_error *err)
{
    struct answer a;
    int rc = ask_in(
        q,
        arena_printf(q->arena,
                     "events issue=%lld | stats count() as all, count() if (event_id<='%.*s') as upto, "
                     "max(event_id) if (event_id<'%.*s') as previous, min(event_id) if (event_id>'%.*s') as next",
                     (long long)issue, STR_ARG(e->id), STR_ARG(e->id), STR_ARG(e->id)),
        e->time, e->time + 1, &a, err);
    if (rc < 0)
        return rc;
    *ret_all = number(&a, "all");
    *ret_upto = number(&a, "upto");
    place->previous = text(&a, "previous");
    place->next = text(&a, "next");
    return 0;
}

// Index and number of all, `later` of them being of a later moment. What is counted may be a moment behind what is stored, or
// hold what is not stored any more.
static void place_of(struct event_place *place, uint64_t total, uint64_t later, uint64_t same, uint64_t upto)
{
    uint64_t behind = later + (same - upto);
    place->of = total > behind ? total : behind + 1;
    place->index = place->of - behind;
}

int event_place(const struct event_request *q, int64_t issue, const struct event *e, struct event_place *ret_place,
                struct query_error *err)
{
    struct event_counted counted = { .edge = INT64_MAX };
    struct event_place place = { 0 };
    struct qval earlier = { 0 }, later = { 0 };
    uint64_t same = 0, upto = 0, behind = 0, before = 0;
    if (e->time == INT64_MAX)
        return 0;
    int rc = q->counts ? q->counts->of(q->counts->ctx, issue, e->time, &counted) : ERR_NOENT;
    bool known = rc == 0;
    if (rc < 0 && rc != ERR_NOENT)
        return query_fail(err, QUERY_E_MEMORY, "the issue cannot be read: %s", err_text(rc));
    rc = among_same(q, issue, e, &upto, &same, &place, err);
    if (rc == 0)
        rc = count_in(q, issue, e->time + 1, counted.edge, &behind, err);
    if (rc == 0 && !known)
        rc = count_in(q, issue, INT64_MIN, e->time, &before, err);
    if (rc < 0)
        return rc;
    behind += counted.later;
    place_of(&place, known ? counted.total : before + same + behind, behind, same, upto);
    if (!place.previous.len)
        rc = newest_before(q, issue, e->time, &earlier, err);
    if (rc == 0)
        rc = at_moment(q, issue, &earlier, "max", &place.previous, err);
    if (rc == 0 && !place.next.len)
        rc = oldest_after(q, issue, e->time + 1, known && !counted.later ? INT64_MAX : STEP_NS, &later, err);
    if (rc == 0)
        rc = at_moment(q, issue, &later, "min", &place.next, err);
    if (rc == 0)
        *ret_place = place;
    return rc;
}

static int pick_recommended(const struct event_request *q, int64_t issue, str *ret_id, struct qval *ret_time,
                            struct query_error *err)
{
    struct answer a;
    int rc = ask(q,
                 arena_printf(q->arena,
                              "events issue=%lld | limit 100 | let says = (has(trace) ? 4 : 0) + (has(replay) ? 2 : "
                              "0) + (has(user) ? 2 : 0) + (has(stack.function) ? 4 : 0) | sort says desc | limit 1 | "
                              "select event_id as id, time",
                              (long long)issue),
                 &a, err);
    if (rc == 0) {
        *ret_time = *cell(&a, "time");
        *ret_id = text(&a, "id");
    }
    return rc;
}

// What was counted first is where to begin; should older ones be stored all the same, the oldest of them.
static int oldest(const struct event_request *q, int64_t issue, struct qval *ret_time, struct query_error *err)
{
    struct event_counted counted = { .first = INT64_MIN };
    int rc = q->counts ? q->counts->of(q->counts->ctx, issue, INT64_MAX, &counted) : ERR_NOENT;
    int64_t from = rc == 0 ? counted.first : INT64_MIN;
    rc = from > INT64_MIN ? newest_before(q, issue, from, ret_time, err) : 0;
    if (rc == 0 && ret_time->type == QVAL_TIME)
        from = INT64_MIN;
    return rc < 0 ? rc : oldest_after(q, issue, from, from > INT64_MIN ? STEP_NS : INT64_MAX, ret_time, err);
}

int event_pick(const struct event_request *q, int64_t issue, enum event_which which, str *ret_id, int64_t *ret_time,
               struct query_error *err)
{
    struct qval time = { 0 };
    str id = { 0 };
    int rc = which == EVENT_RECOMMENDED ? pick_recommended(q, issue, &id, &time, err)
             : which == EVENT_LATEST    ? newest_before(q, issue, INT64_MAX, &time, err)
                                        : oldest(q, issue, &time, err);
    if (rc == 0 && which != EVENT_RECOMMENDED)
        rc = at_moment(q, issue, &time, which == EVENT_LATEST ? "max" : "min", &id, err);
    if (rc < 0)
        return rc;
    if (!id.len || time.type != QVAL_TIME)
        return ERR_NOENT;
    *ret_id = id;
    *ret_time = time.i;
    return 0;
}
