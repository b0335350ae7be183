// The window: client and server spans that wait for their other side, wherever its batch is. What matches becomes a
// call of an edge; a client span that waits in vain for WINDOW_TTL_NS called somebody who sends nothing himself.
//
// A client span stays its time also when a child was met, for it may have more: tries inside one span, a proxy that asks
// many, the consumers of a message. Where there is no room, such spans go first. Each side is a queue in order of arrival
// with a hash table over it; all steps take constant time on average, whatever ids are sent.
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

#define WINDOW_TTL_NS (60 * NS_PER_S)
enum { WINDOW_SIDE_MAX = 256 << 10 }; // spans that wait, a side; more push out the oldest

enum window_flags { WAITING_ERROR = 1, WAITING_MET = 4 }; // as saved

struct waiting {
    uint64_t id;           // of (trace, span): window_id(); a server's: of its parent
    uint32_t series, peer; // ids of keys; peer: 0 = unknown, else id + 1 (clients)
    uint32_t minute;       // the span's
    uint16_t bin;          // of its duration
    uint8_t flags;         // enum window_flags
    bool gone;             // its place is free when those before it are
    uint32_t seen;         // seconds, of the clock that window_expire() is given
    uint32_t next, prev;   // in the hash chain: place + 1
};

struct window_side {
    struct waiting *ring;
    uint32_t *heads;      // hash chains: place + 1
    uint32_t cap;         // of both, a power of two
    uint32_t first, used; // oldest place; places in use, with those that are gone
    uint32_t alive, met;  // of the alive, those with WAITING_MET
    uint64_t seed;        // of the hash, secret: ids are the senders' choice, chains must not be
};

struct window {
    struct window_side clients, servers;
    uint64_t pushed_out; // for want of room
    // A call: by `client`'s series to `server`'s. A call to a peer: server is NULL.
    int (*call)(void *ctx, const struct waiting *client, const struct waiting *server);
    void *ctx;
};

void window_init(struct window *w, int (*call)(void *ctx, const struct waiting *, const struct waiting *), void *ctx);
void window_free(struct window *w);
void window_clear(struct window *w);
static inline uint64_t window_id(const uint8_t trace[16], uint64_t span)
{
    uint64_t a = le64_get(trace) ^ span, b = le64_get(trace + 8) ^ 0x9e3779b97f4a7c15u;
    __uint128_t m = (__uint128_t)(a ^ 0xa0761d6478bd642fu) * (b ^ (span << 32 | span >> 32));
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}
static inline uint32_t window_chain(const struct window_side *s, uint64_t id)
{
    return (uint32_t)hash64_int(id ^ s->seed) & (s->cap - 1);
}
// A client or producer span, a server or consumer span with a parent: meets its other side now or waits. ERR_NOMEM, or
// what call() said.
int window_client(struct window *w, const struct waiting *client);
int window_server(struct window *w, const struct waiting *server);
// Lets go of what has waited too long at this second.
int window_expire(struct window *w, uint32_t second);
// What waits, and back, all of it seen at this second. ERR_CORRUPT.
int window_save(const struct window *w, struct buf *b);
int window_load(struct window *w, bytes saved, uint32_t second);
// A hint that this id is about to be looked for.
static inline void window_prefetch(const struct window *w, uint64_t id)
{
    if (w->clients.cap)
        __builtin_prefetch(&w->clients.heads[window_chain(&w->clients, id)]);
    if (w->servers.cap)
        __builtin_prefetch(&w->servers.heads[window_chain(&w->servers, id)]);
}
