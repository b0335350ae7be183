// The desired set against what is: which probes belong into which process, attaching, applying, letting go.
#include "agent/helper_internal.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json_tree.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

// GRID_MS: what has time is done at common moments, so that many attachments wake the helper as often as one.
enum { POLL_SOONEST_MS = 1, GRID_MS = 20 };

static void on_readable(struct loop_watch *w, uint32_t events);
static void on_due(struct timer *t);

// --- the set ---

static void desired_free(struct desired *d)
{
    arena_free(&d->arena);
    *d = (struct desired){ 0 };
}

void desired_clear(struct helper *h)
{
    h->desired.n = 0; // the probes themselves stay until every back end has another set
}

struct wish *desired_find(struct helper *h, str probe)
{
    for (size_t i = 0; i < h->desired.n; i++)
        if (str_eq(h->desired.wishes[i].probe.id, probe))
            return &h->desired.wishes[i];
    return NULL;
}

// A probe that this host does not take: who asked for it is told so for each process that it is meant for.
static bool refuse_wish(struct desired *d, const struct json_node *p, struct wish *w, const struct err *why)
{
    struct err *kept = d->refused_n < REFUSED_MAX && probe_read_whose(p, &d->arena, &w->probe)
                           ? arena_zalloc(&d->arena, sizeof *kept)
                           : NULL;
    if (kept) {
        *kept = *why;
        w->refusal = kept;
        d->refused_n++;
    } else if (!d->silent) {
        log_warn("agent", "the server asks for probes that cannot be, and not even be refused: %s", why->message);
        d->silent = true;
    }
    return kept != NULL;
}

static int read_wish(struct desired *d, const struct json_node *p, struct wish *w, struct err *err)
{
    struct err why;
    *w = (struct wish){ .remaining = 0 };
    if (d->n - d->refused_n >= DESIRED_MAX)
        return err_set(err, ERR_LIMIT, "too_many_probes", "the agent on this host takes at most %d probes",
                       DESIRED_MAX);
    int rc = probe_read_node(p, &d->arena, &w->probe, &why);
    return rc < 0 ? err_set(err, rc, why.slug, "the agent on this host does not take it: %s", why.message) : 0;
}

static int read_wishes(struct helper *h, const struct json_node *list, struct desired *d)
{
    size_t n = list && list->type == JSON_ARRAY ? list->n : 0;
    if (n > DESIRED_MAX + REFUSED_MAX)
        n = DESIRED_MAX + REFUSED_MAX;
    d->wishes = arena_alloc_array(&d->arena, n ? n : 1, sizeof *d->wishes);
    if (!d->wishes)
        return ERR_NOMEM;
    for (const struct json_node *p = json_first_of(list, JSON_ARRAY); p && d->n < n; p = p->next) {
        struct wish *w = &d->wishes[d->n];
        struct err why;
        if (read_wish(d, p, w, &why) < 0) {
            d->n += refuse_wish(d, p, w, &why);
            continue;
        }
        const struct wish *old = desired_find(h, w->probe.id);
        // What is left of the same revision goes on: the server adds to it with grants. A server that has started anew knows of none
        // that it has given, and says what there is.
        w->remaining =
            old && old->remaining && old->probe.revision == w->probe.revision ? old->remaining : w->probe.grant;
        d->n++;
    }
    return 0;
}

int desired_read(struct helper *h, str json, struct err *err)
{
    struct desired d = { 0 }, old;
    const struct json_node *root;
    arena_init(&d.arena, DESIRED_ARENA);
    int rc = arena_dup(&d.arena, json, &json); // the probes' texts are views of it
    if (rc == 0)
        rc = json_tree_read(json, &d.arena, PROBE_JSON_DEPTH + 8, &root, err);
    else
        err_set(err, rc, NULL, "it is too long");
    if (rc == 0) {
        if (!json_int_of(json_get(root, STR("revision")), &d.revision))
            d.revision = 0;
        rc = read_wishes(h, json_get(root, STR("probes")), &d);
    }
    if (rc < 0) {
        desired_free(&d);
        return rc;
    }
    old = h->desired;
    h->desired = d;
    for (struct target *t = h->targets; t; t = t->next)
        t->applied = t->refused = 0; // also where nothing has changed: the old set's memory goes
    reconcile(h);
    desired_free(&old);
    return 0;
}

// --- which belong where ---

static bool fits(str scope, const char *is) { return scope.len == 0 || str_eq(scope, str_z(is)); }

static bool belongs(const struct target *t, const struct probe *p, int64_t now_unix_ns)
{
    const struct helper *h = t->h;
    if (p->paused || (p->expires_ns && p->expires_ns <= now_unix_ns) || t->gone)
        return false;
    if (!fits(p->scope.service, t->identity.service) || !fits(p->scope.version, t->identity.version) ||
        !fits(p->scope.environment, t->identity.environment) || !fits(p->scope.host, h->host) ||
        (p->scope.pid && p->scope.pid != (uint32_t)t->process.pid))
        return false;
    bool named = p->scope.n_processes == 0;
    for (size_t i = 0; i < p->scope.n_processes && !named; i++)
        named = str_eq(p->scope.processes[i], t->process.id);
    return named;
}

// The server has been heard of, and may have probes here.
static bool is_open(const struct helper *h)
{
    return !h->stopping && clock_mono_ns() - h->contact_ns < h->lease_ms * NS_PER_MS;
}

static const struct err *refusal_of(const struct helper *h, const struct wish *w)
{
    return w->refusal ? w->refusal : h->braked ? &h->brake : NULL;
}

static uint64_t set_of(struct target *t, size_t *ret_n)
{
    struct helper *h = t->h;
    int64_t now = clock_unix_ns();
    uint64_t sum = 1;
    size_t n = 0;
    bool open = is_open(h);
    for (size_t i = 0; i < h->desired.n && open; i++) {
        const struct probe *p = &h->desired.wishes[i].probe;
        if (refusal_of(h, &h->desired.wishes[i]) || !belongs(t, p, now))
            continue;
        h->set[n++] = p;
        sum = hash64_int(sum + hash64_str(p->id) * 31 + p->revision);
    }
    *ret_n = n;
    return sum;
}

// --- attaching ---

static void on_event_state(void *ctx, const struct backend_state *s)
{
    struct target *t = ctx;
    t->refused = 0; // what it says was removed may be what is refused
    row_state(t, s);
}

static void on_event_lost(void *ctx, str code, str message)
{
    struct target *t = ctx;
    struct err err;
    t->lost = true;
    // What it stood for is not there any more, and the reason is said where it is looked for. (Of one that has ended nothing is left to say it of.)
    err_set(&err, ERR_CLOSED, NULL, "%.*s", STR_ARG(message));
    snprintf(err.slug, sizeof err.slug, "%.*s", STR_ARG(code));
    for (struct row *r = t->rows; r && !str_eq(code, STR("ended")); r = r->next)
        if (r->wanted)
            row_state_of(t, &(struct probe){ .id = str_z(r->probe), .revision = (uint32_t)r->revision }, "error", &err);
    log_info("agent", "process %.*s: %.*s: %.*s", STR_ARG(t->process.id), STR_ARG(code), STR_ARG(message));
    if (t->timer.fn)
        loop_timer_set(t->h->loop, &t->timer, POLL_SOONEST_MS);
}

// One agent at a time changes a process: two would take what the other has put there for the program's own, and put it back. The claim is a
// lock on a file of /proc that only who may attach can open; it goes with whoever holds it, however that one ends.
static int claim(struct target *t, struct err *err)
{
    t->claim = openat(t->process.dir, "maps", O_RDONLY | O_CLOEXEC);
    if (t->claim < 0 || flock(t->claim, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0; // what may not be opened is not attached to either, and says so itself
    close(t->claim);
    t->claim = -1;
    return err_set(err, ERR_BUSY, "other_agent", "another agent on this host has its probes in this process");
}

static void unclaim(struct target *t)
{
    if (t->claim >= 0)
        close(t->claim);
    t->claim = -1;
}

int target_attach(struct target *t, struct err *err)
{
    t->events = (struct backend_events){
        t, on_event_state, on_event_capture, on_event_counts, on_event_lost, on_event_figures
    };
    t->lost = false;
    int rc = claim(t, err);
    if (rc < 0) {
        t->retry_ns = clock_mono_ns() + CLAIM_RETRY_MS * NS_PER_MS;
        return rc;
    }
    rc = t->backend->attach(&t->process, &t->events, &t->attachment, err);
    if (rc < 0) {
        unclaim(t);
        t->attachment = NULL;
        t->retry_ns = clock_mono_ns() + HELPER_RETRY_MS * NS_PER_MS;
        return rc;
    }
    t->idle_since_ns = clock_mono_ns();
    t->timer.fn = on_due;
    t->h->listed = false;
    target_touched(t);
    return 0;
}

static void unwatch(struct target *t)
{
    if (t->watch.fd >= 0)
        loop_watch_remove(t->h->loop, &t->watch);
    t->watch.fd = -1;
}

void target_detach(struct target *t)
{
    if (!t->attachment)
        return;
    unwatch(t);
    loop_timer_clear(t->h->loop, &t->timer);
    struct attachment *a = t->attachment;
    t->backend->detach(a); // what it drains still belongs to the target
    t->attachment = NULL;
    unclaim(t);
    t->applied = 0;
    t->h->listed = false;
}

void target_touched(struct target *t)
{
    if (!t->attachment)
        return;
    int fd = t->backend->fd(t->attachment);
    if (fd != t->watch.fd) {
        unwatch(t);
        t->watch = (struct loop_watch){ fd, EPOLLIN, on_readable };
        if (fd >= 0 && loop_watch_add(t->h->loop, &t->watch) < 0)
            t->watch.fd = -1; // by time alone
    }
    if (!timer_is_set(&t->timer))
        loop_timer_set(t->h->loop, &t->timer, POLL_SOONEST_MS);
}

static void poll_target(struct target *t)
{
    int64_t now = clock_mono_ns(), next = now + NS_PER_S;
    int rc = t->lost ? ERR_CLOSED : t->backend->poll(t->attachment, now, &next);
    if (rc < 0 || t->lost) {
        target_detach(t);
        t->retry_ns = now + HELPER_RETRY_MS * NS_PER_MS;
        return;
    }
    if (next - now > 2 * GRID_MS * NS_PER_MS)
        next -= next % (GRID_MS * NS_PER_MS);
    int64_t ms = next > now ? (next - now) / NS_PER_MS : POLL_SOONEST_MS;
    loop_timer_set(t->h->loop, &t->timer, ms > 1000 ? 1000 : ms < POLL_SOONEST_MS ? POLL_SOONEST_MS : ms);
    target_touched(t);
}

static void on_readable(struct loop_watch *w, uint32_t events) { poll_target(OS_CONTAINER(w, struct target, watch)); }
static void on_due(struct timer *timer) { poll_target(OS_CONTAINER(timer, struct target, timer)); }

// --- making it true ---

// NULL: there is no room to say it.
static struct row *refuse(struct target *t, const struct probe *p, const char *state, const struct err *err)
{
    struct row *r = row_get(t, p->id, true);
    bool told = r && r->wanted && r->revision == p->revision && str_find(buf_view(&r->json), str_z(err->slug)) >= 0;
    if (r && !told)
        row_state_of(t, p, state, err);
    return r;
}

static void refuse_all(struct target *t, size_t n, const char *state, const struct err *err)
{
    for (size_t i = 0; i < n; i++)
        refuse(t, t->h->set[i], state, err);
}

// NULL: it is placed, or not meant for this process.
static const struct err *refused_here(const struct target *t, const struct wish *w, int64_t now)
{
    const struct err *why = refusal_of(t->h, w);
    return why && is_open(t->h) && belongs(t, &w->probe, now) ? why : NULL;
}

// What is wanted here, and not in the set of what is placed, says why.
static void refuse_rest(struct target *t)
{
    const struct desired *d = &t->h->desired;
    int64_t now = clock_unix_ns();
    uint64_t sum = 1;
    for (size_t i = 0; i < d->n; i++)
        if (refused_here(t, &d->wishes[i], now))
            sum = hash64_int(sum + hash64_str(d->wishes[i].probe.id) * 31 + d->wishes[i].probe.revision);
    if (sum == t->refused)
        return;
    for (struct row *r = t->rows; r; r = r->next)
        r->refused = false;
    for (size_t i = 0; i < d->n; i++) {
        const struct wish *w = &d->wishes[i];
        const struct err *why = refused_here(t, w, now);
        struct row *r = why ? refuse(t, &w->probe, w->refusal ? "error" : "suspended", why) : NULL;
        if (r)
            r->refused = true;
        t->rowless |= why && !r;
    }
    t->refused = sum; // behind what told of it
}

static void not_attachable(struct target *t, size_t n)
{
    struct err err;
    err_set(&err, ERR_DENIED, t->facts.code[0] ? t->facts.code : "not_attachable", "%s", t->facts.message);
    refuse_all(t, n, "error", &err);
}

static bool in_set(const struct helper *h, size_t n, const struct row *r)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(h->set[i]->id, str_z(r->probe)))
            return true;
    return false;
}

// What left the set is removed, whatever the back end has said of it last.
static void settle_rows(struct target *t, size_t n)
{
    struct err lease;
    bool lapsed = !is_open(t->h) && !t->h->stopping;
    err_set(&lease, ERR_TIMEOUT, "lease_expired", "the agent has not heard from the server for %d s",
            (int)(t->h->lease_ms / 1000));
    for (struct row *r = t->rows; r; r = r->next) {
        bool now = r->refused || in_set(t->h, n, r);
        if (r->wanted && !now) {
            struct probe p = { .id = str_z(r->probe), .revision = (uint32_t)r->revision };
            row_state_of(t, &p, "removed", lapsed ? &lease : NULL);
        }
        r->wanted = now;
    }
}

// Rows of probes that are over and told.
static void prune_rows(struct target *t)
{
    for (struct row **at = &t->rows, *r; (r = *at);) {
        if (r->wanted || r->states_dirty || r->counts_dirty || desired_find(t->h, str_z(r->probe))) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        row_free(t, r);
    }
}

// What is placed has a row, in which it is accounted for; what finds no room for one waits until there is some. Returns how many are left in h->set.
static size_t give_rows(struct target *t, size_t n)
{
    const struct probe **set = t->h->set;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct row *r = row_get(t, set[i]->id, true);
        if (!r)
            continue;
        if (!r->json.len) // made just now
            row_state_of(t, set[i], "pending", NULL);
        set[kept++] = set[i];
    }
    t->rowless |= kept < n;
    return kept;
}

void target_reconcile(struct target *t)
{
    struct helper *h = t->h;
    struct err err = { 0 };
    size_t n;
    if (t->rowless && row_room(t)) {
        t->applied = t->refused = 0;
        t->rowless = false;
    }
    uint64_t sum = set_of(t, &n);
    if (n && !t->facts.attachable) {
        not_attachable(t, n);
    } else if (n && !t->attachment && clock_mono_ns() >= t->retry_ns && target_attach(t, &err) < 0) {
        refuse_all(t, n, "error", &err);
    }
    if (t->attachment && t->applied != sum) {
        n = give_rows(t, n);
        int rc = t->backend->apply(t->attachment, h->set, n, &err);
        if (rc < 0)
            refuse_all(t, n, "error", &err);
        t->applied = sum;
        target_touched(t);
    }
    refuse_rest(t);
    settle_rows(t, n);
    if (n)
        t->idle_since_ns = clock_mono_ns();
    bool idle =
        t->attachment && n == 0 && (h->stopping || clock_mono_ns() - t->idle_since_ns > HELPER_IDLE_MS * NS_PER_MS);
    if (idle || (t->attachment && t->lost))
        target_detach(t);
    prune_rows(t);
}

void reconcile(struct helper *h)
{
    for (struct target *t = h->targets; t; t = t->next)
        target_reconcile(t);
}
