#include "query/traces_seen.h"

static int segment_begin(struct traces_seen *t, uint32_t seg)
{
    struct exec *x = t->x;
    if (!t->segs) {
        t->segs = arena_zalloc(&x->arena, x->segs_n * sizeof *t->segs);
        if (!t->segs)
            return exec_nomem(x);
        t->segs_n = x->segs_n;
    }
    struct seen_segment *s = &t->segs[seg];
    if (!s->at) {
        uint32_t n = segment_traces(x->segs[seg].seg);
        s->at = exec_zalloc(x, (n ? n : 1) * sizeof *s->at);
        if (!s->at)
            return exec_nomem(x);
        s->n = n ? n : 1;
    }
    return 0;
}

int seen_rows(struct traces_seen *t, struct exec_segment *s, const uint32_t *ord, const int64_t *time,
              const uint64_t *sel, uint32_t n, uint64_t *without)
{
    int rc = segment_begin(t, s->index);
    if (rc < 0)
        return rc;
    struct seen_trace *at = t->segs[s->index].at;
    for (size_t w = 0; w < BITS_WORDS(n); w++) {
        for (uint64_t m = sel[w]; m; m &= m - 1) {
            uint32_t i = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(m);
            if (ord[i] == TRACE_NONE) {
                ++*without;
                continue;
            }
            struct seen_trace *one = &at[ord[i]];
            if (!one->matched || time[i] < one->oldest)
                one->oldest = time[i];
            one->matched++;
        }
    }
    return 0;
}

static void sink(struct traces_seen *t, uint32_t i)
{
    struct seen_next moved = t->left[i];
    for (uint32_t kid; (kid = 2 * i + 1) < t->left_n; i = kid) {
        if (kid + 1 < t->left_n && t->left[kid + 1].oldest > t->left[kid].oldest)
            kid++;
        if (t->left[kid].oldest <= moved.oldest)
            break;
        t->left[i] = t->left[kid];
    }
    t->left[i] = moved;
}

int seen_finish(struct traces_seen *t, bool newest_first)
{
    t->newest_first = newest_first;
    for (uint32_t seg = 0; seg < t->segs_n; seg++) {
        const struct seen_segment *s = &t->segs[seg];
        for (uint32_t ord = 0; ord < s->n; ord++) {
            if (!s->at[ord].matched)
                continue;
            int rc = exec_grow(t->x, (void **)&t->left, &t->left_cap, t->left_n, sizeof *t->left);
            if (rc < 0)
                return rc;
            t->left[t->left_n++] = (struct seen_next){ s->at[ord].oldest, seg, ord };
        }
    }
    for (uint32_t i = t->left_n / 2; newest_first && i-- > 0;)
        sink(t, i);
    return 0;
}

struct seen_next seen_take(struct traces_seen *t)
{
    if (!t->newest_first)
        return t->left[--t->left_n];
    struct seen_next first = t->left[0];
    t->left[0] = t->left[--t->left_n];
    if (t->left_n)
        sink(t, 0);
    return first;
}

uint32_t seen_matched(const struct traces_seen *t, uint32_t seg, uint32_t ord)
{
    return seg < t->segs_n && ord < t->segs[seg].n ? t->segs[seg].at[ord].matched : 0;
}

void seen_free(struct traces_seen *t)
{
    for (uint32_t seg = 0; seg < t->segs_n; seg++)
        exec_free(t->x, t->segs[seg].at, t->segs[seg].n * sizeof *t->segs[seg].at);
    exec_free(t->x, t->left, t->left_cap * sizeof *t->left);
    *t = (struct traces_seen){ .x = t->x };
}
