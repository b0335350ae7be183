#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "os/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;

static void *run_thread(void *arg)
{
    assert_int_equal(loop_run(arg), 0);
    return NULL;
}

struct post {
    struct loop_message message;
    int sender, number;
};

enum { SENDERS = 4, POSTS = 20000 };
static int next_of[SENDERS], arrived;

static void on_post(struct loop_message *m)
{
    struct post *p = OS_CONTAINER(m, struct post, message);
    assert_ptr_equal(loop_current(), loop);
    assert_int_equal(p->number, next_of[p->sender]++); // in order for each sender
    free(p);
    if (++arrived == SENDERS * POSTS)
        loop_stop(loop);
}

static void *sender(void *arg)
{
    for (int i = 0; i < POSTS; i++) {
        struct post *p = calloc(1, sizeof *p);
        *p = (struct post){ .message.fn = on_post, .sender = (int)(intptr_t)arg, .number = i };
        loop_post(loop, &p->message);
    }
    return NULL;
}

static void test_mailbox(void **state)
{
    assert_int_equal(loop_new(&loop), 0);
    pthread_t run, senders[SENDERS];
    pthread_create(&run, NULL, run_thread, loop);
    for (int i = 0; i < SENDERS; i++)
        pthread_create(&senders[i], NULL, sender, (void *)(intptr_t)i);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    pthread_join(run, NULL);
    assert_int_equal(arrived, SENDERS * POSTS);
    loop_free(loop);
}

static int calls;
static void count_call(void *arg)
{
    if (++calls < 5)
        assert_int_equal(loop_post_call(loop, count_call, NULL), 0); // to itself, no sleep in between
    else
        loop_stop(loop);
}

static void test_post_to_itself_and_rest(void **state)
{
    assert_int_equal(loop_new(&loop), 0);
    calls = 0;
    assert_int_equal(loop_post_call(loop, count_call, NULL), 0);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(calls, 5);
    mem_fail_at(1);
    assert_int_equal(loop_post_call(loop, count_call, NULL), ERR_NOMEM);
    mem_fail_at(0);
    assert_int_equal(loop_post_call(loop, count_call, NULL), 0);
    loop_free(loop); // what was posted is run, never lost
    assert_int_equal(calls, 6);
}

struct pair {
    struct loop_watch watch;
    struct pair *other;
    int events;
};

// Both are ready in the same turn; whichever runs first removes the other, which must not run.
static void on_pair(struct loop_watch *w, uint32_t events)
{
    struct pair *p = OS_CONTAINER(w, struct pair, watch);
    p->events++;
    int fd = p->other->watch.fd;
    loop_watch_remove(loop, &p->other->watch);
    close(fd);
    memset(p->other, 0xff, sizeof *p->other); // as if freed
    loop_watch_remove(loop, w);
    loop_stop(loop);
}

static void test_remove_in_callback(void **state)
{
    assert_int_equal(loop_new(&loop), 0);
    struct pair pairs[2];
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    for (int i = 0; i < 2; i++) {
        pairs[i] = (struct pair){ { fds[i], EPOLLIN, on_pair }, &pairs[1 - i], 0 };
        assert_int_equal(write(fds[i], "x", 1), 1);
        assert_int_equal(loop_watch_add(loop, &pairs[i].watch), 0);
    }
    assert_int_equal(loop_run(loop), 0);
    loop_free(loop);
    close(fds[0]);
    close(fds[1]);
}

static void on_timer(struct timer *t) { loop_stop(loop); }

static void test_timer_and_time(void **state)
{
    assert_int_equal(loop_new(&loop), 0);
    struct timer t = { .fn = on_timer };
    int64_t from = clock_mono_ns();
    loop_timer_set(loop, &t, 30);
    assert_int_equal(loop_run(loop), 0);
    assert_true(clock_mono_ns() - from >= 30 * NS_PER_MS); // never early
    assert_true(loop_now_ns(loop) >= from);
    loop_free(loop);
}

static int got_signal;
static void on_signal(int signal, void *arg)
{
    got_signal = signal;
    loop_stop(arg);
}

static void test_signals(void **state)
{
    const int signals[] = { SIGUSR1, SIGTERM, 0 };
    assert_int_equal(loop_signals_block(signals), 0);
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(loop_signals_take(loop, signals, on_signal, loop), 0);
    kill(getpid(), SIGTERM);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(got_signal, SIGTERM);
    loop_free(loop);
}

static void test_new_without_memory(void **state)
{
    struct loop *l = NULL;
    mem_fail_at(1);
    assert_int_equal(loop_new(&l), ERR_NOMEM);
    mem_fail_at(0);
    assert_null(l);
    loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailbox),
        cmocka_unit_test(test_post_to_itself_and_rest),
        cmocka_unit_test(test_remove_in_callback),
        cmocka_unit_test(test_timer_and_time),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_new_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
