// A connection: bytes in and out, its protocol found out by its first bytes, its time-outs, its end.
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/net_internal.h"

#include <unistd.h>

enum { CONN_TURN_BYTES = 1 << 20, CONN_IOV = 16 };

static const char h2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum { H2_PREFACE = sizeof h2_preface - 1 };

static void on_ready(struct loop_watch *w, uint32_t events);
static void on_timer(struct timer *t);

void conn_new(struct net_io *io, struct net_listener *listener, int fd, const struct socket_address *peer)
{
    struct net_conn *c = mem_zalloc(sizeof *c);
    struct net_counters *counters = io_counters(io);
    if (!c)
        goto fail;
    c->magic = NET_CONN_MAGIC;
    c->io = io;
    c->listener = listener;
    c->peer = *peer;
    if (socket_local_address(fd, &c->local) < 0 || (listener->tls && tls_conn_new(listener->tls, fd, &c->tls) < 0))
        goto fail;
    c->watch = (struct loop_watch){ fd, EPOLLIN | EPOLLRDHUP, on_ready };
    c->timer.fn = on_timer;
    c->since_ns = loop_now_ns(io->loop);
    c->requests_last = &c->requests;
    chain_init(&c->out);
    buf_init(&c->in, NET_SCRATCH * 2 + io_limits(io)->head_bytes);
    if (loop_watch_add(io->loop, &c->watch) < 0)
        goto fail;
    c->next = io->conns;
    c->prev = &io->conns;
    if (c->next)
        c->next->prev = &c->next;
    io->conns = c;
    NET_COUNT(counters->connections_open, 1);
    NET_COUNT(counters->connections_total, 1);
    conn_update(c);
    return;
fail:
    if (c)
        tls_conn_free(c->tls);
    mem_free(c);
    close(fd);
    peers_leave(io->server, peer);
}

void conn_kill(struct net_conn *c)
{
    MAGIC_CHECK(c, NET_CONN_MAGIC);
    if (c->dead)
        return;
    struct net_io *io = c->io;
    c->dead = true;
    while (c->requests)
        request_detach(c->requests);
    h2_free(c);
    loop_timer_clear(io->loop, &c->timer);
    if (c->tls)
        tls_conn_shutdown(c->tls);
    tls_conn_free(c->tls);
    int fd = c->watch.fd;
    loop_watch_remove(io->loop, &c->watch);
    close(fd);
    chain_free(&c->out);
    buf_free(&c->in);
    peers_leave(io->server, &c->peer);
    NET_UNCOUNT(io_counters(io)->connections_open, 1);
    if (c->busy)
        NET_UNCOUNT(io_counters(io)->connections_busy, 1);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->next = io->dead;
    io->dead = c;
    conn_mark_dirty(c);
}

void conn_mark_dirty(struct net_conn *c)
{
    struct net_io *io = c->io;
    if (!c->dirty && !c->dead) {
        c->dirty = true;
        c->dirty_next = io->dirty;
        io->dirty = c;
    }
    if (!io->flush_posted) {
        io->flush_posted = true;
        loop_post(io->loop, &io->flush);
    }
}

void conn_link_request(struct net_conn *c, struct http_request_internal *r)
{
    r->conn = c;
    r->next = NULL;
    r->prev = c->requests_last;
    *c->requests_last = r;
    c->requests_last = &r->next;
    c->requests_n++;
}

void conn_unlink_request(struct http_request_internal *r)
{
    struct net_conn *c = r->conn;
    *r->prev = r->next;
    if (r->next)
        r->next->prev = r->prev;
    else
        c->requests_last = r->prev;
    c->requests_n--;
    if (c->reading == r)
        c->reading = NULL;
    r->conn = NULL;
}

// --- bytes ---

ssize_t conn_recv(struct net_conn *c, void *p, size_t n)
{
    ssize_t got = c->tls ? tls_conn_recv(c->tls, p, n) : socket_recv(c->watch.fd, p, n);
    if (got > 0)
        NET_COUNT(io_counters(c->io)->bytes_received, (uint64_t)got);
    return got;
}

static ssize_t conn_send_some(struct net_conn *c)
{
    if (c->tls)
        return tls_conn_send(c->tls, c->out.first->ptr, c->out.first->len);
    struct iovec iov[CONN_IOV];
    int n = 0;
    for (struct net_seg *seg = c->out.first; seg && n < CONN_IOV; seg = seg->next)
        iov[n++] = (struct iovec){ (void *)seg->ptr, seg->len };
    return socket_sendv(c->watch.fd, iov, n);
}

void conn_flush(struct net_conn *c)
{
    while (!c->dead && c->out.first) {
        if (c->out.first->len == 0) {
            seg_free(chain_take(&c->out));
            continue;
        }
        ssize_t sent = conn_send_some(c);
        if (sent == ERR_AGAIN)
            return;
        if (sent <= 0) {
            conn_kill(c);
            return;
        }
        NET_COUNT(io_counters(c->io)->bytes_sent, (uint64_t)sent);
        chain_advance(&c->out, (size_t)sent);
        c->wrote_ns = loop_now_ns(c->io->loop);
    }
}

void conn_out(struct net_conn *c, struct net_seg *seg)
{
    if (c->dead) {
        seg_free(seg);
    } else if (!seg) {
        conn_kill(c);
    } else {
        if (!c->out.first)
            c->wrote_ns = loop_now_ns(c->io->loop);
        chain_add(&c->out, seg);
    }
}

bool conn_keep(struct net_conn *c, bytes in)
{
    if (buf_append(&c->in, in.ptr, in.len) == 0)
        return true;
    conn_kill(c);
    return false;
}

// --- in ---

// A TLS record of a handshake, on a port that has no TLS: without this it would look like a head that never ends.
static bool is_tls_greeting(const struct net_conn *c, bytes in)
{
    return !c->tls && in.len >= 3 && in.ptr[0] == 0x16 && in.ptr[1] == 0x03 && in.ptr[2] <= 0x04;
}

// HTTP/2 by prior knowledge, and by ALPN: both begin with the preface.
static void find_protocol(struct net_conn *c, bytes in)
{
    if (is_tls_greeting(c, in)) {
        io_observe(c->io, NET_ODD_TLS_ON_PLAIN, &c->peer, &c->local, NULL);
        c->proto = NET_PROTO_H1;
        h1_fail(c, 400, "this port speaks plain HTTP, the client spoke TLS"); // clients call it a wrong version
        return;
    }
    size_t n = in.len < H2_PREFACE ? in.len : H2_PREFACE;
    if (memcmp(in.ptr, h2_preface, n) != 0) {
        c->proto = NET_PROTO_H1;
        return;
    }
    if (n < H2_PREFACE)
        return; // so far both
    c->proto = NET_PROTO_H2;
    if (h2_begin(c) < 0)
        conn_kill(c);
}

static void conn_input(struct net_conn *c, bytes *in)
{
    if (c->lingering) {
        in->len = 0;
        return;
    }
    if (c->proto == NET_PROTO_UNKNOWN && in->len)
        find_protocol(c, *in);
    if (c->dead)
        return;
    if (c->proto == NET_PROTO_H1) {
        h1_input(c, in);
    } else if (c->proto == NET_PROTO_H2) {
        h2_input(c, *in);
        in->len = 0;
    }
}

static void input_kept(struct net_conn *c)
{
    bytes all = buf_bytes(&c->in);
    conn_input(c, &all);
    if (c->dead)
        return;
    buf_consume(&c->in, c->in.len - all.len);
    if (c->in.len == 0)
        buf_free(&c->in); // an idle connection holds no buffers
}

static void input_new(struct net_conn *c, bytes in)
{
    if (c->in.len) {
        if (conn_keep(c, in))
            input_kept(c);
        return;
    }
    conn_input(c, &in);
    if (in.len && !c->dead)
        conn_keep(c, in);
}

static void input_ended(struct net_conn *c)
{
    c->eof = true;
    if (c->lingering || c->proto != NET_PROTO_H1 || c->phase == H1_BODY_FIXED || c->phase == H1_BODY_CHUNKED ||
        c->phase == H1_UPGRADED || (!c->requests && !c->out.first)) {
        conn_kill(c);
        return;
    }
    // Half closed: what has been asked is still answered, to a client that may be gone.
    for (struct http_request_internal *r = c->requests; r; r = r->next)
        if (r->state == REQUEST_HANDLED)
            request_cancel(r);
    if (!c->paused) {
        c->last = true;
        c->phase = H1_CLOSED;
    }
    conn_mark_dirty(c);
}

static bool wants_input(const struct net_conn *c)
{
    if (c->dead || c->eof || c->paused || (c->closing && !c->lingering))
        return false;
    if (c->proto == NET_PROTO_H1 && c->phase == H1_CLOSED && !c->lingering)
        return false;
    return c->out.bytes <= NET_CHAIN_HIGH;
}

static void tls_failed(struct net_conn *c)
{
    enum net_odd odd;
    NET_COUNT(io_counters(c->io)->tls_failures, 1);
    if (tls_conn_odd(c->tls, &odd))
        io_observe(c->io, odd, &c->peer, &c->local, NULL);
}

static void conn_readable(struct net_conn *c)
{
    for (size_t done = 0; wants_input(c) && (done < CONN_TURN_BYTES || c->tls);) {
        size_t room_n = 0;
        uint8_t *room = c->proto == NET_PROTO_H1 && !c->in.len ? h1_body_room(c, &room_n) : NULL;
        uint8_t *to = room ? room : c->io->scratch;
        size_t n = room ? room_n : NET_SCRATCH;
        ssize_t got = conn_recv(c, to, n);
        if (got == ERR_AGAIN)
            break;
        if (got < 0) {
            if (c->tls && !tls_conn_handshaken(c->tls))
                tls_failed(c);
            conn_kill(c);
            return;
        }
        if (got == 0) {
            input_ended(c);
            return;
        }
        done += (size_t)got;
        if (room)
            h1_body_arrived(c, (size_t)got);
        else
            input_new(c, bytes_of(to, (size_t)got));
        if ((size_t)got < n && !c->tls)
            break; // the socket is empty
    }
    if (!c->dead && c->last)
        conn_mark_dirty(c);
}

static void on_ready(struct loop_watch *w, uint32_t events)
{
    struct net_conn *c = OS_CONTAINER(w, struct net_conn, watch);
    MAGIC_CHECK(c, NET_CONN_MAGIC);
    if (events & (EPOLLERR | EPOLLHUP)) {
        if (c->tls && !tls_conn_handshaken(c->tls))
            conn_readable(c); // the alert that says why may have come before the end
        conn_kill(c);
        return;
    }
    if (events & EPOLLOUT)
        conn_mark_dirty(c);
    if (events & (EPOLLIN | EPOLLOUT))
        conn_readable(c);
    if (!c->dead && (events & EPOLLRDHUP) && !c->eof && !wants_input(c))
        input_ended(c);
    if (!c->dead)
        conn_update(c);
}

// --- answers ---

static void conn_end(struct net_conn *c)
{
    if (!c->linger || c->eof || c->tls) {
        conn_kill(c);
        return;
    }
    if (!c->lingering) {
        c->lingering = true;
        c->since_ns = loop_now_ns(c->io->loop);
        buf_free(&c->in);
        shutdown(c->watch.fd, SHUT_WR);
    }
}

void conn_answers(struct net_conn *c)
{
    size_t before;
    do { // what has been sent makes room for more
        if (c->proto == NET_PROTO_H1)
            h1_answers(c);
        else if (c->proto == NET_PROTO_H2)
            h2_answers(c);
        before = c->out.bytes;
        conn_flush(c);
    } while (!c->dead && before && c->out.bytes == 0);
    if (c->dead)
        return;
    if (c->closing && !c->out.first) {
        conn_end(c);
    } else if (c->paused && c->requests_n < io_limits(c->io)->pipeline_depth && c->out.bytes <= NET_CHAIN_HIGH) {
        input_kept(c);
        if (!c->dead && c->eof && !c->paused) {
            c->last = true;
            c->phase = H1_CLOSED;
            conn_mark_dirty(c);
        }
    }
    if (!c->dead && c->tls && wants_input(c))
        conn_readable(c); // what TLS holds makes no descriptor readable
    if (!c->dead)
        conn_update(c);
}

static bool is_endless(struct http_request_internal *r)
{
    pthread_mutex_lock(&r->lock);
    bool sse = r->streaming && r->stream.sse;
    pthread_mutex_unlock(&r->lock);
    return sse;
}

void conn_stop(struct net_conn *c)
{
    conn_readable(c); // what has been sent already counts as accepted
    if (c->dead)
        return;
    if (c->proto == NET_PROTO_H2) {
        h2_stop(c);
    } else {
        c->last = true;
        if (c->phase == H1_HEAD)
            c->phase = H1_CLOSED;
        if (!c->requests && c->phase == H1_CLOSED && !c->out.first)
            c->closing = true;
    }
    for (struct http_request_internal *r = c->requests; r; r = r->next)
        if (r->ws)
            ws_stop_on_loop(r);
        else if (is_endless(r))
            request_cancel(r);
    conn_mark_dirty(c);
}

// --- time ---

static bool head_begun(const struct net_conn *c)
{
    if (c->proto == NET_PROTO_H1)
        return c->phase == H1_HEAD && c->scanned && !c->paused;
    return c->proto == NET_PROTO_UNKNOWN && (c->in.len || (c->tls && !tls_conn_handshaken(c->tls)));
}

static bool is_idle(const struct net_conn *c)
{
    return !c->requests && !c->out.first && !head_begun(c) && c->phase != H1_BODY_FIXED && c->phase != H1_BODY_CHUNKED;
}

static bool discards_body(const struct net_conn *c)
{
    return !c->reading && (c->phase == H1_BODY_FIXED || c->phase == H1_BODY_CHUNKED);
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t request_deadline_ns(const struct net_conn *c, const struct http_request_internal *r)
{
    if (r->state == REQUEST_BODY)
        return request_body_deadline_ns(r);
    if (r->state == REQUEST_HEAD)
        return r->pub.received_ns + io_limits(c->io)->head_ms * NS_PER_MS;
    return INT64_MAX;
}

static int64_t conn_deadline_ns(const struct net_conn *c)
{
    const struct net_limits *l = io_limits(c->io);
    int64_t d = INT64_MAX;
    if (c->lingering)
        return c->since_ns + NET_LINGER_MS * NS_PER_MS;
    if (c->out.first)
        d = c->wrote_ns + l->write_stall_ms * NS_PER_MS;
    if (head_begun(c))
        d = earlier(d, c->since_ns + l->head_ms * NS_PER_MS);
    else if (is_idle(c))
        d = earlier(d, c->since_ns + l->idle_ms * NS_PER_MS);
    else if (discards_body(c))
        d = earlier(d, c->since_ns + l->body_stall_ms * NS_PER_MS);
    for (const struct http_request_internal *r = c->requests; r; r = r->next)
        d = earlier(d, request_deadline_ns(c, r));
    return d;
}

static void slow_request(struct net_conn *c, struct http_request_internal *r)
{
    bool stalled = loop_now_ns(c->io->loop) >= r->body_last_ns + io_limits(c->io)->body_stall_ms * NS_PER_MS;
    io_hit(c->io, r->state == REQUEST_HEAD ? NET_HIT_head_ms : stalled ? NET_HIT_body_stall_ms : NET_HIT_body_rate);
    if (c->proto == NET_PROTO_H2) {
        h2_reset(r);
        return;
    }
    c->reading = NULL;
    c->phase = H1_CLOSED;
    c->last = c->linger = true;
    request_refuse(r, 408, 0, "the body comes too slowly");
}

static void on_timer(struct timer *t)
{
    struct net_conn *c = OS_CONTAINER(t, struct net_conn, timer);
    const struct net_limits *l = io_limits(c->io);
    int64_t now = loop_now_ns(c->io->loop);
    if (now < conn_deadline_ns(c)) {
        conn_update(c);
        return;
    }
    if (c->out.first && !c->lingering && now >= c->wrote_ns + l->write_stall_ms * NS_PER_MS) {
        io_hit(c->io, NET_HIT_write_stall_ms);
        conn_kill(c);
        return;
    }
    for (struct http_request_internal *r = c->requests, *next; r; r = next) {
        next = r->next;
        if (now >= request_deadline_ns(c, r))
            slow_request(c, r);
    }
    if (c->lingering) {
        conn_kill(c);
    } else if (is_idle(c)) {
        io_hit(c->io, NET_HIT_idle_ms);
        conn_kill(c);
    } else if (head_begun(c) && now >= c->since_ns + l->head_ms * NS_PER_MS) {
        io_hit(c->io, NET_HIT_head_ms);
        if (c->proto == NET_PROTO_H1)
            h1_fail(c, 408, "the request's head comes too slowly");
        else
            conn_kill(c);
    } else if (discards_body(c)) { // the rest of a refused body does not come
        c->phase = H1_CLOSED;
        c->last = c->linger = true;
        conn_mark_dirty(c);
    }
    if (!c->dead)
        conn_update(c);
}

void conn_update(struct net_conn *c)
{
    // What the peer has sent before it left is read before it counts as gone.
    uint32_t events = c->eof || c->paused || c->out.bytes > NET_CHAIN_HIGH ? 0 : EPOLLRDHUP;
    if (wants_input(c))
        events |= EPOLLIN;
    if (c->out.first || (c->tls && tls_conn_wants_write(c->tls)))
        events |= EPOLLOUT;
    if (loop_watch_change(c->io->loop, &c->watch, events) < 0) {
        conn_kill(c);
        return;
    }
    bool busy = !is_idle(c);
    if (busy != c->busy) {
        c->busy = busy;
        if (busy)
            NET_COUNT(io_counters(c->io)->connections_busy, 1);
        else
            NET_UNCOUNT(io_counters(c->io)->connections_busy, 1);
    }
    // A timer that fires too early is set anew; one that would fire too late is moved now.
    int64_t deadline = conn_deadline_ns(c);
    if (deadline == INT64_MAX)
        return;
    int64_t now = loop_now_ns(c->io->loop);
    int64_t delay_ms = deadline > now ? (deadline - now) / NS_PER_MS + 1 : 0;
    if (!timer_is_set(&c->timer) || c->timer.due_ms > now / NS_PER_MS + delay_ms + 1)
        loop_timer_set(c->io->loop, &c->timer, delay_ms);
}
