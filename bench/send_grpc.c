// OTLP over gRPC: HTTP/2 in clear text with prior knowledge, several calls in flight a connection.
#include "feed.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAMS_MAX = 128, OUT_SIZE = 1 << 18, IN_SIZE = 1 << 16, RETRY_AFTER_MS = 50, PREFIX = 5 };
enum { GRPC_OK = 0, GRPC_RESOURCE_EXHAUSTED = 8, GRPC_UNAVAILABLE = 14, GRPC_NONE = -1 };

struct call {
    struct feed_item item;
    bool active, waiting; // waiting: for its time to be tried again
    int64_t retry_at_ns;
    size_t sent; // of prefix and message
    int status;
    char message[128];
};

struct grpc_conn {
    struct feed *feed;
    int fd;
    nghttp2_session *session;
    struct call calls[STREAMS_MAX];
    uint8_t *out;
    size_t out_len, out_sent;
    int64_t now_ns;
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    str key = str_of(name, name_len);
    if (!call)
        return 0;
    if (str_eq(key, STR("grpc-status")))
        call->status = (int)strtol((const char *)value, NULL, 10); // nghttp2 terminates values
    else if (str_eq(key, STR("grpc-message")) ||
             (str_eq(key, STR(":status")) && !str_eq(str_of(value, value_len), STR("200"))))
        snprintf(call->message, sizeof call->message, "%.*s", (int)value_len, (const char *)value);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct grpc_conn *c = user;
    struct call *call = nghttp2_session_get_stream_user_data(session, stream);
    if (!call)
        return 0;
    enum feed_answer answer = FEED_FINAL;
    if (call->status == GRPC_OK && code == NGHTTP2_NO_ERROR)
        answer = FEED_OK;
    else if (call->status == GRPC_UNAVAILABLE || call->status == GRPC_RESOURCE_EXHAUSTED ||
             code == NGHTTP2_REFUSED_STREAM)
        answer = FEED_RETRY;
    else
        feed_failed(c->feed, "grpc-status %d, HTTP/2 error %u: %s", call->status, code, call->message);
    feed_answered(c->feed, &call->item, answer, c->now_ns);
    call->waiting = answer == FEED_RETRY;
    call->retry_at_ns = c->now_ns + RETRY_AFTER_MS * NS_PER_MS;
    call->active = call->waiting;
    return 0;
}

static ssize_t read_message(nghttp2_session *session, int32_t stream, uint8_t *out, size_t size, uint32_t *flags,
                            nghttp2_data_source *source, void *user)
{
    struct grpc_conn *c = user;
    struct call *call = source->ptr;
    const struct payload *p = call->item.payload;
    uint8_t prefix[PREFIX] = { c->feed->options->encoding != PAYLOAD_IDENTITY, (uint8_t)(p->len >> 24),
                               (uint8_t)(p->len >> 16), (uint8_t)(p->len >> 8), (uint8_t)p->len };
    size_t n = 0;
    while (n < size && call->sent < PREFIX)
        out[n++] = prefix[call->sent++];
    size_t left = p->len + PREFIX - call->sent, take = left < size - n ? left : size - n;
    memcpy(out + n, p->data + call->sent - PREFIX, take);
    call->sent += take;
    if (call->sent == p->len + PREFIX)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(n + take);
}

#define HEADER(key, value)                                                                                           \
    (nghttp2_nv)                                                                                                     \
    {                                                                                                                \
        (uint8_t *)(uintptr_t)(key), (uint8_t *)(uintptr_t)(value), strlen(key), strlen(value), NGHTTP2_NV_FLAG_NONE \
    }

static void grpc_start(struct grpc_conn *c, struct call *call)
{
    static const char *const encodings[] = { [PAYLOAD_GZIP] = "gzip", [PAYLOAD_ZSTD] = "zstd" };
    const struct send_options *o = c->feed->options;
    char bearer[256];
    nghttp2_nv headers[10] = { HEADER(":method", "POST"),
                               HEADER(":scheme", "http"),
                               HEADER(":path", o->path),
                               HEADER(":authority", o->host),
                               HEADER("content-type", "application/grpc"),
                               HEADER("te", "trailers") };
    size_t n = 6;
    if (o->encoding)
        headers[n++] = HEADER("grpc-encoding", encodings[o->encoding]);
    if (o->token) {
        snprintf(bearer, sizeof bearer, "Bearer %s", o->token);
        headers[n++] = HEADER("authorization", bearer);
    }
    call->active = true;
    call->waiting = false;
    call->sent = 0;
    call->status = GRPC_NONE;
    nghttp2_data_provider body = { .source.ptr = call, .read_callback = read_message };
    int32_t stream = nghttp2_submit_request(c->session, NULL, headers, n, &body, call);
    must(stream > 0);
}

struct grpc_conn *grpc_conn_open(struct feed *f)
{
    int fd = feed_connect(f);
    struct grpc_conn *c = fd < 0 ? NULL : mem_zalloc(sizeof *c);
    nghttp2_session_callbacks *callbacks;
    if (!c)
        return NULL;
    c->feed = f;
    c->fd = fd;
    c->out = mem_alloc(OUT_SIZE);
    must(c->out && nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    must(nghttp2_session_client_new(&c->session, callbacks, c) == 0);
    nghttp2_session_callbacks_del(callbacks);
    must(nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
    return c;
}

int grpc_conn_fd(const struct grpc_conn *c) { return c->fd; }
bool grpc_conn_wants_write(const struct grpc_conn *c) { return c->out_sent < c->out_len; }

void grpc_conn_close(struct grpc_conn *c)
{
    nghttp2_session_del(c->session);
    close(c->fd);
    mem_free(c->out);
    mem_free(c);
}

// False on a lost connection. What nghttp2 has to say is gathered, so that a system call carries many frames.
static bool grpc_write(struct grpc_conn *c)
{
    for (;;) {
        if (c->out_sent == c->out_len) {
            const uint8_t *data;
            ssize_t n = 0;
            c->out_sent = c->out_len = 0;
            // A frame is at most 16 KiB and its header; stop while one more still fits.
            while (c->out_len + (16384 + 9 + 1024) <= OUT_SIZE &&
                   (n = nghttp2_session_mem_send(c->session, &data)) > 0) {
                must(c->out_len + (size_t)n <= OUT_SIZE);
                memcpy(c->out + c->out_len, data, (size_t)n);
                c->out_len += (size_t)n;
            }
            if (n < 0)
                return false;
            if (c->out_len == 0)
                return true;
        }
        ssize_t done = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (done < 0) {
            feed_failed(c->feed, "send: %s", strerror(errno));
            return false;
        }
        c->out_sent += (size_t)done;
    }
}

static bool grpc_read(struct grpc_conn *c)
{
    uint8_t in[IN_SIZE];
    ssize_t n = recv(c->fd, in, sizeof in, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0) {
        feed_failed(c->feed, "connection lost: %s", n ? strerror(errno) : "closed by the server");
        return false;
    }
    ssize_t used = nghttp2_session_mem_recv(c->session, in, (size_t)n);
    if (used < 0)
        feed_failed(c->feed, "HTTP/2: %s", nghttp2_strerror((int)used));
    return used == n;
}

bool grpc_conn_run(struct grpc_conn *c, uint32_t epoll_events, int64_t now_ns)
{
    c->now_ns = now_ns;
    if (epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !grpc_read(c))
        return false;
    for (int i = 0; i < c->feed->options->streams; i++) {
        struct call *call = &c->calls[i];
        if (call->active && call->waiting && now_ns >= call->retry_at_ns)
            grpc_start(c, call);
        else if (!call->active && feed_take(c->feed, now_ns, &call->item))
            grpc_start(c, call);
    }
    return grpc_write(c);
}
