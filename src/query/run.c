#include "query/run.h"

#include "base/clock.h"
#include "base/timefmt.h"
#include "query/catalogue_names.h"
#include "query/scan.h"

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
    if (rc == 0 && x->parse_cut)
        rc = add_text(x, &x->stats.hints, &x->stats.hints_n,
                      STR("`parse` reads at most 1,000 fields a row, nested 16 deep: in some rows there was more"));
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
    exec_close(x);
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

int exec_run(struct exec *x)
{
    const struct query_filter **where = NULL;
    struct op *first = NULL;
    uint32_t where_n = 0;
    int rc = leading_where(x, &where, &where_n);
    if (rc == 0)
        rc = op_chain(x, where_n, &first);
    if (rc == 0)
        rc = scan_run(x, where, where_n, first);
    if (rc == 0 && !x->set)
        rc = finish(x);
    op_chain_free(first);
    return rc;
}

int query_run_segments(const struct query_request *q, const struct segment *const *segments, const uint64_t *firsts,
                       uint32_t n, const struct query_output *out, struct query_error *err)
{
    struct exec x;
    int rc = exec_begin(&x, q, segments, firsts, n, err);
    x.out = out;
    if (rc == 0)
        rc = exec_run(&x);
    return exec_end(&x, rc);
}
