// What receiving costs: the server's CPU for bodies that are read, handed to a worker and answered, and
// nothing else. Client and server are processes of their own; the figure is the server's.
//
//   bench_receive [MEGABYTES [BODY_KB [CONNECTIONS]]]     1000 330 2
#include "base/clock.h"
#include "base/must.h"
#include "net/grpc.h"
#include "net/server.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GATHER = 64 << 10 }; // bytes of one write
enum mode { MODE_LENGTH, MODE_CHUNKED, MODE_GRPC };
static const char *const mode_names[] = { "HTTP/1.1", "HTTP/1.1 chunked", "gRPC" };

static size_t total_bytes = 1000u << 20, body_bytes = 330 << 10;
static int connections = 2;
static struct socket_address address;
static uint8_t *body;

// --- server ---

static void handle(struct http_request *req, void *ctx)
{
    must(req->body.len == (req->is_grpc ? body_bytes - GRPC_PREFIX : body_bytes));
    http_request_drop_body(req);
    if (req->is_grpc)
        grpc_respond(req, GRPC_OK, STR(""), (bytes){ 0 }, (bytes){ 0 });
    else
        http_respond(req, 200, NULL, 0, (bytes){ 0 });
}

static void route(struct http_request *req, struct http_route *r, void *ctx)
{
    r->handler = handle;
    r->pool = ctx;
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double user_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

// --- client ---

static int connect_blocking(void)
{
    int fd = -1;
    must(socket_connect(&address, &fd) == 0);
    struct pollfd p = { fd, POLLOUT, 0 };
    must(poll(&p, 1, 5000) == 1 && socket_error(fd) == 0);
    return fd;
}

static void send_all(int fd, const void *p, size_t n)
{
    while (n) {
        struct iovec iov = { (void *)p, n };
        ssize_t sent = socket_sendv(fd, &iov, 1);
        if (sent == ERR_AGAIN) {
            poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, 5000);
            continue;
        }
        must(sent > 0);
        p = (const char *)p + sent;
        n -= (size_t)sent;
    }
}

static size_t recv_some(int fd, void *p, size_t n)
{
    must(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 20000) == 1);
    ssize_t got = socket_recv(fd, p, n);
    must(got > 0);
    return (size_t)got;
}

static void post_h1(int fd, bool chunked)
{
    char head[200], in[1000];
    size_t n = chunked ? (size_t)snprintf(head, sizeof head,
                                          "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                       : (size_t)snprintf(head, sizeof head,
                                          "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", body_bytes);
    send_all(fd, head, n);
    if (!chunked) {
        send_all(fd, body, body_bytes);
    } else {
        static _Thread_local uint8_t piece[GATHER + 32];
        for (size_t done = 0; done < body_bytes;) {
            size_t now = body_bytes - done < GATHER ? body_bytes - done : GATHER;
            n = (size_t)snprintf((char *)piece, 32, "%zx\r\n", now);
            memcpy(piece + n, body + done, now);
            memcpy(piece + n + now, "\r\n", 2);
            send_all(fd, piece, n + now + 2);
            done += now;
        }
        send_all(fd, "0\r\n\r\n", 5);
    }
    size_t have = 0;
    do
        have += recv_some(fd, in + have, sizeof in - have);
    while (!memmem(in, have, "\r\n\r\n", 4));
    must(!memcmp(in, "HTTP/1.1 200", 12));
}

struct stream {
    size_t sent;
};

static ssize_t read_body(nghttp2_session *s, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    struct stream *st = source->ptr;
    size_t n = body_bytes - st->sent < room ? body_bytes - st->sent : room;
    memcpy(to, body + st->sent, n);
    st->sent += n;
    if (st->sent == body_bytes)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t error, void *user)
{
    must(error == 0);
    free(nghttp2_session_get_stream_user_data(s, id));
    --*(size_t *)user;
    return 0;
}

#define NV(n, v)                                                        \
    {                                                                   \
        (uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1, 0 \
    }

static void run_grpc(int fd, size_t posts)
{
    nghttp2_session_callbacks *cb;
    nghttp2_session *s;
    size_t open = 0, done = 0;
    nghttp2_session_callbacks_new(&cb);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    must(nghttp2_session_client_new(&s, cb, &open) == 0);
    nghttp2_submit_settings(s, 0, NULL, 0);
    const nghttp2_nv nv[] = { NV(":method", "POST"),
                              NV(":scheme", "http"),
                              NV(":path", "/a/B"),
                              NV(":authority", "a"),
                              NV("content-type", "application/grpc"),
                              NV("te", "trailers") };
    while (done < posts || open) {
        for (; open < 8 && done < posts; open++, done++) {
            struct stream *st = calloc(1, sizeof *st);
            nghttp2_data_provider provider = { { .ptr = st }, read_body };
            must(nghttp2_submit_request(s, NULL, nv, 6, &provider, st) > 0);
        }
        // Gathered as clients do: a write a frame would measure system calls.
        static _Thread_local uint8_t out[GATHER + 20000], in[65536];
        const uint8_t *p;
        ssize_t n = 1;
        while (n > 0) {
            size_t have = 0;
            while (have < GATHER && (n = nghttp2_session_mem_send(s, &p)) > 0) {
                memcpy(out + have, p, (size_t)n);
                have += (size_t)n;
            }
            send_all(fd, out, have);
        }
        must(nghttp2_session_mem_recv(s, in, recv_some(fd, in, sizeof in)) > 0);
    }
    nghttp2_session_del(s);
    nghttp2_session_callbacks_del(cb);
}

static enum mode mode;

static void *client_main(void *arg)
{
    int fd = connect_blocking();
    size_t posts = total_bytes / body_bytes / (size_t)connections;
    if (mode == MODE_GRPC)
        run_grpc(fd, posts);
    else
        for (size_t i = 0; i < posts; i++)
            post_h1(fd, mode == MODE_CHUNKED);
    close(fd);
    return NULL;
}

static void run_client(void)
{
    pthread_t threads[64];
    body = calloc(1, body_bytes);
    grpc_prefix_put(body, false, (uint32_t)(body_bytes - GRPC_PREFIX));
    for (int i = 0; i < connections; i++)
        pthread_create(&threads[i], NULL, client_main, NULL);
    for (int i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        total_bytes = (size_t)strtoul(argv[1], NULL, 10) << 20;
    if (argc > 2)
        body_bytes = (size_t)strtoul(argv[2], NULL, 10) << 10;
    if (argc > 3)
        connections = (int)strtol(argv[3], NULL, 10);
    must(body_bytes > GRPC_PREFIX && connections > 0 && connections <= 64);
    for (mode = MODE_LENGTH; mode <= MODE_GRPC; mode++) {
        struct net_server *server;
        struct pool *pool;
        int go[2];
        must(pipe(go) == 0);
        must(socket_address_parse(STR("127.0.0.1:0"), &address, NULL) == 0);
        pid_t child = fork(); // before there are threads
        if (child == 0) {
            if (read(go[0], &address, sizeof address) != sizeof address)
                _exit(1);
            run_client();
        }
        must(pool_new("work", 2, 256, &pool) == 0);
        struct net_config config = { .limits = net_limits_default(), .route = route, .ctx = pool };
        must(net_server_new(&config, &server, NULL) == 0);
        must(net_server_listen(server, &address, 0, NULL, NULL) == 0);
        must(net_server_start(server, NULL) == 0);
        double from = cpu_s(), user = user_s();
        int64_t wall = clock_mono_ns();
        must(write(go[1], &address, sizeof address) == sizeof address);
        int status = 1;
        must(waitpid(child, &status, 0) == child);
        must(status == 0);
        double cpu = cpu_s() - from, seconds = (double)(clock_mono_ns() - wall) / 1e9;
        double mb = (double)(total_bytes / body_bytes / (size_t)connections * (size_t)connections * body_bytes) / 1e6;
        printf("%-18s %6.0f MB in %.2f s: %.3f server CPU-s a 330 MB (%.3f of it user)\n", mode_names[mode], mb,
               seconds, cpu / mb * 330, (user_s() - user) / mb * 330);
        must(net_server_stop(server) == 0);
        net_server_free(server);
        pool_free(pool);
        close(go[0]);
        close(go[1]);
    }
    return 0;
}
