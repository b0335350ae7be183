// Answers about source files of a process, from its own view of the disk: nothing is asked of the process itself.
#pragma once
#include "agent/backend.h"

int resolve_answer(pid_t pid, const struct resolve_request *q, struct json_writer *out, struct err *err);
