// WebSocket (RFC 6455) without I/O: bytes in, messages out, and frames to be sent. Both sides; no extensions.
#pragma once
#include "base/buf.h"
#include "base/bytes.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum ws_close_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_CODE = 1005,  // never sent: a close frame without one
    WS_ABNORMAL = 1006, // never sent: the connection ended without a close frame
    WS_BAD_TEXT = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_TRY_LATER = 1013,
};

enum { WS_KEY_LEN = 24, WS_ACCEPT_LEN = 28, WS_HEAD_MAX = 14, WS_CONTROL_MAX = 125 };

// Reads what the peer sends. Control frames may come between the frames of a message.
struct ws_reader {
    bool masked;        // the peer must mask (we are the server), else it must not
    size_t message_max; // bytes of a message, all of its frames
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_n, head_need;
    uint8_t opcode;  // of the frame
    uint8_t message; // opcode of the message that is being put together; 0: none
    bool fin, closed;
    uint32_t mask_at;
    uint64_t left; // of the frame's payload
    struct buf data;
    uint8_t control[WS_CONTROL_MAX];
    uint8_t control_n;
};

struct ws_event {
    enum ws_opcode what; // TEXT, BINARY (whole messages), PING, PONG, CLOSE
    bytes data;          // valid until the next call. CLOSE: the reason
    uint16_t code;       // CLOSE: WS_NO_CODE when there is none
};

void ws_reader_init(struct ws_reader *r, bool masked, size_t message_max);
void ws_reader_free(struct ws_reader *r);
// Takes from the front of *in: 1 and an event; 0 when *in is used up; or ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM with
// the code to close with in *ret_code. Nothing may be read after an error or a CLOSE.
int ws_read(struct ws_reader *r, bytes *in, struct ws_event *ret, uint16_t *ret_code);

// Appends one whole frame. mask NULL: not masked (the server's side).
int ws_write(struct buf *out, enum ws_opcode opcode, bytes payload, const uint8_t mask[4]);
// A close frame; code WS_NO_CODE: an empty one. The reason is cut to what fits.
int ws_write_close(struct buf *out, uint16_t code, str reason, const uint8_t mask[4]);
// A code that may stand in a close frame.
bool ws_close_code_ok(uint16_t code);

// Sec-WebSocket-Accept of a Sec-WebSocket-Key; no NUL is written.
void ws_accept_of(str key, char out[WS_ACCEPT_LEN]);
// A key is the base64 of 16 bytes.
bool ws_key_ok(str key);
