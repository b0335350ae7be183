#include "net/websocket.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/must.h"
#include "base/utf8.h"

#include <openssl/sha.h>

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80, LEN16 = 126, LEN64 = 127 };

void ws_reader_init(struct ws_reader *r, bool masked, size_t message_max)
{
    *r = (struct ws_reader){ .masked = masked, .message_max = message_max, .head_need = 2 };
    buf_init(&r->data, message_max);
}

void ws_reader_free(struct ws_reader *r) { buf_free(&r->data); }

static int refuse(uint16_t *ret_code, uint16_t code)
{
    *ret_code = code;
    return code == WS_TOO_BIG ? ERR_LIMIT : ERR_MALFORMED;
}

static bool is_control(uint8_t opcode) { return opcode & 8; }

static bool is_utf8(bytes p)
{
    for (const uint8_t *at = p.ptr, *end = p.ptr + p.len; at < end;) {
        size_t n = utf8_char_len(at, end);
        if (!n)
            return false;
        at += n;
    }
    return true;
}

// The first two bytes: what may come, and how long the rest of the head is.
static int begin_head(struct ws_reader *r, uint16_t *ret_code)
{
    uint8_t length = r->head[1] & 0x7f;
    r->fin = r->head[0] & FIN;
    r->opcode = r->head[0] & 0x0f;
    if ((r->head[0] & RESERVED) || !!(r->head[1] & MASKED) != r->masked)
        return refuse(ret_code, WS_PROTOCOL_ERROR);
    bool known = r->opcode <= WS_BINARY || (r->opcode >= WS_CLOSE && r->opcode <= WS_PONG);
    if (!known || (is_control(r->opcode) && (!r->fin || length > WS_CONTROL_MAX)))
        return refuse(ret_code, WS_PROTOCOL_ERROR);
    if (!is_control(r->opcode) && (r->opcode == WS_CONTINUATION) != (r->message != 0))
        return refuse(ret_code, WS_PROTOCOL_ERROR);
    r->head_need = (uint8_t)(2 + (length == LEN16 ? 2 : length == LEN64 ? 8 : 0) + (r->masked ? 4 : 0));
    return 0;
}

static int end_head(struct ws_reader *r, uint16_t *ret_code)
{
    uint8_t length = r->head[1] & 0x7f;
    r->left = length;
    if (length == LEN16)
        r->left = (uint64_t)r->head[2] << 8 | r->head[3];
    else if (length == LEN64)
        r->left = be64_get(r->head + 2);
    if ((length == LEN16 && r->left < LEN16) || (length == LEN64 && (r->left >> 16 == 0 || r->left >> 63)))
        return refuse(ret_code, WS_PROTOCOL_ERROR); // not the shortest form
    r->mask_at = 0;
    r->control_n = 0;
    if (is_control(r->opcode))
        return 0;
    if (r->left > r->message_max - r->data.len)
        return refuse(ret_code, WS_TOO_BIG);
    if (r->opcode != WS_CONTINUATION)
        r->message = r->opcode;
    return 0;
}

static void unmask(struct ws_reader *r, uint8_t *p, size_t n)
{
    if (!r->masked)
        return;
    const uint8_t *mask = r->head + r->head_need - 4;
    for (size_t i = 0; i < n; i++)
        p[i] ^= mask[r->mask_at++ & 3];
}

static int take_payload(struct ws_reader *r, bytes *in)
{
    size_t n = in->len < r->left ? in->len : (size_t)r->left;
    uint8_t *to;
    if (is_control(r->opcode)) {
        to = r->control + r->control_n;
        r->control_n = (uint8_t)(r->control_n + n);
    } else if (!(to = buf_extend(&r->data, n))) {
        return r->data.error;
    }
    if (n)
        memcpy(to, in->ptr, n);
    unmask(r, to, n);
    in->ptr += n, in->len -= n;
    r->left -= n;
    return 0;
}

static int end_close(struct ws_reader *r, struct ws_event *ret, uint16_t *ret_code)
{
    bytes p = { r->control, r->control_n };
    *ret = (struct ws_event){ .what = WS_CLOSE, .code = WS_NO_CODE };
    r->closed = true;
    if (p.len == 0)
        return 1;
    if (p.len == 1)
        return refuse(ret_code, WS_PROTOCOL_ERROR);
    ret->code = (uint16_t)(p.ptr[0] << 8 | p.ptr[1]);
    ret->data = (bytes){ p.ptr + 2, p.len - 2 };
    if (!ws_close_code_ok(ret->code))
        return refuse(ret_code, WS_PROTOCOL_ERROR);
    return is_utf8(ret->data) ? 1 : refuse(ret_code, WS_BAD_TEXT);
}

// 1: an event; 0: the message goes on.
static int end_frame(struct ws_reader *r, struct ws_event *ret, uint16_t *ret_code)
{
    r->head_n = 0;
    r->head_need = 2;
    if (r->opcode == WS_CLOSE)
        return end_close(r, ret, ret_code);
    if (is_control(r->opcode)) {
        *ret = (struct ws_event){ .what = r->opcode, .data = { r->control, r->control_n } };
        return 1;
    }
    if (!r->fin)
        return 0;
    *ret = (struct ws_event){ .what = r->message, .data = buf_bytes(&r->data) };
    r->message = 0;
    return ret->what == WS_TEXT && !is_utf8(ret->data) ? refuse(ret_code, WS_BAD_TEXT) : 1;
}

static int read_head(struct ws_reader *r, bytes *in, uint16_t *ret_code)
{
    while (r->head_n < r->head_need && in->len) {
        r->head[r->head_n++] = *in->ptr;
        in->ptr++, in->len--;
        int rc = r->head_n == 2 ? begin_head(r, ret_code) : 0;
        if (rc < 0)
            return rc;
    }
    if (r->head_n < r->head_need)
        return 0;
    int rc = end_head(r, ret_code);
    return rc < 0 ? rc : 1;
}

int ws_read(struct ws_reader *r, bytes *in, struct ws_event *ret, uint16_t *ret_code)
{
    must(!r->closed);
    if (!r->message && r->data.len)
        buf_clear(&r->data); // the last event's
    while (in->len) {
        if (r->head_n < r->head_need) {
            int rc = read_head(r, in, ret_code);
            if (rc < 0)
                return rc;
            if (rc == 0)
                return 0;
        }
        int rc = take_payload(r, in);
        if (rc < 0) {
            *ret_code = WS_TRY_LATER;
            return rc;
        }
        if (r->left)
            return 0;
        rc = end_frame(r, ret, ret_code);
        if (rc)
            return rc;
    }
    return 0;
}

// --- writing ---

int ws_write(struct buf *out, enum ws_opcode opcode, bytes payload, const uint8_t mask[4])
{
    uint8_t head[WS_HEAD_MAX];
    size_t n = 2;
    must(!is_control((uint8_t)opcode) || payload.len <= WS_CONTROL_MAX);
    head[0] = (uint8_t)(FIN | opcode);
    if (payload.len < LEN16) {
        head[1] = (uint8_t)payload.len;
    } else if (payload.len <= UINT16_MAX) {
        head[1] = LEN16;
        head[2] = (uint8_t)(payload.len >> 8);
        head[3] = (uint8_t)payload.len;
        n = 4;
    } else {
        head[1] = LEN64;
        be64_put(head + 2, payload.len);
        n = 10;
    }
    if (mask) {
        head[1] |= MASKED;
        memcpy(head + n, mask, 4);
        n += 4;
    }
    uint8_t *to = buf_extend(out, n + payload.len);
    if (!to)
        return out->error;
    memcpy(to, head, n);
    to += n;
    if (!mask && payload.len)
        memcpy(to, payload.ptr, payload.len);
    for (size_t i = 0; mask && i < payload.len; i++)
        to[i] = payload.ptr[i] ^ mask[i & 3];
    return 0;
}

int ws_write_close(struct buf *out, uint16_t code, str reason, const uint8_t mask[4])
{
    uint8_t p[WS_CONTROL_MAX] = { (uint8_t)(code >> 8), (uint8_t)code };
    if (code == WS_NO_CODE)
        return ws_write(out, WS_CLOSE, (bytes){ 0 }, mask);
    reason = utf8_cut(reason, sizeof p - 2);
    if (reason.len)
        memcpy(p + 2, reason.ptr, reason.len);
    return ws_write(out, WS_CLOSE, (bytes){ p, 2 + reason.len }, mask);
}

bool ws_close_code_ok(uint16_t code)
{
    if (code >= 3000)
        return code < 5000;
    return code >= WS_NORMAL && code <= 1014 && code != 1004 && code != WS_NO_CODE && code != WS_ABNORMAL;
}

void ws_accept_of(str key, char out[WS_ACCEPT_LEN])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[WS_KEY_LEN + sizeof guid - 1], sum[SHA_DIGEST_LENGTH];
    must(key.len == WS_KEY_LEN);
    memcpy(text, key.ptr, WS_KEY_LEN);
    memcpy(text + WS_KEY_LEN, guid, sizeof guid - 1);
    SHA1(text, sizeof text, sum);
    base64_encode(out, sum, sizeof sum);
}

bool ws_key_ok(str key)
{
    uint8_t raw[WS_KEY_LEN];
    size_t n;
    return key.len == WS_KEY_LEN && base64_decode(raw, key, &n) && n == 16;
}
