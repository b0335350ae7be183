#include "store/part_cache.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SHARDS = 16, BUCKETS = 1024 };

struct cache_shard {
    pthread_mutex_t lock;
    struct cache_entry *bucket[BUCKETS];
    struct cache_entry **ring;
    uint32_t ring_n, ring_cap, hand;
    uint64_t bytes, bytes_max;
    uint64_t hits, misses, evictions;
};

struct part_cache {
    struct cache_shard shard[SHARDS];
    uint64_t bytes_max;
    _Atomic uint64_t next_part;
    _Atomic int64_t beside;
};

int part_cache_create(uint64_t bytes_max, struct part_cache **ret_cache)
{
    struct part_cache *c = mem_zalloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->bytes_max = bytes_max;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&c->shard[i].lock, NULL);
        c->shard[i].bytes_max = bytes_max / SHARDS;
    }
    *ret_cache = c;
    return 0;
}

void part_cache_free(struct part_cache *c)
{
    if (!c)
        return;
    for (int i = 0; i < SHARDS; i++) {
        must(c->shard[i].ring_n == 0); // every part forgets its own
        pthread_mutex_destroy(&c->shard[i].lock);
        mem_free(c->shard[i].ring);
    }
    mem_free(c);
}

uint64_t cache_part_number(struct part_cache *c) { return atomic_fetch_add(&c->next_part, 1); }
void cache_account(struct part_cache *c, int64_t n) { atomic_fetch_add(&c->beside, n); }
bool cache_is_over(const struct part_cache *c) { return atomic_load(&c->beside) > (int64_t)(c->bytes_max / 2); }

static uint64_t key_hash(uint64_t part, uint64_t offset) { return hash64_int(offset + hash64_int(part + 1)); }

static struct cache_entry **find(struct cache_shard *s, uint64_t h, uint64_t part, uint64_t offset)
{
    struct cache_entry **p = &s->bucket[h / SHARDS % BUCKETS];
    while (*p && ((*p)->part != part || (*p)->offset != offset))
        p = &(*p)->next;
    return p;
}

static void entry_free(struct cache_entry *e)
{
    mem_free(e->data);
    mem_free(e);
}

// Takes an entry out of table and ring; the caller frees it if it is not pinned.
static void remove_entry(struct cache_shard *s, struct cache_entry *e)
{
    *find(s, key_hash(e->part, e->offset), e->part, e->offset) = e->next;
    s->ring[e->at] = s->ring[--s->ring_n];
    s->ring[e->at]->at = e->at;
    s->bytes -= e->size + sizeof *e;
    e->dead = true;
}

static void evict(struct cache_shard *s)
{
    // Twice around: the first time clears marks.
    for (uint64_t steps = 2ull * s->ring_n; steps && s->bytes > s->bytes_max; steps--) {
        if (s->ring_n == 0)
            return;
        if (s->hand >= s->ring_n)
            s->hand = 0;
        struct cache_entry *e = s->ring[s->hand];
        if (e->pins) {
            s->hand++;
        } else if (e->used) {
            e->used = false;
            s->hand++;
        } else {
            remove_entry(s, e);
            entry_free(e);
            s->evictions++;
        }
    }
}

struct cache_entry *cache_get(struct part_cache *c, uint64_t part, uint64_t offset)
{
    uint64_t h = key_hash(part, offset);
    struct cache_shard *s = &c->shard[h % SHARDS];
    pthread_mutex_lock(&s->lock);
    struct cache_entry *e = *find(s, h, part, offset);
    if (e) {
        e->pins++;
        e->used = true;
        s->hits++;
    } else {
        s->misses++;
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

struct cache_entry *cache_put_take(struct part_cache *c, uint64_t part, uint64_t offset, uint8_t *data, uint32_t size)
{
    uint64_t h = key_hash(part, offset);
    struct cache_shard *s = &c->shard[h % SHARDS];
    struct cache_entry *fresh = mem_alloc(sizeof *fresh), *old;
    if (!fresh) {
        mem_free(data);
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    if ((old = *find(s, h, part, offset)) != NULL) {
        old->pins++;
        pthread_mutex_unlock(&s->lock);
        mem_free(data);
        mem_free(fresh);
        return old;
    }
    if (s->ring_n == s->ring_cap) {
        uint32_t cap = s->ring_cap ? s->ring_cap * 2 : 64;
        struct cache_entry **ring = mem_reallocarray(s->ring, cap, sizeof(struct cache_entry *));
        if (!ring) {
            pthread_mutex_unlock(&s->lock);
            mem_free(data);
            mem_free(fresh);
            return NULL;
        }
        s->ring = ring;
        s->ring_cap = cap;
    }
    struct cache_entry **bucket = &s->bucket[h / SHARDS % BUCKETS];
    *fresh = (struct cache_entry){ .part = part,
                                   .offset = offset,
                                   .data = data,
                                   .size = size,
                                   .pins = 1,
                                   .at = s->ring_n,
                                   .next = *bucket,
                                   .shard = s };
    *bucket = fresh;
    s->ring[s->ring_n++] = fresh;
    s->bytes += size + sizeof *fresh;
    evict(s);
    pthread_mutex_unlock(&s->lock);
    return fresh;
}

void cache_unpin(struct cache_entry *e)
{
    struct cache_shard *s = e->shard;
    pthread_mutex_lock(&s->lock);
    bool gone = --e->pins == 0 && e->dead;
    pthread_mutex_unlock(&s->lock);
    if (gone)
        entry_free(e);
}

void cache_forget(struct part_cache *c, uint64_t part)
{
    for (int i = 0; i < SHARDS; i++) {
        struct cache_shard *s = &c->shard[i];
        pthread_mutex_lock(&s->lock);
        for (uint32_t k = s->ring_n; k-- > 0;) {
            struct cache_entry *e = s->ring[k];
            if (e->part != part)
                continue;
            remove_entry(s, e);
            if (e->pins == 0)
                entry_free(e);
        }
        pthread_mutex_unlock(&s->lock);
    }
}

void part_cache_stats(struct part_cache *c, struct part_cache_stats *ret_stats)
{
    struct part_cache_stats st = { .bytes_max = c->bytes_max };
    for (int i = 0; i < SHARDS; i++) {
        struct cache_shard *s = &c->shard[i];
        pthread_mutex_lock(&s->lock);
        st.bytes += s->bytes;
        st.hits += s->hits;
        st.misses += s->misses;
        st.evictions += s->evictions;
        pthread_mutex_unlock(&s->lock);
    }
    int64_t beside = atomic_load(&c->beside);
    st.bytes += beside > 0 ? (uint64_t)beside : 0;
    *ret_stats = st;
}
