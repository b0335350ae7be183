// Opening, closing, and the thread that counts.
#include "issues/issues.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "issues/issues_internal.h"

#include <stdatomic.h>
#include <unistd.h>

#define WAIT_NS (1 * NS_PER_S)      // for news
#define GATHER_NS (100 * NS_PER_MS) // news of so long are counted together
#define RETRY_NS (1 * NS_PER_S)
#define TICK_NS (30 * NS_PER_S)

enum { PENDING_BYTES_MAX = 256 << 20, RETENTION_SLACK_DAYS = 8 };

// From the durable state anew: at the start, and when something failed in the middle. `writing` is held.
static int begin(struct issues *is, struct err *err)
{
    struct index fresh = { 0 };
    uint64_t passed = 0;
    int r = issues_db_load(is, &fresh, &passed, err);
    if (r < 0) {
        index_free(&fresh);
        return r;
    }
    pthread_mutex_lock(&is->state);
    store_consumer_close(is->consumer);
    is->consumer = NULL;
    index_free(&is->index);
    is->index = fresh;
    arena_reset(&is->pending_arena);
    is->pending = NULL;
    is->pending_tail = &is->pending;
    is->anything = false;
    r = store_consumer_open(is->store, CONSUMER_ISSUES, passed, 1u << RECORD_EVENTS, &is->consumer);
    is->reload = r < 0; // without a consumer there is nothing to step
    pthread_mutex_unlock(&is->state);
    is->passed = passed;
    return r < 0 ? err_set(err, r, "memory", "out of memory") : 0;
}

int issues_settle(struct issues *is, struct err *err)
{
    int r = issues_db_save_now(is, err);
    if (r < 0)
        is->reload = true;
    return r;
}

static int count(struct issues *is, const struct consumer_news *news, struct err *err)
{
    int r = 0;
    for (uint32_t i = 0; i < news->n && r == 0; i++)
        r = issues_count(is, news->rows[i].segment, news->rows[i].first);
    return r < 0 ? err_set(err, r, "issues", "events could not be counted: %s", err_text(r)) : 0;
}

static int take(struct issues *is, struct consumer_news *news, struct err *err)
{
    int r = count(is, news, err);
    if (r == 0 && is->anything)
        r = issues_settle(is, err);
    if (r == 0 && news->complete && (r = issues_db_save_figures(is, news->generation, err)) == 0) {
        is->passed = news->generation;
        store_consumer_pass(is->consumer, news->generation);
    }
    if (r < 0)
        is->reload = true;
    return r;
}

static int tick(struct issues *is, struct err *err)
{
    int64_t now = issues_now(is);
    if (now < is->tick_next && !is->o.manual)
        return 0;
    is->tick_next = now + TICK_NS;
    pthread_mutex_lock(&is->state);
    int r = state_tick(is, now);
    pthread_mutex_unlock(&is->state);
    if (r < 0) {
        is->reload = true;
        return err_set(err, r, NULL, "out of memory");
    }
    if (is->anything && (r = issues_settle(is, err)) < 0)
        return r;
    return is->o.retention_ns ? issues_db_expire(is, now - is->o.retention_ns - RETENTION_SLACK_DAYS * DAY_NS, err) : 0;
}

// 1: there was something; 0: nothing within wait_ns.
static int step(struct issues *is, int64_t wait_ns, struct err *err)
{
    struct consumer_news news;
    int r = 0;
    pthread_mutex_lock(&is->writing);
    if (is->reload)
        r = begin(is, err);
    pthread_mutex_unlock(&is->writing);
    if (r < 0)
        return r;
    int e = store_consumer_next(is->consumer, wait_ns, &news);
    if (e < 0 && e != ERR_AGAIN)
        return err_set(err, e, "issues", "the store's news cannot be read: %s", err_text(e));
    pthread_mutex_lock(&is->writing);
    if (e == 0) {
        r = take(is, &news, err);
        consumer_news_free(&news);
    }
    if (r == 0)
        r = tick(is, err);
    pthread_mutex_unlock(&is->writing);
    return r < 0 ? r : e == 0;
}

int issues_step(struct issues *is, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    int r, any = 0;
    while ((r = step(is, 0, err)) == 1)
        any = 1;
    return r < 0 ? r : any;
}

static void *run(void *ctx)
{
    struct issues *is = ctx;
    int last = 0;
    while (!atomic_load(&is->stop)) {
        struct err err = { 0 };
        int r = step(is, WAIT_NS, &err);
        if (r < 0 && r != ERR_STOPPING && r != last && !atomic_load(&is->stop))
            log_error("issues", "%s; trying again", err.message);
        last = r < 0 ? r : 0;
        if (r < 0) // a full disk is waited out: the events are safe in the log
            for (int i = 0; i < 10 && !atomic_load(&is->stop); i++)
                usleep(RETRY_NS / 10 / 1000);
        else if (r == 1)
            usleep(GATHER_NS / 1000);
    }
    return NULL;
}

static void destroy(struct issues *is)
{
    store_consumer_close(is->consumer);
    index_free(&is->index);
    arena_free(&is->pending_arena);
    db_close(&is->reader);
    db_close(&is->writer);
    pthread_mutex_destroy(&is->writing);
    pthread_mutex_destroy(&is->state);
    pthread_mutex_destroy(&is->reading);
    is->magic = 0;
    mem_free(is);
}

// What is in the log at a start is counted before anybody asks.
static int catch_up(struct issues *is, struct err *err)
{
    int r;
    while ((r = step(is, 0, err)) == 1)
        ;
    return r;
}

int issues_open(const struct issues_options *o, struct store *s, struct issues **ret_issues, struct err *err)
{
    struct issues *is = mem_zalloc(sizeof *is);
    if (!is)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    is->magic = ISSUES_MAGIC;
    is->store = s;
    is->o = *o;
    arena_init(&is->pending_arena, PENDING_BYTES_MAX);
    is->pending_tail = &is->pending;
    must(pthread_mutex_init(&is->writing, NULL) == 0 && pthread_mutex_init(&is->state, NULL) == 0 &&
         pthread_mutex_init(&is->reading, NULL) == 0);
    int r = issues_db_open(is, true, err);
    if (r == 0)
        r = issues_db_open(is, false, err);
    if (r == 0)
        r = begin(is, err);
    if (r == 0)
        r = catch_up(is, err);
    if (r == 0 && !o->manual) {
        int e = pthread_create(&is->thread, NULL, run, is);
        r = e ? err_set(err, err_of_errno(e), "threads", "the thread of issues cannot be started") : 0;
        is->running = r == 0;
    }
    if (r < 0) {
        destroy(is);
        return r;
    }
    *ret_issues = is;
    return 0;
}

void issues_close(struct issues *is)
{
    if (!is)
        return;
    MAGIC_CHECK(is, ISSUES_MAGIC);
    atomic_store(&is->stop, true);
    if (is->running) {
        pthread_mutex_lock(&is->state);
        if (is->consumer)
            store_consumer_wake(is->consumer);
        pthread_mutex_unlock(&is->state);
        pthread_join(is->thread, NULL);
    }
    destroy(is);
}

void issues_stats(struct issues *is, struct issues_stats *ret_stats)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    pthread_mutex_lock(&is->state);
    *ret_stats = (struct issues_stats){ .events = is->events,
                                        .issues = is->index.issues_end ? is->index.issues_end - 1 : 0,
                                        .groups = is->index.groups_end ? is->index.groups_end - 1 : 0,
                                        .loaded = is->index.loaded,
                                        .loaded_bytes = is->index.detail_bytes,
                                        .overflow = is->overflow };
    pthread_mutex_unlock(&is->state);
}
