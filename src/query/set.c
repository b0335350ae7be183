#include "query/set.h"

#include "base/hex.h"
#include "query/compare.h"
#include "query/issue_rows.h"
#include "query/row_pattern.h"

// ---- asking ----

static bool find(const struct value_set *s, const struct qval *v)
{
    return intern_find(&s->values.values, v) != INTERN_NONE;
}

// The same id in the other length: 16 digits mean 32 with zeros in front.
static bool find_padded(const struct value_set *s, const struct qval *v)
{
    static const uint8_t zeros[8];
    struct qval other = { .type = QVAL_ID, .id_n = v->id_n == 8 ? 16 : 8 };
    if (v->id_n == 8)
        memcpy(other.id + 8, v->id, 8);
    else if (memcmp(v->id, zeros, 8) == 0)
        memcpy(other.id, v->id + 8, 8);
    else
        return false;
    return find(s, &other);
}

static bool find_text(const struct value_set *s, str text)
{
    struct qval q = qval_str(text);
    return find(s, &q);
}

static bool find_as_text(const struct value_set *s, const struct qval *v)
{
    char text[33];
    switch ((enum qval_type)v->type) {
    case QVAL_BOOL:
        return find_text(s, query_canonical_bool(v->b));
    case QVAL_INT:
        return find_text(s, str_of(text, query_canonical_int(text, v->i)));
    case QVAL_DOUBLE:
        return find_text(s, str_of(text, query_canonical_double(text, v->d)));
    case QVAL_ID:
        hex_encode(text, v->id, v->id_n);
        return find_text(s, str_of(text, 2u * v->id_n));
    default:
        return false;
    }
}

// A text as the id, number or bool whose canonical text it is.
static bool find_as_value(const struct value_set *s, str text)
{
    struct qval q = { .type = QVAL_ID };
    char again[32];
    bool is_int;
    double d;
    if (s->ids && (text.len == 16 || text.len == 32)) {
        q.id_n = (uint8_t)(text.len / 2);
        if (hex_decode(q.id, text) && (find(s, &q) || find_padded(s, &q)))
            return true;
    }
    if (!s->plain)
        return false;
    if (str_eq(text, STR("true")) || str_eq(text, STR("false"))) {
        q = qval_bool(text.ptr[0] == 't');
        return find(s, &q);
    }
    int64_t i;
    if (!query_decimal_read(text, &i, &d, &is_int))
        return false;
    q = is_int ? qval_int(i) : qval_double(d);
    size_t n = is_int ? query_canonical_int(again, i) : query_canonical_double(again, d);
    return str_eq(text, str_of(again, n)) && find(s, &q);
}

bool set_has(const struct value_set *s, const struct qval *v)
{
    if (v->type == QVAL_MISSING || s->values.values.n == 0)
        return false;
    if (find(s, v))
        return true;
    if (v->type == QVAL_ID && s->ids && find_padded(s, v))
        return true;
    if (v->type == QVAL_STR || v->type == QVAL_ENUM)
        return (s->ids || s->plain) && find_as_value(s, v->s);
    return s->texts && find_as_text(s, v);
}

// ---- collecting ----

static int too_big(const struct query_in *in, struct exec *x)
{
    query_fail(x->err, QUERY_E_SET_TOO_BIG, "the query in braces finds more than %d values", SET_VALUES_MAX);
    query_error_at(x->err, x->plan->text, in->pos.off, in->pos.len);
    query_error_hint(x->err, "narrow its filter or the time range");
    return ERR_LIMIT;
}

int op_set_push(struct exec *x, struct vbatch *b, int32_t slot)
{
    const struct cvec *v = &b->slots[slot];
    uint32_t n = 0;
    if (v->kind == CVEC_NONE)
        return 0;
    uint32_t *index = exec_scratch(x, b->n, 4), *ids = exec_scratch(x, b->n, 4);
    if (!index || !ids)
        return exec_nomem(x);
    for (uint32_t w = 0; w < BITS_WORDS(b->n); w++) {
        for (uint64_t rows = b->sel[w] & (v->present ? v->present[w] : UINT64_MAX); rows; rows &= rows - 1)
            index[n++] = w * 64 + (uint32_t)__builtin_ctzll(rows);
    }
    return intern_rows(&x->set->values, v, index, n, SET_VALUES_MAX + 1, ids); // one more: a missing value
}

static void note_type(struct value_set *s, uint8_t type)
{
    s->texts |= type == QVAL_STR || type == QVAL_ENUM;
    s->ids |= type == QVAL_ID;
    s->plain |= type == QVAL_BOOL || type == QVAL_INT || type == QVAL_DOUBLE;
}

// A list stands for its elements.
static int elements_add(struct value_set *s, const struct qval *list)
{
    struct value whole = { .type = VALUE_LIST, .s = list->s }, e;
    struct value_reader r;
    uint64_t left;
    int rc = 0;
    if (value_open(&whole, &r, &left) < 0)
        return 0;
    for (; left > 0 && rc == 0 && value_read(&r, &e) == 0; left--) {
        struct qval q = qval_of_value(&e);
        uint32_t id;
        if (q.type == QVAL_MISSING)
            continue;
        note_type(s, q.type);
        rc = intern_value(&s->values.values, &q, SET_VALUES_MAX + 1, &id);
    }
    return rc;
}

static int set_finish(struct value_set *s)
{
    uint32_t n = s->values.values.n, values = 0;
    int rc = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        struct qval v = s->values.values.values[i];
        values += v.type != QVAL_MISSING;
        note_type(s, v.type);
        if (v.type == QVAL_LIST)
            rc = elements_add(s, &v);
    }
    return rc == 0 && values > SET_VALUES_MAX ? ERR_LIMIT : rc;
}

// ---- the inner run ----

static int inner_begin(struct exec *in, struct exec *x, struct query_plan *plan, struct value_set *set)
{
    *in = (struct exec){ .q = x->q,
                         .err = x->err,
                         .plan = plan,
                         .step = STR("in"),
                         .cap = x->cap,
                         .deadline = x->deadline,
                         .outer = x,
                         .set = set };
    x->inner = in;
    arena_init(&in->arena, x->cap);
    arena_init(&in->scratch, x->cap);
    in->segs = arena_zalloc(&in->arena, ((size_t)x->segs_n + 1) * sizeof *in->segs); // one for exec_issues()
    if (!in->segs)
        return exec_nomem(in);
    for (uint32_t i = 0; i < x->segs_n; i++) {
        const struct exec_segment *s = &x->segs[i];
        uint32_t k = in->segs_n;
        if (s->source == QUERY_ISSUES) // the inner query's range may be narrower
            continue;
        in->segs[k] = (struct exec_segment){ .seg = s->seg, .info = s->info, .index = k, .source = s->source };
        for (int t = 0; t < TABLE_N; t++)
            in->segs[k].block[t] = BLOCK_NONE;
        in->segs_n++;
    }
    int rc = exec_issues(in);
    if (rc < 0)
        return rc;
    exec_range_close(in);
    return exec_sets(in);
}

static void inner_end(struct exec *in, struct exec *x)
{
    exec_close(in);
    exec_issues_free(in);
    exec_sets_free(in);
    row_patterns_free(in);
    x->stats.scanned += in->stats.scanned;
    x->stats.bytes += in->stats.bytes;
    x->stats.uncomparable += in->stats.uncomparable;
    x->stats.hidden += in->stats.hidden;
    x->stats.without_trace += in->stats.without_trace;
    x->cut_time |= in->cut_time;
    x->gone |= in->gone;
    x->inner = NULL;
    arena_free(&in->arena);
    arena_free(&in->scratch);
}

static int set_make(struct exec *x, struct query_in *in)
{
    struct exec inner;
    struct value_set *set = in->set = arena_zalloc(&x->arena, sizeof *set);
    if (!set)
        return exec_nomem(x);
    set->values.values.x = x;
    int rc = inner_begin(&inner, x, in->plan, set);
    if (rc == 0)
        rc = exec_run(&inner);
    for (uint32_t i = 0; rc == 0 && i < inner.stats.hints_n; i++)
        rc = exec_hint(x, inner.stats.hints[i]);
    inner_end(&inner, x);
    exec_free(x, set->values.ids, (size_t)set->values.ids_n * 4); // ordinals of the inner run's segments
    set->values.ids = NULL;
    set->values.ids_n = 0;
    set->values.identity = NULL;
    if (rc == 0)
        rc = set_finish(set);
    return rc == ERR_LIMIT && x->err->code == QUERY_OK ? too_big(in, x) : rc;
}

int exec_sets(struct exec *x)
{
    int rc = 0;
    for (uint32_t i = 0; i < x->plan->in_count && rc == 0; i++)
        rc = set_make(x, x->plan->ins[i]);
    return rc;
}

void exec_sets_free(struct exec *x)
{
    for (uint32_t i = 0; x->plan && i < x->plan->in_count; i++) {
        if (x->plan->ins[i]->set)
            intern_field_free(&x->plan->ins[i]->set->values);
        x->plan->ins[i]->set = NULL;
    }
}
