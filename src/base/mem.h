// The one place where memory comes from, so that a test can make the n-th allocation fail and the
// server can say how much it holds. All return NULL when there is none; zero sizes are allowed.
#pragma once
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size) __attribute__((malloc));
void *mem_zalloc(size_t size) __attribute__((malloc)); // zero-filled
void *mem_calloc(size_t n, size_t size);               // zero-filled, overflow-checked
void *mem_realloc(void *p, size_t size);
void *mem_reallocarray(void *p, size_t n, size_t size); // overflow-checked
void *mem_dup(const void *p, size_t n);
void mem_free(void *p);

// Tests: from now on the n-th allocation in any thread (1 = the next one) fails, once; 0 turns it off.
void mem_fail_at(int64_t nth);
// Tests: allocations counted since the last mem_fail_at().
int64_t mem_fail_count(void);
