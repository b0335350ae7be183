// HTTP/2 and gRPC over the server, with nghttp2's client side as the other end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/inflate.h"
#include "net_fixture.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct fixture f;

static int start(void **state)
{
    struct fixture_options o = fixture_options();
    fixture_start(&f, &o);
    return 0;
}

static int stop(void **state)
{
    assert_int_equal(fixture_stop(&f), 0);
    return 0;
}

// --- a client of several streams ---

struct call {
    int32_t id;
    bytes body;
    size_t sent;
    struct buf answer;
    char headers[2000]; // "name: value\n" of headers and trailers
    bool closed;
    uint32_t error;
};

struct client {
    int fd;
    nghttp2_session *session;
    bool ended;
    uint32_t goaway;
    bool goaway_seen;
};

static ssize_t read_body(nghttp2_session *s, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    struct call *c = source->ptr;
    size_t n = c->body.len - c->sent < room ? c->body.len - c->sent : room;
    if (n)
        memcpy(to, c->body.ptr + c->sent, n);
    c->sent += n;
    if (c->sent == c->body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(s, frame->hd.stream_id);
    size_t at = strlen(c->headers);
    snprintf(c->headers + at, sizeof c->headers - at, "%.*s: %.*s\n", (int)name_n, name, (int)value_n, value);
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(s, id);
    buf_append(&c->answer, p, n);
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t error, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(s, id);
    if (c)
        c->closed = true, c->error = error;
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *user)
{
    struct client *c = user;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        c->goaway_seen = true, c->goaway = frame->goaway.error_code;
    return 0;
}

static void client_open(struct client *c)
{
    nghttp2_session_callbacks *cb;
    nghttp2_session_callbacks_new(&cb);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    *c = (struct client){ .fd = client_connect(f.port) };
    assert_int_equal(nghttp2_session_client_new(&c->session, cb, c), 0);
    nghttp2_session_callbacks_del(cb);
    nghttp2_submit_settings(c->session, 0, NULL, 0);
}

static void client_close(struct client *c)
{
    nghttp2_session_del(c->session);
    close(c->fd);
}

#define NV(n, v)                                                \
    {                                                           \
        (uint8_t *)(n), (uint8_t *)(v), strlen(n), strlen(v), 0 \
    }

static void call_begin(struct client *c, struct call *call, const char *method, const char *path, bytes body,
                       const nghttp2_nv *more, size_t more_n)
{
    nghttp2_nv nv[12] = { NV(":method", method), NV(":scheme", "http"), NV(":authority", "LocalHost"),
                          NV(":path", path) };
    if (more_n)
        memcpy(nv + 4, more, more_n * sizeof *nv);
    memset(call, 0, sizeof *call);
    call->body = body;
    buf_init(&call->answer, 64 << 20);
    nghttp2_data_provider provider = { { .ptr = call }, read_body };
    call->id = nghttp2_submit_request(c->session, NULL, nv, 4 + more_n, body.ptr ? &provider : NULL, call);
    assert_true(call->id > 0);
}

static void client_send_all(struct client *c)
{
    const uint8_t *p;
    ssize_t n;
    while ((n = nghttp2_session_mem_send(c->session, &p)) > 0)
        client_send(c->fd, p, (size_t)n);
}

// Until the call is over, or the connection (then c->ended).
static void call_finish(struct client *c, struct call *call)
{
    uint8_t in[65536];
    while (!call->closed && !c->ended) {
        client_send_all(c);
        struct pollfd p = { c->fd, POLLIN, 0 };
        assert_int_equal(poll(&p, 1, 20000), 1);
        ssize_t got = socket_recv(c->fd, in, sizeof in);
        if (got <= 0) {
            c->ended = true;
            return;
        }
        if (nghttp2_session_mem_recv(c->session, in, (size_t)got) < 0)
            c->ended = true;
    }
    client_send_all(c);
}

static void call_free(struct call *call) { buf_free(&call->answer); }

static bool has(const struct call *c, const char *header) { return strstr(c->headers, header) != NULL; }

#define GRPC_HEADERS NV("content-type", "application/grpc"), NV("te", "trailers")

static size_t frame(uint8_t *out, bool compressed, const void *p, size_t n)
{
    grpc_prefix_put(out, compressed, (uint32_t)n);
    memcpy(out + GRPC_PREFIX, p, n);
    return n + GRPC_PREFIX;
}

// --- tests ---

static void test_http_over_h2(void **state)
{
    struct client c;
    struct call a, b, d;
    client_open(&c);
    nghttp2_nv cookies[] = { NV("cookie", "a=1"), NV("x", "y"), NV("cookie", "b=2") };
    call_begin(&c, &a, "GET", "/show?q=%20", (bytes){ 0 }, cookies, 3);
    call_finish(&c, &a);
    assert_true(has(&a, ":status: 200\n"));
    assert_true(has(&a, "date: "));
    assert_true(str_eq(buf_view(&a.answer),
                       STR("GET http://localhost/show ?q=%20 peer=127.0.0.1 tag=7 body=0 version=2 cookie=a=1; b=2")));
    call_free(&a);

    size_t n = 20 << 20; // more than the windows
    uint8_t *body = malloc(n);
    for (size_t i = 0; i < n; i++)
        body[i] = (uint8_t)(i * 13 % 253);
    call_begin(&c, &a, "GET", "/late?50", (bytes){ 0 }, NULL, 0);
    call_begin(&c, &b, "POST", "/echo", bytes_of(body, n), NULL, 0);
    call_begin(&c, &d, "GET", "/stream?n=1000&size=3000", (bytes){ 0 }, NULL, 0);
    call_finish(&c, &b);
    call_finish(&c, &a);
    call_finish(&c, &d);
    assert_int_equal(b.answer.len, n);
    assert_memory_equal(b.answer.ptr, body, n);
    assert_true(str_eq(buf_view(&a.answer), STR("50")));
    assert_int_equal(d.answer.len, 3000000);
    call_free(&a), call_free(&b), call_free(&d);

    call_begin(&c, &a, "HEAD", "/show", (bytes){ 0 }, NULL, 0);
    call_begin(&c, &b, "GET", "/none", (bytes){ 0 }, NULL, 0);
    call_begin(&c, &d, "GET", "/bad-header", (bytes){ 0 }, NULL, 0);
    call_finish(&c, &a);
    call_finish(&c, &b);
    call_finish(&c, &d);
    assert_true(has(&a, ":status: 200\n") && has(&a, "content-length: ") && a.answer.len == 0);
    assert_true(has(&b, ":status: 204\n"));
    assert_true(has(&d, ":status: 500\n") && !has(&d, "Set-Cookie"));
    call_free(&a), call_free(&b), call_free(&d);

    // Refused while the body still comes: answered, told to stop, and the connection goes on.
    nghttp2_nv length[] = { NV("content-length", "20971520") };
    call_begin(&c, &a, "POST", "/refused", bytes_of(body, n), length, 1);
    call_finish(&c, &a);
    assert_true(has(&a, ":status: 401\n"));
    assert_true(str_eq(buf_view(&a.answer), STR("no\n")));
    assert_int_equal(a.error, NGHTTP2_NO_ERROR);
    call_begin(&c, &b, "POST", "/small", bytes_of("hello world", 11), NULL, 0);
    call_finish(&c, &b);
    assert_true(has(&b, ":status: 413\n"));
    call_free(&a), call_free(&b);
    // A stream that fails is reset, the connection lives.
    call_begin(&c, &a, "GET", "/stream?n=3&size=10&ok=0", (bytes){ 0 }, NULL, 0);
    call_finish(&c, &a);
    assert_int_not_equal(a.error, NGHTTP2_NO_ERROR);
    call_free(&a);
    call_begin(&c, &a, "GET", "/inline", (bytes){ 0 }, NULL, 0);
    call_finish(&c, &a);
    assert_true(str_eq(buf_view(&a.answer), STR("ok")));
    call_free(&a);
    free(body);
    client_close(&c);
}

static void test_malformed_heads(void **state)
{
    static const struct {
        const char *method, *path, *host, *want;
    } bad[] = {
        { "GET", "/a b", NULL, ":status: 400\n" },
        { "GET", "/\x7f", NULL, ":status: 400\n" },
        { "GET", "/#f", NULL, ":status: 400\n" },
        { "GET", "/", "elsewhere", ":status: 400\n" },
        { "GET", "/inline", "LOCALHOST", ":status: 200\n" },
    };
    struct client c;
    client_open(&c);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct call a;
        nghttp2_nv host[] = { NV("host", bad[i].host ? bad[i].host : "") };
        call_begin(&c, &a, bad[i].method, bad[i].path, (bytes){ 0 }, host, bad[i].host ? 1 : 0);
        call_finish(&c, &a);
        if (c.ended || !has(&a, bad[i].want)) // nghttp2 itself may refuse the stream
            assert_true(a.closed && a.error == NGHTTP2_PROTOCOL_ERROR);
        call_free(&a);
    }
    struct call a;
    char big[40000];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    nghttp2_nv huge[] = { NV("x-big", big) };
    call_begin(&c, &a, "GET", "/inline", (bytes){ 0 }, huge, 1);
    call_finish(&c, &a);
    assert_true(has(&a, ":status: 431\n"));
    call_free(&a);
    client_close(&c);
}

static void test_grpc(void **state)
{
    struct client c;
    struct call a;
    uint8_t message[3000];
    nghttp2_nv h[] = { GRPC_HEADERS };
    client_open(&c);
    size_t n = frame(message, false, "hello", 5);
    call_begin(&c, &a, "POST", "/s/Echo", bytes_of(message, n), h, 2);
    call_finish(&c, &a);
    assert_true(has(&a, ":status: 200\n") && has(&a, "content-type: application/grpc\n") &&
                has(&a, "grpc-status: 0\n"));
    assert_int_equal(a.answer.len, n);
    assert_memory_equal(a.answer.ptr, message, n);
    call_free(&a);

    n = frame(message, false, "", 0); // an empty message is one
    call_begin(&c, &a, "POST", "/s/Echo", bytes_of(message, n), h, 2);
    call_finish(&c, &a);
    assert_int_equal(a.answer.len, GRPC_PREFIX);
    assert_true(has(&a, "grpc-status: 0\n"));
    call_free(&a);

    call_begin(&c, &a, "POST", "/s/Fail", bytes_of(message, n), h, 2);
    call_finish(&c, &a);
    assert_true(has(&a, "grpc-status: 3\n") && has(&a, "grpc-message: 50%25 b%C3%A4d\n") &&
                has(&a, "grpc-status-details-bin: CAM=\n"));
    assert_int_equal(a.answer.len, 0);
    call_free(&a);

    struct buf z;
    char text[2000];
    memset(text, 'z', sizeof text);
    buf_init(&z, 2000);
    net_deflate_gzip(bytes_of(text, sizeof text), &z);
    n = frame(message, true, z.ptr, z.len);
    nghttp2_nv gz[] = { GRPC_HEADERS, NV("grpc-encoding", "gzip") };
    call_begin(&c, &a, "POST", "/s/Echo", bytes_of(message, n), gz, 3);
    call_finish(&c, &a);
    assert_int_equal(a.answer.len, GRPC_PREFIX + sizeof text);
    assert_memory_equal(a.answer.ptr + GRPC_PREFIX, text, sizeof text);
    call_free(&a);
    buf_free(&z);

    static const struct {
        const char *path, *encoding, *body, *want;
        size_t n;
    } bad[] = {
        { "/s/None", "identity", "\0\0\0\0\0", "grpc-status: 12\n", 5 },
        { "/s/Echo", "identity", "\0\0\0\0\5abc", "grpc-status: 13\n", 8 }, // cut
        { "/s/Echo", "identity", "\0\0\0\0\1abc", "grpc-status: 13\n", 8 }, // more than one
        { "/s/Echo", "identity", "\1\0\0\0\1a", "grpc-status: 13\n", 6 },   // compressed with nothing
        { "/s/Echo", "snappy", "\1\0\0\0\1a", "grpc-status: 12\n", 6 },
        { "/s/Echo", "gzip", "\1\0\0\0\4abcd", "grpc-status: 13\n", 9 },
        { "/s/Echo", "identity", "\0\xff\xff\xff\xff", "grpc-status: 8\n", 5 }, // four gigabytes to come
        { "/refused", "identity", "\0\0\0\0\0", "grpc-status: 16\n", 5 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nghttp2_nv e[] = { GRPC_HEADERS, NV("grpc-encoding", bad[i].encoding) };
        call_begin(&c, &a, "POST", bad[i].path, bytes_of(bad[i].body, bad[i].n), e, 3);
        call_finish(&c, &a);
        assert_true(has(&a, ":status: 200\n"));
        if (!has(&a, bad[i].want))
            print_error("case %zu: %s", i, a.headers);
        assert_true(has(&a, bad[i].want));
        call_free(&a);
    }
    client_close(&c);
}

static void test_grpc_deadline(void **state)
{
    struct client c;
    struct call a;
    client_open(&c);
    nghttp2_nv h[] = { GRPC_HEADERS, NV("grpc-timeout", "50m") };
    call_begin(&c, &a, "POST", "/s/Hold", bytes_of("\0\0\0\0\0", 5), h, 3);
    call_finish(&c, &a);
    assert_true(has(&a, "grpc-status: 4\n"));
    call_free(&a);
    fixture_wait_held(1);
    fixture_wait_cancelled(1);
    fixture_release(); // the late answer is harmless
    call_begin(&c, &a, "POST", "/s/Echo", bytes_of("\0\0\0\0\0", 5), h, 2);
    call_finish(&c, &a);
    assert_true(has(&a, "grpc-status: 0\n"));
    call_free(&a);
    client_close(&c);
}

// Overload: a status and a detail that OTLP clients try again after.
static void test_grpc_overload(void **state)
{
    assert_int_equal(fixture_stop(&f), 0);
    struct fixture_options o = fixture_options();
    o.workers = 1;
    o.queue_max = 1;
    o.limits.body_bytes_in_flight = 1 << 20;
    fixture_start(&f, &o);
    struct client c;
    struct call block, queued, refused, big;
    nghttp2_nv h[] = { GRPC_HEADERS };
    bytes empty = bytes_of("\0\0\0\0\0", 5);
    client_open(&c);
    call_begin(&c, &block, "GET", "/block", (bytes){ 0 }, NULL, 0);
    client_send_all(&c);
    fixture_wait_held(1);
    call_begin(&c, &queued, "POST", "/s/Echo", empty, h, 2);
    client_send_all(&c);
    while (!pool_stats(f.pool).queued)
        usleep(1000);
    call_begin(&c, &refused, "POST", "/s/Echo", empty, h, 2);
    call_finish(&c, &refused);
    assert_true(has(&refused, "grpc-status: 14\n"));
    char *at = strstr(refused.headers, "grpc-status-details-bin: ");
    assert_non_null(at);
    uint8_t details[500];
    size_t n = 0;
    str text = str_of(at + 25, strcspn(at + 25, "\n"));
    assert_true(base64_decode(details, text, &n));
    assert_true(str_find(str_of(details, n), STR("google.rpc.RetryInfo")) > 0);
    uint8_t *body = calloc(1, 2 << 20);
    frame(body, false, body + 5, (2 << 20) - 5);
    call_begin(&c, &big, "POST", "/s/Echo", bytes_of(body, 2 << 20), h, 2);
    call_finish(&c, &big);
    assert_true(has(&big, "grpc-status: 14\n"));
    free(body);
    fixture_unblock();
    call_finish(&c, &queued);
    call_finish(&c, &block);
    assert_true(has(&queued, "grpc-status: 0\n"));
    call_free(&block), call_free(&queued), call_free(&refused), call_free(&big);
    client_close(&c);
}

// The client resets a stream, or leaves with many open.
static void test_cancel(void **state)
{
    struct client c;
    static struct call calls[50];
    client_open(&c);
    for (int i = 0; i < 50; i++)
        call_begin(&c, &calls[i], "GET", "/hold", (bytes){ 0 }, NULL, 0);
    client_send_all(&c);
    fixture_wait_held(50);
    nghttp2_submit_rst_stream(c.session, 0, calls[0].id, NGHTTP2_CANCEL);
    client_send_all(&c);
    fixture_wait_cancelled(1);
    client_close(&c);
    fixture_wait_cancelled(50);
    fixture_release();
    for (int i = 0; i < 50; i++)
        call_free(&calls[i]);
}

// Rapid reset, ping and settings floods: the connection ends, the server goes on.
static void test_floods(void **state)
{
    for (int kind = 0; kind < 3; kind++) {
        struct client c;
        struct call a;
        client_open(&c);
        for (int i = 0; i < 20000 && !c.ended; i++) {
            if (kind == 0) {
                call_begin(&c, &a, "GET", "/hold", (bytes){ 0 }, NULL, 0);
                client_send_all(&c);
                nghttp2_session_set_stream_user_data(c.session, a.id, NULL);
                nghttp2_submit_rst_stream(c.session, 0, a.id, NGHTTP2_CANCEL);
                client_send_all(&c);
                if (i > 5000)
                    break;
            } else if (kind == 1) {
                client_send(c.fd, "\0\0\x08\6\0\0\0\0\0", 9); // PING, written by hand: nothing is read
                if (i == 0)
                    client_send_all(&c);
                client_send(c.fd, "12345678", 8);
            } else {
                if (i == 0)
                    client_send_all(&c);
                client_send(c.fd, "\0\0\0\4\0\0\0\0\0", 9); // SETTINGS
            }
        }
        uint8_t in[65536];
        if (kind == 0) { // ended by the server
            ssize_t got;
            struct pollfd p = { c.fd, POLLIN, 0 };
            do {
                assert_int_equal(poll(&p, 1, 20000), 1);
                got = socket_recv(c.fd, in, sizeof in);
            } while (got > 0);
        }
        client_close(&c);
    }
    struct client c;
    struct call a;
    client_open(&c);
    call_begin(&c, &a, "GET", "/inline", (bytes){ 0 }, NULL, 0);
    call_finish(&c, &a);
    assert_true(str_eq(buf_view(&a.answer), STR("ok")));
    call_free(&a);
    client_close(&c);
    fixture_release();
}

static void test_graceful_stop(void **state)
{
    struct client c;
    struct call a;
    client_open(&c);
    call_begin(&c, &a, "GET", "/late?300", (bytes){ 0 }, NULL, 0);
    client_send_all(&c);
    struct call b; // so that the late one has surely arrived
    call_begin(&c, &b, "GET", "/inline", (bytes){ 0 }, NULL, 0);
    call_finish(&c, &b);
    call_free(&b);
    assert_int_equal(fixture_stop(&f), 0);
    call_finish(&c, &a);
    assert_true(str_eq(buf_view(&a.answer), STR("300")));
    assert_true(c.goaway_seen && c.goaway == NGHTTP2_NO_ERROR);
    call_free(&a);
    client_close(&c);
}

static void test_garbage(void **state)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    srand(3);
    for (int round = 0; round < 100; round++) {
        int fd = client_connect(f.port);
        for (size_t i = 0; i < sizeof preface - 1; i++) // byte by byte
            client_send(fd, preface + i, 1);
        uint8_t junk[200];
        for (size_t i = 0; i < sizeof junk; i++)
            junk[i] = (uint8_t)rand();
        if (round % 2)
            memcpy(junk, "\0\0\x20\1\5\0\0\0\1", 9); // headers of junk
        client_send(fd, junk, sizeof junk);
        shutdown(fd, SHUT_WR);
        assert_true(client_closed(fd));
        close(fd);
    }
}

// Each allocation of a call's way fails once: an answer, a reset stream or a closed connection, and the
// next call is served.
static void test_each_allocation_fails(void **state)
{
    uint8_t message[3000];
    struct buf z;
    char text[2000] = { 0 };
    buf_init(&z, 2000);
    net_deflate_gzip(bytes_of(text, sizeof text), &z);
    size_t n = frame(message, true, z.ptr, z.len);
    buf_free(&z);
    nghttp2_nv h[] = { GRPC_HEADERS, NV("grpc-encoding", "gzip"), NV("cookie", "a"), NV("cookie", "b") };
    for (int nth = 1;; nth++) {
        struct client c;
        struct call a, b;
        mem_fail_at(nth);
        client_open(&c);
        call_begin(&c, &a, "POST", "/s/Echo", bytes_of(message, n), h, 5);
        call_begin(&c, &b, "GET", "/stream?n=3&size=3000", (bytes){ 0 }, NULL, 0);
        call_finish(&c, &a);
        call_finish(&c, &b);
        int64_t seen = mem_fail_count();
        mem_fail_at(0);
        call_free(&a), call_free(&b);
        client_close(&c);
        if (seen < nth)
            break;
    }
}

static int nothing(void **state) { return 0; }

int main(void)
{
#define H2_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
    const struct CMUnitTest tests[] = {
        H2_TEST(test_http_over_h2),
        H2_TEST(test_malformed_heads),
        H2_TEST(test_grpc),
        H2_TEST(test_grpc_deadline),
        H2_TEST(test_cancel),
        H2_TEST(test_grpc_overload),
        H2_TEST(test_floods),
        H2_TEST(test_garbage),

        H2_TEST(test_each_allocation_fails),
        cmocka_unit_test_setup_teardown(test_graceful_stop, start, nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
