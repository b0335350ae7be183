// extract and parse: columns out of a row's text.
#include "base/mem.h"
#include "query/op.h"
#include "query/text_fields.h"

static bool text_of(const struct qval *v, str *ret)
{
    *ret = v->s;
    return v->type == QVAL_STR || v->type == QVAL_ENUM;
}

static int new_column(struct vbatch *b, int32_t slot, struct qval **ret)
{
    struct qval *any = exec_scratch(b->x, b->n, sizeof *any);
    if (!any)
        return exec_nomem(b->x);
    memset(any, 0, b->n * sizeof *any);
    b->slots[slot] = (struct cvec){ .kind = CVEC_ANY, .any = any };
    *ret = any;
    return 0;
}

// ---- extract ----

struct groups {
    str group[EXTRACT_PLACES_MAX + 1];
    struct query_regex_scratch scratch; // where texts that are not UTF-8 are made so
};

static int regex_row(struct exec *x, const struct query_step *step, str text, struct groups *g, struct qval *values)
{
    if (!query_regex_find(step->regex, text, g->group, (int)step->place_count + 1, &g->scratch))
        return 1;
    for (uint32_t i = 0; i < step->place_count; i++) {
        str s = g->group[i + 1];
        values[i] = qval_missing();
        if (!s.ptr || step->place_slots[i] == QUERY_NO_SLOT)
            continue;
        bool inside = s.ptr >= text.ptr && s.ptr <= text.ptr + text.len;
        if (!inside && arena_dup(&x->scratch, s, &s) < 0)
            return exec_nomem(x);
        values[i] = qval_str(s);
    }
    return 0;
}

int op_extract_push(struct op *op, struct vbatch *b)
{
    const struct query_step *step = op->step;
    struct qval values[EXTRACT_PLACES_MAX], *columns[EXTRACT_PLACES_MAX] = { NULL };
    struct groups g = { 0 };
    struct cvec v;
    int rc = vbatch_field(b, step->from, &v);
    for (uint32_t i = 0; i < step->place_count && rc == 0; i++) {
        if (step->place_slots[i] != QUERY_NO_SLOT)
            rc = new_column(b, step->place_slots[i], &columns[i]);
    }
    for (BITS_EACH(i, b->sel, b->n)) {
        struct qval q = cvec_get(&v, i);
        str text;
        if (rc < 0)
            break;
        if (!text_of(&q, &text))
            continue;
        bool hit;
        if (step->regex) {
            int r = regex_row(op->x, step, text, &g, values);
            hit = r == 0;
            rc = r < 0 ? r : 0;
        } else {
            hit = extract_match(&step->pattern, text, values);
        }
        for (uint32_t k = 0; hit && k < step->place_count; k++) {
            if (columns[k])
                columns[k][i] = values[k];
        }
    }
    mem_free(g.scratch.ptr);
    return rc;
}

// ---- parse ----

// The fields of one text, before those that an earlier step has found.
static int fields_row(struct vbatch *b, const struct query_step *step, const struct qval *q, uint32_t i,
                      struct qval *ret)
{
    struct arena *a = &b->x->scratch;
    struct value map = { .type = VALUE_NULL };
    bool cut = false;
    str text;
    int rc = 0;
    if (text_of(q, &text))
        rc = step->is_logfmt ? text_fields_logfmt(a, text, &map, &cut) : text_fields_json(a, text, &map, &cut);
    b->x->parse_cut += cut;
    if (rc == 0 && step->fields_before != QUERY_NO_SLOT) {
        struct qval before = cvec_get(&b->slots[step->fields_before], i);
        struct value old = { .type = before.type == QVAL_MAP ? VALUE_MAP : VALUE_NULL, .s = before.s }, both;
        rc = text_fields_join(a, &map, &old, &both);
        map = both;
    }
    if (rc < 0)
        return exec_nomem(b->x);
    if (map.type == VALUE_MAP)
        *ret = (struct qval){ .type = QVAL_MAP, .s = map.s };
    return 0;
}

int op_parse_push(struct op *op, struct vbatch *b)
{
    struct qval *maps;
    struct cvec v;
    int rc = vbatch_field(b, op->step->from, &v);
    if (rc == 0)
        rc = new_column(b, op->step->fields_slot, &maps);
    for (BITS_EACH(i, b->sel, b->n)) {
        if (rc < 0)
            break;
        struct qval q = cvec_get(&v, i);
        rc = fields_row(b, op->step, &q, i, &maps[i]);
    }
    return rc;
}
