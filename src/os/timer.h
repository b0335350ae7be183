// Timers: a hierarchical wheel of 1 ms ticks. Setting and clearing are O(1) and never allocate, since
// servers set and clear far more timers than ever fire. Not thread-safe: one wheel a loop.
//
// Five levels of 64 slots: level l holds what is due within 64^(l+1) ms, and is dealt to the level
// below when its time comes. Longest delay: 64^5 ms, about 12 days; more is cut to that.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    struct timer *next, **prev; // prev NULL: not set
    int64_t due_ms;
    void (*fn)(struct timer *);
};

enum { TIMER_LEVELS = 5, TIMER_SLOTS = 64 };

struct timer_wheel {
    int64_t now_ms; // every timer due at or before has been fired
    struct timer *slots[TIMER_LEVELS][TIMER_SLOTS];
    uint64_t used[TIMER_LEVELS]; // bitmap of slots that are not empty
};

void timer_wheel_init(struct timer_wheel *w, int64_t now_ms);
static inline bool timer_is_set(const struct timer *t) { return t->prev != NULL; }
// Sets (or sets anew) t to fire when the wheel's time reaches due_ms.
void timer_set(struct timer_wheel *w, struct timer *t, int64_t due_ms);
void timer_clear(struct timer_wheel *w, struct timer *t);
// Moves time on and fires what is due, in order of ticks. A callback may set and clear any timer.
void timer_wheel_advance(struct timer_wheel *w, int64_t now_ms);
// Milliseconds from the wheel's time until it must be advanced; -1 when nothing is set. May be
// earlier than the first timer, never later.
int64_t timer_wheel_wait_ms(const struct timer_wheel *w);
