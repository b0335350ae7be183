#include "traces/compare.h"

#include "base/hash.h"
#include "base/mem.h"
#include "query/qval_ops.h"
#include "query/result_json.h"
#include "traces/trace_path.h"

#include <stdlib.h>

struct owner {
    struct compare c;
    struct arena arena;
    uint32_t rows_cap;
    uint32_t *slots, mask; // row + 1, by place and words
    size_t memory_max;
};

static struct owner *owner_of(struct compare *c) { return (struct owner *)(void *)c; }

void compare_free(struct compare *c)
{
    if (!c)
        return;
    struct owner *o = owner_of(c);
    arena_free(&o->arena);
    mem_free(o->c.rows);
    mem_free(o->slots);
    mem_free(o);
}

// ---- rows ----

static uint64_t place_of(int32_t parent, str service, str name, uint8_t kind)
{
    return hash64_int(hash64_str(name) ^
                      hash64_int(hash64_str(service) ^ hash64_int((uint64_t)(parent + 1) * 8 + kind)));
}

static int row_make(struct owner *o, int32_t parent, str service, str name, uint8_t kind)
{
    if (o->c.rows_n == o->rows_cap) {
        uint32_t cap = o->rows_cap ? o->rows_cap * 2 : 64;
        struct compare_row *more = mem_reallocarray(o->c.rows, cap, sizeof *more);
        if (!more)
            return ERR_NOMEM;
        o->c.rows = more;
        o->rows_cap = cap;
    }
    struct compare_row *row = &o->c.rows[o->c.rows_n];
    *row =
        (struct compare_row){ .parent = parent, .depth = parent < 0 ? 0 : o->c.rows[parent].depth + 1, .kind = kind };
    if (arena_dup(&o->arena, service, &row->service) < 0 || arena_dup(&o->arena, name, &row->name) < 0)
        return ERR_NOMEM;
    o->c.rows_n++;
    return 0;
}

// The row of a span below `parent` (-1: the root's, whatever it is called); ERR_LIMIT: there is no room for one.
static int row_of(struct owner *o, int32_t parent, const struct trace_span *s, uint32_t *ret_row)
{
    if (parent < 0 && o->c.rows_n) {
        *ret_row = 0;
        return 0;
    }
    uint32_t at = (uint32_t)place_of(parent, s->service, s->name, s->kind) & o->mask;
    for (; o->slots[at]; at = (at + 1) & o->mask) {
        const struct compare_row *row = &o->c.rows[o->slots[at] - 1];
        if (row->parent == parent && row->kind == s->kind && str_eq(row->name, s->name) &&
            str_eq(row->service, s->service)) {
            *ret_row = o->slots[at] - 1;
            return 0;
        }
    }
    if (o->c.rows_n == COMPARE_ROWS_MAX) {
        o->c.cut = true;
        return ERR_LIMIT;
    }
    int rc = row_make(o, parent, s->service, s->name, s->kind);
    if (rc < 0)
        return rc;
    o->slots[at] = o->c.rows_n;
    *ret_row = o->c.rows_n - 1;
    return 0;
}

// Which row each span is in; -1: there was no room.
static int rows_of(struct owner *o, const struct trace *t, int32_t root, int32_t *rows)
{
    uint32_t row;
    int rc = row_of(o, -1, &t->spans[root], &row);
    if (rc < 0)
        return rc;
    rows[root] = (int32_t)row;
    for (uint32_t i = 0; i < t->spans_n; i++) {
        const struct trace_span *s = &t->spans[i];
        if ((int32_t)i == root)
            continue;
        int32_t parent = s->parent_index >= 0 ? rows[s->parent_index] : rows[root];
        rc = parent < 0 ? ERR_LIMIT : row_of(o, parent, s, &row);
        if (rc < 0 && rc != ERR_LIMIT)
            return rc;
        rows[i] = rc < 0 ? -1 : (int32_t)row;
    }
    return 0;
}

// ---- what a trace has in each row ----

static void cell_add(struct compare_cell *c, const struct trace_span *s, const struct trace_path *p, uint32_t i)
{
    int64_t from = p->start[i] - p->time, d = s->duration < 0 ? 0 : s->duration, to;
    if (__builtin_add_overflow(from, d, &to))
        to = from;
    if (c->spans == 0 || from < c->from) {
        c->from = from;
        c->span = s->span;
    }
    if (c->spans == 0 || to > c->to)
        c->to = to;
    c->spans++;
    c->errors += s->status == STATUS_ERROR;
    if (__builtin_add_overflow(c->duration, d, &c->duration))
        c->duration = INT64_MAX;
    if (__builtin_add_overflow(c->self, p->self[i], &c->self))
        c->self = INT64_MAX;
    c->critical += p->critical[i];
}

// The value as JSON, in the arena; empty when it is too long to be compared.
static int value_json(struct arena *arena, const struct value *v, str *ret)
{
    struct result_json j = { 0 };
    struct json_writer w;
    struct buf text;
    struct qval q = qval_of_value(v);
    buf_init(&text, 64 << 10);
    json_writer_init(&w, &text);
    result_put_value(&j, &w, &q);
    int rc = 0;
    *ret = (str){ 0 };
    if (!text.error && text.len <= COMPARE_VALUE_BYTES)
        rc = arena_dup(arena, buf_view(&text), ret);
    buf_free(&text);
    return rc < 0 ? ERR_NOMEM : 0;
}

static struct compare_attr *attr_of(struct owner *o, struct compare_row *row, str key, bool resource)
{
    for (uint32_t i = 0; i < row->attrs_n; i++)
        if (row->attrs[i].resource == resource && str_eq(row->attrs[i].key, key))
            return &row->attrs[i];
    if (row->attrs_n == COMPARE_ATTRS_MAX)
        return NULL;
    if (row->attrs_n == row->attrs_cap) {
        uint32_t cap = row->attrs_cap ? row->attrs_cap * 2 : 16;
        struct compare_attr *more = arena_alloc_array(&o->arena, cap, sizeof *more);
        if (!more)
            return NULL;
        if (row->attrs_n)
            memcpy(more, row->attrs, row->attrs_n * sizeof *more);
        row->attrs = more;
        row->attrs_cap = cap;
    }
    struct compare_attr *a = &row->attrs[row->attrs_n];
    *a = (struct compare_attr){ .resource = resource };
    if (arena_dup(&o->arena, key, &a->key) < 0)
        return NULL;
    row->attrs_n++;
    return a;
}

static void attr_count(struct compare_attr *a, str json)
{
    a->b_traces++;
    for (uint32_t i = 0; i < a->b_n; i++)
        if (str_eq(a->b[i].json, json)) {
            a->b[i].traces++;
            return;
        }
    if (a->b_n < COMPARE_VALUES_MAX)
        a->b[a->b_n++] = (struct compare_value){ json, 1 };
}

static int attrs_add(struct owner *o, struct compare_row *row, const struct attr *attrs, uint32_t n, bool resource,
                     bool other)
{
    for (uint32_t i = 0; i < n; i++) {
        str json;
        struct compare_attr *a = attr_of(o, row, attrs[i].key, resource);
        if (!a)
            continue; // enough is known of this row
        int rc = value_json(&o->arena, &attrs[i].value, &json);
        if (rc < 0)
            return rc;
        if (json.len && other)
            attr_count(a, json);
        else if (json.len)
            a->a = json;
    }
    return 0;
}

// A service's resource is compared where it is entered only: it is the same in the rows below.
static bool enters_service(const struct compare *c, const struct compare_row *row)
{
    return row->parent < 0 || !str_eq(c->rows[row->parent].service, row->service);
}

static int sample_add(struct owner *o, struct compare_row *row, const struct compare_cell *cell)
{
    if (row->traces == row->samples_cap) {
        uint32_t cap = row->samples_cap ? row->samples_cap * 2 : 1;
        int64_t *d = arena_alloc_array(&o->arena, cap, sizeof *d), *s = arena_alloc_array(&o->arena, cap, sizeof *s);
        if (!d || !s)
            return ERR_NOMEM;
        if (row->traces) {
            memcpy(d, row->durations, row->traces * sizeof *d);
            memcpy(s, row->selfs, row->traces * sizeof *s);
        }
        row->durations = d;
        row->selfs = s;
        row->samples_cap = cap;
    }
    struct compare_cell *b = &row->b;
    row->durations[row->traces] = cell->duration;
    row->selfs[row->traces++] = cell->self;
    row->error_traces += cell->errors > 0;
    if (b->spans == 0) {
        *b = *cell;
        return 0;
    }
    b->from = cell->from < b->from ? cell->from : b->from;
    b->to = cell->to > b->to ? cell->to : b->to;
    b->spans += cell->spans;
    b->errors += cell->errors;
    if (__builtin_add_overflow(b->duration, cell->duration, &b->duration))
        b->duration = INT64_MAX;
    if (__builtin_add_overflow(b->self, cell->self, &b->self))
        b->self = INT64_MAX;
    if (__builtin_add_overflow(b->critical, cell->critical, &b->critical))
        b->critical = INT64_MAX;
    return 0;
}

// The first span of each row, for its attributes.
static int tell_rows(struct owner *o, const struct trace *t, const int32_t *rows, const struct compare_cell *cells,
                     bool other)
{
    int rc = 0;
    for (uint32_t i = 0; i < t->spans_n && rc == 0; i++) {
        const struct trace_span *s = &t->spans[i];
        if (rows[i] < 0 || cells[rows[i]].span != s->span)
            continue;
        struct compare_row *row = &o->c.rows[rows[i]];
        rc = attrs_add(o, row, s->attrs, s->attrs_n, false, other);
        if (rc == 0 && s->resource && enters_service(&o->c, row))
            rc = attrs_add(o, row, s->resource->attrs, s->resource->attrs_n, true, other);
    }
    for (uint32_t r = 0; r < o->c.rows_n && rc == 0; r++) {
        if (cells[r].spans && other)
            rc = sample_add(o, &o->c.rows[r], &cells[r]);
        else if (cells[r].spans)
            o->c.rows[r].a = cells[r];
    }
    return rc;
}

static int trace_add(struct owner *o, const struct trace *t, bool other)
{
    struct trace_path p;
    struct arena arena;
    struct compare_cell *cells = NULL;
    int32_t *rows = mem_calloc(t->spans_n, sizeof *rows);
    arena_init(&arena, o->memory_max);
    int rc = rows ? trace_path_make(t, &arena, &p) : ERR_NOMEM;
    if (rc == 0)
        rc = rows_of(o, t, p.root, rows);
    if (rc == 0 && !(cells = mem_calloc(o->c.rows_n, sizeof *cells)))
        rc = ERR_NOMEM;
    if (rc == 0) {
        for (uint32_t i = 0; i < t->spans_n; i++)
            if (rows[i] >= 0)
                cell_add(&cells[rows[i]], &t->spans[i], &p, i);
        rc = tell_rows(o, t, rows, cells, other);
    }
    const struct trace_span *root = rc == 0 ? &t->spans[p.root] : NULL;
    struct compare_row *top = o->c.rows;
    if (root && !(str_eq(root->service, top->service) && str_eq(root->name, top->name)) &&
        (arena_dup(&o->arena, root->service, &top->other_service) < 0 ||
         arena_dup(&o->arena, root->name, &top->other_name) < 0))
        rc = ERR_NOMEM;
    if (rc == 0 && other)
        o->c.durations[o->c.traces++] = p.duration;
    arena_free(&arena);
    mem_free(cells);
    mem_free(rows);
    return rc;
}

int compare_new(const struct trace *a, size_t memory_max, struct compare **ret_compare)
{
    struct owner *o = mem_zalloc(sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->memory_max = memory_max ? memory_max : QUERY_MEMORY_MAX;
    arena_init(&o->arena, o->memory_max);
    o->mask = 4 * 4096 - 1; // more than twice COMPARE_ROWS_MAX
    o->slots = mem_calloc((size_t)o->mask + 1, sizeof *o->slots);
    o->c.durations = arena_alloc_array(&o->arena, COMPARE_TRACES_MAX, sizeof *o->c.durations);
    int rc = !o->slots || !o->c.durations ? ERR_NOMEM : a->spans_n == 0 ? ERR_NOENT : trace_add(o, a, false);
    if (rc < 0) {
        compare_free(&o->c);
        return rc;
    }
    *ret_compare = &o->c;
    return 0;
}

int compare_add(struct compare *c, const struct trace *b)
{
    if (c->traces == COMPARE_TRACES_MAX)
        return ERR_LIMIT;
    return b->spans_n ? trace_add(owner_of(c), b, true) : 0;
}

// ---- the end ----

static int order_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Where a row stands among its siblings: by a's times; what only the other side has comes behind the row that is before
// it there.
struct place {
    int64_t at;
    bool behind;
};

struct sorting {
    const struct compare_row *rows;
    struct place *places;
};

static void find_places(const struct compare *c, struct place *places)
{
    for (uint32_t i = 0; i < c->rows_n; i++) {
        const struct compare_row *row = &c->rows[i], *before = NULL;
        places[i] = (struct place){ row->a.from, false };
        if (row->a.spans)
            continue;
        for (uint32_t k = 0; k < c->rows_n; k++) {
            const struct compare_row *r = &c->rows[k];
            if (r->parent == row->parent && r->a.spans && r->traces && r->b.from <= row->b.from &&
                (!before || r->b.from > before->b.from))
                before = r;
        }
        places[i] = (struct place){ before ? before->a.from : INT64_MIN, true };
    }
}

// Rows are made before their children, so that a row's number is known when they are sorted.
static int order_siblings(const void *pa, const void *pb, void *ctx)
{
    const struct sorting *s = ctx;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    const struct compare_row *x = &s->rows[a], *y = &s->rows[b];
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (s->places[a].at != s->places[b].at)
        return s->places[a].at < s->places[b].at ? -1 : 1;
    if (s->places[a].behind != s->places[b].behind)
        return s->places[a].behind ? 1 : -1;
    if (s->places[a].behind && x->b.from != y->b.from)
        return x->b.from < y->b.from ? -1 : 1;
    return (a > b) - (a < b);
}

int compare_end(struct compare *c)
{
    struct owner *o = owner_of(c);
    uint32_t n = c->rows_n, out = 0, depth = 0;
    uint32_t *sorted = arena_alloc_array(&o->arena, n, sizeof *sorted);
    uint32_t *first = arena_zalloc(
        &o->arena, ((size_t)n + 2) * sizeof *first); // children of row r: sorted[first[r + 1]..first[r + 2])
    uint32_t *order = arena_alloc_array(&o->arena, n, sizeof *order),
             *stack = arena_alloc_array(&o->arena, n, sizeof *stack);
    struct place *places = arena_alloc_array(&o->arena, n, sizeof *places);
    if (!sorted || !first || !order || !stack || !places)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct compare_row *row = &c->rows[i];
        sorted[i] = i;
        first[row->parent + 2]++;
        if (row->traces > 1) {
            qsort(row->durations, row->traces, sizeof *row->durations, order_i64);
            qsort(row->selfs, row->traces, sizeof *row->selfs, order_i64);
        }
    }
    if (c->traces > 1)
        qsort(c->durations, c->traces, sizeof *c->durations, order_i64);
    for (uint32_t i = 0; i <= n; i++)
        first[i + 1] += first[i];
    struct sorting sorting = { c->rows, places };
    find_places(c, places);
    qsort_r(sorted, n, sizeof *sorted, order_siblings, &sorting);
    for (stack[depth++] = 0; depth > 0;) {
        uint32_t r = stack[--depth];
        order[out++] = r;
        for (uint32_t k = first[r + 2]; k-- > first[r + 1];)
            stack[depth++] = sorted[k];
    }
    c->order = order;
    return 0;
}

const struct compare_value *compare_attr_usual(const struct compare_attr *attr)
{
    const struct compare_value *best = NULL;
    for (uint32_t i = 0; i < attr->b_n; i++)
        if (!best || attr->b[i].traces > best->traces)
            best = &attr->b[i];
    return best;
}

bool compare_attr_differs(const struct compare_row *row, const struct compare_attr *attr)
{
    const struct compare_value *usual = compare_attr_usual(attr);
    uint32_t same = 0;
    if (row->a.spans == 0 || row->traces == 0)
        return false;
    for (uint32_t i = 0; i < attr->b_n; i++)
        if (attr->a.len && str_eq(attr->b[i].json, attr->a))
            same = attr->b[i].traces;
    // A value of its own in (nearly) every trace, an id, says nothing about this one.
    if (row->traces > 2 && attr->b_traces > 2 && usual && usual->traces * 4 <= attr->b_traces &&
        same * 4 <= attr->b_traces)
        return false;
    if (attr->a.len == 0)
        return attr->b_traces * 2 > row->traces;
    return same * 2 < row->traces;
}
