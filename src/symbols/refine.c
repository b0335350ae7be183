// Events that came before their map: one of each group waits until it can be read.
#include "symbols/symbols_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "wire/sentry_payload.h"

// Larger events than this wait for nobody.
enum { WAITING_EVENT_MAX = 128 << 10 };
enum { ARENA_MAX = 64 << 20, WARM_FILES_MAX = 1000 };
#define RETRY_FIRST_NS (2 * NS_PER_S)
#define RETRY_LAST_NS (300 * NS_PER_S)

static int64_t key_of(uint32_t project, str group, const struct sentry_event *e)
{
    uint64_t h = hash64_int(project) ^ hash64_str(group);
    return (int64_t)(hash64_int(h) ^ hash64_str(e->release));
}

void symbols_wait(struct symbols *s, uint32_t project, str group, const struct sentry_event *e, bytes packed)
{
    int64_t key = key_of(project, group, e);
    uint64_t *seen = &s->seen[(uint64_t)key % SEEN_SLOTS];
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    pthread_mutex_lock(&s->lock);
    bool known = *seen == (uint64_t)key || packed.len > WAITING_EVENT_MAX || s->waiting_n >= WAITING_QUEUE_MAX ||
                 s->waiting_bytes + packed.len > WAITING_QUEUE_BYTES_MAX;
    pthread_mutex_unlock(&s->lock);
    if (known)
        return;
    struct waiting *w = mem_alloc(sizeof *w + group.len + packed.len);
    if (!w)
        return;
    char *texts = (char *)(w + 1);
    if (group.len)
        memcpy(texts, group.ptr, group.len);
    if (packed.len)
        memcpy(texts + group.len, packed.ptr, packed.len);
    *w = (struct waiting){ .project = project,
                           .key = key,
                           .group = str_of(texts, group.len),
                           .packed = bytes_of(texts + group.len, packed.len) };
    pthread_mutex_lock(&s->lock);
    *seen = (uint64_t)key;
    *(s->waiting_last ? &s->waiting_last->next : &s->waiting_first) = w;
    s->waiting_last = w;
    s->waiting_n++;
    s->waiting_bytes += packed.len;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

// The queue goes into the database. A map that is there already may only not have been parsed: then it is looked at now.
static bool queue_write(struct symbols *s)
{
    pthread_mutex_lock(&s->lock);
    struct waiting *w = s->waiting_first;
    s->waiting_first = s->waiting_last = NULL;
    s->waiting_n = 0;
    s->waiting_bytes = 0;
    bool any = w;
    pthread_mutex_unlock(&s->lock);
    uint64_t dropped = 0;
    for (struct waiting *next; w; w = next) {
        next = w->next;
        if (registry_waiting_put(s, w) < 0)
            dropped++;
        mem_free(w);
    }
    pthread_mutex_lock(&s->lock);
    s->stats.waiting_dropped += dropped;
    s->fresh |= any && s->files;
    pthread_mutex_unlock(&s->lock);
    return any;
}

static bool parse_wanted(struct symbols *s)
{
    struct found wanted[WANTED_MAX];
    struct module *m;
    pthread_mutex_lock(&s->lock);
    uint32_t n = s->wanted_n;
    memcpy(wanted, s->wanted, n * sizeof wanted[0]);
    s->wanted_n = 0;
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < n; i++)
        if (module_get(s, wanted[i], SYMBOLS_ANY, &m) == 0)
            module_unref(s, m);
    return n > 0;
}

// The newest maps are those that events will ask for: they are parsed before the first one comes, after an upload and at a start,
// for up to half of the room that there is.
static void warm(struct symbols *s)
{
    struct arena arena;
    struct module *m;
    struct found found;
    int64_t id = 0;
    uint64_t generation = s->generation;
    if (s->warmed == generation)
        return;
    s->warmed = generation;
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < WARM_FILES_MAX && registry_newest(s, id, &arena, &id, &found) == 0; i++) {
        arena_reset(&arena);
        if (found.map && module_get(s, found, SYMBOLS_ANY, &m) == 0)
            module_unref(s, m);
        pthread_mutex_lock(&s->lock);
        bool enough = s->stopping || s->stats.bytes > s->options.cache_bytes / 2;
        pthread_mutex_unlock(&s->lock);
        if (enough)
            break;
    }
    arena_free(&arena);
}

// 1: done with; 0: still unreadable; ERR_AGAIN: its issue is not known yet.
static int refine(struct symbols *s, const struct waiting_row *w, struct arena *arena)
{
    struct buf json;
    const struct json_node *root;
    struct sentry_event e;
    struct symbols_counts counts = { 0 };
    buf_init(&json, SENTRY_PAYLOAD_MAX);
    int r = sentry_payload_open(w->packed, &json);
    if (r == 0)
        r = json_tree_read(buf_view(&json), arena, SENTRY_EVENT_DEPTH, &root, NULL);
    if (r == 0)
        r = sentry_event_read(root, arena, &e, NULL);
    if (r == 0)
        r = symbols_event_apply(s, w->project, &e, SYMBOLS_ANY, arena, &counts);
    if (r == 0 && counts.symbolicated)
        r = s->refined(s->refined_ctx, w->project, w->group, &e, arena);
    buf_free(&json);
    if (r == ERR_AGAIN)
        return r;
    return r < 0 || counts.symbolicated;
}

static bool stopping(struct symbols *s)
{
    pthread_mutex_lock(&s->lock);
    bool is = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return is;
}

static bool look_through(struct symbols *s)
{
    struct arena arena;
    struct waiting_row w = { 0 };
    bool again = false;
    uint64_t done = 0;
    pthread_mutex_lock(&s->lock);
    bool asked = s->refined;
    if (!asked) { // not yet: they wait
        s->dirty = s->fresh = false;
        pthread_mutex_unlock(&s->lock);
        return false;
    }
    if (s->dirty)
        s->retry_ns = RETRY_FIRST_NS;
    // All of them when there are other maps, else those only that have come since: a flood of events that no map is for
    // must not make each of them cost what all of them do.
    bool all = s->dirty || (s->retry_at && clock_mono_ns() >= s->retry_at), fresh = s->fresh;
    s->dirty = s->fresh = false;
    if (all)
        s->retry_at = 0;
    again = s->retry_at;
    pthread_mutex_unlock(&s->lock);
    if (!all && !fresh)
        return false;
    if (!all)
        w.id = s->looked_until;
    arena_init(&arena, ARENA_MAX);
    while (!stopping(s) && registry_waiting_next(s, w.id, &arena, &w) == 0) {
        int r = refine(s, &w, &arena);
        int64_t id = s->looked_until = w.id;
        if (r > 0) {
            registry_waiting_drop(s, id);
            done++;
        }
        again |= r == ERR_AGAIN;
        arena_reset(&arena);
        w = (struct waiting_row){ .id = id };
    }
    arena_free(&arena);
    pthread_mutex_lock(&s->lock);
    s->stats.refined += done;
    if (again && !s->retry_at) {
        s->retry_at = clock_mono_ns() + s->retry_ns;
        s->retry_ns = s->retry_ns * 2 < RETRY_LAST_NS ? s->retry_ns * 2 : RETRY_LAST_NS;
    }
    pthread_mutex_unlock(&s->lock);
    return true;
}

bool refine_work(struct symbols *s)
{
    bool any = queue_write(s);
    warm(s);
    any |= parse_wanted(s);
    any |= look_through(s);
    return any;
}
