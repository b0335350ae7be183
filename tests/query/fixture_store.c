#include "fixture_store.h"

#include "base/must.h"
#include "disk_mem.h"

#include <pthread.h>

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
    int result;
};

static void done(void *ctx, int result)
{
    struct waiting *w = ctx;
    pthread_mutex_lock(&w->mutex);
    w->done = true;
    w->result = result;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mutex);
}

void fixture_store_open(struct fixture_store *f)
{
    must(disk_mem_new(0, &f->disk) == 0);
    struct store_options o = { .dir = ".", .disk = f->disk, .lanes = 1, .manual = true };
    must(store_open(&o, &f->s, NULL) == 0);
}

void fixture_store_close(struct fixture_store *f)
{
    store_close(f->s);
    disk_free(f->disk);
}

void fixture_store_put(struct fixture_store *f, uint32_t project,
                       int (*feed)(const struct record_sink *sink, void *ctx), void *ctx)
{
    struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };
    struct batch *b;
    must(store_batch_begin(f->s, 0, project, NULL, &b) == 0);
    struct record_sink sink = batch_sink(b);
    must(feed(&sink, ctx) == 0);
    batch_commit_take(b, done, &w);
    pthread_mutex_lock(&w.mutex);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.mutex);
    pthread_mutex_unlock(&w.mutex);
    must(w.result == 0);
}

static int feed_fixture(const struct record_sink *sink, void *ctx) { return fixture_feed(sink, *(uint32_t *)ctx); }

void fixture_store_feed(struct fixture_store *f, uint32_t which) { fixture_store_put(f, 1, feed_fixture, &which); }
