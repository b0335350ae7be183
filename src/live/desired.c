// The desired set of each agent: which probes, in which of its processes, with how many hits. Worked out anew after
// every change and sent where it differs from what was sent last.
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "live/live_internal.h"
#include "probe/probe.h"

#include <stdio.h>
#include <stdlib.h>

bool probe_alive(const struct live_probe *p, int64_t now)
{
    return !p->finished && now < p->expires && p->used < p->hits;
}

static bool fits(const char *want, str have) { return !want || str_eq(str_z(want), have); }

bool probe_matches(const struct live_probe *p, const struct live_agent *a, const struct agent_process *q)
{
    bool production = str_ieq(q->environment, STR("production")) || str_ieq(q->environment, STR("prod"));
    return fits(p->service, q->service) && fits(p->version, q->version) && fits(p->environment, q->environment) &&
           fits(p->host, live_str(a->host)) && (p->pid == 0 || p->pid == q->pid) && (p->prod || !production);
}

// A number that says who comes first when not all are meant; the same however often it is asked.
static uint64_t turn_of(const struct live_probe *p, const struct live_agent *a, const struct agent_process *q)
{
    uint64_t parts[3] = { (uint64_t)p->id, (uint64_t)a->id, hash64_str(q->id) };
    return hash64(parts, sizeof parts);
}

static int turn_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// The greatest turn that is meant; UINT64_MAX for all. *ret_agents: how many agents have a process that is.
static uint64_t last_turn(const struct live *l, const struct live_probe *p)
{
    uint64_t *turns, last = UINT64_MAX;
    size_t n = 0, keep;
    if (p->instances_n < 0)
        return UINT64_MAX;
    for (const struct live_agent *a = l->agents; a; a = a->next)
        n += a->processes_n;
    turns = mem_reallocarray(NULL, n + 1, sizeof *turns);
    if (!turns)
        return 0; // nobody, rather than everybody
    n = 0;
    for (const struct live_agent *a = l->agents; a; a = a->next)
        for (size_t i = 0; a->link && i < a->processes_n; i++)
            if (probe_matches(p, a, &a->processes[i]))
                turns[n++] = turn_of(p, a, &a->processes[i]);
    keep = p->instances_percent ? (n * (size_t)p->instances_n + 99) / 100 : (size_t)p->instances_n;
    if (n)
        qsort(turns, n, sizeof *turns, turn_order);
    if (keep < n)
        last = keep ? turns[keep - 1] : 0;
    mem_free(turns);
    return last;
}

static size_t agents_meant(const struct live *l, const struct live_probe *p)
{
    size_t n = 0;
    for (const struct live_agent *a = l->agents; a; a = a->next) {
        bool any = false;
        for (size_t i = 0; a->link && i < a->processes_n && !any; i++)
            any = probe_matches(p, a, &a->processes[i]);
        n += any;
    }
    return n ? n : 1;
}

// ---- slices of hits --------------------------------------------------------------------------------------

struct live_slice *slice_of(struct live_agent *a, int64_t probe, bool make)
{
    struct live_slice *s = a->slices;
    while (s && s->probe != probe)
        s = s->next;
    if (!s && make && (s = mem_zalloc(sizeof *s))) {
        s->probe = probe;
        s->next = a->slices;
        a->slices = s;
    }
    return s;
}

bool probe_of_agent(struct live_agent *a, const struct live_probe *p)
{
    if (slice_of(a, p->id, false))
        return true;
    for (size_t i = 0; i < a->processes_n; i++)
        if (probe_matches(p, a, &a->processes[i]))
            return true;
    return false;
}

int64_t agent_silent_ns(const struct live *l, struct live_agent *a, const struct live_probe *p, int64_t now)
{
    int64_t heard = a->last > l->opened ? a->last : l->opened; // before that nobody was here to be spoken to
    if (a->link || !slice_of(a, p->id, false))
        return -1;
    return now > heard ? now - heard : 0;
}

// Hits that are neither used nor in the hands of an agent that is there.
static int64_t hits_left(const struct live *l, const struct live_probe *p)
{
    int64_t left = p->hits - p->used;
    for (struct live_agent *a = l->agents; a; a = a->next) {
        const struct live_slice *s = a->link ? slice_of(a, p->id, false) : NULL;
        left -= s ? s->granted - s->used : 0;
    }
    return left > 0 ? left : 0;
}

static int64_t next_slice(const struct live *l, const struct live_probe *p)
{
    int64_t left = hits_left(l, p), share = left / (int64_t)(2 * agents_meant(l, p));
    if (agents_meant(l, p) == 1)
        return left;
    return share > 0 ? share : left > 0;
}

void slices_refill(struct live *l, struct live_agent *a, struct live_probe *p)
{
    struct live_slice *s = slice_of(a, p->id, false);
    struct buf b;
    int64_t more;
    if (!s || s->used < s->granted || !probe_alive(p, live_now(l)) || !a->link)
        return;
    more = next_slice(l, p);
    // Others hold what is left and may never need it: then all of it is for who does. Beyond the limit nothing is stored.
    if (more == 0)
        more = p->hits - p->used;
    s->granted += more;
    buf_init(&b, 256);
    buf_printf(&b, "{\"type\":\"grant\",\"probe\":\"p%lld\",\"hits\":%lld}", (long long)p->id, (long long)more);
    link_send(a->link, &b);
}

// ---- the set ---------------------------------------------------------------------------------------------

static bool meant_for(const struct live_probe *p, const struct live_agent *a, const struct agent_process *q,
                      uint64_t last)
{
    return probe_matches(p, a, q) && (last == UINT64_MAX || turn_of(p, a, q) <= last);
}

// A probe, and how far down the turns it is meant; all of them, oldest first: who was there before stays when not all have room.
struct wanted {
    struct live_probe *probe;
    uint64_t last;
};
struct order {
    struct wanted *of;
    size_t n;
};

static void put_scope(const struct live_probe *p, const struct live_agent *a, uint64_t last, struct json_writer *w)
{
    json_put_key(w, STR("scope"));
    json_put_object(w);
    json_put_key(w, STR("service"));
    json_put_str(w, live_str(p->service));
    const struct {
        const char *key, *value;
    } texts[] = { { "version", p->version }, { "environment", p->environment }, { "host", p->host } };
    for (size_t i = 0; i < 3; i++)
        if (texts[i].value) {
            json_put_key(w, str_z(texts[i].key));
            json_put_str(w, str_z(texts[i].value));
        }
    json_put_key(w, STR("instances"));
    json_put_str(w, STR("all"));
    json_put_key(w, STR("processes"));
    json_put_array(w);
    for (size_t i = 0; i < a->processes_n; i++)
        if (meant_for(p, a, &a->processes[i], last))
            json_put_str(w, a->processes[i].id);
    json_put_array_end(w);
    json_put_object_end(w);
}

static bool meant(const struct live_probe *p, const struct live_agent *a, uint64_t last)
{
    for (size_t i = 0; i < a->processes_n; i++)
        if (meant_for(p, a, &a->processes[i], last))
            return true;
    return false;
}

// False: it has no room in the set.
static bool put_probe(struct live *l, struct live_agent *a, const struct wanted *wanted, struct json_writer *w)
{
    struct live_probe *p = wanted->probe;
    char text[32];
    const struct json_writer saved = *w;
    size_t before = w->out->len;
    struct live_slice *s = slice_of(a, p->id, true);
    int64_t more = s && s->granted == s->used ? next_slice(l, p) : 0; // nothing yet, or its hits were raised
    json_put_object(w);
    json_put_key(w, STR("id"));
    snprintf(text, sizeof text, "p%lld", (long long)p->id);
    json_put_str(w, str_z(text));
    json_put_key(w, STR("revision"));
    json_put_int(w, p->revision);
    if (p->agent && *p->agent) {
        buf_byte(w->out, ',');
        buf_str(w->out, str_z(p->agent));
    }
    put_scope(p, a, wanted->last, w);
    json_put_key(w, STR("expires"));
    fmt_rfc3339(text, p->expires);
    json_put_str(w, str_of(text, TIME_RFC3339_LEN));
    json_put_key(w, STR("hits"));
    json_put_int(w, p->hits);
    json_put_key(w, STR("grant"));
    json_put_int(w, s && !p->count_only ? s->granted + more - s->used : 0);
    json_put_key(w, STR("paused"));
    json_put_bool(w, p->paused);
    if (p->count_only) {
        json_put_key(w, STR("count_only"));
        json_put_bool(w, true);
    }
    json_put_object_end(w);
    if (w->out->error == ERR_LIMIT) {
        *w = saved;
        w->out->len = before;
        w->out->error = 0;
        return false;
    }
    if (s)
        s->granted += more;
    return true;
}

// The server's own word on a probe in the processes that it is meant for.
static void tell_each(struct live *l, struct live_agent *a, const struct wanted *wanted, const char *state,
                      const struct err *why)
{
    for (size_t i = 0; i < a->processes_n; i++)
        if (meant_for(wanted->probe, a, &a->processes[i], wanted->last))
            instance_tell(wanted->probe, a, a->processes[i].id, state, why, live_now(l));
    probe_changed(l, wanted->probe);
}

// Where the set has no room for it; and no more where it has again.
static void tell_room(struct live *l, struct live_agent *a, const struct wanted *wanted, bool room)
{
    struct live_slice *s = slice_of(a, wanted->probe->id, false);
    struct err err;
    err_set(&err, ERR_LIMIT, "too_many_probes", "the probes of this host are together larger than %d MB",
            PROBE_SET_BYTES_MAX >> 20);
    if (!room)
        tell_each(l, a, wanted, "error", &err);
    else if (s && s->left_out)
        tell_each(l, a, wanted, "pending", NULL);
    if (s)
        s->left_out = !room;
}

// What is sent again only when something else has changed too: grants go their own way.
static uint64_t set_hash(struct live_agent *a, const struct order *o, int64_t now)
{
    uint64_t h = 1;
    for (size_t i = 0; i < o->n; i++) {
        const struct live_probe *p = o->of[i].probe;
        if (!probe_alive(p, now) || !meant(p, a, o->of[i].last))
            continue;
        uint64_t parts[4] = { h, (uint64_t)p->id, (uint64_t)p->revision, (uint64_t)p->expires };
        h = hash64(parts, sizeof parts);
        for (size_t k = 0; k < a->processes_n; k++)
            if (meant_for(p, a, &a->processes[k], o->of[i].last)) {
                uint64_t more[2] = { h, hash64_str(a->processes[k].id) };
                h = hash64(more, sizeof more);
            }
    }
    return h;
}

// That the agent is sent these probes. A probe that only counts is forgotten with this server.
static int enter_slices(struct live *l, struct live_agent *a)
{
    struct err err;
    bool any = false;
    int r = 0;
    for (struct live_slice *s = a->slices; s && r == 0; s = s->next) {
        const struct live_probe *p = s->entered ? NULL : probe_of(l, s->probe);
        if (!p || p->count_only)
            continue;
        if (!any)
            r = db_begin(&l->db, &err);
        any = any || r == 0;
        if (r == 0)
            r = db_run(&l->db, NULL, &err, "INSERT INTO sent (probe, agent) VALUES (?, ?) ON CONFLICT DO NOTHING", "ii",
                       s->probe, a->id);
    }
    if (any)
        r = db_finish(&l->db, r, &err);
    for (struct live_slice *s = a->slices; s && r == 0; s = s->next)
        s->entered = true;
    if (r < 0)
        log_warn("live", "an agent is not sent its probes for now: %s", err.message);
    return r;
}

// What it puts in, and what it has no room for, oldest first.
static void put_set(struct live *l, struct live_agent *a, const struct order *o, int64_t now, struct buf *out)
{
    static const str end = STR_INIT("]}");
    struct json_writer w;
    buf_init(out, PROBE_SET_BYTES_MAX - end.len);
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("desired"));
    json_put_key(&w, STR("revision"));
    json_put_int(&w, ++l->revision);
    json_put_key(&w, STR("probes"));
    json_put_array(&w);
    for (size_t i = 0; i < o->n; i++)
        if (probe_alive(o->of[i].probe, now) && meant(o->of[i].probe, a, o->of[i].last))
            tell_room(l, a, &o->of[i], put_probe(l, a, &o->of[i], &w));
    out->max = PROBE_SET_BYTES_MAX;
    buf_str(out, end);
}

static void send_to(struct live *l, struct live_agent *a, const struct order *o, int64_t now)
{
    struct buf out;
    uint64_t hash = set_hash(a, o, now);
    if (a->desired_sent && a->desired_hash == hash)
        return;
    put_set(l, a, o, now, &out);
    // Before the agent can capture anything. When it fails, the next look at the clock tries again.
    if (out.error || enter_slices(l, a) < 0) {
        buf_free(&out);
        return;
    }
    a->desired_sent = true;
    a->desired_hash = hash;
    a->revision = l->revision;
    link_send(a->link, &out);
}

static int order_make(const struct live *l, struct order *ret)
{
    size_t n = 0, i;
    for (const struct live_probe *p = l->probes; p; p = p->next)
        n++;
    ret->of = mem_reallocarray(NULL, n + 1, sizeof *ret->of);
    ret->n = i = n;
    if (!ret->of)
        return ERR_NOMEM;
    for (struct live_probe *p = l->probes; p; p = p->next)
        ret->of[--i] = (struct wanted){ p, last_turn(l, p) };
    return 0;
}

void desired_send(struct live *l, struct live_agent *only)
{
    int64_t now = live_now(l);
    struct order o;
    if (order_make(l, &o) < 0)
        return; // the next look at the clock sends it
    for (struct live_agent *a = l->agents; a; a = a->next)
        if (a->link && a->link->listed && (!only || a == only))
            send_to(l, a, &o, now);
    mem_free(o.of);
}

void desired_unread(struct live *l, struct live_agent *a, str why)
{
    struct order o;
    struct err err;
    if (order_make(l, &o) < 0)
        return;
    err_set(&err, ERR_MALFORMED, "set_unreadable", "the agent on this host cannot read its probes: %.*s", STR_ARG(why));
    for (size_t i = 0; i < o.n; i++)
        if (probe_alive(o.of[i].probe, live_now(l)) && meant(o.of[i].probe, a, o.of[i].last))
            tell_each(l, a, &o.of[i], "error", &err);
    mem_free(o.of);
}
