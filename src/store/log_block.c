// Codec of log blocks. Everything is row-encoded in LEB128: measured, the bytes of a span come to about 60 and the
// cost to 40 ns, and a trickle writes no column headers (ARCHITECTURE.md says why not columns).
//
//   header   magic u32, length u32, crc32c u32 (of all that follows it), lane u32, epoch u64, sequence u64,
//            group u64, generation u64, request hash 2 x u64, received i64
//   payload  project; new resources; new scopes; new trace ids; then for each source with news: source + 1,
//            its three tables; 0 ends
//   table    new columns (level, type, key); new shapes; additions to dictionaries (column + 1, or 0 for names,
//            count + strings; 0 ends the list); rows in runs
//            (count * 2 + 1 when the run begins a new block)
//   row      see put_row(); child rows see put_child()
#include "store/log_block.h"

#include "base/crc32c.h"
#include "base/must.h"
#include "store/varint_in.h"

enum {
    ROW_TRACE = 1,   // trace ordinal follows (it differs from the row before)
    ROW_SECTION = 2, // resource and scope follow
    ROW_SPAN = 4,    // span id follows
    ROW_PARENT = 8,
    ROW_FLAGS = 16,    // flags follow
    ROW_SEVERITY = 32, // severity follows
};

static void put_str(struct buf *b, str s)
{
    buf_varint(b, s.len);
    buf_str(b, s);
}

static inline uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

struct row_state { // what a row is encoded against: the row before
    int64_t time;
    uint32_t trace, resource, scope, flags;
    uint8_t severity;
};

static struct row_state row_state_begin(int64_t received)
{
    return (struct row_state){ .time = received, .trace = TRACE_NONE, .resource = UINT32_MAX, .scope = UINT32_MAX };
}

static uint8_t *put_values(uint8_t *p, const struct lane_table *t, const struct rows *r, uint32_t i)
{
    const struct lane_shape *s = lane_shape_get(t, r->shape[i]);
    const uint64_t *w = r->values + r->value_at[i];
    p = put_varint(p, r->shape[i]);
    for (uint32_t k = 0; k < s->n; k++) {
        switch (t->columns[s->columns[k]]->c.type) {
        case VALUE_NULL:
            break;
        case VALUE_DOUBLE:
            le64_put(p, w[k]);
            p += 8;
            break;
        case VALUE_INT:
            p = put_varint(p, zigzag((int64_t)w[k]));
            break;
        default:
            p = put_varint(p, w[k]);
        }
    }
    return p;
}

static int put_row(struct buf *b, const struct lane_table *t, const struct rows *r, uint32_t i, struct row_state *st)
{
    uint32_t n = lane_shape_get(t, r->shape[i])->n;
    if (buf_reserve(b, 96 + (size_t)n * 10) < 0)
        return b->error;
    uint8_t *p = b->ptr + b->len, *bits = p++;
    *bits = 0;
    *p++ = (uint8_t)(r->kind[i] | r->status[i] << 4);
    p = put_varint(p, zigzag((int64_t)((uint64_t)r->time[i] - (uint64_t)st->time)));
    p = put_varint(p, zigzag(r->duration[i]));
    p = put_varint(p, r->name[i]);
    if (r->trace[i] != st->trace) {
        *bits |= ROW_TRACE;
        p = put_varint(p, (uint32_t)(r->trace[i] + 1)); // TRACE_NONE becomes 0
    }
    if (r->resource[i] != st->resource || r->scope[i] != st->scope) {
        *bits |= ROW_SECTION;
        p = put_varint(p, r->resource[i]);
        p = put_varint(p, r->scope[i]);
    }
    if (r->span[i]) {
        *bits |= ROW_SPAN;
        le64_put(p, r->span[i]);
        p += 8;
    }
    if (r->parent[i]) {
        *bits |= ROW_PARENT;
        le64_put(p, r->parent[i]);
        p += 8;
    }
    if (r->flags[i] != st->flags) {
        *bits |= ROW_FLAGS;
        p = put_varint(p, r->flags[i]);
    }
    if (r->severity[i] != st->severity) {
        *bits |= ROW_SEVERITY;
        *p++ = r->severity[i];
    }
    *st = (struct row_state){ r->time[i], r->trace[i], r->resource[i], r->scope[i], r->flags[i], r->severity[i] };
    p = put_values(p, t, r, i);
    b->len = (size_t)(p - b->ptr);
    return 0;
}

static int put_child(struct buf *b, const struct lane_table *t, const struct rows *r, uint32_t i)
{
    uint32_t n = lane_shape_get(t, r->shape[i])->n;
    if (buf_reserve(b, 48 + (size_t)n * 10) < 0)
        return b->error;
    uint8_t *p = b->ptr + b->len;
    p = put_varint(p, r->owner[i]);
    p = put_varint(p, zigzag(r->time[i]));
    p = put_varint(p, r->name[i]);
    p = put_values(p, t, r, i);
    b->len = (size_t)(p - b->ptr);
    return 0;
}

static void put_dict_news(struct buf *b, struct head_dict *hd, uint32_t id)
{
    if (hd->logged == hd->d.n)
        return;
    buf_varint(b, (uint64_t)id + 1);
    buf_varint(b, hd->d.n - hd->logged);
    for (; hd->logged < hd->d.n; hd->logged++)
        put_str(b, dict_get(&hd->d, hd->logged));
}

static void put_table(struct buf *b, struct lane_table *t, struct table_mark from, struct table_mark to,
                      int64_t received)
{
    buf_varint(b, t->columns_n - t->columns_logged);
    for (; t->columns_logged < t->columns_n; t->columns_logged++) {
        const struct column *c = &t->columns[t->columns_logged]->c;
        buf_byte(b, c->level);
        buf_byte(b, c->type);
        put_str(b, c->key);
    }
    buf_varint(b, t->shapes_n - t->shapes_logged);
    for (; t->shapes_logged < t->shapes_n; t->shapes_logged++) {
        const struct lane_shape *s = lane_shape_get(t, t->shapes_logged);
        buf_varint(b, s->n);
        for (uint32_t i = 0; i < s->n; i++)
            buf_varint(b, s->columns[i]);
    }
    put_dict_news(b, &t->names, 0);
    for (uint32_t i = 0; i < t->columns_n; i++)
        put_dict_news(b, &t->columns[i]->dict, i + 1);
    buf_varint(b, 0);
    // Rows in runs, one a block, so that replay begins new blocks where the lane did: row numbers stay.
    uint32_t first = from.blocks ? from.blocks - 1 : 0;
    buf_varint(b, to.blocks - first);
    struct row_state st = row_state_begin(received);
    for (uint32_t k = first; k < to.blocks; k++) {
        const struct rows *r = &t->block[k]->rows;
        uint32_t begin = k + 1 == from.blocks ? from.rows : 0;
        uint32_t end = k + 1 == to.blocks ? to.rows : r->n;
        buf_varint(b, (uint64_t)(end - begin) << 1 | (k + 1 != from.blocks));
        for (uint32_t i = begin; i < end; i++) {
            if (t->child)
                put_child(b, t, r, i);
            else
                put_row(b, t, r, i, &st);
        }
    }
}

static void put_entities(struct buf *b, struct lane_entities *es)
{
    buf_varint(b, es->n - es->logged);
    for (; es->logged < es->n; es->logged++)
        put_str(b, lane_entity_get(es, es->logged)->canonical);
}

int log_block_encode(struct buf *b, struct lane *l, const struct lane_section *sec, const struct lane_marks *from,
                     const struct lane_marks *to)
{
    must(b->len == 0);
    if (!buf_extend(b, LOG_BLOCK_HEADER))
        return b->error;
    buf_varint(b, sec->project);
    put_entities(b, &l->resources);
    put_entities(b, &l->scopes);
    buf_varint(b, l->traces.n - l->traces.logged);
    for (; l->traces.logged < l->traces.n; l->traces.logged++)
        buf_append(b, lane_trace_get(&l->traces, l->traces.logged), 16);
    for (unsigned s = 0; s < RECORD_SOURCES; s++) {
        struct lane_source *ls = l->source[s];
        if (!ls || memcmp(from->at[s], to->at[s], sizeof from->at[s]) == 0)
            continue; // a batch that was taken back may leave dictionary entries: they go with the next rows
        buf_varint(b, s + 1);
        for (unsigned t = 0; t < TABLE_N; t++)
            put_table(b, &ls->table[t], from->at[s][t], to->at[s][t], sec->received);
    }
    buf_varint(b, 0);
    return b->error;
}

void log_block_seal(struct buf *b, struct log_block_header h)
{
    must(b->len >= LOG_BLOCK_HEADER && !b->error);
    uint8_t *p = b->ptr;
    le32_put(p, LOG_BLOCK_MAGIC);
    le32_put(p + 4, (uint32_t)b->len);
    le32_put(p + 12, h.lane);
    le64_put(p + 16, h.epoch);
    le64_put(p + 24, h.sequence);
    le64_put(p + 32, h.group);
    le64_put(p + 40, h.generation);
    le64_put(p + 48, h.request_hash[0]);
    le64_put(p + 56, h.request_hash[1]);
    le64_put(p + 64, (uint64_t)h.received);
    le32_put(p + 8, crc32c(p + 12, b->len - 12));
}

int log_block_open(bytes data, struct log_block_header *ret_h)
{
    if (data.len < LOG_BLOCK_HEADER || le32_get(data.ptr) != LOG_BLOCK_MAGIC)
        return ERR_NOENT;
    const uint8_t *p = data.ptr;
    struct log_block_header h = { .length = le32_get(p + 4),
                                  .lane = le32_get(p + 12),
                                  .epoch = le64_get(p + 16),
                                  .sequence = le64_get(p + 24),
                                  .group = le64_get(p + 32),
                                  .generation = le64_get(p + 40),
                                  .request_hash = { le64_get(p + 48), le64_get(p + 56) },
                                  .received = (int64_t)le64_get(p + 64) };
    if (h.length < LOG_BLOCK_HEADER || h.length > LOG_BLOCK_MAX)
        return ERR_CORRUPT;
    if (h.length > data.len)
        return ERR_TRUNCATED;
    if (crc32c(p + 12, h.length - 12) != le32_get(p + 8))
        return ERR_CORRUPT;
    *ret_h = h;
    return 0;
}

// ---- replay --------------------------------------------------------------------------------------------

static uint32_t in_below(struct in *in, uint64_t limit)
{
    uint64_t v = in_varint(in);
    if (v >= limit)
        in->bad = true;
    return in->bad ? 0 : (uint32_t)v;
}

static const uint8_t *in_take(struct in *in, size_t n)
{
    static const uint8_t zeros[16];
    if ((size_t)(in->end - in->p) < n) {
        in->bad = true;
        return n <= sizeof zeros ? zeros : NULL;
    }
    in->p += n;
    return in->p - n;
}

static str in_str(struct in *in)
{
    uint32_t n = in_count(in);
    const uint8_t *p = in_take(in, n);
    return in->bad ? (str){ "", 0 } : str_of(p, n);
}

static int get_entities(struct in *in, struct lane *l, struct lane_entities *es)
{
    for (uint32_t n = in_count(in); n && !in->bad; n--) {
        int e = lane_append_entity(l, es, in_str(in));
        if (e < 0)
            return e == ERR_NOMEM ? e : ERR_CORRUPT;
        es->logged = es->n;
    }
    return 0;
}

static int get_table_news(struct in *in, struct lane *l, struct lane_table *t)
{
    int e;
    for (uint32_t n = in_count(in); n && !in->bad; n--) {
        uint8_t level = *in_take(in, 1), type = *in_take(in, 1);
        str key = in_str(in);
        if (in->bad || type > VALUE_MAP || level > ATTR_FIELD)
            return ERR_CORRUPT;
        if ((e = lane_column_append(l, t, key, level, type)) < 0)
            return e;
    }
    for (uint32_t n = in_count(in); n && !in->bad; n--) {
        uint32_t len = in_count(in);
        buf_clear(&l->picked);
        for (uint32_t i = 0; i < len && !in->bad; i++) {
            uint32_t c = in_below(in, t->columns_n);
            buf_append(&l->picked, &c, sizeof c);
        }
        if (in->bad || l->picked.error)
            return in->bad ? ERR_CORRUPT : l->picked.error;
        if ((e = lane_shape_append(l, t, (const uint32_t *)(const void *)l->picked.ptr, len)) < 0)
            return e;
    }
    for (uint64_t id; (id = in_varint(in)) && !in->bad;) {
        if (id - 1 > t->columns_n)
            return ERR_CORRUPT;
        struct head_dict *hd = id == 1 ? &t->names : &t->columns[id - 2]->dict;
        for (uint32_t n = in_count(in); n && !in->bad; n--)
            if ((e = head_dict_append(hd, &l->heap, in_str(in))) < 0)
                return e;
        hd->logged = hd->d.n;
    }
    t->columns_logged = t->columns_n;
    t->shapes_logged = t->shapes_n;
    return in->bad ? ERR_CORRUPT : 0;
}

// Shape and values into the row that t->end points at.
static int get_values(struct in *in, struct lane *l, struct lane_table *t, struct rows **ret_rows, uint32_t *ret_at)
{
    uint32_t shape = in_below(in, t->shapes_n);
    if (in->bad)
        return ERR_CORRUPT;
    const struct lane_shape *s = lane_shape_get(t, shape);
    if (!t->end.blocks || t->end.rows == BLOCK_ROWS || t->end.values + s->n > HEAD_VALUES_PER_BLOCK)
        return ERR_CORRUPT;
    struct rows *r = &t->block[t->end.blocks - 1]->rows;
    uint32_t at = t->end.rows;
    uint64_t *w = r->values + t->end.values;
    for (uint32_t k = 0; k < s->n; k++) {
        const struct lane_column *c = t->columns[s->columns[k]];
        switch (c->c.type) {
        case VALUE_NULL:
            w[k] = 0;
            break;
        case VALUE_DOUBLE:
            w[k] = le64_get(in_take(in, 8));
            break;
        case VALUE_INT:
            w[k] = (uint64_t)unzigzag(in_varint(in));
            break;
        case VALUE_BOOL:
            w[k] = in_below(in, 2);
            break;
        default:
            w[k] = in_below(in, c->dict.d.n);
        }
    }
    r->shape[at] = shape;
    r->value_at[at] = t->end.values;
    t->end.values += s->n;
    *ret_rows = r;
    *ret_at = at;
    return in->bad ? ERR_CORRUPT : 0;
}

static int get_row(struct in *in, struct lane *l, struct lane_table *t, uint32_t project, int64_t received,
                   struct row_state *st)
{
    uint8_t bits = *in_take(in, 1), kinds = *in_take(in, 1);
    st->time = (int64_t)((uint64_t)st->time + (uint64_t)unzigzag(in_varint(in)));
    int64_t duration = unzigzag(in_varint(in));
    uint32_t name = in_below(in, t->names.d.n);
    if (bits & ROW_TRACE)
        st->trace = in_below(in, (uint64_t)l->traces.n + 1) - 1; // 0 becomes TRACE_NONE
    if (bits & ROW_SECTION) {
        st->resource = in_below(in, l->resources.n);
        st->scope = in_below(in, l->scopes.n);
    }
    uint64_t span = bits & ROW_SPAN ? le64_get(in_take(in, 8)) : 0;
    uint64_t parent = bits & ROW_PARENT ? le64_get(in_take(in, 8)) : 0;
    if (bits & ROW_FLAGS)
        st->flags = in_below(in, 1ull << 32);
    if (bits & ROW_SEVERITY)
        st->severity = *in_take(in, 1);
    if (in->bad || st->resource >= l->resources.n || st->scope >= l->scopes.n)
        return ERR_CORRUPT;
    struct rows *r;
    uint32_t at;
    int e = get_values(in, l, t, &r, &at);
    if (e < 0)
        return e;
    r->time[at] = st->time;
    r->duration[at] = duration;
    r->received[at] = received;
    r->span[at] = span;
    r->parent[at] = parent;
    r->project[at] = project;
    r->flags[at] = st->flags;
    r->resource[at] = st->resource;
    r->scope[at] = st->scope;
    r->name[at] = name;
    r->trace[at] = st->trace;
    r->kind[at] = kinds & 15;
    r->status[at] = kinds >> 4;
    r->severity[at] = st->severity;
    t->end.rows++;
    lane_table_widen(t, st->time, duration, received);
    return 0;
}

static int get_child(struct in *in, struct lane *l, struct lane_table *t, uint64_t owners)
{
    uint32_t owner = in_below(in, owners);
    int64_t time = unzigzag(in_varint(in));
    uint32_t name = in_below(in, t->names.d.n);
    struct rows *r;
    uint32_t at;
    int e = in->bad ? ERR_CORRUPT : get_values(in, l, t, &r, &at);
    if (e < 0)
        return e;
    r->owner[at] = owner;
    r->time[at] = time;
    r->name[at] = name;
    t->end.rows++;
    return 0;
}

static int get_runs(struct in *in, struct lane *l, struct lane_source *ls, struct lane_table *t, uint32_t project,
                    int64_t received, uint64_t *rows_n)
{
    struct row_state st = row_state_begin(received);
    for (uint32_t runs = in_count(in); runs && !in->bad; runs--) {
        uint64_t run = in_varint(in);
        int e;
        if (run == 1) // a lane begins a block for a row, never for none
            return ERR_CORRUPT;
        if ((run & 1) && (e = lane_table_next_block(l, t)) < 0)
            return e == ERR_NOMEM ? e : ERR_CORRUPT;
        for (uint64_t n = run >> 1; n && !in->bad; n--) {
            e = t->child ? get_child(in, l, t, table_mark_rows_end(ls->table[TABLE_ROWS].end))
                         : get_row(in, l, t, project, received, &st);
            if (e < 0)
                return e;
            *rows_n += !t->child;
        }
    }
    return 0;
}

int log_block_apply(struct lane *l, bytes block, const struct log_block_header *h, uint64_t *rows_n)
{
    struct in in = { block.ptr + LOG_BLOCK_HEADER, block.ptr + h->length, false };
    uint32_t project = in_below(&in, 1ull << 32);
    int e;
    if ((e = get_entities(&in, l, &l->resources)) < 0 || (e = get_entities(&in, l, &l->scopes)) < 0)
        return e;
    for (uint32_t n = in_count(&in); n && !in.bad; n--)
        if ((e = lane_append_trace(l, in_take(&in, 16))) < 0)
            return e;
    l->traces.logged = l->traces.n;
    for (uint64_t source; (source = in_varint(&in)) && !in.bad;) {
        if (source > RECORD_SOURCES)
            return ERR_CORRUPT;
        struct lane_source *ls = lane_source_get(l, (unsigned)source - 1);
        if (!ls)
            return ERR_NOMEM;
        for (unsigned k = 0; k < TABLE_N; k++) {
            struct lane_table *t = &ls->table[k];
            if ((e = get_table_news(&in, l, t)) < 0)
                return e;
            if ((e = get_runs(&in, l, ls, t, project, h->received, rows_n)) < 0)
                return e;
        }
    }
    return in.bad || in.p != in.end ? ERR_CORRUPT : 0;
}
