// Probes: made, changed, removed; each change is durable, entered in the audit trail, and told to the agents.
#include "base/log.h"
#include "base/mem.h"
#include "live/live_internal.h"
#include "meta/audit.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPEC_MAX = 128 << 10, AGENT_MAX = 1 << 20, SPEC_DEPTH = 32 };

struct live_probe *probe_of(struct live *l, int64_t id)
{
    struct live_probe *p = l->probes;
    while (p && p->id != id)
        p = p->next;
    return p;
}

static void instance_free(struct live_instance *i)
{
    mem_free(i->process);
    mem_free(i->state);
    mem_free(i->code);
    mem_free(i->message);
    mem_free(i->file);
    mem_free(i->data);
    mem_free(i->first_error);
    mem_free(i);
}

void probe_instances_drop(struct live_probe *p, int64_t agent)
{
    for (struct live_instance **at = &p->instances; *at;) {
        struct live_instance *i = *at;
        if (agent && i->agent != agent) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        instance_free(i);
    }
}

static void scope_drop(struct live_probe *p)
{
    mem_free(p->service);
    mem_free(p->version);
    mem_free(p->environment);
    mem_free(p->host);
    mem_free(p->spec);
    mem_free(p->agent);
    p->service = p->version = p->environment = p->host = p->spec = p->agent = NULL;
}

void probe_free(struct live_probe *p)
{
    probe_instances_drop(p, 0);
    scope_drop(p);
    mem_free(p->owner);
    mem_free(p->project_slug);
    mem_free(p);
}

// What follows from the spec. On failure the probe is as it was.
int probe_make(struct live *l, struct live_probe *p, str spec, struct err *err)
{
    struct arena arena;
    struct buf out;
    struct json_writer w;
    const struct json_node *root;
    arena_init(&arena, 16 << 20);
    buf_init(&out, AGENT_MAX);
    json_writer_init(&w, &out);
    int r = json_tree_read(spec, &arena, SPEC_DEPTH, &root, err);
    if (r == 0) {
        w.depth = 1; // members only
        r = spec_for_agents(root, &arena, &w, err);
    }
    if (r == 0) {
        const struct json_node *scope = json_get(root, STR("scope")), *instances = json_get(scope, STR("instances"));
        str many = instances ? instances->text : (str){ 0 };
        scope_drop(p);
        p->spec = live_dup(spec);
        p->agent = live_dup(buf_view(&out));
        p->service = live_dup(json_get_text(scope, STR("service")));
        p->version = live_dup(json_get_text(scope, STR("version")));
        p->environment = live_dup(json_get_text(scope, STR("environment")));
        p->host = live_dup(json_get_text(scope, STR("host")));
        p->pid = 0;
        p->figures = str_eq(json_get_text(root, STR("kind")), STR("metric")) ||
                     str_eq(json_get_text(root, STR("kind")), STR("timer"));
        p->exception = str_eq(json_get_text(root, STR("kind")), STR("exception"));
        p->uncaught = json_is(json_get(json_get(root, STR("where")), STR("uncaught")), JSON_TRUE);
        json_int_of(json_get(scope, STR("pid")), &p->pid);
        p->instances_percent = str_ends(many, STR("%"));
        p->instances_n = -1;
        if (many.len && !str_eq(many, STR("all")))
            p->instances_n =
                strtoll(p->instances_percent || many.len < 20 ? arena_printf(&arena, "%.*s", STR_ARG(many)).ptr : "1",
                        NULL, 10);
        r = p->spec && p->agent && p->service ? 0 : live_nomem(err);
    }
    buf_free(&out);
    arena_free(&arena);
    return r;
}

static int probe_of_row(struct live *l, sqlite3_stmt *s, struct live_probe **ret, struct err *err)
{
    struct live_probe *p = mem_zalloc(sizeof *p);
    if (!p)
        return live_nomem(err);
    p->id = sqlite3_column_int64(s, 0);
    p->revision = sqlite3_column_int64(s, 1);
    p->project = (uint32_t)sqlite3_column_int64(s, 2);
    p->project_slug = live_dup(db_text(s, 3));
    p->owner = live_dup(db_text(s, 4));
    p->created = sqlite3_column_int64(s, 6);
    p->updated = sqlite3_column_int64(s, 7);
    p->expires = sqlite3_column_int64(s, 8);
    p->hits = sqlite3_column_int64(s, 9);
    p->used = sqlite3_column_int64(s, 10);
    p->captures = sqlite3_column_int64(s, 11);
    p->paused = sqlite3_column_int64(s, 12);
    p->prod = sqlite3_column_int64(s, 13);
    p->finished = sqlite3_column_int64(s, 14);
    p->events = sqlite3_column_int64(s, 15);
    p->events_left_out = sqlite3_column_int64(s, 16);
    int r = probe_make(l, p, db_text(s, 5), err);
    if (r < 0) {
        probe_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

int probes_load(struct live *l, struct err *err)
{
    sqlite3_stmt *s;
    pthread_mutex_lock(&l->db.lock);
    int r =
        db_query(&l->db, &s, err,
                 "SELECT id, revision, project, project_slug, owner, spec, created_ns, updated_ns, expires_ns, hits,"
                 " used, captures, paused, prod, finished, events, events_left_out FROM probe ORDER BY id",
                 "");
    while (r == 1) {
        struct live_probe *p = NULL;
        int made = probe_of_row(l, s, &p, err);
        if (made == ERR_NOMEM) {
            db_done(s);
            r = made;
            break;
        }
        if (made < 0) { // the language has changed: it is gone, the others work
            log_warn("live", "a probe can no longer be read: %s", err->message);
        } else {
            p->next = l->probes;
            l->probes = p;
        }
        r = db_next(&l->db, s, err);
    }
    pthread_mutex_unlock(&l->db.lock);
    return r < 0 ? r : 0;
}

static int write_row(struct live *l, struct live_probe *p, struct err *err)
{
    int r = db_begin(&l->db, err);
    if (r < 0)
        return r;
    if (p->id == 0) {
        r = db_run(
            &l->db, NULL, err,
            "INSERT INTO probe (revision, project, project_slug, owner, spec, created_ns, updated_ns, expires_ns,"
            " hits, used, captures, paused, prod, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, 0)",
            "iizzziiiiii", p->revision, (int64_t)p->project, p->project_slug, p->owner, p->spec, p->created, p->updated,
            p->expires, p->hits, (int64_t)p->paused, (int64_t)p->prod);
        if (r == 0)
            p->id = sqlite3_last_insert_rowid(l->db.handle);
    } else {
        r = db_run(&l->db, NULL, err,
                   "UPDATE probe SET revision = ?, spec = ?, updated_ns = ?, expires_ns = ?, hits = ?, used = ?,"
                   " captures = ?, paused = ?, prod = ?, finished = ? WHERE id = ?",
                   "iziiiiiiiii", p->revision, p->spec, p->updated, p->expires, p->hits, p->used, p->captures,
                   (int64_t)p->paused, (int64_t)p->prod, (int64_t)p->finished, p->id);
    }
    return db_finish(&l->db, r, err);
}

void probe_changed(struct live *l, const struct live_probe *p)
{
    struct buf out;
    struct json_writer w;
    if (!l->o.watch || p->count_only)
        return;
    buf_init(&out, 4 << 20);
    json_writer_init(&w, &out);
    probe_put(l, p, &w);
    if (!out.error)
        live_tell(l, "probe", p->project, live_str(p->service), buf_view(&out));
    buf_free(&out);
}

void probe_finish(struct live *l, struct live_probe *p)
{
    struct err err;
    p->finished = true;
    p->updated = live_now(l);
    if (!p->count_only && write_row(l, p, &err) < 0)
        log_warn("live", "the end of a probe could not be kept: %s", err.message);
    probe_changed(l, p);
}

void probes_expire(struct live *l, int64_t now)
{
    for (struct live_probe **at = &l->probes; *at;) {
        struct live_probe *p = *at;
        if (!p->finished && now >= p->expires)
            probe_finish(l, p);
        if (p->finished && now - p->updated > LIVE_FINISHED_KEEP_NS) {
            *at = p->next;
            probe_free(p);
        } else {
            at = &p->next;
        }
    }
}

// ---- what people do ----------------------------------------------------------------------------------------

static int bad(struct err *err, const char *place, const char *words)
{
    err_set(err, ERR_INVALID, "bad_probe", "%s", words);
    err_set_place(err, "%s", place);
    return ERR_INVALID;
}

static int audit(struct live *l, str actor, const char *action, const struct live_probe *p, struct err *err)
{
    char id[32];
    snprintf(id, sizeof id, "p%lld", (long long)p->id);
    str detail = live_str(p->spec);
    return meta_audit_add(l->o.meta, actor, action, str_z(id), str_slice(detail, 0, 255), err);
}

static int number_of(const struct json_node *body, const char *name, int64_t least, int64_t most, int64_t *ret,
                     struct err *err)
{
    const struct json_node *n = json_get(body, str_z(name));
    int64_t v;
    if (!n)
        return 0;
    if (!json_is(n, JSON_NUMBER) || !json_int_of(n, &v) || v < least || v > most) {
        err_set(err, ERR_INVALID, "bad_probe", "%s must be a whole number from %lld to %lld", name, (long long)least,
                (long long)most);
        err_set_place(err, "%s", name);
        return ERR_INVALID;
    }
    *ret = v;
    return 0;
}

static bool is_production(str environment)
{
    return str_ieq(environment, STR("production")) || str_ieq(environment, STR("prod"));
}

static bool may_see(const struct live_caller *who, uint32_t project)
{
    for (size_t i = 0; i < who->projects_n; i++)
        if (who->projects[i] == project)
            return true;
    return false;
}

// `service` of the body stands for scope.service: one tree with it in its place.
static const struct json_node *with_service(const struct json_node *body, struct arena *arena)
{
    const struct json_node *service = json_get(body, STR("service")), *scope = json_get(body, STR("scope"));
    if (!json_is(service, JSON_STRING) || (scope && scope->type != JSON_OBJECT))
        return body;
    struct buf out;
    struct json_writer w;
    const struct json_node *root = NULL;
    str text;
    buf_init(&out, SPEC_MAX);
    json_writer_init(&w, &out);
    json_put_object(&w);
    for (const struct json_node *e = body->first; e; e = e->next)
        if (!str_eq(e->key, STR("scope")) && !str_eq(e->key, STR("service"))) {
            json_put_key(&w, e->key);
            json_put_tree(&w, e);
        }
    json_put_key(&w, STR("scope"));
    json_put_object(&w);
    for (const struct json_node *e = scope ? scope->first : NULL; e; e = e->next)
        if (!str_eq(e->key, STR("service"))) {
            json_put_key(&w, e->key);
            json_put_tree(&w, e);
        }
    json_put_key(&w, STR("service"));
    json_put_str(&w, service->text);
    json_put_object_end(&w);
    json_put_object_end(&w);
    struct err err;
    bool ok = !out.error && arena_dup(arena, buf_view(&out), &text) == 0 &&
              json_tree_read(text, arena, SPEC_DEPTH, &root, &err) == 0;
    buf_free(&out);
    return ok ? root : body;
}

// Takes the body into a probe: the spec, and what stands beside it.
static int take(struct live *l, const struct live_caller *who, struct live_probe *p, const struct json_node *body,
                struct err *err)
{
    struct arena arena;
    struct buf spec;
    struct json_writer w;
    int64_t ttl = p->id ? 0 : PROBE_TTL_DEFAULT_S, hits = p->hits;
    const struct json_node *old = NULL, *paused = json_get(body, STR("paused"));
    arena_init(&arena, 4 << 20);
    buf_init(&spec, SPEC_MAX);
    json_writer_init(&w, &spec);
    body = with_service(body, &arena);
    int r = p->spec ? json_tree_read(str_z(p->spec), &arena, SPEC_DEPTH, &old, err) : 0;
    if (r == 0)
        r = number_of(body, "ttl_s", 1, PROBE_TTL_MAX_S, &ttl, err);
    if (r == 0)
        r = number_of(body, "hits", 1, PROBE_HITS_MAX, &hits, err);
    if (r == 0 && paused && paused->type != JSON_TRUE && paused->type != JSON_FALSE)
        r = bad(err, "paused", "paused must be true or false");
    struct spec_context c = { .old = old, .body = body };
    if (r == 0)
        r = spec_write(&c, &w, err);
    const struct json_node *made = NULL;
    if (r == 0)
        r = json_tree_read(buf_view(&spec), &arena, SPEC_DEPTH, &made, err);
    const struct json_node *scope = json_get(made, STR("scope"));
    if (r == 0 && !json_get_text(scope, STR("service")).len)
        r = bad(err, "service", "service is missing");
    if (r == 0 && is_production(json_get_text(scope, STR("environment"))) && !who->may_prod) {
        r = err_set(err, ERR_DENIED, "forbidden", "probes in production need the scope probe_prod");
        err_set_place(err, "scope.environment");
    }
    if (r == 0)
        r = probe_make(l, p, buf_view(&spec), err);
    if (r == 0) {
        p->hits = hits;
        p->prod = who->may_prod;
        p->paused = paused ? paused->type == JSON_TRUE : p->paused;
        p->updated = live_now(l);
        if (ttl)
            p->expires = p->updated + ttl * NS_PER_S;
        p->finished = p->used >= p->hits;
    }
    buf_free(&spec);
    arena_free(&arena);
    return r;
}

int live_probe_add(struct live *l, const struct live_caller *who, uint32_t project, str project_slug,
                   const struct json_node *body, struct json_writer *w, struct err *err)
{
    struct live_probe *p = mem_zalloc(sizeof *p);
    if (!p)
        return live_nomem(err);
    p->project = project;
    p->project_slug = live_dup(project_slug);
    p->owner = live_dup(who->owner);
    p->hits = PROBE_HITS_DEFAULT;
    p->revision = 1;
    p->created = live_now(l);
    pthread_mutex_lock(&l->lock);
    size_t n = 0;
    for (const struct live_probe *q = l->probes; q; q = q->next)
        n += !q->finished;
    int r = n >= LIVE_PROBES_MAX ? err_set(err, ERR_LIMIT, "too_many", "there are %d probes already", LIVE_PROBES_MAX)
                                 : take(l, who, p, body, err);
    if (r == 0)
        r = write_row(l, p, err);
    if (r == 0 && (r = audit(l, who->actor, "probe.add", p, err)) < 0) {
        struct err ignored; // no probe without an entry
        if (db_begin(&l->db, &ignored) == 0)
            db_finish(&l->db, db_run(&l->db, NULL, &ignored, "DELETE FROM probe WHERE id = ?", "i", p->id), &ignored);
    }
    if (r == 0) {
        p->next = l->probes;
        l->probes = p;
        desired_send(l, NULL);
        probe_put(l, p, w);
        probe_changed(l, p);
    }
    pthread_mutex_unlock(&l->lock);
    if (r < 0)
        probe_free(p);
    return r;
}

static int find(struct live *l, const struct live_caller *who, str id, struct live_probe **ret, struct err *err)
{
    struct live_probe *p = probe_of(l, probe_id_of(id));
    if (!p || p->count_only || !may_see(who, p->project))
        return err_set(err, ERR_NOENT, "no_probe", "there is no such probe");
    *ret = p;
    return 0;
}

// What many do to a probe, and the trail tells apart from changes of what it takes.
static bool only_paused(const struct json_node *body) { return body->n == 1 && json_get(body, STR("paused")); }

int live_probe_change(struct live *l, const struct live_caller *who, str id, const struct json_node *body,
                      struct json_writer *w, struct err *err)
{
    struct live_probe *p, before;
    pthread_mutex_lock(&l->lock);
    int r = find(l, who, id, &p, err);
    if (r == 0 && p->prod && !who->may_prod)
        r = err_set(err, ERR_DENIED, "forbidden",
                    "this probe may be in production: changing it needs the scope probe_prod");
    if (r == 0) {
        before = *p;
        char *spec = live_dup(live_str(p->spec));
        r = take(l, who, p, body, err);
        if (r == 0) {
            p->revision++;
            r = audit(l, who->actor,
                      !only_paused(body) ? "probe.change"
                      : p->paused        ? "probe.pause"
                                         : "probe.resume",
                      p, err);
        }
        if (r == 0)
            r = write_row(l, p, err);
        if (r < 0 && spec) { // as it was
            struct err ignored;
            probe_make(l, p, str_z(spec), &ignored);
            p->revision = before.revision;
            p->hits = before.hits;
            p->expires = before.expires;
            p->paused = before.paused;
            p->prod = before.prod;
            p->finished = before.finished;
            p->updated = before.updated;
        }
        mem_free(spec);
    }
    if (r == 0) {
        desired_send(l, NULL);
        probe_put(l, p, w);
        probe_changed(l, p);
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

static int remove_one(struct live *l, const struct live_caller *who, struct live_probe *p, struct err *err)
{
    char json[48];
    int r = audit(l, who->actor, "probe.remove", p, err);
    if (r == 0)
        r = db_begin(&l->db, err);
    if (r == 0)
        r = db_finish(&l->db, db_run(&l->db, NULL, err, "DELETE FROM probe WHERE id = ?", "i", p->id), err);
    if (r < 0)
        return r;
    for (struct live_probe **at = &l->probes; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    snprintf(json, sizeof json, "{\"id\":\"p%lld\"}", (long long)p->id);
    live_tell(l, "probe_removed", p->project, live_str(p->service), str_z(json));
    probe_free(p);
    return 0;
}

int live_probe_remove(struct live *l, const struct live_caller *who, str id, struct err *err)
{
    struct live_probe *p;
    pthread_mutex_lock(&l->lock);
    int r = find(l, who, id, &p, err);
    if (r == 0)
        r = remove_one(l, who, p, err);
    desired_send(l, NULL);
    pthread_mutex_unlock(&l->lock);
    return r;
}

int live_probes_remove(struct live *l, const struct live_caller *who, str service, size_t *ret_n, struct err *err)
{
    size_t n = 0;
    int r = 0;
    pthread_mutex_lock(&l->lock);
    for (struct live_probe *p = l->probes, *next; p && r == 0; p = next) {
        next = p->next;
        if (p->count_only || !may_see(who, p->project) || (service.len && !str_eq(service, live_str(p->service))))
            continue;
        r = remove_one(l, who, p, err);
        n += r == 0;
    }
    desired_send(l, NULL);
    pthread_mutex_unlock(&l->lock);
    if (r == 0)
        *ret_n = n;
    return r;
}

int live_probe(struct live *l, const struct live_caller *who, str id, struct json_writer *w, struct err *err)
{
    struct live_probe *p;
    pthread_mutex_lock(&l->lock);
    int r = find(l, who, id, &p, err);
    if (r == 0)
        probe_put(l, p, w);
    pthread_mutex_unlock(&l->lock);
    return r;
}

void live_probes(struct live *l, const struct live_caller *who, str service, uint32_t project, bool finished,
                 struct json_writer *w)
{
    pthread_mutex_lock(&l->lock);
    for (const struct live_probe *p = l->probes; p; p = p->next)
        if (!p->count_only && may_see(who, p->project) && (!project || p->project == project) &&
            (finished || !p->finished) && (!service.len || str_eq(service, live_str(p->service))))
            probe_put(l, p, w);
    pthread_mutex_unlock(&l->lock);
}
