// Any bytes as a MANIFEST: refused with words, or a list that survives being written again. The first record's
// checksum is made good, so that what is behind it is reached.
#include "base/crc32c.h"
#include "base/must.h"
#include "disk_mem.h"
#include "store/manifest.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk *d;
    struct manifest *m;
    struct err err = { 0 };
    int file;
    uint8_t head[24] = "CLEWMANI\1";
    if (size > 1 << 16)
        return 0;
    must(disk_mem_new(0, &d) == 0);
    le32_put(head + 16, (uint32_t)size);
    le32_put(head + 20, crc32c(data, size));
    must(disk_open(d, "MANIFEST", DISK_WRITE | DISK_CREATE, &file) == 0);
    must(disk_write(d, file, head, sizeof head, 0) == 0);
    must(size == 0 || disk_write(d, file, data, size, sizeof head) == 0);
    disk_close(d, file);
    if (manifest_open(d, "MANIFEST", &m, &err) == 0) {
        uint32_t parts = manifest_parts(m);
        struct manifest_change nothing = { 0 };
        must(manifest_commit(m, &nothing, &err) == 0);
        manifest_close(m);
        must(manifest_open(d, "MANIFEST", &m, &err) == 0);
        must(manifest_parts(m) == parts);
        manifest_close(m);
    } else {
        must(err.message[0]);
    }
    disk_free(d);
    return 0;
}
