// What the files of this room share of filters.
#pragma once
#include "filters/address.h"
#include "filters/filters.h"
#include "filters/user_agent.h"
#include "grouping/glob.h"

#include <stdatomic.h>

struct filters {
    _Atomic uint32_t shares;
    struct arena arena; // what the globs and networks stand in
    bool on[FILTER_SWITCHES];
    uint32_t browsers;
    struct glob *globs[FILTER_LISTS]; // not of addresses
    struct network *networks;
    uint32_t n[FILTER_LISTS];
};

bool filters_glob(const struct filters *f, enum filter_list list, str value);

// --- filters_known.c: errors and names that are nobody's fault
bool filters_is_health_check(str transaction);
bool filters_is_hydration(str value);
bool filters_is_chunk_load(str type, str value);
bool filters_is_extension(str value, str source);
