#include "base/mem.h"
#include "base/must.h"
#include "query/literal.h"
#include "traces/trace_rows.h"
#include "traces/trace_tree.h"

#include <stdlib.h>

enum { SPANS_DEFAULT = 100000, LOGS_DEFAULT = 10000 };

// A trace and the memory of everything in it.
struct owner {
    struct trace t;
    struct arena arena;
};

static struct owner *owner_of(struct trace *t)
{
    MAGIC_CHECK(t, TRACE_MAGIC);
    return (struct owner *)(void *)t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    struct owner *o = owner_of(t);
    arena_free(&o->arena);
    t->magic = 0;
    mem_free(o);
}

int trace_id_parse(str s, uint8_t ret_id[16])
{
    uint8_t id[16], nibbles;
    if (!query_id_read(s, id, &nibbles) || (nibbles != 16 && nibbles != 32))
        return ERR_INVALID;
    memset(ret_id, 0, 16);
    memcpy(ret_id + 16 - nibbles / 2, id, nibbles / 2);
    return 0;
}

// Rows are read in the order in which they are stored, so that each block is opened once.
static int order_stored(const void *pa, const void *pb, void *ctx)
{
    const struct trace_row *rows = ctx, *a = &rows[*(const uint32_t *)pa], *b = &rows[*(const uint32_t *)pb];
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static uint32_t *stored_order(const struct trace_loader *l)
{
    uint32_t *order = mem_alloc((l->rows_n ? l->rows_n : 1) * sizeof *order);
    for (uint32_t i = 0; order && i < l->rows_n; i++)
        order[i] = i;
    if (order)
        qsort_r(order, l->rows_n, sizeof *order, order_stored, l->rows);
    return order;
}

static int load_spans(struct trace_loader *l, struct trace *t)
{
    int rc = trace_rows_find(l, RECORD_SPANS, INT64_MIN, INT64_MAX);
    if (rc < 0)
        return rc;
    trace_rows_settle(l, true, l->q->spans_max ? l->q->spans_max : SPANS_DEFAULT, &t->cut);
    t->spans = arena_alloc_array(l->arena, l->rows_n ? l->rows_n : 1, sizeof *t->spans);
    uint32_t *order = stored_order(l);
    if (!t->spans || !order)
        rc = ERR_NOMEM;
    for (uint32_t i = 0; i < l->rows_n && rc == 0; i++)
        rc = trace_span_read(l, &l->rows[order[i]], &t->spans[order[i]]);
    mem_free(order);
    t->spans_n = l->rows_n;
    return rc < 0 ? rc : trace_tree_make(t, l->arena);
}

// Logs of a trace lie near its spans; without spans anywhere.
static int load_logs(struct trace_loader *l, struct trace *t)
{
    int64_t around = 3600 * 1000000000LL, from = INT64_MIN, to = INT64_MAX;
    struct trace_ids ids;
    bool cut;
    if (t->spans_n && (__builtin_sub_overflow(t->time, around, &from)))
        from = INT64_MIN;
    if (t->spans_n && (__builtin_add_overflow(t->time, t->duration, &to) || __builtin_add_overflow(to, around, &to)))
        to = INT64_MAX;
    int rc = trace_rows_find(l, RECORD_LOGS, from, to);
    if (rc < 0)
        return rc;
    trace_rows_settle(l, false, l->q->logs_max ? l->q->logs_max : LOGS_DEFAULT, &cut);
    t->cut |= cut;
    t->logs = arena_alloc_array(l->arena, l->rows_n ? l->rows_n : 1, sizeof *t->logs);
    uint32_t *order = stored_order(l);
    if (!t->logs || !order)
        rc = ERR_NOMEM;
    for (uint32_t i = 0; i < l->rows_n && rc == 0; i++)
        rc = trace_log_read(l, &l->rows[order[i]], &t->logs[order[i]]);
    mem_free(order);
    t->logs_n = l->rows_n;
    if (rc == 0)
        rc = trace_ids_make(t, &ids);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < t->logs_n; i++)
        t->logs[i].span_index = trace_ids_find(t, &ids, t->logs[i].span, t->logs[i].service, -1);
    trace_ids_free(&ids);
    return 0;
}

static int count_events(struct trace_loader *l, struct trace *t)
{
    int rc = trace_rows_find(l, RECORD_EVENTS, INT64_MIN, INT64_MAX);
    t->events_n = l->rows_n;
    return rc;
}

static int fail(struct err *err, int rc)
{
    switch (rc) {
    case ERR_NOENT:
        return err_set(err, rc, "no_trace", "there is no such trace");
    case ERR_LIMIT:
    case ERR_NOMEM:
        err_set(err, rc, rc == ERR_LIMIT ? "trace_too_large" : "memory", "the trace is too large to be shown whole");
        err_set_hint(err, "search its spans with a query: spans trace=...");
        return rc;
    case ERR_CANCELLED:
        return err_set(err, rc, NULL, "cancelled");
    default:
        return err_set(err, rc, NULL, "reading the trace failed: %s", err_text(rc));
    }
}

int trace_load_segments(const struct trace_request *q, const struct segment *const *segments, uint32_t n,
                        struct trace **ret_trace, struct err *err)
{
    struct owner *o = mem_zalloc(sizeof *o);
    struct trace_loader l = { .q = q, .segments_n = n };
    int rc = ERR_NOMEM;
    if (!o)
        return fail(err, rc);
    o->t.magic = TRACE_MAGIC;
    o->t.root = -1;
    memcpy(o->t.id, q->id, 16);
    arena_init(&o->arena, q->memory_max ? q->memory_max : QUERY_MEMORY_MAX);
    l.arena = &o->arena;
    l.segments = mem_calloc(n ? n : 1, sizeof *l.segments);
    if (l.segments) {
        for (uint32_t i = 0; i < n; i++)
            l.segments[i].s = segments[i];
        rc = load_spans(&l, &o->t);
    }
    if (rc == 0 && q->logs)
        rc = load_logs(&l, &o->t);
    if (rc == 0)
        rc = count_events(&l, &o->t);
    o->t.hidden = l.hidden;
    if (rc == 0 && o->t.spans_n == 0 && o->t.logs_n == 0 && o->t.events_n == 0)
        rc = ERR_NOENT;
    for (uint32_t i = 0; l.segments && i < n; i++) {
        if (l.segments[i].r)
            reader_close(l.segments[i].r);
    }
    mem_free(l.segments);
    mem_free(l.rows);
    mem_free(l.entities);
    if (rc < 0) {
        trace_free(&o->t);
        return fail(err, rc);
    }
    *ret_trace = &o->t;
    return 0;
}
