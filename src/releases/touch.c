// Releases that events name: a table in memory of what was seen, written in one transaction now and then. What a name adds is
// a minimum and a maximum, so that seeing an event twice changes nothing.
#include "releases/releases_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

enum { TOUCHED_SLOTS = 16384, TOUCHED_MAX = TOUCHED_SLOTS / 2 }; // 3 MB at most

struct touched_entry {
    uint32_t project;
    uint8_t len;                     // of the version; 0: an empty slot
    bool refused;                    // the project has too many
    int64_t first, last;             // seen
    int64_t saved_first, saved_last; // that the database knows of; 0: nothing
    char version[RELEASE_VERSION_MAX];
};

struct touched {
    struct touched_entry *slots;
    size_t n;
    bool unsaved;
};

struct touched *touched_new(void)
{
    struct touched *t = mem_zalloc(sizeof *t);
    if (t && !(t->slots = mem_calloc(TOUCHED_SLOTS, sizeof *t->slots))) {
        mem_free(t);
        return NULL;
    }
    return t;
}

void touched_free(struct touched *t)
{
    if (!t)
        return;
    mem_free(t->slots);
    mem_free(t);
}

static struct touched_entry *touched_slot(struct touched *t, uint32_t project, str version)
{
    size_t i = (hash64_str(version) ^ hash64_int(project)) & (TOUCHED_SLOTS - 1);
    for (;; i = (i + 1) & (TOUCHED_SLOTS - 1)) {
        struct touched_entry *e = &t->slots[i];
        if (e->len == 0 || (e->project == project && str_eq(str_of(e->version, e->len), version)))
            return e;
    }
}

static void touched_clear(struct touched *t)
{
    memset(t->slots, 0, TOUCHED_SLOTS * sizeof *t->slots);
    t->n = 0;
    t->unsaved = false;
}

static bool entry_unsaved(const struct touched_entry *e)
{
    return e->len && !e->refused && (e->saved_first != e->first || e->saved_last != e->last);
}

// false: there is no room before the next save.
static bool touched_note(struct touched *t, uint32_t project, str version, int64_t time)
{
    struct touched_entry *e = touched_slot(t, project, version);
    if (e->len == 0 && t->n == TOUCHED_MAX) {
        if (t->unsaved)
            return false;
        touched_clear(t);
        e = touched_slot(t, project, version);
    }
    if (e->len == 0) {
        e->project = project;
        e->len = (uint8_t)version.len;
        memcpy(e->version, version.ptr, version.len);
        t->n++;
    }
    if (e->first == 0 || time < e->first)
        e->first = time;
    if (time > e->last)
        e->last = time;
    t->unsaved |= entry_unsaved(e);
    return true;
}

void releases_touch(struct releases *r, uint32_t project, str version, int64_t time)
{
    MAGIC_CHECK(r, RELEASES_MAGIC);
    if (!release_version_valid(version) || time <= 0)
        return;
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&r->touch_lock);
        bool noted = touched_note(r->touched, project, version, time);
        pthread_mutex_unlock(&r->touch_lock);
        if (noted || releases_save(r, NULL) < 0)
            return;
    }
}

// How many releases a project has, counted once a save: counting them for each new name would take as long as there are many.
enum { COUNTED = 64 };
struct counted {
    uint32_t project;
    bool known;
    int64_t n;
};

static int count_of(struct releases *r, uint32_t project, struct counted counts[COUNTED], struct counted **ret_count,
                    struct err *err)
{
    sqlite3_stmt *stmt;
    struct counted *c = &counts[project % COUNTED];
    *ret_count = c;
    if (c->known && c->project == project)
        return 0;
    int rc = db_query(&r->writer, &stmt, err, "SELECT count(*) FROM releases WHERE project = ?", "i", (int64_t)project);
    if (rc <= 0)
        return rc < 0 ? rc : db_corrupt(&r->writer, err, "a count has no row");
    *c = (struct counted){ project, true, sqlite3_column_int64(stmt, 0) };
    db_done(stmt);
    return 0;
}

static int save_entry(struct releases *r, struct touched_entry *e, struct counted counts[COUNTED], struct err *err)
{
    str version = str_of(e->version, e->len);
    int changes = 0;
    int rc =
        db_run(&r->writer, &changes, err,
               "UPDATE releases SET last_event_ns = max(last_event_ns, ?3), first_event_ns = CASE WHEN first_event_ns "
               "= 0 OR first_event_ns > ?4 THEN ?4 ELSE first_event_ns END WHERE project = ?1 AND version = ?2",
               "itii", (int64_t)e->project, version, e->last, e->first);
    struct counted *count;
    if (rc < 0 || changes || (rc = count_of(r, e->project, counts, &count, err)) < 0)
        return rc;
    e->refused = count->n >= RELEASES_PER_PROJECT;
    if (e->refused)
        return 0;
    count->n++;
    return db_run(&r->writer, NULL, err,
                  "INSERT INTO releases (project, version, ref, url, status, created_ns, started_ns, released_ns, "
                  "first_event_ns, last_event_ns, by_event) VALUES (?1, ?2, '', '', 0, ?3, 0, 0, ?3, ?4, 1)",
                  "itii", (int64_t)e->project, version, e->first, e->last);
}

// With the writer's transaction open, which also keeps other savers out.
static int save_all(struct releases *r, struct err *err)
{
    struct counted counts[COUNTED] = { 0 };
    struct touched *t = r->touched;
    int rc = 0;
    for (size_t i = 0; i < TOUCHED_SLOTS && rc == 0; i++)
        if (entry_unsaved(&t->slots[i]))
            rc = save_entry(r, &t->slots[i], counts, err);
    return rc;
}

static void all_saved(struct touched *t)
{
    for (size_t i = 0; i < TOUCHED_SLOTS; i++) {
        t->slots[i].saved_first = t->slots[i].first;
        t->slots[i].saved_last = t->slots[i].last;
    }
    t->unsaved = false;
}

// generation 0: none was passed.
static int save(struct releases *r, uint64_t generation, struct health_pending *sessions, struct err *err)
{
    int rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&r->touch_lock); // to the end: what is touched meanwhile waits, as it would for the next save
    rc = save_all(r, err);
    if (rc == 0 && sessions)
        rc = health_save(r, sessions, generation != 0, clock_unix_ns(), err);
    if (rc == 0 && generation)
        rc = db_run(&r->writer, NULL, err, "INSERT OR REPLACE INTO state (name, value) VALUES ('passed', ?)", "i",
                    (int64_t)generation);
    rc = db_finish(&r->writer, rc, err);
    if (rc == 0)
        all_saved(r->touched);
    pthread_mutex_unlock(&r->touch_lock);
    return rc;
}

int releases_save(struct releases *r, struct err *err)
{
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->touch_lock);
    bool unsaved = r->touched->unsaved;
    pthread_mutex_unlock(&r->touch_lock);
    return unsaved ? save(r, 0, NULL, err) : 0;
}

int releases_save_passed(struct releases *r, uint64_t generation, struct health_pending *sessions, struct err *err)
{
    return save(r, generation, sessions, err);
}

int releases_passed(struct releases *r, uint64_t *ret_generation, struct err *err)
{
    sqlite3_stmt *stmt;
    pthread_mutex_lock(&r->reader.lock);
    int rc = db_query(&r->reader, &stmt, err, "SELECT value FROM state WHERE name = 'passed'", "");
    if (rc == 1) {
        *ret_generation = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    pthread_mutex_unlock(&r->reader.lock);
    return rc < 0 ? rc : 0;
}

void touched_forget(struct releases *r, uint32_t project, str version)
{
    pthread_mutex_lock(&r->touch_lock);
    struct touched_entry *e = touched_slot(r->touched, project, version);
    if (e->len) // others may stand behind it: it stays, as one that was never seen
        e->first = e->last = e->saved_first = e->saved_last = 0;
    pthread_mutex_unlock(&r->touch_lock);
}

int releases_expire(struct releases *r, int64_t now, struct err *err)
{
    enum { HOUR_S = 3600 };
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->touch_lock);
    bool due = r->options.retention_ns && now - r->expired_at >= HOUR_S * NS_PER_S;
    if (due)
        r->expired_at = now;
    pthread_mutex_unlock(&r->touch_lock);
    if (!due)
        return 0;
    int changes = 0;
    int rc = releases_save(r, err);
    if (rc == 0)
        rc = db_begin(&r->writer, err);
    if (rc < 0)
        return rc;
    rc = db_run(&r->writer, &changes, err, "DELETE FROM releases WHERE by_event = 1 AND last_event_ns < ?", "i",
                now - r->options.retention_ns);
    rc = db_finish(&r->writer, rc, err);
    if (rc == 0 && changes) {
        pthread_mutex_lock(&r->touch_lock);
        if (!r->touched->unsaved)
            touched_clear(r->touched); // it may name some of them
        pthread_mutex_unlock(&r->touch_lock);
    }
    return rc;
}
