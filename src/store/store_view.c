// Views: what was acknowledged before, held still while a query runs; and tails: what came since the last look.
#include "base/must.h"
#include "store/store_internal.h"

static void view_free(struct view *v)
{
    for (uint32_t i = 0; i < v->parts_n; i++)
        part_unref(v->parts[i]);
    for (uint32_t i = 0; i < v->heads_n; i++)
        head_segment_free(v->heads[i]);
    mem_free(v->parts);
    mem_free(v->heads);
    mem_free(v->head_first);
    v->magic = 0;
    mem_free(v);
}

static struct view *view_new(uint32_t parts, uint32_t heads)
{
    struct view *v = mem_zalloc(sizeof *v);
    if (!v)
        return NULL;
    v->magic = VIEW_MAGIC;
    v->refs = 1;
    v->parts = mem_calloc(parts, sizeof(struct part *));
    v->heads = mem_calloc(heads, sizeof(struct segment *));
    v->head_first = NULL;
    if (!v->parts || !v->heads) {
        view_free(v);
        return NULL;
    }
    return v;
}

static int view_add_heads_locked(struct view *v, struct generation *g)
{
    for (unsigned l = 0; l < g->lanes_n; l++) {
        for (unsigned source = 0; source < RECORD_SOURCES; source++) {
            int e;
            struct segment *h = head_segment_new(g, l, source, &e);
            if (e < 0)
                return e;
            if (h)
                v->heads[v->heads_n++] = h;
        }
    }
    return 0;
}

int store_view(struct store *s, struct view **ret_view)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    int e = 0;
    pthread_mutex_lock(&s->mutex);
    struct view *v = view_new(s->parts_n, s->gens_n * HEAD_LANES_MAX * RECORD_SOURCES);
    if (!v)
        e = ERR_NOMEM;
    for (uint32_t i = 0; e == 0 && i < s->parts_n; i++)
        v->parts[v->parts_n++] = part_ref(s->parts[i]);
    for (unsigned i = 0; e == 0 && i < s->gens_n; i++)
        e = view_add_heads_locked(v, s->gens[i]);
    pthread_mutex_unlock(&s->mutex);
    if (e < 0) {
        view_unref(v);
        return e;
    }
    *ret_view = v;
    return 0;
}

struct view *view_ref(struct view *v)
{
    MAGIC_CHECK(v, VIEW_MAGIC);
    atomic_fetch_add(&v->refs, 1);
    return v;
}

void view_unref(struct view *v)
{
    if (!v)
        return;
    MAGIC_CHECK(v, VIEW_MAGIC);
    if (atomic_fetch_sub(&v->refs, 1) == 1)
        view_free(v);
}

uint32_t view_segments(const struct view *v) { return v->parts_n + v->heads_n; }

const struct segment *view_segment(const struct view *v, uint32_t i)
{
    MAGIC_CHECK(v, VIEW_MAGIC);
    must(i < v->parts_n + v->heads_n);
    return i < v->parts_n ? part_segment(v->parts[i]) : v->heads[i - v->parts_n];
}

uint64_t view_segment_first(const struct view *v, uint32_t i)
{
    return v->head_first && i >= v->parts_n ? v->head_first[i - v->parts_n] : 0;
}

// ---- tails ---------------------------------------------------------------------------------------------

struct tail_generation {
    struct generation *g;
    uint64_t seen[HEAD_LANES_MAX][RECORD_SOURCES]; // row numbers below this were handed out
};

// At most this many generations are kept for a tail after they were sealed: one that does not look for so long
// loses rows, and costs no more memory.
enum { TAIL_SEALED_MAX = 2, TAIL_GENERATIONS_MAX = STORE_GENERATIONS_MAX + TAIL_SEALED_MAX };

struct tail {
    struct store *s;
    struct tail *next;
    struct tail_generation *gens[TAIL_GENERATIONS_MAX];
    unsigned gens_n;
    uint64_t next_id; // generations from here on are new to the tail
};

static uint64_t committed_end(const struct generation *g, unsigned lane, unsigned source)
{
    const struct lane *l = g->lane[lane];
    const struct lane_source *ls = l ? l->source[source] : NULL;
    return ls ? table_mark_rows_end(ls->table[TABLE_ROWS].committed) : 0;
}

static void tail_forget(struct tail *t, unsigned i)
{
    generation_unref(t->gens[i]->g);
    mem_free(t->gens[i]);
    t->gens[i] = t->gens[--t->gens_n];
}

// Generations that began since the last look; with from_now what they hold already counts as seen.
static int tail_follow_locked(struct tail *t, bool from_now)
{
    struct store *s = t->s;
    for (unsigned i = 0; i < s->gens_n; i++) {
        struct generation *g = s->gens[i];
        if (g->id < t->next_id || t->gens_n == TAIL_GENERATIONS_MAX)
            continue;
        struct tail_generation *tg = mem_zalloc(sizeof *tg);
        if (!tg)
            return ERR_NOMEM;
        tg->g = generation_ref(g);
        t->gens[t->gens_n++] = tg;
        t->next_id = g->id + 1;
        for (unsigned l = 0; from_now && l < g->lanes_n; l++)
            for (unsigned source = 0; source < RECORD_SOURCES; source++)
                tg->seen[l][source] = committed_end(g, l, source);
    }
    return 0;
}

int store_tail_open(struct store *s, struct tail **ret_tail)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    struct tail *t = mem_zalloc(sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->s = s;
    pthread_mutex_lock(&s->mutex);
    int e = tail_follow_locked(t, true);
    t->next = s->tails;
    s->tails = t;
    pthread_mutex_unlock(&s->mutex);
    if (e < 0) {
        store_tail_close(t);
        return e;
    }
    *ret_tail = t;
    return 0;
}

void store_tails_follow_locked(struct store *s)
{
    for (struct tail *t = s->tails; t; t = t->next) {
        unsigned sealed = 0;
        for (unsigned i = 0; i < t->gens_n; i++)
            sealed += t->gens[i]->g->id < s->gens[0]->id;
        if (sealed < TAIL_SEALED_MAX)
            tail_follow_locked(t, false); // without memory the rows are lost to this tail, and to it only
    }
}

void store_tail_close(struct tail *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->s->mutex);
    for (struct tail **p = &t->s->tails; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    pthread_mutex_unlock(&t->s->mutex);
    while (t->gens_n)
        tail_forget(t, 0);
    mem_free(t);
}

static int tail_collect_locked(struct tail_generation *tg, struct view *v)
{
    for (unsigned l = 0; l < tg->g->lanes_n; l++) {
        for (unsigned source = 0; source < RECORD_SOURCES; source++) {
            uint64_t end = committed_end(tg->g, l, source);
            if (end <= tg->seen[l][source])
                continue;
            int e;
            struct segment *h = head_segment_new(tg->g, l, source, &e);
            if (!h)
                return e;
            v->head_first[v->heads_n] = tg->seen[l][source];
            v->heads[v->heads_n++] = h;
            tg->seen[l][source] = end;
        }
    }
    return 0;
}

int store_tail_next(struct tail *t, struct view **ret_view)
{
    struct store *s = t->s;
    pthread_mutex_lock(&s->mutex);
    int e = tail_follow_locked(t, false);
    uint32_t heads = t->gens_n * HEAD_LANES_MAX * RECORD_SOURCES;
    struct view *v = e == 0 ? view_new(0, heads) : NULL;
    if (v && !(v->head_first = mem_calloc(heads, sizeof *v->head_first)))
        e = ERR_NOMEM;
    if (!v)
        e = e < 0 ? e : ERR_NOMEM;
    for (unsigned i = 0; e == 0 && i < t->gens_n; i++)
        e = tail_collect_locked(t->gens[i], v);
    for (unsigned i = t->gens_n; i-- > 0;) {
        const struct generation *g = t->gens[i]->g;
        if (g->closed && g->in_flight == 0)
            tail_forget(t, i);
    }
    pthread_mutex_unlock(&s->mutex);
    if (e < 0) {
        view_unref(v);
        return e;
    }
    *ret_view = v;
    return 0;
}
