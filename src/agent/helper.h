// The privileged process: finds processes, attaches, makes the desired set true, and speaks with the network process only.
#pragma once
#include "agent/backend.h"
#include "agent/policy.h"

struct helper_options {
    struct policy *policy;
    const char *policy_file; // read again at SIGHUP
    bool policy_may_miss;
    const struct backend *const *backends;
    int lease_ms;       // without the server for so long: everything is removed; a server may want less, not more
    int scan_ms;        // between two looks at /proc
    uint64_t brake_rss; // bytes of its own memory above which everything is taken out; 0: as the manual says
    int brake_ms;       // until it comes back; 0: a minute
};

enum { HELPER_LEASE_MS = 90000, HELPER_SCAN_MS = 2000 };

// Runs until the channel ends, or SIGTERM or SIGINT come: removes everything, then returns 0, or 1 when
// the channel has ended by itself. fd is the channel's.
int helper_run(int fd, const struct helper_options *o);
