// The runtimes that this build of the agent knows.
#include "agent/backend.h"

const struct backend *const agent_backends[] = {
    NULL,
};
