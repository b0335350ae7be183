#pragma once
#include "agent/backend.h"

// Answers from the process' files: what people see of them. Which names a line knows is read from the source, as it is when a probe is placed.
int node_resolve(const struct process *p, const struct resolve_request *q, struct json_writer *out, struct err *err);

enum { SOURCE_HASH = 32 };

// SHA-256 of a text as people are shown it.
void source_hash(str text, uint8_t ret[SOURCE_HASH]);
