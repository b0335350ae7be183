// Consumers: committed rows in the order of their generations, and the word that a generation's log may go. Each goes at
// its own speed; the slowest holds the log.
#include "base/clock.h"
#include "base/must.h"
#include "store/store_internal.h"

struct consumer {
    struct store *s;
    enum store_consumer who;
    uint32_t sources;
    uint64_t next_id;                              // the oldest generation that is not complete for us
    uint64_t seen[HEAD_LANES_MAX][RECORD_SOURCES]; // of it: row numbers below were handed out
    bool woken;
    pthread_cond_t cond; // there may be news
};

int store_consumer_open(struct store *s, enum store_consumer who, uint64_t passed, uint32_t sources,
                        struct consumer **ret_consumer)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    must(who < CONSUMERS_MAX && s->o.consumers >> who & 1);
    struct consumer *c = mem_zalloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct consumer){ .s = s, .who = who, .sources = sources, .next_id = passed + 1 };
    pthread_cond_init(&c->cond, NULL);
    pthread_mutex_lock(&s->mutex);
    must(!s->consumers[who]);
    s->consumers[who] = c;
    if (passed > s->passed[who])
        s->passed[who] = passed;
    // A log that lost its end in a power cut (--durability=os), or a store that began anew: its next rows must not
    // come under a number that counts as seen.
    if (s->next_generation <= passed)
        s->next_generation = passed + 1;
    pthread_cond_signal(&s->work_cond);
    pthread_mutex_unlock(&s->mutex);
    *ret_consumer = c;
    return 0;
}

void store_consumer_close(struct consumer *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->s->mutex);
    c->s->consumers[c->who] = NULL;
    pthread_mutex_unlock(&c->s->mutex);
    pthread_cond_destroy(&c->cond);
    mem_free(c);
}

bool store_passed_locked(const struct store *s, const struct generation *g)
{
    for (unsigned who = 0; who < CONSUMERS_MAX; who++)
        if (s->o.consumers >> who & 1 && g->id > s->passed[who])
            return false;
    return true;
}

void store_consumer_wake(struct consumer *c)
{
    pthread_mutex_lock(&c->s->mutex);
    c->woken = true;
    pthread_cond_signal(&c->cond);
    pthread_mutex_unlock(&c->s->mutex);
}

static void pass_locked(struct consumer *c, uint64_t generation)
{
    if (generation > c->s->passed[c->who])
        c->s->passed[c->who] = generation;
    pthread_cond_signal(&c->s->work_cond);
}

void store_consumer_pass(struct consumer *c, uint64_t generation)
{
    pthread_mutex_lock(&c->s->mutex);
    pass_locked(c, generation);
    pthread_mutex_unlock(&c->s->mutex);
}

static struct generation *current_locked(const struct consumer *c)
{
    for (unsigned i = 0; i < c->s->gens_n; i++)
        if (c->s->gens[i]->id >= c->next_id)
            return c->s->gens[i];
    return NULL;
}

static void leave_locked(struct consumer *c, const struct generation *g)
{
    c->next_id = g->id + 1;
    memset(c->seen, 0, sizeof c->seen);
}

static uint64_t committed_end(const struct generation *g, unsigned lane, unsigned source)
{
    const struct lane *l = atomic_load_explicit(&g->lane[lane], memory_order_acquire);
    const struct lane_source *ls = l ? atomic_load_explicit(&l->source[source], memory_order_acquire) : NULL;
    return ls ? table_mark_rows_end(ls->table[TABLE_ROWS].committed) : 0;
}

static bool wanted(const struct consumer *c, unsigned source) { return c->sources >> source & 1; }

static uint32_t count_locked(const struct consumer *c, const struct generation *g)
{
    uint32_t n = 0;
    for (unsigned l = 0; l < g->lanes_n; l++)
        for (unsigned source = 0; source < RECORD_SOURCES; source++)
            n += wanted(c, source) && committed_end(g, l, source) > c->seen[l][source];
    return n;
}

void store_consumers_wake_locked(struct store *s)
{
    for (unsigned who = 0; who < CONSUMERS_MAX; who++) {
        struct consumer *c = s->consumers[who];
        const struct generation *g = c ? current_locked(c) : NULL;
        if (g && ((g->closed && g->in_flight == 0) || count_locked(c, g)))
            pthread_cond_signal(&c->cond);
    }
}

static int collect_locked(struct consumer *c, struct generation *g, struct consumer_news *news)
{
    for (unsigned l = 0; l < g->lanes_n; l++) {
        for (unsigned source = 0; source < RECORD_SOURCES; source++) {
            if (!wanted(c, source) || committed_end(g, l, source) <= c->seen[l][source])
                continue;
            int e;
            struct segment *h = head_segment_new(g, l, source, &e);
            if (!h)
                return e < 0 ? e : ERR_NOMEM;
            news->rows[news->n++] = (struct consumer_rows){ h, c->seen[l][source] };
        }
    }
    for (unsigned l = 0; l < g->lanes_n; l++)
        for (unsigned source = 0; source < RECORD_SOURCES; source++)
            c->seen[l][source] = committed_end(g, l, source);
    return 0;
}

// The news under the mutex; ERR_AGAIN: none now.
static int take_locked(struct consumer *c, struct consumer_news *news)
{
    for (struct generation *g; (g = current_locked(c));) {
        bool complete = g->closed && g->in_flight == 0;
        uint32_t n = count_locked(c, g);
        if (complete && g->rows == 0) { // batches that came to nothing: nothing of it is in the log either
            pass_locked(c, g->id);
            leave_locked(c, g);
            continue;
        }
        if (n == 0 && !complete)
            return ERR_AGAIN;
        *news = (struct consumer_news){ .generation = g->id, .complete = complete };
        if (!(news->rows = mem_calloc(n, sizeof *news->rows)))
            return ERR_NOMEM;
        int e = collect_locked(c, g, news);
        if (e == 0 && complete)
            leave_locked(c, g);
        return e;
    }
    return ERR_AGAIN;
}

static struct timespec deadline(int64_t wait_ns)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    int64_t ns = ts.tv_nsec + wait_ns % NS_PER_S;
    ts.tv_sec += wait_ns / NS_PER_S + ns / NS_PER_S;
    ts.tv_nsec = ns % NS_PER_S;
    return ts;
}

int store_consumer_next(struct consumer *c, int64_t wait_ns, struct consumer_news *ret_news)
{
    struct consumer_news news = { 0 };
    struct timespec until = deadline(wait_ns);
    pthread_mutex_lock(&c->s->mutex);
    int e = take_locked(c, &news);
    while (e == ERR_AGAIN && wait_ns > 0 && !c->woken) {
        int timed_out = pthread_cond_timedwait(&c->cond, &c->s->mutex, &until);
        e = take_locked(c, &news);
        if (timed_out)
            break;
    }
    c->woken = false;
    pthread_mutex_unlock(&c->s->mutex);
    if (e < 0) {
        consumer_news_free(&news);
        return e;
    }
    *ret_news = news;
    return 0;
}

void consumer_news_free(struct consumer_news *news)
{
    for (uint32_t i = 0; i < news->n; i++)
        head_segment_free((struct segment *)(uintptr_t)news->rows[i].segment);
    mem_free(news->rows);
    *news = (struct consumer_news){ 0 };
}
