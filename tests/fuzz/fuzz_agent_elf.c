// Files that a target has mapped: symbols are found or the file is refused, nothing is read beyond it.
#include "agent/python/elf_symbols.h"
#include "base/must.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("elf", MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    struct elf_symbol symbols[] = { { "main" }, { "PyGILState_Ensure" } };
    struct elf_file file;
    int rc = elf_read(fd, symbols, 2, &file);
    must(rc == 0 || rc < 0);
    return 0;
}
