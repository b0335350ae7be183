// Following the records: error events and sessions that arrive name releases, and sessions are counted. Exact over a crash as ARCHITECTURE.md, "Derived figures",
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
#define SAVE_NS (2 * NS_PER_S) // while news keep coming
#define RETRY_NS (1 * NS_PER_S)
enum { SOURCES = 1 << RECORD_EVENTS | 1 << RECORD_SESSIONS, FOLLOW_MAGIC = 0x52464c57 };

struct releases_follow {
    uint32_t magic;
    struct releases *releases;
    struct store *store;
    struct consumer *consumer;
    struct health_pending *sessions; // of the generation that is not complete
    int64_t saved_at;
    pthread_mutex_t lock; // consumer, for who wakes it
    pthread_t thread;
    bool running;
    _Atomic bool stop;
};

static str text_of(const struct record_entity *e, str key)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        if (e->attrs[i].value.type == VALUE_STR && str_eq(e->attrs[i].key, key))
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
            version = text_of(segment_resource(s, last), STR("release"));
        }
        if (version.len)
            releases_touch(r, rows->project[i], version, rows->time[i]);
    }
}

// Columns of a session's fields; UINT32_MAX: no row has it.
enum field { F_SID, F_DID, F_STATUS, F_INIT, F_ERRORS, F_QUANTITY, FIELDS };
static void find_fields(const struct segment *s, uint32_t at[FIELDS])
{
    static const struct {
        str key;
        uint8_t type;
    } fields[FIELDS] = {
        [F_SID] = { STR_INIT("sid"), VALUE_STR },       [F_DID] = { STR_INIT("did"), VALUE_STR },
        [F_STATUS] = { STR_INIT("status"), VALUE_STR }, [F_INIT] = { STR_INIT("init"), VALUE_BOOL },
        [F_ERRORS] = { STR_INIT("errors"), VALUE_INT }, [F_QUANTITY] = { STR_INIT("quantity"), VALUE_INT },
    };
    memset(at, 0xff, FIELDS * sizeof at[0]);
    for (uint32_t i = 0; i < segment_columns(s, TABLE_ROWS); i++) {
        struct column c = segment_column(s, TABLE_ROWS, i);
        for (int k = 0; k < FIELDS; k++)
            if (c.level == ATTR_FIELD && c.type == fields[k].type && str_eq(c.key, fields[k].key))
                at[k] = i;
    }
}

static int count_row(struct health_pending *p, const struct segment *s, struct reader *reader, const struct rows *rows,
                     uint32_t row, const uint32_t at[FIELDS])
{
    struct value v[FIELDS] = { 0 };
    for (int k = 0; k < FIELDS; k++) {
        int rc = at[k] == UINT32_MAX ? 0 : reader_value(reader, TABLE_ROWS, at[k], row, &v[k]);
        if (rc < 0)
            return rc;
    }
    const struct record_entity *resource = segment_resource(s, rows->resource[row]);
    struct health_session session = { .project = rows->project[row],
                                      .version = text_of(resource, STR("release")),
                                      .environment = text_of(resource, STR("environment")),
                                      .started = rows->time[row],
                                      .init = v[F_INIT].type == VALUE_BOOL && v[F_INIT].b,
                                      .errors = v[F_ERRORS].type == VALUE_INT ? v[F_ERRORS].i : 0,
                                      .quantity = v[F_QUANTITY].type == VALUE_INT ? v[F_QUANTITY].i : 1 };
    session.sid = v[F_SID].type == VALUE_STR ? v[F_SID].s : (str){ 0 };
    session.did = v[F_DID].type == VALUE_STR ? v[F_DID].s : (str){ 0 };
    session.status = v[F_STATUS].type == VALUE_STR ? v[F_STATUS].s : (str){ 0 };
    return health_pending_add(p, &session);
}

static int count_rows(struct releases_follow *f, const struct segment *s, struct reader *reader,
                      const struct rows *rows, uint32_t from)
{
    uint32_t at[FIELDS];
    int rc = 0;
    if (segment_info(s)->source != RECORD_SESSIONS)
        return 0;
    find_fields(s, at);
    for (uint32_t i = from; i < rows->n && rc == 0; i++)
        rc = count_row(f->sessions, s, reader, rows, i, at);
    return rc;
}

static int touch_segment(struct releases_follow *f, const struct segment *s, uint64_t first)
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
        uint32_t from = b == first / BLOCK_ROWS ? (uint32_t)(first % BLOCK_ROWS) : 0;
        if (rc == 0) {
            touch_rows(f->releases, s, &rows, from);
            rc = count_rows(f, s, reader, &rows, from);
        }
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
    health_pending_clear(f->sessions);
    rc = store_consumer_open(f->store, CONSUMER_RELEASES, passed, SOURCES, &f->consumer);
    pthread_mutex_unlock(&f->lock);
    return rc < 0 ? err_set(err, rc, "memory", "out of memory") : 0;
}

// What came since, before its generation is complete: people look at it now.
static int save_soon(struct releases_follow *f, bool idle, struct err *err)
{
    int64_t now = clock_mono_ns();
    if (!health_pending_unsaved(f->sessions) || (!idle && now - f->saved_at < SAVE_NS))
        return 0;
    int rc = releases_save_passed(f->releases, 0, f->sessions, err);
    if (rc == 0)
        health_pending_saved(f->sessions);
    f->saved_at = now;
    return rc;
}

int releases_follow_step(struct releases_follow *f, int64_t wait_ns, struct err *err)
{
    struct consumer_news news;
    int rc = store_consumer_next(f->consumer, wait_ns, &news);
    if (rc == ERR_AGAIN)
        return save_soon(f, true, err);
    if (rc < 0)
        return err_set(err, rc, "releases", "the store's news cannot be read: %s", err_text(rc));
    for (uint32_t i = 0; i < news.n && rc == 0; i++)
        rc = touch_segment(f, news.rows[i].segment, news.rows[i].first);
    uint64_t generation = news.generation;
    bool complete = news.complete;
    consumer_news_free(&news);
    if (rc < 0)
        return err_set(err, rc, "releases", "events could not be read: %s", err_text(rc));
    if (!complete)
        return (rc = save_soon(f, false, err)) < 0 ? rc : 1;
    rc = releases_save_passed(f->releases, generation, f->sessions, err);
    if (rc == 0)
        health_pending_clear(f->sessions);
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
    int rc = (f->sessions = health_pending_new()) ? begin(f, err) : releases_no_memory(err);
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
    health_pending_free(f->sessions);
    pthread_mutex_destroy(&f->lock);
    f->magic = 0;
    mem_free(f);
}
