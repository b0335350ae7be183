// Opening, closing and describing a store; see store_write.c, store_view.c, store_work.c and store_recover.c for
// what it does.
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "store/store_internal.h"

#include <errno.h>
#include <sys/stat.h>

#define STORE_LOG_FILE_MIN (4ull << 20)
#define STORE_LOG_FILE_MAX (64ull << 20)

static void store_free(struct store *s)
{
    for (unsigned i = 0; i < s->gens_n; i++) {
        log_stream_free(s->gens[i]->log, false);
        s->gens[i]->log = NULL;
        generation_unref(s->gens[i]);
    }
    for (uint32_t i = 0; i < s->parts_n; i++)
        part_unref(s->parts[i]);
    mem_free(s->parts);
    for (struct batch *b = s->spare_batches; b;) {
        struct batch *next = b->next;
        buf_free(&b->block);
        mem_free(b);
        b = next;
    }
    if (s->manifest)
        manifest_close(s->manifest);
    if (s->cache)
        part_cache_free(s->cache);
    log_files_free(&s->log_files);
    if (s->disk)
        disk_close(s->disk, s->lock_file);
    if (s->own_disk)
        disk_free(s->disk);
    pthread_mutex_destroy(&s->mutex);
    pthread_mutex_destroy(&s->log_mutex);
    pthread_mutex_destroy(&s->on_commit_mutex);
    pthread_cond_destroy(&s->log_cond);
    pthread_cond_destroy(&s->work_cond);
    pthread_cond_destroy(&s->settled_cond);
    mem_free(s->repeat);
    s->magic = 0;
    mem_free(s);
}

static int lock_directory(struct store *s, struct err *err)
{
    int e = disk_open(s->disk, "lock", DISK_WRITE | DISK_CREATE, &s->lock_file);
    if (e == 0)
        e = disk_lock(s->disk, s->lock_file);
    if (e == ERR_BUSY) {
        err_set(err, e, "data_in_use", "another clew uses this data directory");
        err_set_place(err, "%s", s->o.dir ? s->o.dir : "");
        err_set_hint(err, "stop it, or give this one a directory of its own with --data");
    } else if (e < 0) {
        err_set(err, e, "data_directory", "the data directory cannot be written: %s", err_text(e));
    }
    return e;
}

static int open_parts(struct store *s, struct err *err)
{
    uint32_t n = manifest_parts(s->manifest);
    s->parts = mem_calloc(n + 16, sizeof(struct part *));
    if (!s->parts)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    s->parts_cap = n + 16;
    for (uint32_t i = 0; i < n; i++) {
        int e = part_open(&s->env, manifest_part(s->manifest, i)->id, &s->parts[s->parts_n], err);
        if (e < 0)
            return e;
        s->parts_n++;
    }
    return 0;
}

static int open_disk(struct store *s, struct err *err)
{
    if (s->o.disk) {
        s->disk = (struct disk *)(uintptr_t)s->o.disk;
    } else {
        int e = disk_open_root(s->o.dir, &s->disk);
        if (e < 0) {
            err_set(err, e, "data_directory", "the data directory cannot be opened: %s", err_text(e));
            err_set_place(err, "%s", s->o.dir);
            return e;
        }
        s->own_disk = true;
    }
    return lock_directory(s, err);
}

static int open_files(struct store *s, struct err *err)
{
    int e = log_files_init(&s->log_files, s->disk, STORE_LOG_FILE_MIN, STORE_LOG_FILE_MAX);
    if (e == 0) {
        e = disk_mkdir(s->disk, "parts");
        if (e == 0)
            e = disk_sync_dir(s->disk, ".");
        e = e == ERR_EXIST ? 0 : e;
    }
    if (e < 0)
        return err_set(err, e, "data_directory", "the data directory cannot be written: %s", err_text(e));
    if ((e = part_cache_create(s->o.cache_bytes, &s->cache)) < 0)
        return err_set(err, e, "memory", "out of memory");
    s->env = (struct part_env){ .disk = s->disk, .dir = "parts", .cache = s->cache, .workspace = 1 };
    if ((e = manifest_open(s->disk, "MANIFEST", &s->manifest, err)) < 0 ||
        (e = manifest_remove_orphans(s->manifest, &s->env, err)) < 0 || (e = open_parts(s, err)) < 0)
        return e;
    return store_recover(s, err);
}

int store_open(const struct store_options *o, struct store **ret_store, struct err *err)
{
    must(o->lanes > 0 && o->lanes <= HEAD_LANES_MAX);
    struct store *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    s->magic = STORE_MAGIC;
    s->o = *o;
    s->lock_file = -1;
    if (!s->o.seal_rows)
        s->o.seal_rows = 1u << 20;
    if (!s->o.seal_age_ns)
        s->o.seal_age_ns = 30 * NS_PER_S;
    if (!s->o.cache_bytes)
        s->o.cache_bytes = 64ull << 20;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_mutex_init(&s->log_mutex, NULL);
    pthread_mutex_init(&s->on_commit_mutex, NULL);
    pthread_cond_init(&s->log_cond, NULL);
    pthread_cond_init(&s->work_cond, NULL);
    pthread_cond_init(&s->settled_cond, NULL);
    pthread_mutex_init(&s->log_files.mutex, NULL);
    int e = 0;
    if (!(s->repeat = mem_zalloc(sizeof *s->repeat)))
        e = err_set(err, ERR_NOMEM, "memory", "out of memory");
    if (e == 0 && (e = open_disk(s, err)) == 0)
        e = open_files(s, err);
    if (e == 0 && !s->read_only && (e = log_files_prepare(&s->log_files)) < 0) {
        if (e == ERR_NOSPC) { // start all the same: what is there can be read, and room may come
            store_trouble_locked(s, e, "no room for the commit log");
            e = 0;
        } else {
            err_set(err, e, "log", "the commit log cannot be written: %s", err_text(e));
        }
    }
    if (e == 0 && (e = store_log_start(s)) == 0)
        e = store_work_start(s);
    if (e < 0) {
        store_log_stop(s);
        store_free(s);
        return e;
    }
    *ret_store = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    MAGIC_CHECK(s, STORE_MAGIC);
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    pthread_mutex_unlock(&s->mutex);
    store_log_stop(s);
    store_work_stop(s);
    store_free(s);
}

void store_on_commit(struct store *s, void (*fn)(void *ctx, uint64_t commit_sequence), void *ctx)
{
    pthread_mutex_lock(&s->on_commit_mutex);
    s->on_commit_ctx = ctx;
    s->on_commit = fn;
    pthread_mutex_unlock(&s->on_commit_mutex);
}

void store_stats(struct store *s, struct store_stats *ret_stats)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    pthread_mutex_lock(&s->mutex);
    struct store_stats st = s->stats;
    for (unsigned i = 0; i < s->gens_n; i++) {
        st.head_rows += s->gens[i]->rows;
        st.head_bytes += generation_bytes(s->gens[i]);
    }
    const struct part_facts **facts = mem_calloc(s->parts_n, sizeof *facts);
    struct part_facts *copies = mem_calloc(s->parts_n, sizeof *copies);
    for (uint32_t i = 0; facts && copies && i < s->parts_n; i++) {
        part_facts(s->parts[i], &copies[i]);
        facts[i] = &copies[i];
        st.part_rows += copies[i].rows;
        st.part_bytes += copies[i].bytes;
    }
    st.parts = s->parts_n;
    st.merge_debt_rows = st.head_rows;
    if (facts && copies && s->parts_n)
        st.merge_debt_rows += merge_debt_rows(facts, s->parts_n, &merge_limits_default);
    st.read_only = s->read_only;
    st.disk_full = s->disk_full;
    memcpy(st.why, s->why, sizeof st.why);
    pthread_mutex_unlock(&s->mutex);
    pthread_mutex_lock(&s->log_files.mutex);
    st.log_files = s->log_files.files_n;
    pthread_mutex_unlock(&s->log_files.mutex);
    struct disk_space space;
    st.disk_free_bytes = disk_space(s->disk, &space) == 0 ? space.free : 0;
    st.disk_cap_bytes = s->o.disk_cap_bytes;
    mem_free(facts);
    mem_free(copies);
    *ret_stats = st;
}
