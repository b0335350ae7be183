#include "os/timer.h"

#include "base/must.h"

#include <string.h>

enum { TIMER_BITS = 6 };

void timer_wheel_init(struct timer_wheel *w, int64_t now_ms)
{
    memset(w, 0, sizeof *w);
    w->now_ms = now_ms;
}

static void slot_link(struct timer_wheel *w, struct timer *t, int level, int slot)
{
    struct timer **head = &w->slots[level][slot];
    t->next = *head;
    t->prev = head;
    if (t->next)
        t->next->prev = &t->next;
    *head = t;
    w->used[level] |= 1ull << slot;
}

static void timer_place(struct timer_wheel *w, struct timer *t)
{
    int64_t delta = t->due_ms - w->now_ms;
    int level = 0;
    while (level < TIMER_LEVELS - 1 && delta >= 1ll << (TIMER_BITS * (level + 1)))
        level++;
    slot_link(w, t, level, (int)((t->due_ms >> (TIMER_BITS * level)) & (TIMER_SLOTS - 1)));
}

void timer_set(struct timer_wheel *w, struct timer *t, int64_t due_ms)
{
    must(t->fn);
    timer_clear(w, t);
    const int64_t longest = (1ll << (TIMER_BITS * TIMER_LEVELS)) - 1;
    if (due_ms <= w->now_ms)
        due_ms = w->now_ms + 1; // the current tick has been fired already
    if (due_ms - w->now_ms > longest)
        due_ms = w->now_ms + longest;
    t->due_ms = due_ms;
    timer_place(w, t);
}

void timer_clear(struct timer_wheel *w, struct timer *t)
{
    if (!t->prev)
        return;
    *t->prev = t->next;
    if (t->next)
        t->next->prev = t->prev;
    // The slot's bit may now lie: it costs one look at an empty slot, and saves knowing the slot here.
    t->next = NULL;
    t->prev = NULL;
}

// Takes a slot's list, which afterwards hangs on *list alone (timers may be cleared from it).
static void slot_take(struct timer_wheel *w, int level, int slot, struct timer **list)
{
    *list = w->slots[level][slot];
    if (*list)
        (*list)->prev = list;
    w->slots[level][slot] = NULL;
    w->used[level] &= ~(1ull << slot);
}

// now_ms has become a multiple of 64^level for some level > 0: its slot is dealt to the levels below.
static void wheel_cascade(struct timer_wheel *w)
{
    for (int level = 1; level < TIMER_LEVELS; level++) {
        if (w->now_ms & ((1ll << (TIMER_BITS * level)) - 1))
            break;
        struct timer *list;
        slot_take(w, level, (int)((w->now_ms >> (TIMER_BITS * level)) & (TIMER_SLOTS - 1)), &list);
        while (list) {
            struct timer *t = list;
            timer_clear(w, t);
            timer_place(w, t);
        }
    }
}

static void wheel_fire(struct timer_wheel *w)
{
    struct timer *list;
    slot_take(w, 0, (int)(w->now_ms & (TIMER_SLOTS - 1)), &list);
    while (list) {
        struct timer *t = list;
        timer_clear(w, t);
        t->fn(t);
    }
}

int64_t timer_wheel_wait_ms(const struct timer_wheel *w)
{
    int64_t best = -1;
    for (int level = 0; level < TIMER_LEVELS; level++) {
        if (!w->used[level])
            continue;
        // The first used slot after the current one, in wheel order (the current one means a whole turn).
        int64_t tick = w->now_ms >> (TIMER_BITS * level);
        int at = (int)((tick + 1) & (TIMER_SLOTS - 1));
        uint64_t turned = at ? w->used[level] >> at | w->used[level] << (TIMER_SLOTS - at) : w->used[level];
        int64_t due = (tick + 1 + __builtin_ctzll(turned)) << (TIMER_BITS * level);
        if (best < 0 || due < best)
            best = due;
    }
    return best < 0 ? -1 : best - w->now_ms;
}

void timer_wheel_advance(struct timer_wheel *w, int64_t now_ms)
{
    while (w->now_ms < now_ms) {
        int64_t wait = timer_wheel_wait_ms(w);
        if (wait < 0 || w->now_ms + wait > now_ms) {
            w->now_ms = now_ms;
            return;
        }
        w->now_ms += wait;
        wheel_cascade(w);
        wheel_fire(w);
    }
}
