// Following the records: error events that arrive name releases. Exact over a crash as ARCHITECTURE.md, "Derived figures",
// says: what a generation named is saved together with its number, and only then passed.
#include "releases/releases_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/rows.h"
#include "store/store.h"

#include <unistd.h>

#define WAIT_NS (1 * NS_PER_S)
#define RETRY_NS (1 * NS_PER_S)
enum { SOURCES = 1 << RECORD_EVENTS, FOLLOW_MAGIC = 0x52464c57 };

struct releases_follow {
    uint32_t magic;
    struct releases *releases;
    struct store *store;
    struct consumer *consumer;
    pthread_mutex_t lock; // consumer, for who wakes it
    pthread_t thread;
    bool running;
    _Atomic bool stop;
};

static str release_of(const struct record_entity *e)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        if (e->attrs[i].value.type == VALUE_STR && str_eq(e->attrs[i].key, STR("release")))
            return e->attrs[i].value.s;
    return (str){ 0 };
}

static void touch_rows(struct releases *r, const struct segment *s, const struct rows *rows, uint32_t from)
{
    uint32_t last = UINT32_MAX;
    str version = { 0 };
    for (uint32_t i = from; i < rows->n; i++) {
        if (rows->resource[i] != last) {
            last = rows->resource[i];
            version = release_of(segment_resource(s, last));
        }
        if (version.len)
            releases_touch(r, rows->project[i], version, rows->time[i]);
    }
}

static int touch_segment(struct releases *r, const struct segment *s, uint64_t first)
{
    struct reader *reader;
    struct rows rows;
    int rc = reader_open(s, &reader);
    if (rc < 0)
        return rc;
    for (uint32_t b = (uint32_t)(first / BLOCK_ROWS); b < segment_blocks(s, TABLE_ROWS) && rc == 0; b++) {
        rc = reader_seek(reader, TABLE_ROWS, b);
        if (rc == 0)
            rc = reader_rows(reader, TABLE_ROWS, &rows);
        if (rc == 0)
            touch_rows(r, s, &rows, b == first / BLOCK_ROWS ? (uint32_t)(first % BLOCK_ROWS) : 0);
    }
    reader_close(reader);
    return rc;
}

// From what was passed last anew: at the start, and when following failed in the middle of something.
static int begin(struct releases_follow *f, struct err *err)
{
    uint64_t passed = 0;
    int rc = releases_passed(f->releases, &passed, err);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&f->lock);
    store_consumer_close(f->consumer);
    f->consumer = NULL;
    rc = store_consumer_open(f->store, CONSUMER_RELEASES, passed, SOURCES, &f->consumer);
    pthread_mutex_unlock(&f->lock);
    return rc < 0 ? err_set(err, rc, "memory", "out of memory") : 0;
}

int releases_follow_step(struct releases_follow *f, int64_t wait_ns, struct err *err)
{
    struct consumer_news news;
    int rc = store_consumer_next(f->consumer, wait_ns, &news);
    if (rc == ERR_AGAIN)
        return 0;
    if (rc < 0)
        return err_set(err, rc, "releases", "the store's news cannot be read: %s", err_text(rc));
    for (uint32_t i = 0; i < news.n && rc == 0; i++)
        rc = touch_segment(f->releases, news.rows[i].segment, news.rows[i].first);
    uint64_t generation = news.generation;
    bool complete = news.complete;
    consumer_news_free(&news);
    if (rc < 0)
        return err_set(err, rc, "releases", "events could not be read: %s", err_text(rc));
    if (!complete)
        return 1;
    rc = releases_save_passed(f->releases, generation, err);
    if (rc == 0)
        store_consumer_pass(f->consumer, generation);
    return rc < 0 ? rc : 1;
}

static void pause_unless_stopped(struct releases_follow *f)
{
    for (int64_t t = 0; t < RETRY_NS && !f->stop; t += 20 * NS_PER_MS)
        usleep(20 * NS_PER_MS / 1000);
}

static void *follow_main(void *arg)
{
    struct releases_follow *f = arg;
    bool broken = false;
    while (!f->stop) {
        struct err err = { 0 };
        int rc = broken ? begin(f, &err) : releases_follow_step(f, WAIT_NS, &err);
        if (rc < 0 && !broken && !f->stop)
            log_error("releases", "%s; trying again", err.message);
        broken = rc < 0;
        if (broken)
            pause_unless_stopped(f);
    }
    return NULL;
}

int releases_follow_new(struct releases *r, struct store *s, bool manual, struct releases_follow **ret_follow,
                        struct err *err)
{
    struct releases_follow *f = mem_zalloc(sizeof *f);
    if (!f)
        return releases_no_memory(err);
    f->magic = FOLLOW_MAGIC;
    f->releases = r;
    f->store = s;
    must(pthread_mutex_init(&f->lock, NULL) == 0);
    int rc = begin(f, err);
    if (rc == 0 && !manual) {
        rc = pthread_create(&f->thread, NULL, follow_main, f);
        f->running = rc == 0;
        if (rc)
            rc = err_set(err, err_of_errno(rc), "threads", "the thread that follows releases cannot be started");
    }
    if (rc < 0) {
        releases_follow_free(f);
        return rc;
    }
    *ret_follow = f;
    return 0;
}

void releases_follow_free(struct releases_follow *f)
{
    if (!f)
        return;
    MAGIC_CHECK(f, FOLLOW_MAGIC);
    if (f->running) {
        f->stop = true;
        pthread_mutex_lock(&f->lock);
        if (f->consumer)
            store_consumer_wake(f->consumer);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
    }
    store_consumer_close(f->consumer);
    pthread_mutex_destroy(&f->lock);
    f->magic = 0;
    mem_free(f);
}
