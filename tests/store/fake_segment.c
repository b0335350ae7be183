#include "fake_segment.h"

#include "base/hash.h"
#include "base/must.h"
#include "store/entity.h"
#include "store/rows.h"

#include <stdlib.h>

static void *grow(void *p, uint32_t n, size_t size)
{
    // Doubles whenever n reaches a power of two; n entries are there.
    if (n & (n - 1))
        return p;
    p = realloc(p, (n ? n * 2 : 1) * size);
    must(p);
    return p;
}

static str keep(str s)
{
    char *p = malloc(s.len + 1);
    must(p);
    if (s.len)
        memcpy(p, s.ptr, s.len);
    p[s.len] = 0;
    return (str){ p, s.len };
}

// ---- dictionaries --------------------------------------------------------------------------------------

struct fake_dict {
    struct dict d;
    uint32_t *slots; // ordinal + 1
    uint32_t cap;
};

static void dict_append(struct fake_dict *fd, str s)
{
    uint32_t e = fd->d.n + 64;
    int k = 31 - __builtin_clz(e) - 6;
    if (!fd->d.chunk[k])
        must(fd->d.chunk[k] = malloc(sizeof(str) * (64u << k)));
    ((str *)(uintptr_t)fd->d.chunk[k])[e - (64u << k)] = keep(s);
    fd->d.n++;
}

static uint32_t dict_intern(struct fake_dict *fd, str s, bool raw)
{
    if (raw) {
        dict_append(fd, s);
        return fd->d.n - 1;
    }
    if (fd->d.n * 2 >= fd->cap) {
        fd->cap = fd->cap ? fd->cap * 2 : 64;
        free(fd->slots);
        must(fd->slots = calloc(fd->cap, sizeof *fd->slots));
        for (uint32_t i = 0; i < fd->d.n; i++) {
            uint32_t at = (uint32_t)hash64_str(dict_get(&fd->d, i)) & (fd->cap - 1);
            while (fd->slots[at])
                at = (at + 1) & (fd->cap - 1);
            fd->slots[at] = i + 1;
        }
    }
    uint32_t at = (uint32_t)hash64_str(s) & (fd->cap - 1);
    for (; fd->slots[at]; at = (at + 1) & (fd->cap - 1))
        if (str_eq(dict_get(&fd->d, fd->slots[at] - 1), s))
            return fd->slots[at] - 1;
    dict_append(fd, s);
    fd->slots[at] = fd->d.n;
    return fd->d.n - 1;
}

static void dict_free(struct fake_dict *fd)
{
    for (uint32_t i = 0; i < fd->d.n; i++)
        free((void *)(uintptr_t)dict_get(&fd->d, i).ptr);
    for (int k = 0; k < 26; k++)
        free((void *)(uintptr_t)fd->d.chunk[k]);
    free(fd->slots);
}

// ---- the segment ---------------------------------------------------------------------------------------

struct fake_row {
    int64_t time, duration, received;
    uint64_t span, parent;
    uint32_t project, flags, resource, scope, name, trace, shape, owner, value_at;
    uint8_t kind, status, severity;
};

struct fake_table {
    struct fake_row *row;
    uint32_t n;
    uint64_t *value;
    uint32_t values_n;
    struct column *column;
    struct fake_dict *dict; // of each column
    uint32_t columns_n;
    struct shape *shape;
    uint32_t shapes_n;
    struct fake_dict names;
};

struct fake_entities {
    struct record_entity *e;
    uint64_t *hash;
    str *canonical;
    uint32_t n;
};

struct fake_segment {
    struct segment s;
    uint32_t block_rows;
    bool raw;
    struct fake_table table[TABLE_N];
    struct fake_entities resources, scopes;
    uint8_t (*trace)[16];
    uint32_t traces_n;
};

// The block of a table that a reader is at, and what it has read of it.
struct at {
    uint32_t block;
    struct read_column {
        uint32_t col;
        struct vec v;
    } * column;
    uint32_t columns_n;
    struct rows rows; // n 0: not read
    void **memory;    // of the vecs
    uint32_t memory_n;
};

struct fake_reader {
    struct reader r;
    struct at at[TABLE_N];
};

static struct fake_segment *fake_of(const struct segment *s)
{
    MAGIC_CHECK(s, SEGMENT_MAGIC);
    return (struct fake_segment *)(uintptr_t)s;
}

static bool is_string(uint8_t type)
{
    return type == VALUE_STR || type == VALUE_BYTES || type == VALUE_LIST || type == VALUE_MAP;
}

static void *entity_alloc(void *ctx, size_t size) { return malloc(size); }

static uint32_t entity_intern(struct fake_entities *es, const struct record_entity *e, uint8_t level)
{
    static const struct record_entity none;
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    must(entity_encode(&b, e ? e : &none) == 0);
    str c = buf_view(&b);
    uint32_t i = 0;
    while (i < es->n && !str_eq(es->canonical[i], c))
        i++;
    if (i == es->n) {
        es->e = grow(es->e, es->n, sizeof *es->e);
        es->hash = grow(es->hash, es->n, sizeof *es->hash);
        es->canonical = grow(es->canonical, es->n, sizeof *es->canonical);
        es->canonical[i] = keep(c);
        es->hash[i] = hash64_str(c);
        must(entity_decode(es->canonical[i], level, entity_alloc, NULL, &es->e[i]) == 0);
        es->n++;
    }
    buf_free(&b);
    return i;
}

static uint32_t column_intern(struct fake_table *t, const struct attr *a)
{
    for (uint32_t i = 0; i < t->columns_n; i++)
        if (t->column[i].level == a->level && t->column[i].type == a->value.type && str_eq(t->column[i].key, a->key))
            return i;
    t->column = grow(t->column, t->columns_n, sizeof *t->column);
    t->dict = grow(t->dict, t->columns_n, sizeof *t->dict);
    t->column[t->columns_n] = (struct column){ keep(a->key), a->level, a->value.type };
    t->dict[t->columns_n] = (struct fake_dict){ 0 };
    return t->columns_n++;
}

static void put_values(struct fake_segment *f, struct fake_table *t, struct fake_row *row, const struct attr *a,
                       uint32_t n)
{
    uint32_t *columns = malloc(sizeof *columns * (n + 1)), kept = 0;
    must(columns);
    row->value_at = t->values_n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = column_intern(t, &a[i]), k = 0;
        while (k < kept && columns[k] != c)
            k++;
        if (k < kept)
            continue; // a key twice: the first counts here
        columns[kept++] = c;
        uint64_t v = 0;
        if (is_string(a[i].value.type))
            v = dict_intern(&t->dict[c], a[i].value.s, f->raw);
        else if (a[i].value.type == VALUE_BOOL)
            v = a[i].value.b;
        else if (a[i].value.type != VALUE_NULL)
            v = (uint64_t)a[i].value.i; // DOUBLE: its bits, the union's
        t->value = grow(t->value, t->values_n, sizeof *t->value);
        t->value[t->values_n++] = v;
    }
    uint32_t s = 0;
    while (s < t->shapes_n && !(t->shape[s].n == kept && memcmp(t->shape[s].columns, columns, kept * 4) == 0))
        s++;
    if (s == t->shapes_n) {
        t->shape = grow(t->shape, t->shapes_n, sizeof *t->shape);
        t->shape[t->shapes_n++] = (struct shape){ columns, kept };
    } else {
        free(columns);
    }
    row->shape = s;
}

static void put_child(struct fake_segment *f, uint32_t owner, const struct record_child *c)
{
    struct fake_table *t = &f->table[c->kind == CHILD_LINK ? TABLE_LINKS : TABLE_EVENTS];
    struct attr *all = malloc(sizeof *all * (c->attrs_n + 3));
    must(all);
    uint32_t n = 0;
    uint8_t span[8];
    be64_put(span, c->span);
    if (c->kind == CHILD_LINK && c->has_trace)
        all[n++] =
            (struct attr){ STR("trace"), ATTR_FIELD, { .type = VALUE_BYTES, .s = { (const char *)c->trace, 16 } } };
    if (c->kind == CHILD_LINK && c->span)
        all[n++] = (struct attr){ STR("span"), ATTR_FIELD, { .type = VALUE_BYTES, .s = { (const char *)span, 8 } } };
    if (c->kind == CHILD_LINK && c->flags)
        all[n++] = (struct attr){ STR("flags"), ATTR_FIELD, value_int(c->flags) };
    for (uint32_t i = 0; i < c->attrs_n; i++)
        all[n++] = c->attrs[i];
    struct fake_row row = { .time = c->time, .owner = owner, .name = dict_intern(&t->names, c->name, false) };
    put_values(f, t, &row, all, n);
    free(all);
    t->row = grow(t->row, t->n, sizeof *t->row);
    t->row[t->n++] = row;
}

static uint32_t number_of(const struct fake_segment *f, uint32_t index)
{
    return index / f->block_rows * BLOCK_ROWS + index % f->block_rows;
}

static uint32_t trace_intern(struct fake_segment *f, const uint8_t id[16])
{
    uint32_t i = f->traces_n; // usually one of the last
    while (i > 0 && memcmp(f->trace[i - 1], id, 16) != 0)
        i--;
    if (i > 0)
        return i - 1;
    f->trace = grow(f->trace, f->traces_n, sizeof *f->trace);
    memcpy(f->trace[f->traces_n], id, 16);
    return f->traces_n++;
}

uint32_t fake_segment_add(struct fake_segment *f, uint32_t project, int64_t received,
                          const struct record_entity *resource, const struct record_entity *scope,
                          const struct record *r)
{
    struct fake_table *t = &f->table[TABLE_ROWS];
    struct fake_row row = { .time = r->time,
                            .duration = r->duration,
                            .received = received,
                            .span = r->span,
                            .parent = r->parent,
                            .project = project,
                            .flags = r->flags,
                            .resource = entity_intern(&f->resources, resource, ATTR_RESOURCE),
                            .scope = entity_intern(&f->scopes, scope, ATTR_SCOPE),
                            .name = dict_intern(&t->names, r->name, false),
                            .trace = r->has_trace ? trace_intern(f, r->trace) : TRACE_NONE,
                            .kind = r->kind,
                            .status = r->status,
                            .severity = r->severity };
    struct attr *all = malloc(sizeof *all * (r->attrs_n + 1));
    must(all);
    uint32_t n = 0;
    if (r->body.type != VALUE_NULL)
        all[n++] = (struct attr){ STR("body"), ATTR_FIELD, r->body };
    for (uint32_t i = 0; i < r->attrs_n; i++)
        all[n++] = r->attrs[i];
    put_values(f, t, &row, all, n);
    free(all);
    t->row = grow(t->row, t->n, sizeof *t->row);
    t->row[t->n] = row;
    uint32_t number = number_of(f, t->n++);
    for (uint32_t i = 0; i < r->children_n; i++)
        put_child(f, number, &r->children[i]);
    struct segment_info *in = &f->s.info;
    bool first = in->rows++ == 0;
    in->time_min = first || r->time < in->time_min ? r->time : in->time_min;
    in->time_max = first || r->time > in->time_max ? r->time : in->time_max;
    in->received_min = first || received < in->received_min ? received : in->received_min;
    in->received_max = first || received > in->received_max ? received : in->received_max;
    in->duration_max = first || r->duration > in->duration_max ? r->duration : in->duration_max;
    return number;
}

void fake_segment_raw(struct fake_segment *f, bool raw) { f->raw = raw; }
const struct segment *fake_segment_get(const struct fake_segment *f) { return &f->s; }

static void entities_free(struct fake_entities *es)
{
    for (uint32_t i = 0; i < es->n; i++) {
        free((void *)(uintptr_t)es->canonical[i].ptr);
        free((void *)(uintptr_t)es->e[i].attrs);
    }
    free(es->e);
    free(es->hash);
    free(es->canonical);
}

void fake_segment_free(struct fake_segment *f)
{
    if (!f)
        return;
    for (int k = 0; k < TABLE_N; k++) {
        struct fake_table *t = &f->table[k];
        for (uint32_t i = 0; i < t->columns_n; i++) {
            dict_free(&t->dict[i]);
            free((void *)(uintptr_t)t->column[i].key.ptr);
        }
        for (uint32_t i = 0; i < t->shapes_n; i++)
            free((void *)(uintptr_t)t->shape[i].columns);
        dict_free(&t->names);
        free(t->row);
        free(t->value);
        free(t->column);
        free(t->dict);
        free(t->shape);
    }
    entities_free(&f->resources);
    entities_free(&f->scopes);
    free(f->trace);
    f->s.magic = 0;
    free(f);
}

// ---- reading -------------------------------------------------------------------------------------------

static uint32_t fake_blocks(const struct segment *s, enum segment_table t)
{
    const struct fake_segment *f = fake_of(s);
    return (f->table[t].n + f->block_rows - 1) / f->block_rows;
}
static uint32_t fake_block_rows(const struct segment *s, enum segment_table t, uint32_t block)
{
    const struct fake_segment *f = fake_of(s);
    must(block < fake_blocks(s, t));
    uint32_t left = f->table[t].n - block * f->block_rows;
    return left < f->block_rows ? left : f->block_rows;
}
static uint32_t fake_columns(const struct segment *s, enum segment_table t) { return fake_of(s)->table[t].columns_n; }
static struct column fake_column(const struct segment *s, enum segment_table t, uint32_t i)
{
    must(i < fake_of(s)->table[t].columns_n);
    return fake_of(s)->table[t].column[i];
}
static uint32_t fake_resources(const struct segment *s) { return fake_of(s)->resources.n; }
static const struct record_entity *fake_resource(const struct segment *s, uint32_t i)
{
    must(i < fake_of(s)->resources.n);
    return &fake_of(s)->resources.e[i];
}
static uint64_t fake_resource_hash(const struct segment *s, uint32_t i) { return fake_of(s)->resources.hash[i]; }
static uint32_t fake_scopes(const struct segment *s) { return fake_of(s)->scopes.n; }
static const struct record_entity *fake_scope(const struct segment *s, uint32_t i)
{
    must(i < fake_of(s)->scopes.n);
    return &fake_of(s)->scopes.e[i];
}
static uint64_t fake_scope_hash(const struct segment *s, uint32_t i) { return fake_of(s)->scopes.hash[i]; }
static uint32_t fake_shapes(const struct segment *s, enum segment_table t) { return fake_of(s)->table[t].shapes_n; }
static struct shape fake_shape(const struct segment *s, enum segment_table t, uint32_t i)
{
    must(i < fake_of(s)->table[t].shapes_n);
    return fake_of(s)->table[t].shape[i];
}
static uint32_t fake_traces(const struct segment *s) { return fake_of(s)->traces_n; }
static int fake_trace(const struct segment *s, uint32_t i, uint8_t id[16])
{
    must(i < fake_of(s)->traces_n);
    memcpy(id, fake_of(s)->trace[i], 16);
    return 0;
}
static int fake_find_trace(const struct segment *s, const uint8_t id[16], uint32_t *ret_ord)
{
    const struct fake_segment *f = fake_of(s);
    for (uint32_t i = 0; i < f->traces_n; i++) {
        if (memcmp(f->trace[i], id, 16) == 0) {
            *ret_ord = i;
            return 0;
        }
    }
    return ERR_NOENT;
}
static int fake_trace_rows(const struct segment *s, uint32_t i, uint64_t *first, uint64_t *end)
{
    return ERR_UNSUPPORTED;
}
static bool fake_block_range(const struct segment *s, enum segment_table t, uint32_t block, uint32_t col, int64_t *min,
                             int64_t *max)
{
    return false;
}
static const struct dict *fake_dict_of(const struct segment *s, enum segment_table t, uint32_t col)
{
    const struct fake_table *ft = &fake_of(s)->table[t];
    if (col == COL_NAME)
        return &ft->names.d;
    if (col < COL_FIXED || col - COL_FIXED >= ft->columns_n || !is_string(ft->column[col - COL_FIXED].type))
        return NULL;
    return &ft->dict[col - COL_FIXED].d;
}

static int fake_reader_open(const struct segment *s, struct reader **ret_reader)
{
    struct fake_reader *r = calloc(1, sizeof *r);
    must(r);
    r->r = (struct reader){ READER_MAGIC, s };
    for (int t = 0; t < TABLE_N; t++)
        r->at[t].block = UINT32_MAX;
    *ret_reader = &r->r;
    return 0;
}

static void *take(struct at *at, size_t size)
{
    at->memory = grow(at->memory, at->memory_n, sizeof *at->memory);
    void *p = calloc(1, size ? size : 1);
    must(p);
    return at->memory[at->memory_n++] = p;
}

static void leave(struct at *at)
{
    for (uint32_t i = 0; i < at->memory_n; i++)
        free(at->memory[i]);
    free(at->memory);
    free(at->column);
    *at = (struct at){ .block = UINT32_MAX };
}

static void fake_reader_close(struct reader *reader)
{
    struct fake_reader *r = (struct fake_reader *)reader;
    for (int t = 0; t < TABLE_N; t++)
        leave(&r->at[t]);
    r->r.magic = 0;
    free(r);
}

static int fake_reader_seek(struct reader *reader, enum segment_table t, uint32_t block)
{
    struct fake_reader *r = (struct fake_reader *)reader;
    must(block < fake_blocks(r->r.segment, t));
    if (r->at[t].block == block)
        return 0;
    leave(&r->at[t]);
    r->at[t].block = block;
    return 0;
}

static const struct fake_row *block_of(struct fake_reader *r, enum segment_table t, uint32_t *ret_n)
{
    const struct fake_segment *f = fake_of(r->r.segment);
    must(r->at[t].block != UINT32_MAX);
    *ret_n = fake_block_rows(&f->s, t, r->at[t].block);
    return f->table[t].row + r->at[t].block * f->block_rows;
}

static void attribute_vec(struct fake_reader *r, enum segment_table t, uint32_t c, struct vec *v)
{
    const struct fake_table *ft = &fake_of(r->r.segment)->table[t];
    uint32_t n, type = ft->column[c].type;
    const struct fake_row *row = block_of(r, t, &n);
    uint64_t *words = take(&r->at[t], n * 8), *present = take(&r->at[t], (n + 63) / 64 * 8);
    *v = (struct vec){ .n = n, .present = present };
    v->kind = type == VALUE_INT          ? VEC_I64
              : type == VALUE_DOUBLE     ? VEC_F64
              : is_string((uint8_t)type) ? VEC_STR
                                         : VEC_U8;
    for (uint32_t i = 0; i < n; i++) {
        const struct shape *sh = &ft->shape[row[i].shape];
        for (uint32_t k = 0; k < sh->n; k++) {
            if (sh->columns[k] != c)
                continue;
            uint64_t w = ft->value[row[i].value_at + k];
            present[i >> 6] |= 1ull << (i & 63);
            if (v->kind == VEC_STR)
                ((uint32_t *)words)[i] = (uint32_t)w;
            else if (v->kind == VEC_U8)
                ((uint8_t *)words)[i] = (uint8_t)w;
            else
                words[i] = w;
        }
    }
    v->u64 = words;
    if (v->kind == VEC_STR)
        v->dict = &ft->dict[c].d;
}

#define GATHER(kind_, type_, field_)                   \
    do {                                               \
        type_ *p = take(&r->at[t], n * sizeof(type_)); \
        for (uint32_t i = 0; i < n; i++)               \
            p[i] = (type_)row[i].field_;               \
        v->kind = kind_;                               \
        v->u64 = (const uint64_t *)(void *)(p);        \
    } while (0)

static int column_read(struct fake_reader *r, enum segment_table t, uint32_t col, struct vec *v)
{
    uint32_t n;
    const struct fake_row *row = block_of(r, t, &n);
    const struct fake_table *ft = &fake_of(r->r.segment)->table[t];
    bool child = t != TABLE_ROWS;
    if (col >= COL_FIXED) {
        must(col - COL_FIXED < ft->columns_n);
        attribute_vec(r, t, col - COL_FIXED, v);
        return 0;
    }
    if (child ? col != COL_TIME && col != COL_NAME && col != COL_SHAPE && col != COL_OWNER : col == COL_OWNER)
        return ERR_NOENT;
    *v = (struct vec){ .n = n };
    switch ((enum column_id)col) {
    case COL_TIME:
        GATHER(VEC_I64, int64_t, time);
        break;
    case COL_DURATION:
        GATHER(VEC_I64, int64_t, duration);
        break;
    case COL_RECEIVED:
        GATHER(VEC_I64, int64_t, received);
        break;
    case COL_PROJECT:
        GATHER(VEC_U32, uint32_t, project);
        break;
    case COL_KIND:
        GATHER(VEC_U8, uint8_t, kind);
        break;
    case COL_STATUS:
        GATHER(VEC_U8, uint8_t, status);
        break;
    case COL_SEVERITY:
        GATHER(VEC_U8, uint8_t, severity);
        break;
    case COL_FLAGS:
        GATHER(VEC_U32, uint32_t, flags);
        break;
    case COL_RESOURCE:
        GATHER(VEC_U32, uint32_t, resource);
        break;
    case COL_SCOPE:
        GATHER(VEC_U32, uint32_t, scope);
        break;
    case COL_NAME:
        GATHER(VEC_STR, uint32_t, name);
        break;
    case COL_TRACE:
        GATHER(VEC_U32, uint32_t, trace);
        break;
    case COL_SPAN:
        GATHER(VEC_U64, uint64_t, span);
        break;
    case COL_PARENT:
        GATHER(VEC_U64, uint64_t, parent);
        break;
    case COL_SHAPE:
        GATHER(VEC_U32, uint32_t, shape);
        break;
    case COL_OWNER:
        GATHER(VEC_U32, uint32_t, owner);
        break;
    case COL_FIXED:
        break;
    }
    if (v->kind == VEC_STR)
        v->dict = &ft->names.d;
    return 0;
}

static int fake_reader_column(struct reader *reader, enum segment_table t, uint32_t col, struct vec *v)
{
    struct fake_reader *r = (struct fake_reader *)reader;
    struct at *at = &r->at[t];
    for (uint32_t i = 0; i < at->columns_n; i++)
        if (at->column[i].col == col) {
            *v = at->column[i].v;
            return 0;
        }
    int rc = column_read(r, t, col, v);
    if (rc < 0)
        return rc;
    at->column = grow(at->column, at->columns_n, sizeof *at->column);
    at->column[at->columns_n++] = (struct read_column){ col, *v };
    return 0;
}

static int fake_children(struct reader *reader, enum segment_table t, uint32_t number, uint32_t *first, uint32_t *end)
{
    const struct fake_segment *f = fake_of(reader->segment);
    const struct fake_table *ft = &f->table[t];
    uint32_t a = 0, b = ft->n; // first child not before `number`
    while (a < b) {
        uint32_t mid = (a + b) / 2;
        if (ft->row[mid].owner < number)
            a = mid + 1;
        else
            b = mid;
    }
    for (b = a; b < ft->n && ft->row[b].owner == number; b++) {}
    *first = number_of(f, a);
    *end = b > a ? number_of(f, b - 1) + 1 : *first;
    return 0;
}

static int fake_reader_rows(struct reader *reader, enum segment_table t, struct rows *ret)
{
    struct fake_reader *r = (struct fake_reader *)reader;
    uint32_t n;
    const struct fake_row *row = block_of(r, t, &n);
    struct vec vec, *v = &vec;
    if (r->at[t].rows.n) {
        *ret = r->at[t].rows;
        return 0;
    }
    *ret = (struct rows){ .n = n };
    ret->values = fake_of(reader->segment)->table[t].value;
#define COPY(type_, field_)                       \
    do {                                          \
        GATHER(0, type_, field_);                 \
        ret->field_ = (type_ *)(uintptr_t)v->u64; \
    } while (0)
    COPY(int64_t, time);
    COPY(uint32_t, name);
    COPY(uint32_t, shape);
    COPY(uint32_t, value_at);
    if (t != TABLE_ROWS) {
        COPY(uint32_t, owner);
        r->at[t].rows = *ret;
        return 0;
    }
    COPY(int64_t, duration);
    COPY(int64_t, received);
    COPY(uint64_t, span);
    COPY(uint64_t, parent);
    COPY(uint32_t, project);
    COPY(uint32_t, flags);
    COPY(uint32_t, resource);
    COPY(uint32_t, scope);
    COPY(uint32_t, trace);
    COPY(uint8_t, kind);
    COPY(uint8_t, status);
    COPY(uint8_t, severity);
    r->at[t].rows = *ret;
    return 0;
}

static const struct dict *fake_block_dict(struct reader *reader, enum segment_table t, uint32_t col) { return NULL; }
static uint64_t fake_reader_bytes(const struct reader *reader) { return 0; }

static const struct segment_ops fake_ops = {
    .blocks = fake_blocks,
    .block_rows = fake_block_rows,
    .columns = fake_columns,
    .column = fake_column,
    .resources = fake_resources,
    .resource = fake_resource,
    .resource_hash = fake_resource_hash,
    .scopes = fake_scopes,
    .scope = fake_scope,
    .scope_hash = fake_scope_hash,
    .shapes = fake_shapes,
    .shape = fake_shape,
    .traces = fake_traces,
    .trace = fake_trace,
    .find_trace = fake_find_trace,
    .trace_rows = fake_trace_rows,
    .block_range = fake_block_range,
    .dict = fake_dict_of,
    .reader_open = fake_reader_open,
    .reader_close = fake_reader_close,
    .reader_seek = fake_reader_seek,
    .reader_column = fake_reader_column,
    .children = fake_children,
    .reader_rows = fake_reader_rows,
    .reader_block_dict = fake_block_dict,
    .reader_bytes = fake_reader_bytes,
};

struct fake_segment *fake_segment_new(uint8_t source, uint32_t block_rows)
{
    struct fake_segment *f = calloc(1, sizeof *f);
    must(f && block_rows <= BLOCK_ROWS);
    f->s = (struct segment){ .magic = SEGMENT_MAGIC, .ops = &fake_ops, .info = { .source = source, .head = true } };
    f->block_rows = block_rows ? block_rows : BLOCK_ROWS;
    return f;
}
