// Names of part files: 16 hexadecimal digits of the id and ".part".
#pragma once
#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>

enum { PART_NAME = 24 };

static inline void part_file_name(char name[PART_NAME], uint64_t id)
{
    snprintf(name, PART_NAME, "%016" PRIx64 ".part", id);
}

static inline bool part_file_id(str name, uint64_t *ret_id)
{
    uint64_t v = 0;
    if (name.len != 21 || !str_ends(name, STR(".part")))
        return false;
    for (int i = 0; i < 16; i++) {
        char c = name.ptr[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0)
            return false;
        v = v << 4 | (unsigned)d;
    }
    *ret_id = v;
    return true;
}
