// The hot path of ingest: one decoded record into the columns of a lane.
//
// Key handling is a guess that is nearly always right: a record has the keys of the last record of the same
// name (shape_memo), so that each key costs one comparison with what stands there and no look-up.
#include "base/must.h"
#include "store/head.h"

// Attributes as they go into the row: which column each has, and which attribute it is.
struct picked {
    uint32_t shape;
    uint32_t n;
    const uint32_t *columns;
    const uint32_t *from; // attribute index by position; NULL: the same position
    bool overflow;        // the last position is the overflow map in lane->overflow
};

static bool shape_fits(const struct lane_table *t, const struct lane_shape *s, const struct attr *a, uint32_t n)
{
    if (s->n != n)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct column *c = &t->columns[s->columns[i]]->c;
        if (c->key.len != a[i].key.len || c->type != a[i].value.type || c->level != a[i].level ||
            memcmp(c->key.ptr, a[i].key.ptr, c->key.len) != 0)
            return false;
    }
    return true;
}

// Key by key: new keys, repeated keys (the last one counts), keys beyond the limit.
static int pick_slowly(struct lane *l, struct lane_table *t, const struct attr *a, uint32_t n, struct picked *p)
{
    buf_clear(&l->picked);
    uint32_t *columns = (uint32_t *)(void *)buf_extend(&l->picked, sizeof(uint32_t) * 2 * (n + 1));
    if (!columns)
        return l->picked.error;
    uint32_t *from = columns + n + 1, kept = 0, over = 0;
    uint32_t serial = ++t->serial;
    buf_clear(&l->overflow);
    // From the end, so that the last of repeated keys is the one kept; turned round below.
    for (uint32_t i = n; i-- > 0;) {
        uint32_t col;
        int e = a[i].key.len == 0 && a[i].level == ATTR_RECORD
                    ? ERR_LIMIT // the empty key is the overflow map's own
                    : lane_column_intern(l, t, a[i].key, a[i].level, a[i].value.type, &col);
        if (e == ERR_LIMIT) {
            over++;
            continue;
        }
        if (e < 0)
            return e;
        if (t->columns[col]->stamp == serial)
            continue;
        t->columns[col]->stamp = serial;
        columns[kept] = col;
        from[kept++] = i;
    }
    for (uint32_t i = 0; i < kept / 2; i++) {
        uint32_t c = columns[i], f = from[i];
        columns[i] = columns[kept - 1 - i], from[i] = from[kept - 1 - i];
        columns[kept - 1 - i] = c, from[kept - 1 - i] = f;
    }
    p->overflow = over > 0;
    if (over) {
        buf_byte(&l->overflow, VALUE_MAP);
        buf_varint(&l->overflow, over);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t col;
            if (a[i].key.len && lane_column_intern(l, t, a[i].key, a[i].level, a[i].value.type, &col) == 0)
                continue;
            buf_varint(&l->overflow, a[i].key.len);
            buf_str(&l->overflow, a[i].key);
            value_encode(&l->overflow, &a[i].value);
        }
        if (l->overflow.error)
            return l->overflow.error;
        int e = lane_column_intern(l, t, OVERFLOW_KEY, ATTR_RECORD, VALUE_MAP, &columns[kept]);
        if (e < 0)
            return e;
        from[kept++] = UINT32_MAX;
    }
    p->n = kept;
    p->columns = columns;
    p->from = from;
    return lane_shape_intern(l, t, columns, kept, &p->shape);
}

static int pick(struct lane *l, struct lane_table *t, const struct attr *a, uint32_t n, uint32_t name, struct picked *p)
{
    uint32_t *memo = &t->shape_memo[name & 255];
    if (*memo) {
        const struct lane_shape *s = lane_shape_get(t, *memo - 1);
        if (shape_fits(t, s, a, n)) {
            *p = (struct picked){ .shape = *memo - 1, .n = n, .columns = s->columns };
            return 0;
        }
    }
    int e = pick_slowly(l, t, a, n, p);
    if (e < 0)
        return e;
    // Only a shape that stands for the attributes one to one may be guessed again.
    if (p->n == n && !p->overflow)
        *memo = p->shape + 1;
    return 0;
}

static int put_values(struct lane *l, struct lane_table *t, const struct attr *a, const struct picked *p, uint64_t *w)
{
    for (uint32_t i = 0; i < p->n; i++) {
        struct lane_column *c = t->columns[p->columns[i]];
        uint32_t from = p->from ? p->from[i] : i, ord;
        if (from == UINT32_MAX) {
            int e = head_dict_intern(&c->dict, &l->heap, buf_view(&l->overflow), &ord);
            if (e < 0)
                return e;
            w[i] = ord;
            continue;
        }
        const struct value *v = &a[from].value;
        switch (v->type) {
        case VALUE_STR:
        case VALUE_BYTES:
        case VALUE_LIST:
        case VALUE_MAP: {
            int e = head_dict_intern(&c->dict, &l->heap, v->s, &ord);
            if (e < 0)
                return e;
            w[i] = ord;
            break;
        }
        case VALUE_INT:
            w[i] = (uint64_t)v->i;
            break;
        case VALUE_DOUBLE:
            memcpy(&w[i], &v->d, 8);
            break;
        case VALUE_BOOL:
            w[i] = v->b;
            break;
        default:
            w[i] = 0;
        }
    }
    return 0;
}

// Name, shape and values of one row of any table; *ret_at is the row's place in the last block.
static int put_common(struct lane *l, struct lane_table *t, str name, const struct attr *a, uint32_t n,
                      uint32_t *ret_at)
{
    uint32_t name_ord;
    int e = lane_table_reserve(l, t, n + 1); // one more: the overflow map
    if (e < 0 || (e = head_dict_intern(&t->names, &l->heap, name, &name_ord)) < 0)
        return e;
    struct picked p;
    if ((e = pick(l, t, a, n, name_ord, &p)) < 0)
        return e;
    struct table_mark *m = &t->end;
    struct lane_block *b = t->block[m->blocks - 1];
    if ((e = put_values(l, t, a, &p, b->rows.values + m->values)) < 0)
        return e;
    b->rows.name[m->rows] = name_ord;
    b->rows.shape[m->rows] = p.shape;
    b->rows.value_at[m->rows] = m->values;
    m->values += p.n;
    *ret_at = m->rows;
    return 0;
}

static int append_child(struct lane *l, struct lane_table *t, uint32_t owner, const struct record_child *c)
{
    uint32_t at;
    int e;
    if (c->kind == CHILD_LINK) {
        // What a link has beyond its attributes travels as FIELD attributes: links are rare, columns are not.
        uint8_t span[8];
        be64_put(span, c->span);
        struct attr few[3 + 32], *all = few;
        uint32_t n = 0;
        if (c->attrs_n > 32 && !(all = mem_alloc(sizeof *all * (c->attrs_n + 3))))
            return ERR_NOMEM;
        if (c->has_trace)
            all[n++] =
                (struct attr){ STR("trace"), ATTR_FIELD, { .type = VALUE_BYTES, .s = { (const char *)c->trace, 16 } } };
        if (c->span)
            all[n++] =
                (struct attr){ STR("span"), ATTR_FIELD, { .type = VALUE_BYTES, .s = { (const char *)span, 8 } } };
        if (c->flags)
            all[n++] = (struct attr){ STR("flags"), ATTR_FIELD, value_int(c->flags) };
        if (c->attrs_n)
            memcpy(all + n, c->attrs, sizeof *all * c->attrs_n);
        e = put_common(l, t, c->name, all, n + c->attrs_n, &at);
        if (all != few)
            mem_free(all);
    } else {
        e = put_common(l, t, c->name, c->attrs, c->attrs_n, &at);
    }
    if (e < 0)
        return e;
    struct lane_block *b = t->block[t->end.blocks - 1];
    b->rows.time[at] = c->time;
    b->rows.owner[at] = owner;
    t->end.rows++;
    return 0;
}

int lane_append(struct lane *l, const struct lane_section *sec, const struct record *r)
{
    struct lane_source *ls = lane_source_get(l, r->source);
    if (!ls)
        return ERR_NOMEM;
    struct lane_table *t = &ls->table[TABLE_ROWS];
    uint32_t at, trace = TRACE_NONE;
    int e;
    if (r->has_trace && (e = lane_intern_trace(l, r->trace, &trace)) < 0)
        return e;
    const struct attr *attrs = r->attrs;
    uint32_t attrs_n = r->attrs_n;
    struct attr few[64], *with_body = few;
    if (r->body.type != VALUE_NULL) { // the body is the first FIELD attribute
        if (attrs_n >= 64 && !(with_body = mem_alloc(sizeof *with_body * (attrs_n + 1))))
            return ERR_NOMEM;
        with_body[0] = (struct attr){ STR("body"), ATTR_FIELD, r->body };
        if (attrs_n)
            memcpy(with_body + 1, attrs, sizeof *attrs * attrs_n);
        attrs = with_body;
        attrs_n++;
    }
    e = put_common(l, t, r->name, attrs, attrs_n, &at);
    if (with_body != few)
        mem_free(with_body);
    if (e < 0)
        return e;
    struct rows *b = &t->block[t->end.blocks - 1]->rows;
    b->time[at] = r->time;
    b->duration[at] = r->duration;
    b->received[at] = sec->received;
    b->span[at] = r->span;
    b->parent[at] = r->parent;
    b->project[at] = sec->project;
    b->flags[at] = r->flags;
    b->resource[at] = sec->resource;
    b->scope[at] = sec->scope;
    b->trace[at] = trace;
    b->kind[at] = r->kind;
    b->status[at] = r->status;
    b->severity[at] = r->severity;
    uint32_t number = (t->end.blocks - 1) * BLOCK_ROWS + at;
    for (uint32_t i = 0; i < r->children_n; i++) {
        const struct record_child *c = &r->children[i];
        struct lane_table *ct = &ls->table[c->kind == CHILD_LINK ? TABLE_LINKS : TABLE_EVENTS];
        if ((e = append_child(l, ct, number, c)) < 0)
            return e;
    }
    t->end.rows++;
    lane_table_widen(t, r->time, r->duration, sec->received);
    return 0;
}
