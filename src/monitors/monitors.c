// Opening, closing, and the thread.
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "monitors/monitors_internal.h"

#include <stdio.h>
#include <unistd.h>

#define WAIT_NS (1 * NS_PER_S)
#define CLOCK_NS (5 * NS_PER_S)
#define UPKEEP_NS (3600 * NS_PER_S)
#define RETRY_NS (1 * NS_PER_S)

static const char schema_v1[] =
    "CREATE TABLE monitor (id INTEGER PRIMARY KEY AUTOINCREMENT, project BIGINT NOT NULL, slug TEXT NOT NULL,"
    " name TEXT NOT NULL, scheduled BIGINT NOT NULL, crontab TEXT NOT NULL, every BIGINT NOT NULL,"
    " unit BIGINT NOT NULL, timezone TEXT NOT NULL, margin_s BIGINT NOT NULL, max_runtime_s BIGINT NOT NULL,"
    " failure_threshold BIGINT NOT NULL, recovery_threshold BIGINT NOT NULL, muted BIGINT NOT NULL,"
    " disabled BIGINT NOT NULL, created_ns BIGINT NOT NULL, UNIQUE (project, slug));"
    // next_ns: when it is due next; 0: nobody knows. failing_since: of the incident; 0: none.
    "CREATE TABLE environment (id INTEGER PRIMARY KEY AUTOINCREMENT, monitor BIGINT NOT NULL, name TEXT NOT NULL,"
    " status BIGINT NOT NULL, last_ns BIGINT NOT NULL, next_ns BIGINT NOT NULL, duration_ns BIGINT NOT NULL,"
    " failing_since BIGINT NOT NULL, failures BIGINT NOT NULL, successes BIGINT NOT NULL, UNIQUE (monitor, name));"
    "CREATE INDEX environment_due ON environment (next_ns) WHERE next_ns > 0;"
    // told: that it takes too long stands in the outbox
    "CREATE TABLE checkin (environment BIGINT NOT NULL, id BLOB NOT NULL, status BIGINT NOT NULL,"
    " time_ns BIGINT NOT NULL, expected_ns BIGINT NOT NULL, received_ns BIGINT NOT NULL, duration_ns BIGINT NOT NULL,"
    " trace BLOB NOT NULL, told BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (environment, id)) WITHOUT ROWID;"
    "CREATE INDEX checkin_time ON checkin (environment, time_ns);"
    "CREATE INDEX checkin_running ON checkin (time_ns) WHERE status = 5;"
    // kind: 0 a check, 1 an event, 2 an issue to resolve
    "CREATE TABLE outbox (kind BIGINT NOT NULL, project BIGINT NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL,"
    " environment TEXT NOT NULL, hash TEXT NOT NULL, id BLOB NOT NULL, status BIGINT NOT NULL, time_ns BIGINT NOT NULL,"
    " expected_ns BIGINT NOT NULL, duration_ns BIGINT NOT NULL, trace BLOB NOT NULL);"
    "CREATE TABLE state (name TEXT PRIMARY KEY, value BIGINT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO state VALUES ('passed', 0), ('alive', 0);";
// waiting: made with a monitor that was described by hand; no job has checked in yet.
static const char schema_v2[] = "ALTER TABLE environment ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0;";
// trouble: why the configuration that its last configured check-in brought is not used; empty: it is.
static const char schema_v3[] = "ALTER TABLE monitor ADD COLUMN trouble TEXT NOT NULL DEFAULT '';";
static const char *const versions[] = { schema_v1, schema_v2, schema_v3 };

static int state_get(struct monitors *m, const char *name, int64_t *ret, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&m->db, &s, err, "SELECT value FROM state WHERE name = ?", "z", name);
    if (r <= 0)
        return r < 0 ? r : db_corrupt(&m->db, err, "a value of the monitors' state is gone");
    *ret = sqlite3_column_int64(s, 0);
    db_done(s);
    return 0;
}

static int state_set(struct monitors *m, const char *name, int64_t value, struct err *err)
{
    int r = db_begin(&m->db, err);
    if (r < 0)
        return r;
    r = db_run(&m->db, NULL, err, "UPDATE state SET value = ? WHERE name = ?", "iz", value, name);
    return db_finish(&m->db, r, err);
}

static int consumer_begin(struct monitors *m, struct err *err)
{
    int64_t passed = 0;
    store_consumer_close(m->consumer);
    m->consumer = NULL;
    int r = state_get(m, "passed", &passed, err);
    if (r < 0)
        return r;
    r = store_consumer_open(m->o.store, CONSUMER_MONITORS, (uint64_t)passed, 1u << RECORD_CHECKS, &m->consumer);
    return r < 0 ? err_set(err, r, "memory", "out of memory") : 0;
}

static int take(struct monitors *m, const struct consumer_news *news, struct err *err)
{
    int r = news->n ? db_begin(&m->db, err) : 0;
    if (r < 0 || !news->n)
        return r;
    for (uint32_t i = 0; i < news->n && r == 0; i++)
        r = checks_read(m, news->rows[i].segment, news->rows[i].first, err);
    return db_finish(&m->db, r, err);
}

// 1: there was something; 0: nothing within wait_ns.
static int consume(struct monitors *m, int64_t wait_ns, struct err *err)
{
    struct consumer_news news;
    int r = store_consumer_next(m->consumer, wait_ns, &news);
    if (r == ERR_AGAIN)
        return 0;
    if (r < 0)
        return err_set(err, r, "monitors", "the store's news cannot be read: %s", err_text(r));
    r = take(m, &news, err);
    if (r == 0 && news.complete) {
        r = state_set(m, "passed", (int64_t)news.generation, err);
        if (r == 0)
            store_consumer_pass(m->consumer, news.generation);
    }
    consumer_news_free(&news);
    return r < 0 ? r : 1;
}

static int upkeep(struct monitors *m, int64_t now, struct err *err)
{
    int r = db_begin(&m->db, err);
    if (r < 0)
        return r;
    r = db_run(&m->db, NULL, err, "DELETE FROM checkin WHERE time_ns < ? AND status <> 5", "i",
               now - CHECKS_KEEP_S * NS_PER_S);
    return db_finish(&m->db, r, err);
}

static int step(struct monitors *m, int64_t wait_ns, struct err *err)
{
    int64_t now;
    int r = consume(m, wait_ns, err), w;
    if (r < 0)
        return r;
    now = monitors_now(m);
    if (now >= m->clock_next || m->o.manual) {
        m->clock_next = now + CLOCK_NS;
        if ((w = clock_look(m, now, err)) < 0 || (w = state_set(m, "alive", now, err)) < 0)
            return w;
    }
    if (now >= m->upkeep_next) {
        m->upkeep_next = now + UPKEEP_NS;
        if ((w = upkeep(m, now, err)) < 0)
            return w;
    }
    w = outbox_write(m, err);
    return w < 0 ? w : r || w;
}

int monitors_step(struct monitors *m, struct err *err)
{
    MAGIC_CHECK(m, MONITORS_MAGIC);
    return step(m, 0, err);
}

static void *run(void *ctx)
{
    struct monitors *m = ctx;
    int last = 0;
    while (!atomic_load(&m->stop)) {
        struct err err = { 0 };
        int r = m->consumer ? step(m, WAIT_NS, &err) : consumer_begin(m, &err);
        if (r < 0 && r != ERR_STOPPING && r != last && !atomic_load(&m->stop))
            log_error("monitors", "cannot go on for now: %s", err.message);
        last = r < 0 ? r : 0;
        if (r >= 0)
            continue;
        for (int i = 0; i < 10 && !atomic_load(&m->stop); i++)
            usleep(RETRY_NS / 10 / 1000);
        consumer_begin(m, &err); // what was half taken is taken anew
    }
    return NULL;
}

static void destroy(struct monitors *m)
{
    store_consumer_close(m->consumer);
    db_close(&m->db);
    m->magic = 0;
    mem_free(m);
}

int monitors_open(const struct monitors_options *o, struct monitors **ret_monitors, struct err *err)
{
    struct monitors *m = mem_zalloc(sizeof *m);
    if (!m)
        return monitors_nomem(err);
    m->magic = MONITORS_MAGIC;
    m->o = *o;
    int r = db_open(&m->db, o->path, "monitors_database", DB_WRITE | DB_CREATE, err);
    if (r == 0)
        r = db_migrate(&m->db, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
    if (r == 0)
        r = state_get(m, "alive", &m->down_from, err);
    m->down_to = monitors_now(m);
    if (m->down_from == 0)
        m->down_from = m->down_to;
    if (r == 0)
        r = consumer_begin(m, err);
    if (r == 0 && !o->manual) {
        int e = pthread_create(&m->thread, NULL, run, m);
        r = e ? err_set(err, err_of_errno(e), "threads", "the thread of monitors cannot be started") : 0;
        m->running = r == 0;
    }
    if (r < 0) {
        destroy(m);
        return r;
    }
    *ret_monitors = m;
    return 0;
}

void monitors_close(struct monitors *m)
{
    if (!m)
        return;
    MAGIC_CHECK(m, MONITORS_MAGIC);
    atomic_store(&m->stop, true);
    if (m->running)
        pthread_join(m->thread, NULL); // within WAIT_NS
    destroy(m);
}
