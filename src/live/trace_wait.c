// Traces whose end captures wait for on their hosts (`keep`): each is looked at again and again until it has ended, and what became of it
// is told to the agent, which keeps the captures or lets them go.
//
// Nobody says that a trace has ended. It counts as ended when it is whole and nothing has come to it for longer than SDKs hold spans
// back (their batches leave every five seconds); when pieces are missing, after a longer silence; and in any case after WAIT_NS.
//
// An agent learns of any trace whose id it names whether it has an error and how long it took, whatever the project: of 128 random bits that
// it has seen in a process of its own.
#include "base/hash.h"
#include "base/mem.h"
#include "live/live_internal.h"
#include "traces/trace.h"
#include "wire/record.h"

enum { LOOKS_MAX = 512, LOOKS_LEAST = 16, SPANS_MAX = 20000, LOGS_MAX = 20000 };
#define WAIT_NS (60 * NS_PER_S)
#define WHOLE_NS (6 * NS_PER_S)
#define BROKEN_NS (20 * NS_PER_S)
#define LOOKS_NS (NS_PER_S / 7) // of each second, for all of them
#define LOOK_MEMORY ((size_t)64 << 20)

struct live_wait {
    struct live_wait *next;
    uint8_t id[16];
    int64_t asked, due, changed; // changed: when it was last seen to have grown
    uint32_t rows;
    bool slow, told; // told: that it has an error
};

struct look {
    int64_t agent;
    uint8_t id[16];
    bool done, error, whole, too_large;
    uint32_t rows;
    int64_t ms;
};

// --- what is asked ---

// The link to it, or to where it would stand.
static struct live_wait **wait_at(struct live_link *k, const uint8_t id[16])
{
    struct live_wait **at = &k->waits[hash64(id, 16) % LIVE_WAIT_LISTS];
    while (*at && memcmp((*at)->id, id, 16) != 0)
        at = &(*at)->next;
    return at;
}

void waits_add(struct live_link *k, const struct agent_trace *traces, size_t n, int64_t now)
{
    for (size_t i = 0; i < n; i++) {
        struct live_wait **at = wait_at(k, traces[i].id), *w = *at;
        if (!w && k->waits_n < AGENT_TRACES_MAX && (w = mem_zalloc(sizeof *w))) {
            memcpy(w->id, traces[i].id, sizeof w->id);
            int64_t waited = traces[i].waited_ms < WAIT_NS / NS_PER_MS ? traces[i].waited_ms * NS_PER_MS : WAIT_NS;
            w->asked = now - waited; // a connection ago
            w->changed = now;
            w->due = now + NS_PER_S;
            *at = w;
            k->waits_n++;
        }
        if (w) // beyond what is remembered an agent hears nothing, and its captures leave when their time is over
            w->slow |= traces[i].slow;
    }
}

static void wait_remove(struct live_link *k, struct live_wait **at)
{
    struct live_wait *w = *at;
    *at = w->next;
    k->waits_n--;
    mem_free(w);
}

void waits_free(struct live_link *k)
{
    for (size_t i = 0; i < LIVE_WAIT_LISTS; i++)
        while (k->waits[i])
            wait_remove(k, &k->waits[i]);
}

// --- what became of it ---

static void look_at(struct look *k, struct view *view)
{
    struct trace_request q = { .logs = true,
                               .outline = true,
                               .all_projects = true,
                               .spans_max = SPANS_MAX,
                               .logs_max = LOGS_MAX,
                               .memory_max = LOOK_MEMORY };
    struct trace *t;
    struct err err;
    memcpy(q.id, k->id, sizeof q.id);
    int rc = trace_load(&q, view, &t, &err);
    k->done = rc == 0 || rc == ERR_NOENT || rc == ERR_LIMIT; // else: later
    k->too_large = rc == ERR_LIMIT;
    if (rc < 0)
        return;
    k->rows = t->spans_n + t->logs_n + t->events_n;
    k->error = t->errors || t->events_n;
    for (uint32_t i = 0; i < t->logs_n && !k->error; i++)
        k->error = t->logs[i].severity >= SEVERITY_ERROR;
    k->whole = t->complete;
    int64_t ns = t->complete ? t->spans[t->root].duration : t->duration;
    k->ms = ns > 0 ? ns / NS_PER_MS : 0;
    trace_free(t);
}

static void answer(struct json_writer *w, const struct live_wait *wait, const struct look *k, bool ended)
{
    json_put_object(w);
    json_put_key(w, STR("trace"));
    json_put_hex(w, bytes_of(wait->id, sizeof wait->id));
    if (k->rows) {
        json_put_key(w, STR("error"));
        json_put_bool(w, k->error);
        json_put_key(w, STR("ended"));
        json_put_bool(w, ended);
        json_put_key(w, STR("ms"));
        json_put_int(w, k->ms);
    } else {
        json_put_key(w, STR("unknown"));
        json_put_bool(w, true);
    }
    json_put_object_end(w);
}

// With live.lock.
static void judge(struct live_link *link, const struct look *k, int64_t now, struct json_writer *w)
{
    struct live_wait **at = wait_at(link, k->id), *wait = *at;
    if (!wait)
        return;
    if (wait->rows != k->rows) {
        wait->rows = k->rows;
        wait->changed = now;
    }
    bool silent = k->rows && now - wait->changed >= (k->whole ? WHOLE_NS : BROKEN_NS);
    bool ended = silent || k->too_large || now - wait->asked >= WAIT_NS;
    if (ended || (k->error && !wait->told))
        answer(w, wait, k, ended);
    wait->told |= k->error;
    int64_t pause = (now - wait->asked) / 4;
    wait->due = now + (pause < NS_PER_S ? NS_PER_S : pause > 4 * NS_PER_S ? 4 * NS_PER_S : pause);
    if (ended || (k->error && !wait->slow))
        wait_remove(link, at);
}

// --- each second ---

// Those of an agent that are due.
static size_t due(const struct live_agent *a, struct look *looks, size_t most, int64_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < LIVE_WAIT_LISTS; i++)
        for (const struct live_wait *w = a->link->waits[i]; w && n < most; w = w->next)
            if (w->due <= now) {
                looks[n] = (struct look){ .agent = a->id };
                memcpy(looks[n++].id, w->id, sizeof w->id);
            }
    return n;
}

// Of each agent its share.
static size_t gather(struct live *l, struct look *looks, int64_t now)
{
    size_t n = 0, links = 0;
    pthread_mutex_lock(&l->lock);
    for (const struct live_agent *a = l->agents; a; a = a->next)
        links += a->link && a->link->waits_n;
    size_t share = links && LOOKS_MAX / links > LOOKS_LEAST ? LOOKS_MAX / links : LOOKS_LEAST;
    for (const struct live_agent *a = links ? l->agents : NULL; a && n + share <= LOOKS_MAX; a = a->next)
        if (a->link && a->link->waits_n)
            n += due(a, looks + n, share, now);
    pthread_mutex_unlock(&l->lock);
    return n;
}

static void tell(struct live *l, const struct look *looks, size_t n, int64_t now)
{
    struct live_agent *a = agent_of(l, looks[0].agent);
    struct buf b;
    struct json_writer w;
    if (!a || !a->link)
        return;
    buf_init(&b, 1 << 20);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("traces"));
    json_put_key(&w, STR("traces"));
    json_put_array(&w);
    size_t empty = b.len;
    for (size_t i = 0; i < n; i++)
        if (looks[i].done)
            judge(a->link, &looks[i], now, &w);
    bool any = b.len > empty;
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (any)
        link_send(a->link, &b);
    else
        buf_free(&b);
}

void waits_step(struct live *l)
{
    int64_t now = live_now(l), began = clock_mono_ns();
    struct view *view;
    struct look *looks = mem_calloc(LOOKS_MAX, sizeof *looks);
    size_t n = looks ? gather(l, looks, now) : 0;
    if (n && store_view(l->o.store, &view) == 0) {
        for (size_t i = 0; i < n && clock_mono_ns() - began < LOOKS_NS; i++)
            look_at(&looks[i], view);
        view_unref(view);
        pthread_mutex_lock(&l->lock);
        for (size_t i = 0, next; i < n; i = next) {
            for (next = i + 1; next < n && looks[next].agent == looks[i].agent; next++) {}
            tell(l, looks + i, next - i, now);
        }
        pthread_mutex_unlock(&l->lock);
    }
    mem_free(looks);
}
