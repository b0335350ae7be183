// What the machine for expressions asks of a frame: see probe/vm.h. For program.c.
#pragma once
#include "ext.h"

enum { LOOK_KEPT_MAX = 16 };

// One run. Numbers that the machine knows only nearly (decimals, large ints) are kept beside, so that what is captured of them is exact.
struct look {
    struct ext_hit *hit;
    struct ext_program *program;
    struct probe_scratch *scratch;
    int64_t deadline; // 0: from the first look at the clock
    struct ext_frame frame;
    bool secret_file; // of the frame: the host's policy names its file
    PyObject *kept[LOOK_KEPT_MAX];
    uint32_t n_kept;
};

extern const struct probe_host look_host;
// The object behind a value that has one; NULL.
PyObject *look_object(const struct look *l, const struct probe_val *v);
