// One request as the rooms above see it, the same for HTTP/1.1, HTTP/2 and gRPC, and the ways to
// answer it.
//
// Life: head read -> route (I/O thread: decides limits and who runs it, or answers at once) -> body
// read -> [worker: inflate] -> handler -> answered. From the route until it is answered the request
// belongs to whoever handles it, on one thread at a time, and may be passed on freely (a store
// answers when a commit is durable, from its own thread); nobody waits meanwhile. Each request is
// answered exactly once: by http_respond*(), grpc_respond() or http_stream_begin() ... _end(). After
// that call the request is gone: do not touch it, its arena or its body.
//
// The client may leave at any time: then http_request_cancelled() turns true, the on_cancel hook is
// called once, and the answer, which is still owed, goes nowhere.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "net/http.h"
#include "os/pool.h"
#include "os/socket.h"

#include <stdatomic.h>

struct http_request;
struct http_request_internal; // request_internal.h

typedef void http_handler(struct http_request *req, void *ctx);
typedef void http_cancel_hook(struct http_request *req, void *ctx);

struct http_request {
    uint32_t magic;
    enum http_version version;
    enum http_method method;
    str method_name;
    str scheme; // "http" or "https"
    str host;   // authority: of the Host header, :authority or an absolute target; lower case, with port
    str path;   // as sent, not decoded, begins with '/' (or is "*")
    str query;  // as sent, without '?'
    struct http_header *headers;
    size_t headers_n;
    bytes body;         // without transfer coding, content coding and gRPC framing; empty in the route
    size_t wire_body_n; // bytes of the body as they were sent
    bool is_grpc;
    int listener_tag;
    struct socket_address peer, local;
    int64_t received_ns; // monotonic, when the head was complete
    int64_t deadline_ns; // monotonic (grpc-timeout); 0: none. At it the server answers and cancels
    int worker;          // index of the pool's thread that runs the handler; -1 on an I/O thread
    struct arena arena;  // for the handler, capped by the route; freed with the request
    void *user;          // the rooms above keep here what they know of the caller (allocated in arena)
    struct http_request_internal *internal;
};

// Where the handler runs, with what an encoded body begins with when it is inflated (at most route.head_max bytes of it). False: it has
// answered, and the rest is not inflated.
typedef bool http_head_fn(struct http_request *req, bytes head, void *ctx);

#define HTTP_REQUEST_MAGIC 0x4e9ce570u

// What the route says of a request. Filled with the server's defaults before the route is called.
struct http_route {
    http_handler *handler; // must be set unless the route has answered
    http_head_fn *head;    // NULL, or asked before a coded body is inflated
    size_t head_max;       // bytes that it is given
    void *ctx;
    struct pool *pool;   // run the handler there (bodies are inflated there too); NULL: on the I/O thread
    size_t body_max;     // bytes as sent; over it 413
    size_t inflated_max; // bytes after inflating, and of one gRPC message; over it 413 / RESOURCE_EXHAUSTED
    size_t arena_max;
    // Not NULL: a directory into which a long body goes, so that it takes no memory while it arrives and is handled. For senders
    // who are known: a disk is filled more easily than it is emptied.
    const char *body_dir;
    bool any_encoding; // leave Content-Encoding alone: the body arrives as sent, never 415
};

// Called on the I/O thread with the head only. It fills *route, or refuses by answering at once with
// http_respond() (and then leaves route alone): the body is not read.
typedef void http_route_fn(struct http_request *req, struct http_route *route, void *ctx);

static inline str http_request_header(const struct http_request *req, str name)
{
    return http_header_get(req->headers, req->headers_n, name);
}
bool http_request_cancelled(const struct http_request *req);
// hook is called once, on the I/O thread, when the client leaves or the deadline passes; at once when
// that has happened already. It must only set flags or wake somebody, and must not answer. A hook is
// never running once the answer has been given, nor after http_request_on_cancel(req, NULL, NULL).
void http_request_on_cancel(struct http_request *req, http_cancel_hook *hook, void *ctx);
// Gives the body's memory (and its share of the bytes-in-flight limit) back before the answer: for
// requests that wait long after their body has been decoded.
void http_request_drop_body(struct http_request *req);

// --- answering; all from any thread ---

// Headers and body are copied. Content-Length, Date and Connection are set by the server; HEAD, 204
// and 304 send no body. Bodies of JSON, NDJSON and text are compressed when the client takes gzip, it
// pays, and the caller is a worker. On a gRPC request the status becomes the gRPC one that its
// mapping has, with a text body as message.
void http_respond(struct http_request *req, int status, const struct http_header *h, size_t n, bytes body);
// The same, moving the buffer (*body is empty afterwards).
void http_respond_take(struct http_request *req, int status, const struct http_header *h, size_t n, struct buf *body);
// The same without copying the body, which must live as long as the process (embedded files).
void http_respond_static(struct http_request *req, int status, const struct http_header *h, size_t n, bytes body);
// Shorthand: one content type, a text.
void http_respond_text(struct http_request *req, int status, str content_type, str body);

// --- streaming: answers whose end is not known yet (NDJSON, SSE) ---

struct http_stream;

// Begins the answer. The request stays readable until http_stream_end(). NULL only for want of memory
// (then the request has been answered: 503, and is gone).
struct http_stream *http_stream_begin(struct http_request *req, int status, const struct http_header *h, size_t n);
// Takes a copy of p. ERR_AGAIN: nothing was taken, more than the bound is waiting for the client: call
// http_stream_wait() on a worker, or come back on_drain. ERR_CLOSED: the client has left, the deadline
// has passed or the server stops: stop producing and end the stream. ERR_NOMEM: the same.
int http_stream_write(struct http_stream *s, bytes p);
// Blocks (never on an I/O thread) until there is room: 0, ERR_CLOSED, or ERR_TIMEOUT.
int http_stream_wait(struct http_stream *s, int timeout_ms);
// The two above: for workers. A client that takes nothing for the server's stall time is given up.
int http_stream_write_wait(struct http_stream *s, bytes p);
// hook is called on the I/O thread when http_stream_write() has said ERR_AGAIN and half of the bound is free
// again. It may write, or wake who does; it may still be running while another thread ends the stream.
void http_stream_on_drain(struct http_stream *s, void (*hook)(struct http_stream *s, void *ctx), void *ctx);
struct http_request *http_stream_request(struct http_stream *s);
// ok false: the connection (HTTP/2: the stream) is broken off, so that the client cannot mistake
// what it has for all there was. The stream and its request are gone.
void http_stream_end(struct http_stream *s, bool ok);

// --- server-sent events (a stream with text/event-stream, no-store, and a comment every 15 s) ---

struct http_stream *http_sse_begin(struct http_request *req, const struct http_header *h, size_t n);
// event and id may be empty. Lines in data are split as the format needs. Errors as http_stream_write.
int http_sse_send(struct http_stream *s, str event, str id, str data);
