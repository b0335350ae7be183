// Where the collector keeps what it knows. Up to 3.13 there are three generations. So there are from 3.14.5 on; 3.14.0 to 3.14.4 have an incremental collector
// (a young list and two old ones, of which one is emptied into the end of the other, step by step, and then they change places), under the same minor version.
#pragma once
#include "ext.h"

#if PY_VERSION_HEX < 0x030E0000
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#else
#include <internal/pycore_gc.h>
#include <internal/pycore_runtime.h>
#endif

enum { COLLECTOR_GENERATIONS = 3, COLLECTOR_LISTS = COLLECTOR_GENERATIONS + 1 };

struct ext_collector {
    PyGC_Head *lists[COLLECTOR_LISTS]; // the youngest first; the last is that of gc.freeze()
    const struct gc_generation_stats *stats;
    const int *collecting;
    const int *visited; // of the incremental one: which of the old lists, 0 or 1, things are moved to; otherwise NULL
};

#if PY_VERSION_HEX >= 0x030E0000
// The same up to 3.14.4 and from 3.14.5 on, as far as an incremental collector needs it; the rest is of the other one.
struct ext_collector_layout {
    void *deleted_later;
    int nesting, enabled, debug;
    struct gc_generation lists[COLLECTOR_LISTS];
    struct gc_generation_stats stats[COLLECTOR_GENERATIONS];
    int collecting;
    void *garbage, *callbacks;
    Py_ssize_t heap_size, work_to_do;
    int visited_space, phase;
    Py_ssize_t long_lived_total, long_lived_pending;
    PyGC_Head *youngest;
};
// What the interpreter says of its structure: `size` of it and where `collecting` is, from the table that it has for debuggers. False: it is none of the two.
bool ext_collector_read(struct ext_collector_layout *gc, uint64_t size, uint64_t collecting, unsigned long version,
                        struct ext_collector *ret);
#endif
// Of this interpreter; false: its structure is not known, and only the interpreter itself may go through it.
bool ext_collector(struct ext_collector *ret);
