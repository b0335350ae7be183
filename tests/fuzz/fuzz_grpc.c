// gRPC framing and its small texts.
#include "base/must.h"
#include "net/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool compressed = false;
    bytes message = { 0 };
    if (grpc_unframe(bytes_of(data, size), 1 << 20, &compressed, &message) == 0) {
        must(message.len == size - GRPC_PREFIX);
        uint8_t prefix[GRPC_PREFIX];
        grpc_prefix_put(prefix, compressed, (uint32_t)message.len);
        must(memcmp(prefix, data, GRPC_PREFIX) == 0);
    }
    int64_t ns = -1;
    if (grpc_timeout_parse(str_of(data, size), &ns) == 0)
        must(ns >= 0);
    struct buf out;
    buf_init(&out, 1 << 20);
    grpc_message_encode(&out, str_of(data, size));
    for (size_t i = 0; i < out.len; i++)
        must(out.ptr[i] >= 0x20 && out.ptr[i] <= 0x7e);
    grpc_status_build(&out, size & 15, str_of(data, size), (int)size);
    buf_free(&out);
    return 0;
}
