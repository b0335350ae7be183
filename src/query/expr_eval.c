#include "query/expr_eval.h"

#include "base/mem.h"
#include "query/compare.h"
#include "query/expr_number.h"

struct evaluation {
    struct vbatch *b;
    struct expr_env env;
};

static bool truth(const struct qval *v) { return v->type == QVAL_BOOL && v->b; }

static int eval(struct evaluation *ev, const struct query_expr *e, uint32_t i, struct qval *ret);

static int eval_call(struct evaluation *ev, const struct query_expr *e, uint32_t i, struct qval *ret)
{
    struct qval args[16];
    int rc = 0;
    // coalesce() stops at the first that is there.
    for (uint32_t k = 0; k < e->kid_count && k < 16; k++) {
        rc = eval(ev, e->kids[k], i, &args[k]);
        if (rc < 0)
            return rc;
        if (e->fn == QUERY_FN_COALESCE && args[k].type != QVAL_MISSING) {
            *ret = args[k];
            return 0;
        }
    }
    return expr_call(&ev->env, e, args, e->kid_count, ret);
}

static struct qval constant(const struct query_expr *e)
{
    const struct query_literal *lit = e->lit;
    if (!lit) // the pattern of match(), which is compiled
        return qval_str(STR(""));
    if (e->op == QUERY_X_STRING)
        return qval_str(lit->text);
    if (e->op == QUERY_X_DURATION && (lit->readings & QR_DURATION))
        return qval_of(QVAL_DURATION, lit->duration);
    if (lit->readings & (QR_INT | QR_SIZE))
        return qval_int(lit->i);
    return qval_double(lit->d);
}

static int eval(struct evaluation *ev, const struct query_expr *e, uint32_t i, struct qval *ret)
{
    struct qval a = { 0 }, b = { 0 };
    int rc = 0;
    *ret = qval_missing();
    switch (e->op) {
    case QUERY_X_NUMBER:
    case QUERY_X_DURATION:
    case QUERY_X_STRING:
        *ret = constant(e);
        return 0;
    case QUERY_X_BOOL:
        *ret = qval_bool(e->truth);
        return 0;
    case QUERY_X_FIELD:
        *ret = cvec_get(ev->b->fields[e->ref->index], i);
        return 0;
    case QUERY_X_CALL:
        return eval_call(ev, e, i, ret);
    case QUERY_X_COND:
        rc = eval(ev, e->kids[0], i, &a);
        return rc < 0 ? rc : eval(ev, e->kids[truth(&a) ? 1 : 2], i, ret);
    case QUERY_X_AND:
    case QUERY_X_OR: {
        bool and = e->op == QUERY_X_AND, so_far = and;
        for (uint32_t k = 0; k < e->kid_count && rc == 0 && so_far == and; k++) {
            rc = eval(ev, e->kids[k], i, &a);
            so_far = truth(&a);
        }
        *ret = qval_bool(so_far);
        return rc;
    }
    default:
        break;
    }
    rc = eval(ev, e->kids[0], i, &a);
    if (rc == 0 && e->kid_count > 1)
        rc = eval(ev, e->kids[1], i, &b);
    if (rc < 0)
        return rc;
    switch (e->op) {
    case QUERY_X_NOT:
        *ret = qval_bool(!truth(&a));
        break;
    case QUERY_X_NEG:
        *ret = expr_negate(&a);
        break;
    case QUERY_X_EQ:
    case QUERY_X_NE:
    case QUERY_X_LT:
    case QUERY_X_LE:
    case QUERY_X_GT:
    case QUERY_X_GE:
        *ret = qval_bool(expr_compare(e->op, &a, &b));
        break;
    default:
        *ret = expr_arith(e->op, &a, &b);
        break;
    }
    return 0;
}

// Every field once a batch, before the rows.
static int fetch(struct vbatch *b, const struct query_expr *e)
{
    struct cvec v;
    int rc = 0;
    if (e->op == QUERY_X_FIELD)
        return vbatch_field(b, e->ref, &v);
    for (uint32_t k = 0; k < e->kid_count && rc == 0; k++)
        rc = fetch(b, e->kids[k]);
    return rc;
}

int expr_vec(struct vbatch *b, const struct query_expr *e, struct cvec *ret)
{
    struct exec *x = b->x;
    struct evaluation ev = { .b = b, .env = { .arena = &x->scratch, .zone = x->plan->zone, .now = x->plan->now_ns } };
    if (e->op == QUERY_X_FIELD)
        return vbatch_field(b, e->ref, ret);
    struct qval *any = exec_scratch(x, b->n, sizeof *any);
    if (!any)
        return exec_nomem(x);
    memset(any, 0, b->n * sizeof *any);
    int rc = fetch(b, e);
    for (BITS_EACH(i, b->sel, b->n)) {
        if (rc < 0)
            break;
        rc = eval(&ev, e, i, &any[i]);
    }
    mem_free(ev.env.regex.ptr);
    if (rc < 0)
        return x->err->code ? rc : exec_fail(x, rc);
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}
