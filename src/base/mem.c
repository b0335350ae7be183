#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Negative: injection is off (the usual state; one relaxed load and a predicted branch).
static _Atomic int64_t fail_at = -1;
static _Atomic int64_t fail_seen;

static bool mem_must_fail(void)
{
    int64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    if (__builtin_expect(at < 0, 1))
        return false;
    return atomic_fetch_add(&fail_seen, 1) + 1 == at;
}

void mem_fail_at(int64_t nth)
{
    atomic_store(&fail_seen, 0);
    atomic_store(&fail_at, nth > 0 ? nth : -1);
}

int64_t mem_fail_count(void) { return atomic_load(&fail_seen); }

void *mem_alloc(size_t size) { return mem_must_fail() ? NULL : malloc(size ? size : 1); }

void *mem_zalloc(size_t size) { return mem_must_fail() ? NULL : calloc(1, size ? size : 1); }

void *mem_calloc(size_t n, size_t size) { return mem_must_fail() ? NULL : calloc(n ? n : 1, size ? size : 1); }

void *mem_realloc(void *p, size_t size) { return mem_must_fail() ? NULL : realloc(p, size ? size : 1); }

void *mem_reallocarray(void *p, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    return mem_realloc(p, total);
}

void *mem_dup(const void *p, size_t n)
{
    void *q = mem_alloc(n);
    if (q && n)
        memcpy(q, p, n);
    return q;
}

void mem_free(void *p) { free(p); }
