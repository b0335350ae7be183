// The client's connection: connect, send, receive, each with a time-out and an end on request.
#pragma once
#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>
#include <sys/types.h>

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
    bool plain_loopback_only, pinned;
    uint8_t pin[32];
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
// The SHA-256 of the peer's public key; false without TLS.
bool client_io_peer_key(struct client_io *io, uint8_t ret_sha256[32]);
// Without waiting: bytes moved, or ERR_AGAIN (what the descriptor must be ready for is in *ret_events), ERR_CLOSED, ERR_DENIED.
ssize_t client_io_try_send(struct client_io *io, const void *p, size_t n, uint32_t *ret_events);
ssize_t client_io_try_recv(struct client_io *io, void *p, size_t n, uint32_t *ret_events);

// The head of a GET whose answer may be 101; what follows it is in *ret_in, and the connection in *ret_io. Both are the client's.
struct net_answer;
struct net_client;
int net_client_upgrade(struct net_client *c, str target, struct net_answer *ret_answer, struct client_io **ret_io,
                       struct buf **ret_in, struct err *err);
