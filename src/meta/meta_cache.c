// Tokens and DSN keys in memory, so that admitting a request costs a hash and a probe. The table is
// immutable but for its times of last use; a change makes a new one and swaps it under a lock that
// readers hold for a look-up only.
//
// Changes by this process reload at once. Those by another are seen through PRAGMA data_version (a word
// in the shared WAL index, no file is read): asked at most once a second for hits, and for
// every miss, so that a token that was just made works at once and a revoked one dies within a second.
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "meta/meta_internal.h"

#include <sodium.h>

enum { CACHE_LOCAL_MAX = 16 };

enum cache_kind { CACHE_TOKEN = 1, CACHE_DSN_KEY = 2 };

struct cache_entry {
    uint8_t hash[META_HASH_LEN];
    uint8_t kind; // 0: empty slot
    struct meta_grant grant;
    int64_t expires_ns;
    _Atomic int64_t last_used_ns; // since the last flush; 0: not used
};

struct cache_table {
    size_t slots, used; // slots: a power of two, at least twice used
    struct cache_entry entries[];
};

struct meta_cache {
    pthread_rwlock_t lock;
    struct cache_table *table;
    struct cache_entry local[CACHE_LOCAL_MAX];
    size_t local_n;
    int64_t data_version;
    _Atomic int64_t polled_ns;
};

static struct cache_entry *table_slot(struct cache_table *t, const uint8_t hash[META_HASH_LEN], enum cache_kind kind)
{
    size_t i = le64_get(hash) & (t->slots - 1);
    while (t->entries[i].kind &&
           !(t->entries[i].kind == kind && sodium_memcmp(t->entries[i].hash, hash, META_HASH_LEN) == 0))
        i = (i + 1) & (t->slots - 1);
    return &t->entries[i];
}

static struct cache_table *table_new(size_t n)
{
    size_t slots = 64;
    while (slots < n * 2)
        slots *= 2;
    struct cache_table *t = mem_zalloc(sizeof *t + slots * sizeof t->entries[0]);
    if (t)
        t->slots = slots;
    return t;
}

static int table_add(struct cache_table *t, const uint8_t *hash, enum cache_kind kind, const struct meta_grant *g,
                     int64_t expires_ns)
{
    if (t->used * 2 >= t->slots)
        return ERR_LIMIT; // more rows than were counted a moment ago: the next change brings them in
    struct cache_entry *e = table_slot(t, hash, kind);
    memcpy(e->hash, hash, META_HASH_LEN);
    e->kind = kind;
    e->grant = *g;
    e->expires_ns = expires_ns;
    t->used++;
    return 0;
}

static int cache_read_count(struct meta *m, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT (SELECT count(*) FROM tokens WHERE revoked_ns = 0) + (SELECT count(*) FROM dsn_keys "
                     "WHERE revoked_ns = 0)",
                     "");
    if (r <= 0)
        return r;
    *ret_n = (size_t)sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return 0;
}

static int cache_read_tokens(struct meta *m, struct cache_table *t, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->reader, &stmt, err,
                     "SELECT secret_hash, id, coalesce(project_id, 0), scopes, name, expires_ns FROM tokens WHERE "
                     "workspace_id = ? AND revoked_ns = 0",
                     "i", m->workspace);
    while (r == 1) {
        struct meta_grant g = { .token = sqlite3_column_int64(stmt, 1),
                                .project = sqlite3_column_int64(stmt, 2),
                                .scopes = (uint32_t)sqlite3_column_int64(stmt, 3) & META_SCOPES_ALL };
        db_copy_text(stmt, 4, g.name, sizeof g.name);
        if (sqlite3_column_bytes(stmt, 0) == META_HASH_LEN)
            table_add(t, sqlite3_column_blob(stmt, 0), CACHE_TOKEN, &g, sqlite3_column_int64(stmt, 5));
        r = db_next(&m->reader, stmt, err);
    }
    return r;
}

static int cache_read_keys(struct meta *m, struct cache_table *t, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(
        &m->reader, &stmt, err,
        "SELECT k.public_key, k.project_id, p.slug FROM dsn_keys k JOIN projects p ON p.id = k.project_id WHERE "
        "p.workspace_id = ? AND k.revoked_ns = 0",
        "i", m->workspace);
    while (r == 1) {
        struct meta_grant g = { .project = sqlite3_column_int64(stmt, 1) };
        db_copy_text(stmt, 2, g.name, sizeof g.name);
        uint8_t hash[META_HASH_LEN];
        meta_secret_hash("dsn", str_of(sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0)), hash);
        table_add(t, hash, CACHE_DSN_KEY, &g, 0);
        r = db_next(&m->reader, stmt, err);
    }
    return r;
}

// With reader.lock held.
static int cache_data_version(struct meta *m, int64_t *ret_version, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(&m->reader, &stmt, err, "PRAGMA data_version", "");
    if (r <= 0)
        return r < 0 ? r : ERR_CORRUPT;
    *ret_version = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    return 0;
}

// With reader.lock held.
static int cache_rebuild(struct meta *m, int64_t version, struct err *err)
{
    struct meta_cache *c = m->cache;
    size_t n = 0;
    int r = cache_read_count(m, &n, err);
    if (r < 0)
        return r;
    struct cache_table *t = table_new(n), *old;
    if (!t)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    r = cache_read_tokens(m, t, err);
    if (r == 0)
        r = cache_read_keys(m, t, err);
    if (r < 0) {
        mem_free(t);
        return r;
    }
    pthread_rwlock_wrlock(&c->lock);
    old = c->table;
    for (size_t i = 0; old && i < old->slots; i++) {
        struct cache_entry *e = &old->entries[i];
        struct cache_entry *now = e->kind ? table_slot(t, e->hash, e->kind) : NULL;
        if (now && now->kind)
            atomic_store(&now->last_used_ns, atomic_load(&e->last_used_ns));
    }
    c->table = t;
    c->data_version = version;
    pthread_rwlock_unlock(&c->lock);
    m->rules_changes++; // they may be what has changed
    mem_free(old);
    return 0;
}

int meta_cache_reload(struct meta *m, struct err *err)
{
    int64_t version;
    pthread_mutex_lock(&m->reader.lock);
    int r = cache_data_version(m, &version, err);
    if (r == 0)
        r = cache_rebuild(m, version, err);
    pthread_mutex_unlock(&m->reader.lock);
    return r;
}

int meta_cache_new(struct meta *m, struct meta_cache **ret_cache, struct err *err)
{
    struct meta_cache *c = mem_zalloc(sizeof *c);
    if (!c)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    must(pthread_rwlock_init(&c->lock, NULL) == 0);
    *ret_cache = c;
    return meta_cache_reload(m, err);
}

void meta_cache_free(struct meta_cache *c)
{
    if (!c)
        return;
    pthread_rwlock_destroy(&c->lock);
    mem_free(c->table);
    sodium_memzero(c, sizeof *c);
    mem_free(c);
}

void meta_cache_poll(struct meta *m)
{
    int64_t version;
    atomic_store(&m->cache->polled_ns, clock_mono_ns());
    pthread_mutex_lock(&m->reader.lock);
    // An unreadable database keeps the last known table: a full disk must not lock everybody out.
    if (cache_data_version(m, &version, NULL) == 0 && version != m->cache->data_version)
        cache_rebuild(m, version, NULL);
    pthread_mutex_unlock(&m->reader.lock);
}

static int cache_find(struct meta *m, const uint8_t hash[META_HASH_LEN], enum cache_kind kind,
                      struct meta_grant *ret_grant)
{
    struct meta_cache *c = m->cache;
    int r = ERR_DENIED;
    pthread_rwlock_rdlock(&c->lock);
    struct cache_entry *e = table_slot(c->table, hash, kind);
    for (size_t i = 0; !e->kind && i < c->local_n && kind == CACHE_TOKEN; i++)
        if (sodium_memcmp(c->local[i].hash, hash, META_HASH_LEN) == 0)
            e = &c->local[i];
    int64_t now = clock_unix_ns();
    if (e->kind && (e->expires_ns == 0 || e->expires_ns > now)) {
        *ret_grant = e->grant;
        atomic_store_explicit(&e->last_used_ns, now, memory_order_relaxed);
        r = 0;
    }
    pthread_rwlock_unlock(&c->lock);
    return r;
}

static int cache_check(struct meta *m, const char *kind_name, enum cache_kind kind, str secret,
                       struct meta_grant *ret_grant)
{
    uint8_t hash[META_HASH_LEN];
    MAGIC_CHECK(m, META_MAGIC);
    if (secret.len == 0 || secret.len >= META_SECRET_MAX)
        return ERR_DENIED;
    meta_secret_hash(kind_name, secret, hash);
    if (clock_mono_ns() - atomic_load(&m->cache->polled_ns) >= NS_PER_S)
        meta_cache_poll(m);
    int r = cache_find(m, hash, kind, ret_grant);
    if (r == 0)
        return 0;
    meta_cache_poll(m);
    return cache_find(m, hash, kind, ret_grant);
}

int meta_token_check(struct meta *m, str secret, struct meta_grant *ret_grant)
{
    return cache_check(m, "token", CACHE_TOKEN, secret, ret_grant);
}

int meta_key_check(struct meta *m, str key, struct meta_grant *ret_grant)
{
    return cache_check(m, "dsn", CACHE_DSN_KEY, key, ret_grant);
}

int meta_token_local(struct meta *m, str name, uint32_t scopes, char ret_secret[META_SECRET_MAX])
{
    struct meta_cache *c = m->cache;
    struct cache_entry e = { .kind = CACHE_TOKEN, .grant = { .scopes = scopes } };
    char secret[META_SECRET_MAX];
    must(meta_name_valid(name));
    memcpy(e.grant.name, name.ptr, name.len);
    meta_secret_make("clew_", secret);
    meta_secret_hash("token", str_z(secret), e.hash);
    pthread_rwlock_wrlock(&c->lock);
    int r = c->local_n < CACHE_LOCAL_MAX ? 0 : ERR_LIMIT;
    if (r == 0) {
        memcpy(&c->local[c->local_n++], &e, sizeof e);
        memcpy(ret_secret, secret, sizeof secret);
    }
    pthread_rwlock_unlock(&c->lock);
    sodium_memzero(secret, sizeof secret);
    return r;
}

void meta_cache_flush_usage(struct meta *m)
{
    struct meta_cache *c = m->cache;
    struct {
        int64_t token, used_ns;
    } batch[64];
    for (size_t at = 0;;) {
        size_t n = 0;
        pthread_rwlock_rdlock(&c->lock);
        size_t slots = c->table ? c->table->slots : 0;
        for (; at < slots && n < sizeof batch / sizeof batch[0]; at++) {
            struct cache_entry *e = &c->table->entries[at];
            int64_t used = e->kind == CACHE_TOKEN ? atomic_exchange(&e->last_used_ns, 0) : 0;
            if (used) {
                batch[n].token = e->grant.token;
                batch[n++].used_ns = used;
            }
        }
        pthread_rwlock_unlock(&c->lock);
        if (n == 0 || meta_begin(m, NULL) < 0)
            return;
        int r = 0;
        for (size_t i = 0; i < n && r == 0; i++)
            r = db_run(&m->writer, NULL, NULL, "UPDATE tokens SET last_used_ns = ? WHERE id = ? AND last_used_ns < ?",
                       "iii", batch[i].used_ns, batch[i].token, batch[i].used_ns);
        if (meta_finish(m, r, NULL) < 0)
            return;
    }
}
