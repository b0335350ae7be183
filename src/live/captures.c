// Captures as they come: each once, within the hits that its probe has, durable before it is acknowledged.
#include "base/log.h"
#include "base/mem.h"
#include "live/event.h"

enum take_state { TAKE_ACK, TAKE_WRITE, TAKE_WRITTEN, TAKE_FAILED };

struct taking {
    struct group *group;
    const struct agent_capture *capture;
    uint8_t id[16];
    struct capture_origin origin;
    enum take_state state;
    int result;
    bool reserved, event;      // an error event was to be made of it; it is unless origin.event has become false
    bool figures;              // of a probe that counts: uses no hit, and is known again by the store alone
    const struct taking *same; // the one before it in the message that has its id
};

// Those of one message: its thread waits until the log has all of them.
struct group {
    pthread_mutex_t lock;
    pthread_cond_t came;
    size_t waiting;
};

static void written(void *ctx, int result)
{
    struct taking *t = ctx;
    struct group *g = t->group;
    pthread_mutex_lock(&g->lock);
    t->result = result;
    if (--g->waiting == 0)
        pthread_cond_signal(&g->came);
    pthread_mutex_unlock(&g->lock);
}

static int dup(struct arena *arena, str *s) { return arena_dup(arena, *s, s); }

// Of the process, which may end while this is written. One that has ended already is known by its id alone.
static int origin_of(struct live *l, const struct live_agent *a, const struct live_probe *p,
                     const struct json_node *json, struct arena *arena, struct capture_origin *ret)
{
    str id = json_get_text(json, STR("process"));
    struct capture_origin o = { .probe = p->id,
                                .agent = a->id,
                                .project = p->project,
                                .host = live_str(a->host),
                                .exception = p->exception,
                                .uncaught = p->uncaught };
    o.process = (struct agent_process){ .id = str_slice(id, 0, AGENT_ID_MAX), .service = live_str(p->service) };
    for (size_t i = 0; i < a->processes_n; i++)
        if (str_eq(a->processes[i].id, id))
            o.process = a->processes[i];
    o.process.json = NULL;
    int r = dup(arena, &o.host);
    str *texts[] = { &o.process.id,       &o.process.service, &o.process.environment,    &o.process.version,
                     &o.process.instance, &o.process.runtime, &o.process.runtime_version };
    for (size_t i = 0; i < sizeof texts / sizeof *texts && r == 0; i++)
        r = dup(arena, texts[i]);
    *ret = o;
    return r;
}

// 1: it is durable already.
static int known(struct live *l, const uint8_t id[16], struct err *err)
{
    sqlite3_stmt *s;
    pthread_mutex_lock(&l->db.lock);
    int r = db_query(&l->db, &s, err, "SELECT 1 FROM capture WHERE id = ?", "b", bytes_of(id, 16));
    if (r == 1)
        db_done(s);
    pthread_mutex_unlock(&l->db.lock);
    return r;
}

// With live.lock. Whether the probe may make one more event now.
static bool event_is_due(struct live *l, struct live_probe *p)
{
    const int64_t step = NS_PER_S / LIVE_EVENTS_A_SECOND, burst = step * (LIVE_EVENTS_BURST - 1);
    int64_t now = live_now(l);
    if (p->events_due > now + burst)
        return false;
    p->events_due = (p->events_due > now ? p->events_due : now) + step;
    return true;
}

// With live.lock. Takes one of the probe's hits for it; nothing is written of what is beyond them.
static int admit(struct live *l, struct live_agent *a, struct taking *list, size_t at, struct arena *arena,
                 struct err *err)
{
    struct taking *t = &list[at];
    struct live_probe *p = probe_of(l, t->capture->probe);
    capture_hash(a->id, t->capture->id, t->id);
    for (size_t i = 0; i < at; i++)
        if (memcmp(list[i].id, t->id, sizeof t->id) == 0) {
            t->same = &list[i];
            return 0;
        }
    int r = known(l, t->id, err);
    if (r != 0)
        return r < 0 ? r : 0;
    bool figures = json_get(t->capture->json, STR("metric")) != NULL;
    if (!p || p->count_only || p->used >= p->hits || !probe_of_agent(a, p) || p->figures != figures ||
        (figures && !figures_are_valid(t->capture->json))) {
        l->stats.refused++;
        return 0;
    }
    if (origin_of(l, a, p, t->capture->json, arena, &t->origin) < 0)
        return live_nomem(err);
    t->event = l->o.event && capture_is_event(&t->origin, t->capture->json);
    t->origin.event = t->event && event_is_due(l, p);
    p->used += !figures;
    t->reserved = !figures;
    t->figures = figures;
    t->state = TAKE_WRITE;
    return 0;
}

static void write_all(struct live *l, struct group *g, struct taking *list, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        struct taking *t = &list[i];
        if (t->state != TAKE_WRITE)
            continue;
        pthread_mutex_lock(&g->lock);
        g->waiting++;
        pthread_mutex_unlock(&g->lock);
        struct arena_mark mark = arena_mark(arena);
        int r = t->figures ? figures_write(l, &t->origin, t->id, t->capture->json, arena, written, t)
                           : capture_write(l, &t->origin, t->id, t->capture->json, arena, written, t);
        arena_rewind(arena, mark);
        if (r < 0) // ERR_EXIST: the log has it, and the crash came before this room did
            written(t, r == ERR_EXIST ? 0 : r);
    }
    pthread_mutex_lock(&g->lock);
    while (g->waiting)
        pthread_cond_wait(&g->came, &g->lock);
    pthread_mutex_unlock(&g->lock);
    for (size_t i = 0; i < n; i++)
        if (list[i].state == TAKE_WRITE)
            list[i].state = list[i].result == 0 ? TAKE_WRITTEN : TAKE_FAILED;
}

// That they are known, and that their hits are used, is one transaction.
static int keep(struct live *l, struct taking *list, size_t n, struct err *err)
{
    size_t any = 0;
    for (size_t i = 0; i < n; i++)
        any += list[i].state == TAKE_WRITTEN && !list[i].figures;
    int r = any ? db_begin(&l->db, err) : 0;
    if (!any || r < 0)
        return r;
    int64_t now = live_now(l);
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct taking *t = &list[i];
        int changes = 0;
        if (t->state != TAKE_WRITTEN || t->figures)
            continue;
        r = db_run(&l->db, &changes, err,
                   "INSERT INTO capture (id, probe, project, time_ns, received_ns) VALUES (?, ?, ?, ?, ?)"
                   " ON CONFLICT (id) DO NOTHING",
                   "biiii", bytes_of(t->id, 16), t->origin.probe, (int64_t)t->origin.project,
                   capture_time(l, t->capture->json), now);
        if (r == 0 && changes)
            r = db_run(&l->db, NULL, err,
                       "UPDATE probe SET used = used + 1, captures = captures + 1, events = events + ?,"
                       " events_left_out = events_left_out + ? WHERE id = ?",
                       "iii", (int64_t)t->origin.event, (int64_t)(t->event && !t->origin.event), t->origin.probe);
    }
    return db_finish(&l->db, r, err);
}

// With live.lock: what has come counts, what has not gives its hit back.
static void settle(struct live *l, struct live_agent *a, struct taking *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct taking *t = &list[i];
        struct live_probe *p = t->reserved ? probe_of(l, t->origin.probe) : NULL;
        struct live_slice *s = a && p ? slice_of(a, p->id, true) : NULL;
        if (p && t->state != TAKE_WRITTEN)
            p->used--;
        if (!p || t->state != TAKE_WRITTEN)
            continue;
        p->captures++;
        l->stats.captures++;
        p->events += t->origin.event;
        p->events_left_out += t->event && !t->origin.event;
        l->stats.events += t->origin.event;
        l->stats.events_left_out += t->event && !t->origin.event;
        if (s && s->used < s->granted)
            s->used++;
        if (l->o.watch && !json_get(t->capture->json, STR("log"))) {
            struct buf b;
            struct json_writer w;
            buf_init(&b, 64 << 10);
            json_writer_init(&w, &b);
            capture_summary(l, &t->origin, t->id, t->capture->json, &w);
            if (!b.error)
                live_tell(l, "capture", p->project, live_str(p->service), buf_view(&b));
            buf_free(&b);
        }
        if (p->used >= p->hits && !p->finished)
            probe_finish(l, p);
        else if (a)
            slices_refill(l, a, p);
        // Once for those of a message that stand together.
        if (i + 1 == n || list[i + 1].origin.probe != p->id)
            probe_changed(l, p);
    }
    desired_send(l, NULL);
}

static void acknowledge(struct live_link *k, const struct taking *list, size_t n)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1 << 20);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("ack"));
    json_put_key(&w, STR("ids"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        if ((list[i].same ? list[i].same : &list[i])->state != TAKE_FAILED)
            json_put_str(&w, list[i].capture->id);
    json_put_array_end(&w);
    json_put_object_end(&w);
    link_send(k, &b);
}

int captures_take(struct live_link *k, const struct agent_message *m, struct arena *arena, struct err *err)
{
    struct live *l = k->l;
    struct group g = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };
    struct taking *list = arena_zalloc(arena, (m->n + 1) * sizeof *list);
    int r = list ? 0 : live_nomem(err);
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < m->n && r == 0; i++) {
        list[i] = (struct taking){ .group = &g, .capture = &m->captures[i] };
        r = k->agent ? admit(l, k->agent, list, i, arena, err) : err_set(err, ERR_CLOSED, "removed", "it is removed");
    }
    pthread_mutex_unlock(&l->lock);
    if (r == 0) {
        write_all(l, &g, list, m->n, arena);
        r = keep(l, list, m->n, err);
    }
    for (size_t i = 0; list && r < 0 && i < m->n; i++)
        list[i].state = TAKE_FAILED;
    pthread_mutex_lock(&l->lock);
    if (r == 0 && k->agent)
        acknowledge(k, list, m->n);
    if (list)
        settle(l, k->agent, list, m->n);
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; r == 0 && i < m->n; i++)
        if (list[i].state == TAKE_FAILED)
            r = err_set(err, ERR_BUSY, "busy", "captures cannot be stored now: %s", err_text(list[i].result));
    return r;
}
