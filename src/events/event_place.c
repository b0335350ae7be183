// Neighbours of an event in its issue, asked of the query engine.
#include "events/events.h"

#include "base/timefmt.h"
#include "query/error.h"
#include "query/qval_ops.h"

enum { TIME_TEXT = 40, CELLS_MAX = 8 };

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

static int ask(const struct event_request *q, str query, struct answer *a, struct query_error *err)
{
    struct query_request run = *q->who;
    struct query_output out = { .ctx = a, .row = take_row };
    *a = (struct answer){ .arena = q->arena };
    if (!query.ptr)
        return query_fail(err, QUERY_E_MEMORY, "no memory");
    run.text = query;
    run.has_from = run.has_to = true; // everything that is stored
    run.from = INT64_MIN;
    run.to = INT64_MAX;
    run.after = (str){ 0 };
    run.limit = 0;
    return query_run(&run, q->view, &out, err);
}

// The first or last id among the issue's events of one moment, which more may share.
static int at_moment(const struct event_request *q, int64_t issue, const struct qval *time, const char *which, str *ret,
                     struct query_error *err)
{
    struct answer a;
    char t[TIME_TEXT];
    if (time->type != QVAL_TIME)
        return 0;
    int n = fmt_rfc3339(t, time->i);
    int rc = ask(
        q,
        arena_printf(q->arena, "events issue=%lld time=%.*s | stats %s(event_id) as id", (long long)issue, n, t, which),
        &a, err);
    if (rc == 0)
        *ret = text(&a, "id");
    return rc;
}

int event_place(const struct event_request *q, int64_t issue, const struct event *e, struct event_place *ret_place,
                struct query_error *err)
{
    struct event_place place = { 0 };
    struct answer all, same;
    char t[TIME_TEXT];
    int n = fmt_rfc3339(t, e->time);
    // Ids are read for one moment only: the first query goes over all events of the issue.
    int rc = ask(q,
                 arena_printf(q->arena,
                              "events issue=%lld | stats count() as of, count() if (time<%.*s) as before, max(time) if "
                              "(time<%.*s) as earlier, min(time) if (time>%.*s) as later",
                              (long long)issue, n, t, n, t, n, t),
                 &all, err);
    if (rc == 0)
        rc =
            ask(q,
                arena_printf(q->arena,
                             "events issue=%lld time=%.*s | stats count() if (event_id<='%.*s') as upto, max(event_id) "
                             "if (event_id<'%.*s') as previous, min(event_id) if (event_id>'%.*s') as next",
                             (long long)issue, n, t, STR_ARG(e->id), STR_ARG(e->id), STR_ARG(e->id)),
                &same, err);
    if (rc < 0)
        return rc;
    place.of = number(&all, "of");
    place.index = number(&all, "before") + number(&same, "upto");
    place.previous = text(&same, "previous");
    place.next = text(&same, "next");
    if (!place.previous.len)
        rc = at_moment(q, issue, cell(&all, "earlier"), "max", &place.previous, err);
    if (rc == 0 && !place.next.len)
        rc = at_moment(q, issue, cell(&all, "later"), "min", &place.next, err);
    if (rc == 0)
        *ret_place = place;
    return rc;
}

int event_pick(const struct event_request *q, int64_t issue, enum event_which which, str *ret_id, int64_t *ret_time,
               struct query_error *err)
{
    struct answer a;
    struct qval time;
    str id;
    long long number = (long long)issue;
    str query =
        which == EVENT_RECOMMENDED
            ? arena_printf(q->arena,
                           "events issue=%lld | limit 100 | let says = (has(trace) ? 4 : 0) + (has(replay) ? 2 : "
                           "0) + (has(user) ? 2 : 0) + (has(stack.function) ? 4 : 0) | sort says desc | limit 1 | "
                           "select event_id as id, time",
                           number)
            : arena_printf(q->arena, "events issue=%lld | stats %s(time) as time", number,
                           which == EVENT_LATEST ? "max" : "min");
    int rc = ask(q, query, &a, err);
    if (rc < 0)
        return rc;
    time = *cell(&a, "time");
    id = text(&a, "id");
    if (which != EVENT_RECOMMENDED)
        rc = at_moment(q, issue, &time, which == EVENT_LATEST ? "max" : "min", &id, err);
    if (rc < 0)
        return rc;
    if (!id.len || time.type != QVAL_TIME)
        return ERR_NOENT;
    *ret_id = id;
    *ret_time = time.i;
    return 0;
}
