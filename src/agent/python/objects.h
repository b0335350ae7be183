// The in-process part for each minor version of CPython that this build has (runtimes/python/build.py makes the table).
#pragma once
#include <stddef.h>
#include <stdint.h>

struct python_object {
    int minor; // 3.minor; 0: the end
    const uint8_t *bytes;
    size_t len;
};
extern const struct python_object python_objects[];
