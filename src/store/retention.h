// What is too old or too much: whole parts, dropped by unlink.
#pragma once
#include "store/part.h"

struct retention_limits {
    int64_t now;                     // ns Unix
    int64_t keep_ns[RECORD_SOURCES]; // a part goes when its newest row was received longer ago; 0: never
    uint64_t disk_cap_bytes;         // over it the parts that were received first go; 0: none
    uint64_t other_bytes;            // what counts against the cap besides parts (the log)
};

// parts in any order; busy[i]: being merged, so not now (NULL: none). drop[i] is set for each part that
// has to go; returns how many.
uint32_t retention_pick(const struct part_facts *const *parts, uint32_t parts_n, const bool *busy,
                        const struct retention_limits *limits, bool *drop);
