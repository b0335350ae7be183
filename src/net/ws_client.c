#include "net/ws_client.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/client_io.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/random.h>

enum {
    CLIENT_MESSAGE = 8 << 20,
    CLIENT_QUEUE = 1 << 20,
    CLIENT_CHUNK = 64 << 10,
    CLIENT_CHUNKS_A_CALL = 4,
    CLIENT_PONGS = 16 << 10
};

struct ws_client {
    struct net_client *http;
    struct client_io *io;
    struct buf *in; // the client's: received and not read yet
    size_t used;    // of in
    struct buf out;
    size_t sent; // of out
    size_t queue_max;
    uint64_t received;
    struct ws_reader reader;
    uint32_t read_for, write_for; // what the last attempts wait for
    bool over, close_sent;
};

static int no_random(struct err *err)
{
    return err_set(err, ERR_IO, "no_random", "the system gives no random numbers");
}

// The server's reason, in its own words as far as they are fit for a terminal.
static int refused(const struct net_answer *a, struct err *err)
{
    char slug[16];
    snprintf(slug, sizeof slug, "status_%d", a->status);
    return err_set(err, ERR_DENIED, slug, "the server refuses the connection: %d %s", a->status,
                   http_status_text(a->status));
}

static int shake_hands(struct ws_client *c, str target, struct err *err)
{
    uint8_t raw[16];
    char key[WS_KEY_LEN], accept[WS_ACCEPT_LEN];
    if (getrandom(raw, sizeof raw, 0) != sizeof raw)
        return no_random(err);
    base64_encode(key, raw, sizeof raw);
    if (net_client_header(c->http, STR("Upgrade"), STR("websocket")) < 0 ||
        net_client_header(c->http, STR("Connection"), STR("Upgrade")) < 0 ||
        net_client_header(c->http, STR("Sec-WebSocket-Version"), STR("13")) < 0 ||
        net_client_header(c->http, STR("Sec-WebSocket-Key"), (str){ key, WS_KEY_LEN }) < 0)
        return err_set(err, ERR_LIMIT, NULL, "the request's headers are too long");
    struct net_answer a;
    int rc = net_client_upgrade(c->http, target, &a, &c->io, &c->in, err);
    if (rc < 0)
        return rc;
    if (a.status != 101)
        return refused(&a, err);
    ws_accept_of((str){ key, WS_KEY_LEN }, accept);
    if (!http_header_has_word(a.headers, a.headers_n, STR("upgrade"), STR("websocket")) ||
        !http_header_has_word(a.headers, a.headers_n, STR("connection"), STR("upgrade")) ||
        !str_eq(http_header_get(a.headers, a.headers_n, STR("sec-websocket-accept")), (str){ accept, WS_ACCEPT_LEN }) ||
        http_header_get(a.headers, a.headers_n, STR("sec-websocket-extensions")).ptr)
        return err_set(err, ERR_MALFORMED, "no_websocket", "the server's answer is no WebSocket handshake");
    return 0;
}

static void destroy(struct ws_client *c)
{
    net_client_free(c->http);
    ws_reader_free(&c->reader);
    buf_free(&c->out);
    mem_free(c);
}

int ws_client_open(struct net_client *http, str target, const struct ws_client_options *o, struct ws_client **ret,
                   struct err *err)
{
    struct ws_client *c = mem_zalloc(sizeof *c);
    if (!c) {
        net_client_free(http);
        return err_set(err, ERR_NOMEM, NULL, "no memory");
    }
    c->http = http;
    c->queue_max = o && o->queue_max ? o->queue_max : CLIENT_QUEUE;
    ws_reader_init(&c->reader, false, o && o->message_max ? o->message_max : CLIENT_MESSAGE);
    buf_init(&c->out, SIZE_MAX / 2);
    c->read_for = EPOLLIN;
    int rc = shake_hands(c, target, err);
    if (rc < 0) {
        destroy(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int ws_client_fd(const struct ws_client *c) { return c->io->fd; }

uint64_t ws_client_received(const struct ws_client *c) { return c->received; }

size_t ws_client_queued(const struct ws_client *c) { return c->out.len - c->sent; }

uint32_t ws_client_events(const struct ws_client *c) { return c->read_for | (ws_client_queued(c) ? c->write_for : 0); }

static int flush(struct ws_client *c)
{
    while (ws_client_queued(c)) {
        ssize_t n = client_io_try_send(c->io, c->out.ptr + c->sent, ws_client_queued(c), &c->write_for);
        if (n == ERR_AGAIN)
            break;
        if (n <= 0) {
            c->over = true;
            return ERR_CLOSED;
        }
        c->sent += (size_t)n;
    }
    if (c->sent == c->out.len) {
        c->sent = 0;
        buf_free(&c->out); // an idle connection holds no buffer
    } else if (c->sent > c->out.len / 2) {
        buf_consume(&c->out, c->sent);
        c->sent = 0;
    }
    return 0;
}

static int queue(struct ws_client *c, enum ws_opcode what, bytes p)
{
    uint8_t mask[4];
    if (c->over || c->close_sent)
        return ERR_CLOSED;
    if (getrandom(mask, sizeof mask, 0) != sizeof mask)
        return ERR_IO;
    size_t before = c->out.len;
    int rc = ws_write(&c->out, what, p, mask);
    if (rc < 0) {
        c->out.len = before;
        c->out.error = 0;
        return rc;
    }
    return flush(c);
}

int ws_client_send(struct ws_client *c, bool text, bytes m)
{
    if (!c->over && ws_client_queued(c) >= c->queue_max)
        return flush(c) < 0 ? ERR_CLOSED : ERR_AGAIN;
    return queue(c, text ? WS_TEXT : WS_BINARY, m);
}

int ws_client_ping(struct ws_client *c) { return queue(c, WS_PING, (bytes){ 0 }); }

static void send_close(struct ws_client *c, uint16_t code, str reason)
{
    uint8_t mask[4];
    if (c->over || c->close_sent || getrandom(mask, sizeof mask, 0) != sizeof mask)
        return;
    ws_write_close(&c->out, code, reason, mask);
    c->close_sent = true;
    flush(c);
}

static int receive(struct ws_client *c)
{
    buf_clear(c->in);
    c->used = 0;
    int rc = buf_reserve(c->in, CLIENT_CHUNK);
    if (rc < 0)
        return rc;
    ssize_t n = client_io_try_recv(c->io, c->in->ptr, CLIENT_CHUNK, &c->read_for);
    if (n < 0)
        return (int)n;
    c->in->len = (size_t)n;
    c->received += (size_t)n;
    return 0;
}

static int over(struct ws_client *c, int rc, struct err *err)
{
    c->over = true;
    return err_set(err, rc, NULL, "the connection to the server is over: %s", err_text(rc));
}

int ws_client_next(struct ws_client *c, struct ws_event *ret, struct err *err)
{
    if (c->over || flush(c) < 0)
        return over(c, ERR_CLOSED, err);
    for (int chunks = 0;; chunks++) {
        bytes in = { c->in->ptr + c->used, c->in->len - c->used };
        uint16_t code = WS_PROTOCOL_ERROR;
        int rc = ws_read(&c->reader, &in, ret, &code);
        c->used = c->in->len - in.len;
        if (rc < 0) {
            send_close(c, code, (str){ 0 });
            return over(c, rc, err);
        }
        if (rc == 1 && ret->what == WS_PING) {
            // RFC 6455, 5.5.3: not each ping has to be answered; one that reads no answer gets no more of them.
            rc = ws_client_queued(c) < CLIENT_PONGS ? queue(c, WS_PONG, ret->data) : 0;
            if (rc < 0)
                return over(c, rc, err);
            continue;
        }
        if (rc == 1 && ret->what == WS_CLOSE) {
            send_close(c, ret->code, (str){ 0 });
            c->over = true;
        }
        if (rc == 1)
            return 1;
        // Whoever sends faster than it is read here does not keep the caller for ever: its descriptor stays readable.
        rc = chunks < CLIENT_CHUNKS_A_CALL ? receive(c) : ERR_AGAIN;
        if (rc == ERR_AGAIN)
            return 0;
        if (rc < 0)
            return over(c, rc, err);
    }
}

void ws_client_close(struct ws_client *c, uint16_t code, str reason)
{
    if (!c)
        return;
    if (code != WS_ABNORMAL)
        send_close(c, code, reason);
    destroy(c);
}
