// Agents: how they become known, one connection of each, and what they say.
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "live/live_internal.h"
#include "meta/audit.h"

#include <sodium.h>
#include <stdio.h>

enum { MESSAGE_ARENA = 64 << 20, PROCESSES_ARENA = 16 << 20, DATA_MAX = 8 << 10 };
// Whoever holds a host's key can say much, but not so much that others wait: elements a second, and at once.
enum { CREDIT_A_SECOND = 20000, CREDIT_MAX = 100000 };

struct live_agent *agent_of(struct live *l, int64_t id)
{
    struct live_agent *a = l->agents;
    while (a && a->id != id)
        a = a->next;
    return a;
}

void agent_free(struct live_agent *a)
{
    while (a->slices) {
        struct live_slice *s = a->slices;
        a->slices = s->next;
        mem_free(s);
    }
    arena_free(&a->arena);
    mem_free(a->host);
    mem_free(a->version);
    mem_free(a->rules);
    mem_free(a);
}

int agent_new(struct live *l, int64_t id, str host, str version, const uint8_t hash[32], struct live_agent **ret)
{
    struct live_agent *a = mem_zalloc(sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->id = id;
    a->host = live_dup(host);
    a->version = live_dup(version);
    memcpy(a->hash, hash, 32);
    arena_init(&a->arena, PROCESSES_ARENA);
    a->next = l->agents;
    l->agents = a;
    *ret = a;
    return 0;
}

int agents_load(struct live *l, struct err *err)
{
    sqlite3_stmt *s;
    pthread_mutex_lock(&l->db.lock);
    int r =
        db_query(&l->db, &s, err,
                 "SELECT id, host, version, secret, created_ns, last_ns, machine, turn, copies, copied_ns, copied_why"
                 " FROM agent ORDER BY id",
                 "");
    while (r == 1) {
        struct live_agent *a;
        bytes hash = db_blob(s, 3);
        if (hash.len != 32) {
            db_done(s);
            r = db_corrupt(&l->db, err, "the secret of an agent is no hash");
            break;
        }
        if (agent_new(l, sqlite3_column_int64(s, 0), db_text(s, 1), db_text(s, 2), hash.ptr, &a) < 0) {
            db_done(s);
            r = live_nomem(err);
            break;
        }
        a->created = sqlite3_column_int64(s, 4);
        a->last = sqlite3_column_int64(s, 5);
        db_copy_text(s, 6, a->machine, sizeof a->machine);
        a->turn = sqlite3_column_int64(s, 7);
        a->copies = sqlite3_column_int64(s, 8);
        a->copied = sqlite3_column_int64(s, 9);
        a->copied_kind = key_kind_of(db_text(s, 10));
        r = db_next(&l->db, s, err);
    }
    if (r == 0)
        r = db_query(&l->db, &s, err, "SELECT agent, probe FROM sent", "");
    while (r == 1) {
        struct live_agent *a = agent_of(l, sqlite3_column_int64(s, 0));
        struct live_slice *slice = a ? slice_of(a, sqlite3_column_int64(s, 1), true) : NULL;
        if (slice)
            slice->entered = true;
        r = db_next(&l->db, s, err);
    }
    pthread_mutex_unlock(&l->db.lock);
    return r < 0 ? r : 0;
}

int live_agent_remove(struct live *l, str actor, str agent, struct err *err)
{
    pthread_mutex_lock(&l->lock);
    struct live_agent *a = agent_of(l, live_id_of(agent, 'a'));
    int r = a ? meta_audit_add(l->o.meta, actor, "agent.remove", agent, live_str(a->host), err)
              : err_set(err, ERR_NOENT, "no_agent", "there is no such agent");
    if (r == 0)
        r = db_begin(&l->db, err);
    if (r == 0)
        r = db_finish(&l->db, db_run(&l->db, NULL, err, "DELETE FROM agent WHERE id = ?", "i", a->id), err);
    if (r == 0) {
        if (a->link) {
            a->link->c.close(a->link->c.ctx, "removed", "this agent is not known any more");
            a->link->agent = NULL;
        }
        for (struct live_probe *p = l->probes; p; p = p->next)
            probe_instances_drop(p, a->id);
        for (struct live_agent **at = &l->agents; *at; at = &(*at)->next)
            if (*at == a) {
                *at = a->next;
                break;
            }
        agent_free(a);
        desired_send(l, NULL);
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

// ---- the connection ----------------------------------------------------------------------------------------

void link_send(struct live_link *k, struct buf *message)
{
    if (!message->error)
        k->c.send(k->c.ctx, buf_view(message));
    else
        k->c.close(k->c.ctx, "busy", "out of memory");
    buf_free(message);
}

// What an agent that has gone had reported says nothing any more.
static void forget_reports(struct live *l, struct live_agent *a)
{
    for (struct live_probe *p = l->probes; p; p = p->next) {
        bool any = false;
        for (const struct live_instance *i = p->instances; i && !any; i = i->next)
            any = i->agent == a->id;
        probe_instances_drop(p, a->id);
        if (any)
            probe_changed(l, p);
    }
    a->processes = NULL;
    a->processes_n = 0;
    arena_reset(&a->arena);
    a->attached = 0;
}

static void tell_instances(struct live *l, const struct live_agent *a)
{
    for (size_t i = 0; i < a->processes_n && l->o.watch; i++) {
        struct buf b;
        struct json_writer w;
        str service = a->processes[i].service;
        bool before = false;
        for (size_t k = 0; k < i && !before; k++)
            before = str_eq(a->processes[k].service, service);
        if (before || !service.len)
            continue;
        buf_init(&b, 4096);
        json_writer_init(&w, &b);
        json_put_object(&w);
        json_put_key(&w, STR("service"));
        json_put_str(&w, service);
        json_put_object_end(&w);
        live_tell(l, "instances", 0, service, buf_view(&b));
        buf_free(&b);
    }
}

int live_connect(struct live *l, const struct live_credentials *who, const struct live_connection *c,
                 struct live_link **ret_link, struct err *err)
{
    uint8_t hash[32];
    struct key_entry entry = { 0 };
    struct live_agent *found = NULL;
    struct live_link *k = mem_zalloc(sizeof *k);
    if (!k)
        return live_nomem(err);
    secret_hash("agent", who->secret, hash);
    pthread_mutex_lock(&l->lock);
    for (struct live_agent *a = l->agents; a; a = a->next)
        if (sodium_memcmp(a->hash, hash, 32) == 0)
            found = a;
    int r = found ? key_admit(l, found, who, &entry, err)
                  : err_set(err, ERR_DENIED, "bad_secret", "the agent's secret is not known here");
    if (r == 0) {
        *k = (struct live_link){ .l = l, .agent = found, .c = *c, .heard = live_now(l), .credit = CREDIT_MAX };
        found->link = k;
        found->since = found->last = live_now(l);
        found->desired_sent = found->lapsed = false;
    }
    pthread_mutex_unlock(&l->lock);
    key_enter(l, &entry);
    if (r < 0) {
        mem_free(k);
        return r;
    }
    *ret_link = k;
    return 0;
}

static void left(struct live *l, struct live_link *k)
{
    struct live_agent *a = k->agent;
    struct err err;
    if (!a)
        return;
    a->link = NULL;
    a->contested = 0;
    k->agent = NULL;
    a->last = k->heard;
    tell_instances(l, a);
    forget_reports(l, a);
    if (db_begin(&l->db, &err) == 0)
        db_finish(&l->db,
                  db_run(&l->db, NULL, &err, "UPDATE agent SET last_ns = ?, version = ? WHERE id = ?", "iti", a->last,
                         live_str(a->version), a->id),
                  &err);
    for (struct live_ask *q = l->asks; q; q = q->next)
        if (q->agent == a->id && !q->done) {
            q->done = true;
            snprintf(q->error, sizeof q->error, "the agent has gone");
        }
    pthread_cond_broadcast(&l->answered);
    desired_send(l, NULL);
}

void live_disconnect(struct live_link *k)
{
    struct live *l = k->l;
    pthread_mutex_lock(&l->lock);
    left(l, k);
    waits_free(k);
    pthread_mutex_unlock(&l->lock);
    mem_free(k);
}

// Who looks at a probe is told once that the agent which had it has taken it out.
static void tell_lapsed(struct live *l, struct live_agent *a, int64_t now)
{
    bool before = a->lapsed;
    for (const struct live_probe *p = l->probes; p && !before; p = p->next)
        if (probe_alive(p, now) && agent_silent_ns(l, a, p, now) >= LIVE_LEASE_S * NS_PER_S) {
            a->lapsed = true;
            probe_changed(l, p);
        }
}

void links_expire(struct live *l, int64_t now)
{
    for (struct live_agent *a = l->agents; a; a = a->next) {
        struct live_link *k = a->link;
        if (!k)
            tell_lapsed(l, a, now);
        if (!k || now - k->heard < LIVE_LEASE_S * NS_PER_S)
            continue;
        log_warn("live", "the agent of %s has said nothing for %d s", live_str(a->host).ptr, LIVE_LEASE_S);
        k->c.close(k->c.ctx, "lease", "the lease has expired");
        left(l, k); // its key is free for the next connection
    }
}

// ---- what it says ------------------------------------------------------------------------------------------

static void set_text(char **at, str s)
{
    char *z = live_dup(s);
    mem_free(*at);
    *at = z;
}

static void welcome(struct live *l, struct live_link *k, const struct agent_message *m)
{
    struct buf b;
    set_text(&k->agent->version, m->hello.version);
    k->agent->shapes = m->hello.shapes;
    k->agent->policy_known = true;
    if (!k->agent->host)
        set_text(&k->agent->host, m->hello.host);
    buf_init(&b, 256);
    buf_printf(&b, "{\"type\":\"welcome\",\"agent\":\"a%lld\",\"lease_s\":%d,\"heartbeat_s\":%d}",
               (long long)k->agent->id, LIVE_LEASE_S, LIVE_HEARTBEAT_S);
    link_send(k, &b);
    k->greeted = true;
}

static void take_policy(struct live_agent *a, const struct agent_message *m)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, AGENT_RULES_JSON_MAX);
    json_writer_init(&w, &b);
    agent_rules_put(m->policy.json, &w);
    a->shapes = m->policy.shapes;
    a->policy_known = true;
    set_text(&a->rules, b.error ? (str){ 0 } : buf_view(&b));
    buf_free(&b);
}

// They outlive the message: written and read again into the agent's own arena.
static int take_processes(struct live *l, struct live_agent *a, const struct agent_message *m)
{
    struct buf b;
    struct json_writer w;
    struct agent_message own = { .n = 0 };
    struct err err;
    str kept;
    buf_init(&b, PROCESSES_ARENA);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("processes"));
    json_put_key(&w, STR("processes"));
    json_put_array(&w);
    for (size_t i = 0; i < m->n; i++)
        json_put_tree(&w, m->processes[i].json);
    json_put_array_end(&w);
    json_put_object_end(&w);
    tell_instances(l, a);
    a->processes = NULL;
    a->processes_n = 0;
    arena_reset(&a->arena);
    int r = b.error ? b.error : arena_dup(&a->arena, buf_view(&b), &kept) < 0 ? ERR_NOMEM : 0;
    if (r == 0)
        r = agent_message_read(kept, &a->arena, &own, &err);
    buf_free(&b);
    if (r < 0)
        return r;
    a->processes = own.processes;
    a->processes_n = own.n;
    tell_instances(l, a);
    // Before this a set would have nothing in it, and take out what is still wanted.
    a->link->listed = true;
    // Reports of processes that have ended say nothing any more; those of others stay.
    desired_send(l, NULL);
    return 0;
}

// NULL: it is not this agent's to speak of, or there is no memory.
static struct live_instance *instance_of(struct live_probe *p, const struct live_agent *a, str process, int64_t now)
{
    const struct agent_process *found = NULL;
    for (size_t k = 0; k < a->processes_n && !found; k++)
        if (str_eq(a->processes[k].id, process))
            found = &a->processes[k];
    for (struct live_instance *i = p->instances; i && found; i = i->next)
        if (i->agent == a->id && str_eq(live_str(i->process), process))
            return i;
    struct live_instance *i = found && probe_matches(p, a, found) ? mem_zalloc(sizeof *i) : NULL;
    if (!i)
        return NULL;
    i->probe = p->id;
    i->agent = a->id;
    i->process = live_dup(process);
    i->since = now;
    i->next = p->instances;
    p->instances = i;
    return i;
}

static void take_data(struct live_instance *i, const struct json_node *data)
{
    struct buf b;
    struct json_writer w;
    mem_free(i->data);
    i->data = NULL;
    if (!data)
        return;
    buf_init(&b, DATA_MAX);
    json_writer_init(&w, &b);
    json_put_tree(&w, data);
    if (!b.error)
        i->data = live_dup(buf_view(&b));
    buf_free(&b);
}

void instance_tell(struct live_probe *p, const struct live_agent *a, str process, const char *state,
                   const struct err *why, int64_t now)
{
    struct live_instance *i = instance_of(p, a, process, now);
    if (!i)
        return;
    if (!str_eq(live_str(i->state), str_z(state)))
        i->since = now;
    i->own = why != NULL;
    i->line = 0;
    set_text(&i->state, str_z(state));
    set_text(&i->code, why ? str_z(why->slug) : (str){ 0 });
    set_text(&i->message, why ? str_z(why->message) : (str){ 0 });
    set_text(&i->file, (str){ 0 });
    take_data(i, NULL);
}

static void take_states(struct live *l, struct live_agent *a, const struct agent_message *m)
{
    int64_t now = live_now(l);
    for (size_t k = 0; k < m->n; k++) {
        const struct agent_state *s = &m->states[k];
        struct live_probe *p = probe_of(l, s->probe);
        struct live_instance *i = p ? instance_of(p, a, s->process, now) : NULL;
        // That it has taken out what is not in its set says less than why it is not.
        if (!i || s->revision < i->revision || (i->own && str_eq(s->state, STR("removed"))))
            continue;
        i->own = false;
        if (!str_eq(live_str(i->state), s->state))
            i->since = now;
        i->revision = s->revision;
        i->line = s->line;
        set_text(&i->state, s->state);
        set_text(&i->code, s->code);
        set_text(&i->message, s->message);
        set_text(&i->file, s->file);
        take_data(i, s->data);
        if (m->n <= 64 || k + 1 == m->n)
            probe_changed(l, p);
    }
    pthread_cond_broadcast(&l->wake);
}

static void take_counts(struct live *l, struct live_agent *a, const struct agent_message *m)
{
    int64_t now = live_now(l);
    for (size_t k = 0; k < m->n; k++) {
        const struct agent_count *c = &m->counts[k];
        struct live_probe *p = probe_of(l, c->probe);
        struct live_instance *i = p ? instance_of(p, a, c->process, now) : NULL;
        if (!i)
            continue;
        i->hits = c->hits;
        i->filtered = c->filtered;
        i->captured = c->captured;
        i->errors = c->errors;
        i->dropped = c->dropped;
        i->ns = c->ns;
        set_text(&i->first_error, c->first_error);
        if (m->n <= 64)
            probe_changed(l, p);
    }
}

static void take_answer(struct live *l, struct live_agent *a, const struct agent_message *m)
{
    for (struct live_ask *q = l->asks; q; q = q->next) {
        struct json_writer w;
        if (q->request != m->resolved.request || q->agent != a->id || q->done)
            continue;
        q->done = true;
        q->ok = m->resolved.ok;
        snprintf(q->error, sizeof q->error, "%.*s", STR_ARG(m->resolved.error));
        json_writer_init(&w, &q->answer);
        if (q->ok)
            json_put_tree(&w, m->resolved.result);
    }
    pthread_cond_broadcast(&l->answered);
}

static int take(struct live_link *k, const struct agent_message *m, struct err *err)
{
    struct live *l = k->l;
    struct live_agent *a = k->agent;
    if (!k->greeted && m->kind != AGENT_HELLO)
        return err_set(err, ERR_MALFORMED, "bad_message", "the first message must be `hello`");
    switch (m->kind) {
    case AGENT_HELLO:
        if (k->greeted)
            return err_set(err, ERR_MALFORMED, "bad_message", "`hello` was said already");
        welcome(l, k, m);
        break;
    case AGENT_PROCESSES:
        return take_processes(l, a, m) < 0 ? live_nomem(err) : 0;
    case AGENT_STATES:
        take_states(l, a, m);
        break;
    case AGENT_COUNTS:
        take_counts(l, a, m);
        break;
    case AGENT_RESOLVED:
        take_answer(l, a, m);
        break;
    case AGENT_STATUS:
        a->cpu_ratio = m->status.cpu_ratio;
        a->rss = m->status.rss;
        a->spool_bytes = m->status.spool_bytes;
        a->attached = m->status.attached;
        a->dropped = m->status.dropped;
        break;
    case AGENT_POLICY:
        take_policy(a, m);
        break;
    case AGENT_TRACES:
        waits_add(k, m->traces, m->n, live_now(l));
        break;
    case AGENT_UNREAD:
        desired_unread(l, a, m->unread.message);
        break;
    case AGENT_CAPTURES: // captures_take
        return k->listed ? 0 : err_set(err, ERR_MALFORMED, "bad_message", "`processes` come before what they capture");
    }
    return 0;
}

static int spend(struct live_link *k, int64_t now, size_t elements, struct err *err)
{
    int64_t more = (now - k->heard) / (NS_PER_S / CREDIT_A_SECOND);
    k->credit = more >= CREDIT_MAX - k->credit ? CREDIT_MAX : k->credit + (more > 0 ? more : 0);
    if (k->credit < (int64_t)elements)
        return err_set(err, ERR_LIMIT, "flood", "an agent says at most %d things a second", CREDIT_A_SECOND);
    k->credit -= (int64_t)elements;
    return 0;
}

int live_message(struct live_link *k, str text, struct err *err)
{
    struct live *l = k->l;
    struct arena arena;
    struct agent_message m;
    arena_init(&arena, MESSAGE_ARENA);
    int r = text.len > LIVE_MESSAGE_MAX
                ? err_set(err, ERR_LIMIT, "bad_message", "a message has at most %d bytes", LIVE_MESSAGE_MAX)
                : agent_message_read(text, &arena, &m, err);
    bool unknown = r == ERR_UNSUPPORTED; // of a newer agent
    pthread_mutex_lock(&l->lock);
    int64_t now = live_now(l);
    l->stats.messages++;
    if (spend(k, now, r == 0 ? m.n + 1 + text.len / 1024 : 1 + text.len / 1024, err) < 0)
        r = ERR_LIMIT, unknown = false;
    k->heard = now;
    bool gone = !k->agent;
    struct key_entry entry = { 0 };
    if (k->agent) {
        k->agent->last = k->heard;
        key_heard(l, k->agent, now, &entry);
    }
    if (r == 0)
        r = gone ? err_set(err, ERR_CLOSED, "removed", "this agent is not known any more") : take(k, &m, err);
    pthread_mutex_unlock(&l->lock);
    key_enter(l, &entry);
    if (r == 0 && m.kind == AGENT_CAPTURES)
        r = captures_take(k, &m, &arena, err);
    arena_free(&arena);
    return unknown ? 0 : r;
}
