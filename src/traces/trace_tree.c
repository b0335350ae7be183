#include "traces/trace_tree.h"

#include "base/hash.h"
#include "base/mem.h"
#include "traces/trace_names.h"

#include <stdlib.h>

// ---- spans by id: all of one id stand behind each other in the probe sequence ----

int trace_ids_make(const struct trace *t, struct trace_ids *ret)
{
    uint32_t slots = 16;
    while (slots < t->spans_n * 2)
        slots *= 2;
    *ret = (struct trace_ids){ mem_zalloc(slots * sizeof(uint32_t)), slots - 1 };
    if (!ret->slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->spans_n; i++) {
        uint32_t k = (uint32_t)hash64_int(t->spans[i].span) & ret->mask;
        if (t->spans[i].span == 0)
            continue;
        while (ret->slots[k])
            k = (k + 1) & ret->mask;
        ret->slots[k] = i + 1;
    }
    return 0;
}

void trace_ids_free(struct trace_ids *ids) { mem_free(ids->slots); }

int32_t trace_ids_find(const struct trace *t, const struct trace_ids *ids, uint64_t span, str service, int32_t except)
{
    int32_t best = -1;
    bool best_same = false;
    if (span == 0)
        return -1;
    for (uint32_t k = (uint32_t)hash64_int(span) & ids->mask; ids->slots[k]; k = (k + 1) & ids->mask) {
        int32_t i = (int32_t)ids->slots[k] - 1;
        const struct trace_span *s = &t->spans[i];
        bool same = str_eq(s->service, service);
        if (s->span != span || i == except)
            continue;
        if (best < 0 || same > best_same || (same == best_same && s->time >= t->spans[best].time)) {
            best = i;
            best_same = same;
        }
    }
    return best;
}

// ---- the tree ----

// Links between spans by index; -1: none.
struct links {
    int32_t *parent, *first, *next; // first child, next sibling
    int32_t *at;                    // where it was written, -1: not yet
};

static void links_free(struct links *l)
{
    mem_free(l->parent);
    mem_free(l->first);
    mem_free(l->next);
    mem_free(l->at);
}

static int links_make(const struct trace *t, struct links *l)
{
    struct trace_ids ids;
    *l = (struct links){ 0 };
    int rc = trace_ids_make(t, &ids);
    if (rc < 0)
        return rc;
    size_t n = t->spans_n ? t->spans_n : 1;
    *l = (struct links){ mem_alloc(n * 4), mem_alloc(n * 4), mem_alloc(n * 4), mem_alloc(n * 4) };
    if (!l->parent || !l->first || !l->next || !l->at) {
        trace_ids_free(&ids);
        return ERR_NOMEM;
    }
    memset(l->first, 0xff, n * 4);
    memset(l->next, 0xff, n * 4);
    memset(l->at, 0xff, n * 4);
    for (uint32_t i = 0; i < t->spans_n; i++)
        l->parent[i] = trace_ids_find(t, &ids, t->spans[i].parent, t->spans[i].service, (int32_t)i);
    for (uint32_t i = t->spans_n; i-- > 0;) { // by start, so that the first child is the earliest
        int32_t p = l->parent[i];
        if (p >= 0) {
            l->next[i] = l->first[p];
            l->first[p] = (int32_t)i;
        }
    }
    trace_ids_free(&ids);
    return 0;
}

// i or the first behind it that was not written. (In a cycle that was cut the top is a child, too.)
static int32_t unwritten(const struct links *l, int32_t i)
{
    while (i >= 0 && l->at[i] >= 0)
        i = l->next[i];
    return i;
}

// Writes span `top` and all below it from out[*n] on, depth first, without recursion.
static void write_below(const struct trace *t, struct links *l, int32_t top, struct trace_span *out, uint32_t *n)
{
    for (int32_t i = top;;) {
        int32_t p = i == top ? -1 : l->at[l->parent[i]];
        out[*n] = t->spans[i];
        out[*n].parent_index = p;
        out[*n].depth = p < 0 ? 0 : out[p].depth + 1;
        l->at[i] = (int32_t)(*n)++;
        int32_t next = unwritten(l, l->first[i]);
        while (next < 0) {
            out[l->at[i]].descendants = *n - 1 - (uint32_t)l->at[i];
            if (i == top)
                return;
            next = unwritten(l, l->next[i]);
            if (next < 0)
                i = l->parent[i];
        }
        i = next;
    }
}

static int order_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Distinct parents that are not there.
static int count_missing(struct trace *t)
{
    uint64_t *ids = mem_alloc((t->spans_n ? t->spans_n : 1) * sizeof *ids);
    uint32_t n = 0;
    if (!ids)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->spans_n; i++) {
        if (t->spans[i].orphan)
            ids[n++] = t->spans[i].parent;
    }
    qsort(ids, n, sizeof *ids, order_u64);
    for (uint32_t i = 0; i < n; i++)
        t->missing += i == 0 || ids[i] != ids[i - 1];
    mem_free(ids);
    return 0;
}

// Services in the order of their first span. Spans are by start here.
static int services_of(struct trace *t, struct trace_names *names, struct arena *arena)
{
    uint32_t cap = 0;
    for (uint32_t i = 0; i < t->spans_n; i++) {
        const struct trace_span *s = &t->spans[i];
        uint32_t k = trace_names_number(names, s->service);
        if (k == t->services_n) {
            if (k == cap) {
                cap = cap ? cap * 2 : 8;
                struct trace_service *more = arena_alloc_array(arena, cap, sizeof *more);
                if (!more)
                    return ERR_NOMEM;
                if (k)
                    memcpy(more, t->services, k * sizeof *more);
                t->services = more;
            }
            t->services[t->services_n++] = (struct trace_service){ .name = s->service };
        }
        t->services[k].spans++;
        t->services[k].errors += s->status == STATUS_ERROR;
    }
    return 0;
}

static int list_services(struct trace *t, struct arena *arena)
{
    struct trace_names names;
    int rc = trace_names_init(&names, t->spans_n);
    if (rc == 0)
        rc = services_of(t, &names, arena);
    trace_names_free(&names);
    return rc;
}

static void sum_up(struct trace *t)
{
    int64_t end = INT64_MIN;
    uint32_t roots = 0;
    int32_t orphan = -1, first = -1;
    t->root = -1;
    for (uint32_t i = 0; i < t->spans_n; i++) {
        const struct trace_span *s = &t->spans[i];
        int64_t e;
        if (__builtin_add_overflow(s->time, s->duration, &e))
            e = s->duration < 0 ? INT64_MIN : INT64_MAX;
        t->time = i == 0 || s->time < t->time ? s->time : t->time;
        end = e > end ? e : end;
        t->errors += s->status == STATUS_ERROR;
        roots += s->parent == 0;
        if (s->parent == 0 && (t->root < 0 || s->time < t->spans[t->root].time))
            t->root = (int32_t)i;
        if (first < 0 || s->time < t->spans[first].time)
            first = (int32_t)i;
        if (s->orphan && (orphan < 0 || s->time < t->spans[orphan].time))
            orphan = (int32_t)i;
    }
    if (t->spans_n && __builtin_sub_overflow(end, t->time, &t->duration))
        t->duration = INT64_MAX;
    t->complete = roots == 1 && t->missing == 0;
    if (t->root < 0)
        t->root = orphan >= 0 ? orphan : first;
}

int trace_tree_make(struct trace *t, struct arena *arena)
{
    struct links l;
    uint32_t n = 0;
    int rc = list_services(t, arena);
    struct trace_span *out = arena_alloc_array(arena, t->spans_n ? t->spans_n : 1, sizeof *out);
    if (rc < 0 || !out)
        return ERR_NOMEM;
    rc = links_make(t, &l);
    for (uint32_t i = 0; i < t->spans_n && rc == 0; i++) {
        bool own = t->spans[i].parent == t->spans[i].span; // its own parent
        t->spans[i].cycle = own && t->spans[i].parent != 0 && l.parent[i] < 0;
        t->spans[i].orphan = !own && t->spans[i].parent != 0 && l.parent[i] < 0;
        if (l.parent[i] < 0)
            write_below(t, &l, (int32_t)i, out, &n);
    }
    for (uint32_t i = 0; i < t->spans_n && rc == 0; i++) { // what no root leads to is a cycle: cut at its earliest span
        if (l.at[i] < 0) {
            t->spans[i].cycle = true;
            write_below(t, &l, (int32_t)i, out, &n);
        }
    }
    links_free(&l);
    if (rc < 0)
        return rc;
    t->spans = out;
    rc = count_missing(t);
    sum_up(t);
    return rc;
}
