// Answers whose end is not known yet. The producer (any thread) adds pieces under the request's lock up
// to a bound; the loop takes them, and says when there is room again.
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/net_internal.h"

#include <errno.h>

static void on_heartbeat(struct timer *t);

static int stream_headers(struct http_request_internal *r, const struct http_header *h, size_t n,
                          struct http_header **ret_copy)
{
    struct http_header *copy = arena_alloc_array(&r->head, n ? n : 1, sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (arena_dup(&r->head, h[i].name, &copy[i].name) < 0 || arena_dup(&r->head, h[i].value, &copy[i].value) < 0)
            return ERR_NOMEM;
        if (!http_token_ok(copy[i].name) || !http_value_ok(copy[i].value))
            return ERR_INVALID;
    }
    *ret_copy = copy;
    return 0;
}

// The request is answered by what will come. For a WebSocket (ws) only while the client is there; false: nothing has been done.
static bool begin_answer(struct http_request_internal *r, int status, struct http_header *h, size_t n, bool sse,
                         struct ws *ws)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_lock(&r->lock);
    must(!r->answered);
    bool here = !ws || !http_request_cancelled(&r->pub), post = false;
    if (here) {
        pthread_cond_init(&r->stream.drained, &monotonic);
        r->stream.sse = sse;
        r->stream.heartbeat.fn = on_heartbeat;
        r->answer_headers = h;
        r->answer_headers_n = n;
        r->status = status;
        r->streaming = r->answered = true;
        r->ws = ws;
        post = request_post_locked(r);
    }
    pthread_mutex_unlock(&r->lock);
    pthread_condattr_destroy(&monotonic);
    if (post)
        loop_post(r->io->loop, &r->message);
    return here;
}

static struct http_stream *begin(struct http_request *req, int status, const struct http_header *h, size_t n, bool sse)
{
    MAGIC_CHECK(req, HTTP_REQUEST_MAGIC);
    struct http_request_internal *r = request_of(req);
    struct http_header *copy;
    must(!req->is_grpc);
    if (stream_headers(r, h, n, &copy) < 0) {
        http_respond(req, 503, NULL, 0, (bytes){ 0 });
        return NULL;
    }
    begin_answer(r, status, copy, n, sse, NULL);
    return &r->stream;
}

bool stream_upgrade(struct http_request_internal *r, struct http_header *h, size_t n, struct ws *ws)
{
    return begin_answer(r, 101, h, n, false, ws);
}

struct http_stream *http_stream_begin(struct http_request *req, int status, const struct http_header *h, size_t n)
{
    return begin(req, status, h, n, false);
}

struct http_request *http_stream_request(struct http_stream *s) { return &s->r->pub; }

static bool is_full_locked(const struct http_request_internal *r)
{
    return r->queued >= io_limits(r->io)->stream_buffer_bytes;
}

int http_stream_write(struct http_stream *s, bytes p)
{
    struct http_request_internal *r = s->r;
    MAGIC_CHECK(&r->pub, HTTP_REQUEST_MAGIC);
    if (http_request_cancelled(&r->pub))
        return ERR_CLOSED;
    if (p.len == 0)
        return 0;
    struct net_seg *seg = seg_copy(p.ptr, p.len);
    if (!seg)
        return ERR_NOMEM;
    int rc = 0;
    bool post = false;
    pthread_mutex_lock(&r->lock);
    must(r->streaming && !r->ended);
    if (is_full_locked(r)) {
        s->hungry = true;
        rc = ERR_AGAIN;
    } else {
        chain_add(&r->pieces, seg);
        r->queued += p.len;
        post = request_post_locked(r);
        seg = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    seg_free(seg);
    if (post)
        loop_post(r->io->loop, &r->message);
    return rc;
}

int http_stream_wait(struct http_stream *s, int timeout_ms)
{
    struct http_request_internal *r = s->r;
    must(!loop_current());
    int64_t until = clock_mono_ns() + timeout_ms * NS_PER_MS;
    struct timespec ts = { until / NS_PER_S, until % NS_PER_S };
    int rc = 0;
    pthread_mutex_lock(&r->lock);
    while (is_full_locked(r) && !http_request_cancelled(&r->pub) && rc == 0)
        rc = pthread_cond_timedwait(&s->drained, &r->lock, &ts);
    bool full = is_full_locked(r);
    pthread_mutex_unlock(&r->lock);
    return http_request_cancelled(&r->pub) ? ERR_CLOSED : full ? ERR_TIMEOUT : 0;
}

int http_stream_write_wait(struct http_stream *s, bytes p)
{
    for (;;) {
        int rc = http_stream_write(s, p);
        if (rc != ERR_AGAIN)
            return rc;
        rc = http_stream_wait(s, io_limits(s->r->io)->write_stall_ms);
        if (rc < 0) {
            if (rc == ERR_TIMEOUT)
                io_hit(s->r->io, NET_HIT_stream_buffer_bytes);
            return rc;
        }
    }
}

void http_stream_on_drain(struct http_stream *s, void (*hook)(struct http_stream *s, void *ctx), void *ctx)
{
    pthread_mutex_lock(&s->r->lock);
    s->on_drain = hook;
    s->on_drain_ctx = ctx;
    pthread_mutex_unlock(&s->r->lock);
}

void http_stream_end(struct http_stream *s, bool ok)
{
    struct http_request_internal *r = s->r;
    MAGIC_CHECK(&r->pub, HTTP_REQUEST_MAGIC);
    pthread_mutex_lock(&r->lock);
    must(r->streaming && !r->ended);
    r->ended = true;
    r->ok = ok;
    r->hook = NULL;
    s->on_drain = NULL;
    bool post = request_post_locked(r);
    pthread_mutex_unlock(&r->lock);
    if (post)
        loop_post(r->io->loop, &r->message);
}

void request_drained(struct http_request_internal *r, size_t n)
{
    if (!r->streaming || n == 0)
        return;
    void (*hook)(struct http_stream *, void *) = NULL;
    void *ctx = NULL;
    pthread_mutex_lock(&r->lock);
    r->queued -= n;
    if (r->queued <= io_limits(r->io)->stream_buffer_bytes / 2) {
        pthread_cond_broadcast(&r->stream.drained);
        if (r->stream.hungry && !r->ended) {
            hook = r->stream.on_drain;
            ctx = r->stream.on_drain_ctx;
        }
        r->stream.hungry = false;
    }
    pthread_mutex_unlock(&r->lock);
    if (hook)
        hook(&r->stream, ctx);
}

// --- server-sent events ---

void stream_begin_on_loop(struct http_request_internal *r)
{
    if (r->stream.sse && !timer_is_set(&r->stream.heartbeat))
        loop_timer_set(r->io->loop, &r->stream.heartbeat, NET_SSE_HEARTBEAT_MS);
}

// A comment line: keeps proxies from closing, and finds out clients that have gone.
static void on_heartbeat(struct timer *t)
{
    struct http_stream *s = OS_CONTAINER(t, struct http_stream, heartbeat);
    struct http_request_internal *r = s->r;
    struct net_seg *seg = r->conn && r->state == REQUEST_HANDLED ? seg_copy(":\n\n", 3) : NULL;
    if (!seg)
        return;
    pthread_mutex_lock(&r->lock);
    bool add = !r->ended && r->queued == 0;
    if (add) {
        chain_add(&r->pieces, seg);
        r->queued += 3;
    }
    pthread_mutex_unlock(&r->lock);
    if (!add)
        seg_free(seg);
    loop_timer_set(r->io->loop, t, NET_SSE_HEARTBEAT_MS);
    if (r->conn->proto == NET_PROTO_H2)
        h2_answer_ready(r);
    conn_mark_dirty(r->conn);
}

struct http_stream *http_sse_begin(struct http_request *req, const struct http_header *h, size_t n)
{
    enum { SSE_HEADERS = 16 };
    struct http_header all[SSE_HEADERS + 3] = { { STR("Content-Type"), STR("text/event-stream") },
                                                { STR("Cache-Control"), STR("no-store") },
                                                { STR("X-Accel-Buffering"), STR("no") } };
    must(n <= SSE_HEADERS);
    for (size_t i = 0; i < n; i++)
        all[3 + i] = h[i];
    return begin(req, 200, all, n + 3, true);
}

// One field a line; CR and LF in data would end the line.
static void sse_field(struct buf *b, str name, str value)
{
    do {
        size_t end = 0;
        while (end < value.len && value.ptr[end] != '\n' && value.ptr[end] != '\r')
            end++;
        buf_str(b, name);
        buf_str(b, STR(": "));
        buf_str(b, str_slice(value, 0, end));
        buf_byte(b, '\n');
        if (end == value.len)
            break;
        end += value.ptr[end] == '\r' && end + 1 < value.len && value.ptr[end + 1] == '\n' ? 2 : 1;
        value = str_slice(value, end, value.len);
    } while (true);
}

int http_sse_send(struct http_stream *s, str event, str id, str data)
{
    struct buf b;
    buf_init(&b, event.len + id.len + data.len * 8 + 64); // every byte may be a line of its own
    if (event.len)
        sse_field(&b, STR("event"), event);
    if (id.len)
        sse_field(&b, STR("id"), id);
    sse_field(&b, STR("data"), data);
    buf_byte(&b, '\n');
    int rc = b.error ? ERR_NOMEM : http_stream_write(s, buf_bytes(&b));
    buf_free(&b);
    return rc;
}
