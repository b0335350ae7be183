#include "query/chain.h"

#include "query/issue_rows.h"
#include "query/path.h"

#include <stdlib.h>

// A chain under construction.
struct maker {
    struct exec *x;
    struct exec_segment *s;
    enum segment_table table;
    struct place *places;
    uint32_t n, cap;
};

static int add(struct maker *m, struct place p)
{
    if (m->n == m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 4;
        struct place *more = arena_alloc_array(&m->x->arena, cap, sizeof *more);
        if (!more)
            return exec_nomem(m->x);
        if (m->n)
            memcpy(more, m->places, m->n * sizeof *more);
        m->places = more;
        m->cap = cap;
    }
    m->places[m->n++] = p;
    return 0;
}

static int finish(struct maker *m, struct chain **ret)
{
    struct chain *c = arena_alloc(&m->x->arena, sizeof *c);
    if (!c)
        return exec_nomem(m->x);
    *c = (struct chain){ m->places, m->n };
    *ret = c;
    return 0;
}

// ---- attributes ----

static int add_column(struct maker *m, uint32_t i, uint8_t type)
{
    static const struct place by_type[] = {
        [VALUE_STR] = { .kind = PLACE_STR, .type = QVAL_STR },
        [VALUE_INT] = { .kind = PLACE_I64, .type = QVAL_INT },
        [VALUE_DOUBLE] = { .kind = PLACE_F64, .type = QVAL_DOUBLE },
        [VALUE_BOOL] = { .kind = PLACE_BOOL },
        [VALUE_BYTES] = { .kind = PLACE_STR, .type = QVAL_BYTES },
        [VALUE_LIST] = { .kind = PLACE_STR, .type = QVAL_LIST },
        [VALUE_MAP] = { .kind = PLACE_STR, .type = QVAL_MAP },
    };
    if (type == VALUE_NULL || type > VALUE_MAP)
        return 0;
    struct place p = by_type[type];
    p.col = COL_FIXED + i;
    return add(m, p);
}

static int add_path(struct maker *m, uint32_t i, const struct query_path_item *path, uint32_t n)
{
    return add(m, (struct place){ .kind = PLACE_PATH, .col = COL_FIXED + i, .path = path, .path_len = n });
}

// Columns of the table under the first k names of the path; what is left of it leads into lists and maps.
static int add_columns(struct maker *m, uint8_t level, const struct query_path_item *path, uint32_t n, uint32_t k)
{
    uint32_t count = segment_columns(m->s->seg, m->table);
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        struct column c = segment_column(m->s->seg, m->table, i);
        if (c.level != level || !path_key_is(c.key, path, k))
            continue;
        if (k == n)
            rc = add_column(m, i, c.type);
        else if (c.type == VALUE_MAP || c.type == VALUE_LIST)
            rc = add_path(m, i, path + k, n - k);
    }
    return rc;
}

// Keys beyond the limit of columns are in a map under the empty key.
static int add_overflow(struct maker *m, const struct query_path_item *path, uint32_t n)
{
    uint32_t count = segment_columns(m->s->seg, m->table);
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        struct column c = segment_column(m->s->seg, m->table, i);
        if (c.level == ATTR_RECORD && c.type == VALUE_MAP && c.key.len == 0)
            rc = add_path(m, i, path, n);
    }
    return rc;
}

static int add_record(struct maker *m, uint8_t level, const struct query_path_item *path, uint32_t n)
{
    uint32_t names = path_names(path, n);
    int rc = add_columns(m, level, path, n, names);
    if (rc == 0 && level == ATTR_RECORD)
        rc = add_overflow(m, path, n);
    for (uint32_t k = names; rc == 0 && k-- > 1;)
        rc = add_columns(m, level, path, n, k);
    return rc;
}

// One value for each resource or scope, asked for once.
static int add_entity(struct maker *m, uint32_t col, const struct query_path_item *path, uint32_t n)
{
    bool resource = col == COL_RESOURCE, any = false, full = true;
    uint32_t count = resource ? segment_resources(m->s->seg) : segment_scopes(m->s->seg);
    struct qval *table = arena_alloc_array(&m->x->arena, count ? count : 1, sizeof *table);
    if (!table)
        return exec_nomem(m->x);
    for (uint32_t i = 0; i < count; i++) {
        const struct record_entity *e = resource ? segment_resource(m->s->seg, i) : segment_scope(m->s->seg, i);
        if (path_attrs(&m->x->arena, e->attrs, e->attrs_n, path, n, &table[i]) < 0)
            return exec_nomem(m->x);
        any |= table[i].type != QVAL_MISSING;
        full &= table[i].type != QVAL_MISSING;
    }
    if (!any)
        return 0;
    return add(m, (struct place){ .kind = PLACE_ENTITY, .col = col, .table = table, .table_n = count, .full = full });
}

static int add_attr(struct maker *m, enum query_attr_level level, const struct query_path_item *path, uint32_t n)
{
    int rc = 0;
    if (n == 0)
        return 0;
    if (level == QUERY_AT_ANY || level == QUERY_AT_RECORD)
        rc = add_record(m, ATTR_RECORD, path, n);
    if (rc == 0 && (level == QUERY_AT_ANY || level == QUERY_AT_SCOPE))
        rc = add_entity(m, COL_SCOPE, path, n);
    if (rc == 0 && (level == QUERY_AT_ANY || level == QUERY_AT_RESOURCE))
        rc = add_entity(m, COL_RESOURCE, path, n);
    return rc;
}

static int add_group(struct maker *m, uint32_t group)
{
    const struct query_alias_group *g = query_alias_get(group);
    int rc = 0;
    for (uint32_t i = 0; i < g->key_count && rc == 0; i++) {
        struct query_path_item *path;
        uint32_t n;
        if (path_of_key(&m->x->arena, g->keys[i].key, &path, &n) < 0)
            return exec_nomem(m->x);
        rc = add_attr(m, g->keys[i].level, path, n);
    }
    return rc;
}

// ---- fixed fields ----

// A table for the 256 values of a u8 column.
static int add_words(struct maker *m, uint32_t col, enum query_field_id field)
{
    const struct query_field_info *f = query_field_get(m->s->source, field);
    struct qval *table = arena_zalloc(&m->x->arena, 256 * sizeof *table);
    if (!table)
        return exec_nomem(m->x);
    for (int i = 0; i < 256; i++) {
        const struct query_word *w = f && f->type.words ? query_word_by_value(f->type.words, i) : NULL;
        if (w)
            table[i] = (struct qval){ .type = QVAL_ENUM, .s = w->word };
    }
    return add(m, (struct place){ .kind = PLACE_WORD, .col = col, .table = table, .table_n = 256 });
}

static int add_severity(struct maker *m, enum qval_type type)
{
    struct qval *table = arena_zalloc(&m->x->arena, 256 * sizeof *table);
    if (!table)
        return exec_nomem(m->x);
    for (int i = 1; i < 256; i++)
        table[i] = qval_of(type, i);
    return add(m, (struct place){ .kind = PLACE_WORD, .col = COL_SEVERITY, .table = table, .table_n = 256 });
}

static int add_const(struct maker *m, struct qval v)
{
    struct qval *table = arena_alloc(&m->x->arena, sizeof *table);
    if (!table)
        return exec_nomem(m->x);
    *table = v;
    return add(m, (struct place){ .kind = PLACE_CONST, .table = table, .table_n = 1 });
}

static str entity_text(const struct record_entity *e, enum query_field_id field)
{
    switch (field) {
    case QUERY_F_SCOPE_NAME:
        return e->name;
    case QUERY_F_SCOPE_VERSION:
        return e->version;
    default:
        return e->schema_url;
    }
}

// What a resource or a scope has beside attributes.
static int add_entity_text(struct maker *m, enum query_field_id field)
{
    const struct segment *seg = m->s->seg;
    bool resource = field == QUERY_F_RESOURCE_SCHEMA;
    uint32_t count = resource ? segment_resources(seg) : segment_scopes(seg);
    struct qval *table = arena_zalloc(&m->x->arena, (count ? count : 1) * sizeof *table);
    if (!table)
        return exec_nomem(m->x);
    for (uint32_t i = 0; i < count; i++) {
        str s = entity_text(resource ? segment_resource(seg, i) : segment_scope(seg, i), field);
        if (s.len)
            table[i] = qval_str(s);
    }
    uint32_t col = resource ? COL_RESOURCE : COL_SCOPE;
    return add(m, (struct place){ .kind = PLACE_ENTITY, .col = col, .table = table, .table_n = count });
}

// Fields that are stored under their own name as FIELD attributes, with the type that the language gives them.
static int add_stored_field(struct maker *m, enum query_field_id field, const struct query_path_item *path, uint32_t n)
{
    struct query_path_item own = { .name = query_field_name(field) };
    const struct query_field_info *f = query_field_get(m->s->source, field);
    uint32_t from = m->n;
    int rc = add_columns(m, ATTR_FIELD, &own, 1, 1);
    for (uint32_t i = from; i < m->n && rc == 0; i++) {
        struct place *p = &m->places[i];
        if (n > 0) { // only lists and maps lead further
            if (p->kind == PLACE_STR && (p->type == QVAL_LIST || p->type == QVAL_MAP)) {
                *p = (struct place){ .kind = PLACE_PATH, .col = p->col, .path = path, .path_len = n };
                continue;
            }
            m->places[i--] = m->places[--m->n];
            continue;
        }
        if (f && f->type.type == QUERY_TIME && p->kind == PLACE_I64)
            p->type = QVAL_TIME;
        if (f && f->type.type == QUERY_DURATION && p->kind == PLACE_I64)
            p->type = QVAL_DURATION;
        if (f && f->type.type == QUERY_ENUM && p->kind == PLACE_STR && p->type == QVAL_STR)
            p->type = QVAL_ENUM;
    }
    return rc;
}

// What a client dropped is counted apart for attributes, events and links.
static int add_dropped(struct maker *m)
{
    uint32_t count = segment_columns(m->s->seg, m->table), n = 0;
    uint32_t *cols = arena_alloc_array(&m->x->arena, count ? count : 1, sizeof *cols);
    if (!cols)
        return exec_nomem(m->x);
    for (uint32_t i = 0; i < count; i++) {
        struct column c = segment_column(m->s->seg, m->table, i);
        if (c.level == ATTR_FIELD && c.type == VALUE_INT && str_starts(c.key, STR("dropped")))
            cols[n++] = COL_FIXED + i;
    }
    return n ? add(m, (struct place){ .kind = PLACE_DROPPED, .cols = cols, .cols_n = n }) : 0;
}

static int add_pattern(struct maker *m)
{
    struct maker c = { .x = m->x, .s = m->s, .table = TABLE_ROWS };
    struct chain *text = NULL;
    int rc =
        m->s->source == QUERY_SPANS
            ? add(&c, (struct place){ .kind = PLACE_STR, .type = QVAL_STR, .col = COL_NAME, .empty_missing = true })
            : add_stored_field(&c, m->s->source == QUERY_LOGS ? QUERY_F_BODY : QUERY_F_MESSAGE, NULL, 0);
    if (rc == 0)
        rc = finish(&c, &text);
    return rc < 0 || text->n == 0 ? rc : add(m, (struct place){ .kind = PLACE_PATTERN, .child = text });
}

// Of an event: asked for by its group while the query runs.
static int add_issue(struct maker *m)
{
    uint32_t from = m->n;
    int rc = m->x->q->issues ? add_stored_field(m, QUERY_F_GROUP, NULL, 0) : 0;
    for (uint32_t i = from; i < m->n && rc == 0; i++) {
        struct place *p = &m->places[i];
        if (p->kind != PLACE_STR || p->type != QVAL_STR) {
            m->places[i--] = m->places[--m->n];
            continue;
        }
        rc = issue_place(m->x, p->col, p);
    }
    return rc;
}

static int add_fixed(struct maker *m, enum query_field_id field, const struct query_path_item *path, uint32_t n)
{
    int group = query_alias_of_field(m->s->source, field);
    bool spans = m->s->source == QUERY_SPANS;
    switch (field) {
    case QUERY_F_SOURCE:
        return add_const(m, (struct qval){ .type = QVAL_ENUM, .s = query_source_name(m->s->source) });
    case QUERY_F_PROJECT:
        return add(m, (struct place){ .kind = PLACE_PROJECT, .col = COL_PROJECT });
    case QUERY_F_TIME:
        return add(m, (struct place){ .kind = PLACE_I64, .type = QVAL_TIME, .col = COL_TIME });
    case QUERY_F_RECEIVED:
        return add(m, (struct place){ .kind = PLACE_I64, .type = QVAL_TIME, .col = COL_RECEIVED });
    case QUERY_F_DURATION:
        return add(m, (struct place){ .kind = PLACE_I64, .type = QVAL_DURATION, .col = COL_DURATION });
    case QUERY_F_ISSUE:
        return add_issue(m);
    case QUERY_F_ID:
        if (m->s->source == QUERY_ISSUES)
            break;
        return add(m, (struct place){ .kind = PLACE_ID });
    case QUERY_F_TEXT:
        return add(m, (struct place){ .kind = PLACE_TEXT });
    case QUERY_F_PATTERN:
        return add_pattern(m);
    case QUERY_F_NAME:
        return add(m, (struct place){ .kind = PLACE_STR, .type = QVAL_STR, .col = COL_NAME, .empty_missing = true });
    case QUERY_F_TRACE:
        return add(m, (struct place){ .kind = PLACE_TRACE, .col = COL_TRACE });
    case QUERY_F_SPAN:
        return add(m, (struct place){ .kind = PLACE_SPAN, .col = COL_SPAN });
    case QUERY_F_PARENT:
        return add(m, (struct place){ .kind = PLACE_SPAN, .col = COL_PARENT });
    case QUERY_F_ROOT:
        return add(m, (struct place){ .kind = PLACE_ROOT, .col = COL_PARENT });
    case QUERY_F_KIND:
        return add_words(m, COL_KIND, field);
    case QUERY_F_STATUS:
        return spans ? add_words(m, COL_STATUS, field) : add_stored_field(m, field, path, n);
    case QUERY_F_TYPE:
        if (m->s->source == QUERY_METRICS)
            return add_words(m, COL_KIND, field);
        break;
    case QUERY_F_LEVEL:
        return add_severity(m, QVAL_LEVEL);
    case QUERY_F_SEVERITY:
        return add_severity(m, QVAL_INT);
    case QUERY_F_FLAGS:
        return add(m, (struct place){ .kind = PLACE_COUNT, .col = COL_FLAGS });
    case QUERY_F_DROPPED:
        return add_dropped(m);
    case QUERY_F_VALUE: { // of histograms: their sum
        int rc = add_stored_field(m, field, path, n);
        return rc < 0 ? rc : add_stored_field(m, QUERY_F_SUM, path, n);
    }
    case QUERY_F_SCOPE_NAME:
    case QUERY_F_SCOPE_VERSION:
    case QUERY_F_SCOPE_SCHEMA:
    case QUERY_F_RESOURCE_SCHEMA:
        return add_entity_text(m, field);
    default:
        break;
    }
    int rc = add_stored_field(m, field, path, n);
    return rc == 0 && group >= 0 ? add_group(m, (uint32_t)group) : rc;
}

// ---- events and links ----

static int add_child(struct maker *m, enum segment_table table, struct chain *child)
{
    if (child->n == 0)
        return 0;
    return add(m, (struct place){ .kind = PLACE_CHILD, .child_table = (uint8_t)table, .child = child });
}

static int add_child_attr(struct maker *m, enum segment_table table, uint8_t level, const struct query_path_item *path,
                          uint32_t n)
{
    struct maker c = { .x = m->x, .s = m->s, .table = table };
    struct chain *chain = NULL;
    int rc = add_record(&c, level, path, n);
    if (rc == 0)
        rc = finish(&c, &chain);
    return rc < 0 ? rc : add_child(m, table, chain);
}

static int add_child_fixed(struct maker *m, enum query_field_id field, const struct query_path_item *path, uint32_t n)
{
    struct maker c = { .x = m->x, .s = m->s, .table = TABLE_EVENTS };
    struct query_path_item trace = { .name = STR("trace") }, span = { .name = STR("span") };
    struct chain *chain = NULL;
    int rc = 0;
    switch (field) {
    case QUERY_F_EVENT_NAME:
        rc = add(&c, (struct place){ .kind = PLACE_STR, .type = QVAL_STR, .col = COL_NAME, .empty_missing = true });
        break;
    case QUERY_F_EVENT_TIME:
        rc = add(&c, (struct place){ .kind = PLACE_I64, .type = QVAL_TIME, .col = COL_TIME });
        break;
    case QUERY_F_EVENT_SINCE:
        rc = add(&c, (struct place){ .kind = PLACE_SINCE, .col = COL_TIME });
        break;
    case QUERY_F_LINK_TRACE:
    case QUERY_F_LINK_SPAN:
        c.table = TABLE_LINKS;
        rc = add_columns(&c, ATTR_FIELD, field == QUERY_F_LINK_TRACE ? &trace : &span, 1, 1);
        for (uint32_t i = 0; i < c.n; i++)
            c.places[i].type = QVAL_ID; // ids are kept as bytes
        break;
    default:
        return 0;
    }
    if (segment_blocks(m->s->seg, c.table) == 0)
        return rc;
    if (rc == 0)
        rc = finish(&c, &chain);
    uint32_t before = m->n;
    if (rc == 0)
        rc = add_child(m, c.table, chain);
    if (rc == 0 && m->n > before) { // an index into the list
        m->places[before].path = path;
        m->places[before].path_len = n;
    }
    return rc;
}

// ---- references ----

static bool is_child_field(enum query_field_id f)
{
    return f == QUERY_F_EVENT_NAME || f == QUERY_F_EVENT_TIME || f == QUERY_F_EVENT_SINCE || f == QUERY_F_LINK_TRACE ||
           f == QUERY_F_LINK_SPAN;
}

static int add_ref(struct maker *m, const struct query_ref *ref)
{
    const struct query_binding *b = &ref->bind[m->s->source];
    const struct query_path_item *path = ref->path + b->path_from;
    uint32_t n = ref->path_len - b->path_from;
    switch ((enum query_bind_kind)b->kind) {
    case QUERY_BIND_NONE:
        return 0;
    case QUERY_BIND_FIXED:
        if (is_child_field(b->field))
            return add_child_fixed(m, b->field, path, n);
        return add_fixed(m, b->field, path, n);
    case QUERY_BIND_ALIAS:
        return add_group(m, b->group);
    case QUERY_BIND_ATTR:
        if (b->level == QUERY_AT_EVENT)
            return add_child_attr(m, TABLE_EVENTS, ATTR_RECORD, path, n);
        if (b->level == QUERY_AT_LINK)
            return add_child_attr(m, TABLE_LINKS, ATTR_RECORD, path, n);
        // the map `vars` or `expr` and what is in it
        if (b->level == QUERY_AT_VARS || b->level == QUERY_AT_EXPR)
            return add_columns(m, ATTR_FIELD, path - 1, n + 1, 1);
        return add_attr(m, b->level, path, n);
    }
    return 0;
}

int chain_new(struct exec *x, struct exec_segment *s, const struct query_ref *ref, struct chain **ret)
{
    struct maker m = { .x = x, .s = s, .table = TABLE_ROWS };
    int rc = add_ref(&m, ref);
    return rc < 0 ? rc : finish(&m, ret);
}

int chain_get(struct exec *x, struct exec_segment *s, const struct query_ref *ref, struct chain **ret)
{
    if (!s->chains) {
        s->chains = arena_zalloc(&x->arena, (x->plan->ref_count + 1) * sizeof(struct chain *));
        if (!s->chains)
            return exec_nomem(x);
    }
    if (!s->chains[ref->index]) {
        int rc = chain_new(x, s, ref, &s->chains[ref->index]);
        if (rc < 0)
            return rc;
    }
    *ret = s->chains[ref->index];
    return 0;
}

int chain_field(struct exec *x, struct exec_segment *s, enum query_field_id field, struct chain **ret)
{
    int rc = 0;
    if (!s->fields) {
        s->fields = arena_zalloc(&x->arena, QUERY_FIELD_COUNT * sizeof(struct chain *));
        if (!s->fields)
            return exec_nomem(x);
    }
    if (!s->fields[field]) {
        struct maker m = { .x = x, .s = s, .table = TABLE_ROWS };
        rc = is_child_field(field) ? add_child_fixed(&m, field, NULL, 0) : add_fixed(&m, field, NULL, 0);
        if (rc == 0)
            rc = finish(&m, &s->fields[field]);
    }
    *ret = s->fields[field];
    return rc;
}

// ---- text ----

int chain_text(struct exec *x, struct exec_segment *s, struct chain **ret)
{
    struct maker m = { .x = x, .s = s, .table = TABLE_ROWS };
    struct query_path_item message[] = { { .name = STR("exception") }, { .name = STR("message") } };
    struct query_path_item vars = { .name = STR("vars") };
    struct query_path_item *event_path = NULL;
    int rc = 0;
    if (s->text) {
        *ret = s->text;
        return 0;
    }
    switch (s->source) {
    case QUERY_SPANS:
        event_path = arena_alloc(&x->arena, sizeof message);
        if (!event_path)
            return exec_nomem(x);
        memcpy(event_path, message, sizeof message);
        rc = add_fixed(&m, QUERY_F_NAME, NULL, 0);
        if (rc == 0)
            rc = add_stored_field(&m, QUERY_F_MESSAGE, NULL, 0);
        if (rc == 0)
            rc = add_child_attr(&m, TABLE_EVENTS, ATTR_RECORD, event_path, 2);
        break;
    case QUERY_LOGS:
        rc = add_stored_field(&m, QUERY_F_BODY, NULL, 0);
        break;
    case QUERY_METRICS:
        rc = add_fixed(&m, QUERY_F_NAME, NULL, 0);
        if (rc == 0)
            rc = add_stored_field(&m, QUERY_F_DESCRIPTION, NULL, 0);
        break;
    case QUERY_EVENTS:
        rc = add_stored_field(&m, QUERY_F_TYPE, NULL, 0);
        if (rc == 0)
            rc = add_stored_field(&m, QUERY_F_MESSAGE, NULL, 0);
        break;
    case QUERY_SNAPSHOTS:
        rc = add_stored_field(&m, QUERY_F_MESSAGE, NULL, 0);
        if (rc == 0)
            rc = add_columns(&m, ATTR_FIELD, &vars, 1, 1);
        break;
    case QUERY_ISSUES:
        rc = add_stored_field(&m, QUERY_F_TITLE, NULL, 0);
        if (rc == 0)
            rc = add_stored_field(&m, QUERY_F_CULPRIT, NULL, 0);
        break;
    case QUERY_CHECKS:
        rc = add_fixed(&m, QUERY_F_NAME, NULL, 0);
        if (rc == 0)
            rc = add_stored_field(&m, QUERY_F_OUTPUT, NULL, 0);
        break;
    default:
        break;
    }
    if (rc == 0)
        rc = finish(&m, &s->text);
    *ret = s->text;
    return rc;
}

// The strings of a set of attributes as one list, for all entities of the segment.
static int add_entity_strings(struct maker *m, uint32_t col)
{
    bool resource = col == COL_RESOURCE;
    uint32_t count = resource ? segment_resources(m->s->seg) : segment_scopes(m->s->seg);
    struct qval *table = arena_zalloc(&m->x->arena, (count ? count : 1) * sizeof *table);
    struct buf b;
    int rc = table ? 0 : ERR_NOMEM;
    buf_init(&b, 16 << 20);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        const struct record_entity *e = resource ? segment_resource(m->s->seg, i) : segment_scope(m->s->seg, i);
        uint32_t n = 0;
        str kept;
        for (uint32_t k = 0; k < e->attrs_n; k++) {
            uint8_t t = e->attrs[k].value.type;
            n += t == VALUE_STR || t == VALUE_LIST || t == VALUE_MAP;
        }
        buf_clear(&b);
        buf_byte(&b, VALUE_LIST);
        buf_varint(&b, n);
        for (uint32_t k = 0; k < e->attrs_n; k++) {
            uint8_t t = e->attrs[k].value.type;
            if (t == VALUE_STR || t == VALUE_LIST || t == VALUE_MAP)
                value_encode(&b, &e->attrs[k].value);
        }
        rc = b.error ? ERR_NOMEM : arena_dup(&m->x->arena, buf_view(&b), &kept);
        if (rc == 0)
            table[i] = (struct qval){ .type = QVAL_LIST, .s = kept };
    }
    buf_free(&b);
    if (rc < 0)
        return exec_nomem(m->x);
    return add(m, (struct place){ .kind = PLACE_ENTITY, .col = col, .table = table, .table_n = count, .full = true });
}

int chain_strings(struct exec *x, struct exec_segment *s, struct chain **ret)
{
    struct maker m = { .x = x, .s = s, .table = TABLE_ROWS };
    uint32_t count = segment_columns(s->seg, TABLE_ROWS);
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        struct column c = segment_column(s->seg, TABLE_ROWS, i);
        if (c.level == ATTR_RECORD && (c.type == VALUE_STR || c.type == VALUE_LIST || c.type == VALUE_MAP))
            rc = add_column(&m, i, c.type);
    }
    if (rc == 0)
        rc = add_entity_strings(&m, COL_SCOPE);
    if (rc == 0)
        rc = add_entity_strings(&m, COL_RESOURCE);
    return rc < 0 ? rc : finish(&m, ret);
}

int chain_child_strings(struct exec *x, struct exec_segment *s, enum segment_table t, struct chain **ret)
{
    struct maker m = { .x = x, .s = s, .table = t };
    uint32_t count = segment_columns(s->seg, t);
    int rc = 0;
    if (!s->child_texts[t]) {
        if (t == TABLE_EVENTS)
            rc = add(&m, (struct place){ .kind = PLACE_STR, .type = QVAL_STR, .col = COL_NAME, .empty_missing = true });
        for (uint32_t i = 0; i < count && rc == 0; i++) {
            struct column c = segment_column(s->seg, t, i);
            if (c.level == ATTR_RECORD && (c.type == VALUE_STR || c.type == VALUE_LIST || c.type == VALUE_MAP))
                rc = add_column(&m, i, c.type);
        }
        if (rc == 0)
            rc = finish(&m, &s->child_texts[t]);
    }
    *ret = s->child_texts[t];
    return rc;
}
