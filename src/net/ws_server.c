#include "net/ws_server.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/utf8.h"
#include "net/net_internal.h"

enum { WS_GOODBYE_MS = 5000 };

struct ws {
    uint32_t magic;
    _Atomic unsigned refs;
    struct http_request_internal *r;
    struct ws_handler handler;
    void *ctx;
    _Atomic bool held, gone, close_wanted;
    // Set once, before close_wanted
    uint16_t close_code;
    char reason[WS_CONTROL_MAX];
    size_t reason_n;
    // The loop's
    struct ws_reader reader;
    struct timer tick;
    bool begun, close_sent, quiet; // quiet: nothing has come since the last tick
    uint16_t peer_code;
};

#define WS_MAGIC 0x3eb50c4eu

bool ws_wanted(const struct http_request *req)
{
    return req->version == HTTP_1_1 && req->method == HTTP_GET &&
           http_header_has_word(req->headers, req->headers_n, STR("upgrade"), STR("websocket")) &&
           http_header_has_word(req->headers, req->headers_n, STR("connection"), STR("upgrade"));
}

static bool same_origin(const struct http_request *req)
{
    str origin = http_request_header(req, STR("origin"));
    if (!origin.ptr)
        return true; // no browser
    if (!str_starts(origin, req->scheme))
        return false;
    origin = str_slice(origin, req->scheme.len, origin.len);
    return str_starts(origin, STR("://")) && req->host.len && str_ieq(str_slice(origin, 3, origin.len), req->host);
}

static int refuse(struct http_request *req, int status, const char *text)
{
    static const struct http_header headers[] = { { STR_INIT("Content-Type"), STR_INIT("text/plain") },
                                                  { STR_INIT("Sec-WebSocket-Version"), STR_INIT("13") },
                                                  { STR_INIT("Upgrade"), STR_INIT("websocket") } };
    http_respond(req, status, headers, status == 426 ? 3 : 1, bytes_of_str(str_z(text)));
    return status == 503 ? ERR_NOMEM : status == 403 ? ERR_DENIED : ERR_INVALID;
}

static void unref(struct ws *ws)
{
    if (atomic_fetch_sub(&ws->refs, 1) != 1)
        return;
    struct http_request_internal *r = ws->r;
    ws_reader_free(&ws->reader);
    ws->magic = 0;
    mem_free(ws);
    http_stream_end(&r->stream, false);
}

static void on_tick(struct timer *t);

static void on_drain(struct http_stream *s, void *ctx)
{
    struct ws *ws = ctx;
    if (ws->handler.drained && !atomic_load(&ws->gone))
        ws->handler.drained(ws, ws->ctx);
}

int ws_accept(struct http_request *req, const struct ws_options *o, const struct ws_handler *handler, void *ctx,
              struct ws **ret)
{
    struct http_request_internal *r = request_of(req);
    str key = http_request_header(req, STR("sec-websocket-key"));
    if (!ws_wanted(req) || !str_eq(http_request_header(req, STR("sec-websocket-version")), STR("13")))
        return refuse(req, 426, "this address speaks WebSocket, version 13, over HTTP/1.1\n");
    if (!ws_key_ok(key) || req->body.len)
        return refuse(req, 400, "the WebSocket handshake is malformed\n");
    if (!o->origin_checked && !same_origin(req))
        return refuse(req, 403, "another site's page may not connect here\n");
    struct http_header *h = arena_alloc_array(&r->head, 3, sizeof *h);
    char *accept = arena_alloc_bytes(&r->head, WS_ACCEPT_LEN);
    struct ws *ws = h && accept ? mem_zalloc(sizeof *ws) : NULL;
    if (!ws)
        return refuse(req, 503, "no memory for a connection\n");
    ws_accept_of(key, accept);
    h[0] = (struct http_header){ STR("Upgrade"), STR("websocket") };
    h[1] = (struct http_header){ STR("Connection"), STR("Upgrade") };
    h[2] = (struct http_header){ STR("Sec-WebSocket-Accept"), { accept, WS_ACCEPT_LEN } };
    ws->magic = WS_MAGIC;
    ws->refs = 2;
    ws->r = r;
    ws->handler = *handler;
    ws->ctx = ctx;
    ws->tick.fn = on_tick;
    ws->peer_code = WS_ABNORMAL;
    ws_reader_init(&ws->reader, true, o->message_max ? o->message_max : io_limits(r->io)->ws_message_bytes);
    if (!stream_upgrade(r, h, 3, ws)) { // the client has left
        mem_free(ws);
        http_respond(req, 400, NULL, 0, (bytes){ 0 });
        return ERR_CLOSED;
    }
    http_stream_on_drain(&r->stream, on_drain, ws);
    *ret = ws;
    return 0;
}

struct http_request *ws_request(struct ws *ws) { return &ws->r->pub; }

void ws_retain(struct ws *ws) { atomic_fetch_add(&ws->refs, 1); }

void ws_release(struct ws *ws)
{
    MAGIC_CHECK(ws, WS_MAGIC);
    // The connection holds one as long as it is there: it alone is left.
    if (atomic_load(&ws->refs) == 2 && !atomic_load(&ws->gone))
        ws_close(ws, WS_GOING_AWAY, (str){ 0 });
    unref(ws);
}

int ws_send(struct ws *ws, bool text, bytes m)
{
    MAGIC_CHECK(ws, WS_MAGIC);
    struct buf frame;
    if (atomic_load(&ws->gone) || atomic_load(&ws->close_wanted))
        return ERR_CLOSED;
    buf_init(&frame, m.len + WS_HEAD_MAX);
    int rc = ws_write(&frame, text ? WS_TEXT : WS_BINARY, m, NULL);
    if (rc == 0)
        rc = http_stream_write(&ws->r->stream, buf_bytes(&frame));
    buf_free(&frame);
    return rc;
}

static void wake(struct ws *ws)
{
    struct http_request_internal *r = ws->r;
    pthread_mutex_lock(&r->lock);
    bool post = request_post_locked(r);
    pthread_mutex_unlock(&r->lock);
    if (post)
        loop_post(r->io->loop, &r->message);
}

void ws_close(struct ws *ws, uint16_t code, str reason)
{
    MAGIC_CHECK(ws, WS_MAGIC);
    must(ws_close_code_ok(code));
    pthread_mutex_lock(&ws->r->lock);
    bool first = !atomic_load(&ws->close_wanted);
    if (first) {
        reason = utf8_cut(reason, WS_CONTROL_MAX - 2);
        if (reason.len)
            memcpy(ws->reason, reason.ptr, reason.len);
        ws->reason_n = reason.len;
        ws->close_code = code;
        atomic_store(&ws->close_wanted, true);
    }
    pthread_mutex_unlock(&ws->r->lock);
    if (first)
        wake(ws);
}

void ws_hold(struct ws *ws, bool hold)
{
    MAGIC_CHECK(ws, WS_MAGIC);
    atomic_store(&ws->held, hold);
    if (!hold)
        wake(ws);
}

// --- on the loop ---

static void send_frame(struct net_conn *c, enum ws_opcode what, bytes p)
{
    struct buf b;
    buf_init(&b, WS_HEAD_MAX + WS_CONTROL_MAX);
    int rc = ws_write(&b, what, p, NULL);
    conn_out(c, rc < 0 ? NULL : seg_take(b.ptr, b.len)); // nothing: the connection ends
}

static void send_close(struct net_conn *c, struct ws *ws, uint16_t code, str reason)
{
    struct buf b;
    if (ws->close_sent)
        return;
    ws->close_sent = true;
    atomic_store(&ws->close_wanted, true); // nothing may follow
    buf_init(&b, WS_HEAD_MAX + WS_CONTROL_MAX);
    int rc = ws_write_close(&b, code, reason, NULL);
    conn_out(c, rc < 0 ? NULL : seg_take(b.ptr, b.len));
}

// The last frame has been written: the connection ends with it.
static void finish(struct net_conn *c)
{
    if (c->dead)
        return;
    c->phase = H1_CLOSED;
    c->last = c->closing = c->linger = true;
    conn_mark_dirty(c);
}

// Between the frames that a client sends and the answers that wait: ours come before what the handler has queued.
void ws_input(struct net_conn *c, bytes *in)
{
    struct ws *ws = c->requests->ws;
    struct ws_event e;
    uint16_t code = WS_PROTOCOL_ERROR;
    while (in->len && !c->dead) {
        if (atomic_load(&ws->held) || c->out.bytes > NET_CHAIN_HIGH) {
            c->paused = true;
            return;
        }
        ws->quiet = false;
        int rc = ws_read(&ws->reader, in, &e, &code);
        if (rc == 0)
            return;
        if (rc < 0) {
            send_close(c, ws, code, (str){ 0 });
            ws->peer_code = code;
            in->len = 0;
            finish(c);
            return;
        }
        if (e.what == WS_CLOSE) {
            ws->peer_code = e.code;
            send_close(c, ws, e.code, (str){ 0 });
            in->len = 0;
            finish(c);
            return;
        }
        if (e.what == WS_PING)
            send_frame(c, WS_PONG, e.data);
        else if (e.what != WS_PONG)
            ws->handler.message(ws, e.what == WS_TEXT, e.data, ws->ctx);
    }
}

void ws_begin_on_loop(struct net_conn *c, struct http_request_internal *r)
{
    struct buf b;
    buf_init(&b, NET_HEAD_ARENA);
    // A request behind this one, or a client that is leaving: nobody will speak WebSocket.
    if (c->phase != H1_HEAD || c->last || r->next ||
        http1_response_head(&b, 101, r->answer_headers, r->answer_headers_n) < 0 || buf_str(&b, STR("\r\n")) < 0) {
        buf_free(&b);
        conn_kill(c);
        return;
    }
    c->phase = H1_UPGRADED;
    c->scanned = 0;
    r->head_sent = true;
    r->ws->begun = true;
    loop_timer_set(c->io->loop, &r->ws->tick, io_limits(c->io)->ws_ping_ms);
    if (c->in.len)
        c->paused = true; // what came behind the head is read in this turn
    conn_out(c, seg_take(b.ptr, b.len));
}

void ws_answers(struct net_conn *c, struct http_request_internal *r)
{
    struct ws *ws = r->ws;
    if (c->dead || c->closing || ws->close_sent || r->ready.bytes || !atomic_load(&ws->close_wanted))
        return;
    send_close(c, ws, ws->close_code, (str){ ws->reason, ws->reason_n });
    if (!c->dead)
        loop_timer_set(c->io->loop, &ws->tick, WS_GOODBYE_MS);
}

static void on_tick(struct timer *t)
{
    struct ws *ws = OS_CONTAINER(t, struct ws, tick);
    struct net_conn *c = ws->r->conn;
    if (ws->close_sent) { // it does not say goodbye
        finish(c);
        return;
    }
    if (ws->quiet && !atomic_load(&ws->held)) {
        conn_kill(c); // not even a pong
        return;
    }
    ws->quiet = true;
    send_frame(c, WS_PING, (bytes){ 0 });
    loop_timer_set(c->io->loop, t, io_limits(c->io)->ws_ping_ms);
    conn_mark_dirty(c);
}

void ws_stop_on_loop(struct http_request_internal *r) { ws_close(r->ws, WS_GOING_AWAY, STR("the server stops")); }

void ws_gone(struct ws *ws)
{
    loop_timer_clear(ws->r->io->loop, &ws->tick);
    atomic_store(&ws->gone, true);
    ws->handler.closed(ws, ws->peer_code, ws->ctx);
    unref(ws);
}
