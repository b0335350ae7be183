// A probe as pages and tools see it: what was asked for, and what has become of it in each process.
#include "base/timefmt.h"
#include "live/live_internal.h"

#include <stdio.h>

static void put_text(struct json_writer *w, const char *key, const char *z)
{
    if (!z || !*z)
        return;
    json_put_key(w, str_z(key));
    json_put_str(w, str_z(z));
}

static void put_number(struct json_writer *w, const char *key, int64_t n)
{
    json_put_key(w, str_z(key));
    json_put_int(w, n);
}

static void put_time(struct json_writer *w, const char *key, int64_t ns)
{
    char text[32];
    fmt_rfc3339(text, ns);
    json_put_key(w, str_z(key));
    json_put_str(w, str_of(text, TIME_RFC3339_LEN));
}

static void put_id(struct json_writer *w, const char *key, char letter, int64_t id)
{
    char text[32];
    snprintf(text, sizeof text, "%c%lld", letter, (long long)id);
    json_put_key(w, str_z(key));
    json_put_str(w, str_z(text));
}

static bool any_state(const struct live_probe *p, const char *const *words, size_t n)
{
    for (const struct live_instance *i = p->instances; i; i = i->next)
        for (size_t k = 0; k < n && i->state; k++)
            if (str_eq(str_z(i->state), str_z(words[k])))
                return true;
    return false;
}

// One word for all of its instances.
const char *probe_state(const struct live *l, const struct live_probe *p, int64_t now)
{
    static const char *const good[] = { "installed", "emitting", "throttled" };
    static const char *const waits[] = { "pending", "resolving", "waiting", "installing" };
    static const char *const partial[] = { "partial" }, *const suspended[] = { "suspended" };
    static const char *const bad[] = { "mismatch", "unresolvable", "error" };
    if (p->used >= p->hits)
        return "done";
    if (now >= p->expires || p->finished)
        return "expired";
    if (p->paused)
        return "paused";
    bool installed = any_state(p, good, 3), refused = any_state(p, bad, 3);
    if (any_state(p, partial, 1) || (installed && (refused || any_state(p, suspended, 1))))
        return "partial";
    if (installed)
        return "installed";
    if (any_state(p, suspended, 1))
        return "suspended";
    if (any_state(p, waits, 4))
        return "pending";
    return refused ? "refused" : "pending";
}

static const struct agent_process *process_of(const struct live_agent *a, const char *id)
{
    for (size_t i = 0; a && id && i < a->processes_n; i++)
        if (str_eq(a->processes[i].id, str_z(id)))
            return &a->processes[i];
    return NULL;
}

static void put_instance(struct live *l, const struct live_instance *i, int64_t now, struct json_writer *w)
{
    const struct live_agent *a = agent_of(l, i->agent);
    const struct agent_process *q = process_of(a, i->process);
    json_put_object(w);
    put_id(w, "agent", 'a', i->agent);
    put_text(w, "host", a ? a->host : NULL);
    put_text(w, "process", i->process);
    if (q) {
        json_put_key(w, STR("service"));
        json_put_str(w, q->service);
        if (q->instance.len) {
            json_put_key(w, STR("instance"));
            json_put_str(w, q->instance);
        }
        if (q->version.len) {
            json_put_key(w, STR("version"));
            json_put_str(w, q->version);
        }
        put_number(w, "pid", q->pid);
    }
    put_text(w, "state", i->state ? i->state : "pending");
    put_text(w, "code", i->code);
    put_text(w, "message", i->message);
    put_text(w, "file", i->file);
    if (i->line)
        put_number(w, "line", i->line);
    if (i->data) {
        json_put_key(w, STR("data"));
        json_put_raw(w, str_z(i->data));
    }
    put_number(w, "hits", i->hits);
    put_number(w, "filtered", i->filtered);
    put_number(w, "errors", i->errors);
    put_text(w, "first_error", i->first_error);
    put_number(w, "dropped", i->dropped);
    if (i->ns && now > i->since) {
        json_put_key(w, STR("cost_ratio"));
        json_put_double(w, (double)i->ns / (double)(now - i->since));
    }
    put_time(w, "since", i->since);
    json_put_object_end(w);
}

// Agents that were sent it and are not there: what has become of it on their hosts.
static void put_away(struct live *l, const struct live_probe *p, int64_t now, struct json_writer *w)
{
    for (struct live_agent *a = l->agents; a && probe_alive(p, now); a = a->next) {
        int64_t ns = agent_silent_ns(l, a, p, now);
        bool lapsed = ns >= LIVE_LEASE_S * NS_PER_S;
        char text[160];
        if (ns < 0)
            continue;
        json_put_object(w);
        put_id(w, "agent", 'a', a->id);
        put_text(w, "host", a->host);
        put_time(w, "since", now - ns);
        put_text(w, "code", lapsed ? "lease_expired" : "no_agent");
        snprintf(text, sizeof text,
                 lapsed ? "its agent has not been heard of for %d s, and its probes have removed themselves"
                        : "its agent is away; after %d s without it its probes have removed themselves",
                 LIVE_LEASE_S);
        put_text(w, "message", text);
        json_put_object_end(w);
    }
}

void probe_put(struct live *l, const struct live_probe *p, struct json_writer *w)
{
    int64_t now = live_now(l), dropped = 0;
    str spec = live_str(p->spec);
    for (const struct live_instance *i = p->instances; i; i = i->next)
        dropped += i->dropped;
    json_put_object(w);
    put_id(w, "id", 'p', p->id);
    put_number(w, "revision", p->revision);
    put_text(w, "project", p->project_slug);
    put_text(w, "service", p->service);
    put_text(w, "owner", p->owner);
    put_time(w, "created", p->created);
    put_time(w, "updated", p->updated);
    put_time(w, "expires", p->expires);
    put_text(w, "state", probe_state(l, p, now));
    json_put_key(w, STR("paused"));
    json_put_bool(w, p->paused);
    put_number(w, "hits", p->hits);
    put_number(w, "hits_used", p->used);
    put_number(w, "captures", p->captures);
    if (p->exception) {
        put_number(w, "events", p->events);
        put_number(w, "events_left_out", p->events_left_out);
    }
    put_number(w, "dropped", dropped);
    // The members of the spec, which is an object with at least `kind`.
    if (spec.len > 2) {
        buf_byte(w->out, ',');
        buf_str(w->out, str_slice(spec, 1, spec.len - 1));
    }
    json_put_key(w, STR("instances"));
    json_put_array(w);
    for (const struct live_instance *i = p->instances; i; i = i->next)
        put_instance(l, i, now, w);
    json_put_array_end(w);
    json_put_key(w, STR("away"));
    json_put_array(w);
    put_away(l, p, now, w);
    json_put_array_end(w);
    json_put_object_end(w);
}

// ---- services and instances ------------------------------------------------------------------------------

static bool seen_before(const struct live *l, const struct live_agent *until, size_t until_i, str service)
{
    for (const struct live_agent *a = l->agents; a; a = a->next)
        for (size_t i = 0; i < a->processes_n; i++) {
            if (a == until && i == until_i)
                return false;
            if (str_eq(a->processes[i].service, service))
                return true;
        }
    return false;
}

static void put_runtimes(const struct live *l, str service, struct json_writer *w)
{
    enum { RUNTIMES_MAX = 16 };
    str seen[RUNTIMES_MAX][2];
    size_t n = 0;
    char text[128];
    json_put_key(w, STR("runtimes"));
    json_put_array(w);
    for (const struct live_agent *a = l->agents; a; a = a->next)
        for (size_t i = 0; i < a->processes_n; i++) {
            const struct agent_process *q = &a->processes[i];
            size_t k = 0;
            if (!str_eq(q->service, service))
                continue;
            while (k < n && !(str_eq(seen[k][0], q->runtime) && str_eq(seen[k][1], q->runtime_version)))
                k++;
            if (k < n || n == RUNTIMES_MAX)
                continue;
            seen[n][0] = q->runtime;
            seen[n++][1] = q->runtime_version;
            int len = snprintf(text, sizeof text, "%.*s%s%.*s", STR_ARG(q->runtime), q->runtime_version.len ? " " : "",
                               STR_ARG(q->runtime_version));
            json_put_str(w, str_of(text, (size_t)len));
        }
    json_put_array_end(w);
}

void live_services(struct live *l, const struct live_caller *who, struct json_writer *w)
{
    size_t agents = 0;
    pthread_mutex_lock(&l->lock);
    int64_t now = live_now(l);
    json_put_key(w, STR("services"));
    json_put_array(w);
    for (const struct live_agent *a = l->agents; a; a = a->next) {
        agents += a->link != NULL;
        for (size_t i = 0; i < a->processes_n; i++) {
            str service = a->processes[i].service;
            int64_t instances = 0, attachable = 0, hosts = 0, probes = 0;
            if (!service.len || seen_before(l, a, i, service))
                continue;
            for (const struct live_agent *b = l->agents; b; b = b->next) {
                int64_t before = instances;
                for (size_t k = 0; k < b->processes_n; k++)
                    if (str_eq(b->processes[k].service, service)) {
                        instances++;
                        attachable += b->processes[k].attachable;
                    }
                hosts += instances > before;
            }
            for (const struct live_probe *p = l->probes; p; p = p->next) {
                bool mine = false;
                for (size_t k = 0; k < who->projects_n && !mine; k++)
                    mine = who->projects[k] == p->project;
                probes += mine && !p->count_only && probe_alive(p, now) && str_eq(live_str(p->service), service);
            }
            json_put_object(w);
            json_put_key(w, STR("service"));
            json_put_str(w, service);
            put_runtimes(l, service, w);
            put_number(w, "instances", instances);
            put_number(w, "attachable", attachable);
            put_number(w, "hosts", hosts);
            put_number(w, "probes", probes);
            json_put_object_end(w);
        }
    }
    json_put_array_end(w);
    put_number(w, "agents", (int64_t)agents);
    pthread_mutex_unlock(&l->lock);
}

void live_instances(struct live *l, str service, struct json_writer *w)
{
    pthread_mutex_lock(&l->lock);
    json_put_key(w, STR("instances"));
    json_put_array(w);
    for (const struct live_agent *a = l->agents; a; a = a->next)
        for (size_t i = 0; i < a->processes_n; i++) {
            const struct agent_process *q = &a->processes[i];
            if (service.len && !str_eq(q->service, service))
                continue;
            json_put_object(w);
            for (const struct json_node *e = q->json->first; e; e = e->next) {
                json_put_key(w, e->key);
                json_put_tree(w, e);
            }
            put_id(w, "agent", 'a', a->id);
            put_text(w, "host", a->host);
            json_put_key(w, STR("connected"));
            json_put_bool(w, a->link != NULL);
            json_put_object_end(w);
        }
    json_put_array_end(w);
    pthread_mutex_unlock(&l->lock);
}

void live_agents(struct live *l, struct json_writer *w)
{
    pthread_mutex_lock(&l->lock);
    for (const struct live_agent *a = l->agents; a; a = a->next) {
        json_put_object(w);
        put_id(w, "id", 'a', a->id);
        put_text(w, "host", a->host);
        put_text(w, "version", a->version);
        json_put_key(w, STR("connected"));
        json_put_bool(w, a->link != NULL);
        if (a->link)
            put_time(w, "since", a->since);
        if (a->last)
            put_time(w, "last", a->last);
        put_number(w, "processes", (int64_t)a->processes_n);
        put_number(w, "attached", a->attached);
        json_put_key(w, STR("cpu_ratio"));
        json_put_double(w, a->cpu_ratio);
        put_number(w, "rss", a->rss);
        put_number(w, "spool_bytes", a->spool_bytes);
        put_number(w, "dropped", a->dropped);
        put_number(w, "refused", a->refused);
        if (a->copies) {
            json_put_key(w, STR("copied"));
            json_put_object(w);
            put_text(w, "why", key_why(a->copied_kind));
            put_number(w, "times", a->copies);
            put_time(w, "last", a->copied);
            json_put_object_end(w);
        }
        if (a->policy_known)
            put_text(w, "policy", a->shapes ? "shapes" : "values");
        if (a->rules) {
            json_put_key(w, STR("rules"));
            json_put_raw(w, str_z(a->rules));
        }
        json_put_object_end(w);
    }
    pthread_mutex_unlock(&l->lock);
}
