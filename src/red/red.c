// The counting thread and the readers.
#include "red/red.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "red/red_internal.h"

#include <stdio.h>
#include <unistd.h>

#define WAIT_NS (1 * NS_PER_S)      // for news; what waits in the window grows old meanwhile
#define GATHER_NS (100 * NS_PER_MS) // news of so long are counted together
#define RETRY_NS (1 * NS_PER_S)
#define UPKEEP_NS (60 * NS_PER_S)
#define FINE_MINUTES (48 * 60) // minutes of this time stay as they are; older ones become ten
#define READ_BYTES_MAX (256ull << 20)

enum { SOURCES = 1 << RECORD_SPANS | 1 << RECORD_LOGS };

static uint32_t now_minute(void) { return (uint32_t)(clock_unix_ns() / MINUTE_NS); }

// ---- counting ------------------------------------------------------------------------------------------

// From the durable state anew: at the start, and when counting failed in the middle of something.
static int begin(struct red *r, struct err *err)
{
    struct counts fresh;
    uint64_t passed = 0;
    counts_init(&fresh);
    int e = red_db_load(&r->writer, &fresh, &passed, &r->coarse_until, err);
    if (e < 0) {
        counts_free(&fresh);
        return e;
    }
    pthread_mutex_lock(&r->state); // red_close() wakes the consumer that is there
    store_consumer_close(r->consumer);
    r->consumer = NULL;
    counts_free(&r->counts);
    r->counts = fresh;
    r->counts.window.ctx = &r->counts;
    e = store_consumer_open(r->store, CONSUMER_RED, passed, SOURCES, &r->consumer);
    pthread_mutex_unlock(&r->state);
    r->passed = passed;
    return e < 0 ? err_set(err, e, "memory", "out of memory") : 0;
}

static int count(struct red *r, const struct consumer_news *news, struct err *err)
{
    int e = 0;
    for (uint32_t i = 0; i < news->n && e == 0; i++)
        e = counts_add(&r->counts, &r->state, news->rows[i].segment, news->rows[i].first);
    return e < 0 ? err_set(err, e, "derived", "records could not be counted: %s", err_text(e)) : 0;
}

static int expire_waiting(struct red *r, struct err *err)
{
    pthread_mutex_lock(&r->state);
    int e = window_expire(&r->counts.window, (uint32_t)(clock_unix_ns() / NS_PER_S));
    pthread_mutex_unlock(&r->state);
    return e < 0 ? err_set(err, e, "derived", "calls could not be counted: %s", err_text(e)) : 0;
}

// The end of a generation: what came of it becomes durable, then its log may go. A full disk is waited out: the rows
// are safe in the log, and the store stops taking more when it has too many.
static int pass(struct red *r, uint64_t generation, struct err *err)
{
    for (bool said = false;; said = true) {
        int e = red_db_save(&r->writer, &r->counts, &r->state, generation, r->coarse_until, err);
        if (e == 0)
            break;
        if ((e != ERR_NOSPC && e != ERR_IO && e != ERR_BUSY) || r->stop || r->o.manual)
            return e;
        if (!said)
            log_error("red", "%s; trying again", err->message);
        for (int i = 0; i < 10 && !r->stop; i++)
            usleep(RETRY_NS / 10 / 1000);
    }
    r->passed = generation;
    store_consumer_pass(r->consumer, generation);
    return 0;
}

// 1: there was something; 0: nothing within wait_ns.
static int step(struct red *r, int64_t wait_ns, struct err *err)
{
    struct consumer_news news;
    int e = store_consumer_next(r->consumer, wait_ns, &news);
    if (e == ERR_AGAIN)
        return expire_waiting(r, err);
    if (e < 0)
        return err_set(err, e, "derived", "the store's news cannot be read: %s", err_text(e));
    e = count(r, &news, err);
    uint64_t generation = news.generation;
    bool complete = news.complete;
    consumer_news_free(&news);
    if (e == 0)
        e = expire_waiting(r, err);
    if (e == 0 && complete)
        e = pass(r, generation, err);
    return e < 0 ? e : 1;
}

static int upkeep(struct red *r, struct err *err)
{
    bool more = false;
    int64_t now = clock_mono_ns();
    if (now < r->upkeep_next)
        return 0;
    int e = red_db_coarsen(&r->writer, &r->coarse_until, now_minute() - FINE_MINUTES, &more, err);
    if (e == 0 && r->o.retention_ns && !more) {
        uint32_t before, unused;
        red_expiry(clock_unix_ns(), r->o.retention_ns, &before, &unused);
        e = red_db_expire(&r->writer, before, unused, err);
        if (e == 0) {
            pthread_mutex_lock(&r->state);
            counts_forget(&r->counts, unused);
            pthread_mutex_unlock(&r->state);
        }
    }
    r->upkeep_next = more ? now : now + UPKEEP_NS;
    return e;
}

static void pause_unless_stopped(struct red *r, int64_t ns)
{
    for (int64_t t = 0; t < ns && !r->stop; t += 20 * NS_PER_MS)
        usleep(20 * NS_PER_MS / 1000);
}

static void *counting_main(void *arg)
{
    struct red *r = arg;
    while (!r->stop) {
        struct err err = { 0 };
        int e = step(r, WAIT_NS, &err);
        if (e >= 0 && upkeep(r, &err) < 0) // the figures are right without it
            log_warn("red", "%s", err.message);
        if (e < 0 && !r->stop) {
            log_error("red", "%s; counting again from the last figures that are safe", err.message);
            pause_unless_stopped(r, RETRY_NS);
            while (!r->stop && begin(r, &err) < 0)
                pause_unless_stopped(r, RETRY_NS);
        }
        if (e > 0)
            pause_unless_stopped(r, GATHER_NS);
    }
    return NULL;
}

// Everything that is in the log now.
static int catch_up(struct red *r, struct err *err)
{
    int e;
    while ((e = step(r, 0, err)) > 0)
        ;
    return e;
}

int red_step(struct red *r, struct err *err)
{
    MAGIC_CHECK(r, RED_MAGIC);
    int e = catch_up(r, err);
    return e < 0 ? e : upkeep(r, err);
}

// ---- opening -------------------------------------------------------------------------------------------

static int open_database(struct red *r, struct err *err)
{
    int e = red_db_open(&r->writer, r->o.path, true, err);
    return e < 0 ? e : begin(r, err);
}

// A damaged database is set aside: the records themselves are unharmed, and figures begin anew.
static void set_aside(struct red *r)
{
    char aside[560], path[560];
    static const char *const ends[] = { "", "-wal", "-shm" };
    red_db_close(&r->writer);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", r->o.path, ends[i]);
        snprintf(aside, sizeof aside, "%s.damaged%s", r->o.path, ends[i]);
        rename(path, aside);
    }
}

static void red_free(struct red *r)
{
    store_consumer_close(r->consumer);
    red_db_close(&r->reader);
    red_db_close(&r->writer);
    counts_free(&r->counts);
    pthread_mutex_destroy(&r->reading);
    pthread_mutex_destroy(&r->state);
    mem_free((char *)(uintptr_t)r->o.path);
    r->magic = 0;
    mem_free(r);
}

int red_open(const struct red_options *o, struct store *s, struct red **ret_red, struct err *err)
{
    struct err mine = { 0 };
    struct red *r = mem_zalloc(sizeof *r);
    if (!r)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    r->magic = RED_MAGIC;
    r->store = s;
    r->o = *o;
    r->o.path = mem_dup(o->path, strlen(o->path) + 1);
    pthread_mutex_init(&r->reading, NULL);
    pthread_mutex_init(&r->state, NULL);
    counts_init(&r->counts);
    int e = r->o.path ? open_database(r, &mine) : err_set(&mine, ERR_NOMEM, "memory", "out of memory");
    if (e == ERR_CORRUPT || e == ERR_UNSUPPORTED) {
        log_error("red", "%s; it is set aside as %s.damaged, and figures begin anew", mine.message, o->path);
        set_aside(r);
        e = open_database(r, &mine);
    }
    if (e == 0)
        e = catch_up(r, &mine);
    if (e == 0)
        e = red_db_open(&r->reader, r->o.path, false, &mine);
    if (e == 0 && !o->manual) {
        e = pthread_create(&r->thread, NULL, counting_main, r);
        r->running = e == 0;
        if (e)
            e = err_set(&mine, err_of_errno(e), "threads", "the counting thread cannot be started");
    }
    if (e < 0) {
        if (err)
            *err = mine;
        red_free(r);
        return e;
    }
    *ret_red = r;
    return 0;
}

void red_close(struct red *r)
{
    if (!r)
        return;
    MAGIC_CHECK(r, RED_MAGIC);
    if (r->running) {
        r->stop = true;
        pthread_mutex_lock(&r->state);
        if (r->consumer)
            store_consumer_wake(r->consumer);
        pthread_mutex_unlock(&r->state);
        pthread_join(r->thread, NULL);
    }
    red_free(r);
}

// ---- reading -------------------------------------------------------------------------------------------

struct reading {
    struct arena *arena;
    struct red_key **keys; // copies by id; NULL: not wanted
    uint32_t keys_n;
    struct red_cells *list;
    size_t cap;
    enum red_kind kind;
};

static bool may_see(const struct red_filter *f, uint32_t project)
{
    size_t lo = 0, hi = f->projects_n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (f->projects[mid] < project)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < f->projects_n && f->projects[lo] == project;
}

static bool wanted(const struct red_filter *f, const struct red_key *k)
{
    return k->kind != RED_PEER && may_see(f, k->project) && (!k->callee_project || may_see(f, k->callee_project)) &&
           (!f->has_environment || str_eq(f->environment, k->environment));
}

static struct red_key *copy_key(struct arena *a, const struct red_key *k)
{
    struct red_key *c = arena_zalloc(a, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct red_key){ .id = k->id,
                           .kind = k->kind,
                           .type = k->type,
                           .project = k->project,
                           .callee_project = k->callee_project,
                           .first = k->first,
                           .last = k->last };
    const str *const from[] = { &k->service, &k->version,  &k->environment, &k->name,
                                &k->system,  &k->language, &k->runtime };
    str *const to[] = { &c->service, &c->version, &c->environment, &c->name, &c->system, &c->language, &c->runtime };
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++)
        if (arena_dup(a, *from[i], to[i]) < 0)
            return NULL;
    return c;
}

static int list_room(struct reading *g)
{
    if (g->list->n < g->cap)
        return 0;
    size_t cap = g->cap ? g->cap * 2 : 64;
    struct cell *p = arena_alloc_array(g->arena, cap, sizeof *p);
    if (!p)
        return ERR_LIMIT;
    if (g->list->n)
        memcpy(p, g->list->cells, g->list->n * sizeof *p);
    g->list->cells = p;
    g->cap = cap;
    return 0;
}

static int next_cell(void *ctx, uint32_t key, struct cell **ret_cell)
{
    struct reading *g = ctx;
    if (key >= g->keys_n || !g->keys[key])
        return 0;
    if (list_room(g) < 0)
        return ERR_LIMIT;
    struct cell *c = &g->list->cells[g->list->n++];
    *c = (struct cell){ .key = g->keys[key], .last = INT64_MIN };
    *ret_cell = c;
    return 0;
}

static int copy_keys(const struct keys *keys, const struct red_filter *f, unsigned kinds, struct reading *g,
                     struct red_view *v)
{
    g->keys_n = keys->end;
    if (!(g->keys = mem_calloc(keys->end, sizeof *g->keys)))
        return ERR_NOMEM;
    if (!(v->series = arena_alloc_array(g->arena, keys->of_kind[RED_SERIES] + 1, sizeof *v->series)))
        return ERR_LIMIT;
    for (uint32_t i = 0; i < keys->end; i++) {
        const struct red_key *k = keys->by_id[i];
        if (!k || !(k->kind == RED_SERIES || kinds >> k->kind & 1) || !wanted(f, k))
            continue;
        if (!(g->keys[i] = copy_key(g->arena, k)))
            return ERR_LIMIT;
        if (k->kind == RED_SERIES)
            v->series[v->series_n++] = g->keys[i];
    }
    return 0;
}

static int copy_live(const struct delta *d, unsigned kinds, uint32_t from, uint32_t to, struct reading *g,
                     struct red_view *v)
{
    for (int kind = RED_SERIES; kind <= RED_EDGE; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        g->list = &v->of[kind];
        g->cap = 0;
        for (const struct cell *c = d->all; c; c = c->next) {
            struct cell *copy = NULL;
            if (c->key->kind != kind || c->minute < from || c->minute >= to)
                continue;
            int r = next_cell(g, c->key->id, &copy);
            if (r == 0 && copy) {
                copy->minute = c->minute;
                r = cell_merge(g->arena, copy, c) < 0 ? ERR_LIMIT : 0;
            }
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int red_read(struct red *r, const struct red_filter *f, unsigned kinds, uint32_t from, uint32_t to, struct arena *arena,
             struct red_view *ret_view, struct err *err)
{
    MAGIC_CHECK(r, RED_MAGIC);
    struct red_view v = { 0 };
    struct reading g = { .arena = arena };
    pthread_mutex_lock(&r->reading);
    // Both under one lock: a delta goes into the database in one step, and is seen here or there.
    pthread_mutex_lock(&r->state);
    int e = red_db_read_begin(&r->reader, err);
    bool began = e == 0;
    if (e == 0 && ((e = copy_keys(&r->counts.keys, f, kinds, &g, &v)) < 0 ||
                   (e = copy_live(&r->counts.delta, kinds, from, to, &g, &v)) < 0))
        err_set(err, e, NULL, "%s", err_text(e));
    pthread_mutex_unlock(&r->state);
    for (int kind = RED_SERIES; kind <= RED_EDGE && e == 0; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        g.list = &v.of[kind];
        g.cap = g.list->n;
        e = red_db_read(&r->reader, (enum red_kind)kind, from, to, arena, next_cell, &g, err);
    }
    if (began)
        red_db_read_end(&r->reader);
    pthread_mutex_unlock(&r->reading);
    mem_free(g.keys);
    if (e == 0)
        *ret_view = v;
    return e;
}

void red_stats(struct red *r, struct red_stats *ret_stats)
{
    MAGIC_CHECK(r, RED_MAGIC);
    pthread_mutex_lock(&r->state);
    const struct counts *c = &r->counts;
    *ret_stats = (struct red_stats){ .spans = c->spans,
                                     .logs = c->logs,
                                     .keys = c->keys.n,
                                     .live_cells = c->delta.n,
                                     .waiting = c->window.clients.alive + c->window.servers.alive,
                                     .pushed_out = c->window.pushed_out };
    pthread_mutex_unlock(&r->state);
}
