// From 3.14 on an interpreter has a switch by which its operator forbids debuggers from outside (PEP 768): PYTHON_DISABLE_REMOTE_DEBUG,
// -X disable-remote-debug, or a build --without-remote-debug. It is obeyed, though the way in of this back end is another one: the protocol of that PEP
// has the program run a script at its next instruction, which an idle server does not come to, and sets a bit from outside beside those that the threads set.
#pragma once
#include "base/err.h"
#include <stdint.h>
#include <sys/types.h>

// runtime: address of _PyRuntime in the process, 3.14 or later. ERR_UNSUPPORTED "runtime_disabled", or "stripped" when it does not begin with a
// table of offsets. An interpreter that is still starting, and has not read its switches, is allowed.
int remote_debug_allowed(pid_t pid, uint64_t runtime, struct err *err);
