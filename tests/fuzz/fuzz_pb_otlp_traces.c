#include "otlp_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    otlp_check(OTLP_TRACES, OTLP_PROTOBUF, data, size);
    return 0;
}
