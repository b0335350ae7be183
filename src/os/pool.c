#include "os/pool.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define POOL_MAGIC 0x9001f00du

struct pool_worker {
    struct pool *pool;
    int index;
    pthread_t thread;
};

struct pool {
    uint32_t magic;
    char name[16];
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct pool_job *first, **last;
    size_t queued, queue_max, queue_peak;
    uint64_t run, refused;
    size_t waiting; // threads in pthread_cond_wait
    bool stopping, joined;
    int threads;
    struct pool_worker workers[];
};

static void *worker_main(void *arg)
{
    struct pool_worker *w = arg;
    struct pool *p = w->pool;
    char name[16];
    snprintf(name, sizeof name, "%.11s-%d", p->name, w->index);
    pthread_setname_np(pthread_self(), name);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->stopping) {
            p->waiting++;
            pthread_cond_wait(&p->work, &p->lock);
            p->waiting--;
        }
        struct pool_job *job = p->first;
        if (!job)
            break;
        p->first = job->next;
        if (!p->first)
            p->last = &p->first;
        p->queued--;
        p->run++;
        pthread_mutex_unlock(&p->lock);
        job->run(job, w->index);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int pool_new(const char *name, int threads, size_t queue_max, struct pool **ret_pool)
{
    must(threads >= 1 && threads <= 256 && queue_max >= 1);
    struct pool *p = mem_zalloc(sizeof *p + (size_t)threads * sizeof p->workers[0]);
    if (!p)
        return ERR_NOMEM;
    p->magic = POOL_MAGIC;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->last = &p->first;
    p->queue_max = queue_max;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    for (int i = 0; i < threads; i++) {
        p->workers[i] = (struct pool_worker){ .pool = p, .index = i };
        if (pthread_create(&p->workers[i].thread, NULL, worker_main, &p->workers[i])) {
            pool_free(p);
            return ERR_NOMEM;
        }
        p->threads++;
    }
    *ret_pool = p;
    return 0;
}

void pool_stop(struct pool *p)
{
    MAGIC_CHECK(p, POOL_MAGIC);
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    bool join = !p->joined;
    p->joined = true;
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; join && i < p->threads; i++)
        pthread_join(p->workers[i].thread, NULL);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pool_stop(p);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    p->magic = 0;
    mem_free(p);
}

static int submit(struct pool *p, struct pool_job *job, bool bounded)
{
    MAGIC_CHECK(p, POOL_MAGIC);
    must(job->run);
    int rc = 0;
    pthread_mutex_lock(&p->lock);
    if (p->stopping) {
        rc = ERR_STOPPING;
    } else if (bounded && p->queued >= p->queue_max) {
        p->refused++;
        rc = ERR_BUSY;
    } else {
        job->next = NULL;
        *p->last = job;
        p->last = &job->next;
        if (++p->queued > p->queue_peak)
            p->queue_peak = p->queued;
        if (p->waiting)
            pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

int pool_submit(struct pool *p, struct pool_job *job) { return submit(p, job, true); }
int pool_submit_admitted(struct pool *p, struct pool_job *job) { return submit(p, job, false); }
int pool_threads(const struct pool *p) { return p->threads; }

struct pool_stats pool_stats(struct pool *p)
{
    MAGIC_CHECK(p, POOL_MAGIC);
    pthread_mutex_lock(&p->lock);
    struct pool_stats s = {
        .threads = (size_t)p->threads,
        .queued = p->queued,
        .queue_max = p->queue_max,
        .queue_peak = p->queue_peak,
        .run = p->run,
        .refused = p->refused,
    };
    pthread_mutex_unlock(&p->lock);
    return s;
}
