// Arena: memory by lifetime (connection, request, batch, query). Allocation is a pointer bump,
// freeing is all at once, and every arena has a byte cap given at creation, so that nothing from
// outside can make it grow without bound. Not thread-safe.
#pragma once
#include "base/bytes.h"

struct arena_chunk;

struct arena {
    uint8_t *cur, *end;
    struct arena_chunk *head;  // newest chunk
    struct arena_chunk *spare; // kept by arena_rewind() for the next growth
    size_t used;               // bytes taken from the system
    size_t cap;
};

// cap: most bytes that the arena may take from the system, in bytes.
void arena_init(struct arena *a, size_t cap);
// Frees everything; the arena can be used again (same cap).
void arena_free(struct arena *a);
// Forgets everything but keeps the largest chunk: for reuse from request to request.
void arena_reset(struct arena *a);
// NULL when the cap or the system says no. Alignment 16 for arena_alloc, 1 for the others.
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
void *arena_alloc_array(struct arena *a, size_t n, size_t size); // overflow-checked
void *arena_alloc_bytes(struct arena *a, size_t size);
// Copy; *ret_out is untouched on failure. Also NUL-terminates behind the view.
int arena_dup(struct arena *a, str s, str *ret_out);
// printf into the arena; ptr is NULL on failure.
str arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// A place to come back to: what was allocated since is forgotten, the memory mostly kept.
struct arena_mark {
    struct arena_chunk *head;
    uint8_t *cur;
};
static inline struct arena_mark arena_mark(const struct arena *a) { return (struct arena_mark){ a->head, a->cur }; }
void arena_rewind_chunks(struct arena *a, struct arena_mark mark);
static inline void arena_rewind(struct arena *a, struct arena_mark mark)
{
    if (__builtin_expect(a->head == mark.head, 1))
        a->cur = mark.cur;
    else
        arena_rewind_chunks(a, mark);
}
