// A server with handlers of every kind, and a blunt client, for the tests of the server.
#pragma once
#include "net/grpc.h"
#include "net/server.h"
#include "net/tls.h"

struct fixture {
    struct net_server *server;
    struct pool *pool;
    struct net_tls *tls;
    uint16_t port, tls_port;
    int port2_tag;
};

struct fixture_options {
    struct net_limits limits;
    int threads, workers;
    size_t queue_max;
    const char *cert, *key; // also listen with TLS
};

struct fixture_options fixture_options(void);
void fixture_start(struct fixture *f, const struct fixture_options *o);
int fixture_stop(struct fixture *f); // what net_server_stop() said; frees when that was 0
// Requests to /hold wait here until they are let go (or cancelled, which is counted).
int fixture_held(void);
void fixture_release(void);
int fixture_cancelled(void);
void fixture_wait_held(int n);
void fixture_wait_cancelled(int n);
// Workers in /block wait until they are let go.
void fixture_unblock(void);

// --- client ---

int client_connect(uint16_t port);
void client_send(int fd, const void *p, size_t n);
void client_text(int fd, const char *text);

struct response {
    int status;
    char head[8192];
    struct buf body;
    bool broken; // ended too early
};

// One answer; false at the end of the connection (or after 20 s of nothing).
bool client_response(int fd, struct response *r, bool head_request);
void response_free(struct response *r);
const char *response_header(struct response *r, const char *name); // static copy, or NULL
// Whether the peer closes within 20 s (reading on).
bool client_closed(int fd);
