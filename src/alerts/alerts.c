// Opening, closing, and the thread.
#include "alerts/alerts_internal.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <stdio.h>

enum { WAIT_MAX_S = 5, TRIM_EVERY_S = 3600 };

static const char schema_v1[] =
    "CREATE TABLE channel (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, type BIGINT NOT NULL,"
    " target TEXT NOT NULL, secret TEXT NOT NULL, created_by TEXT NOT NULL, created_ns BIGINT NOT NULL,"
    " sent_ns BIGINT NOT NULL, failed_ns BIGINT NOT NULL, trouble TEXT NOT NULL);"
    // definition: the rule as the API writes it
    "CREATE TABLE rule (id INTEGER PRIMARY KEY AUTOINCREMENT, project BIGINT NOT NULL, name TEXT NOT NULL,"
    " definition TEXT NOT NULL, enabled BIGINT NOT NULL, snoozed_until BIGINT NOT NULL, created_by TEXT NOT NULL,"
    " created_ns BIGINT NOT NULL, evaluated_ns BIGINT NOT NULL, trouble TEXT NOT NULL);"
    // closed_ns: 0 as long as it holds
    "CREATE TABLE firing (id INTEGER PRIMARY KEY AUTOINCREMENT, rule BIGINT NOT NULL, rule_name TEXT NOT NULL,"
    " key TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, project BIGINT NOT NULL, issue BIGINT NOT NULL,"
    " time_ns BIGINT NOT NULL, closed_ns BIGINT NOT NULL, lasting BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL,"
    " title TEXT NOT NULL, text TEXT NOT NULL, suppressed TEXT NOT NULL, UNIQUE (rule, key));"
    "CREATE INDEX firing_subject ON firing (rule, subject, time_ns);"
    "CREATE INDEX firing_open ON firing (rule) WHERE closed_ns = 0;"
    "CREATE TABLE delivery (id INTEGER PRIMARY KEY AUTOINCREMENT, rule BIGINT NOT NULL, rule_name TEXT NOT NULL,"
    " channel BIGINT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL, created_ns BIGINT NOT NULL,"
    " due_ns BIGINT NOT NULL, done_ns BIGINT NOT NULL, answer TEXT NOT NULL);"
    "CREATE INDEX delivery_due ON delivery (due_ns) WHERE state = 'waiting';"
    "CREATE INDEX delivery_of ON delivery (rule, channel, id);"
    "CREATE TABLE delivery_firing (delivery BIGINT NOT NULL, firing BIGINT NOT NULL, PRIMARY KEY (delivery, firing))"
    " WITHOUT ROWID;"
    "CREATE TABLE state (name TEXT PRIMARY KEY, value BIGINT NOT NULL) WITHOUT ROWID;"
    // How far the trail of issues was read; -1: what had happened before there were alerts is no news.
    "INSERT INTO state VALUES ('trail', -1);";
// over_value: what was measured when it was over; NULL: it is not, or there was nothing to measure.
static const char schema_v2[] = "ALTER TABLE firing ADD COLUMN over_value DOUBLE PRECISION;";
static const char *const versions[] = { schema_v1, schema_v2 };

int alerts_nomem(struct err *err) { return err_set(err, ERR_NOMEM, NULL, "out of memory"); }

str alerts_text(struct arena *arena, sqlite3_stmt *s, int column, bool *failed)
{
    str copy = { 0 };
    if (arena_dup(arena, db_text(s, column), &copy) < 0)
        *failed = true;
    return copy;
}

void alerts_wake(struct alerts *a)
{
    pthread_mutex_lock(&a->wake_lock);
    a->woken = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->wake_lock);
}

int alerts_step(struct alerts *a, int64_t *ret_wait_ns, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    int64_t now = alerts_now(a), due = INT64_MAX, evaluate = INT64_MAX;
    int r = evaluate_trail(a, now, err);
    if (r == 0)
        r = evaluate_due(a, now, &evaluate, err);
    if (r == 0)
        r = deliver_due(a, now, &due, err);
    if (r == 0 && now >= a->trim_next) {
        a->trim_next = now + TRIM_EVERY_S * NS_PER_S;
        r = firings_trim(a, now, err);
    }
    int64_t next = due < evaluate ? due : evaluate, longest = now + WAIT_MAX_S * NS_PER_S;
    *ret_wait_ns = (next < longest ? next : longest) - now;
    return r;
}

static void wait_for(struct alerts *a, int64_t ns)
{
    int64_t until = clock_mono_ns() + (ns < NS_PER_S / 10 ? NS_PER_S / 10 : ns);
    struct timespec at = { .tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S };
    pthread_mutex_lock(&a->wake_lock);
    while (!a->woken && !atomic_load(&a->stop))
        if (pthread_cond_timedwait(&a->wake, &a->wake_lock, &at) == ETIMEDOUT)
            break;
    a->woken = false;
    pthread_mutex_unlock(&a->wake_lock);
}

static void *run(void *ctx)
{
    struct alerts *a = ctx;
    int last = 0;
    while (!atomic_load(&a->stop)) {
        struct err err = { 0 };
        int64_t wait_ns = WAIT_MAX_S * NS_PER_S;
        int r = alerts_step(a, &wait_ns, &err);
        if (r < 0 && r != last && !atomic_load(&a->stop))
            log_warn("alerts", "cannot go on for now: %s", err.message);
        last = r;
        wait_for(a, r < 0 ? WAIT_MAX_S * NS_PER_S : wait_ns);
    }
    return NULL;
}

static void destroy(struct alerts *a)
{
    db_close(&a->db);
    pthread_mutex_destroy(&a->wake_lock);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->sending_lock);
    a->magic = 0;
    mem_free(a);
}

int alerts_open(const struct alerts_options *o, struct alerts **ret_alerts, struct err *err)
{
    struct alerts *a = mem_zalloc(sizeof *a);
    if (!a)
        return alerts_nomem(err);
    a->magic = ALERTS_MAGIC;
    a->o = *o;
    snprintf(a->mail_from, sizeof a->mail_from, "%s", o->mail_from ? o->mail_from : "");
    if (o->smtp) {
        a->smtp = *o->smtp;
        a->o.smtp = &a->smtp;
    }
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&a->wake_lock, NULL) == 0 && pthread_mutex_init(&a->sending_lock, NULL) == 0);
    must(pthread_cond_init(&a->wake, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    int r = db_open(&a->db, o->path, "alerts_database", DB_WRITE | DB_CREATE, err);
    if (r == 0)
        r = db_migrate(&a->db, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
    if (r < 0) {
        destroy(a);
        return r;
    }
    *ret_alerts = a;
    return 0;
}

int alerts_start(struct alerts *a, const char *url, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    snprintf(a->url, sizeof a->url, "%s", url);
    int e = pthread_create(&a->thread, NULL, run, a);
    a->running = e == 0;
    return e ? err_set(err, err_of_errno(e), "threads", "the thread of alerts cannot be started") : 0;
}

void alerts_close(struct alerts *a)
{
    if (!a)
        return;
    MAGIC_CHECK(a, ALERTS_MAGIC);
    atomic_store(&a->stop, true);
    alerts_wake(a);
    pthread_mutex_lock(&a->sending_lock);
    if (a->sending)
        net_client_cancel(a->sending);
    pthread_mutex_unlock(&a->sending_lock);
    if (a->running)
        pthread_join(a->thread, NULL);
    destroy(a);
}

static uint64_t number_of(struct alerts *a, const char *sql)
{
    sqlite3_stmt *s;
    uint64_t n = 0;
    if (db_query(&a->db, &s, NULL, sql, "") == 1) {
        n = (uint64_t)sqlite3_column_int64(s, 0);
        db_done(s);
    }
    return n;
}

void alerts_stats(struct alerts *a, struct alerts_stats *ret_stats)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    pthread_mutex_lock(&a->db.lock);
    *ret_stats =
        (struct alerts_stats){ .rules = number_of(a, "SELECT count(*) FROM rule"),
                               .open = number_of(a, "SELECT count(*) FROM firing WHERE closed_ns = 0"),
                               .waiting = number_of(a, "SELECT count(*) FROM delivery WHERE state = 'waiting'"),
                               .fired = atomic_load(&a->fired),
                               .suppressed = atomic_load(&a->suppressed),
                               .sent = atomic_load(&a->sent),
                               .failed = atomic_load(&a->failed) };
    pthread_mutex_unlock(&a->db.lock);
}
