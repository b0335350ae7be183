// Bytes as a program of the machine, over a target that answers anything; or as a pattern's program and a text.
#include "hostile_host.h"
#include "probe/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t n = le16_get(data), rest = size - 2;
    n = n < rest ? n : rest;
    hostile_run(bytes_of(data + 2, n), bytes_of(data + 2 + n, rest - n));
    if (probe_regex_verify(bytes_of(data + 2, n))) {
        uint32_t steps = 10000;
        probe_regex_test(bytes_of(data + 2, n), str_of(data + 2 + n, rest - n), &steps);
    }
    return 0;
}
