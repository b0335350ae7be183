#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/pool.h"
#include "os/queue.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct job {
    struct pool_job job;
    int worker;
};

static sem_t started, go;
static atomic_int done;

static void run_blocked(struct pool_job *j, int worker)
{
    OS_CONTAINER(j, struct job, job)->worker = worker;
    sem_post(&started);
    sem_wait(&go);
    done++;
}

static void test_bounded_and_indexed(void **state)
{
    sem_init(&started, 0, 0);
    sem_init(&go, 0, 0);
    done = 0;
    struct pool *p = NULL;
    assert_int_equal(pool_new("test", 2, 3, &p), 0);
    struct job jobs[7];
    for (int i = 0; i < 7; i++)
        jobs[i] = (struct job){ .job.run = run_blocked, .worker = -1 };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pool_submit(p, &jobs[i].job), 0);
        sem_wait(&started);
    }
    assert_int_equal(jobs[0].worker + jobs[1].worker, 1); // 0 and 1, one each
    for (int i = 2; i < 5; i++)
        assert_int_equal(pool_submit(p, &jobs[i].job), 0);
    assert_int_equal(pool_submit(p, &jobs[5].job), ERR_BUSY);
    assert_int_equal(pool_submit_admitted(p, &jobs[6].job), 0);
    struct pool_stats s = pool_stats(p);
    assert_int_equal(s.refused, 1);
    assert_int_equal(s.queued, 4);
    assert_int_equal(s.queue_peak, 4);
    for (int i = 0; i < 6; i++)
        sem_post(&go);
    pool_stop(p); // runs what is queued
    assert_int_equal(done, 6);
    assert_int_equal(jobs[5].worker, -1);
    assert_int_equal(pool_submit(p, &jobs[5].job), ERR_STOPPING);
    assert_int_equal(pool_submit_admitted(p, &jobs[5].job), ERR_STOPPING);
    pool_free(p);
    sem_destroy(&started);
    sem_destroy(&go);
}

static void test_no_memory(void **state)
{
    struct pool *p = NULL;
    mem_fail_at(1);
    assert_int_equal(pool_new("test", 2, 3, &p), ERR_NOMEM);
    mem_fail_at(0);
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bounded_and_indexed), cmocka_unit_test(test_no_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
