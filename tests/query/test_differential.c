// Random records and random queries: the engine over segments against the naive model, row by row.
//
// A failure prints the seed and the query; CLEW_SEED=n runs that seed alone.
#include "base/must.h"
#include "fixture.h"
#include "model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

enum { SEEDS = 200, QUERIES = 40, PARTS_MAX = 3, ROWS_MAX = 4096 };
#define T0 1000000000000LL

// ---- data ----

struct data {
    struct model m;
    struct fake_segment *fake[PARTS_MAX * 2];
    const struct segment *segments[PARTS_MAX * 2];
    uint32_t segments_n;
};

static struct model_value scalar(struct model *m)
{
    static const char *const texts[] = { "abc", "x", "1", "2.5", "", "abc x", "b", "GET orders", "-1", "true", "1e0" };
    struct model_value v = { 0 };
    switch (model_random(m, 8)) {
    case 0:
    case 1:
    case 2:
        return (struct model_value){ .t = M_INT, .i = (int64_t)model_random(m, 7) - 2 };
    case 3:
        v.t = M_DOUBLE;
        v.d = model_chance(m, 10) ? (double)__builtin_nan("") : (double)model_random(m, 9) / 2 - 1;
        return v;
    case 4:
        return (struct model_value){ .t = M_BOOL, .i = (int64_t)model_random(m, 2) };
    default:
        return (struct model_value){ .t = M_STR, .s = texts[model_random(m, sizeof texts / sizeof *texts)] };
    }
}

static struct model_value nested(struct model *m, bool map)
{
    static const char *keys[] = { "y", "z", "w" };
    struct model_value v = { .t = map ? M_MAP : M_LIST, .n = (int)model_random(m, 4), .keys = keys };
    v.e = arena_alloc_array(&m->arena, 4, sizeof *v.e);
    for (int i = 0; i < v.n; i++) {
        v.e[i] = scalar(m);
        if (v.e[i].t == M_DOUBLE) // lists are compared by their encoding: 1 and 1.0 differ there
            v.e[i] = (struct model_value){ .t = M_INT, .i = 7 };
    }
    return v;
}

static int attrs_make(struct model *m, struct model_attr *a, bool entity)
{
    int n = 0;
    if (model_chance(m, entity ? 20 : 60))
        a[n++] = (struct model_attr){ "a", scalar(m) };
    if (model_chance(m, entity ? 10 : 50))
        a[n++] = (struct model_attr){ "b", scalar(m) };
    if (model_chance(m, 20))
        a[n++] = (struct model_attr){ "c", scalar(m) };
    if (model_chance(m, 15))
        a[n++] = (struct model_attr){ "m", nested(m, true) };
    if (model_chance(m, 10))
        a[n++] = (struct model_attr){ "m.y", scalar(m) };
    if (model_chance(m, 20))
        a[n++] = (struct model_attr){ "l", nested(m, false) };
    if (model_chance(m, 70))
        a[n++] = (struct model_attr){ "n", { .t = M_INT, .i = (int64_t)model_random(m, 20) - 5 } };
    return n;
}

static struct model_record record_make(struct model *m)
{
    static const char *const names[] = { "GET orders", "GET users", "POST abc", "job x", "" };
    struct model_record r = { .log = model_chance(m, 40) };
    r.time = T0 + (int64_t)model_random(m, 40) * 1000000;
    r.received = T0 + 1000000000 + (int64_t)model_random(m, 3);
    r.span = model_random(m, 1u << 30) + 1;
    r.trace = 1 + model_random(m, 10);
    r.parent = model_chance(m, 50) ? model_random(m, 100) + 1 : 0;
    r.duration = r.log ? 0 : (int64_t)model_random(m, 10) - 2;
    r.kind = r.log ? 0 : (int)model_random(m, 6);
    r.status = r.log ? 0 : (int)model_random(m, 3);
    r.severity = r.log ? (int)model_random(m, 25) : 0;
    r.name = r.log ? "" : names[model_random(m, 5)];
    if (r.log && model_chance(m, 90))
        r.body =
            model_chance(m, 80) ? (struct model_value){ .t = M_STR, .s = names[model_random(m, 5)] } : nested(m, true);
    r.attrs_n = attrs_make(m, r.attrs, false);
    for (int i = 0; !r.log && i < MODEL_EVENTS && model_chance(m, 30); i++)
        r.events[r.events_n++] =
            (struct model_attr){ "k", model_chance(m, 80) ? scalar(m) : (struct model_value){ 0 } };
    r.resource = (int)model_random(m, 6);
    r.scope = (int)model_random(m, 3);
    return r;
}

static struct value stored(struct model *m, const struct model_value *v)
{
    struct buf b;
    str s;
    switch (v->t) {
    case M_BOOL:
        return value_bool(v->i);
    case M_INT:
        return value_int(v->i);
    case M_DOUBLE:
        return value_double(v->d);
    case M_STR:
        return value_str(str_z(v->s));
    case M_LIST:
    case M_MAP:
        buf_init(&b, 1 << 20);
        buf_byte(&b, v->t == M_LIST ? VALUE_LIST : VALUE_MAP);
        buf_varint(&b, (uint64_t)v->n);
        for (int i = 0; i < v->n; i++) {
            struct value e = stored(m, &v->e[i]);
            if (v->t == M_MAP) {
                buf_varint(&b, strlen(v->keys[i]));
                buf_str(&b, str_z(v->keys[i]));
            }
            value_encode(&b, &e);
        }
        must(arena_dup(&m->arena, buf_view(&b), &s) == 0);
        buf_free(&b);
        return (struct value){ .type = v->t == M_LIST ? VALUE_LIST : VALUE_MAP, .s = s };
    default:
        return (struct value){ .type = VALUE_NULL };
    }
}

static struct attr *stored_attrs(struct model *m, const struct model_attr *a, int n, uint8_t level)
{
    struct attr *out = arena_alloc_array(&m->arena, (size_t)n + 1, sizeof *out);
    for (int i = 0; i < n; i++)
        out[i] = (struct attr){ str_z(a[i].key), level, stored(m, &a[i].v) };
    return out;
}

// Where and how the engine keeps a record: its part of the order.
static void record_store(struct data *d, struct model_record *r)
{
    struct model *m = &d->m;
    uint32_t part = (uint32_t)model_random(m, d->segments_n / 2) * 2 + r->log;
    struct record_child children[MODEL_EVENTS] = { 0 };
    struct model_entity *re = &m->resources[r->resource], *se = &m->scopes[r->scope];
    struct record_entity resource = { .attrs = stored_attrs(m, re->attrs, re->attrs_n, ATTR_RESOURCE),
                                      .attrs_n = (uint32_t)re->attrs_n };
    struct record_entity scope = { .attrs = stored_attrs(m, se->attrs, se->attrs_n, ATTR_SCOPE),
                                   .attrs_n = (uint32_t)se->attrs_n };
    struct record out = { .source = r->log ? RECORD_LOGS : RECORD_SPANS,
                          .kind = (uint8_t)r->kind,
                          .status = (uint8_t)r->status,
                          .severity = (uint8_t)r->severity,
                          .has_trace = true,
                          .span = r->span,
                          .parent = r->parent,
                          .time = r->time,
                          .duration = r->duration,
                          .name = str_z(r->name),
                          .body = stored(m, &r->body),
                          .attrs = stored_attrs(m, r->attrs, r->attrs_n, ATTR_RECORD),
                          .attrs_n = (uint32_t)r->attrs_n,
                          .children = children,
                          .children_n = (uint32_t)r->events_n };
    be64_put(out.trace + 8, r->trace);
    for (int i = 0; i < r->events_n; i++)
        children[i] = (struct record_child){ .kind = CHILD_EVENT,
                                             .time = r->time + i,
                                             .name = STR("e"),
                                             .attrs = stored_attrs(m, &r->events[i], 1, ATTR_RECORD),
                                             .attrs_n = 1 };
    uint32_t row = fake_segment_add(d->fake[part], 1, r->received, &resource, &scope, &out);
    r->arrival = (uint64_t)part << 32 | row;
}

static void learn_hashes(struct data *d)
{
    for (int i = 0; i < d->m.n; i++) {
        struct model_record *r = &d->m.records[i];
        const struct segment *s = d->segments[r->arrival >> 32];
        struct reader *reader;
        struct vec v;
        must(reader_open(s, &reader) == 0);
        must(reader_seek(reader, TABLE_ROWS, (uint32_t)r->arrival / BLOCK_ROWS) == 0);
        must(reader_column(reader, TABLE_ROWS, COL_RESOURCE, &v) == 0);
        r->resource_hash = segment_resource_hash(s, v.u32[(uint32_t)r->arrival % BLOCK_ROWS]);
        reader_close(reader);
    }
}

static void data_make(struct data *d, uint64_t seed)
{
    struct model *m = &d->m;
    memset(d, 0, sizeof *d);
    arena_init(&m->arena, 1u << 30);
    m->random = seed * 7919 + 13;
    d->segments_n = 2 * (1 + (uint32_t)model_random(m, PARTS_MAX));
    for (uint32_t i = 0; i < d->segments_n; i++) {
        d->fake[i] = fake_segment_new(i % 2 ? RECORD_LOGS : RECORD_SPANS,
                                      model_chance(m, 50) ? 0 : 1 + (uint32_t)model_random(m, 30));
        fake_segment_raw(d->fake[i], model_chance(m, 30));
    }
    for (int i = 0; i < 6; i++) {
        struct model_entity *e = &m->resources[i];
        e->attrs_n = attrs_make(m, e->attrs, true) % (MODEL_ATTRS - 1);
        if (model_chance(m, 85)) {
            const char *name = model_text(m, "svc%llu", (unsigned long long)model_random(m, 3));
            e->attrs[e->attrs_n++] = (struct model_attr){ "service.name", { .t = M_STR, .s = name } };
        }
    }
    for (int i = 1; i < 3; i++)
        m->scopes[i].attrs_n = attrs_make(m, m->scopes[i].attrs, true) % (MODEL_ATTRS - 1);
    m->n = (int)model_random(m, 150);
    m->records = arena_alloc_array(&m->arena, (size_t)m->n * 2 + 1, sizeof *m->records);
    for (int i = 0, n = m->n; i < n; i++) {
        m->records[i] = record_make(m);
        record_store(d, &m->records[i]);
        if (!m->records[i].log && model_chance(m, 8)) { // sent once more
            m->records[m->n] = m->records[i];
            m->records[m->n].received++;
            record_store(d, &m->records[m->n++]);
        }
    }
    for (uint32_t i = 0; i < d->segments_n; i++)
        d->segments[i] = fake_segment_get(d->fake[i]);
    learn_hashes(d);
}

static void data_free(struct data *d)
{
    for (uint32_t i = 0; i < d->segments_n; i++)
        fake_segment_free(d->fake[i]);
    arena_free(&d->m.arena);
}

// ---- the model's steps ----

// Rows of the model: records and the lines that are expected.
struct rows {
    const struct model_record **r;
    int n;
};

static int order_records(const void *pa, const void *pb)
{
    const struct model_record *a = *(const struct model_record *const *)pa,
                              *b = *(const struct model_record *const *)pb;
    if (a->time != b->time)
        return a->time > b->time ? -1 : 1;
    if (a->log != b->log)
        return a->log - b->log;
    if (a->resource_hash != b->resource_hash)
        return a->resource_hash < b->resource_hash ? -1 : 1;
    if (a->received != b->received)
        return a->received < b->received ? -1 : 1;
    return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

static struct rows select_rows(struct model *m, bool spans, bool logs, const struct model_filter *f, bool dedup)
{
    struct rows out = { arena_alloc_array(&m->arena, (size_t)m->n + 1, sizeof *out.r), 0 };
    for (int i = 0; i < m->n; i++) {
        const struct model_record *r = &m->records[i];
        if ((r->log ? logs : spans) && (!f || model_filter_match(m, f, r)))
            out.r[out.n++] = r;
    }
    qsort(out.r, (size_t)out.n, sizeof *out.r, order_records);
    int n = 0;
    for (int i = 0; i < out.n && dedup; i++) {
        bool twin = false;
        for (int k = n; k-- > 0 && out.r[k]->time == out.r[i]->time;)
            twin |= !out.r[i]->log && !out.r[k]->log && out.r[k]->span == out.r[i]->span &&
                    out.r[k]->trace == out.r[i]->trace && out.r[k]->resource_hash == out.r[i]->resource_hash;
        if (!twin)
            out.r[n++] = out.r[i];
    }
    if (dedup)
        out.n = n;
    return out;
}

struct lines {
    const char *line[ROWS_MAX];
    int n;
};

// ---- one aggregate over rows ----

static int order_values(const void *a, const void *b) { return model_order(a, b); }

static bool is_number(const struct model_value *v) { return v->t == M_INT || v->t == M_DOUBLE || v->t == M_DURATION; }

// Values of a field, lists as their elements, sorted.
static int flatten(struct model *m, const struct rows *rows, const char *field, bool only_numbers,
                   struct model_value *out)
{
    int n = 0;
    for (int i = 0; i < rows->n; i++) {
        struct model_value v = model_field(m, rows->r[i], field);
        for (int k = 0; k < (v.t == M_LIST ? v.n : 1); k++) {
            struct model_value e = v.t == M_LIST ? v.e[k] : v;
            if (e.t != M_NONE && e.t != M_MAP && (!only_numbers || is_number(&e)))
                out[n++] = e;
        }
    }
    return n;
}

static struct model_value sum_of(const struct model_value *v, int n, bool avg)
{
    struct model_value s = { 0 };
    __int128 ints = 0;
    long double d = 0;
    bool doubles = false, durations = n > 0;
    for (int i = 0; i < n; i++) {
        doubles |= v[i].t == M_DOUBLE;
        durations &= v[i].t == M_DURATION;
        ints += v[i].t == M_DOUBLE ? 0 : v[i].i;
        d += v[i].t == M_DOUBLE ? v[i].d : 0;
    }
    if (n == 0)
        return s;
    if (durations) {
        s.t = M_DURATION;
        s.i = (int64_t)ints;
        if (avg)
            s.i = (int64_t)((ints + (ints < 0 ? -(n / 2) : n / 2)) / n);
    } else if (avg || doubles) {
        s.t = M_DOUBLE;
        s.d = (double)(((long double)ints + d) / (avg ? n : 1));
    } else {
        s.t = M_INT;
        s.i = (int64_t)ints;
    }
    return s;
}

static struct model_value values_of(struct model *m, const struct rows *rows, const char *field, int most)
{
    struct model_value *seen = arena_alloc_array(&m->arena, (size_t)rows->n + 1, sizeof *seen), out = { .t = M_LIST };
    int *count = arena_zalloc(&m->arena, ((size_t)rows->n + 1) * sizeof *count), n = 0;
    for (int i = 0; i < rows->n; i++) {
        struct model_value v = model_field(m, rows->r[i], field);
        int k = 0;
        while (k < n && model_order(&seen[k], &v) != 0)
            k++;
        if (v.t == M_NONE)
            continue;
        if (k == n)
            seen[n++] = v;
        count[k]++;
    }
    out.e = arena_alloc_array(&m->arena, (size_t)most + 1, sizeof *out.e);
    while (out.n < most && out.n < n) {
        int best = -1;
        for (int k = 0; k < n; k++) {
            if (count[k] > 0 && (best < 0 || count[k] > count[best] ||
                                 (count[k] == count[best] && model_order(&seen[k], &seen[best]) < 0)))
                best = k;
        }
        out.e[out.n++] = seen[best];
        count[best] = 0;
    }
    for (int i = 0; i < out.n; i++) { // inside lists levels are words
        if (out.e[i].t == M_LEVEL)
            out.e[i] = (struct model_value){ .t = M_STR, .s = model_print(m, &out.e[i]) };
        if (out.e[i].t == M_DURATION)
            out.e[i].t = M_INT;
    }
    return out.n ? out : (struct model_value){ 0 };
}

static struct model_value pick(struct model *m, const struct rows *rows, const char *agg, const char *f, const char *x)
{
    struct model_value best = { 0 }, best_x = { 0 };
    bool set = false;
    int64_t best_t = 0;
    for (int i = 0; i < rows->n; i++) { // rows are in order
        struct model_value v = model_field(m, rows->r[i], f), e = x ? model_field(m, rows->r[i], x) : v;
        bool take;
        if (e.t == M_NONE)
            continue;
        if (strcmp(agg, "first") == 0)
            take = !set || rows->r[i]->time < best_t;
        else if (strcmp(agg, "last") == 0)
            take = !set || rows->r[i]->time >= best_t;
        else
            take = !set || (strcmp(agg, "argmax") == 0 ? model_order(&e, &best_x) > 0 : model_order(&e, &best_x) < 0);
        if (take) {
            best = v;
            best_x = e;
            best_t = rows->r[i]->time;
            set = true;
        }
    }
    return best;
}

struct aggregate {
    const char *fn, *f, *x; // fields
    const struct model_filter *filter;
};

static struct model_value aggregate(struct model *m, const struct aggregate *a, const struct rows *all)
{
    struct rows rows = { arena_alloc_array(&m->arena, (size_t)all->n + 1, sizeof *rows.r), 0 };
    struct model_value *v = arena_alloc_array(&m->arena, (size_t)all->n * 4 + 1, sizeof *v), out = { .t = M_INT };
    for (int i = 0; i < all->n; i++) {
        if (!a->filter || model_filter_match(m, a->filter, all->r[i]))
            rows.r[rows.n++] = all->r[i];
    }
    if (strcmp(a->fn, "count") == 0) {
        for (int i = 0; i < rows.n; i++)
            out.i += !a->f || model_field(m, rows.r[i], a->f).t != M_NONE;
        return out;
    }
    if (strcmp(a->fn, "uniq") == 0) {
        for (int i = 0; i < rows.n; i++) {
            struct model_value x = model_field(m, rows.r[i], a->f), y = model_field(m, rows.r[i], a->x);
            bool known = x.t == M_NONE || y.t == M_NONE;
            for (int k = 0; k < i && !known; k++) {
                struct model_value p = model_field(m, rows.r[k], a->f), q = model_field(m, rows.r[k], a->x);
                known = model_order(&x, &p) == 0 && model_order(&y, &q) == 0;
            }
            out.i += !known;
        }
        return out;
    }
    if (strcmp(a->fn, "values") == 0)
        return values_of(m, &rows, a->f, 3);
    if (strcmp(a->fn, "first") == 0 || strcmp(a->fn, "last") == 0 || strncmp(a->fn, "arg", 3) == 0)
        return pick(m, &rows, a->fn, a->f, a->fn[0] == 'a' ? a->x : NULL);
    bool extreme = strcmp(a->fn, "min") == 0 || strcmp(a->fn, "max") == 0;
    int n = flatten(m, &rows, a->f, !extreme, v);
    if (strcmp(a->fn, "sum") == 0 || strcmp(a->fn, "avg") == 0)
        return sum_of(v, n, a->fn[0] == 'a');
    qsort(v, (size_t)n, sizeof *v, order_values);
    if (n == 0)
        return (struct model_value){ 0 };
    if (extreme)
        return v[a->fn[1] == 'a' ? n - 1 : 0];
    int percent = atoi(a->fn + 1), rank = (percent * n + 99) / 100;
    return v[rank < 1 ? 0 : rank - 1];
}

// ---- queries ----

// The text, and the model's answer in lines.
struct question {
    struct data *d;
    struct model *m;
    struct buf text;
    bool spans, logs;
    struct lines want;
};

static void line_add(struct lines *l, const char *s)
{
    must(l->n < ROWS_MAX);
    l->line[l->n++] = s;
}

static const char *cell_add(struct model *m, const char *line, const char *name, const struct model_value *v)
{
    return v->t == M_NONE ? line : model_text(m, "%s%s=%s;", line, name, model_print(m, v));
}

static const char *const row_fields[] = { "time", "span", "name", "a", "service", "m.y" };

static void rows_expect(struct question *q, const struct rows *rows, int from, int n)
{
    for (int i = from; i < from + n && i < rows->n; i++) {
        const char *line = "";
        for (size_t f = 0; f < sizeof row_fields / sizeof *row_fields; f++) {
            struct model_value v = model_field(q->m, rows->r[i], row_fields[f]);
            line = cell_add(q->m, line, row_fields[f], &v);
        }
        line_add(&q->want, line);
    }
}

static void select_text(struct question *q)
{
    buf_str(&q->text, STR(" | select "));
    for (size_t f = 0; f < sizeof row_fields / sizeof *row_fields; f++)
        buf_printf(&q->text, "%s%s", f ? ", " : "", row_fields[f]);
}

static const char *key_field(struct question *q)
{
    static const char *const both[] = { "service", "b", "a", "n", "name" };
    if (q->spans != q->logs && model_chance(q->m, 30))
        return q->spans ? (model_chance(q->m, 50) ? "kind" : "duration") : "level";
    return both[model_random(q->m, 5)];
}

static void ask_rows(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, true);
    int limit = model_chance(q->m, 50) ? (int)model_random(q->m, 20) : 1000;
    if (limit < 1000)
        buf_printf(&q->text, " | limit %d", limit);
    select_text(q);
    rows_expect(q, &rows, 0, limit);
}

static struct sort_by {
    struct model *m;
    const char *field[2];
    bool desc[2];
} sorting;

static int order_sorted(const void *pa, const void *pb)
{
    const struct model_record *a = *(const struct model_record *const *)pa,
                              *b = *(const struct model_record *const *)pb;
    for (int k = 0; k < 2 && sorting.field[k]; k++) {
        struct model_value x = model_field(sorting.m, a, sorting.field[k]),
                           y = model_field(sorting.m, b, sorting.field[k]);
        if ((x.t == M_NONE) != (y.t == M_NONE))
            return x.t == M_NONE ? 1 : -1;
        int c = model_order(&x, &y);
        if (c)
            return sorting.desc[k] ? -c : c;
    }
    return order_records(pa, pb);
}

static void ask_sorted(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, false);
    sorting = (struct sort_by){ .m = q->m };
    buf_str(&q->text, STR(" | sort "));
    for (int k = 0; k < 1 + (int)model_random(q->m, 2); k++) {
        sorting.field[k] = key_field(q);
        sorting.desc[k] = model_chance(q->m, 50);
        buf_printf(&q->text, "%s%s%s", k ? ", " : "", sorting.field[k], sorting.desc[k] ? " desc" : "");
        if (k)
            break;
    }
    qsort(rows.r, (size_t)rows.n, sizeof *rows.r, order_sorted);
    int limit = model_chance(q->m, 60) ? 1 + (int)model_random(q->m, 20) : 1000;
    if (limit < 1000)
        buf_printf(&q->text, " | limit %d", limit);
    select_text(q);
    rows_expect(q, &rows, 0, limit);
}

static void ask_limit_by(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, true), out = { rows.r, 0 };
    const char *field = key_field(q);
    int n = 1 + (int)model_random(q->m, 3);
    struct model_value *keys = arena_alloc_array(&q->m->arena, (size_t)rows.n + 1, sizeof *keys);
    for (int i = 0, all = rows.n; i < all; i++) {
        int seen = 0;
        struct model_value v = model_field(q->m, rows.r[i], field);
        keys[i] = v;
        for (int k = 0; k < i; k++)
            seen += model_order(&keys[k], &v) == 0;
        if (seen < n)
            out.r[out.n++] = rows.r[i];
    }
    buf_printf(&q->text, " | limit %d by %s", n, field);
    select_text(q);
    rows_expect(q, &out, 0, 1000);
}

// Groups of rows by keys, in the order of the keys.
struct group {
    struct model_value key[2];
    struct rows rows;
};

static int group_keys;
static int order_groups(const void *pa, const void *pb)
{
    const struct group *a = pa, *b = pb;
    for (int k = 0; k < group_keys; k++) {
        int c = model_order(&a->key[k], &b->key[k]);
        if (c)
            return c;
    }
    return 0;
}

static int group_rows(struct model *m, const struct rows *rows, const struct model_value (*keys)[2], int keys_n,
                      struct group *out)
{
    int n = 0;
    group_keys = keys_n;
    for (int i = 0; i < rows->n; i++) {
        struct group g = { .key = { keys[i][0], keys[i][1] } };
        int k = 0;
        while (k < n && order_groups(&out[k], &g) != 0)
            k++;
        if (k == n) {
            g.rows.r = arena_alloc_array(&m->arena, (size_t)rows->n, sizeof *g.rows.r);
            out[n++] = g;
        }
        out[k].rows.r[out[k].rows.n++] = rows->r[i];
    }
    qsort(out, (size_t)n, sizeof *out, order_groups);
    return n;
}

static struct aggregate aggregate_make(struct question *q, int i)
{
    static const char *const fns[] = { "count", "sum",   "avg",  "min",    "max",    "p50",   "p90",
                                       "uniq",  "first", "last", "argmax", "argmin", "values" };
    static const char *const fields[] = { "a", "b", "n", "c", "l", "m.y" };
    struct aggregate a = { .fn = fns[model_random(q->m, 13)] };
    bool whole =
        a.fn[0] == 'u' || a.fn[0] == 'v' || strncmp(a.fn, "arg", 3) == 0; // lists as a whole have an order of their own
    a.f = fields[model_random(q->m, whole ? 4 : 6)];
    a.x = fields[model_random(q->m, 4)];
    if (q->spans && !q->logs && model_chance(q->m, 20))
        a.f = "duration";
    if (strcmp(a.fn, "count") == 0 && model_chance(q->m, 50))
        a.f = NULL;
    buf_printf(&q->text, "%s(%s", a.fn, a.f ? a.f : "");
    if (a.fn[0] == 'u' || strncmp(a.fn, "arg", 3) == 0)
        buf_printf(&q->text, ", %s", a.x);
    buf_printf(&q->text, a.fn[0] == 'v' ? ", 3)" : ")");
    if (model_chance(q->m, 25)) {
        buf_str(&q->text, STR(" if ("));
        a.filter = model_filter_make(q->m, q->logs, 1, &q->text);
        buf_str(&q->text, STR(")"));
    }
    buf_printf(&q->text, " as x%d", i);
    return a;
}

static void groups_expect(struct question *q, const struct group *g, int n, int keys_n, const char *const *names,
                          const struct aggregate *aggs, int aggs_n)
{
    for (int i = 0; i < n; i++) {
        const char *line = "";
        for (int k = 0; k < keys_n; k++)
            line = cell_add(q->m, line, names[k], &g[i].key[k]);
        for (int k = 0; k < aggs_n; k++) {
            struct model_value v = aggregate(q->m, &aggs[k], &g[i].rows);
            line = cell_add(q->m, line, model_text(q->m, "x%d", k), &v);
        }
        line_add(&q->want, line);
    }
}

static void ask_stats(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, false);
    struct model_value(*keys)[2] = arena_zalloc(&q->m->arena, ((size_t)rows.n + 1) * sizeof *keys);
    struct group *groups = arena_zalloc(&q->m->arena, ((size_t)rows.n + 2) * sizeof *groups);
    struct aggregate aggs[3];
    const char *names[2] = { NULL, NULL };
    int aggs_n = 1 + (int)model_random(q->m, 3), keys_n = (int)model_random(q->m, 3);
    bool bucket = model_chance(q->m, 20);
    if (bucket)
        buf_str(&q->text, STR(" | bucket 10ms"));
    buf_str(&q->text, STR(" | stats "));
    for (int i = 0; i < aggs_n; i++) {
        if (i)
            buf_str(&q->text, STR(", "));
        aggs[i] = aggregate_make(q, i);
    }
    for (int k = 0; k < keys_n; k++) {
        names[k] = bucket && k == 0 ? "bucket" : key_field(q);
        if (k && strcmp(names[0], names[1]) == 0)
            names[1] = strcmp(names[0], "c") ? "c" : "b";
        buf_printf(&q->text, "%s%s", k ? ", " : " by ", names[k]);
    }
    for (int i = 0; i < rows.n; i++) {
        for (int k = 0; k < keys_n; k++) {
            if (bucket && k == 0)
                keys[i][k] = (struct model_value){ .t = M_TIME, .i = rows.r[i]->time / 10000000 * 10000000 };
            else
                keys[i][k] = model_field(q->m, rows.r[i], names[k]);
        }
    }
    int n = group_rows(q->m, &rows, (const struct model_value(*)[2])keys, keys_n, groups);
    if (keys_n == 0) {
        groups[0].rows = rows;
        n = 1;
    }
    groups_expect(q, groups, n, keys_n, names, aggs, aggs_n);
}

static int order_top(const void *pa, const void *pb)
{
    const struct group *a = pa, *b = pb;
    return a->rows.n != b->rows.n ? b->rows.n - a->rows.n : order_groups(pa, pb);
}

static void ask_top(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, false);
    struct model_value(*keys)[2] = arena_zalloc(&q->m->arena, ((size_t)rows.n + 1) * sizeof *keys);
    struct group *groups = arena_zalloc(&q->m->arena, ((size_t)rows.n + 2) * sizeof *groups);
    const char *name = key_field(q);
    int limit = 1 + (int)model_random(q->m, 5);
    buf_printf(&q->text, " | top %d %s", limit, name);
    for (int i = 0; i < rows.n; i++)
        keys[i][0] = model_field(q->m, rows.r[i], name);
    int n = group_rows(q->m, &rows, (const struct model_value(*)[2])keys, 1, groups);
    qsort(groups, (size_t)n, sizeof *groups, order_top);
    for (int i = 0; i < n && i < limit; i++) {
        struct model_value count = { .t = M_INT, .i = groups[i].rows.n };
        struct model_value share = { .t = M_DOUBLE, .d = (double)groups[i].rows.n / rows.n };
        const char *line = cell_add(q->m, "", name, &groups[i].key[0]);
        line = cell_add(q->m, line, "count", &count);
        line_add(&q->want, cell_add(q->m, line, "share", &share));
    }
}

// ---- facets, differ, fill, patterns: values counted in two sets of rows ----

static const char *cell_double(struct model *m, const char *line, const char *name, double d)
{
    struct model_value v = { .t = M_DOUBLE, .d = d };
    return cell_add(m, line, name, &v);
}

static void ask_facets(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, false);
    const char *fields[2] = { key_field(q), model_chance(q->m, 30) ? "l" : "c" };
    int n[2], with[2][2], most = 1 + (int)model_random(q->m, 4);
    struct model_counted *values[2];
    for (int k = 0; k < 2; k++) {
        values[k] = arena_zalloc(&q->m->arena, ((size_t)rows.n * 4 + 1) * sizeof *values[k]);
        n[k] = model_count(q->m, rows.r, rows.n, NULL, fields[k], values[k], with[k]);
        qsort(values[k], (size_t)n[k], sizeof *values[k], model_order_counted);
    }
    buf_printf(&q->text, " | facets %d %s, %s", most, fields[0], fields[1]);
    int first = with[1][0] > with[0][0] || (with[1][0] == with[0][0] && strcmp(fields[1], fields[0]) < 0);
    for (int k = 0; k < 2; k++) {
        int at = k ? !first : first;
        for (int i = 0; i < n[at] && i < most; i++) {
            struct model_value name = { .t = M_STR, .s = fields[at] };
            struct model_value count = { .t = M_INT, .i = values[at][i].count[0] };
            const char *line = cell_add(q->m, "", "field", &name);
            line = cell_add(q->m, line, "value", &values[at][i].v);
            line = cell_add(q->m, line, "count", &count);
            line_add(&q->want, cell_double(q->m, line, "share", (double)count.i / rows.n));
        }
    }
}

struct difference {
    struct model_counted c;
    const char *field;
    double in, out, score;
};

static int order_differences(const void *pa, const void *pb)
{
    const struct difference *a = pa, *b = pb;
    double d = fabs(b->score) - fabs(a->score);
    if (fabs(d) > 1e-12)
        return d > 0 ? 1 : -1;
    int c = strcmp(a->field, b->field);
    return c ? c : model_order(&a->c.v, &b->c.v);
}

// Of three columns, so that nothing but they is counted; with few numbers each.
static void ask_differ(struct question *q, const struct model_filter *f)
{
    static const char *const fields[] = { "l", "name", "service" };
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, false);
    struct difference all[512];
    bool in[ROWS_MAX];
    int in_n = 0, n = 0;
    buf_str(&q->text, STR(" | select l, name, service | differ service=svc1"));
    for (int i = 0; i < rows.n; i++) {
        struct model_value v = model_field(q->m, rows.r[i], "service");
        in[i] = v.t == M_STR && strcmp(v.s, "svc1") == 0;
        in_n += in[i];
    }
    for (int k = 0; k < 3 && in_n > 0 && in_n < rows.n; k++) {
        struct model_counted *values = arena_zalloc(&q->m->arena, ((size_t)rows.n * 4 + 1) * sizeof *values);
        int with[2], values_n = model_count(q->m, rows.r, rows.n, in, fields[k], values, with);
        for (int i = 0; i < values_n && n < 512; i++) {
            double a = values[i].count[0], b = values[i].count[1], c = in_n, d = rows.n - in_n;
            all[n++] = (struct difference){ values[i], fields[k], a / c, b / d, model_score(a, c, b, d) };
        }
    }
    qsort(all, (size_t)n, sizeof *all, order_differences);
    for (int i = 0; i < n && i < 50; i++) {
        struct model_value name = { .t = M_STR, .s = all[i].field };
        const char *line = cell_add(q->m, "", "field", &name);
        line = cell_add(q->m, line, "value", &all[i].c.v);
        line = cell_double(q->m, line, "in", all[i].in);
        line = cell_double(q->m, line, "out", all[i].out);
        line_add(&q->want, cell_double(q->m, line, "score", all[i].score));
    }
}

// n * 2 + a, n / 2, the first of a and n; and a filter on what was computed.
static void ask_let(struct question *q, const struct model_filter *f)
{
    struct rows rows = select_rows(q->m, q->spans, q->logs, f, true);
    int64_t least = (int64_t)model_random(q->m, 10) - 5;
    bool filtered = model_chance(q->m, 50);
    buf_str(&q->text, STR(" | let v = n * 2 + a, w = n / 2, t = coalesce(a, n), big = v > w"));
    if (filtered)
        buf_printf(&q->text, " | where v>=%lld", (long long)least);
    buf_str(&q->text, STR(" | select time, v, w, t, big"));
    for (int i = 0; i < rows.n; i++) {
        struct model_value time = model_field(q->m, rows.r[i], "time"), v = { 0 }, w = { 0 };
        struct model_value n = model_field(q->m, rows.r[i], "n"), a = model_field(q->m, rows.r[i], "a"),
                           t = a.t == M_NONE ? n : a;
        if (is_number(&n) && is_number(&a)) {
            v = (struct model_value){ .t = a.t, .i = n.i * 2 + a.i };
            v.d = a.t == M_DOUBLE ? (double)n.i * 2 + a.d : (double)v.i;
        }
        if (is_number(&n))
            w = (struct model_value){ .t = M_DOUBLE, .d = (double)n.i / 2 };
        struct model_value big = { .t = M_BOOL, .i = v.t != M_NONE && v.d > w.d };
        if (filtered && !(v.t != M_NONE && v.d >= (double)least))
            continue;
        const char *line = cell_add(q->m, "", "time", &time);
        line = cell_add(q->m, line, "v", &v);
        line = cell_add(q->m, line, "w", &w);
        line = cell_add(q->m, line, "t", &t);
        line_add(&q->want, cell_add(q->m, line, "big", &big));
    }
}

// ---- asking ----

struct got {
    struct model *m;
    struct lines *lines;
};

static int take_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct got *g = ctx;
    const char *line = "";
    for (uint32_t i = 0; i < n; i++)
        line = model_text(g->m, "%s%.*s=%s;", line, STR_ARG(cells[i].name), model_print_qval(g->m, &cells[i].value));
    line_add(g->lines, line);
    return 0;
}

static unsigned refused, asked, rows_seen;

static void compare(struct question *q, const struct lines *got, uint64_t seed, int number)
{
    bool same = got->n == q->want.n;
    int at = 0;
    while (same && at < got->n && strcmp(got->line[at], q->want.line[at]) == 0)
        at++;
    if (same && at == got->n)
        return;
    fprintf(stderr, "# seed %llu, query %d: %.*s\n", (unsigned long long)seed, number, (int)q->text.len,
            (const char *)q->text.ptr);
    for (at = 0; at < got->n && at < q->want.n && strcmp(got->line[at], q->want.line[at]) == 0;)
        at++;
    fprintf(stderr, "#   line %d of %d\n#   engine: %s\n#   model (%d): %s\n", at, got->n,
            at < got->n ? got->line[at] : "(none)", q->want.n, at < q->want.n ? q->want.line[at] : "(none)");
    fail();
}

static void ask_one(struct data *d, uint64_t seed, int number)
{
    static struct lines got;
    struct question q = { .d = d, .m = &d->m };
    struct model_filter *f = NULL;
    struct query_error err;
    struct got ctx = { &d->m, &got };
    struct query_output out = { &ctx, take_row, NULL };
    void (*const kinds[])(struct question *, const struct model_filter *) = { ask_rows,     ask_rows,  ask_sorted,
                                                                              ask_limit_by, ask_stats, ask_stats,
                                                                              ask_stats,    ask_top,   ask_let,
                                                                              ask_facets,   ask_differ };
    buf_init(&q.text, 1 << 20);
    uint64_t source = model_random(q.m, 5);
    q.spans = source < 4;
    q.logs = source == 4 || source == 3;
    buf_str(&q.text, q.spans && q.logs ? STR("spans,logs ") : q.spans ? STR("spans ") : STR("logs "));
    if (model_chance(q.m, 85))
        f = model_filter_make(q.m, q.logs, 3, &q.text);
    kinds[model_random(q.m, sizeof kinds / sizeof *kinds)](&q, f);
    struct query_request r = { .text = buf_view(&q.text),
                               .has_from = true,
                               .has_to = true,
                               .from = T0 - 1,
                               .to = T0 + 1000000000,
                               .now = T0,
                               .all_projects = true };
    got.n = 0;
    int rc = query_run_segments(&r, d->segments, NULL, d->segments_n, &out, &err);
    asked++;
    if (rc < 0) {
        refused++;
        bool expected = err.code == QUERY_E_TYPE_MISMATCH || err.code == QUERY_E_NEEDS_UNIT ||
                        err.code == QUERY_E_BAD_ENUM || err.code == QUERY_E_DUPLICATE_COLUMN;
        if (!expected)
            fprintf(stderr, "# seed %llu: %.*s\n#   %s: %s\n", (unsigned long long)seed, (int)q.text.len,
                    (const char *)q.text.ptr, query_code_slug(err.code), err.message);
        assert_true(expected);
    } else {
        rows_seen += (unsigned)got.n;
        compare(&q, &got, seed, number);
    }
    buf_free(&q.text);
}

static void test_engine_is_the_model(void **state)
{
    const char *only = getenv("CLEW_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : SEEDS;
    for (uint64_t seed = first; seed <= last; seed++) {
        struct data d;
        data_make(&d, seed);
        for (int i = 0; i < QUERIES; i++)
            ask_one(&d, seed, i);
        data_free(&d);
    }
    print_message("# %u queries, %u refused, %u rows\n", asked, refused, rows_seen);
    // The generator must not drift into queries that say nothing.
    assert_true(refused * 3 < asked);
    assert_true(rows_seen > asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_engine_is_the_model) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
