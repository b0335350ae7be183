// The parts of gRPC that need no connection: framing, time-outs, messages, google.rpc.Status.
#include "net/grpc.h"

#include "base/clock.h"
#include "base/err.h"

int grpc_timeout_parse(str s, int64_t *ret_ns)
{
    if (s.len < 2 || s.len > 9) // at most eight digits and the unit
        return ERR_MALFORMED;
    int64_t v = 0;
    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return ERR_MALFORMED;
        v = v * 10 + (s.ptr[i] - '0');
    }
    int64_t unit;
    switch (s.ptr[s.len - 1]) {
    case 'H':
        unit = 3600 * NS_PER_S;
        break;
    case 'M':
        unit = 60 * NS_PER_S;
        break;
    case 'S':
        unit = NS_PER_S;
        break;
    case 'm':
        unit = NS_PER_MS;
        break;
    case 'u':
        unit = NS_PER_US;
        break;
    case 'n':
        unit = 1;
        break;
    default:
        return ERR_MALFORMED;
    }
    if (__builtin_mul_overflow(v, unit, ret_ns))
        *ret_ns = INT64_MAX;
    return 0;
}

void grpc_message_encode(struct buf *out, str message)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < message.len; i++) {
        unsigned char c = (unsigned char)message.ptr[i];
        if (c >= 0x20 && c <= 0x7e && c != '%') {
            buf_byte(out, c);
        } else {
            uint8_t escape[3] = { '%', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15] };
            buf_append(out, escape, sizeof escape);
        }
    }
}

int grpc_unframe(bytes body, size_t max, bool *ret_compressed, bytes *ret_message)
{
    if (body.len < GRPC_PREFIX)
        return ERR_TRUNCATED;
    if (body.ptr[0] > 1)
        return ERR_MALFORMED;
    size_t len = (size_t)body.ptr[1] << 24 | (size_t)body.ptr[2] << 16 | (size_t)body.ptr[3] << 8 | body.ptr[4];
    if (len > max)
        return ERR_LIMIT;
    if (body.len - GRPC_PREFIX < len)
        return ERR_TRUNCATED;
    if (body.len - GRPC_PREFIX > len)
        return ERR_MALFORMED;
    *ret_compressed = body.ptr[0] == 1;
    *ret_message = (bytes){ body.ptr + GRPC_PREFIX, len };
    return 0;
}

void grpc_prefix_put(uint8_t out[GRPC_PREFIX], bool compressed, uint32_t len)
{
    out[0] = compressed;
    out[1] = (uint8_t)(len >> 24);
    out[2] = (uint8_t)(len >> 16);
    out[3] = (uint8_t)(len >> 8);
    out[4] = (uint8_t)len;
}

static size_t varint_len(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

void grpc_status_build(struct buf *out, int status, str message, int retry_after_ms)
{
    static const str retry_type = STR_INIT("type.googleapis.com/google.rpc.RetryInfo");
    if (status) { // google.rpc.Status.code = 1
        buf_byte(out, 0x08);
        buf_varint(out, (uint64_t)status);
    }
    if (message.len) { // .message = 2
        buf_byte(out, 0x12);
        buf_varint(out, message.len);
        buf_str(out, message);
    }
    if (retry_after_ms < 0)
        return;
    // .details = 3: google.protobuf.Any { type_url = 1, value = 2 } of
    // RetryInfo { retry_delay = 1: Duration { seconds = 1, nanos = 2 } }
    uint64_t seconds = (uint64_t)retry_after_ms / 1000, nanos = (uint64_t)retry_after_ms % 1000 * 1000000;
    size_t duration = (seconds ? 1 + varint_len(seconds) : 0) + (nanos ? 1 + varint_len(nanos) : 0);
    size_t info = 2 + duration;
    size_t any = 1 + varint_len(retry_type.len) + retry_type.len + 1 + varint_len(info) + info;
    buf_byte(out, 0x1a);
    buf_varint(out, any);
    buf_byte(out, 0x0a);
    buf_varint(out, retry_type.len);
    buf_str(out, retry_type);
    buf_byte(out, 0x12);
    buf_varint(out, info);
    buf_byte(out, 0x0a);
    buf_varint(out, duration);
    if (seconds) {
        buf_byte(out, 0x08);
        buf_varint(out, seconds);
    }
    if (nanos) {
        buf_byte(out, 0x10);
        buf_varint(out, nanos);
    }
}

enum grpc_status grpc_status_of_http(int http_status)
{
    switch (http_status) {
    case 200:
        return GRPC_OK;
    case 400:
        return GRPC_INVALID_ARGUMENT;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
    case 421:
        return GRPC_PERMISSION_DENIED;
    case 404:
    case 405:
    case 415:
    case 501:
        return GRPC_UNIMPLEMENTED;
    case 408:
        return GRPC_DEADLINE_EXCEEDED;
    case 409:
        return GRPC_ABORTED;
    case 413:
    case 431:
        return GRPC_RESOURCE_EXHAUSTED;
    case 429: // passes with time: a status that OTLP clients try again after
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    case 500:
        return GRPC_INTERNAL;
    default:
        return GRPC_UNKNOWN;
    }
}
