// The runtimes that this build of the agent knows.
#include "agent/backend.h"
#include "agent/node/node.h"
#include "agent/python/python.h"

const struct backend *const agent_backends[] = {
    &python_backend,
    &node_backend,
    NULL,
};
