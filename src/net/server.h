// The server: I/O threads with a loop, a listener an address and their connections each; HTTP/1.1,
// HTTP/2 (prior knowledge, ALPN) and gRPC on every address, with TLS when given a key.
//
// What is refused is refused early and with a status that clients try again after when the condition
// passes (503 + Retry-After, gRPC UNAVAILABLE + RetryInfo). Each limit has a name, a default
// and a counter of how often it was hit.
#pragma once
#include "net/request.h"
#include "os/loop.h"

// Name, type, default, text. The text is for the configuration table and the metrics' help.
#define NET_LIMITS(X)                                                                                                  \
    X(connections, size_t, 20000, "open connections")                                                                  \
    X(connections_per_peer, size_t, 1024, "open connections of one address (IPv6: /64); loopback is exempt")           \
    X(body_bytes_in_flight, size_t, (size_t)256 << 20, "bytes of request bodies held at once, all connections")        \
    X(body_bytes, size_t, (size_t)64 << 20, "bytes of one body as sent, unless the route says otherwise")              \
    X(inflated_bytes, size_t, (size_t)128 << 20, "bytes of one body after inflating, unless the route says otherwise") \
    X(arena_bytes, size_t, (size_t)64 << 20,                                                                           \
      "bytes that handling one request may take, unless the route says otherwise")                                     \
    X(head_bytes, size_t, 32 << 10, "bytes of request line and headers")                                               \
    X(headers, size_t, 128, "headers of a request")                                                                    \
    X(target_bytes, size_t, 8 << 10, "bytes of a request's target (path and query)")                                   \
    X(pipeline_depth, size_t, 32, "requests of one HTTP/1 connection that wait for their answers")                     \
    X(streams, size_t, 128, "concurrent streams of one HTTP/2 connection")                                             \
    X(stream_buffer_bytes, size_t, 1 << 20, "bytes of a streamed answer that wait for a slow client")                  \
    X(ws_message_bytes, size_t, 8 << 20, "bytes of one WebSocket message")                                             \
    X(ws_ping_ms, int, 20000, "time after which a silent WebSocket is asked, and once more closed")                    \
    X(head_ms, int, 15000, "time for request line and headers")                                                        \
    X(idle_ms, int, 180000, "time that a connection may stay without a request")                                       \
    X(body_stall_ms, int, 20000, "time without a byte of a body")                                                      \
    X(body_rate, size_t, 200, "bytes a second of a body, on average after the first 20 s")                             \
    X(write_stall_ms, int, 30000, "time without a byte of an answer being taken")                                      \
    X(stop_ms, int, 10000, "time that a stopping server gives to what it has accepted")

struct net_limits {
#define NET_LIMIT_FIELD(name, type, value, text) type name;
    NET_LIMITS(NET_LIMIT_FIELD)
#undef NET_LIMIT_FIELD
};

// How often each was hit (requests or connections refused, delayed or closed for it), and the rest.
struct net_stats {
#define NET_STAT_FIELD(name, type, value, text) uint64_t hit_##name;
    NET_LIMITS(NET_STAT_FIELD)
#undef NET_STAT_FIELD
    uint64_t hit_queue; // a pool's queue was full
    uint64_t connections_open, connections_total;
    uint64_t connections_idle;   // open and without a request
    uint64_t requests_total;     // routed
    uint64_t requests_open;      // not answered yet
    uint64_t requests_malformed; // refused before the route
    uint64_t requests_cancelled; // the client left or the deadline passed
    uint64_t body_bytes_held;    // now
    uint64_t bytes_received, bytes_sent;
    uint64_t tls_failures;
    uint64_t h2_connections_total;
};

// Called instead of the plain default when the server itself refuses a routed request (limits, broken
// bodies): must answer with http_respond() at once. status: 400, 408, 413, 415, 429, 503 ...;
// retry_after_s 0: none. gRPC requests never come here. On the I/O thread or a worker.
typedef void http_refuse_fn(struct http_request *req, int status, int retry_after_s, str message, void *ctx);

// What nobody above would hear of: the server has refused it before a route, or (gRPC) without asking http_refuse_fn.
// For the diagnosis of clients; nothing is answered here, and nothing may be kept but copies. On an I/O thread or a worker.
enum net_odd {
    NET_ODD_TLS_ON_PLAIN,   // a TLS greeting on a plain port
    NET_ODD_PLAIN_ON_TLS,   // plain HTTP on a TLS port
    NET_ODD_CERTIFICATE,    // the client does not trust our certificate
    NET_ODD_GRPC_TOO_LARGE, // a message over the limit
    NET_ODD_GRPC_OTHER      // another refusal of a gRPC call
};
struct net_observed {
    enum net_odd what;
    const struct socket_address *peer, *local;
    const struct http_request *req; // NULL before there is one
};
typedef void net_observe_fn(const struct net_observed *o, void *ctx);

struct net_config {
    int threads; // I/O threads; 0: one a core, at most 16
    struct net_limits limits;
    http_route_fn *route;
    http_refuse_fn *refuse;  // NULL: a short text
    net_observe_fn *observe; // NULL: nobody
    void *ctx;               // of all three
};

struct net_server;
struct net_tls;

struct net_limits net_limits_default(void);
// Makes the loops (not yet running). Config is copied.
int net_server_new(const struct net_config *config, struct net_server **ret_server, struct err *err);
// Before start: adds an address. tag is given to each request (listener_tag). tls NULL: plain.
// *address gets the port that was chosen for 0.
int net_server_listen(struct net_server *s, struct socket_address *address, int tag, struct net_tls *tls,
                      struct err *err);
// Starts the threads; from now on requests arrive.
int net_server_start(struct net_server *s, struct err *err);
// Graceful: stops listening, ends idle connections, lets what was accepted be answered (streams are
// cancelled), closes. Blocks until all is answered or limits.stop_ms is over, when connections are
// cut. ERR_BUSY: handlers still owe answers; the loops then keep running so that these are harmless.
int net_server_stop(struct net_server *s);
// After a stop that returned 0, or if never started. NULL is allowed.
void net_server_free(struct net_server *s);
struct net_stats net_server_stats(struct net_server *s);
// The loops, for others' timers and messages: i < net_server_threads(). They run from start to the end of stop.
int net_server_threads(const struct net_server *s);
struct loop *net_server_loop(struct net_server *s, int i);
