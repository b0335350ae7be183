// Worker threads for CPU and disk work, behind one bounded queue: what does not fit is refused, so
// that overload is answered and not stored. Jobs are embedded in their owner's objects.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct pool;

struct pool_job {
    struct pool_job *next;
    // worker: 0 .. threads-1, this thread's for good: the key to what a worker has for itself (a lane).
    void (*run)(struct pool_job *, int worker);
};

struct pool_stats {
    size_t threads, queued, queue_max, queue_peak;
    uint64_t run, refused;
};

// name: at most 12 characters, shown in top and debuggers. threads: 1..256.
int pool_new(const char *name, int threads, size_t queue_max, struct pool **ret_pool);
// Takes no more jobs, runs those that are queued, joins the threads. Safe to call twice.
void pool_stop(struct pool *p);
// Stops first. NULL is allowed.
void pool_free(struct pool *p);
// 0: job->run will be called once, on a worker. ERR_BUSY: the queue is full. ERR_STOPPING.
int pool_submit(struct pool *p, struct pool_job *job);
// The same without the bound: for work that ends something already admitted. ERR_STOPPING.
int pool_submit_admitted(struct pool *p, struct pool_job *job);
int pool_threads(const struct pool *p);
struct pool_stats pool_stats(struct pool *p);
