// WebSocket on the server: a request becomes a connection of messages (HTTP/1.1; HTTP/2's way is not spoken).
//
// All callbacks run on the connection's I/O thread, one at a time, and must be quick: pass work on, and hold the
// connection meanwhile when it must not run ahead. Two references keep a struct ws: the connection's (given up after closed()) and
// the caller's (given up with ws_release()); its request, and what hangs on that (user, arena), live as long.
#pragma once
#include "net/request.h"
#include "net/websocket.h"

struct ws;

struct ws_handler {
    void (*message)(struct ws *ws, bool text, bytes m, void *ctx); // m is valid during the call
    void (*drained)(struct ws *ws, void *ctx); // may be NULL: ws_send() has said ERR_AGAIN, and there is room again
    // Once, the last call: the connection has ended, with the peer's code, WS_ABNORMAL without one.
    void (*closed)(struct ws *ws, uint16_t code, void *ctx);
};

struct ws_options {
    size_t message_max;  // 0: the server's limit
    bool origin_checked; // else an Origin that is not the server's own is refused: a browser says whose page asks
};

// The request asks for a WebSocket.
bool ws_wanted(const struct http_request *req);
// Accepts: the request belongs to the connection from now on. Else it has been answered (400, 403, 426, 503), and is gone: a
// negative code. Callbacks may come before this returns when the caller is not on the I/O thread.
int ws_accept(struct http_request *req, const struct ws_options *o, const struct ws_handler *handler, void *ctx,
              struct ws **ret);

// From any thread that has a reference. ERR_AGAIN: more waits for the peer than stream_buffer_bytes, nothing was taken, drained()
// will come; ERR_CLOSED, ERR_NOMEM.
int ws_send(struct ws *ws, bool text, bytes m);
// Says goodbye after what has been sent, waits a moment for the peer's, and ends the connection. closed() follows.
void ws_close(struct ws *ws, uint16_t code, str reason);
// While held no message is read (nor a ping answered): back-pressure. From any thread.
void ws_hold(struct ws *ws, bool hold);
struct http_request *ws_request(struct ws *ws);
void ws_retain(struct ws *ws);
// Closes it too, with WS_GOING_AWAY, if it is open and this was the last reference but the connection's.
void ws_release(struct ws *ws);
