// The shop's inventory: a small HTTP server with a fixed number of threads, one request a connection.
//
//   GET  /stock/{sku}     {"sku":"AMPH-1","quantity":400}
//   POST /stock/reserve   lines "SKU QUANTITY"; 409 when there is not enough of one
//   POST /stock/release   the same, back
//
// Every half minute it merges deliveries into the shelves and tells the web service.
#include "client.h"
#include "json.h"
#include "otlp.h"
#include "stock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define BACKLOG 64
#define PATIENCE_S 5 // with a client that sends or reads nothing
#define MERGE_EVERY_S_MIN 18
#define MERGE_EVERY_S_MAX 40

static struct place web;
static bool has_web;

static const char *reason_of(int status)
{
    return status == 200   ? "OK"
           : status == 404 ? "Not Found"
           : status == 405 ? "Method Not Allowed"
           : status == 409 ? "Conflict"
                           : "Bad Request";
}

static void respond(int fd, int status, struct text body)
{
    char head[256];
    int n =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n",
                 status, reason_of(status), body.n);
    if (send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE) == n)
        (void)!send(fd, body.p, body.n, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
}

static void put_error(struct json *out, const char *what, struct text sku)
{
    json_put(out, "{\"error\":\"%s\",\"sku\":", what);
    json_string(out, sku);
    json_put(out, "}");
}

static int change_stock(struct json *out, bool take, struct text body)
{
    struct text sku;
    switch (take ? stock_take(body, &sku) : stock_give(body, &sku)) {
    case STOCK_DONE:
        json_put(out, "{\"done\":true}");
        return 200;
    case STOCK_UNKNOWN:
        put_error(out, "no such product", sku);
        return 404;
    case STOCK_SHORT:
        log_write(SEVERITY_WARN, "not enough of %.*s", (int)sku.n, sku.p);
        put_error(out, "not enough in stock", sku);
        return 409;
    case STOCK_BAD:
        break;
    }
    put_error(out, "lines are: SKU QUANTITY", (struct text){ "", 0 });
    return 400;
}

static const struct route {
    const char *method, *path, *name;
} routes[] = {
    { "GET", "/stock/{sku}", "GET /stock/{sku}" },
    { "POST", "/stock/reserve", "POST /stock/reserve" },
    { "POST", "/stock/release", "POST /stock/release" },
};

static const struct route *find_route(const struct request *r)
{
    for (size_t i = 1; i < sizeof routes / sizeof *routes; i++)
        if (text_is(r->path, routes[i].path))
            return text_is(r->method, routes[i].method) ? &routes[i] : NULL;
    if (text_is(r->method, "GET") && r->path.n > 7 && memcmp(r->path.p, "/stock/", 7) == 0)
        return &routes[0];
    return NULL;
}

static int answer(const struct request *r, const struct route *route, struct text body, struct json *out)
{
    if (!route) {
        json_put(out, "{\"error\":\"no such place\"}");
        return 404;
    }
    if (route != &routes[0])
        return change_stock(out, route == &routes[1], body);
    struct text sku = { r->path.p + 7, r->path.n - 7 };
    int quantity;
    if (stock_count(sku, &quantity) != STOCK_DONE) {
        put_error(out, "no such product", sku);
        return 404;
    }
    json_put(out, "{\"sku\":");
    json_string(out, sku);
    json_put(out, ",\"quantity\":%d}", quantity);
    return 200;
}

static void serve(int fd)
{
    char buffer[REQUEST_HEAD_MAX + REQUEST_BODY_MAX];
    struct request r;
    struct json out = { .max = 4096 };
    struct span s;
    size_t got = 0;
    long head = 0;
    while (head == 0 || got < (size_t)head + r.body_length) {
        ssize_t n = recv(fd, buffer + got, sizeof buffer - got, 0);
        if (n <= 0)
            return;
        got += (size_t)n;
        if (head == 0)
            head = request_parse(buffer, got, &r);
        if (head < 0) {
            respond(fd, 400, (struct text){ "{\"error\":\"bad request\"}", 23 });
            return;
        }
    }
    const struct route *route = find_route(&r);
    span_begin(&s, route ? route->name : "HTTP", SPAN_SERVER, &r.context);
    span_text(&s, "http.request.method", r.method.n < 16 ? r.method : (struct text){ "_OTHER", 6 });
    if (r.path.n <= 128)
        span_text(&s, "url.path", r.path);
    if (route)
        span_text(&s, "http.route", (struct text){ route->path, strlen(route->path) });
    int status = answer(&r, route, (struct text){ buffer + head, r.body_length }, &out);
    span_number(&s, "http.response.status_code", status);
    span_end(&s);
    respond(fd, status, (struct text){ out.p, out.n });
    free(out.p);
}

static void *run_worker(void *listening)
{
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    for (;;) {
        int fd = accept4(*(int *)listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                usleep(100000);
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        serve(fd);
        close(fd);
    }
    return NULL;
}

// The context goes on to the web service.
static void tell_web(int shelves)
{
    struct span s;
    char headers[128], context[TRACEPARENT_SIZE], body[64];
    span_begin(&s, "POST", SPAN_CLIENT, NULL);
    span_text(&s, "http.request.method", (struct text){ "POST", 4 });
    span_text(&s, "url.path", (struct text){ "/hooks/stock-merged", 19 });
    span_text(&s, "server.address", (struct text){ web.host, strlen(web.host) });
    span_number(&s, "server.port", strtol(web.port, NULL, 10));
    traceparent_write(s.trace, s.id, context);
    snprintf(headers, sizeof headers, "traceparent: %s\r\n", context);
    int n = snprintf(body, sizeof body, "{\"shelves\":%d}", shelves);
    int status = client_post(&web, "/hooks/stock-merged", headers, (struct text){ body, (size_t)n });
    s.failed = status < 0 || status >= 400;
    if (status >= 0)
        span_number(&s, "http.response.status_code", status);
    if (s.failed)
        log_write(SEVERITY_WARN, "web was not told of the merge");
    span_end(&s);
}

static void *run_merges(void *unused)
{
    for (;;) {
        struct span s;
        sleep(MERGE_EVERY_S_MIN + (unsigned)(random() % (MERGE_EVERY_S_MAX - MERGE_EVERY_S_MIN)));
        span_begin(&s, "deliveries", SPAN_INTERNAL, NULL);
        int shelves = stock_merge();
        if (has_web)
            tell_web(shelves);
        span_end(&s);
    }
    return unused;
}

static int listen_on(const char *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0) {
        perror("inventory: listen");
        return -1;
    }
    return fd;
}

int main(void)
{
    const char *port = getenv("PORT"), *web_url = getenv("WEB_URL");
    pthread_t thread;
    sigset_t ends;
    int got;
    // Threads inherit the mask: the signals wait for sigwait below.
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    srandom((unsigned)time(NULL));
    has_web = web_url && place_parse(web_url, &web) == 0;
    int listening = listen_on(port ? port : "18082");
    if (listening < 0 || otlp_start() < 0)
        return 1;
    log_write(SEVERITY_INFO, "inventory listens on port %s", port ? port : "18082");
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, run_worker, &listening) != 0)
            return 1;
    if (pthread_create(&thread, NULL, run_merges, NULL) != 0)
        return 1;
    sigwait(&ends, &got);
    otlp_stop();
    _exit(0);
}
