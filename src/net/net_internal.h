// What the files of the server share. Everything here belongs to one I/O thread, unless it says otherwise.
//
//   net_server --- net_io (a thread and its loop) --- net_conn --- http_request_internal
//
// A connection that has ended is only marked (dead) and freed between two turns of the loop, with its
// requests, so that no function has to know whether one that it called has ended it. A request outlives its connection while
// a handler owns it.
#pragma once
#include "net/body_file.h"
#include "net/http1.h"
#include "net/inflate.h"
#include "net/server.h"

#include <pthread.h>

enum {
    NET_SCRATCH = 128 << 10,    // what one recv() may bring in
    NET_CHAIN_HIGH = 256 << 10, // bytes waiting for the client, above which nothing new is read or produced
    NET_BODY_FIRST = 64 << 10,  // bytes of a body that are reserved before any has arrived, under pressure
    NET_BODY_MEMORY = 1 << 20,  // bytes of a body in memory, when its route has a directory for the rest
    NET_BODY_STEP = 4 << 20,    // by which a body's file grows
    NET_DISCARD_MAX = 1 << 20,  // bytes of a refused body that are read to keep the connection
    NET_LINGER_MS = 2000,       // reading on after the last answer, so that the client can read it
    NET_HEAD_ARENA = 256 << 10, // request head and the answer's headers
    NET_RETRY_AFTER_S = 1,
    NET_SSE_HEARTBEAT_MS = 15000,
};

#define NET_BODY_FILES ((uint64_t)2 << 30) // bytes of bodies on the disk, of all requests

// --- counters ---

enum net_hit {
#define NET_HIT_ENTRY(name, type, value, text) NET_HIT_##name,
    NET_LIMITS(NET_HIT_ENTRY)
#undef NET_HIT_ENTRY
        NET_HIT_queue,
    NET_HIT_COUNT
};

struct net_counters { // of any thread
    _Atomic uint64_t hits[NET_HIT_COUNT];
    _Atomic uint64_t connections_open, connections_total, connections_busy, requests_total, requests_open,
        requests_malformed, requests_cancelled, body_bytes_held, body_bytes_filed, bytes_received, bytes_sent,
        tls_failures, h2_connections_total;
};

#define NET_COUNT(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define NET_UNCOUNT(counter, n) atomic_fetch_sub_explicit(&(counter), (n), memory_order_relaxed)

// --- output: a list of pieces that own their bytes or borrow static ones ---

struct net_seg {
    struct net_seg *next;
    const uint8_t *ptr;
    size_t len;
    uint8_t *owned; // freed with the piece
    uint8_t data[];
};

struct net_chain {
    struct net_seg *first, **last;
    size_t bytes;
};

void chain_init(struct net_chain *c);
void chain_free(struct net_chain *c);
void chain_add(struct net_chain *c, struct net_seg *seg);
void chain_move(struct net_chain *to, struct net_chain *from);
// Takes the first piece off (the caller frees it), or NULL.
struct net_seg *chain_take(struct net_chain *c);
// Drops n bytes from the front.
void chain_advance(struct net_chain *c, size_t n);
// All return NULL for want of memory. seg_take owns p even then.
struct net_seg *seg_copy(const void *p, size_t n);
struct net_seg *seg_take(uint8_t *p, size_t n);
struct net_seg *seg_borrow(const void *p, size_t n);
void seg_free(struct net_seg *seg);

// --- requests ---

enum request_state {
    REQUEST_HEAD,    // HTTP/2: headers are arriving
    REQUEST_BODY,    // the body is arriving; owned by the connection
    REQUEST_HANDLED, // owned by a handler, until its answer is complete
    REQUEST_DONE,    // the answer is complete: owned by the connection again
};

struct http_stream {
    struct http_request_internal *r;
    pthread_cond_t drained; // with r->lock
    void (*on_drain)(struct http_stream *s, void *ctx);
    void *on_drain_ctx;
    bool sse, waiting, hungry; // hungry: was refused room, wants on_drain
    struct timer heartbeat;
};

struct http_request_internal {
    struct http_request pub;
    struct net_io *io;
    struct net_conn *conn; // NULL: it has ended
    struct http_request_internal *next, **prev;
    enum request_state state;
    int32_t stream_id; // HTTP/2
    bool routed, counted_open, keep_alive, continue_owed, body_ended;
    struct http_route route;
    struct arena head;
    size_t head_n, headers_cap; // HTTP/2: bytes and room of the headers so far
    int head_refused;           // HTTP/2: the status to refuse them with

    // The body as it arrives
    uint8_t *body;
    size_t body_n, body_cap, body_alloc; // body_cap may be used, body_alloc is there
    struct body_file *body_file;         // not NULL: `body` is its
    int64_t body_expected;               // -1: unknown
    size_t reserved;                     // of body_bytes_in_flight
    int64_t body_from_ns, body_last_ns;
    struct buf inflated;
    struct pool_job job;
    struct timer deadline;

    // Shared between the handler's thread and the loop, under lock
    pthread_mutex_t lock;
    struct loop_message message;
    bool posted;             // message is on its way, or about to be
    bool answered;           // the head of the answer is set: the rest below may be read
    bool ended, ok;          // no more pieces will come
    struct net_chain pieces; // not yet taken by the loop
    size_t queued;           // bytes of a stream in pieces and in ready
    http_cancel_hook *hook;
    void *hook_ctx;
    _Atomic bool cancelled;

    // The answer's head, constant once answered
    int status;
    struct http_header *answer_headers;
    size_t answer_headers_n;
    bool streaming, grpc_answer;
    int grpc_status;
    str grpc_message, grpc_details; // encoded as they go into trailers

    // The loop's side of the answer
    bool head_sent, all_taken;
    struct net_chain ready;
    struct http_stream stream;
    struct ws *ws; // it has become a WebSocket
};

static inline struct http_request_internal *request_of(struct http_request *req) { return req->internal; }

// NULL for want of memory.
struct http_request_internal *request_new(struct net_conn *c);
void request_free(struct http_request_internal *r);
// The connection has ended, or the stream was reset: frees, or leaves it to its handler.
void request_detach(struct http_request_internal *r);
void request_cancel(struct http_request_internal *r);
// Head complete: counts, asks the route, checks encodings and sizes. The request may be answered afterwards
// (r->answered): then its body is to be thrown away.
void request_route(struct http_request_internal *r);
// A piece of the body: the room where it may be received (a size is a wish), and that it has been. NULL: refused
// (answered already).
uint8_t *request_body_room(struct http_request_internal *r, size_t want, size_t *ret_n);
void request_body_arrived(struct http_request_internal *r, size_t n);
bool request_body_copy(struct http_request_internal *r, bytes p); // false: refused
void request_body_done(struct http_request_internal *r);          // runs the handler
// When the client is too slow (monotonic ns).
int64_t request_body_deadline_ns(const struct http_request_internal *r);
// The server's own refusal. On the loop's thread or a worker.
void request_refuse(struct http_request_internal *r, int status, int retry_after_s, const char *message);
bool request_answered(struct http_request_internal *r);
// On the loop: takes what the handler has added to the answer into r->ready; whether the answer has begun.
bool request_take_answer(struct http_request_internal *r);
// On the loop, after pieces have left r->ready: tells a waiting producer.
void request_drained(struct http_request_internal *r, size_t n);
void stream_begin_on_loop(struct http_request_internal *r);
// Begins an answer that turns the connection over to ws; false (nothing has been done): the client has left.
bool stream_upgrade(struct http_request_internal *r, struct http_header *h, size_t n, struct ws *ws);
// Under lock, from any thread: has the loop look at the request's answer.
bool request_post_locked(struct http_request_internal *r);

// --- connections ---

enum net_proto { NET_PROTO_UNKNOWN, NET_PROTO_H1, NET_PROTO_H2 };
// What comes next; CLOSED: nothing is read; UPGRADED: WebSocket's frames
enum h1_phase { H1_HEAD, H1_BODY_FIXED, H1_BODY_CHUNKED, H1_CLOSED, H1_UPGRADED };

struct tls_conn;
struct h2;

struct net_conn {
    uint32_t magic;
    uint8_t proto, phase;
    bool dead;      // to be freed
    bool closing;   // ends when the chain is empty
    bool last;      // no further request is read: ends when all are answered
    bool linger;    // ... and then reads on for a moment
    bool lingering; // does that now
    bool eof;       // the peer sends no more
    bool paused;    // the rest of in waits until earlier requests are answered
    bool dirty;     // on io->dirty
    bool busy;      // counted in connections_busy
    struct net_io *io;
    struct net_listener *listener;
    struct loop_watch watch;
    struct timer timer;
    struct net_conn *next, **prev, *dirty_next;
    struct socket_address peer, local;
    struct tls_conn *tls;
    struct net_chain out;
    struct http_request_internal *requests, **requests_last;
    size_t requests_n;
    int64_t since_ns; // idle, or the head begun, or lingering, since then
    int64_t wrote_ns; // last progress of out
    struct buf in;    // what has arrived and could not be used yet
    // HTTP/1
    size_t scanned;
    struct http_request_internal *reading; // whose body arrives; NULL: it is thrown away
    int64_t left;                          // of a body with a length
    size_t discarded;
    struct http1_chunked chunked;
    // HTTP/2
    struct h2 *h2;
};

#define NET_CONN_MAGIC 0xc0e7ec70u

void conn_new(struct net_io *io, struct net_listener *listener, int fd, const struct socket_address *peer);
// Ends it now: descriptor closed, requests detached. Freed later.
void conn_kill(struct net_conn *c);
void conn_link_request(struct net_conn *c, struct http_request_internal *r);
void conn_unlink_request(struct http_request_internal *r);
// > 0 bytes; 0: end; ERR_AGAIN; else broken.
ssize_t conn_recv(struct net_conn *c, void *p, size_t n);
// Sends what it can of out; kills the connection when it is broken.
void conn_flush(struct net_conn *c);
void conn_out(struct net_conn *c, struct net_seg *seg); // NULL (no memory): kills
// Reading on or off, writing on or off, timer: after any change.
void conn_update(struct net_conn *c);
// Has the loop call conn_answers() once this turn's messages have been seen.
void conn_mark_dirty(struct net_conn *c);
void conn_answers(struct net_conn *c);
void conn_stop(struct net_conn *c); // the server stops
// Keeps a copy of in behind what is kept already.
bool conn_keep(struct net_conn *c, bytes in);

// HTTP/1: takes what has arrived, sends what is answered.
void h1_input(struct net_conn *c, bytes *in);
void h1_answers(struct net_conn *c);
// Room for a direct recv() of a body, or NULL.
uint8_t *h1_body_room(struct net_conn *c, size_t *ret_n);
void h1_body_arrived(struct net_conn *c, size_t n);
// Answers with a status of the server's own, and closes.
void h1_fail(struct net_conn *c, int status, const char *message);

// A connection that has become a WebSocket: the answer that says so, what has arrived, what is to be sent, and both ends.
void ws_begin_on_loop(struct net_conn *c, struct http_request_internal *r);
void ws_input(struct net_conn *c, bytes *in);
void ws_answers(struct net_conn *c, struct http_request_internal *r);
void ws_stop_on_loop(struct http_request_internal *r);
void ws_gone(struct ws *ws); // its connection has ended

int h2_begin(struct net_conn *c);
void h2_free(struct net_conn *c);
void h2_input(struct net_conn *c, bytes in);
void h2_answers(struct net_conn *c);
void h2_answer_ready(struct http_request_internal *r);
void h2_stop(struct net_conn *c);
// The deadline of a request that has not been answered has passed: says so and detaches it.
void h2_deadline(struct http_request_internal *r);
// Resets the stream of a request whose body stalls.
void h2_reset(struct http_request_internal *r);

// --- TLS ---

int tls_conn_new(struct net_tls *t, int fd, struct tls_conn **ret);
void tls_conn_free(struct tls_conn *t);
ssize_t tls_conn_recv(struct tls_conn *t, void *p, size_t n);
ssize_t tls_conn_send(struct tls_conn *t, const void *p, size_t n);
bool tls_conn_wants_write(const struct tls_conn *t); // to go on reading
bool tls_conn_handshaken(const struct tls_conn *t);
// Why the handshake failed, as far as it is of interest (enum net_odd); false: for another reason.
bool tls_conn_odd(const struct tls_conn *t, enum net_odd *ret_odd);
void tls_conn_shutdown(struct tls_conn *t); // says goodbye, if it can be sent at once

// --- threads and the server ---

struct net_listener {
    struct net_io *io;
    struct loop_watch watch;
    struct timer pause; // no descriptors left: try again later
    struct socket_address address;
    int tag;
    struct net_tls *tls;
};

struct net_io {
    struct net_server *server;
    int index;
    struct loop *loop;
    pthread_t thread;
    bool started, stopping, drained;
    struct net_listener *listeners; // as many as the server has addresses
    size_t listeners_n;
    struct net_conn *conns, *dead, *dirty;
    struct http_request_internal *dead_requests;
    size_t requests_owned;       // by handlers
    uint8_t *scratch;            // of recv()
    struct http_header *headers; // of a head being parsed
    struct loop_message flush, stop, cut;
    bool flush_posted;
    int64_t date_s;
    char date[HTTP_DATE_LEN + 1];
};

enum { NET_BODIES_KEPT = 32 };

struct net_body_cache {
    pthread_mutex_t lock;
    size_t n, bytes;
    struct {
        uint8_t *ptr;
        size_t cap;
    } kept[NET_BODIES_KEPT]; // oldest first
};

void body_cache_init(struct net_body_cache *c);
void body_cache_free(struct net_body_cache *c);
// A kept buffer of at least need bytes and at most about twice that, or NULL.
uint8_t *body_cache_take(struct net_body_cache *c, size_t need, size_t *ret_cap);
// Keeps p (cap bytes, of mem.h) or frees it.
void body_cache_give(struct net_body_cache *c, uint8_t *p, size_t cap);

enum { NET_ADDRESSES_MAX = 16, NET_PEER_BUCKETS = 4096 };

struct net_peer;

struct net_server {
    uint32_t magic;
    struct net_config config;
    struct net_counters counters;
    struct net_body_cache bodies;
    struct net_io *io;
    int threads;
    size_t addresses_n;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed; // an io has drained
    // Open connections by peer, under peers_lock
    pthread_mutex_t peers_lock;
    struct net_peer *peers[NET_PEER_BUCKETS];
};

#define NET_SERVER_MAGIC 0x5e77e44eu

static inline const struct net_limits *io_limits(const struct net_io *io) { return &io->server->config.limits; }
static inline struct net_counters *io_counters(struct net_io *io) { return &io->server->counters; }
static inline void io_hit(struct net_io *io, enum net_hit hit) { NET_COUNT(io->server->counters.hits[hit], 1); }
static inline void io_observe(struct net_io *io, enum net_odd what, const struct socket_address *peer,
                              const struct socket_address *local, const struct http_request *req)
{
    const struct net_config *config = &io->server->config;
    struct net_observed o = { what, peer, local, req };
    if (config->observe)
        config->observe(&o, config->ctx);
}
const char *io_date(struct net_io *io);
// Whether the io has nothing left to do after a stop.
void io_check_drained(struct net_io *io);
int accept_listen(struct net_listener *l, bool first, struct err *err);
void accept_close(struct net_listener *l);
void accept_pending(struct net_listener *l);
// Counts a connection of that peer: false when it has too many.
bool peers_enter(struct net_server *s, const struct socket_address *peer);
void peers_leave(struct net_server *s, const struct socket_address *peer);
void peers_free(struct net_server *s);
