// OTLP over HTTP/1.1: one request in flight a connection, kept alive.
#include "feed.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RESPONSE_SIZE_MAX = 16384, RETRY_AFTER_MS = 50 };

enum http_conn_state { HTTP_IDLE, HTTP_WRITING, HTTP_READING, HTTP_WAITING };

struct http_conn {
    struct feed *feed;
    int fd;
    enum http_conn_state state;
    struct feed_item item;
    char head[512];
    size_t head_len, sent; // sent: of head and body
    int64_t retry_at_ns;
    char answer[RESPONSE_SIZE_MAX];
    size_t answer_len;
    bool reopened;
};

struct http_conn *http_conn_open(struct feed *f)
{
    int fd = feed_connect(f);
    if (fd < 0)
        return NULL;
    struct http_conn *c = mem_zalloc(sizeof *c);
    if (c) {
        c->feed = f;
        c->fd = fd;
    } else {
        close(fd);
    }
    return c;
}

int http_conn_fd(const struct http_conn *c) { return c->fd; }
bool http_conn_wants_write(const struct http_conn *c) { return c->state == HTTP_WRITING; }

void http_conn_close(struct http_conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    mem_free(c);
}

static void http_start(struct http_conn *c)
{
    static const char *const encodings[] = {
        [PAYLOAD_GZIP] = "Content-Encoding: gzip\r\n", [PAYLOAD_ZSTD] = "Content-Encoding: zstd\r\n"
    };
    const struct send_options *o = c->feed->options;
    c->head_len =
        (size_t)snprintf(c->head, sizeof c->head,
                         "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"
                         "Content-Length: %u\r\n%s%s%s%s\r\n",
                         o->path, o->host, o->type, c->item.payload->len, o->encoding ? encodings[o->encoding] : "",
                         o->token ? "Authorization: Bearer " : "", o->token ? o->token : "", o->token ? "\r\n" : "");
    c->sent = 0;
    c->answer_len = 0;
    c->state = HTTP_WRITING;
}

// False on a lost connection.
static bool http_write(struct http_conn *c)
{
    const struct payload *p = c->item.payload;
    while (c->sent < c->head_len + p->len) {
        struct iovec iov[2];
        int n = 0;
        size_t body_at = c->sent > c->head_len ? c->sent - c->head_len : 0;
        if (c->sent < c->head_len)
            iov[n++] = (struct iovec){ c->head + c->sent, c->head_len - c->sent };
        iov[n++] = (struct iovec){ p->data + body_at, p->len - body_at };
        struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)n };
        ssize_t done = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (done < 0 && (errno == EPIPE || errno == ECONNRESET))
            return true; // an early answer may still be there to be read
        if (done < 0) {
            feed_failed(c->feed, "send: %s", strerror(errno));
            return false;
        }
        c->sent += (size_t)done;
    }
    c->state = HTTP_READING;
    return true;
}

// Length of the whole answer once its head is there, 0 before, -1 when it is none of ours.
static ssize_t http_answer_size(struct http_conn *c)
{
    str s = { c->answer, c->answer_len };
    ptrdiff_t end = str_find(s, STR("\r\n\r\n"));
    if (end < 0)
        return c->answer_len == sizeof c->answer ? -1 : 0;
    size_t length = 0;
    for (size_t at = 0; at < (size_t)end;) {
        ptrdiff_t eol = str_find_char(s, '\n', at);
        str line = str_slice(s, at, eol < 0 ? (size_t)end : (size_t)eol);
        str key = str_slice(line, 0, 15);
        if (str_ieq(key, STR("content-length:")))
            length = strtoul(line.ptr + 15, NULL, 10);
        at += line.len + 1;
    }
    return length > sizeof c->answer ? -1 : (ssize_t)((size_t)end + 4 + length);
}

// An answer before the whole request was sent (413, 503) leaves the connection in no state to go on.
static bool http_reopen(struct http_conn *c)
{
    close(c->fd);
    c->fd = feed_connect(c->feed);
    c->reopened = true;
    return c->fd >= 0;
}

bool http_conn_reopened(struct http_conn *c)
{
    bool was = c->reopened;
    c->reopened = false;
    return was;
}

static void http_answered(struct http_conn *c, int64_t now_ns)
{
    int status = c->answer_len > 12 ? (int)strtol(c->answer + 9, NULL, 10) : 0;
    if (status == 429 || status == 502 || status == 503 || status == 504) {
        feed_answered(c->feed, &c->item, FEED_RETRY, now_ns);
        c->retry_at_ns = now_ns + RETRY_AFTER_MS * NS_PER_MS;
        c->state = HTTP_WAITING;
        return;
    }
    if (status != 200)
        feed_failed(c->feed, "HTTP %.*s", (int)(c->answer_len < 200 ? c->answer_len : 200), c->answer);
    feed_answered(c->feed, &c->item, status == 200 ? FEED_OK : FEED_FINAL, now_ns);
    c->state = HTTP_IDLE;
}

// False on a lost connection.
static bool http_read(struct http_conn *c, int64_t now_ns)
{
    ssize_t n = recv(c->fd, c->answer + c->answer_len, sizeof c->answer - c->answer_len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0 && c->state == HTTP_WAITING)
        return http_reopen(c); // refused and closed: come back later
    if (n <= 0) {
        feed_failed(c->feed, "connection lost: %s", n ? strerror(errno) : "closed by the server");
        return c->state == HTTP_IDLE && c->feed->in_flight == 0;
    }
    c->answer_len += (size_t)n;
    ssize_t size = http_answer_size(c);
    if (size < 0) {
        feed_failed(c->feed, "answer too long or not understood: %.*s", 100, c->answer);
        return false;
    }
    if (size && c->answer_len >= (size_t)size && c->state != HTTP_WAITING) {
        bool early = c->state == HTTP_WRITING;
        http_answered(c, now_ns);
        return !early || http_reopen(c);
    }
    return true;
}

bool http_conn_run(struct http_conn *c, uint32_t epoll_events, int64_t now_ns)
{
    if (epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !http_read(c, now_ns))
        return false;
    if (c->state == HTTP_WAITING && now_ns >= c->retry_at_ns)
        http_start(c);
    else if (c->state == HTTP_IDLE && feed_take(c->feed, now_ns, &c->item))
        http_start(c);
    return c->state != HTTP_WRITING || http_write(c);
}
