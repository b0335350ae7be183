// A WebSocket client that does not block once it is connected: the caller asks for messages until there are none, then waits for the
// descriptor (with a loop or poll), and so on. It asks before it waits for the first time: what came together with the answer to the
// handshake makes no descriptor readable. Connecting blocks, within the time-outs of net/client.h.
#pragma once
#include "net/client.h"
#include "net/websocket.h"

struct ws_client;

struct ws_client_options {
    size_t message_max; // bytes of a message that is received; 0: 8 MiB
    size_t queue_max;   // bytes that wait to be sent, above which ws_client_send() says ERR_AGAIN; 0: 1 MiB
};

// http is the connection to be: its headers, pin and time-outs count. It belongs to the client afterwards, also when this fails. target:
// "/path". ERR_DENIED with the slug "status_NNN" and the server's words when it answers anything but 101.
int ws_client_open(struct net_client *http, str target, const struct ws_client_options *o, struct ws_client **ret,
                   struct err *err);
// Breaks the connection off, after a goodbye if that can be sent at once (code WS_ABNORMAL: none). NULL is allowed.
void ws_client_close(struct ws_client *c, uint16_t code, str reason);

int ws_client_fd(const struct ws_client *c);
// What the descriptor is to be watched for now (EPOLLIN, EPOLLOUT); changes with every call below.
uint32_t ws_client_events(const struct ws_client *c);
// Queues one message and sends what it can. ERR_AGAIN: nothing was taken; ERR_CLOSED, ERR_NOMEM.
int ws_client_send(struct ws_client *c, bool text, bytes m);
// Bytes that wait to be sent.
size_t ws_client_queued(const struct ws_client *c);
// Bytes that have come since it was opened.
uint64_t ws_client_received(const struct ws_client *c);
int ws_client_ping(struct ws_client *c);
// Sends what waits, answers pings, and gives the next message: 1 (TEXT, BINARY, PONG, or CLOSE, the last one), 0: none yet, also after some
// hundred kilobytes without a whole one (the descriptor is readable then); or a negative code: the connection is over. The event's data
// is valid until the next call.
int ws_client_next(struct ws_client *c, struct ws_event *ret, struct err *err);
