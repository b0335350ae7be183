// The event loop: one thread, one epoll, its timers and its mailbox. Everything that belongs to a loop
// is touched by its thread only; other threads reach it by posting a message.
//
// One turn: wait -> ready descriptors -> due timers -> mailbox. Messages that the loop's own thread
// posts run in the same turn's mailbox step or the next turn without sleeping in between: posting to
// oneself is how work is put off until everything that has arrived was looked at (batching).
//
// Watches, timers and messages are embedded in their owner's objects (OS_CONTAINER of os/queue.h leads
// back); the loop never allocates for them.
#pragma once
#include "os/queue.h"
#include "os/timer.h"

#include <stdint.h>
#include <sys/epoll.h>

struct loop;

struct loop_watch {
    int fd;          // -1: not watched
    uint32_t events; // EPOLLIN | EPOLLOUT | EPOLLRDHUP, level-triggered
    void (*fn)(struct loop_watch *, uint32_t events);
};

struct loop_message {
    struct queue_item item;
    void (*fn)(struct loop_message *);
};

typedef void loop_call_fn(void *arg);
typedef void loop_signal_fn(int signal, void *arg);

int loop_new(struct loop **ret_loop);
// Runs what is still in the mailbox, then frees. Watches and timers must be gone. NULL is allowed.
void loop_free(struct loop *l);

// Runs until loop_stop() (from any thread, also from a signal watcher); returns what has gone wrong
// with epoll itself, else 0. The calling thread is the loop's thread.
int loop_run(struct loop *l);
void loop_stop(struct loop *l);
// The loop whose thread this is, or NULL.
struct loop *loop_current(void);

// Time of this turn, monotonic: cheap, at most one turn old.
int64_t loop_now_ns(const struct loop *l);

int loop_watch_add(struct loop *l, struct loop_watch *w);
int loop_watch_change(struct loop *l, struct loop_watch *w, uint32_t events);
// The watch may be freed right after, also within a callback of the same turn. Does not close the fd.
void loop_watch_remove(struct loop *l, struct loop_watch *w);

// t->fn must be set, the rest zero before the first use. Sets anew when set already.
void loop_timer_set(struct loop *l, struct timer *t, int64_t delay_ms);
void loop_timer_clear(struct loop *l, struct timer *t);

// From any thread: m->fn runs on the loop's thread. m stays in use until then; fn may free it.
void loop_post(struct loop *l, struct loop_message *m);
// The same with a message of the loop's making; ERR_NOMEM.
int loop_post_call(struct loop *l, loop_call_fn *fn, void *arg);

// Signals come as events: block them in every thread first (call before any thread is started), then
// have one loop take them. signals: a list ending in 0.
int loop_signals_block(const int *signals);
int loop_signals_take(struct loop *l, const int *signals, loop_signal_fn *fn, void *arg);
