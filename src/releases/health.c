// Counting sessions. A generation that is not complete is read again after a crash, and nothing may count twice: what is said
// of a session with an id adds nothing the second time, so it is added soon; what SDKs have counted themselves stands apart
// (health_hours_open), is written anew each time, and is added in the transaction that says that the generation is complete.
#include "releases/health.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/people.h"
#include "releases/releases_internal.h"

#include <stdlib.h>

enum { NAMES_SLOTS = 1 << 14, NAMES_MAX = NAMES_SLOTS / 2, NAMES_BYTES = 64 << 20, HOUR_S = 3600, MINUTE_S = 60 };
enum { SAID_INIT = 1, SAID_EXITED = 2, SAID_CRASHED = 4, SAID_ERRORED = 8, SAID_ABNORMAL = 16, SAID_UNHANDLED = 32 };

// A release and an environment, as sessions name them.
struct name {
    uint32_t project;
    str version, environment;
    int64_t key;         // in the database; while it is saved
    uint32_t stands_for; // the first name of that key
    struct people users, crashed;
    bool own_key; // no other environment has it
    bool loaded;
};
struct update {
    uint32_t name;
    uint32_t minute; // of its begin, Unix
    uint64_t sid, did;
    int64_t quantity;
    uint8_t said;
    bool has_sid, has_did;
};
struct health_pending {
    struct arena arena;
    struct name *names;
    uint32_t *slots; // of names, + 1
    struct update *updates;
    size_t names_n, names_cap, updates_n, updates_cap;
    bool unsaved;
};

struct health_pending *health_pending_new(void)
{
    struct health_pending *p = mem_zalloc(sizeof *p);
    if (p && !(p->slots = mem_calloc(NAMES_SLOTS, sizeof *p->slots))) {
        mem_free(p);
        return NULL;
    }
    if (p)
        arena_init(&p->arena, NAMES_BYTES);
    return p;
}

void health_pending_clear(struct health_pending *p)
{
    for (size_t i = 0; i < p->names_n; i++) {
        people_free(&p->names[i].users);
        people_free(&p->names[i].crashed);
    }
    arena_free(&p->arena);
    arena_init(&p->arena, NAMES_BYTES);
    memset(p->slots, 0, NAMES_SLOTS * sizeof *p->slots);
    p->names_n = p->updates_n = 0;
    p->unsaved = false;
}

static int by_cell(const void *a, const void *b)
{
    const struct update *x = a, *y = b;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    if (x->minute != y->minute)
        return x->minute < y->minute ? -1 : 1;
    return (x->said > y->said) - (x->said < y->said);
}

void health_pending_saved(struct health_pending *p)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < p->updates_n; i++) {
        struct update u = p->updates[i];
        if (u.has_sid)
            continue;
        u.minute -= u.minute % (HOUR_S / MINUTE_S);
        u.has_did = false; // is among the users already
        p->updates[n++] = u;
    }
    if (n)
        qsort(p->updates, n, sizeof *p->updates, by_cell);
    for (size_t i = 0; i < n; i++) {
        if (kept && by_cell(&p->updates[kept - 1], &p->updates[i]) == 0)
            p->updates[kept - 1].quantity += p->updates[i].quantity;
        else
            p->updates[kept++] = p->updates[i];
    }
    p->updates_n = kept;
    p->unsaved = false;
}

bool health_pending_unsaved(const struct health_pending *p) { return p->unsaved; }

void health_pending_free(struct health_pending *p)
{
    if (!p)
        return;
    health_pending_clear(p);
    arena_free(&p->arena);
    mem_free(p->names);
    mem_free(p->slots);
    mem_free(p->updates);
    mem_free(p);
}

static int grow(void **items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return 0;
    size_t more = *cap ? *cap * 2 : 64;
    void *moved = mem_reallocarray(*items, more, size);
    if (!moved)
        return ERR_NOMEM;
    *items = moved;
    *cap = more;
    return 0;
}

// *ret_name UINT32_MAX: there are too many in one generation.
static int name_of(struct health_pending *p, const struct health_session *s, uint32_t *ret_name)
{
    size_t i = (hash64_str(s->version) ^ hash64_int(s->project ^ hash64_str(s->environment))) & (NAMES_SLOTS - 1);
    for (; p->slots[i]; i = (i + 1) & (NAMES_SLOTS - 1)) {
        const struct name *n = &p->names[p->slots[i] - 1];
        if (n->project == s->project && str_eq(n->version, s->version) && str_eq(n->environment, s->environment)) {
            *ret_name = p->slots[i] - 1;
            return 0;
        }
    }
    *ret_name = UINT32_MAX;
    if (p->names_n == NAMES_MAX)
        return 0;
    struct name n = { .project = s->project };
    int rc = grow((void **)&p->names, p->names_n, &p->names_cap, sizeof *p->names);
    if (rc == 0)
        rc = arena_dup(&p->arena, s->version, &n.version);
    if (rc == 0)
        rc = arena_dup(&p->arena, s->environment, &n.environment);
    if (rc < 0)
        return rc;
    p->names[p->names_n] = n;
    *ret_name = (uint32_t)p->names_n++;
    p->slots[i] = *ret_name + 1;
    return 0;
}

static uint8_t said_by(const struct health_session *s)
{
    static const struct {
        str status;
        uint8_t said;
    } known[] = {
        { STR_INIT("exited"), SAID_EXITED },
        { STR_INIT("crashed"), SAID_CRASHED | SAID_ERRORED },
        { STR_INIT("abnormal"), SAID_ABNORMAL | SAID_ERRORED },
        { STR_INIT("unhandled"), SAID_UNHANDLED | SAID_ERRORED },
        { STR_INIT("errored"), SAID_ERRORED },
    };
    uint8_t said = (s->init ? SAID_INIT : 0) | (s->errors > 0 ? SAID_ERRORED : 0);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(s->status, known[i].status))
            said |= known[i].said;
    return said;
}

int health_pending_add(struct health_pending *p, const struct health_session *s)
{
    struct update u = { .said = said_by(s), .quantity = s->quantity, .has_sid = s->sid.len > 0 };
    int64_t minute = s->started / NS_PER_S / MINUTE_S;
    if (!release_version_valid(s->version) || minute < 0 || minute > UINT32_MAX || s->quantity <= 0)
        return 0;
    u.minute = (uint32_t)minute;
    u.sid = hash64_str(s->sid);
    u.did = hash64_str(s->did);
    u.has_did = s->did.len > 0;
    struct health_session known = *s;
    known.environment = releases_cut(s->environment, RELEASE_VERSION_MAX);
    int rc = name_of(p, &known, &u.name);
    if (rc == 0 && u.name == UINT32_MAX)
        return 0;
    if (rc == 0)
        rc = grow((void **)&p->updates, p->updates_n, &p->updates_cap, sizeof *p->updates);
    if (rc == 0) {
        p->updates[p->updates_n++] = u;
        p->unsaved = true;
    }
    return rc;
}

// ---- saving, inside a transaction of the writer

static int one_int(struct db *db, int64_t *ret, struct err *err, const char *sql, int64_t a, str b)
{
    sqlite3_stmt *stmt;
    int rc = db_query(db, &stmt, err, sql, "it", a, b);
    if (rc == 1) {
        *ret = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return rc;
}

// Its key stays 0 when there is no such release.
static int key_of(struct db *db, struct name *n, struct err *err)
{
    static const char find[] = "SELECT id FROM health WHERE release_id = ? AND environment = ?";
    int64_t release = 0, count = 0;
    str environment = n->environment;
    int rc = one_int(db, &release, err, "SELECT id FROM releases WHERE project = ? AND version = ?",
                     (int64_t)n->project, n->version);
    n->own_key = environment.len > 0;
    if (rc != 1 || (rc = one_int(db, &n->key, err, find, release, environment)) != 0)
        return rc;
    rc = one_int(db, &count, err, "SELECT count(*) FROM health WHERE release_id = ? AND environment <> ?", release,
                 STR(""));
    if (rc == 1 && count >= HEALTH_ENVIRONMENTS_MAX) {
        environment = (str){ "", 0 };
        n->own_key = false;
        if ((rc = one_int(db, &n->key, err, find, release, environment)) != 0)
            return rc;
    }
    rc = rc < 0 ? rc
                : db_run(db, NULL, err,
                         "INSERT INTO health (release_id, project, environment, users, crashed_users) VALUES (?, ?, ?, "
                         "x'0000', x'0000')",
                         "iit", release, (int64_t)n->project, environment);
    n->key = rc < 0 ? 0 : sqlite3_last_insert_rowid(db->handle);
    return rc;
}

static int load_people(struct db *db, struct name *n, struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(db, &stmt, err, "SELECT users, crashed_users FROM health WHERE id = ?", "i", n->key);
    if (rc <= 0)
        return rc < 0 ? rc : db_corrupt(db, err, "sessions have no users");
    bytes users = db_blob(stmt, 0), crashed = db_blob(stmt, 1);
    rc = people_decode(&n->users, &users);
    if (rc == 0)
        rc = people_decode(&n->crashed, &crashed);
    db_done(stmt);
    if (rc == ERR_CORRUPT)
        return db_corrupt(db, err, "users of sessions");
    n->loaded = rc == 0;
    return rc < 0 ? releases_no_memory(err) : 0;
}

static int save_people(struct db *db, const struct name *n, struct err *err)
{
    enum { PEOPLE_BYTES_MAX = 1 << 20 };
    struct buf users, crashed;
    buf_init(&users, PEOPLE_BYTES_MAX);
    buf_init(&crashed, PEOPLE_BYTES_MAX);
    people_encode(&n->users, &users);
    people_encode(&n->crashed, &crashed);
    int rc = users.error || crashed.error
                 ? releases_no_memory(err)
                 : db_run(db, NULL, err, "UPDATE health SET users = ?, crashed_users = ? WHERE id = ?", "bbi",
                          bytes_of(users.ptr, users.len), bytes_of(crashed.ptr, crashed.len), n->key);
    buf_free(&users);
    buf_free(&crashed);
    return rc;
}

// What is new in an update of a session; *minute becomes that of its first record: all of it counts in one hour.
static int news_of(struct db *db, const struct name *n, const struct update *u, int64_t now_s, uint8_t *ret_new,
                   uint32_t *minute, struct err *err)
{
    sqlite3_stmt *stmt;
    uint8_t before = 0;
    *ret_new = u->said;
    if (!u->has_sid)
        return 0;
    int rc = db_query(db, &stmt, err, "SELECT said, minute FROM health_open WHERE project = ? AND sid = ?", "ii",
                      (int64_t)n->project, (int64_t)u->sid);
    if (rc < 0)
        return rc;
    if (rc == 1) {
        before = (uint8_t)sqlite3_column_int64(stmt, 0);
        *minute = (uint32_t)sqlite3_column_int64(stmt, 1);
        db_done(stmt);
    }
    *ret_new = u->said & (uint8_t)~before;
    return db_run(
        db, NULL, err,
        "INSERT INTO health_open (project, sid, said, minute, seen_s) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT "
        "(project, sid) DO UPDATE SET said = ?3, seen_s = ?5",
        "iiiii", (int64_t)n->project, (int64_t)u->sid, (int64_t)(before | u->said), (int64_t)*minute, now_s);
}

#define ADD_TO(table)                                                                                                \
    "INSERT INTO " table                                                                                             \
    " (health_id, hour, sessions, exited, crashed, errored, abnormal, unhandled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "   \
    "?7, ?8) ON CONFLICT (health_id, hour) DO UPDATE SET sessions = sessions + ?3, exited = exited + ?4, crashed = " \
    "crashed + ?5, errored = errored + ?6, abnormal = abnormal + ?7, unhandled = unhandled + ?8"
static const char add_for_good[] = ADD_TO("health_hours"), add_for_now[] = ADD_TO("health_hours_open");

static int save_update(struct db *db, struct name *n, const struct update *u, bool complete, int64_t now_s,
                       struct err *err)
{
    uint8_t fresh;
    uint32_t minute = u->minute;
    int rc = news_of(db, n, u, now_s, &fresh, &minute, err);
    if (rc == 0 && u->has_did && !n->loaded)
        rc = load_people(db, n, err);
    if (rc == 0 && u->has_did && people_add(&n->users, u->did, minute, minute) < 0)
        rc = releases_no_memory(err);
    if (rc == 0 && u->has_did && (u->said & SAID_CRASHED) && people_add(&n->crashed, u->did, minute, minute) < 0)
        rc = releases_no_memory(err);
    if (rc < 0 || !fresh)
        return rc;
#define OF(bit) ((fresh & (bit)) ? u->quantity : (int64_t)0)
    return db_run(db, NULL, err, complete || u->has_sid ? add_for_good : add_for_now, "iiiiiiii", n->key,
                  (int64_t)minute / (HOUR_S / MINUTE_S), OF(SAID_INIT), OF(SAID_EXITED), OF(SAID_CRASHED),
                  OF(SAID_ERRORED), OF(SAID_ABNORMAL), OF(SAID_UNHANDLED));
#undef OF
}

// What will not be asked for any more; costs little when there is nothing.
static int forget(struct releases *r, int64_t now, struct err *err)
{
    int rc = db_run(&r->writer, NULL, err, "DELETE FROM health_open WHERE seen_s < ?", "i",
                    now / NS_PER_S - HEALTH_REMEMBERED_S);
    if (rc == 0)
        rc = db_run(&r->writer, NULL, err,
                    "DELETE FROM health_open WHERE seen_s <= (SELECT seen_s FROM health_open ORDER BY seen_s DESC "
                    "LIMIT 1 OFFSET ?)",
                    "i", (int64_t)HEALTH_OPEN_MAX);
    if (rc == 0 && r->options.retention_ns)
        rc = db_run(&r->writer, NULL, err, "DELETE FROM health_hours WHERE hour < ?", "i",
                    (now - r->options.retention_ns) / (HOUR_S * NS_PER_S));
    return rc;
}

static int find_keys(struct releases *r, struct health_pending *p, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < p->names_n && rc >= 0; i++) {
        struct name *n = &p->names[i];
        n->key = 0;
        n->stands_for = i;
        n->loaded = false;
        people_free(&n->users); // of a save that failed
        people_free(&n->crashed);
        rc = key_of(&r->writer, n, err);
        // Several stand for the key of too many environments.
        for (uint32_t k = 0; k < i && n->key && !n->own_key && n->stands_for == i; k++)
            if (p->names[k].key == n->key)
                n->stands_for = k;
    }
    return rc < 0 ? rc : 0;
}

int health_save(struct releases *r, struct health_pending *p, bool complete, int64_t now, struct err *err)
{
    int rc = find_keys(r, p, err);
    if (rc == 0)
        rc = db_run(&r->writer, NULL, err, "DELETE FROM health_hours_open", "");
    for (size_t i = 0; i < p->updates_n && rc == 0; i++) {
        struct name *n = &p->names[p->names[p->updates[i].name].stands_for];
        if (n->key)
            rc = save_update(&r->writer, n, &p->updates[i], complete, now / NS_PER_S, err);
    }
    for (size_t i = 0; i < p->names_n && rc == 0; i++)
        if (p->names[i].loaded)
            rc = save_people(&r->writer, &p->names[i], err);
    if (rc == 0 && now / (HOUR_S * NS_PER_S) != r->forgot_hour) {
        rc = forget(r, now, err);
        if (rc == 0)
            r->forgot_hour = now / (HOUR_S * NS_PER_S);
    }
    return rc;
}
