#include "traces/trace_rows.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

// ---- where ----

static bool may_read(const struct trace_request *q, uint32_t project)
{
    uint32_t lo = 0, hi = q->projects_n;
    if (q->all_projects)
        return true;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (q->projects[mid].id < project)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < q->projects_n && q->projects[lo].id == project;
}

static int add_row(struct trace_loader *l, const struct trace_row *row)
{
    if (l->rows_n == TRACE_ROWS_MAX)
        return ERR_LIMIT;
    if (l->rows_n == l->rows_cap) {
        uint32_t cap = l->rows_cap ? l->rows_cap * 2 : 64;
        struct trace_row *more = mem_reallocarray(l->rows, cap, sizeof *more);
        if (!more)
            return ERR_NOMEM;
        l->rows = more;
        l->rows_cap = cap;
    }
    l->rows[l->rows_n++] = *row;
    return 0;
}

// Rows [first, end) of the block, those of the trace.
static int find_in_block(struct trace_loader *l, uint32_t segment, uint32_t block, uint32_t ord, uint32_t first,
                         uint32_t end)
{
    struct trace_segment *ts = &l->segments[segment];
    struct vec trace, time, span, resource, project;
    if (l->q->cancelled && l->q->cancelled(l->q->cancelled_ctx))
        return ERR_CANCELLED;
    int rc = reader_seek(ts->r, TABLE_ROWS, block);
    if (rc == 0)
        rc = reader_column(ts->r, TABLE_ROWS, COL_TRACE, &trace);
    if (rc < 0)
        return rc;
    bool loaded = false;
    for (uint32_t i = first; i < end; i++) {
        if (trace.u32[i] != ord)
            continue;
        if (!loaded && ((rc = reader_column(ts->r, TABLE_ROWS, COL_TIME, &time)) < 0 ||
                        (rc = reader_column(ts->r, TABLE_ROWS, COL_SPAN, &span)) < 0 ||
                        (rc = reader_column(ts->r, TABLE_ROWS, COL_RESOURCE, &resource)) < 0 ||
                        (rc = reader_column(ts->r, TABLE_ROWS, COL_PROJECT, &project)) < 0))
            return rc;
        loaded = true;
        if (!may_read(l->q, project.u32[i])) {
            l->hidden++;
            continue;
        }
        struct trace_row row = { segment, block * BLOCK_ROWS + i, time.i64[i], span.u64[i],
                                 segment_resource_hash(ts->s, resource.u32[i]) };
        rc = add_row(l, &row);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int find_in_segment(struct trace_loader *l, uint32_t segment)
{
    struct trace_segment *ts = &l->segments[segment];
    uint32_t ord, blocks = segment_blocks(ts->s, TABLE_ROWS);
    uint64_t first = 0, end = (uint64_t)blocks * BLOCK_ROWS;
    int rc = segment_find_trace(ts->s, l->q->id, &ord);
    if (rc < 0)
        return rc == ERR_NOENT ? 0 : rc;
    rc = segment_trace_rows(ts->s, ord, &first, &end);
    bool ranged = rc == 0;
    if (rc < 0 && rc != ERR_UNSUPPORTED)
        return rc;
    if (!ts->r && (rc = reader_open(ts->s, &ts->r)) < 0)
        return rc;
    rc = 0;
    for (uint64_t b = first / BLOCK_ROWS; b < blocks && b * BLOCK_ROWS < end && rc == 0; b++) {
        uint32_t n = segment_block_rows(ts->s, TABLE_ROWS, (uint32_t)b);
        uint64_t from = first > b * BLOCK_ROWS ? first - b * BLOCK_ROWS : 0, to = end - b * BLOCK_ROWS;
        int64_t lo, hi;
        if (!ranged && segment_block_range(ts->s, TABLE_ROWS, (uint32_t)b, COL_TRACE, &lo, &hi) &&
            (ord < lo || ord > hi))
            continue;
        rc = find_in_block(l, segment, (uint32_t)b, ord, (uint32_t)from, to < n ? (uint32_t)to : n);
    }
    return rc;
}

int trace_rows_find(struct trace_loader *l, uint8_t source, int64_t from, int64_t to)
{
    int rc = 0;
    l->rows_n = 0;
    for (uint32_t i = 0; i < l->segments_n && rc == 0; i++) {
        const struct segment_info *info = segment_info(l->segments[i].s);
        if (info->source == source && info->rows > 0 && info->time_max >= from && info->time_min <= to)
            rc = find_in_segment(l, i);
    }
    return rc;
}

static int order_rows(const void *pa, const void *pb)
{
    const struct trace_row *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    if (a->span != b->span)
        return a->span < b->span ? -1 : 1;
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

// Logs of one time and resource stay in the order of arrival.
static int order_log_rows(const void *pa, const void *pb)
{
    struct trace_row a = *(const struct trace_row *)pa, b = *(const struct trace_row *)pb;
    a.span = b.span = 0;
    return order_rows(&a, &b);
}

void trace_rows_settle(struct trace_loader *l, bool spans, uint32_t max, bool *ret_cut)
{
    uint32_t n = 0;
    if (l->rows_n > 1)
        qsort(l->rows, l->rows_n, sizeof *l->rows, spans ? order_rows : order_log_rows);
    for (uint32_t i = 0; i < l->rows_n; i++) {
        const struct trace_row *r = &l->rows[i], *before = n ? &l->rows[n - 1] : NULL;
        if (spans && before && r->span && before->span == r->span && before->time == r->time &&
            before->resource == r->resource)
            continue; // sent twice
        l->rows[n++] = *r;
    }
    *ret_cut = n > max;
    l->rows_n = n > max ? max : n;
}

// ---- copies ----

static int copy_value(struct arena *a, struct value *v)
{
    switch (v->type) {
    case VALUE_STR:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        return arena_dup(a, v->s, &v->s) < 0 ? ERR_NOMEM : 0;
    default:
        return 0;
    }
}

static int copy_attrs(struct arena *a, const struct attr *from, uint32_t n, const struct attr **ret)
{
    struct attr *to = arena_alloc_array(a, n ? n : 1, sizeof *to);
    if (!to)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
        if (arena_dup(a, from[i].key, &to[i].key) < 0 || copy_value(a, &to[i].value) < 0)
            return ERR_NOMEM;
    }
    *ret = to;
    return 0;
}

static str service_in(const struct attr *attrs, uint32_t n, str key)
{
    for (uint32_t i = 0; i < n; i++) {
        if (attrs[i].value.type == VALUE_STR && str_eq(attrs[i].key, key))
            return attrs[i].value.s;
    }
    return STR("");
}

static int copy_entity(struct trace_loader *l, uint64_t key, const struct record_entity *e, struct trace_entity *ret)
{
    for (uint32_t i = 0; i < l->entities_n; i++) {
        if (l->entities[i].key == key) {
            *ret = l->entities[i];
            return 0;
        }
    }
    struct record_entity *copy = arena_alloc(l->arena, sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    *copy = *e;
    if (arena_dup(l->arena, e->name, &copy->name) < 0 || arena_dup(l->arena, e->version, &copy->version) < 0 ||
        arena_dup(l->arena, e->schema_url, &copy->schema_url) < 0 ||
        copy_attrs(l->arena, e->attrs, e->attrs_n, &copy->attrs) < 0)
        return ERR_NOMEM;
    *ret = (struct trace_entity){ key, copy, service_in(copy->attrs, copy->attrs_n, STR("service.name")) };
    if (l->entities_n == l->entities_cap) {
        uint32_t cap = l->entities_cap ? l->entities_cap * 2 : 16;
        struct trace_entity *more = mem_reallocarray(l->entities, cap, sizeof *more);
        if (!more)
            return ERR_NOMEM;
        l->entities = more;
        l->entities_cap = cap;
    }
    l->entities[l->entities_n++] = *ret;
    return 0;
}

// Keys that did not fit into columns are in one map under the empty key.
static int overflow_attrs(struct arena *a, const struct value *map, struct attr *out, uint32_t *n)
{
    struct value_reader r;
    uint64_t left;
    if (value_open(map, &r, &left) < 0)
        return ERR_CORRUPT;
    for (; left > 0; left--) {
        struct attr at = { .level = ATTR_RECORD };
        if (value_read_key(&r, &at.key) < 0 || value_read(&r, &at.value) < 0)
            return ERR_CORRUPT;
        if (arena_dup(a, at.key, &at.key) < 0 || copy_value(a, &at.value) < 0)
            return ERR_NOMEM;
        out[(*n)++] = at;
    }
    return 0;
}

static uint64_t overflow_count(const struct value *map)
{
    struct value_reader r;
    uint64_t n = 0;
    return value_open(map, &r, &n) < 0 ? 0 : n;
}

// Attributes of a row: RECORD ones, then FIELD ones, in one array.
struct row_attrs {
    struct attr *all;
    uint32_t records, fields; // all[0..records), then `fields` more
};

static int read_attrs(struct trace_loader *l, struct trace_segment *ts, enum segment_table t, uint32_t shape,
                      uint32_t i, struct row_attrs *ret)
{
    struct shape sh = segment_shape(ts->s, t, shape);
    struct value v;
    uint64_t most = sh.n;
    int rc = 0;
    for (uint32_t k = 0; k < sh.n && rc == 0; k++) {
        struct column c = segment_column(ts->s, t, sh.columns[k]);
        if (c.key.len == 0 && c.type == VALUE_MAP && (rc = reader_value(ts->r, t, sh.columns[k], i, &v)) == 0)
            most += overflow_count(&v);
    }
    *ret = (struct row_attrs){ .all = arena_alloc_array(l->arena, most ? most : 1, sizeof(struct attr)) };
    if (rc < 0)
        return rc;
    if (!ret->all)
        return ERR_NOMEM;
    for (int level = ATTR_RECORD; level <= ATTR_FIELD; level++) {
        for (uint32_t k = 0; k < sh.n; k++) {
            struct column c = segment_column(ts->s, t, sh.columns[k]);
            uint32_t *n = level == ATTR_RECORD ? &ret->records : &ret->fields;
            if (c.level != level)
                continue;
            rc = reader_value(ts->r, t, sh.columns[k], i, &v);
            if (rc < 0)
                return rc;
            if (level == ATTR_RECORD && c.key.len == 0 && c.type == VALUE_MAP) {
                rc = overflow_attrs(l->arena, &v, ret->all, n);
                if (rc < 0)
                    return rc;
                continue;
            }
            struct attr *a = &ret->all[ret->records + (level == ATTR_FIELD ? ret->fields : 0)];
            *a = (struct attr){ .level = c.level, .value = v };
            if (arena_dup(l->arena, c.key, &a->key) < 0 || copy_value(l->arena, &a->value) < 0)
                return ERR_NOMEM;
            ++*n;
        }
    }
    return 0;
}

static const struct value *field_of(const struct row_attrs *a, str key)
{
    for (uint32_t i = a->records; i < a->records + a->fields; i++) {
        if (str_eq(a->all[i].key, key))
            return &a->all[i].value;
    }
    return NULL;
}

static str field_text(const struct row_attrs *a, str key)
{
    const struct value *v = field_of(a, key);
    return v && v->type == VALUE_STR ? v->s : STR("");
}

static uint32_t field_dropped(const struct row_attrs *a)
{
    uint64_t n = 0;
    for (uint32_t i = a->records; i < a->records + a->fields; i++) {
        if (a->all[i].value.type == VALUE_INT && str_starts(a->all[i].key, STR("dropped")) && a->all[i].value.i > 0)
            n += (uint64_t)a->all[i].value.i;
    }
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

// ---- events and links ----

static int read_child(struct trace_loader *l, struct trace_segment *ts, enum segment_table t, uint32_t row,
                      struct trace_child *ret)
{
    struct vec time, name, shape;
    struct row_attrs attrs;
    uint32_t i = row % BLOCK_ROWS;
    int rc = reader_seek(ts->r, t, row / BLOCK_ROWS);
    if (rc < 0 || (rc = reader_column(ts->r, t, COL_TIME, &time)) < 0 ||
        (rc = reader_column(ts->r, t, COL_NAME, &name)) < 0 || (rc = reader_column(ts->r, t, COL_SHAPE, &shape)) < 0)
        return rc;
    *ret = (struct trace_child){ .time = time.i64[i] };
    if (arena_dup(l->arena, dict_get(name.dict, name.ord[i]), &ret->name) < 0)
        return ERR_NOMEM;
    rc = read_attrs(l, ts, t, shape.u32[i], i, &attrs);
    if (rc < 0)
        return rc;
    const struct value *trace = field_of(&attrs, STR("trace")), *span = field_of(&attrs, STR("span"));
    const struct value *flags = field_of(&attrs, STR("flags"));
    if (trace && trace->type == VALUE_BYTES && trace->s.len == 16)
        memcpy(ret->trace, trace->s.ptr, 16);
    if (span && span->type == VALUE_BYTES && span->s.len == 8)
        ret->span = be64_get(span->s.ptr);
    if (flags && flags->type == VALUE_INT)
        ret->flags = (uint32_t)flags->i;
    ret->tracestate = field_text(&attrs, STR("tracestate"));
    ret->dropped = field_dropped(&attrs);
    ret->attrs = attrs.all;
    ret->attrs_n = attrs.records;
    return 0;
}

static int read_children(struct trace_loader *l, struct trace_segment *ts, enum segment_table t, uint32_t row,
                         const struct trace_child **ret, uint32_t *ret_n)
{
    uint32_t first = 0, end = 0, n = 0;
    int rc = segment_children(ts->r, t, row, &first, &end);
    if (rc < 0 || first >= end)
        return rc;
    // Numbers may have gaps between blocks: fewer children than numbers.
    struct trace_child *all = arena_alloc_array(l->arena, end - first, sizeof *all);
    if (!all)
        return ERR_NOMEM;
    for (uint32_t r = first; r < end && rc == 0; r++) {
        if (r % BLOCK_ROWS < segment_block_rows(ts->s, t, r / BLOCK_ROWS))
            rc = read_child(l, ts, t, r, &all[n++]);
    }
    *ret = all;
    *ret_n = n;
    return rc;
}

// ---- rows ----

// What spans and logs have in common.
struct common {
    struct vec resource, scope, name, project, shape;
    struct row_attrs attrs;
    const struct record_entity *resource_entity, *scope_entity;
    str service, name_copy;
};

static int read_common(struct trace_loader *l, const struct trace_row *row, struct common *c)
{
    struct trace_segment *ts = &l->segments[row->segment];
    uint32_t i = row->row % BLOCK_ROWS;
    struct trace_entity resource, scope;
    const struct {
        uint32_t col;
        struct vec *to;
    } all[] = { { COL_RESOURCE, &c->resource },
                { COL_SCOPE, &c->scope },
                { COL_NAME, &c->name },
                { COL_PROJECT, &c->project },
                { COL_SHAPE, &c->shape } };
    int rc = reader_seek(ts->r, TABLE_ROWS, row->row / BLOCK_ROWS);
    for (size_t k = 0; k < sizeof all / sizeof *all && rc == 0; k++)
        rc = reader_column(ts->r, TABLE_ROWS, all[k].col, all[k].to);
    if (rc == 0)
        rc = copy_entity(l, row->resource, segment_resource(ts->s, c->resource.u32[i]), &resource);
    if (rc == 0) // keys of scopes: not to be taken for a resource's hash
        rc = copy_entity(l, hash64_int((uint64_t)row->segment << 32 | c->scope.u32[i]),
                         segment_scope(ts->s, c->scope.u32[i]), &scope);
    c->attrs = (struct row_attrs){ 0 };
    if (rc == 0 && (!l->q->outline || resource.service.len == 0)) // a service may be named by the row alone
        rc = read_attrs(l, ts, TABLE_ROWS, c->shape.u32[i], i, &c->attrs);
    if (rc < 0)
        return rc;
    c->resource_entity = resource.e;
    c->scope_entity = scope.e;
    c->service = resource.service;
    if (c->service.len == 0)
        c->service = service_in(c->attrs.all, c->attrs.records, STR("service"));
    if (c->service.len == 0)
        c->service = service_in(resource.e->attrs, resource.e->attrs_n, STR("service"));
    return arena_dup(l->arena, dict_get(c->name.dict, c->name.ord[i]), &c->name_copy) < 0 ? ERR_NOMEM : 0;
}

int trace_span_read(struct trace_loader *l, const struct trace_row *row, struct trace_span *ret)
{
    struct trace_segment *ts = &l->segments[row->segment];
    uint32_t i = row->row % BLOCK_ROWS;
    struct vec duration, kind, status, flags, parent;
    struct common c;
    int rc = read_common(l, row, &c);
    if (rc < 0 || (rc = reader_column(ts->r, TABLE_ROWS, COL_DURATION, &duration)) < 0 ||
        (rc = reader_column(ts->r, TABLE_ROWS, COL_KIND, &kind)) < 0 ||
        (rc = reader_column(ts->r, TABLE_ROWS, COL_STATUS, &status)) < 0 ||
        (rc = reader_column(ts->r, TABLE_ROWS, COL_FLAGS, &flags)) < 0 ||
        (rc = reader_column(ts->r, TABLE_ROWS, COL_PARENT, &parent)) < 0)
        return rc;
    *ret = (struct trace_span){ .span = row->span,
                                .parent = parent.u64[i],
                                .time = row->time,
                                .duration = duration.i64[i],
                                .kind = kind.u8[i],
                                .status = status.u8[i],
                                .flags = flags.u32[i],
                                .project = c.project.u32[i],
                                .name = c.name_copy,
                                .service = c.service,
                                .message = field_text(&c.attrs, STR("message")),
                                .tracestate = field_text(&c.attrs, STR("tracestate")),
                                .dropped = field_dropped(&c.attrs),
                                .resource = c.resource_entity,
                                .scope = c.scope_entity,
                                .attrs = c.attrs.all,
                                .attrs_n = c.attrs.records,
                                .fields = c.attrs.all + c.attrs.records,
                                .fields_n = c.attrs.fields,
                                .parent_index = -1 };
    if (l->q->outline) {
        ret->attrs_n = ret->fields_n = 0;
        return 0;
    }
    rc = read_children(l, ts, TABLE_EVENTS, row->row, &ret->events, &ret->events_n);
    return rc < 0 ? rc : read_children(l, ts, TABLE_LINKS, row->row, &ret->links, &ret->links_n);
}

int trace_log_read(struct trace_loader *l, const struct trace_row *row, struct trace_log *ret)
{
    struct trace_segment *ts = &l->segments[row->segment];
    struct vec severity;
    struct common c;
    int rc = read_common(l, row, &c);
    if (rc < 0 || (rc = reader_column(ts->r, TABLE_ROWS, COL_SEVERITY, &severity)) < 0)
        return rc;
    const struct value *body = field_of(&c.attrs, STR("body")), *observed = field_of(&c.attrs, STR("observed"));
    *ret = (struct trace_log){ .time = row->time,
                               .observed = observed && observed->type == VALUE_INT ? observed->i : 0,
                               .severity = severity.u8[row->row % BLOCK_ROWS],
                               .span = row->span,
                               .span_index = -1,
                               .project = c.project.u32[row->row % BLOCK_ROWS],
                               .service = c.service,
                               .name = c.name_copy,
                               .severity_text = field_text(&c.attrs, STR("severity_text")),
                               .body = body ? *body : (struct value){ .type = VALUE_NULL },
                               .resource = c.resource_entity,
                               .scope = c.scope_entity,
                               .attrs = c.attrs.all,
                               .attrs_n = c.attrs.records };
    return 0;
}
