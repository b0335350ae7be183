#include "store/retention.h"

uint32_t retention_pick(const struct part_facts *const *parts, uint32_t parts_n, const bool *busy,
                        const struct retention_limits *limits, bool *drop)
{
    uint32_t dropped = 0;
    uint64_t left = limits->other_bytes;
    for (uint32_t i = 0; i < parts_n; i++) {
        // Old by the clock of this machine: a wrong clock of a sender neither saves nor kills a row.
        int64_t keep = limits->keep_ns[parts[i]->source];
        bool old = keep > 0 && parts[i]->received_max < limits->now - keep;
        drop[i] = old && !(busy && busy[i]);
        dropped += drop[i];
        if (!drop[i])
            left += parts[i]->bytes;
    }
    while (limits->disk_cap_bytes && left > limits->disk_cap_bytes) {
        uint32_t oldest = UINT32_MAX;
        for (uint32_t i = 0; i < parts_n; i++)
            if (!drop[i] && !(busy && busy[i]) &&
                (oldest == UINT32_MAX || parts[i]->received_max < parts[oldest]->received_max))
                oldest = i;
        if (oldest == UINT32_MAX)
            break;
        drop[oldest] = true;
        dropped++;
        left -= parts[oldest]->bytes;
    }
    return dropped;
}
