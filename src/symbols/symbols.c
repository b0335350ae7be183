// The room's life: its database, its thread.
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "symbols/symbols_internal.h"

static void *run(void *arg)
{
    struct symbols *s = arg;
    int64_t expire_at = 0;
    pthread_setname_np(pthread_self(), "symbols");
    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (!s->stopping && !s->wanted_n && !s->waiting_n && !s->dirty && !s->fresh) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec += s->retry_at ? 2 : 60;
            if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != 0)
                break;
        }
        bool stop = s->stopping;
        pthread_mutex_unlock(&s->lock);
        if (stop)
            return NULL;
        refine_work(s);
        if (clock_mono_ns() >= expire_at) {
            expire_at = clock_mono_ns() + 3600 * NS_PER_S;
            registry_waiting_expire(s);
        }
    }
}

int symbols_open(const struct symbols_options *o, struct symbols **ret_symbols, struct err *err)
{
    struct symbols *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    s->magic = SYMBOLS_MAGIC;
    s->options = *o;
    if (!s->options.cache_bytes)
        s->options.cache_bytes = SYMBOLS_CACHE_DEFAULT;
    s->generation = 1;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    must(pthread_mutex_init(&s->parsing, NULL) == 0);
    must(pthread_cond_init(&s->wake, NULL) == 0);
    int r = registry_open(s, err);
    s->dirty = true; // what came in the last run
    if (r == 0 && !o->manual) {
        s->has_thread = pthread_create(&s->thread, NULL, run, s) == 0;
        if (!s->has_thread)
            r = err_set(err, ERR_NOMEM, NULL, "no thread for source maps");
    }
    if (r < 0) {
        symbols_close(s);
        return r;
    }
    *ret_symbols = s;
    return 0;
}

void symbols_close(struct symbols *s)
{
    if (!s)
        return;
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    if (s->has_thread) {
        pthread_mutex_lock(&s->lock);
        s->stopping = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    for (struct waiting *w = s->waiting_first, *next; w; w = next) {
        next = w->next;
        registry_waiting_put(s, w);
        mem_free(w);
    }
    modules_free(s);
    registry_close(s);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->parsing);
    pthread_mutex_destroy(&s->lock);
    s->magic = 0;
    mem_free(s);
}

void symbols_on_refined(struct symbols *s, symbols_refined_fn *fn, void *ctx)
{
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    pthread_mutex_lock(&s->lock);
    s->refined = fn;
    s->refined_ctx = ctx;
    s->dirty = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void symbols_stats(struct symbols *s, struct symbols_stats *ret_stats)
{
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    pthread_mutex_lock(&s->lock);
    *ret_stats = s->stats;
    pthread_mutex_unlock(&s->lock);
    ret_stats->files = (uint64_t)s->files;
    ret_stats->waiting = registry_waiting_count(s);
}

bool symbols_work(struct symbols *s)
{
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    return refine_work(s);
}
