// Parsed maps: read by whoever needs one first, kept while there is room.
#include "symbols/symbols_internal.h"

#include "base/hash.h"
#include "base/mem.h"
#include "symbols/js_file.h"
#include "symbols/js_scopes.h"

#include <stdio.h>

static size_t bucket_of(struct found key)
{
    return hash64_int((uint64_t)key.map * 31 + (uint64_t)key.minified) % BUCKETS;
}

static bool same(struct found a, struct found b) { return a.map == b.map && a.minified == b.minified; }

static void module_free(struct module *m)
{
    sourcemap_free(m->map);
    js_scopes_free(m->scopes);
    mem_free((void *)m->url.ptr);
    mem_free(m);
}

// ---- the list of those used last, under the lock ----

static void list_out(struct symbols *s, struct module *m)
{
    *(m->newer ? &m->newer->older : &s->newest) = m->older;
    *(m->older ? &m->older->newer : &s->oldest) = m->newer;
    m->newer = m->older = NULL;
}

static void list_in(struct symbols *s, struct module *m)
{
    m->older = s->newest;
    m->newer = NULL;
    *(s->newest ? &s->newest->newer : &s->oldest) = m;
    s->newest = m;
}

static void cache_out(struct symbols *s, struct module *m)
{
    struct module **p = &s->buckets[bucket_of(m->key)];
    while (*p != m)
        p = &(*p)->bucket;
    *p = m->bucket;
    list_out(s, m);
    s->stats.bytes -= m->bytes;
    s->stats.maps--;
    m->cached = false;
    if (!m->refs)
        module_free(m);
}

static void cache_in(struct symbols *s, struct module *m)
{
    size_t most = s->options.cache_bytes;
    while (s->oldest && (s->stats.bytes + m->bytes > most || s->stats.maps >= BUCKETS * 8)) {
        s->stats.evicted++;
        cache_out(s, s->oldest);
    }
    size_t b = bucket_of(m->key);
    m->bucket = s->buckets[b];
    s->buckets[b] = m;
    m->cached = true;
    list_in(s, m);
    s->stats.bytes += m->bytes;
    s->stats.maps++;
}

static struct module *cache_find(struct symbols *s, struct found key)
{
    struct module *m = s->buckets[bucket_of(key)];
    while (m && !same(m->key, key))
        m = m->bucket;
    // What could not be read may have come meanwhile.
    if (m && !m->map && m->generation != s->generation) {
        cache_out(s, m);
        return NULL;
    }
    if (m) {
        list_out(s, m);
        list_in(s, m);
        m->refs++;
    }
    return m;
}

void module_unref(struct symbols *s, struct module *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&s->lock);
    if (--m->refs == 0 && !m->cached)
        module_free(m);
    pthread_mutex_unlock(&s->lock);
}

void modules_free(struct symbols *s)
{
    while (s->oldest)
        cache_out(s, s->oldest);
}

// ---- reading ----

// The bytes of a file, out of its bundle if it is in one. Those of the bundle are gone when this returns.
static int content_load(struct symbols *s, const struct file_row *f, struct buf *out, struct err *err)
{
    struct buf zip;
    if (!f->entry.len)
        return s->options.load(s->options.load_ctx, f->digest, BUNDLE_ENTRY_MAX, out, err);
    buf_init(&zip, BUNDLE_BYTES_MAX);
    int r = s->options.load(s->options.load_ctx, f->digest, BUNDLE_BYTES_MAX, &zip, err);
    if (r == 0)
        r = bundle_read(buf_bytes(&zip), f->entry, BUNDLE_ENTRY_MAX, out, err);
    buf_free(&zip);
    return r;
}

static int map_read(struct symbols *s, struct module *m, const struct file_row *f, struct buf *content, struct err *err)
{
    int r = content_load(s, f, content, err);
    if (r == 0 && f->kind == FILE_MINIFIED) { // with the map in its comment
        struct buf json;
        buf_init(&json, SOURCEMAP_TEXT_MAX);
        r = js_data_url(js_source_mapping_url(buf_view(content)), &json);
        if (r < 0)
            err_set(err, r, NULL, "the source map in the file's comment is malformed");
        else
            r = sourcemap_parse(buf_view(&json), &m->map, err);
        buf_free(&json);
    } else if (r == 0) {
        r = sourcemap_parse(buf_view(content), &m->map, err);
    }
    return r;
}

// Functions are a nicety: without them a frame keeps its own name, or has its caller's word for it.
static int scopes_read(struct symbols *s, struct module *m, struct buf *content, struct arena *arena, struct err *err)
{
    struct file_row f;
    if (!m->key.minified)
        return 0;
    if (m->key.minified != m->key.map) {
        buf_clear(content);
        int r = registry_file(s, m->key.minified, arena, &f, err);
        if (r == 0)
            r = content_load(s, &f, content, err);
        if (r < 0)
            return r == ERR_NOENT || r == ERR_MALFORMED || r == ERR_LIMIT ? 0 : r;
    }
    int r = js_scopes_read(buf_view(content), m->map, &m->scopes);
    return r == ERR_LIMIT ? 0 : r;
}

static int module_read(struct symbols *s, struct found key, struct module **ret)
{
    struct arena arena;
    struct buf content;
    struct file_row f;
    struct err err = { 0 };
    struct module *m = mem_zalloc(sizeof *m);
    if (!m)
        return ERR_NOMEM;
    m->key = key;
    m->generation = s->generation;
    arena_init(&arena, 1 << 20);
    buf_init(&content, BUNDLE_ENTRY_MAX + 1);
    int r = registry_file(s, key.map, &arena, &f, &err);
    if (r == 0)
        r = map_read(s, m, &f, &content, &err);
    if (r == 0)
        r = scopes_read(s, m, &content, &arena, &err);
    if (r == 0 && f.url.len) {
        m->url.ptr = mem_dup(f.url.ptr, f.url.len);
        m->url.len = m->url.ptr ? f.url.len : 0;
    }
    buf_free(&content);
    arena_free(&arena);
    bool passes = r == ERR_NOMEM || r == ERR_BUSY || r == ERR_IO || r == ERR_STOPPING || r == ERR_TIMEOUT;
    if (r < 0 && passes) {
        module_free(m);
        return r;
    }
    if (r < 0) {
        sourcemap_free(m->map);
        m->map = NULL;
        snprintf(m->why, sizeof m->why, "%s", err.message[0] ? err.message : err_text(r));
    }
    m->bytes = sizeof *m + (m->map ? m->map->bytes : 0) + js_scopes_bytes(m->scopes);
    *ret = m;
    return 0;
}

static void want(struct symbols *s, struct found key)
{
    for (uint32_t i = 0; i < s->wanted_n; i++)
        if (same(s->wanted[i], key))
            return;
    if (s->wanted_n == WANTED_MAX)
        return; // the next event asks again
    s->wanted[s->wanted_n++] = key;
    pthread_cond_signal(&s->wake);
}

int module_get(struct symbols *s, struct found key, enum symbols_use use, struct module **ret)
{
    struct module *m;
    pthread_mutex_lock(&s->lock);
    m = cache_find(s, key);
    *(m ? &s->stats.hits : &s->stats.misses) += 1;
    if (!m && use == SYMBOLS_PARSED)
        want(s, key);
    pthread_mutex_unlock(&s->lock);
    if (!m && use == SYMBOLS_PARSED)
        return ERR_AGAIN;
    if (m) {
        *ret = m;
        return 0;
    }
    pthread_mutex_lock(&s->parsing);
    pthread_mutex_lock(&s->lock);
    m = cache_find(s, key); // somebody else was first
    pthread_mutex_unlock(&s->lock);
    int r = m ? 0 : module_read(s, key, &m);
    if (r == 0) {
        pthread_mutex_lock(&s->lock);
        if (!m->cached && !m->refs) {
            m->refs = 1;
            *(m->map ? &s->stats.parsed : &s->stats.failed) += 1;
            if (m->bytes <= s->options.cache_bytes)
                cache_in(s, m);
        }
        pthread_mutex_unlock(&s->lock);
        *ret = m;
    }
    pthread_mutex_unlock(&s->parsing);
    return r;
}
