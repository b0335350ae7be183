#include "net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http1.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct http_request *held[4096];
static int held_n, cancelled_n;
static bool blocked;

// --- handlers ---

static void echo(struct http_request *req, void *ctx)
{
    char worker[16];
    size_t n = (size_t)snprintf(worker, sizeof worker, "%d", req->worker);
    struct http_header h[] = { { STR("Content-Type"), STR("application/json") }, { STR("X-Worker"), { worker, n } } };
    http_respond(req, 200, h, 2, req->body);
}

static void inline_ok(struct http_request *req, void *ctx)
{
    http_respond_text(req, 200, STR("text/plain"), STR("ok"));
}

struct late {
    struct http_request *req;
    int ms;
};

static void *late_main(void *arg)
{
    struct late *l = arg;
    usleep((useconds_t)l->ms * 1000);
    http_respond_text(l->req, 200, STR("text/plain"), l->req->query);
    free(l);
    return NULL;
}

static void late(struct http_request *req, void *ctx)
{
    struct late *l = calloc(1, sizeof *l);
    *l = (struct late){ req, atoi(req->query.ptr) };
    http_request_drop_body(req);
    pthread_t t;
    pthread_create(&t, NULL, late_main, l);
    pthread_detach(t);
}

static int query_number(struct http_request *req, const char *name, int otherwise)
{
    str v;
    return http_query_get(&req->arena, req->query, str_z(name), &v) == 0 ? atoi(v.ptr) : otherwise;
}

static void stream(struct http_request *req, void *ctx)
{
    struct http_header h = { STR("Content-Type"), STR("application/x-ndjson") };
    int n = query_number(req, "n", 10), size = query_number(req, "size", 100);
    bool ok = query_number(req, "ok", 1);
    char *line = malloc((size_t)size);
    memset(line, 'x', (size_t)size);
    line[size - 1] = '\n';
    struct http_stream *s = http_stream_begin(req, 200, &h, 1);
    for (int i = 0; i < n && http_stream_write_wait(s, bytes_of(line, (size_t)size)) == 0; i++)
        ;
    http_stream_end(s, ok);
    free(line);
}

static void sse(struct http_request *req, void *ctx)
{
    struct http_stream *s = http_sse_begin(req, NULL, 0);
    http_sse_send(s, STR("tick"), STR("1"), STR("a\nb\r\n\rc"));
    http_sse_send(s, STR(""), STR(""), STR(""));
    http_stream_end(s, true);
}

static void on_cancel(struct http_request *req, void *ctx)
{
    pthread_mutex_lock(&lock);
    cancelled_n++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void hold(struct http_request *req, void *ctx)
{
    http_request_on_cancel(req, on_cancel, NULL);
    pthread_mutex_lock(&lock);
    held[held_n++] = req;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void sse_endless(struct http_request *req, void *ctx)
{
    http_request_on_cancel(req, on_cancel, NULL);
    struct http_stream *s = http_sse_begin(req, NULL, 0);
    http_sse_send(s, STR(""), STR(""), STR("first"));
    while (!http_request_cancelled(req))
        usleep(1000);
    http_stream_end(s, true);
}

static void block(struct http_request *req, void *ctx)
{
    pthread_mutex_lock(&lock);
    held_n++; // seen by fixture_wait_held
    held[held_n - 1] = NULL;
    pthread_cond_broadcast(&changed);
    while (blocked)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    http_respond_text(req, 200, STR("text/plain"), STR("unblocked"));
}

static void bad_header(struct http_request *req, void *ctx)
{
    struct http_header h = { STR("Location"), STR("/a\r\nSet-Cookie: x=y") };
    http_respond(req, 302, &h, 1, bytes_of("x", 1));
}

static void show(struct http_request *req, void *ctx)
{
    struct buf b;
    char peer[SOCKET_ADDRESS_TEXT];
    socket_address_format_host(&req->peer, peer);
    buf_init(&b, 10000);
    buf_printf(&b, "%.*s %.*s://%.*s%.*s ?%.*s peer=%s tag=%d body=%zu version=%d", STR_ARG(req->method_name),
               STR_ARG(req->scheme), STR_ARG(req->host), STR_ARG(req->path), STR_ARG(req->query), peer,
               req->listener_tag, req->body.len, req->version);
    str cookie = http_request_header(req, STR("cookie"));
    if (cookie.ptr)
        buf_printf(&b, " cookie=%.*s", STR_ARG(cookie));
    struct http_header h = { STR("Content-Type"), STR("text/plain") };
    http_respond_take(req, 200, &h, 1, &b);
}

static void grpc_echo(struct http_request *req, void *ctx)
{
    grpc_respond(req, GRPC_OK, STR(""), (bytes){ 0 }, req->body);
}

static void grpc_fail(struct http_request *req, void *ctx)
{
    grpc_respond(req, GRPC_INVALID_ARGUMENT,
                 STR("50% b\xc3\xa4"
                     "d"),
                 bytes_of("\x08\x03", 2), (bytes){ 0 });
}

static void no_content(struct http_request *req, void *ctx) { http_respond(req, 204, NULL, 0, (bytes){ 0 }); }

static void route(struct http_request *req, struct http_route *r, void *ctx)
{
    static const struct {
        const char *path;
        http_handler *handler;
        bool on_loop;
    } routes[] = {
        { "/echo", echo, false },        { "/inline", inline_ok, true },
        { "/inline-echo", echo, true },  { "/late", late, false },
        { "/stream", stream, false },    { "/sse", sse, false },
        { "/hold", hold, true },         { "/sse-endless", sse_endless, false },
        { "/block", block, false },      { "/bad-header", bad_header, true },
        { "/show", show, true },         { "/small", echo, false },
        { "/none", no_content, true },   { "/s/Echo", grpc_echo, false },
        { "/s/Fail", grpc_fail, false }, { "/s/Hold", hold, true },
        { "/raw", echo, false },
    };
    struct fixture *f = ctx;
    if (str_eq(req->path, STR("/refused"))) {
        struct http_header h = { STR("WWW-Authenticate"), STR("Bearer") };
        http_respond(req, 401, &h, 1, bytes_of("no\n", 3));
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!str_eq(req->path, str_z(routes[i].path)))
            continue;
        r->handler = routes[i].handler;
        r->pool = routes[i].on_loop ? NULL : f->pool;
        if (str_eq(req->path, STR("/small")))
            r->body_max = 10, r->inflated_max = 20;
        if (str_eq(req->path, STR("/raw")))
            r->any_encoding = true;
        return;
    }
    http_respond_text(req, 404, STR("text/plain"), STR("no such page\n"));
}

struct fixture_options fixture_options(void)
{
    return (struct fixture_options){ .limits = net_limits_default(), .threads = 2, .workers = 2, .queue_max = 64 };
}

void fixture_start(struct fixture *f, const struct fixture_options *o)
{
    struct err err;
    *f = (struct fixture){ 0 };
    held_n = cancelled_n = 0;
    blocked = true;
    assert_int_equal(pool_new("work", o->workers, o->queue_max, &f->pool), 0);
    struct net_config config = { .threads = o->threads, .limits = o->limits, .route = route, .ctx = f };
    assert_int_equal(net_server_new(&config, &f->server, &err), 0);
    struct socket_address a;
    socket_address_parse(STR("127.0.0.1:0"), &a, NULL);
    assert_int_equal(net_server_listen(f->server, &a, 7, NULL, &err), 0);
    f->port = socket_address_port(&a);
    if (o->cert) {
        assert_int_equal(net_tls_new(o->cert, o->key, &f->tls, &err), 0);
        socket_address_set_port(&a, 0);
        assert_int_equal(net_server_listen(f->server, &a, 8, f->tls, &err), 0);
        f->tls_port = socket_address_port(&a);
    }
    assert_int_equal(net_server_start(f->server, &err), 0);
}

int fixture_stop(struct fixture *f)
{
    int rc = net_server_stop(f->server);
    if (rc == 0) {
        pool_free(f->pool);
        net_server_free(f->server);
        net_tls_free(f->tls);
    }
    return rc;
}

static void wait_for(const int *what, int n)
{
    struct timespec ts = { time(NULL) + 20, 0 };
    pthread_mutex_lock(&lock);
    int rc = 0;
    while (*what < n && rc == 0)
        rc = pthread_cond_timedwait(&changed, &lock, &ts);
    pthread_mutex_unlock(&lock);
    assert_int_equal(rc, 0);
}

void fixture_wait_held(int n) { wait_for(&held_n, n); }
void fixture_wait_cancelled(int n) { wait_for(&cancelled_n, n); }

void fixture_release(void)
{
    pthread_mutex_lock(&lock);
    int n = held_n;
    held_n = 0;
    struct http_request **list = calloc((size_t)n + 1, sizeof *list);
    memcpy(list, held, (size_t)n * sizeof *list);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < n; i++)
        http_respond_text(list[i], 200, STR("text/plain"), STR("released"));
    free(list);
}

void fixture_unblock(void)
{
    pthread_mutex_lock(&lock);
    blocked = false;
    held_n = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int fixture_held(void)
{
    pthread_mutex_lock(&lock);
    int n = held_n;
    pthread_mutex_unlock(&lock);
    return n;
}

int fixture_cancelled(void)
{
    pthread_mutex_lock(&lock);
    int n = cancelled_n;
    pthread_mutex_unlock(&lock);
    return n;
}

// --- client ---

enum { CLIENT_MS = 20000 };

int client_connect(uint16_t port)
{
    struct socket_address a;
    socket_address_parse(STR("127.0.0.1:0"), &a, NULL);
    socket_address_set_port(&a, port);
    int fd = -1;
    assert_int_equal(socket_connect(&a, &fd), 0);
    struct pollfd p = { fd, POLLOUT, 0 };
    assert_int_equal(poll(&p, 1, CLIENT_MS), 1);
    assert_int_equal(socket_error(fd), 0);
    return fd;
}

void client_send(int fd, const void *p, size_t n)
{
    while (n) {
        struct iovec iov = { (void *)p, n };
        ssize_t sent = socket_sendv(fd, &iov, 1);
        if (sent == ERR_AGAIN) {
            struct pollfd w = { fd, POLLOUT, 0 };
            assert_int_equal(poll(&w, 1, CLIENT_MS), 1);
            continue;
        }
        if (sent < 0)
            return; // the server has had enough: the test reads what it says
        p = (const char *)p + sent;
        n -= (size_t)sent;
    }
}

void client_text(int fd, const char *text) { client_send(fd, text, strlen(text)); }

static ssize_t client_recv(int fd, void *p, size_t n)
{
    struct pollfd r = { fd, POLLIN, 0 };
    if (poll(&r, 1, CLIENT_MS) != 1)
        return ERR_TIMEOUT;
    return socket_recv(fd, p, n);
}

static bool read_body(int fd, struct response *r, const struct http1_head *h)
{
    struct http1_chunked chunked = { 0 };
    for (;;) {
        if (!h->chunked && h->content_length >= 0 && r->body.len >= (size_t)h->content_length)
            return true;
        uint8_t piece[65536];
        // Byte by byte at ends, so that nothing of a next answer is taken.
        size_t want = h->chunked ? 1 : h->content_length >= 0 ? (size_t)h->content_length - r->body.len : sizeof piece;
        if (h->chunked && http1_chunked_left(&chunked))
            want = (size_t)http1_chunked_left(&chunked);
        ssize_t got = client_recv(fd, piece, want < sizeof piece ? want : sizeof piece);
        if (got <= 0)
            return !h->chunked && h->content_length < 0 && got == 0;
        bytes in = { piece, (size_t)got }, data;
        if (!h->chunked) {
            buf_append(&r->body, in.ptr, in.len);
            continue;
        }
        int rc;
        while ((rc = http1_chunked_next(&chunked, &in, &data)) == HTTP1_DATA)
            buf_append(&r->body, data.ptr, data.len);
        if (rc != HTTP1_MORE)
            return rc == HTTP1_END;
    }
}

bool client_response(int fd, struct response *r, bool head_request)
{
    size_t n = 0, scanned = 0, end = 0;
    memset(r, 0, sizeof *r);
    buf_init(&r->body, 256 << 20);
    while (!end && n + 1 < sizeof r->head) {
        ssize_t got = client_recv(fd, r->head + n, 1);
        if (got <= 0)
            return false;
        n += (size_t)got;
        end = http1_head_end(bytes_of(r->head, n), &scanned);
    }
    static const struct http1_limits limits = { 8192, 100, 64 };
    struct http_header headers[65];
    struct http1_head h;
    char copy[sizeof r->head];
    memcpy(copy, r->head, sizeof copy);
    assert_int_equal(http1_response_parse(copy, n, &limits, headers, &h), 0);
    r->status = h.status;
    if (h.status >= 200 && h.status != 204 && h.status != 304 && !head_request)
        r->broken = !read_body(fd, r, &h);
    return true;
}

void response_free(struct response *r) { buf_free(&r->body); }

const char *response_header(struct response *r, const char *name)
{
    static char value[1024];
    size_t n = strlen(name);
    for (char *line = strstr(r->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (!str_ieq(str_of(line + 2, n), str_of(name, n)) || line[2 + n] != ':')
            continue;
        char *end = strstr(line + 2, "\r\n");
        snprintf(value, sizeof value, "%.*s", (int)(end - line - 4 - (int)n), line + 4 + n);
        return value;
    }
    return NULL;
}

bool client_closed(int fd)
{
    char piece[4096];
    ssize_t got;
    while ((got = client_recv(fd, piece, sizeof piece)) > 0)
        ;
    return got == 0 || got == ERR_CLOSED;
}
