#include "net/client_io.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/client.h"
#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

int client_io_init(struct client_io *io, const struct net_client_options *o)
{
    *io = (struct client_io){ .fd = -1, .connect_ms = 5000, .silence_ms = 30000 };
    io->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (io->cancel < 0)
        return err_of_errno(errno);
    if (!o)
        return 0;
    if (o->connect_ms)
        io->connect_ms = o->connect_ms;
    if (o->silence_ms)
        io->silence_ms = o->silence_ms;
    io->total_ms = o->total_ms;
    io->allow = o->allow;
    io->allow_ctx = o->allow_ctx;
    io->plain_loopback_only = o->plain_loopback_only;
    io->pinned = o->pin != NULL;
    if (o->pin)
        memcpy(io->pin, o->pin, sizeof io->pin);
    if (o->ca_path) {
        io->ca_path = mem_dup(o->ca_path, strlen(o->ca_path) + 1);
        if (!io->ca_path)
            return ERR_NOMEM;
    }
    return 0;
}

void client_io_done(struct client_io *io)
{
    client_io_close(io);
    SSL_CTX_free(io->tls_ctx);
    mem_free(io->ca_path);
    if (io->cancel >= 0)
        close(io->cancel);
}

void client_io_close(struct client_io *io)
{
    if (io->tls) {
        SSL_free(io->tls);
        io->tls = NULL;
    }
    if (io->fd >= 0)
        close(io->fd);
    io->fd = -1;
}

void client_io_cancel(struct client_io *io)
{
    uint64_t one = 1;
    int saved = errno;
    atomic_store(&io->cancelled, true);
    ssize_t rc = write(io->cancel, &one, sizeof one);
    (void)rc; // full: it is readable already
    errno = saved;
}

// Until fd is ready for events; ms -1: for ever.
static int wait_ready(struct client_io *io, short events, int ms, struct err *err)
{
    struct pollfd p[2] = { { io->fd, events, 0 }, { io->cancel, POLLIN, 0 } };
    int n;
    if (io->end) {
        int64_t left = (io->end - clock_mono_ns()) / NS_PER_MS;
        ms = left < 0 ? 0 : ms < 0 || left < ms ? (int)left : ms;
    }
    do
        n = poll(p, 2, ms);
    while (n < 0 && errno == EINTR && !atomic_load(&io->cancelled));
    if (atomic_load(&io->cancelled))
        return err_set(err, ERR_CANCELLED, "cancelled", "cancelled");
    if (n < 0)
        return err_set(err, err_of_errno(errno), NULL, "cannot wait for the server: %s", strerror(errno));
    if (n == 0)
        return err_set(err, ERR_TIMEOUT, "timeout", "the server did not answer in time");
    return 0;
}

static int broken(struct err *err, ssize_t code)
{
    return err_set(err, (int)code, "closed", "the connection to the server broke: %s", err_text((int)code));
}

// --- TLS ---

static int tls_failed(struct client_io *io, struct err *err, const char *what)
{
    long verify = io->tls ? SSL_get_verify_result(io->tls) : X509_V_OK;
    const char *reason =
        verify != X509_V_OK ? X509_verify_cert_error_string(verify) : ERR_reason_error_string(ERR_peek_error());
    err_set(err, ERR_DENIED, "tls", "%s: %s", what, reason ? reason : "TLS failed");
    ERR_clear_error();
    return ERR_DENIED;
}

static int tls_prepare(struct client_io *io, struct err *err)
{
    if (io->tls_ctx)
        return 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return err_set(err, ERR_NOMEM, NULL, "no memory for TLS");
    io->tls_ctx = ctx;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int ok =
        io->ca_path ? SSL_CTX_load_verify_locations(ctx, io->ca_path, NULL) : SSL_CTX_set_default_verify_paths(ctx);
    return ok == 1 ? 0 : tls_failed(io, err, "cannot read the trusted certificates");
}

// ERR_AGAIN after waiting for what TLS wants, or what has failed.
static int tls_wait(struct client_io *io, int rc, int ms, struct err *err)
{
    switch (SSL_get_error(io->tls, rc)) {
    case SSL_ERROR_WANT_READ:
        rc = wait_ready(io, POLLIN, ms, err);
        return rc < 0 ? rc : ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        rc = wait_ready(io, POLLOUT, ms, err);
        return rc < 0 ? rc : ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return broken(err, ERR_CLOSED);
    default:
        return tls_failed(io, err, "the TLS connection failed");
    }
}

bool client_io_peer_key(struct client_io *io, uint8_t ret_sha256[32])
{
    X509 *cert = io->tls ? SSL_get0_peer_certificate(io->tls) : NULL;
    unsigned char *der = NULL;
    int n = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der) : -1;
    if (n <= 0)
        return false;
    SHA256(der, (size_t)n, ret_sha256);
    OPENSSL_free(der);
    return true;
}

static int check_pin(struct client_io *io, struct err *err)
{
    uint8_t key[32];
    if (!io->pinned || (client_io_peer_key(io, key) && CRYPTO_memcmp(key, io->pin, sizeof key) == 0))
        return 0;
    err_set(err, ERR_DENIED, "wrong_key", "the server's key is not the one that was pinned");
    err_set_hint(err, "if the server's key was changed on purpose, enrol this host again");
    return ERR_DENIED;
}

int client_io_tls(struct client_io *io, const char *host, struct err *err)
{
    int rc = tls_prepare(io, err);
    if (rc < 0)
        return rc;
    SSL *ssl = SSL_new(io->tls_ctx);
    if (!ssl)
        return err_set(err, ERR_NOMEM, NULL, "no memory for TLS");
    io->tls = ssl;
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    int ok = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
                        : SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, host);
    if (io->pinned)
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); // the key itself is known: nobody has to vouch for it
    if (ok != 1 || SSL_set_fd(ssl, io->fd) != 1)
        return tls_failed(io, err, "cannot begin TLS");
    do {
        ERR_clear_error();
        rc = SSL_connect(ssl);
        if (rc == 1)
            return check_pin(io, err);
        rc = tls_wait(io, rc, io->connect_ms, err);
    } while (rc == ERR_AGAIN);
    return rc;
}

// --- connecting ---

static int connect_to(struct client_io *io, const struct socket_address *a, struct err *err)
{
    char text[SOCKET_ADDRESS_TEXT];
    socket_address_format(a, text);
    int rc = socket_connect(a, &io->fd);
    if (rc == 0)
        rc = wait_ready(io, POLLOUT, io->connect_ms, err);
    if (rc == ERR_CANCELLED)
        return rc;
    if (rc == 0)
        rc = socket_error(io->fd);
    if (rc == ERR_CLOSED) {
        err_set(err, rc, "not_running", "nobody listens on %s", text);
        err_set_hint(err, "start it with: clew serve");
    } else if (rc < 0) {
        err_set(err, rc, "cannot_connect", "cannot connect to %s: %s", text, err_text(rc));
    }
    return rc;
}

int client_io_connect(struct client_io *io, const char *host, uint16_t port, bool tls, struct err *err)
{
    char service[8];
    io->end = io->total_ms ? clock_mono_ns() + io->total_ms * NS_PER_MS : 0;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *list = NULL;
    int failed = getaddrinfo(host, service, &want, &list);
    if (failed)
        return err_set(err, ERR_NOENT, "unknown_host", "cannot find the host \"%s\": %s", host, gai_strerror(failed));
    int rc = ERR_NOENT;
    for (struct addrinfo *at = list; at && rc < 0 && rc != ERR_CANCELLED; at = at->ai_next) {
        struct socket_address a = { 0 };
        if (at->ai_addrlen > sizeof a)
            continue;
        memcpy(&a, at->ai_addr, at->ai_addrlen);
        if (io->allow && !io->allow(io->allow_ctx, &a)) {
            rc = err_set(err, ERR_DENIED, "address_refused", "\"%s\" is an address that may not be called", host);
            continue;
        }
        if (!tls && io->plain_loopback_only && !socket_address_is_loopback(&a)) {
            rc = err_set(err, ERR_DENIED, "not_encrypted", "\"%s\" is another machine: the connection must be https://",
                         host);
            continue;
        }
        rc = connect_to(io, &a, err);
        if (rc < 0)
            client_io_close(io);
    }
    freeaddrinfo(list);
    if (rc == 0 && tls)
        rc = client_io_tls(io, host, err);
    if (rc < 0)
        client_io_close(io);
    return rc;
}

// --- bytes ---

// Asked before each piece, since a peer that always has one more is never waited for.
static int in_time(const struct client_io *io, struct err *err)
{
    return io->end && clock_mono_ns() >= io->end
               ? err_set(err, ERR_TIMEOUT, "timeout", "the server did not answer in time")
               : 0;
}

int client_io_send(struct client_io *io, const void *p, size_t n, struct err *err)
{
    const uint8_t *at = p;
    while (n) {
        ssize_t sent;
        int late = in_time(io, err);
        if (late < 0)
            return late;
        if (io->tls) {
            ERR_clear_error();
            sent = SSL_write(io->tls, at, n < INT_MAX ? (int)n : INT_MAX);
            if (sent <= 0)
                sent = tls_wait(io, (int)sent, io->silence_ms, err);
        } else {
            struct iovec iov = { (void *)at, n };
            sent = socket_sendv(io->fd, &iov, 1);
            if (sent == ERR_AGAIN) {
                int rc = wait_ready(io, POLLOUT, io->silence_ms, err);
                if (rc < 0)
                    return rc;
            } else if (sent < 0) {
                return broken(err, sent);
            }
        }
        if (sent < 0 && sent != ERR_AGAIN)
            return (int)sent;
        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
        }
    }
    return 0;
}

int client_io_recv(struct client_io *io, void *p, size_t n, size_t *ret_n, struct err *err)
{
    for (;;) {
        ssize_t got;
        int late = in_time(io, err);
        if (late < 0)
            return late;
        if (io->tls) {
            ERR_clear_error();
            got = SSL_read(io->tls, p, n < INT_MAX ? (int)n : INT_MAX);
            if (got <= 0) {
                if (SSL_get_error(io->tls, (int)got) == SSL_ERROR_ZERO_RETURN) {
                    *ret_n = 0;
                    return 0;
                }
                got = tls_wait(io, (int)got, io->silence_ms, err);
            }
        } else {
            got = socket_recv(io->fd, p, n);
            if (got == ERR_AGAIN) {
                int rc = wait_ready(io, POLLIN, io->silence_ms, err);
                if (rc < 0)
                    return rc;
            } else if (got < 0) {
                return broken(err, got);
            }
        }
        if (got >= 0) {
            *ret_n = (size_t)got;
            return 0;
        }
        if (got != ERR_AGAIN)
            return (int)got;
    }
}

static ssize_t tls_try(struct client_io *io, int rc, uint32_t *ret_events)
{
    switch (SSL_get_error(io->tls, rc)) {
    case SSL_ERROR_WANT_READ:
        *ret_events = POLLIN;
        return ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        *ret_events = POLLOUT;
        return ERR_AGAIN;
    default:
        ERR_clear_error();
        return ERR_CLOSED;
    }
}

ssize_t client_io_try_send(struct client_io *io, const void *p, size_t n, uint32_t *ret_events)
{
    *ret_events = POLLOUT;
    if (!io->tls) {
        struct iovec iov = { (void *)p, n };
        return socket_sendv(io->fd, &iov, 1);
    }
    ERR_clear_error();
    int sent = SSL_write(io->tls, p, n < INT_MAX ? (int)n : INT_MAX);
    return sent > 0 ? sent : tls_try(io, sent, ret_events);
}

ssize_t client_io_try_recv(struct client_io *io, void *p, size_t n, uint32_t *ret_events)
{
    *ret_events = POLLIN;
    if (!io->tls) {
        ssize_t got = socket_recv(io->fd, p, n);
        return got == 0 ? ERR_CLOSED : got;
    }
    ERR_clear_error();
    int got = SSL_read(io->tls, p, n < INT_MAX ? (int)n : INT_MAX);
    return got > 0 ? got : tls_try(io, got, ret_events);
}
