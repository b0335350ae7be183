// Compiled time zones: whatever the bytes, reading ends, and every offset is a sane one.
#include "base/must.h"
#include "query/tzfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tzfile tz;
    if (tzfile_read(bytes_of(data, size), &tz) != 0)
        return 0;
    for (int64_t t = -9300000000; t < 9300000000; t += 777777777) {
        int32_t offset = tzfile_offset(&tz, t);
        must(offset >= -26 * 3600 - 3600 && offset <= 26 * 3600 + 3600);
    }
    for (uint32_t i = 0; i < tz.count && i < 64; i++)
        if (tz.changes[i].at > -9300000000 && tz.changes[i].at < 9300000000)
            tzfile_offset(&tz, tz.changes[i].at);
    tzfile_free(&tz);
    return 0;
}
