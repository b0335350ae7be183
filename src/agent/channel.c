#include "agent/channel.h"
#include "os/socket.h"

#include <unistd.h>

enum { HEAD = 5, READ_AT_ONCE = 64 << 10 };

static void on_ready(struct loop_watch *w, uint32_t events);

int channel_open(struct channel *c, struct loop *loop, int fd, void (*message)(struct channel *, uint8_t, bytes),
                 void (*closed)(struct channel *))
{
    *c = (struct channel){ .loop = loop, .message = message, .closed = closed };
    c->watch = (struct loop_watch){ fd, EPOLLIN, on_ready };
    buf_init(&c->in, CHANNEL_MESSAGE_MAX + HEAD + READ_AT_ONCE);
    buf_init(&c->out, CHANNEL_QUEUE_MAX + CHANNEL_MESSAGE_MAX + HEAD);
    return loop_watch_add(loop, &c->watch);
}

void channel_close(struct channel *c)
{
    if (c->watch.fd < 0)
        return;
    int fd = c->watch.fd;
    loop_watch_remove(c->loop, &c->watch);
    close(fd);
    c->watch.fd = -1;
    c->dead = true;
    buf_free(&c->in);
    buf_free(&c->out);
}

static void update(struct channel *c)
{
    if (!c->dead)
        loop_watch_change(c->loop, &c->watch, (c->held ? 0 : EPOLLIN) | (channel_queued(c) ? EPOLLOUT : 0));
}

static void fail(struct channel *c)
{
    if (c->dead)
        return;
    c->dead = true;
    loop_watch_change(c->loop, &c->watch, 0);
    c->closed(c);
}

static void flush(struct channel *c)
{
    while (channel_queued(c)) {
        struct iovec iov = { c->out.ptr + c->sent, channel_queued(c) };
        ssize_t n = socket_sendv(c->watch.fd, &iov, 1);
        if (n == ERR_AGAIN)
            break;
        if (n <= 0) {
            fail(c);
            return;
        }
        c->sent += (size_t)n;
    }
    if (c->sent == c->out.len) {
        buf_free(&c->out);
        c->sent = 0;
    } else if (c->sent > (1 << 20)) {
        buf_consume(&c->out, c->sent);
        c->sent = 0;
    }
}

int channel_send(struct channel *c, uint8_t kind, bytes a, bytes b)
{
    if (c->dead)
        return ERR_CLOSED;
    if (a.len + b.len > CHANNEL_MESSAGE_MAX || channel_queued(c) + a.len + b.len > CHANNEL_QUEUE_MAX)
        return ERR_LIMIT;
    uint8_t *p = buf_extend(&c->out, HEAD + a.len + b.len);
    if (!p) {
        c->out.error = 0;
        return ERR_NOMEM;
    }
    le32_put(p, (uint32_t)(a.len + b.len));
    p[4] = kind;
    if (a.len)
        memcpy(p + HEAD, a.ptr, a.len);
    if (b.len)
        memcpy(p + HEAD + a.len, b.ptr, b.len);
    flush(c);
    update(c);
    return c->dead ? ERR_CLOSED : 0;
}

size_t channel_queued(const struct channel *c) { return c->out.len - c->sent; }

void channel_hold(struct channel *c, bool hold)
{
    if (c->held == hold)
        return;
    c->held = hold;
    update(c);
}

// Gives what is whole; what is left begins a message.
static void give(struct channel *c)
{
    size_t at = 0;
    while (!c->dead && c->in.len - at >= HEAD) {
        uint32_t n = le32_get(c->in.ptr + at);
        if (n > CHANNEL_MESSAGE_MAX) {
            fail(c);
            return;
        }
        if (c->in.len - at - HEAD < n)
            break;
        c->message(c, c->in.ptr[at + 4], bytes_of(c->in.ptr + at + HEAD, n));
        at += HEAD + (size_t)n;
    }
    if (c->watch.fd < 0)
        return;
    buf_consume(&c->in, at);
    if (c->in.len == 0)
        buf_free(&c->in);
}

static void on_ready(struct loop_watch *w, uint32_t events)
{
    struct channel *c = OS_CONTAINER(w, struct channel, watch);
    if (events & EPOLLOUT)
        flush(c);
    if (!c->dead && !c->held && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        ssize_t n =
            buf_reserve(&c->in, READ_AT_ONCE) < 0 ? ERR_NOMEM : socket_recv(w->fd, c->in.ptr + c->in.len, READ_AT_ONCE);
        if (n > 0) {
            c->in.len += (size_t)n;
            give(c);
        } else if (n != ERR_AGAIN) {
            fail(c);
        }
    }
    if (c->watch.fd >= 0)
        update(c);
}
