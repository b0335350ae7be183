#include "net/tls.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/net_internal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define NET_TLS_MAGIC 0x7150c7e1u

struct net_tls {
    uint32_t magic;
    SSL_CTX *ctx;
};

struct tls_conn {
    SSL *ssl;
    bool wants_write, broken;
    int reason; // of the failure that broke it, as OpenSSL numbers it
};

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
                       unsigned in_n, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, in, in_n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int fail(struct net_tls *t, struct err *err, const char *what, const char *path)
{
    char text[200];
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    err_set(err, ERR_INVALID, "bad_tls_file", "cannot %s: %s", what, reason ? reason : text);
    err_set_place(err, "%s", path);
    err_set_hint(err, "--tls-cert and --tls-key want PEM files that belong together");
    ERR_clear_error();
    net_tls_free(t);
    return ERR_INVALID;
}

int net_tls_new(const char *cert_path, const char *key_path, struct net_tls **ret_tls, struct err *err)
{
    struct net_tls *t = mem_zalloc(sizeof *t);
    if (!t)
        return err_set(err, ERR_NOMEM, NULL, "no memory for TLS");
    t->magic = NET_TLS_MAGIC;
    t->ctx = SSL_CTX_new(TLS_server_method());
    if (!t->ctx) {
        net_tls_free(t);
        return err_set(err, ERR_NOMEM, NULL, "no memory for TLS");
    }
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Idle connections hold no record buffers.
    SSL_CTX_set_mode(t->ctx,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(t->ctx, select_alpn, NULL);
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF); // tickets are stateless
    if (SSL_CTX_use_certificate_chain_file(t->ctx, cert_path) != 1)
        return fail(t, err, "read the certificate", cert_path);
    if (SSL_CTX_use_PrivateKey_file(t->ctx, key_path, SSL_FILETYPE_PEM) != 1)
        return fail(t, err, "read the private key", key_path);
    if (SSL_CTX_check_private_key(t->ctx) != 1)
        return fail(t, err, "use the key with this certificate", key_path);
    *ret_tls = t;
    return 0;
}

void net_tls_free(struct net_tls *t)
{
    if (!t)
        return;
    MAGIC_CHECK(t, NET_TLS_MAGIC);
    SSL_CTX_free(t->ctx);
    t->magic = 0;
    mem_free(t);
}

int tls_conn_new(struct net_tls *t, int fd, struct tls_conn **ret)
{
    MAGIC_CHECK(t, NET_TLS_MAGIC);
    struct tls_conn *c = mem_zalloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->ssl = SSL_new(t->ctx);
    if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1) {
        ERR_clear_error();
        tls_conn_free(c);
        return ERR_NOMEM;
    }
    SSL_set_accept_state(c->ssl);
    *ret = c;
    return 0;
}

void tls_conn_free(struct tls_conn *c)
{
    if (!c)
        return;
    SSL_free(c->ssl);
    mem_free(c);
}

static ssize_t result(struct tls_conn *c, int rc)
{
    c->wants_write = false;
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        c->wants_write = true;
        return ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        c->broken = true; // no goodbye after a fatal error
        c->reason = ERR_GET_REASON(ERR_peek_error());
        ERR_clear_error();
        return ERR_CLOSED;
    }
}

ssize_t tls_conn_recv(struct tls_conn *c, void *p, size_t n)
{
    ERR_clear_error();
    int got = SSL_read(c->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
    if (got > 0)
        c->wants_write = false;
    return got > 0 ? got : result(c, got);
}

ssize_t tls_conn_send(struct tls_conn *c, const void *p, size_t n)
{
    ERR_clear_error();
    int sent = SSL_write(c->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
    if (sent > 0)
        return sent;
    ssize_t rc = result(c, sent);
    return rc == 0 ? ERR_CLOSED : rc;
}

bool tls_conn_wants_write(const struct tls_conn *c) { return c->wants_write; }

bool tls_conn_handshaken(const struct tls_conn *c) { return SSL_is_init_finished(c->ssl); }

bool tls_conn_odd(const struct tls_conn *c, enum net_odd *ret_odd)
{
    switch (c->reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER: // HTTP/2 by prior knowledge: its preface is no TLS record either
        *ret_odd = NET_ODD_PLAIN_ON_TLS;
        return true;
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        *ret_odd = NET_ODD_CERTIFICATE;
        return true;
    default:
        return false;
    }
}

void tls_conn_shutdown(struct tls_conn *c)
{
    ERR_clear_error();
    if (!c->broken && SSL_is_init_finished(c->ssl))
        SSL_shutdown(c->ssl);
    ERR_clear_error();
}
