// Which Node an executable is, without running it.
#pragma once
#include "agent/backend.h"

enum { NODE_VERSION_ROOM = 32 };

// "v22.20.0", from the headers that come with it or else from what its executable says of itself; empty: neither says.
void node_version(const struct process *p, char ret[NODE_VERSION_ROOM]);
