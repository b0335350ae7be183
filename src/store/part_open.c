// Opening a part: header, trailer, footer, and what readers always need (columns, shapes, resources, scopes).
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/entity.h"
#include "store/part_name.h"
#include "store/part_read.h"

enum { META_MAX = 1 << 30 };

// ---- the frame -----------------------------------------------------------------------------------------

static int header_read(struct part *p, uint64_t id, struct err *err)
{
    uint8_t h[PART_HEADER_SIZE];
    if (p->size < PART_HEADER_SIZE + PART_TRAILER_SIZE)
        return err_set(err, ERR_CORRUPT, NULL, "the part file is too short");
    int e = disk_read(p->env->disk, p->file, h, sizeof h, 0);
    if (e < 0)
        return err_set(err, e, NULL, "the part file cannot be read");
    if (memcmp(h, PART_MAGIC, 8) != 0)
        return err_set(err, ERR_CORRUPT, NULL, "this is not a part file");
    if (!p->env->unchecked && crc32c(h, 60) != le32_get(h + 60))
        return err_set(err, ERR_CORRUPT, NULL, "the header of the part is damaged");
    if (le32_get(h + 8) != PART_VERSION || le64_get(h + 16) & ~PART_INCOMPATIBLE_KNOWN)
        return err_set(err, ERR_UNSUPPORTED, NULL, "the part was written by a later version of clew");
    if (le32_get(h + 12) != PART_HEADER_SIZE || h[48] >= RECORD_SOURCES)
        return err_set(err, ERR_CORRUPT, NULL, "the header of the part is damaged");
    if (le64_get(h + 32) != p->env->workspace || le64_get(h + 40) != id)
        return err_set(err, ERR_CORRUPT, NULL, "the part file belongs to another workspace or has another id");
    p->s.info.source = h[48];
    p->retention_class = h[49];
    return 0;
}

static int entry_read(struct encode_in *in, struct chunk_entry *c)
{
    uint64_t block, offset, size, v;
    if (encode_varint_get(in, &block) < 0 || encode_varint_get(in, &offset) < 0 || encode_varint_get(in, &size) < 0 ||
        in->p == in->end || block > UINT32_MAX || size > UINT32_MAX)
        return ERR_CORRUPT;
    *c = (struct chunk_entry){ .block = (uint32_t)block, .offset = offset, .size = (uint32_t)size };
    c->has_range = *in->p++ != 0;
    if (!c->has_range)
        return 0;
    if (encode_varint_get(in, &v) < 0)
        return ERR_CORRUPT;
    c->min = (int64_t)encode_unzigzag(v);
    if (encode_varint_get(in, &v) < 0)
        return ERR_CORRUPT;
    c->max = (int64_t)encode_unzigzag(v);
    return 0;
}

static int series_read(struct encode_in *in, struct part_series *s)
{
    uint64_t column, n, offset, size;
    if (in->end - in->p < 2)
        return ERR_CORRUPT;
    s->kind = *in->p++;
    s->table = *in->p++;
    if (encode_varint_get(in, &column) < 0 || encode_varint_get(in, &n) < 0 || column > UINT32_MAX || n == 0 ||
        n > 1u << 24)
        return ERR_CORRUPT;
    s->column = (uint32_t)column;
    s->n = (uint32_t)n;
    if (n == 1)
        return entry_read(in, &s->one);
    if (encode_varint_get(in, &offset) < 0 || encode_varint_get(in, &size) < 0 || size > UINT32_MAX)
        return ERR_CORRUPT;
    s->one = (struct chunk_entry){ .offset = offset, .size = (uint32_t)size };
    return 0;
}

static int table_frame(struct part *p, struct encode_in *in, struct part_table *t)
{
    uint64_t rows, blocks, sum = 0;
    if (encode_varint_get(in, &rows) < 0 || encode_varint_get(in, &blocks) < 0 || blocks >= PART_BLOCKS_MAX)
        return ERR_CORRUPT;
    uint64_t *v = arena_alloc_array(&p->meta, (size_t)blocks + 1, sizeof *v);
    t->block_rows = arena_alloc_array(&p->meta, (size_t)blocks + 1, sizeof *t->block_rows);
    if (!v || !t->block_rows)
        return ERR_NOMEM;
    int e = decode_ints(in, v, (uint32_t)blocks, NULL, &p->meta);
    if (e < 0)
        return e;
    for (uint32_t i = 0; i < blocks; i++) {
        if (v[i] == 0 || v[i] > BLOCK_ROWS)
            return ERR_CORRUPT;
        t->block_rows[i] = (uint16_t)v[i];
        sum += v[i];
    }
    t->rows = rows;
    t->blocks = (uint32_t)blocks;
    return sum == rows ? 0 : ERR_CORRUPT;
}

static int footer_parse(struct part *p, struct encode_in in)
{
    uint64_t w[FOOTER_WORDS], n;
    if ((size_t)(in.end - in.p) < sizeof w)
        return ERR_CORRUPT;
    memcpy(w, in.p, sizeof w);
    in.p += sizeof w;
    for (int t = 0; t < TABLE_N; t++) {
        int e = table_frame(p, &in, &p->t[t]);
        if (e < 0)
            return e;
    }
    struct segment_info *info = &p->s.info;
    if (w[FOOTER_ID] != info->id || w[FOOTER_ROWS] != p->t[TABLE_ROWS].rows || w[FOOTER_TRACES] > 1u << 30 ||
        w[FOOTER_TOMBSTONE] != 0 || w[FOOTER_HASH] != 1)
        return ERR_CORRUPT;
    info->rows = w[FOOTER_ROWS];
    info->time_min = (int64_t)w[FOOTER_TIME_MIN];
    info->time_max = (int64_t)w[FOOTER_TIME_MAX];
    info->received_min = (int64_t)w[FOOTER_RECEIVED_MIN];
    info->received_max = (int64_t)w[FOOTER_RECEIVED_MAX];
    info->duration_max = (int64_t)w[FOOTER_DURATION_MAX];
    info->trace_order = w[FOOTER_FLAGS] & FOOTER_TRACE_ORDER;
    p->duplicates = w[FOOTER_DUPLICATES];
    p->traces = (uint32_t)w[FOOTER_TRACES];
    if (encode_varint_get(&in, &n) < 0 || n > (uint64_t)(in.end - in.p) / 4)
        return ERR_CORRUPT;
    p->series = mem_calloc((size_t)n, sizeof *p->series);
    if (!p->series)
        return ERR_NOMEM;
    for (; p->series_n < n; p->series_n++) {
        int e = series_read(&in, &p->series[p->series_n]);
        if (e < 0)
            return e;
    }
    return in.p == in.end ? 0 : ERR_CORRUPT;
}

static int footer_read(struct part *p)
{
    uint8_t t[PART_TRAILER_SIZE], *data;
    uint32_t size;
    int e = disk_read(p->env->disk, p->file, t, sizeof t, p->size - sizeof t);
    if (e < 0)
        return e;
    if (memcmp(t + 24, PART_TRAILER_MAGIC, 8) != 0 || (!p->env->unchecked && crc32c(t, 16) != le32_get(t + 16)))
        return ERR_CORRUPT;
    struct chunk_entry entry = { .offset = le64_get(t), .size = le32_get(t + 8) };
    if ((e = part_chunk_read(p, CHUNK_FOOTER, &entry, &data, &size)) < 0)
        return e;
    e = footer_parse(p, (struct encode_in){ data, data + size });
    mem_free(data);
    return e;
}

// ---- what readers always need --------------------------------------------------------------------------

static const struct part_series *series_find(const struct part *p, enum chunk_kind kind, uint8_t table)
{
    for (uint32_t i = 0; i < p->series_n; i++)
        if (p->series[i].kind == kind && p->series[i].table == table)
            return &p->series[i];
    return NULL;
}

// The payload of a chunk that there is one of, in the part's arena: views of it stay valid.
static int meta_read(struct part *p, enum chunk_kind kind, uint8_t table, struct encode_in *ret_in)
{
    const struct part_series *s = series_find(p, kind, table);
    uint8_t *data;
    uint32_t size;
    if (!s || s->n != 1)
        return ERR_CORRUPT;
    int e = part_chunk_read(p, kind, &s->one, &data, &size);
    if (e < 0)
        return e;
    uint8_t *copy = arena_alloc(&p->meta, (size_t)size + ENCODE_PAD);
    if (copy)
        memcpy(copy, data, (size_t)size + ENCODE_PAD);
    mem_free(data);
    if (!copy)
        return ERR_NOMEM;
    *ret_in = (struct encode_in){ copy, copy + size };
    return 0;
}

static int columns_read(struct part *p, uint8_t table, struct part_table *t)
{
    struct encode_in in;
    uint64_t n;
    int e = meta_read(p, CHUNK_COLUMNS, table, &in);
    if (e < 0 || (e = encode_varint_get(&in, &n)) < 0)
        return e;
    if (n > PART_COLUMNS_MAX)
        return ERR_CORRUPT;
    uint64_t *level = arena_alloc_array(&p->meta, (size_t)n * 2 + 1, sizeof *level), *type = level + n;
    str *keys = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *keys);
    t->columns = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *t->columns);
    t->series = arena_alloc_array(&p->meta, ((size_t)n + COL_FIXED) * 2, sizeof *t->series);
    if (!level || !keys || !t->columns || !t->series)
        return ERR_NOMEM;
    if ((e = decode_ints(&in, level, (uint32_t)n, NULL, &p->meta)) < 0 ||
        (e = decode_ints(&in, type, (uint32_t)n, NULL, &p->meta)) < 0 ||
        (e = decode_strings(&in, keys, (uint32_t)n, &p->meta)) < 0)
        return e;
    for (uint32_t i = 0; i < n; i++) {
        if (level[i] > ATTR_FIELD || type[i] > VALUE_MAP)
            return ERR_CORRUPT;
        t->columns[i] = (struct column){ keys[i], (uint8_t)level[i], (uint8_t)type[i] };
    }
    t->columns_n = (uint32_t)n;
    t->dict = t->series + n + COL_FIXED;
    memset(t->series, 0xff, ((size_t)n + COL_FIXED) * 2 * sizeof *t->series);
    return 0;
}

// Shapes name existing columns, each at most once: readers rely on it.
static int shapes_read(struct part *p, uint8_t table, struct part_table *t)
{
    struct encode_in in;
    uint64_t n, total = 0;
    int e = meta_read(p, CHUNK_SHAPES, table, &in);
    if (e < 0 || (e = encode_varint_get(&in, &n)) < 0)
        return e;
    if (n > t->rows)
        return ERR_CORRUPT;
    uint64_t *length = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *length);
    t->shapes = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *t->shapes);
    uint32_t *seen = mem_calloc(t->columns_n, sizeof *seen);
    if (!length || !t->shapes || !seen || (e = decode_ints(&in, length, (uint32_t)n, NULL, &p->meta)) < 0) {
        mem_free(seen);
        return e < 0 ? e : ERR_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (length[i] > t->columns_n)
            e = ERR_CORRUPT;
        total += length[i];
    }
    uint64_t *v = NULL;
    uint32_t *columns = NULL;
    if (e == 0 && total > ENCODE_VALUES_MAX * 64ull)
        e = ERR_CORRUPT;
    if (e == 0 && (!(v = arena_alloc_array(&p->meta, (size_t)total + 1, sizeof *v)) ||
                   !(columns = arena_alloc_array(&p->meta, (size_t)total + 1, sizeof *columns))))
        e = ERR_NOMEM;
    if (e == 0)
        e = decode_ints(&in, v, (uint32_t)total, NULL, &p->meta);
    uint64_t at = 0;
    for (uint32_t i = 0; i < n && e == 0; i++) {
        t->shapes[i] = (struct shape){ columns + at, (uint32_t)length[i] };
        for (uint64_t end = at + length[i]; at < end && e == 0; at++) {
            columns[at] = (uint32_t)v[at];
            if (v[at] >= t->columns_n || seen[v[at]] == i + 1)
                e = ERR_CORRUPT;
            else
                seen[v[at]] = i + 1;
        }
    }
    t->shapes_n = (uint32_t)n;
    mem_free(seen);
    return e;
}

static void *meta_alloc(void *ctx, size_t size) { return arena_alloc(ctx, size); }

static int entities_read(struct part *p, enum chunk_kind kind, uint8_t level, struct part_entities *es)
{
    struct encode_in in;
    uint64_t n;
    int e = meta_read(p, kind, 0, &in);
    if (e < 0 || (e = encode_varint_get(&in, &n)) < 0)
        return e;
    if (n > p->t[TABLE_ROWS].rows || n > UINT32_MAX)
        return ERR_CORRUPT;
    str *s = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *s);
    es->e = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *es->e);
    es->hash = arena_alloc_array(&p->meta, (size_t)n + 1, sizeof *es->hash);
    if (!s || !es->e || !es->hash)
        return ERR_NOMEM;
    if ((e = decode_strings(&in, s, (uint32_t)n, &p->meta)) < 0)
        return e;
    for (uint32_t i = 0; i < n; i++) {
        if ((e = entity_decode(s[i], level, meta_alloc, &p->meta, &es->e[i])) < 0)
            return e == ERR_NOMEM ? e : ERR_CORRUPT;
        es->hash[i] = hash64_str(s[i]);
    }
    es->n = (uint32_t)n;
    return 0;
}

static int series_sort_out(struct part *p)
{
    p->trace_ids = p->trace_rows = p->trace_index = NO_SERIES;
    for (int t = 0; t < TABLE_N; t++)
        p->t[t].tail = NO_SERIES;
    for (uint32_t i = 0; i < p->series_n; i++) {
        const struct part_series *s = &p->series[i];
        if (s->table >= TABLE_N)
            return ERR_CORRUPT;
        struct part_table *t = &p->t[s->table];
        switch (s->kind) {
        case CHUNK_COLUMN:
        case CHUNK_DICT:
            if (t->rows == 0 || s->column >= t->columns_n + COL_FIXED)
                return ERR_CORRUPT;
            (s->kind == CHUNK_DICT ? t->dict : t->series)[s->column] = i;
            break;
        case CHUNK_TAIL:
            t->tail = i;
            break;
        case CHUNK_TRACE_IDS:
            p->trace_ids = i;
            break;
        case CHUNK_TRACE_ROWS:
            p->trace_rows = i;
            break;
        case CHUNK_TRACE_INDEX:
            p->trace_index = i;
            break;
        case CHUNK_KEY_INDEX:
            if (s->n == 0 || s->n & (s->n - 1))
                return ERR_CORRUPT;
            if (p->key_index_n < PART_KEYS)
                p->key_index[p->key_index_n++] = i;
            break;
        default:
            break; // later kinds are for those who know them
        }
    }
    uint32_t buckets = p->trace_index == NO_SERIES ? 1 : p->series[p->trace_index].n;
    return buckets & (buckets - 1) ? ERR_CORRUPT : 0;
}

static int meta_load(struct part *p)
{
    int e = footer_read(p);
    for (uint8_t t = 0; t < TABLE_N && e == 0; t++) {
        if (p->t[t].rows == 0)
            continue;
        if ((e = columns_read(p, t, &p->t[t])) == 0)
            e = shapes_read(p, t, &p->t[t]);
    }
    if (e == 0 && (e = entities_read(p, CHUNK_RESOURCES, ATTR_RESOURCE, &p->resources)) == 0)
        e = entities_read(p, CHUNK_SCOPES, ATTR_SCOPE, &p->scopes);
    return e < 0 ? e : series_sort_out(p);
}

// ---- handles -------------------------------------------------------------------------------------------

static void part_free(struct part *p)
{
    cache_forget(p->env->cache, p->number);
    part_drop_loaded(p);
    disk_close(p->env->disk, p->file);
    if (atomic_load(&p->unlink))
        disk_unlink(p->env->disk, p->path); // failing that, it is an orphan of the next start
    arena_free(&p->meta);
    mem_free(p->series);
    pthread_mutex_destroy(&p->lock);
    p->magic = 0;
    p->s.magic = 0;
    mem_free(p);
}

int part_open(const struct part_env *env, uint64_t id, struct part **ret_part, struct err *err)
{
    char name[PART_NAME];
    struct disk_stat st;
    struct part *p = mem_zalloc(sizeof *p);
    if (!p)
        return err_set(err, ERR_NOMEM, NULL, "no memory to open a part");
    p->s = (struct segment){ .magic = SEGMENT_MAGIC, .ops = &part_ops, .info = { .id = id } };
    p->magic = PART_OBJECT_MAGIC;
    p->refs = 1;
    p->env = env;
    p->file = -1;
    p->number = cache_part_number(env->cache);
    arena_init(&p->meta, META_MAX);
    pthread_mutex_init(&p->lock, NULL);
    part_file_name(name, id);
    int n = snprintf(p->path, sizeof p->path, "%s/%s", env->dir, name), file;
    must(n > 0 && (size_t)n < sizeof p->path);
    int e = disk_open(env->disk, p->path, DISK_READ, &file);
    if (e == 0) {
        p->file = file;
        e = disk_stat_file(env->disk, file, &st);
    }
    if (e < 0) {
        err_set(err, e, NULL, "the part file cannot be opened");
    } else {
        p->size = p->s.info.bytes = st.size;
        if ((e = header_read(p, id, err)) == 0 && (e = meta_load(p)) < 0) {
            if (e == ERR_TRUNCATED || e == ERR_MALFORMED)
                e = ERR_CORRUPT;
            err_set(err, e, NULL, e == ERR_CORRUPT ? "the part file is damaged" : "the part file cannot be read");
        }
    }
    if (e < 0) {
        err_set_place(err, "%s", p->path);
        part_free(p);
        return e;
    }
    *ret_part = p;
    return 0;
}

struct part *part_ref(struct part *p)
{
    MAGIC_CHECK(p, PART_OBJECT_MAGIC);
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void part_unref(struct part *p)
{
    if (!p)
        return;
    MAGIC_CHECK(p, PART_OBJECT_MAGIC);
    if (atomic_fetch_sub(&p->refs, 1) == 1)
        part_free(p);
}

void part_unlink_when_unused(struct part *p)
{
    MAGIC_CHECK(p, PART_OBJECT_MAGIC);
    atomic_store(&p->unlink, true);
}

const struct segment *part_segment(const struct part *p)
{
    MAGIC_CHECK(p, PART_OBJECT_MAGIC);
    return &p->s;
}

void part_facts(const struct part *p, struct part_facts *ret_facts)
{
    MAGIC_CHECK(p, PART_OBJECT_MAGIC);
    const struct segment_info *i = &p->s.info;
    *ret_facts = (struct part_facts){ .id = i->id,
                                      .bytes = p->size,
                                      .rows = i->rows,
                                      .source = i->source,
                                      .retention_class = p->retention_class,
                                      .time_min = i->time_min,
                                      .time_max = i->time_max,
                                      .received_min = i->received_min,
                                      .received_max = i->received_max,
                                      .traces = p->traces,
                                      .resources = p->resources.n,
                                      .duplicates = p->duplicates };
    for (int t = 0; t < TABLE_N; t++)
        ret_facts->columns += p->t[t].columns_n;
}

int part_verify(struct part *p, struct err *err)
{
    MAGIC_CHECK(p, PART_OBJECT_MAGIC);
    int e = 0;
    part_pin(p);
    for (uint32_t i = 0; i < p->series_n && e == 0; i++) {
        const struct directory *d;
        uint8_t *data;
        uint32_t size;
        e = part_directory(p, i, &d);
        for (uint32_t k = 0; e == 0 && k < d->n; k++)
            if ((e = part_chunk_read(p, (enum chunk_kind)p->series[i].kind, &d->e[k], &data, &size)) == 0)
                mem_free(data);
    }
    part_unpin(p);
    if (e < 0) {
        err_set(err, e, NULL, e == ERR_CORRUPT ? "the part file is damaged" : "the part file cannot be read");
        err_set_place(err, "%s", p->path);
    }
    return e;
}
