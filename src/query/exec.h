// One run of one query: what all its parts share. Private to the room.
//
// A run is one thread. Memory is taken from two places, both counted against the cap: the arena of the
// run (lives until its end) and exec_alloc() (tables that grow). `scratch` is emptied between batches.
#pragma once
#include "base/arena.h"
#include "query/error.h"
#include "query/plan.h"
#include "query/qval_ops.h"
#include "query/run.h"

#define BITS_WORDS(n) (((size_t)(n) + 63) / 64)

struct chain;
struct child_index;
struct issue_leaf;
struct issue_memo;
struct made;
struct leaf_state;

// Where records of an earlier page ended: the order of the last row, and how many rows of exactly that order came before.
struct scan_cursor {
    int64_t time, received;
    uint64_t resource;
    uint32_t source, skip;
};

// A segment in a run.
struct exec_segment {
    const struct segment *seg;
    const struct segment_info *info;
    uint32_t index; // in exec.segs, the order of the view
    enum query_source source;
    struct reader *reader;                 // NULL: not open; see exec_reader()
    uint64_t reader_bytes;                 // of readers that were closed
    uint32_t block[TABLE_N];               // current one of the reader, BLOCK_NONE
    uint64_t used_at;                      // for closing the reader that was used longest ago
    struct chain **chains;                 // by plan ref; NULL until needed (chain.h)
    struct chain **fields;                 // by fixed field
    struct chain *text;                    // of the record's text
    struct chain *child_texts[TABLE_N];    // of events and links
    struct leaf_state **leaves;            // by plan leaf
    struct child_index *children[TABLE_N]; // see child.h
    uint64_t first;                        // live tail: rows before it are old
    bool scanned;                          // some block of it was read
};
#define BLOCK_NONE UINT32_MAX

struct exec {
    const struct query_request *q;
    const struct query_output *out;
    struct query_error *err;
    struct query_plan *plan;
    struct arena arena, scratch;
    size_t used, cap; // bytes by exec_alloc(); cap of all together
    str step;         // what runs now, for the error `memory`
    int64_t deadline; // monotonic ns
    int64_t started, cpu_started;
    struct exec_segment *segs;
    uint32_t segs_n, readers_open;
    uint64_t ticks;
    int64_t range_from, range_to; // the plan's range; open ends closed by what is stored
    bool gone;                    // the output said stop (ERR_CLOSED) or the caller cancelled
    bool cut_time;                // the time cap was met with `partial`
    uint64_t parse_cut;           // rows of which `parse` could not read all
    struct query_stats stats;
    const struct scan_cursor *cursor; // records go on behind it; NULL: from the start
    struct scan_cursor cursor_place;
    uint64_t offset;      // rows of the result to pass over
    uint64_t rows_before; // rows that earlier pages answered
    // An inner query (set.h): the run that it belongs to, whose memory and time it shares, and where its values go.
    struct exec *outer, *inner;
    struct value_set *set;
    struct made *made; // rows of issues (issue_rows.h)
    struct issue_leaf *issue_leaves;
    struct issue_memo *issue_memo; // of the outermost run
    struct patterns *patterns;     // of the texts that were met (row_pattern.h)
};

// Plans the query and takes the segments; whatever it returns, exec_end() must follow. x->out is the caller's to set.
int exec_begin(struct exec *x, const struct query_request *q, const struct segment *const *segments,
               const uint64_t *firsts, uint32_t n, struct query_error *err);
// Open ends of the range closed by what is stored.
void exec_range_close(struct exec *x);
// The rows of the plan through its steps (run.c).
int exec_run(struct exec *x);
void exec_close(struct exec *x);      // the readers; their bytes are counted
int exec_end(struct exec *x, int rc); // frees; an error without words gets some; returns rc

// The memory of a run; NULL when the cap or the system says no, then exec_nomem(). Sizes are given back by the caller.
void *exec_alloc(struct exec *x, size_t n);
void *exec_zalloc(struct exec *x, size_t n);
void *exec_realloc(struct exec *x, void *p, size_t old_n, size_t new_n);
void exec_free(struct exec *x, void *p, size_t n);
// Room for one more entry of `size` bytes in an array of *cap entries that holds n: doubles it. 0 or ERR_NOMEM.
int exec_grow(struct exec *x, void **array, uint32_t *cap, uint32_t n, size_t size);
// Fills x->err with `memory`, naming the step; returns ERR_NOMEM.
int exec_nomem(struct exec *x);
// One more text in _stats.hints; it is copied.
int exec_hint(struct exec *x, str text);
// Any code of a lower room as an error of the query.
int exec_fail(struct exec *x, int code);
// Between batches: cancelled, over time, over memory? 0, ERR_CANCELLED, ERR_TIMEOUT, ERR_NOMEM with x->err filled.
// With `partial`, the end of time is 0 and x->cut_time is set: whoever produces rows stops there.
int exec_poll(struct exec *x);

// Opens the segment's reader; at most EXEC_READERS are open at a time (the one used longest ago is closed).
enum { EXEC_READERS = 8 };
int exec_reader(struct exec *x, struct exec_segment *s);
// Makes block the current one of the table (opening the reader when needed).
int exec_seek(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t block);
int exec_column(struct exec *x, struct exec_segment *s, enum segment_table t, uint32_t col, struct vec *ret);

// Arrays in scratch. NULL: exec_nomem().
static inline void *exec_scratch(struct exec *x, size_t n, size_t size)
{
    return arena_alloc_array(&x->scratch, n ? n : 1, size);
}
uint64_t *exec_bits(struct exec *x, uint32_t n, bool ones); // bitmap in scratch; bits beyond n are 0

// ---- bitmaps
static inline bool bit_get(const uint64_t *b, uint32_t i) { return b[i >> 6] >> (i & 63) & 1; }
static inline void bit_set(uint64_t *b, uint32_t i) { b[i >> 6] |= 1ull << (i & 63); }
static inline void bit_clear(uint64_t *b, uint32_t i) { b[i >> 6] &= ~(1ull << (i & 63)); }
static inline uint32_t bits_count(const uint64_t *b, uint32_t n)
{
    uint32_t c = 0;
    for (size_t w = 0; w < BITS_WORDS(n); w++)
        c += (uint32_t)__builtin_popcountll(b[w]);
    return c;
}
static inline bool bits_any(const uint64_t *b, uint32_t n)
{
    for (size_t w = 0; w < BITS_WORDS(n); w++) {
        if (b[w])
            return true;
    }
    return false;
}
// for (BITS_EACH(i, b, n)): each set bit, ascending.
static inline uint32_t bits_next(const uint64_t *b, uint32_t n, uint32_t from)
{
    while (from < n) {
        uint64_t w = b[from >> 6] >> (from & 63);
        if (w)
            return from + (uint32_t)__builtin_ctzll(w);
        from = (from | 63) + 1;
    }
    return n;
}
#define BITS_EACH(i, b, n)           \
    uint32_t i = bits_next(b, n, 0); \
    i < (n);                         \
    i = bits_next(b, n, i + 1)
