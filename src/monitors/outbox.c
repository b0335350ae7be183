// Records that this room writes. They stand in the database from the moment on in which it is decided that they are to be
// written, and go from there when they are durable in the store; what is written again after a crash is known there by its
// hash.
#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"
#include "issues/issues.h"
#include "monitors/monitors_internal.h"
#include "wire/record.h"

#include <sodium.h>
#include <stdio.h>

enum { AT_ONCE = 100 };

int outbox_add(struct monitors *m, const struct outbox_entry *e, struct err *err)
{
    return db_run(&m->db, NULL, err,
                  "INSERT INTO outbox (kind, project, slug, name, environment, hash, id, status, time_ns, expected_ns,"
                  " duration_ns, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "iittttbiiiib", (int64_t)e->event, (int64_t)e->project, e->slug, e->name, e->environment, e->hash,
                  bytes_of(e->id, 16), (int64_t)e->status, e->time, e->expected, e->duration,
                  bytes_of(e->trace, e->has_trace ? 16 : 0));
}

int outbox_resolve(struct monitors *m, uint32_t project, str hash, struct err *err)
{
    return db_run(&m->db, NULL, err,
                  "INSERT INTO outbox (kind, project, slug, name, environment, hash, id, status, time_ns, expected_ns,"
                  " duration_ns, trace) VALUES (2, ?, '', '', '', ?, x'', 0, ?, 0, 0, x'')",
                  "iti", (int64_t)project, hash, monitors_now(m));
}

// ---- as records ----------------------------------------------------------------------------------------

enum { ATTRS_MAX = 24 };
struct making {
    struct attr attrs[ATTRS_MAX];
    uint32_t n;
};

static void put(struct making *k, uint8_t level, str key, struct value v)
{
    must(k->n < ATTRS_MAX);
    if (v.type != VALUE_STR || v.s.len)
        k->attrs[k->n++] = (struct attr){ .key = key, .level = level, .value = v };
}
static void put_text(struct making *k, uint8_t level, str key, str text) { put(k, level, key, value_str(text)); }

static str words_of(const struct outbox_entry *e, struct arena *arena)
{
    switch (e->status) {
    case CHECK_MISSED:
        return STR("It did not check in when it was due.");
    case CHECK_TIMEOUT:
        return arena_printf(arena, "It has not ended after %lld s.", (long long)(e->duration / NS_PER_S));
    default:
        return STR("It said that it has failed.");
    }
}

static const str types[CHECK_STATUSES] = { [CHECK_ERROR] = STR_INIT("MonitorFailed"),
                                           [CHECK_MISSED] = STR_INIT("MonitorMissed"),
                                           [CHECK_TIMEOUT] = STR_INIT("MonitorTimeout") };

bool monitor_event_type(str type)
{
    for (int i = 0; i < CHECK_STATUSES; i++)
        if (types[i].len && str_eq(types[i], type))
            return true;
    return false;
}

static void make_event(const struct outbox_entry *e, struct arena *arena, const char hex[33], struct record *r,
                       struct making *k)
{
    str words = words_of(e, arena);
    r->source = RECORD_EVENTS;
    r->severity = SEVERITY_ERROR;
    r->name = types[e->status];
    put_text(k, ATTR_FIELD, STR("event_id"), str_of(hex, 32));
    put_text(k, ATTR_FIELD, STR("title"), arena_printf(arena, "Monitor failure: %.*s", STR_ARG(e->name)));
    put_text(k, ATTR_FIELD, STR("type"), types[e->status]);
    put_text(k, ATTR_FIELD, STR("message"), words);
    put_text(k, ATTR_FIELD, STR("culprit"), e->slug);
    put_text(k, ATTR_FIELD, STR("platform"), STR("other"));
    put_text(k, ATTR_FIELD, STR("group"), e->hash);
    put_text(k, ATTR_RECORD, STR("monitor.slug"), e->slug);
    put_text(k, ATTR_RECORD, STR("monitor.status"), check_status_word(e->status));
}

static void make_check(const struct outbox_entry *e, const char hex[33], struct record *r, struct making *k)
{
    r->source = RECORD_CHECKS;
    r->name = e->slug;
    r->duration = e->duration > 0 ? e->duration : 0;
    put_text(k, ATTR_FIELD, STR("status"), check_status_word(e->status));
    put_text(k, ATTR_RECORD, STR("check_in_id"), str_of(hex, 32));
    if (e->expected)
        put(k, ATTR_FIELD, STR("expected"), value_int(e->expected));
}

struct done {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool is;
    int result;
};

static void committed(void *ctx, int result)
{
    struct done *d = ctx;
    pthread_mutex_lock(&d->lock);
    d->is = true;
    d->result = result;
    pthread_cond_signal(&d->came);
    pthread_mutex_unlock(&d->lock);
}

static int commit_take(struct batch *b)
{
    struct done d = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };
    batch_commit_take(b, committed, &d);
    pthread_mutex_lock(&d.lock);
    while (!d.is)
        pthread_cond_wait(&d.came, &d.lock);
    pthread_mutex_unlock(&d.lock);
    return d.result;
}

static int write_record(struct monitors *m, const struct outbox_entry *e, struct arena *arena)
{
    struct making k = { .n = 0 }, resource = { .n = 0 };
    struct record r = { .time = e->time, .has_trace = e->has_trace };
    struct batch *batch;
    uint64_t hash[2];
    uint8_t of[16 + 1 + 1 + 8], id[16];
    char hex[33];
    // An event's id is not its check-in's: of that there may be several.
    memcpy(of, e->id, 16);
    of[16] = e->event;
    of[17] = (uint8_t)e->status;
    memcpy(of + 18, &e->time, 8);
    crypto_generichash((uint8_t *)hash, sizeof hash, of, sizeof of, NULL, 0);
    memcpy(id, e->event ? (const uint8_t *)hash : e->id, 16);
    hex_encode(hex, id, 16);
    hex[32] = 0;
    memcpy(r.trace, e->trace, 16);
    if (e->event)
        make_event(e, arena, hex, &r, &k);
    else
        make_check(e, hex, &r, &k);
    r.attrs = k.attrs;
    r.attrs_n = k.n;
    put_text(&resource, ATTR_RESOURCE, STR("service.name"), e->slug);
    put_text(&resource, ATTR_RESOURCE, STR("environment"), e->environment);
    struct record_entity entity = { .attrs = resource.attrs, .attrs_n = resource.n }, scope = { .name = STR("clew") };
    int rc = store_batch_begin(m->o.store, m->o.lane, e->project, hash, &batch);
    if (rc < 0)
        return rc == ERR_EXIST ? 0 : rc;
    struct record_sink sink = batch_sink(batch);
    rc = sink.section(sink.ctx, &entity, &scope);
    if (rc == 0)
        rc = sink.record(sink.ctx, &r);
    if (rc < 0) {
        batch_abort_take(batch);
        return rc;
    }
    return commit_take(batch);
}

static int resolve(struct monitors *m, const struct outbox_entry *e)
{
    struct issue_change change = { .has_state = true, .state = ISSUE_RESOLVED };
    int64_t issue;
    if (!m->o.issues || issues_of_hash(m->o.issues, e->project, e->hash, &issue) < 0)
        return 0;
    int r = issues_change(m->o.issues, STR("clew"), issue, &change, NULL);
    return r == ERR_NOENT || r == ERR_INVALID ? 0 : r;
}

static int entry_of(struct monitors *m, int64_t *ret_id, int64_t *ret_kind, struct arena *arena,
                    struct outbox_entry *ret, struct err *err)
{
    sqlite3_stmt *s;
    bool failed = false;
    pthread_mutex_lock(&m->db.lock);
    int r = db_query(&m->db, &s, err,
                     "SELECT rowid, kind, project, slug, name, environment, hash, id, status, time_ns, expected_ns,"
                     " duration_ns, trace FROM outbox ORDER BY rowid LIMIT 1",
                     "");
    if (r == 1) {
        int64_t status = sqlite3_column_int64(s, 8);
        *ret_id = sqlite3_column_int64(s, 0);
        *ret_kind = sqlite3_column_int64(s, 1);
        *ret = (struct outbox_entry){ .event = *ret_kind == 1,
                                      .project = (uint32_t)sqlite3_column_int64(s, 2),
                                      .slug = monitors_text(arena, s, 3, &failed),
                                      .name = monitors_text(arena, s, 4, &failed),
                                      .environment = monitors_text(arena, s, 5, &failed),
                                      .hash = monitors_text(arena, s, 6, &failed),
                                      .status = status >= 0 && status < CHECK_STATUSES ? (enum check_status)status
                                                                                       : CHECK_ERROR,
                                      .time = sqlite3_column_int64(s, 9),
                                      .expected = sqlite3_column_int64(s, 10),
                                      .duration = sqlite3_column_int64(s, 11) };
        bytes id = db_blob(s, 7), trace = db_blob(s, 12);
        if (id.len == 16)
            memcpy(ret->id, id.ptr, 16);
        ret->has_trace = trace.len == 16;
        if (ret->has_trace)
            memcpy(ret->trace, trace.ptr, 16);
        db_done(s);
    }
    pthread_mutex_unlock(&m->db.lock);
    return failed ? monitors_nomem(err) : r;
}

int outbox_write(struct monitors *m, struct err *err)
{
    struct arena arena;
    int64_t id = 0, kind = 0;
    int r = 1, any = 0;
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < AT_ONCE && r == 1 && !atomic_load(&m->stop); i++) {
        struct outbox_entry e;
        arena_reset(&arena);
        r = entry_of(m, &id, &kind, &arena, &e, err);
        if (r <= 0)
            break;
        int w = kind == 2 ? resolve(m, &e) : write_record(m, &e, &arena);
        if (w < 0) {
            r = err_set(err, w, "monitors", "a record cannot be written: %s", err_text(w));
            break;
        }
        any = 1;
        if ((w = db_begin(&m->db, err)) < 0 ||
            (w = db_finish(&m->db, db_run(&m->db, NULL, err, "DELETE FROM outbox WHERE rowid = ?", "i", id), err)) < 0)
            r = w;
    }
    arena_free(&arena);
    return r < 0 ? r : any;
}
