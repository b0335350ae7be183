// Answers about source files of a process, from its own view of the disk: nothing is asked of the process itself.
#pragma once
#include "agent/backend.h"

int python_resolve(const struct process *p, const struct resolve_request *q, struct json_writer *out, struct err *err);
