// Both sides of our WebSocket as programs, for tests against others' implementations:
//   ws_peer serve          echoes; prints its port
//   ws_peer connect URL    sends what comes on standard input, a line a message, prints what comes back; ends with the peer's close
#include "base/must.h"
#include "net/server.h"
#include "net/ws_client.h"
#include "net/ws_server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void on_message(struct ws *ws, bool text, bytes m, void *ctx)
{
    if (text && str_eq(str_of_bytes(m), STR("goodbye")))
        ws_close(ws, 4001, STR("as you wish"));
    else
        ws_send(ws, text, m);
}

static void on_closed(struct ws *ws, uint16_t code, void *ctx)
{
    printf("closed %u\n", code);
    fflush(stdout);
    ws_release(ws);
}

static void accept_echo(struct http_request *req, void *ctx)
{
    static const struct ws_handler handler = { .message = on_message, .closed = on_closed };
    struct ws *ws;
    ws_accept(req, &(struct ws_options){ .message_max = 1 << 20 }, &handler, NULL, &ws);
}

static void route(struct http_request *req, struct http_route *r, void *ctx) { r->handler = accept_echo; }

static int serve(void)
{
    struct net_config config = { .threads = 1, .limits = net_limits_default(), .route = route };
    struct net_server *s;
    struct socket_address a;
    struct err err;
    must(socket_address_parse(STR("127.0.0.1:0"), &a, &err) == 0);
    must(net_server_new(&config, &s, &err) == 0 && net_server_listen(s, &a, 0, NULL, &err) == 0);
    must(net_server_start(s, &err) == 0);
    printf("%u\n", socket_address_port(&a));
    fflush(stdout);
    while (getchar() != EOF) {}
    must(net_server_stop(s) == 0);
    net_server_free(s);
    return 0;
}

static int fail(const struct err *err)
{
    printf("error %s: %s\n", err->slug, err->message);
    return 1;
}

// Prints what has come: 1 when the peer has said goodbye.
static int drain(struct ws_client *c, struct err *err)
{
    struct ws_event e;
    int rc;
    while ((rc = ws_client_next(c, &e, err)) == 1) {
        if (e.what == WS_CLOSE) {
            printf("close %u %.*s\n", e.code, (int)e.data.len, (const char *)e.data.ptr);
            return 1;
        }
        if (e.what == WS_TEXT || e.what == WS_BINARY)
            printf("%s %zu %.*s\n", e.what == WS_TEXT ? "text" : "binary", e.data.len,
                   (int)(e.data.len < 60 ? e.data.len : 60), (const char *)e.data.ptr);
        fflush(stdout);
    }
    return rc;
}

static int connect_to(const char *url)
{
    struct net_client *http;
    struct ws_client *c;
    struct err err = { 0 };
    if (net_client_new(str_z(url), &(struct net_client_options){ .plain_loopback_only = true }, &http, &err) < 0 ||
        ws_client_open(http, STR("/echo"), &(struct ws_client_options){ .message_max = 1 << 20 }, &c, &err) < 0)
        return fail(&err);
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int rc = 0;
    while ((n = getline(&line, &cap, stdin)) > 0)
        must(ws_client_send(c, true, bytes_of(line, (size_t)n - 1)) == 0);
    free(line);
    while ((rc = drain(c, &err)) == 0) {
        struct pollfd p = { ws_client_fd(c), (short)ws_client_events(c), 0 };
        must(poll(&p, 1, 20000) > 0);
    }
    ws_client_close(c, WS_NORMAL, (str){ 0 });
    return rc < 0 ? fail(&err) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    must(argc == 3 && strcmp(argv[1], "connect") == 0);
    return connect_to(argv[2]);
}
