// `clew agent`: the host's half of live debugging. Two processes: this one, with the privileges that attaching needs, finds processes and
// attaches; the other has none and speaks with the server.
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct agent_options {
    const char *server;  // URL; empty: where this host is enrolled
    const char *token;   // of an enrolment; empty: it is enrolled
    const char *policy;  // file; empty: /etc/clew/agent.conf if there is one
    const char *state;   // directory of the host's key, the spool and the status
    const char *version; // of this program
};

// Runs until it is told to stop or the other process ends. Logs.
int agent_run(const struct agent_options *o, struct err *err);
// What an agent on this state directory says of itself, for people. ERR_NOENT: none runs.
int agent_status(const char *state, struct buf *out, struct err *err);
// What this host lets an agent do, and why not: lines for `clew doctor`.
void agent_doctor(struct buf *out);
