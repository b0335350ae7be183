#include "os/loop.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LOOP_EVENTS_TURN = 256, LOOP_WAIT_MS_MAX = 60 * 1000 };

#define LOOP_MAGIC 0x100b100bu

struct loop {
    uint32_t magic;
    int epoll;
    _Atomic bool stopping;
    int64_t now_ns;
    struct timer_wheel timers;
    struct queue mailbox;
    struct loop_watch wake; // eventfd
    struct loop_watch signals;
    loop_signal_fn *signal_fn;
    void *signal_arg;
    // The turn's ready list, so that a removed watch can be taken out of it.
    struct epoll_event ready[LOOP_EVENTS_TURN];
    int ready_n, ready_at;
};

static _Thread_local struct loop *current_loop;

struct loop *loop_current(void) { return current_loop; }
int64_t loop_now_ns(const struct loop *l) { return l->now_ns; }

static int64_t ms_of_ns(int64_t ns) { return ns / NS_PER_MS; }

static void on_wake(struct loop_watch *w, uint32_t events)
{
    uint64_t n;
    while (read(w->fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
}

static void on_signal(struct loop_watch *w, uint32_t events)
{
    struct loop *l = OS_CONTAINER(w, struct loop, signals);
    struct signalfd_siginfo info;
    while (read(w->fd, &info, sizeof info) == sizeof info)
        l->signal_fn((int)info.ssi_signo, l->signal_arg);
}

int loop_new(struct loop **ret_loop)
{
    int rc = 0;
    struct loop *l = mem_zalloc(sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->magic = LOOP_MAGIC;
    l->wake = (struct loop_watch){ -1, EPOLLIN, on_wake };
    l->signals = (struct loop_watch){ -1, EPOLLIN, on_signal };
    l->now_ns = clock_mono_ns();
    timer_wheel_init(&l->timers, ms_of_ns(l->now_ns));
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) {
        rc = err_of_errno(errno);
        goto fail;
    }
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        rc = err_of_errno(errno);
        goto fail;
    }
    l->wake.fd = fd;
    rc = loop_watch_add(l, &l->wake);
    if (rc < 0)
        goto fail;
    *ret_loop = l;
    return 0;
fail:
    if (l->wake.fd >= 0)
        close(l->wake.fd);
    if (l->epoll >= 0)
        close(l->epoll);
    mem_free(l);
    return rc;
}

static void mailbox_run(struct loop *l)
{
    for (struct queue_item *item = queue_take_all(&l->mailbox); item;) {
        struct queue_item *next = item->next; // fn may free the message
        struct loop_message *m = OS_CONTAINER(item, struct loop_message, item);
        m->fn(m);
        item = next;
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    MAGIC_CHECK(l, LOOP_MAGIC);
    struct loop *outer = current_loop;
    current_loop = l;
    while (!queue_empty(&l->mailbox))
        mailbox_run(l);
    current_loop = outer;
    if (l->signals.fd >= 0)
        close(l->signals.fd);
    close(l->wake.fd);
    close(l->epoll);
    l->magic = 0;
    mem_free(l);
}

static int turn_wait_ms(struct loop *l)
{
    if (!queue_empty(&l->mailbox))
        return 0;
    int64_t wait = timer_wheel_wait_ms(&l->timers);
    if (wait < 0 || wait > LOOP_WAIT_MS_MAX)
        return LOOP_WAIT_MS_MAX;
    // The wheel's time is when it was last advanced; a moment has passed since.
    int64_t late = ms_of_ns(clock_mono_ns()) - l->timers.now_ms;
    return wait > late ? (int)(wait - late) : 0;
}

int loop_run(struct loop *l)
{
    MAGIC_CHECK(l, LOOP_MAGIC);
    must(!current_loop);
    current_loop = l;
    int rc = 0;
    while (!atomic_load_explicit(&l->stopping, memory_order_acquire)) {
        int n = epoll_wait(l->epoll, l->ready, LOOP_EVENTS_TURN, turn_wait_ms(l));
        if (n < 0 && errno != EINTR) {
            rc = err_of_errno(errno);
            break;
        }
        l->now_ns = clock_mono_ns();
        l->ready_n = n > 0 ? n : 0;
        for (l->ready_at = 0; l->ready_at < l->ready_n; l->ready_at++) {
            struct loop_watch *w = l->ready[l->ready_at].data.ptr;
            if (w)
                w->fn(w, l->ready[l->ready_at].events);
        }
        l->ready_n = 0;
        timer_wheel_advance(&l->timers, ms_of_ns(l->now_ns));
        mailbox_run(l);
    }
    current_loop = NULL;
    return rc;
}

static void wake_up(struct loop *l)
{
    uint64_t one = 1;
    while (write(l->wake.fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void loop_stop(struct loop *l)
{
    MAGIC_CHECK(l, LOOP_MAGIC);
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    wake_up(l);
}

int loop_watch_add(struct loop *l, struct loop_watch *w)
{
    struct epoll_event e = { .events = w->events, .data.ptr = w };
    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &e) < 0 ? err_of_errno(errno) : 0;
}

int loop_watch_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
    if (w->events == events)
        return 0;
    struct epoll_event e = { .events = events, .data.ptr = w };
    if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, w->fd, &e) < 0)
        return err_of_errno(errno);
    w->events = events;
    return 0;
}

void loop_watch_remove(struct loop *l, struct loop_watch *w)
{
    if (w->fd < 0)
        return;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = l->ready_at + 1; i < l->ready_n; i++)
        if (l->ready[i].data.ptr == w)
            l->ready[i].data.ptr = NULL;
    w->fd = -1;
}

void loop_timer_set(struct loop *l, struct timer *t, int64_t delay_ms)
{
    // One more: a millisecond that has begun does not count as one that has passed.
    timer_set(&l->timers, t, ms_of_ns(l->now_ns) + (delay_ms > 0 ? delay_ms : 0) + 1);
}

void loop_timer_clear(struct loop *l, struct timer *t) { timer_clear(&l->timers, t); }

void loop_post(struct loop *l, struct loop_message *m)
{
    MAGIC_CHECK(l, LOOP_MAGIC);
    // The loop's own thread looks into the mailbox before it sleeps.
    if (queue_put(&l->mailbox, &m->item) && current_loop != l)
        wake_up(l);
}

struct loop_call {
    struct loop_message message;
    loop_call_fn *fn;
    void *arg;
};

static void on_call(struct loop_message *m)
{
    struct loop_call *c = OS_CONTAINER(m, struct loop_call, message);
    loop_call_fn *fn = c->fn;
    void *arg = c->arg;
    mem_free(c);
    fn(arg);
}

int loop_post_call(struct loop *l, loop_call_fn *fn, void *arg)
{
    struct loop_call *c = mem_alloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct loop_call){ .message.fn = on_call, .fn = fn, .arg = arg };
    loop_post(l, &c->message);
    return 0;
}

static sigset_t signal_set(const int *signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *signals; signals++)
        sigaddset(&set, *signals);
    return set;
}

int loop_signals_block(const int *signals)
{
    sigset_t set = signal_set(signals);
    return pthread_sigmask(SIG_BLOCK, &set, NULL) ? ERR_INVALID : 0;
}

int loop_signals_take(struct loop *l, const int *signals, loop_signal_fn *fn, void *arg)
{
    must(l->signals.fd < 0);
    sigset_t set = signal_set(signals);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    l->signals.fd = fd;
    l->signal_fn = fn;
    l->signal_arg = arg;
    int rc = loop_watch_add(l, &l->signals);
    if (rc < 0) {
        close(fd);
        l->signals.fd = -1;
    }
    return rc;
}
