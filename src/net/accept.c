// Listeners: accepting within the limits, and how many connections each peer has.
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/net_internal.h"

#include <unistd.h>

enum { ACCEPT_TURN = 64, ACCEPT_BACKLOG = 4096, ACCEPT_PAUSE_MS = 100 };

static void on_connection(struct loop_watch *w, uint32_t events);
static void on_pause_over(struct timer *t);

int accept_listen(struct net_listener *l, bool first, struct err *err)
{
    int fd = -1;
    int rc = socket_listen(&l->address, ACCEPT_BACKLOG, first, &fd, err);
    if (rc < 0)
        return rc;
    l->watch = (struct loop_watch){ fd, EPOLLIN, on_connection };
    l->pause = (struct timer){ .fn = on_pause_over };
    rc = loop_watch_add(l->io->loop, &l->watch);
    if (rc < 0) {
        close(fd);
        l->watch.fd = -1;
        return err_set(err, rc, NULL, "cannot watch a listener");
    }
    return 0;
}

void accept_close(struct net_listener *l)
{
    if (l->watch.fd < 0)
        return;
    int fd = l->watch.fd;
    loop_timer_clear(l->io->loop, &l->pause);
    loop_watch_remove(l->io->loop, &l->watch);
    close(fd);
}

// Too many: say so and when to come back, in the hope that it is HTTP/1.
static void turn_away(struct net_listener *l, int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";
    struct iovec iov = { (void *)text, sizeof text - 1 };
    if (!l->tls)
        socket_sendv(fd, &iov, 1);
    close(fd);
}

static int accept_one(struct net_listener *l)
{
    struct net_io *io = l->io;
    struct socket_address peer;
    int fd = -1;
    int rc = socket_accept(l->watch.fd, &peer, &fd);
    if (rc < 0)
        return rc;
    if (atomic_load_explicit(&io_counters(io)->connections_open, memory_order_relaxed) >= io_limits(io)->connections) {
        io_hit(io, NET_HIT_connections);
        turn_away(l, fd);
    } else if (!peers_enter(io->server, &peer)) {
        io_hit(io, NET_HIT_connections_per_peer);
        turn_away(l, fd);
    } else {
        conn_new(io, l, fd, &peer);
    }
    return 0;
}

static void on_connection(struct loop_watch *w, uint32_t events)
{
    struct net_listener *l = OS_CONTAINER(w, struct net_listener, watch);
    int rc = 0;
    for (int i = 0; i < ACCEPT_TURN && rc == 0; i++)
        rc = accept_one(l);
    if (rc == ERR_LIMIT) { // no descriptors: look again in a while, instead of in every turn
        io_hit(l->io, NET_HIT_connections);
        loop_watch_change(l->io->loop, w, 0);
        loop_timer_set(l->io->loop, &l->pause, ACCEPT_PAUSE_MS);
    }
}

static void on_pause_over(struct timer *t)
{
    struct net_listener *l = OS_CONTAINER(t, struct net_listener, pause);
    loop_watch_change(l->io->loop, &l->watch, EPOLLIN);
}

void accept_pending(struct net_listener *l)
{
    while (l->watch.fd >= 0 && accept_one(l) == 0)
        ;
}

// --- connections by peer ---

struct net_peer {
    struct net_peer *next;
    uint64_t key;
    size_t connections;
};

static struct net_peer **peer_find(struct net_server *s, uint64_t key)
{
    struct net_peer **p = &s->peers[hash64_int(key) % NET_PEER_BUCKETS];
    while (*p && (*p)->key != key)
        p = &(*p)->next;
    return p;
}

bool peers_enter(struct net_server *s, const struct socket_address *peer)
{
    if (socket_address_is_loopback(peer))
        return true; // everybody behind a proxy on this host
    bool ok = false;
    uint64_t key = socket_address_peer_key(peer);
    pthread_mutex_lock(&s->peers_lock);
    struct net_peer **at = peer_find(s, key), *p = *at;
    if (!p) {
        p = mem_zalloc(sizeof *p);
        if (p) {
            p->key = key;
            *at = p;
        }
    }
    if (p && p->connections < s->config.limits.connections_per_peer) {
        p->connections++;
        ok = true;
    }
    pthread_mutex_unlock(&s->peers_lock);
    return ok;
}

void peers_leave(struct net_server *s, const struct socket_address *peer)
{
    if (socket_address_is_loopback(peer))
        return;
    pthread_mutex_lock(&s->peers_lock);
    struct net_peer **at = peer_find(s, socket_address_peer_key(peer)), *p = *at;
    if (p && --p->connections == 0) {
        *at = p->next;
        mem_free(p);
    }
    pthread_mutex_unlock(&s->peers_lock);
}

void peers_free(struct net_server *s)
{
    for (size_t i = 0; i < NET_PEER_BUCKETS; i++) {
        for (struct net_peer *p = s->peers[i], *next; p; p = next) {
            next = p->next;
            mem_free(p);
        }
    }
}
