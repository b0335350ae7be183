#include "query/op.h"

#include "query/expr_eval.h"
#include "query/set.h"

// ---- steps that look at one batch at a time ----

static int where_push(struct op *op, struct vbatch *b)
{
    uint64_t *keep;
    int rc = vbatch_filter(b, op->step->filter, b->sel, &keep);
    if (rc == 0)
        memcpy(b->sel, keep, BITS_WORDS(b->n) * 8);
    return rc;
}

static int let_push(struct op *op, struct vbatch *b)
{
    int rc = 0;
    for (uint32_t i = 0; i < op->step->let_count && rc == 0; i++) {
        const struct query_let *let = &op->step->lets[i];
        struct cvec v;
        rc = expr_vec(b, let->expr, &v);
        if (rc == 0)
            b->slots[let->slot] = v;
    }
    return rc;
}

// Start of the interval that holds v. The calendar remembers its last unit: rows are near each other in time.
struct calendar_memo {
    bool set;
    int64_t start, next;
};

static struct qval bucket_of(const struct query_bucket *k, const struct qval *v, struct calendar_memo *memo)
{
    bool ns = v->type == QVAL_TIME || v->type == QVAL_DURATION;
    switch (k->kind) {
    case QUERY_BUCKET_CALENDAR:
        if (v->type != QVAL_TIME)
            return qval_missing();
        if (!memo->set || v->i < memo->start || v->i >= memo->next) {
            memo->start = query_calendar_floor(k->zone, k->unit, k->unit_count, v->i);
            memo->next = query_calendar_next(k->zone, k->unit, k->unit_count, v->i);
            memo->set = true;
        }
        return qval_of(QVAL_TIME, memo->start);
    case QUERY_BUCKET_TIME:
        return v->type == QVAL_TIME ? qval_of(QVAL_TIME, query_bucket_int(v->i, k->width)) : qval_missing();
    case QUERY_BUCKET_DURATION:
        return ns ? qval_of(v->type, query_bucket_int(v->i, k->width)) : qval_missing();
    default:
        break;
    }
    if (ns && k->kind == QUERY_BUCKET_ANY && k->width > 0)
        return qval_of(v->type, query_bucket_int(v->i, k->width));
    if (v->type == QVAL_INT && k->width > 0 && (double)k->width == k->width_d)
        return qval_int(query_bucket_int(v->i, k->width));
    if (v->type == QVAL_INT || v->type == QVAL_DOUBLE)
        return qval_double(query_bucket_double(v->type == QVAL_INT ? (double)v->i : v->d, k->width_d));
    return qval_missing();
}

static int bucket_push(struct op *op, struct vbatch *b)
{
    const struct query_bucket *k = &op->step->bucket;
    struct calendar_memo memo = { 0 };
    struct cvec v;
    int rc = vbatch_field(b, k->ref, &v);
    struct qval *any = exec_scratch(b->x, b->n, sizeof *any);
    if (rc < 0)
        return rc;
    if (!any)
        return exec_nomem(b->x);
    memset(any, 0, b->n * sizeof *any);
    for (BITS_EACH(i, b->sel, b->n)) {
        struct qval q = cvec_get(&v, i);
        any[i] = bucket_of(k, &q, &memo);
    }
    b->slots[k->slot] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}

static int select_push(struct op *op, struct vbatch *b)
{
    int rc = 0;
    for (uint32_t i = 0; i < op->step->item_count && rc == 0; i++) {
        struct cvec v;
        rc = vbatch_field(b, op->step->items[i].ref, &v);
        if (rc == 0)
            b->slots[op->step->items[i].slot] = v;
    }
    return rc;
}

static int limit_push(struct op *op, struct vbatch *b)
{
    for (BITS_EACH(i, b->sel, b->n)) {
        if (op->left == 0)
            bit_clear(b->sel, i);
        else
            op->left--;
    }
    op->done = op->left == 0;
    return 0;
}

int op_limit_by_push(struct op *op, struct vbatch *b)
{
    struct exec *x = op->x;
    uint32_t width = op->step->by_count, *index, n;
    int rc = op_indexes(b, b->sel, &index, &n);
    uint32_t *ids = exec_scratch(x, (size_t)width * n, 4), *tuple = exec_scratch(x, width, 4);
    if (rc < 0)
        return rc;
    if (!ids || !tuple)
        return exec_nomem(x);
    for (uint32_t f = 0; f < width && rc == 0; f++) {
        struct cvec v;
        rc = vbatch_field(b, op->step->by[f], &v);
        if (rc == 0)
            rc = intern_rows(&op->by[f], &v, index, n, GROUPS_MAX, ids + (size_t)f * n);
    }
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        uint32_t id;
        for (uint32_t f = 0; f < width; f++)
            tuple[f] = ids[(size_t)f * n + k];
        rc = intern_tuple(&op->tuples, tuple, GROUPS_MAX, &id);
        if (rc < 0)
            break;
        uint32_t before = op->seen_cap;
        rc = exec_grow(x, (void **)&op->seen, &op->seen_cap, id, sizeof *op->seen);
        if (rc < 0)
            break;
        if (op->seen_cap > before)
            memset(op->seen + before, 0, (op->seen_cap - before) * sizeof *op->seen);
        if (op->seen[id] >= op->step->n)
            bit_clear(b->sel, index[k]);
        else
            op->seen[id]++;
    }
    if (rc == ERR_LIMIT) {
        query_fail(x->err, QUERY_E_TOO_MANY_GROUPS, "limit by meets more than %d distinct values", GROUPS_MAX);
        query_error_hint(x->err, "narrow the filter, or put a limit behind it");
    }
    return rc;
}

int op_indexes(struct vbatch *b, const uint64_t *sel, uint32_t **ret_index, uint32_t *ret_n)
{
    uint32_t n = bits_count(sel, b->n), k = 0;
    uint32_t *index = exec_scratch(b->x, n, sizeof *index);
    if (!index)
        return exec_nomem(b->x);
    for (size_t w = 0; w < BITS_WORDS(b->n); w++) {
        for (uint64_t m = sel[w]; m; m &= m - 1)
            index[k++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(m);
    }
    *ret_index = index;
    *ret_n = n;
    return 0;
}

int op_make_columns(struct op *op, struct vbatch *b)
{
    switch (op->kind) {
    case OP_LET:
        return let_push(op, b);
    case OP_BUCKET:
        return bucket_push(op, b);
    case OP_EXTRACT:
        return op_extract_push(op, b);
    case OP_PARSE:
        return op_parse_push(op, b);
    default:
        return 0;
    }
}

// ---- the chain ----

int op_push(struct op *op, struct vbatch *b)
{
    int rc = 0;
    op->x->step = op->step ? op->step->name : STR("output");
    switch (op->kind) {
    case OP_WHERE:
        rc = where_push(op, b);
        break;
    case OP_LET:
    case OP_BUCKET:
    case OP_EXTRACT:
    case OP_PARSE:
        rc = op_make_columns(op, b);
        break;
    case OP_SELECT:
        rc = select_push(op, b);
        break;
    case OP_LIMIT:
        rc = limit_push(op, b);
        break;
    case OP_LIMIT_BY:
        rc = op_limit_by_push(op, b);
        break;
    case OP_SORT:
        return op_sort_push(op, b);
    case OP_STATS:
        return op_stats_push(op, b);
    case OP_TRACES:
        return op_traces_push(op, b);
    case OP_FILL:
        return op_fill_push(op, b);
    case OP_PATTERNS:
        return op_patterns_push(op, b);
    case OP_FACETS:
        return op_facets_push(op, b);
    case OP_DIFFER:
        return op_differ_push(op, b);
    case OP_CONTEXT:
        return op_context_push(op, b);
    case OP_SET:
        return op_set_push(op->x, b, op->x->plan->out[0]);
    case OP_OUTPUT:
        return op_output_push(op, b);
    }
    if (rc < 0)
        return rc;
    return bits_any(b->sel, b->n) ? op_push(op->next, b) : 0;
}

// Answers only when it has all rows.
static bool waits(enum op_kind k)
{
    return k == OP_SORT || k == OP_STATS || k == OP_TRACES || k == OP_FACETS || k == OP_DIFFER || k == OP_CONTEXT ||
           k == OP_SET || k == OP_PATTERNS || k == OP_FILL;
}

bool op_done(const struct op *op)
{
    for (; op; op = op->next) {
        if (op->done)
            return true;
        if (waits(op->kind))
            return false; // what comes behind it waits for what it has
    }
    return false;
}

int op_finish(struct op *op)
{
    switch (op->kind) {
    case OP_SORT:
        return op_sort_finish(op);
    case OP_STATS:
        return op_stats_finish(op);
    case OP_TRACES:
        return op_traces_finish(op);
    case OP_FILL:
        return op_fill_finish(op);
    case OP_PATTERNS:
        return op_patterns_finish(op);
    case OP_FACETS:
        return op_facets_finish(op);
    case OP_DIFFER:
        return op_differ_finish(op);
    case OP_CONTEXT:
        return op_context_finish(op);
    case OP_SET:
        return 0;
    case OP_OUTPUT:
        return op_output_finish(op);
    default:
        return op_finish(op->next);
    }
}

int op_emit(struct op *op, uint64_t rows, int (*fill)(struct op *op, struct vbatch *b, uint64_t from),
            enum vbatch_kind kind)
{
    int rc = 0;
    for (uint64_t from = 0; from < rows && rc == 0 && !op_done(op->next);) {
        uint32_t n = rows - from < VBATCH_ROWS_MAX ? (uint32_t)(rows - from) : VBATCH_ROWS_MAX;
        struct vbatch b;
        arena_reset(&op->x->scratch);
        rc = exec_poll(op->x);
        if (rc == 0)
            rc = vbatch_init(&b, op->x, kind, n);
        if (rc < 0)
            break;
        b.ordered = true;
        b.number = from;
        rc = fill(op, &b, from);
        if (rc == 0)
            rc = op_push(op->next, &b);
        from += n;
    }
    return rc < 0 ? rc : op_finish(op->next);
}

bool op_any_order(const struct op *op)
{
    for (; op; op = op->next) {
        switch (op->kind) {
        case OP_WHERE:
        case OP_LET:
        case OP_BUCKET:
        case OP_SELECT:
        case OP_EXTRACT:
        case OP_PARSE:
            continue;
        default:
            return waits(op->kind);
        }
    }
    return false;
}

uint64_t op_wanted(const struct op *op)
{
    for (; op; op = op->next) {
        switch (op->kind) {
        case OP_LET:
        case OP_BUCKET:
        case OP_SELECT:
        case OP_EXTRACT:
        case OP_PARSE:
            continue;
        case OP_LIMIT:
            return op->left;
        case OP_OUTPUT: // one more tells whether there is more
            return op->left < UINT64_MAX - op->x->offset ? op->left + op->x->offset + 1 : UINT64_MAX;
        default:
            return UINT64_MAX;
        }
    }
    return UINT64_MAX;
}

static int op_new(struct exec *x, const struct query_step *s, struct op *op)
{
    switch (s->kind) {
    case QUERY_WHERE:
        op->kind = OP_WHERE;
        return 0;
    case QUERY_LET:
        op->kind = OP_LET;
        return 0;
    case QUERY_BUCKET:
        op->kind = OP_BUCKET;
        return 0;
    case QUERY_SELECT:
        op->kind = OP_SELECT;
        return 0;
    case QUERY_EXTRACT:
        op->kind = OP_EXTRACT;
        return 0;
    case QUERY_PARSE:
        op->kind = OP_PARSE;
        return 0;
    case QUERY_LIMIT:
        op->kind = s->by_count ? OP_LIMIT_BY : OP_LIMIT;
        op->left = s->n;
        op->done = !s->by_count && s->n == 0;
        op->tuples = (struct intern_tuples){ .x = x, .width = s->by_count };
        op->by = arena_zalloc(&x->arena, (s->by_count + 1) * sizeof *op->by);
        if (!op->by)
            return exec_nomem(x);
        for (uint32_t f = 0; f < s->by_count; f++)
            op->by[f].values.x = x;
        return 0;
    case QUERY_SORT:
        op->kind = OP_SORT;
        return op_sort_new(op);
    case QUERY_STATS:
    case QUERY_TOP:
        op->kind = OP_STATS;
        return op_stats_new(op);
    case QUERY_TRACES:
        op->kind = OP_TRACES;
        return op_traces_new(op);
    case QUERY_FILL:
        op->kind = OP_FILL;
        return op_fill_new(op);
    case QUERY_PATTERNS:
        op->kind = OP_PATTERNS;
        return op_patterns_new(op);
    case QUERY_FACETS:
        op->kind = OP_FACETS;
        return op_facets_new(op);
    case QUERY_DIFFER:
        op->kind = OP_DIFFER;
        return op_differ_new(op);
    case QUERY_CONTEXT:
        op->kind = OP_CONTEXT;
        return op_context_new(op);
    default:
        query_fail(x->err, QUERY_E_NOT_YET, "the step %.*s is not built yet", STR_ARG(s->name));
        return ERR_UNSUPPORTED;
    }
}

int op_chain(struct exec *x, uint32_t first, struct op **ret)
{
    uint32_t n = x->plan->step_count - first + 1;
    struct op *ops = arena_zalloc(&x->arena, n * sizeof *ops);
    if (!ops)
        return exec_nomem(x);
    *ret = ops;
    for (uint32_t i = 0; i < n; i++) {
        ops[i].x = x;
        ops[i].chain = ops;
        ops[i].kind = x->set ? OP_SET : OP_OUTPUT;
        ops[i].step_index = first + i;
        ops[i].next = i + 1 < n ? &ops[i + 1] : NULL;
        ops[i].step = i + 1 < n ? &x->plan->steps[first + i] : NULL;
    }
    int rc = 0;
    for (uint32_t i = 0; i + 1 < n && rc == 0; i++)
        rc = op_new(x, ops[i].step, &ops[i]);
    return rc < 0 || x->set ? rc : op_output_new(&ops[n - 1]);
}

void op_chain_free(struct op *op)
{
    for (; op; op = op->next) {
        switch (op->kind) {
        case OP_LIMIT_BY:
            for (uint32_t f = 0; op->by && f < op->step->by_count; f++)
                intern_field_free(&op->by[f]);
            intern_tuples_free(&op->tuples);
            exec_free(op->x, op->seen, op->seen_cap * sizeof *op->seen);
            break;
        case OP_SORT:
            op_sort_free(op);
            break;
        case OP_STATS:
            op_stats_free(op);
            break;
        case OP_TRACES:
            op_traces_free(op);
            break;
        case OP_FILL:
            op_fill_free(op);
            break;
        case OP_PATTERNS:
            op_patterns_free(op);
            break;
        case OP_FACETS:
            op_facets_free(op);
            break;
        case OP_DIFFER:
            op_differ_free(op);
            break;
        case OP_CONTEXT:
            op_context_free(op);
            break;
        case OP_OUTPUT:
            op_output_free(op);
            break;
        default:
            break;
        }
    }
}
