#include "query/exec.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

// All runs of one query together.
static bool over(const struct exec *x, size_t n)
{
    size_t held = 0;
    while (x->outer)
        x = x->outer;
    for (const struct exec *r = x; r; r = r->inner)
        held += r->used + r->arena.used + r->scratch.used;
    return held > x->cap || n > x->cap - held;
}

void *exec_alloc(struct exec *x, size_t n)
{
    if (over(x, n))
        return NULL;
    void *p = mem_alloc(n);
    if (p)
        x->used += n;
    return p;
}

void *exec_zalloc(struct exec *x, size_t n)
{
    if (over(x, n))
        return NULL;
    void *p = mem_zalloc(n);
    if (p)
        x->used += n;
    return p;
}

void *exec_realloc(struct exec *x, void *p, size_t old_n, size_t new_n)
{
    // While it moves both exist.
    if (over(x, new_n))
        return NULL;
    void *q = mem_realloc(p, new_n);
    if (q)
        x->used = x->used - old_n + new_n;
    return q;
}

void exec_free(struct exec *x, void *p, size_t n)
{
    if (!p)
        return;
    must(x->used >= n);
    x->used -= n;
    mem_free(p);
}

int exec_grow(struct exec *x, void **array, uint32_t *cap, uint32_t n, size_t size)
{
    if (n < *cap)
        return 0;
    if (*cap > UINT32_MAX / 4)
        return exec_nomem(x);
    uint32_t more = *cap ? *cap * 2 : 16;
    void *p = exec_realloc(x, *array, *cap * size, more * size);
    if (!p)
        return exec_nomem(x);
    *array = p;
    *cap = more;
    return 0;
}

int exec_nomem(struct exec *x)
{
    query_fail(x->err, QUERY_E_MEMORY, "the step %.*s needs more than the %zu MiB that a query may take",
               STR_ARG(x->step), x->cap >> 20);
    query_error_hint(x->err, "narrow the time range or the filter, group by fewer distinct values, or add a limit");
    return ERR_NOMEM;
}

int exec_hint(struct exec *x, str text)
{
    str *more = arena_alloc_array(&x->arena, x->stats.hints_n + 1, sizeof *more);
    if (!more || arena_dup(&x->arena, text, &more[x->stats.hints_n]) < 0)
        return exec_nomem(x);
    if (x->stats.hints_n)
        memcpy(more, x->stats.hints, x->stats.hints_n * sizeof *more);
    x->stats.hints = more;
    x->stats.hints_n++;
    return 0;
}

int exec_fail(struct exec *x, int code)
{
    switch (code) {
    case ERR_NOMEM:
        return exec_nomem(x);
    case ERR_CLOSED:
    case ERR_CANCELLED:
        x->gone = true;
        return code;
    case ERR_STOPPING:
        query_fail(x->err, QUERY_E_STOPPING, "the server is stopping");
        return code;
    default:
        query_fail(x->err, QUERY_E_INTERNAL, "reading stored rows failed: %s", err_text(code));
        return code;
    }
}

int exec_poll(struct exec *x)
{
    if (x->q->cancelled && x->q->cancelled(x->q->cancelled_ctx)) {
        x->gone = true;
        return ERR_CANCELLED;
    }
    if (over(x, 0))
        return exec_nomem(x);
    if (clock_mono_ns() >= x->deadline) {
        if (x->q->partial) {
            x->cut_time = true;
            return 0;
        }
        query_fail(x->err, QUERY_E_TIMEOUT, "the query took longer than its time allows");
        query_error_hint(x->err,
                         "narrow the time range or the filter; with \"partial\":true the rows so far are answered");
        return ERR_TIMEOUT;
    }
    return 0;
}

static void reader_forget(struct exec *x, struct exec_segment *s)
{
    s->reader_bytes += reader_bytes(s->reader);
    reader_close(s->reader);
    s->reader = NULL;
    for (int t = 0; t < TABLE_N; t++)
        s->block[t] = BLOCK_NONE;
    x->readers_open--;
}

int exec_reader(struct exec *x, struct exec_segment *s)
{
    s->used_at = ++x->ticks;
    if (s->reader)
        return 0;
    if (x->readers_open >= EXEC_READERS) {
        struct exec_segment *oldest = NULL;
        for (uint32_t i = 0; i < x->segs_n; i++) {
            struct exec_segment *o = &x->segs[i];
            if (o->reader && (!oldest || o->used_at < oldest->used_at))
                oldest = o;
        }
        reader_forget(x, oldest);
    }
    int rc = reader_open(s->seg, &s->reader);
    if (rc < 0)
        return exec_fail(x, rc);
    x->readers_open++;
    for (int t = 0; t < TABLE_N; t++)
        s->block[t] = BLOCK_NONE;
    return 0;
}

int exec_seek(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t block)
{
    int rc = exec_reader(x, s);
    if (rc < 0)
        return rc;
    if (s->block[t] == block)
        return 0;
    rc = reader_seek(s->reader, t, block);
    if (rc < 0)
        return exec_fail(x, rc);
    s->block[t] = block;
    return 0;
}

int exec_column(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t col, struct vec *ret)
{
    int rc = reader_column(s->reader, t, col, ret);
    return rc < 0 ? exec_fail(x, rc) : 0;
}

uint64_t *exec_bits(struct exec *x, uint32_t n, bool ones)
{
    size_t words = BITS_WORDS(n);
    uint64_t *b = exec_scratch(x, words, 8);
    if (!b)
        return NULL;
    memset(b, ones ? 0xff : 0, (words ? words : 1) * 8);
    if (ones && (n & 63))
        b[words - 1] = (1ull << (n & 63)) - 1;
    if (ones && n == 0)
        b[0] = 0;
    return b;
}
