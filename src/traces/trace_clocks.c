#include "traces/trace_path.h"

// Beyond this (73 years either way of a range) times are nonsense that arithmetic must survive, and clocks are left alone.
#define SANE_NS (INT64_MAX / 4)

static bool sane(int64_t ns) { return ns > -SANE_NS && ns < SANE_NS; }

static int64_t boundary_shift(const struct trace_span *client, int64_t client_start, const struct trace_span *server)
{
    if (client->kind != SPAN_KIND_CLIENT || server->kind != SPAN_KIND_SERVER)
        return 0;
    int64_t cd = client->duration, sd = server->duration, before, early, late;
    if (__builtin_sub_overflow(client_start, server->time, &before) || !sane(before) || !sane(cd) || !sane(sd))
        return 0;
    early = before;
    late = sd - cd - before;
    if (early <= TRACE_CLOCK_TOLERANCE_NS && late <= TRACE_CLOCK_TOLERANCE_NS)
        return 0;
    // It outlives its caller: a timeout, or work that goes on. Only a start before the call is then impossible.
    if (sd > cd)
        return early > TRACE_CLOCK_TOLERANCE_NS ? early : 0;
    // Into the middle of what the client leaves; half a nanosecond goes up.
    int64_t rest = cd - sd;
    return before + rest / 2 + (rest & 1);
}

void trace_clocks(const struct trace *t, int64_t *start, int64_t *shift)
{
    for (uint32_t i = 0; i < t->spans_n; i++) {
        const struct trace_span *s = &t->spans[i];
        shift[i] = 0;
        if (s->parent_index >= 0) {
            const struct trace_span *p = &t->spans[s->parent_index];
            bool crossing = !str_eq(p->service, s->service);
            shift[i] = crossing ? boundary_shift(p, start[s->parent_index], s) : shift[s->parent_index];
        }
        if (__builtin_add_overflow(s->time, shift[i], &start[i])) {
            start[i] = s->time;
            shift[i] = 0;
        }
    }
}
