#include "base/arena.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; // of data[]
    _Alignas(16) uint8_t data[];
};

enum { ARENA_CHUNK_MIN = 4096, ARENA_CHUNK_MAX = 1 << 20 };

void arena_init(struct arena *a, size_t cap) { *a = (struct arena){ .cap = cap }; }

static void drop(struct arena *a, struct arena_chunk *c)
{
    if (c)
        a->used -= c->size + sizeof *c;
    mem_free(c);
}

// Gives up the chunks down to last (not included), but for the largest, which becomes the spare.
static void give_up(struct arena *a, const struct arena_chunk *last)
{
    while (a->head != last) {
        struct arena_chunk *c = a->head;
        a->head = c->next;
        if (a->spare && a->spare->size >= c->size) {
            drop(a, c);
        } else {
            drop(a, a->spare);
            a->spare = c;
        }
    }
}

static void push(struct arena *a, struct arena_chunk *c)
{
    c->next = a->head;
    a->head = c;
    a->cur = c->data;
    a->end = c->data + c->size;
}

void arena_free(struct arena *a)
{
    give_up(a, NULL);
    drop(a, a->spare);
    *a = (struct arena){ .cap = a->cap };
}

void arena_reset(struct arena *a)
{
    give_up(a, NULL);
    struct arena_chunk *keep = a->spare;
    *a = (struct arena){ .cap = a->cap, .used = a->used };
    if (keep)
        push(a, keep);
}

// The chunk of the mark is current again, so that its rest is used; of the newer ones the largest stays
// at hand, so that a run of large records does not go to the system for each.
void arena_rewind_chunks(struct arena *a, struct arena_mark mark)
{
    give_up(a, mark.head);
    a->cur = mark.cur;
    a->end = mark.head ? mark.head->data + mark.head->size : NULL;
}

static int arena_grow(struct arena *a, size_t need)
{
    struct arena_chunk *spare = a->spare;
    a->spare = NULL;
    if (spare && spare->size >= need) {
        push(a, spare);
        return 0;
    }
    drop(a, spare);
    size_t size = a->head ? a->head->size * 2 : ARENA_CHUNK_MIN;
    if (size > ARENA_CHUNK_MAX)
        size = ARENA_CHUNK_MAX;
    if (size < need)
        size = need;
    size_t room = a->cap > a->used ? a->cap - a->used : 0;
    if (room < sizeof(struct arena_chunk) || room - sizeof(struct arena_chunk) < need)
        return ERR_LIMIT;
    if (size > room - sizeof(struct arena_chunk))
        size = room - sizeof(struct arena_chunk);
    struct arena_chunk *c = mem_alloc(sizeof *c + size);
    if (!c)
        return ERR_NOMEM;
    c->size = size;
    a->used += sizeof *c + size;
    push(a, c);
    return 0;
}

static void *arena_take(struct arena *a, size_t size, size_t align)
{
    uintptr_t p = ((uintptr_t)a->cur + align - 1) & ~(uintptr_t)(align - 1);
    if (!a->cur || p > (uintptr_t)a->end || (uintptr_t)a->end - p < size) {
        if (size > SIZE_MAX / 2 || arena_grow(a, size + align) < 0)
            return NULL;
        p = ((uintptr_t)a->cur + align - 1) & ~(uintptr_t)(align - 1);
    }
    a->cur = (uint8_t *)p + size;
    return (void *)p;
}

void *arena_alloc(struct arena *a, size_t size) { return arena_take(a, size, 16); }

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_take(a, size, 16);
    if (p)
        memset(p, 0, size);
    return p;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    return arena_take(a, total, 16);
}

void *arena_alloc_bytes(struct arena *a, size_t size) { return arena_take(a, size, 1); }

int arena_dup(struct arena *a, str s, str *ret_out)
{
    char *p = arena_take(a, s.len + 1, 1);
    if (!p)
        return ERR_NOMEM;
    if (s.len)
        memcpy(p, s.ptr, s.len);
    p[s.len] = 0;
    *ret_out = (str){ p, s.len };
    return 0;
}

str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, ap2;
    va_start(ap, fmt);
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_take(a, (size_t)n + 1, 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    return (str){ p, p ? (size_t)n : 0 };
}
