// WebSocket's frames: no byte sequence may crash, what is read must not depend on how the bytes were cut, and a message that
// was read is read again from what we write.
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "net/websocket.h"

enum { MESSAGE_MAX = 4096 };

struct seen {
    int rc;
    uint16_t code;
    uint64_t sum;
    size_t events, used;
};

static void check_again(const struct ws_event *e)
{
    static const uint8_t mask[4] = { 1, 2, 3, 250 };
    struct buf out;
    struct ws_reader r;
    struct ws_event again;
    uint16_t code;
    buf_init(&out, MESSAGE_MAX + WS_HEAD_MAX);
    int rc = e->what == WS_CLOSE ? ws_write_close(&out, e->code, str_of_bytes(e->data), mask)
                                 : ws_write(&out, e->what, e->data, mask);
    must(rc == 0);
    ws_reader_init(&r, true, MESSAGE_MAX);
    bytes in = buf_bytes(&out);
    must(ws_read(&r, &in, &again, &code) == 1 && in.len == 0);
    must(again.what == e->what && bytes_eq(again.data, e->data) && (e->what != WS_CLOSE || again.code == e->code));
    ws_reader_free(&r);
    buf_free(&out);
}

static struct seen read_all(bytes data, bool masked, size_t step)
{
    struct ws_reader r;
    struct seen s = { 0 };
    ws_reader_init(&r, masked, MESSAGE_MAX);
    for (size_t at = 0; at < data.len && s.rc == 0; at += step) {
        bytes in = { data.ptr + at, data.len - at < step ? data.len - at : step };
        struct ws_event e;
        while (s.rc == 0) {
            size_t before = in.len;
            int rc = ws_read(&r, &in, &e, &s.code);
            s.used += before - in.len;
            if (rc == 0)
                break;
            if (rc < 0) {
                s.rc = rc;
                break;
            }
            must(e.data.len <= MESSAGE_MAX);
            s.events++;
            s.sum = hash64_int(s.sum ^ hash64(e.data.ptr, e.data.len) ^ e.what);
            check_again(&e);
            if (e.what == WS_CLOSE)
                s.rc = 1;
        }
        must(s.rc || in.len == 0);
    }
    ws_reader_free(&r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int masked = 0; masked < 2; masked++) {
        struct seen whole = read_all(bytes_of(data, size), masked, size ? size : 1);
        for (size_t step = 1; step < 8; step += 2) {
            struct seen cut = read_all(bytes_of(data, size), masked, step);
            must(cut.rc == whole.rc && cut.events == whole.events && cut.sum == whole.sum);
            must(whole.rc >= 0 || cut.code == whole.code);
        }
    }
    return 0;
}
