// The queue between threads: many put, one takes everything at once, in order. Items are embedded
// in what is sent, so that putting never allocates and never fails; what bounds the number of
// items is whoever makes them. Lock-free.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct queue_item {
    struct queue_item *next;
};

struct queue {
    _Atomic(struct queue_item *) newest;
};

// Puts item; true when the queue was empty before: then (and only then) the taker needs a wake-up.
static inline bool queue_put(struct queue *q, struct queue_item *item)
{
    struct queue_item *top = atomic_load_explicit(&q->newest, memory_order_relaxed);
    do
        item->next = top;
    while (!atomic_compare_exchange_weak_explicit(&q->newest, &top, item, memory_order_release, memory_order_relaxed));
    return top == NULL;
}

static inline bool queue_empty(struct queue *q)
{
    return atomic_load_explicit(&q->newest, memory_order_acquire) == NULL;
}

// All items, oldest first, linked by next; NULL when empty.
static inline struct queue_item *queue_take_all(struct queue *q)
{
    struct queue_item *item = atomic_exchange_explicit(&q->newest, NULL, memory_order_acquire), *list = NULL;
    while (item) {
        struct queue_item *next = item->next;
        item->next = list;
        list = item;
        item = next;
    }
    return list;
}

// The object that has an item (or a watch, a timer ...) embedded as `member`.
#define OS_CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
