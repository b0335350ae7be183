// Any archive: names are views inside it, and there is an end.
#include "api/api0_zip.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api0_zip z;
    str name;
    size_t n = 0;
    if (api0_zip_begin(&z, bytes_of(data, size)) < 0)
        return 0;
    while (api0_zip_next(&z, &name) == 1) {
        must(name.len && (const uint8_t *)name.ptr >= data && (const uint8_t *)name.ptr + name.len <= data + size);
        must(++n <= 65535);
    }
    return 0;
}
