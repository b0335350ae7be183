// A target that answers with whatever its bytes say: any kind of value, any length, reasons that are none, containers without end.
#pragma once
#include "probe/vm.h"

struct hostile_host {
    const uint8_t *p, *end;
    unsigned calls;
};

extern const struct probe_host hostile_host;

// Runs bytes that may be anything, if they are a program, over a host that may answer anything. Ends the process where the
// machine breaks what it promises: bounds (with the sanitizers), steps, a value or a reason.
void hostile_run(bytes program, bytes answers);
