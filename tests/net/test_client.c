// The client against our server, and against servers that misbehave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/client.h"
#include "net_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture f;
static struct err err;

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

static struct net_client *client(uint16_t port, const char *path, const struct net_client_options *o)
{
    char url[100];
    struct net_client *c = NULL;
    size_t n = (size_t)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    assert_int_equal(net_client_new((str){ url, n }, o, &c, &err), 0);
    return c;
}

static int call(struct net_client *c, const char *method, const char *target, const char *body, struct net_answer *a,
                struct buf *out)
{
    buf_init(out, 1 << 20);
    bytes b = { (const uint8_t *)body, body ? strlen(body) : 0 };
    return net_client_call(c, str_z(method), str_z(target), STR("text/plain"), b, a, out, &err);
}

static void test_calls(void **state)
{
    struct net_client *c = client(f.port, "", NULL);
    struct net_answer a;
    struct buf out;
    assert_int_equal(net_client_header(c, STR("Cookie"), STR("k=v")), 0);
    assert_int_equal(net_client_header(c, STR("Bad"), STR("a\r\nb")), ERR_INVALID);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(call(c, "POST", "/echo", "hello", &a, &out), 0);
        assert_int_equal(a.status, 200);
        assert_true(str_eq(buf_view(&out), STR("hello")));
        assert_non_null(http_header_get(a.headers, a.headers_n, STR("x-worker")).ptr);
        buf_free(&out);
        assert_int_equal(call(c, "HEAD", "/show", NULL, &a, &out), 0);
        assert_int_equal(out.len, 0);
        buf_free(&out);
        assert_int_equal(call(c, "GET", "/nowhere", NULL, &a, &out), 0);
        assert_int_equal(a.status, 404);
        buf_free(&out);
        assert_int_equal(call(c, "GET", "/none", NULL, &a, &out), 0);
        assert_int_equal(a.status, 204);
        buf_free(&out);
    }
    assert_int_equal(net_server_stats(f.server).connections_total, 1);
    assert_int_equal(call(c, "GET", "/show", NULL, &a, &out), 0);
    assert_true(str_find(buf_view(&out), STR("cookie=k=v")) > 0);
    buf_free(&out);
    // The server has closed the kept connection meanwhile: asked again on a new one.
    assert_int_equal(fixture_stop(&f), 0);
    uint16_t port = f.port;
    struct fixture_options o = fixture_options();
    fixture_start(&f, &o);
    struct net_client *d = client(f.port, "/", NULL);
    assert_int_equal(call(d, "GET", "/inline", NULL, &a, &out), 0);
    buf_free(&out);
    if (port != f.port)
        assert_int_equal(call(c, "GET", "/inline", NULL, &a, &out), ERR_CLOSED);
    assert_string_equal(err.slug, "not_running");
    buf_free(&out);
    buf_init(&out, 3);
    assert_int_equal(net_client_call(d, STR("POST"), STR("/echo"), STR(""), bytes_of("hello", 5), &a, &out, &err),
                     ERR_LIMIT);
    buf_free(&out);
    net_client_free(c);
    net_client_free(d);
}

struct seen {
    int begun, lines, stop_at;
    size_t bytes;
    str last;
};

static int on_begin(void *ctx, const struct net_answer *a)
{
    struct seen *s = ctx;
    s->begun = a->status;
    return a->status == 404 ? ERR_NOENT : 0;
}

static int on_line(void *ctx, str line)
{
    struct seen *s = ctx;
    s->lines++;
    s->bytes += line.len;
    return s->lines == s->stop_at ? ERR_CANCELLED : 0;
}

static void test_lines(void **state)
{
    struct net_client *c = client(f.port, "", NULL);
    struct seen s = { 0 };
    assert_int_equal(net_client_stream(c, STR("GET"), STR("/stream?n=3000&size=700"), STR(""), (bytes){ 0 }, on_begin,
                                       on_line, &s, &err),
                     0);
    assert_int_equal(s.begun, 200);
    assert_int_equal(s.lines, 3000);
    assert_int_equal(s.bytes, 3000 * 699);
    s = (struct seen){ .stop_at = 2 };
    assert_int_equal(net_client_stream(c, STR("GET"), STR("/stream?n=30&size=7"), STR(""), (bytes){ 0 }, on_begin,
                                       on_line, &s, &err),
                     ERR_CANCELLED);
    assert_int_equal(s.lines, 2);
    s = (struct seen){ 0 };
    assert_int_equal(
        net_client_stream(c, STR("GET"), STR("/nowhere"), STR(""), (bytes){ 0 }, on_begin, on_line, &s, &err),
        ERR_NOENT);
    assert_int_equal(s.lines, 0);
    s = (struct seen){ 0 };
    assert_int_equal(net_client_stream(c, STR("GET"), STR("/stream?n=3&size=7&ok=0"), STR(""), (bytes){ 0 }, on_begin,
                                       on_line, &s, &err),
                     ERR_CLOSED);
    assert_string_equal(err.slug, "truncated");
    s = (struct seen){ 0 }; // the last line without its end
    assert_int_equal(net_client_stream(c, STR("POST"), STR("/echo"), STR(""), bytes_of("a\r\nb\n\nc", 7), on_begin,
                                       on_line, &s, &err),
                     0);
    assert_int_equal(s.lines, 4);
    assert_int_equal(s.bytes, 3);
    net_client_free(c);
}

static void *cancel_soon(void *arg)
{
    usleep(50000);
    net_client_cancel(arg);
    return NULL;
}

static void test_cancel_and_silence(void **state)
{
    struct net_client_options o = { .silence_ms = 100 };
    struct net_client *c = client(f.port, "", &o);
    struct net_answer a;
    struct buf out;
    assert_int_equal(call(c, "GET", "/hold", NULL, &a, &out), ERR_TIMEOUT);
    buf_free(&out);
    net_client_free(c);
    o.silence_ms = -1;
    c = client(f.port, "", &o);
    pthread_t t;
    pthread_create(&t, NULL, cancel_soon, c);
    assert_int_equal(call(c, "GET", "/hold", NULL, &a, &out), ERR_CANCELLED);
    buf_free(&out);
    pthread_join(t, NULL);
    net_client_free(c);
    fixture_wait_cancelled(2);
    fixture_release();
}

static void test_urls(void **state)
{
    const char *bad[] = { "",           "127.0.0.1:80", "ftp://a",     "http://",      "http://a:0",  "http://a:65536",
                          "http://a:x", "http://[::1",  "http://u@a/", "http://a/b?c", "http://a b/", "http://a/\n" };
    struct net_client *c = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(net_client_new(str_z(bad[i]), NULL, &c, &err), ERR_INVALID);
        assert_string_equal(err.slug, "bad_url");
    }
    assert_int_equal(net_client_new(STR("http://[::1]:80/a/b/"), NULL, &c, &err), 0);
    net_client_free(c);
    for (int nth = 1;; nth++) {
        mem_fail_at(nth);
        int rc = net_client_new(STR("http://[::1]:80/a/b/"), NULL, &c, &err);
        int64_t seen = mem_fail_count();
        mem_fail_at(0);
        assert_int_equal(rc, seen >= nth ? ERR_NOMEM : 0);
        if (rc == 0)
            break;
    }
    net_client_free(c);
}

static const char *answer_text;
static int listener;

static void *misbehave(void *arg)
{
    struct pollfd p = { listener, POLLIN, 0 };
    assert_int_equal(poll(&p, 1, 20000), 1);
    int fd = accept(listener, NULL, NULL);
    char in[4096];
    assert_true(recv(fd, in, sizeof in, 0) > 0);
    client_send(fd, answer_text, strlen(answer_text));
    close(fd);
    return NULL;
}

static void test_servers_that_misbehave(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        { "", ERR_CLOSED },
        { "HTTP/1.1 200 OK\r\nContent-Le", ERR_CLOSED },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", ERR_CLOSED },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", ERR_CLOSED },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ERR_MALFORMED },
        { "SSH-2.0-OpenSSH\r\n\r\n", ERR_MALFORMED },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", ERR_MALFORMED },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 0 },
        { "HTTP/1.0 200 OK\r\n\r\nuntil the end", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct socket_address address;
        socket_address_parse(STR("127.0.0.1:0"), &address, NULL);
        assert_int_equal(socket_listen(&address, 1, true, &listener, &err), 0);
        answer_text = cases[i].text;
        pthread_t t;
        pthread_create(&t, NULL, misbehave, NULL);
        struct net_client *c = client(socket_address_port(&address), "", NULL);
        struct net_answer a;
        struct buf out;
        assert_int_equal(call(c, "GET", "/", NULL, &a, &out), cases[i].rc);
        buf_free(&out);
        pthread_join(t, NULL);
        net_client_free(c);
        close(listener);
    }
}

int main(void)
{
#define CLIENT_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(test_calls),
        CLIENT_TEST(test_lines),
        CLIENT_TEST(test_cancel_and_silence),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_servers_that_misbehave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
