// The server's life: loops and their threads, listeners, the graceful stop.
#include "net/server.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/net_internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { NET_THREADS_MAX = 16, NET_CUT_MS = 3000 };

static void on_flush(struct loop_message *m);
static void on_stop(struct loop_message *m);
static void on_cut(struct loop_message *m);

struct net_limits net_limits_default(void)
{
    return (struct net_limits){
#define NET_LIMIT_DEFAULT(name, type, value, text) .name = (value),
        NET_LIMITS(NET_LIMIT_DEFAULT)
#undef NET_LIMIT_DEFAULT
    };
}

static int io_init(struct net_server *s, int index)
{
    struct net_io *io = &s->io[index];
    io->server = s;
    io->index = index;
    io->flush.fn = on_flush;
    io->stop.fn = on_stop;
    io->cut.fn = on_cut;
    io->scratch = mem_alloc(NET_SCRATCH);
    io->headers = mem_calloc(s->config.limits.headers + 1, sizeof *io->headers);
    io->listeners = mem_calloc(NET_ADDRESSES_MAX, sizeof *io->listeners);
    if (!io->scratch || !io->headers || !io->listeners)
        return ERR_NOMEM;
    return loop_new(&io->loop);
}

static void io_done(struct net_io *io)
{
    for (size_t i = 0; i < io->listeners_n; i++)
        accept_close(&io->listeners[i]);
    loop_free(io->loop);
    mem_free(io->scratch);
    mem_free(io->headers);
    mem_free(io->listeners);
}

int net_server_new(const struct net_config *config, struct net_server **ret_server, struct err *err)
{
    must(config->route);
    struct net_server *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, NULL, "no memory for the server");
    s->magic = NET_SERVER_MAGIC;
    s->config = *config;
    int threads = config->threads;
    if (threads <= 0)
        threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    threads = threads < 1 ? 1 : threads > NET_THREADS_MAX ? NET_THREADS_MAX : threads;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    body_cache_init(&s->bodies);
    pthread_mutex_init(&s->peers_lock, NULL);
    pthread_cond_init(&s->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->io = mem_calloc((size_t)threads, sizeof *s->io);
    int rc = s->io ? 0 : ERR_NOMEM;
    for (; rc == 0 && s->threads < threads; s->threads++)
        rc = io_init(s, s->threads);
    if (rc < 0) {
        net_server_free(s);
        return err_set(err, rc, NULL, "cannot make the server's loops: %s", err_text(rc));
    }
    *ret_server = s;
    return 0;
}

int net_server_listen(struct net_server *s, struct socket_address *address, int tag, struct net_tls *tls,
                      struct err *err)
{
    MAGIC_CHECK(s, NET_SERVER_MAGIC);
    must(!s->started);
    if (s->addresses_n == NET_ADDRESSES_MAX)
        return err_set(err, ERR_LIMIT, "too_many_addresses", "the server listens on %d addresses already",
                       NET_ADDRESSES_MAX);
    struct socket_address a = *address;
    for (int i = 0; i < s->threads; i++) {
        struct net_io *io = &s->io[i];
        struct net_listener *l = &io->listeners[s->addresses_n];
        *l = (struct net_listener){ .io = io, .watch.fd = -1, .address = a, .tag = tag, .tls = tls };
        int rc = accept_listen(l, i == 0, err);
        if (rc < 0) {
            while (i-- > 0) {
                accept_close(&s->io[i].listeners[s->addresses_n]);
                s->io[i].listeners_n--;
            }
            return rc;
        }
        io->listeners_n++;
        a = l->address; // with the port that was chosen
    }
    s->addresses_n++;
    *address = a;
    return 0;
}

static void *io_main(void *arg)
{
    struct net_io *io = arg;
    char name[16];
    snprintf(name, sizeof name, "clew-io-%d", io->index);
    pthread_setname_np(pthread_self(), name);
    loop_run(io->loop);
    return NULL;
}

int net_server_start(struct net_server *s, struct err *err)
{
    MAGIC_CHECK(s, NET_SERVER_MAGIC);
    must(!s->started);
    s->started = true;
    for (int i = 0; i < s->threads; i++) {
        if (pthread_create(&s->io[i].thread, NULL, io_main, &s->io[i])) {
            net_server_stop(s);
            return err_set(err, ERR_NOMEM, NULL, "cannot start the server's threads");
        }
        s->io[i].started = true;
    }
    return 0;
}

// --- between turns ---

static void free_dead(struct net_io *io)
{
    while (io->dead_requests) {
        struct http_request_internal *r = io->dead_requests;
        io->dead_requests = r->next;
        request_free(r);
    }
    while (io->dead) {
        struct net_conn *c = io->dead;
        io->dead = c->next;
        c->magic = 0;
        mem_free(c);
    }
}

static void on_flush(struct loop_message *m)
{
    struct net_io *io = OS_CONTAINER(m, struct net_io, flush);
    io->flush_posted = false;
    struct net_conn *list = io->dirty;
    io->dirty = NULL;
    for (struct net_conn *c = list, *next; c; c = next) {
        next = c->dirty_next;
        c->dirty = false;
        if (!c->dead)
            conn_answers(c);
    }
    if (!io->dirty) // else a dead one may be on that list
        free_dead(io);
    if (io->stopping)
        io_check_drained(io);
}

const char *io_date(struct net_io *io)
{
    int64_t now = clock_unix_ns() / NS_PER_S;
    if (now != io->date_s) {
        io->date_s = now;
        http_date(now, io->date);
    }
    return io->date;
}

// --- stop ---

void io_check_drained(struct net_io *io)
{
    if (io->drained || io->conns || io->dead || io->dead_requests || io->requests_owned)
        return;
    pthread_mutex_lock(&io->server->lock);
    io->drained = true;
    pthread_cond_broadcast(&io->server->changed);
    pthread_mutex_unlock(&io->server->lock);
}

static void on_stop(struct loop_message *m)
{
    struct net_io *io = OS_CONTAINER(m, struct net_io, stop);
    for (size_t i = 0; i < io->listeners_n; i++) {
        accept_pending(&io->listeners[i]); // connected is accepted, as far as the client knows
        accept_close(&io->listeners[i]);
    }
    io->stopping = true;
    for (struct net_conn *c = io->conns, *next; c; c = next) {
        next = c->next;
        conn_stop(c);
    }
    io_check_drained(io);
}

static void on_cut(struct loop_message *m)
{
    struct net_io *io = OS_CONTAINER(m, struct net_io, cut);
    while (io->conns) {
        io_hit(io, NET_HIT_stop_ms);
        conn_kill(io->conns);
    }
}

static bool wait_drained(struct net_server *s, int64_t ms)
{
    int64_t until = clock_mono_ns() + ms * NS_PER_MS;
    struct timespec ts = { until / NS_PER_S, until % NS_PER_S };
    bool all = false;
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        all = true;
        for (int i = 0; i < s->threads; i++)
            all &= s->io[i].drained || !s->io[i].started;
        if (all || rc)
            break;
        rc = pthread_cond_timedwait(&s->changed, &s->lock, &ts);
    }
    pthread_mutex_unlock(&s->lock);
    return all;
}

int net_server_stop(struct net_server *s)
{
    MAGIC_CHECK(s, NET_SERVER_MAGIC);
    if (!s->started)
        return 0;
    for (int i = 0; i < s->threads; i++)
        if (s->io[i].started)
            loop_post(s->io[i].loop, &s->io[i].stop);
    if (!wait_drained(s, s->config.limits.stop_ms)) {
        for (int i = 0; i < s->threads; i++)
            if (s->io[i].started)
                loop_post(s->io[i].loop, &s->io[i].cut);
        if (!wait_drained(s, NET_CUT_MS))
            return ERR_BUSY;
    }
    for (int i = 0; i < s->threads; i++) {
        if (!s->io[i].started)
            continue;
        loop_stop(s->io[i].loop);
        pthread_join(s->io[i].thread, NULL);
        s->io[i].started = false;
    }
    s->started = false;
    return 0;
}

void net_server_free(struct net_server *s)
{
    if (!s)
        return;
    MAGIC_CHECK(s, NET_SERVER_MAGIC);
    must(!s->started);
    for (int i = 0; s->io && i < s->threads; i++)
        io_done(&s->io[i]);
    mem_free(s->io);
    peers_free(s);
    body_cache_free(&s->bodies);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->peers_lock);
    pthread_mutex_destroy(&s->lock);
    s->magic = 0;
    mem_free(s);
}

// --- what others may know ---

int net_server_threads(const struct net_server *s) { return s->threads; }

struct loop *net_server_loop(struct net_server *s, int i)
{
    must(i >= 0 && i < s->threads);
    return s->io[i].loop;
}

struct net_stats net_server_stats(struct net_server *s)
{
    MAGIC_CHECK(s, NET_SERVER_MAGIC);
    const struct net_counters *c = &s->counters;
#define NET_READ(counter) atomic_load_explicit(&c->counter, memory_order_relaxed)
    uint64_t open = NET_READ(connections_open), busy = NET_READ(connections_busy);
    return (struct net_stats){
#define NET_STAT_READ(name, type, value, text) .hit_##name = NET_READ(hits[NET_HIT_##name]),
        NET_LIMITS(NET_STAT_READ)
#undef NET_STAT_READ
            .hit_queue = NET_READ(hits[NET_HIT_queue]),
        .connections_open = open,
        .connections_total = NET_READ(connections_total),
        .connections_idle = open > busy ? open - busy : 0,
        .requests_total = NET_READ(requests_total),
        .requests_open = NET_READ(requests_open),
        .requests_malformed = NET_READ(requests_malformed),
        .requests_cancelled = NET_READ(requests_cancelled),
        .body_bytes_held = NET_READ(body_bytes_held),
        .bytes_received = NET_READ(bytes_received),
        .bytes_sent = NET_READ(bytes_sent),
        .tls_failures = NET_READ(tls_failures),
        .h2_connections_total = NET_READ(h2_connections_total),
    };
#undef NET_READ
}
