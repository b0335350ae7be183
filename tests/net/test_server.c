// The server over HTTP/1.1: what it serves, what it refuses and how, and that answers find their way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/inflate.h"
#include "net_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
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

#define HOST "Host: localhost\r\n"

static void expect(int fd, int status, const char *body)
{
    struct response r;
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, status);
    assert_false(r.broken);
    if (body)
        assert_true(str_eq(buf_view(&r.body), str_z(body)));
    response_free(&r);
}

static void test_keep_alive_and_bodies(void **state)
{
    int fd = client_connect(f.port);
    for (int i = 0; i < 3; i++) {
        client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
        expect(fd, 200, "hello");
        client_text(fd, "POST /inline-echo HTTP/1.1\r\n" HOST
                        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n");
        expect(fd, 200, "abcde");
        client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
        expect(fd, 200, "");
        client_text(fd, "GET /inline HTTP/1.1\r\n" HOST "\r\n");
        expect(fd, 200, "ok");
    }
    // A body that comes in pieces, cut anywhere, larger than one read.
    size_t n = 3 << 20;
    char *body = malloc(n), head[100];
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 7 % 251);
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", n);
    client_text(fd, head);
    client_send(fd, body, 1);
    client_send(fd, body + 1, n - 1);
    struct response r;
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.body.len, n);
    assert_memory_equal(r.body.ptr, body, n);
    assert_non_null(response_header(&r, "Date"));
    assert_null(response_header(&r, "Connection"));
    response_free(&r);
    free(body);
    client_text(fd, "GET /inline HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(client_response(fd, &r, false));
    assert_string_equal(response_header(&r, "Connection"), "close");
    response_free(&r);
    assert_true(client_closed(fd));
    close(fd);
}

static void test_request_fields(void **state)
{
    int fd = client_connect(f.port);
    client_text(fd, "\r\nPATCH http://Example:80/show?a=%20b HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n\r\n");
    expect(fd, 200, "PATCH http://example:80/show ?a=%20b peer=127.0.0.1 tag=7 body=0 version=1 cookie=a=b");
    struct response r;
    client_text(fd, "HEAD /show HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_response(fd, &r, true));
    assert_int_equal(r.status, 200);
    assert_non_null(response_header(&r, "Content-Length"));
    client_text(fd, "GET /none HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, 204);
    assert_null(response_header(&r, "Content-Length"));
    client_text(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 404, "no such page\n");
    client_text(fd, "GET /bad-header HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, 500);
    assert_null(strstr(r.head, "Set-Cookie"));
    response_free(&r);
    client_text(fd, "GET /inline HTTP/1.0\r\n\r\n");
    expect(fd, 200, "ok");
    assert_true(client_closed(fd));
    close(fd);
}

// Answers come in the order of the requests, whichever is ready first.
static void test_pipelining(void **state)
{
    int fd = client_connect(f.port);
    client_text(fd,
                "GET /late?120 HTTP/1.1\r\n" HOST "\r\nGET /late?60 HTTP/1.1\r\n" HOST "\r\n"
                "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /stream?n=3&size=4 HTTP/1.1\r\n" HOST
                "\r\nGET /late?1 HTTP/1.1\r\n" HOST "\r\nGET /inline HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "120");
    expect(fd, 200, "60");
    expect(fd, 200, "abc");
    expect(fd, 200, "xxx\nxxx\nxxx\n");
    expect(fd, 200, "1");
    expect(fd, 200, "ok");
    // Far more than the depth: the rest waits in the socket and is served in turn.
    enum { MANY = 3000 };
    for (int i = 0; i < MANY; i++)
        client_text(fd, "GET /inline HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < MANY; i++)
        expect(fd, 200, "ok");
    assert_true(net_server_stats(f.server).hit_pipeline_depth > 0);
    // ... also when the client has said that nothing follows.
    for (int i = 0; i < 100; i++)
        client_text(fd, "GET /inline HTTP/1.1\r\n" HOST "\r\n");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100; i++)
        expect(fd, 200, "ok");
    assert_true(client_closed(fd));
    close(fd);
}

static void test_expect_continue(void **state)
{
    int fd = client_connect(f.port);
    struct response r;
    client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, 100);
    client_text(fd, "hi");
    expect(fd, 200, "hi");
    // The body is there already: no need to ask for it.
    client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi");
    expect(fd, 200, "hi");
    // Refused: the final answer at once, and the end, since the client may or may not send.
    client_text(fd, "POST /refused HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(fd, 401, "no\n");
    assert_true(client_closed(fd));
    close(fd);
}

static void test_refused_before_the_body(void **state)
{
    int fd = client_connect(f.port);
    struct response r;
    // A short body is read over and the connection stays.
    client_text(fd, "POST /refused HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, 401);
    assert_string_equal(response_header(&r, "WWW-Authenticate"), "Bearer");
    response_free(&r);
    client_text(fd, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello world");
    expect(fd, 413, NULL);
    client_text(fd, "POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n");
    expect(fd, 413, NULL);
    client_text(fd, "POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\na\r\nhello worl\r\n0\r\n\r\n");
    expect(fd, 200, "hello worl");
    client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: lzma\r\nContent-Length: 1\r\n\r\nx");
    expect(fd, 415, NULL);
    client_text(fd, "POST /raw HTTP/1.1\r\n" HOST "Content-Encoding: lzma\r\nContent-Length: 1\r\n\r\nx");
    expect(fd, 200, "x");
    // A long one ends the connection, but only after the client can have read the answer.
    client_text(fd, "POST /refused HTTP/1.1\r\n" HOST "Content-Length: 50000000\r\n\r\n");
    char *piece = calloc(1, 1 << 20);
    client_send(fd, piece, 1 << 20);
    expect(fd, 401, "no\n");
    usleep(20000); // the server still reads: no reset takes the answer away from who sends first
    struct iovec more = { piece, 1 };
    assert_int_equal(socket_sendv(fd, &more, 1), 1);
    free(piece);
    assert_true(client_closed(fd));
    close(fd);
}

static void test_malformed(void **state)
{
    static const struct {
        int status;
        const char *text;
    } bad[] = {
        { 400, "GARBAGE\r\n\r\n" },
        { 400, "GET / HTTP/1.1\nHost: a\n\n" },
        { 400, "GET / HTTP/1.1\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
        { 400, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n" },
        { 505, "GET / HTTP/3.0\r\n" HOST "\r\n" },
        { 501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n" },
        { 400, "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\n" }, // TLS on a plain port
        { 400, "PRI * HTTP/2.1\r\n\r\nxx\r\n\r\n" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = client_connect(f.port);
        client_text(fd, bad[i].text);
        struct response r;
        assert_true(client_response(fd, &r, false));
        if (i != 8)
            assert_int_equal(r.status, bad[i].status);
        assert_string_equal(response_header(&r, "Connection"), "close");
        response_free(&r);
        assert_true(client_closed(fd));
        close(fd);
    }
    // Heads without end.
    int fd = client_connect(f.port);
    char line[] = "X-Header: 0123456789012345678901234567890123456789\r\n";
    client_text(fd, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 2000; i++)
        client_text(fd, line);
    expect(fd, 431, NULL);
    assert_true(client_closed(fd));
    close(fd);
    fd = client_connect(f.port);
    client_text(fd, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 200; i++)
        client_text(fd, "a: b\r\n");
    client_text(fd, "\r\n");
    expect(fd, 431, NULL);
    close(fd);
    assert_true(net_server_stats(f.server).requests_malformed >= 10);
}

static void test_content_encodings(void **state)
{
    char big[5000], head[200];
    memset(big, 'a', sizeof big);
    struct buf z;
    buf_init(&z, 10000);
    assert_int_equal(net_deflate_gzip(bytes_of(big, sizeof big), &z), 0);
    int fd = client_connect(f.port);
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
             z.len);
    client_text(fd, head);
    client_send(fd, z.ptr, z.len);
    struct response r;
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body.len, sizeof big);
    assert_memory_equal(r.body.ptr, big, sizeof big);
    response_free(&r);
    // The answer compressed, for who takes it.
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
             sizeof big);
    client_text(fd, head);
    client_send(fd, big, sizeof big);
    assert_true(client_response(fd, &r, false));
    assert_string_equal(response_header(&r, "Content-Encoding"), "gzip");
    assert_true(r.body.len < 500);
    struct buf back;
    buf_init(&back, 10000);
    assert_int_equal(net_inflate(NET_CODING_GZIP, buf_bytes(&r.body), &back), 0);
    assert_int_equal(back.len, sizeof big);
    buf_free(&back);
    response_free(&r);
    // Too long when inflated; damaged.
    buf_clear(&z);
    assert_int_equal(net_deflate_gzip(bytes_of(big, 21), &z), 0);
    assert_true(z.len > 10); // the route takes 10 bytes as sent
    client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
    expect(fd, 400, NULL);
    client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: zstd\r\nContent-Length: 4\r\n\r\nabcd");
    expect(fd, 400, NULL);
    buf_free(&z);
    close(fd);
}

static void test_streams(void **state)
{
    int fd = client_connect(f.port);
    struct response r;
    client_text(fd, "GET /stream?n=2000&size=5000 HTTP/1.1\r\n" HOST "\r\n");
    usleep(50000); // the producer runs into its bound and waits
    assert_true(client_response(fd, &r, false));
    assert_string_equal(response_header(&r, "Transfer-Encoding"), "chunked");
    assert_int_equal(r.body.len, 2000 * 5000);
    assert_false(r.broken);
    response_free(&r);
    client_text(fd, "HEAD /stream?n=2000&size=5000 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_response(fd, &r, true));
    client_text(fd, "GET /sse HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_response(fd, &r, false));
    assert_string_equal(response_header(&r, "Content-Type"), "text/event-stream");
    assert_true(str_eq(buf_view(&r.body), STR("event: tick\nid: 1\ndata: a\ndata: b\ndata: \ndata: c\n\ndata: \n\n")));
    response_free(&r);
    // A stream that fails half-way must not look complete.
    client_text(fd, "GET /stream?n=3&size=10&ok=0 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, 200);
    assert_true(r.broken);
    response_free(&r);
    assert_true(client_closed(fd));
    close(fd);
    fd = client_connect(f.port);
    client_text(fd, "GET /stream?n=3&size=10 HTTP/1.0\r\n\r\n"); // no chunks in 1.0
    assert_true(client_response(fd, &r, false));
    assert_null(response_header(&r, "Transfer-Encoding"));
    assert_int_equal(r.body.len, 30);
    response_free(&r);
    close(fd);
}

// The client leaves: handlers hear of it, late answers are harmless.
static void test_client_leaves(void **state)
{
    int fds[20];
    for (int i = 0; i < 20; i++) {
        fds[i] = client_connect(f.port);
        client_text(fds[i], i % 2 ? "GET /hold HTTP/1.1\r\n" HOST "\r\n" : "GET /sse-endless HTTP/1.1\r\n" HOST "\r\n");
        if (i % 2 == 0) {
            char c;
            struct response r;
            (void)c, (void)r;
            while (recv(fds[i], &c, 1, 0) < 0)
                usleep(1000);
            close(fds[i]);
            fixture_wait_cancelled(i / 2 + 1); // the worker is free again
        }
    }
    fixture_wait_held(10);
    for (int i = 1; i < 20; i += 4) {
        struct linger hard = { 1, 0 };
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fds[i]); // a reset
    }
    fixture_wait_cancelled(10 + 5);
    for (int i = 3; i < 20; i += 4)
        shutdown(fds[i], SHUT_WR); // half: cancelled, and still answered
    fixture_wait_cancelled(10 + 10);
    fixture_release();
    for (int i = 3; i < 20; i += 4) {
        expect(fds[i], 200, "released");
        assert_true(client_closed(fds[i]));
        close(fds[i]);
    }
    // Streaming to one who does not read and then leaves.
    int fd = client_connect(f.port);
    client_text(fd, "GET /stream?n=100000&size=5000 HTTP/1.1\r\n" HOST "\r\n");
    usleep(20000);
    close(fd);
    // In the middle of a body, of a head.
    fd = client_connect(f.port);
    client_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    close(fd);
    fd = client_connect(f.port);
    client_text(fd, "POST /ec");
    close(fd);
    // A worker that streams notices after the connection has gone: its request ends a moment later.
    struct net_stats s = net_server_stats(f.server);
    for (int i = 0; i < 500 && (s.connections_open || s.requests_open || s.body_bytes_held); i++) {
        usleep(10000);
        s = net_server_stats(f.server);
    }
    assert_int_equal(s.connections_open, 0);
    assert_int_equal(s.body_bytes_held, 0);
    assert_int_equal(s.requests_open, 0);
}

int main(void)
{
#define SERVER_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
    const struct CMUnitTest tests[] = {
        SERVER_TEST(test_keep_alive_and_bodies),
        SERVER_TEST(test_request_fields),
        SERVER_TEST(test_pipelining),
        SERVER_TEST(test_expect_continue),
        SERVER_TEST(test_refused_before_the_body),
        SERVER_TEST(test_malformed),
        SERVER_TEST(test_content_encodings),
        SERVER_TEST(test_streams),
        SERVER_TEST(test_client_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
