// Any bytes are an artifact bundle or are refused; what is read of one has an end.
#include "base/must.h"
#include "symbols/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ENTRY_MAX = 1 << 16 };
    bytes zip = bytes_of(data, size);
    struct bundle *b;
    struct buf out;
    if (bundle_open(zip, &b, NULL) < 0)
        return 0;
    buf_init(&out, ENTRY_MAX + 1);
    for (uint32_t i = 0; i < b->n && i < 16; i++) {
        buf_clear(&out);
        if (bundle_read(zip, b->entries[i].path, ENTRY_MAX, &out, NULL) < 0)
            must(out.len == 0);
        must(out.len <= ENTRY_MAX);
    }
    buf_free(&out);
    bundle_free(b);
    return 0;
}
