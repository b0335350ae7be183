#include "traces/catalogue.h"

#include "base/clock.h"
#include "base/mem.h"
#include "query/attributes.h"
#include "query/calendar.h"
#include "query/error.h"
#include "query/literal.h"
#include "query/plan.h"
#include "query/qval_ops.h"

#include <stdlib.h>

enum { CATALOGUE_BYTES_MAX = 64 << 20, TEXT_MAX = 64 << 10, VALUES_DEFAULT = 100 };

// A list under construction: everything in its arena.
struct maker {
    struct catalogue *c;
    struct arena *arena;
    uint32_t cap;
};

static int begin(struct maker *m, struct catalogue *c, struct query_error *err)
{
    memset(c, 0, sizeof *c);
    memset(err, 0, sizeof *err);
    *m = (struct maker){ .c = c, .arena = mem_alloc(sizeof(struct arena)) };
    if (!m->arena)
        return query_fail(err, QUERY_E_MEMORY, "no memory");
    arena_init(m->arena, CATALOGUE_BYTES_MAX);
    c->memory = m->arena;
    return 0;
}

void catalogue_free(struct catalogue *c)
{
    if (c->memory)
        arena_free(c->memory);
    mem_free(c->memory);
    memset(c, 0, sizeof *c);
}

// Whatever rc is: the list on success, nothing otherwise.
static int end(struct maker *m, int rc, struct query_error *err)
{
    if (rc < 0) {
        if (err->code == QUERY_OK)
            query_fail(err, QUERY_E_MEMORY, "the list is too large");
        catalogue_free(m->c);
    }
    return rc;
}

// One more entry of the list at *list; NULL without memory.
static void *add(struct maker *m, void *list, size_t size)
{
    void *old;
    memcpy(&old, list, sizeof old);
    if (m->c->n == m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 32;
        void *more = arena_alloc_array(m->arena, cap, size);
        if (!more)
            return NULL;
        if (m->c->n)
            memcpy(more, old, m->c->n * size);
        memcpy(list, &more, sizeof more);
        old = more;
        m->cap = cap;
    }
    void *at = (char *)old + size * m->c->n++;
    memset(at, 0, size);
    return at;
}

static str keep(struct maker *m, const struct qval *v)
{
    str s = STR("");
    if (v->type == QVAL_STR || v->type == QVAL_ENUM)
        return arena_dup(m->arena, v->s, &s) < 0 ? (str){ NULL, 0 } : s;
    return s;
}

static const struct qval *cell(const struct query_cell *cells, uint32_t n, const char *name)
{
    static const struct qval missing;
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(cells[i].name, str_z(name)))
            return &cells[i].value;
    }
    return &missing;
}

static uint64_t number(const struct query_cell *cells, uint32_t n, const char *name)
{
    const struct qval *v = cell(cells, n, name);
    return v->type == QVAL_INT ? (uint64_t)v->i : 0;
}

// A dotted name in back quotes, part by part. False when it cannot be one.
static bool put_field(struct buf *b, str name)
{
    size_t from = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.ptr[i] == '`')
            return false;
        if (i < name.len && name.ptr[i] != '.')
            continue;
        if (i == from)
            return false;
        buf_printf(b, "%s`%.*s`", from ? "." : "", (int)(i - from), name.ptr + from);
        from = i + 1;
    }
    return name.len > 0;
}

static bool good_source(str source) { return str_eq(source, STR("*")) || query_source_find(source) >= 0; }

static int run(const struct query_request *q, str text, struct view *view,
               int (*row)(void *ctx, const struct query_cell *cells, uint32_t n), struct maker *m,
               struct query_error *err)
{
    struct query_request r = *q;
    struct query_output out = { m, row, NULL };
    r.text = text;
    r.limit = 0;
    r.after = STR("");
    return query_run(&r, view, &out, err);
}

// ---- services ----

static int service_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct maker *m = ctx;
    struct catalogue_service *s = add(m, &m->c->services, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->name = keep(m, cell(cells, n, "service"));
    s->spans = number(cells, n, "spans");
    s->errors = number(cells, n, "errors");
    s->logs = number(cells, n, "logs");
    const struct qval *last = cell(cells, n, "last");
    s->last = last->type == QVAL_TIME ? last->i : 0;
    return 0;
}

static int order_services(const void *pa, const void *pb)
{
    const struct catalogue_service *a = pa, *b = pb;
    uint64_t na = a->spans + a->logs, nb = b->spans + b->logs;
    return na != nb ? (na > nb ? -1 : 1) : str_cmp(a->name, b->name);
}

int catalogue_services(const struct query_request *q, struct view *view, struct catalogue *ret, struct query_error *err)
{
    struct maker m;
    int rc = begin(&m, ret, err);
    if (rc < 0)
        return rc;
    rc = run(
        q,
        STR("spans,logs | stats count() if (source=spans) as spans, count() if (source=spans status=error) as errors, "
            "count() if (source=logs) as logs, max(time) as last by service"),
        view, service_row, &m, err);
    if (rc == 0 && ret->n > 1)
        qsort(ret->services, ret->n, sizeof *ret->services, order_services);
    return end(&m, rc, err);
}

// ---- operations ----

static int operation_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct maker *m = ctx;
    struct catalogue_operation *o = add(m, &m->c->operations, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->service = keep(m, cell(cells, n, "service"));
    o->name = keep(m, cell(cells, n, "name"));
    o->kind = keep(m, cell(cells, n, "kind"));
    o->spans = number(cells, n, "spans");
    o->errors = number(cells, n, "errors");
    return 0;
}

static int order_operations(const void *pa, const void *pb)
{
    const struct catalogue_operation *a = pa, *b = pb;
    int c = str_cmp(a->service, b->service);
    if (c == 0 && a->spans != b->spans)
        return a->spans > b->spans ? -1 : 1;
    c = c ? c : str_cmp(a->name, b->name);
    return c ? c : str_cmp(a->kind, b->kind);
}

int catalogue_operations(const struct query_request *q, struct view *view, str service, struct catalogue *ret,
                         struct query_error *err)
{
    struct maker m;
    struct buf text;
    int rc = begin(&m, ret, err);
    if (rc < 0)
        return rc;
    buf_init(&text, TEXT_MAX);
    buf_str(&text, STR("spans "));
    if (service.len) {
        buf_str(&text, STR("service="));
        query_put_literal(&text, service);
    }
    buf_str(&text, STR(" | stats count() as spans, count() if (status=error) as errors by service, name, kind"));
    rc = text.error ? query_fail(err, QUERY_E_QUERY_TOO_LONG, "the name is too long")
                    : run(q, buf_view(&text), view, operation_row, &m, err);
    buf_free(&text);
    if (rc == 0 && ret->n > 1)
        qsort(ret->operations, ret->n, sizeof *ret->operations, order_operations);
    return end(&m, rc, err);
}

// ---- fields ----

static uint32_t types_of(const struct query_typeinfo *t)
{
    static const uint32_t types[] = {
        [QUERY_ANY] = 0,
        [QUERY_BOOL] = 1 << QVAL_BOOL,
        [QUERY_INT] = 1 << QVAL_INT,
        [QUERY_DOUBLE] = 1 << QVAL_DOUBLE,
        [QUERY_NUMBER] = 1 << QVAL_INT | 1 << QVAL_DOUBLE,
        [QUERY_STRING] = 1 << QVAL_STR,
        [QUERY_BYTES] = 1 << QVAL_BYTES,
        [QUERY_TIME] = 1 << QVAL_TIME,
        [QUERY_DURATION] = 1 << QVAL_DURATION,
        [QUERY_ID] = 1 << QVAL_ID,
        [QUERY_ENUM] = 1 << QVAL_ENUM,
        [QUERY_LEVEL] = 1 << QVAL_LEVEL,
        [QUERY_LIST] = 1 << QVAL_LIST,
        [QUERY_MAP] = 1 << QVAL_MAP,
    };
    return t->list ? 1 << QVAL_LIST : types[t->type];
}

// Fixed fields of one kind as aggregates that count them; what is computed from the whole row is always there.
static bool counted_by_query(const struct query_field_info *f)
{
    return f->level <= QUERY_LEVEL_BUILT && f->id != QUERY_F_ID && f->id != QUERY_F_TEXT &&
           !(f->flags & QUERY_FF_VALUES);
}

static int fixed_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct maker *m = ctx;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < m->c->n; k++) {
            if (str_eq(m->c->fields[k].name, cells[i].name) && cells[i].value.type == QVAL_INT)
                m->c->fields[k].rows += (uint64_t)cells[i].value.i;
        }
    }
    return 0;
}

static int fixed_fields(struct maker *m, const struct query_request *q, struct view *view, enum query_source s,
                        struct query_error *err)
{
    const struct query_field_info *f;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_printf(&text, "%.*s | stats count() as `id`", STR_ARG(query_source_name(s)));
    for (uint32_t i = 0; (f = query_field_at(s, i)); i++) {
        str name = query_field_name(f->id);
        struct catalogue_field *known = NULL;
        if (f->level > QUERY_LEVEL_BUILT)
            continue;
        for (uint32_t k = 0; k < m->c->n; k++) {
            if (str_eq(m->c->fields[k].name, name))
                known = &m->c->fields[k];
        }
        if (!known && !(known = add(m, &m->c->fields, sizeof *known))) {
            buf_free(&text);
            return ERR_NOMEM;
        }
        known->name = name;
        known->level = STR("fixed");
        known->types |= types_of(&f->type);
        if (counted_by_query(f))
            buf_printf(&text, ", count(%.*s) as `%.*s`", STR_ARG(name), STR_ARG(name));
    }
    int rc = text.error ? ERR_NOMEM : run(q, buf_view(&text), view, fixed_row, m, err);
    buf_free(&text);
    return rc;
}

static int attribute_field(void *ctx, const struct query_attribute *a)
{
    struct maker *m = ctx;
    struct catalogue_field *f = add(m, &m->c->fields, sizeof *f);
    if (!f || arena_dup(m->arena, a->key, &f->name) < 0)
        return ERR_NOMEM;
    f->level = a->level == ATTR_RESOURCE ? STR("resource") : a->level == ATTR_SCOPE ? STR("scope") : STR("attr");
    f->types = a->types;
    f->rows = a->rows;
    return 0;
}

// Fields that no row has are not there.
static void drop_empty(struct catalogue *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->fields[i].rows || str_eq(c->fields[i].name, STR("text")))
            c->fields[n++] = c->fields[i];
    }
    c->n = n;
}

int catalogue_fields(const struct query_request *q, struct view *view, str source, struct catalogue *ret,
                     struct query_error *err)
{
    struct query_request r = *q;
    struct maker m;
    int rc = begin(&m, ret, err);
    if (rc < 0)
        return rc;
    if (!good_source(source))
        rc = query_fail(err, QUERY_E_UNKNOWN_SOURCE, "there is no such kind of record");
    for (int s = 0; s < QUERY_SOURCE_COUNT && rc == 0; s++) {
        bool built = query_source_level((enum query_source)s) <= QUERY_LEVEL_BUILT;
        if (built && ((str_eq(source, STR("*")) && s != QUERY_ISSUES) ||
                      str_eq(source, query_source_name((enum query_source)s))))
            rc = fixed_fields(&m, q, view, (enum query_source)s, err);
    }
    if (rc == 0) {
        drop_empty(ret);
        r.text = source;
        r.after = STR("");
        rc = query_attributes(&r, view, attribute_field, &m, err);
    }
    return end(&m, rc, err);
}

// ---- values ----

static int value_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct maker *m = ctx;
    if (n == 0 || str_eq(cells[0].name, STR("count"))) // rows without the field
        return 0;
    struct catalogue_value *v = add(m, &m->c->values, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    v->value = cells[0].value;
    v->rows = number(cells, n, "count");
    return qval_dup(m->arena, &v->value);
}

int catalogue_values(const struct query_request *q, struct view *view, str source, str field, str prefix,
                     struct catalogue *ret, struct query_error *err)
{
    uint64_t limit = q->limit ? q->limit : VALUES_DEFAULT;
    struct maker m;
    struct buf text;
    int rc = begin(&m, ret, err);
    if (rc < 0)
        return rc;
    buf_init(&text, TEXT_MAX);
    if (!good_source(source))
        rc = query_fail(err, QUERY_E_UNKNOWN_SOURCE, "there is no such kind of record");
    buf_str(&text, source);
    buf_byte(&text, ' ');
    if (rc == 0 && !put_field(&text, field))
        rc = query_fail(err, QUERY_E_BAD_ARGUMENT, "this is no name of a field");
    if (prefix.len) { // "prefix*"
        buf_str(&text, STR("=\""));
        for (size_t i = 0; i < prefix.len; i++) {
            if (prefix.ptr[i] == '"' || prefix.ptr[i] == '\\' || prefix.ptr[i] == '*')
                buf_byte(&text, '\\');
            buf_byte(&text, (uint8_t)prefix.ptr[i]);
        }
        buf_str(&text, STR("*\""));
    } else {
        buf_str(&text, STR(":*"));
    }
    buf_printf(&text, " | top %llu ", (unsigned long long)limit + 1);
    put_field(&text, field);
    if (rc == 0)
        rc = text.error ? query_fail(err, QUERY_E_QUERY_TOO_LONG, "the name or prefix is too long")
                        : run(q, buf_view(&text), view, value_row, &m, err);
    buf_free(&text);
    if (rc == 0 && ret->n > limit) {
        ret->n = (uint32_t)limit;
        ret->more = true;
    }
    return end(&m, rc, err);
}

// ---- histogram ----

static int bucket_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct maker *m = ctx;
    const struct qval *t = cell(cells, n, "bucket");
    struct catalogue_bucket *list = m->c->buckets;
    if (t->type != QVAL_TIME || m->c->n == 0 || t->i < list[0].time)
        return 0;
    uint64_t i = ((uint64_t)t->i - (uint64_t)list[0].time) / (uint64_t)m->c->step;
    if (i < m->c->n) {
        list[i].rows = number(cells, n, "rows");
        list[i].errors = number(cells, n, "errors");
    }
    return 0;
}

// The smallest of 1 2 5 10 15 30 ms, s, min, 1 2 3 6 12 h, 1 2 7 d .. that makes at most n buckets of the range.
static int64_t nice_step(int64_t from, int64_t to, uint32_t n)
{
    static const int64_t ms = 1000000, s = 1000 * ms, min = 60 * s, h = 60 * min, d = 24 * h;
    const int64_t steps[] = { ms,       2 * ms,   5 * ms,   10 * ms, 20 * ms, 50 * ms, 100 * ms, 200 * ms, 500 * ms,
                              s,        2 * s,    5 * s,    10 * s,  15 * s,  30 * s,  min,      2 * min,  5 * min,
                              10 * min, 15 * min, 30 * min, h,       2 * h,   3 * h,   6 * h,    12 * h,   d,
                              2 * d,    7 * d,    14 * d,   30 * d,  90 * d,  365 * d, 3650 * d };
    size_t count = sizeof steps / sizeof *steps;
    for (size_t i = 0; i < count; i++) {
        int64_t first = query_bucket_int(from, steps[i]), last = query_bucket_int(to - 1, steps[i]);
        if (((uint64_t)last - (uint64_t)first) / (uint64_t)steps[i] + 1 <= n)
            return steps[i];
    }
    return steps[count - 1];
}

// Source and filter of a text, and its range. The plan is made for nothing else.
struct front {
    str text; // without its steps
    uint16_t sources;
    int64_t from, to;
};

static int front_of(const struct query_request *q, struct arena *arena, struct front *ret, struct query_error *err)
{
    struct query_ast *ast;
    struct query_plan *plan;
    struct query_options opt = { .now_ns = q->now ? q->now : clock_unix_ns(),
                                 .has_from = q->has_from,
                                 .has_to = q->has_to,
                                 .from = q->from,
                                 .to = q->to,
                                 .may_values = q->values };
    int rc = query_parse(arena, q->text, &ast, err);
    if (rc < 0)
        return rc;
    *ret = (struct front){ .text = q->text };
    if (ast->steps) {
        ret->text = str_trim(str_slice(q->text, 0, ast->steps->name_pos.off));
        if (str_ends(ret->text, STR("|")))
            ret->text.len--;
    }
    ast->steps = NULL;
    ast->step_count = 0;
    rc = query_plan_build(arena, ast, &opt, &plan, err);
    if (rc < 0)
        return rc;
    ret->sources = plan->sources;
    ret->from = plan->from;
    ret->to = plan->to;
    query_plan_free(plan);
    return 0;
}

// What counts as an error in these kinds.
static const char *errors_of(uint16_t sources)
{
    bool spans = sources & QS_SPANS, leveled = sources & (QS_LOGS | QS_EVENTS);
    if (spans && leveled)
        return ", count() if ((source=spans status=error) or (source=(logs, events) level>=error)) as errors";
    return spans ? ", count() if (status=error) as errors" : leveled ? ", count() if (level>=error) as errors" : "";
}

static int buckets_make(struct maker *m, const struct front *f, uint32_t n)
{
    int64_t step = m->c->step = nice_step(f->from, f->to, n);
    for (int64_t t = query_bucket_int(f->from, step); t < f->to; t += step) {
        struct catalogue_bucket *b = add(m, &m->c->buckets, sizeof *b);
        if (!b)
            return ERR_NOMEM;
        b->time = t;
        if (t > INT64_MAX - step)
            break;
    }
    return 0;
}

int catalogue_histogram(const struct query_request *q, struct view *view, uint32_t buckets, struct catalogue *ret,
                        struct query_error *err)
{
    struct front f;
    struct maker m;
    struct buf text;
    int rc = begin(&m, ret, err);
    if (rc < 0)
        return rc;
    rc = front_of(q, m.arena, &f, err);
    if (rc == 0 && (f.from == INT64_MIN || f.to == INT64_MAX)) {
        rc = query_fail(err, QUERY_E_BAD_RANGE, "a histogram needs a range with both ends");
        query_error_hint(err, "give from and to");
    }
    buf_init(&text, TEXT_MAX);
    if (rc == 0 && f.from < f.to)
        rc = buckets_make(&m, &f, buckets < 1 ? 60 : buckets > 1000 ? 1000 : buckets);
    if (rc == 0 && ret->n > 0) {
        buf_str(&text, f.text);
        // A comment may end the text: the steps go on a line of their own.
        buf_printf(&text, "\n| bucket %lldns | stats count() as rows%s by bucket", (long long)ret->step,
                   errors_of(f.sources));
        rc = text.error ? query_fail(err, QUERY_E_QUERY_TOO_LONG, "the query is too long")
                        : run(q, buf_view(&text), view, bucket_row, &m, err);
    }
    buf_free(&text);
    return end(&m, rc, err);
}
