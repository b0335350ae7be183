#include "red/window.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <sys/random.h>

enum { SIDE_FIRST = 256, SAVED_BYTES = 24, WINDOW_TTL_S = WINDOW_TTL_NS / NS_PER_S };

void window_init(struct window *w, int (*call)(void *ctx, const struct waiting *, const struct waiting *), void *ctx)
{
    *w = (struct window){ .call = call, .ctx = ctx };
    must(getrandom(&w->clients.seed, sizeof w->clients.seed, 0) == sizeof w->clients.seed);
    w->servers.seed = w->clients.seed;
}

static void side_free(struct window_side *s)
{
    mem_free(s->ring);
    mem_free(s->heads);
    *s = (struct window_side){ .seed = s->seed };
}

void window_free(struct window *w) { window_clear(w); }

void window_clear(struct window *w)
{
    side_free(&w->clients);
    side_free(&w->servers);
}

static struct waiting *at(const struct window_side *s, uint32_t i) { return &s->ring[(s->first + i) & (s->cap - 1)]; }

static void link_in(struct window_side *s, uint32_t place)
{
    struct waiting *e = &s->ring[place];
    uint32_t *head = &s->heads[window_chain(s, e->id)];
    e->prev = 0;
    e->next = *head;
    if (*head)
        s->ring[*head - 1].prev = place + 1;
    *head = place + 1;
}

static void unlink_from(struct window_side *s, struct waiting *e)
{
    if (e->gone)
        return;
    if (e->prev)
        s->ring[e->prev - 1].next = e->next;
    else
        s->heads[window_chain(s, e->id)] = e->next;
    if (e->next)
        s->ring[e->next - 1].prev = e->prev;
    e->gone = true;
    s->alive--;
    s->met -= (e->flags & WAITING_MET) != 0;
}

static void drop_first(struct window_side *s)
{
    unlink_from(s, at(s, 0));
    s->first = (s->first + 1) & (s->cap - 1);
    s->used--;
}

// Anew without those that are gone, or have all these flags.
static int rebuild(struct window_side *s, uint32_t cap, uint8_t without)
{
    struct window_side bigger = { .ring = mem_calloc(cap, sizeof *bigger.ring),
                                  .heads = mem_calloc(cap, sizeof *bigger.heads),
                                  .cap = cap,
                                  .seed = s->seed };
    if (!bigger.ring || !bigger.heads) {
        side_free(&bigger);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < s->used; i++) {
        const struct waiting *e = at(s, i);
        if (e->gone || (without && (e->flags & without) == without))
            continue;
        bigger.met += (e->flags & WAITING_MET) != 0;
        bigger.ring[bigger.used] = *e;
        link_in(&bigger, bigger.used++);
    }
    bigger.alive = bigger.used;
    side_free(s);
    *s = bigger;
    return 0;
}

// The chain's next entry with this id, from place + 1 on; 0: none.
static uint32_t find(const struct window_side *s, uint64_t id, uint32_t from)
{
    while (from && s->ring[from - 1].id != id)
        from = s->ring[from - 1].next;
    return from;
}

static uint32_t find_first(const struct window_side *s, uint64_t id)
{
    return s->cap ? find(s, id, s->heads[window_chain(s, id)]) : 0;
}

static bool calls_peer(const struct waiting *client) { return !(client->flags & WAITING_MET) && client->peer; }

// The oldest client leaves: nobody answered it.
static int client_leaves(struct window *w)
{
    struct waiting *c = at(&w->clients, 0);
    int r = !c->gone && calls_peer(c) ? w->call(w->ctx, c, NULL) : 0;
    if (r == 0)
        drop_first(&w->clients);
    return r;
}

static int room(struct window *w, struct window_side *s)
{
    while (s->used && at(s, 0)->gone)
        drop_first(s);
    if (s->used < s->cap)
        return 0;
    if (s->alive < s->cap / 2)
        return rebuild(s, s->cap, 0);
    if (s->cap < WINDOW_SIDE_MAX)
        return rebuild(s, s->cap ? s->cap * 2 : SIDE_FIRST, 0);
    // Those that may hear of another child give way to those that heard of none: many at a time, for it is much work.
    if (s->met >= s->cap / 4)
        return rebuild(s, s->cap, WAITING_MET);
    w->pushed_out++;
    if (s == &w->clients)
        return client_leaves(w);
    drop_first(s);
    return 0;
}

static int wait_in(struct window *w, struct window_side *s, const struct waiting *e)
{
    int r = room(w, s);
    if (r < 0)
        return r;
    uint32_t place = (s->first + s->used++) & (s->cap - 1);
    s->ring[place] = *e;
    s->ring[place].gone = false;
    s->alive++;
    s->met += (e->flags & WAITING_MET) != 0;
    link_in(s, place);
    return 0;
}

int window_client(struct window *w, const struct waiting *client)
{
    struct waiting c = *client;
    struct window_side *s = &w->servers;
    for (uint32_t i = find_first(s, c.id), next; i; i = next) {
        struct waiting *e = &s->ring[i - 1];
        next = find(s, c.id, e->next);
        int r = w->call(w->ctx, &c, e);
        if (r < 0)
            return r;
        unlink_from(s, e);
        c.flags |= WAITING_MET;
    }
    return wait_in(w, &w->clients, &c);
}

int window_server(struct window *w, const struct waiting *server)
{
    uint32_t i = find_first(&w->clients, server->id);
    if (!i)
        return wait_in(w, &w->servers, server);
    struct waiting *c = &w->clients.ring[i - 1];
    int r = w->call(w->ctx, c, server);
    if (r < 0)
        return r;
    w->clients.met += !(c->flags & WAITING_MET);
    c->flags |= WAITING_MET;
    return 0;
}

static bool over(const struct window_side *s, uint32_t second)
{
    return s->used && (at(s, 0)->gone || (int32_t)(second - at(s, 0)->seen) >= WINDOW_TTL_S);
}

int window_expire(struct window *w, uint32_t second)
{
    int r = 0;
    while (r == 0 && over(&w->clients, second))
        r = client_leaves(w);
    while (over(&w->servers, second))
        drop_first(&w->servers);
    return r;
}

static void save_side(const struct window_side *s, struct buf *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->used; i++)
        n += !at(s, i)->gone;
    buf_le32(b, n);
    for (uint32_t i = 0; i < s->used; i++) {
        const struct waiting *e = at(s, i);
        uint8_t *p = e->gone ? NULL : buf_extend(b, SAVED_BYTES);
        if (!p)
            continue;
        le64_put(p, e->id);
        le32_put(p + 8, e->series);
        le32_put(p + 12, e->peer);
        le32_put(p + 16, e->minute);
        le16_put(p + 20, e->bin);
        le16_put(p + 22, e->flags);
    }
}

int window_save(const struct window *w, struct buf *b)
{
    save_side(&w->clients, b);
    save_side(&w->servers, b);
    return b->error;
}

static int load_side(struct window *w, struct window_side *s, bytes *in, uint32_t second)
{
    if (in->len < 4)
        return ERR_CORRUPT;
    uint32_t n = le32_get(in->ptr);
    in->ptr += 4, in->len -= 4;
    if (n > WINDOW_SIDE_MAX || (uint64_t)n * SAVED_BYTES > in->len)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = in->ptr + (size_t)i * SAVED_BYTES;
        struct waiting e = { .id = le64_get(p),
                             .series = le32_get(p + 8),
                             .peer = le32_get(p + 12),
                             .minute = le32_get(p + 16),
                             .bin = le16_get(p + 20),
                             .flags = (uint8_t)le16_get(p + 22),
                             .seen = second };
        int r = wait_in(w, s, &e);
        if (r < 0)
            return r;
    }
    in->ptr += (size_t)n * SAVED_BYTES, in->len -= (size_t)n * SAVED_BYTES;
    return 0;
}

int window_load(struct window *w, bytes saved, uint32_t second)
{
    window_clear(w);
    int r = load_side(w, &w->clients, &saved, second);
    if (r == 0)
        r = load_side(w, &w->servers, &saved, second);
    if (r == 0 && saved.len)
        r = ERR_CORRUPT;
    if (r < 0)
        window_clear(w);
    return r;
}
