#include "otlp_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    otlp_check(OTLP_TRACES, OTLP_JSON, data, size);
    otlp_check(OTLP_LOGS, OTLP_JSON, data, size);
    otlp_check(OTLP_METRICS, OTLP_JSON, data, size);
    return 0;
}
