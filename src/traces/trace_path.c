#include "traces/trace_path.h"

#include "base/mem.h"
#include "traces/trace_names.h"

#include <stdlib.h>

// What the walk looks at: spans by their corrected times, and who is below whom.
struct walk {
    const struct trace *t;
    int32_t root;
    int64_t *start, *end; // end >= start
    int64_t *self, *critical;
    uint32_t *first, *kids; // kids[first[i]..first[i + 1]) are below i
};

static int32_t root_of(const struct trace *t)
{
    int32_t whole = -1, any = -1;
    for (uint32_t i = 0; i < t->spans_n; i++) {
        const struct trace_span *s = &t->spans[i];
        if (s->depth > 0)
            continue;
        if (s->parent == 0 && (whole < 0 || s->time < t->spans[whole].time))
            whole = (int32_t)i;
        if (any < 0 || s->time < t->spans[any].time)
            any = (int32_t)i;
    }
    return whole >= 0 ? whole : any;
}

// Whose parent never came hangs below the root, when that is a whole one.
static int32_t parent_of(const struct walk *w, uint32_t i)
{
    const struct trace_span *s = &w->t->spans[i];
    if (s->parent_index >= 0)
        return s->parent_index;
    return s->parent != 0 && w->t->spans[w->root].parent == 0 && (int32_t)i != w->root ? w->root : -1;
}

static void hang(struct walk *w, uint32_t *at)
{
    uint32_t n = w->t->spans_n;
    for (uint32_t i = 0; i < n; i++)
        if (parent_of(w, i) >= 0)
            w->first[parent_of(w, i) + 1]++;
    for (uint32_t i = 0; i < n; i++) {
        w->first[i + 1] += w->first[i];
        at[i] = w->first[i];
    }
    for (uint32_t i = 0; i < n; i++)
        if (parent_of(w, i) >= 0)
            w->kids[at[parent_of(w, i)]++] = i;
}

static int by_start(const void *pa, const void *pb, void *ctx)
{
    const struct walk *w = ctx;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    if (w->start[a] != w->start[b])
        return w->start[a] < w->start[b] ? -1 : 1;
    return (a > b) - (a < b);
}

// The last to end first; then the first to start, so that the whole of it is told; ids make the order certain.
static int by_end(const void *pa, const void *pb, void *ctx)
{
    const struct walk *w = ctx;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    if (w->end[a] != w->end[b])
        return w->end[a] > w->end[b] ? -1 : 1;
    if (w->start[a] != w->start[b])
        return w->start[a] < w->start[b] ? -1 : 1;
    uint64_t x = w->t->spans[a].span, y = w->t->spans[b].span;
    return x != y ? (x < y ? -1 : 1) : (a > b) - (a < b);
}

static void sort_kids(struct walk *w, uint32_t i, int (*order)(const void *, const void *, void *))
{
    uint32_t n = w->first[i + 1] - w->first[i];
    if (n > 1)
        qsort_r(w->kids + w->first[i], n, sizeof *w->kids, order, w);
}

static void measure_self(struct walk *w)
{
    for (uint32_t i = 0; i < w->t->spans_n; i++) {
        int64_t covered = 0, reached = w->start[i];
        sort_kids(w, i, by_start);
        for (uint32_t k = w->first[i]; k < w->first[i + 1]; k++) {
            uint32_t c = w->kids[k];
            int64_t from = w->start[c] > reached ? w->start[c] : reached;
            int64_t to = w->end[c] < w->end[i] ? w->end[c] : w->end[i];
            if (to > from) {
                covered += to - from;
                reached = to;
            }
        }
        w->self[i] = w->end[i] - w->start[i] - covered;
    }
}

struct frame {
    uint32_t span, next; // next: in kids
    int64_t from, now;   // everything from `now` to the end of the frame is accounted for
};

// Each span makes at most one step more than it has children that were waited for: 2n steps are enough.
static uint32_t walk_back(struct walk *w, struct frame *stack, struct trace_step *steps)
{
    uint32_t depth = 1, n = 0;
    int64_t zero = w->start[w->root];
    stack[0] = (struct frame){ (uint32_t)w->root, w->first[w->root], zero, w->end[w->root] };
    sort_kids(w, (uint32_t)w->root, by_end);
    while (depth) {
        struct frame *f = &stack[depth - 1];
        if (f->next == w->first[f->span + 1] || f->now <= f->from) {
            if (f->now > f->from)
                steps[n++] = (struct trace_step){ f->span, f->from - zero, f->now - zero };
            depth--;
            continue;
        }
        uint32_t c = w->kids[f->next++];
        int64_t end = w->end[c] < f->now ? w->end[c] : f->now, begin = w->start[c] > f->from ? w->start[c] : f->from;
        // Still running at this moment, or over before the window: nobody waited for it here.
        if (w->end[c] - f->now > TRACE_CLOCK_TOLERANCE_NS || end <= begin)
            continue;
        if (f->now > end)
            steps[n++] = (struct trace_step){ f->span, end - zero, f->now - zero };
        f->now = begin;
        sort_kids(w, c, by_end);
        stack[depth++] = (struct frame){ c, w->first[c], begin, end };
    }
    return n;
}

static void turn_round(struct trace_step *steps, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        struct trace_step s = steps[i];
        steps[i] = steps[n - 1 - i];
        steps[n - 1 - i] = s;
    }
}

// ---- whose time ----

static str attr_text(const struct trace_span *s, str key)
{
    for (uint32_t i = 0; i < s->attrs_n; i++)
        if (s->attrs[i].value.type == VALUE_STR && str_eq(s->attrs[i].key, key))
            return s->attrs[i].value.s;
    return (str){ 0 };
}

// What the span talks to when that sent nothing itself; empty: its time is its own.
static str peer_of(const struct trace_span *s)
{
    static const str keys[] = { STR_INIT("db.system.name"), STR_INIT("db.system"),      STR_INIT("messaging.system"),
                                STR_INIT("peer.service"),   STR_INIT("server.address"), STR_INIT("net.peer.name") };
    str found = { 0 };
    if ((s->kind != SPAN_KIND_CLIENT && s->kind != SPAN_KIND_PRODUCER) || s->descendants)
        return found;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && found.len == 0; i++)
        found = attr_text(s, keys[i]);
    return found;
}

static int share_order(const void *pa, const void *pb)
{
    const struct trace_share *a = pa, *b = pb;
    return a->self != b->self ? (a->self > b->self ? -1 : 1) : str_cmp(a->service, b->service);
}

static void add_up(int64_t *sum, int64_t ns)
{
    if (__builtin_add_overflow(*sum, ns, sum))
        *sum = INT64_MAX;
}

static int share_out(const struct walk *w, struct arena *arena, struct trace_path *ret)
{
    struct trace_names names;
    uint32_t *number = mem_calloc(w->t->spans_n, sizeof *number); // of each span's name
    struct trace_share *all = NULL;
    int rc = trace_names_init(&names, w->t->spans_n);
    if (rc == 0 && number) {
        for (uint32_t i = 0; i < w->t->spans_n; i++) {
            str peer = peer_of(&w->t->spans[i]);
            number[i] = trace_names_number(&names, peer.len ? peer : w->t->spans[i].service);
        }
        all = arena_zalloc(arena, names.n * sizeof *all);
    }
    for (uint32_t i = 0; all && i < w->t->spans_n; i++) {
        const struct trace_span *s = &w->t->spans[i];
        struct trace_share *share = &all[number[i]];
        if (share->spans++ == 0) {
            share->service = names.name[number[i]];
            share->external = peer_of(s).len > 0;
        }
        share->errors += s->status == STATUS_ERROR;
        add_up(&share->self, w->self[i]);
        add_up(&share->critical, w->critical[i]);
    }
    ret->shares = all;
    ret->shares_n = names.n;
    trace_names_free(&names);
    mem_free(number);
    if (!all)
        return ERR_NOMEM;
    qsort(all, ret->shares_n, sizeof *all, share_order);
    return 0;
}

static int list_shifts(const struct trace *t, const int64_t *shift, struct arena *arena, struct trace_path *ret)
{
    struct trace_shift *all = arena_alloc_array(arena, t->services_n ? t->services_n : 1, sizeof *all);
    struct trace_names names;
    int rc = trace_names_init(&names, t->spans_n);
    for (uint32_t i = 0; all && rc == 0 && i < t->spans_n; i++) {
        if (shift[i] == 0)
            continue;
        uint32_t n = names.n, k = trace_names_number(&names, t->spans[i].service);
        if (k == n)
            all[k] = (struct trace_shift){ t->spans[i].service, shift[i] };
        else if (llabs(shift[i]) > llabs(all[k].shift))
            all[k].shift = shift[i];
    }
    ret->shifts = all;
    ret->shifts_n = names.n;
    trace_names_free(&names);
    return all ? rc : ERR_NOMEM;
}

static void lay_out(struct walk *w, int64_t *shift, uint32_t *at)
{
    uint32_t n = w->t->spans_n;
    trace_clocks(w->t, w->start, shift);
    for (uint32_t i = 0; i < n; i++) {
        int64_t d = w->t->spans[i].duration;
        // Absurd times: kept so far apart from the limits that differences do not overflow.
        if (w->start[i] > INT64_MAX / 2)
            w->start[i] = INT64_MAX / 2;
        if (w->start[i] < -INT64_MAX / 4)
            w->start[i] = -INT64_MAX / 4;
        if (d < 0)
            d = 0;
        if (d > INT64_MAX / 2 - (w->start[i] > 0 ? w->start[i] : 0))
            d = INT64_MAX / 2 - (w->start[i] > 0 ? w->start[i] : 0);
        w->end[i] = w->start[i] + d;
    }
    hang(w, at);
    measure_self(w);
}

int trace_path_make(const struct trace *t, struct arena *arena, struct trace_path *ret_path)
{
    uint32_t n = t->spans_n;
    struct walk w = { .t = t };
    struct trace_path p = { .root = -1 };
    if (n == 0) {
        *ret_path = p;
        return 0;
    }
    w.root = root_of(t);
    w.start = arena_alloc_array(arena, n, sizeof *w.start);
    w.self = arena_alloc_array(arena, n, sizeof *w.self);
    w.critical = arena_alloc_array(arena, n, sizeof *w.critical);
    struct trace_step *steps = arena_alloc_array(arena, (size_t)n * 2, sizeof *steps);
    w.end = mem_calloc(n, sizeof *w.end);
    w.kids = mem_calloc(n, sizeof *w.kids);
    w.first = mem_calloc((size_t)n + 1, sizeof *w.first);
    int64_t *shift = mem_calloc(n, sizeof *shift);
    uint32_t *at = mem_calloc(n, sizeof *at);
    struct frame *stack = mem_calloc(n, sizeof *stack);
    int rc = ERR_NOMEM;
    if (w.start && w.self && w.critical && steps && w.end && w.kids && w.first && shift && at && stack)
        rc = 0;
    if (rc == 0) {
        lay_out(&w, shift, at);
        p.root = w.root;
        p.time = w.start[w.root];
        p.duration = w.end[w.root] - w.start[w.root];
        p.steps_n = walk_back(&w, stack, steps);
        turn_round(steps, p.steps_n);
        memset(w.critical, 0, n * sizeof *w.critical);
        for (uint32_t i = 0; i < p.steps_n; i++)
            w.critical[steps[i].span] += steps[i].to - steps[i].from;
        p.steps = steps;
        p.start = w.start;
        p.self = w.self;
        p.critical = w.critical;
        rc = share_out(&w, arena, &p);
    }
    if (rc == 0)
        rc = list_shifts(t, shift, arena, &p);
    mem_free(w.end);
    mem_free(w.kids);
    mem_free(w.first);
    mem_free(shift);
    mem_free(at);
    mem_free(stack);
    if (rc == 0)
        *ret_path = p;
    return rc;
}
