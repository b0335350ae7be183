// Finding and loading chunks of an open part. Everything is checked here that can be checked without knowing
// what the values mean.
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/part_read.h"

// ---- who is using it -----------------------------------------------------------------------------------

void part_pin(struct part *p)
{
    for (;;) {
        int users = atomic_load(&p->users);
        if (users >= 0 && atomic_compare_exchange_weak(&p->users, &users, users + 1))
            return;
        if (users < 0) { // wait until what was loaded has been given back
            pthread_mutex_lock(&p->lock);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

void part_unpin(struct part *p)
{
    int before = atomic_fetch_sub(&p->users, 1);
    must(before > 0);
    if (before > 1 || atomic_load(&p->beside) == 0 || !cache_is_over(p->env->cache))
        return;
    pthread_mutex_lock(&p->lock);
    int none = 0;
    if (atomic_compare_exchange_strong(&p->users, &none, -1)) {
        part_drop_loaded(p);
        atomic_store(&p->users, 0);
    }
    pthread_mutex_unlock(&p->lock);
}

static void dict_free(struct part_dict *d)
{
    if (!d)
        return;
    mem_free(d->payload);
    arena_free(&d->arena);
    mem_free(d);
}

void part_drop_loaded(struct part *p)
{
    for (uint32_t i = 0; i < p->series_n; i++) {
        mem_free(atomic_exchange(&p->series[i].directory, NULL));
        dict_free(atomic_exchange(&p->series[i].dict, NULL));
    }
    cache_account(p->env->cache, -atomic_exchange(&p->beside, 0));
}

static void account(struct part *p, size_t n)
{
    atomic_fetch_add(&p->beside, (int64_t)n);
    cache_account(p->env->cache, (int64_t)n);
}

// ---- chunks --------------------------------------------------------------------------------------------

int part_chunk_read(struct part *p, enum chunk_kind kind, const struct chunk_entry *entry, uint8_t **ret_data,
                    uint32_t *ret_size)
{
    if (entry->size < CHUNK_HEADER_SIZE || entry->offset > p->size || entry->size > p->size - entry->offset)
        return ERR_CORRUPT;
    uint8_t *stored = mem_alloc((size_t)entry->size + ENCODE_PAD), *data = NULL;
    if (!stored)
        return ERR_NOMEM;
    int e = disk_read(p->env->disk, p->file, stored, entry->size, entry->offset);
    if (e < 0)
        goto out;
    uint32_t size = le32_get(stored), raw = le32_get(stored + 4);
    uint8_t codec = stored[8];
    e = ERR_CORRUPT;
    if (size != entry->size - CHUNK_HEADER_SIZE || raw > CHUNK_RAW_MAX ||
        raw > CHUNK_RATIO_MAX * size + CHUNK_RATIO_FREE || stored[9] != kind || le16_get(stored + 10) != 0)
        goto out;
    if (!p->env->unchecked &&
        crc32c_more(crc32c(stored, 12), stored + CHUNK_HEADER_SIZE, size) != le32_get(stored + 12))
        goto out;
    data = mem_alloc((size_t)raw + ENCODE_PAD);
    if (!data) {
        e = ERR_NOMEM;
        goto out;
    }
    e = codec_unpack(codec, bytes_of(stored + CHUNK_HEADER_SIZE, size), data, raw);
    if (e < 0)
        goto out;
    memset(data + raw, 0, ENCODE_PAD);
    *ret_data = data;
    *ret_size = raw;
    data = NULL;
out:
    mem_free(data);
    mem_free(stored);
    return e == ERR_TRUNCATED ? ERR_CORRUPT : e;
}

int part_chunk(struct part *p, enum chunk_kind kind, const struct chunk_entry *entry, uint64_t *bytes_read,
               struct cache_entry **ret_entry)
{
    struct cache_entry *c = cache_get(p->env->cache, p->number, entry->offset);
    if (!c) {
        uint8_t *data;
        uint32_t size;
        int e = part_chunk_read(p, kind, entry, &data, &size);
        if (e < 0)
            return e;
        if (bytes_read)
            *bytes_read += entry->size;
        if (!(c = cache_put_take(p->env->cache, p->number, entry->offset, data, size)))
            return ERR_NOMEM;
    }
    *ret_entry = c;
    return 0;
}

// ---- directories ---------------------------------------------------------------------------------------

static int directory_decode(struct encode_in *in, const struct part *p, struct directory *d, struct arena *arena)
{
    uint64_t *v = arena_alloc_array(arena, d->n, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    for (int field = 0; field < 6; field++) {
        int e = decode_ints(in, v, d->n, NULL, arena);
        if (e < 0)
            return e;
        for (uint32_t i = 0; i < d->n; i++) {
            struct chunk_entry *c = &d->e[i];
            switch (field) {
            case 0:
                if (v[i] > UINT32_MAX || (i && v[i] <= c[-1].block))
                    return ERR_CORRUPT;
                c->block = (uint32_t)v[i];
                break;
            case 1:
                c->offset = v[i];
                break;
            case 2:
                if (v[i] > UINT32_MAX)
                    return ERR_CORRUPT;
                c->size = (uint32_t)v[i];
                break;
            case 3:
                c->has_range = v[i] != 0;
                break;
            case 4:
                c->min = (int64_t)v[i];
                break;
            default:
                c->max = (int64_t)((uint64_t)c->min + v[i]);
            }
        }
    }
    return 0;
}

static int directory_load(struct part *p, struct part_series *s, struct directory **ret_directory)
{
    size_t size = sizeof(struct directory) + sizeof(struct chunk_entry) * (size_t)s->n;
    struct directory *d = mem_alloc(size);
    uint8_t *data = NULL;
    uint32_t data_n = 0;
    if (!d)
        return ERR_NOMEM;
    d->n = s->n;
    int e = 0;
    if (s->n == 1) {
        d->e[0] = s->one;
    } else if ((e = part_chunk_read(p, CHUNK_DIRECTORY, &s->one, &data, &data_n)) == 0) {
        struct arena arena;
        struct encode_in in = { data, data + data_n };
        arena_init(&arena, 1 << 30);
        e = directory_decode(&in, p, d, &arena);
        arena_free(&arena);
    }
    mem_free(data);
    if (e < 0) {
        mem_free(d);
        return e;
    }
    account(p, size);
    *ret_directory = d;
    return 0;
}

int part_directory(struct part *p, uint32_t series, const struct directory **ret_directory)
{
    struct part_series *s = &p->series[series];
    struct directory *d = atomic_load_explicit(&s->directory, memory_order_acquire);
    if (!d) {
        pthread_mutex_lock(&p->lock);
        d = atomic_load(&s->directory);
        int e = d ? 0 : directory_load(p, s, &d);
        if (e == 0)
            atomic_store_explicit(&s->directory, d, memory_order_release);
        pthread_mutex_unlock(&p->lock);
        if (e < 0)
            return e;
    }
    *ret_directory = d;
    return 0;
}

int part_entry(struct part *p, uint32_t series, uint32_t block, struct chunk_entry *ret_entry)
{
    const struct directory *d;
    if (series == NO_SERIES)
        return ERR_NOENT;
    int e = part_directory(p, series, &d);
    if (e < 0)
        return e;
    uint32_t lo = 0, hi = d->n;
    if (block < d->n && d->e[block].block == block) { // a column that all blocks have
        *ret_entry = d->e[block];
        return 0;
    }
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (d->e[mid].block < block)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == d->n || d->e[lo].block != block)
        return ERR_NOENT;
    *ret_entry = d->e[lo];
    return 0;
}

// ---- dictionaries --------------------------------------------------------------------------------------

static int dict_load(struct part *p, struct part_series *s, struct part_dict **ret_dict)
{
    struct part_dict *d = mem_zalloc(sizeof *d);
    uint32_t size;
    uint64_t n;
    if (!d)
        return ERR_NOMEM;
    arena_init(&d->arena, 1 << 30);
    int e = s->n == 1 ? part_chunk_read(p, CHUNK_DICT, &s->one, &d->payload, &size) : ERR_CORRUPT;
    if (e == 0) {
        struct encode_in in = { d->payload, d->payload + size };
        str *strings;
        e = encode_varint_get(&in, &n);
        if (e == 0 && n > PART_DICT_ENTRIES_MAX)
            e = ERR_CORRUPT;
        if (e == 0 && !(strings = arena_alloc_array(&d->arena, (size_t)n + 1, sizeof *strings)))
            e = ERR_NOMEM;
        if (e == 0)
            e = decode_strings(&in, strings, (uint32_t)n, &d->arena);
        if (e == 0)
            part_dict_view(&d->d, strings, (uint32_t)n);
    }
    if (e < 0) {
        dict_free(d);
        return e;
    }
    d->bytes = size + d->arena.used + sizeof *d;
    account(p, d->bytes);
    *ret_dict = d;
    return 0;
}

int part_dict(struct part *p, uint32_t series, const struct dict **ret_dict)
{
    struct part_series *s = &p->series[series];
    struct part_dict *d = atomic_load_explicit(&s->dict, memory_order_acquire);
    if (!d) {
        pthread_mutex_lock(&p->lock);
        d = atomic_load(&s->dict);
        int e = d ? 0 : dict_load(p, s, &d);
        if (e == 0)
            atomic_store_explicit(&s->dict, d, memory_order_release);
        pthread_mutex_unlock(&p->lock);
        if (e < 0)
            return e;
    }
    *ret_dict = &d->d;
    return 0;
}
