// patterns: rows by the pattern of their text, with what one wants to know of each.
#include "query/op.h"

#include <stdlib.h>

struct pattern {
    uint64_t count;
    int64_t first, last;
    uint8_t level; // the worst, 0: none
    bool timed;
    struct row_order newest; // the row of `example`
    struct qval example;
    uint32_t services;
};

struct op_patterns {
    struct intern_field patterns, services;
    struct intern_tuples pairs; // pattern, service
    struct pattern *groups;
    uint32_t groups_n, cap;
    uint64_t all;
    uint32_t *order, order_n;
};

int op_patterns_new(struct op *op)
{
    struct exec *x = op->x;
    struct op_patterns *s = op->patterns = arena_zalloc(&x->arena, sizeof *s);
    if (!s)
        return exec_nomem(x);
    s->patterns.values.x = s->services.values.x = x;
    s->pairs = (struct intern_tuples){ .x = x, .width = 2 };
    return 0;
}

static int too_many(struct op *op)
{
    query_fail(op->x->err, QUERY_E_TOO_MANY_GROUPS, "there are more than %d patterns", GROUPS_MAX);
    query_error_at(op->x->err, op->x->plan->text, op->step->pos.off, op->step->pos.len);
    query_error_hint(op->x->err, "narrow the filter or the time range");
    return ERR_LIMIT;
}

static int groups_room(struct op *op)
{
    struct op_patterns *s = op->patterns;
    for (uint32_t n = s->patterns.values.n; s->groups_n < n; s->groups_n++) {
        int rc = exec_grow(op->x, (void **)&s->groups, &s->cap, s->groups_n, sizeof *s->groups);
        if (rc < 0)
            return rc;
        s->groups[s->groups_n] = (struct pattern){ 0 };
    }
    return 0;
}

// Behind `select` a column that is not there is missing.
static int optional(struct op *op, struct vbatch *b, uint32_t k, struct cvec *ret)
{
    *ret = (struct cvec){ .kind = CVEC_NONE };
    return op->step->by[k] ? vbatch_field(b, op->step->by[k], ret) : 0;
}

// The services of each pattern; mostly the pair before comes again.
static int services_count(struct op *op, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    struct op_patterns *s = op->patterns;
    uint32_t last[2] = { INTERN_NONE, INTERN_NONE };
    uint32_t *ids = exec_scratch(op->x, n, 4);
    struct cvec v;
    int rc = optional(op, b, 2, &v);
    if (!ids)
        return exec_nomem(op->x);
    if (rc == 0)
        rc = intern_rows(&s->services, &v, index, n, GROUPS_MAX, ids);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        uint32_t pair[2] = { gid[k], ids[k] }, before = s->pairs.n, id;
        if ((pair[0] == last[0] && pair[1] == last[1]) || s->services.values.values[ids[k]].type == QVAL_MISSING)
            continue;
        rc = intern_tuple(&s->pairs, pair, UINT32_MAX - 1, &id);
        if (rc == 0)
            s->groups[gid[k]].services += s->pairs.n > before;
        memcpy(last, pair, sizeof last);
    }
    return rc;
}

static int levels_note(struct op *op, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    struct cvec v;
    int rc = optional(op, b, 1, &v);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        struct qval q = cvec_get(&v, index[k]);
        struct pattern *g = &op->patterns->groups[gid[k]];
        if (q.type == QVAL_LEVEL && q.i > g->level)
            g->level = (uint8_t)q.i;
    }
    return rc;
}

// Of two rows of one time the first in order is the newest. last: the other's row in this batch, or UINT32_MAX and its
// order.
static int stands_before(struct vbatch *b, uint32_t i, uint32_t last, const struct row_order *last_order, bool *ret)
{
    struct row_order at, other = *last_order;
    int rc = vbatch_order(b, i, &at);
    if (rc == 0 && last != UINT32_MAX)
        rc = vbatch_order(b, last, &other);
    *ret = rc == 0 && row_order_compare(b->x, &at, &other) < 0;
    return rc;
}

// Only the ids of the rows are made that are the newest of their pattern when the batch ends.
static int examples_note(struct op *op, struct vbatch *b, const uint32_t *index, const uint32_t *gid, uint32_t n)
{
    struct exec *x = op->x;
    struct op_patterns *s = op->patterns;
    uint64_t *newest = exec_bits(x, b->n, false), *sel = b->sel;
    uint32_t *row = exec_scratch(x, s->groups_n, 4), *touched = exec_scratch(x, n, 4), touched_n = 0;
    struct cvec time, id;
    int rc = optional(op, b, 3, &time);
    if (!newest || !row || !touched)
        return exec_nomem(x);
    if (rc < 0)
        return rc;
    memset(row, 0xff, (size_t)s->groups_n * 4);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        struct pattern *g = &s->groups[gid[k]];
        struct qval q = cvec_get(&time, index[k]);
        bool newer = !g->timed || q.i > g->last;
        g->count++;
        if (q.type != QVAL_TIME)
            continue;
        g->first = g->timed && g->first < q.i ? g->first : q.i;
        if (!newer && q.i == g->last)
            rc = stands_before(b, index[k], row[gid[k]], &g->newest, &newer);
        if (!newer || rc < 0)
            continue;
        touched[touched_n] = gid[k];
        touched_n += row[gid[k]] == UINT32_MAX;
        row[gid[k]] = index[k];
        g->last = q.i;
        g->timed = true;
    }
    for (uint32_t k = 0; k < touched_n && rc == 0; k++)
        rc = vbatch_order(b, row[touched[k]], &s->groups[touched[k]].newest);
    for (uint32_t k = 0; k < touched_n; k++)
        bit_set(newest, row[touched[k]]);
    if (rc < 0 || touched_n == 0)
        return rc;
    b->sel = newest;
    rc = optional(op, b, 4, &id);
    for (uint32_t k = 0; k < touched_n && rc == 0; k++) {
        struct qval q = cvec_get(&id, row[touched[k]]);
        struct qval *kept = &s->groups[touched[k]].example;
        if (kept->type == QVAL_STR && q.type == QVAL_STR && kept->s.len == q.s.len) {
            memcpy((char *)(uintptr_t)kept->s.ptr, q.s.ptr, q.s.len); // the room of the one before
            continue;
        }
        *kept = q;
        if (qval_dup(&x->arena, kept) < 0)
            rc = exec_nomem(x);
    }
    b->sel = sel;
    return rc;
}

int op_patterns_push(struct op *op, struct vbatch *b)
{
    struct exec *x = op->x;
    struct op_patterns *s = op->patterns;
    uint32_t *index, n;
    struct cvec v;
    int rc = op_indexes(b, b->sel, &index, &n);
    if (rc == 0)
        rc = vbatch_field(b, op->step->by[0], &v);
    if (rc < 0)
        return rc;
    uint32_t *gid = exec_scratch(x, n, 4);
    if (!gid)
        return exec_nomem(x);
    rc = intern_rows(&s->patterns, &v, index, n, GROUPS_MAX, gid);
    if (rc == ERR_LIMIT && x->err->code == QUERY_OK)
        rc = too_many(op);
    if (rc == 0)
        rc = groups_room(op);
    if (rc == 0)
        rc = services_count(op, b, index, gid, n);
    if (rc == 0)
        rc = levels_note(op, b, index, gid, n);
    if (rc == 0)
        rc = examples_note(op, b, index, gid, n);
    s->all += n;
    return rc;
}

// ---- patterns into rows ----

static int order_groups(const void *pa, const void *pb, void *ctx)
{
    const struct op_patterns *s = ctx;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    if (s->groups[a].count != s->groups[b].count)
        return s->groups[a].count > s->groups[b].count ? -1 : 1;
    return qval_order(&s->patterns.values.values[a], &s->patterns.values.values[b]);
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    const struct op_patterns *s = op->patterns;
    struct qval *column[QUERY_PATTERNS_COLUMNS];
    for (int c = 0; c < QUERY_PATTERNS_COLUMNS; c++) {
        column[c] = exec_scratch(op->x, b->n, sizeof(struct qval));
        if (!column[c])
            return exec_nomem(op->x);
        b->slots[op->step->out_slots[c]] = (struct cvec){ .kind = CVEC_ANY, .any = column[c] };
    }
    for (uint32_t i = 0; i < b->n; i++) {
        const struct pattern *g = &s->groups[s->order[from + i]];
        column[0][i] = s->patterns.values.values[s->order[from + i]];
        column[1][i] = qval_int((int64_t)g->count);
        column[2][i] = qval_double((double)g->count / (double)s->all);
        column[3][i] = g->timed ? qval_of(QVAL_TIME, g->first) : qval_missing();
        column[4][i] = g->timed ? qval_of(QVAL_TIME, g->last) : qval_missing();
        column[5][i] = g->level ? qval_of(QVAL_LEVEL, g->level) : qval_missing();
        column[6][i] = qval_int(g->services);
        column[7][i] = g->example;
    }
    return 0;
}

int op_patterns_finish(struct op *op)
{
    struct exec *x = op->x;
    struct op_patterns *s = op->patterns;
    x->step = op->step->name;
    arena_reset(&x->scratch);
    s->order = exec_alloc(x, (size_t)(s->groups_n + 1) * 4);
    if (!s->order)
        return exec_nomem(x);
    s->order_n = s->groups_n + 1;
    for (uint32_t g = 0; g < s->groups_n; g++)
        s->order[g] = g;
    qsort_r(s->order, s->groups_n, sizeof *s->order, order_groups, s);
    return op_emit(op, s->groups_n, fill, VBATCH_ROWS);
}

void op_patterns_free(struct op *op)
{
    struct op_patterns *s = op->patterns;
    if (!s)
        return;
    intern_field_free(&s->patterns);
    intern_field_free(&s->services);
    intern_tuples_free(&s->pairs);
    exec_free(op->x, s->groups, s->cap * sizeof *s->groups);
    exec_free(op->x, s->order, (size_t)s->order_n * 4);
    op->patterns = NULL;
}
