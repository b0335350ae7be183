// What a process of the agent gives up for good: system calls, capabilities, memory. What parses the network's words can then do little
// more than that, whatever is made of it.
#pragma once
#include "base/err.h"

enum { SANDBOX_REASON = 96 };
#define SANDBOX_NETWORK_BYTES ((uint64_t)64 << 20) // address space of the network process

// Calls that would reach other processes, start programs or change the system end the process (SIGSYS); what it has no use for fails with
// EPERM. Memory that is written is never run. Beyond the limit of memory there is none. reason: "" or why calls are not filtered.
int sandbox_network(char reason[SANDBOX_REASON]);
// Of the helper, which attaches: no programs, no changes of the system, and the capabilities that attaching takes.
int sandbox_helper(char reason[SANDBOX_REASON]);
// Whether calls can be filtered here.
bool sandbox_possible(char reason[SANDBOX_REASON]);
