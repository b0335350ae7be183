#include "net/client.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/client_io.h"
#include "net/http1.h"

#include <stdio.h>

enum {
    CLIENT_HEAD_MAX = 64 << 10,
    CLIENT_HEADERS_MAX = 100,
    CLIENT_LINE_MAX = 16 << 20,
    CLIENT_READ = 64 << 10,
};

#define NET_CLIENT_MAGIC 0xc11e47c1u

struct net_client {
    uint32_t magic;
    struct client_io io;
    bool tls;
    char host[256]; // to connect to
    uint16_t port;
    struct buf authority, prefix, headers;
    struct buf in; // received and not used yet
    struct http_header answer_headers[CLIENT_HEADERS_MAX + 1];
    struct buf head; // of the current answer: what the views point into
};

static int bad_url(str url, struct err *err)
{
    err_set(err, ERR_INVALID, "bad_url", "\"%.*s\" is no URL of a server", (int)(url.len < 200 ? url.len : 200),
            url.ptr);
    err_set_hint(err, "write http://HOST:PORT or https://HOST[:PORT]");
    return ERR_INVALID;
}

static int parse_authority(struct net_client *c, str a)
{
    ptrdiff_t colon = -1;
    str host = a;
    if (a.len && a.ptr[0] == '[') {
        ptrdiff_t close = str_find_char(a, ']', 0);
        if (close < 0)
            return ERR_INVALID;
        host = str_slice(a, 1, (size_t)close);
        if ((size_t)close + 1 < a.len)
            colon = close + 1;
        if (colon >= 0 && a.ptr[colon] != ':')
            return ERR_INVALID;
    } else {
        colon = str_find_char(a, ':', 0);
        if (colon >= 0)
            host = str_slice(a, 0, (size_t)colon);
    }
    unsigned port = c->tls ? 443 : 80;
    if (colon >= 0) {
        port = 0;
        str digits = str_slice(a, (size_t)colon + 1, a.len);
        for (size_t i = 0; i < digits.len; i++) {
            if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || port > 65535)
                return ERR_INVALID;
            port = port * 10 + (unsigned)(digits.ptr[i] - '0');
        }
    }
    if (host.len == 0 || host.len >= sizeof c->host || !http_host_ok(a) || port == 0 || port > 65535)
        return ERR_INVALID;
    memcpy(c->host, host.ptr, host.len);
    c->host[host.len] = 0;
    c->port = (uint16_t)port;
    return buf_str(&c->authority, a);
}

static int parse_url(struct net_client *c, str url)
{
    if (str_starts(url, STR("https://")))
        c->tls = true;
    else if (!str_starts(url, STR("http://")))
        return ERR_INVALID;
    str rest = str_slice(url, c->tls ? 8 : 7, url.len);
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    str authority = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash);
    str path = slash < 0 ? (str){ 0 } : str_slice(rest, (size_t)slash, rest.len);
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] <= 0x20 || (unsigned char)path.ptr[i] >= 0x7f || strchr("?#", path.ptr[i]))
            return ERR_INVALID;
    int rc = parse_authority(c, authority);
    return rc < 0 ? rc : buf_str(&c->prefix, path);
}

int net_client_new(str url, const struct net_client_options *options, struct net_client **ret, struct err *err)
{
    struct net_client *c = mem_zalloc(sizeof *c);
    if (!c)
        return err_set(err, ERR_NOMEM, NULL, "no memory");
    c->magic = NET_CLIENT_MAGIC;
    buf_init(&c->authority, 512);
    buf_init(&c->prefix, 4096);
    buf_init(&c->headers, 32 << 10);
    buf_init(&c->in, CLIENT_LINE_MAX + CLIENT_READ);
    buf_init(&c->head, CLIENT_HEAD_MAX);
    int rc = client_io_init(&c->io, options);
    if (rc == 0)
        rc = parse_url(c, url);
    if (rc < 0) {
        net_client_free(c);
        return rc == ERR_INVALID || rc == ERR_LIMIT ? bad_url(url, err) : err_set(err, rc, NULL, "%s", err_text(rc));
    }
    *ret = c;
    return 0;
}

void net_client_free(struct net_client *c)
{
    if (!c)
        return;
    MAGIC_CHECK(c, NET_CLIENT_MAGIC);
    client_io_done(&c->io);
    buf_free(&c->authority);
    buf_free(&c->prefix);
    buf_free(&c->headers);
    buf_free(&c->in);
    buf_free(&c->head);
    c->magic = 0;
    mem_free(c);
}

int net_client_header(struct net_client *c, str name, str value)
{
    MAGIC_CHECK(c, NET_CLIENT_MAGIC);
    return http1_header(&c->headers, name, value);
}

void net_client_cancel(struct net_client *c) { client_io_cancel(&c->io); }

// --- one exchange ---

static int send_request(struct net_client *c, str method, str target, str type, bytes body, struct err *err)
{
    struct buf b;
    buf_init(&b, CLIENT_HEAD_MAX + body.len);
    buf_printf(&b, "%.*s %.*s%.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: clew\r\n", STR_ARG(method),
               STR_ARG(buf_view(&c->prefix)), STR_ARG(target), STR_ARG(buf_view(&c->authority)));
    buf_str(&b, buf_view(&c->headers));
    if (type.len)
        http1_header(&b, STR("Content-Type"), type);
    if (body.ptr)
        buf_printf(&b, "Content-Length: %zu\r\n", body.len);
    buf_str(&b, STR("\r\n"));
    buf_append(&b, body.ptr, body.len);
    int rc =
        b.error ? err_set(err, b.error, NULL, "the request is too long") : client_io_send(&c->io, b.ptr, b.len, err);
    buf_free(&b);
    return rc;
}

// More bytes into c->in; *ret_end at the end of the connection.
static int receive(struct net_client *c, bool *ret_end, struct err *err)
{
    int rc = buf_reserve(&c->in, CLIENT_READ);
    if (rc < 0)
        return err_set(err, rc, NULL, "the answer has a line that is too long");
    size_t got = 0;
    rc = client_io_recv(&c->io, c->in.ptr + c->in.len, CLIENT_READ, &got, err);
    if (rc < 0)
        return rc;
    c->in.len += got;
    *ret_end = got == 0;
    return 0;
}

// nothing: set when the connection ended without a byte of an answer (a kept connection that was closed meanwhile).
static int read_head(struct net_client *c, struct http1_head *ret, bool *ret_nothing, struct err *err)
{
    static const struct http1_limits limits = { CLIENT_HEAD_MAX, 0, CLIENT_HEADERS_MAX };
    size_t scanned = 0, end;
    *ret_nothing = false;
    while (!(end = http1_head_end(buf_bytes(&c->in), &scanned))) {
        bool over = false;
        if (c->in.len > CLIENT_HEAD_MAX)
            return err_set(err, ERR_MALFORMED, "no_http", "the server's answer is not HTTP");
        int rc = receive(c, &over, err);
        *ret_nothing = c->in.len == 0 && (over || rc == ERR_CLOSED);
        if (rc < 0)
            return rc;
        if (over)
            return err_set(err, ERR_CLOSED, "closed", "the server closed the connection without an answer");
    }
    buf_clear(&c->head);
    buf_append(&c->head, c->in.ptr, end);
    buf_consume(&c->in, end);
    if (c->head.error || http1_response_parse((char *)c->head.ptr, c->head.len, &limits, c->answer_headers, ret) < 0)
        return err_set(err, ERR_MALFORMED, "no_http", "the server's answer is not HTTP");
    return 0;
}

static int exchange_once(struct net_client *c, str method, str target, str type, bytes body, struct http1_head *ret,
                         bool *ret_nothing, struct err *err)
{
    bool kept = c->io.fd >= 0;
    *ret_nothing = false;
    if (!kept) {
        buf_clear(&c->in);
        int rc = client_io_connect(&c->io, c->host, c->port, c->tls, err);
        if (rc < 0)
            return rc;
    }
    int rc = send_request(c, method, target, type, body, err);
    if (rc < 0 && rc != ERR_CLOSED)
        return rc;
    do // also when sending broke off: the server may have said why
        rc = read_head(c, ret, ret_nothing, err);
    while (rc == 0 && ret->status < 200 && ret->status != 101);
    *ret_nothing = *ret_nothing && kept;
    return rc;
}

static int exchange(struct net_client *c, str method, str target, str type, bytes body, struct http1_head *ret,
                    struct err *err)
{
    MAGIC_CHECK(c, NET_CLIENT_MAGIC);
    must(target.len && target.ptr[0] == '/');
    bool nothing = false;
    int rc = exchange_once(c, method, target, type, body, ret, &nothing, err);
    if (rc < 0)
        client_io_close(&c->io);
    if (rc == ERR_CLOSED && nothing) { // the kept connection had ended: nothing was done on it
        rc = exchange_once(c, method, target, type, body, ret, &nothing, err);
        if (rc < 0)
            client_io_close(&c->io);
    }
    return rc;
}

// Gives the answer's body to take, piece by piece.
typedef int take_fn(void *ctx, bytes piece);

static int truncated(struct err *err)
{
    return err_set(err, ERR_CLOSED, "truncated", "the server broke the answer off");
}

static int read_chunks(struct net_client *c, take_fn *take, void *ctx, struct err *err)
{
    struct http1_chunked chunked = { 0 };
    for (;;) {
        bytes in = buf_bytes(&c->in), piece;
        int rc;
        while ((rc = http1_chunked_next(&chunked, &in, &piece)) == HTTP1_DATA) {
            int taken = take(ctx, piece);
            if (taken < 0)
                return taken;
        }
        if (rc < 0)
            return err_set(err, ERR_MALFORMED, "no_http", "the server's answer has malformed chunks");
        buf_consume(&c->in, c->in.len - in.len);
        if (rc == HTTP1_END)
            return 0;
        bool end = false;
        rc = receive(c, &end, err);
        if (rc < 0 || end)
            return rc < 0 ? rc : truncated(err);
    }
}

static int read_plain(struct net_client *c, int64_t length, take_fn *take, void *ctx, struct err *err)
{
    for (int64_t left = length;;) {
        size_t n = left < 0 || (uint64_t)left > c->in.len ? c->in.len : (size_t)left;
        int rc = n ? take(ctx, (bytes){ c->in.ptr, n }) : 0;
        if (rc < 0)
            return rc;
        buf_consume(&c->in, n);
        if (left >= 0 && (left -= (int64_t)n) == 0)
            return 0;
        bool end = false;
        rc = receive(c, &end, err);
        if (rc < 0)
            return rc;
        if (end)
            return left < 0 ? 0 : truncated(err);
    }
}

static int read_body(struct net_client *c, str method, const struct http1_head *h, take_fn *take, void *ctx,
                     struct err *err)
{
    int rc = 0;
    if (str_eq(method, STR("HEAD")) || h->status == 204 || h->status == 304)
        rc = 0;
    else if (h->chunked)
        rc = read_chunks(c, take, ctx, err);
    else
        rc = read_plain(c, h->content_length, take, ctx, err);
    bool keep =
        rc == 0 && h->keep_alive && (h->chunked || h->content_length >= 0 || h->status == 204 || h->status == 304);
    if (!keep)
        client_io_close(&c->io);
    return rc;
}

static int take_whole(void *ctx, bytes piece) { return buf_append(ctx, piece.ptr, piece.len); }

int net_client_call(struct net_client *c, str method, str target, str type, bytes body, struct net_answer *ret_answer,
                    struct buf *out, struct err *err)
{
    struct http1_head h;
    int rc = exchange(c, method, target, type, body, &h, err);
    if (rc == 0)
        rc = read_body(c, method, &h, take_whole, out, err);
    if (out->error)
        rc = err_set(err, out->error, NULL, "the answer is too long");
    if (rc == 0)
        *ret_answer = (struct net_answer){ h.status, h.headers, h.headers_n };
    return rc;
}

// --- lines ---

struct lines {
    struct buf part; // of a line whose end has not come
    net_client_line_fn *fn;
    void *ctx;
};

static int give_line(struct lines *l, str line)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return l->fn(l->ctx, line);
}

static int take_lines(void *ctx, bytes piece)
{
    struct lines *l = ctx;
    while (piece.len) {
        const uint8_t *lf = memchr(piece.ptr, '\n', piece.len);
        size_t n = lf ? (size_t)(lf - piece.ptr) : piece.len;
        if (!lf || l->part.len) {
            int rc = buf_append(&l->part, piece.ptr, n);
            if (rc < 0)
                return rc;
        }
        if (lf) {
            int rc = give_line(l, l->part.len ? buf_view(&l->part) : str_of(piece.ptr, n));
            if (rc < 0)
                return rc;
            buf_clear(&l->part);
            n++;
        }
        piece.ptr += n;
        piece.len -= n;
    }
    return 0;
}

int net_client_stream(struct net_client *c, str method, str target, str type, bytes body, net_client_begin_fn *begin,
                      net_client_line_fn *line, void *ctx, struct err *err)
{
    struct http1_head h;
    struct lines l = { .fn = line, .ctx = ctx };
    buf_init(&l.part, CLIENT_LINE_MAX);
    int rc = exchange(c, method, target, type, body, &h, err);
    if (rc == 0 && begin) {
        rc = begin(ctx, &(struct net_answer){ h.status, h.headers, h.headers_n });
        if (rc < 0)
            client_io_close(&c->io);
    }
    if (rc == 0)
        rc = read_body(c, method, &h, take_lines, &l, err);
    if (rc == 0 && l.part.len)
        rc = give_line(&l, buf_view(&l.part)); // the last line may lack its end
    buf_free(&l.part);
    return rc;
}

// --- more than requests ---

int net_client_upgrade(struct net_client *c, str target, struct net_answer *ret_answer, struct client_io **ret_io,
                       struct buf **ret_in, struct err *err)
{
    struct http1_head h;
    int rc = exchange(c, STR("GET"), target, (str){ 0 }, (bytes){ 0 }, &h, err);
    if (rc < 0)
        return rc;
    *ret_answer = (struct net_answer){ h.status, h.headers, h.headers_n };
    *ret_io = &c->io;
    *ret_in = &c->in;
    return 0;
}

bool net_client_peer_key(struct net_client *c, uint8_t ret_sha256[32])
{
    return client_io_peer_key(&c->io, ret_sha256);
}
