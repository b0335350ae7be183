#include "query/run.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "query/catalogue_names.h"
#include "query/cursor.h"
#include "query/error.h"

static const enum query_source source_of[RECORD_SOURCES] = {
    [RECORD_SPANS] = QUERY_SPANS,   [RECORD_LOGS] = QUERY_LOGS,           [RECORD_METRICS] = QUERY_METRICS,
    [RECORD_EVENTS] = QUERY_EVENTS, [RECORD_SNAPSHOTS] = QUERY_SNAPSHOTS, [RECORD_PROFILES] = QUERY_PROFILES,
    [RECORD_CHECKS] = QUERY_CHECKS,
};

static int segments_take(struct exec *x, const struct segment *const *segments, const uint64_t *firsts, uint32_t n)
{
    x->segs = arena_zalloc(&x->arena, (n ? n : 1) * sizeof *x->segs);
    if (!x->segs)
        return exec_nomem(x);
    for (uint32_t i = 0; i < n; i++) {
        const struct segment_info *info = segment_info(segments[i]);
        if (info->source >= RECORD_SOURCES)
            continue;
        struct exec_segment *s = &x->segs[x->segs_n];
        *s = (struct exec_segment){
            .seg = segments[i], .info = info, .index = x->segs_n, .source = source_of[info->source]
        };
        s->first = firsts ? firsts[i] : 0;
        for (int t = 0; t < TABLE_N; t++)
            s->block[t] = BLOCK_NONE;
        x->segs_n++;
    }
    return 0;
}

static void segments_close(struct exec *x)
{
    for (uint32_t i = 0; i < x->segs_n; i++) {
        struct exec_segment *s = &x->segs[i];
        if (s->reader) {
            s->reader_bytes += reader_bytes(s->reader);
            reader_close(s->reader);
        }
        x->stats.bytes += s->reader_bytes;
    }
}

// ---- plan ----

// A second page is of the first one's range, whatever the clock says now.
static int cursor_take(const struct query_request *q, struct cursor *c, struct query_options *opt,
                       struct query_error *err)
{
    if (q->after.len == 0)
        return 0;
    if (!cursor_read(q->after, c))
        return query_fail(err, QUERY_E_BAD_CURSOR, "`after` is no cursor that this server has given");
    if (!q->has_from && !q->has_to && c->from != INT64_MIN && c->to != INT64_MAX) {
        opt->has_from = opt->has_to = true;
        opt->from = c->from;
        opt->to = c->to;
    }
    return 0;
}

static int plan_make(struct exec *x, struct cursor *c)
{
    const struct query_request *q = x->q;
    struct query_options opt = { .now_ns = q->now ? q->now : clock_unix_ns(),
                                 .has_from = q->has_from,
                                 .has_to = q->has_to,
                                 .from = q->from,
                                 .to = q->to,
                                 .may_values = q->values,
                                 .live = q->live };
    struct names names;
    struct query_catalogue catalogue = { &names, names_has, names_at };
    if (q->tz.len && query_zone_get(q->tz, &opt.zone) < 0) {
        int rc = query_fail(x->err, QUERY_E_BAD_TIME, "there is no time zone %.*s",
                            (int)(q->tz.len < 64 ? q->tz.len : 64), q->tz.ptr);
        query_error_hint(x->err, "zones are named as in the tz database: Europe/Berlin, UTC");
        return rc;
    }
    int rc = cursor_take(q, c, &opt, x->err);
    if (rc < 0)
        return rc;
    names_init(&names, x);
    opt.catalogue = &catalogue;
    rc = query_compile(&x->arena, q->text, &opt, &x->plan, x->err);
    names_free(&names);
    if (rc < 0)
        return rc;
    if (q->live) {
        x->plan->range_all = true;
        x->plan->from = INT64_MIN;
        x->plan->to = INT64_MAX;
    }
    if (q->after.len && c->query != hash64_str(x->plan->canonical))
        return query_fail(x->err, QUERY_E_BAD_CURSOR, "the cursor belongs to another query");
    x->stats.canonical = x->plan->canonical;
    x->stats.from = x->plan->from;
    x->stats.to = x->plan->to;
    return 0;
}

// Rates need a range with ends: an open one is as long as what is stored.
static void range_close(struct exec *x)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    for (uint32_t i = 0; i < x->segs_n; i++) {
        const struct exec_segment *s = &x->segs[i];
        if (!(x->plan->sources >> s->source & 1) || s->info->rows == 0)
            continue;
        lo = s->info->time_min < lo ? s->info->time_min : lo;
        hi = s->info->time_max > hi ? s->info->time_max : hi;
    }
    x->range_from = x->plan->from != INT64_MIN ? x->plan->from : lo;
    x->range_to = x->plan->to != INT64_MAX ? x->plan->to : hi == INT64_MAX ? hi : hi + 1;
}

// ---- what is said about the answer ----

static int add_text(struct exec *x, const str **list, uint32_t *n, str text)
{
    str *more = arena_alloc_array(&x->arena, *n + 1, sizeof *more);
    if (!more)
        return exec_nomem(x);
    if (*n)
        memcpy(more, *list, *n * sizeof *more);
    more[(*n)++] = text;
    *list = more;
    return 0;
}

// Buckets of time that the range cuts.
static int partial_buckets(struct exec *x)
{
    for (uint32_t i = 0; i < x->plan->step_count; i++) {
        const struct query_step *step = &x->plan->steps[i];
        const struct query_bucket *k = &step->bucket;
        bool calendar = k->kind == QUERY_BUCKET_CALENDAR;
        if (step->kind != QUERY_BUCKET || (!calendar && k->kind != QUERY_BUCKET_TIME) ||
            !str_eq(k->ref->printed, STR("time")) || k->ref->slot != QUERY_NO_SLOT)
            continue;
        int64_t ends[2] = { x->plan->from, x->plan->to }, said = INT64_MIN;
        for (int e = 0; e < 2; e++) {
            int64_t t = ends[e];
            if (t == INT64_MIN || t == INT64_MAX)
                continue;
            int64_t start =
                calendar ? query_calendar_floor(k->zone, k->unit, k->unit_count, t) : query_bucket_int(t, k->width);
            char text[40];
            str kept;
            if (start == t || (e == 1 && start == said)) // aligned: nothing is cut
                continue;
            said = start;
            if (arena_dup(&x->arena, str_of(text, (size_t)fmt_rfc3339(text, start)), &kept) < 0)
                return exec_nomem(x);
            int rc = add_text(x, &x->stats.partial_buckets, &x->stats.partial_buckets_n, kept);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

// Is some attribute of the query in none of the segments that were looked at?
static bool some_name_unseen(const struct exec *x)
{
    for (uint32_t r = 0; r < x->plan->ref_count; r++) {
        const struct query_ref *ref = x->plan->refs[r];
        bool attr = false, seen = false;
        for (uint32_t s = 0; s < QUERY_SOURCE_COUNT && ref->slot == QUERY_NO_SLOT; s++)
            attr |= (x->plan->sources >> s & 1) && ref->bind[s].kind != QUERY_BIND_FIXED &&
                    ref->bind[s].kind != QUERY_BIND_NONE;
        for (uint32_t i = 0; i < x->segs_n && attr && !seen; i++)
            seen = x->segs[i].chains && x->segs[i].chains[r] && x->segs[i].chains[r]->n > 0;
        if (attr && !seen)
            return true;
    }
    return false;
}

static int hints(struct exec *x)
{
    enum { HINTS_MAX = 8 };
    struct query_hint more[HINTS_MAX];
    struct names names;
    struct query_catalogue catalogue = { &names, names_has, names_at };
    uint32_t n = 0;
    int rc = 0;
    for (uint32_t i = 0; i < x->plan->hint_count && rc == 0; i++)
        rc = add_text(x, &x->stats.hints, &x->stats.hints_n, x->plan->hints[i].text);
    if (rc < 0 || !some_name_unseen(x))
        return rc;
    names_init(&names, x);
    n = query_plan_unknown_names(&x->arena, x->plan, &catalogue, more, HINTS_MAX);
    names_free(&names);
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = add_text(x, &x->stats.hints, &x->stats.hints_n, more[i].text);
    return rc;
}

static int finish(struct exec *x)
{
    int rc = partial_buckets(x);
    if (rc == 0)
        rc = hints(x);
    if (rc < 0)
        return rc;
    if (x->cut_time)
        x->stats.partial = STR("the time cap was reached; only part of the rows was read");
    x->stats.elapsed_ns = clock_mono_ns() - x->started;
    x->stats.cpu_ns = clock_thread_cpu_ns() - x->cpu_started;
    segments_close(x);
    x->segs_n = 0;
    rc = x->out->end ? x->out->end(x->out->ctx, &x->stats) : 0;
    return rc < 0 ? exec_fail(x, rc) : 0;
}

// ---- run ----

// Filters of `where` steps that stand first go with the source's own filter.
static int leading_where(struct exec *x, const struct query_filter ***ret, uint32_t *ret_n)
{
    uint32_t n = 0;
    while (n < x->plan->step_count && x->plan->steps[n].kind == QUERY_WHERE)
        n++;
    const struct query_filter **list = arena_alloc_array(&x->arena, n + 1, sizeof *list);
    if (!list)
        return exec_nomem(x);
    for (uint32_t i = 0; i < n; i++)
        list[i] = x->plan->steps[i].filter;
    *ret = list;
    *ret_n = n;
    return 0;
}

static int run(struct exec *x, struct cursor *c)
{
    const struct query_filter **where = NULL;
    struct op *first = NULL;
    uint32_t where_n = 0;
    int rc = leading_where(x, &where, &where_n);
    if (rc == 0)
        rc = op_chain(x, where_n, &first);
    if (rc == 0) {
        range_close(x);
        if (x->q->after.len) {
            x->rows_before = c->rows;
            x->offset = c->by_order ? 0 : c->rows;
            x->cursor = c->by_order ? &c->at : NULL;
        }
        rc = scan_run(x, where, where_n, first);
    }
    if (rc == 0)
        rc = finish(x);
    op_chain_free(first);
    return rc;
}

int query_run_segments(const struct query_request *q, const struct segment *const *segments, const uint64_t *firsts,
                       uint32_t n, const struct query_output *out, struct query_error *err)
{
    struct cursor cursor = { 0 };
    struct exec x = { .q = q, .out = out, .err = err, .step = STR("plan") };
    memset(err, 0, sizeof *err);
    x.started = clock_mono_ns();
    x.cpu_started = clock_thread_cpu_ns();
    x.cap = q->memory_max ? q->memory_max : QUERY_MEMORY_MAX;
    x.deadline = x.started + (q->time_max_ns ? q->time_max_ns : QUERY_TIME_MAX_NS);
    arena_init(&x.arena, x.cap);
    arena_init(&x.scratch, x.cap);
    int rc = segments_take(&x, segments, firsts, n);
    if (rc == 0)
        rc = plan_make(&x, &cursor);
    if (rc == 0)
        rc = run(&x, &cursor);
    segments_close(&x);
    query_plan_free(x.plan);
    arena_free(&x.arena);
    arena_free(&x.scratch);
    if (rc < 0 && err->code == QUERY_OK && !x.gone)
        query_fail(err, rc == ERR_NOMEM ? QUERY_E_MEMORY : QUERY_E_INTERNAL, "%s", err_text(rc));
    return rc;
}
