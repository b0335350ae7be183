// Opening, closing, and the thread that looks at the clock.
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "live/live_internal.h"

#include <time.h>

static const char schema_v1[] =
    "CREATE TABLE probe (id INTEGER PRIMARY KEY AUTOINCREMENT, revision BIGINT NOT NULL, project BIGINT NOT NULL,"
    " project_slug TEXT NOT NULL, owner TEXT NOT NULL, spec TEXT NOT NULL, created_ns BIGINT NOT NULL,"
    " updated_ns BIGINT NOT NULL, expires_ns BIGINT NOT NULL, hits BIGINT NOT NULL, used BIGINT NOT NULL,"
    " captures BIGINT NOT NULL, paused BIGINT NOT NULL, prod BIGINT NOT NULL, finished BIGINT NOT NULL);"
    // secret: its hash
    "CREATE TABLE agent (id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, version TEXT NOT NULL,"
    " secret BLOB NOT NULL UNIQUE, created_ns BIGINT NOT NULL, last_ns BIGINT NOT NULL);"
    "CREATE TABLE enrolment (secret BLOB PRIMARY KEY, name TEXT NOT NULL, expires_ns BIGINT NOT NULL) WITHOUT ROWID;"
    // What has been made durable: an agent that did not hear so sends it again.
    "CREATE TABLE capture (id BLOB PRIMARY KEY, probe BIGINT NOT NULL, project BIGINT NOT NULL,"
    " time_ns BIGINT NOT NULL, received_ns BIGINT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX capture_received ON capture (received_ns);";
// Which agents were sent a probe: captures that they have are taken, also when the process and this server have ended since.
static const char schema_v2[] =
    "CREATE TABLE sent (probe BIGINT NOT NULL, agent BIGINT NOT NULL, PRIMARY KEY (probe, agent)) WITHOUT ROWID;";
// What a host's key is bound to, and that it was seen elsewhere (agent_key.c).
static const char schema_v3[] = "ALTER TABLE agent ADD COLUMN machine TEXT NOT NULL DEFAULT '';"
                                "ALTER TABLE agent ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;"
                                "ALTER TABLE agent ADD COLUMN copies BIGINT NOT NULL DEFAULT 0;"
                                "ALTER TABLE agent ADD COLUMN copied_ns BIGINT NOT NULL DEFAULT 0;"
                                "ALTER TABLE agent ADD COLUMN copied_why TEXT NOT NULL DEFAULT '';";
// What became an error event of a probe's captures, and what was beyond its rate, or the project did not take.
static const char schema_v4[] = "ALTER TABLE probe ADD COLUMN events BIGINT NOT NULL DEFAULT 0;"
                                "ALTER TABLE probe ADD COLUMN events_left_out BIGINT NOT NULL DEFAULT 0;";
// Enrolment tokens can be named, so that one that was made can be taken back.
static const char schema_v5[] =
    "CREATE TABLE enrolment_5 (id INTEGER PRIMARY KEY AUTOINCREMENT, secret BLOB NOT NULL UNIQUE, name TEXT NOT NULL,"
    " created_ns BIGINT NOT NULL, created_by TEXT NOT NULL, expires_ns BIGINT NOT NULL);"
    "INSERT INTO enrolment_5 (secret, name, created_ns, created_by, expires_ns)"
    " SELECT secret, name, expires_ns - 3600000000000, '', expires_ns FROM enrolment ORDER BY expires_ns;"
    "DROP TABLE enrolment;"
    "ALTER TABLE enrolment_5 RENAME TO enrolment;";
static const char *const versions[] = { schema_v1, schema_v2, schema_v3, schema_v4, schema_v5 };

int live_nomem(struct err *err) { return err_set(err, ERR_NOMEM, "memory", "out of memory"); }

char *live_dup(str s)
{
    char *z = s.len ? mem_alloc(s.len + 1) : NULL;
    if (!z)
        return NULL;
    memcpy(z, s.ptr, s.len);
    z[s.len] = 0;
    return z;
}

void live_tell(struct live *l, const char *event, uint32_t project, str service, str json)
{
    if (l->o.watch)
        l->o.watch(l->o.watch_ctx, event, project, service, json);
}

void live_watch(struct live *l, void (*watch)(void *ctx, const char *event, uint32_t project, str service, str json),
                void *ctx)
{
    pthread_mutex_lock(&l->lock);
    l->o.watch = watch;
    l->o.watch_ctx = ctx;
    pthread_mutex_unlock(&l->lock);
}

static void forget_old(struct live *l, int64_t now)
{
    struct err err;
    if (db_begin(&l->db, &err) < 0)
        return;
    int r = db_run(&l->db, NULL, &err, "DELETE FROM capture WHERE received_ns < ?", "i", now - LIVE_CAPTURE_KEEP_NS);
    if (r == 0)
        r = db_run(&l->db, NULL, &err, "DELETE FROM enrolment WHERE expires_ns < ?", "i", now);
    if (r == 0)
        r = db_run(&l->db, NULL, &err, "DELETE FROM probe WHERE finished = 1 AND updated_ns < ?", "i",
                   now - LIVE_FINISHED_KEEP_NS);
    if (r == 0)
        r = db_run(&l->db, NULL, &err,
                   "DELETE FROM sent WHERE probe NOT IN (SELECT id FROM probe) OR agent NOT IN (SELECT id FROM agent)",
                   "");
    if (db_finish(&l->db, r, &err) < 0)
        log_warn("live", "old entries stay for now: %s", err.message);
}

void live_step(struct live *l)
{
    int64_t now = live_now(l);
    MAGIC_CHECK(l, LIVE_MAGIC);
    pthread_mutex_lock(&l->lock);
    links_expire(l, now);
    probes_expire(l, now);
    desired_send(l, NULL);
    live_tell(l, "tick", 0, (str){ 0 }, (str){ 0 });
    pthread_mutex_unlock(&l->lock);
    waits_step(l);
}

static void *run(void *ctx)
{
    struct live *l = ctx;
    enum { UPKEEP_S = 600 };
    for (int64_t n = 0;; n++) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_mutex_lock(&l->lock);
        if (!l->stop)
            pthread_cond_timedwait(&l->wake, &l->lock, &until);
        bool stop = l->stop;
        pthread_mutex_unlock(&l->lock);
        if (stop)
            return NULL;
        live_step(l);
        if (n % UPKEEP_S == 0)
            forget_old(l, live_now(l));
    }
}

int live_open(const struct live_options *o, struct live **ret_live, struct err *err)
{
    struct live *l = mem_zalloc(sizeof *l);
    if (!l)
        return live_nomem(err);
    l->magic = LIVE_MAGIC;
    l->o = *o;
    l->opened = live_now(l);
    l->revision = l->opened / NS_PER_MS; // above every one of an earlier run
    must(pthread_mutex_init(&l->lock, NULL) == 0 && pthread_mutex_init(&l->lane_lock, NULL) == 0);
    must(pthread_cond_init(&l->answered, NULL) == 0 && pthread_cond_init(&l->wake, NULL) == 0);
    int r = db_open(&l->db, o->path, "live_database", DB_WRITE | DB_CREATE, err);
    if (r == 0)
        r = db_migrate(&l->db, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
    if (r == 0)
        r = probes_load(l, err);
    if (r == 0)
        r = agents_load(l, err);
    if (r == 0 && !o->manual) {
        int e = pthread_create(&l->thread, NULL, run, l);
        r = e ? err_set(err, err_of_errno(e), "threads", "the thread of probes cannot be started") : 0;
        l->running = r == 0;
    }
    if (r < 0) {
        live_close(l);
        return r;
    }
    *ret_live = l;
    return 0;
}

void live_close(struct live *l)
{
    if (!l)
        return;
    MAGIC_CHECK(l, LIVE_MAGIC);
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->wake);
    pthread_cond_broadcast(&l->answered);
    pthread_mutex_unlock(&l->lock);
    if (l->running)
        pthread_join(l->thread, NULL);
    while (l->probes) {
        struct live_probe *p = l->probes;
        l->probes = p->next;
        probe_free(p);
    }
    while (l->agents) {
        struct live_agent *a = l->agents;
        l->agents = a->next;
        agent_free(a);
    }
    db_close(&l->db);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->lane_lock);
    pthread_cond_destroy(&l->answered);
    pthread_cond_destroy(&l->wake);
    l->magic = 0;
    mem_free(l);
}

void live_stats(struct live *l, struct live_stats *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->stats;
    ret->probes = ret->agents = ret->connected = 0;
    for (const struct live_probe *p = l->probes; p; p = p->next)
        ret->probes += !p->finished;
    for (const struct live_agent *a = l->agents; a; a = a->next) {
        ret->agents++;
        ret->connected += a->link != NULL;
    }
    pthread_mutex_unlock(&l->lock);
}

int live_capture_find(struct live *l, str id, struct live_capture *ret, struct err *err)
{
    uint8_t raw[16];
    sqlite3_stmt *s;
    struct live_capture c = { .project = 0 };
    if (id.len != 32 || !hex_decode(raw, id))
        return err_set(err, ERR_NOENT, "no_snapshot", "there is no such snapshot");
    memcpy(c.id, id.ptr, 32);
    pthread_mutex_lock(&l->db.lock);
    int r = db_query(&l->db, &s, err, "SELECT project, time_ns FROM capture WHERE id = ?", "b", bytes_of(raw, 16));
    if (r == 1) {
        c.project = (uint32_t)sqlite3_column_int64(s, 0);
        c.time = sqlite3_column_int64(s, 1);
        db_done(s);
    }
    pthread_mutex_unlock(&l->db.lock);
    if (r == 0)
        return err_set(err, ERR_NOENT, "no_snapshot", "there is no such snapshot");
    if (r == 1)
        *ret = c;
    return r < 0 ? r : 0;
}
