// A whole connection, HTTP/1 or (odd first byte) HTTP/2 with its preface said: whatever the peer sends,
// the server lives, and afterwards holds no connection, no request and no byte of a body.
#include "base/must.h"
#include "net/grpc.h"
#include "net/server.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void handle(struct http_request *req, void *ctx)
{
    must(req->path.len && http_token_ok(req->method_name) && http_host_ok(req->host));
    if (req->is_grpc)
        grpc_respond(req, GRPC_OK, STR(""), (bytes){ 0 }, req->body);
    else
        http_respond(req, 200, NULL, 0, req->body);
}

static void route(struct http_request *req, struct http_route *r, void *ctx)
{
    if (req->path.len > 9) {
        http_respond_text(req, 404, STR("text/plain"), req->path);
        return;
    }
    r->handler = handle;
    r->body_max = r->inflated_max = 4096;
}

static struct net_server *server;
static struct socket_address address;

static void start(void)
{
    struct net_config config = { .threads = 1, .limits = net_limits_default(), .route = route };
    config.limits.body_bytes_in_flight = 1 << 20;
    must(net_server_new(&config, &server, NULL) == 0);
    must(socket_address_parse(STR("127.0.0.1:0"), &address, NULL) == 0);
    must(net_server_listen(server, &address, 0, NULL, NULL) == 0);
    must(net_server_start(server, NULL) == 0);
}

static void stop(void)
{
    must(net_server_stop(server) == 0);
    net_server_free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    if (size < 1 || size > 8192)
        return 0;
    if (!server) {
        start();
        atexit(stop);
    }
    int fd = -1;
    must(socket_connect(&address, &fd) == 0);
    struct pollfd p = { fd, POLLOUT, 0 };
    must(poll(&p, 1, 10000) == 1 && socket_error(fd) == 0);
    struct iovec iov[2] = { { (void *)preface, data[0] & 1 ? sizeof preface : 0 }, { (void *)(data + 1), size - 1 } };
    socket_sendv(fd, iov, 2);
    shutdown(fd, SHUT_WR);
    p.events = POLLIN;
    char in[8192];
    ssize_t got;
    do {
        must(poll(&p, 1, 10000) == 1);
        got = socket_recv(fd, in, sizeof in);
    } while (got > 0);
    struct linger hard = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    struct net_stats s;
    for (int i = 0; i < 5000; i++) {
        s = net_server_stats(server);
        if (!s.connections_open && !s.requests_open && !s.body_bytes_held)
            return 0;
        usleep(i < 100 ? 10 : 1000);
    }
    must(!"something is held for ever");
    return 0;
}
