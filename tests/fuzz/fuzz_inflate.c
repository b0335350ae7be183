// Content codings: the first byte chooses one. Never more than the cap, never a crash.
#include "base/must.h"
#include "net/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct buf out;
    buf_init(&out, 1 << 18);
    net_inflate((enum net_coding)(data[0] % 5), bytes_of(data + 1, size - 1), &out);
    must(out.len <= 1 << 18 && out.cap <= 1 << 18);
    buf_free(&out);
    return 0;
}
