// A small HTTP/1.1 client that blocks, for the command line and other tools: one connection, kept alive
// from call to call, time-outs on every step. http:// and https:// (certificates and names are verified,
// against the system's store or ca_path).
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"

struct net_client;
struct socket_address;

struct net_client_options {
    int connect_ms;      // 0: 5000
    int silence_ms;      // longest time without a byte; 0: 30000; -1: for ever (tail)
    int total_ms;        // longest time of a connection, however busy it is; 0: for ever
    const char *ca_path; // NULL: the system's
    // May it connect to this address? Asked about each one that the host's name stands for, and the connection goes to that
    // one, whatever the name means a moment later. NULL: all. When none may: ERR_DENIED "address_refused".
    bool (*allow)(void *ctx, const struct socket_address *a);
    void *allow_ctx;
    bool plain_loopback_only; // http:// to anywhere but this machine is refused: ERR_DENIED "not_encrypted"
    const uint8_t
        *pin; // SHA-256 (32 bytes) of the server's public key (SPKI): the key that it must have, whoever has signed it
};

struct net_answer {
    int status;
    struct http_header *headers; // names in lower case; valid until the next call
    size_t headers_n;
};

// url: "http://127.0.0.1:2539" or "https://host[:port]", with or without a path, which goes in front of
// every target. Does not connect yet.
int net_client_new(str url, const struct net_client_options *options, struct net_client **ret, struct err *err);
void net_client_free(struct net_client *c);
// Added to every request (authorization ...): both are copied.
int net_client_header(struct net_client *c, str name, str value);

// One request and its whole answer. body.ptr NULL: without a body; type may be empty then. The answer's
// body is appended to out (whose max is the cap: ERR_LIMIT). A status of 4xx or 5xx is no error here.
// ERR_CLOSED: nobody listens, or the connection broke; ERR_TIMEOUT; ERR_MALFORMED: no HTTP; ERR_DENIED: TLS.
int net_client_call(struct net_client *c, str method, str target, str type, bytes body, struct net_answer *ret_answer,
                    struct buf *out, struct err *err);

// The same, giving each line of the answer (NDJSON, event streams; without its end) to fn as it
// arrives. begin is called with status and headers before the first line. A negative return of either
// ends the call with that code. Longest line: 16 MiB.
typedef int net_client_line_fn(void *ctx, str line);
typedef int net_client_begin_fn(void *ctx, const struct net_answer *answer);
int net_client_stream(struct net_client *c, str method, str target, str type, bytes body, net_client_begin_fn *begin,
                      net_client_line_fn *line, void *ctx, struct err *err);
// The SHA-256 of the connected server's public key; false without TLS or connection.
bool net_client_peer_key(struct net_client *c, uint8_t ret_sha256[32]);
// From a signal handler or another thread: the call under way ends with ERR_CANCELLED soon (async-signal-safe).
void net_client_cancel(struct net_client *c);
