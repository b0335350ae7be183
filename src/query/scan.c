#include "query/scan.h"

#include "query/issue_rows.h"
#include "query/scan_merge.h"

static bool project_readable(const struct query_request *q, uint32_t id)
{
    uint32_t lo = 0, hi = q->projects_n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (q->projects[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < q->projects_n && q->projects[lo].id == id;
}

int scan_projects(struct vbatch *b)
{
    struct exec *x = b->x;
    const struct query_request *q = x->q;
    struct vec v;
    int64_t lo, hi;
    if (q->all_projects)
        return 0;
    // Most blocks hold rows of one project: then its range says all and the column stays unread.
    if (segment_block_range(b->seg->seg, TABLE_ROWS, b->seg->block[TABLE_ROWS], COL_PROJECT, &lo, &hi) && lo == hi) {
        if (!project_readable(q, (uint32_t)lo))
            memset(b->sel, 0, BITS_WORDS(b->n) * 8);
        return 0;
    }
    int rc = exec_column(x, b->seg, TABLE_ROWS, COL_PROJECT, &v);
    if (rc < 0)
        return rc;
    uint32_t last = 0;
    int known = -1;
    for (BITS_EACH(i, b->sel, b->n)) {
        uint32_t id = v.u32[i];
        if (known < 0 || id != last) {
            known = project_readable(q, id);
            last = id;
        }
        if (!known)
            bit_clear(b->sel, i);
    }
    return 0;
}

// ---- which blocks ----

bool scan_block_times(const struct exec_segment *s, uint32_t block, int64_t *lo, int64_t *hi)
{
    if (segment_block_range(s->seg, TABLE_ROWS, block, COL_TIME, lo, hi))
        return true;
    *lo = s->info->time_min;
    *hi = s->info->time_max;
    return false;
}

// Issues in the rows of a run were seen in the range; their `time` is that of the last event of all.
static bool in_range(const struct exec *x, const struct exec_segment *s, int64_t lo, int64_t hi)
{
    return x->plan->range_all || s->source == QUERY_ISSUES || (hi >= x->plan->from && lo < x->plan->to);
}

// A top-level `trace=ID`: the rows of these traces are all that can match.
static int traces_leaf(struct exec *x, struct exec_segment *s, const struct query_filter *f,
                       const struct leaf_state **ret)
{
    bool is = false;
    int rc = 0;
    if (!f)
        return 0;
    if (f->kind == QUERY_FILTER_AND) {
        for (uint32_t i = 0; i < f->kid_count && rc == 0 && !*ret; i++)
            rc = traces_leaf(x, s, f->kids[i], ret);
        return rc;
    }
    if ((f->kind == QUERY_FILTER_COMPARE || f->kind == QUERY_FILTER_IN) && f->ref && f->target == QUERY_TARGET_REF)
        rc = leaf_traces(x, s, f, &is, ret);
    return rc;
}

// Clears the blocks that hold no row of the traces.
static int blocks_of_traces(struct exec *x, struct exec_segment *s, uint64_t *blocks, uint32_t n)
{
    const struct leaf_state *ls = NULL;
    int rc = traces_leaf(x, s, x->plan->filter, &ls);
    if (rc < 0 || !ls || !s->info->trace_order)
        return rc;
    uint64_t *some = exec_bits(x, n, false);
    if (!some)
        return exec_nomem(x);
    for (uint32_t i = 0; i < ls->traces_n; i++) {
        uint64_t first, end;
        rc = segment_trace_rows(s->seg, ls->traces[i], &first, &end);
        if (rc == ERR_UNSUPPORTED)
            return 0;
        if (rc < 0)
            return exec_fail(x, rc);
        for (uint64_t b = first / BLOCK_ROWS; first < end && b <= (end - 1) / BLOCK_ROWS && b < n; b++)
            bit_set(some, (uint32_t)b);
    }
    for (size_t w = 0; w < BITS_WORDS(n); w++)
        blocks[w] &= some[w];
    return 0;
}

// The blocks that may hold events of the issues that the leaf names.
static int blocks_of_issue(struct exec *x, struct exec_segment *s, const struct query_filter *f, uint32_t col,
                           uint64_t *some, bool *ret)
{
    const str *groups;
    uint32_t n;
    int rc = s->info->head ? 0 : issue_leaf_groups(x, f, &groups, &n, ret);
    for (uint32_t i = 0; rc == 0 && *ret && i < n; i++) {
        rc = segment_find_string(s->seg, col - COL_FIXED, groups[i], some);
        if (rc == ERR_UNSUPPORTED) {
            *ret = false;
            return 0;
        }
        if (rc < 0)
            return exec_fail(x, rc);
    }
    return rc;
}

// A top-level comparison of a column that has an index with whole strings: sets the bits of the blocks that may hold one.
static int blocks_of_key(struct exec *x, struct exec_segment *s, const struct query_filter *f, uint64_t *some,
                         bool *ret)
{
    struct leaf_state *ls;
    *ret = false;
    if (f->kind != QUERY_FILTER_COMPARE || f->cmp != QUERY_EQ || f->target != QUERY_TARGET_REF || !f->ref ||
        f->ref->slot != QUERY_NO_SLOT)
        return 0;
    int rc = leaf_state_get(x, s, f, &ls);
    if (rc < 0 || ls->more || ls->chain->n != 1)
        return rc;
    const struct place *p = &ls->chain->places[0];
    if (p->kind == PLACE_ISSUE)
        return blocks_of_issue(x, s, f, p->col, some, ret);
    if (p->kind != PLACE_STR || p->type != QVAL_STR || p->col < COL_FIXED)
        return 0;
    for (uint32_t i = 0; i < f->value_count; i++) {
        rc = f->values[i].wildcard ? ERR_UNSUPPORTED
                                   : segment_find_string(s->seg, p->col - COL_FIXED, f->values[i].text, some);
        if (rc < 0)
            return rc == ERR_UNSUPPORTED ? 0 : exec_fail(x, rc);
    }
    *ret = true;
    return 0;
}

// Clears the blocks that hold no row of such a key.
static int blocks_of_keys(struct exec *x, struct exec_segment *s, const struct query_filter *f, uint64_t *blocks,
                          uint32_t n)
{
    bool is = false;
    int rc = 0;
    if (!f)
        return 0;
    if (f->kind == QUERY_FILTER_AND) {
        for (uint32_t i = 0; i < f->kid_count && rc == 0; i++)
            rc = blocks_of_keys(x, s, f->kids[i], blocks, n);
        return rc;
    }
    uint64_t *some = exec_bits(x, n, false);
    if (!some)
        return exec_nomem(x);
    rc = blocks_of_key(x, s, f, some, &is);
    for (size_t w = 0; w < BITS_WORDS(n) && is; w++)
        blocks[w] &= some[w];
    return rc;
}

int scan_blocks(struct exec *x, struct exec_segment *s, uint64_t **ret_blocks)
{
    uint32_t n = segment_blocks(s->seg, TABLE_ROWS);
    uint64_t *blocks = arena_zalloc(&x->arena, (BITS_WORDS(n) + 1) * 8);
    bool part = !s->info->head, may = true;
    int rc = 0;
    if (!blocks)
        return exec_nomem(x);
    *ret_blocks = blocks;
    if (!(x->plan->sources >> s->source & 1))
        return 0;
    x->stats.parts += part;
    x->stats.blocks += n;
    may = in_range(x, s, s->info->time_min, s->info->time_max);
    if (may && x->plan->filter)
        rc = filter_may_match(x, s, x->plan->filter, &may);
    for (uint32_t b = 0; b < n && may && rc == 0; b++) {
        int64_t lo, hi;
        bool hit = true;
        if ((uint64_t)b * BLOCK_ROWS + segment_block_rows(s->seg, TABLE_ROWS, b) <= s->first)
            continue;
        if (scan_block_times(s, b, &lo, &hi) && !in_range(x, s, lo, hi))
            continue;
        if (x->plan->filter)
            rc = filter_may_match_block(x, s, x->plan->filter, b, &hit);
        if (hit)
            bit_set(blocks, b);
    }
    if (rc == 0 && may)
        rc = blocks_of_traces(x, s, blocks, n);
    if (rc == 0 && may)
        rc = blocks_of_keys(x, s, x->plan->filter, blocks, n);
    uint32_t kept = bits_count(blocks, n);
    x->stats.parts_skipped += part && kept == 0;
    x->stats.blocks_skipped += n - kept;
    return rc;
}

// ---- the rows of a block ----

static int rows_in_range(struct vbatch *b)
{
    const struct query_plan *plan = b->x->plan;
    struct vec time;
    int64_t lo, hi;
    if (plan->range_all || b->seg->source == QUERY_ISSUES)
        return 0;
    if (scan_block_times(b->seg, b->seg->block[TABLE_ROWS], &lo, &hi) && lo >= plan->from && hi < plan->to)
        return 0;
    int rc = exec_column(b->x, b->seg, TABLE_ROWS, COL_TIME, &time);
    if (rc < 0)
        return rc;
    for (BITS_EACH(i, b->sel, b->n)) {
        if (time.i64[i] < plan->from || time.i64[i] >= plan->to)
            bit_clear(b->sel, i);
    }
    return 0;
}

int scan_block(struct exec *x, struct exec_segment *s, uint32_t block, const struct query_filter **where,
               uint32_t where_n, struct vbatch *b)
{
    uint64_t *keep;
    arena_reset(&x->scratch);
    x->step = STR("source");
    int rc = exec_poll(x);
    if (rc == 0)
        rc = exec_seek(x, s, TABLE_ROWS, block);
    if (rc == 0)
        rc = vbatch_init(b, x, VBATCH_BLOCK, segment_block_rows(s->seg, TABLE_ROWS, block));
    if (rc < 0)
        return rc;
    b->seg = s;
    s->scanned = true;
    x->stats.scanned += b->n;
    for (uint64_t row = (uint64_t)block * BLOCK_ROWS; row < s->first && row < (uint64_t)block * BLOCK_ROWS + b->n;
         row++)
        bit_clear(b->sel, (uint32_t)(row % BLOCK_ROWS));
    rc = scan_projects(b);
    if (rc == 0)
        rc = rows_in_range(b);
    if (rc == 0 && x->plan->filter) {
        rc = vbatch_filter(b, x->plan->filter, b->sel, &keep);
        if (rc == 0)
            b->sel = keep;
    }
    if (rc < 0)
        return rc;
    x->stats.matched += bits_count(b->sel, b->n);
    for (uint32_t i = 0; i < where_n && rc == 0; i++) {
        rc = vbatch_filter(b, where[i], b->sel, &keep);
        if (rc == 0)
            b->sel = keep;
    }
    return rc;
}

// ---- any order ----

static int run_any_order(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first)
{
    int rc = 0;
    for (uint32_t i = x->segs_n; i-- > 0 && rc == 0 && !x->cut_time;) { // newest first
        struct exec_segment *s = &x->segs[i];
        uint32_t n = segment_blocks(s->seg, TABLE_ROWS);
        uint64_t *blocks;
        arena_reset(&x->scratch);
        rc = scan_blocks(x, s, &blocks);
        for (BITS_EACH(k, blocks, n)) {
            struct vbatch b;
            if (rc < 0 || x->cut_time || op_done(first))
                break;
            rc = scan_block(x, s, k, where, where_n, &b);
            if (rc == 0 && bits_any(b.sel, b.n))
                rc = op_push(first, &b);
        }
    }
    return rc;
}

int scan_run(struct exec *x, const struct query_filter **where, uint32_t where_n, struct op *first)
{
    int rc = op_done(first)        ? 0
             : op_any_order(first) ? run_any_order(x, where, where_n, first)
                                   : scan_merge(x, where, where_n, first);
    return rc < 0 ? rc : op_finish(first);
}
