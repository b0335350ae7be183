// What every run begins and ends with: segments, plan, clocks, memory.
#include "base/clock.h"
#include "base/hash.h"
#include "query/catalogue_names.h"
#include "query/cursor.h"
#include "query/exec.h"
#include "query/issue_rows.h"
#include "query/row_pattern.h"
#include "query/set.h"

static const enum query_source source_of[RECORD_SOURCES] = {
    [RECORD_SPANS] = QUERY_SPANS,   [RECORD_LOGS] = QUERY_LOGS,           [RECORD_METRICS] = QUERY_METRICS,
    [RECORD_EVENTS] = QUERY_EVENTS, [RECORD_SNAPSHOTS] = QUERY_SNAPSHOTS, [RECORD_PROFILES] = QUERY_PROFILES,
    [RECORD_CHECKS] = QUERY_CHECKS, [RECORD_SESSIONS] = QUERY_SESSIONS,
};

static int segments_take(struct exec *x, const struct segment *const *segments, const uint64_t *firsts, uint32_t n)
{
    x->segs = arena_zalloc(&x->arena, ((size_t)n + 1) * sizeof *x->segs); // one for exec_issues()
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
    if (x->plan->values_read && q->values_read && q->values_read(q->values_read_ctx, q->text) < 0)
        return query_fail(x->err, QUERY_E_INTERNAL,
                          "the query reads captured values, and that could not be entered in the audit trail");
    x->stats.canonical = x->plan->canonical;
    x->stats.from = x->plan->from;
    x->stats.to = x->plan->to;
    return 0;
}

// Rates need a range with ends: an open one is as long as what is stored.
void exec_range_close(struct exec *x)
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

int exec_begin(struct exec *x, const struct query_request *q, const struct segment *const *segments,
               const uint64_t *firsts, uint32_t n, struct query_error *err)
{
    struct cursor c = { 0 };
    *x = (struct exec){ .q = q, .err = err, .step = STR("plan") };
    memset(err, 0, sizeof *err);
    x->started = clock_mono_ns();
    x->cpu_started = clock_thread_cpu_ns();
    x->cap = q->memory_max ? q->memory_max : QUERY_MEMORY_MAX;
    x->deadline = x->started + (q->time_max_ns ? q->time_max_ns : QUERY_TIME_MAX_NS);
    arena_init(&x->arena, x->cap);
    arena_init(&x->scratch, x->cap);
    int rc = segments_take(x, segments, firsts, n);
    if (rc == 0)
        rc = plan_make(x, &c);
    if (rc == 0)
        rc = exec_issues(x);
    if (rc < 0)
        return rc;
    exec_range_close(x);
    if (q->after.len) {
        x->rows_before = c.rows;
        x->offset = c.by_order ? 0 : c.rows;
        x->cursor_place = c.at;
        x->cursor = c.by_order ? &x->cursor_place : NULL;
    }
    return exec_sets(x);
}

void exec_close(struct exec *x)
{
    segments_close(x);
    x->segs_n = 0;
}

int exec_end(struct exec *x, int rc)
{
    exec_close(x);
    exec_issues_free(x);
    exec_sets_free(x);
    row_patterns_free(x);
    query_plan_free(x->plan);
    arena_free(&x->arena);
    arena_free(&x->scratch);
    if (rc < 0 && x->err->code == QUERY_OK && !x->gone)
        query_fail(x->err, rc == ERR_NOMEM ? QUERY_E_MEMORY : QUERY_E_INTERNAL, "%s", err_text(rc));
    return rc;
}
