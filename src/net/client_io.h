// The client's connection: connect, send, receive, each with a time-out and an end on request.
#pragma once
#include "base/err.h"

#include <stdatomic.h>

struct net_client_options;
struct socket_address;

struct client_io {
    int fd;     // -1: none
    int cancel; // eventfd
    _Atomic bool cancelled;
    int connect_ms, silence_ms, total_ms;
    int64_t end; // of the connection, ns of the monotonic clock; 0: none
    char *ca_path;
    bool (*allow)(void *ctx, const struct socket_address *a);
    void *allow_ctx;
    void *tls_ctx, *tls; // SSL_CTX, SSL
};

int client_io_init(struct client_io *io, const struct net_client_options *options);
void client_io_done(struct client_io *io);
// host: an address or a name, which is looked up; each of its addresses is tried.
int client_io_connect(struct client_io *io, const char *host, uint16_t port, bool tls, struct err *err);
// TLS from here on, on a connection that began without it (STARTTLS).
int client_io_tls(struct client_io *io, const char *host, struct err *err);
void client_io_close(struct client_io *io);
int client_io_send(struct client_io *io, const void *p, size_t n, struct err *err);
// *ret_n 0: the peer has ended the connection.
int client_io_recv(struct client_io *io, void *p, size_t n, size_t *ret_n, struct err *err);
void client_io_cancel(struct client_io *io);
