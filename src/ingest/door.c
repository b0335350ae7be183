#include "ingest/door.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>

enum { DOOR_MAGIC = 0x444f4f52 };

struct door {
    uint32_t magic;
    pthread_mutex_t lock;
    int64_t looked_ns[DOOR_ENTRIES]; // monotonic, when one of that entry was looked into
    size_t recent_next;
    struct door_snapshot s;
};

static const char *const slugs[] = {
#define DOOR_SLUG(name, slug) slug,
    DOOR_OUTCOMES(DOOR_SLUG)
#undef DOOR_SLUG
};

const char *door_slug(enum door_outcome outcome)
{
    must(outcome >= 0 && outcome < DOOR_OUTCOMES_N);
    return slugs[outcome];
}

int door_new(struct door **ret_door)
{
    struct door *d = mem_zalloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->magic = DOOR_MAGIC;
    d->s.since_ns = clock_unix_ns();
    must(pthread_mutex_init(&d->lock, NULL) == 0);
    *ret_door = d;
    return 0;
}

void door_free(struct door *d)
{
    if (!d)
        return;
    MAGIC_CHECK(d, DOOR_MAGIC);
    pthread_mutex_destroy(&d->lock);
    d->magic = 0;
    mem_free(d);
}

// A foreign text into a fixed place: what would break a line or a terminal becomes '?'.
static void put(char *out, size_t size, str text)
{
    size_t n = text.len < size - 1 ? text.len : size - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text.ptr[i] < 0x20 || (unsigned char)text.ptr[i] > 0x7e ? '?' : text.ptr[i];
    out[n] = 0;
}

// Which entries an outcome may use.
static void room_of(enum door_outcome outcome, size_t *ret_from, size_t *ret_to)
{
    size_t from = outcome == DOOR_ACCEPTED ? 0 : DOOR_ACCEPTED_MAX + (size_t)(outcome - 1) * DOOR_REFUSED_MAX;
    *ret_from = from;
    *ret_to = from + (outcome == DOOR_ACCEPTED ? DOOR_ACCEPTED_MAX : DOOR_REFUSED_MAX);
}

static uint64_t key_of(const struct door_try *t, const char *peer)
{
    str agent = t->req ? http_request_header(t->req, STR("user-agent")) : STR("");
    uint64_t key = hash64_str(str_z(peer)) ^ hash64_int(hash64_str(agent) + 1);
    if (t->outcome != DOOR_ACCEPTED) { // what was accepted is told apart by its signal only
        key ^= hash64_int(hash64_str(t->detail) + 2);
        if (t->req)
            key ^= hash64_int(hash64_str(t->req->path) + 3) ^ hash64_int((uint64_t)t->req->method + 4);
    }
    key ^= hash64_int((uint64_t)t->outcome << 8 | (uint64_t)(t->signal + 1));
    return key ? key : 1;
}

// The entry with the key, else one that is free or the one that has been quiet for longest, emptied.
static size_t entry_find(struct door *d, enum door_outcome outcome, uint64_t key, bool *ret_new)
{
    size_t from, to;
    room_of(outcome, &from, &to);
    size_t oldest = from;
    for (size_t i = from; i < to; i++) {
        if (d->s.entries[i].key == key) {
            *ret_new = false;
            return i;
        }
        if (d->s.entries[i].last_ns < d->s.entries[oldest].last_ns)
            oldest = i;
    }
    *ret_new = true;
    return oldest;
}

static void entry_begin(struct door_entry *e, const struct door_try *t, uint64_t key, const char *peer)
{
    memset(e, 0, sizeof *e);
    e->key = key;
    e->outcome = t->outcome;
    e->signal = t->signal;
    e->status = t->status;
    put(e->peer, sizeof e->peer, str_z(peer));
    put(e->detail, sizeof e->detail, t->detail);
    e->port = socket_address_port(t->req ? &t->req->local : t->local);
    e->first_ns = clock_unix_ns();
    if (!t->req)
        return;
    e->version = t->req->version;
    e->is_grpc = t->req->is_grpc;
    put(e->agent, sizeof e->agent, http_request_header(t->req, STR("user-agent")));
    put(e->method, sizeof e->method, t->req->method_name);
    put(e->path, sizeof e->path, t->req->path);
}

static void recent_note(struct door *d, const struct door_entry *e)
{
    struct door_recent *last = &d->s.recent[(d->recent_next + DOOR_RECENT - 1) % DOOR_RECENT];
    if (d->s.recent_n && last->key == e->key) {
        last->repeats++;
        last->time_ns = e->last_ns;
        return;
    }
    struct door_recent *r = &d->s.recent[d->recent_next];
    *r = (struct door_recent){
        .time_ns = e->last_ns, .outcome = e->outcome, .status = e->status, .key = e->key, .repeats = 1
    };
    memcpy(r->peer, e->peer, sizeof r->peer);
    memcpy(r->agent, e->agent, sizeof r->agent);
    memcpy(r->method, e->method, sizeof r->method);
    memcpy(r->path, e->path, sizeof r->path);
    d->recent_next = (d->recent_next + 1) % DOOR_RECENT;
    d->s.recent_n += d->s.recent_n < DOOR_RECENT;
}

static void peer_text(const struct door_try *t, char out[SOCKET_ADDRESS_TEXT])
{
    size_t n = socket_address_format_host(t->req ? &t->req->peer : t->peer, out);
    out[n] = 0;
}

// With the lock held.
static struct door_entry *note_locked(struct door *d, const struct door_try *t, uint64_t key, const char *peer)
{
    bool fresh;
    size_t i = entry_find(d, t->outcome, key, &fresh);
    struct door_entry *e = &d->s.entries[i];
    if (fresh) {
        entry_begin(e, t, key, peer);
        d->looked_ns[i] = 0;
    }
    e->status = t->status;
    e->last_ns = clock_unix_ns();
    e->requests++;
    d->s.requests++;
    recent_note(d, e);
    return e;
}

void door_note(struct door *d, const struct door_try *t)
{
    char peer[SOCKET_ADDRESS_TEXT];
    MAGIC_CHECK(d, DOOR_MAGIC);
    must(t->req || (t->peer && t->local));
    peer_text(t, peer);
    uint64_t key = key_of(t, peer);
    pthread_mutex_lock(&d->lock);
    note_locked(d, t, key, peer);
    pthread_mutex_unlock(&d->lock);
}

bool door_wants_look(struct door *d, const struct http_request *req, int signal)
{
    struct door_try t = { .outcome = DOOR_ACCEPTED, .req = req, .signal = signal };
    char peer[SOCKET_ADDRESS_TEXT];
    bool fresh;
    int64_t now = clock_mono_ns();
    MAGIC_CHECK(d, DOOR_MAGIC);
    peer_text(&t, peer);
    uint64_t key = key_of(&t, peer);
    pthread_mutex_lock(&d->lock);
    size_t i = entry_find(d, DOOR_ACCEPTED, key, &fresh);
    bool wants = fresh || now - d->looked_ns[i] >= NS_PER_S;
    if (wants && !fresh)
        d->looked_ns[i] = now;
    pthread_mutex_unlock(&d->lock);
    return wants;
}

static void service_remember(struct door_entry *e, const char *service)
{
    if (!service[0])
        return;
    for (int i = 0; i < e->services_n; i++)
        if (strcmp(e->services[i], service) == 0)
            return;
    if (e->services_n == DOOR_SERVICES) { // the newest names stand
        memmove(e->services[0], e->services[1], sizeof e->services - sizeof e->services[0]);
        e->services_n--;
    }
    put(e->services[e->services_n++], sizeof e->services[0], str_z(service));
}

void door_accept(struct door *d, const struct http_request *req, int signal, uint64_t records,
                 const struct door_look *look)
{
    struct door_try t = { .outcome = DOOR_ACCEPTED, .req = req, .signal = signal, .status = 200 };
    char peer[SOCKET_ADDRESS_TEXT];
    MAGIC_CHECK(d, DOOR_MAGIC);
    peer_text(&t, peer);
    uint64_t key = key_of(&t, peer);
    pthread_mutex_lock(&d->lock);
    struct door_entry *e = note_locked(d, &t, key, peer);
    e->records += records;
    if (look->looked) {
        service_remember(e, look->service);
        e->nameless = look->nameless;
        e->has_skew = look->has_time;
        e->skew_ns = look->has_time ? look->newest_ns - e->last_ns : 0;
    }
    pthread_mutex_unlock(&d->lock);
}

void door_lost(struct door *d, const struct http_request *req, str outcome, str reason, str category, uint64_t quantity)
{
    struct door_lost e = { .last_ns = clock_unix_ns() };
    MAGIC_CHECK(d, DOOR_MAGIC);
    put(e.outcome, sizeof e.outcome, outcome);
    put(e.reason, sizeof e.reason, reason);
    put(e.category, sizeof e.category, category);
    put(e.agent, sizeof e.agent, http_request_header(req, STR("user-agent")));
    pthread_mutex_lock(&d->lock);
    struct door_lost *at = &d->s.lost[0];
    for (int i = 0; i < DOOR_LOST_MAX; i++) {
        struct door_lost *l = &d->s.lost[i];
        if (l->last_ns && strcmp(l->outcome, e.outcome) == 0 && strcmp(l->reason, e.reason) == 0 &&
            strcmp(l->category, e.category) == 0 && strcmp(l->agent, e.agent) == 0) {
            e.quantity = l->quantity;
            at = l;
            break;
        }
        if (l->last_ns < at->last_ns)
            at = l;
    }
    if (__builtin_add_overflow(e.quantity, quantity, &e.quantity))
        e.quantity = UINT64_MAX;
    *at = e;
    pthread_mutex_unlock(&d->lock);
}

void door_snapshot(struct door *d, struct door_snapshot *ret_snapshot)
{
    MAGIC_CHECK(d, DOOR_MAGIC);
    pthread_mutex_lock(&d->lock);
    *ret_snapshot = d->s;
    for (size_t i = 0; i < d->s.recent_n; i++)
        ret_snapshot->recent[i] = d->s.recent[(d->recent_next + DOOR_RECENT - 1 - i) % DOOR_RECENT];
    pthread_mutex_unlock(&d->lock);
}
