// TLS 1.2+ for the server by OpenSSL 3, ALPN h2 and http/1.1.
#pragma once
#include "base/err.h"

struct net_tls;

// PEM files: the certificate (with its chain) and its private key. Errors name the file and the cause.
int net_tls_new(const char *cert_path, const char *key_path, struct net_tls **ret_tls, struct err *err);
void net_tls_free(struct net_tls *t);
