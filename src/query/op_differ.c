// differ: what the rows that satisfy a filter have more or less often than the rest.
#include "base/timefmt.h"
#include "query/op.h"
#include "query/tally.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Scores that are equal but for the rounding of their computation are equal.
#define SCORE_PARTS 1e12

enum {
    ROWS_MAX = 50,
    OWN_ROWS_MIN = 20, // from so many rows on a field of which no value comes twice says nothing
};

struct difference {
    str field;
    struct qval value;
    double in, out, score;
    struct qval from, to; // of a tenth
};

struct op_differ {
    struct tally tally;
    struct difference *out;
    uint32_t out_n, out_cap;
};

int op_differ_new(struct op *op)
{
    struct exec *x = op->x;
    struct op_differ *s = op->differ = arena_zalloc(&x->arena, sizeof *s);
    if (!s)
        return exec_nomem(x);
    s->tally.x = x;
    s->tally.ranges = true;
    return op_tally_fields(op, &s->tally, TALLY_VALUES_MAX);
}

int op_differ_push(struct op *op, struct vbatch *b)
{
    uint64_t *in;
    int rc = vbatch_filter(b, op->step->filter, b->sel, &in);
    return rc < 0 ? rc : tally_batch(&op->differ->tally, b, op->step->by, op->step->by_count, op->step->records, in);
}

// ---- the score ----

// Wilson's interval of k of n at 95 %.
static void wilson(double k, double n, double *lo, double *hi)
{
    const double z = 1.959963984540054, p = k / n, z2 = z * z;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    *lo = k == 0 ? 0 : fmax(0, middle - half);
    *hi = k == n ? 1 : fmin(1, middle + half);
}

// Newcombe's interval of the difference of two shares (hybrid score, his method 10): the bound nearest to zero, 0 when
// it spans zero.
static double score_of(double in, double in_n, double out, double out_n)
{
    double p1 = in / in_n, p2 = out / out_n, l1, u1, l2, u2, d = p1 - p2;
    wilson(in, in_n, &l1, &u1);
    wilson(out, out_n, &l2, &u2);
    double lo = d - sqrt((p1 - l1) * (p1 - l1) + (u2 - p2) * (u2 - p2));
    double hi = d + sqrt((u1 - p1) * (u1 - p1) + (p2 - l2) * (p2 - l2));
    double score = lo > 0 ? lo : hi < 0 ? hi : 0;
    return round(score * SCORE_PARTS) / SCORE_PARTS;
}

static int add(struct op *op, struct difference d, const uint64_t counts[2])
{
    struct op_differ *s = op->differ;
    const uint64_t *rows = s->tally.rows;
    int rc = exec_grow(op->x, (void **)&s->out, &s->out_cap, s->out_n, sizeof *s->out);
    if (rc < 0)
        return rc;
    d.in = (double)counts[0] / (double)rows[0];
    d.out = (double)counts[1] / (double)rows[1];
    d.score = score_of((double)counts[0], (double)rows[0], (double)counts[1], (double)rows[1]);
    s->out[s->out_n++] = d;
    return 0;
}

// ---- tenths ----

// The ends of int64 are beyond it as doubles.
static int64_t whole(double d) { return d >= 0x1p63 ? INT64_MAX : d < -0x1p63 ? INT64_MIN : (int64_t)d; }

// A bound as the language writes it.
static int bound_text(char out[40], const struct tally_field *f, double d)
{
    if (!f->durations)
        return snprintf(out, 40, "%.15g", d);
    char text[32];
    int n = fmt_duration(text, whole(d));
    return snprintf(out, 40, "%.*s", n, text);
}

static struct qval bound_value(const struct tally_field *f, double d)
{
    if (f->doubles)
        return qval_double(d);
    return f->durations ? qval_of(QVAL_DURATION, whole(d)) : qval_int(whole(d));
}

static int add_tenths(struct op *op, const struct tally_field *f)
{
    struct tally_tenth tenths[10];
    uint32_t n = tally_tenths(f, tenths);
    int rc = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const struct tally_tenth *t = &tenths[i];
        struct difference d = { .field = f->name };
        char from[40] = "", to[40] = "";
        if (t->has_from) {
            bound_text(from, f, t->from);
            d.from = bound_value(f, t->from);
        }
        if (t->has_to) {
            bound_text(to, f, t->to);
            d.to = bound_value(f, t->to);
        }
        str text = arena_printf(&op->x->arena, n == 1 ? "*" : "%s..%s", from, to);
        if (!text.ptr)
            return exec_nomem(op->x);
        d.value = qval_str(text);
        rc = add(op, d, t->counts);
    }
    return rc;
}

// ---- fields into rows ----

// Every row has a value of its own: ids by another name.
static bool is_own(const struct tally_field *f)
{
    uint64_t rows = f->rows[0] + f->rows[1];
    uint32_t distinct = 0;
    if (f->over || f->pages || rows < OWN_ROWS_MIN)
        return f->over;
    for (uint32_t i = 0; i < f->values.values.n; i++)
        distinct += f->values.values.values[i].type != QVAL_MISSING && f->values.values.values[i].type != QVAL_LIST;
    return distinct >= rows;
}

static int add_field(struct op *op, const struct tally_field *f)
{
    int rc = f->pages ? add_tenths(op, f) : 0;
    for (uint32_t i = 0; i < f->values.values.n && rc == 0; i++) {
        const struct qval *v = &f->values.values.values[i];
        if (v->type == QVAL_MISSING || v->type >= QVAL_ID || v->type == QVAL_TIME)
            continue;
        rc = add(op, (struct difference){ .field = f->name, .value = *v }, f->counts + 2 * (size_t)i);
    }
    return rc;
}

static int order_differences(const void *pa, const void *pb)
{
    const struct difference *a = pa, *b = pb;
    double sa = fabs(a->score), sb = fabs(b->score);
    if (sa != sb)
        return sa > sb ? -1 : 1;
    int c = str_cmp(a->field, b->field);
    return c ? c : qval_order(&a->value, &b->value);
}

static int fill(struct op *op, struct vbatch *b, uint64_t from)
{
    struct qval *column[QUERY_DIFFER_COLUMNS];
    for (int c = 0; c < QUERY_DIFFER_COLUMNS; c++) {
        column[c] = exec_scratch(op->x, b->n, sizeof(struct qval));
        if (!column[c])
            return exec_nomem(op->x);
        b->slots[op->step->out_slots[c]] = (struct cvec){ .kind = CVEC_ANY, .any = column[c] };
    }
    for (uint32_t i = 0; i < b->n; i++) {
        const struct difference *d = &op->differ->out[from + i];
        column[0][i] = qval_str(d->field);
        column[1][i] = d->value;
        column[2][i] = qval_double(d->in);
        column[3][i] = qval_double(d->out);
        column[4][i] = qval_double(d->score);
        column[5][i] = d->from;
        column[6][i] = d->to;
    }
    return 0;
}

static int say(struct op *op)
{
    struct exec *x = op->x;
    const struct tally *t = &op->differ->tally;
    uint32_t own = 0;
    for (uint32_t i = 0; i < t->n; i++)
        own += is_own(&t->fields[i]);
    x->stats.compared = true;
    x->stats.compared_in = t->rows[0];
    x->stats.compared_out = t->rows[1];
    x->stats.compared_fields = t->n - own;
    x->stats.compared_own = own;
    int rc = op_tally_hint(x, t, own, is_own, "every row, or nearly, has a value of its own");
    if (rc == 0 && t->rows[0] == 0 && t->rows[1] > 0)
        rc = exec_hint(x, STR("no row satisfies the filter of `differ`: there is nothing to compare"));
    if (rc == 0 && t->rows[1] == 0 && t->rows[0] > 0)
        rc = exec_hint(x, STR("every row satisfies the filter of `differ`: there is no rest to compare with"));
    return rc < 0 ? rc : op_tally_beyond(x, t);
}

int op_differ_finish(struct op *op)
{
    struct exec *x = op->x;
    struct op_differ *s = op->differ;
    struct tally *t = &s->tally;
    x->step = op->step->name;
    arena_reset(&x->scratch);
    int rc = tally_finish(t);
    if (rc == 0)
        rc = say(op);
    for (uint32_t i = 0; i < t->n && rc == 0 && t->rows[0] > 0 && t->rows[1] > 0; i++)
        rc = is_own(&t->fields[i]) ? 0 : add_field(op, &t->fields[i]);
    if (rc < 0)
        return rc;
    if (s->out_n > 0)
        qsort(s->out, s->out_n, sizeof *s->out, order_differences);
    return op_emit(op, s->out_n < ROWS_MAX ? s->out_n : ROWS_MAX, fill, VBATCH_ROWS);
}

void op_differ_free(struct op *op)
{
    struct op_differ *s = op->differ;
    if (!s)
        return;
    tally_free(&s->tally);
    exec_free(op->x, s->out, s->out_cap * sizeof *s->out);
    op->differ = NULL;
}
