// The server under pressure: each limit refuses as it should and is counted; memory stays flat; every
// allocation may fail.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"

static struct fixture f;

static void expect(int fd, int status)
{
    struct response r;
    assert_true(client_response(fd, &r, false));
    assert_int_equal(r.status, status);
    if (status == 503)
        assert_non_null(response_header(&r, "Retry-After"));
    response_free(&r);
}

static struct net_stats stats(void) { return net_server_stats(f.server); }

static void test_worker_queue_full(void **state)
{
    struct fixture_options o = fixture_options();
    o.workers = 1;
    o.queue_max = 2;
    fixture_start(&f, &o);
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = client_connect(f.port);
    client_text(fds[0], "GET /block HTTP/1.1\r\n" HOST "\r\n");
    fixture_wait_held(1);
    for (int i = 1; i < 3; i++)
        client_text(fds[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
    while (pool_stats(f.pool).queued < 2)
        usleep(1000);
    client_text(fds[3], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
    expect(fds[3], 503);
    assert_int_equal(stats().hit_queue, 1);
    fixture_unblock();
    for (int i = 0; i < 3; i++)
        expect(fds[i], 200);
    client_text(fds[3], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
    expect(fds[3], 200); // the connection has survived
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    assert_int_equal(fixture_stop(&f), 0);
}

static void test_bytes_in_flight(void **state)
{
    struct fixture_options o = fixture_options();
    o.limits.body_bytes_in_flight = 1 << 20;
    fixture_start(&f, &o);
    int a = client_connect(f.port), b = client_connect(f.port);
    char *body = calloc(1, 1 << 20);
    client_text(a, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\n");
    client_send(a, body, 900000);
    fixture_wait_held(1);
    assert_int_equal(stats().body_bytes_held, 900000);
    client_text(b, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 400000\r\nExpect: 100-continue\r\n\r\n");
    expect(b, 503); // before a byte of it
    assert_int_equal(stats().hit_body_bytes_in_flight, 1);
    close(b);
    b = client_connect(f.port); // unknown length: found out on the way
    client_text(b, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n80000\r\n");
    client_send(b, body, 0x80000);
    expect(b, 503);
    close(b);
    fixture_release();
    expect(a, 200);
    client_text(a, "POST /late?1 HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\n");
    client_send(a, body, 900000);
    expect(a, 200);
    for (int i = 0; i < 100 && stats().body_bytes_held; i++)
        usleep(10000);
    assert_int_equal(stats().body_bytes_held, 0);
    close(a);
    free(body);
    assert_int_equal(fixture_stop(&f), 0);
}

static void test_connections(void **state)
{
    struct fixture_options o = fixture_options();
    o.limits.connections = 5;
    fixture_start(&f, &o);
    int fds[6];
    for (int i = 0; i < 5; i++) {
        fds[i] = client_connect(f.port);
        client_text(fds[i], "GET /inline HTTP/1.1\r\n" HOST "\r\n");
        expect(fds[i], 200);
    }
    fds[5] = client_connect(f.port);
    expect(fds[5], 503);
    assert_true(client_closed(fds[5]));
    assert_int_equal(stats().hit_connections, 1);
    close(fds[0]);
    while (stats().connections_open > 4)
        usleep(1000);
    int again = client_connect(f.port);
    client_text(again, "GET /inline HTTP/1.1\r\n" HOST "\r\n");
    expect(again, 200);
    close(again);
    for (int i = 1; i < 6; i++)
        close(fds[i]);
    assert_int_equal(fixture_stop(&f), 0);
}

static void test_time_limits(void **state)
{
    struct fixture_options o = fixture_options();
    o.limits.head_ms = 100;
    o.limits.idle_ms = 400;
    o.limits.body_stall_ms = 100;
    o.limits.write_stall_ms = 300;
    fixture_start(&f, &o);
    int head = client_connect(f.port), body = client_connect(f.port), idle = client_connect(f.port);
    int chunked = client_connect(f.port), deaf = client_connect(f.port);
    client_text(head, "GET /inline HT");
    client_text(body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    client_text(chunked, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab");
    client_text(deaf, "GET /stream?n=20000&size=5000 HTTP/1.1\r\n" HOST "\r\n");
    expect(head, 408);
    expect(body, 408);
    expect(chunked, 408);
    assert_true(client_closed(head) && client_closed(body) && client_closed(chunked) && client_closed(idle));
    while (!stats().hit_write_stall_ms)
        usleep(1000);
    assert_true(client_closed(deaf));
    struct net_stats s = stats();
    assert_int_equal(s.hit_head_ms, 1);
    assert_int_equal(s.hit_body_stall_ms, 2);
    assert_int_equal(s.hit_idle_ms, 1);
    int fds[] = { head, body, chunked, idle, deaf };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    assert_int_equal(fixture_stop(&f), 0);
}

// A stop that is forced: a handler that does not answer in time owes an answer, which is then harmless.
static void test_forced_stop(void **state)
{
    struct fixture_options o = fixture_options();
    o.limits.stop_ms = 100;
    fixture_start(&f, &o);
    int fd = client_connect(f.port), slow = client_connect(f.port);
    client_text(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    client_text(slow, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    fixture_wait_held(1);
    assert_int_equal(fixture_stop(&f), ERR_BUSY);
    assert_true(client_closed(fd) && client_closed(slow));
    fixture_release();
    assert_int_equal(fixture_stop(&f), 0);
    close(fd);
    close(slow);
}

static void test_graceful_stop(void **state)
{
    struct fixture_options o = fixture_options();
    fixture_start(&f, &o);
    int late = client_connect(f.port), idle = client_connect(f.port), fresh = client_connect(f.port);
    int sse = client_connect(f.port), body = client_connect(f.port);
    client_text(idle, "GET /inline HTTP/1.1\r\n" HOST "\r\n");
    expect(idle, 200);
    client_text(late, "GET /late?200 HTTP/1.1\r\n" HOST "\r\n");
    client_text(sse, "GET /sse-endless HTTP/1.1\r\n" HOST "\r\n");
    client_text(body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab");
    char c;
    while (recv(sse, &c, 1, MSG_PEEK) < 0 || stats().requests_open < 2)
        usleep(1000);
    client_text(fresh, "GET /inline HTTP/1.1\r\n" HOST "\r\n"); // perhaps not even read yet
    client_text(body, "c");
    assert_int_equal(fixture_stop(&f), 0);
    expect(late, 200);
    expect(fresh, 200);
    expect(body, 200);
    expect(sse, 200);
    int fds[] = { late, idle, fresh, sse, body };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        assert_true(client_closed(fds[i]));
        close(fds[i]);
    }
}

static size_t resident(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%*s %zu", &pages), 1);
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

// An idle connection costs little, whatever it has carried before.
static void test_idle_memory(void **state)
{
    struct fixture_options o = fixture_options();
    enum { N = 4000 };
    static int fds[N];
    if (socket_raise_fd_limit() < 2 * N + 100) {
        print_message("# skipped: too few file descriptors\n");
        return;
    }
    fixture_start(&f, &o);
    char *body = calloc(1, 100000);
    size_t before = 0;
    for (int i = 0; i < N; i++) {
        if (i == N / 4) // past what the first ones made the process take for good
            before = resident();
        fds[i] = client_connect(f.port);
        client_text(fds[i], "POST /inline-echo HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");
        client_send(fds[i], body, 100000);
        expect(fds[i], 200);
    }
    while (stats().connections_idle < N)
        usleep(1000);
    size_t after = resident(), each = after > before ? (after - before) / (N - N / 4) : 0;
    print_message("# %zu bytes an idle connection\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(each < 2048);
#endif
    for (int i = 0; i < N; i++)
        close(fds[i]);
    free(body);
    assert_int_equal(fixture_stop(&f), 0);
}

// Each allocation of a request's way fails once: the client gets an answer or a closed connection, the
// server serves the next one, nothing is lost (the leak checker's part).
static void test_each_allocation_fails(void **state)
{
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET /stream?n=3&size=30 HTTP/1.1\r\n" HOST "\r\n",
        "GET /sse HTTP/1.1\r\n" HOST "\r\n",
        "GET /show?a=b HTTP/1.1\r\n" HOST "\r\n",
        "GET /nowhere HTTP/1.1\r\n" HOST "\r\n",
    };
    struct fixture_options o = fixture_options();
    fixture_start(&f, &o);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        for (int nth = 1;; nth++) {
            int fd = client_connect(f.port);
            mem_fail_at(nth);
            client_text(fd, requests[i]);
            // Reading by hand: the client's own allocations are not to fail.
            char in[2000];
            ssize_t got;
            shutdown(fd, SHUT_WR);
            for (int ms = 0; ms < 20000; ms++) {
                got = socket_recv(fd, in, sizeof in);
                if (got == ERR_AGAIN) {
                    usleep(1000);
                    continue;
                }
                if (got <= 0)
                    break;
            }
            int64_t seen = mem_fail_count();
            mem_fail_at(0);
            close(fd);
            if (seen < nth)
                break;
        }
        int fd = client_connect(f.port);
        client_text(fd, requests[0]);
        expect(fd, 200);
        close(fd);
    }
    assert_int_equal(fixture_stop(&f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker_queue_full), cmocka_unit_test(test_bytes_in_flight),
        cmocka_unit_test(test_connections),       cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_forced_stop),       cmocka_unit_test(test_graceful_stop),
        cmocka_unit_test(test_idle_memory),       cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
