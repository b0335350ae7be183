// Content codings: the first byte chooses one. Never more than the cap, never a crash.
#include "base/must.h"
#include "net/inflate.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct buf out;
    buf_init(&out, 1 << 18);
    enum net_coding coding = (enum net_coding)(data[0] % 5);
    int rc = net_inflate(coding, bytes_of(data + 1, size - 1), &out);
    must(out.len <= 1 << 18 && out.cap <= 1 << 18);
    uint8_t head[512];
    size_t n = 0;
    int head_rc = net_inflate_head(coding, bytes_of(data + 1, size - 1), head, sizeof head, &n);
    must(n <= sizeof head);
    // Where one library does both, what a good body begins with is what it is found to begin with.
    if (rc == 0 && (coding == NET_CODING_ZSTD || coding == NET_CODING_BROTLI))
        must(head_rc == 0 && n == (out.len < sizeof head ? out.len : sizeof head) && (!n || !memcmp(head, out.ptr, n)));
    buf_free(&out);
    return 0;
}
