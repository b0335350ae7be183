// facets: the most frequent values of fields.
#include "query/op.h"
#include "query/tally.h"

#include <stdlib.h>

enum { NAMES_SAID = 5 };

struct facet {
    uint32_t field, value;
    uint64_t count;
};

struct op_facets {
    struct tally tally;
    struct facet *out;
    uint32_t out_n, out_cap;
};

int op_facets_new(struct op *op)
{
    struct exec *x = op->x;
    struct op_facets *s = op->facets = arena_zalloc(&x->arena, sizeof *s);
    if (!s)
        return exec_nomem(x);
    s->tally.x = x;
    s->tally.enums_only = true;
    return op_tally_fields(op, &s->tally, op->step->records ? TALLY_VALUES_MAX : GROUPS_MAX);
}

int op_tally_fields(struct op *op, struct tally *t, uint32_t max)
{
    for (uint32_t i = 0; i < op->step->by_count; i++) {
        uint32_t field;
        int rc = tally_field_get(t, op->step->by[i]->name, max, &field);
        if (rc < 0)
            return rc;
    }
    t->named = t->n;
    return 0;
}

int op_facets_push(struct op *op, struct vbatch *b)
{
    return tally_batch(&op->facets->tally, b, op->step->by, op->step->by_count, op->step->records, b->sel);
}

int op_tally_hint(struct exec *x, const struct tally *t, uint32_t n, bool (*is)(const struct tally_field *f),
                  const char *why)
{
    struct buf b;
    uint32_t said = 0;
    int rc = 0;
    if (n == 0)
        return 0;
    buf_init(&b, 8 << 10);
    buf_printf(&b, "%u field%s left out: %s", n, n == 1 ? " is" : "s are", why);
    for (uint32_t i = 0; i < t->n && said < NAMES_SAID; i++) {
        if (is(&t->fields[i]))
            buf_printf(&b, "%s%.*s", said++ ? ", " : ": ", STR_ARG(str_slice(t->fields[i].name, 0, 80)));
    }
    if (said < n && said > 0)
        buf_str(&b, STR(", .."));
    rc = exec_hint(x, buf_view(&b));
    buf_free(&b);
    return rc;
}

static bool is_over(const struct tally_field *f) { return f->over; }

int op_tally_beyond(struct exec *x, const struct tally *t)
{
    int rc = 0;
    if (t->beyond)
        rc = exec_hint(x, STR("records have more than 2,048 fields; the others are left out"));
    if (rc == 0 && t->overflow)
        rc =
            exec_hint(x, STR("attributes without a column of their own, of records with very many keys, are left out"));
    return rc;
}

// ---- fields into rows ----

static int order_fields(const void *pa, const void *pb, void *ctx)
{
    const struct tally *t = ctx;
    const struct tally_field *a = &t->fields[*(const uint32_t *)pa], *b = &t->fields[*(const uint32_t *)pb];
    if (a->rows[0] != b->rows[0])
        return a->rows[0] > b->rows[0] ? -1 : 1;
    return str_cmp(a->name, b->name);
}

static int order_values(const void *pa, const void *pb, void *ctx)
{
    const struct facet *a = pa, *b = pb;
    const struct qval *values = ctx;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return qval_order(&values[a->value], &values[b->value]);
}

static int field_rows(struct op *op, uint32_t field)
{
    struct op_facets *s = op->facets;
    const struct tally_field *f = &s->tally.fields[field];
    uint32_t first = s->out_n, n = f->values.values.n;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t type = f->values.values.values[i].type;
        if (type == QVAL_MISSING || type == QVAL_LIST || type == QVAL_MAP || f->counts[2 * (size_t)i] == 0)
            continue;
        int rc = exec_grow(op->x, (void **)&s->out, &s->out_cap, s->out_n, sizeof *s->out);
        if (rc < 0)
            return rc;
        s->out[s->out_n++] = (struct facet){ field, i, f->counts[2 * (size_t)i] };
    }
    n = s->out_n - first;
    if (n > 0)
        qsort_r(s->out + first, n, sizeof *s->out, order_values, f->values.values.values);
    s->out_n = first + (n < op->step->n ? n : (uint32_t)op->step->n);
    return 0;
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    const struct op_facets *s = op->facets;
    struct qval *column[4];
    for (int c = 0; c < 4; c++) {
        column[c] = exec_scratch(op->x, b->n, sizeof(struct qval));
        if (!column[c])
            return exec_nomem(op->x);
        b->slots[op->step->out_slots[c]] = (struct cvec){ .kind = CVEC_ANY, .any = column[c] };
    }
    for (uint32_t i = 0; i < b->n; i++) {
        const struct facet *r = &s->out[from + i];
        const struct tally_field *f = &s->tally.fields[r->field];
        column[0][i] = qval_str(f->name);
        column[1][i] = f->values.values.values[r->value];
        column[2][i] = qval_int((int64_t)r->count);
        column[3][i] = qval_double((double)r->count / (double)s->tally.rows[0]);
    }
    return 0;
}

static int say(struct op *op)
{
    const struct tally *t = &op->facets->tally;
    uint32_t over = 0;
    for (uint32_t i = 0; i < t->n; i++)
        over += t->fields[i].over;
    int rc = op_tally_hint(op->x, t, over, is_over, "more than 10,000 distinct values");
    return rc < 0 ? rc : op_tally_beyond(op->x, t);
}

static int too_many(struct op *op, const struct tally_field *f)
{
    query_fail(op->x->err, QUERY_E_TOO_MANY_GROUPS, "`%.*s` has more than %d distinct values",
               STR_ARG(str_slice(f->name, 0, 80)), GROUPS_MAX);
    query_error_at(op->x->err, op->x->plan->text, op->step->pos.off, op->step->pos.len);
    query_error_hint(op->x->err, "leave the field out, or narrow the filter");
    return ERR_LIMIT;
}

int op_facets_finish(struct op *op)
{
    struct exec *x = op->x;
    struct op_facets *s = op->facets;
    struct tally *t = &s->tally;
    x->step = op->step->name;
    arena_reset(&x->scratch);
    int rc = tally_finish(t);
    for (uint32_t i = 0; i < t->n && rc == 0 && !op->step->records; i++)
        rc = t->fields[i].over ? too_many(op, &t->fields[i]) : 0;
    if (rc == 0)
        rc = say(op);
    uint32_t *order = rc == 0 ? arena_alloc_array(&x->arena, t->n + 1, sizeof *order) : NULL;
    if (!order)
        return rc < 0 ? rc : exec_nomem(x);
    for (uint32_t i = 0; i < t->n; i++)
        order[i] = i;
    qsort_r(order, t->n, sizeof *order, order_fields, t);
    for (uint32_t i = 0; i < t->n && rc == 0; i++)
        rc = t->fields[order[i]].over ? 0 : field_rows(op, order[i]);
    return rc < 0 ? rc : op_emit(op, s->out_n, fill, VBATCH_ROWS);
}

void op_facets_free(struct op *op)
{
    struct op_facets *s = op->facets;
    if (!s)
        return;
    tally_free(&s->tally);
    exec_free(op->x, s->out, s->out_cap * sizeof *s->out);
    op->facets = NULL;
}
